"""Commands that make documents and records: `render`, `archive`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from pepforms import days, digest, files, many, naming, pack, pipeline, report, sources
from pepforms.cli.options import by_option, force_option, out_option, paths_argument, released_by_option, user
from pepforms.errors import PepformsError, Refused
from pepforms.forms import Form
from pepforms.model import AUDIENCES, Audience, Pep
from pepforms.pipeline import Document
from pepforms.sources import Source
from pepforms.wiring import Wiring


@click.command()
@paths_argument
@click.option("--form", "form_name", default="pep", help="The form: see pepforms template list.")
@click.option("--audience", type=click.Choice(AUDIENCES), default="authority", help="Who will read this copy.")
@click.option("--for", "person", metavar="PERSON", help="Whom the copy is for, by reference in the PEP.")
@click.option("--confidential", is_flag=True, help="The placement is confidential today, whatever the PEP says.")
@released_by_option
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
    copy is made for one person, one PEP at a time. Of a form for one person, such as action-sheet, one is made for each
    whom the PEP asks for something, or for the one that --for names. A pack, such as school-move-pack, gathers the
    copies of all PEPs of a child that PATH holds. Where the register has weekly lists that speak against a copy, it is
    not made until somebody has made sure.

    Example: pepforms render samples/valid/year-5-review.json --to docx --out out
    """
    if preview and to == "docx":
        raise click.UsageError("--preview shows the PDF: leave out --to docx.")
    form = wiring.form(form_name)
    reader = form.offered(audience)
    if reader == "parent" and sources.count(paths) != 1:
        raise Refused("A parent’s copy is made one at a time: give one PEP.", slug="one-at-a-time")
    if form.gathers and (to == "docx" or person):
        raise click.UsageError(f"{form.name} is a pack of PDFs, for no one person: leave out --to docx and --for.")
    files.folder(out)
    if reader != "authority" and wiring.has_register:
        _ = wiring.register  # one that cannot be opened is told once, before any work
    copies = _Copies(wiring, form, reader, person, confidential, released_by, to, preview, out, force)
    if form.gathers:
        children = _children(paths, form, wiring)
        packs = many.each(children, lambda first: copies.packed(children[first]), "Making packs", total=len(children))
        return many.show(packs)
    return many.show(many.each(sources.read(paths), copies.made, "Making documents", total=sources.count(paths)))


@dataclass(frozen=True, slots=True)
class _Copies:
    """The copies that one run makes: of which form, for whom, and where they are put."""

    wiring: Wiring
    form: Form
    audience: Audience
    person: str | None
    confidential: bool
    released_by: str | None
    to: Any
    preview: bool
    out: Path
    force: bool
    claims: many.Claims = field(default_factory=many.Claims)

    def made(self, source: Source) -> tuple[Path, ...]:
        """The copies of one PEP."""
        pep, _ = pipeline.checked(many.read(source), self.form.stage, self.wiring.profile)
        self._may_go(pep)
        readers = pipeline.readers(pep, self.form, self.audience, self.person)
        if not readers:
            many.tell(
                f"{source.name}: no {self.form.name}, since the plan asks nothing of those who read this copy "
                f"({self.audience})."
            )
        documents = (
            pipeline.render(
                pep, self.form, self.audience, self.to, self.wiring, person=one, confidential=self.confidential
            )
            for one in readers
        )
        return tuple(path for document in documents for path in self._kept(pep, document))

    def packed(self, peps: list[Pep]) -> tuple[Path, ...]:
        """The covering sheet and the copies of all PEPs of one child."""
        for pep in peps:
            with pipeline.one_of_several(pep):
                self._may_go(pep)
        gathered = self.wiring.form(str(self.form.gathers))
        documents = pipeline.pack(peps, self.form, gathered, self.audience, self.wiring, confidential=self.confidential)
        return tuple(path for document in documents for path in self._kept(peps[0], document))

    def _may_go(self, pep: Pep) -> None:
        """Refused where the register has a weekly list that speaks against a copy for others."""
        if self.audience != "authority":
            many.refuse_held(self.wiring, pep, self.audience, self.released_by)

    def _kept(self, pep: Pep, document: Document) -> tuple[Path, ...]:
        self.claims.claim(document.name, digest.pep_digest(pep))
        made = pipeline.preview(document, self.wiring) if self.preview else (document,)
        older = [path for path in self._pages(document) if path.name not in {one.name for one in made}]
        if older and not self.force:
            raise Refused(
                f"{older[0]} is a page of a longer document that was shown here. Move it away, choose another folder, "
                "or say --force.",
                slug="file-differs",
            )
        for one in made:
            files.write(self.out / one.name, one.data, force=self.force)
        for path in older:
            path.unlink(missing_ok=True)
        if document.left_out:
            many.tell(report.left_out(document))
        return tuple(self.out / one.name for one in made)

    def _pages(self, document: Document) -> list[Path]:
        """The pictures of the pages of a document that are there already, of whatever state it was in."""
        return sorted(self.out.glob(naming.page(document.name, 0).replace("_p00", "_p[0-9]*"))) if self.preview else []


def _children(paths: tuple[str, ...], form: Form, wiring: Wiring) -> dict[Source, list[Pep]]:
    """The PEPs of each child by where the first came from; Refused where one cannot be used: no pack may lack it."""
    children: dict[str, tuple[Source, list[Pep]]] = {}
    failures = many.Failures()
    for source in sources.read(paths):
        try:
            pep, _ = pipeline.checked(many.read(source), form.stage, wiring.profile)
        except PepformsError as error:
            failures.add(source.name, error)
            continue
        children.setdefault(pipeline.child(pep), (source, []))[1].append(pep)
    if failures.codes:
        raise Refused("No pack was made, since it would lack a PEP. Put that right first.", slug="pack-incomplete")
    return dict(children.values())


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH…")
@click.option(
    "--term", metavar="TERM", help="With --register: all of a term, such as 2026-27/autumn, without a record."
)
@click.option(
    "--register", "keep", is_flag=True, help="Keep PEP and record in the register too; --out may be left out."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Output folder.")
@by_option
@released_by_option
@force_option
@click.pass_obj
def archive(
    wiring: Wiring,
    paths: tuple[str, ...],
    term: str | None,
    keep: bool,
    out: Path | None,
    by: naming.By | None,
    released_by: str | None,
    force: bool,
) -> int:
    """Make the sealed record of each signed-off PEP.

    Its row goes into DIR/manifest.csv. A record that is there already and holds is left alone, in the register as in
    DIR. Where the newest weekly list in the register has joined the child's LCS number into another, none is made until
    somebody has made sure.

    Example: pepforms archive samples/valid/year-5-review.json --out out --by social-worker
    """
    if bool(paths) == bool(term):
        raise click.UsageError("Say either a PATH, for PEPs in files, or --term, for those in the register.")
    if (term or out is None) and not keep:
        raise click.UsageError("--term goes with --register." if term else "Say --out DIR, or --register.")
    if by and out is None:
        raise click.UsageError("--by goes with --out.")
    found = _without_record(wiring, term) if term else sources.read(paths)
    total = len(found) if isinstance(found, list) else sources.count(paths)
    if out:
        files.folder(out)
    _ = wiring.sealer  # no key: say so before any work
    kept_by = user() if keep else None
    made = many.records(wiring, found, out, total=total, force=force, kept_by=kept_by, released_by=released_by)
    code = many.show(made)
    if by and out:
        many.say(str(pack.part(out, by, wiring, days.today())))
    return code


def _without_record(wiring: Wiring, term: str) -> list[Source]:
    from pepforms.register import made, peps

    with wiring.register.reading() as session:
        found = made.without_record(session, *days.term(term))
        return [Source(peps.subject(revision), revision.content) for revision in found]


COMMANDS = (render, archive)
