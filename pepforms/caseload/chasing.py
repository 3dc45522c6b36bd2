"""What is due, set for people: a table by owner or by section, a sheet, and an e-mail to each who has something to do.

A child is named by initials and a number: to colleagues that of LCS, to people outside the authority, who are not to
know it, the reference of the PEP. No e-mail tells one carer of another's child: two are the same person only where the
same school or agency, or the same address, says so.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pepforms import files, naming, schema
from pepforms.caseload import tables
from pepforms.caseload.due import Due, Person, title
from pepforms.check.words import day
from pepforms.profile import Profile

By = Literal["section", "owner"]
COLUMNS = (
    "state", "due", "since", "kind", "what", "section", "owner", "called", "person", "deputy", "lcs_person_id",
    "initials", "pep", "version", "modified",
)  # fmt: skip
_COLLEAGUES = frozenset((
    "social_worker", "team_manager", "virtual_school_officer", "virtual_school_head", "independent_reviewing_officer",
    "personal_adviser", "sen_caseworker",
))  # fmt: skip


def text(rows: Sequence[Due], by: By) -> str:
    """The rows as a person reads them, under the section or the owner whose they are; a child never by name."""
    if not rows:
        return "Nothing is due"
    parts = []
    for heading, group in _grouped(rows, by):
        cells = [(each.when, *_about(each, by), each.what + _notes(each)) for each in group]
        parts.append(f"{heading} ({_counted(group)})\n{_indented(cells)}")
    return "\n\n".join(parts)


def cells(row: Due) -> list[str]:
    """A row of the sheet, under `COLUMNS`."""
    told = {**row.as_json(), "pep": row.pep[0] if row.pep else None, "version": row.pep[1] if row.pep else None}
    said = {True: "yes", False: "no", None: ""}
    return [said[value] if isinstance(value := told[key], bool | None) else str(value) for key in COLUMNS]


def _grouped(rows: Iterable[Due], by: By) -> Iterator[tuple[str, list[Due]]]:
    def heading(row: Due) -> str:
        return title(row.section) if by == "section" else _role(row.owner)

    ordered = sorted(rows, key=heading)  # stable: what presses most stays first
    yield from ((name, list(group)) for name, group in itertools.groupby(ordered, key=heading))


def _role(role: str) -> str:
    field = schema.load().at(["people", 0, "role"])
    return field.labels.get(role, role) if field else role


def _counted(rows: Sequence[Due]) -> str:
    late = sum(row.state == "late" for row in rows)
    return f"{late} late, {len(rows) - late} to come or open" if late else f"{len(rows)} to come or open"


def _about(row: Due, by: By) -> tuple[str, str]:
    who = row.person.name if row.person else "nobody named"
    return f"{row.lcs_person_id or (row.pep[0] if row.pep else '')} {row.initials}".rstrip(), (
        f"{row.called}: {who}" if by == "section" else who
    )


def _notes(row: Due) -> str:
    deputy = f"; the {_role(row.deputy).lower()} steps in" if row.deputy else ""
    return f"{deputy}{'; care planning is modified (remand)' if row.modified else ''}"


def _indented(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"  {line}" for line in tables.text(("",) * len(rows[0]), rows).splitlines()[1:])


# --- e-mails ---------------------------------------------------------------------------------------------------------


def write(out: Path, rows: Sequence[Due], profile: Profile, *, on: dt.date, force: bool) -> list[Path]:
    """An e-mail as text for each person who has something to do, named by initials and a mark."""
    files.folder(out)
    paths = []
    for name, letter in sorted(letters(rows, profile, on).items()):
        paths.append(out / name)
        files.write(paths[-1], letter.encode(), force=force)
    return paths


def letters(rows: Sequence[Due], profile: Profile, on: dt.date) -> dict[str, str]:
    """The e-mails by the names of their files: one a person, and one to the Virtual School where nobody is named.

    That one also has what deputies step in for. What waits for somebody else first is nobody's to do yet.
    """
    theirs: dict[str, list[Due]] = {}
    for row in (row for row in rows if row.state != "waits"):
        if row.person:
            theirs.setdefault(_file(row, row.person), []).append(row)
        if row.deputy or not row.person:
            theirs.setdefault(f"{naming.NOBODY}.txt", []).append(replace(row, person=None))
    return {name: _letter(found, profile, on) for name, found in theirs.items()}


def _file(row: Due, person: Person) -> str:
    known = person.organisation or (None if row.owner in _COLLEAGUES else person.email or row.initials + _number(row))
    return f"{naming.folder('social-worker', social_worker=person.name, team=known or '')}.txt"


def _letter(rows: Sequence[Due], profile: Profile, on: dt.date) -> str:
    person = rows[0].person
    late, others = ([row for row in rows if (row.state == "late") is is_late] for is_late in (True, False))
    lines = [
        _to(rows),
        f"Subject: Personal Education Plans: {len(late)} late, {len(others)} to do",
        "",
        f"Dear {person.name if person else 'colleague'},",
        "",
        f"This waits for you on {day(on)}." if person else "Nobody is named for this, or a deputy is to step in.",
        "",
    ]
    for heading, group in (("Late", late), ("To do", others)):
        if group:
            lines += [heading, *map(_item, group), ""]
    lines += ["If any of it is done already, or is somebody else’s to do, please tell us.", "", profile.virtual_school]
    return "\n".join(lines) + "\n"


def _to(rows: Sequence[Due]) -> str:
    if rows[0].person is None:
        return "To: the Virtual School"
    addresses = {row.person.email for row in rows if row.person and row.person.email}
    if len(addresses) == 1:
        return f"To: {addresses.pop()}"
    return "To: (choose the right address: the PEPs give several)" if addresses else "To: (no address in the PEPs)"


def _item(row: Due) -> str:
    whose = "" if row.person else f"{row.called}: "
    when = row.when.removeprefix("late: ")
    notes = _notes(row) if _is_ours(row) else ""  # a remand is nobody's business outside the authority
    return f"- {whose}{', '.join(filter(None, (row.initials, _number(row))))}: {row.what}{notes} ({when})"


def _is_ours(row: Due) -> bool:
    return row.owner in _COLLEAGUES or row.person is None


def _number(row: Due) -> str:
    """The child's number as the reader may know it."""
    if row.lcs_person_id and _is_ours(row):
        return f"LCS number {row.lcs_person_id}"
    return f"PEP {row.pep[0]}" if row.pep else "a PEP still to be begun"
