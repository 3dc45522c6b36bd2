"""What is due and whose it is: from the lists, the PEPs, their records and deliveries; and the e-mails about it."""

import copy
import csv
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pepforms import profile, resources
from pepforms.archive import manifest
from pepforms.caseload import chasing, due, lists, mapping, weekly
from pepforms.caseload.due import Due
from pepforms.days import Clock
from pepforms.digest import pep_digest, sha256
from pepforms.model import Pep
from pepforms.profile import Profile
from pepforms.register import made, peps
from pepforms.register.store import Register
from pepforms.register.tables import Delivery, Record

SAMPLES = resources.folder("samples")
LIST = (SAMPLES / "weekly-list.csv").read_text()
EXAMPLE = mapping.load("example", Path("/nonexistent"))
HILLINGDON = profile.load("hillingdon")
CLOCKED = replace(
    HILLINGDON,
    clocks={
        "initial_meeting": Clock(10, "working", after="looked_after"),
        "initial_pep": Clock(20, "working", after="looked_after"),
        "new_school": Clock(10, "calendar", after="school_change"),
        "new_placement": Clock(10, "calendar", after="placement_change"),
        "section_a_ready": Clock(5, "working", before="meeting", sections=("child", "care")),
        "sign_off": Clock(10, "working", after="meeting"),
        "read_after_sign_off": Clock(14, "calendar", after="sign_off"),
        "to_iro": Clock(3, "calendar", before="review"),
        "deputy_steps_in": Clock(5, "working", after="due"),
    },
)
FIRST, SECOND, THIRD = (dt.date(2026, 11, day) for day in (6, 13, 20))
DAY = dt.timedelta(days=1)
TEACHER = "designated_teacher"


def sample(name: str) -> Pep:
    pep: Pep = json.loads((SAMPLES / "valid" / f"{name}.json").read_bytes())
    return pep


DRAFT, SIGNED = sample("year-3-draft"), sample("year-5-review")  # 900013, met 19 November; 900005, signed 12 November


def bring(register: Register, as_of: dt.date, *numbers: str, **changes: str) -> None:
    """The sample list of these children, with words of it changed."""
    header, *rows = LIST.splitlines()
    text = "\n".join([header, *(row for row in rows if row.split(",")[0] in numbers)])
    for old, new in changes.items():
        assert old.replace("_", " ") in text
        text = text.replace(old.replace("_", " "), new)
    lists.bring(register, text.encode(), weekly.read(text.encode(), "l.csv", EXAMPLE), as_of=as_of, by="officer")


def listed(register: Register, as_of: dt.date, number: str, **cells: str) -> None:
    """A list of one child, as the sample has them but for some cells."""
    columns = LIST.splitlines()[0].split(",")
    (row,) = (row.split(",") for row in LIST.splitlines() if row.startswith(number))
    row = [cells.get(column.replace(" ", "_"), cell) for column, cell in zip(columns, row, strict=True)]
    text = f"{','.join(columns)}\n{','.join(row)}\n"
    lists.bring(register, text.encode(), weekly.read(text.encode(), "l.csv", EXAMPLE), as_of=as_of, by="officer")


def keep(register: Register, pep: Pep, ours: Profile = CLOCKED) -> None:
    peps.keep(register, pep, ours, by="officer")


def waiting(register: Register, on: dt.date, ours: Profile = CLOCKED, kind: str = "") -> list[Due]:
    with register.reading() as session:
        return [row for row in due.due(session, ours, on) if row.kind.startswith(kind)]


def told(rows: list[Due]) -> list[tuple[str, str, dt.date | None]]:
    return [(row.kind, row.state, row.due) for row in rows]


def without(pep: Pep, *ways: str) -> Pep:
    other = copy.deepcopy(pep)
    for way in ways:
        *steps, last = way.split(".")
        part: Any = other
        for step in steps:
            part = part[step]
        del part[last]
    return other


def signed(pep: Pep, at: str = "2026-11-20T10:00:00+00:00") -> Pep:
    name = {"role": "virtual_school_officer", "name": "Sasha Mockworth", "method": "On paper"}
    return {**pep, "sign_offs": [{**name, "at": at, "digest": pep_digest(pep)}]}


# --- being looked after ----------------------------------------------------------------------------------------------


def test_an_empty_register_has_nothing_due(register: Register) -> None:
    assert waiting(register, THIRD) == []


@pytest.mark.parametrize(
    ("began", "meeting", "pep"),
    [
        ("09/11/2026", dt.date(2026, 11, 27), dt.date(2026, 12, 11)),  # from the list, which came later
        ("17/08/2026", dt.date(2026, 11, 27), dt.date(2026, 12, 11)),  # back-dated: nobody could act before the list
        ("16/11/2026", dt.date(2026, 11, 30), dt.date(2026, 12, 14)),  # still to begin when the list was made
    ],
)
def test_the_first_meeting_and_the_first_pep_are_due_from_when_anybody_could_act(
    register: Register, began: str, meeting: dt.date, pep: dt.date
) -> None:
    listed(register, SECOND, "900022", LAC_Start=began)
    assert told(waiting(register, THIRD)) == [("initial-meeting", "due", meeting), ("initial-pep", "due", pep)]
    assert [row.state for row in waiting(register, meeting + DAY)] == ["late", "due"]
    assert {row.owner for row in waiting(register, THIRD)} == {"virtual_school_officer"}


def test_a_start_that_is_put_back_later_does_not_begin_the_clock_anew(register: Register) -> None:
    listed(register, FIRST, "900022", LAC_Start="05/11/2026")
    before = waiting(register, THIRD)
    listed(register, THIRD, "900022", LAC_Start="01/10/2026")
    assert [row.due for row in waiting(register, THIRD)] == [row.due for row in before]


def test_short_breaks_have_no_clock_and_remand_is_marked(register: Register) -> None:
    bring(register, SECOND, "900021", "900015")
    assert {(row.lcs_person_id, row.modified) for row in waiting(register, THIRD)} == {("900015", True)}


def test_clocks_begin_with_the_first_list_whose_status_needs_a_pep(register: Register) -> None:
    listed(register, dt.date(2026, 9, 7), "900021", LAC_Start="05/01/2026")
    listed(register, dt.date(2026, 11, 12), "900021", LAC_Start="05/01/2026", Legal_Status="V2")
    listed(register, THIRD, "900021", LAC_Start="05/01/2026", Legal_Status="C2")
    assert told(waiting(register, THIRD)) == [
        ("initial-meeting", "due", dt.date(2026, 11, 26)),
        ("initial-pep", "due", dt.date(2026, 12, 10)),
    ]


def test_a_week_of_short_breaks_on_the_list_does_not_begin_the_clock_anew(register: Register) -> None:
    for as_of, status in ((FIRST, "C1"), (SECOND, "V4"), (THIRD, "C2")):
        listed(register, as_of, "900022", LAC_Start="05/11/2026", Legal_Status=status)
    assert [row.due for row in waiting(register, THIRD)] == [THIRD, dt.date(2026, 12, 4)]


def test_nobody_is_asked_to_read_the_pep_of_a_child_who_has_short_breaks_now(register: Register) -> None:
    keep(register, signed(DRAFT))
    listed(register, SECOND, "900013")
    assert {row.kind for row in waiting(register, THIRD)} == {"unread", "no-record"}
    listed(register, THIRD, "900013", Legal_Status="V4")
    assert [row.kind for row in waiting(register, THIRD)] == ["no-record"]  # which must reach the file all the same


def test_who_is_not_looked_after_any_more_needs_nothing(register: Register) -> None:
    listed(register, SECOND, "900022", LAC_End="17/11/2026")
    assert waiting(register, THIRD) == []
    listed(register, THIRD, "900022", LAC_End="")
    assert len(waiting(register, THIRD)) == 2


def test_without_clocks_a_pep_of_the_term_is_due_by_its_end(register: Register) -> None:
    bring(register, SECOND, "900022")
    assert told(waiting(register, THIRD, HILLINGDON)) == [("no-pep", "due", dt.date(2026, 12, 31))]
    spring = waiting(register, dt.date(2027, 1, 11), HILLINGDON)
    assert [row.what for row in spring] == ["PEP for the spring term 2026/27"]


def test_the_term_before_is_told_where_the_register_was_in_use_then(register: Register) -> None:
    keep(register, SIGNED)
    bring(register, SECOND, "900022", "900005")
    spring = [row for row in waiting(register, dt.date(2027, 1, 11), HILLINGDON) if row.kind == "no-pep"]
    assert [(row.lcs_person_id, row.state, row.what) for row in spring] == [
        ("900022", "late", "PEP for the autumn term 2026/27"),
        ("900005", "due", "PEP for the spring term 2026/27"),
        ("900022", "due", "PEP for the spring term 2026/27"),
    ]


def test_a_change_of_school_or_home_asks_for_a_pep_until_a_meeting_is_held(register: Register) -> None:
    keep(register, SIGNED)  # met on 10 November
    bring(register, FIRST, "900005")
    listed(
        register,
        SECOND,
        "900005",
        School_URN="999801",
        School_LAESTAB="999/4001",
        School="Mockford Academy",
        Placement_Start="12/11/2026",
    )
    assert told(waiting(register, THIRD, kind="new")) == [
        ("new-school", "due", dt.date(2026, 11, 23)),
        ("new-placement", "due", dt.date(2026, 11, 23)),
    ]
    again = copy.deepcopy(DRAFT)
    again["child"]["lcs_person_id"], again["meeting"]["date"] = "900005", "2026-11-16"
    keep(register, again)
    assert waiting(register, THIRD, kind="new") == []


ELSEWHERE = {"School_URN": "999801", "School_LAESTAB": "999/4001", "School": "Mockford Academy"}


def test_a_mistaken_list_about_the_school_asks_for_no_pep_and_begins_no_clock_of_the_school(register: Register) -> None:
    keep(register, without(DRAFT, "education.attendance"))  # met on 19 November
    listed(register, SECOND, "900013")
    before = [(row.due, row.since) for row in waiting(register, dt.date(2026, 11, 25)) if row.owner == TEACHER]
    assert before
    listed(register, THIRD, "900013", **ELSEWHERE)
    assert [row.kind for row in waiting(register, THIRD, kind="new")] == ["new-school"]
    listed(register, dt.date(2026, 11, 25), "900013")
    rows = waiting(register, dt.date(2026, 11, 25))
    assert not [row for row in rows if row.kind == "new-school"]
    assert [(row.due, row.since) for row in rows if row.owner == TEACHER] == before


def test_the_staff_of_a_school_that_is_new_to_the_child_have_as_many_days_as_anybody(register: Register) -> None:
    moved = copy.deepcopy(without(DRAFT, "education.attendance"))
    (main,) = (each for each in moved["education"]["settings"] if each.get("main"))
    main |= {"urn": "999801", "laestab": "999/4001", "name": "Mockford Academy"}
    keep(register, moved)
    listed(register, SECOND, "900013")
    listed(register, THIRD, "900013", **ELSEWHERE)
    assert {row.since for row in waiting(register, THIRD) if row.owner == TEACHER} == {THIRD}


# --- a PEP until it is signed ----------------------------------------------------------------------------------------

OPEN = without(DRAFT, "care.legal_status", "care.need")
"""Section A lacks something; the meeting is on 19 November."""


def test_an_open_section_is_due_by_its_clock_and_then_late(register: Register) -> None:
    keep(register, OPEN)
    (row,) = waiting(register, FIRST, kind="section")
    assert (row.section, row.owner, row.state, row.due) == ("care", "social_worker", "due", dt.date(2026, 11, 12))
    assert row.what == "Care information (Section A): in progress, 1 to put right"
    assert row.person is not None
    assert row.person.name == "Rafe Feigning"
    (row,) = waiting(register, SECOND, kind="section")
    assert (row.state, row.when) == ("late", "late: was due by 12 November 2026")


def test_whoever_takes_over_has_as_many_days_as_anybody(register: Register) -> None:
    keep(register, OPEN)
    bring(register, FIRST, "900013")
    bring(register, SECOND, "900013", Rafe_Feigning="Mo Imagineer")
    (row,) = waiting(register, THIRD, kind="section")
    assert row.person is not None
    assert (row.person.name, row.state, row.due) == ("Mo Imagineer", "due", THIRD)


def test_a_team_that_is_called_otherwise_lifts_no_lateness(register: Register) -> None:
    keep(register, OPEN)
    bring(register, FIRST, "900013")
    bring(register, SECOND, "900013", Team_2="Team Two")
    (row,) = waiting(register, THIRD, kind="section")
    assert row.person is not None
    assert (row.person.organisation, row.state, row.due) == ("Children in Care Team Two", "late", dt.date(2026, 11, 12))


def test_without_a_clock_a_section_is_open_since_the_meeting_and_never_late(register: Register) -> None:
    keep(register, OPEN)
    assert waiting(register, SECOND, HILLINGDON, kind="section") == []
    (row,) = waiting(register, THIRD, HILLINGDON, kind="section")
    assert (row.state, row.due, row.since) == ("open", None, dt.date(2026, 11, 19))


def test_the_sign_off_waits_for_what_others_owe_and_is_then_due(register: Register) -> None:
    keep(register, OPEN)
    (row,) = waiting(register, THIRD, kind="unsigned")
    assert (row.state, row.owner) == ("waits", "virtual_school_officer")
    assert row.what == "Sign-off, which waits for Care information (Social worker)"
    keep(register, DRAFT)
    assert told(waiting(register, THIRD, kind="unsigned")) == [("unsigned", "due", dt.date(2026, 12, 3))]
    keep(register, signed(DRAFT))
    assert waiting(register, THIRD, kind="unsigned") == []


def test_a_sign_off_of_what_was_changed_since_is_missing(register: Register) -> None:
    other = signed(DRAFT)
    other["actions"] = [{**other["actions"][0], "action": "Something else"}, *other["actions"][1:]]
    keep(register, other)
    assert [row.kind for row in waiting(register, THIRD, kind="unsigned")] == ["unsigned"]


def test_the_deputy_steps_in_where_the_clock_says_so(register: Register) -> None:
    keep(register, DRAFT)
    late = dt.date(2026, 12, 10)  # five working days after the third
    assert [row.deputy for row in waiting(register, late, kind="unsigned")] == [None]
    assert [row.deputy for row in waiting(register, late + DAY, kind="unsigned")] == ["virtual_school_head"]


def test_the_signed_pep_is_due_at_the_reviewing_officers_before_the_review(register: Register) -> None:
    review = dt.date.fromisoformat(DRAFT["care"]["next_review"])
    keep(register, DRAFT)
    assert told(waiting(register, THIRD, kind="to-iro")) == [("to-iro", "due", review - 3 * DAY)]


def test_a_pep_of_somebody_who_left_before_its_meeting_is_not_chased_and_one_met_before_is(register: Register) -> None:
    keep(register, OPEN)
    bring(register, FIRST, "900013")
    listed(register, SECOND, "900013", LAC_End="12/11/2026")
    assert waiting(register, THIRD) == []
    listed(register, THIRD, "900013", LAC_End="19/11/2026")
    assert {row.kind for row in waiting(register, THIRD)} == {"section", "unsigned", "to-iro"}


def test_nobody_is_asked_for_anything_about_a_child_who_died(register: Register) -> None:
    keep(register, {**OPEN, "follow_up": {"died_on": "2026-11-18"}})
    bring(register, SECOND, "900013")
    assert waiting(register, THIRD) == []


# --- after sign-off --------------------------------------------------------------------------------------------------


def test_who_has_not_read_the_signed_pep_is_told_until_they_have(register: Register) -> None:
    keep(register, signed(DRAFT))
    rows = waiting(register, THIRD, kind="unread")
    assert {(row.owner, row.due) for row in rows} == {
        ("social_worker", dt.date(2026, 12, 4)),
        ("designated_teacher", dt.date(2026, 12, 4)),
    }
    people = {row["role"]: row["id"] for row in DRAFT["people"]}
    read = [
        {"person": people["social_worker"], "at": "2026-11-20T11:00:00+00:00"},
        {"person": people["designated_teacher"], "at": "2026-11-20T09:00:00+00:00"},  # before it was signed
    ]
    keep(register, {**signed(DRAFT), "follow_up": {"read": read}})
    assert [row.owner for row in waiting(register, THIRD, kind="unread")] == ["designated_teacher"]


def record(register: Register, pep: Pep = SIGNED, version: int = 1) -> str:
    data = f"record {version}".encode()
    about = dict.fromkeys(manifest.COLUMNS, "")
    about |= {"lcs_person_id": pep["child"]["lcs_person_id"], "pep_id": pep["pep"]["id"], "version": str(version)}
    about |= {"meeting_date": "2026-11-10", "social_worker": "Ines Fauxley", "team": "Team 2", "sha256": sha256(data)}
    return made.keep_record(register, manifest.Row(**about), data, by="officer")


def deliver(register: Register, digest: str, state: str, destination: str = "lcs", **more: Any) -> None:
    with register.writing() as session:
        row = session.query(Delivery).filter_by(record_sha256=digest, destination=destination).one_or_none()
        row = row or Delivery(record_sha256=digest, destination=destination, prepared_at=dt.datetime.now(dt.UTC))
        row.state = state
        for name, value in more.items():
            setattr(row, name, value)
        session.add(row)


def test_a_signed_pep_becomes_a_record_that_is_delivered_and_confirmed_by_the_end_of_term(register: Register) -> None:
    ends = dt.date(2026, 12, 31)
    keep(register, SIGNED)
    owed = [row for row in waiting(register, THIRD) if row.section == due.UPLOAD]
    assert [(row.kind, row.owner, row.due) for row in owed] == [("no-record", "virtual_school_officer", ends)]
    digest = record(register)
    states = {}
    for state in ("", "prepared", "dead", "delivered", "confirmed"):
        if state:
            deliver(register, digest, state)
        states[state] = [
            (row.kind, row.owner, row.state) for row in waiting(register, ends + DAY) if row.section == due.UPLOAD
        ]
    assert states == {
        "": [("undelivered", "social_worker", "late")],
        "prepared": [("undelivered", "social_worker", "late")],
        "dead": [("undelivered", "social_worker", "late")],
        "delivered": [("unconfirmed", "social_worker", "late")],
        "confirmed": [],
    }


def test_a_record_withdrawn_waits_for_the_reference_of_its_deletion(register: Register) -> None:
    digest = record(register)
    at = dt.datetime(2026, 11, 18, 9, tzinfo=dt.UTC)
    deliver(register, digest, "withdrawn", withdrawn_at=at, withdrawn_by="Sasha", withdrawn_because="Wrong child")
    (row,) = waiting(register, THIRD, kind="withdrawn")
    assert (row.state, row.since, row.pep) == ("open", at.date(), ("PEP-0005-A26", 1))
    deliver(register, digest, "withdrawn", deletion_reference="DEL-1")
    assert waiting(register, THIRD) == []


def test_a_record_that_a_later_version_supersedes_need_not_arrive(register: Register) -> None:
    record(register)
    later = record(register, version=2)
    with register.reading() as session:
        assert session.get_one(Record, later).supersedes is not None
    assert [row.pep for row in waiting(register, THIRD, kind="undelivered")] == [("PEP-0005-A26", 2)]


def test_a_record_of_a_pep_from_elsewhere_is_its_social_workers(register: Register) -> None:
    record(register)
    (row,) = waiting(register, THIRD)
    assert (row.lcs_person_id, row.person) == ("900005", due.Person("Ines Fauxley", "Team 2"))


def test_a_pep_from_elsewhere_is_the_pep_of_its_term_and_the_first_one(register: Register) -> None:
    record(register)  # met on 10 November
    listed(register, FIRST, "900005", LAC_Start="02/11/2026")
    assert {row.kind for row in waiting(register, THIRD)} == {"undelivered"}
    assert [row.kind for row in waiting(register, dt.date(2027, 1, 11), HILLINGDON, kind="no")] == ["no-pep"]


# --- told ------------------------------------------------------------------------------------------------------------


def letters(register: Register, on: dt.date = THIRD, ours: Profile = CLOCKED) -> dict[str, str]:
    return chasing.letters(waiting(register, on, ours), ours, on)


def test_each_person_is_written_to_once_and_children_are_named_by_initials_and_number(register: Register) -> None:
    keep(register, signed(DRAFT))
    bring(register, SECOND, "900013")
    written = letters(register)
    (worker,) = (text for text in written.values() if text.startswith("To: rafe.feigning@example.org\n"))
    assert "Dear Rafe Feigning," in worker
    assert "- B.D., LCS number 900013: Read the signed PEP (due by 4 December 2026)" in worker
    (teacher,) = (text for text in written.values() if "Dear Harriet Bogusworth," in text)
    assert "- B.D., PEP PEP-0013-A26: Read the signed PEP" in teacher
    assert "900013" not in teacher
    child = DRAFT["child"]
    hidden = [*child["legal_name"].values(), child["preferred_name"], child["date_of_birth"]]
    for name, text in written.items():
        assert not [each for each in hidden if each in name + text]
        assert re.fullmatch(r"(nobody-named|[A-Z]+-[0-9a-f]{4})[.]txt", name)


def test_no_letter_outside_the_authority_tells_of_a_remand_and_none_joins_two_homes(register: Register) -> None:
    ours = replace(CLOCKED, sign_off_acknowledge=("carer", "school_staff"))
    for number, name in enumerate(("year-5-review", "year-11-remand")):
        pep = sample(name)
        pep["sign_offs"] = []
        pep["people"] = [row for row in pep["people"] if row["role"] != "carer"]
        pep["people"].append({"id": f"c{number}", "role": "carer", "name": "Alex Namesake"})
        keep(register, signed(pep), ours)
    texts = letters(register, ours=ours)
    assert len([text for text in texts.values() if "Dear Alex Namesake," in text]) == 2
    ours_alone = ("Dear Sasha Mockworth,", "Dear colleague,")
    assert [text for text in texts.values() if "(remand)" in text]
    assert not [text for text in texts.values() if "remand" in text and not any(each in text for each in ours_alone)]


def test_nobody_at_a_school_or_home_that_the_child_has_left_is_written_to(register: Register) -> None:
    keep(register, signed(DRAFT))
    listed(register, THIRD, "900013", School_URN="999801", School_LAESTAB="999/4001", School="Mockford Academy")
    (row,) = (row for row in waiting(register, THIRD, kind="unread") if row.owner == "designated_teacher")
    assert row.person is None
    texts = letters(register)
    assert not [text for text in texts.values() if "Bogusworth" in text]
    assert "- Designated teacher: B.D., LCS number 900013: Read the signed PEP" in texts["nobody-named.txt"]


def test_the_table_stands_under_each_owner_or_section_what_is_late_first(register: Register) -> None:
    keep(register, OPEN)
    rows = waiting(register, dt.date(2026, 12, 20))
    by_owner = chasing.text(rows, "owner")
    heading, first = by_owner.splitlines()[:2]
    assert heading == "Social worker (1 late, 0 to come or open)"
    assert first.startswith("  late: was due by 12 November 2026  900013 B.D.  Rafe Feigning  Care information (Sec")
    assert first.endswith("1 to put right; the team manager steps in")
    assert chasing.text(rows, "section").startswith("Care information (1 late")
    assert chasing.text([], "owner") == "Nothing is due"


def test_the_command_gives_text_json_csv_and_e_mails(tmp_path: Path) -> None:
    from pepforms.register.files import Files

    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    keep(register, OPEN, HILLINGDON)
    register.close()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PEPFORMS_HOME": str(tmp_path)}

    def run(*words: str) -> str:
        program = [Path(sys.executable).with_name("pepforms"), "due", "--on", "2026-11-20", *words]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False)
        return done.stdout

    as_json = json.loads(run("--format", "json", "--emails", str(tmp_path / "mails")))
    assert [row["kind"] for row in as_json["results"]] == ["to-iro", "section", "unsigned"]
    rows = list(csv.DictReader(io.StringIO(run("--format", "csv"))))
    assert [row["what"] for row in rows] == [row["what"] for row in as_json["results"]]
    assert {path.suffix for path in (tmp_path / "mails").iterdir()} == {".txt"}
