"""PEPs made up from the schema: good ones pass for their shape, a required fact that is spoilt is noticed."""

import copy
import functools
import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pepforms import check, codes, profile, schema
from pepforms.check.catalogue import SHAPE
from pepforms.check.finding import Steps
from pepforms.check.identity import ROWS_WITH_IDS
from pepforms.check.numbers import upn_check_letter
from pepforms.check.rules import NEEDED
from pepforms.model import STAGES, Problem, Stage
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
SCHEMA: Any = schema.load().validator.schema
WORDS = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=12).filter(
    str.strip
)
DAYS = st.dates(date(1901, 1, 1), date(2099, 12, 31)).map(date.isoformat)
DIGITS = "0123456789"
FORMATS = {
    "id": st.text("ABCxyz019._-", min_size=1, max_size=8),
    "file-id": st.text("ABCxyz019-", min_size=1, max_size=8),
    "date": DAYS,
    "date-time": DAYS.map(lambda day: f"{day}T12:00:00Z"),
    "time": st.times().map(lambda time: time.strftime("%H:%M")),
    "money": st.integers(0, 999_999_999).map(lambda pence: f"{pence // 100}.{pence % 100:02d}"),
    "academic-year": st.integers(2000, 2098).map(lambda year: f"{year}/{(year + 1) % 100:02d}"),
    "financial-year": st.integers(2000, 2098).map(lambda year: f"{year}-{(year + 1) % 100:02d}"),
    "code": st.text("ABC019_", min_size=1, max_size=5),
    "upn": st.text(DIGITS, min_size=12, max_size=12).map(lambda digits: "A" + digits),
    "uln": st.text(DIGITS, min_size=9, max_size=9).map(lambda digits: "9" + digits),
    "urn": WORDS,
    "laestab": WORDS,
    "ofsted-urn": st.text(DIGITS, min_size=6, max_size=6).map(lambda digits: "EY" + digits),
    "ukprn": st.text(DIGITS, min_size=8, max_size=8),
    "email": WORDS.filter(str.isalnum).map(lambda name: f"{name}@example.org"),
    "phone": st.text(DIGITS, min_size=6, max_size=12),
    "digest": st.text("0123456789abcdef", min_size=64, max_size=64),
    "pointer": st.just("/meeting/attendees"),
}


def values(shape: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a shape of the schema accepts."""
    if "else" in shape:
        return st.one_of(values(shape["else"]), values(shape["else"]), values(shape["then"]))
    if "enum" in shape:
        return st.sampled_from(shape["enum"])
    if "const" in shape:
        return st.just(shape["const"])
    match shape["type"]:
        case "object":
            return objects(shape)
        case "array":
            return st.lists(values(shape["items"]), max_size=min(2, shape.get("maxItems", 2)))
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(shape["minimum"], shape["maximum"])
        case "number":
            return st.integers(int(shape.get("minimum", 1)), int(shape["maximum"])) | st.just(0.5)
    if shape.get("contentEncoding") == "base64":
        return st.binary(min_size=1, max_size=8).map(lambda data: b64encode(data).decode())
    return FORMATS.get(shape.get("format", ""), WORDS)


def objects(shape: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    parts = {name: st.deferred(lambda part=part: values(part)) for name, part in shape["properties"].items()}
    needs = set(shape.get("required", ()))
    made = st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in needs},
        optional={name: part for name, part in parts.items() if name not in needs},
    )
    least = shape.get("minProperties", 0)
    good = Draft202012Validator({key: shape[key] for key in ("if", "then", "allOf") if key in shape})
    return made.filter(lambda found: len(found) >= least and good.is_valid(found))


PEPS = values(SCHEMA)
GENERATED = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def problems(pep: Any, stage: Stage) -> tuple[Problem, ...]:
    return check.check(json.dumps(pep).encode(), stage, HILLINGDON).problems


def required(shape: Any, value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """The places of all facts that a draft cannot be without."""
    while "else" in shape:
        if isinstance(value, dict) and shape["if"]["required"][0] in value:
            return
        shape = shape["else"]
    if isinstance(value, dict):
        for name, part in value.items():
            if name in shape.get("required", ()):
                yield (*steps, name)
            yield from required(shape["properties"][name], part, (*steps, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from required(shape["items"], item, (*steps, position))


@GENERATED
@given(PEPS)
def test_a_pep_made_from_the_schema_has_no_problem_of_shape_and_what_it_has_is_said_in_full(
    pep: dict[str, Any],
) -> None:
    for stage in STAGES:
        for problem in problems(pep, stage):
            assert problem.slug not in SHAPE
            assert problem.message.endswith((".", "?", ")"))
            assert problem.section in schema.load().root.fields
            assert problem.owner
            assert problem.source


def consistent(pep: dict[str, Any]) -> dict[str, Any]:
    """A PEP made up from the schema whose references, codes and check characters mean something."""
    made = copy.deepcopy(pep)
    made["people"] = [*made.get("people", []), {"id": "vso", "role": "virtual_school_officer", "name": "Sasha"}]
    made["targets"] = [*made.get("targets", []), {"id": "T"}]
    for way, name in ROWS_WITH_IDS:
        rows = functools.reduce(lambda place, step: place.get(step, {}), way, made)
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            row[name] = f"{number}-{row[name]}"[:40]
    made.get("views", {}).get("child", {}).pop("pictures", None)
    for row in made.get("distribution", ()):  # which copies there are to decide about, only a whole PEP says
        row.pop("released_by", None)
        row.pop("decisions", None)
    return meaning(schema.load().root, made, made)


def meaning(field: schema.Field, value: Any, pep: dict[str, Any]) -> Any:
    """The value with every reference, code and check character in it put right."""
    if isinstance(value, dict):
        return {
            name: meaning(field.fields[name], part, pep) if name in field.fields else part
            for name, part in value.items()
        }
    if isinstance(value, list) and field.items:
        return [meaning(field.items, part, pep) for part in value]
    if field.person:
        return pep["people"][len(value) % len(pep["people"])]["id"]
    if field.pointer == "/pupil_premium_plus/lines/*/target_id":
        return pep["targets"][len(value) % len(pep["targets"])]["id"]
    if field.codes:
        known = list(codes.known(field.codes))
        return known[ord(value[0]) % len(known)]
    if field.format == "upn":
        return upn_check_letter(value) + value[1:]
    return GOOD_ULN if field.format == "uln" else value


GOOD_ULN = "9276308686"


@GENERATED
@given(PEPS)
def test_a_pep_made_from_the_schema_whose_references_mean_something_is_a_good_draft(pep: dict[str, Any]) -> None:
    assert [problem for problem in problems(consistent(pep), "draft") if problem.severity == "blocks"] == []


CHILDREN = [json.loads(path.read_bytes()) for path in sorted((folder("samples") / "valid").glob("*.json"))]


def asked(field: schema.Field, value: Any, pep: dict[str, Any], steps: Steps = ()) -> Iterator[Steps]:
    """The places of all facts that this child's PEP must have before sign-off and has."""
    if isinstance(value, dict):
        for name, part in field.fields.items():
            if name in value and part.asked(pep):
                if part.required or part.needed == "blocks":
                    yield (*steps, name)
                yield from asked(part, value[name], pep, (*steps, name))
    elif isinstance(value, list) and field.items:
        for position, item in enumerate(value):
            yield from asked(field.items, item, pep, (*steps, position))


@GENERATED
@given(st.sampled_from(CHILDREN), st.data())
def test_any_needed_fact_of_any_child_taken_away_or_spoilt_stops_the_sign_off(
    pep: dict[str, Any], data: st.DataObject
) -> None:
    spoilt, steps = spoiled(pep, list(asked(schema.load().root, pep, pep)), data)
    stopping = [each for each in problems(spoilt, "sign-off") if each.severity == "blocks"]
    place = "".join(f"/{step}" for step in steps)
    # a group from which the last fact was taken is missing itself
    empty = [each for each in stopping if each.slug == NEEDED and place.startswith(f"{each.pointer}/")]
    assert empty or any(each.pointer.startswith(place) for each in stopping)


@GENERATED
@given(PEPS, st.data())
def test_any_required_fact_taken_away_or_spoilt_is_noticed(pep: dict[str, Any], data: st.DataObject) -> None:
    spoilt, steps = spoiled(pep, list(required(SCHEMA, pep)), data)
    found = [each for each in problems(spoilt, "draft") if each.slug in SHAPE and each.severity == "blocks"]
    pointer = "".join(f"/{step}" for step in steps)
    assert any(each.pointer.startswith(pointer) for each in found)


def spoiled(pep: dict[str, Any], places: list[Steps], data: st.DataObject) -> tuple[dict[str, Any], Steps]:
    """A PEP in which one of the facts was taken away or spoilt, and which."""
    steps = data.draw(st.sampled_from(places))
    spoilt = copy.deepcopy(pep)
    place: Any = spoilt
    for step in steps[:-1]:
        place = place[step]
    how = data.draw(st.sampled_from(["taken away", "null", "another kind"]))
    if how == "taken away":
        del place[steps[-1]]
    else:
        place[steps[-1]] = None if how == "null" else [[]]
    return spoilt, steps
