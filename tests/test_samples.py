"""Every sample is a test by existing: a valid one passes its stage, an invalid one raises the slug that names it."""

import json
from pathlib import Path

import pytest

from pepforms import check, profile, schema
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
VALID = sorted((folder("samples") / "valid").glob("*.json"))
INVALID = sorted((folder("samples") / "invalid").glob("*.json"))
JARGON = ("$ref", "regex", "pattern", "instance", "property", "properties", "schema", "jsonschema", "null)", "None")


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_sample_is_ready_to_be_signed(path: Path) -> None:
    checked = check.check(path.read_bytes(), "sign-off", HILLINGDON)
    assert [problem.message for problem in checked.problems if problem.severity == "blocks"] == []
    assert len(checked.problems) <= 1


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_signed_sample_is_good_for_a_record_and_an_unsigned_one_lacks_only_that(path: Path) -> None:
    signed = json.loads(path.read_text(encoding="utf-8"))["sign_offs"]
    checked = check.check(path.read_bytes(), "record", HILLINGDON)
    blocking = [problem.slug for problem in checked.problems if problem.severity == "blocks"]
    assert blocking == ([] if signed else ["not-signed-off"])


def test_the_samples_cover_the_phases_and_at_least_five_are_signed() -> None:
    peps = [json.loads(path.read_text(encoding="utf-8")) for path in VALID]
    phase = schema.load().at(["pep", "phase"])
    assert phase is not None
    assert {pep["pep"]["phase"] for pep in peps} == phase.labels.keys()
    assert sum(bool(pep["sign_offs"]) for pep in peps) >= 5
    assert len({pep["pep"]["id"] for pep in peps}) == len(peps)
    assert len({pep["child"]["lcs_person_id"] for pep in peps}) == len(peps)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_sample_is_refused_for_its_one_fault(path: Path) -> None:
    checked = check.check(path.read_bytes(), "record", HILLINGDON)
    assert [problem.slug for problem in checked.problems if problem.severity == "blocks"] == [path.stem]
    assert not checked.valid


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_message_says_what_to_do_in_plain_words_and_gives_no_secret_away(path: Path) -> None:
    for problem in check.check(path.read_bytes(), "record", HILLINGDON).problems:
        assert problem.message.endswith((".", "?", ")"))
        assert not [word for word in JARGON if word in problem.message]
        for secret in ("2014-03-14", "14 March 2014", "Invented Street", "999999914001", "Testchild"):
            assert secret not in problem.message


def test_every_rule_that_blocks_has_a_sample_that_breaks_it() -> None:
    blocking = {each.slug for each in check.rules.every() if each.severity == "blocks"}
    assert blocking - {path.stem for path in INVALID} == set()
