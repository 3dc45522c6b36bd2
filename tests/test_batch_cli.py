"""The commands of batches as their users meet them; those that work do so in a process of their own."""

import contextlib
import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pepforms import resources
from pepforms.cli import commands
from pepforms.errors import Misconfigured, PepformsError

SAMPLES = resources.folder("samples") / "valid"
PEPFORMS = Path(sys.executable).with_name("pepforms")
DRAFT = "year-3-draft.json"


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "PEPFORMS_HOME": str(home)}


def run(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [PEPFORMS, "batch", *map(str, words)]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def say(home: Path, *words: object) -> Result:
    """A command that does no work, in this process."""
    given = [str(word) for word in ("batch", *words)]
    return CliRunner().invoke(commands, given, env={"PEPFORMS_HOME": str(home)}, standalone_mode=False)


def told(home: Path, *words: object) -> Any:
    """What a command says as JSON."""
    said = say(home, *words, "--format", "json")
    assert said.exception is None, said.exception
    return json.loads(said.stdout)["results"]


def test_a_batch_of_files_is_made_held_retried_released_and_handed_out(tmp_path: Path) -> None:
    home, out, found = tmp_path / "home", tmp_path / "out", tmp_path / "peps"
    found.mkdir()
    (found / "good.json").write_bytes((SAMPLES / "year-5-review.json").read_bytes())
    (found / "bad.json").write_text("[]")
    first = run(home, "run", found, "--audience", "parent,authority", "--to", "docx", "--out", out)
    assert first.returncode == 65
    assert "bad.json: This PEP cannot be used yet" in first.stderr
    assert "held: A parent’s copy is never made unattended" in first.stderr
    *paths, last = first.stdout.splitlines()
    assert paths == [str(out / "900005_pep_authority_2026-27_AUT_v1.docx")]
    assert last.endswith("(pep) finished: 1 done, 1 held, 2 failed")

    (about,) = told(home, "status")
    batch_id = about["id"]
    assert (about["state"], about["total"], about["form"]) == ("finished", 4, "pep")
    assert about["counts"] == {"waiting": 0, "working": 0, "done": 1, "held": 1, "failed": 2, "cancelled": 0}
    assert [each["id"] for each in told(home, "list")] == [batch_id]
    (waits,) = told(home, "held", batch_id)
    assert (waits["pep_id"], waits["audience"], waits["person"]) == ("PEP-0005-A26", "parent", "mum")

    assert (
        say(home, "release", batch_id, waits["item"], "--by", "Sasha Mockworth", "--because", "agreed").exception
        is None
    )
    assert told(home, "status", batch_id)[0]["state"] == "running"
    (found / "bad.json").write_bytes((SAMPLES / DRAFT).read_bytes())
    again = run(home, "retry", batch_id)
    assert again.returncode == 65, "the other parent's copy waits now"
    assert "Tried again: 2." in again.stderr
    assert {path.name for path in out.iterdir()} == {
        "900005_pep_authority_2026-27_AUT_v1.docx",
        "900005_pep_parent_2026-27_AUT_v1.docx",
        "900013_pep_authority_2026-27_AUT_v1.docx",
    }

    rows = list(csv.DictReader(say(home, "results", batch_id).stdout.splitlines()))
    assert [(row["audience"], row["state"], row["problem"]) for row in rows] == [
        ("authority", "done", ""), ("parent", "held", "parent-copy"), ("authority", "done", ""), ("parent", "done", ""),
    ]  # fmt: skip
    assert [row["state"] for row in told(home, "results", batch_id)] == [row["state"] for row in rows]


def test_a_damaged_file_of_the_work_is_deleted_and_nothing_is_lost(tmp_path: Path) -> None:
    first = run(tmp_path, "run", SAMPLES / DRAFT, "--to", "docx", "--no-wait")
    work = tmp_path / "work.sqlite"
    work.write_bytes(b"no database " * 1000)
    damaged = run(tmp_path, "resume")
    assert damaged.returncode == 78
    assert f"{work} is damaged. The register is another file" in damaged.stderr
    work.unlink()
    resumed = run(tmp_path, "resume", first.stdout.strip())
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.endswith("(pep) finished: 1 done\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run",), "Say either --term"),
        (("run", "--term", "2026-27/autumn", "peps"), "Say either --term"),
        (("run", "peps", "--only", "PEP-1"), "--only goes with --term"),
        (("run", "--term", "2026-27/autumn", "--out", "out", "--no-wait"), "--out is filled by who waits"),
        (("run", "--term", "2026-27/autumn", "--audience", "school,everybody"), "everybody"),
    ],
)
def test_what_makes_no_sense_is_a_slip_of_the_keyboard(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    said = say(tmp_path, *words)
    assert isinstance(said.exception, click.UsageError)
    assert told in said.exception.format_message()


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        (("status",), "no-such-batch"),
        (("pause", "nobody"), "no-such-batch"),
        (("results", "nobody"), "no-such-batch"),
        (("held", "nobody"), "no-such-batch"),
        (("zip", "nobody", "--out", "x.zip"), "no-such-batch"),
        (("release", "nobody", "1", "--by", "x", "--because", "y"), "no-such-batch"),
        (("run", "--term", "2026-27/autumn"), "nothing-to-make"),
        (("run", "--term", "2026-27/autumn", "--form", "letter"), "no-such-form"),
        (("run", "peps", "--form", "school-move-pack", "--audience", "school"), "not-in-a-batch"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, words: tuple[str, ...], slug: str) -> None:
    refused = say(tmp_path, *words).exception
    assert isinstance(refused, PepformsError)
    assert refused.slug == slug


def test_interrupted_at_the_keyboard_it_says_how_to_go_on_and_leaves_nothing_taken(tmp_path: Path) -> None:
    command = [PEPFORMS, "batch", "run", SAMPLES, "--processes", "1"]
    going = subprocess.Popen(command, env=environment(tmp_path), stderr=subprocess.PIPE, text=True)
    assert going.stderr is not None
    assert "pepforms batch resume" in going.stderr.readline()
    going.send_signal(signal.SIGINT)
    _, err = going.communicate(timeout=120)
    assert going.returncode == 130
    assert "Traceback" not in err
    (about,) = told(tmp_path, "status")
    assert about["state"] == "running"
    assert about["counts"]["working"] == 0


def kept_files(home: Path) -> Path:
    """Two PEPs as files, one of which cannot be read yet."""
    found = home / "peps"
    found.mkdir()
    (found / "good.json").write_bytes((SAMPLES / "year-5-review.json").read_bytes())
    (found / "later.json").write_text("[]")
    return found


def test_a_retry_that_leaves_copies_unmade_says_how_to_go_on(tmp_path: Path) -> None:
    found = kept_files(tmp_path)
    assert run(tmp_path, "run", found, "--to", "docx", "--no-wait").returncode == 0
    (about,) = told(tmp_path, "status")
    assert say(tmp_path, "pause", about["id"]).exception is None
    (found / "later.json").write_bytes((SAMPLES / DRAFT).read_bytes())
    again = run(tmp_path, "retry", about["id"])
    assert again.returncode == 75
    assert f"2 copies of batch {about['id']} are still to be made. Go on with pepforms batch resume" in again.stderr


def test_a_bad_folder_silences_no_other_batch_and_is_told_before_a_new_one_is_asked_for(tmp_path: Path) -> None:
    found = kept_files(tmp_path)
    (found / "later.json").unlink()
    bad, good = tmp_path / "bad", tmp_path / "good"
    for out in (bad, good):
        assert run(tmp_path, "run", found, "--to", "docx", "--out", out).returncode == 0
    for each in told(tmp_path, "list"):
        mark_running(tmp_path, each["id"])
    for path in (*bad.iterdir(), *good.iterdir()):
        path.unlink()
    bad.rmdir()
    bad.write_text("a file")
    resumed = run(tmp_path, "resume")
    assert resumed.returncode == 78
    assert f"{bad} cannot be written" in resumed.stderr
    written, *lines = sorted(resumed.stdout.splitlines(), key=lambda line: line.startswith("Batch"))
    assert written == str(good / "900005_pep_authority_2026-27_AUT_v1.docx")
    assert [line.split(" ")[1] for line in lines] == [each["id"] for each in told(tmp_path, "list")]
    refused = say(tmp_path, "run", found, "--out", bad).exception
    assert isinstance(refused, Misconfigured)
    assert len(told(tmp_path, "list")) == 2


def mark_running(home: Path, batch_id: str) -> None:
    """As a batch stands whose worker was killed after its last copy."""
    with contextlib.closing(sqlite3.connect(home / "register.sqlite")) as register, register:
        register.execute("UPDATE batch SET state = 'running', finished_at = NULL WHERE id = ?", (batch_id,))
