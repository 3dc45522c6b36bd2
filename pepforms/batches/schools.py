"""The school's copies of a batch in one ZIP, a folder for each school, for whoever sends them.

A folder is named by the school's number, never by its name, which two schools may share. Each holds a list of the
initials and year groups of the children, so that the sender sees whose copies are about to go where. A copy whose
school is not certain, or that the newest weekly list speaks against, goes into no folder and is told.
"""

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pepforms import codes, files
from pepforms.archive.manifest import defused
from pepforms.batches.results import Copy, copies
from pepforms.errors import Refused
from pepforms.model import Pep
from pepforms.register.store import Register
from pepforms.register.tables import Item

LIST = "cover-list.csv"
_HEADS = ("initials", "year_group", "school", "file")
_NUMBERS = (("URN", r"\d{6}"), ("LAESTAB", r"\d{3}/?\d{4}"), ("UKPRN", r"\d{8}"))
"""The numbers that a folder may be named by, the first that a school has, and what they look like."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """One school's copy: its name and file, whose it is and where it goes, or why it goes nowhere."""

    file: str
    sha256: str
    folder: str | None
    why: str
    row: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """What went into a ZIP: how many copies for how many schools, and a sentence for each that went into none.

    `unmade` says how many were not made, by their state (`1 held, 2 waiting`); it is empty where all were.
    """

    copies: int
    schools: int
    left_out: tuple[str, ...]
    unmade: str


def pack(register: Register, batch_id: str, out: Path, today: dt.date) -> Packed:
    """Write the ZIP; Refused where the batch made no school's copy, or where a file of that name is there."""
    with register.reading() as session:
        found = (_placed(each, today) for each in _once(copies(session, batch_id, today, "school")))
        placed, unmade = list(found), _unmade(session, batch_id)
    if not placed:
        instead = f"There are: {unmade}." if unmade else "Ask for some with --audience school."
        raise Refused(f"Batch {batch_id} has no school’s copy that was made. {instead}", slug="nothing-to-send")
    by_folder: dict[str, list[_Placed]] = {}
    for copy in placed:
        if copy.folder:
            by_folder.setdefault(copy.folder, []).append(copy)
    files.folder(out.absolute().parent)
    with files.writing(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, inside in sorted(by_folder.items()):
            archive.writestr(f"{folder}/{LIST}", _list(inside))
            for copy in inside:
                archive.writestr(f"{folder}/{copy.file}", register.files.get(copy.sha256))
    left_out = tuple(f"{copy.file}: {copy.why}" for copy in placed if not copy.folder)
    return Packed(len(placed) - len(left_out), len(by_folder), left_out, unmade)


def _once(found: Iterable[Copy]) -> Iterator[Copy]:
    """Each copy once, where two items are of the same PEP for the same person."""
    seen = set[tuple[int, str | None]]()
    for copy in found:
        key = (copy.revision_id, copy.person)
        if key not in seen:
            seen.add(key)
            yield copy


def _unmade(session: Session, batch_id: str) -> str:
    """How many school's copies were not made, in words: `1 held, 2 waiting`."""
    theirs = (Item.batch_id == batch_id, Item.audience == "school", Item.state != "done")
    counted = select(Item.state, func.count()).where(*theirs).group_by(Item.state).order_by(Item.state)
    return ", ".join(f"{count} {state}" for state, count in session.execute(counted))


def _placed(copy: Copy, today: dt.date) -> _Placed:
    school, why = (None, copy.against) if copy.against else _school(copy.pep, today)
    folder = _number(school) if school else None
    if school and not folder:
        why = "its school has no URN, LAESTAB or UKPRN in the PEP. Put it in, or send this copy by hand."
    row = (_initials(copy.pep), _year_group(copy.pep), str((school or {}).get("name", "")), copy.file)
    return _Placed(copy.file, copy.sha256, folder, why, row)


def _school(pep: Pep, today: dt.date) -> tuple[Mapping[str, Any] | None, str]:
    """Where the child is on roll: the main setting, or the only one; else why nobody can say."""
    given = (pep.get("education") or {}).get("settings")
    settings = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    if not settings:
        return None, "the PEP names no school now."
    main = [each for each in settings if each.get("main") is True] or settings
    if len(main) > 1:
        return None, "the PEP names several schools and does not say which is the main one. Send it by hand."
    left = main[0].get("to")
    if isinstance(left, str) and dt.date.fromisoformat(left) < today:
        return None, f"the child left that school on {left}."
    return main[0], ""


def _number(school: Mapping[str, Any]) -> str | None:
    for name, form in _NUMBERS:
        value = school.get(name.lower())
        if isinstance(value, str) and re.fullmatch(form, value, re.ASCII):
            return f"{name}-{value.replace('/', '')}"
    return None


def _list(inside: list[_Placed]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    for copy in sorted(inside, key=lambda each: each.row):
        writer.writerow(map(defused, copy.row))
    return text.getvalue().encode("utf-8-sig")  # without the mark a spreadsheet takes the names for Latin-1


def _initials(pep: Pep) -> str:
    name = pep["child"].get("legal_name")
    parts = [name.get("given"), name.get("family")] if isinstance(name, dict) else []
    parts = [part for part in parts if isinstance(part, str)] or [pep["child"].get("preferred_name")]
    return "".join(part.strip()[:1].upper() for part in parts if isinstance(part, str))


def _year_group(pep: Pep) -> str:
    code = (pep.get("education") or {}).get("year_group")
    return (codes.label("year_group", code) or code) if isinstance(code, str) else ""
