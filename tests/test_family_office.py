"""The office's forms: action sheets, the handover sheet, notices of a change; what each says, and what none may."""

import io
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.text.paragraph import Paragraph

from pepforms import check, codes, forms, pipeline, profile, resources, settings
from pepforms.audience import cut
from pepforms.audience.case import Reader
from pepforms.audience.for_whom import owners
from pepforms.errors import Refused
from pepforms.fill import values
from pepforms.model import Audience, Pep
from pepforms.text import pdf as pdf_text
from pepforms.wiring import Wiring

VALID = resources.folder("samples") / "valid"
SAMPLES = {path.stem: json.loads(path.read_bytes()) for path in sorted(VALID.glob("*.json"))}
QUILL, SEREN, BART = (
    SAMPLES[name] for name in ("year-8-confidential-placement", "year-6-ehc-plan-wales", "year-11-leaver")
)
PEPFORMS = Path(sys.executable).with_name("pepforms")
HILLINGDON = profile.load("hillingdon")
NOTICES = ("change-of-school", "change-of-circumstances")
Says = Callable[..., list[str]]


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))
    yield wiring
    wiring.converter.close()


@pytest.fixture(scope="module")
def says(wiring: Wiring) -> Says:
    def lines(
        pep: Pep, form: str, to: Audience = "authority", person: str | None = None, *, confidential: bool = False
    ) -> list[str]:
        """What the text of a document says, paragraph by paragraph."""
        made = pipeline.render(pep, forms.named(form), to, "docx", wiring, person=person, confidential=confidential)
        word = docx.Document(io.BytesIO(made.data))
        return [Paragraph(each, word).text for each in word.element.body.iter(docx.oxml.ns.qn("w:p"))]

    return lines


def changed(pep: Pep, **sections: Any) -> Pep:
    return {**pep, **sections}


def without_role(pep: Pep, role: str) -> Pep:
    return changed(pep, people=[each for each in pep["people"] if each["role"] != role])


def after(label: str, lines: list[str]) -> list[str]:
    """What stands behind a label."""
    return [line.partition("\t")[2] for line in lines if line.startswith(f"{label}\t")]


# --- action sheets


SHEETS = [
    (name, to, person)
    for name, pep in SAMPLES.items()
    for to in forms.named("action-sheet").audiences
    for person in owners(pep, to)
]


@pytest.mark.parametrize(("name", "to", "person"), SHEETS)
def test_an_action_sheet_holds_what_is_asked_of_its_person_and_nothing_that_is_asked_of_others(
    name: str, to: Audience, person: str, says: Says
) -> None:
    pep = SAMPLES[name]
    lines = says(pep, "action-sheet", to, person)
    for section, words in (("actions", "action"), ("targets", "target")):
        for row in pep.get(section, []):
            assert (row[words] in lines) == (row["owner"] == person)
    own = [target["id"] for target in pep.get("targets", []) if target["owner"] == person]
    bought = [line.partition(":")[0] for line in after("Pupil Premium Plus", lines)]
    paid = [line["item"] for line in pep.get("pupil_premium_plus", {}).get("lines", []) if line["target_id"] in own]
    assert len(bought) == len(paid)
    assert ("£" in "".join(lines)) == (bool(paid) and to != "carer")


def test_an_action_sheet_says_whose_it_is_how_to_know_success_and_whom_to_ring(says: Says) -> None:
    lines = says(QUILL, "action-sheet", "school", "dt")
    assert "Action sheet for Morgan O’Sample, Designated teacher" in lines
    assert after("Agreed at the meeting of", lines) == ["17 November 2026"]
    assert after("Next meeting", lines) == ["23 February 2027"]
    assert after("What success looks like", lines)[0] == "16 of 20 on the same check"
    assert after("Review by", lines) == ["5 February 2027", "30 June 2027"]
    assert after("Pupil Premium Plus", lines)[0] == (
        "Mathematics tuition, one to one: 8 × £38.00, together £304.00; from Readwell Pretend Tutors"
    )
    assert after("Whom to ring", lines) == [
        "Sasha Mockworth, Virtual School Officer, 020 7946 0101, sasha.mockworth@example.org"
    ]


def test_nobody_is_told_to_ring_themselves(says: Says) -> None:
    (ring,) = after("Whom to ring", says(BART, "action-sheet", "authority", "vso"))
    assert ring.startswith("Hillingdon Virtual School, ")


def test_whoever_is_asked_for_nothing_is_told_so_kindly(says: Says) -> None:
    lines = says(QUILL, "action-sheet", "authority", "tm")
    assert "No action of the plan is yours this time." in lines
    assert "You answer for no target of the plan this time." in lines
    assert "You answer for no target of the plan this time: your part is in the action above." in says(
        QUILL, "action-sheet", "carer", "ama"
    )


def test_what_was_done_since_the_meeting_is_ticked_for_the_school_as_for_the_authority(says: Says) -> None:
    report = {"action_id": "A1", "status": "done", "on": "2026-11-23", "note": "Told them all at briefing"}
    owner = QUILL["actions"][0]["owner"]
    assert owner == "dt"
    pep = changed(QUILL, follow_up={"actions": [report]})
    mine = changed(pep, actions=[{**QUILL["actions"][0], "owner": "sw"}])
    for lines in (says(pep, "action-sheet", "school", owner), says(mine, "action-sheet", "authority", "sw")):
        assert "☑" in lines
        assert "Since then: Done, 23 November 2026: Told them all at briefing" in lines


@pytest.mark.parametrize(
    ("to", "person", "said"),
    [
        (
            "authority",
            "dt",
            "“dt” (Designated teacher) reads the school’s copy: ask for this document with the audience",
        ),
        ("school", "sw", "“sw” (Social worker) reads the full copy"),
        (
            "school",
            "Morgan O’Sample",
            "this PEP asks something of: dt (Designated teacher), tutor (Tutor), ed (School staff).",
        ),
    ],
)
def test_a_wrong_person_is_refused_with_those_whom_the_plan_asks(
    to: Audience, person: str, said: str, wiring: Wiring
) -> None:
    with pytest.raises(Refused) as refused:
        pipeline.render(QUILL, forms.named("action-sheet"), to, "docx", wiring, person=person)
    assert said in str(refused.value)
    assert "O’Sample" not in str(refused.value)


def render(sample: str, out: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(PEPFORMS), "render", str(VALID / f"{sample}.json"), *arguments, "--out", str(out)]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PEPFORMS_HOME": str(out / "home")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


def test_one_sheet_is_made_for_each_whom_the_plan_asks_and_file_names_hold_roles(tmp_path: Path) -> None:
    made = render("year-8-confidential-placement", tmp_path, "--form", "action-sheet", "--audience", "school")
    assert made.returncode == 0
    sheets = [Path(line) for line in made.stdout.splitlines()]
    roles = ("designated-teacher", "tutor", "school-staff")
    assert [path.name for path in sheets] == [f"900008_action-sheet-{role}_school_2026-27_AUT_v1.pdf" for role in roles]
    assert [len(pdf_text.seen(path.read_bytes())) for path in sheets] == [1, 1, 1]


def test_where_nobody_is_asked_the_officer_is_told_why_there_is_no_sheet(tmp_path: Path) -> None:
    told = render("neet-17", tmp_path, "--form", "action-sheet", "--audience", "school")
    assert (told.returncode, told.stdout) == (0, "")
    assert "no action-sheet, since the plan asks nothing of those who read this copy (school)" in told.stderr


# --- notices


@pytest.mark.parametrize("form", NOTICES)
def test_a_notice_goes_to_the_officer_and_with_an_ehc_plan_to_the_sen_caseworker(form: str, says: Says) -> None:
    with_plan = recipients(says(SEREN, form))
    assert [line.partition(",")[0] for line in with_plan] == [
        "Virtual School Officer\tSasha Mockworth",
        "SEN caseworker\tPetra Paperwork",
    ]
    assert [line.partition(",")[0] for line in recipients(says(QUILL, form))] == [
        "Virtual School Officer\tSasha Mockworth"
    ]


def recipients(lines: list[str]) -> list[str]:
    begin, end = lines.index("To"), lines.index("The child")
    return lines[begin + 1 : end]


@pytest.mark.parametrize("form", NOTICES)
def test_a_recipient_who_is_not_named_is_a_thing_to_do(form: str, says: Says) -> None:
    ehcp = {key: value for key, value in SEREN["education"]["sen"]["ehcp"].items() if key != "caseworker"}
    education = SEREN["education"] | {"sen": SEREN["education"]["sen"] | {"ehcp": ehcp}}
    unnamed = changed(without_role(SEREN, "sen_caseworker"), education=education)
    unnamed = changed(unnamed, actions=[row for row in SEREN["actions"] if row["owner"] != "sen"])
    (_, to_do) = recipients(says(unnamed, form))
    assert to_do.startswith(
        "To do: this child has an EHC plan, and the PEP names no SEN caseworker. Ask the authority that keeps the plan "
        "who it is (Hillingdon)"
    )
    assert recipients(says(without_role(QUILL, "virtual_school_officer"), form))[0].startswith(
        "To do: the PEP names no Virtual School Officer."
    )


@pytest.mark.parametrize("form", NOTICES)
def test_a_caseworker_whom_the_plan_names_gets_the_notice_whatever_their_role(form: str, says: Says) -> None:
    people = [each | ({"role": "other"} if each["role"] == "sen_caseworker" else {}) for each in SEREN["people"]]
    assert recipients(says(changed(SEREN, people=people), form))[1].startswith("Other\tPetra Paperwork")


@pytest.mark.parametrize("form", NOTICES)
def test_where_it_is_not_known_whether_there_is_a_plan_the_notice_says_so(form: str, says: Says) -> None:
    (_, note) = recipients(says(SAMPLES["unaccompanied-16-tigrinya"], form))
    assert note.startswith("Whether there is an EHC plan: not yet known (")


@pytest.mark.parametrize("form", NOTICES)
def test_a_confidential_placement_stands_in_a_box_above_all_else(form: str, says: Says) -> None:
    lines = [line for line in says(QUILL, form) if line]
    assert lines[lines.index("Quill") + 2].startswith(
        "CONFIDENTIAL PLACEMENT. Do not tell anyone where this child lives"
    )
    assert "CONFIDENTIAL" not in "".join(says(SEREN, form))
    at_home = [QUILL["care"]["placement"]["address"], QUILL["care"]["placement"]["phone"], "07700 900111"]
    assert [words for words in at_home if words in "\n".join(lines)] == []


@pytest.mark.parametrize("form", [*NOTICES, "handover-sheet"])
def test_a_placement_that_is_known_to_be_confidential_today_is_called_so_whatever_the_pep_says(
    form: str, says: Says
) -> None:
    assert "CONFIDENTIAL" not in "".join(says(SEREN, form))
    assert "CONFIDENTIAL" in "".join(says(SEREN, form, confidential=True))


def test_a_change_of_school_says_where_from_where_to_and_why(says: Says) -> None:
    lines = says(SEREN, "change-of-school")
    assert after("Next", lines) == [
        "Ysgol Uwchradd Ffug, if named, from 1 September 2027. Through the EHC plan, phase transfer by 15 February 2027"
    ]
    assert after("Now", lines) == ["Ysgol Llanffug, since 21 February 2022"]
    assert after("Before", lines)[0].endswith("Left: Moved to long-term carers")
    assert after("What is planned, and why", lines) == ["Secondary school in September 2027"]
    assert after("Transport, visits, handover", lines) == ["Six visits, photo book, transport trial in July"]
    assert after("EHC plan", lines)[0].startswith("Kept by Hillingdon; issued 15 March 2021")
    assert after("By 15 February 2027", lines) == [
        "Name the school in the plan by 15 February 2027, with the Welsh authority\nPetra Paperwork (SEN caseworker)"
    ]
    assert not any(line.startswith("To do:") for line in lines)
    assert any(
        line.startswith("To do: the PEP names no next school or college.") for line in says(QUILL, "change-of-school")
    )


def test_a_change_of_circumstances_says_what_is_now_since_when_and_what_was_before(says: Says) -> None:
    lines = says(QUILL, "change-of-circumstances")
    (home,) = after("Home", lines)
    assert home.startswith("Foster placement with another carer, since 16 February 2026")
    assert after("Legal status", lines) == ["Full care order; looked after since 9 May 2023"]
    assert after("School or provision", lines)[0].startswith("Mockford Academy, since 2 March 2026")
    assert after("Ended", lines) == ["16 February 2026, in an emergency"]
    assert after("Why it ended", lines)[0].startswith("The address became known to somebody who must not know it")
    assert after("Carer", lines) == ["Ama Invented, through the social worker"]


# --- the handover sheet


def test_a_handover_sheet_begins_with_what_keeps_the_child_safe(says: Says) -> None:
    lines = says(QUILL, "handover-sheet")
    box = lines[lines.index("Safeguarding: before anyone collects, calls or writes") + 1 :]
    assert box[0] == "Placement: CONFIDENTIAL. Do not tell anyone where this child lives or goes to school."
    assert "Ring first: Dana Mockley (Social worker), 020 7946 0122" in box[: box.index("Who Quill is")]


def test_a_placement_of_which_nobody_has_said_so_is_not_called_open(says: Says) -> None:
    placement = {key: value for key, value in QUILL["care"]["placement"].items() if key != "confidential"}
    lines = says(changed(QUILL, care=QUILL["care"] | {"placement": placement}), "handover-sheet")
    assert "Placement: treat it as confidential until you know that it is not." in lines


@pytest.mark.parametrize("name", SAMPLES)
def test_a_handover_sheet_holds_everybodys_open_actions_all_targets_and_all_that_is_not_known(
    name: str, says: Says
) -> None:
    pep = SAMPLES[name]
    lines = says(pep, "handover-sheet")
    answers = [line.partition("\t")[2].split("\n")[0] for line in lines]
    for action in pep.get("actions", []):
        reports = pep.get("follow_up", {}).get("actions", [])
        told = {action["status"], *(row["status"] for row in reports if row["action_id"] == action["id"])}
        assert (action["action"] in answers) == told.isdisjoint(("done", "cancelled"))
    assert [target["target"] for target in pep.get("targets", []) if target["target"] not in answers] == []
    assert sorted(reasons(pep)) == sorted(below("What is not known yet", lines))


def reasons(value: Any) -> Iterator[str]:
    """Every reason in a PEP why something is not known."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(part, dict) and {*part} == {"unknown"}:
            yield codes.label("upn_unknown", part["unknown"]) or part["unknown"]
        else:
            yield from reasons(part)


def below(heading: str, lines: list[str]) -> list[str]:
    """What stands behind the labels below a heading."""
    found = itertools.dropwhile(lambda line: line != heading, lines)
    part = itertools.takewhile(lambda line: line == heading or "\t" in line, found)
    return [line.partition("\t")[2] for line in part if "\t" in line]


def test_a_handover_sheet_tells_what_was_reported_since_the_meeting(says: Says) -> None:
    report = {"action_id": BART["actions"][0]["id"], "status": "in_progress", "on": "2026-11-20", "note": "Half"}
    lines = says(changed(BART, follow_up={"actions": [report]}), "handover-sheet")
    assert len([line for line in lines if "Since the meeting: In progress, 20 November 2026, Half" in line]) == 1


@pytest.mark.parametrize("form", [*NOTICES, "handover-sheet"])
def test_what_was_done_since_the_meeting_is_not_still_to_be_done(form: str, says: Says) -> None:
    done = {row["action_id"] for row in BART["follow_up"]["actions"] if row["status"] == "done"}
    assert done
    said = "\n".join(says(BART, form))
    for action in BART["actions"]:
        assert (action["action"] in said) == (action["id"] not in done and action["status"] != "done")


def test_the_reviews_of_targets_stand_in_order_and_each_once(says: Says) -> None:
    assert after("Reviews of targets", says(SEREN, "handover-sheet")) == ["29 January 2027 and 25 June 2027"]


def test_a_handover_sheet_speaks_of_not_yet_recorded_only_where_it_says_so(says: Says) -> None:
    assert "“Not yet recorded”" not in "\n".join(says(SEREN, "handover-sheet"))


@pytest.mark.parametrize(
    ("form", "to"),
    [
        ("pep", "school"), ("change-of-school", "authority"), ("change-of-circumstances", "authority"),
        ("handover-sheet", "authority"), ("qa-feedback", "authority"), ("pp-plus-statement", "school"),
        ("school-move-pack", "school"),
    ],
)  # fmt: skip
def test_a_child_without_a_school_place_has_been_so_for_so_many_school_days(
    form: str, to: Audience, says: Says
) -> None:
    said = "\n".join(says(SAMPLES["unaccompanied-16-tigrinya"], form, to)).replace("\t", " ")
    assert "No school place since 28 September 2026 (28 school days by the meeting)" in said


def test_a_school_abroad_of_which_no_day_is_known_says_so_once(says: Says) -> None:
    said = "\n".join(after("Before", says(SAMPLES["college-esol"], "change-of-school")))
    assert ", from when to when: not yet known (She does not remember the year)" in said
    assert "to not yet known" not in said


def test_a_handover_sheet_has_the_money_in_four_lines(says: Says) -> None:
    lines = says(QUILL, "handover-sheet")
    assert [after(label, lines) for label in ("Allocated", "Approved beside that", "Planned", "Remaining")] == [
        ["£900.00"], ["£150.00"], ["£1,025.65"], ["£24.35"],
    ]  # fmt: skip
    later = changed(QUILL, follow_up={"approvals": [{"id": "PA1", "amount": "100.00"}]})
    assert after("Remaining", says(later, "handover-sheet")) == ["£124.35"]


@pytest.mark.parametrize(("to", "told"), [("authority", True), ("school", False)])
def test_a_reader_is_not_told_that_what_they_may_not_see_is_not_known(to: Audience, told: bool) -> None:
    assert ("Next review of the care plan" in not_known(BART, to)) == told


def not_known(pep: Pep, to: Audience) -> list[str]:
    copy = cut(pep, Reader(to))
    return [each["what"] for each in values.context(copy.pep, copy.fields, {})["document"].value["not_known"]]


def test_what_is_not_known_of_a_school_or_a_subject_bears_its_name() -> None:
    assert not_known(QUILL, "authority") == ["Religion", "French: Now"]


# --- whom to ring


RINGING = [
    (form, to)
    for form in ("pep", "school-move-pack", "handover-sheet")
    for to in forms.named(form).audiences
    if to in ("authority", "school", "carer")
]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("form", "to"), RINGING)
def test_whoever_is_told_whom_to_ring_is_given_a_number(name: str, form: str, to: Audience, says: Says) -> None:
    lines = says(SAMPLES[name], form, to)
    asked = [line for line in lines if line.startswith(("Ring first: ", "Nobody has said yet who may collect"))]
    assert [re.search(r"0[0-9 ]{9,}", line) is not None for line in asked] == [True]
    assert not [line for line in lines if line.startswith(("May collect", "Must not be", "Ring ")) and "apply" in line]


def test_a_number_that_is_kept_from_the_school_is_the_social_workers_instead(says: Says) -> None:
    first = "Ring first: Bilal Notareal (Carer)"
    otti = SAMPLES["year-5-review"]
    assert f"{first}, 07700 900222" in says(otti, "pep")
    assert f"{first}, through Ines Fauxley (Social worker), 020 7946 0124" in says(otti, "pep", "school")


@pytest.mark.parametrize("name", ["unaccompanied-16-tigrinya", "neet-17", "year-11-remand"])
def test_who_must_not_be_told_and_whom_to_ring_is_asked_of_a_child_without_a_school(name: str, says: Says) -> None:
    pep = changed(SAMPLES[name], care=SAMPLES[name]["care"] | {"collection": {}})
    lines = says(pep, "pep")
    assert "Must not be told: nobody has said yet, so ask before you tell anyone anything" in lines
    worker = next(each for each in pep["people"] if each["role"] == "social_worker")
    assert f"Ring first: {worker['name']} (Social worker), {worker['phone']}" in lines
    asked = {problem.pointer for problem in check.check(json.dumps(pep).encode(), "sign-off", HILLINGDON).problems}
    assert "/care/collection" in asked
