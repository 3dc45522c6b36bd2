"""The check: all that is wrong at once, each said once, where it is, in plain words; and never an exception."""

import copy
import io
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from pepforms import check, profile, schema
from pepforms.check.numbers import upn_check_letter
from pepforms.digest import pep_digest
from pepforms.model import STAGES, Problem, Stage
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
GOOD = json.loads((folder("samples") / "valid" / "year-8-confidential-placement.json").read_text(encoding="utf-8"))
Change = Callable[[dict[str, Any]], object]


def problems(pep: Any, stage: Stage = "record") -> tuple[Problem, ...]:
    return check.check(json.dumps(pep).encode(), stage, HILLINGDON).problems


def changed(change: Change, *, signed: bool = True) -> dict[str, Any]:
    """The good PEP with a change, signed again unless the change is to the sign-offs."""
    pep = copy.deepcopy(GOOD)
    change(pep)
    if signed:
        for sign_off in pep["sign_offs"]:
            sign_off["digest"] = pep_digest(pep)
    return pep


def blocking(found: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.slug, problem.pointer) for problem in found if problem.severity == "blocks"]


# Reading


@pytest.mark.parametrize("levels", [201, 900, 10_000, 100_000])
def test_deep_nesting_is_a_problem_and_not_a_crash(levels: int) -> None:
    for text in ("[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels):
        assert [problem.slug for problem in check.check(text.encode(), "draft", HILLINGDON).problems] == ["too-deep"]


def test_two_hundred_levels_are_read() -> None:
    text = json.dumps(GOOD)[:-1] + ', "x": ' + "[" * 199 + "]" * 199 + "}"
    found = check.check(text.encode(), "draft", HILLINGDON).problems
    assert [(problem.slug, problem.pointer) for problem in found] == [("unknown-key", "/x")]


def test_a_file_of_fifty_megabytes_is_refused_with_the_limit() -> None:
    (problem,) = check.check(b" " * 50_000_000, "draft", HILLINGDON).problems
    assert problem.slug == "too-large"
    assert "larger than 20 MB" in problem.message


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"null", "not-an-object"),
        (b"[1]", "not-an-object"),
        (b'"text"', "not-an-object"),
        (json.dumps(GOOD).encode("utf-16"), "bad-encoding"),
        (json.dumps(GOOD).encode("utf-16-le"), "bad-encoding"),
        (json.dumps(GOOD, ensure_ascii=False).encode("utf-16-be"), "bad-encoding"),
        ('{"a": "é"}'.encode("latin-1"), "bad-encoding"),
    ],
)
@pytest.mark.parametrize("stage", STAGES)
def test_what_is_not_a_pep_is_said_to_be_none(data: bytes, slug: str, stage: Stage) -> None:
    checked = check.check(data, stage, HILLINGDON)
    assert checked.pep is None
    assert not checked.valid
    assert [problem.slug for problem in checked.problems] == [slug]


def test_a_byte_order_mark_does_no_harm() -> None:
    assert check.check(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "record", HILLINGDON).valid


def test_all_faults_of_writing_are_found_at_once_each_with_its_place() -> None:
    text = (
        '{"schema_version": "1", "schema_version": "1", "pep": {"id": "P-1", "version": 9007199254740992,'
        '"academic_year": "2026/27", "term": "autumn"}, "child": {"preferred_name": "\\ud83d", "sex": "M\\u0000"},'
        '"care": {"placement": {"distance_miles": Infinity}, "sdq": {"score": 1e400}}}'
    )
    found = check.check(text.encode(), "draft", HILLINGDON).problems
    assert [(problem.slug, problem.pointer) for problem in found] == [
        ("duplicate-key", "/schema_version"),
        ("number-too-large", "/pep/version"),
        ("lone-surrogate", "/child/preferred_name"),
        ("unprintable-character", "/child/sex"),
        ("not-a-number", "/care/placement/distance_miles"),
        ("number-too-large", "/care/sdq/score"),
    ]
    assert [problem.message.partition(":")[0] for problem in found] == [
        "Version of the format",
        "About this PEP, “Version”",
        "The child or young person, “Preferred name”",
        "The child or young person, “Sex”",
        "Care information, “Placement”, “Distance from home”",
        "Care information, “SDQ”, “SDQ score”",
    ]


def test_a_number_of_thousands_of_digits_is_too_large() -> None:
    text = json.dumps(GOOD).replace('"score": 19', '"score": 1' + "0" * 6000)
    found = check.check(text.encode(), "draft", HILLINGDON).problems
    assert blocking(found) == [("number-too-large", "/care/sdq/score")]


def test_a_key_that_cannot_be_printed_is_found_where_it_stands() -> None:
    text = json.dumps(GOOD).replace('"schema_version"', '"\\ud800": 1, "schema_version"')
    assert blocking(check.check(text.encode(), "draft", HILLINGDON).problems) == [("lone-surrogate", "")]


# Shape


def test_all_problems_come_at_once_in_the_order_of_the_form() -> None:
    def break_much(pep: dict[str, Any]) -> None:
        pep["meeting"]["date"] = "17/11/2026"
        pep["child"]["sex"] = "male"
        pep["targets"][2]["owner"] = 7
        pep["actions"][1]["owner"] = "mr-p"
        del pep["pep"]["id"]

    found = problems(changed(break_much, signed=False))
    assert blocking(found) == [
        ("missing", "/pep/id"),
        ("not-a-choice", "/child/sex"),
        ("wrong-type", "/targets/2/owner"),
        ("unknown-person", "/actions/1/owner"),
        ("malformed-date", "/meeting/date"),
    ]


def test_a_fault_that_the_schema_refuses_is_not_reported_a_second_time_by_a_rule() -> None:
    found = problems(changed(lambda pep: pep["care"]["sdq"].update(score=99)))
    assert blocking(found) == [("out-of-range", "/care/sdq/score")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda pep: pep.update(targets="none"), "/targets"),
        (lambda pep: pep.update(people=7), "/people"),
        (lambda pep: pep["people"][2].update(id="s w"), "/people/2/id"),
        (lambda pep: pep["people"][2].update(role="worker"), "/people/2/role"),
        (lambda pep: pep["targets"][0].pop("id"), "/targets/0/id"),
        (
            lambda pep: pep["pupil_premium_plus"]["approvals"][0].update(amount="150"),
            "/pupil_premium_plus/approvals/0/amount",
        ),
        (
            lambda pep: pep["pupil_premium_plus"]["allocation_basis"].update(committed_before=900),
            "/pupil_premium_plus/allocation_basis/committed_before",
        ),
        (lambda pep: pep["education"]["sen"].update(primary_need=1), "/education/sen/primary_need"),
        (lambda pep: pep["views"]["child"].update(words=""), "/views/child/words"),
    ],
)
def test_what_leans_on_a_refused_part_waits_until_it_is_put_right(change: Change, place: str) -> None:
    assert [pointer for _, pointer in blocking(problems(changed(change)))] == [place]


def test_an_unknown_key_gets_the_nearest_known_name() -> None:
    (problem,) = problems(changed(lambda pep: pep["child"].update(prefered_name="Quill")))
    assert "“preferred_name”" in problem.message


def test_a_key_that_may_hold_personal_data_is_not_repeated() -> None:
    (problem,) = problems(changed(lambda pep: pep["child"].update({"1 Invented Street": 1})))
    assert "Invented" not in problem.message
    assert problem.pointer == "/child/1 Invented Street"


def test_five_hundred_problems_are_five_hundred_problems_in_the_order_of_the_form() -> None:
    def break_all(pep: dict[str, Any]) -> None:
        pep["targets"] = [{"id": f"T{at}", "colour": 1, "start": "soon"} for at in range(125)]
        pep["actions"] = [{"id": f"A{at}", "due": 7, "owner": "no one"} for at in range(125)]
        del pep["pupil_premium_plus"]

    found = problems(changed(break_all, signed=False), "draft")
    assert len(found) == 500
    places = [
        (row, at, part)
        for row, parts in (("targets", ("start", "colour")), ("actions", ("owner", "due")))
        for at in range(125)
        for part in parts
    ]
    assert [problem.pointer for problem in found] == [f"/{row}/{at}/{part}" for row, at, part in places]


def test_five_hundred_unknown_keys_are_all_reported() -> None:
    found = problems(changed(lambda pep: pep["child"].update({f"extra_{at}": at for at in range(500)})), "draft")
    assert [problem.slug for problem in found] == ["unknown-key"] * 500


def test_a_file_with_very_many_faults_is_answered_shortly() -> None:
    found = problems(changed(lambda pep: pep.update(targets=[None] * 100_000), signed=False))
    assert 5_000 < len(found) < 5_010
    assert "too-many-problems" in {problem.slug for problem in found}


def test_rows_are_counted_from_one() -> None:
    (problem,) = problems(changed(lambda pep: pep["targets"][1].update(review_by="2027-02-30")))
    assert problem.message.startswith("Target 2, “Review by”")


def test_a_problem_names_its_section_its_owner_and_its_source() -> None:
    (problem,) = problems(changed(lambda pep: pep["education"]["attendance"].update(late=-1)))
    assert (problem.section, problem.owner) == ("education", "designated_teacher")
    assert problem.source


def test_the_profile_may_give_a_section_to_another_owner() -> None:
    ours = profile.load("hillingdon")
    theirs = type(ours)(
        **{name: getattr(ours, name) for name in ours.__dataclass_fields__} | {"owners": {"education": "tutor"}}
    )
    pep = changed(lambda pep: pep["education"]["attendance"].update(late=-1))
    (problem,) = check.check(json.dumps(pep).encode(), "draft", theirs).problems
    assert problem.owner == "tutor"


# What is needed


def test_a_draft_may_be_almost_empty() -> None:
    assert problems({key: GOOD[key] for key in ("schema_version", "pep", "child")}, "draft") == ()


NEEDED = [
    each
    for each in schema.load().root.walk()
    if each.needed == "blocks" and not each.asked_when.keys() - {"provision_state"}
]


@pytest.mark.parametrize("each", NEEDED, ids=lambda each: each.pointer)
def test_a_needed_fact_that_is_taken_away_is_noticed(each: schema.Field) -> None:
    pep = copy.deepcopy(GOOD)
    *way, last = each.pointer.split("/")[1:]
    place: Any = pep
    pointer = ""
    for step in way:
        key: str | int = 0 if step == "*" else step
        if isinstance(place, dict) and key not in place:
            pytest.skip("this child has none of these")
        place, pointer = place[key], f"{pointer}/{key}"
    if last not in place:
        assert not each.asked(GOOD)
        return
    del place[last]
    wanted = {("needed", f"{pointer}/{last}"), ("missing", f"{pointer}/{last}")}
    assert wanted & set(blocking(problems(pep, "sign-off")))


def test_a_fact_that_cannot_be_known_satisfies_what_is_needed() -> None:
    def say_why(pep: dict[str, Any]) -> None:
        pep["care"]["placement"]["address"] = {"unknown": "Moved last night; not yet given"}
        pep["education"]["attendance"] = {"unknown": "The school's system was down"}

    assert blocking(problems(changed(say_why))) == []


@pytest.mark.parametrize("reason", ["", "  ", 7, None])
def test_a_reason_must_be_said_in_words(reason: Any) -> None:
    pep = changed(lambda pep: pep["education"].update(attendance={"unknown": reason}))
    assert [pointer for _, pointer in blocking(problems(pep, "draft"))] == ["/education/attendance/unknown"]


def test_what_is_not_asked_of_this_child_is_not_needed() -> None:
    def at_nursery(pep: dict[str, Any]) -> None:
        pep["pep"]["phase"] = "early_years"
        del pep["education"]["attendance"]

    assert blocking(problems(changed(at_nursery))) == []


# Rules


def test_the_check_letter_of_a_upn_is_the_departments() -> None:
    assert upn_check_letter("B801200005001") == "B"
    assert blocking(problems(changed(lambda pep: pep["child"].update(upn="B801200005001")))) == []
    assert blocking(problems(changed(lambda pep: pep["child"].update(upn="B801200005010")))) == [
        ("wrong-upn", "/child/upn")
    ]


def test_a_temporary_upn_ends_in_a_letter() -> None:
    letter = upn_check_letter("A80120000500A")
    assert blocking(problems(changed(lambda pep: pep["child"].update(upn=f"{letter}80120000500A")))) == []


@pytest.mark.parametrize(("reason", "good"), [("UN1", True), ("UN5", True), ("UN6", False), ("none yet", False)])
def test_a_child_without_a_upn_has_one_of_the_five_reasons(reason: str, good: bool) -> None:
    found = problems(changed(lambda pep: pep["child"].update(upn={"unknown": reason})))
    assert (blocking(found) == []) is good


@pytest.mark.parametrize(("uln", "good"), [("9276308686", True), ("9276308687", False)])
def test_the_check_digit_of_a_uln_is_that_of_the_learning_records_service(uln: str, good: bool) -> None:
    assert (blocking(problems(changed(lambda pep: pep["child"].update(uln=uln)))) == []) is good


@pytest.mark.parametrize(
    ("quantity", "rate", "cost", "good"),
    [
        (3, "33.33", "99.99", True),
        (0.5, "0.01", "0.01", True),
        (1.5, "0.01", "0.02", True),
        (2.675, "1.00", "2.68", True),
        (1.1, "1.10", "1.21", True),
        (3, "33.33", "100.00", False),
    ],
)
def test_a_cost_is_quantity_times_rate_rounded_half_up_to_the_penny(
    quantity: float, rate: str, cost: str, good: bool
) -> None:
    line = {"quantity": quantity, "rate": rate, "cost": cost}
    pep = changed(lambda pep: pep["pupil_premium_plus"]["lines"][2].update(line))
    slugs = {slug for slug, _ in blocking(problems(pep))}
    assert ("cost-not-quantity-times-rate" not in slugs) is good


def test_lines_may_spend_what_is_left_and_approved_to_the_penny() -> None:
    def spend(pep: dict[str, Any]) -> None:
        pep["pupil_premium_plus"]["lines"] = [
            dict(GOOD["pupil_premium_plus"]["lines"][0], quantity=1, rate="1050.00", cost="1050.00")
        ]

    def overspend(pep: dict[str, Any]) -> None:
        spend(pep)
        pep["pupil_premium_plus"]["lines"][0].update(rate="1050.01", cost="1050.01")

    assert blocking(problems(changed(spend))) == []
    (problem,) = problems(changed(overspend))
    assert "£900.00 is left for Quill and £150.00 more was approved. £0.01 too much" in problem.message


def test_facts_at_odds_warn_in_a_draft_and_block_at_sign_off() -> None:
    pep = changed(lambda pep: pep["education"]["attendance"].update(authorised=9))
    assert [(p.slug, p.severity) for p in problems(pep, "draft")] == [("attendance-sum", "warns")]
    assert [(p.slug, p.severity) for p in problems(pep, "sign-off")] == [("attendance-sum", "blocks")]


def test_lates_lie_inside_attended() -> None:
    pep = changed(lambda pep: pep["education"]["attendance"].update(late=82))
    assert blocking(problems(pep)) == [("attendance-sum", "/education/attendance/late")]


def test_a_duty_worker_may_stand_in_for_the_social_worker() -> None:
    def covered(pep: dict[str, Any]) -> None:
        attendees = pep["meeting"]["attendees"]
        next(row for row in attendees if row["person"] == "sw").update(present=False)
        attendees.append({"person": "tm", "invited": True, "present": True, "covers": "sw"})

    assert blocking(problems(changed(covered))) == []


def test_a_changed_pep_is_said_to_be_changed_since_it_was_signed() -> None:
    pep = changed(lambda pep: pep["targets"][1].update(target="Another target"), signed=False)
    for stage in ("sign-off", "record"):
        (problem,) = problems(pep, stage)
        assert problem.message.startswith(
            "Changed since Sasha Mockworth signed on 19 November and Dana Mockley signed on"
        )
    assert problems(pep, "draft") == ()


def test_what_is_written_after_sign_off_leaves_the_sign_offs_right() -> None:
    pep = changed(lambda pep: pep.update(quality={"grade": "Green", "reviewer": "vsh"}), signed=False)
    assert blocking(problems(pep)) == []


def test_the_deputy_may_sign_in_the_officers_stead() -> None:
    pep = changed(lambda pep: pep["sign_offs"][0].update(role="virtual_school_head", name="Perpetua Mockleigh"))
    assert blocking(problems(pep)) == []


def test_there_may_be_no_next_meeting_if_somebody_says_why() -> None:
    for answer in ({"none": "This is the last PEP"}, {"unknown": "The court decides in January"}):
        assert blocking(problems(changed(lambda pep, answer=answer: pep["meeting"].update(next_date=answer)))) == []


def absent_without_cover(pep: dict[str, Any]) -> None:
    next(row for row in pep["meeting"]["attendees"] if row["person"] == "sw").update(present=False)


def explained(pep: dict[str, Any], slug: str, pointer: str) -> None:
    pep["exceptions"] = [{"slug": slug, "pointer": pointer, "reason": "Ill that day", "by": "vso", "on": "2026-11-17"}]


def test_what_a_named_person_explains_only_warns_and_says_who_explained_it() -> None:
    def both(pep: dict[str, Any]) -> None:
        absent_without_cover(pep)
        explained(pep, "social-worker-absent", "/meeting/attendees")

    (problem,) = problems(changed(both))
    assert problem.severity == "warns"
    assert problem.explainable
    assert problem.message.endswith("Explained by Sasha Mockworth on 17 November 2026.")


def test_an_explanation_by_nobody_in_the_pep_is_not_heard() -> None:
    def both(pep: dict[str, Any]) -> None:
        absent_without_cover(pep)
        explained(pep, "social-worker-absent", "/meeting/attendees")
        pep["exceptions"][0]["by"] = "nobody"

    assert blocking(problems(changed(both))) == [
        ("social-worker-absent", "/meeting/attendees"),
        ("unknown-person", "/exceptions/0/by"),
    ]


def test_a_false_document_cannot_be_explained_away() -> None:
    def both(pep: dict[str, Any]) -> None:
        pep["education"]["attendance"]["authorised"] = 9
        explained(pep, "attendance-sum", "/education/attendance")

    assert {slug for slug, _ in blocking(problems(changed(both)))} == {"attendance-sum", "exception-explains-nothing"}


def test_an_explanation_of_what_has_been_put_right_only_warns() -> None:
    pep = changed(lambda pep: explained(pep, "social-worker-absent", "/meeting/attendees"))
    assert [(p.slug, p.severity) for p in problems(pep)] == [("exception-explains-nothing", "warns")]


def pictured(data: bytes, kind: str = "image/png") -> Change:
    picture = {"media_type": kind, "description": "A bridge", "data": b64encode(data).decode()}
    return lambda pep: pep["views"]["child"].update(pictures=[picture])


def drawn(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), "gold").save(file, kind)
    return file.getvalue()


def test_a_picture_must_open_be_what_it_says_and_be_small_enough() -> None:
    place = [("unreadable-picture", "/views/child/pictures/0/data")]
    assert blocking(problems(changed(pictured(drawn("PNG"))))) == []
    assert blocking(problems(changed(pictured(drawn("JPEG"), "image/jpeg")))) == []
    assert blocking(problems(changed(pictured(drawn("JPEG"))))) == place
    assert blocking(problems(changed(pictured(drawn("JPEG")[:-40], "image/jpeg")))) == place
    assert blocking(problems(changed(pictured(b"<svg/>")))) == place
    assert blocking(problems(changed(pictured(drawn("PNG") + bytes(2_000_000))))) == place


def two_main_settings(pep: dict[str, Any]) -> None:
    second = {"name": "The Workshop", "main": True, "from": "2026-09-07"}
    pep["education"]["settings"].append(second)


@pytest.mark.parametrize(
    ("change", "warnings"),
    [
        (lambda pep: pep["care"]["sdq"].pop("strategies"), {"sdq-without-strategies"}),
        (lambda pep: pep["care"]["placement"].pop("provider"), {"placement-provider"}),
        (lambda pep: pep["care"]["collection"].pop("must_not_be_told"), {"confidential-and-told"}),
        (lambda pep: pep["education"]["settings"][0].pop("urn"), {"setting-number"}),
        (two_main_settings, {"main-setting", "setting-number"}),
        (lambda pep: pep["education"].update(year_group="5"), {"year-group-and-age"}),
        (lambda pep: pep.update(quality={"grade": "Green", "reviewer": "vso"}), {"graded-own-work"}),
        (lambda pep: pep["views"].pop("carer"), {"needed"}),
    ],
)
def test_what_is_worth_a_look_warns_and_stops_nothing(change: Change, warnings: set[str]) -> None:
    found = problems(changed(change))
    assert blocking(found) == []
    assert {problem.slug for problem in found} == warnings


def test_a_temporary_placement_needs_no_provider() -> None:
    def on_holiday(pep: dict[str, Any]) -> None:
        del pep["care"]["placement"]["provider"]
        pep["care"]["placement"]["type"] = "T4"

    assert problems(changed(on_holiday)) == ()


def test_a_school_left_before_it_was_joined_is_noticed() -> None:
    pep = changed(lambda pep: pep["education"]["history"][0].update(to="2017-01-01"))
    assert blocking(problems(pep)) == [("dates-out-of-order", "/education/history/0/to")]


def test_no_message_repeats_the_date_of_birth() -> None:
    pep = changed(lambda pep: pep["child"].update(date_of_birth="2024-03-14"))
    found = [problem for problem in problems(pep) if problem.slug == "dates-out-of-order"]
    assert [problem.pointer for problem in found] == [
        "/care/looked_after_from",
        "/education/history/0/from",
        "/education/history/1/from",
    ]
    assert not [problem for problem in found if "2024" in problem.message]


@pytest.mark.parametrize(
    ("change", "slug", "says"),
    [
        (lambda pep: pep["child"].update(legal_name={}), "missing", "Given names and Family name"),
        (lambda pep: pep["child"].update(preferred_name=None), "wrong-type", "empty (null)"),
        (lambda pep: pep["pupil_premium_plus"]["lines"][0].update(quantity=0), "out-of-range", "above 0"),
        (lambda pep: pep.update(schema_version="0"), "not-a-choice", "choose one of 1"),
        (lambda pep: pep.update(schema_version="2"), "newer-schema-version", "newer pepforms"),
        (lambda pep: pep["child"].update(uln=True), "wrong-type", "say why it is not known"),
    ],
)
def test_a_shape_is_put_in_words(change: Change, slug: str, says: str) -> None:
    (problem,) = problems(changed(change), "draft")
    assert problem.slug == slug
    assert says in problem.message


def test_a_picture_must_be_base64_and_at_most_two_megabytes() -> None:
    damaged = changed(pictured(b""))
    damaged["views"]["child"]["pictures"][0]["data"] = "not base64!"
    assert "arrived damaged" in problems(damaged, "draft")[0].message
    assert "at most 2 MB" in problems(changed(pictured(bytes(2_000_001))), "draft")[0].message


def test_every_rule_says_itself_in_one_sentence_and_names_its_source() -> None:
    for each in check.rules.every():
        assert each.says.endswith(".")
        assert each.source


# Nothing raises

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)
PLACES = [each.pointer.split("/")[1:] for each in schema.load().root.walk() if each.pointer]
NASTY = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    " ",
    "x",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    [],
    [None],
    [{}],
    {},
    {"unknown": ""},
]


@given(st.binary())
@example(b"\xef\xbb\xbf")
@example(b"\x00\x00\x00{")
def test_no_bytes_raise_an_exception(data: bytes) -> None:
    assert check.check(data, "record", HILLINGDON).problems


@given(ANY)
def test_no_json_raises_an_exception(value: Any) -> None:
    assert problems(value)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_change_of_a_good_pep_raises_an_exception(data: st.DataObject) -> None:
    a_change_of_a_good_pep_raises_no_exception(data)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_none_of_many_changes_of_a_good_pep_raises_an_exception(data: st.DataObject) -> None:
    a_change_of_a_good_pep_raises_no_exception(data)


def a_change_of_a_good_pep_raises_no_exception(data: st.DataObject) -> None:
    pep = copy.deepcopy(GOOD)
    for steps in data.draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4)):
        place: Any = pep
        *way, last = [0 if step == "*" else step for step in steps]
        for step in way:
            inside = isinstance(place, dict if isinstance(step, str) else list) and place
            place = place[step] if inside and (isinstance(step, int) or step in place) else None
        if isinstance(place, dict) and isinstance(last, str):
            place[last] = data.draw(st.sampled_from(NASTY) | ANY)
    for stage in STAGES:
        found = problems(pep, stage)
        json.dumps([problem.as_json() for problem in found]).encode()
