"""The command `verify` as a third party uses it, on records of today, of older versions and of other programs."""

import json
import os
import random
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from pepforms import resources
from pepforms.archive import verify
from pepforms.archive.seal import Sealer
from pepforms.archive.stamp import Embedded, finish
from pepforms.digest import canonical, pep_digest

SIGNED = resources.folder("samples") / "valid/year-8-confidential-placement.json"
OTHER = resources.folder("samples") / "valid/year-5-review.json"
PEPFORMS = Path(sys.executable).with_name("pepforms")
NAME = "900008_PEP_2026-27_AUT_2026-11-17_PEP-0008-A26_v1"


@pytest.fixture(scope="module")
def settings(authorities: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Seals with a time-stamp authority, trusts both, asks no veraPDF."""
    folder = tmp_path_factory.mktemp("settings")
    (folder / "trust.pem").write_bytes(authorities.pem("root"))
    (folder / "clocks.pem").write_bytes(authorities.pem("clocks-root"))
    return {
        "PEPFORMS_HOME": str(folder / "home"),
        "PEPFORMS_ARCHIVE_VALIDATE": "off",
        "PEPFORMS_SEAL_KEY_FILE": str(authorities.key_file("seal")),
        "PEPFORMS_SEAL_TRUST": str(folder / "trust.pem"),
        "PEPFORMS_SEAL_TIMESTAMP_URL": authorities.clock("clock"),
        "PEPFORMS_SEAL_TIMESTAMP_TRUST": str(folder / "clocks.pem"),
    }


def run(settings: dict[str, str], *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8", **settings, **more}
    done = subprocess.run([PEPFORMS, *map(str, words)], env=environment, capture_output=True, text=True, timeout=240)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def verified(settings: dict[str, str], *words: object, **more: str) -> tuple[int, list[dict[str, Any]]]:
    done = run(settings, "verify", *words, "--format", "json", **more)
    return done.returncode, json.loads(done.stdout)["results"]


@pytest.fixture(scope="module")
def record(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record made by the command line, its time proven."""
    out = tmp_path_factory.mktemp("records")
    done = run(settings, "archive", SIGNED, "--out", out)
    assert done.returncode == 0, done.stderr
    return out / f"{NAME}.pdf"


def test_a_record_holds_its_time_is_proven_and_another_program_says_the_same(
    settings: dict[str, str], record: Path
) -> None:
    code, (entry,) = verified(settings, record)
    assert (code, entry["holds"], entry["seal"]["time_proven"]) == (0, True, True)
    said = subprocess.run(["pdfsig", "-nocert", record], capture_output=True, text=True).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said


@pytest.mark.parametrize("places", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_one_changed_byte_at_any_of_many_places_makes_verify_exit_65(
    settings: dict[str, str], record: Path, tmp_path: Path, places: int
) -> None:
    data, chance = record.read_bytes(), random.Random(20261117)
    files = []
    for place in chance.sample(range(len(data)), places):
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        files.append(tmp_path / f"{place}.pdf")
        files[-1].write_bytes(changed)
    code, entries = verified(settings, *files)
    assert code == 65
    assert [entry["source"] for entry in entries if entry["holds"]] == []
    assert len(entries) == places


def test_the_same_pep_makes_the_same_bytes_up_to_the_seal(
    settings: dict[str, str], record: Path, tmp_path: Path
) -> None:
    assert run(settings, "archive", SIGNED, "--out", tmp_path).returncode == 0
    first, second = record.read_bytes(), (tmp_path / record.name).read_bytes()
    assert first != second, "the seals differ: each has its own time"
    up_to = first.rindex(b"%%EOF", 0, first.rindex(b"%%EOF"))  # where the seal's revision begins
    assert first[:up_to] == second[:up_to]
    assert up_to > len(first) // 2


def test_a_file_larger_than_any_record_is_not_read(settings: dict[str, str], tmp_path: Path) -> None:
    with (tmp_path / "large.pdf").open("wb") as file:
        file.write(b"%PDF-1.7")
        file.truncate(200 << 20)
    code, (entry,) = verified(settings, tmp_path / "large.pdf")
    assert (code, entry["problem"]["slug"]) == (65, "too-large")


# --- which PEP it is the record of, and its data ---------------------------------------------------------------------


def test_a_record_is_of_its_own_pep_also_once_that_was_followed_up_and_of_no_other(
    settings: dict[str, str], record: Path, tmp_path: Path
) -> None:
    pep = json.loads(SIGNED.read_bytes())
    cases = {
        "followed-up": {**pep, "follow_up": {"anything": "later"}},
        "acknowledged": {**pep, "sign_offs": [*pep["sign_offs"], {"role": "carer", "name": "Ned Inventley"}]},
        "unsigned": {**pep, "sign_offs": []},
        "changed": {**pep, "meeting": {**pep["meeting"], "date": "2026-11-18"}},
    }
    said = {name: verify.difference(record.read_bytes(), value) for name, value in cases.items()}
    assert (said["followed-up"], said["acknowledged"]) == (None, None)
    assert "lacks a sign-off" in str(said["unsigned"])
    assert "says something else" in str(said["changed"])
    for path, same, words in ((SIGNED, True, "It is the record of that PEP."), (OTHER, False, "says something else")):
        code, (entry,) = verified(settings, record, "--pep", path)
        assert (code, entry["holds"], entry["record_of_pep"]) == (0 if same else 65, True, same)
        assert words in run(settings, "verify", record, "--pep", path).stdout


def test_what_is_no_pep_to_compare_with_is_refused_before_any_record_is_read(
    settings: dict[str, str], record: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text('{"a": 1, "a": 2}')
    assert run(settings, "verify", record, "--pep", tmp_path / "bad.json").returncode == 65
    assert run(settings, "verify", record, "--pep", tmp_path / "none.json").returncode == 66
    assert run(settings, "verify", record, "--pep", SIGNED.parent).returncode == 64


def test_the_data_are_extracted_byte_for_byte_under_the_records_name_and_never_over_a_different_file(
    settings: dict[str, str], record: Path, tmp_path: Path
) -> None:
    sent = tmp_path / "Sasha's PEP (final).pdf"
    sent.write_bytes(record.read_bytes())
    out = tmp_path / "data"
    for _ in range(2):
        assert run(settings, "verify", sent, "--extract", out).returncode == 0
    (written,) = out.iterdir()
    assert written.name == f"{NAME}.json"
    assert pep_digest(json.loads(written.read_bytes())) == pep_digest(json.loads(SIGNED.read_bytes()))
    written.write_text("{}")
    done = run(settings, "verify", sent, "--extract", out)
    assert done.returncode == 65
    assert "differs" in done.stderr
    assert written.read_text() == "{}"


def test_data_without_a_name_get_one_and_a_file_without_data_gives_none(
    settings: dict[str, str], authorities: Any, record: Path, tmp_path: Path
) -> None:
    named = {"pep": {"id": "../../x", "version": 1, "term": "autumn"}, "child": {"lcs_person_id": "L"}, "meeting": {}}
    (tmp_path / "odd.pdf").write_bytes(sealed(authorities, record, canonical(named)))
    run(settings, "verify", tmp_path / "odd.pdf", "--extract", tmp_path / "data")
    (written,) = (tmp_path / "data").iterdir()
    assert re.fullmatch("record-[0-9a-f]{16}.json", written.name)
    (tmp_path / "bare.pdf").write_bytes(sealed(authorities, record, None))
    done = run(settings, "verify", tmp_path / "bare.pdf", "--extract", tmp_path / "none")
    assert done.returncode == 65
    assert "carries no PEP" in done.stderr


def sealed(authorities: Any, record: Path, data: bytes | None, *, version: str = "") -> bytes:
    """A PDF of the record's pages, with other data or none, sealed by the authority (and an older pepforms)."""
    with pikepdf.open(record) as document:
        del document.Root.AcroForm, document.Root.Names, document.Root.AF
        for page in document.Root.Pages.Kids:
            if "/Annots" in page:
                del page.Annots
        document.save(record.with_suffix(".bare"), fix_metadata_version=False)
    carried = Embedded("pep.json", data, "application/json", "The data of this PEP") if data is not None else None
    pdf = finish(record.with_suffix(".bare").read_bytes(), title="PEP", embedded=carried)
    if version:
        pdf, told = re.subn(rb"(?<=>pepforms )\d+\.\d+\.\d+(?=<)", version.encode(), pdf)
        assert told == 2, "producer and creator"
    return Sealer.load(authorities.key_file("seal"), None).seal(pdf)


# --- records of older versions ---------------------------------------------------------------------------------------


def test_a_record_of_an_older_format_sealed_by_an_older_pepforms_holds(
    settings: dict[str, str], authorities: Any, record: Path, tmp_path: Path
) -> None:
    """What was signed is judged as it was signed: no step of today's format touches it."""
    pep: dict[str, Any] = {
        "schema_version": "0",
        "pep": {"id": "PEP-1", "version": 1},
        "child": {"lcs_person_id": "L-1", "a_key_that_is_gone": 7},
    }
    pep["sign_offs"] = [{"role": "a_role_that_is_gone", "digest": pep_digest(pep)}]
    (tmp_path / "older.pdf").write_bytes(sealed(authorities, record, canonical(pep), version="0.0.1"))
    code, (entry,) = verified(settings, tmp_path / "older.pdf")
    assert (code, entry["holds"], entry["data"]["digest_matches_sign_off"]) == (0, True, True)
    assert (entry["child"]["lcs_person_id"], entry["pep"]) == ("L-1", {"id": "PEP-1", "version": 1})


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "setting", "content"),
    [
        ("verify", "SEAL_TRUST", None),
        ("verify", "SEAL_TRUST", b""),
        ("verify", "SEAL_TRUST", b"no certificate"),
        ("verify", "SEAL_TRUST", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("verify", "SEAL_TRUST", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
        ("verify", "SEAL_TIMESTAMP_TRUST", b"no certificate"),
        ("doctor", "SEAL_TRUST", b"no certificate"),
        ("serve", "SEAL_TRUST", b"no certificate"),
    ],
)
def test_a_bad_file_of_trust_is_misconfigured_at_start_and_named(
    settings: dict[str, str], record: Path, tmp_path: Path, command: str, setting: str, content: bytes | None
) -> None:
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_bytes(content)
    words = (command, record) if command == "verify" else (command,)
    done = run(settings, *words, **{f"PEPFORMS_{setting}": str(path)})
    assert done.returncode == 78
    assert str(path) in done.stdout + done.stderr
    assert "does not hold" not in done.stdout


def test_doctor_tells_whom_is_trusted_and_tries_the_time_stamp_authority(settings: dict[str, str]) -> None:
    told = run(settings, "doctor").stdout
    assert "3 certificates, 0 revocation lists" in told, "the root, the clocks' root and the seal's own"
    assert "127.0.0.1 answers and is trusted" in told
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run(settings, "doctor", PEPFORMS_SEAL_TIMESTAMP_URL=f"http://127.0.0.1:{port}/")
    assert done.returncode == 78
    assert "cannot be reached" in done.stdout


def test_an_expired_key_seals_no_more_and_verifies_still(
    settings: dict[str, str], authorities: Any, record: Path, tmp_path: Path
) -> None:
    expired = {"PEPFORMS_SEAL_KEY_FILE": str(authorities.key_file("seal-expired"))}
    assert verified(settings, record, **expired)[0] == 0
    done = run(settings, "archive", SIGNED, "--out", tmp_path / "out", **expired)
    assert (done.returncode, "expired on" in done.stderr) == (78, True)


def test_nothing_is_written_where_the_time_stamp_authority_is_away(settings: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = {"PEPFORMS_SEAL_TIMESTAMP_URL": f"http://127.0.0.1:{port}/"}
    done = run(settings, "archive", SIGNED, "--out", tmp_path / "out", **away)
    assert (done.returncode, "cannot be reached" in done.stderr) == (75, True)
    assert [path.name for path in (tmp_path / "out").glob("*") if not path.name.startswith(".")] == []


def test_an_authority_that_nobody_trusts_is_misconfigured_in_one_sentence(
    settings: dict[str, str], tmp_path: Path
) -> None:
    done = run(settings, "archive", SIGNED, "--out", tmp_path / "out", PEPFORMS_SEAL_TIMESTAMP_TRUST="")
    assert (done.returncode, len(done.stderr.splitlines())) == (78, 1)
    assert "seal.timestamp_trust" in done.stderr


def test_a_revocation_list_beside_the_anchors_is_heard_without_a_network(
    settings: dict[str, str], authorities: Any, tmp_path: Path
) -> None:
    revoked = {**settings, "PEPFORMS_SEAL_KEY_FILE": str(authorities.key_file("seal-revoked"))}
    del revoked["PEPFORMS_SEAL_TIMESTAMP_URL"]
    assert run(revoked, "archive", SIGNED, "--out", tmp_path).returncode == 0
    (tmp_path / "trust.pem").write_bytes(authorities.pem("root") + authorities.crl("issuer"))
    code, (entry,) = verified(settings, tmp_path / f"{NAME}.pdf", PEPFORMS_SEAL_TRUST=str(tmp_path / "trust.pem"))
    assert (code, entry["seal"]["trusted"], entry["seal"]["intact"]) == (65, False, True)
