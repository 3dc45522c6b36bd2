"""Next term's draft: what lasts is carried to be confirmed, what was planned waits for its outcome, the rest is new."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from pepforms import carry, check, profile
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
VALID = {path.stem: json.loads(path.read_text("utf-8")) for path in (folder("samples") / "valid").glob("*.json")}
QUILL = VALID["year-8-confidential-placement"]
WINIFRED = VALID["year-11-leaver"]


def after(pep: dict[str, Any], change: Callable[[dict[str, Any]], object] = lambda pep: None) -> dict[str, Any]:
    """The draft after a PEP that was changed a little."""
    changed = copy.deepcopy(pep)
    change(changed)
    return carry.next_draft(changed, signed=True).pep


def notes(pep: dict[str, Any], *, signed: bool = True, **sections: Any) -> str:
    return " ".join(carry.next_draft({**pep, **sections}, signed=signed).notes)


def head(**parts: Any) -> dict[str, Any]:
    return {**QUILL, "pep": {**QUILL["pep"], **parts}}


def minimal(**sections: Any) -> dict[str, Any]:
    about = {"id": "P-1", "version": 3, "academic_year": "2026/27", "term": "autumn"}
    return {"schema_version": "1", "pep": about, "child": {}, **sections}


def blocking(pep: dict[str, Any]) -> list[tuple[str, str]]:
    problems = check.check(json.dumps(pep).encode(), "draft", HILLINGDON).problems
    return [(problem.slug, problem.pointer) for problem in problems if problem.severity == "blocks"]


@pytest.mark.parametrize("name", sorted(VALID))
def test_a_year_of_drafts_after_any_sample_is_good_for_a_draft_each_time(name: str) -> None:
    pep = VALID[name]
    terms = []
    for _ in range(4):
        pep = carry.next_draft(pep, signed=True).pep
        assert blocking(pep) == []
        terms.append((pep["pep"]["id"][-5:], pep["pep"]["academic_year"], pep["pep"]["term"]))
    assert terms == [
        ("SPR27", "2026/27", "spring"),
        ("SUM27", "2026/27", "summer"),
        ("AUT27", "2027/28", "autumn"),
        ("SPR28", "2027/28", "spring"),
    ]


@pytest.mark.parametrize("name", sorted(VALID))
def test_the_last_pep_is_not_touched_and_gives_the_same_draft_again(name: str) -> None:
    before = copy.deepcopy(VALID[name])
    first = carry.next_draft(VALID[name], signed=True)
    first.pep["child"].clear()
    assert VALID[name] == before
    assert carry.next_draft(VALID[name], signed=True) != first
    assert carry.next_draft(VALID[name], signed=True) == carry.next_draft(before, signed=True)


def test_the_least_that_a_draft_can_be_has_a_next_one() -> None:
    draft = carry.next_draft(minimal(), signed=False).pep
    assert draft == {
        "schema_version": "1",
        "pep": {"id": "P-1-SPR27", "version": 1, "academic_year": "2026/27", "term": "spring", "type": "review"},
        "child": {},
        "confirmations": {"pep": {"state": "to_confirm"}},
    }


# The reference and the head


@pytest.mark.parametrize(
    ("reference", "following"),
    [
        ("PEP-0008-A26", "PEP-0008-SPR27"),
        ("PEP-0008-AUT26", "PEP-0008-SPR27"),
        ("PEP-0008", "PEP-0008-SPR27"),
        ("PEP-0008-SPR27", "PEP-0008-SPR27-SPR27"),  # not this PEP's own term: part of its name
        ("PEP-0008-A25", "PEP-0008-A25-SPR27"),
        ("A26", "A26-SPR27"),
    ],
)
def test_the_reference_is_the_old_one_with_the_new_term(reference: str, following: str) -> None:
    assert after(head(id=reference))["pep"]["id"] == following


def test_long_references_stay_apart_and_short_enough() -> None:
    ids = {after(head(id="x" * 38 + end))["pep"]["id"] for end in ("a", "b", "ab", "")}
    assert len(ids) == 4
    assert all(len(each) == 40 and each.endswith("-SPR27") for each in ids)
    (again,) = {after(after(head(id="x" * 40)))["pep"]["id"]}
    assert again.endswith("-SUM27")
    assert len(again) == 40


@pytest.mark.parametrize(
    ("year", "term", "following", "grant"),
    [
        ("2026/27", "autumn", ("2026/27", "spring"), "2026-27"),
        ("2026/27", "spring", ("2026/27", "summer"), "2027-28"),
        ("2026/27", "summer", ("2027/28", "autumn"), "2027-28"),
        ("2098/99", "summer", ("2099/00", "autumn"), "2099-00"),
    ],
)
def test_the_term_the_academic_year_and_the_year_of_the_grant_follow(
    year: str, term: str, following: tuple[str, str], grant: str
) -> None:
    draft = after(head(academic_year=year, term=term))
    assert (draft["pep"]["academic_year"], draft["pep"]["term"]) == following
    assert draft["pupil_premium_plus"] == {"financial_year": grant, "stream": "school_age"}


def test_it_is_the_first_version_of_a_review() -> None:
    about = after(head(version=4, type="initial"))["pep"]
    assert (about["version"], about["type"]) == (1, "review")
    assert (about["phase"], about["provision_state"]) == ("secondary", "on_roll")


# What is carried and what is not


def test_what_lasts_is_carried_and_waits_to_be_confirmed() -> None:
    draft = after(QUILL)
    for section in ("child", "care", "people", "transition"):
        assert draft[section] == QUILL[section]
    for part in ("settings", "year_group", "history", "sen", "needs", "achievements"):
        assert draft["education"][part] == QUILL["education"][part]
    assert draft["confirmations"] == {
        section: {"state": "to_confirm"} for section in ("pep", "child", "care", "people", "education", "transition")
    }


def test_what_belongs_to_the_last_meeting_does_not_come_along() -> None:
    draft = after(WINIFRED)
    for section in ("views", "targets", "actions", "exceptions", "sign_offs", "quality", "distribution", "follow_up"):
        assert section not in draft
    for part in ("attendance", "behaviour", "exclusions"):
        assert part not in draft["education"]


def test_the_meeting_that_was_agreed_is_proposed_with_its_chair_and_recorder() -> None:
    assert after(QUILL)["meeting"] == {"date": "2027-02-23", "chair": "vso", "recorder": "vso"}


@pytest.mark.parametrize("said", [{"unknown": "The trial is in January"}, {"none": "Care ends"}])
def test_no_day_is_made_up_for_a_meeting(said: dict[str, str]) -> None:
    draft = after(QUILL, lambda pep: pep["meeting"].update(next_date=said))
    assert draft["meeting"] == {"chair": "vso", "recorder": "vso"}


def test_the_latest_result_of_each_subject_becomes_the_one_before() -> None:
    rows = {row["subject"]: row for row in after(QUILL)["education"]["attainment"]}
    assert rows["English"] == {
        "subject": "English",
        "scale": "Key stage 3 steps 1–9",
        "prior": "4",
        "target": "5",
    }
    assert "prior" not in rows["French"]  # what was not known is no result


def test_a_subject_that_was_not_assessed_keeps_the_result_it_had() -> None:
    once = after(QUILL)
    assert after(once)["education"]["attainment"] == once["education"]["attainment"]


def test_attainment_that_was_not_known_is_asked_afresh() -> None:
    draft = after(QUILL, lambda pep: pep["education"].update(attainment={"unknown": "No reports came"}))
    assert "attainment" not in draft["education"]


def test_a_school_that_has_ended_becomes_history() -> None:
    draft = after(QUILL, lambda pep: pep["education"]["settings"][0].update(to="2026-12-18"))
    assert "settings" not in draft["education"]
    assert draft["education"]["history"][:-1] == QUILL["education"]["history"]
    assert draft["education"]["history"][-1] == {
        "name": "Mockford Academy",
        "urn": "999801",
        "laestab": "9994001",
        "from": "2026-03-02",
        "to": "2026-12-18",
    }
    assert blocking(draft) == []


def test_a_school_that_ends_later_stays_and_ends_when_its_term_has_come() -> None:
    spring = after(QUILL, lambda pep: pep["education"]["settings"][0].update(to="2027-07-20"))
    summer = after(spring)
    assert len(summer["education"]["settings"]) == 1
    assert "settings" not in after(summer)["education"]


def test_of_two_schools_the_one_that_goes_on_stays() -> None:
    def ends_second(pep: dict[str, Any]) -> None:
        pep["education"]["settings"].append({"name": "Pretend Centre", "urn": {"unknown": "None"}, "to": "2026-11-30"})

    draft = after(QUILL, ends_second)
    assert draft["education"]["settings"] == QUILL["education"]["settings"]
    assert draft["education"]["history"][-1] == {"name": "Pretend Centre", "to": "2026-11-30"}
    assert blocking(draft) == []


def test_a_school_that_has_ended_begins_a_history_that_was_not_known() -> None:
    def ends(pep: dict[str, Any]) -> None:
        pep["education"]["history"] = {"unknown": "No records came"}
        pep["education"]["settings"][0]["to"] = "2026-12-18"

    assert [row["name"] for row in after(QUILL, ends)["education"]["history"]] == ["Mockford Academy"]


# What the next meeting resolves


def test_targets_wait_for_their_outcome() -> None:
    draft = after(QUILL)
    assert draft["previous_targets"] == [{"id": row["id"], "target": row["target"]} for row in QUILL["targets"]]


def test_actions_wait_unless_it_is_known_what_became_of_them() -> None:
    def report(pep: dict[str, Any]) -> None:
        pep["actions"][1]["status"] = "done"
        pep["actions"][2]["status"] = "cancelled"
        pep["follow_up"] = {
            "actions": [
                {"action_id": "A1", "status": "done", "note": "All told", "on": "2026-12-04"},
                {"action_id": "A1", "status": "in_progress", "on": "2026-11-25"},
                {"action_id": "A2", "status": "open", "note": "Not so: no date yet"},
            ]
        }

    rows = {row["id"]: row for row in after(QUILL, report)["previous_actions"]}
    assert rows["A1"] == {
        "id": "A1",
        "action": QUILL["actions"][0]["action"],
        "owner": "dt",
        "outcome": "done",
        "note": "All told",
    }
    assert "outcome" not in rows["A2"]
    assert rows["A2"]["note"] == "Not so: no date yet"
    assert rows["A3"]["outcome"] == "no_longer_needed"
    assert "outcome" not in rows["A4"]


def test_what_was_spent_on_a_line_is_added_up_and_what_it_changed_comes_along() -> None:
    spend = [
        {"line_id": "L1", "spent": "213.00", "spent_on": "2027-01-15", "impact": "Two months’ progress"},
        {"line_id": "L1", "spent": "106.50", "spent_on": "2026-12-11", "impact": "Settled with the tutor"},
        {"line_id": "L3", "spent": "0.00", "spent_on": "2026-12-11"},
    ]
    rows = {row["line_id"]: row for row in after({**QUILL, "follow_up": {"spend": spend}})["previous_spend"]}
    assert rows["L1"] == {
        "line_id": "L1",
        "item": "Reading tuition, one to one",
        "cost": "426.00",
        "spent": "319.50",
        "impact": "Two months’ progress",
    }
    assert rows["L2"] == {"line_id": "L2", "item": "Mathematics tuition, one to one", "cost": "304.00"}
    assert rows["L3"]["spent"] == "0.00"


def test_money_that_came_back_is_nothing_to_account_for() -> None:
    refund = {"id": "L9", "item": "Reading tuition, one to one", "cost": "-35.50"}
    draft = after(QUILL, lambda pep: pep["pupil_premium_plus"]["lines"].append(refund))
    assert [row["line_id"] for row in draft["previous_spend"]] == ["L1", "L2", "L3", "L4"]


def test_a_target_carried_on_and_not_set_again_still_waits_under_a_reference_of_its_own() -> None:
    def carried(pep: dict[str, Any]) -> None:
        pep["previous_targets"][1]["outcome"] = "carried"
        pep["previous_targets"][2] |= {"outcome": "carried", "target": pep["targets"][0]["target"]}

    rows = after(QUILL, carried)["previous_targets"]
    assert [row["id"] for row in rows] == ["T1", "T2", "T3", "T4", "T2-AUT26"]
    assert rows[-1] == {"id": "T2-AUT26", "target": QUILL["previous_targets"][1]["target"]}


def test_what_the_last_pep_left_unresolved_is_not_lost() -> None:
    spring = after(QUILL)
    summer = after(spring)
    for name in ("previous_targets", "previous_actions", "previous_spend"):
        assert summer[name] == spring[name]


def test_references_stay_apart_however_long_and_however_often() -> None:
    def unresolved(pep: dict[str, Any]) -> None:
        pep["targets"] = [{"id": "T" * 40}, {"id": "T" * 30 + "-AUT26"}]
        pep["previous_targets"] = [{"id": "T" * 40, "target": "To swim 25 metres"}]

    ids = [row["id"] for row in after(QUILL, unresolved)["previous_targets"]]
    assert ids == ["T" * 40, "T" * 30 + "-AUT26", "T" * 30 + "-AUT26-2"]


def test_previous_targets_that_were_never_received_do_not_hide_this_terms() -> None:
    year_5 = VALID["year-5-review"]
    assert "unknown" in year_5["previous_targets"]
    assert [row["id"] for row in after(year_5)["previous_targets"]] == [row["id"] for row in year_5["targets"]]


def test_no_grant_is_asked_for_where_there_was_none() -> None:
    assert "pupil_premium_plus" not in after(minimal())


# What the person is told


def test_a_pep_that_was_never_signed_off_is_said_to_be_one() -> None:
    assert "never signed off" in notes(QUILL, signed=False)
    assert "never signed off" not in notes(QUILL)


def test_the_person_is_told_what_waits_and_what_to_ask_for() -> None:
    said = notes(QUILL)
    assert "targets 4, actions 5, lines of Pupil Premium Plus 4" in said
    assert "Pupil Premium Plus in 2026-27" in said
    assert "6 parts" in said
    assert "older result under “Prior” in 2 of" in said


def test_a_new_academic_year_changes_no_year_group_but_asks() -> None:
    summer = head(term="summer")
    assert after(summer)["education"]["year_group"] == "8"
    assert "2027/28 begins" in notes(summer)
    assert "begins" not in notes(QUILL)


def test_the_end_of_care_and_of_meetings_asks_whether_there_is_to_be_a_pep() -> None:
    assert "care has ended or ends" in notes(WINIFRED)
    assert "no next meeting" in notes(WINIFRED)
    assert "set one" not in notes(WINIFRED)


def test_after_a_death_it_is_said_that_no_other_pep_is_needed() -> None:
    pep = QUILL | {"follow_up": {"died_on": "2027-01-05"}}
    assert "No other PEP is needed" in carry.next_draft(pep, signed=True).notes[0]


def test_a_meeting_without_a_day_asks_for_one() -> None:
    assert "set one" in notes(QUILL, meeting={"next_date": {"unknown": "The trial is in January"}})


def test_a_school_that_ended_and_a_move_that_was_planned_ask_where_the_child_learns() -> None:
    settings = [{"name": "Mockford Academy", "to": "2026-12-18"}]
    assert "where the child learns now" in notes(QUILL, education={"settings": settings})
    said = notes(QUILL, education={"settings": settings, "history": {"unknown": "No records came"}})
    assert "see the last PEP for the reason" in said
    assert "planned falls" in notes(QUILL, transition={"start": "2027-01-06"})
    assert "planned falls" not in notes(QUILL, transition={"start": "2027-09-02"})


@pytest.mark.parametrize("name", sorted(VALID))
def test_no_note_holds_a_fact_about_the_child(name: str) -> None:
    pep = VALID[name]
    said = notes(pep, signed=False)
    people = [person["name"] for person in pep["people"]]
    schools = [row["name"] for row in pep["education"].get("settings", [])]
    for fact in (*people, *schools, *pep["child"]["legal_name"].values(), pep["child"]["preferred_name"]):
        assert fact not in said
