"""What the JSON Schema refuses, said in plain English.

jsonschema is the referee; here its verdicts become sentences: the field by its title, its place, and what to do.
"""

import copy
import difflib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema import ValidationError

from pepforms.check.finding import Finding, Steps, nearest
from pepforms.check.words import listing, place
from pepforms.model import Json, Pep
from pepforms.schema import Field, Schema

_KINDS = {
    "object": "a group of fields",
    "array": "a list",
    "string": "a text in quotation marks",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_HINTS = {
    "date": "write a day of the calendar as year-month-day, such as 2026-11-17",
    "date-time": "write the day and time with their offset, such as 2026-11-19T15:40:00Z",
    "time": "write the time on the 24-hour clock, such as 14:00",
    "money": "write pounds and pence without the pound sign, such as 450.00",
    "academic-year": "write the academic year as 2026/27",
    "financial-year": "write the financial year as 2026-27",
    "upn": "a UPN has a letter and twelve more characters; copy it from the school’s system, or say why there is none",
    "uln": "a ULN has ten digits; copy it from the Learning Records Service",
    "ofsted-urn": "an Ofsted number has six or seven digits, or EY and six digits",
    "ukprn": "a UKPRN has eight digits",
    "id": "use up to 40 letters, digits, dots, hyphens and underscores",
    "file-id": "use up to 40 letters, digits and hyphens",
    "code": "give a code, not its words",
    "email": "write an e-mail address, such as name@example.org",
    "phone": "write the telephone number in digits, such as 020 7946 0101",
    "digest": "this comes from signing; do not type it",
    "pointer": "copy the place from the list of problems; it begins with a slash",
}
TOO_MANY = "too-many-problems"
SLUGS = (
    "blank",
    "malformed",
    "missing",
    "not-a-choice",
    "out-of-range",
    "too-many",
    "unknown-key",
    "wrong-type",
    TOO_MANY,
    *(f"malformed-{kind}" for kind in _HINTS),
)
"""Every problem of shape."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,39}")


MOST = 5_000
"""Faults that are reported of one PEP: more of them are no PEP, and nobody reads on."""


def findings(pep: Pep, schema: Schema) -> list[Finding]:
    """Everything that the schema refuses, one finding a fault, in no order; past `MOST` one says that there is more."""
    errors = list(itertools.islice(schema.validator.iter_errors(pep), MOST + 1))
    found = [finding for error in errors[:MOST] for finding in _said(error, schema)]
    if len(errors) > MOST:
        message = f"More than {MOST:,} things are wrong with this file. Is it a PEP? Put right the first ones."
        found.append(Finding(TOO_MANY, (), message))
    return found


def accepted(pep: Pep, refused: Iterable[Finding]) -> Pep:
    """The PEP without what was refused, so that rules meet only what the schema accepted.

    A refused item of a list becomes None: the others must keep their places.
    """
    places = [finding.steps for finding in refused if finding.steps]
    if not places:
        return pep
    kept = copy.deepcopy(pep)
    for steps in places:
        _take_out(kept, steps)
    return kept


def _take_out(value: Json, steps: Steps) -> None:
    *way, last = steps
    for step in way:
        value = _step(value, step)
    if isinstance(value, dict) and isinstance(last, str):
        value.pop(last, None)
    elif isinstance(value, list) and isinstance(last, int) and last < len(value):
        value[last] = None


def _step(value: Json, step: str | int) -> Json:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _said(error: ValidationError, schema: Schema) -> Iterator[Finding]:
    steps: Steps = tuple(error.absolute_path)
    match error.validator:
        case "required":
            yield from _missing(error, steps, schema)
        case "additionalProperties":
            yield from _unknown_keys(error, steps, schema)
        case _:
            slug, what = _fault(error, nearest(schema, steps))
            yield Finding(slug, steps, f"{place(schema, steps)}: {what}.")


def _missing(error: ValidationError, steps: Steps, schema: Schema) -> Iterator[Finding]:
    # jsonschema says "required" once for each absent key, without naming it apart from its sentence: name them all,
    # each place is reported once.
    for key in _absent(error):
        where = (*steps, key)
        yield Finding("missing", where, f"{place(schema, where)}: this is missing. Fill it in.")


def _absent(error: ValidationError) -> list[str]:
    needed: Any = error.validator_value
    given: Any = error.instance
    return [key for key in needed if key not in given]


def _unknown_keys(error: ValidationError, steps: Steps, schema: Schema) -> Iterator[Finding]:
    given: Any = error.instance
    known = list(error.schema["properties"]) if isinstance(error.schema, dict) else []
    for key in itertools.islice((key for key in given if key not in known), MOST):
        named = f"no field “{key}”" if _NAME.fullmatch(key) else "no such field"
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"Did you mean “{close[0]}”?" if close else "Correct its name, or take it out."
        yield Finding("unknown-key", (*steps, key), f"{place(schema, steps)}: there is {named} here. {hint}")


def _fault(error: ValidationError, field: Field) -> tuple[str, str]:
    """The slug and what to say of it, after the place."""
    match error.validator:
        case "type":
            return "wrong-type", _wrong_type(error, field)
        case "enum" | "const":
            return "not-a-choice", f"choose one of {_choices(error, field)}"
        case "pattern" | "format" | "minLength":
            return _malformed(error)
        case "minimum" | "maximum" | "exclusiveMinimum":
            return "out-of-range", _range(error)
        case "maxItems":
            return "too-many", f"give at most {error.validator_value}"
        case "minProperties":
            titles = [part.title for part in field.fields.values()]
            return "missing", f"give at least one of {listing(titles)}"
        case _:
            return "malformed", "this is not written as it should be. Enter it again"


def _wrong_type(error: ValidationError, field: Field) -> str:
    kind = _KINDS[str(error.validator_value)]
    why = ", or say why it is not known" if field.unknowable else ""
    if error.instance is None:
        return f"this is empty (null). Leave it out, or give {kind}{why}"
    return f"give {kind}{why}"


def _choices(error: ValidationError, field: Field) -> str:
    allowed: Any = error.validator_value if error.validator == "enum" else [error.validator_value]
    return listing(
        [f"{value} ({field.labels[value]})" if value in field.labels else str(value) for value in allowed], "or"
    )


def _malformed(error: ValidationError) -> tuple[str, str]:
    kind = error.schema.get("format") if isinstance(error.schema, dict) else None
    if kind is None or not str(error.instance).strip():
        return "blank", "this is blank. Fill it in, or leave the field out"
    return f"malformed-{kind}", _HINTS[kind]


def _range(error: ValidationError) -> str:
    limits: Any = error.schema
    if "exclusiveMinimum" in limits:
        return f"give a number above {limits['exclusiveMinimum']}, up to {limits['maximum']:,}"
    return f"give a number from {limits['minimum']:,} to {limits['maximum']:,}"
