"""Reading a weekly list: a row becomes the facts about a child; what cannot be read is told and stops nothing else.

No message repeats what a cell holds.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pepforms import codes, sheets
from pepforms.caseload.facts import TITLES, Facts, Value, in_bulk
from pepforms.caseload.mapping import CODED, FORMER, NUMBER, ListMapping
from pepforms.check.words import listing
from pepforms.errors import Refused
from pepforms.sheets import BadCell

LARGEST, MOST_ROWS = 64 << 20, 50_000
"""Bytes and rows: of ten times the largest authority's children, with every column that LCS has, in UTF-16."""
_LONGEST = 200  # characters in a cell
_A_NUMBER = re.compile("(?=.*[0-9])[A-Za-z0-9-]{1,40}")  # without a digit it is the word that begins a row of sums
_EARLIEST = dt.date(1990, 1, 1)
"""Nobody who is on a list was in care, or anywhere at all, before."""
_DAYS = ("looked_after_from", "ceased_on", "placement_start")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with rows of a list, by their numbers in the spreadsheet, and what comes of it."""

    rows: tuple[int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Weekly:
    """What a list says: the children, each once, in the order of the list, and what is wrong in it."""

    children: tuple[Facts, ...]
    faults: tuple[Fault, ...]


@in_bulk()
def read(data: bytes, name: str, mapping: ListMapping, *, as_of: dt.date | None = None) -> Weekly:
    """The children of a list; Refused where it is no CSV file, has no rows, or lacks a column of the mapping.

    `as_of` is the day that it is of: what began after it is unclear, for a mistyped year would free a child from every
    clock. Where nobody says, no day is too late.
    """
    header, rows = sheets.read(data, name, most=LARGEST, most_rows=MOST_ROWS, slug="bad-list")
    places = _places(header, name, mapping)
    if not rows:
        raise Refused(f"{name} has no rows below the names of its columns. Export the list again.", slug="bad-list")
    readers = [_column(fact, place, mapping) for fact, place in places if fact in TITLES]
    number = next(place for fact, place in places if fact == NUMBER)
    formers = [place for fact, place in places if fact == FORMER]
    found: dict[str, list[_Row]] = {}
    faults: list[Fault] = []
    for at, cells in rows:
        row = _row(at, cells, number, formers, readers)
        _judge_days(row, as_of)
        faults += _wrong(row, mapping)
        if row.facts.lcs_person_id:
            found.setdefault(row.facts.lcs_person_id, []).append(row)
    _join(found)
    children = [_one(rows_of_child, faults) for rows_of_child in found.values()]
    return Weekly(tuple(children), tuple(sorted(faults, key=lambda fault: fault.rows)))


# --- the columns -----------------------------------------------------------------------------------------------------


def _places(header: Sequence[str], name: str, mapping: ListMapping) -> list[tuple[str, int]]:
    """Where in a row each fact stands.

    What the file has is named only where its first row is a header at all: it may be the first child's.
    """
    wanted = [(fact, column) for fact, columns in mapping.columns.items() for column in columns]
    absent = [column for _, column in wanted if sheets.heading(column) not in header]
    if len(absent) == len(wanted):
        raise Refused(
            f"{name} has none of the columns that the mapping names. Its first row must name the columns; the mapping "
            f"names “{'”, “'.join(absent)}”. Export the list with its columns, or choose another mapping.",
            slug="wrong-columns",
        )
    if absent:
        there = "”, “".join(filter(None, header))
        raise Refused(
            f"{name} lacks the column{'s' * (len(absent) > 1)} “{'”, “'.join(absent)}”. It has “{there}”. Export the "
            "list with them, or say in the mapping what they are called.",
            slug="wrong-columns",
        )
    if twice := [column for _, column in wanted if header.count(sheets.heading(column)) > 1]:
        raise Refused(f"{name} has the column “{twice[0]}” twice. Take one of them out.", slug="wrong-columns")
    return [(fact, header.index(sheets.heading(column))) for fact, column in wanted]


class _Column(NamedTuple):
    """A column: which fact it tells, where, and how its cells are read."""

    fact: str
    place: int
    read: Callable[[str], Value]


def _column(fact: str, place: int, mapping: ListMapping) -> _Column:
    reading = _reader(fact, mapping)
    return _Column(fact, place, functools.cache(lambda cell: reading(_plain(cell))))  # the same cell is read once


def _reader(fact: str, mapping: ListMapping) -> Callable[[str], Value]:
    if fact in CODED:
        words = mapping.codes.get(fact, {})
        return lambda cell: _code(cell, CODED[fact], words)
    if fact in ("confidential", "restricted"):
        return lambda cell: _yes_or_no(cell, mapping)
    if fact in _DAYS:
        return lambda cell: _day(cell, mapping.formats)
    return _NUMBERS.get(fact, _text)


# --- one cell --------------------------------------------------------------------------------------------------------


def _plain(cell: str) -> str:
    text = " ".join(cell.split())
    if len(text) > _LONGEST:
        raise BadCell(f"is longer than {_LONGEST} characters")
    if not text.isprintable():
        raise BadCell("holds a character that nobody sees")
    return text


def _text(cell: str) -> Value:
    return cell or None


def _digits(cell: str, count: int, said: str) -> Value:
    if not cell:
        return None
    digits = cell.replace("/", "", 1)
    if not re.fullmatch(f"[0-9]{{{count}}}", digits):
        raise BadCell(said)
    return digits


_NUMBERS: Mapping[str, Callable[[str], Value]] = {
    "school_urn": lambda cell: _digits(cell, 6, "must be a URN, which has six digits"),
    "school_laestab": lambda cell: _digits(cell, 7, "must be a LAESTAB, which has seven digits, such as 999/4001"),
}


def _code(cell: str, name: str, words: Mapping[str, str]) -> Value:
    """A code, its label, or both as `C2 - Full care order`."""
    if not cell:
        return None
    code = words.get(cell.casefold())
    if code is None:
        found = codes.find(name, cell) or codes.find(name, re.split(r"[\s:–-]", cell, maxsplit=1)[0])
        code = found.code if found else None
    if code is None:
        raise BadCell(f"has no code of the list {name}: say in the mapping, under [codes.{name}], what it means")
    return code


def _yes_or_no(cell: str, mapping: ListMapping) -> Value:
    said = cell.casefold()
    if said in mapping.yes or said in mapping.no:
        return said in mapping.yes
    raise BadCell("says neither yes nor no in a word that the mapping knows (an empty cell is one to put there too)")


def _day(cell: str, formats: Iterable[str]) -> Value:
    if not cell:
        return None
    for each in formats:
        try:
            return dt.datetime.strptime(cell, each).date().isoformat()  # noqa: DTZ007  a day has no zone
        except ValueError:
            continue
    if formats:
        raise BadCell("is no day in any of the formats that the mapping gives")
    day = sheets.moment(cell)
    return (day.date() if isinstance(day, dt.datetime) else day).isoformat()


# --- one row ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    at: int
    facts: Facts
    wrong: list[tuple[str, str]]
    """Which fact cannot be read, and why."""


def _row(at: int, cells: Sequence[str], number: int, formers: Sequence[int], columns: Sequence[_Column]) -> _Row:
    wrong: list[tuple[str, str]] = []
    values: dict[str, Value] = {}
    width = len(cells)
    for column in columns:
        try:
            values[column.fact] = column.read(cells[column.place] if column.place < width else "")
        except BadCell as bad:
            wrong.append((column.fact, str(bad)))
    known, former = "", tuple[str, ...]()
    try:
        known = _number(cells[number] if number < width else "")
        if said := [cells[place] for place in formers if place < width and cells[place]]:
            former = _formers(said, known)
    except BadCell as bad:
        wrong.append((FORMER if known else NUMBER, str(bad)))
    unclear = tuple(fact for fact, _ in wrong if fact in TITLES)
    return _Row(at, Facts(known, values, former, unclear), wrong)


def _judge_days(row: _Row, as_of: dt.date | None) -> None:
    """Take out days that cannot be: nothing is known of them, and somebody is told."""
    start, wrong = row.facts.day("looked_after_from"), list[tuple[str, str]]()
    for fact in _DAYS:
        day = row.facts.day(fact)
        if day and day < _EARLIEST:
            wrong.append((fact, f"is before {_EARLIEST.year}, which cannot be: look at the year"))
        elif day and as_of and day > as_of and fact != "ceased_on":  # an end may be planned
            wrong.append((fact, "is after the day that the list is of: look at the year, and at --as-of"))
        elif day and start and fact == "ceased_on" and day < start:
            wrong.append((fact, "is before the day the child came into care"))
    if wrong:
        out = {fact for fact, _ in wrong}
        values = {fact: value for fact, value in row.facts.values.items() if fact not in out}
        unclear = tuple(fact for fact in TITLES if fact in out or fact in row.facts.unclear)
        row.facts = replace(row.facts, values=values, unclear=unclear)
        row.wrong += wrong


def _number(cell: str) -> str:
    number = cell.strip()
    if not _A_NUMBER.fullmatch(number):
        raise BadCell("must be an LCS number: letters, digits and hyphens, 40 at most, one of them a digit")
    return number


def _formers(cells: Iterable[str], known: str) -> tuple[str, ...]:
    """The numbers that a child had before: a cell may hold several."""
    parts = [part for cell in cells for part in re.split(r"[\s,;|]+", cell.strip()) if part]
    return tuple(dict.fromkeys(number for part in parts if (number := _number(part)) != known))


def _wrong(row: _Row, mapping: ListMapping) -> Iterable[Fault]:
    for fact, why in row.wrong:
        column = " / ".join(mapping.columns[fact])
        after = {
            NUMBER: "The row was left out",
            FORMER: "The child’s former numbers were left out",
        }.get(fact, "This child’s copies wait until it is put right")
        yield Fault((row.at,), f"row {row.at}, column {column}: {why}. {after}.")


# --- one child -------------------------------------------------------------------------------------------------------


def _join(found: dict[str, list[_Row]]) -> None:
    """Have the rows of a former number be those of the child who had it, unless each claims to have been the other."""
    for number, rows in list(found.items()):
        for former in [former for row in rows for former in row.facts.former if former in found]:
            theirs = [each for row in found[former] for each in row.facts.former]
            if number not in theirs and number in found and former != number:
                found[number] += found.pop(former)


def _one(rows: Sequence[_Row], faults: list[Fault]) -> Facts:
    """The facts about a child whom one row or several name; what they say differently is unclear."""
    first = rows[0].facts
    if len(rows) == 1:
        return first
    said: dict[str, list[Any]] = {}
    for row in rows:
        for fact, value in row.facts.values.items():
            said.setdefault(fact, []).append(value)
    unread = {fact for row in rows for fact in row.facts.unclear}
    differing = [fact for fact, values in said.items() if any(value != values[0] for value in values[1:])]
    if differing:
        at = tuple(row.at for row in rows)
        what = listing([f"“{TITLES[fact]}”" for fact in differing])
        faults.append(
            Fault(
                at,
                f"rows {listing([str(each) for each in at])} are the same child’s and differ in {what}. This child’s "
                "copies wait until the list says which is right.",
            )
        )
    unclear = tuple(fact for fact in TITLES if fact in unread or fact in differing)
    values = {fact: values[0] for fact, values in said.items() if fact not in unclear}
    former = dict.fromkeys(number for row in rows for number in (*row.facts.former, row.facts.lcs_person_id))
    return Facts(first.lcs_person_id, values, tuple(each for each in former if each != first.lcs_person_id), unclear)
