"""Commands that read PEPs and write none: `validate`, `sections`, `next`, `digest`, `rules`."""

from typing import Any

import click

from pepforms import check, days, digest, many, pipeline, report, sources
from pepforms.check import sections
from pepforms.cli.options import Results, format_option, paths_argument, say_json
from pepforms.errors import PepformsError
from pepforms.model import STAGES
from pepforms.sources import Source
from pepforms.wiring import Wiring


@click.command()
@paths_argument
@click.option("--stage", type=click.Choice(STAGES), default="draft", help="How far the PEP has come.")
@format_option
@click.pass_obj
def validate(wiring: Wiring, paths: tuple[str, ...], stage: Any, as_format: str) -> int:
    """Say in plain English what is missing or wrong in each PEP.

    Example: pepforms validate samples/valid --stage sign-off
    """

    together = check.Together()

    def judged(source: Source) -> check.Checked:
        return check.check(many.read(source), stage, wiring.profile, together.beside(source.name))

    results = Results(as_format)
    for source, result in many.each(sources.read(paths), judged, "Checking", total=sources.count(paths), workers=1):
        if isinstance(result, PepformsError):
            results.failures.add(source.name, result)
            results.add(report.unreadable(source.name, stage, result))
            continue
        entry = report.validation(source.name, stage, result, wiring.profile)
        if not entry["valid"]:
            results.failures.codes.add(65)
        results.add(entry, report.validation_text(entry, result, wiring.profile))
    return results.done()


@click.command()
def rules() -> None:
    """List every rule of the check: what it says, whether it blocks, where it comes from.

    Example: pepforms rules
    """
    for entry in report.rule_book():
        click.echo(entry)


@click.command("sections")
@paths_argument
@format_option
@click.pass_obj
def sections_(wiring: Wiring, paths: tuple[str, ...], as_format: str) -> int:
    """Say how far each section of a PEP has come, and whose it is.

    Example: pepforms sections samples/valid/year-5-review.json
    """

    def begun(source: Source) -> list[sections.Section]:
        pep, _ = pipeline.checked(many.read(source), "draft", wiring.profile)
        problems = check.check(source.data, "sign-off", wiring.profile).problems
        return sections.sections(pep, problems, wiring.profile, days.today())

    results = Results(as_format)
    for source, rows in many.each(sources.read(paths), begun, "Reading", total=sources.count(paths), workers=1):
        if isinstance(rows, PepformsError):
            results.failures.add(source.name, rows)
            results.add({"source": source.name, "sections": None, "problem": {"slug": rows.slug, "message": str(rows)}})
        else:
            entry = {"source": source.name, "sections": [row.as_json() for row in rows], "problem": None}
            results.add(entry, f"{source.name}\n{sections.table(rows)}")
    return results.done()


@click.command("next")
@click.argument("path", metavar="PATH")
@click.pass_obj
def next_(wiring: Wiring, path: str) -> int:
    """Print next term's draft, carried forward from a PEP.

    What lasts is marked to be confirmed; targets, actions and spending wait for their outcome. What the person who
    takes the draft up must know goes to standard error.

    Example: pepforms next samples/valid/year-5-review.json
    """
    from pepforms import carry

    source, *others = sources.read([path])
    if others:
        raise click.UsageError("Name one PEP: the next term's draft is made of one at a time.")
    pep, _ = pipeline.checked(many.read(source), "draft", wiring.profile)
    signed = check.check(source.data, "record", wiring.profile).valid
    draft = carry.next_draft(pep, signed=signed)
    for note in draft.notes:
        many.tell(note)
    say_json(draft.pep)
    return 0


@click.command("digest")
@paths_argument
@click.pass_obj
def digest_(wiring: Wiring, paths: tuple[str, ...]) -> int:
    """Print the digest that a sign-off of each PEP must carry.

    Example: pepforms digest samples/valid/year-5-review.json
    """

    def digested(source: Source) -> str:
        pep, _ = pipeline.checked(many.read(source), "draft", wiring.profile)
        return digest.pep_digest(pep)

    failures = many.Failures()
    for source, result in many.each(sources.read(paths), digested, "Reading", total=sources.count(paths), workers=1):
        if isinstance(result, PepformsError):
            failures.add(source.name, result)
        else:
            click.echo(f"{result}  {source.name}")
    return failures.exit_code


COMMANDS = (validate, rules, sections_, next_, digest_)
