"""A list that LCS itself gives of what it holds, matched against our records: proof from there that they arrived.

No message repeats what a cell of the list holds.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Generic, Literal, Protocol, TypeVar

from pepforms import sheets
from pepforms.errors import Misconfigured, Refused
from pepforms.settings import Settings

LARGEST = 128 << 20
"""Bytes: a list of half a million documents is smaller."""

_UNREADABLE = "?"
"""What stands for the day of a meeting that cannot be read: no record has it."""

Outcome = Literal["matched", "not-matched", "ambiguous"]


class Filed(Protocol):
    """What must be known of a record to find it in a list; a row of the manifest knows it."""

    @property
    def filename(self) -> str:
        """Its name: `900005_PEP_….pdf`."""

    @property
    def sha256(self) -> str:
        """In lower-case hex."""

    @property
    def lcs_person_id(self) -> str:
        """The child's number."""

    @property
    def meeting_date(self) -> str:
        """As `2026-11-10`."""


R = TypeVar("R", bound=Filed)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of the list are called; empty where it has none."""

    file: str = ""
    sha256: str = ""
    lcs_person_id: str = ""
    meeting_date: str = ""
    confirmed_at: str = ""


def columns(settings: Settings) -> Columns:
    """The names of the columns as the settings have them."""
    return Columns(**{field.name: settings[f"confirmations.{field.name}"] for field in fields(Columns)})


@dataclass(frozen=True, slots=True)
class Row:
    """One document of the list, as far as its row tells; `fault` is what to put right in the row."""

    row: int
    file: str
    sha256: str
    lcs_person_id: str
    meeting_date: str
    confirmed_at: dt.date | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Match(Generic[R]):
    """What a row of the list confirms: one record; none, or it cannot be told of which, and `reason` says why.

    `records` are those that the row means, also where something else in it speaks against them.
    """

    row: Row
    outcome: Outcome
    records: tuple[R, ...]
    reason: str = ""


def read(data: bytes, name: str, columns: Columns) -> list[Row]:
    """The rows of the list.

    Refused where it is no CSV file or lacks a column, Misconfigured where the columns tell no document from another.
    """
    if not (columns.file or columns.sha256 or (columns.lcs_person_id and columns.meeting_date)):
        raise Misconfigured(
            "Say which column of the list holds the name of the file, its SHA-256, or the LCS number and the day of "
            "the meeting (the settings confirmations.file, .sha256, .lcs_person_id and .meeting_date).",
            slug="no-columns",
        )
    header, rows = sheets.read(data, name, most=LARGEST, slug="bad-list")
    places = _places(header, name, columns)
    return [_row(number, cells, places) for number, cells in rows]


def _places(header: Sequence[str], name: str, columns: Columns) -> dict[str, int]:
    """Where in a row each column is. What the list has for a header is not repeated: it may be its first child."""
    wanted = {field.name: getattr(columns, field.name) for field in fields(Columns) if getattr(columns, field.name)}
    times = {key: header.count(sheets.heading(column)) for key, column in wanted.items()}
    absent = [wanted[key] for key, count in times.items() if not count]
    if absent:
        raise Refused(
            f"{name} has no column “{'”, “'.join(absent)}”. Its first row must name the columns: export the list with "
            "them, or say what they are called in it.",
            slug="bad-list",
        )
    twice = [wanted[key] for key, count in times.items() if count > 1]
    if twice:
        raise Refused(f"{name} has the column “{'”, “'.join(twice)}” twice. Take one of them out.", slug="bad-list")
    return {key: header.index(sheets.heading(column)) for key, column in wanted.items()}


def _row(number: int, cells: Sequence[str], places: Mapping[str, int]) -> Row:
    given = {key: cells[place].strip() for key, place in places.items() if place < len(cells)}
    wrong, meeting, confirmed = [], "", None
    try:
        meeting = sheets.day(given["meeting_date"]).isoformat() if given.get("meeting_date") else ""
    except sheets.BadCell as bad:
        meeting = _UNREADABLE
        wrong.append(f"the day of the meeting {bad}")
    try:
        confirmed = sheets.moment(given["confirmed_at"]) if given.get("confirmed_at") else None
    except sheets.BadCell as bad:
        wrong.append(f"the time of confirmation {bad}")
    return Row(
        row=number,
        file=_name(given.get("file", "")),
        sha256=given.get("sha256", "").casefold(),
        lcs_person_id=_number(given.get("lcs_person_id", "")),
        meeting_date=meeting,
        confirmed_at=confirmed,
        fault="; ".join(wrong),
    )


def match(rows: Iterable[Row], records: Iterable[R]) -> Iterator[Match[R]]:
    """What each row confirms, in order.

    The SHA-256 decides where the row has one, else the name of the file, else LCS number and meeting. Whatever else the
    row tells must agree: a file of ours on another child's record is confirmed by nothing.
    """
    known = _Known(records)
    return (known.match(row) for row in rows)


class _Known(Generic[R]):
    """The records by each of the things that a row may tell of one."""

    def __init__(self, records: Iterable[R]) -> None:
        self._by_sha256: dict[str, list[R]] = defaultdict(list)
        self._by_name: dict[str, list[R]] = defaultdict(list)
        self._by_meeting: dict[tuple[str, str], list[R]] = defaultdict(list)
        self._by_child: dict[str, list[R]] = defaultdict(list)
        for record in records:
            self._by_sha256[record.sha256].append(record)
            self._by_name[_name(record.filename)].append(record)
            child = _number(record.lcs_person_id)
            self._by_meeting[child, record.meeting_date].append(record)
            self._by_child[child].append(record)

    def match(self, row: Row) -> Match[R]:
        """What the row confirms."""
        found, told = self._found(row)
        if row.fault and (meant := found or self._perhaps(row)):
            return _none(row, f"{row.fault}.", meant)
        if not found:
            return _none(row, told, self._by_name.get(row.file, []))
        same_child = [each for each in found if row.lcs_person_id in ("", _number(each.lcs_person_id))]
        if not same_child:
            return _none(row, "LCS has this file under another child's number. Find out whose it is, at once.", found)
        agreeing = [each for each in same_child if row.meeting_date in ("", each.meeting_date)]
        if not agreeing:
            return _none(row, "The file is known, but its meeting was on another day.", found)
        if len(agreeing) == 1:
            return Match(row, "matched", (agreeing[0],))
        return Match(row, "ambiguous", tuple(agreeing), f"{len(agreeing)} records agree with this row.")

    def _found(self, row: Row) -> tuple[list[R], str]:
        """The records that the row may mean; where there is none, why."""
        if row.sha256:
            return self._by_sha256.get(row.sha256, []), self._unlike(row)
        if row.file:
            return self._by_name.get(row.file, []), "No record has a file of that name."
        if row.lcs_person_id and row.meeting_date:
            return self._by_meeting.get((row.lcs_person_id, row.meeting_date), []), "No record of that child and day."
        return [], "The row names neither a file nor a child and a meeting."

    def _perhaps(self, row: Row) -> list[R]:
        """The records that a row may mean of which something cannot be read."""
        if row.sha256 or row.file:
            return self._by_name.get(row.file, [])
        return self._by_child.get(row.lcs_person_id, []) if row.meeting_date == _UNREADABLE else []

    def _unlike(self, row: Row) -> str:
        if row.file in self._by_name:
            return "A record's file has that name, but another SHA-256: it was changed, or is of another version."
        return "No record has that SHA-256."


def _none(row: Row, reason: str, meant: Sequence[R] = ()) -> Match[R]:
    return Match(row, "not-matched", tuple(meant), reason)


def _number(lcs_person_id: str) -> str:
    """A child's number for comparing: spreadsheets drop the noughts that it begins with. Noughts alone are a number."""
    return lcs_person_id.casefold().lstrip("0") or lcs_person_id[:1]


def _name(path: str) -> str:
    """A file's name for comparing: without the folder, the ending and capitals."""
    return path.replace("\\", "/").rpartition("/")[2].casefold().removesuffix(".pdf")
