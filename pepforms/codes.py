"""The field's code lists, dated: legal status, placement, need, ethnicity, SEN, exclusions and our own few.

A list is a file of `schemas/codes/`; `from` and `to` are the first and last academic year in which a code is in force.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pepforms.errors import Broken
from pepforms.resources import folder


@dataclass(frozen=True, slots=True)
class Code:
    """One code: `first` and `last` are academic years (`"2024/25"`), None for always; `unsure` where the label is not
    confirmed at its source."""

    code: str
    label: str
    source: str
    first: str | None = None
    last: str | None = None
    unsure: bool = False

    def in_force(self, academic_year: str) -> bool:
        """Whether the code may be used in that academic year (`"2026/27"`)."""
        return not (self.first and academic_year < self.first) and not (self.last and academic_year > self.last)


@functools.cache
def known(name: str) -> Mapping[str, Code]:
    """The codes of a list, in its order; an unknown list is our own fault (`Broken`)."""
    path = folder("schemas") / "codes" / f"{name}.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["codes"]
    except (OSError, ValueError, KeyError) as error:
        raise Broken(f"The code list {name} cannot be read. Install pepforms again.", slug="broken-codes") from error
    return MappingProxyType({row["code"]: _code(row) for row in rows})


def label(name: str, code: str) -> str | None:
    """What a code says in words; None where the list does not have it."""
    found = known(name).get(code)
    return found.label if found else None


def _code(row: Mapping[str, str]) -> Code:
    return Code(
        row["code"], row["label"], row["source"], row.get("from"), row.get("to"), bool(row.get("unsure", False))
    )
