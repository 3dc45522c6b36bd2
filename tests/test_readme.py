"""What the README shows works: every command of its console blocks is run, in order, in one shell."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pepforms.digest import sha256

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
OUT = ROOT / "out"
MADE = ("batch", "copies", "documents", "family", "pack", "pictures", "records", "sealed", "stamped", "term-end")
DEMO = "make demo"
SERVE = "pepforms serve"
TEST = "make test"
"""It is what runs this very test."""


def environment(home: Path) -> dict[str, str]:
    programs = Path(sys.executable).parent
    java = os.environ["JAVA_TOOL_OPTIONS"]
    path = f"{programs}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "JAVA_TOOL_OPTIONS": java}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of somebody who begins with the README's first command; what it makes is in `OUT`."""
    for made in MADE:  # an older template's would rightly not be written over
        shutil.rmtree(OUT / made, ignore_errors=True)
    home = tmp_path_factory.mktemp("home")
    assert COMMANDS[0] == DEMO
    begun = subprocess.run(DEMO.split(), cwd=ROOT, env=environment(home), capture_output=True, text=True)
    assert begun.returncode == 0, f"{begun.stdout[-2000:]}\n{begun.stderr[-2000:]}"
    return home


def test_demo_makes_word_and_pdf_of_every_sample_and_a_record_of_every_signed_one(home: Path) -> None:
    samples = list((ROOT / "samples/valid").glob("*.json"))
    documents = {path.suffix: 0 for path in (OUT / "documents").iterdir()}
    for path in (OUT / "documents").iterdir():
        documents[path.suffix] += 1
    assert documents == {".docx": len(samples), ".pdf": len(samples)}
    signed = [sample for sample in samples if json.loads(sample.read_bytes()).get("sign_offs")]
    assert len(list((OUT / "records").glob("*.pdf"))) == len(signed) > 1


def test_the_demo_ends_with_a_batch_of_fifty_delivered_and_confirmed(home: Path) -> None:
    term_end = OUT / "term-end"

    def results(*words: str) -> list[dict[str, Any]]:
        there = environment(home) | {"PEPFORMS_HOME": str(term_end)}
        said = subprocess.run(["pepforms", *words, "--format", "json"], env=there, capture_output=True, check=True)
        found: list[dict[str, Any]] = json.loads(said.stdout)["results"]
        return found

    (batch,) = results("batch", "list")
    assert (batch["total"], batch["counts"]["done"]) == (50, 50)
    assert len(list((term_end / "schools").glob("*_school_*.pdf"))) == 50
    deliveries = results("deliver", "status")
    assert [each["state"] for each in deliveries] == ["confirmed"] * 50
    assert len({each["record"] for each in deliveries}) == len(list((term_end / "lcs").glob("*/*_PEP_*.pdf"))) == 50


def test_verify_holds_for_every_record_of_the_demo(home: Path) -> None:
    """The judge's reports say of the very same bytes that veraPDF found nothing."""
    records = sorted((OUT / "records").glob("*.pdf"))
    unjudged = environment(home) | {"PEPFORMS_ARCHIVE_VALIDATE": "off"}
    verify = ["pepforms", "verify", *records, "--format", "json"]
    result = subprocess.run(verify, cwd=ROOT, env=unjudged, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    facts = json.loads(result.stdout)["results"]
    assert [fact["holds"] for fact in facts] == [True] * len(records)
    assert {fact["pdfa"]["claims"] for fact in facts} == {"PDF/A-3a"}
    for record in records:
        report = json.loads(record.with_suffix(".verapdf.json").read_text())
        assert report["validated_by"] == "veraPDF 1.31"
        assert report["sha256"] == sha256(record.read_bytes())
        assert [(each["conforms"], each["failures"]) for each in report["standards"]] == [(True, [])] * 2


def test_sha256sum_agrees_with_the_sums_beside_the_records(home: Path) -> None:
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=OUT / "records", check=True, capture_output=True)


def test_no_file_of_the_demo_is_named_for_a_child(home: Path) -> None:
    names = " ".join(str(path.relative_to(OUT)) for path in OUT.rglob("*"))
    for sample in (ROOT / "samples/valid").glob("*.json"):
        child = json.loads(sample.read_bytes())["child"]
        private = [child["date_of_birth"], child.get("upn"), child["legal_name"].get("family")]
        assert not [value for value in private if isinstance(value, str) and value in names]


def test_every_command_of_the_readme_works(home: Path) -> None:
    assert len(COMMANDS) > 12
    lines = [command for command in COMMANDS if command not in (DEMO, SERVE, TEST)]
    script = "\n".join(["set -e", *(f"echo '+' {index} >&2\n{line}" for index, line in enumerate(lines))])
    run = subprocess.run(["bash", "-c", script], cwd=ROOT, env=environment(home), capture_output=True, text=True)
    last = lines[int(re.findall(r"^\+ (\d+)$", run.stderr, re.MULTILINE)[-1])]
    assert run.returncode == 0, f"{last}\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}"
    assert "\nmy-plan.docx: good with every sample, by rdocx and libreoffice\n" in run.stdout


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
    plain = {
        "__init__",
        "__main__",
        "__pycache__",
        "data",
        "model",
        "errors",
        "digest",
        "resources",
        "forms",
        "demonstration",
    }
    assert not [name for name in modules - plain if not re.search(rf"\b{name}(/|\.py)", README)]


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex(("127.0.0.1", 8000)) == 0
