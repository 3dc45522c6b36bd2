"""The demonstration: the main job on the samples, under a throwaway seal."""

from pathlib import Path

import click

from pepforms import digest, files, forms, many, pipeline, resources, sources
from pepforms.errors import PepformsError
from pepforms.sources import Source
from pepforms.wiring import Wiring


def run(wiring: Wiring, out: Path) -> int:
    """Word and PDF of every valid sample, a record of each that is signed off; then say what to open."""
    key = wiring.use_demonstration_key()
    click.echo(f"Sealing with a throwaway key made for demonstrations, {key}: its seal proves nothing.")
    samples = [str(resources.folder("samples") / "valid")]
    form = forms.named("pep")
    documents, records = files.folder(out / "documents"), files.folder(out / "records")

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
    click.echo(f"\nOpen any PDF or Word file in {documents}; the sealed records and manifest.csv are in {records}.")
    click.echo(f"Then try: pepforms verify {records}/*.pdf")
    return many.worst(codes)


def _signed_off(source: Source, wiring: Wiring) -> bool:
    try:
        pipeline.checked(source.data, "record", wiring.profile)
    except PepformsError:
        return False
    return True
