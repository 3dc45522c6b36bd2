"""The demonstration: the main job on the samples, under a throwaway seal, and the whole family of forms for a child."""

from pathlib import Path

import click

from pepforms import digest, files, forms, many, pipeline, resources, sources, trial
from pepforms.errors import PepformsError
from pepforms.forms import Form
from pepforms.model import Audience
from pepforms.sources import Source
from pepforms.wiring import Wiring


def run(wiring: Wiring, out: Path) -> int:
    """Word and PDF of every valid sample, a record of each that is signed off; then say what to open."""
    key = wiring.use_demonstration_key()
    click.echo(f"Sealing with a throwaway key made for demonstrations, {key}: its seal proves nothing.")
    samples = [str(resources.folder("samples") / "valid")]
    form = forms.named("pep")
    documents, records, family = (files.folder(out / name) for name in ("documents", "records", "family"))

    claims = many.Claims()

    def made(source: Source) -> Path:
        pep, _ = pipeline.checked(source.data, "draft", wiring.profile)
        word = pipeline.render(pep, form, "authority", "docx", wiring)
        pdf = pipeline.render(pep, form, "authority", "pdf", wiring)
        for document in (word, pdf):
            claims.claim(document.name, digest.pep_digest(pep))
            files.write(documents / document.name, document.data, force=True)
        return documents / pdf.name

    codes = [many.show(many.each(sources.read(samples), made, "Making documents", total=sources.count(samples)))]
    signed = [source for source in sources.read(samples) if _signed_off(source, wiring)]
    codes.append(many.show(many.records(wiring, signed, records, total=len(signed), force=True)))
    codes.append(_family(wiring, family))
    click.echo(f"\nOpen any PDF or Word file in {documents}; the sealed records and manifest.csv are in {records}.")
    click.echo(f"Every form, for each of its readers, of one child: {family}.")
    click.echo(f"Then try: pepforms verify {records}/*.pdf")
    return many.worst(codes)


def _family(wiring: Wiring, out: Path) -> int:
    """Every form of one sample, for each of its readers."""
    (source,) = sources.read([str(resources.folder("samples") / "valid" / _CHILD)])
    pep, _ = pipeline.checked(source.data, "record", wiring.profile)
    wanted = [
        (form, audience, person)
        for form in wiring.forms().values()
        for audience in form.audiences
        for person in trial.readers(pep, form, audience)
    ]

    def made(one: tuple[Form, Audience, str | None]) -> tuple[Path, ...]:
        form, audience, person = one
        if form.gathers:
            copies = pipeline.pack([pep], form, wiring.form(form.gathers), audience, wiring)
        else:
            copies = [pipeline.render(pep, form, audience, "pdf", wiring, person=person)]
        for document in copies:
            files.write(out / document.name, document.data, force=True)
        return tuple(out / document.name for document in copies)

    work = many.each(wanted, made, "Making the family of forms", total=len(wanted))
    return many.show((source, result) for _, result in work)


_CHILD = "year-8-confidential-placement.json"


def _signed_off(source: Source, wiring: Wiring) -> bool:
    try:
        pipeline.checked(source.data, "record", wiring.profile)
    except PepformsError:
        return False
    return True
