"""What the README shows works: every command of its console blocks is run, in order, in one shell."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
SERVE = "pepforms serve"
TEST = "make test"
"""It is what runs this very test."""


def environment(home: Path) -> dict[str, str]:
    programs = Path(sys.executable).parent
    return {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}


def test_every_command_of_the_readme_works(tmp_path: Path) -> None:
    assert len(COMMANDS) > 12
    for made in (
        "batch",
        "copies",
        "pictures",
        "sealed",
        "stamped",
    ):  # an older template's would rightly not be written over
        shutil.rmtree(ROOT / "out" / made, ignore_errors=True)
    lines = [command for command in COMMANDS if command not in (SERVE, TEST)]
    script = "\n".join(["set -e", *(f"echo '+' {index} >&2\n{line}" for index, line in enumerate(lines))])
    run = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True)
    last = lines[int(re.findall(r"^\+ (\d+)$", run.stderr, re.MULTILINE)[-1])]
    assert run.returncode == 0, f"{last}\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}"


def test_make_test_runs_every_check() -> None:
    assert TEST in COMMANDS
    plan = subprocess.run(["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(word in plan for word in ("ruff", "mypy", "lint-imports", "pytest"))


def test_serve_answers_where_the_readme_says(tmp_path: Path) -> None:
    assert SERVE in COMMANDS
    if _answers():
        pytest.fail("something else holds port 8000 on this computer; stop it and run the test again")
    server = subprocess.Popen(SERVE.split(), cwd=ROOT, env=environment(tmp_path), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not _answers():
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.1)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=20)


def test_every_picture_of_the_readme_is_there() -> None:
    pictures = re.findall(r"!\[(.+?)\]\((.+?)\)", README)
    assert pictures
    for words, path in pictures:
        assert (ROOT / path).is_file()
        assert len(words) > 20


def test_the_readme_names_every_module_of_the_walk() -> None:
    package = ROOT / "pepforms"
    modules = {file.stem for file in package.glob("*.py")} | {
        folder.name for folder in package.iterdir() if folder.is_dir()
    }
    plain = {"__init__", "__pycache__", "data", "model", "errors", "digest", "resources", "forms", "demonstration"}
    assert not [name for name in modules - plain if not re.search(rf"\b{name}(/|\.py)", README)]


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex(("127.0.0.1", 8000)) == 0
