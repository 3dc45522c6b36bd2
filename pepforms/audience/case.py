"""One reader of one PEP, and what the rules ask about them."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pepforms import schema
from pepforms.letters import words_of
from pepforms.model import Audience, Json, Pep
from pepforms.schema import Field


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a copy is for: `person` is the one parent of a parent's copy; `confidential` can only tighten."""

    audience: Audience
    person: str | None = None
    confidential: bool = False


class Case:
    """One reader of one PEP, and what the rules ask about them."""

    def __init__(self, pep: Pep, reader: Reader) -> None:
        self.pep, self.reader = pep, reader
        self.audience, self.person = reader.audience, reader.person
        self.role_of = {each["id"]: each["role"] for each in pep.get("people", ()) if {"id", "role"} <= each.keys()}
        self.placement = under(pep, "care", "placement")
        told = self.placement.get("confidential")
        self.is_confidential = reader.confidential or told is True or (self.audience == "parent" and told is not False)
        self.hides_home = self.audience == "parent" and self.is_confidential

    @functools.cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """What is noted in `distribution` of the copy that is now made."""
        return [
            row
            for row in self.pep.get("distribution", ())
            if row.get("audience") == self.audience and row.get("person") == self.person
        ]

    @functools.cached_property
    def decisions(self) -> dict[str, Mapping[str, Any]]:
        """What was decided for this copy, by place; the last word counts."""
        return {made["pointer"]: made for row in self.rows for made in row.get("decisions", ())}

    @functools.cached_property
    def own_row(self) -> Mapping[str, Any]:
        """What the PEP says of the parent whom the copy is for."""
        return next((each for each in self.pep.get("people", ()) if each.get("id") == self.person), {})

    def made_at(self, place: str) -> tuple[Mapping[str, Any], ...]:
        """What holds at a place: the last word, and where that lets words stand, all that do so one by one."""
        last = self.decisions.get(place)
        if last is None or last["decision"] != "accept":
            return (last,) if last else ()
        made = (made for row in self.rows for made in row.get("decisions", ()))
        return tuple(each for each in made if each["pointer"] == place and each["decision"] == "accept")

    @property
    def own_name(self) -> str:
        """The name of the parent whom the copy is for."""
        return str(self.own_row.get("name", ""))

    @functools.cached_property
    def in_custody(self) -> bool:
        """Whether the child is taught in custody."""
        return under(self.pep, "pep").get("provision_state") == "custody"

    @functools.cached_property
    def restricted(self) -> tuple[str, ...]:
        """The titles of what stands in the PEP for the authority only: a remand, a placement for adoption."""
        return tuple(each.title for each in schema.load().root.walk() if is_authority_only(self.pep, each))

    def is_child(self, person: Json) -> bool:
        """Whether a reference is to the child."""
        return self.role_of.get(person) == "child"


def under(value: Any, *way: str) -> Mapping[str, Any]:
    """The object that lies below a value on a way of names; empty where there is none."""
    for step in way:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def holds(said: str, part: str) -> bool:
    """Whether a text has the words of another in it, whole and in their order, however they are spaced and accented."""
    words, wanted = words_of(said), words_of(part)
    if not wanted:  # a smile, a row of stars
        return bool(part.strip()) and part.strip() in said
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words) - len(wanted) + 1))


def is_authority_only(pep: Pep, each: Field) -> bool:
    """Whether the PEP holds here a value that is for the authority only: a remand, a placement for adoption."""
    if not each.authority_only:
        return False
    *way, last = each.pointer.split("/")[1:]
    return under(pep, *way).get(last) in each.authority_only
