"""Sections: whose each is, how far it has come, what is missing, and by when it was due."""

import copy
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from pepforms import check, profile, schema
from pepforms.check.sections import Section, sections, table
from pepforms.model import AUDIENCES
from pepforms.profile import Profile
from pepforms.resources import folder

HILLINGDON, SHIRE = profile.load("hillingdon"), profile.load("example-shire")
VALID = sorted((folder("samples") / "valid").glob("*.json"))
GOOD = json.loads((folder("samples") / "valid" / "year-8-confidential-placement.json").read_text(encoding="utf-8"))
UNSIGNED = GOOD | {"sign_offs": []}
HELD = date.fromisoformat(GOOD["meeting"]["date"])
DAY = timedelta(days=1)


def listed(pep: dict[str, Any], ours: Profile = HILLINGDON, today: date = HELD) -> list[Section]:
    return sections(pep, check.check(json.dumps(pep).encode(), "sign-off", ours).problems, ours, today)


def named(
    name: str, change: Callable[[dict[str, Any]], object], ours: Profile = HILLINGDON, today: date = HELD
) -> Section:
    pep = copy.deepcopy(UNSIGNED)
    change(pep)
    return next(row for row in listed(pep, ours, today) if row.name == name)


def nothing(pep: dict[str, Any]) -> None:
    """No change."""


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_pep_ready_to_be_signed_has_no_section_open(path: Any) -> None:
    rows = listed(json.loads(path.read_text(encoding="utf-8")))
    assert {row.state for row in rows} <= {"complete", "not asked", "confirmed unchanged"}
    assert not any(row.missing for row in rows)


def test_the_sections_come_in_the_order_of_the_form_each_with_its_owner() -> None:
    rows = listed(UNSIGNED)
    assert [row.name for row in rows][:8] == [
        "pep",
        "child",
        "care",
        "people",
        "education",
        "views.child",
        "views.carer",
        "views.parent",
    ]
    assert {(row.letter, row.owner) for row in rows if row.name in ("child", "care")} == {("A", "social_worker")}
    assert next(row.owner for row in rows if row.name == "views.carer") == "carer"


def test_a_section_names_whoever_has_its_role_or_stands_in() -> None:
    worker = next(row for row in GOOD["people"] if row["role"] == "social_worker")
    cover = {"id": "duty", "role": "other", "name": "Perry Coverdale", "covers": "social_worker"}
    for covers in ("social_worker", worker["id"]):
        pep = UNSIGNED | {"people": [*GOOD["people"], cover | {"covers": covers}]}
        row = next(row for row in listed(pep) if row.name == "care")
        assert row.people == (worker["name"], "Perry Coverdale")


def test_a_section_without_anything_is_not_started_and_says_what_to_fill_in() -> None:
    row = named("care", lambda pep: pep.pop("care"))
    assert row.state == "not started"
    assert [problem.slug for problem in row.missing] == ["needed"]
    assert "Placement" in row.fields


def test_what_this_child_is_not_asked_for_is_not_waited_for() -> None:
    assert named("previous_spend", lambda pep: pep.pop("previous_spend", None)).state == "not asked"


def test_a_carer_who_is_asked_is_waited_for_even_when_no_view_is_there_yet() -> None:
    states = {name: named(name, lambda pep: pep.pop("views")).state for name in ("views.child", "views.carer")}
    assert states == {"views.child": "not started", "views.carer": "not started"}
    assert named("views.parent", lambda pep: pep.pop("views")).state == "not asked"


def test_a_section_with_something_missing_is_in_progress() -> None:
    row = named("education", lambda pep: pep["education"].pop("year_group"))
    assert row.state == "in progress"
    assert [problem.pointer for problem in row.missing] == ["/education/year_group"]
    assert named("views.child", lambda pep: pep["views"]["child"].pop("words")).state == "in progress"


def test_what_only_warns_leaves_a_section_complete() -> None:
    row = named("targets", lambda pep: pep["targets"][0].pop("domain"))
    assert row.state == "complete"
    assert row.to_check


def test_what_was_carried_over_is_to_confirm_and_then_confirmed_unchanged() -> None:
    carried = named("care", lambda pep: pep.update(confirmations={"care": {"state": "to_confirm"}}))
    assert carried.state == "to confirm"
    assert [problem.slug for problem in carried.missing] == ["not-confirmed"]
    mark = {"state": "confirmed", "by": "vso", "on": "2026-11-16"}
    assert named("care", lambda pep: pep.update(confirmations={"care": mark})).state == "confirmed unchanged"


def test_what_was_confirmed_and_lacks_something_is_in_progress() -> None:
    def confirmed_and_broken(pep: dict[str, Any]) -> None:
        pep["confirmations"] = {"care": {"state": "confirmed", "by": "vso", "on": "2026-11-16"}}
        del pep["care"]["looked_after_from"]

    assert named("care", confirmed_and_broken).state == "in progress"


@pytest.mark.parametrize("lacks", ["by", "on"])
def test_a_confirmation_names_who_and_when(lacks: str) -> None:
    mark = {"state": "confirmed", "by": "vso", "on": "2026-11-16"}
    del mark[lacks]
    row = named("care", lambda pep: pep.update(confirmations={"care": mark}))
    assert (row.state, [problem.pointer for problem in row.missing]) == (
        "in progress",
        [f"/confirmations/care/{lacks}"],
    )


def test_a_confirmation_by_nobody_of_this_pep_is_a_problem_of_its_section() -> None:
    mark = {"state": "confirmed", "by": "nobody", "on": "2026-11-16"}
    row = named("care", lambda pep: pep.update(confirmations={"care": mark}))
    assert [problem.pointer for problem in row.missing] == ["/confirmations/care/by"]


def test_only_the_authority_sees_confirmations() -> None:
    field = schema.load().at(["confirmations"])
    assert field is not None
    assert {audience for each in field.walk() for audience in each.audience} == {"authority"}
    assert set(AUDIENCES) != {"authority"}


def test_every_section_that_people_fill_in_can_be_confirmed() -> None:
    root = schema.load().root
    about = {"schema_version", "confirmations", "exceptions", "sign_offs", "quality", "distribution", "follow_up"}
    confirmable = root.fields["confirmations"].fields
    assert {name for name in root.fields if name not in about} == set(confirmable)
    assert all(field.section == name for name, field in confirmable.items())


def test_a_section_was_due_when_the_authority_says_and_nobody_guesses() -> None:
    assert named("care", nothing).due is None
    held = date.fromisoformat(GOOD["meeting"]["date"])
    due = named("care", nothing, SHIRE).due
    assert due is not None
    assert due < held
    assert named("care", lambda pep: pep["meeting"].pop("date"), SHIRE).due is None
    assert named("targets", nothing, SHIRE).due is None


def without_care(pep: dict[str, Any]) -> None:
    del pep["care"]


def test_an_open_section_is_late_from_the_day_after_it_was_due() -> None:
    due = named("care", without_care, SHIRE).due
    assert due == date(2026, 11, 10)
    for today, since in ((due, (None, None)), (due + DAY, (due, "due")), (HELD + DAY, (due, "due"))):
        row = named("care", without_care, SHIRE, today)
        assert (row.since, row.since_what) == since


def test_without_a_clock_an_open_section_waits_from_the_day_after_the_meeting() -> None:
    for today, since in ((HELD, (None, None)), (HELD + DAY, (HELD, "meeting"))):
        row = named("care", without_care, HILLINGDON, today)
        assert (row.since, row.since_what) == since


def test_what_is_complete_or_not_asked_is_waited_for_since_never() -> None:
    rows = listed(UNSIGNED, SHIRE, HELD + 100 * DAY)
    assert {row.since for row in rows} == {None}


def test_since_when_is_not_guessed_where_no_day_is_known() -> None:
    row = named("care", lambda pep: (pep.pop("care"), pep["meeting"].pop("date")), HILLINGDON, HELD + 100 * DAY)
    assert (row.state, row.since, row.since_what) == ("not started", None, None)


@pytest.mark.parametrize(
    ("ours", "today", "says"),
    [
        (SHIRE, date(2026, 11, 10), "not late: due by 10 November 2026"),
        (SHIRE, date(2026, 11, 11), "late: was due by 10 November 2026"),
        (HILLINGDON, HELD, "not known"),
        (HILLINGDON, HELD + DAY, "the meeting, 17 November 2026"),
    ],
)
def test_the_table_says_since_when_an_open_section_is_waited_for(ours: Profile, today: date, says: str) -> None:
    lines = table(listed({key: part for key, part in UNSIGNED.items() if key != "care"}, ours, today)).splitlines()
    assert [line.rpartition("  ")[2] for line in lines if "Care information   " in line] == [says]
    assert [line.rpartition("  ")[2] for line in lines if "   People   " in line] == ["complete"]


def test_nothing_that_stops_sign_off_falls_between_the_sections() -> None:
    for path in sorted((folder("samples") / "invalid").glob("*.json")):
        checked = check.check(path.read_bytes(), "sign-off", HILLINGDON)
        if checked.pep is not None:
            rows = sections(checked.pep, checked.problems, HILLINGDON, HELD)
            shown = [problem for row in rows for problem in (*row.missing, *row.to_check)]
            assert sorted(shown, key=repr) == sorted(checked.problems, key=repr), path.stem


def test_two_authorities_ask_other_people_and_show_other_letters() -> None:
    ours, theirs = named("targets", nothing), named("targets", nothing, SHIRE)
    assert (ours.letter, ours.called) == (None, "Virtual School Officer")
    assert (theirs.letter, theirs.called) == ("E", "Designated teacher")


def test_a_section_is_reported_as_json() -> None:
    row = named("education", lambda pep: pep["education"].pop("year_group"), SHIRE).as_json()
    assert json.loads(json.dumps(row)) == row
    assert (row["section"], row["state"], row["letter"]) == ("education", "in progress", "C")
    assert row["missing"][0]["pointer"] == "/education/year_group"
    assert date.fromisoformat(row["due"]) < HELD
    assert (row["since"], row["since_what"]) == (row["due"], "due")


def test_the_table_shows_each_section_on_a_line_and_what_is_missing_under_it() -> None:
    pep = copy.deepcopy(UNSIGNED)
    del pep["care"]
    del pep["targets"][0]["target"]
    text = table(listed(pep, SHIRE))
    lines = text.splitlines()
    assert lines[0].split() == ["Section", "Whose", "State", "Since"]
    care = next(position for position, line in enumerate(lines) if line.startswith("B  Care"))
    assert "not started" in lines[care]
    assert lines[care + 1].strip() == "Care information: this is needed before sign-off. Fill it in."
    assert lines[care + 2].strip().startswith("To fill in: ")
    assert all(line == line.rstrip() for line in lines)
