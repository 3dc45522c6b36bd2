"""The commands `template …`: the forms, and what their Word templates may say."""

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from pepforms import install, many, report, trial
from pepforms.convert import Converter
from pepforms.convert.libreoffice import INSTALL
from pepforms.errors import PepformsError, Unreadable
from pepforms.wiring import Wiring

_EXAMPLE = 80
"""Characters of an example at most."""


@click.group()
def template() -> None:
    """The forms, and the facts that their Word templates may name."""


@template.command("list")
@click.pass_obj
def template_list(wiring: Wiring) -> None:
    """List the forms: name, title, readers.

    Example: pepforms template list
    """
    for form in wiring.forms().values():
        click.echo(f"{form.name:<12} {form.title}  ({form.template.name}; for {', '.join(form.audiences)})")


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
@click.argument("files", nargs=-1, metavar="[FILE.docx…]", type=click.Path(path_type=Path))
@click.pass_obj
def template_check(wiring: Wiring, files: tuple[Path, ...]) -> int:
    """Check Word templates before they are used; without a FILE, those of all forms.

    Each is filled with every sample and made into PDF by rdocx and, where it is installed, by LibreOffice: all that the
    Word file says must be in both, and both must draw the same tables, boxes, lines and pictures.

    Example: pepforms template check templates/pep.docx
    """
    engines = trial.engines(wiring)
    if len(engines) == 1:
        click.echo(f"LibreOffice is not installed, so rdocx is held to account by no other. {INSTALL}", err=True)
    failures = many.Failures()
    for path in files or [form.template for form in wiring.forms().values()]:
        faults = [*_tried(wiring, path, engines)]
        for fault in faults:
            failures.add(path.name, fault)
        if not faults:
            click.echo(f"{path.name}: good with every sample, by {' and '.join(engine.name for engine in engines)}")
    return failures.exit_code


def _tried(wiring: Wiring, path: Path, engines: tuple[Converter, ...]) -> Iterator[PepformsError]:
    """What is wrong with a template; nothing where every sample came through."""
    known = {form.template.resolve(): form for form in wiring.forms().values()}
    try:
        documents = trial.fill(_read(path), path.name, known.get(path.resolve(), wiring.form("pep")), wiring)
    except PepformsError as error:
        yield error
        return
    judged = many.each(documents, lambda one: trial.judge(one, engines, wiring), path.name, total=len(documents))
    yield from (result for _, result in judged if result)


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
    for name, fault in install.faults(found, wiring):
        failures.add(name, fault)
    if failures.codes:
        click.echo("Nothing was installed.", err=True)
        return failures.exit_code
    for form in install.keep(found, wiring):
        click.echo(f"{form.name}: installed as {form.template}")
    return 0


COMMANDS = (template,)
