"""Commands that make documents and records: `render`, `archive`."""

from pathlib import Path
from typing import Any

import click

from pepforms import days, digest, files, many, naming, pack, pipeline, report, sources
from pepforms.cli.options import by_option, force_option, out_option, paths_argument
from pepforms.errors import Refused
from pepforms.model import AUDIENCES
from pepforms.sources import Source
from pepforms.wiring import Wiring


@click.command()
@paths_argument
@click.option("--form", "form_name", default="pep", help="The form: see pepforms template list.")
@click.option("--audience", type=click.Choice(AUDIENCES), default="authority", help="Who will read this copy.")
@click.option("--for", "person", metavar="PERSON", help="The parent a parent's copy is for, by reference in the PEP.")
@click.option("--confidential", is_flag=True, help="The placement is confidential today, whatever the PEP says.")
@click.option(
    "--released-by",
    metavar="NAME",
    help="Who has made sure that the copy may go, where the weekly list speaks against it.",
)
@click.option("--to", type=click.Choice(["pdf", "docx"]), default="pdf", help="PDF, or Word to edit.")
@click.option("--preview", is_flag=True, help="A picture of each page (PNG) in place of the PDF.")
@out_option
@force_option
@click.pass_obj
def render(
    wiring: Wiring,
    paths: tuple[str, ...],
    form_name: str,
    audience: str,
    person: str | None,
    confidential: bool,
    released_by: str | None,
    to: Any,
    preview: bool,
    out: Path,
    force: bool,
) -> int:
    """Make a document of each PEP: an accessible PDF, or Word.

    What its reader may not see is left out; the fields are told on standard error, for the authority alone. A parent's
    copy is made for one person, one PEP at a time. Where the register has weekly lists that speak against a copy, it is
    not made until somebody has made sure.

    Example: pepforms render samples/valid/year-5-review.json --to docx --out out
    """
    if preview and to == "docx":
        raise click.UsageError("--preview shows the PDF: leave out --to docx.")
    form = wiring.form(form_name)
    reader = form.offered(audience)
    if reader == "parent" and sources.count(paths) != 1:
        raise Refused("A parent’s copy is made one at a time: give one PEP.", slug="one-at-a-time")
    files.folder(out)
    claims = many.Claims()

    def rendered(source: Source) -> tuple[Path, ...]:
        pep, _ = pipeline.checked(many.read(source), "draft", wiring.profile)
        if reader != "authority" and wiring.has_register:
            from pepforms.caseload import holds

            holds.refuse_held(wiring.register, pep, reader, released_by=released_by)
        document = pipeline.render(pep, form, reader, to, wiring, person=person, confidential=confidential)
        claims.claim(document.name, digest.pep_digest(pep))
        made = pipeline.preview(document, wiring) if preview else (document,)
        for one in made:
            files.write(out / one.name, one.data, force=force)
        if document.left_out:
            many.tell(report.left_out(document))
        return tuple(out / one.name for one in made)

    return many.show(many.each(sources.read(paths), rendered, "Making documents", total=sources.count(paths)))


@click.command()
@paths_argument
@out_option
@by_option
@force_option
@click.pass_obj
def archive(wiring: Wiring, paths: tuple[str, ...], out: Path, by: naming.By | None, force: bool) -> int:
    """Make the sealed record of each signed-off PEP.

    Its row goes into DIR/manifest.csv. A record that is there already and holds is left alone.

    Example: pepforms archive samples/valid/year-5-review.json --out out --by social-worker
    """
    files.folder(out)
    _ = wiring.sealer  # no key: say so before any work
    code = many.show(many.records(wiring, sources.read(paths), out, total=sources.count(paths), force=force))
    if by:
        many.say(str(pack.part(out, by, wiring, days.today())))
    return code


COMMANDS = (render, archive)
