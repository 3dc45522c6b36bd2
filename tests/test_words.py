"""The filters for authors: what each says of any value, and that none makes something up of what is not there."""

import datetime
import io
import json
import re
from typing import Any

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepforms import resources, schema
from pepforms.fill import values, words
from pepforms.fill.values import Absent, Explained, Items, Misuse, Unknown
from pepforms.model import Pep
from pepforms.report import examples, placeholders
from pepforms.schema import Field

PEP: Pep = {
    "pep": {"id": "PEP-1", "version": 1, "phase": "primary", "provision_state": "on_roll"},
    "people": [
        {"id": "vso", "name": "Sasha Mockworth", "role": "virtual_school_officer"},
        {"id": "sw", "name": "Ines Fauxley", "role": "social_worker"},
    ],
}
FIELDS = [field for field in schema.load().root.walk() if field.pointer]
DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31))
NAME = st.text(st.characters(categories=["L"]), min_size=1)


def at(path: str) -> Field:
    field = schema.load().root
    for step in path.split("."):
        field = field.fields[step]
    return field


def seen(path: str, value: Any) -> Any:
    return values.seen(value, at(path), PEP)


def seen_list(path: str, value: list[Any]) -> Items:
    made = seen(path, value)
    assert isinstance(made, Items)
    return made


# --- what is not there -----------------------------------------------------------------------------------------------

OF_A_LIST = {"days", "listed", "names", "total", "where"}


def asked(name: str, value: Any) -> Any:
    """The filter of that name over a value, with an argument where it must have one."""
    if name == "age":
        return words.FILTERS[name](value, seen("meeting.date", "2026-11-12"))
    if name in ("total", "days"):
        return words.FILTERS[name](value, next(iter(value.field.items.fields)))
    if name == "where":
        return words.where(value, next(iter(value.field.items.fields)), "L1")
    return words.FILTERS[name](value)


@pytest.mark.parametrize("name", sorted(set(words.FILTERS) - {"phrase", "count"}))
def test_a_fact_that_is_not_there_says_why_behind_every_filter(name: str) -> None:
    for field in FIELDS:
        if name in OF_A_LIST and not (field.items and field.items.fields):
            continue
        for absent in (
            Absent(field, PEP),
            Unknown(field, PEP, "Not known: nobody asked"),
            Explained(field, PEP, "None: he has no say"),
        ):
            assert words.said(asked(name, absent)) == absent.words


def test_there_are_none_in_a_list_that_is_not_there() -> None:
    assert [words.count(Absent(field, PEP)) for field in FIELDS if field.items] == [0] * sum(map(_is_list, FIELDS))


def _is_list(field: Field) -> bool:
    return field.items is not None


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        (seen("child.upn", {"unknown": "UN3"}), r"not yet known \([^:()]+\)"),
        (seen("child.religion", {"unknown": "She will say next time."}), r"not yet known \(She will say next time\)"),
        (seen("child.uln", values.MISSING), "not asked at this age"),
        (seen("child.date_of_birth", values.MISSING), "not yet recorded"),
        (seen("child.pronouns", values.MISSING), "nothing to record"),
        (seen("education.no_school", values.MISSING), "does not apply"),
        (Explained(at("targets"), PEP, "None: he is 17: nobody asked"), r"none \(he is 17: nobody asked\)"),
    ],
)
def test_in_the_middle_of_a_sentence_the_reason_stands_in_brackets(absent: Any, said: str) -> None:
    assert re.fullmatch(said, words.phrase(absent))


@pytest.mark.parametrize("value", ["Not known: a title", "", 0, False, 3.5])
def test_what_is_there_stays_as_it_is_in_the_middle_of_a_sentence(value: Any) -> None:
    assert words.phrase(value) is value


# --- days and ages ---------------------------------------------------------------------------------------------------


@given(DAYS)
def test_a_long_date_is_the_date_with_the_right_day_of_the_week(day: datetime.date) -> None:
    said = words.long_date(seen("meeting.date", day.isoformat()))
    assert datetime.datetime.strptime(said, "%A %d %B %Y").date() == day  # noqa: DTZ007  a day has no zone
    weekday, date = said.split(" ", 1)
    assert date == words.date(day.isoformat())
    names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    assert weekday == names[day.toordinal() % 7 - 1]  # the first day of the calendar, number 1, was a Monday


@pytest.mark.parametrize(
    ("moment", "said"), [("2026-07-19T23:30:00Z", "20 July 2026"), ("2026-11-19T23:30:00Z", "19 November 2026")]
)
def test_the_day_of_a_moment_is_the_one_in_london(moment: str, said: str) -> None:
    assert words.date(moment) == said


@given(DAYS, DAYS)
def test_an_age_goes_up_by_one_on_each_birthday_and_on_no_other_day(one: datetime.date, other: datetime.date) -> None:
    born, day = sorted((one, other))
    age = words.age(seen("child.date_of_birth", born.isoformat()), seen("meeting.date", day.isoformat()))
    day_of_march = (3, 1) if (born.month, born.day) == (2, 29) and day.year % 4 else (born.month, born.day)
    assert age == day.year - born.year - ((day.month, day.day) < day_of_march)
    assert age >= 0


def test_an_age_on_a_day_that_is_not_known_is_not_known_and_neither_more_nor_less_than_any() -> None:
    age = words.age(seen("child.date_of_birth", "2016-11-02"), seen("meeting.date", values.MISSING))
    assert words.said(age) == "Not yet recorded"
    assert (age > 15, age < 15) == (False, False)


# --- lists -----------------------------------------------------------------------------------------------------------


@given(st.lists(NAME.filter(lambda name: name != "and"), min_size=1))
def test_a_list_says_each_of_its_entries_once_and_in_order(entries: list[str]) -> None:
    said = words.listed(seen_list("child.also_known_as", entries))
    assert re.split(", | and ", said) == entries
    assert said.count(" and ") == (len(entries) > 1)


@given(st.lists(st.sampled_from(["salt and pepper", "tea, hot", "milk", "bread"]), min_size=2))
def test_entries_that_have_a_comma_or_an_and_are_told_apart_by_semicolons(entries: list[str]) -> None:
    said = words.listed(seen_list("child.also_known_as", entries))
    if {"salt and pepper", "tea, hot"} & set(entries):
        assert re.split("; and |; ", said) == entries
    else:
        assert re.split(" and |, ", said) == entries


def test_an_empty_list_says_so() -> None:
    assert words.listed(seen_list("child.also_known_as", [])) == "Nothing to record"


def test_names_are_each_said_once_and_who_is_missing_is_said_too() -> None:
    owned = seen_list("targets", [{"owner": "sw"}, {"owner": "vso"}, {"owner": "sw"}, {}, {"owner": "gone"}])
    assert words.names(owned, "owner") == (
        "Ines Fauxley, Sasha Mockworth, not yet recorded and someone not in this PEP"
    )


def test_days_are_said_in_order_and_each_once() -> None:
    rows = [{"review_by": day} for day in ("2027-06-30", "2027-02-05", "2027-06-30")]
    assert words.days(seen_list("targets", rows), "review_by") == "5 February 2027 and 30 June 2027"
    assert words.days(seen_list("targets", [*rows[:1], {}]), "review_by") == "30 June 2027 and not yet recorded"
    with pytest.raises(Misuse, match="which is no day"):
        words.days(seen_list("targets", rows), "target")


@pytest.mark.parametrize("name", ["days", "listed", "names", "total"])
def test_a_fact_that_the_entries_do_not_have_is_refused_even_of_a_list_that_is_not_there(name: str) -> None:
    for value in (seen_list("targets", [{"owner": "sw"}]), seen("targets", values.MISSING), seen_list("targets", [])):
        with pytest.raises(Misuse, match="“ownr”, which they do not have"):
            words.FILTERS[name](value, "ownr")


@pytest.mark.parametrize("name", ["listed", "names", "count"])
def test_what_is_not_a_list_is_not_listed(name: str) -> None:
    with pytest.raises(Misuse, match="not a list"):
        words.FILTERS[name]("a text")


@pytest.mark.parametrize("value", ["a text", seen("meeting.date", "2026-11-12"), 3])
@pytest.mark.parametrize("name", ["name", "role", "person"])
def test_nobody_is_named_by_what_is_not_a_person(name: str, value: Any) -> None:
    with pytest.raises(Misuse, match="names nobody"):
        words.FILTERS[name](value)


# --- sums and shares -------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_percentage_is_right_to_one_decimal_place(part: int, whole: int) -> None:
    said = words.percent(part, whole)
    assert re.fullmatch(r"[0-9]+[.][0-9]%", said)
    tenths = int(said.removesuffix("%").replace(".", ""))
    assert abs(tenths * whole - 1000 * part) * 2 <= whole


@pytest.mark.parametrize("value", ["seven", True, "1e99", None])
def test_what_is_not_a_number_has_no_percentage(value: Any) -> None:
    for pair in ((value, 3), (3, value)):
        with pytest.raises(Misuse, match="not a number"):
            words.percent(*pair)


def test_of_nothing_there_is_no_percentage() -> None:
    assert words.percent(0, 0) == "Not yet recorded"
    assert words.percent("5.00", "0.00") == "Not yet recorded"


def test_what_remains_of_an_allocation_that_is_not_there_is_not_made_up() -> None:
    assert words.remaining(seen("pupil_premium_plus", {"lines": [{"cost": "10.00"}]})) == "Not yet recorded"


# --- some of a list --------------------------------------------------------------------------------------------------

LINES = [
    {"id": "L1", "target_id": "T1", "cost": "10.00", "quantity": 0},
    {"id": "L2", "target_id": "T2", "cost": "0.05"},
    {"id": "L3", "target_id": "T1", "cost": "-0.01"},
    {"id": "L4", "cost": "7.00"},
]


def lines(**of: Any) -> Any:
    """The lines of which the facts are so."""
    found: Any = seen_list("pupil_premium_plus.lines", LINES)
    for name, like in of.items():
        found = words.where(found, name, like)
    return found


def test_entries_of_which_a_fact_is_so_are_a_list_like_any_other() -> None:
    of_target = lines(target_id=seen("pep.id", "T1"))
    assert [line.item("id") for line in of_target] == ["L1", "L3"]
    assert (words.count(of_target), words.total(of_target, "cost")) == (2, "£9.99")
    assert words.total(lines(target_id="T1", id="L3"), "cost") == "−£0.01"
    assert words.total(lines(quantity=0), "cost") == "£10.00"


def test_no_entry_is_like_what_is_not_there() -> None:
    absent = Absent(at("pep.id"), PEP)
    assert words.total(lines(target_id="T9"), "cost") == "£0.00"
    assert words.count(lines(target_id=absent)) == 0


def test_nothing_is_told_of_entries_by_what_the_reader_may_not_see() -> None:
    withheld = values.Withheld(at("pep.id"), PEP)
    assert isinstance(lines(target_id=withheld), values.Withheld)
    assert words.total(lines(target_id=withheld), "cost") == ""
    hidden = schema.without(frozenset({"/pupil_premium_plus/lines/*/target_id"})).fields["pupil_premium_plus"]
    part = values.seen({"lines": LINES}, hidden, PEP).item("lines")
    assert isinstance(words.where(part, "target_id", "T1"), values.Withheld)
    whole = values.Withheld(at("pupil_premium_plus.lines"), PEP)
    assert words.where(whole, "target_id", "T1") is whole


@pytest.mark.parametrize(
    ("path", "of", "says"),
    [
        ("targets", "idd", "do not have"),
        ("child.upn", "id", "not a list"),
        ("education.exclusions", "reasons", "group"),
    ],
)
def test_entries_are_found_by_one_fact_that_they_have(path: str, of: str, says: str) -> None:
    value = seen(path, [] if path != "child.upn" else "K999999914001")
    with pytest.raises(Misuse, match=says):
        words.where(value, of, "T1")


# --- what authors are shown ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("covers", "says"),
    [("social_worker", "Social worker"), ("sw", "Sasha Mockworth"), ("Ms Newly, on leave", "Ms Newly, on leave")],
)
def test_whom_somebody_stands_in_for_is_told_by_role_or_name_and_never_by_a_code(covers: str, says: str) -> None:
    people = [{"id": "sw", "role": "social_worker", "name": "Sasha Mockworth"}]
    pep: Any = PEP | {"people": [*people, {"id": "p9", "role": "social_worker", "name": "Bo", "covers": covers}]}
    seen = values.context(pep, schema.load().root, {})["people"].item(1)
    assert words.said(seen.item("covers")) == says


def test_the_bytes_of_a_picture_are_no_placeholder() -> None:
    listed = [name for name, _ in placeholders()]
    assert "views.child.pictures[].description" in listed
    assert [name for name in listed if re.search(r"(logo|pictures\[\])\.data$", name)] == []


def test_every_placeholder_has_an_example_that_a_template_prints() -> None:
    from pepforms import profile

    found = examples(profile.load("hillingdon"))
    listed = [name for name, _ in placeholders()]
    assert [name for name in listed if not found[name].strip()] == []
    assert [
        name for name in listed if found[name].startswith(("Not known", "Nothing to", "Not yet", "Not asked"))
    ] == []
    assert found["child.legal_name.given"]
    assert re.fullmatch("£[0-9,.]+", found["follow_up.spend[].spent"])
    assert re.fullmatch("[0-9]+ [A-Z][a-z]+ [0-9]{4}", found["quality.date"])


def test_examples_in_the_schema_are_what_the_schema_takes_and_stand_only_where_no_sample_has_one() -> None:
    with_example = [field for field in FIELDS if field.example is not None]
    held = {
        re.sub(r"/[0-9]+(?=/|$)", "/*", pointer)
        for path in (resources.folder("samples") / "valid").glob("*.json")
        for _, pointer, said in words.facts(json.loads(path.read_bytes()), schema.load().root)
        if not said.startswith("Not known: ")
    }
    assert [field.pointer for field in with_example if field.pointer in held] == []
    referee = schema.load().validator
    for field in with_example:
        steps = field.pointer.strip("/").split("/")
        part: Any = field.example
        for step in reversed(steps):
            part = [part] if step == "*" else {step: part}
        assert [error.message for error in referee.iter_errors(part) if error.validator in ("pattern", "enum")] == []
    assert len(with_example) > 10


def test_an_age_can_be_compared_in_a_template() -> None:
    from pepforms.fill import Template

    word = docx.Document()
    word.add_paragraph("{% if child.date_of_birth|age(meeting.date) >= 10 %}ten{% else %}less{% endif %}")
    buffer = io.BytesIO()
    word.save(buffer)
    template = Template(buffer.getvalue(), name="mine.docx")
    for born, said in (("2016-11-12", "ten"), ("2016-11-13", "less")):
        pep = PEP | {"child": {"date_of_birth": born}, "meeting": {"date": "2026-11-12"}}
        assert docx.Document(io.BytesIO(template.fill(pep, {}))).paragraphs[0].text == said
