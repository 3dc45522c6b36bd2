"""Migration: an older PEP is read as today's, what was signed keeps its digest, a newer one is refused."""

import copy
from typing import Any

import pytest

from pepforms import migrate, schema
from pepforms.digest import pep_digest
from pepforms.errors import Refused

PEP = {"schema_version": "1", "pep": {"id": "PEP-1", "term": "autumn"}, "sign_offs": [{"digest": "0" * 64}]}


def renames_term(pep: dict[str, Any]) -> dict[str, Any]:
    head = {key: value for key, value in pep["pep"].items() if key != "term"}
    return {**pep, "pep": {**head, "season": pep["pep"]["term"]}}


def adds_people(pep: dict[str, Any]) -> dict[str, Any]:
    return {**pep, "people": [pep["pep"]["season"]]}


def test_a_pep_of_today_comes_back_as_it_is_with_its_digest() -> None:
    assert migrate.current(PEP) == (PEP, pep_digest(PEP))


def test_an_older_pep_goes_through_every_step_in_order() -> None:
    migrated, _ = migrate.current(PEP, {1: renames_term, 2: adds_people}, newest=3)
    assert migrated == {
        "schema_version": "3",
        "pep": {"id": "PEP-1", "season": "autumn"},
        "people": ["autumn"],
        "sign_offs": PEP["sign_offs"],
    }


def test_a_pep_halfway_goes_through_the_rest_alone() -> None:
    halfway = {**renames_term(PEP), "schema_version": "2"}
    migrated, _ = migrate.current(halfway, {1: renames_term, 2: adds_people}, newest=3)
    assert migrated["people"] == ["autumn"]


def test_the_digest_is_that_of_the_data_as_they_were_signed() -> None:
    migrated, as_signed = migrate.current(PEP, {1: renames_term}, newest=2)
    assert as_signed == pep_digest(PEP) != pep_digest(migrated)


def test_what_was_signed_is_not_touched() -> None:
    before = copy.deepcopy(PEP)
    migrate.current(PEP, {1: renames_term}, newest=2)
    assert before == PEP


@pytest.mark.parametrize("version", ["2", "10", "999999"])
def test_a_newer_pep_is_refused_and_says_what_would_read_it(version: str) -> None:
    with pytest.raises(
        Refused, match=f"version {version} of the format.*reads version 1 at most.*newer pepforms"
    ) as it:
        migrate.current({**PEP, "schema_version": version})
    assert it.value.slug == "newer-schema-version"


@pytest.mark.parametrize("written", [None, 2, 1.5, True, "", "two", "2.0", "01", "-1", "٢", "9" * 5000, ["2"], "1\n"])
def test_a_version_that_is_none_is_left_to_the_check(written: object) -> None:
    pep = {**PEP, "schema_version": written}
    assert migrate.current(pep)[0] is pep


def test_a_missing_version_is_left_to_the_check() -> None:
    pep = {"pep": PEP["pep"]}
    assert migrate.current(pep)[0] is pep


def test_a_version_that_no_step_reads_is_left_to_the_check() -> None:
    older = {**PEP, "schema_version": "0"}
    assert migrate.current(older)[0] is older
    assert migrate.current(older, {0: renames_term}, newest=3)[0] is older


def test_the_chain_that_we_carry_leads_from_one_version_to_the_next_up_to_the_schema() -> None:
    errors = schema.load().validator.iter_errors({"schema_version": str(migrate.CURRENT)})
    assert ["schema_version"] not in [list(error.absolute_path) for error in errors]
    assert sorted(migrate.STEPS) == list(range(migrate.CURRENT - len(migrate.STEPS), migrate.CURRENT))
