"""Profiles: what differs between authorities is data; a fault is named, a figure nobody gave is asked for."""

import copy
import itertools
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepforms import check, codes, days, profile, schema
from pepforms.digest import pep_digest
from pepforms.errors import Misconfigured
from pepforms.profile import Profile
from pepforms.resources import folder

HILLINGDON, SHIRE = profile.load("hillingdon"), profile.load("example-shire")
BOTH = pytest.mark.parametrize("ours", [HILLINGDON, SHIRE], ids=lambda ours: ours.authority)
TEXT = (folder("schemas") / "profiles" / "hillingdon.toml").read_text(encoding="utf-8")
SCHEMA = json.loads((folder("schemas") / "profile.schema.json").read_text(encoding="utf-8"))
GOOD = json.loads((folder("samples") / "valid" / "year-8-confidential-placement.json").read_text(encoding="utf-8"))
ABOUT = schema.load().root.fields["pep"].fields
PHASES, STATES = tuple(ABOUT["phase"].labels), tuple(ABOUT["provision_state"].labels)
EVERYWHERE = pytest.mark.parametrize(("phase", "state"), [*itertools.product(PHASES, STATES)])
YEARS = ("2024/25", "2025/26", "2026/27", "2027/28")
TODAY = date(2026, 11, 17)


def child(phase: str, state: str, *roles: str) -> dict[str, Any]:
    people = [{"id": f"p{position}", "role": role, "name": role} for position, role in enumerate(roles)]
    return {"pep": {"phase": phase, "provision_state": state}, "people": people}


def changed(tmp_path: Path, old: str, new: str) -> Path:
    assert old in TEXT
    path = tmp_path / "ours.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return path


# What a profile says


def test_two_authorities_want_other_signatures_on_the_same_pep() -> None:
    pep = copy.deepcopy(GOOD)
    pep["sign_offs"] = [row for row in pep["sign_offs"] if row["role"] == "virtual_school_officer"][:1]
    pep["sign_offs"][0]["digest"] = pep_digest(pep)
    data = json.dumps(pep).encode()
    ours, theirs = (
        [problem.message for problem in check.check(data, "record", each).problems if problem.slug == "not-signed-off"]
        for each in (HILLINGDON, SHIRE)
    )
    assert ours == []
    assert len(theirs) == 2
    assert "Designated teacher" in theirs[0]
    assert "Social worker" in theirs[1]


def test_two_authorities_ask_other_people_for_the_same_section() -> None:
    pep = copy.deepcopy(GOOD)
    del pep["targets"][0]["target"]
    data = json.dumps(pep).encode()
    owners = {
        each.authority: [
            problem.owner
            for problem in check.check(data, "sign-off", each).problems
            if problem.pointer == "/targets/0/target"
        ]
        for each in (HILLINGDON, SHIRE)
    }
    assert owners == {"Hillingdon": ["virtual_school_officer"], "Example-shire": ["designated_teacher"]}


def test_the_two_profiles_differ_in_words_letters_clocks_and_targets() -> None:
    assert (HILLINGDON.child_term, SHIRE.child_term_plural) == ("child in our care", "cared-for children")
    assert (HILLINGDON.letter("care"), SHIRE.letter("care")) == ("A", "B")
    assert (HILLINGDON.letter("views.child"), SHIRE.letter("views.child")) == (None, "D")
    assert (HILLINGDON.clocks["to_iro"].days, SHIRE.clocks["to_iro"].days) == (3, 5)
    assert (HILLINGDON.targets_at_least, SHIRE.targets_at_least) == ({}, {"academic": 2, "semh": 1})
    assert SHIRE.documents["pep"] != HILLINGDON.documents["pep"]


def test_every_value_of_hillingdon_but_its_name_is_to_be_confirmed_with_hillingdon() -> None:
    values = [line for line in TEXT.splitlines() if " = " in line and not line.startswith("#")]
    assert [line for line in values if "confirm with Hillingdon" not in line] == ['authority = "Hillingdon"']


@BOTH
def test_short_breaks_need_no_pep_and_remand_modifies_it(ours: Profile) -> None:
    assert (ours.status_no_pep, ours.status_modified) == (("V3", "V4"), ("J1", "J2"))
    assert {*ours.status_no_pep, *ours.status_modified} <= codes.known("legal_status").keys()


def test_the_rates_of_pupil_premium_plus_are_known_up_to_the_last_that_was_found() -> None:
    assert HILLINGDON.pp_plus_rates == {
        "2023-24": Decimal("2530.00"),
        "2024-25": Decimal("2570.00"),
        "2025-26": Decimal("2630.00"),
    }


# What nobody has said yet


def test_hillingdon_has_given_no_clock_but_that_of_the_reviewing_officer() -> None:
    assert [*HILLINGDON.clocks] == ["to_iro"]


def test_what_hillingdon_has_not_said_is_asked() -> None:
    questions = HILLINGDON.unanswered(TODAY)
    assert questions[0].startswith("Which letters have these sections: Education, Views")
    for words in ("How many targets", "signed off", "Plus for 2026-27", "school terms of 2027/28"):
        assert any(words in question for question in questions), words
    asked = [clock["x-question"] for name, clock in SCHEMA["properties"]["clocks"]["properties"].items()]
    assert [question for question in asked if question not in questions] == [
        SCHEMA["properties"]["clocks"]["properties"]["to_iro"]["x-question"]
    ]
    assert all(question.endswith("?") for question in questions)


def test_what_an_authority_has_said_is_not_asked_again() -> None:
    assert SHIRE.unanswered(date(2026, 3, 1)) == []
    assert SHIRE.unanswered(TODAY) == [
        "What is the national rate of Pupil Premium Plus for 2026-27?",
        "What are the school terms of 2027/28?",
    ]


def test_what_is_asked_depends_on_today() -> None:
    assert HILLINGDON.unanswered() == HILLINGDON.unanswered(days.today())


# Terms


@BOTH
def test_the_terms_tile_the_years_without_a_gap(ours: Profile) -> None:
    spans = [ours.term(year, name) for year, name in itertools.product(YEARS, profile.TERMS)]
    known = [span for span in spans if span]
    assert len(known) == len(spans)
    assert known[0][0] == date(2024, 9, 1)
    assert known[-1][1] == date(2028, 8, 31)
    assert all(first <= last for first, last in known)
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in itertools.pairwise(known))


@given(st.dates(date(2001, 1, 1), date(2090, 12, 31)))
def test_every_day_lies_in_one_term_of_one_year(day: date) -> None:
    year, name = HILLINGDON.term_of(day)
    found = [each for each in profile.TERMS if (span := HILLINGDON.term(year, each)) and span[0] <= day <= span[1]]
    assert found == [name]


def test_spring_ends_on_the_sunday_after_teaching_does_or_at_easter_where_nobody_knows() -> None:
    assert HILLINGDON.term("2025/26", "spring") == (date(2026, 1, 1), date(2026, 3, 29))
    assert SHIRE.term("2025/26", "spring") == (date(2026, 1, 1), date(2026, 4, 5))
    assert HILLINGDON.teaching("2024/25", "spring") is None
    assert HILLINGDON.term("2024/25", "spring") == (date(2025, 1, 1), date(2025, 4, 20))


def test_what_is_no_year_or_no_term_has_no_days() -> None:
    assert HILLINGDON.term("2026/28", "autumn") is None
    assert HILLINGDON.term("this year", "autumn") is None
    assert HILLINGDON.term("2026/27", "winter") is None


@BOTH
def test_teaching_lies_inside_its_term_and_on_school_days(ours: Profile) -> None:
    for year, name in itertools.product(("2025/26", "2026/27"), profile.TERMS):
        teaching, term = ours.teaching(year, name), ours.term(year, name)
        assert teaching
        assert term
        for first, last in teaching:
            assert term[0] <= first <= last <= term[1]
            assert ours.school_day(first)
            assert ours.school_day(last)


def test_schools_do_not_teach_on_weekends_bank_holidays_or_in_half_term() -> None:
    for day in (date(2026, 11, 21), date(2026, 5, 4), date(2026, 10, 27), date(2026, 8, 10)):
        assert HILLINGDON.school_day(day) is False
    assert HILLINGDON.school_day(date(2028, 11, 21)) is None


# Owners and sign-offs


@BOTH
@EVERYWHERE
def test_sign_off_is_never_stranded(ours: Profile, phase: str, state: str) -> None:
    pep = child(phase, state)
    assert ours.required_sign_offs(pep)
    assert ours.unsigned(pep) == ours.required_sign_offs(pep)
    for role in ours.required_sign_offs(pep):
        deputies = ours.may_sign_for(role, pep)
        assert {"virtual_school_officer", "virtual_school_head", "social_worker"} & {role, *deputies}
        assert {role, *deputies} <= ours.binding(pep)
        if state in ("no_school", "missing_education", "custody", "employed", "neet"):
            assert role != "designated_teacher"
    pep["sign_offs"] = [{"role": role} for role in ours.required_sign_offs(pep)]
    assert ours.unsigned(pep) == ()
    pep["sign_offs"] = [{"role": "virtual_school_head"}]
    assert ours.unsigned(pep) == ()


@BOTH
@EVERYWHERE
def test_nobody_is_asked_to_read_what_they_sign(ours: Profile, phase: str, state: str) -> None:
    pep = child(phase, state)
    assert not set(ours.acknowledge(pep)) & set(ours.required_sign_offs(pep))


@pytest.mark.parametrize(
    ("pep", "role", "called"),
    [
        (child("secondary", "on_roll"), "designated_teacher", "Designated teacher"),
        (child("secondary", "no_school", "designated_teacher"), "virtual_school_officer", "Virtual School Officer"),
        (child("post_16", "on_roll", "tutor"), "tutor", "Named tutor"),
        (child("post_16", "on_roll", "designated_teacher"), "designated_teacher", "Designated teacher"),
        (child("early_years", "on_roll"), "school_staff", "Lead practitioner"),
        (child("secondary", "custody", "designated_teacher"), "school_staff", "Education manager"),
        (child("post_16", "custody"), "school_staff", "Education manager"),
        (child("post_16", "neet"), "virtual_school_officer", "Virtual School Officer"),
        ({}, "designated_teacher", "Designated teacher"),
    ],
)
def test_a_child_without_a_designated_teacher_has_somebody_else(pep: dict[str, Any], role: str, called: str) -> None:
    assert HILLINGDON.owner("education", "designated_teacher", pep) == role
    assert HILLINGDON.stand_in("designated_teacher", pep).role == role
    assert HILLINGDON.called(role, pep) == called
    assert (role in HILLINGDON.expected(pep)) or role == "virtual_school_officer"


def test_an_owner_is_given_by_part_then_by_section_then_by_the_schema() -> None:
    assert HILLINGDON.owner("views.carer", "other") == "carer"
    assert HILLINGDON.owner("sign_offs", "virtual_school_officer") == "virtual_school_officer"
    assert HILLINGDON.owner(None, "other") == "other"
    assert HILLINGDON.owner(None, None) is None
    assert SHIRE.owner("transition", "other", child("post_16", "on_roll")) == "personal_adviser"
    assert SHIRE.owner("transition", "other", child("secondary", "on_roll")) == "designated_teacher"


def test_a_deputy_or_whom_one_stands_in_for_may_sign() -> None:
    college = child("post_16", "on_roll", "tutor")
    assert SHIRE.required_sign_offs(college) == ("tutor", "social_worker")
    assert SHIRE.may_sign_for("tutor", college) == ("designated_teacher", "school_staff", "virtual_school_head")
    assert SHIRE.may_sign_for("social_worker", college) == ("team_manager", "virtual_school_head")
    assert SHIRE.required_sign_offs(child("early_years", "on_roll")) == ("social_worker",)


def test_one_person_in_two_roles_signs_once() -> None:
    assert SHIRE.required_sign_offs(child("secondary", "no_school")) == ("social_worker",)


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3) | st.sampled_from([*PHASES, *STATES]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["pep", "phase", "provision_state", "people", "sign_offs", "role"]), inner, max_size=4
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["pep", "people", "sign_offs"]), JSON))
def test_a_pep_of_any_shape_can_be_asked_about(pep: dict[str, Any]) -> None:
    assert HILLINGDON.required_sign_offs(pep) == ("virtual_school_officer",)
    assert HILLINGDON.owner("education", "designated_teacher", pep)
    assert SHIRE.unsigned(pep) is not None


# Faults


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('authority = "Hillingdon"', 'authority = " "', "authority"),
        ('authority = "Hillingdon"', "", "authority"),
        ('"child in our care"', '"LAC"', "child_term"),
        ('"children in our care"', '"our LAC"', "child_term_plural"),
        ("retention_years = 75", "retention_years = 0", "retention_years"),
        ('care = "social_worker"', 'cares = "social_worker"', "owners.cares"),
        ("[owners]", '[owners.no_schol]\neducation = "tutor"\n[owners]', "owners.no_schol"),
        ("[owners]", '[owners.no_school]\neducaton = "tutor"\n[owners]', "owners.no_school.educaton"),
        ("[owners]", '[owners.no_school]\neducation = "boss"\n[owners]', "owners.no_school.education"),
        ("[stand_ins.custody]", "[stand_ins.custardy]", "stand_ins.custardy"),
        ('role = "tutor"', 'role = "tutr"', "stand_ins.post_16.designated_teacher.role"),
        ('social_worker = "team_manager"', 'social_woker = "team_manager"', "deputies.social_woker"),
        ("[section_letters]", '[section_letters]\nwhere = "Z"', "section_letters.where"),
        ("[sign_off]", "[sign_off.somewhere]\n[sign_off]", "sign_off.somewhere"),
        ("expected = [", "expcted = [", "meeting.expcted"),
        ('no_pep = ["V3", "V4"]', 'no_pep = ["V3", "V9"]', "status.no_pep"),
        ("[status]", "[targets.at_least]\nmoral = 3\n[status]", "targets.at_least.moral"),
        ("[status]", "[targets.at_least]\nacademic = -1\n[status]", "targets.at_least.academic"),
        ("[status]", "[targets.at_least]\nacademic = true\n[status]", "targets.at_least.academic"),
        ("to_iro = { days = 3", "to_iro = { days = -3", "clocks.to_iro.days"),
        ('type = "calendar"', 'type = "bank"', "clocks.to_iro.type"),
        ('days = 3, type = "calendar"', "days = 3", "clocks.to_iro.type"),
        (', before = "review"', "", "clocks.to_iro"),
        ('before = "review"', 'before = "review", after = "meeting"', "clocks.to_iro"),
        ('before = "review"', 'before = "revue"', "clocks.to_iro.before"),
        ("to_iro = {", "to_the_moon = {", "clocks.to_the_moon"),
        ('sections = ["education"]', 'sections = ["educaton"]', "clocks.school_part_ready.sections.educaton"),
        ('"2025/26"', '"2025-26"', "school_terms.2025-26"),
        ('"2025/26"', '"2025/27"', "school_terms.2025/27"),
        ("2025-09-01", "2024-09-01", "school_terms.2025/26.autumn"),
        ("2025-10-24", "2025-11-24", "school_terms.2025/26.autumn"),
        ("2026-04-13", "2026-03-28", "school_terms.2025/26.summer"),
        ("2025-10-24", '"2025-10-34"', "school_terms.2025/26.autumn"),
        ("2025-09-01, ", "", "school_terms.2025/26.autumn"),
        ("[[2025-09-01, 2025-10-24], [2025-11-03, 2025-12-19]]", "[]", "school_terms.2025/26.autumn"),
        ('"2023-24"', '"2023/24"', "pupil_premium_plus.rates.2023/24"),
        ('"2023-24"', '"2023-25"', "pupil_premium_plus.rates.2023-25"),
        ('"2530.00"', "2530.00", "pupil_premium_plus.rates.2023-24"),
        ('"2530.00"', '"£2,530"', "pupil_premium_plus.rates.2023-24"),
    ],
)
def test_a_fault_names_the_file_and_the_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    with pytest.raises(Misconfigured) as told:
        profile.load(str(changed(tmp_path, old, new)))
    (line,) = str(told.value).splitlines()
    assert f"ours.toml, key {key}: " in line
    assert line.endswith(".")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = changed(tmp_path, "retention_years = 75", "retention_years = 0\ncolour = 1")
    path.write_text(path.read_text(encoding="utf-8").replace('"team_manager"', '"boss"'), encoding="utf-8")
    with pytest.raises(Misconfigured) as told:
        profile.load(str(path))
    assert {line.partition("key ")[2].partition(":")[0] for line in str(told.value).splitlines()} == {
        "retention_years",
        "colour",
        "deputies.social_worker",
    }


def test_a_profile_under_which_some_child_could_never_be_signed_off_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, 'required = ["virtual_school_officer"]', 'required = ["designated_teacher"]')
    profile.load(str(path))  # the deputy may always sign
    without = path.read_text(encoding="utf-8").replace('deputy = "virtual_school_head"', "")
    path.write_text(without, encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"ours\.toml, key sign_off\.required: .*nobody could sign off"):
        profile.load(str(path))


def test_a_profile_need_say_no_more_than_what_cannot_be_guessed(tmp_path: Path) -> None:
    path = tmp_path / "least.toml"
    path.write_text(
        'authority = "L"\nvirtual_school = "LVS"\nchild_term = "child"\nprotective_marking = "OFFICIAL"\n'
        'retention_years = 75\n[sign_off]\nrequired = ["virtual_school_officer"]\n',
        encoding="utf-8",
    )
    least = profile.load(str(path))
    assert (least.child_term_plural, least.clocks, least.meeting_expected) == ("child", {}, ())
    assert len(least.unanswered(TODAY)) > len(HILLINGDON.unanswered(TODAY))
    assert least.owner("care", "social_worker", child("primary", "no_school")) == "social_worker"


# The profile's schema


def test_whatever_a_profile_may_say_has_a_title_and_a_description() -> None:
    def walk(rules: Any, way: str) -> None:
        for name, each in rules.get("properties", {}).items():
            assert each["title"].strip(), f"{way}.{name}"
            assert each["description"].strip(), f"{way}.{name}"
            walk(each, f"{way}.{name}")
        if isinstance(rules.get("additionalProperties"), dict):
            walk(rules["additionalProperties"], way)

    walk(SCHEMA, "")
    for name, each in SCHEMA["$defs"].items():
        walk(each, name)


def test_the_profiles_schema_and_the_peps_name_the_same_phases_states_and_events() -> None:
    assert SCHEMA["$defs"]["situation"]["enum"] == [*PHASES, *STATES]
    assert set(SCHEMA["$defs"]["event"]["enum"]) == days.EVENTS.keys()
