"""What the law asks for: each of the twelve facts is found where it stands, and missed where it does not."""

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pepforms import profile, schema
from pepforms.check import law
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
VALID = {path.stem: json.loads(path.read_text("utf-8")) for path in (folder("samples") / "valid").glob("*.json")}
FULL = VALID["year-8-confidential-placement"]


def found(pep: Any) -> dict[str, str]:
    return {item.item: item.status for item in law.coverage(pep, HILLINGDON)}


def places(pep: Any, item: str) -> tuple[str, ...]:
    return next(each.pointers for each in law.coverage(pep, HILLINGDON) if each.item == item)


def at(pep: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        pep = pep[int(step)] if isinstance(pep, list) else pep[step]
    return pep


def without(pep: Any, item: str) -> Any:
    """The PEP without whatever stands where the fact is held, or where it is said to be unknown."""
    bare = copy.deepcopy(pep)
    while pointers := places(bare, item):
        for pointer in pointers:
            above, _, key = pointer.rpartition("/")
            del at(bare, above)[key]
    return bare


def with_education(**parts: Any) -> dict[str, Any]:
    return {"education": parts}


@pytest.mark.parametrize("item", law.FACTS)
def test_a_pep_that_lacks_one_fact_names_that_fact_and_no_other(item: str) -> None:
    assert set(found(FULL).values()) == {"held"}
    assert found(without(FULL, item)) == {**dict.fromkeys(law.FACTS, "held"), item: "missing"}


@pytest.mark.parametrize("item", law.FACTS)
def test_each_pointer_leads_to_what_holds_the_fact(item: str) -> None:
    assert places(FULL, item)
    for pointer in places(FULL, item):
        assert at(FULL, pointer)


NOT_HELD: dict[str, dict[str, str]] = {
    "college-esol": {},
    "neet-17": {"1b": "missing", "1c": "missing"},
    "nursery-adoption": {"1a": "unknown", "1b": "missing", "1c": "unknown"},
    "reception-at-home": {"5": "unknown"},
    "unaccompanied-16-tigrinya": {
        "1a": "unknown",
        "1b": "missing",
        "1c": "missing",
        "1e": "unknown",
        "2b": "missing",
    },
    "year-10-dual-roll": {},
    "year-11-leaver": {},
    "year-11-remand": dict.fromkeys(law.FACTS, "modified"),
    "year-3-draft": {},
    "year-5-review": {},
    "year-6-ehc-plan-wales": {},
    "year-8-confidential-placement": {},
    "year-9-dual-roll": {},
}


@pytest.mark.parametrize("name", sorted(NOT_HELD))
def test_each_sample_holds_all_but_what_stands_in_this_table(name: str) -> None:
    assert {item: status for item, status in found(VALID[name]).items() if status != "held"} == NOT_HELD[name]


def test_an_empty_pep_holds_nothing() -> None:
    assert found({}) == dict.fromkeys(law.FACTS, "missing")
    assert all(not item.pointers for item in law.coverage({}, HILLINGDON))


def test_the_facts_are_those_that_the_schema_names_in_the_order_of_the_law() -> None:
    assert {item for field in schema.load().root.walk() for item in field.law} == set(law.FACTS)
    assert [item.item for item in law.coverage(FULL, HILLINGDON)] == sorted(law.FACTS)


@pytest.mark.parametrize("blank", ["", "  \n", [], {}, None, [{}], [""], 0, True, {"unknown": ""}, {"unknown": 7}])
def test_a_blank_or_a_value_of_another_shape_holds_nothing(blank: object) -> None:
    pep = {
        "education": dict.fromkeys(["history", "attendance", "settings", "attainment", "achievements", "sen"], blank),
        "targets": blank,
        "transition": {"planned_changes": blank},
        "views": {"child": {"interests": blank}, "carer": blank},
    }
    assert set(found(pep).values()) == {"missing"}


@pytest.mark.parametrize(
    ("item", "pep"),
    [
        ("1b", with_education(attendance={"from": "2026-09-02", "to": "2026-11-13"})),
        ("1c", with_education(behaviour={"from": "2026-09-02"}, exclusions=[{"start": "2026-10-06"}])),
        ("1e", with_education(sen={"ehcp": {"issued": "2025-01-07"}, "provision": ["Speech therapy"]})),
        ("2c", {"targets": [{"id": "T1", "owner": "dt", "horizon": "short", "review_by": "2027-02-12"}]}),
        ("2c", {"pupil_premium_plus": {"financial_year": "2026-27", "stream": "school_age", "allocation": "900.00"}}),
    ],
)
def test_a_day_a_reference_or_a_sum_alone_is_not_yet_a_fact(item: str, pep: dict[str, Any]) -> None:
    assert found(pep)[item] == "missing"


def test_sessions_make_an_attendance_record_even_none_attended() -> None:
    assert found(with_education(attendance={"possible": 90, "attended": 0}))["1b"] == "held"


def test_special_needs_and_the_provision_for_them_are_two_facts() -> None:
    sen = with_education(sen={"status": "K", "provision": ["Speech therapy"]})
    assert places(sen, "1e") == ("/education/sen/status",)
    assert places(sen, "2b") == ("/education/sen/provision",)


def test_a_reason_why_a_fact_is_not_known_makes_it_unknown() -> None:
    pep = with_education(history={"unknown": "Lived abroad; no records came"})
    assert found(pep)["1a"] == "unknown"
    assert places(pep, "1a") == ("/education/history",)


def test_a_reason_for_a_whole_part_stands_for_the_fact_inside_it() -> None:
    pep = {"views": {"carer": {"unknown": "On leave until December"}}}
    assert found(pep)["5"] == "unknown"
    assert places(pep, "5") == ("/views/carer",)


def test_a_reason_for_one_part_of_a_fact_counts_where_nothing_else_is_said() -> None:
    assert found(with_education(sen={"status": {"unknown": "Not assessed yet"}}))["1e"] == "unknown"
    assert found(with_education(sen={"status": {"unknown": "Not assessed"}, "primary_need": "NSA"}))["1e"] == "held"


def test_what_is_known_in_one_place_is_held_though_another_is_unknown() -> None:
    pep = with_education(attainment={"unknown": "No reports came"}, achievements=["Bronze swimming award"])
    assert found(pep)["1d"] == "held"
    assert places(pep, "1d") == ("/education/achievements",)


def test_no_reason_is_heard_where_the_schema_allows_none() -> None:
    assert found({"transition": {"planned_changes": {"unknown": "Nobody asked"}}})["3a"] == "missing"


@pytest.mark.parametrize("status", ["J1", "J2"])
def test_on_remand_the_list_is_modified_and_still_says_what_is_held(status: str) -> None:
    pep = {**FULL, "care": {**FULL["care"], "legal_status": status}}
    assert set(found(pep).values()) == {"modified"}
    assert places(pep, "1a") == places(FULL, "1a")
    assert found({"care": {"legal_status": status}}) == dict.fromkeys(law.FACTS, "modified")
    assert law.as_text(law.coverage(pep, HILLINGDON)).count("modified for remand") == 12


@pytest.mark.parametrize("status", ["V3", "V4"])
def test_nothing_is_missing_of_a_child_in_care_for_short_breaks(status: str) -> None:
    pep = {"care": {"legal_status": status}}
    assert set(found(pep).values()) == {"modified"}
    assert "modified for short breaks" in law.as_text(law.coverage(pep, HILLINGDON))


@pytest.mark.parametrize("status", ["C2", {"unknown": "Asked"}, ["J1"], None])
def test_any_other_legal_status_changes_nothing(status: object) -> None:
    assert found({"care": {"legal_status": status}})["1a"] == "missing"


def test_the_rows_for_machines_have_item_status_and_pointers() -> None:
    rows = [item.as_json() for item in law.coverage(without(FULL, "4"), HILLINGDON)]
    assert [row["item"] for row in rows] == list(law.FACTS)
    assert rows[0] == {"item": "1a", "status": "held", "pointers": ["/education/history"]}
    assert {"item": "4", "status": "missing", "pointers": []} in rows


def test_the_table_for_people_gives_our_words_and_the_laws() -> None:
    head, *rows = law.as_text(law.coverage(without(FULL, "4"), HILLINGDON)).splitlines()
    assert "Schedule 1 paragraph 2" in head
    assert len(rows) == 12
    assert [row.split() for row in rows][10] == ["4", "missing", "Interests", "(leisure", "interests)"]
    assert max(map(len, rows)) <= 120


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("J1"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                sorted({step for field in schema.load().root.walk() for step in field.pointer.split("/")} | {"unknown"})
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=40,
)


@given(st.dictionaries(st.sampled_from(sorted(schema.load().root.fields)), JSON, max_size=8))
@example({"care": {"legal_status": []}})
@example({"views": {"carer": {"unknown": {"unknown": "x"}}}})
@settings(max_examples=150, deadline=None)
def test_no_object_makes_it_raise_and_every_pointer_leads_somewhere(pep: dict[str, Any]) -> None:
    for item in law.coverage(pep, HILLINGDON):
        assert (item.found == "missing") == (not item.pointers)
        for pointer in item.pointers:
            at(pep, pointer)


@given(st.sampled_from(sorted(VALID)), st.data())
@settings(max_examples=60, deadline=None)
def test_a_sample_with_any_part_spoilt_still_has_its_report(name: str, data: st.DataObject) -> None:
    pep = copy.deepcopy(VALID[name])
    section = data.draw(st.sampled_from(sorted(pep)))
    spoilt = pep[section]
    if isinstance(spoilt, dict) and spoilt:
        spoilt[data.draw(st.sampled_from(sorted(spoilt)))] = data.draw(JSON)
    else:
        pep[section] = data.draw(JSON)
    assert len(law.coverage(pep, HILLINGDON)) == 12


def test_every_sample_stands_in_the_table() -> None:
    assert sorted(VALID) == sorted(NOT_HELD)
