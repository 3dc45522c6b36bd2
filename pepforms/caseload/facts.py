"""What a weekly list says of one child, and whether two schools are the same."""

import contextlib
import gc
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pepforms.model import Pep

Value = str | bool | None
"""A day is written as in JSON (`2026-11-10`); None where the list says that there is nothing."""

TITLES: Mapping[str, str] = {
    "legal_status": "Legal status",
    "looked_after_from": "Looked after since",
    "ceased_on": "Ceased to be looked after",
    "placement_type": "Kind of placement",
    "placement_start": "Placement began",
    "confidential": "Confidential placement",
    "school_urn": "School’s URN",
    "school_laestab": "School’s LAESTAB",
    "school_name": "School",
    "social_worker": "Social worker",
    "team": "Team",
    "restricted": "Restricted record",
}
"""The facts that a list may tell of a child beside the child's numbers, and what people call them."""


@contextlib.contextmanager
def in_bulk() -> Iterator[None]:
    """Let many rows be read without Python's search for garbage: there is none, and it takes half the time."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


@dataclass(frozen=True, slots=True)
class School:
    """A school by what is known of it; each may be empty."""

    urn: str = ""
    laestab: str = ""
    name: str = ""

    def same(self, other: "School") -> bool | None:
        """Whether both are one school: by a number where both have one, else by name; None where nobody can tell.

        A school that becomes an academy gets another URN and keeps its LAESTAB: one number that agrees will do.
        """
        pairs = ((self.urn, other.urn), (_digits(self.laestab), _digits(other.laestab)))
        compared = [one == two for one, two in pairs if one and two]
        if compared:
            return any(compared)
        one, two = (" ".join(re.findall(r"\w+", name.casefold())) for name in (self.name, other.name))
        return one == two if one and two else None

    def __bool__(self) -> bool:
        return bool(self.urn or self.laestab or self.name)

    def __str__(self) -> str:
        return self.name or (f"URN {self.urn}" if self.urn else f"LAESTAB {self.laestab}" if self.laestab else "none")


def _digits(laestab: str) -> str:
    return laestab.replace("/", "")


def schools_of(pep: Pep) -> list[School]:
    """The schools that a PEP names as the child's now, the main one first."""
    education = pep.get("education")
    settings = education.get("settings") if isinstance(education, dict) else None
    rows = [row for row in settings if isinstance(row, dict)] if isinstance(settings, list) else []
    rows.sort(key=lambda row: row.get("main") is not True)
    return [school for row in rows if (school := School(*(_text(row, key) for key in ("urn", "laestab", "name"))))]


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a list says of one child: `values` by the names of `TITLES`, only those that it tells at all.

    `former` are numbers that the child had before. `unclear` are facts that the list tells in two ways, or not
    readably: nothing is known of them, so nothing is done with this child that needs them.
    """

    lcs_person_id: str
    values: Mapping[str, Value]
    former: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The facts as the register keeps them."""
        return {"values": dict(self.values), "former": list(self.former), "unclear": list(self.unclear)}

    @classmethod
    def of_json(cls, lcs_person_id: str, fields: Mapping[str, Any]) -> "Facts":
        """The facts as they were kept."""
        return cls(lcs_person_id, fields["values"], tuple(fields["former"]), tuple(fields["unclear"]))

    def day(self, name: str) -> date | None:
        """A day; None where there is none, or the list does not tell."""
        value = self.values.get(name)
        return date.fromisoformat(value) if isinstance(value, str) else None

    def text(self, name: str) -> str:
        """A text or a code; empty where there is none, or the list does not tell."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def yes(self, name: str) -> bool:
        """Whether the list says yes."""
        return self.values.get(name) is True

    @property
    def school(self) -> School:
        """The child's school; one of which nothing is known where there is none."""
        return School(*(self.text(f"school_{key}") for key in ("urn", "laestab", "name")))

    @property
    def tells_school(self) -> bool:
        """Whether the list has anything to say of schools."""
        return any(name.startswith("school_") for name in self.values)
