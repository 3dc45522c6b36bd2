"""The values that a template sees: the PEP laid over the shape of its schema, so that every name has an answer.

A placeholder is a fact, *absent* (prints why, false in `if`, empty in `for`, and so is all under it), *unknown*
("Not known: reason"), *withheld* from this copy's reader (prints nothing, is false and empty, and so is all under it),
or undefined: a name that the schema lacks, which is always an error. Nothing is copied: a value is looked up when the
template names it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pepforms import schema
from pepforms.model import WITHHELD, Json, Pep
from pepforms.schema import Field

MISSING: Any = object()
"""What `item` answers for a name that the schema lacks: the template is wrong, not the data."""


class Misuse(TypeError):
    """A value is asked for what it cannot give; the message tells the template's author, in words."""


class Absent:
    """A fact that the PEP does not hold, and all that would lie under it."""

    __slots__ = ("_pep", "field")

    def __init__(self, field: Field, pep: Pep) -> None:
        self.field, self._pep = field, pep

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def _in_no_order(self, _other: object) -> bool:
        """What is not there is neither more nor less than anything: `{% if care.sdq.score > 16 %}` is false."""
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _in_no_order

    def item(self, name: str | int) -> Any:
        """The absent fact of that name under this one; not asked for where this one is not."""
        below = self.field.items if isinstance(name, int) else self.field.fields.get(name)
        if below is None:
            return MISSING
        if below.withheld:
            return Withheld(below, self._pep)
        return Absent(below, self._pep) if self.field.asked(self._pep) else Explained(below, self._pep, self.words)

    @property
    def words(self) -> str:
        """Why there is nothing here: three sentences that must not be confused with each other or with a blank."""
        phases = self.field.asked_when.get("phase")
        if phases and self._pep["pep"].get("phase") not in phases:
            return "Not asked at this age"
        if not self.field.asked(self._pep):
            return "Does not apply"
        return "Not yet recorded" if self.field.needed else "Nothing to record"


class Explained(Absent):
    """A fact that is not there for a reason that was given: the reason, in a sentence."""

    __slots__ = ("_words",)

    def __init__(self, field: Field, pep: Pep, words: str) -> None:
        super().__init__(field, pep)
        self._words = words

    def item(self, name: str | int) -> Any:
        """The fact of that name under this one, absent for the same reason."""
        below = self.field.items if isinstance(name, int) else self.field.fields.get(name)
        if below is None:
            return MISSING
        return Withheld(below, self._pep) if below.withheld else type(self)(below, self._pep, self._words)

    @property
    def words(self) -> str:
        """The reason, in a sentence."""
        return self._words


class Unknown(Explained):
    """A fact that cannot be known: “Not known: no school place yet”."""

    __slots__ = ()


class Withheld(Absent):
    """A fact that this copy's reader may not see: it prints nothing, whether or not the PEP holds it."""

    __slots__ = ()

    def item(self, name: str | int) -> Any:
        """The fact of that name under this one, withheld too."""
        below = self.field.items if isinstance(name, int) else self.field.fields.get(name)
        return Withheld(below, self._pep) if below else MISSING

    @property
    def words(self) -> str:
        """Nothing: no sentence may betray that something was withheld."""
        return ""


class Told(str):
    """A text that is not shown as it is stored: a date, money, a code, a person's id. It compares as it is stored."""

    field: Field
    pep: Pep


@dataclass(frozen=True, slots=True)
class Node:
    """An object of the PEP; its facts are items, never attributes of Python."""

    value: Mapping[str, Json]
    field: Field
    pep: Pep

    def __bool__(self) -> bool:
        return True

    def item(self, name: str | int) -> Any:
        """The fact of that name, or `MISSING`."""
        field = self.field.fields.get(name) if isinstance(name, str) else None
        if field is None:
            return MISSING
        return seen(self.value.get(str(name), MISSING), field, self.pep)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of the PEP."""

    value: list[Json]
    field: Field
    pep: Pep

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        assert self.field.items is not None
        return (seen(value, self.field.items, self.pep) for value in self.value)

    def item(self, name: str | int) -> Any:
        """The entry at that place, counted from 0; absent beyond the last."""
        if not isinstance(name, int) or self.field.items is None:
            return MISSING
        return seen(self.value[name] if 0 <= name < len(self.value) else MISSING, self.field.items, self.pep)


def seen(value: Json, field: Field, pep: Pep) -> Any:
    """A value of the PEP as a template sees it."""
    if field.withheld or value is WITHHELD:
        return Withheld(field, pep)
    if value is MISSING:
        return Absent(field, pep)
    if isinstance(value, dict):
        if field.unknowable and "unknown" in value:
            return Unknown(field, pep, f"Not known: {_reason(field, value['unknown'])}")
        if "none" in value and field.type != "object":
            return Explained(field, pep, f"None: {value['none']}")
        return Node(value, field, pep)
    if isinstance(value, list):
        return Items(value, field, pep)
    if isinstance(value, str) and (field.format or field.codes or field.labels or field.person or field.stands_in):
        told = Told(value)
        told.field, told.pep = field, pep
        return told
    return value


def _reason(field: Field, reason: str) -> str:
    from pepforms import codes

    return codes.label("upn_unknown", reason) or reason if field.pointer == "/child/upn" else reason


def context(pep: Pep, root: Field, document: Mapping[str, Any]) -> dict[str, Any]:
    """Every name that a template may begin with: the sections of the PEP, and `document`."""
    names = {name: seen(pep.get(name, MISSING), field, pep) for name, field in root.fields.items()}
    told = {**document, "not_known": [*_not_known(pep, root)]}
    return {**names, "document": Node(told, schema.document(), pep)}


def _not_known(value: Json, field: Field | None, row: str = "") -> Iterator[dict[str, str]]:
    """What a value, or anything under it, says cannot be known: its title, after what its row is called, and why."""
    if field is None or field.withheld:
        return
    if isinstance(value, list) and field.items:
        for number, entry in enumerate(value, 1):
            yield from _not_known(entry, field.items, f"{_called(entry, field.items, number)}: ")
    elif isinstance(value, dict) and field.unknowable and "unknown" in value:
        yield {"what": f"{row}{field.title}", "why": _reason(field, value["unknown"])}
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _not_known(part, field.fields.get(name), row)


def _called(entry: Json, field: Field, number: int) -> str:
    """What a row is called: a school or a subject by its name, others by what they are and their number."""
    for name in ("name", "subject"):
        if isinstance(entry, dict) and isinstance(entry.get(name), str) and not field.fields[name].withheld:
            return str(entry[name])
    return f"{field.title} {number}"
