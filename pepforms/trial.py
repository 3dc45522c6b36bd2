"""A Word template on trial: filled with every sample and made into PDF by both engines, which must agree.

Each engine is the other's check. What one loses, the other shows: text against the Word file, and tables, boxes, lines
and pictures against each other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pepforms import drawn, pipeline, resources, sources
from pepforms.convert import Converter
from pepforms.errors import Refused
from pepforms.fill import Template
from pepforms.forms import Form
from pepforms.model import Pep
from pepforms.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Filled:
    """The template filled with one sample."""

    about: str
    docx: bytes


def peps(wiring: Wiring) -> dict[str, Pep]:
    """The samples, by name."""
    found = sources.read([str(resources.folder("samples") / "valid")])
    return {source.name: pipeline.checked(source.data, "draft", wiring.profile)[0] for source in found}


def fill(data: bytes, name: str, form: Form, wiring: Wiring) -> Iterator[Filled]:
    """A template that may be hostile, filled with every sample in a process apart; Refused with the cell of a fault."""
    samples = peps(wiring)
    told = [pipeline.told(pep, form, form.audiences[0], wiring.profile) for pep in samples.values()]
    documents = wiring.apart(filled, data, name, [*samples.values()], told, about=name)
    for sample, docx in zip(samples, documents, strict=True):
        yield Filled(f"{name} with {sample}", docx)


def filled(data: bytes, name: str, peps: list[Pep], told: list[Mapping[str, Any]]) -> list[bytes]:
    """The Word files that a template makes of PEPs."""
    template = Template(data, name=name)
    return [template.fill(pep, document) for pep, document in zip(peps, told, strict=True)]


def convert(document: Filled, engines: tuple[Converter, ...], wiring: Wiring) -> int:
    """Make PDFs by each of the engines; Refused (slug `engines-differ`) where they differ. How many pages there are."""
    pdfs = {engine.name: engine.convert(document.docx, about=document.about) for engine in engines}
    return wiring.apart(compare, pdfs, document.about, about=document.about)


def compare(pdfs: dict[str, bytes], about: str) -> int:
    """Hold the PDFs of one Word file against each other, by the names of their engines; the pages of the first."""
    read = {name: drawn.read(pdf) for name, pdf in pdfs.items()}
    (first, one), *others = read.items()
    for second, other in others:
        if found := [*drawn.differences(one, other, (first, second))]:
            raise Refused(f"{about}: the engines differ. {'; '.join(found)}.", slug="engines-differ")
    return one.pages
