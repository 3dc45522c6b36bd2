"""A Word template on trial: filled with every sample for every reader, and made into PDF by each engine.

Each engine is the other's check. Both must say what the Word file says, and draw the same tables, boxes, lines and
pictures on about as many pages.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pepforms import drawn, loss, pipeline, resources, sources
from pepforms.archive import stamp
from pepforms.audience.case import Reader
from pepforms.audience.for_whom import one_by_one
from pepforms.convert import Converter, libreoffice
from pepforms.errors import Broken, PepformsError, Refused
from pepforms.fill import Letterhead, Template
from pepforms.fill import lint as linting
from pepforms.fill.lint import Finding
from pepforms.forms import Form
from pepforms.model import Audience, Pep
from pepforms.wiring import READING_SECONDS, Wiring

_SECONDS_A_DOCUMENT, _SECONDS_A_MEGABYTE = 1.0, 5.0
"""What filling one document, and comparing so much of PDFs, may take beside reading: ten times what they do, alone."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A template filled with one sample for one reader."""

    template: str
    sample: str
    docx: bytes

    @property
    def about(self) -> str:
        """The names of both."""
        return f"{self.template} with {self.sample}"


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


def fill(data: bytes, name: str, form: Form, head: Letterhead | None, wiring: Wiring) -> list[Filled]:
    """A template that may be hostile, filled under a letterhead with every sample for every reader; Refused if not.

    It is filled in a process apart. The form says for whom, and what the document calls itself; a sample that it is not
    for, and a copy that may not be made, are left out.
    """
    wanted = [*_wanted(form, wiring)]
    seconds = READING_SECONDS + _SECONDS_A_DOCUMENT * len(wanted)
    with _patient(name, "filling it with every sample", seconds):
        documents = wiring.apart(
            filled, data, name, form, head, [one for _, one in wanted], about=name, seconds=seconds
        )
    return [Filled(name, sample, docx) for (sample, _), docx in zip(wanted, documents, strict=True) if docx]


Wanted = tuple[Pep, Reader, Mapping[str, Any]]
"""A document to be made: of which PEP, for whom, and what it says of itself."""


def _wanted(form: Form, wiring: Wiring) -> Iterator[tuple[str, Wanted]]:
    """Every document that a form makes of the samples, with what to call it."""
    for source in sources.read([str(resources.folder("samples") / "valid")]):
        try:
            pep, _ = pipeline.checked(source.data, form.stage, wiring.profile)
            form.asked_of(pep)
        except Refused:
            continue
        for audience in form.audiences:
            for person in readers(pep, form, audience):
                about = " for ".join([source.name.rsplit("/", 1)[-1], audience, *([person] if person else [])])
                told = pipeline.told(pep, form, audience, wiring.profile, person=person)
                copies = [pipeline.in_pack(pep, form, wiring.profile)] if form.gathers else []
                yield about, (pep, Reader(audience, person), told | {"copies": copies})


def readers(pep: Pep, form: Form, audience: Audience) -> tuple[str | None, ...]:
    """Each whom a form is made for one by one, where it is; else nobody in particular."""
    return one_by_one(pep, audience, for_one=form.person)


def filled(data: bytes, name: str, form: Form, head: Letterhead | None, wanted: list[Wanted]) -> list[bytes | None]:
    """The Word files that a template makes; None where no such copy may be made."""
    template = Template(data, name=name, letterhead=head)
    return [_filled(template, form, *one) for one in wanted]


def _filled(template: Template, form: Form, pep: Pep, reader: Reader, told: Mapping[str, Any]) -> bytes | None:
    try:
        copy = pipeline.copy_for(pep, form, reader)
    except Refused:
        return None
    return template.fill(copy.pep, told, copy.fields)


def judge(document: Filled, engines: tuple[Converter, ...], wiring: Wiring) -> None:
    """Have each engine make the PDF; Refused (slug `engines-differ`) where one loses something, or they differ."""
    pdfs = {engine.name: engine.convert(document.docx, about=document.about) for engine in engines}
    seconds = READING_SECONDS + _SECONDS_A_MEGABYTE * sum(map(len, pdfs.values())) / (1 << 20)
    with _patient(document.about, "comparing its PDFs", seconds):
        found = wiring.apart(differences, document.docx, pdfs, about=document.about, seconds=seconds)
    if found:
        raise Refused(f"{document.about}: {'; '.join(found)}.", slug="engines-differ")


@contextmanager
def _patient(about: str, work: str, seconds: float) -> Iterator[None]:
    """Tell of work that overran in words for whoever tries a template; elsewhere such a document is left out."""
    try:
        yield
    except Refused as error:
        if error.slug != "worker-lost":
            raise
        raise Refused(
            f"{about}: {work} took longer than {seconds:.0f} seconds, twice over. Try again when the machine is less "
            "busy, or make the template shorter.",
            slug="worker-lost",
        ) from error


def folded(judged: Iterable[tuple[Filled, PepformsError | None]]) -> Iterator[PepformsError]:
    """What is wrong with the documents of one template: the same of several is told once, with all their names."""
    alike: dict[tuple[type[PepformsError], str, str, str], list[str]] = {}
    for document, fault in judged:
        if fault:
            said = str(fault).removeprefix(f"{document.about}: ")
            alike.setdefault((type(fault), fault.slug, document.template, said), []).append(document.sample)
    for (kind, slug, template, said), samples in alike.items():
        yield kind(f"{template} with {'; '.join(samples)}: {said}", slug=slug)


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
