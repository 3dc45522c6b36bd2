"""Who sees what: each row of the matrix that is seen in part, and what is withheld with a confidential placement."""

import copy
import json
from typing import Any

import pytest

from pepforms import schema
from pepforms.audience import cut
from pepforms.audience.case import Reader
from pepforms.audience.fields import HOME_BY_RULE, HOME_COUSINS, PLAIN_NEEDS, PLAIN_STATUS
from pepforms.audience.for_whom import theirs
from pepforms.audience.release import RELEASABLE
from pepforms.codes import known
from pepforms.errors import Refused
from pepforms.fill import values
from pepforms.model import WITHHELD, Audience, Pep
from pepforms.resources import folder

VALID = folder("samples") / "valid"
QUILL: Pep = json.loads((VALID / "year-8-confidential-placement.json").read_text(encoding="utf-8"))
OPEN: Pep = json.loads((VALID / "year-5-review.json").read_text(encoding="utf-8"))
FIELDS = list(schema.load().root.walk())
READERS: tuple[Audience, ...] = ("school", "carer", "parent", "child")


def seen(pep: Pep, to: Audience, *way: str | int, person: str | None = None, confidential: bool = False) -> Any:
    """What a template finds at a place of a reader's copy."""
    made = cut(pep, Reader(to, ("mum" if to == "parent" else None) if person is None else person, confidential))
    found: Any = values.context(made.pep, made.fields, {})[str(way[0])]
    for step in way[1:]:
        found = found.item(step)
    return found


def plain(found: Any) -> Any:
    return getattr(found, "value", found) if not isinstance(found, values.Withheld) else WITHHELD


def changed(pep: Pep, place: str, value: Any) -> Pep:
    made: Any = copy.deepcopy(pep)
    *way, last = place.strip("/").split("/")
    found = made
    for step in way:
        found = found[int(step)] if isinstance(found, list) else found.setdefault(step, {})
    found[int(last) if isinstance(found, list) else last] = value
    return made


def noted(pep: Pep, to: Audience, **row: Any) -> Pep:
    """The PEP with what is noted of one copy."""
    person = {"person": "mum"} if to == "parent" else {}
    return pep | {"distribution": [{"recipient": "Somebody", "audience": to, **person, **row}]}


def decided(place: str, what: str, about: str = "", by: str = "sw", **more: str) -> dict[str, Any]:
    made = {"pointer": place, "decision": what, "about": about, "reason": "It is safe", "by": by, "on": "2026-11-20"}
    return {"decisions": [made | more]}


def refused(pep: Pep, to: Audience, person: str | None = "mum") -> Refused:
    """The refusal of a copy."""
    with pytest.raises(Refused) as found:
        cut(pep, Reader(to, person if to == "parent" else None))
    return found.value


SUMMARY = "/education/behaviour/summary"


def test_the_authority_has_the_pep_itself() -> None:
    made = cut(QUILL, Reader("authority"))
    assert made.pep is QUILL
    assert made.left_out == ()


def test_a_pep_is_cut_and_never_changed() -> None:
    before = copy.deepcopy(QUILL)
    for to in READERS:
        cut(QUILL, Reader(to, "mum" if to == "parent" else None))
    assert before == QUILL


@pytest.mark.parametrize("to", READERS)
def test_what_the_schema_does_not_grant_is_withheld_whether_it_is_there_or_not(to: Audience) -> None:
    for pep in (QUILL, {"pep": QUILL["pep"], "people": QUILL["people"]}):
        made = cut(pep, Reader(to, "mum" if to == "parent" else None))
        unseen = {each.pointer for each in FIELDS if to not in each.audience}
        tree = {each.pointer: each for each in made.fields.walk()}
        assert all(tree[place].withheld for place in unseen)
        assert not unseen & {fact.field for fact in made.shown}


@pytest.mark.parametrize("to", READERS)
def test_everything_is_either_shown_or_left_out_and_told_by_place_and_title(to: Audience) -> None:
    def leaves(value: Any, at: str = "") -> set[str]:
        if isinstance(value, dict) and not {"unknown", "none"} & value.keys():
            return {place for key, part in value.items() for place in leaves(part, f"{at}/{key}")}
        if isinstance(value, list) and value:
            return {place for number, part in enumerate(value) for place in leaves(part, f"{at}/{number}")}
        return {at} if value != [] else set()

    made = cut(QUILL, Reader(to, "mum" if to == "parent" else None))
    told = {fact.pointer for fact in (*made.left_out, *made.shown)} - {"/exceptions"}
    assert told == leaves(QUILL)
    assert all(fact.title for fact in made.left_out)
    assert "Invented Street" not in repr(made.left_out)


# --- in part: one rule, one test


def test_the_child_is_called_by_the_preferred_name_only() -> None:
    renamed = changed(QUILL, "/people/10/name", "Quillon Aurelio Testchild")
    assert seen(renamed, "child", "people", 10 - 1, "name") == "Quill"
    assert plain(seen(QUILL, "child", "child", "legal_name")) is WITHHELD


def test_of_ethnicity_religion_and_language_school_and_carer_see_the_language() -> None:
    for to in ("school", "carer"):
        assert seen(QUILL, to, "child", "first_language") == "English"
        assert plain(seen(QUILL, to, "child", "ethnicity")) is WITHHELD


@pytest.mark.parametrize("status", known("legal_status"))
def test_a_legal_status_is_said_in_plain_words_or_not_at_all(status: str) -> None:
    found = seen(changed(QUILL, "/care/legal_status", status), "school", "care", "legal_status")
    assert plain(found) == PLAIN_STATUS.get(status, WITHHELD)
    assert plain(seen(QUILL, "school", "care", "need")) is WITHHELD


def test_a_parent_is_not_shown_what_somebody_of_a_longer_name_decides() -> None:
    pep = changed(OPEN, "/people/5/name", "Ann")
    assert pep["people"][5]["id"] == "mum"
    for decides, seen_ in (("Joanna Zorbing, aunt", False), ("Anna", False), ("Ann, his mother", True)):
        made = cut(changed(pep, "/care/permissions/0/decided_by", decides), Reader("parent", "mum"))
        assert (made.pep["care"].get("permissions") is not WITHHELD) is seen_


def test_a_parent_sees_their_own_row_of_parental_responsibility_and_of_what_they_decide() -> None:
    made = changed(QUILL, "/care/permissions/0/decided_by", "Lee Testchild")
    assert [row["person"] for row in cut(made, Reader("parent", "mum")).pep["care"]["parental_responsibility"]] == [
        "mum"
    ]
    assert [row["matter"] for row in cut(made, Reader("parent", "mum")).pep["care"]["permissions"]] == ["Day trips"]
    assert plain(seen(QUILL, "parent", "care", "permissions")) is WITHHELD


def test_only_the_carer_sees_the_home_and_only_where_somebody_cares_for_the_child_there() -> None:
    assert seen(QUILL, "carer", "care", "placement", "address") == "1 Invented Street, Nowheretown, ZZ99 1ZZ"
    alone = QUILL | {"people": [each for each in QUILL["people"] if each["role"] != "carer"]}
    assert plain(seen(alone, "carer", "care", "placement")) is WITHHELD
    assert plain(seen(QUILL, "school", "care", "placement", "phone")) is WITHHELD


def test_a_number_at_home_is_withheld_from_the_school_among_the_emergency_contacts_too() -> None:
    contact = [{"name": "Ama Invented", "phone": "+447700900111"}, {"name": "Home", "phone": "01632960011"}]
    at_home = changed(changed(QUILL, "/care/collection/emergency", contact), "/people/8/phone", "+447700900111")
    for number in (0, 1):
        assert plain(seen(at_home, "school", "care", "collection", "emergency", number, "phone")) is WITHHELD
        assert plain(seen(at_home, "carer", "care", "collection", "emergency", number, "phone")) is not WITHHELD


def test_the_school_is_told_of_carers_by_name_and_of_whom_to_ring() -> None:
    carer, worker = (seen(QUILL, "school", "people", number) for number in (8, 2))
    assert (carer.item("name"), plain(carer.item("phone"))) == ("Ama Invented", WITHHELD)
    assert worker.item("phone") == "020 7946 0122"
    assert seen(QUILL, "school", "care", "collection", "ring_first") == "sw"


def test_of_an_sdq_school_and_carer_see_what_helps_and_no_score() -> None:
    assert plain(seen(QUILL, "school", "care", "sdq", "score")) is WITHHELD
    assert seen(QUILL, "carer", "care", "sdq", "strategies").startswith("A calm start")


@pytest.mark.parametrize("place", RELEASABLE)
def test_what_is_released_one_by_one_is_shown_once_the_social_worker_says_so(place: str) -> None:
    pep = changed(OPEN, "/care/circumstances", {"youth_justice": True, "immigration": "Waits"})
    pep = changed(pep, "/care/health_affecting_learning", "Wears glasses")
    pep = changed(pep, "/child/date_of_birth_status", "recorded")
    way = place.strip("/").split("/")
    for to in RELEASABLE[place]:
        probe = (*way, 0, "current") if place == "/education/attainment" else tuple(way)
        assert plain(seen(pep, to, *probe)) is WITHHELD
        assert plain(seen(noted(pep, to, **decided(place, "show")), to, *probe)) is not WITHHELD
        if to != "child":
            with pytest.raises(Refused, match="social worker"):
                cut(noted(pep, to, **decided(place, "show", by="vso")), Reader(to, "mum" if to == "parent" else None))


def test_nothing_else_can_be_released() -> None:
    assert refused(noted(OPEN, "parent", **decided("/views/carer/words", "show")), "parent").slug == (
        "decision-not-possible"
    )


@pytest.mark.parametrize("to", ["school", "carer", "parent"])
def test_custody_is_for_the_authority_in_the_history_and_now(to: Audience) -> None:
    name = "Notaplace YOI"
    history = [*OPEN["education"]["history"], {"name": name, "from": "2025-01-01", "to": "2025-02-01"}]
    before = changed(OPEN, "/education/history", history)
    assert name not in str(cut(before, Reader(to, "mum" if to == "parent" else None)).pep)
    remand = json.loads((VALID / "year-11-remand.json").read_text(encoding="utf-8"))
    released = noted(remand, to, released_by="sw", released_on="2026-11-20")
    made = cut(released, Reader(to, "mum" if to == "parent" else None))
    assert "Notaplace education" not in str(made.pep["education"].get("settings"))
    assert made.pep["pep"]["provision_state"] is WITHHELD


@pytest.mark.parametrize("to", ["school", "carer", "parent"])
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("/care/circumstances/unaccompanied", True),
        ("/care/circumstances/youth_justice", True),
        ("/care/circumstances/immigration", "Claim made"),
        ("/care/legal_status", "J1"),
        ("/care/placement/type", "A5"),
        ("/pep/provision_state", "custody"),
    ],
)
def test_a_teams_name_does_not_tell_what_is_for_the_authority_alone(place: str, value: Any, to: Audience) -> None:
    told = {"organisation": "Youth Justice", "email": "pat@example.org"}
    more = [{"id": f"p{n}", "role": role, "name": "Pat Feigned", **told} for n, role in enumerate(TEAMS)]
    pep = noted(OPEN | {"people": [*OPEN["people"], *more]}, to, released_by="sw", released_on="2026-11-20")
    reader = Reader(to, "mum" if to == "parent" else None)
    assert str(cut(pep, reader).pep["people"]).count("Youth Justice") == len(TEAMS)
    made = cut(changed(pep, place, value), reader)
    assert "Youth Justice" not in str(made.pep["people"])
    assert str(made.pep["people"]).count("pat@example.org") == len(TEAMS)
    assert len([fact for fact in made.left_out if fact.value == "Youth Justice"]) == len(TEAMS)


TEAMS = ("social_worker", "team_manager", "personal_adviser")


@pytest.mark.parametrize("to", ["school", "carer", "parent"])
def test_staff_who_teach_in_custody_are_named_and_no_more(to: Audience) -> None:
    remand = json.loads((VALID / "year-11-remand.json").read_text(encoding="utf-8"))
    open_ = changed(remand, "/care/placement/confidential", False)
    pep = noted(open_, to, released_by="sw", released_on="2026-11-20")
    (teacher,) = [
        each for each in cut(pep, Reader(to, "mum" if to == "parent" else None)).pep["people"] if each.get("id") == "em"
    ]
    assert teacher["name"] == "Ada Strawman"
    assert {teacher[name] for name in ("organisation", "email")} == {WITHHELD}


def test_a_carer_reads_of_other_carers_by_name_alone() -> None:
    other = {"id": "c2", "role": "carer", "name": "Cleo Conjured", "phone": "07700 900444"}
    made = cut(OPEN | {"people": [*OPEN["people"], other]}, Reader("carer"))
    carers = [each for each in made.pep["people"] if each["role"] == "carer"]
    assert [each["name"] for each in carers] == ["Bilal Notareal", "Cleo Conjured"]
    assert all(each["phone"] is WITHHELD for each in carers)


def test_the_child_reads_of_special_needs_in_plain_words() -> None:
    assert seen(QUILL, "child", "education", "sen", "status") == "Extra help at school"
    assert seen(QUILL, "child", "education", "sen", "primary_need") == "Feelings and getting on with others"
    assert set(PLAIN_NEEDS["*"]) == set(known("sen_need"))
    assert set(PLAIN_NEEDS["/education/sen/status"]) == set(known("sen_status"))


@pytest.mark.parametrize(
    ("share", "readers"),
    [
        (None, {"school", "carer", "child"}),
        ([], {"child"}),
        (["parent"], {"parent", "child"}),
        (["school"], {"school", "child"}),
    ],
)
def test_the_childs_words_are_read_by_those_with_whom_the_child_shares_them(
    share: list[str] | None, readers: set[str]
) -> None:
    pep = copy.deepcopy(OPEN)
    pep["views"]["child"].pop("share_with", None)
    if share is not None:
        pep["views"]["child"]["share_with"] = share
    assert {to for to in READERS if plain(seen(pep, to, "views", "child")) is not WITHHELD} == readers


def test_a_carers_views_are_for_school_and_carer() -> None:
    assert {to for to in READERS if plain(seen(OPEN, to, "views", "carer")) is not WITHHELD} == {"school", "carer"}


def test_a_parent_reads_their_own_words_and_the_school_those_that_the_parent_shares() -> None:
    views = [
        {"person": "mum", "words": "Mine", "share_with": ["school"]},
        {"person": "dad", "words": "His"},
    ]
    people = [*OPEN["people"], {"id": "dad", "role": "parent", "name": "Dario Mockington", "phone": "01632 960999"}]
    pep = changed(OPEN, "/views/parent", views) | {"people": people}
    for to, words in (("parent", ["Mine"]), ("school", ["Mine"])):
        assert [view.item("words") for view in seen(pep, to, "views", "parent")] == words
    assert plain(seen(pep, "carer", "views", "parent")) is WITHHELD
    assert "Dario" not in str(cut(pep, Reader("parent", "mum")).pep)
    assert [
        row["name"] for row in cut(pep, Reader("parent", "dad")).pep["people"] if row.get("phone") == "01632 960999"
    ]


def test_a_parent_sees_their_own_actions_and_the_childs_and_the_child_the_childs() -> None:
    pep = changed(OPEN, "/actions/0/owner", "mum")
    pep = changed(pep, "/actions/1/owner", "otti")
    for to, owners in (("parent", ["mum", "otti"]), ("child", ["otti"])):
        assert [action.item("owner") for action in seen(pep, to, "actions")] == owners
    assert len(seen(pep, "carer", "actions")) == len(OPEN["actions"])


def test_a_carer_reads_what_is_bought_and_for_what_and_not_what_it_costs() -> None:
    (line, *_) = seen(QUILL, "carer", "pupil_premium_plus", "lines")
    assert line.item("item") == "Reading tuition, one to one"
    assert all(plain(line.item(name)) is WITHHELD for name in ("cost", "rate", "quantity", "provider"))


def test_a_sum_over_what_is_withheld_is_not_said() -> None:
    from pepforms.fill import words

    lines = seen(QUILL, "carer", "pupil_premium_plus")
    assert (words.total(lines.item("lines"), "cost"), words.remaining(lines)) == ("", "")
    assert words.total(values.context(QUILL, schema.load().root, {})["pupil_premium_plus"].item("lines"), "cost") != ""


def test_the_child_sees_who_was_at_the_meeting_by_name_and_by_what_they_are_whom_the_child_may_not_know() -> None:
    from pepforms.fill import words

    people = [*QUILL["people"], {"id": "int", "role": "other", "name": "Interpreter 4417"}]
    people.append({"id": "duty", "role": "other", "name": "Greta Standford", "covers": "sw"})
    guests = [*QUILL["meeting"]["attendees"], {"person": "int"}, {"person": "duty"}]
    pep = QUILL | {"people": people, "meeting": QUILL["meeting"] | {"attendees": guests}}
    said = [words.said(guest.item("person")) for guest in seen(pep, "child", "meeting", "attendees")]
    assert said[:2] == ["Quill (Child or young person)", "Sasha Mockworth (Virtual School Officer)"]
    assert said[-3:] == ["A parent", "Interpreter", "Social worker"]


# --- a confidential placement


def test_every_field_that_could_reveal_the_home_is_withheld_or_has_a_rule() -> None:
    made = cut(QUILL, Reader("parent", "mum"))
    tree = {each.pointer: each for each in made.fields.walk()}
    for each in FIELDS:
        if each.placement and each.pointer not in HOME_BY_RULE:
            assert tree[each.pointer].withheld
    assert {each.pointer for each in FIELDS} >= HOME_BY_RULE | HOME_COUSINS


def test_nobody_of_school_or_home_is_named_to_the_parent_and_owners_are_roles() -> None:
    from pepforms.fill import words

    made = cut(QUILL, Reader("parent", "mum"))
    assert {each["role"] for each in made.pep["people"] if "role" in each} == {
        "virtual_school_officer", "virtual_school_head", "social_worker", "team_manager",
        "independent_reviewing_officer", "parent", "child",
    }  # fmt: skip
    assert {words.said(target.item("owner")) for target in seen(QUILL, "parent", "targets")} == {"The school"}


def test_the_history_ends_on_the_day_the_placement_began() -> None:
    later = {"name": "After High School", "from": "2026-02-20", "to": "2026-02-27"}
    running = {"name": "Still There School", "from": "2020-09-01", "to": "2026-03-27"}
    pep = changed(QUILL, "/education/history", [*QUILL["education"]["history"], later, running])
    names = [row.item("name") for row in seen(pep, "parent", "education", "history")]
    assert names == [row["name"] for row in QUILL["education"]["history"]]
    unknown = changed(pep, "/care/placement/start", {"unknown": "The day is not recorded"})
    assert plain(seen(unknown, "parent", "education", "history")) is WITHHELD


def test_what_is_known_today_can_tighten_and_never_loosen() -> None:
    shared = changed(OPEN, "/views/child/pictures", [])
    assert seen(shared, "parent", "care", "placement", "address")
    assert plain(seen(shared, "parent", "care", "placement", confidential=True)) is WITHHELD
    assert plain(seen(QUILL, "parent", "care", "placement", confidential=False)) is WITHHELD
    unsaid = changed(shared, "/care/placement", {"address": "5 Sham Street"})
    assert plain(seen(unsaid, "parent", "care", "placement")) is WITHHELD


def test_a_reader_is_never_told_that_something_was_withheld() -> None:
    found = seen(QUILL, "parent", "care", "placement", "previous", "reason")
    assert (found.words, bool(found), list(found)) == ("", False, [])
    assert found.item("anything") is values.MISSING


# --- for whom, and released by whom


@pytest.mark.parametrize(
    ("to", "person"),
    [
        ("parent", None),
        ("parent", "ama"),
        ("parent", "nobody"),
        ("school", "mum"),
        ("child", "quill"),
        ("authority", "sw"),
    ],
)
def test_a_parents_copy_alone_is_for_one_person_who_is_a_parent(to: Audience, person: str | None) -> None:
    with pytest.raises(Refused) as refused:
        cut(QUILL, Reader(to, person))
    assert refused.value.slug == "for-whom"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *(("/care/placement/type", code) for code in ("A3", "A4", "A5", "A6", "K1", "R5")),
        *(("/care/legal_status", code) for code in ("D1", "E1", "J1", "J2", "L2")),
        ("/pep/provision_state", "custody"),
        ("/care/collection/must_not_be_told", ["Renée Mockington: ring the social worker"]),
    ],
)
def test_no_parents_copy_of_a_child_placed_for_adoption_remanded_or_restricted_unless_the_social_worker_releases_it(
    place: str, value: Any
) -> None:
    pep = changed(OPEN, place, value)
    for row in ({}, {"released_by": "vso", "released_on": "2026-11-20"}, {"released_by": "sw"}):
        with pytest.raises(Refused) as refused:
            cut(noted(pep, "parent", **row), Reader("parent", "mum"))
        assert refused.value.slug == "not-released"
        assert "Mockington" not in str(refused.value)
    assert cut(noted(pep, "parent", released_by="sw", released_on="2026-11-20"), Reader("parent", "mum")).pep


@pytest.mark.parametrize(
    "entry",
    [
        "Mother", "His mother", "mum", "Ms Mockington", "Mockington, Renée", "Renee", "Renée  Mockington",
        "Renée\u00a0Mockington", "Both parents", "either parent", "the MUM of Otti", "Mrs Testchild, the mother’s aunt",
        "His birth family", "The maternal family", "Family members", "Mama", "His ma", "Mrs M", "Ms M.",
        "Miss R, who rings",
    ],
)  # fmt: skip
def test_a_parents_copy_waits_wherever_those_who_must_not_be_told_may_be_this_parent(entry: str) -> None:
    pep = changed(OPEN, "/care/collection/must_not_be_told", ["Nobody else", entry])
    assert refused(pep, "parent").slug == "not-released"
    assert cut(noted(pep, "parent", released_by="sw", released_on="2026-11-20"), Reader("parent", "mum")).pep


@pytest.mark.parametrize(
    "entry",
    [
        "Anyone who rings and says they are family",
        "Mr Pretend, a neighbour",
        "Grandma",
        "Her father, if he rings",
        "Mrs T",
        "Mrs",
    ],
)
def test_a_parents_copy_does_not_wait_for_those_who_are_somebody_else(entry: str) -> None:
    assert cut(changed(OPEN, "/care/collection/must_not_be_told", [entry]), Reader("parent", "mum")).pep


@pytest.mark.parametrize("to", READERS)
def test_a_copy_with_a_picture_waits_for_release_while_the_placement_is_confidential(to: Audience) -> None:
    pep = changed(OPEN, "/care/placement/confidential", True)
    reader = Reader(to, "mum" if to == "parent" else None)
    waits = cut(pep, reader).picture_waits
    assert waits is not None
    assert waits.slug == "not-released"
    for by in ("carer", "mum", "otti", "dt"):  # nor does its reader release it
        assert cut(noted(pep, to, released_by=by, released_on="2026-11-20"), reader).picture_waits is not None
    assert cut(noted(pep, to, released_by="vso", released_on="2026-11-20"), reader).picture_waits is None
    assert cut(changed(pep, "/views/child/pictures", []), reader).picture_waits is None


# --- decisions


def test_words_are_left_out_or_said_otherwise_in_one_copy_alone() -> None:
    left = noted(QUILL, "parent", **decided(SUMMARY, "leave_out", "the most in 8F"))
    otherwise = noted(QUILL, "parent", **decided(SUMMARY, "reword", "the most in 8F", words="A good term"))
    assert plain(seen(left, "parent", "education", "behaviour", "summary")) is WITHHELD
    assert seen(otherwise, "parent", "education", "behaviour", "summary") == "A good term"
    assert seen(otherwise, "carer", "education", "behaviour", "summary").startswith("63 house points")
    assert SUMMARY in {fact.pointer for fact in cut(otherwise, Reader("parent", "mum")).left_out}


def test_a_code_or_a_day_is_never_reworded() -> None:
    for place, about in (("/meeting/date", "2026-11-17"), ("/care/legal_status", "C2"), ("/targets/0/owner", "tutor")):
        pep = noted(QUILL, "school", **decided(place, "reword", about, words="Something"))
        assert "only words can be said in other words" in str(refused(pep, "school"))


def test_one_entry_of_a_list_can_be_left_out_and_the_last_takes_its_heading_with_it() -> None:
    pep = noted(QUILL, "parent", **decided("/education/sen/provision/0", "leave_out", "ELSA session"))
    assert len(seen(pep, "parent", "education", "sen", "provision")) == 2
    alone = changed(pep, "/education/sen/provision", pep["education"]["sen"]["provision"][:1])
    assert plain(seen(alone, "parent", "education", "sen", "provision")) is WITHHELD


def test_the_decisions_of_a_copy_change_no_signed_pep() -> None:
    from pepforms.digest import pep_digest

    assert pep_digest(noted(QUILL, "parent", **decided("/views/child/words", "accept"))) == pep_digest(QUILL)
    assert cut(QUILL, Reader("school")).accepted == {}


def test_only_the_words_that_were_decided_about_are_let_stand() -> None:
    pep = noted(QUILL, "parent", **decided(SUMMARY, "accept", "design technology & drama"))
    assert cut(pep, Reader("parent", "mum")).accepted == {SUMMARY: ("design technology & drama",)}


@pytest.mark.parametrize("what", ["leave_out", "reword", "accept"])
def test_a_decision_does_not_outlive_the_words_that_it_was_made_for(what: str) -> None:
    made = decided(SUMMARY, what, "Four  incidents, three", words="Some")  # however they are spaced
    assert cut(noted(QUILL, "parent", **made), Reader("parent", "mum")).pep
    told = str(refused(noted(changed(QUILL, SUMMARY, "He lives at 1 Invented Street"), "parent", **made), "parent"))
    assert SUMMARY in told
    assert "have changed since" in told
    assert "Invented" not in told


def test_a_row_that_moved_is_not_taken_for_the_one_that_was_decided_about() -> None:
    first, *others = QUILL["education"]["achievements"]
    pep = noted(QUILL, "parent", **decided("/education/achievements/0", "leave_out", first))
    assert plain(seen(pep, "parent", "education", "achievements", 0)) == (others[0] if others else WITHHELD)
    moved = changed(pep, "/education/achievements", ["Learned to swim", first, *others])
    assert refused(moved, "parent").slug == "decision-not-possible"


@pytest.mark.parametrize(
    ("place", "what", "says"),
    [
        ("/education/behaviour/sumary", "leave_out", "nothing stands there"),
        ("/education/behaviour/summary/", "leave_out", "nothing stands there"),
        ("/education/sen/provision/9", "leave_out", "nothing stands there"),
        ("/education/sen/provision/00", "leave_out", "nothing stands there"),
        ("/education/behaviour/summary/0", "accept", "nothing stands there"),
        ("/education/behaviour", "reword", "only words can be said in other words"),
        ("/education/sen/provision", "reword", "only words can be said in other words"),
        ("/education/sen/provision", "accept", "only words can be let stand"),
        ("", "leave_out", "no document can be made without it"),
        ("/pep", "leave_out", "no document can be made without it"),
        ("/people", "leave_out", "no document can be made without it"),
        ("/people/2/id", "leave_out", "no document can be made without it"),
        ("/people/2/role", "leave_out", "no document can be made without it"),
    ],
)
def test_a_decision_that_cannot_be_done_is_refused_and_never_passed_over(place: str, what: str, says: str) -> None:
    made = decided(place, what, words_in(standing(QUILL, place)), words="Other")
    told = refused(noted(QUILL, "parent", **made), "parent")
    assert (told.slug, says in str(told)) == ("decision-not-possible", True)


def standing(pep: Pep, place: str) -> Any:
    """What stands at a place; a word where nothing does."""
    found: Any = pep
    try:
        for step in place.split("/")[1:]:
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (KeyError, IndexError, TypeError, ValueError):
        return "nothing"
    return found


def words_in(value: Any) -> str:
    if isinstance(value, dict | list):
        return " ".join(words_in(part) for part in (value.values() if isinstance(value, dict) else value))
    return str(value)


@pytest.mark.parametrize("what", ["leave_out", "reword", "accept"])
def test_a_decision_about_what_is_withheld_anyway_does_no_harm(what: str) -> None:
    for place in ("/care/placement/address", "/views/carer/words", "/people/5/name"):
        assert cut(noted(QUILL, "parent", **decided(place, what, "Gone since", words="x")), Reader("parent", "mum")).pep


@pytest.mark.parametrize("by", ["mum", "quill", "ama", "dt", "iro", "nobody"])
def test_only_those_who_work_for_the_authority_decide_what_a_copy_says(by: str) -> None:
    for what in ("leave_out", "reword", "accept"):
        pep = noted(QUILL, "parent", **decided(SUMMARY, what, "house points", by, words="x"))
        assert "only the social worker, their team manager" in str(refused(pep, "parent"))
    grades = noted(QUILL, "child", **decided("/education/attainment", "show", by=by))
    assert "only the social worker, their team manager" in str(refused(grades, "child"))


@pytest.mark.parametrize("by", ["sw", "tm", "vso", "vsh"])
def test_each_of_them_may(by: str) -> None:
    pep = noted(QUILL, "parent", **decided(SUMMARY, "accept", "house points", by))
    assert SUMMARY in cut(pep, Reader("parent", "mum")).accepted


# --- what is one person's own


def test_what_a_plan_asks_of_others_is_left_out_of_a_document_for_one_person_and_is_no_secret() -> None:
    whole = cut(QUILL, Reader("school"))
    made = theirs(whole, "school", "dt")
    own = {f"/{section}/{n}" for section in ("targets", "actions") for n, row in enumerate(QUILL[section])
           if row["owner"] == "dt"}  # fmt: skip
    asked = {fact.pointer for fact in whole.shown if fact.pointer.startswith(("/targets/", "/actions/"))}
    others = {place for place in asked if place.rpartition("/")[0] not in own}
    assert [row["id"] for row in made.pep["actions"]] == ["A1"]
    assert made.left_out == whole.left_out
    assert "/actions/1/action" in {fact.pointer for fact in made.of_others} <= others
    assert not others & {fact.pointer for fact in made.shown}
    assert {fact.pointer for fact in made.shown} >= asked - others


def test_what_is_asked_of_two_people_in_the_same_words_is_each_ones_own() -> None:
    same = changed(QUILL, "/actions/1/action", QUILL["actions"][0]["action"])
    left = {fact.pointer for fact in theirs(cut(same, Reader("school")), "school", "dt").of_others}
    assert "/actions/1/action" not in left
    assert "/actions/2/action" in left


@pytest.mark.parametrize("to", ["school", "carer", "child"])
def test_what_is_not_asked_is_not_called_missing_where_the_reader_may_not_know_why(to: Audience) -> None:
    remanded = json.loads((VALID / "year-11-remand.json").read_text(encoding="utf-8"))
    assert seen(remanded, to, "pep", "provision_state").words == ""
    assert seen(remanded, to, "education", "attendance").words == "Does not apply"
    assert seen(remanded, to, "education", "behaviour", "rewards").words == "Does not apply"
    unheard = {key: value for key, value in OPEN["education"].items() if key != "attendance"}
    assert seen(OPEN | {"education": unheard}, to, "education", "attendance").words == "Not yet recorded"
