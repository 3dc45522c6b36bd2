"""Every sample is a test by existing: a valid one passes its stage, an invalid one raises the slug that names it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pepforms import check, profile, schema
from pepforms.check.together import RULE
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
ELSEWHERE = {
    "too-few-targets": profile.load("example-shire"),
    "child-not-listed": replace(HILLINGDON, meeting_expected=("social_worker",)),
}
"""Samples of a fault that only another authority's profile knows."""
WARNING = {each.slug for each in check.rules.every() if each.severity == "warns"}
VALID = sorted((folder("samples") / "valid").glob("*.json"))
INVALID = sorted((folder("samples") / "invalid").glob("*.json"))
JARGON = ("$ref", "regex", "pattern", "instance", "property", "properties", "schema", "jsonschema", "null)", "None")


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_sample_is_ready_to_be_signed(path: Path) -> None:
    checked = check.check(path.read_bytes(), "sign-off", HILLINGDON)
    assert [problem.message for problem in checked.problems if problem.severity == "blocks"] == []
    assert len(checked.problems) <= 2


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_signed_sample_is_good_for_a_record_and_an_unsigned_one_lacks_only_that(path: Path) -> None:
    signed = json.loads(path.read_text(encoding="utf-8"))["sign_offs"]
    checked = check.check(path.read_bytes(), "record", HILLINGDON)
    blocking = [problem.slug for problem in checked.problems if problem.severity == "blocks"]
    assert blocking == ([] if signed else ["not-signed-off"])


def test_the_samples_are_the_twelve_children_each_signed_off_and_one_draft() -> None:
    peps = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in VALID}
    assert [name for name, pep in peps.items() if not pep["sign_offs"]] == ["year-3-draft"]
    assert len(peps) == 13
    phase, state = (schema.load().at(["pep", name]) for name in ("phase", "provision_state"))
    assert phase is not None
    assert state is not None
    assert {pep["pep"]["phase"] for pep in peps.values()} == phase.labels.keys()
    assert {pep["pep"]["provision_state"] for pep in peps.values()} >= {
        "on_roll",
        "alternative_provision",
        "no_school",
        "custody",
        "neet",
    }
    for part, name in (("pep", "id"), ("child", "lcs_person_id")):
        assert len({pep[part][name] for pep in peps.values()}) == len(peps)


def test_real_children_fit() -> None:
    peps = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in VALID}
    assert len(peps["unaccompanied-16-tigrinya"]["child"]["legal_name"]) == 1
    assert "email" not in next(row for row in peps["year-5-review"]["people"] if row["role"] == "parent")
    assert "unknown" in peps["year-6-ehc-plan-wales"]["education"]["settings"][0]["urn"]
    assert "none" in peps["year-11-leaver"]["meeting"]["next_date"]
    assert "refund_reason" in peps["year-9-dual-roll"]["pupil_premium_plus"]["lines"][2]


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_sample_has_the_fault_that_names_it_and_no_other_that_stops_it(path: Path) -> None:
    checked = check.check(path.read_bytes(), "record", ELSEWHERE.get(path.stem, HILLINGDON))
    warns = path.stem in WARNING
    assert [problem.slug for problem in checked.problems if problem.severity == "blocks"] == [path.stem] * (not warns)
    assert path.stem in {problem.slug for problem in checked.problems}
    assert checked.valid is warns


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_message_says_what_to_do_in_plain_words_and_gives_no_secret_away(path: Path) -> None:
    for problem in check.check(path.read_bytes(), "record", HILLINGDON).problems:
        assert problem.message.endswith((".", "?", ")"))
        assert not [word for word in JARGON if word in problem.message]
        for secret in ("2014-03-14", "14 March 2014", "Invented Street", "312999914001", "Testchild"):
            assert secret not in problem.message


def test_two_children_of_one_file_hold_one_upn() -> None:
    run = check.Together()
    path = folder("samples") / "invalid" / f"{RULE.slug}.jsonl"
    found = [
        [problem.slug for problem in check.check(line, "record", HILLINGDON, run.beside(str(at))).problems]
        for at, line in enumerate(path.read_bytes().splitlines())
    ]
    assert found == [[], [RULE.slug]]


def test_every_rule_has_a_sample_that_breaks_it() -> None:
    assert {each.slug for each in check.rules.every()} - {path.stem for path in INVALID} == set()
