"""PEPs judged in one run: a UPN that two children hold is found, and whose it is asked; one child keeps its own."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pepforms import check, profile
from pepforms.cli import commands
from pepforms.model import STAGES, Problem
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
GOOD = json.loads((folder("samples") / "valid" / "year-8-confidential-placement.json").read_text(encoding="utf-8"))
OTHER = json.loads((folder("samples") / "valid" / "year-9-dual-roll.json").read_text(encoding="utf-8"))
SLUG = "upn-of-another-child"


def pep(upn: object = GOOD["child"]["upn"], **numbers: str | None) -> dict[str, Any]:
    """A PEP of a child with these numbers; None takes one out."""
    made = copy.deepcopy(GOOD)
    made["child"] |= {"upn": upn, "former_lcs_person_id": None, **numbers}
    made["child"] = {key: value for key, value in made["child"].items() if value is not None}
    return made


def judged(*peps: Any) -> list[list[Problem]]:
    """What is said of the UPN of each PEP, judged in this order as a.json, b.json and so on."""
    run = check.Together()
    return [
        [
            problem
            for problem in check.check(json.dumps(each).encode(), "draft", HILLINGDON, run.beside(name)).problems
            if problem.slug == SLUG
        ]
        for name, each in zip(("a.json", "b.json", "c.json", "d.json"), peps, strict=False)
    ]


def named(*peps: Any) -> list[list[str]]:
    """Of each PEP the other source that is named."""
    return [[problem.message.split("the PEP in ")[1].split(" is ")[0] for problem in found] for found in judged(*peps)]


def test_the_later_pep_names_the_earlier_in_whatever_order_they_come() -> None:
    one, two = pep(lcs_person_id="900001"), pep(lcs_person_id="900002")
    assert named(one, two) == named(two, one) == [[], ["a.json"]]


def test_it_warns_at_the_number_in_the_order_of_the_form_and_names_neither_number_nor_child() -> None:
    _, (problem,) = judged(pep(lcs_person_id="900001"), pep(lcs_person_id="900002"))
    assert (problem.severity, problem.explainable, problem.pointer) == ("warns", False, "/child/upn")
    assert (problem.section, problem.owner) == ("child", "designated_teacher")
    for secret in (GOOD["child"]["upn"], GOOD["child"]["preferred_name"], "900001", "900002"):
        assert secret not in problem.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"lcs_person_id": "900001"}, {"lcs_person_id": "900001"}),
        ({"lcs_person_id": "900001"}, {"lcs_person_id": "900002", "former_lcs_person_id": "900001"}),
        ({"lcs_person_id": "900002", "former_lcs_person_id": "900001"}, {"lcs_person_id": "900001"}),
        (
            {"lcs_person_id": "900002", "former_lcs_person_id": "900001"},
            {"lcs_person_id": "900003", "former_lcs_person_id": "900001"},
        ),
    ],
)
def test_two_peps_of_one_child_share_its_number_rightly(first: dict[str, str], second: dict[str, str]) -> None:
    assert named(pep(**first), pep(**second)) == [[], []]


def test_a_child_known_by_a_former_number_stays_the_same_child() -> None:
    one, joined = pep(lcs_person_id="900001"), pep(lcs_person_id="900002", former_lcs_person_id="900001")
    again = pep(lcs_person_id="900003", former_lcs_person_id="900002")
    assert named(one, joined, again) == [[], [], []]


def test_of_several_children_each_later_one_is_told_the_first_that_is_another() -> None:
    one, two = pep(lcs_person_id="900001"), pep(lcs_person_id="900002")
    assert named(one, two, two, one) == [[], ["a.json"], ["a.json"], ["b.json"]]


@pytest.mark.parametrize("upn", [{"unknown": "UN4"}, GOOD["child"]["upn"][:-1], "A" + GOOD["child"]["upn"][1:], None])
def test_what_is_no_number_is_nobodys(upn: object) -> None:
    assert named(pep(upn, lcs_person_id="900001"), pep(upn, lcs_person_id="900002")) == [[], []]


def test_whose_pep_it_is_is_not_guessed_where_it_has_no_lcs_number() -> None:
    assert named(pep(lcs_person_id=None), pep(lcs_person_id="900002")) == [[], []]
    assert named(pep(lcs_person_id="900002"), pep(lcs_person_id=None)) == [[], []]


def test_other_numbers_and_a_run_of_its_own_are_no_matter() -> None:
    assert named(GOOD, OTHER) == [[], []]
    assert named(pep(lcs_person_id="900002")) == [[]]


def test_no_json_that_is_no_pep_harms_the_run() -> None:
    assert named([], {"child": 7}, {"child": {"upn": GOOD["child"]["upn"], "lcs_person_id": 7}}, GOOD) == [[]] * 4


@pytest.mark.parametrize("stage", STAGES)
def test_validate_says_so_of_lines_and_files_and_still_exits_well(stage: str, tmp_path: Path) -> None:
    lines = [json.dumps(pep(lcs_person_id=number) | {"sign_offs": []}) for number in ("900001", "900002")]
    (tmp_path / "b.jsonl").write_text("\n".join(lines))
    (tmp_path / "c.json").write_text(lines[1])
    result = CliRunner().invoke(commands, ["validate", str(tmp_path), "--stage", stage, "--format", "json"])
    found = [
        [problem["message"] for problem in entry["problems"] if problem["slug"] == SLUG]
        for entry in json.loads(result.stdout)["results"]
    ]
    assert [len(each) for each in found] == [0, 1, 1]
    assert all(f"{tmp_path}/b.jsonl#1 is another" in each[0] for each in found[1:])
