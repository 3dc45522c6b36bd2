"""What the law asks a PEP to say, and whether this one says it: Schedule 1 paragraph 2, fact by fact.

The schema's `x-law` says which fields serve which fact; one walk reads them all. It takes what is of the right shape
and passes over the rest, so that a PEP in which much is wrong has its report too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pepforms import schema
from pepforms.check.finding import Steps
from pepforms.model import Pep, pointer
from pepforms.profile import Profile
from pepforms.schema import Field

Found = Literal["held", "unknown", "missing"]
Status = Literal["held", "unknown", "missing", "modified"]

SOURCE = "Care Planning, Placement and Case Review (England) Regulations 2010, Schedule 1 paragraph 2"

FACTS = {
    "1a": "Schools and settings before (educational and training history, institutions attended)",
    "1b": "Attendance (attendance record)",
    "1c": "Behaviour, suspensions and exclusions (conduct record)",
    "1d": "Attainment and achievements (academic and other achievements)",
    "1e": "Special educational needs (special educational needs, if any)",
    "2a": "School or setting now (existing arrangements for education and training)",
    "2b": "SEN provision (any special educational provision)",
    "2c": "Targets, support, PP+ (any other provision for needs, and to promote achievement)",
    "3a": "Planned changes (planned changes to existing arrangements)",
    "3b": "How disruption is kept small (provision made to minimise disruption)",
    "4": "Interests (leisure interests)",
    "5": "Carer’s part in learning and leisure (role of the appropriate person)",
}
"""The twelve facts, in the Virtual School's words with the law's in brackets."""

_WHEN_OR_WHICH = {"date", "date-time", "time", "academic-year", "financial-year", "id", "money"}
"""A day, a reference or a sum says when, who or how much; without words or numbers beside it there is no fact."""


@dataclass(frozen=True, slots=True)
class Item:
    """One fact that the law asks for: what the PEP says of it, and where.

    `modified` names why the law asks this child for less or for something else; `pointers` lead to where the fact is
    held, or to the reason why it is unknown.
    """

    item: str
    title: str
    found: Found
    modified: str | None
    pointers: tuple[str, ...]

    @property
    def status(self) -> Status:
        """`modified` whatever was found: what is absent is not missing where the law does not ask for it so."""
        return "modified" if self.modified else self.found

    def as_json(self) -> dict[str, Any]:
        """The row of `validate --format json`."""
        return {"item": self.item, "status": self.status, "pointers": list(self.pointers)}


def coverage(pep: Pep, profile: Profile) -> tuple[Item, ...]:
    """All twelve facts in the law's order; never raises, whatever the object holds."""
    places: defaultdict[tuple[str, Found], list[Steps]] = defaultdict(list)
    for item, found, steps in _places(schema.load().root, pep, ()):
        places[item, found].append(steps)
    modified = _modified(pep, profile)
    return tuple(_item(item, places[item, "held"], places[item, "unknown"], modified) for item in FACTS)


def as_text(items: Iterable[Item]) -> str:
    """The twelve facts as a table for people."""
    rows = [f"  {item.item:<3} {_words(item):<{_WIDTH}} {item.title}" for item in items]
    return "\n".join([f"What the law asks for ({SOURCE})", *rows])


_WORDS: dict[Found, str] = {"held": "held", "unknown": "not known, and why", "missing": "missing"}
_WIDTH = len("modified for short breaks")


def _words(item: Item) -> str:
    return f"modified for {item.modified}" if item.modified else _WORDS[item.found]


def _item(item: str, held: list[Steps], unknown: list[Steps], modified: str | None) -> Item:
    found: Found = "held" if held else "unknown" if unknown else "missing"
    return Item(item, FACTS[item], found, modified, tuple(pointer(*steps) for steps in held or unknown))


def _modified(pep: Pep, profile: Profile) -> str | None:
    """Why the law's list is not asked of this child as it stands: on remand, or in care for short breaks alone."""
    care = pep.get("care")
    status = care.get("legal_status") if isinstance(care, dict) else None
    if not isinstance(status, str):
        return None
    if status in profile.status_modified:
        return "remand"
    return "short breaks" if status in profile.status_no_pep else None


def _places(field: Field, value: Any, steps: Steps) -> Iterator[tuple[str, Found, Steps]]:
    """Every place that holds one of the facts, or says why it is not known."""
    if _unknown(field, value):
        # The reason stands for everything under it: of carer's views not known, the carer's part is not known.
        yield from ((item, "unknown", steps) for item in dict.fromkeys(_items(field)))
        return
    if field.law:
        for found, where in _own(field, value, steps):
            yield from ((item, found, where) for item in field.law)
    if isinstance(value, str):
        yield from ((item, "held", steps) for item in field.law_none.get(value, ()))
    for part, below, where in _parts(field, value, steps):
        yield from _places(part, below, where)


def _own(field: Field, value: Any, steps: Steps) -> Iterator[tuple[Found, Steps]]:
    """Where a field says its fact: itself; or those of its parts that serve no other fact, where some do."""
    if not any(part.law for part in _below(field)):
        found = _says(field, value) if _is_group(field) else "held" if _filled(field, value) else None
        if found:
            yield found, steps
        return
    for part, below, where in _parts(field, value, steps):
        found = None if part.law else _says(part, below)
        if found:
            yield found, where


def _says(field: Field, value: Any) -> Found | None:
    """Whether a part says something of the fact it belongs to: words, a number or a code; or why not known."""
    if _unknown(field, value):
        return "unknown"
    if not _is_group(field):
        matters = field.format not in _WHEN_OR_WHICH and not field.labels and field.type != "boolean"
        return "held" if matters and _filled(field, value) else None
    said = [_says(part, below) for part, below, _ in _parts(field, value, ()) if not part.law]
    return "held" if "held" in said else "unknown" if "unknown" in said else None


def _parts(field: Field, value: Any, steps: Steps) -> Iterator[tuple[Field, Any, Steps]]:
    """The parts of a field that are there, where the value has the shape that the field asks for."""
    if isinstance(value, dict):
        for name, part in field.fields.items():
            if name in value:
                yield part, value[name], (*steps, name)
    elif isinstance(value, list) and field.items:
        for position, item in enumerate(value):
            yield field.items, item, (*steps, position)


def _filled(field: Field, value: Any) -> bool:
    if isinstance(value, str):
        return field.type == "string" and bool(value.strip())
    if isinstance(value, bool):
        return field.type == "boolean"
    return field.type in ("integer", "number") and isinstance(value, int | float)


def _unknown(field: Field, value: Any) -> bool:
    if not (field.unknowable and isinstance(value, dict) and value.keys() == {"unknown"}):
        return False
    reason = value["unknown"]
    return isinstance(reason, str) and bool(reason.strip())


def _is_group(field: Field) -> bool:
    return bool(field.fields) or field.items is not None


def _below(field: Field) -> Iterator[Field]:
    walked = field.walk()
    next(walked)
    return walked


def _items(field: Field) -> Iterator[str]:
    for part in field.walk():
        yield from part.law
