"""The commands of the hand-over as their users meet them: from a signed-off PEP to its confirmation."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pepforms import resources, settings
from pepforms.digest import sha256
from pepforms.wiring import DEMONSTRATION_KEY, DEMONSTRATION_OPENER, Wiring

SAMPLES = resources.folder("samples") / "valid"
PEPFORMS = Path(sys.executable).with_name("pepforms")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    Wiring(settings.load({"PEPFORMS_HOME": str(folder)})).use_demonstration_key()
    return folder


def run(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "PEPFORMS_HOME": str(home)}
    given |= {"PEPFORMS_ARCHIVE_VALIDATE": "off", "PEPFORMS_SEAL_KEY_FILE": str(home / DEMONSTRATION_KEY)}
    given |= {"PEPFORMS_SEAL_PASSPHRASE_FILE": str(home / DEMONSTRATION_OPENER)}
    done = subprocess.run([PEPFORMS, *map(str, words)], env=given, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def succeeds(home: Path, *words: object) -> str:
    done = run(home, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def destination(home: Path, **values: object) -> None:
    table = "".join(f'{key} = "{value}"\n' for key, value in values.items())
    (home / "pepforms.toml").write_text(f'[deliver.lcs]\n{table}[confirmations]\nfile = "Name"\n')


def test_from_a_signed_pep_to_its_confirmation(home: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    destination(home, kind="folder", path=tmp_path / "in", by="team")
    term = ("--term", "2026-27/autumn")
    succeeds(home, "register", "import", SAMPLES / "year-5-review.json", SAMPLES / "year-3-draft.json")
    assert "no record" in succeeds(home, "deliver", "unconfirmed", *term)
    succeeds(home, "archive", *term, "--register", "--out", tmp_path / "out")
    (record,) = (tmp_path / "out").glob("*.pdf")
    digest = sha256(record.read_bytes())
    assert (home / "files" / digest[:2] / digest).read_bytes() == record.read_bytes()
    assert succeeds(home, "archive", *term, "--register") == ""
    assert "lcs: 1 delivered\n" in succeeds(home, "deliver", "run")
    (folder,) = (tmp_path / "in").iterdir()
    delivered, covering = sorted(folder.iterdir())
    assert delivered.name == record.name
    assert covering.name.startswith("covering-list-")
    assert covering.read_bytes().startswith(b"%PDF-")
    assert succeeds(home, "deliver", "run") == "lcs: 0 delivered\n"
    (found,) = json.loads(succeeds(home, "deliver", "status", "--format", "json"))["results"]
    assert (found["record"], found["state"], found["sha256"]) == (record.name, "delivered", digest)
    (left,) = csv.DictReader(io.StringIO(succeeds(home, "deliver", "unconfirmed", *term, "--format", "csv")))
    assert (left["state"], left["record"]) == ("delivered", record.name)
    (tmp_path / "list.csv").write_text(f"Name\nletter.docx\n{record.name}\n")
    assert "1 confirmed, 0 were before, 1 rows" in succeeds(home, "deliver", "confirm", "--list", tmp_path / "list.csv")
    succeeds(home, "deliver", "confirm", digest[:12], "--reference", "LCS-77", "--by", "Sasha Mockworth")
    assert succeeds(home, "deliver", "unconfirmed", *term).startswith("0 of")
    told = succeeds(home, "deliver", "withdraw", record.name, "--reason", "Wrong child")
    assert told.endswith("to be deleted at 1 destination\n")
    assert "have it deleted" in succeeds(home, "deliver", "status")
    succeeds(home, "deliver", "withdrawn", record.name, "--deletion-reference", "D-7")
    assert succeeds(home, "register", "check").startswith("The register holds")


def test_the_exit_code_says_who_must_act(home: Path, tmp_path: Path, servers: ModuleType) -> None:
    assert run(home, "deliver", "run").returncode == 78
    key = servers.key(tmp_path / "key")
    (tmp_path / "known").write_text(f"files.example {servers.public(key)}\n")
    destination(
        home,
        kind="sftp",
        host="127.0.0.1",
        port=servers.free_port(),
        user="nobody",
        key_file=key,
        known_hosts=tmp_path / "known",
    )
    succeeds(home, "archive", SAMPLES / "year-5-review.json", "--register")
    assert run(home, "deliver", "run").returncode == 78  # the file has no key of that server
    known = f"[127.0.0.1]:{servers.free_port()} {servers.public(key)}\n"
    destination(
        home,
        kind="sftp",
        host="127.0.0.1",
        port=known.partition("]:")[2].split()[0],
        user="nobody",
        key_file=key,
        known_hosts=tmp_path / "known",
    )
    (tmp_path / "known").write_text(known)
    away = run(home, "deliver", "run")
    assert away.returncode == 75
    assert away.stderr.count("cannot be reached") == 1
    assert "1 wait (the next from" in away.stdout
    assert run(home, "deliver", "run", "--to", "nobody").returncode == 65
    assert run(home, "deliver", "confirm", "x").returncode == run(home, "archive", "--register").returncode == 64


def test_what_was_put_on_lcs_by_hand_is_confirmed_without_a_destination(home: Path) -> None:
    record = Path(succeeds(home, "archive", SAMPLES / "year-5-review.json", "--register").strip()).name
    succeeds(home, "deliver", "confirm", record, "--reference", "LCS-1")
    assert succeeds(home, "deliver", "status") == "by hand: 1 confirmed\n"
    assert "1 destination" in succeeds(home, "deliver", "withdraw", record, "--reason", "Wrong child")
    assert run(home, "deliver", "withdraw", record, "--reason", "").returncode == 65


def test_what_was_given_up_is_told_with_what_to_do_until_somebody_does_it(home: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    destination(home, kind="folder", path=tmp_path / "in")
    record = Path(succeeds(home, "archive", SAMPLES / "year-5-review.json", "--register").strip()).name
    (tmp_path / "in" / record).write_bytes(b"somebody's own")
    assert run(home, "deliver", "run").returncode == 65
    assert "1 given up: put right what pepforms deliver status says" in succeeds(home, "deliver", "run")
    status = run(home, "deliver", "status")
    assert (status.returncode, "pepforms deliver retry" in status.stderr) == (65, True)
    assert run(home, "deliver", "status", "--format", "csv").returncode == 65
    (tmp_path / "in" / record).unlink()
    succeeds(home, "deliver", "retry")
    succeeds(home, "deliver", "run")
    succeeds(home, "deliver", "status")
