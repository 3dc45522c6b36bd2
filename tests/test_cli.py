"""The command line as its users meet it: the real console script, real files, its exit codes and its words."""

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pepforms import forms, resources, settings
from pepforms.cli import commands
from pepforms.wiring import Wiring

SAMPLES = resources.folder("samples") / "valid"
SIGNED = SAMPLES / "year-8-confidential-placement.json"
PEPFORMS = Path(sys.executable).with_name("pepforms")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demonstration's key."""
    home = tmp_path_factory.mktemp("home")
    Wiring(settings.load({"PEPFORMS_HOME": str(home)})).use_demonstration_key()
    return home


@pytest.fixture(scope="module")
def record(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record, not judged by veraPDF."""
    out = tmp_path_factory.mktemp("record")
    made = run("archive", SIGNED, "--out", out, home=home, **sealing(home))
    assert made.returncode == 0, told(made)
    (record,) = out.glob("*.pdf")
    return record


def run(*words: object, home: Path | None = None, stdin: bytes = b"", limit: int | None = None, **more: str):
    ours = {name: os.environ[name] for name in ("PATH", "JAVA_TOOL_OPTIONS")}
    environment = {**ours, "HOME": "/nonexistent", "LANG": "C.UTF-8", **more}
    if home:
        environment["PEPFORMS_HOME"] = str(home)

    if limit is not None:  # Python would cut its own caches short at the limit, and trip over them ever after
        environment["PYTHONDONTWRITEBYTECODE"] = "1"

    def starve() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [PEPFORMS, *map(str, words)], env=environment, input=stdin, capture_output=True, timeout=240, preexec_fn=starve
    )


def sealing(home: Path) -> dict[str, str]:
    """The settings that seal with the demonstration's key."""
    return {
        "PEPFORMS_SEAL_KEY_FILE": str(home / "demonstration-seal.p12"),
        "PEPFORMS_SEAL_PASSPHRASE_FILE": str(home / "demonstration-passphrase"),
        "PEPFORMS_ARCHIVE_VALIDATE": "off",
    }


def told(result: subprocess.CompletedProcess[bytes]) -> str:
    """What a failed command said; it never shows a traceback and leaves nothing half-written."""
    assert b"Traceback" not in result.stderr + result.stdout
    return result.stderr.decode()


def test_one_changed_byte_makes_verify_exit_65_and_name_the_fact(home: Path, record: Path, tmp_path: Path) -> None:
    changed = bytearray(record.read_bytes())
    changed[len(changed) // 3] ^= 1
    file = tmp_path / "changed.pdf"
    file.write_bytes(changed)
    result = run("verify", file, home=home, PEPFORMS_ARCHIVE_VALIDATE="off")
    assert result.returncode == 65
    assert "does not hold" in result.stdout.decode()
    assert "seal is not intact" in result.stdout.decode()


def test_validate_speaks_json_and_nothing_else_on_standard_output() -> None:
    result = run("validate", SIGNED, "--stage", "record", "--format", "json")
    (entry,) = json.loads(result.stdout)["results"]
    assert (entry["source"], entry["stage"], entry["valid"]) == (str(SIGNED), "record", True)
    assert result.returncode == 0


def test_validate_reads_lines_folders_and_standard_input(tmp_path: Path) -> None:
    line = json.dumps(json.loads(SIGNED.read_text()))
    (tmp_path / "many.jsonl").write_text(f"{line}\n\n{line}\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper/one.json").write_text(line)
    result = run("validate", tmp_path, "-", "--format", "json", stdin=line.encode())
    sources = [entry["source"] for entry in json.loads(result.stdout)["results"]]
    assert sources == [f"{tmp_path}/deeper/one.json", f"{tmp_path}/many.jsonl#1", f"{tmp_path}/many.jsonl#3", "-"]


def test_one_bad_file_among_many_never_stops_the_rest(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    result = run("render", tmp_path / "bad.json", SIGNED, tmp_path / "none.json", "--out", tmp_path / "out")
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".pdf"]
    assert result.returncode == 66
    assert "bad.json" in told(result)
    assert "none.json" in told(result)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("not-json", b"once upon a time", 65),
        ("utf-16", '{"pep": {}}'.encode("utf-16"), 65),
        ("doubled", b'{"pep": {}, "pep": {}}', 65),
        ("deep", b"[" * 10_000 + b"]" * 10_000, 65),
        ("number-for-text", json.dumps({**json.loads(SIGNED.read_text()), "schema_version": 7}).encode(), 65),
    ],
)
@pytest.mark.parametrize("command", ["validate", "render", "digest"])
def test_refuses_data_that_is_no_pep(command: str, name: str, data: bytes, code: int, tmp_path: Path) -> None:
    file, out = tmp_path / f"{name}.json", tmp_path / "out"
    file.write_bytes(data)
    result = run(command, file, *(["--out", out] if command == "render" else []))
    assert result.returncode == code
    assert f"{name}.json" in told(result) + result.stdout.decode()
    assert not out.exists() or not list(out.iterdir())


def test_refuses_fifty_megabytes_without_reading_them_all(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    file.write_bytes(b'{"pep": "' + b"x" * 50_000_000 + b'"}')
    result = run("validate", file)
    assert result.returncode == 65
    assert "20 MB" in told(result) + result.stdout.decode()


def test_a_folder_without_peps_and_a_path_that_is_not_there_exit_66(tmp_path: Path) -> None:
    assert run("validate", tmp_path).returncode == 66
    assert run("validate", tmp_path / "none.json").returncode == 66
    assert run("verify", tmp_path / "none.pdf").returncode == 66


def test_wrong_usage_exits_64() -> None:
    assert run("validate").returncode == 64
    assert run("render", SIGNED, "--form", "pep").returncode == 64
    assert run("dance").returncode == 64


def test_an_output_that_cannot_be_written_exits_78_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file in the folder's place")
    result = run("render", SIGNED, "--out", tmp_path / "out")
    assert result.returncode == 78
    assert "cannot be written" in told(result)
    assert (tmp_path / "out").read_text() == "a file in the folder's place"


def test_a_full_disk_exits_75_and_leaves_no_half_file(tmp_path: Path) -> None:
    result = run("render", SIGNED, "--out", tmp_path / "out", limit=20_000)
    assert result.returncode == 75
    assert "disk is full" in told(result)
    assert not list((tmp_path / "out").iterdir())


def test_a_record_that_vera_pdf_cannot_judge_for_want_of_room_exits_75_and_is_not_written(
    home: Path, tmp_path: Path
) -> None:
    judged = {**sealing(home), "PEPFORMS_ARCHIVE_VALIDATE": "every"}
    result = run("archive", SIGNED, "--out", tmp_path / "out", home=home, limit=20_000, **judged)
    assert result.returncode == 75
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix in (".pdf", ".csv")]
    told(result)


def test_standard_output_on_a_full_disk_exits_75() -> None:
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [PEPFORMS, "validate", SIGNED, "--format", "json"], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert result.returncode == 75
    assert b"Traceback" not in result.stderr


def test_never_writes_over_a_different_file_unless_forced(tmp_path: Path) -> None:
    run("render", SIGNED, "--to", "docx", "--out", tmp_path)
    (made,) = tmp_path.glob("*.docx")
    first = made.read_bytes()
    assert run("render", SIGNED, "--to", "docx", "--out", tmp_path).returncode == 0
    made.write_bytes(b"edited by hand")
    refused = run("render", SIGNED, "--to", "docx", "--out", tmp_path)
    assert refused.returncode == 65
    assert "--force" in told(refused)
    assert made.read_bytes() == b"edited by hand"
    assert run("render", SIGNED, "--to", "docx", "--out", tmp_path, "--force").returncode == 0
    assert made.read_bytes() == first


def test_archive_without_a_key_exits_78_and_says_how_to_set_one(tmp_path: Path) -> None:
    result = run("archive", SIGNED, "--out", tmp_path / "out")
    assert result.returncode == 78
    assert "PEPFORMS_SEAL_KEY_FILE" in told(result)


def test_archive_refuses_a_pep_nobody_signed_off_and_one_edited_since(home: Path, tmp_path: Path) -> None:
    pep = json.loads(SIGNED.read_text())
    (tmp_path / "edited.json").write_text(json.dumps({**pep, "targets": pep["targets"][:-1]}))
    del pep["sign_offs"]
    (tmp_path / "unsigned.json").write_text(json.dumps(pep))
    result = run(
        "archive", tmp_path / "edited.json", tmp_path / "unsigned.json", "--out", tmp_path / "out", **sealing(home)
    )
    assert result.returncode == 65
    assert "Changed since" in told(result)
    assert not list((tmp_path / "out").glob("*.pdf"))


def test_a_record_that_is_there_and_holds_is_left_alone(home: Path, tmp_path: Path) -> None:
    assert run("archive", SIGNED, "--out", tmp_path, home=home, **sealing(home)).returncode == 0
    (record,) = tmp_path.glob("*.pdf")
    before, manifest = record.read_bytes(), (tmp_path / "manifest.csv").read_bytes()
    again = run("archive", SIGNED, "--out", tmp_path, home=home, **sealing(home))
    assert again.returncode == 0, told(again)
    assert record.read_bytes() == before
    assert (tmp_path / "manifest.csv").read_bytes() == manifest


def test_a_wrong_passphrase_exits_78_and_is_not_repeated(home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame 4711")
    result = run(
        "archive", SIGNED, "--out", tmp_path / "out", **{**sealing(home), "PEPFORMS_SEAL_PASSPHRASE_FILE": str(secret)}
    )
    assert result.returncode == 78
    assert "sesame" not in told(result)


def test_verify_says_of_what_is_no_pdf_that_it_is_none(tmp_path: Path) -> None:
    file = tmp_path / "letter.pdf"
    file.write_bytes(b"Dear Sir")
    result = run("verify", file)
    assert result.returncode == 65
    assert "letter.pdf" in result.stdout.decode()
    assert b"Traceback" not in result.stderr


def test_no_message_and_no_file_name_tells_who_the_child_is(home: Path, record: Path, tmp_path: Path) -> None:
    pep = json.loads(SIGNED.read_text())
    private = [pep["child"]["date_of_birth"], pep["child"]["upn"], pep["care"]["placement"]["address"], "Testchild"]
    pep["targets"][0].pop("baseline")
    (tmp_path / "pep.json").write_text(json.dumps(pep))
    spoken = told(run("archive", tmp_path / "pep.json", "--out", tmp_path, home=home, **sealing(home)))
    assert run("render", SIGNED, "--out", tmp_path / "out", home=home).returncode == 0
    names = " ".join(path.name for folder in (tmp_path / "out", record.parent) for path in folder.iterdir())
    assert record.name in names
    assert not [value for value in private if value in spoken + names]


def test_every_command_shows_an_example_in_its_help() -> None:
    names = (
        "validate",
        "sections",
        "next",
        "rules",
        "render",
        "archive",
        "verify",
        "digest",
        "doctor",
        "demo",
        "serve",
    )
    for words in (*names, "template list", "template fields", "template check"):  # fmt: skip
        shown = CliRunner().invoke(commands, [*words.split(), "--help"], prog_name="pepforms").stdout
        assert f"Example: pepforms {words}" in " ".join(shown.split()), words


def test_template_list_and_fields_name_what_an_author_may_use() -> None:
    listed = run("template", "list").stdout.decode()
    assert all(name in listed for name in forms.catalogue())
    fields = run("template", "fields").stdout.decode()
    assert re.search(r"^targets\[\]\.baseline +Starting point: \w", fields, re.MULTILINE)
    assert re.search(r"^child\.date_of_birth +Date of birth: \d+ [A-Z][a-z]+ \d{4}$", fields, re.MULTILINE)
    assert re.search(r"^document\.authority +The authority: Hillingdon$", fields, re.MULTILINE)


def test_validate_says_which_facts_of_the_law_a_pep_holds() -> None:
    (entry,) = json.loads(run("validate", SIGNED, "--format", "json").stdout)["results"]
    assert [row["item"] for row in entry["law"]] == [
        "1a",
        "1b",
        "1c",
        "1d",
        "1e",
        "2a",
        "2b",
        "2c",
        "3a",
        "3b",
        "4",
        "5",
    ]
    assert {row["status"] for row in entry["law"]} <= {"held", "unknown", "missing", "modified"}
    assert "What the law asks for" in run("validate", SIGNED).stdout.decode()


def test_sections_say_whose_each_is_and_how_far_it_has_come() -> None:
    assert "Social worker" in run("sections", SIGNED).stdout.decode()
    (entry,) = json.loads(run("sections", SIGNED, "--format", "json").stdout)["results"]
    assert {row["state"] for row in entry["sections"]} <= {"complete", "not asked"}


def test_next_prints_a_draft_that_is_good_and_must_be_confirmed() -> None:
    made = run("next", SIGNED)
    draft = json.loads(made.stdout)
    assert (draft["pep"]["term"], draft["pep"]["academic_year"]) == ("spring", "2026/27")
    assert draft["confirmations"]["care"]["state"] == "to_confirm"
    assert "sign_offs" not in draft
    assert run("validate", "-", stdin=made.stdout).returncode == 0
    assert b"to_confirm" not in made.stderr
    assert "confirm" in made.stderr.decode().lower()


def test_the_same_pep_is_judged_differently_by_two_profiles() -> None:
    ours = run("validate", SIGNED, "--stage", "record")
    theirs = run("validate", SIGNED, "--stage", "record", PEPFORMS_PROFILE="example-shire")
    assert ours.returncode == 0
    assert theirs.returncode == 65
    assert "the Designated teacher has not signed this PEP" in theirs.stdout.decode()
    first = SAMPLES / "unaccompanied-16-tigrinya.json"
    assert run("validate", first, "--stage", "sign-off").returncode == 0
    late = run("validate", first, "--stage", "sign-off", PEPFORMS_PROFILE="example-shire")
    assert late.returncode == 65
    assert "the first PEP meeting was due by 12 October 2026" in " ".join(late.stdout.decode().split())


def test_rules_name_every_rule_and_its_source() -> None:
    listed = run("rules").stdout.decode()
    assert "attendance-sum" in listed
    assert "upn-of-another-child" in listed
    assert "Regulations" in listed


def test_doctor_lists_every_setting_and_what_is_missing(tmp_path: Path) -> None:
    result = run("doctor", home=tmp_path)
    assert result.returncode == 0
    assert "PEPFORMS_ARCHIVE_VALIDATE" in result.stdout.decode()
    assert "no key" in result.stdout.decode()


def test_doctor_names_a_fault_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "pepforms.toml").write_text('[convert]\nengine = "magic"\n')
    result = run("doctor", home=tmp_path)
    assert result.returncode == 78
    assert "convert.engine" in told(result)


def test_doctor_names_the_engine_that_is_chosen_and_what_to_install_where_it_is_missing(tmp_path: Path) -> None:
    there = run("doctor", home=tmp_path, PEPFORMS_CONVERT_ENGINE="libreoffice")
    assert (there.returncode, " engine     LibreOffice " in there.stdout.decode()) == (0, True)
    missing = run("doctor", home=tmp_path, PEPFORMS_CONVERT_ENGINE="libreoffice", PATH="/nowhere")
    assert missing.returncode == 78
    assert "NO  engine     LibreOffice is not installed. Install it (" in missing.stdout.decode()
    made = run("render", SIGNED, "--out", tmp_path, PEPFORMS_CONVERT_ENGINE="libreoffice", PATH="/nowhere")
    assert (made.returncode, "Install it (" in told(made)) == (78, True)


def test_a_record_made_by_libreoffice_holds(home: Path, tmp_path: Path) -> None:
    made = run("archive", SIGNED, "--out", tmp_path, **sealing(home), PEPFORMS_CONVERT_ENGINE="libreoffice")
    assert (made.returncode, told(made)) == (0, "")
    (record,) = tmp_path.glob("*.pdf")
    verified = run("verify", record, **sealing(home) | {"PEPFORMS_ARCHIVE_VALIDATE": "every"})
    assert verified.returncode == 0
    assert "holds (PDF/A-3a and PDF/UA-1, judged by veraPDF" in verified.stdout.decode()


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "127.0.0.2"])
def test_serve_refuses_an_address_that_others_could_reach_or_that_it_would_not_answer_at(host: str) -> None:
    result = run("serve", "--host", host)
    assert result.returncode == 78
    assert "use 127.0.0.1" in told(result)


def test_what_could_not_be_read_has_its_entry_in_json_too(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    for command, said in (
        (("validate", missing, SIGNED), lambda entry: entry["problems"][0]["slug"]),
        (("sections", missing, SIGNED), lambda entry: entry["problem"]["slug"]),
        (("verify", missing, SIGNED), lambda entry: entry["problem"]["slug"]),
    ):
        result = run(*command, "--format", "json")
        first, second = json.loads(result.stdout)["results"]
        assert (first["source"], said(first), second["source"]) == (str(missing), "unreadable-path", str(SIGNED))
        assert result.returncode == 66


def test_a_closed_or_empty_standard_input_holds_nothing_to_read() -> None:
    closed = subprocess.run(
        f"{shlex.quote(str(PEPFORMS))} validate - <&-",
        shell=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"]},
    )
    for result in (closed, run("validate", "-")):
        assert (result.returncode, told(result)) == (66, "Standard input holds nothing to read.\n")


def test_an_output_that_cannot_hold_every_letter_gets_it_escaped() -> None:
    tigrinya = SAMPLES / "unaccompanied-16-tigrinya.json"
    latin = run("next", tigrinya, PYTHONIOENCODING="latin-1")
    assert latin.returncode == 0
    assert json.loads(latin.stdout) == json.loads(run("next", tigrinya).stdout)
    assert run("validate", tigrinya, PYTHONIOENCODING="latin-1").returncode == 0


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_the_work_goes_on_when_whoever_reads_what_it_says_has_gone(closed: str, home: Path, tmp_path: Path) -> None:
    given = [SAMPLES / f"{name}.json" for name in ("year-3-draft", "year-5-review", "year-8-confidential-placement")]
    command = [PEPFORMS, "archive", *given, "--out", tmp_path]
    environment = {"PATH": os.environ["PATH"], "PEPFORMS_HOME": str(home), **sealing(home)}
    work = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    getattr(work, closed).close()
    said = work.communicate(timeout=240)
    assert work.returncode == 65, said  # the draft among them is no record
    assert len(list(tmp_path.glob("*.pdf"))) == 2


def test_a_parents_copy_is_made_for_one_person_and_what_it_lacks_is_told_to_the_authority(tmp_path: Path) -> None:
    made = run("render", SIGNED, "--audience", "parent", "--for", "mum", "--to", "docx", "--out", tmp_path)
    assert made.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["900008_pep_parent_2026-27_AUT_v1.docx"]
    assert "left out for its reader" in told(made)
    assert "Care information: " in told(made)
    assert "Invented Street" not in told(made)
    assert run("render", SIGNED, "--audience", "parent", "--out", tmp_path).returncode == 65
    assert run("render", SAMPLES, "--audience", "parent", "--for", "mum", "--out", tmp_path).returncode == 65


def test_a_pack_that_is_refused_names_the_pep_whose_copy_would_tell_something(tmp_path: Path) -> None:
    given, out = tmp_path / "given", tmp_path / "out"
    given.mkdir()
    newer, older = json.loads(SIGNED.read_bytes()), json.loads(SIGNED.read_bytes())
    older["pep"]["id"] = "older"
    older["actions"][0]["action"] = "Write to 1 Invented Street, Nowheretown"
    for name, pep in (("a", newer), ("b", older)):
        (given / f"{name}.json").write_text(json.dumps(pep), encoding="utf-8")
    refused = run("render", given, "--form", "school-move-pack", "--audience", "school", "--out", out)
    assert refused.returncode == 65
    assert "PEP older, autumn term 2026/27: This copy is not made" in told(refused)
    assert not [*out.iterdir()]


def test_what_is_known_today_of_the_placement_tightens_a_copy(tmp_path: Path) -> None:
    open_ = ("render", SAMPLES / "year-10-dual-roll.json", "--audience", "parent", "--for", "dad", "--to", "docx")
    assert run(*open_, "--out", tmp_path).returncode == 0
    refused = run(*open_, "--confidential", "--out", tmp_path)
    assert refused.returncode == 65
    assert "in the words of" in told(refused)
