"""The field's code lists, dated: legal status, placement, need, ethnicity, SEN, exclusions and our own few.

A list is a file of `schemas/codes/`; `from` and `to` are the first and last academic year in which a code is in force.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pepforms.errors import Broken
from pepforms.resources import folder


@dataclass(frozen=True, slots=True)
class Code:
    """One code: `first` and `last` are academic years (`"2024/25"`), None for always.

    `aliases` are other words for it in forms and exports, `replaced_by` the codes that took the place of an ended one,
    `group` the kind that a list sorts its codes into; `unsure` where the label is not confirmed at its source.
    """

    code: str
    label: str
    source: str
    first: str | None = None
    last: str | None = None
    unsure: bool = False
    aliases: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    group: str | None = None

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


def find(name: str, words: str) -> Code | None:
    """The code that somebody means who writes the code itself, its label or one of its aliases; None where unclear."""
    sought = words.strip().casefold()
    return _by_words(name).get(sought)


@functools.cache
def _by_words(name: str) -> Mapping[str, Code]:
    found: dict[str, Code] = {}
    for each in known(name).values():
        for words in (each.label, *each.aliases):
            found.setdefault(words.casefold(), each)
    return MappingProxyType(found | {each.code.casefold(): each for each in known(name).values()})


def _code(row: Mapping[str, Any]) -> Code:
    return Code(
        row["code"],
        row["label"],
        row["source"],
        row.get("from"),
        row.get("to"),
        bool(row.get("unsure", False)),
        tuple(row.get("aliases", ())),
        tuple(row.get("replaced_by", ())),
        row.get("group"),
    )
