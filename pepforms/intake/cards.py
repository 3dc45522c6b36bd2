"""A list of PEPs signed off elsewhere, as a spreadsheet saves it (CSV), read into *cards*: the little a record needs.

Every cell is held to what its column may hold; a row that does not pass becomes a fault that names row and column, and
what it says of its child still counts when other rows are compared with a PDF. No message repeats what a cell holds.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

from pepforms import sheets
from pepforms.days import LONDON
from pepforms.errors import Refused
from pepforms.sheets import BadCell

LARGEST = 10 << 20
"""Bytes: a list of twenty thousand PEPs is smaller."""

_LONGEST = 200  # characters in a cell
_OLDEST = 26  # years: care leavers have a PEP no longer than this
_TERMS = {"autumn": "autumn", "aut": "autumn", "spring": "spring", "spr": "spring", "summer": "summer", "sum": "summer"}


@dataclass(frozen=True, slots=True)
class Child:
    """Whose PEP a row says it is. Only `lcs_person_id` is always known; the more is known, the surer the comparison."""

    lcs_person_id: str
    name: str = ""
    date_of_birth: dt.date | None = None
    upn: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One PEP signed off elsewhere. `row` is its row in the spreadsheet, the header being row 1.

    `signed_off_at` has a time only where the list gives one. `confirmed_by` looked at the very PDF whose SHA-256
    begins with `confirmed_code`.
    """

    row: int
    file: str
    child: Child
    academic_year: str
    term: str
    meeting_date: dt.date
    signed_off_at: dt.date
    signed_off_by: str
    role: str
    source: str
    title: str = ""
    social_worker: str = ""
    team: str = ""
    pep_id: str = ""
    version: int = 1
    confirmed_by: str = ""
    confirmed_code: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used, and what to put right in it; `child` as far as the row says who it is."""

    row: int
    file: str
    child: Child
    message: str


@dataclass(frozen=True, slots=True)
class Cards:
    """All rows of a list: cards and faults, and the columns that mean nothing here."""

    cards: tuple[Card, ...]
    faults: tuple[Fault, ...]
    not_used: tuple[str, ...]

    @property
    def children(self) -> tuple[Child, ...]:
        """Every child of the list, those of faulty rows too."""
        rows: tuple[Card | Fault, ...] = (*self.cards, *self.faults)
        return tuple(dict.fromkeys(row.child for row in rows))


def read(data: bytes, name: str) -> Cards:
    """The rows of a CSV file: commas, semicolons or tabs between cells; UTF-8, UTF-16 or Windows-1252.

    Refused where it is no such list: a column is missing or stands twice, or nothing is in it.
    """
    header, rows = sheets.read(data, name, most=LARGEST, slug="bad-cards")
    _check_header(header, name)
    cards, faults = [], []
    for number, cells in rows:
        one = _row(number, header, cells)
        if isinstance(one, Card):
            cards.append(one)
        else:
            faults.append(one)
    if not cards and not faults:
        raise Refused(f"{name} has a header and no row. List each PDF in a row.", slug="no-cards")
    return Cards(tuple(cards), tuple(faults), tuple(column for column in header if column and column not in _COLUMNS))


# --- the table -------------------------------------------------------------------------------------------------------


def _check_header(header: Sequence[str], name: str) -> None:
    absent = [column for column, (needed, _) in _COLUMNS.items() if needed and column not in header]
    if absent:
        raise Refused(
            f"{name} has no column {', '.join(absent)}. Its first row must name the columns; see docs/epep.md.",
            slug="bad-cards",
        )
    twice = sorted({column for column in header if column and header.count(column) > 1} & set(_COLUMNS))
    if twice:
        raise Refused(f"{name} has the column {', '.join(twice)} twice. Take one of them out.", slug="bad-cards")


# --- one row ---------------------------------------------------------------------------------------------------------


def _row(number: int, header: Sequence[str], cells: Sequence[str]) -> Card | Fault:
    given = {column: cell.strip() for column, cell in zip(header, cells, strict=False) if column in _COLUMNS}
    values: dict[str, Any] = {}
    wrong = []
    for column, (needed, reading) in _COLUMNS.items():
        try:
            values[column] = _value(given.get(column, ""), reading, needed=needed)
        except BadCell as bad:
            wrong.append(f"row {number}, column {column}: {bad}")
    known = (values.get("lcs_person_id") or "", values.get("child_name") or "")
    child = Child(*known, values.get("date_of_birth"), values.get("upn") or "")
    if any(cell.strip() for cell in cells[len(header) :]):
        wrong.append(f"row {number} has more cells than the first row has columns: put texts with commas in quotes")
    if not wrong:
        wrong = [f"row {number}, column {column}: {what}" for column, what in _contradictions(values)]
    if wrong:
        return Fault(number, values.get("file") or "", child, "; ".join(wrong))
    return _card(number, child, values)


def _card(number: int, child: Child, values: Mapping[str, Any]) -> Card:
    confirmed_by, confirmed_code = values["child_confirmed_by"] or ("", "")
    same = ("file", "academic_year", "term", "meeting_date", "signed_off_at", "signed_off_by", "role", "source")
    return Card(
        row=number,
        child=child,
        **{column: values[column] for column in (*same, "title", "social_worker", "team", "pep_id")},
        version=values["version"] or 1,
        confirmed_by=confirmed_by,
        confirmed_code=confirmed_code,
    )


def _contradictions(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What two columns of a row say against each other."""
    found = []
    year, met, signed, born = (
        values[column] for column in ("academic_year", "meeting_date", "signed_off_at", "date_of_birth")
    )
    first = int(year[:4])
    if not dt.date(first, 9, 1) <= met <= dt.date(first + 1, 8, 31):
        found.append(("meeting_date", f"is not in the academic year {year}"))
    if _day(signed) < met:
        found.append(("signed_off_at", "is before the meeting"))
    if _day(signed) > met + dt.timedelta(366):
        found.append(("signed_off_at", "is more than a year after the meeting"))
    if born and not dt.timedelta(0) <= met - born <= dt.timedelta(_OLDEST * 366):
        found.append(("date_of_birth", f"makes the child younger than nought or older than {_OLDEST} at the meeting"))
    if values["version"] not in ("", 1) and not values["pep_id"]:
        found.append(("version", "needs the pep_id of the PEP that this is another version of"))
    words, named = set(_words(values["title"])), set(_words(values["child_name"]))
    if words & {word for word in named if len(word) > 2}:
        found.append(("title", "holds the child's name: a record's title is seen by whoever passes the screen"))
    return found


def _day(moment: dt.date) -> dt.date:
    return moment.astimezone(LONDON).date() if isinstance(moment, dt.datetime) else moment


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())


# --- one cell --------------------------------------------------------------------------------------------------------


def _value(cell: str, reading: Callable[[str], Any], *, needed: bool) -> Any:
    if not cell:
        if needed:
            raise BadCell("is empty")
        return None if reading in (sheets.day, _confirmation) else ""
    if len(cell) > _LONGEST:
        raise BadCell(f"is longer than {_LONGEST} characters")
    if cell[0] in "=+-@":
        raise BadCell(f"begins like a formula ({cell[0]}): write it as plain text")
    if not cell.isprintable():
        raise BadCell("holds a line break or another character that nobody sees: write it on one line")
    return reading(cell)


def _text(cell: str) -> str:
    return " ".join(cell.split())


def _identifier(cell: str) -> str:
    if not re.fullmatch("[A-Za-z0-9-]{1,40}", cell):
        raise BadCell("may hold letters, digits and hyphens, 40 at most")
    return cell


def _academic_year(cell: str) -> str:
    found = re.fullmatch(r"(20\d\d)\s?[/–-]\s?(?:20)?(\d\d)", cell)
    if not found or (int(found[1]) + 1) % 100 != int(found[2]):
        raise BadCell("must be two years that follow each other, as 2026/27")
    return f"{found[1]}/{found[2]}"


def _term(cell: str) -> str:
    term = _TERMS.get(cell.casefold().removesuffix(" term"))
    if term is None:
        raise BadCell("must be autumn, spring or summer")
    return term


def _file(cell: str) -> str:
    name = PureWindowsPath(cell).name  # which takes / and \ alike
    if not name.casefold().endswith(".pdf"):
        raise BadCell("must be the name of a PDF file, ending in .pdf")
    return name


def _upn(cell: str) -> str:
    upn = re.sub(r"[\s-]", "", cell).upper()
    if not re.fullmatch(r"[A-Z]\d{11}[0-9A-Z]", upn):
        raise BadCell("must be a UPN: a letter, eleven digits, and a digit or letter")
    return upn


def _name(cell: str) -> str:
    if not _words(cell):
        raise BadCell("must be a name")
    return _text(cell)


def _version(cell: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,3}", cell):
        raise BadCell("must be a number from 1")
    return int(cell)


def confirmation(said: str) -> tuple[str, str]:
    """Who looked at a PDF, and the code of what they looked at: what `child_confirmed_by` holds. Refused otherwise."""
    try:
        return _confirmation(said)
    except BadCell as bad:
        raise Refused(f"The confirmation {bad}.", slug="bad-confirmation") from None


def _confirmation(cell: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*\S)\s+([0-9a-fA-F]{8})", cell)
    if not found or not _words(found[1]):
        raise BadCell("must be the name of the person who looked at the PDF and the code that held.csv gives for it")
    return _text(found[1]), found[2].lower()


_COLUMNS: Mapping[str, tuple[bool, Callable[[str], Any]]] = {
    "file": (True, _file),
    "lcs_person_id": (True, _identifier),
    "academic_year": (True, _academic_year),
    "term": (True, _term),
    "meeting_date": (True, sheets.day),
    "signed_off_at": (True, sheets.moment),
    "signed_off_by": (True, _name),
    "role": (True, _text),
    "source": (True, _text),
    "title": (False, _text),
    "social_worker": (False, _text),
    "team": (False, _text),
    "child_name": (False, _name),
    "date_of_birth": (False, sheets.day),
    "upn": (False, _upn),
    "child_confirmed_by": (False, _confirmation),
    "pep_id": (False, _identifier),
    "version": (False, _version),
}
"""Each column: whether every row must fill it, and how its cells are read."""
