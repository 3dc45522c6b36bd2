"""The schema: every field says what it is, whose it is and who may see it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012, SchemaRegistry

from pepforms import codes, profile, schema
from pepforms.errors import Broken, Misconfigured
from pepforms.model import AUDIENCES
from pepforms.resources import folder
from pepforms.schema import Field

FIELDS = list(schema.load().root.walk())
LAW = {"1a", "1b", "1c", "1d", "1e", "2a", "2b", "2c", "3a", "3b", "4", "5"}


def field(*steps: str | int) -> Field:
    found = schema.load().at(steps)
    assert found is not None, steps
    return found


@pytest.mark.parametrize("path", sorted(folder("schemas").glob("*.json")), ids=lambda path: path.name)
def test_each_file_is_itself_a_valid_schema(path: Path) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("each", FIELDS, ids=lambda each: each.pointer or "PEP")
def test_every_field_says_what_it_is_and_whose(each: Field) -> None:
    assert each.title.strip()
    assert each.description.strip()
    assert each.section in schema.load().root.fields
    assert each.owner in field("people", 0, "role").labels
    assert "authority" in each.audience
    assert each.audience <= set(AUDIENCES)
    assert each.needed in (None, "blocks", "warns")
    assert set(each.law) <= LAW


@pytest.mark.parametrize("path", sorted((folder("samples") / "valid").glob("*.json")), ids=lambda path: path.stem)
def test_any_validator_that_follows_the_references_accepts_our_samples(path: Path) -> None:
    files = [json.loads(file.read_text(encoding="utf-8")) for file in folder("schemas").glob("*.json")]
    registry: SchemaRegistry = Registry().with_resources(
        (each["$id"], DRAFT202012.create_resource(each)) for each in files
    )
    root = {"$ref": next(each["$id"] for each in files if each["$id"].endswith("/pep.schema.json"))}
    Draft202012Validator(root, registry=registry).validate(json.loads(path.read_text(encoding="utf-8")))


def test_the_twelve_facts_that_the_law_asks_for_all_have_a_home() -> None:
    assert {item for each in FIELDS for item in each.law} == LAW


def test_what_is_asked_names_phases_and_states_that_exist() -> None:
    for each in FIELDS:
        for about, values in each.asked_when.items():
            assert values <= field("pep", about).labels.keys()


def test_values_kept_for_the_authority_are_values_of_their_field() -> None:
    for each in FIELDS:
        allowed = codes.known(each.codes).keys() if each.codes else each.labels.keys()
        assert each.authority_only <= allowed


@pytest.mark.parametrize(
    ("steps", "audience"),
    [
        (("child", "preferred_name"), {"school", "carer", "parent", "child"}),
        (("child", "legal_name"), {"school", "carer", "parent"}),
        (("child", "lcs_person_id"), set()),
        (("child", "date_of_birth_status"), set()),
        (("child", "upn"), {"school"}),
        (("child", "uln"), {"school"}),
        (("child", "ethnicity"), set()),
        (("child", "religion"), set()),
        (("child", "first_language"), {"school", "carer"}),
        (("care", "looked_after_from"), set()),
        (("care", "legal_status"), {"school", "carer"}),
        (("care", "need"), set()),
        (("care", "circumstances", "youth_justice"), set()),
        (("care", "placement", "address"), {"carer", "parent"}),
        (("care", "placement", "confidential"), set()),
        (("care", "placement", "previous", "reason"), set()),
        (("care", "collection", "may_collect"), {"school", "carer"}),
        (("care", "sdq", "score"), set()),
        (("care", "sdq", "strategies"), {"school", "carer"}),
        (("care", "parental_responsibility"), {"school", "carer", "parent"}),
        (("views", "carer", "words"), {"school", "carer"}),
        (("views", "parent", 0, "words"), {"school", "parent"}),
        (("pupil_premium_plus", "lines", 0, "item"), {"school", "carer", "parent", "child"}),
        (("pupil_premium_plus", "lines", 0, "cost"), {"school"}),
        (("pupil_premium_plus", "other_funding"), set()),
        (("exceptions", 0, "reason"), set()),
        (("quality", "grade"), set()),
        (("distribution", 0, "recipient"), set()),
        (("follow_up", "actions"), set()),
        (("sign_offs", 0, "name"), {"school", "carer", "parent"}),
    ],
)
def test_who_may_see_what_is_what_the_matrix_says(steps: tuple[str | int, ...], audience: set[str]) -> None:
    assert field(*steps).audience == {"authority", *audience}


def test_a_part_is_open_to_whoever_may_see_something_in_it() -> None:
    assert "school" in field("care").audience
    assert "child" in field("pupil_premium_plus", "lines").audience


@pytest.mark.parametrize(
    "pointer",
    ["/care/placement/address", "/meeting/venue", "/education/settings", "/people/*/email", "/sign_offs/*/name"],
)
def test_what_could_reveal_where_the_child_lives_is_marked(pointer: str) -> None:
    assert next(each for each in FIELDS if each.pointer == pointer).placement


def test_a_fact_that_cannot_be_known_keeps_its_real_type() -> None:
    upn, next_date = field("child", "upn"), field("meeting", "next_date")
    assert (upn.unknowable, upn.type, upn.format) == (True, "string", "upn")
    assert (next_date.unknowable, next_date.format) == (True, "date")


def test_a_child_may_have_one_name_only_and_no_school() -> None:
    pep = {
        "schema_version": "1",
        "pep": {"id": "P-1", "version": 1, "academic_year": "2026/27", "term": "autumn"},
        "child": {"legal_name": {"given": "Quill"}, "upn": {"unknown": "UN2"}},
    }
    assert schema.load().validator.is_valid(pep)


@pytest.mark.parametrize("name", ["upn\n", "0123456789" * 5, "a b", "../a", ""])
def test_what_stands_in_a_file_name_is_letters_digits_and_hyphens(name: str) -> None:
    pep = {
        "schema_version": "1",
        "pep": {"id": name, "version": 1, "academic_year": "2026/27", "term": "autumn"},
        "child": {},
    }
    assert not schema.load().validator.is_valid(pep)


def test_a_field_is_asked_by_phase_and_by_where_the_child_learns() -> None:
    attendance = field("education", "attendance")
    assert attendance.asked({"pep": {"phase": "primary", "provision_state": "on_roll"}})
    assert not attendance.asked({"pep": {"phase": "early_years", "provision_state": "on_roll"}})
    assert not attendance.asked({"pep": {"phase": "primary", "provision_state": "no_school"}})
    assert attendance.asked({})
    assert attendance.asked({"pep": {"phase": ["primary"]}})


def test_a_place_that_the_schema_lacks_has_no_field() -> None:
    assert schema.load().at(["targets", 0, "ownr"]) is None
    assert schema.load().at(["ownr", 0, "owner"]) is None


@pytest.mark.parametrize("each", [each for each in FIELDS if each.codes], ids=lambda each: each.pointer)
def test_every_code_list_that_a_field_names_is_there(each: Field) -> None:
    assert codes.known(each.codes or "")


@pytest.mark.parametrize("path", sorted((folder("schemas") / "codes").glob("*.json")), ids=lambda path: path.stem)
def test_every_code_stands_once_with_a_label_and_a_source(path: Path) -> None:
    rows = json.loads(path.read_text(encoding="utf-8"))["codes"]
    assert len({row["code"] for row in rows}) == len(rows)
    assert all(row["label"].strip() and row["source"].strip() for row in rows)


def test_a_code_is_in_force_between_its_first_and_its_last_year() -> None:
    ended, begun = codes.known("placement_type")["P2"], codes.known("placement_type")["K3"]
    assert ended.in_force("2024/25")
    assert not ended.in_force("2025/26")
    assert begun.in_force("2024/25")
    assert not begun.in_force("2023/24")


def test_a_code_has_words_and_an_unknown_one_has_none() -> None:
    assert codes.label("legal_status", "C2") == "Full care order"
    assert codes.label("legal_status", "c2") is None


def test_a_code_list_that_is_not_carried_is_our_fault() -> None:
    with pytest.raises(Broken, match="no_such_list"):
        codes.known("no_such_list")


def test_the_profile_of_hillingdon_holds_and_marks_what_is_to_be_confirmed() -> None:
    assert profile.load("hillingdon").sign_off_required == ("virtual_school_officer",)
    text = (folder("schemas") / "profiles" / "hillingdon.toml").read_text(encoding="utf-8")
    assert text.count("confirm with Hillingdon") >= 8


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (('authority = "Hillingdon"', "authority = 7"), "authority"),
        (("retention_years = 75", 'retention_years = "long"'), "retention_years"),
        (('required = ["virtual_school_officer"]', "required = []"), "sign_off.required"),
        (('required = ["virtual_school_officer"]', 'required = ["boss"]'), "sign_off.required"),
        (('deputy = "virtual_school_head"', "deputy = true"), "sign_off.deputy"),
        (('care = "social_worker"', 'care = "nobody"'), "owners.care"),
        (("[owners]", "colour = 1\n[owners]"), "colour"),
        (("[owners]", "[[owners]]"), "owners"),
        (("[sign_off]", "[sign_off]\nrequird = []"), "sign_off.requird"),
    ],
)
def test_a_fault_in_a_profile_names_the_file_and_the_key(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    text = (folder("schemas") / "profiles" / "hillingdon.toml").read_text(encoding="utf-8")
    path = tmp_path / "ours.toml"
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(Misconfigured, match=f"ours.toml, key {key}:"):
        profile.load(str(path))


def test_a_profile_that_is_not_there_or_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="hillingdon"):
        profile.load("nowhereshire")
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff = ")
    with pytest.raises(Misconfigured, match=r"broken\.toml"):
        profile.load(str(broken))
