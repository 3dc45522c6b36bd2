"""Who sees what: the PEP as one reader may see it, cut before anything is written, and what was left out of it.

The schema says field by field who may see it (`x-audience`); what it does not grant, nobody but the authority sees.
What a reader may see in part, of one field but not of another, is a rule of its own here. Where a fact is withheld, the
tree of fields that goes with the copy says so, and the page has neither the fact nor a word about it.

The source of every rule is the matrix *Who sees what* of the Virtual School; a rule quotes its row in italics.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pepforms import schema
from pepforms.audience.case import Case, Reader, under
from pepforms.audience.decisions import decided, refuse_misplaced, words_in
from pepforms.audience.fields import PLAIN_NEEDS, PLAIN_STATUS, is_childs_own, withheld
from pepforms.audience.people import called, hidden_of
from pepforms.audience.release import MAY_DECIDE, refuse_unnamed, refuse_unreleased, wait
from pepforms.audience.rows import HIDDEN_IN_ROWS, ROWS
from pepforms.errors import Refused
from pepforms.model import WITHHELD, Fact, Json, Pep, pointer
from pepforms.schema import Field


@dataclass(frozen=True, slots=True)
class Copy:
    """A PEP as one reader may see it.

    `fields` is the tree of fields to fill a template by; `left_out` is what was taken out, for the authority alone, and
    `shown` what was not. `accepted` are the words that a named person lets stand, by place; `hides_home` is whether
    where the child lives and learns is kept from this reader; `picture_waits` refuses a document that prints a picture
    of the child's, until somebody has looked at it. `of_others` is what a document for one person leaves out although
    its reader may see it: what the plan asks of others.
    """

    pep: Pep
    fields: Field
    left_out: tuple[Fact, ...] = ()
    shown: tuple[Fact, ...] = ()
    accepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hides_home: bool = False
    picture_waits: Refused | None = None
    of_others: tuple[Fact, ...] = ()


def cut(pep: Pep, reader: Reader) -> Copy:
    """The copy of a PEP for one reader; the authority's is the PEP itself, its placement confidential if known to be.

    Refused (slug `for-whom`, `not-released` or `decision-not-possible`) where no such copy may be made.
    """
    root, case = schema.load().root, Case(pep, reader)
    refuse_unnamed(case)
    if reader.audience == "authority":
        return Copy(_confidential(pep) if reader.confidential else pep, root)
    refuse_unreleased(case)
    refuse_misplaced(case)
    cutting = _Cutting(case, set(withheld(case)))
    seen = cutting.value(pep, root, ())
    people = seen.get("people", WITHHELD)
    if cutting.roles:
        by_role = [{"id": reference, "name": words} for reference, words in cutting.roles.items()]
        seen["people"] = by_role if people is WITHHELD else [*people, *by_role]
    return Copy(
        seen,
        schema.without(frozenset(cutting.withheld), schema.unasked(pep)),
        tuple(cutting.left_out),
        tuple(cutting.shown),
        cutting.accepted,
        case.hides_home,
        _picture_waits(case, cutting.shown),
    )


def _picture_waits(case: Case, shown: Iterable[Fact]) -> Refused | None:
    if not (case.is_confidential and any(fact.field.startswith("/views/child/pictures/") for fact in shown)):
        return None
    try:
        wait(case, "a picture cannot be searched for what it gives away", MAY_DECIDE)
    except Refused as waits:
        return waits
    return None


def _confidential(pep: Pep) -> Pep:
    """A PEP that says of its placement what is known today."""
    placement = {**under(pep, "care", "placement"), "confidential": True}
    return {**pep, "care": {**under(pep, "care"), "placement": placement}}


@dataclass(slots=True)
class _Cutting:
    """The walk over a PEP that keeps what may be seen. `roles` are people named by what they are, by reference."""

    case: Case
    withheld: set[str]
    left_out: list[Fact] = field(default_factory=list)
    shown: list[Fact] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    accepted: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def value(self, value: Json, each: Field, at: tuple[str | int, ...]) -> Any:
        """What the reader sees of a value, or `WITHHELD`."""
        hidden = each.pointer in self.withheld
        made = {} if hidden else decided(self.case, value, each, pointer(*at))
        if hidden or made.get("decision") == "leave_out":
            self._leave_out(value, each, at)
            return WITHHELD
        if isinstance(value, dict) and each.fields:
            parts = ((name, part, each.fields[name]) for name, part in value.items() if name in each.fields)
            return {name: self.value(part, below, (*at, name)) for name, part, below in parts}
        if isinstance(value, list) and each.items:
            return self._rows(value, each, at)
        return self._leaf(value, each, at, made)

    def _leaf(self, value: Json, each: Field, at: tuple[str | int, ...], made: Mapping[str, Any]) -> Any:
        place = pointer(*at)
        if made.get("decision") == "accept":
            self.accepted[place] = tuple(one["about"] for one in self.case.made_at(place))
        elif self.case.audience == "child" and is_childs_own(each):
            self.accepted[place] = tuple(words_in(value))
        if each.person and isinstance(value, str):
            value = self._reference(value)
        elif made.get("decision") == "reword":
            self._leave_out(value, each, at)
            value = dict.fromkeys(value, made["words"]) if isinstance(value, dict) else made["words"]
        elif isinstance(value, str):
            value = self._in_words(value, each, at)
        self.shown.append(_fact(value, each, place))
        return value

    def _in_words(self, value: str, each: Field, at: tuple[str | int, ...]) -> str:
        """A value in the words that this reader is given instead."""
        words = value
        if each.pointer == "/care/legal_status":
            words = PLAIN_STATUS[value]
        elif self.case.audience == "child" and each.codes in ("sen_status", "sen_need"):
            words = (PLAIN_NEEDS.get(each.pointer) or PLAIN_NEEDS["*"]).get(value, "Something else")
        elif self.case.audience == "child" and each.pointer == "/people/*/name" and self._is_childs_row(at):
            words = under(self.case.pep, "child").get("preferred_name", "You")  # *K preferred name only*
            if words != value:
                self._leave_out(value, each, at)
        return words

    def _is_childs_row(self, at: tuple[str | int, ...]) -> bool:
        return bool(self.case.pep["people"][at[1]].get("role") == "child")

    def _rows(self, rows: list[Json], each: Field, at: tuple[str | int, ...]) -> Any:
        assert each.items is not None
        kept = []
        for number, row in enumerate(rows):
            seen = self._row(row, each, (*at, number))
            if seen is not WITHHELD and not (each.pointer == "/meeting/attendees" and seen in kept):
                kept.append(seen)  # two of one school, named by what they are, are one
        if not kept and (rows or each.pointer in ROWS):
            self.withheld.add(each.pointer)
            return WITHHELD
        return kept

    def _row(self, row: Json, each: Field, at: tuple[str | int, ...]) -> Any:
        """An entry of a list, or `WITHHELD` where this reader may not see the whole of it."""
        assert each.items is not None
        keeps = ROWS.get(each.pointer)
        hidden = HIDDEN_IN_ROWS[each.pointer](self.case, row) if each.pointer in HIDDEN_IN_ROWS else frozenset()
        if hidden is None or (keeps and not keeps(self.case, row if isinstance(row, dict) else {})):
            self._leave_out(row, each.items, at)
            return WITHHELD
        if not hidden:
            return self.value(row, each.items, at)
        for name in hidden & row.keys():
            self._leave_out(row[name], each.items.fields[name], (*at, name))
        seen = self.value({name: value for name, value in row.items() if name not in hidden}, each.items, at)
        return seen if seen is WITHHELD else seen | dict.fromkeys(hidden, WITHHELD)

    def _reference(self, value: str) -> str:
        """A person's reference, or that of what they are to the child where the reader sees no more than that."""
        role = self.case.role_of.get(value)
        if role is None or self.case.is_child(value) or value == self.case.person:
            return value
        row = next(row for row in self.case.pep["people"] if row.get("id") == value)
        if not self.case.hides_home and hidden_of(self.case, row) is not None:
            return value
        words = called(self.case, row)
        reference = f"as {words}"  # no reference in a PEP has a space in it
        self.roles[reference] = words
        return reference

    def _leave_out(self, value: Json, each: Field, at: tuple[str | int, ...]) -> None:
        self.left_out += _leaves(value, each, at)


def _leaves(value: Json, each: Field, at: tuple[str | int, ...]) -> Iterable[Fact]:
    """Every fact under a value."""
    if isinstance(value, dict) and each.fields:
        for name, part in value.items():
            if name in each.fields:
                yield from _leaves(part, each.fields[name], (*at, name))
    elif isinstance(value, list) and each.items:
        for number, part in enumerate(value):
            yield from _leaves(part, each.items, (*at, number))
    else:
        yield _fact(value, each, pointer(*at))


def _fact(value: Json, each: Field, place: str) -> Fact:
    section = schema.load().root.fields[each.pointer.split("/")[1]]
    return Fact(place, each.pointer, section.title if section is each else f"{section.title}: {each.title}", value)
