"""The PEP's schema: JSON Schema files read once, its fields with what we say about each, and the referee.

Every field is defined once, in `schemas/`. The annotations that the product reads (`x-…`) become a tree of `Field`;
the referee is jsonschema's Draft 2020-12 validator over a registry of the files alone, so that nothing is ever
fetched. What a parent says of section, owner and audience holds for its children until one of them says otherwise.
"""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urldefrag, urljoin

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012, SchemaRegistry

from pepforms.errors import Broken
from pepforms.model import Pep
from pepforms.resources import folder

ROOT = "pep.schema.json"
_DOCUMENT = "document.json"


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of the PEP and what is said about it; `schemas/` is the source of every word.

    `pointer` has `*` for the items of a list (`/targets/*/owner`) and is empty for the PEP itself. `type` is the real
    one: a field that may also be `{"unknown": reason}` is `unknowable`. `audience` holds everybody who may see the
    field or something in it. `own_rows` are audiences that see only the rows of the person the copy is for;
    `authority_only` values are shown to nobody else (a remand, a placement for adoption). `law_none` gives, by value,
    the facts of the law that this value says there are none of. `stands_in` is a text that may be a role or an id.
    `needed` is `blocks` or `warns` when the field is asked and missing at sign-off, `explainable` when a named person
    may explain that. `example` is an invented value, where no sample has one and its kind gives none. `withheld` and
    `unasked` are true only in the tree of fields of one reader's copy (`without`).
    """

    pointer: str
    title: str
    description: str
    type: str
    fields: Mapping[str, "Field"]
    items: "Field | None"
    format: str | None
    codes: str | None
    labels: Mapping[str, str]
    person: bool
    stands_in: bool
    unknowable: bool
    required: bool
    section: str | None
    owner: str | None
    audience: frozenset[str]
    own_rows: frozenset[str]
    authority_only: frozenset[str]
    law: tuple[str, ...]
    law_none: Mapping[str, tuple[str, ...]]
    needed: str | None
    explainable: bool
    placement: bool
    asked_when: Mapping[str, frozenset[str]]
    example: str | None
    withheld: bool = False
    unasked: bool = False

    def asked(self, pep: Pep) -> bool:
        """Whether the field is asked of this child: by phase, where the child learns, age, SEN; yes where not given."""
        return not self.unasked and all(
            (circumstance := _circumstance(pep, key)) is None or circumstance in allowed
            for key, allowed in self.asked_when.items()
        )

    def walk(self) -> Iterator["Field"]:
        """The field and all under it, in the order of the form."""
        yield self
        for field in self.fields.values():
            yield from field.walk()
        if self.items:
            yield from self.items.walk()


@dataclass(frozen=True, slots=True)
class Schema:
    """The PEP's schema: `root` is its tree of fields, `validator` the referee, with formats checked."""

    root: Field
    validator: Draft202012Validator

    def at(self, steps: Sequence[str | int]) -> Field | None:
        """The field at a path of keys and list positions; None where the schema knows none."""
        field: Field | None = self.root
        for step in steps:
            if field is None:
                return None
            field = field.items if isinstance(step, int) else field.fields.get(step)
        return field


@functools.lru_cache(maxsize=256)
def without(withheld: frozenset[str], unasked: frozenset[str] = frozenset()) -> Field:
    """The tree of fields as a reader's copy has it: those at the given pointers, and all under them, withheld.

    `unasked` are fields that are not asked of this child, which a copy without the reason for it could not tell.
    """
    return _without(load().root, withheld, unasked)


def _without(field: Field, withheld: frozenset[str], unasked: frozenset[str], above: bool = False) -> Field:
    kept_back = above or field.pointer in withheld
    parts = {name: _without(part, withheld, unasked, kept_back) for name, part in field.fields.items()}
    return replace(
        field,
        fields=MappingProxyType(parts),
        items=_without(field.items, withheld, unasked, kept_back) if field.items else None,
        withheld=kept_back,
        unasked=field.pointer in unasked,
    )


def unasked(pep: Pep) -> frozenset[str]:
    """The pointers of the fields that are not asked of this child."""
    return frozenset(each.pointer for each in load().root.walk() if not each.asked(pep))


@functools.cache
def load() -> Schema:
    """The schema that this installation carries, read once."""
    registry, whole = _whole(ROOT)
    return Schema(
        root=_field("", whole, _Inherited(None, None, frozenset()), required=True),
        validator=Draft202012Validator(whole, registry=registry, format_checker=_formats()),
    )


@functools.cache
def document() -> Field:
    """The tree of what a template may say of the document itself, as `document.…`."""
    _, whole = _whole(_DOCUMENT)
    return _field("/document", whole, _Inherited(None, None, frozenset()), required=True)


def _whole(name: str) -> tuple[SchemaRegistry, Any]:
    """A schema with all that its references point to, and the registry of every file."""
    files = {path.name: _read(path) for path in sorted(folder("schemas").glob("*.json"))}
    registry: SchemaRegistry = Registry().with_resources(
        (content["$id"], DRAFT202012.create_resource(content)) for content in files.values()
    )
    return registry, _inlined(files[name], registry, files[name]["$id"])


def age(pep: Pep) -> int | None:
    """The child's age in years on the day of the meeting; None where either day is not known."""
    born, held = (_day(pep, *way) for way in (("child", "date_of_birth"), ("meeting", "date")))
    return years(born, held) if born and held else None


def years(born: date, on: date) -> int:
    """Full years from a birth to a day; who was born on 29 February is a year older on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


_CIRCUMSTANCES: Mapping[str, Callable[[Pep], str | None]] = {
    "age": lambda pep: None if (found := age(pep)) is None else str(found),
    "sen_status": lambda pep: _text(pep, "education", "sen", "status"),
}


def _circumstance(pep: Pep, name: str) -> str | None:
    """What is so with this child: one of `_CIRCUMSTANCES`, else a fact about the PEP (`phase`, `provision_state`)."""
    known = _CIRCUMSTANCES.get(name)
    return known(pep) if known else _text(pep, "pep", name)


def _text(pep: Pep, *way: str) -> str | None:
    found: Any = pep
    for step in way:
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _day(pep: Pep, *way: str) -> date | None:
    found = _text(pep, *way)
    try:
        return date.fromisoformat(found) if found else None
    except ValueError:
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Broken(f"The schema {path.name} is not JSON. Install pepforms again.", slug="broken-schema") from error
    if not isinstance(content, dict):
        raise Broken(f"The schema {path.name} is not an object. Install pepforms again.", slug="broken-schema")
    return content


def _inlined(schema: Any, registry: SchemaRegistry, base: str) -> Any:
    """The schema with what its references point to put in their place (they never go round in a circle).

    What stands beside a reference is said last, so a field's own title wins over that of the shared shape. Inlining
    halves the time that the referee takes.
    """
    if isinstance(schema, list):
        return [_inlined(part, registry, base) for part in schema]
    if not isinstance(schema, dict):
        return schema
    own = {key: _inlined(part, registry, base) for key, part in schema.items() if key not in ("$ref", "$id", "$schema")}
    if not isinstance(schema.get("$ref"), str):
        return own
    target = urljoin(base, schema["$ref"])
    return _inlined(registry.resolver().lookup(target).contents, registry, urldefrag(target).url) | own


@dataclass(frozen=True, slots=True)
class _Inherited:
    section: str | None
    owner: str | None
    audience: frozenset[str]


def _field(pointer: str, schema: Mapping[str, Any], parent: _Inherited, *, required: bool) -> Field:
    real = _real(schema)
    said = _Inherited(
        section=schema.get("x-section", parent.section),
        owner=schema.get("x-owner", parent.owner),
        audience=frozenset(schema["x-audience"]) if "x-audience" in schema else parent.audience,
    )
    needs = real.get("required", ())
    fields = {
        name: _field(f"{pointer}/{name}", part, said, required=name in needs)
        for name, part in real.get("properties", {}).items()
    }
    items = _field(f"{pointer}/*", real["items"], said, required=True) if "items" in real else None
    below = [*fields.values(), *([items] if items else [])]
    return Field(
        pointer=pointer,
        title=schema["title"],
        description=schema["description"],
        type=real.get("type", "string"),
        fields=MappingProxyType(fields),
        items=items,
        format=real.get("format"),
        codes=schema.get("x-codes", real.get("x-codes")),
        labels=MappingProxyType(real.get("x-labels", {})),
        person=bool(real.get("x-person", False)),
        stands_in=bool(schema.get("x-stands-in", False)),
        unknowable=bool(schema.get("x-unknowable", False)),
        required=required,
        section=said.section,
        owner=said.owner,
        audience=frozenset({"authority"}).union(said.audience, *(field.audience for field in below)),
        own_rows=frozenset(schema.get("x-own-rows", ())),
        authority_only=frozenset(schema.get("x-authority-only-values", ())),
        law=tuple(schema.get("x-law", ())),
        law_none=MappingProxyType({value: tuple(items) for value, items in schema.get("x-law-none", {}).items()}),
        needed=schema.get("x-needed"),
        explainable=bool(schema.get("x-explainable", False)),
        placement=bool(schema.get("x-placement", False)),
        example=next(iter(schema.get("examples", ())), None),
        asked_when=MappingProxyType({key: frozenset(values) for key, values in schema.get("x-asked", {}).items()}),
    )


def _real(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the field is when it is known: the `else` of `{"unknown": …}` and `{"none": …}`."""
    while "else" in schema:
        schema = schema["else"]
    return schema


def _formats() -> FormatChecker:
    """The formats that a pattern alone cannot check: days and times must be in the calendar."""
    checker = FormatChecker(formats=())
    checker.checks("date", raises=ValueError)(_is_date)
    checker.checks("date-time", raises=ValueError)(_is_date_time)
    return checker


def _is_date(value: object) -> bool:
    return not (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)) or bool(
        date.fromisoformat(value)
    )


def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))
