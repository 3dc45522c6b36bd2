"""The schema: every field says what it is, whose it is and who may see it."""

import json
from datetime import date
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
CIRCUMSTANCES = {"age": {str(age) for age in range(26)}, "sen_status": {"N", "K", "E"}}
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
            assert values <= (CIRCUMSTANCES.get(about) or field("pep", about).labels.keys())


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
        (("follow_up", "actions"), {"school"}),
        (("follow_up", "spend", 0, "spent"), {"school"}),
        (("follow_up", "approvals", 0, "amount"), {"school"}),
        (("follow_up", "read"), set()),
        (("sign_offs", 0, "name"), {"school", "carer", "parent"}),
    ],
)
def test_who_may_see_what_is_what_the_matrix_says(steps: tuple[str | int, ...], audience: set[str]) -> None:
    assert field(*steps).audience == {"authority", *audience}


MATRIX = {
    "": "",  # what stands in no row is nobody's but the authority's
    # the heading of every copy: which plan this is
    "/schema_version": "SCPK",
    "/pep": "SCPK",
    # preferred and legal name, date of birth; the child sees the preferred name
    "/child/preferred_name": "SCPK",
    "/child/pronouns": "SCPK",
    "/child/legal_name": "SCP",
    "/child/date_of_birth": "SCP",
    "/child/sex": "SCP",
    "/child/date_of_birth_status": "",
    "/child/lcs_person_id": "",
    "/child/upn": "S",
    "/child/uln": "S",
    # ethnicity, religion, first language: the language only
    "/child/first_language": "SC",
    "/child/english_proficiency": "SC",
    # legal status in words; no need code, no reasons for care, no youth justice, immigration or age assessment
    "/care/legal_status": "SC",
    "/care/circumstances": "",
    # parental responsibility; who decides what; who may collect, who must not be told
    "/care/parental_responsibility": "SCP",
    "/care/permissions": "SCP",
    "/care/collection": "SC",
    # placement address, telephone, provider, authority
    "/care/placement": "CP",
    "/care/placement/previous": "",
    "/care/placement/confidential": "",
    # SDQ: strategies, no score; health affecting learning
    "/care/sdq/strategies": "SC",
    "/care/health_affecting_learning": "SCP",
    # carers, social worker, Virtual School, school: names to the child, contact to the others
    "/people": "SCP",
    "/people/*/id": "SCPK",
    "/people/*/role": "SCPK",
    "/people/*/name": "SCPK",
    # current school and provision, needs, SEN, attendance, behaviour, exclusions, attainment; the child without grades
    "/education": "SCPK",
    "/education/settings/*/urn": "S",
    "/education/settings/*/laestab": "S",
    "/education/history": "SCP",
    "/education/sen/ehcp": "SCP",
    "/education/exclusions": "SCP",
    "/education/attainment": "SCP",
    "/education/attainment/*/subject": "SCPK",
    "/education/attainment/*/scale": "SCPK",
    # the child's words, if the child shares them; the carer's; a parent's, own only
    "/views/child": "SCPK",
    "/views/carer": "SC",
    "/views/parent": "SP",
    "/previous_targets": "SCPK",
    "/targets": "SCPK",
    "/previous_actions": "SCPK",
    "/actions": "SCPK",
    # Pupil Premium Plus: items without costs for all but the school; other funding for nobody
    "/previous_spend": "S",
    "/previous_spend/*/item": "SCPK",
    "/previous_spend/*/impact": "SCPK",
    "/pupil_premium_plus": "S",
    "/pupil_premium_plus/lines/*/item": "SCPK",
    "/pupil_premium_plus/lines/*/target_id": "SCPK",
    "/pupil_premium_plus/lines/*/intended_impact": "SCPK",
    "/pupil_premium_plus/allocation_basis": "",
    "/pupil_premium_plus/other_funding": "",
    "/education/post_16/bursary": "",
    # what became of actions, lines and approvals since the sign-off, as the school reported it
    "/follow_up/actions": "S",
    "/follow_up/spend": "S",
    "/follow_up/approvals": "S",
    "/transition": "SCPK",
    "/meeting": "SCPK",
    "/meeting/attendees/*/reason": "",
    "/sign_offs": "SCP",
    "/sign_offs/*/digest": "",
}
"""Who may see what, once: to whom the longest beginning of a field's place grants it, S school, C carer, P parent,
K child; the authority sees all."""
LETTERS = {"S": "school", "C": "carer", "P": "parent", "K": "child"}
LEAVES = [each for each in FIELDS if not each.fields and not each.items]


@pytest.mark.parametrize("each", LEAVES, ids=lambda each: each.pointer)
def test_nobody_sees_what_the_matrix_does_not_grant(each: Field) -> None:
    steps = each.pointer.split("/")
    row = next("/".join(steps[:end]) for end in range(len(steps), 0, -1) if "/".join(steps[:end]) in MATRIX)
    assert each.audience <= {"authority", *(LETTERS[letter] for letter in MATRIX[row])}


@pytest.mark.parametrize("place", [place for place in MATRIX if place])
def test_every_row_of_the_matrix_is_a_place_in_the_schema(place: str) -> None:
    assert place in {each.pointer for each in FIELDS}


@pytest.mark.parametrize(
    ("place", "own"),
    [
        ("/care/parental_responsibility", {"parent"}),
        ("/views/parent", {"parent"}),
        ("/actions", {"parent", "child"}),
        ("/previous_actions", {"parent", "child"}),
    ],
)
def test_who_sees_only_rows_of_their_own(place: str, own: set[str]) -> None:
    assert next(each for each in FIELDS if each.pointer == place).own_rows == own


@pytest.mark.parametrize("item", sorted(LAW))
def test_each_of_the_twelve_facts_has_a_field_that_can_be_filled_in(item: str) -> None:
    homes = [each for each in FIELDS if item in each.law]
    assert any(not below.fields and not below.items for home in homes for below in home.walk())


@pytest.mark.parametrize(
    "place",
    [
        "/child/contact/phone",
        "/care/kinship",
        "/care/collection/emergency/*/phone",
        "/care/pathway_plan_date",
        "/care/family_time/*/arrangement",
        "/education/early_years/likes",
        "/education/early_years/two_year_check/summary",
        "/education/sen/ehcp/caseworker",
        "/education/post_16/activity",
        "/education/post_16/destination",
        "/education/post_16/bursary",
        "/education/attendance/codes/*/code",
        "/transition/careers",
        "/transition/offer",
        "/views/child/circulation_consulted",
        "/pupil_premium_plus/lines/*/refund_reason",
        "/quality/criteria/*/grade",
    ],
)
def test_what_real_forms_ask_has_a_place(place: str) -> None:
    assert place in {each.pointer for each in FIELDS}


@pytest.mark.parametrize(
    ("born", "age_at_meeting"),
    [("2014-11-17", 12), ("2014-11-18", 11), ("2016-02-29", 10), ("2999-13-01", None), (None, None)],
)
def test_the_age_is_that_on_the_day_of_the_meeting(born: str | None, age_at_meeting: int | None) -> None:
    assert schema.age({"child": {"date_of_birth": born}, "meeting": {"date": "2026-11-17"}}) == age_at_meeting


def test_who_was_born_on_29_february_is_a_year_older_on_1_march() -> None:
    assert schema.years(date(2016, 2, 29), date(2027, 2, 28)) == 10
    assert schema.years(date(2016, 2, 29), date(2027, 3, 1)) == 11
    assert schema.years(date(2016, 2, 29), date(2028, 2, 29)) == 12


def test_an_sdq_is_asked_from_4_to_16() -> None:
    sdq = field("care", "sdq")
    for born, is_asked in (("2022-11-17", True), ("2022-11-18", False), ("2009-11-18", True), ("2009-11-17", False)):
        assert sdq.asked({"child": {"date_of_birth": born}, "meeting": {"date": "2026-11-17"}}) is is_asked
    assert sdq.asked({})


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


def test_a_code_is_found_by_what_people_write() -> None:
    for words in ("V2", "v2", "Section 20", " s20 ", "accommodated under section 20"):
        found = codes.find("legal_status", words)
        assert found is not None
        assert found.code == "V2"
    assert codes.find("legal_status", "Section 99") is None


COUNTS = {
    "exclusion_reason": 29,
    "exclusion_type": 3,
    "need": 8,
    "placement_provider": 6,
    "upn_unknown": 5,
    "sdq_reason": 5,
}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_a_list_is_complete(name: str, count: int) -> None:
    assert len(codes.known(name)) == count


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("legal_status", "C1 C2 D1 E1 V2 V3 V4 L1 L2 L3 J1 J2 J3"),
        (
            "placement_type",
            "A3 A4 A5 A6 K1 K2 K3 P1 P2 P3 R1 R2 R3 R5 S1 T0 T1 T2 T3 T4 U1 U2 U3 U4 U5 U6 H5 Z1 Z11 Z12 Z13 Z14",
        ),
        ("placement_change", "CARPL CLOSE ALLEG STAND APPRR CREQB CREQO CHILD LAREQ PLACE CUSTOD OTHER"),
        ("sen_need", "SPLD MLD SLD PMLD SEMH SLCN HI VI MSI PD ASD DS OTH NSA"),
        ("year_group", "E1 E2 N1 N2 R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 X"),
        (
            "attendance_code",
            "/ \\ L B K P V W C C1 C2 E I J1 M R S T D X Q Y1 Y2 Y3 Y4 Y5 Y6 Y7 G N O U Z # H J Y",
        ),
        ("post_16_activity", "F1 P1 F2 P2 F4 P4 F5 P5 G4 G5 G6 0"),
        ("english_proficiency", "A B C D E N"),
        ("kinship", "ND KF KI KU"),
    ],
)
def test_a_list_has_every_code_of_the_return(name: str, here: str) -> None:
    assert set(codes.known(name)) == set(here.split())


@pytest.mark.parametrize("path", sorted((folder("schemas") / "codes").glob("*.json")), ids=lambda path: path.stem)
def test_what_replaced_an_ended_code_is_in_force_after_it(path: Path) -> None:
    known = codes.known(path.stem)
    for code in known.values():
        for instead in code.replaced_by:
            assert code.last
            assert known[instead].in_force(f"{int(code.last[:4]) + 1}/{int(code.last[5:]) + 1}")


def test_every_list_knows_other_words_for_its_codes_and_marks_what_nobody_has_confirmed() -> None:
    lists = {path.stem: codes.known(path.stem) for path in (folder("schemas") / "codes").glob("*.json")}
    assert len(lists) == 20
    assert all(any(each.aliases for each in known.values()) for known in lists.values())
    wholly = {"local_authority", "kinship", "placement_change", "post_16_activity", "sdq_reason"}
    assert {name for name, known in lists.items() if all(each.unsure for each in known.values())} == wholly


@pytest.mark.parametrize(
    ("name", "code", "year", "good"),
    [
        ("attendance_code", "I", "2023/24", True),
        ("attendance_code", "C2", "2023/24", False),
        ("attendance_code", "C2", "2024/25", True),
        ("attendance_code", "H", "2023/24", True),
        ("attendance_code", "H", "2024/25", False),
        ("placement_type", "K3", "2023/24", False),
        ("placement_type", "H5", "2025/26", False),
        ("placement_type", "Z11", "2024/25", False),
        ("placement_type", "Z11", "2025/26", True),
        ("local_authority", "909", "2023/24", False),
        ("local_authority", "942", "2023/24", True),
    ],
)
def test_a_code_is_valid_in_the_years_of_its_return(name: str, code: str, year: str, good: bool) -> None:
    assert codes.known(name)[code].in_force(year) is good


def test_no_word_stands_for_two_codes_of_a_list() -> None:
    for path in (folder("schemas") / "codes").glob("*.json"):
        words = [word.casefold() for code in codes.known(path.stem).values() for word in {code.label, *code.aliases}]
        assert len(words) == len(set(words)), path.stem


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
