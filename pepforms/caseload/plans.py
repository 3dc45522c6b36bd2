"""The PEPs of the register, child by child: which of a child's several is the newest, and what it says."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pepforms import days
from pepforms.caseload.changes import Caseload
from pepforms.model import Pep
from pepforms.register import peps
from pepforms.register.tables import Version


@dataclass(frozen=True)
class Plan:
    """A version of a PEP as its newest revision has it."""

    row: Version
    pep: Pep

    @property
    def named(self) -> str:
        """The version as messages name it."""
        return peps.subject(self.row)

    @cached_property
    def met(self) -> dt.date | None:
        """The day of the meeting."""
        return self.row.meeting_date

    @cached_property
    def initials(self) -> str:
        """The child's: all that a sheet or a message shows of the name."""
        child = self.pep.get("child")
        name = child.get("legal_name") if isinstance(child, dict) else None
        parts = [name.get(key) for key in ("given", "family")] if isinstance(name, dict) else []
        return "".join(f"{part.strip()[0].upper()}." for part in parts if isinstance(part, str) and part.strip())


def versions(session: Session) -> dict[str, list[Version]]:
    """The versions of each PEP, the newest last, by its reference."""
    found: dict[str, list[Version]] = {}
    for row in session.scalars(select(Version).order_by(Version.pep_id, Version.version)):
        found.setdefault(row.pep_id, []).append(row)
    return found


def read(session: Session, row: Version) -> Plan:
    """A version as it stands."""
    newest = peps.revision(session, row)
    assert newest is not None
    return Plan(row, peps.read(newest))


def number(row: Version, caseload: Caseload) -> str | None:
    """The LCS number that the child of a PEP has now; None where the PEP gives none yet."""
    return caseload.number(row.lcs_person_id) if row.lcs_person_id else None


def newest_of_each_child(session: Session, caseload: Caseload) -> dict[str, Plan]:
    """The newest PEP of each child, by the child's number: of the last term, of the last meeting in it."""
    newest: dict[str, Version] = {}
    for of_pep in versions(session).values():
        row = of_pep[-1]
        child = number(row, caseload)
        if child and (child not in newest or age(row) > age(newest[child])):
            newest[child] = row
    return {child: read(session, row) for child, row in newest.items()}


def age(row: Version) -> tuple[str, int, dt.date, dt.datetime]:
    """What puts the PEPs of a child in order."""
    return row.academic_year, days.TERMS.index(row.term), row.meeting_date or dt.date.min, row.added_at


def people(pep: Pep, role: str) -> Iterator[dict[str, Any]]:
    """Those in a PEP who have a role, and then those who stand in for one who has it."""
    rows = pep.get("people")
    named = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    has_it = [row for row in named if row.get("role") == role]
    covered = {role, *(str(row.get("id")) for row in has_it)}
    yield from has_it
    yield from (row for row in named if row.get("covers") in covered and row not in has_it)
