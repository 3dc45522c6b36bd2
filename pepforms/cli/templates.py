"""The commands `template …`: the forms, and what their Word templates may say."""

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from pepforms import files, forms, install, many, pipeline, report, trial
from pepforms.cli.options import Results, force_option, format_option
from pepforms.convert import Converter
from pepforms.convert.libreoffice import INSTALL
from pepforms.errors import PepformsError, Unreadable
from pepforms.fill import annotate as annotating
from pepforms.fill import lint
from pepforms.wiring import Wiring

_EXAMPLE = 80
"""Characters of an example at most."""


@click.group()
def template() -> None:
    """The forms, and the facts that their Word templates may name."""


@template.command("list")
@click.pass_obj
def template_list(wiring: Wiring) -> None:
    """List the forms in the authority's order: name, what the authority calls it, readers.

    Example: pepforms template list
    """
    for form in wiring.forms().values():
        called = pipeline.called(form, wiring.profile)
        click.echo(f"{form.name:<24} {called}  ({form.template.name}; for {', '.join(form.audiences)})")


@template.command("fields")
@click.pass_obj
def template_fields(wiring: Wiring) -> None:
    """List every placeholder that a Word template may use: its title, and what it prints for an invented child.

    [] marks a list, which a template goes through with a loop.

    Example: pepforms template fields
    """
    examples = report.examples(wiring.profile)
    for placeholder, meaning in report.placeholders():
        example = textwrap.shorten(examples[placeholder], _EXAMPLE, placeholder=" …")
        click.echo(f"{placeholder:<58} {meaning}: {example}")


@template.command("check")
@click.argument("paths", nargs=-1, metavar="[FILE.docx…]", type=click.Path(path_type=Path))
@click.option("--form", "name", metavar="F", help="The form that the template is for; else the one it belongs to.")
@format_option
@click.option(
    "--annotate",
    type=click.Path(path_type=Path),
    metavar="OUT.docx",
    help="Write the findings into a copy, as comments.",
)
@force_option
@click.pass_obj
def template_check(
    wiring: Wiring, paths: tuple[Path, ...], name: str | None, as_format: str, annotate: Path | None, force: bool
) -> int:
    """Check Word templates before they are used; without a FILE, those of all forms.

    All that is wrong is told at once, with its place in Word. A template with nothing to put right is filled with every
    sample and made into PDF by rdocx and, where it is installed, by LibreOffice: all that the Word file says must be in
    both, and both must draw the same tables, boxes, lines and pictures.

    Example: pepforms template check templates/pep.docx --annotate out/pep-with-comments.docx
    """
    if annotate and len(paths) != 1:
        raise click.UsageError("Name one FILE.docx to annotate.")
    if annotate and annotate.resolve() == paths[0].resolve():
        raise click.UsageError("Name another file for the copy: it would take the place of the template itself.")
    given = wiring.form(name) if name else None
    engines = trial.engines(wiring)
    if len(engines) == 1:
        many.tell(f"LibreOffice is not installed, so rdocx is held to account by no other. {INSTALL}")
    results = Results(as_format)
    for path in paths or [form.template for form in wiring.forms().values()]:
        known = given or _form_of(path, wiring)
        form = known or wiring.form(forms.PEP)
        try:
            data = _read(path)
            findings = [one for one in trial.lint(data, path.name, form, wiring) if known or not _of_a_whole_pep(one)]
        except PepformsError as error:
            results.failures.add(path.name, error)
            results.add(report.lint(path.name, form.name, [lint.of_file(error)]))
            continue
        if not _stopped(findings):
            faults = [*_tried(data, path.name, form, wiring, engines)]
            results.failures.codes.update(fault.exit_code for fault in faults)
            findings += map(lint.of_file, faults)
        results.failures.codes.update([65] if _stopped(findings) else [])
        results.add(report.lint(path.name, form.name, findings), _told(path.name, findings, engines))
        if annotate:
            _annotate(data, path.name, findings, wiring, annotate, force=force, failures=results.failures)
    return results.done()


def _annotate(
    data: bytes,
    name: str,
    findings: list[lint.Finding],
    wiring: Wiring,
    out: Path,
    *,
    force: bool,
    failures: many.Failures,
) -> None:
    """Write the copy with comments; what keeps it from being written is told beside the findings."""
    try:
        copy = wiring.apart(annotating.annotated, data, name, findings, about=name)
        files.write(out, copy, force=force)
    except PepformsError as error:
        failures.add(name, error)


def _stopped(findings: list[lint.Finding]) -> bool:
    return any(finding.severity == "blocks" for finding in findings)


def _of_a_whole_pep(finding: lint.Finding) -> bool:
    """Whether it asks of a template what only that of a whole PEP owes."""
    return finding.slug == "needed-not-printed"


def _form_of(path: Path, wiring: Wiring) -> forms.Form | None:
    """The form that a Word file belongs to: one in use, else one of the pack that it lies in; None for neither."""
    if path.resolve() in {one.resolve() for one in forms.letterheads(wiring.installed)}:
        return forms.LETTERHEAD
    known = {form.template.resolve(): form for form in wiring.forms().values()}
    return known.get(path.resolve()) or forms.beside(path.resolve(), wiring.installed)


def _told(name: str, findings: list[lint.Finding], engines: tuple[Converter, ...]) -> str:
    """What was found, and where nothing was that blocks, who judged."""
    said = [report.lint_text(name, findings)] if findings else []
    if not _stopped(findings):
        said.append(f"{name}: good with every sample, by {' and '.join(engine.name for engine in engines)}")
    return "\n".join(said)


def _tried(
    data: bytes, name: str, form: forms.Form, wiring: Wiring, engines: tuple[Converter, ...]
) -> Iterator[PepformsError]:
    """What is wrong with a template when it is used; nothing where every sample came through."""
    try:
        documents = trial.fill(data, name, form, wiring.letterhead(form), wiring)
    except PepformsError as error:
        yield error
        return
    judged = many.each(documents, lambda one: trial.judge(one, engines, wiring), name, total=len(documents))
    yield from trial.folded(judged)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Unreadable(f"{path} cannot be read: {reason}.", slug="unreadable-path") from error


@template.command("install")
@click.argument("pack", metavar="DIR|ZIP", type=click.Path(path_type=Path))
@click.pass_obj
def template_install(wiring: Wiring, pack: Path) -> int:
    """Install the authority's own templates: a folder or ZIP with forms.toml and the Word files that it names.

    Each is tried first: filled with every sample, made into PDF, compared, judged by veraPDF. All are installed, or
    none. A form of a name that is there already takes its place.

    Example: pepforms template install our-templates.zip
    """
    found = install.read(pack)
    failures = many.Failures()
    for file, findings in install.findings(found, wiring):
        if worth_a_look := [one for one in findings if one.severity == "warns"]:
            many.tell(report.lint_text(file, worth_a_look))
    for name, fault in install.faults(found, wiring):
        failures.add(name, fault)
    if failures.codes:
        click.echo("Nothing was installed.", err=True)
        return failures.exit_code
    for form in install.keep(found, wiring):
        click.echo(f"{form.name}: installed as {form.template}")
    return 0


COMMANDS = (template,)
