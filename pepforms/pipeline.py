"""The recipe: PEP data in, documents and records out. Values go in, values come out; writing files is the faces' work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pepforms import check, digest, naming
from pepforms.archive import manifest, stamp, verify
from pepforms.errors import Broken, Refused
from pepforms.fill import Template, words
from pepforms.forms import Form
from pepforms.model import Audience, Pep, Problem, Stage
from pepforms.profile import Profile

To = Literal["pdf", "docx"]


class Workshop(Protocol):
    """What the recipe works with; `wiring` provides it."""

    profile: Profile

    def template(self, form: Form) -> Template:
        """The compiled template of a form."""
        ...

    def convert(self, docx: bytes, *, about: str) -> bytes:
        """A Word file as a tagged PDF."""
        ...

    def seal(self, pdf: bytes) -> bytes:
        """A PDF under the authority's seal."""
        ...

    def verify(self, pdf: bytes) -> verify.Facts:
        """The facts about a PDF."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was made: its name holds no personal data."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed PDF and its row in the manifest."""

    document: Document
    row: manifest.Row


def checked(data: bytes, stage: Stage, profile: Profile) -> tuple[Pep, tuple[Problem, ...]]:
    """The PEP and its warnings; Refused with every problem where one blocks."""
    result = check.check(data, stage, profile)
    if result.pep is None or not result.valid:
        count = sum(problem.severity == "blocks" for problem in result.problems)
        raise Refused(
            f"This PEP cannot be used yet: {count} thing{'s' * (count != 1)} to put right.",
            slug="pep-refused",
            problems=result.problems,
        )
    return result.pep, result.problems


def render(pep: Pep, form: Form, audience: Audience, to: To, workshop: Workshop) -> Document:
    """One copy of a form for one reader, as Word or as PDF/A-2a with PDF/UA-1."""
    name = naming.document(pep, form.name, audience, to)
    docx = workshop.template(form).fill(pep, told(pep, form, audience, workshop.profile))
    if to == "docx":
        return Document(name, docx)
    pdf = workshop.convert(docx, about=name)
    return Document(name, stamp.finish(pdf, title=title(pep, form)))


def archive(pep: Pep, form: Form, workshop: Workshop, there: bytes | None = None) -> Record:
    """The record of a signed-off PEP: filled, converted, stamped, with its data inside, sealed, and verified.

    `there` is the record as it was filed before, if it was: one that holds and embeds the same data stays as it is.
    """
    name = naming.record(pep)
    if there is not None and verify.embedded(there) == data_of(pep).data:
        facts = workshop.verify(there)
        if facts.holds:
            return _recorded(pep, form, name, there, facts, workshop)
    docx = workshop.template(form).fill(pep, told(pep, form, "authority", workshop.profile))
    pdf = workshop.convert(docx, about=name)
    stamped = stamp.finish(
        pdf, title=title(pep, form), stamp=mark(pep), embedded=data_of(pep), at=signed_off_at(pep)
    )
    sealed = workshop.seal(stamped)
    facts = workshop.verify(sealed)
    if not facts.holds:
        raise Broken(f"{name} was made but does not hold: {' '.join(verify.explain(facts))}", slug="record-fails")
    return _recorded(pep, form, name, sealed, facts, workshop)


def _recorded(pep: Pep, form: Form, name: str, pdf: bytes, facts: verify.Facts, workshop: Workshop) -> Record:
    return Record(Document(name, pdf), manifest.row(pep, name, pdf, facts, title(pep, form), workshop.profile))


def title(pep: Pep, form: Form) -> str:
    """The title that a reader's program shows; it names no child."""
    return f"{form.title}, {pep['pep']['term']} term {pep['pep']['academic_year']}"


def told(pep: Pep, form: Form, audience: Audience, profile: Profile) -> dict[str, Any]:
    """What a template may say of the document itself, as `document.…`."""
    return {
        "title": title(pep, form),
        "form": form.title,
        "authority": profile.authority,
        "virtual_school": profile.virtual_school,
        "marking": profile.protective_marking,
        "notice": _NOTICES[audience],
        "draft": not pep.get("sign_offs"),
    }


_NOTICES: dict[Audience, str] = {
    "authority": "Full copy for the child’s file. Do not send on: make a copy for the reader.",
    "school": "School’s copy",
    "carer": "Carer’s copy",
    "parent": "Parent’s copy",
    "child": "My copy",
}


def data_of(pep: Pep) -> stamp.Embedded:
    """The PEP as it is embedded in its record: as it was signed off, with the sign-offs, without what came after."""
    signed = {key: value for key, value in pep.items() if key not in ("quality", "distribution", "follow_up")}
    return stamp.Embedded("pep.json", digest.canonical(signed), "application/json", "The data of this PEP")


def mark(pep: Pep) -> stamp.Stamp:
    """The words of the visible stamp: no LCS number, UPN or child's name."""
    signed = f"{words.date(signed_off_at(pep).astimezone(words.LONDON).date().isoformat())}"
    return stamp.Stamp(
        f"Signed off by the Virtual School on {signed} as the record of the meeting of "
        f"{words.date(pep['meeting']['date'])}",
        (
            *(_signature(pep, sign_off) for sign_off in pep["sign_offs"]),
            f"PEP {pep['pep']['id']}, version {pep['pep']['version']} · digest {digest.pep_digest(pep)[:16]}",
        ),
    )


def _signature(pep: Pep, sign_off: dict[str, Any]) -> str:
    from pepforms import schema

    people = schema.load().root.fields["sign_offs"].items
    assert people is not None
    return f"{sign_off['name']}, {people.fields['role'].labels[sign_off['role']]}"


def signed_off_at(pep: Pep) -> datetime:
    """When the last of the required people signed off."""
    moments: Sequence[datetime] = [datetime.fromisoformat(sign_off["at"]) for sign_off in pep["sign_offs"]]
    return max(moments)
