"""A Word template on trial: filled with every sample and made into PDF by each engine.

Each engine is the other's check. Both must say what the Word file says, and draw the same tables, boxes, lines and
pictures on about as many pages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pepforms import drawn, loss, pipeline, resources, sources
from pepforms.archive import stamp
from pepforms.convert import Converter, libreoffice
from pepforms.errors import Broken, Refused
from pepforms.fill import Template
from pepforms.fill import lint as linting
from pepforms.fill.lint import Finding
from pepforms.forms import Form
from pepforms.model import Pep
from pepforms.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Filled:
    """A template filled with one sample; `about` names both."""

    about: str
    docx: bytes


def engines(wiring: Wiring) -> tuple[Converter, ...]:
    """The engines that can run here, rdocx first."""
    return (wiring.rdocx, wiring.libreoffice) if libreoffice.find() else (wiring.rdocx,)


def lint(data: bytes, name: str, form: Form, wiring: Wiring) -> list[Finding]:
    """All that is wrong with a template that may be hostile, read in a process apart."""
    try:
        found: list[Finding] = wiring.apart(linting.lint, data, name, form, about=name)
    except Refused as costly:
        return [linting.of_file(costly)]
    return found


def fill(data: bytes, name: str, form: Form, wiring: Wiring) -> list[Filled]:
    """A template that may be hostile, filled with every sample in a process apart; Refused, with the cell, if not.

    The form says for whom, and what the document calls itself.
    """
    found = [*sources.read([str(resources.folder("samples") / "valid")])]
    peps = [pipeline.checked(source.data, "draft", wiring.profile)[0] for source in found]
    told = [pipeline.told(pep, form, form.audiences[0], wiring.profile) for pep in peps]
    documents = wiring.apart(filled, data, name, peps, told, about=name)
    names = (f"{name} with {source.name.rsplit('/', 1)[-1]}" for source in found)
    return [Filled(*each) for each in zip(names, documents, strict=True)]


def filled(data: bytes, name: str, peps: list[Pep], told: list[Mapping[str, Any]]) -> list[bytes]:
    """The Word files that a template makes of PEPs."""
    template = Template(data, name=name)
    return [template.fill(pep, document) for pep, document in zip(peps, told, strict=True)]


def judge(document: Filled, engines: tuple[Converter, ...], wiring: Wiring) -> None:
    """Have each engine make the PDF; Refused (slug `engines-differ`) where one loses something, or they differ."""
    pdfs = {engine.name: engine.convert(document.docx, about=document.about) for engine in engines}
    if found := wiring.apart(differences, document.docx, pdfs, about=document.about):
        raise Refused(f"{document.about}: {'; '.join(found)}.", slug="engines-differ")


def differences(docx: bytes, pdfs: Mapping[str, bytes]) -> list[str]:
    """What the PDFs of one Word file lose of it, and how they differ from each other, by the names of the engines."""
    found = [lost for name, pdf in pdfs.items() for lost in _lost(docx, pdf, name)]
    (first, one), *others = ((name, drawn.read(pdf)) for name, pdf in pdfs.items())
    for second, other in others:
        found += drawn.differences(one, other, (first, second))
    return found


def _lost(docx: bytes, pdf: bytes, name: str) -> Iterator[str]:
    try:
        loss.check(docx, stamp.finish(pdf, title=name), about=f"the PDF by {name}", facts=lambda: ())
    except Broken as error:
        yield str(error).removesuffix(".")
