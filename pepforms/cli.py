"""The command line: `pepforms validate`, `render`, `archive`, `verify` and the rest.

Results go to standard output; messages and progress bars to standard error, bars only on a terminal.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from pepforms import __version__, check, days, digest, files, forms, many, pipeline, report, settings, sources
from pepforms.archive import verify as verification
from pepforms.check import sections
from pepforms.errors import PepformsError, Unreadable
from pepforms.model import AUDIENCES, STAGES
from pepforms.sources import Source
from pepforms.wiring import Wiring

_WIDTH = 100


def main() -> NoReturn:
    """The console script: no traceback reaches a user, and the exit code says who must act."""
    try:
        code = commands.main(standalone_mode=False) or 0
    except click.UsageError as error:
        error.show()
        code = 64
    except click.Abort:
        code = 130
    except PepformsError as error:
        click.echo(str(error), err=True)
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:  # standard output on a full disk, above all
        told = files.in_words(Path("The output"), error)
        click.echo(str(told), err=True)
        code = told.exit_code
    except Exception as error:  # noqa: BLE001  its text may quote a child's data, so only its kind is told
        click.echo(f"pepforms failed by its own fault ({type(error).__name__}). Please report it.", err=True)
        code = 70
    sys.exit(_flushed(int(code)))


def _flushed(code: int) -> int:
    """Standard output written to its end; a full disk shows only here."""
    if sys.stdout is None:  # closed before we began
        return code
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo("The output could not be written: the disk is full.", err=True)
        return 75
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDTH})
@click.version_option(__version__, prog_name="pepforms")
@click.pass_context
def commands(context: click.Context) -> None:
    """Personal Education Plans: checked, filled into Word, made into archival PDFs, stamped and sealed.

    PATH is a PEP as JSON, a .jsonl file of many, a folder of both, or - for standard input.
    """
    context.obj = Wiring(settings.load())


paths_argument = click.argument("paths", nargs=-1, required=True, metavar="PATH…")
out_option = click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Output folder.")
force_option = click.option("--force", is_flag=True, help="Write over a file that is there and differs.")
format_option = click.option(
    "--format", "as_format", type=click.Choice(["text", "json"]), default="text", help="How to print the results."
)


@commands.command()
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
        if source.error:
            raise source.error
        return check.check(source.data, stage, wiring.profile, together.beside(source.name))

    results: list[dict[str, Any]] = []
    failures = many.Failures()
    for source, result in many.each(sources.read(paths), judged, "Checking", total=sources.count(paths), workers=1):
        if isinstance(result, PepformsError):
            failures.add(source.name, result)
            continue
        entry = report.validation(source.name, stage, result, wiring.profile)
        results.append(entry)
        if not entry["valid"]:
            failures.codes.add(65)
        if as_format == "text":
            click.echo(report.validation_text(entry, result, wiring.profile))
    if as_format == "json":
        click.echo(json.dumps({"results": results}, ensure_ascii=False, indent=2))
    return failures.exit_code


@commands.command()
@paths_argument
@click.option("--form", "form_name", default="pep", help="The form: see pepforms template list.")
@click.option("--audience", type=click.Choice(AUDIENCES), default="authority", help="Who will read this copy.")
@click.option("--to", type=click.Choice(["pdf", "docx"]), default="pdf", help="PDF, or Word to edit.")
@out_option
@force_option
@click.pass_obj
def render(
    wiring: Wiring, paths: tuple[str, ...], form_name: str, audience: str, to: Any, out: Path, force: bool
) -> int:
    """Make a document of each PEP: an accessible PDF, or Word.

    Example: pepforms render samples/valid/year-5-review.json --to docx --out out
    """
    form = forms.named(form_name)
    reader = form.offered(audience)
    files.folder(out)

    def rendered(source: Source) -> Path:
        pep, _ = pipeline.checked(many.read(source), "draft", wiring.profile)
        document = pipeline.render(pep, form, reader, to, wiring)
        files.write(out / document.name, document.data, force=force)
        return out / document.name

    return many.show(many.each(sources.read(paths), rendered, "Making documents", total=sources.count(paths)))


@commands.command()
@paths_argument
@out_option
@force_option
@click.pass_obj
def archive(wiring: Wiring, paths: tuple[str, ...], out: Path, force: bool) -> int:
    """Make the sealed record of each signed-off PEP.

    Its row goes into DIR/manifest.csv. A record that is there already and holds is left alone.

    Example: pepforms archive samples/valid/year-5-review.json --out out
    """
    files.folder(out)
    _ = wiring.sealer  # no key: say so before any work
    return many.show(many.records(wiring, sources.read(paths), out, total=sources.count(paths), force=force))


@commands.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE.pdf…")
@format_option
@click.pass_obj
def verify(wiring: Wiring, paths: tuple[str, ...], as_format: str) -> int:
    """Say of each PDF whether it holds.

    Its standard, its seal, its data: each is a fact apart, and each that fell is named.

    Example: pepforms verify out/*.pdf
    """

    def verified(path: str) -> dict[str, Any]:
        facts = wiring.verify(_bytes(path))
        return {"source": path, **facts.as_json(), "explained": verification.explain(facts)}

    results: list[dict[str, Any]] = []
    failures = many.Failures()
    for path, result in many.each(paths, verified, "Verifying", total=len(paths)):
        if isinstance(result, PepformsError):
            failures.add(path, result)
            continue
        explained = result.pop("explained")
        results.append(result)
        if not result["holds"]:
            failures.codes.add(65)
        if as_format == "text":
            click.echo(report.verification_text(result, explained))
    if as_format == "json":
        click.echo(json.dumps({"results": results}, ensure_ascii=False, indent=2))
    return failures.exit_code


@commands.command()
def rules() -> None:
    """List every rule of the check: what it says, whether it blocks, where it comes from.

    Example: pepforms rules
    """
    for entry in report.rule_book():
        click.echo(entry)


@commands.command("sections")
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

    results: list[dict[str, Any]] = []
    failures = many.Failures()
    for source, rows in many.each(sources.read(paths), begun, "Reading", total=sources.count(paths), workers=1):
        if isinstance(rows, PepformsError):
            failures.add(source.name, rows)
        elif as_format == "text":
            click.echo(f"{source.name}\n{sections.table(rows)}")
        else:
            results.append({"source": source.name, "sections": [row.as_json() for row in rows]})
    if as_format == "json":
        click.echo(json.dumps({"results": results}, ensure_ascii=False, indent=2))
    return failures.exit_code


@commands.command("next")
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
        click.echo(note, err=True)
    click.echo(json.dumps(draft.pep, ensure_ascii=False, indent=2))
    return 0


@commands.command("digest")
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


@commands.group()
def template() -> None:
    """The forms, and the facts that their Word templates may name."""


@template.command("list")
def template_list() -> None:
    """List the forms: name, title, readers.

    Example: pepforms template list
    """
    for form in forms.catalogue().values():
        click.echo(f"{form.name:<12} {form.title}  ({form.template.name}; for {', '.join(form.audiences)})")


@template.command("fields")
def template_fields() -> None:
    """List every placeholder that a Word template may use, with the words people see for it.

    Example: pepforms template fields
    """
    for placeholder, meaning in report.placeholders():
        click.echo(f"{placeholder:<58} {meaning}")


@commands.command()
@click.pass_obj
def doctor(wiring: Wiring) -> int:
    """Say what is set up, what is not, and what to do about it.

    Example: pepforms doctor
    """
    healthy, text = report.doctor(wiring)
    click.echo(text)
    return 0 if healthy else 78


@commands.command()
@click.option("--out", default="out", type=click.Path(path_type=Path), metavar="DIR", help="Output folder.")
@click.pass_obj
def demo(wiring: Wiring, out: Path) -> int:
    """Run the main job on the samples.

    Word and PDF of each, a sealed record of each that is signed off; then it says what to open.

    Example: pepforms demo --out out
    """
    from pepforms import demonstration

    return demonstration.run(wiring, out)


@commands.command()
@click.option("--host", default="127.0.0.1", help="The address to listen on; only 127.0.0.1 for now.")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.pass_obj
def serve(wiring: Wiring, host: str, port: int) -> None:
    """Serve the page and the HTTP API on this computer.

    Example: pepforms serve --port 8000
    """
    from pepforms.web import serving

    serving.serve(wiring, host, port)


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Unreadable(f"It cannot be read: {reason}.", slug="unreadable-path") from error
