"""The school's copies of a batch in one ZIP, a folder for each school, for whoever sends them.

A folder is named by the school's number, never by its name, which two schools may share. Each holds a list of the
initials and year groups of the children, so that the sender sees whose copies are about to go where. A copy whose
school is not certain goes into no folder and is told.
"""

import csv
import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pepforms import codes, files
from pepforms.archive.manifest import defused
from pepforms.batches.results import Result, results
from pepforms.errors import Refused
from pepforms.model import Pep
from pepforms.register.store import Register
from pepforms.register.tables import Item, Revision

LIST = "cover-list.csv"
_HEADS = ("initials", "year_group", "school", "file")
_NUMBERS = (("URN", r"\d{6}"), ("LAESTAB", r"\d{3}/?\d{4}"), ("UKPRN", r"\d{8}"))
"""The numbers that a folder may be named by, the first that a school has, and what they look like."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """One school's copy: its name and file, whose it is and where it goes, or why nobody can say."""

    file: str
    sha256: str
    folder: str | None
    why: str
    row: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """What went into a ZIP: how many copies for how many schools, and a sentence for each that went into none."""

    copies: int
    schools: int
    left_out: tuple[str, ...]


def pack(register: Register, batch_id: str, out: Path, today: dt.date) -> Packed:
    """Write the ZIP; Refused where the batch made no school's copy, or where a file of that name is there."""
    with register.reading() as session:
        found = [each for each in results(session, batch_id) if each.audience == "school" and each.sha256]
        copies = [_copy(each, _pep(session, batch_id, each.item), today) for each in found]
    if not copies:
        raise Refused(
            f"Batch {batch_id} has no school’s copy that was made. Ask for some with --audience school.",
            slug="nothing-to-send",
        )
    by_folder: dict[str, list[_Copy]] = {}
    for copy in copies:
        if copy.folder:
            by_folder.setdefault(copy.folder, []).append(copy)
    files.folder(out.absolute().parent)
    with files.writing(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, inside in sorted(by_folder.items()):
            archive.writestr(f"{folder}/{LIST}", _list(inside))
            for copy in inside:
                archive.writestr(f"{folder}/{copy.file}", register.files.get(copy.sha256))
    left_out = tuple(f"{copy.file}: {copy.why}" for copy in copies if not copy.folder)
    return Packed(len(copies) - len(left_out), len(by_folder), left_out)


def _copy(result: Result, pep: Pep, today: dt.date) -> _Copy:
    assert result.file is not None
    assert result.sha256 is not None
    school, why = _school(pep, today)
    folder = _number(school) if school else None
    if school and not folder:
        why = "its school has no URN, LAESTAB or UKPRN in the PEP. Put it in, or send this copy by hand."
    row = (_initials(pep), _year_group(pep), str((school or {}).get("name", "")), result.file)
    return _Copy(result.file, result.sha256, folder, why, row)


def _pep(session: Session, batch_id: str, ordinal: int) -> Pep:
    """The PEP that an item's copy was made of."""
    content = session.scalars(
        select(Revision.content)
        .join(Item, Item.revision_id == Revision.id)
        .where(Item.batch_id == batch_id, Item.ordinal == ordinal)
    ).one()
    pep: Pep = json.loads(content)
    return pep


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


def _list(copies: list[_Copy]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    for copy in sorted(copies, key=lambda each: each.row):
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
