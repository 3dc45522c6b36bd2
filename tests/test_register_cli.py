"""The register's commands as their users meet them: the real console script, real files, killed and starved."""

import copy
import datetime as dt
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from pepforms import profile, report, resources
from pepforms.register import made, peps, store
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Document, Revision, Version
from pepforms.settings import load
from pepforms.wiring import DEMONSTRATION_KEY, DEMONSTRATION_OPENER, Wiring

SAMPLES = resources.folder("samples") / "valid"
SIGNED: dict[str, Any] = json.loads((SAMPLES / "year-5-review.json").read_bytes())
PEPFORMS = Path(sys.executable).with_name("pepforms")
PROFILE = profile.load("hillingdon")


def environment(home: Path, database: str = "") -> dict[str, str]:
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "PEPFORMS_HOME": str(home)}
    return {**given, **({"PEPFORMS_DATABASE_URL": database} if database else {})}


def run(home: Path, *words: object, database: str = "", most: int | None = None) -> subprocess.CompletedProcess[str]:
    def starve() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    given = environment(home, database) | ({"PYTHONDONTWRITEBYTECODE": "1"} if most is not None else {})
    done = subprocess.run(
        [PEPFORMS, "register", *map(str, words)],
        env=given,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=starve,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def numbered(number: int) -> dict[str, Any]:
    pep = copy.deepcopy(SIGNED)
    pep["pep"]["id"], pep["child"]["lcs_person_id"] = f"PEP-{number}", f"8{number:05}"
    del pep["sign_offs"]
    return pep


def lines(path: Path, numbers: range) -> Path:
    path.write_text("".join(json.dumps(numbered(number)) + "\n" for number in numbers))
    return path


def test_importing_twice_changes_nothing_and_the_report_says_what_was_new_changed_the_same_or_refused(
    tmp_path: Path,
) -> None:
    first = run(tmp_path, "import", SAMPLES / "year-5-review.json", SAMPLES / "year-3-draft.json")
    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith("2 new, 0 changed, 0 same, 0 refused\n")
    draft = json.loads((SAMPLES / "year-3-draft.json").read_bytes())
    draft["actions"] = []
    changed = copy.deepcopy(SIGNED)
    changed["actions"][0]["action"] = "Another action than was agreed"
    for name, pep in (("draft", draft), ("changed", changed)):
        (tmp_path / f"{name}.json").write_text(json.dumps(pep))
    (tmp_path / "no-pep.json").write_text("[]")
    names = ["draft.json", "changed.json", "no-pep.json"]
    again = run(tmp_path, "import", SAMPLES, *(tmp_path / name for name in names), "--format", "json")
    assert again.returncode == 65
    found = {Path(entry["source"]).name: entry for entry in json.loads(again.stdout)["results"]}
    states = {name: entry["state"] for name, entry in found.items()}
    assert states.pop("draft.json") == "changed"
    assert states.pop("changed.json") == states.pop("no-pep.json") == "refused"
    assert states.pop("year-5-review.json") == states.pop("year-3-draft.json") == "same"
    assert set(states.values()) == {"new"}
    assert found["changed.json"]["problem"]["slug"] == "signed-off"
    assert "Give it the next version, 2," in again.stderr
    assert found["draft.json"]["revision"] == 2
    assert found["year-5-review.json"]["pep"] == {"id": "PEP-0005-A26", "version": 1}


def test_who_did_it_stands_in_the_audit(tmp_path: Path) -> None:
    run(tmp_path, "import", SAMPLES / "year-3-draft.json", "--by", "sasha")
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    with register.reading() as session:
        assert session.scalars(select(Audit.actor)).all() == ["sasha"]
    register.close()


def test_an_import_that_is_killed_leaves_nothing_half_and_is_done_when_begun_again(
    database: str, tmp_path: Path
) -> None:
    given, home = lines(tmp_path / "many.jsonl", range(20)), tmp_path / "home"
    importing = subprocess.Popen(
        [PEPFORMS, "register", "import", given],
        env=environment(home, database) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert importing.stdout is not None
    for _ in range(4):
        importing.stdout.readline()
    importing.send_signal(signal.SIGKILL)
    importing.stdout.close()
    assert importing.wait() == -signal.SIGKILL
    register = Register(database, Files(home / "files"))
    with register.reading() as session:
        kept = session.scalar(select(func.count()).select_from(Version))
        assert kept
        assert 4 <= kept < 20
    register.close()
    proof = run(home, "check", database=database)
    assert proof.returncode == 0, proof.stdout
    again = run(home, "import", given, database=database)
    assert again.stdout.endswith(f"{20 - kept} new, 0 changed, {kept} same, 0 refused\n")


def test_on_a_full_disk_the_import_stops_whole_and_goes_through_later(tmp_path: Path) -> None:
    given, home = lines(tmp_path / "many.jsonl", range(12)), tmp_path / "home"
    assert run(home, "import", SAMPLES / "year-3-draft.json").returncode == 0
    full = run(home, "import", given, most=(home / "register.sqlite").stat().st_size + 60_000)
    assert full.returncode == 75
    assert "the disk is full" in full.stderr
    assert run(home, "import", given).returncode == 0
    assert run(home, "check").stdout.startswith("The register holds: 13 PEPs in 13 states")


def test_what_the_check_finds_is_said_and_is_the_exit_code(tmp_path: Path) -> None:
    run(tmp_path, "import", SAMPLES / "year-3-draft.json")
    good = run(tmp_path, "check", "--format", "json")
    assert good.returncode == 0
    (proof,) = json.loads(good.stdout)["results"]
    assert (proof["holds"], proof["faults"], proof["counts"]["pep_version"]) == (True, [], 1)
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    lost = register.files.path(register.files.put(b"put, and its row never written"))
    os.utime(lost, (0, 0))
    assert run(tmp_path, "check").returncode == 65
    cleared = run(tmp_path, "check", "--clear-orphans", "--by", "Sasha Mockworth")
    assert (cleared.returncode, cleared.stderr) == (0, "Deleted: 1 file that no row names.\n")
    assert not lost.exists()
    with register.writing() as session:
        session.execute(text("DROP TRIGGER audit_no_update"))
        session.execute(text("UPDATE audit SET actor = 'somebody else' WHERE sequence = 1"))
    register.close()
    bad = run(tmp_path, "check")
    assert bad.returncode == 65
    assert "The register does not hold, 2 to put right" in bad.stdout
    assert "Audit: row 1 was changed after it was written." in bad.stdout
    assert "revision 1: who kept it is not whom row 1 of the audit names. Ask who edited it" in bad.stdout


def test_export_backup_and_restore_say_what_they_did(tmp_path: Path) -> None:
    home, out, restored = tmp_path / "home", tmp_path / "out", tmp_path / "restored"
    run(home, "import", SAMPLES / "year-3-draft.json")
    assert run(home, "export", "--out", out / "export").stdout.endswith("1 PEP in 1 state, 0 files\n")
    assert run(tmp_path / "other", "import", out / "export").stdout.endswith("1 new, 0 changed, 0 same, 0 refused\n")
    assert run(home, "backup", "--out", out / "backup").returncode == 0
    said = run(restored, "restore", out / "backup").stdout
    assert "Put pepforms.toml into the home as well" in said
    assert "register check" in said
    assert run(restored, "check").stdout == run(home, "check").stdout
    assert run(restored, "restore", out / "backup").returncode == 65
    run(home, "import", SAMPLES / "year-5-review.json")
    mixed = run(home, "import", out / "export", SAMPLES / "year-5-review.json")
    assert mixed.returncode == 65
    assert mixed.stdout.endswith("0 new, 0 changed, 1 same, 1 refused\n")
    assert "This register holds something already" in mixed.stderr


def test_a_register_that_a_newer_pepforms_made_is_the_operators_to_put_right(tmp_path: Path) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    with register.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    register.close()
    newer = run(tmp_path, "import", SAMPLES)
    assert (newer.returncode, newer.stdout) == (78, "")
    assert "Install the newer pepforms again." in newer.stderr


def test_a_register_that_lost_how_far_it_has_come_is_the_operators_to_put_right(tmp_path: Path) -> None:
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    with register.writing() as session:
        session.execute(text("DELETE FROM alembic_version"))
    register.close()
    for words in (["import", SAMPLES], ["check"]):
        damaged = run(tmp_path, *words)
        assert (damaged.returncode, damaged.stdout) == (78, "")
        assert "Restore a backup." in damaged.stderr


@pytest.mark.parametrize("lost", ["no home", "no file", "an empty file"])
def test_a_register_that_is_lost_is_not_taken_for_a_new_one(tmp_path: Path, lost: str) -> None:
    home = tmp_path / "home"
    if lost != "no home":
        home.mkdir()
    if lost == "an empty file":
        (home / "register.sqlite").touch()
    for words in (["check"], ["check", "--clear-orphans"], ["export"], ["backup"]):
        out = ["--out", tmp_path / "out"] if words[0] != "check" else []
        done = run(home, *words, *out)
        assert (done.returncode, done.stdout) == (78, ""), words
        assert f"There is no register in {home / 'register.sqlite'}." in done.stderr
        assert "PEPFORMS_HOME" in done.stderr
        assert "database.url" in done.stderr
    assert not (tmp_path / "out").exists()
    assert home.exists() == (lost != "no home")
    assert (home / "register.sqlite").exists() == (lost == "an empty file")


def test_a_new_database_holds_no_register_to_prove(tmp_path: Path, postgres: Callable[[], str]) -> None:
    done = run(tmp_path, "check", database=postgres())
    assert (done.returncode, done.stdout) == (78, "")
    assert "There is no register in the database" in done.stderr


def test_a_register_that_is_away_is_told_once_before_a_record_or_a_copy_is_made(tmp_path: Path) -> None:
    Wiring(load({"PEPFORMS_HOME": str(tmp_path)})).use_demonstration_key()
    away = environment(tmp_path, "postgresql://pepforms@127.0.0.1:1/register") | {
        "PEPFORMS_SEAL_KEY_FILE": str(tmp_path / DEMONSTRATION_KEY),
        "PEPFORMS_SEAL_PASSPHRASE_FILE": str(tmp_path / DEMONSTRATION_OPENER),
    }
    for command in (("archive",), ("render", "--audience", "school")):
        words = [PEPFORMS, *command, SAMPLES, "--out", tmp_path / "out"]
        done = subprocess.run(words, env=away, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr.count("does not answer")) == (75, "", 1)


def test_no_command_pays_for_the_register_that_does_not_use_it() -> None:
    heavy = "{'sqlalchemy', 'alembic', 'psycopg'} & set(sys.modules)"
    looked = f"import sys, pepforms.cli, pepforms.wiring; assert not {heavy}, {heavy}"
    subprocess.run([sys.executable, "-c", looked], check=True)


def test_the_password_of_the_database_is_not_shown(tmp_path: Path) -> None:
    given = environment(tmp_path, "postgresql://pepforms:ge@heim@db.invalid/register?password=geheim")
    shown = subprocess.run([PEPFORMS, "doctor"], env=given, capture_output=True, text=True, timeout=60).stdout
    assert "postgresql://pepforms:…@db.invalid/register?password=…" in shown
    assert "heim" not in shown


def test_the_doctor_says_how_the_register_stands_and_makes_none(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = register.engine.url.set(drivername=register.engine.name).render_as_string(hide_password=False)
    home = tmp_path / "home"
    wiring = Wiring(load({"PEPFORMS_HOME": str(home), "PEPFORMS_DATABASE_URL": url}))

    def state(name: str) -> str:
        (line,) = (line for line in report.doctor(wiring)[1].splitlines() if line[6:].startswith(f"{name} "))
        return line.strip()

    nothing = Wiring(load({"PEPFORMS_HOME": str(home)}))
    assert f"none yet at {home / 'register.sqlite'}; the first command" in report.doctor(nothing)[1]
    assert not home.exists()
    assert state("register").endswith("up to date; 0 at work on batches, 0 batches unfinished")
    assert state("files").endswith(f"will be in {home / 'files'}, which is made when it is first needed")
    wiring.register_files.put(b"a document")
    assert state("files") == f"ok  files      the register's files are in {home / 'files'}, which can be written"
    before = store.newest_migration()
    monkeypatch.setattr(store, "_migrations", lambda: {before, "9998"})
    assert "an older pepforms made it" in state("register")
    monkeypatch.undo()
    with register.writing() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == before, "it was only looked at"
        session.execute(text("DELETE FROM alembic_version"))
    assert state("register").startswith("NO  register   This register does not say any more how far")
    with register.writing() as session:
        session.execute(text("INSERT INTO alembic_version VALUES ('9999')"))
    assert state("register").startswith("NO  register   This register was made by a newer pepforms")
    wiring.register.close()


def test_the_doctor_misses_the_folder_of_files_that_the_register_names(tmp_path: Path) -> None:
    wiring = Wiring(load({"PEPFORMS_HOME": str(tmp_path)}))
    kept = peps.keep(wiring.register, numbered(1), PROFILE, by="officer")
    row = Document(identity="a" * 64, form="pep", audience="authority", to="pdf", revision_id=kept.revision_id)
    row.name, row.made_at = "x.pdf", dt.datetime.now(dt.UTC)
    made.keep_document(wiring.register, row, b"a document", by="officer")
    assert report.doctor(wiring)[0]
    wiring.register_files.folder.rename(tmp_path / "elsewhere")
    healthy, said = report.doctor(wiring)
    assert not healthy
    assert "names files, and their folder" in said
    wiring.register.close()


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8), min_size=1, max_size=4))
def test_whatever_was_imported_is_the_same_when_imported_again(register: Register, states: list[str]) -> None:
    def imported(state: str) -> peps.Kept:
        pep = numbered(1)
        pep["actions"][0]["action"] = state
        return peps.keep(register, pep, PROFILE, by="officer")

    def held() -> tuple[Any, ...]:
        with register.reading() as session:
            audits = session.scalar(select(func.count()).select_from(Audit))
            return audits, tuple(session.scalars(select(Revision.sha256).order_by(Revision.id)))

    for state in states:
        imported(state)
    before = held()
    assert {imported(state).state for state in reversed(states)} == {"same"}
    assert held() == before
