"""The recipe for PEPs that were written and signed off elsewhere: a PDF and its card in, a record out.

The child is compared first: nothing is stamped that is not certain, or confirmed by a person who looked at it. Values
go in and values come out; the faces read and write the files.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar

from pepforms import digest, naming, retention, schema
from pepforms.archive import foreign, manifest, metadata, pdfa, stamp, verify
from pepforms.days import LONDON
from pepforms.errors import Broken, Refused
from pepforms.intake import whose
from pepforms.intake.cards import Card, Cards, Child
from pepforms.model import Pep
from pepforms.pipeline import Document, Record, report_of
from pepforms.profile import Profile

R = TypeVar("R")

_TITLE = "Personal Education Plan"
_PAGES_READ, _PAGES_DRAWN = 100, 25  # in one go, so that a long file is slow and not refused: 25 scans draw in 5 s
_ONLY_OF_HIGHER_LEVELS = ("6.2.11.7.", "6.7.")  # clauses of ISO 19005-2: text as Unicode (2u), logical structure (2a)
_LEVELS: tuple[foreign.Level, ...] = ("2a", "2u", "2b")


class Workshop(Protocol):
    """What the recipe works with; `wiring` provides it."""

    @property
    def profile(self) -> Profile:
        """The authority's profile."""
        ...

    @property
    def judge(self) -> pdfa.Judge | None:
        """veraPDF, where it can judge."""
        ...

    def apart(self, function: Callable[..., R], *arguments: Any, about: str) -> R:
        """The function's answer, from a process that may be killed."""
        ...

    def seal(self, pdf: bytes, *, on_top: bool = False) -> bytes:
        """A PDF under the authority's seal."""
        ...

    def verify(self, pdf: bytes) -> verify.Facts:
        """The facts about a PDF."""
        ...


class Held(Refused):
    """A PDF that waits for a person. `code` is what the person quotes who confirms the child; empty: nobody may."""

    def __init__(self, message: str, *, slug: str, code: str = "") -> None:
        super().__init__(message, slug=slug)
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list with the PDFs that its file column finds; `fault` says why it cannot go further."""

    card: Card
    pdfs: tuple[str, ...]
    fault: str = ""


# --- rows and files --------------------------------------------------------------------------------------------------


def matched(cards: Sequence[Card], names: Mapping[str, str], sums: Mapping[str, str]) -> list[Entry]:
    """Each card with its PDF; `names` gives each path its file name, `sums` its SHA-256.

    Nothing that could be meant in two ways is filed: two files for a row, two rows for a file or for a PEP, one
    content under two names.
    """
    by_name: dict[str, list[str]] = {}
    for path, name in names.items():
        by_name.setdefault(same(name), []).append(path)
    rows = Counter(same(card.file) for card in cards)
    peps = Counter(_pep_of(card) for card in cards)
    content = Counter(sums.values())
    entries = []
    for card in cards:
        found = tuple(by_name.get(same(card.file), ()))
        fault = ""
        if not found:
            fault = "No PDF of that name was given. Send it, or correct the file column."
        elif len(found) > 1:
            fault = "Two PDFs have that name, in different folders. Give them different names."
        elif rows[same(card.file)] > 1:
            fault = "Another row names the same file. A PDF is one child's PEP: correct the file column of one row."
        elif peps[_pep_of(card)] > 1:
            fault = "Another row gives the same PEP (same child, term and meeting). Keep the row that is right."
        elif content[sums[found[0]]] > 1:
            fault = "Another PDF has exactly the same content. Keep the one that is right."
        entries.append(Entry(card, found, fault))
    return entries


def same(name: str) -> str:
    """A file name as it is compared: however its letters are composed, in capitals or not."""
    return unicodedata.normalize("NFC", name).casefold()


def _pep_of(card: Card) -> tuple[object, ...]:
    return card.child.lcs_person_id, card.academic_year, card.term, card.meeting_date, card.pep_id, card.version


# --- one PDF ---------------------------------------------------------------------------------------------------------


def archive(
    pdf: bytes, card: Card, rows: Cards, workshop: Workshop, there: Callable[[str], bytes | None]
) -> tuple[Record, str]:
    """The record of a PDF that was signed off elsewhere, and what somebody should know about it.

    Held or Refused, and why, where it cannot be one. `rows` is the whole list, against which the PDF is held too;
    `there` gives what was filed before under a name.
    """
    received = _Reading(pdf, workshop, f"Row {card.row}")
    holds = received.apart(foreign.contents)
    clean = _Reading(received.apart(foreign.cleaned), workshop, received.about)
    _check_child(clean, holds, card, rows, _code(pdf, card))
    head = _head(pdf, card)
    name, mark = naming.record(head), stamp_of(pdf, card, workshop.profile)
    before = there(name)
    if before is not None and _is_record_of(before, pdf, mark, holds, workshop):
        facts = workshop.verify(before)
        if facts.holds:
            return Record(Document(name, before), _row(head, card, name, before, facts, workshop.profile)), ""
    made = pdf if holds.signed else _stamped(received, clean, mark, card, holds)
    sealed = workshop.seal(made, on_top=bool(holds.signed))
    facts = workshop.verify(sealed)
    if not facts.holds:
        _explain(facts, signed=bool(holds.signed))
    note = "it is signed already, so it is sealed on top and not stamped" if holds.signed else ""
    row = _row(head, card, name, sealed, facts, workshop.profile)
    return Record(Document(name, sealed), row, report_of(name, facts)), note


@dataclass(frozen=True, slots=True)
class _Reading:
    """A PDF that may be hostile, read in a process apart."""

    pdf: bytes
    workshop: Workshop
    about: str

    def apart(self, function: Callable[..., R], *arguments: Any) -> R:
        answer: R = self.workshop.apart(foreign.tried, function, self.pdf, *arguments, about=self.about)
        return answer

    def said(self, pages: int) -> whose.Said:
        read = [
            page
            for start in range(0, pages, _PAGES_READ)
            for page in self.apart(foreign.text, start, start + _PAGES_READ)
        ]
        pictures = tuple(number for number, page in enumerate(read, 1) if page.picture)
        unseen = "\n".join([*(page.unseen for page in read), self.apart(foreign.notes)])
        return whose.Said(tuple(page.seen for page in read), pictures, unseen)


def _check_child(reading: _Reading, holds: foreign.Contents, card: Card, rows: Cards, code: str) -> None:
    """Held where it is not certain that the PDF is the child's, and nobody has confirmed it."""
    said = reading.said(holds.pages)
    # A text may be as hostile as the file it comes from.
    objection = reading.workshop.apart(whose.objection, card.child, rows.children, said, about=reading.about)
    if objection and not objection.doubt:
        raise Held(
            f"It may be another child's: {objection.why}. Look at the PDF; put the card right if the card is wrong.",
            slug="another-child",
        )
    doubts = [objection.why] if objection else []
    if _is_of_another_meeting(card, rows, whose.dates("\n".join(said.seen))):
        doubts.append("it gives the meeting of another row of this child, and not this row's")
    if holds.attachments:
        doubts.append("it carries attached files, which nobody has compared")
    if holds.hidden_layers:
        doubts.append("parts of it are hidden")
    if not doubts or (card.confirmed_by and card.confirmed_code == code):
        return
    stale = "The confirmation is of another PDF or another child. " if card.confirmed_by else ""
    raise Held(
        f"{stale}It is not certain whose PEP it is: {'; '.join(doubts)}. Look at the PDF; if it is this child's, write "
        f"your name and the code {code} into the column child_confirmed_by (with --pep: into --confirmed-by).",
        slug="child-not-certain",
        code=code,
    )


def _is_of_another_meeting(card: Card, rows: Cards, dates: frozenset[date]) -> bool:
    """Whether two of the child's PEPs may have been swapped."""
    same = (row for row in rows.cards if row.child.lcs_person_id == card.child.lcs_person_id)
    return card.meeting_date not in dates and any(row.meeting_date in dates for row in same)


def _code(pdf: bytes, card: Card) -> str:
    """What stands for this PDF being this child's, and for nothing else."""
    return digest.sha256(f"{digest.sha256(pdf)} {card.child.lcs_person_id}".encode())[:8]


def _stamped(received: _Reading, clean: _Reading, mark: stamp.Stamp, card: Card, holds: foreign.Contents) -> bytes:
    """The PDF stamped, at the highest standard that veraPDF grants, and looking as it did apart from the stamp."""
    place, language = clean.apart(foreign.room), clean.apart(foreign.language)

    def made(level: foreign.Level | None, *, pdfua: bool) -> bytes:
        told = metadata.About(
            title=card.title or title(card),
            subject=_subject(received.pdf, mark),
            language=language,
            at=card.signed_off_at if isinstance(card.signed_off_at, datetime) else None,
            pdfa_part=2 if level else None,
            conformance=level[1].upper() if level else "",
            pdfua=pdfua,
        )
        return clean.apart(foreign.finished, mark, place, told)

    accessible = holds.tagged and bool(language)
    final = _granted(made, received.workshop.judge, _LEVELS if accessible else _LEVELS[1:], pdfua=accessible)
    for start in range(0, holds.pages, _PAGES_DRAWN):
        stop = start + _PAGES_DRAWN
        differing = received.apart(foreign.changed, final, place, start, stop)
        if differing:
            raise Refused(
                f"Page {differing[0]} would not look the same as a record. Print it into a new PDF, and send that.",
                slug="would-change",
            )
    return final


def _granted(
    made: Callable[..., bytes], judge: pdfa.Judge | None, levels: Sequence[foreign.Level], *, pdfua: bool
) -> bytes:
    """The file with the claims that the judge grants it, and no other."""
    if judge is None:
        return made(None, pdfua=False)
    if pdfua and not judge.judge(made(levels[0], pdfua=True), "ua1").conforms:
        pdfua = False
    for level in levels:
        candidate = made(level, pdfua=pdfua)
        verdict = judge.judge(candidate, level)
        if verdict.conforms:
            return candidate
        if not all(clause.startswith(_ONLY_OF_HIGHER_LEVELS) for clause, _, _ in verdict.failures):
            break  # it would fail the lower levels too
    return made(None, pdfua=False)


def _explain(facts: verify.Facts, *, signed: bool) -> None:
    fallen = " ".join(verify.explain(facts))
    if signed:
        raise Refused(
            f"It is signed already, and under a seal on top it does not hold: {fallen} Send it as it was before it "
            "was signed.",
            slug="signed-and-faulty",
        )
    raise Broken(f"The record was made but does not hold: {fallen}", slug="record-fails")


def _is_record_of(before: bytes, pdf: bytes, mark: stamp.Stamp, holds: foreign.Contents, workshop: Workshop) -> bool:
    """Whether what was filed before is the record of this PDF, with this stamp."""
    if holds.signed:
        return before.startswith(pdf)
    try:
        return _Reading(before, workshop, "A record").apart(foreign.subject) == _subject(pdf, mark)
    except Refused:  # what lies there is no PDF
        return False


# --- words -----------------------------------------------------------------------------------------------------------


def title(card: Card) -> str:
    """The title that a reader's program shows; it names no child."""
    return f"{_TITLE}, {card.term} term {card.academic_year}"


def stamp_of(pdf: bytes, card: Card, profile: Profile) -> stamp.Stamp:
    """The words of the visible stamp: who signed it off where and when, who files it. Nothing about data."""
    signed = _day(card.signed_off_at)
    place = f" in {card.source}" if card.source else ""
    confirmed = (f"Child confirmed by {card.confirmed_by}",) if card.confirmed_by else ()
    term = f"{card.term} term {card.academic_year}"
    return stamp.Stamp(
        f"Signed off{place} by {card.signed_off_by}, {_role(card.role)}, on {_words(signed)}",
        (
            f"Record of the meeting of {_words(card.meeting_date)}, {term} · filed by {profile.virtual_school}",
            *confirmed,
            f"PEP {_id(pdf, card)}, version {card.version} · SHA-256 as received {digest.sha256(pdf)[:16]}",
        ),
    )


def card_of(pep: Pep, signed_off_at: datetime, profile: Profile, file: str) -> Card:
    """The card of a PDF whose PEP is at hand as data."""
    child, head = pep["child"], pep["pep"]
    roles = profile.binding(pep)
    signed = [one for one in pep["sign_offs"] if one["role"] in roles]
    legal = child.get("legal_name", {})
    worker: dict[str, Any] = next((one for one in pep["people"] if one["role"] == "social_worker"), {})
    return Card(
        row=1,
        file=file,
        child=Child(
            child["lcs_person_id"],
            name=_full_name(legal, child.get("preferred_name")),
            date_of_birth=_known_date(child.get("date_of_birth")),
            upn=child["upn"] if isinstance(child.get("upn"), str) else "",
        ),
        academic_year=head["academic_year"],
        term=head["term"],
        meeting_date=date.fromisoformat(pep["meeting"]["date"]),
        signed_off_at=signed_off_at,
        signed_off_by=" and ".join(one["name"] for one in signed),
        role=signed[0]["role"],
        source="",
        social_worker=worker.get("name", ""),
        team=worker.get("organisation", ""),
        pep_id=head["id"],
        version=head["version"],
    )


def _full_name(legal: object, preferred: object) -> str:
    if not isinstance(legal, dict):
        return ""
    known = [legal.get("family"), legal.get("given")]
    name = ", ".join(part for part in known if isinstance(part, str))
    return f"{name} ({preferred})" if name and isinstance(preferred, str) else name


def _known_date(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None


def _role(role: str) -> str:
    sign_off = schema.load().root.fields["sign_offs"].items
    assert sign_off is not None
    return sign_off.fields["role"].labels.get(role, role)


def _words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _day(moment: date) -> date:
    return moment.astimezone(LONDON).date() if isinstance(moment, datetime) else moment


def _id(pdf: bytes, card: Card) -> str:
    return card.pep_id or digest.sha256(pdf)[:12]


def _subject(pdf: bytes, mark: stamp.Stamp) -> str:
    """What the record says of itself: the words of its stamp, and which PDF it was made of, as it was received."""
    return re.sub(r"\s+", " ", f"{mark.heading}. {' · '.join(mark.lines)}. Received as {digest.sha256(pdf)}")


# --- the manifest ----------------------------------------------------------------------------------------------------


def _head(pdf: bytes, card: Card) -> Pep:
    """What the name of a record is made of."""
    return {
        "pep": {
            "id": _id(pdf, card),
            "version": card.version,
            "academic_year": card.academic_year,
            "term": card.term,
        },
        "child": {"lcs_person_id": card.child.lcs_person_id},
        "meeting": {"date": card.meeting_date.isoformat()},
    }


def _row(head: Pep, card: Card, name: str, pdf: bytes, facts: verify.Facts, profile: Profile) -> manifest.Row:
    signed, born = card.signed_off_at, card.child.date_of_birth
    at = signed.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(signed, datetime) else str(signed)
    claims = [claim for claim in (facts.pdfa.claims, facts.pdfua.claims) if claim]
    return manifest.Row(
        lcs_person_id=card.child.lcs_person_id,
        pep_id=head["pep"]["id"],
        version=str(card.version),
        document_type="PEP",
        audience="authority",
        title=card.title or title(card),
        meeting_date=card.meeting_date.isoformat(),
        signed_off_at=at,
        social_worker=card.social_worker,
        team=card.team,
        protective_marking=profile.protective_marking,
        retention_until=_kept_until(born, profile),
        source=card.source or "PDF",
        pdf_standard=", ".join(claims) or "not PDF/A",
        filename=name,
        bytes=str(len(pdf)),
        pages=str(facts.pages),
        sha256=facts.sha256,
    )


def _kept_until(born: date | None, profile: Profile) -> str:
    child = {"date_of_birth": born.isoformat()} if born else {}
    day = retention.kept_until({"child": child}, profile.retention_years)
    return day.isoformat() if day else ""


def filed_otherwise(row: manifest.Row, rows: Sequence[manifest.Row]) -> bool:
    """Whether the very PEP was filed before under another child's number, or for another meeting."""
    same = (other for other in rows if (other.pep_id, other.version) == (row.pep_id, row.version))
    return any(other.filename != row.filename for other in same)
