"""What is wrong with an authority's profile, and what the authority has not said yet; both read from its rows.

`schemas/profile.schema.json` says what a profile may hold; the rest of the sense is here.
"""

import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012, SchemaRegistry

from pepforms import codes, days, schema
from pepforms.resources import folder

Rows = Mapping[str, Any]
"""A profile as read from TOML, its days as text."""


def faults(rows: Any) -> dict[str, str]:
    """Every key that is wrong, with what to do; what the schema refuses comes alone, for the rest relies on it."""
    found = dict[str, str]()
    for look in (_of_the_schema, _of_the_sense):
        for key, what in look(rows):
            found.setdefault(key, what)
        if found:
            break
    return found


def questions(rows: Rows) -> Iterator[str]:
    """What the schema asks of an authority and this one has not answered."""
    lacking = sorted(_lettered() - rows.get("section_letters", {}).keys(), key=list(_sections()).index)
    if lacking:
        titles = [_sections()[section] for section in lacking]
        yield f"Which letters have these sections: {', '.join(titles)}?"
    properties = _schema()["properties"]
    for table, key in (("targets", "at_least"), ("meeting", "agenda"), ("letterhead", "contact")):
        if not rows.get(table, {}).get(key):
            yield properties[table]["properties"][key]["x-question"]
    for name, clock in properties["clocks"]["properties"].items():
        if "days" not in rows.get("clocks", {}).get(name, {}):
            yield clock["x-question"]


def _of_the_schema(rows: Any) -> Iterator[tuple[str, str]]:
    """What the profile's schema refuses: the key, and what to do."""
    for error in sorted(_validator().iter_errors(rows), key=lambda error: [str(step) for step in error.absolute_path]):
        key = ".".join(step for step in error.absolute_path if isinstance(step, str))
        yield from _said(error, key)


def _said(error: ValidationError, key: str) -> Iterator[tuple[str, str]]:
    value: Any = error.validator_value
    rules: Any = error.schema
    given: Any = error.instance
    prefix = f"{key}." if key else ""
    match error.validator:
        case "required":
            for name in (name for name in value if name not in given):
                yield prefix + name, "this is missing"
        case "dependentRequired" if "logo" in value:
            yield prefix + "logo_says", "say what the logo shows, for who cannot see it"
        case "dependentRequired":
            yield prefix + "type", "say which kind of days these are: working, school or calendar"
        case "additionalProperties":
            known = sorted(rules["properties"])
            for name in sorted(given.keys() - known):
                yield prefix + name, f"there is no such key; there are: {', '.join(known)}"
        case _:
            misnamed = "propertyNames" in error.absolute_schema_path
            yield (f"{prefix}{given}" if misnamed else key), _hint(error)


def _hint(error: ValidationError) -> str:
    value: Any = error.validator_value
    rules: Any = error.schema
    if "x-hint" in rules:
        return str(rules["x-hint"])
    match error.validator:
        case "enum":
            return f"give one of {', '.join(value)}"
        case "type":
            return _KINDS[value]
        case "pattern":
            return _KINDS["string"]
        case "minimum" | "maximum":
            return f"give a number from {rules['minimum']} to {rules['maximum']}"
        case "minItems" if "maxItems" not in rules:
            return "give at least one"
        case _:
            return "give a first and a last day"


_KINDS = {
    "string": "give a text",
    "integer": "give a whole number",
    "array": "give a list, in square brackets",
    "object": "this must be a table",
}


def _of_the_sense(rows: Rows) -> Iterator[tuple[str, str]]:
    """What the profile's schema cannot say."""
    yield from _wrong_sections(rows)
    yield from _wrong_codes(rows)
    if (colour := rows.get("letterhead", {}).get("colour")) and _contrast_with_white(colour) < _LEAST_CONTRAST:
        yield "letterhead.colour", "take a darker colour: on white this one cannot be read by everybody"
    for name, clock in rows.get("clocks", {}).items():
        if "days" in clock and ("before" in clock) == ("after" in clock):
            yield f"clocks.{name}", "say either before or after what the days are counted"
    for year, terms in rows.get("school_terms", {}).items():
        yield from _wrong_terms(year, terms)
    for year in rows.get("pupil_premium_plus", {}).get("rates", {}):
        if days.first_year(year.replace("-", "/")) is None:
            yield f"pupil_premium_plus.rates.{year}", "there is no such financial year"


_LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""


def _contrast_with_white(colour: str) -> float:
    """The contrast ratio of a colour (`#1B3A5C`) with white, as WCAG 2.2 defines it."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) + 0.05)


def _wrong_sections(rows: Rows) -> Iterator[tuple[str, str]]:
    for name, value in rows.get("owners", {}).items():
        if isinstance(value, dict):
            yield from _wrong_situation("owners", name)
            yield from itertools.chain.from_iterable(_wrong_section(f"owners.{name}", part) for part in value)
        else:
            yield from _wrong_section("owners", name)
    for name, value in rows["sign_off"].items():
        if isinstance(value, dict):
            yield from _wrong_situation("sign_off", name)
    for section in rows.get("section_letters", {}):
        yield from _wrong_section("section_letters", section)
    for name, clock in rows.get("clocks", {}).items():
        for section in clock.get("sections", ()):
            yield from _wrong_section(f"clocks.{name}.sections", section)


def _wrong_situation(key: str, name: str) -> Iterator[tuple[str, str]]:
    situations = _schema()["$defs"]["situation"]["enum"]
    if name not in situations:
        yield f"{key}.{name}", f"there is no such phase or provision state; there are: {_listed(situations)}"


def _wrong_section(key: str, section: str) -> Iterator[tuple[str, str]]:
    if section not in _sections():
        yield f"{key}.{section}", "there is no such section; there are the parts of a PEP, such as care or views.carer"


def _wrong_codes(rows: Rows) -> Iterator[tuple[str, str]]:
    for name, statuses in rows.get("status", {}).items():
        for code in statuses:
            if code not in codes.known("legal_status"):
                yield f"status.{name}", f"{code} is no legal status; there are: {_listed(codes.known('legal_status'))}"
    areas = ("total", *codes.known("target_domain"))
    for area in rows.get("targets", {}).get("at_least", {}):
        if area not in areas:
            yield f"targets.at_least.{area}", f"there is no such area; there are: {_listed(areas)}"


def _wrong_terms(year: str, terms: Rows) -> Iterator[tuple[str, str]]:
    first = days.first_year(year)
    if first is None:
        yield f"school_terms.{year}", "there is no such academic year"
        return
    limits = {
        "autumn": (date(first, 9, 1), date(first, 12, 31)),
        "spring": (date(first + 1, 1, 1), date(first + 1, 4, 30)),
        "summer": (date(first + 1, 3, 1), date(first + 1, 8, 31)),
    }
    before = date(first, 8, 31)
    for name in days.TERMS:
        edges = _edges(terms[name])
        if not (limits[name][0] <= edges[0] and edges[-1] <= limits[name][1]):
            yield f"school_terms.{year}.{name}", f"these days do not lie in the {name} term of {year}"
        elif edges != sorted(edges) or edges[0] <= before:
            yield f"school_terms.{year}.{name}", "these days are not one after the other"
        before = days.sunday_after(edges[-1]) if name == "spring" else edges[-1]


def _edges(spans: Sequence[Sequence[str]]) -> list[date]:
    return [date.fromisoformat(day) for span in spans for day in span]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


@functools.cache
def _sections() -> Mapping[str, str]:
    """Every section and every part of one (`views.carer`), with its title; and the upload to LCS."""
    root = schema.load().root
    found = {"lcs_upload": "Upload to LCS"}
    for name, section in root.fields.items():
        found[name] = section.title
        found |= {f"{name}.{part}": each.title for part, each in section.fields.items()}
    return MappingProxyType(found)


def _lettered() -> set[str]:
    """The sections that people fill in and may know by a letter."""
    return {"child", "care", "education", "views", "targets", "actions", "pupil_premium_plus", "transition", "meeting"}


@functools.cache
def _schema() -> dict[str, Any]:
    return dict(json.loads((folder("schemas") / "profile.schema.json").read_text(encoding="utf-8")))


@functools.cache
def _validator() -> Draft202012Validator:
    common = json.loads((folder("schemas") / "common.json").read_text(encoding="utf-8"))
    registry: SchemaRegistry = Registry().with_resources(
        (content["$id"], DRAFT202012.create_resource(content)) for content in (common, _schema())
    )
    checker = FormatChecker(formats=())
    checker.checks("date", raises=ValueError)(_is_date)
    return Draft202012Validator(_schema(), registry=registry, format_checker=checker)


def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))
