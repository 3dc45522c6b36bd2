"""The recipe: PEP data in, documents and records out. Values go in, values come out; the faces write the files."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pepforms import check, days, digest, first_told, leaks, loss, naming, schema
from pepforms.archive import manifest, stamp, verify
from pepforms.audience import Copy, cut
from pepforms.audience.case import Reader, under
from pepforms.audience.for_whom import owners, theirs
from pepforms.check import sections
from pepforms.errors import Broken, Refused
from pepforms.fill import Template, words
from pepforms.forms import Form
from pepforms.model import Audience, Fact, Pep, Problem, Stage
from pepforms.profile import Profile

To = Literal["pdf", "docx"]


class Workshop(Protocol):
    """What the recipe works with; `wiring` provides it."""

    @property
    def profile(self) -> Profile:
        """The authority's profile."""
        ...

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

    def record_of(self, pdf: bytes) -> str | None:
        """The digest of the PEP that a PDF is the record of, if it is one."""
        ...

    def pictures(self, pdf: bytes, page: int | None, *, about: str) -> dict[int, bytes]:
        """The pages of a PDF as PNG pictures by their numbers, in order: all, or one."""
        ...

    @property
    def carries_data(self) -> bool:
        """Whether records carry their PEP (PDF/A-3a), rather than have it lie beside them (PDF/A-2a)."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was made: its name holds no personal data. `left_out` is for the authority: what its reader lacks."""

    name: str
    data: bytes
    left_out: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed PDF, its row in the manifest, and what lies beside it: the judge's report, and data not carried."""

    document: Document
    row: manifest.Row
    beside: tuple[Document, ...] = ()


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


def render(
    pep: Pep,
    form: Form,
    audience: Audience,
    to: To,
    workshop: Workshop,
    *,
    person: str | None = None,
    confidential: bool = False,
    more: Mapping[str, Any] | None = None,
) -> Document:
    """One copy of a form for one reader, as Word or as PDF/A-2a with PDF/UA-1, with nothing they may not see.

    `person` is whom a form for one person, or a parent's copy, is for; `confidential` says that the placement is known
    to be so today; `more` is what the document says of itself besides: the copies of a pack, the ledger of a year.
    """
    form.asked_of(pep)
    copy = copy_for(pep, form, Reader(audience, person, confidential))
    name = naming.document(pep, form.file_name, audience, to, person=person if form.person else None)
    facts = told(pep, form, audience, workshop.profile, person=person, seen=copy.pep) | {**(more or {})}
    if copy.picture_waits and workshop.template(form).names("pictures"):
        raise copy.picture_waits
    docx = workshop.template(form).fill(copy.pep, facts, copy.fields)
    if audience == "child":
        first_told.look(copy, docx)
    search, left_out = leaks.search(copy, " ".join(words_in(facts))), (*copy.left_out, *copy.of_others)
    if to == "docx":
        search.through(docx)
        return Document(name, docx, left_out)
    converted, template = workshop.convert(docx, about=name), workshop.template(form).version
    pdf = stamp.finish(converted, title=title(pep, form, workshop.profile), template=template)
    loss.check(docx, pdf, about=name, facts=lambda: words.facts(copy.pep, copy.fields))
    search.through(docx, pdf)
    return Document(name, pdf, left_out)


def readers(pep: Pep, form: Form, audience: Audience, person: str | None) -> tuple[str | None, ...]:
    """Whom the copies of a form are for: the one that is named; else, of a form for one person, each whom it asks."""
    return (person,) if person or not form.person else owners(pep, audience)


def copy_for(pep: Pep, form: Form, reader: Reader) -> Copy:
    """A PEP as the reader may see it; of a form for one person, with what is theirs."""
    if not form.person:
        return cut(pep, reader)
    if reader.person is None:
        raise Refused(f"The form {form.name} is made for one person: say for whom.", slug="for-whom")
    whole = cut(pep, reader if reader.audience == "parent" else dataclasses.replace(reader, person=None))
    return theirs(whole, reader.audience, reader.person)


def words_in(facts: Mapping[str, Any]) -> Iterator[str]:
    """All that a document says of itself in words."""
    for name, value in facts.items():
        if isinstance(value, list):
            yield from (words for row in value for words in words_in(row if isinstance(row, dict) else {"": row}))
        elif isinstance(value, str) and name != "reader":
            yield value


def pack(
    peps: Sequence[Pep],
    form: Form,
    gathered: Form,
    audience: Audience,
    workshop: Workshop,
    *,
    confidential: bool = False,
) -> list[Document]:
    """A covering sheet, and under it a copy of another form of every PEP of one child, the newest first, as PDFs.

    Of several versions of a PEP the last is taken; Refused (slug `which-is-it`) where two differ and are one version.
    """
    form.may_gather(gathered)
    gathered.offered(audience)
    newest = _newest(peps)
    rows = [in_pack(pep, gathered, workshop.profile) for pep in newest]
    with one_of_several(newest[0]):
        cover = render(newest[0], form, audience, "pdf", workshop, more={"copies": rows}, confidential=confidential)
    copies = []
    for pep in newest:
        with one_of_several(pep):
            copies.append(render(pep, gathered, audience, "pdf", workshop, confidential=confidential))
    alike = Counter(copy.name for copy in copies)  # of two PEPs in one term the first copy would else be written over
    return [
        cover,
        *(
            dataclasses.replace(copy, name=naming.of_pep(copy.name, pep)) if alike[copy.name] > 1 else copy
            for copy, pep in zip(copies, newest, strict=True)
        ),
    ]


@contextmanager
def one_of_several(pep: Pep) -> Iterator[None]:
    """What is refused of a PEP is told with its id and term, for a reader who gave several at once."""
    try:
        yield
    except Refused as refused:
        head = pep["pep"]
        raise Refused(
            f"PEP {head['id']}, {head['term']} term {head['academic_year']}: {refused}",
            slug=refused.slug,
            problems=refused.problems,
        ) from refused


def _newest(peps: Sequence[Pep]) -> list[Pep]:
    """The last version of each PEP, that of the last meeting first."""
    last: dict[str, Pep] = {}
    for pep in sorted(peps, key=lambda one: int(one["pep"]["version"])):
        head = pep["pep"]
        known = last.get(head["id"], pep)
        if known["pep"]["version"] == head["version"] and known != pep:
            raise Refused(
                f"Two files of the PEP {head['id']}, version {head['version']}, differ. See which of the two is right, "
                "and leave the other out.",
                slug="which-is-it",
            )
        last[head["id"]] = pep
    return sorted(last.values(), key=_age, reverse=True)


def in_pack(pep: Pep, gathered: Form, profile: Profile) -> dict[str, Any]:
    """What the covering sheet of a pack tells of the copy of one PEP."""
    held = pep.get("meeting", {}).get("date")
    row = {"title": title(pep, gathered, profile), "signed_off": bool(pep.get("sign_offs"))}
    return row | ({"meeting": held} if isinstance(held, str) else {})


def child(pep: Pep) -> str:
    """By what the PEPs of one child are known as such: the LCS number, else the PEP's own id."""
    known = pep["child"].get("lcs_person_id")
    return known if isinstance(known, str) else str(pep["pep"]["id"])


def _age(pep: Pep) -> tuple[str, int, str]:
    head, held = pep["pep"], pep.get("meeting", {}).get("date")
    return head["academic_year"], days.TERMS.index(head["term"]), str(held)


def preview(document: Document, workshop: Workshop, page: int | None = None) -> tuple[Document, ...]:
    """The pages of a PDF that was made as pictures, to look at: all, or one; Refused where there is no such page."""
    pictures = workshop.pictures(document.data, page, about=document.name)
    return tuple(Document(naming.page(document.name, number), picture) for number, picture in pictures.items())


def archive(pep: Pep, form: Form, workshop: Workshop) -> Record:
    """The record of a signed-off PEP: filled, converted, stamped, with its data inside, sealed, and verified."""
    form.offered("authority")
    name, signed = naming.record(pep), signed_off_at(pep, workshop.profile)
    docx = workshop.template(form).fill(
        pep, told(pep, form, "authority", workshop.profile, record=True, carries_data=workshop.carries_data)
    )
    pdf = workshop.convert(docx, about=name)
    stamped = stamp.finish(
        pdf,
        title=title(pep, form, workshop.profile),
        subject=f"PEP {pep['pep']['id']}, version {pep['pep']['version']}, digest {digest.pep_digest(pep)}",
        stamp=mark(pep, workshop.profile),
        embedded=data_of(pep) if workshop.carries_data else None,
        at=signed,
        template=workshop.template(form).version,
    )
    loss.check(docx, stamped, about=name, facts=lambda: words.facts(pep, schema.load().root))
    sealed = workshop.seal(stamped)
    facts = workshop.verify(sealed)
    if not facts.holds:
        raise Broken(f"{name} was made but does not hold: {' '.join(verify.explain(facts))}", slug="record-fails")
    return _recorded(pep, form, sealed, facts, workshop)


def still_stands(filed: bytes, pep: Pep, form: Form, workshop: Workshop) -> Record | None:
    """The record as it was filed, if it holds and is of this very PEP; None if it must be made."""
    if workshop.record_of(filed) != digest.pep_digest(pep):
        return None
    facts = workshop.verify(filed)
    return _recorded(pep, form, filed, facts, workshop) if facts.holds else None


def _recorded(pep: Pep, form: Form, pdf: bytes, facts: verify.Facts, workshop: Workshop) -> Record:
    """A record with its row and what is kept beside it: the judge's report, and the data where it carries none."""
    name = naming.record(pep)
    data = () if facts.data.embedded else (Document(naming.data(name), data_of(pep).data),)
    row = _row(pep, form, pdf, facts, workshop)
    return Record(Document(name, pdf), row, (*report_of(name, facts), *data))


def _row(pep: Pep, form: Form, pdf: bytes, facts: verify.Facts, workshop: Workshop) -> manifest.Row:
    signed, name = signed_off_at(pep, workshop.profile), naming.record(pep)
    return manifest.row(
        pep, name, pdf, facts, title=title(pep, form, workshop.profile), signed_off_at=signed, profile=workshop.profile
    )


def report_of(name: str, facts: verify.Facts) -> tuple[Document, ...]:
    """The judge's report on a record, where there was a judge."""
    if not facts.validated_by:
        return ()
    report = json.dumps({"filename": name, **facts.report()}, indent=2) + "\n"
    return (Document(naming.report(name), report.encode()),)


def title(pep: Pep, form: Form, profile: Profile) -> str:
    """The title that a reader's program shows, in the authority's name for the form; it names no child."""
    return f"{called(form, profile)}, {pep['pep']['term']} term {pep['pep']['academic_year']}"


def called(form: Form, profile: Profile) -> str:
    """What the authority calls a form."""
    return profile.documents.get(form.name, form.title)


def told(
    pep: Pep,
    form: Form,
    audience: Audience,
    profile: Profile,
    *,
    record: bool = False,
    carries_data: bool = False,
    person: str | None = None,
    seen: Pep | None = None,
) -> dict[str, Any]:
    """What a template may say of the document itself, as `document.…`; `person` is the one whom it is for.

    A child's copy is for the child. `record` says that it will be stamped.

    `seen` is the PEP as its reader may see it: what is said of it besides its title rests on that alone.
    """
    letterhead = profile.letterhead
    facts = {
        "title": title(pep, form, profile),
        "form": called(form, profile),
        "authority": profile.authority,
        "virtual_school": profile.virtual_school,
        "child_term": profile.child_term,
        "child_term_plural": profile.child_term_plural,
        "marking": profile.protective_marking,
        "notice": (form.notice or _NOTICES[audience]).replace("{person}", _named(pep, person)),
        "draft": not pep.get("sign_offs"),
        "record": record,
        "carries_data": carries_data,
        "contact": " · ".join(letterhead.contact) or None,
        "logo": letterhead.logo,
        "agenda": [*profile.agenda],
        "preparation": [*_preparation(seen or pep, profile, next_one=bool(pep.get("sign_offs")))],
        "no_school_days": _no_school_days(seen or pep, profile),
        "reader": _child_of(pep) if audience == "child" else person,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _no_school_days(pep: Pep, profile: Profile) -> str | None:
    """How many school days a child has had no school place by the day of the meeting; None where nobody can say."""
    since, held = days.said(pep, "education", "no_school", "since"), days.said(pep, "meeting", "date")
    count = days.school_days(since, held, profile) if since and held else None
    return f"{count} school day{'s' * (count != 1)}" if count else None


def _child_of(pep: Pep) -> str | None:
    return next((one["id"] for one in pep.get("people", ()) if one["role"] == "child"), None)


def _preparation(pep: Pep, profile: Profile, *, next_one: bool) -> Iterator[dict[str, Any]]:
    """What is to be ready before the meeting of a PEP, or before the next one."""
    if next_one:
        pep = pep | {"meeting": {"date": under(pep, "meeting").get("next_date")}}
    for each in sections.preparation(pep, profile):
        ready = {"ready_by": each.ready_by.isoformat()} if each.ready_by else {}
        yield {"who": each.who, "parts": [*each.parts]} | ready


def _named(pep: Pep, person: str | None) -> str:
    known = (one["name"] for one in pep.get("people", ()) if one["id"] == person)
    return next(known, "the one it was made for")


_NOTICES: dict[Audience, str] = {
    "authority": "Full copy for the child’s file. Do not send on: make a copy for the reader.",
    "school": "School’s copy. For the school’s own file on this pupil: do not send on.",
    "carer": "Carer’s copy. For those who care for this child: do not send on.",
    "parent": "Parent’s copy for {person}: do not send on.",
    "child": "My copy. It is yours: you choose who reads it.",
}
"""What each reader's copy says of itself on every page."""


def data_of(pep: Pep) -> stamp.Embedded:
    """The PEP as it is embedded in its record: as it was signed off, with the sign-offs, without what came after."""
    signed = {key: value for key, value in pep.items() if key not in ("quality", "distribution", "follow_up")}
    return stamp.Embedded("pep.json", digest.canonical(signed), "application/json", "The data of this PEP")


def mark(pep: Pep, profile: Profile) -> stamp.Stamp:
    """The words of the visible stamp: no LCS number, UPN or child's name."""
    signed = signed_off_at(pep, profile).astimezone(days.LONDON).date().isoformat()
    return stamp.Stamp(
        f"Signed off by the Virtual School on {words.date(signed)} as the record of the meeting of "
        f"{words.date(pep['meeting']['date'])}",
        (
            *(f"{name}, {role}" for name, role in _signatures(pep, profile)),
            f"PEP {pep['pep']['id']}, version {pep['pep']['version']} · digest {digest.pep_digest(pep)[:16]}",
        ),
    )


def signed_off_at(pep: Pep, profile: Profile) -> datetime:
    """When the last of those who must sign off did so; reading and acknowledging comes later and counts for nothing."""
    return max(datetime.fromisoformat(sign_off["at"]) for sign_off in _binding(pep, profile))


def _binding(pep: Pep, profile: Profile) -> list[dict[str, Any]]:
    """The sign-offs that make the record one: of the required roles and of those who may sign for them."""
    roles = profile.binding(pep)
    return [sign_off for sign_off in pep["sign_offs"] if sign_off["role"] in roles]


def _signatures(pep: Pep, profile: Profile) -> Iterator[tuple[str, str]]:
    sign_off = schema.load().root.fields["sign_offs"].items
    assert sign_off is not None
    for binding in _binding(pep, profile):
        yield binding["name"], sign_off.fields["role"].labels[binding["role"]]
