"""Before a copy leaves: what the newest weekly list knows and the PEP does not keeps it until a person has looked."""

import copy
import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from pepforms import resources, settings
from pepforms.caseload import holds, lists, mapping, weekly
from pepforms.cli import commands
from pepforms.model import AUDIENCES, Audience, Pep
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Hold
from pepforms.wiring import DEMONSTRATION_KEY, DEMONSTRATION_OPENER, Wiring

SAMPLES = resources.folder("samples")
LIST = (SAMPLES / "weekly-list.csv").read_bytes()
HEADER = LIST.partition(b"\n")[0]
PEPS = [json.loads(path.read_bytes()) for path in sorted((SAMPLES / "valid").glob("*.json"))]
(PEP,) = (pep for pep in PEPS if pep["child"]["lcs_person_id"] == "900005")
(ADOPTION,) = (pep for pep in PEPS if pep["child"]["lcs_person_id"] == "900003")
MET = dt.date(2026, 11, 10)
BEFORE, AFTER, LATER = dt.date(2026, 11, 6), dt.date(2026, 11, 13), dt.date(2026, 11, 20)
TODAY = dt.date(2026, 11, 21)
EXAMPLE = mapping.load("example", Path("/nonexistent"))
COLUMNS = HEADER.decode().split(",")
ROW = dict(
    zip(COLUMNS, next(row for row in LIST.decode().splitlines() if row.startswith("900005")).split(","), strict=True)
)
PRETEND_LANE = ("999805", "999/2005", "Pretend Lane Primary School")
MOCKFORD = ("999801", "999/4001", "Mockford Academy")
FIGMENT = ("999810", "999/4010", "Figment High School")


def at(school: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("School URN", "School LAESTAB", "School"), school, strict=True))


def bring(register: Register, as_of: dt.date, *rows: dict[str, str], data: bytes = b"") -> None:
    lines = [HEADER.decode(), *(",".join({**ROW, **row}.values()) for row in rows)]
    data = data or "\n".join(lines).encode()
    lists.bring(register, data, weekly.read(data, "list.csv", EXAMPLE), as_of=as_of, by="officer")


def held(
    register: Register,
    audience: Audience = "school",
    pep: Pep = PEP,
    subject: int | str = "PEP-0005-A26",
    today: dt.date = TODAY,
) -> holds.Reason | None:
    with register.reading() as session:
        return holds.held(session, subject, pep, audience, today)


def reason(register: Register, audience: Audience = "school", pep: Pep = PEP, **more: Any) -> str | None:
    found = held(register, audience, pep, **more)
    return found.reason if found else None


def changed(change: dict[str, Any], pep: Pep = PEP) -> Pep:
    other = copy.deepcopy(pep)
    for way, value in change.items():
        *steps, last = way.split(".")
        part: Any = other
        for step in steps:
            part = part[step]
        part[last] = value
    return other


def test_without_a_list_or_where_the_list_agrees_nothing_is_held(register: Register) -> None:
    assert reason(register) is None
    bring(register, LATER, data=LIST)
    for pep in PEPS:
        for audience in AUDIENCES:
            assert held(register, audience, pep, pep["pep"]["id"]) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Restricted": "Yes"}, "restricted"),
        ({"Placement Type": "A3"}, "placed-for-adoption"),
        ({"Legal Status": "J1"}, "remanded"),
        ({"Confidential Address": "Yes"}, "confidential"),
        ({"LAC End": "12/11/2026"}, "ceased"),
        ({"Placement Start": "12/11/2026", "Placement Type": "K2"}, "moved"),
        ({"Placement Type": "not a code"}, "list-unclear"),
    ],
)
def test_what_the_list_knows_and_the_pep_does_not_holds_every_copy_that_leaves(
    tmp_path: Path, change: dict[str, str], why: str
) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    bring(register, LATER, change)
    assert {audience: reason(register, audience) for audience in AUDIENCES} == {
        "authority": None,
        "school": why,
        "carer": why,
        "parent": why,
        "child": why,
    }
    register.close()


def test_what_the_pep_knows_already_holds_nothing(register: Register) -> None:
    bring(register, LATER, {"LAC End": "12/11/2026", "Confidential Address": "Yes", "Placement Type": "A3"})
    known = changed({"care.ceased_on": "2026-11-12", "care.placement.confidential": True, "care.placement.type": "A4"})
    assert reason(register, "parent", known) is None


def test_the_list_can_only_tighten(register: Register) -> None:
    bring(register, LATER, {"Confidential Address": "No"})
    confidential = changed({"care.placement.confidential": True})
    assert reason(register, "parent", confidential) is None
    with register.reading() as session:
        assert not holds.confidential(session, PEP, TODAY)
    bring(register, TODAY, {"Confidential Address": "Yes"})
    with register.reading() as session:
        assert holds.confidential(session, PEP, TODAY)


def test_all_reasons_are_said_together_the_gravest_first_and_none_names_the_child(register: Register) -> None:
    bring(register, LATER, {"Restricted": "Yes", "LAC End": "12/11/2026", "Placement Start": "12/11/2026"})
    found = held(register)
    assert found is not None
    assert found.reason == "restricted"
    assert all(
        words in found.message for words in ("restricted", "not looked after any more, since 12 November", "moved")
    )
    for name in ("Otti", "Mockington", "2016-11-02", "U312999916005", "Pretend"):
        assert name not in found.message


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_school_that_the_child_has_left_holds_the_schools_copy_alone(tmp_path: Path, audience: Audience) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    bring(register, BEFORE, at(PRETEND_LANE))
    bring(register, LATER, at(MOCKFORD))
    assert reason(register, audience) == ("changed-school" if audience == "school" else None)
    register.close()


def test_a_school_gets_nothing_of_a_meeting_after_the_day_the_child_left(register: Register) -> None:
    bring(register, BEFORE, at(PRETEND_LANE))
    bring(register, AFTER, at(MOCKFORD))
    met = {day: changed({"meeting.date": day.isoformat()}) for day in (MET, AFTER, LATER)}
    assert {day: reason(register, pep=pep) for day, pep in met.items()} == {
        MET: "changed-school",
        AFTER: "left-school",
        LATER: "left-school",
    }
    undated = changed({})
    del undated["meeting"]["date"]
    assert reason(register, pep=undated) == "left-school"


def test_the_day_the_child_left_is_that_of_the_first_list_since_which_the_school_is_another(
    register: Register,
) -> None:
    for day, school in ((BEFORE, PRETEND_LANE), (AFTER, MOCKFORD), (LATER, FIGMENT)):
        bring(register, day, at(school))
    found = held(register, pep=changed({"meeting.date": "2026-11-16"}))
    assert found is not None
    assert found.reason == "left-school"
    assert "By the list of 13 November 2026" in found.message


def test_a_child_who_came_back_to_the_school_or_is_at_two_has_not_left(register: Register) -> None:
    for day, school in ((BEFORE, PRETEND_LANE), (AFTER, MOCKFORD), (LATER, PRETEND_LANE)):
        bring(register, day, at(school))
    assert reason(register) is None
    bring(register, TODAY, at(MOCKFORD))
    both = changed({})
    both["education"]["settings"].append({"name": "Mockford Academy", "urn": "999801", "main": False})
    assert reason(register, pep=both) is None
    assert reason(register) == "changed-school"


def test_a_list_that_never_had_a_school_speaks_against_none(register: Register) -> None:
    bring(register, BEFORE, at(("", "", "")))
    assert reason(register) is None
    bring(register, AFTER, at(PRETEND_LANE))
    bring(register, LATER, at(("", "", "")))
    assert reason(register) == "changed-school"


def test_a_child_who_is_not_on_the_list_any_more_is_taken_to_have_ceased(register: Register) -> None:
    bring(register, BEFORE, {})
    bring(register, LATER, {"Person ID": "900001"})
    assert reason(register, "carer") == "ceased"
    assert reason(register, "carer", today=AFTER) is None


def test_an_end_that_is_still_to_come_holds_nothing_yet(register: Register) -> None:
    bring(register, BEFORE, {"LAC End": "14/11/2026"})
    assert (reason(register, today=AFTER), reason(register, today=LATER)) == (None, "ceased")


def test_a_number_that_lcs_has_joined_holds_the_record_alone(register: Register) -> None:
    bring(register, BEFORE, {})
    bring(register, LATER, {"Person ID": "900099", "Merged IDs": "900005"})
    assert {audience: reason(register, audience) for audience in AUDIENCES} == {
        **dict.fromkeys(AUDIENCES),
        "authority": "number-joined",
    }
    bring(register, TODAY, {"Person ID": "900099", "Merged IDs": "900005", "Restricted": "Yes"})
    assert reason(register, "parent") == "restricted"


def test_what_was_released_goes_and_a_later_reason_holds_it_again(register: Register) -> None:
    bring(register, BEFORE, {})
    bring(register, AFTER, {"Placement Start": "12/11/2026"})
    found = held(register, "carer", subject="f" * 64)
    assert found is not None
    now = dt.datetime.now(dt.UTC)
    with register.writing() as session:
        session.add(Hold(copy="f" * 64, **found._asdict(), held_at=now, released_at=now, released_by="Sasha"))
    assert reason(register, "carer", subject="f" * 64) is None
    assert reason(register, "carer", subject="e" * 64) == "moved"
    bring(register, LATER, {"Placement Start": "19/11/2026"})
    assert reason(register, "carer", subject="f" * 64) == "moved"


def test_render_makes_no_copy_that_the_list_speaks_against_until_somebody_has_made_sure(tmp_path: Path) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    bring(register, dt.date(2025, 11, 20), at(MOCKFORD))
    source = SAMPLES / "valid" / "year-5-review.json"
    words = ("render", source, "--audience", "school", "--to", "docx", "--out", tmp_path / "out")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PEPFORMS_HOME": str(tmp_path)}

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        program = [Path(sys.executable).with_name("pepforms"), *words, *more]
        return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120)

    refused = run()
    assert (refused.returncode, "is not at the school" in refused.stderr) == (65, True)
    assert list((tmp_path / "out").iterdir()) == []
    released = run("--released-by", "Sasha Mockworth")
    assert released.returncode == 0
    assert len(list((tmp_path / "out").iterdir())) == 1
    with register.reading() as session:
        (entry,) = session.scalars(select(Audit).where(Audit.action == "copy-released"))
        assert (entry.actor, entry.subject) == ("Sasha Mockworth", "PEP-0005-A26 version 1")
        assert (entry.detail["audience"], entry.detail["reason"]) == ("school", "left-school")
    register.close()


def test_archive_makes_no_record_under_a_number_that_lcs_has_joined_until_somebody_has_made_sure(
    tmp_path: Path,
) -> None:
    Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path)})).use_demonstration_key()
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    bring(register, dt.date(2026, 11, 20), {"Person ID": "900099", "Merged IDs": "900005"})
    source, out = SAMPLES / "valid" / "year-5-review.json", tmp_path / "out"
    environment = {
        "PEPFORMS_HOME": str(tmp_path),
        "PEPFORMS_ARCHIVE_VALIDATE": "off",
        "PEPFORMS_SEAL_KEY_FILE": str(tmp_path / DEMONSTRATION_KEY),
        "PEPFORMS_SEAL_PASSPHRASE_FILE": str(tmp_path / DEMONSTRATION_OPENER),
    }

    def run(*more: str) -> Result:
        words = ["archive", str(source), "--out", str(out), "--register", *more]
        return CliRunner().invoke(commands, words, env=environment, standalone_mode=False)

    refused = run()
    assert refused.return_value == 65
    assert "joined the number 900005 into 900099" in refused.stderr
    assert [*out.iterdir()] == []
    assert run("--released-by", "Sasha Mockworth").return_value == 0
    assert [record.name[:6] for record in out.glob("*.pdf")] == ["900005"]
    with register.reading() as session:
        (entry,) = session.scalars(select(Audit).where(Audit.action == "copy-released"))
        assert (entry.actor, entry.detail["reason"]) == ("Sasha Mockworth", "number-joined")
    register.close()
