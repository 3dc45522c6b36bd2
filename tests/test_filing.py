"""Records put into a folder: each once, whatever runs at the same time, with what belongs beside it."""

import csv
import json
import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pepforms import digest, files, filing, forms, many, pipeline, resources, settings
from pepforms.archive import manifest, verify
from pepforms.archive.pdfa import Judge
from pepforms.errors import Refused
from pepforms.sources import Source
from pepforms.wiring import Wiring

SIGNED = json.loads((resources.folder("samples") / "valid" / "year-5-review.json").read_bytes())
FORM = forms.named("pep")


def wired(home: Path, **environment: str) -> Wiring:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(home), **environment}))
    wiring.use_demonstration_key()
    return wiring


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    wiring = wired(tmp_path_factory.mktemp("home"), PEPFORMS_ARCHIVE_VALIDATE="off")
    yield wiring
    wiring.converter.close()


def signed_again(pep: dict[str, Any]) -> dict[str, Any]:
    for sign_off in pep["sign_offs"]:
        sign_off["digest"] = digest.pep_digest(pep)
    return pep


def changed() -> dict[str, Any]:
    pep = json.loads(json.dumps(SIGNED))
    pep["actions"][0]["action"] = "Another action than was agreed"
    return signed_again(pep)


def corrected() -> dict[str, Any]:
    pep = json.loads(json.dumps(SIGNED))
    pep["pep"]["version"] = 2
    return signed_again(pep)


def sums_agree(folder: Path) -> bool:
    return subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder).returncode == 0


def test_a_record_lies_beside_the_judges_report_and_sha256sum_agrees_with_both(tmp_path: Path, judge: Judge) -> None:
    wiring = wired(tmp_path / "home")
    wiring.judge = judge
    path = filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    report = json.loads(path.with_suffix(".verapdf.json").read_text())
    assert report["validated_by"] == "veraPDF 1.31"
    assert report["sha256"] == digest.sha256(path.read_bytes())
    assert [(one["claims"], one["conforms"], one["failures"]) for one in report["standards"]] == [
        ("PDF/A-3a", True, []),
        ("PDF/UA-1", True, []),
    ]
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == 2
    assert sums_agree(tmp_path)
    wiring.converter.close()


def test_an_archive_that_wants_no_attachments_gets_2a_with_the_data_beside_it(tmp_path: Path, judge: Judge) -> None:
    wiring = wired(tmp_path / "home", PEPFORMS_ARCHIVE_STANDARD="2a")
    wiring.judge = judge
    out = files.folder(tmp_path / "out")
    path = filing.file_pep(SIGNED, FORM, out, wiring, force=False)
    facts = wiring.verify(path.read_bytes())
    assert (facts.holds, facts.pdfa.claims, facts.data.embedded) == (True, "PDF/A-2a", False)
    beside = json.loads(path.with_suffix(".json").read_text())
    assert digest.pep_digest(beside) == SIGNED["sign_offs"][0]["digest"]
    assert sums_agree(out)
    before = path.read_bytes()
    path.with_suffix(".json").unlink()
    filing.file_pep(SIGNED, FORM, out, wiring, force=False)
    assert path.read_bytes() == before
    assert sums_agree(out)
    assert verify.difference(before, SIGNED) is None
    assert "says something else" in str(verify.difference(before, changed()))
    wiring.converter.close()


def test_data_beside_a_record_never_make_it_the_record_of_another_pep(tmp_path: Path) -> None:
    wiring = wired(tmp_path / "home", PEPFORMS_ARCHIVE_STANDARD="2a", PEPFORMS_ARCHIVE_VALIDATE="off")
    out = files.folder(tmp_path / "out")
    path = filing.file_pep(SIGNED, FORM, out, wiring, force=False)
    path.with_suffix(".json").write_text(json.dumps(changed()))
    with pytest.raises(Refused, match="is another record"):
        filing.file_pep(changed(), FORM, out, wiring, force=False)
    wiring.converter.close()


def test_what_lay_beside_a_record_goes_with_it(wiring: Wiring, tmp_path: Path) -> None:
    without_attachments = wired(tmp_path / "home", PEPFORMS_ARCHIVE_STANDARD="2a", PEPFORMS_ARCHIVE_VALIDATE="off")
    out = files.folder(tmp_path / "out")
    path = filing.file_pep(SIGNED, FORM, out, without_attachments, force=False)
    path.with_suffix(".verapdf.json").write_text("{}")
    filing.file_pep(changed(), FORM, out, wiring, force=True)
    assert sorted(out.glob("900*")) == [path]
    before = path.read_bytes()
    filing.file_pep(changed(), FORM, out, wiring, force=False)
    assert path.read_bytes() == before
    assert sums_agree(out)
    without_attachments.converter.close()


@pytest.mark.parametrize("standard", ["2a", "3a"])
def test_a_record_is_never_taken_for_that_of_the_data_that_a_killed_run_put_beside_it(
    standard: str, tmp_path: Path
) -> None:
    wiring = wired(tmp_path / "home", PEPFORMS_ARCHIVE_STANDARD=standard, PEPFORMS_ARCHIVE_VALIDATE="off")
    out = files.folder(tmp_path / "out")
    path = filing.file_pep(SIGNED, FORM, out, wiring, force=False)
    path.with_suffix(".json").write_bytes(pipeline.data_of(changed()).data)
    with pytest.raises(Refused, match="is another record"):
        filing.file_pep(changed(), FORM, out, wiring, force=False)
    wiring.converter.close()


def test_sha256sum_agrees_after_a_record_was_moved_away_and_its_row_stays(wiring: Wiring, tmp_path: Path) -> None:
    path = filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    path.unlink()
    filing.file_pep(corrected(), FORM, tmp_path, wiring, force=False)
    assert sums_agree(tmp_path)
    assert [(row.version, row.supersedes) for row in manifest.read(tmp_path)] == [("1", ""), ("2", path.name)]


def test_a_corrected_version_that_is_filed_first_supersedes_all_the_same(wiring: Wiring, tmp_path: Path) -> None:
    filing.file_pep(corrected(), FORM, tmp_path, wiring, force=False)
    path = filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    assert [(row.version, row.supersedes) for row in manifest.read(tmp_path)] == [("1", ""), ("2", path.name)]


def test_a_list_of_sums_that_somebody_changed_names_no_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    out = files.folder(tmp_path / "out")
    (out / "SHA256SUMS").write_text(f"{'0' * 64}  ../elsewhere\n")
    assert manifest.sums_of(out) == {}


def test_a_record_stands_when_somebody_has_acknowledged_the_pep_since(wiring: Wiring, tmp_path: Path) -> None:
    path = filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    before = path.read_bytes()
    read = json.loads(json.dumps(SIGNED))
    read["sign_offs"].append({**read["sign_offs"][0], "role": "designated_teacher", "name": "Una Fictive"})
    filing.file_pep(read, FORM, tmp_path, wiring, force=False)
    assert path.read_bytes() == before


def test_a_record_of_other_data_is_refused_and_goes_only_by_force(wiring: Wiring, tmp_path: Path) -> None:
    path = filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    before = path.read_bytes()
    with pytest.raises(Refused, match="is another record"):
        filing.file_pep(changed(), FORM, tmp_path, wiring, force=False)
    assert path.read_bytes() == before
    filing.file_pep(changed(), FORM, tmp_path, wiring, force=True)
    (row,) = manifest.read(tmp_path)
    assert row.sha256 == digest.sha256(path.read_bytes()) != digest.sha256(before)
    assert sums_agree(tmp_path)


def test_a_damaged_record_is_not_taken_for_one_that_stands(wiring: Wiring, tmp_path: Path) -> None:
    path = filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Refused, match="is another record"):
        filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=True)
    assert wiring.verify(path.read_bytes()).holds


def test_the_same_pep_many_times_at_once_is_one_record_and_no_fault(wiring: Wiring, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(filing.file_pep, SIGNED, FORM, tmp_path, wiring, force=False) for _ in range(4)]
    assert len({job.result() for job in work}) == 1
    assert len(manifest.read(tmp_path)) == 1
    assert sums_agree(tmp_path)


def test_a_run_that_was_killed_before_the_manifest_was_written_is_finished_by_the_next(
    wiring: Wiring, tmp_path: Path
) -> None:
    path = filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    before = path.read_bytes()
    (tmp_path / "manifest.csv").unlink()
    (tmp_path / "SHA256SUMS").unlink()
    filing.file_pep(SIGNED, FORM, tmp_path, wiring, force=False)
    assert path.read_bytes() == before
    assert len(manifest.read(tmp_path)) == 1
    assert sums_agree(tmp_path)


def test_two_peps_of_one_run_never_share_a_name_whatever_force_says(wiring: Wiring, tmp_path: Path) -> None:
    found = [Source(f"{place}.json", json.dumps(pep).encode()) for place, pep in enumerate((SIGNED, changed(), SIGNED))]
    results = [result for _, result in many.records(wiring, found, tmp_path, total=3, force=True)]
    refused = [result for result in results if isinstance(result, Refused)]
    assert [error.slug for error in refused] in (["name-claimed"], ["name-claimed"] * 2)
    assert len(list(tmp_path.glob("*.pdf"))) == 1


def test_names_of_people_cannot_run_as_formulas_in_a_spreadsheet(wiring: Wiring, tmp_path: Path) -> None:
    record = pipeline.archive(SIGNED, FORM, wiring)
    row = manifest.Row(**{name: getattr(record.row, name) for name in manifest.COLUMNS} | {"team": "=1+1"})
    manifest.add(tmp_path, [row])
    manifest.add(tmp_path, [row])
    assert manifest.read(tmp_path) == [row]
    (line,) = csv.DictReader((tmp_path / "manifest.csv").read_text().splitlines())
    assert line["team"] == "'=1+1"


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe\x00", b'"', b"lcs_person_id,pep_id\nx,y,z\n", b"\x00"])
def test_a_damaged_manifest_is_refused_by_name_and_left_as_it_is(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(damage)
    with pytest.raises(Refused, match=r"manifest\.csv is not a manifest of pepforms, or it is damaged"):
        manifest.add(tmp_path, [])
    assert (tmp_path / "manifest.csv").read_bytes() == damage


def test_what_a_killed_run_had_begun_to_write_is_swept_once_it_is_surely_forgotten(tmp_path: Path) -> None:
    old, new = tmp_path / ".pepforms-old", tmp_path / ".pepforms-new"
    for file in (old, new):
        file.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    files.folder(tmp_path)
    assert list(tmp_path.iterdir()) == [new]


# --- in the register -------------------------------------------------------------------------------------------------


def in_the_register(register: Any) -> list[str]:
    from sqlalchemy import select

    from pepforms.register.tables import Record as Kept

    with register.reading() as session:
        return [*session.scalars(select(Kept.sha256))]


def test_a_pep_that_two_keep_at_once_has_one_record_and_no_file_is_left_that_nobody_names(
    register: Any, wiring: Wiring
) -> None:
    def keep(_: int) -> None:
        filing.keep_pep(SIGNED, FORM, None, wiring, register, by="officer", force=False)

    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(keep, range(2))] == [None, None]
    assert [name for name, _ in register.files.all()] == in_the_register(register)
    assert len(in_the_register(register)) == 1


def test_the_record_of_the_register_is_the_one_that_goes_into_a_folder_and_back(tmp_path: Path, wiring: Wiring) -> None:
    from pepforms.register.files import Files
    from pepforms.register.store import Register

    apart = wired(tmp_path / "home", PEPFORMS_ARCHIVE_VALIDATE="off", PEPFORMS_ARCHIVE_STANDARD="2a")
    register, out = Register(tmp_path / "register.sqlite", Files(tmp_path / "files")), files.folder(tmp_path / "out")
    path = filing.file_pep(SIGNED, FORM, out, apart, force=False)
    for folder in (out, None, files.folder(tmp_path / "again")):
        filing.keep_pep(SIGNED, FORM, folder, apart, register, by="officer", force=False)
    (kept,) = in_the_register(register)
    assert kept == digest.sha256(path.read_bytes())
    assert sums_agree(tmp_path / "again")
    there = [{each.name: each.read_bytes() for each in out.glob("9*")} for out in (out, tmp_path / "again")]
    assert there[0] == there[1]
    assert len(there[0]) == 2
    register.close()
    apart.converter.close()
