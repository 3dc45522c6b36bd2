"""The pack: each social worker's or team's records in a folder of their own, with a list to tick off."""

import csv
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pepforms import naming, pack, settings
from pepforms.archive import manifest
from pepforms.digest import sha256
from pepforms.text import pdf as text
from pepforms.wiring import Wiring

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))
    yield wiring
    wiring.converter.close()


def filed(out: Path, child: str, worker: str, team: str) -> manifest.Row:
    """A file as it would lie in a folder of records, with its report beside it and its row."""
    name = f"{child}_PEP_2026-27_AUT_2026-11-10_PEP-{child}_v1.pdf"
    (out / name).write_bytes(child.encode())
    report = name.replace(".pdf", ".verapdf.json")
    (out / report).write_text("{}")
    values = {**dict.fromkeys(manifest.COLUMNS, ""), "lcs_person_id": child, "version": "1", "filename": name}
    row = manifest.Row(**values | {"meeting_date": "2026-11-10", "sha256": sha256(child.encode())})
    row = replace(row, pep_id=f"PEP-{child}", social_worker=worker, team=team)
    manifest.add(out, [row], {report: sha256(b"{}")})
    return row


def held(folder: Path) -> set[str]:
    return {path.name.split("_")[0] for path in folder.glob("*.pdf")} - {pack.LIST}


def sums_agree(folder: Path) -> bool:
    return subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder).returncode == 0


def test_each_social_worker_gets_a_folder_named_by_initials_with_only_their_records(
    wiring: Wiring, tmp_path: Path
) -> None:
    for child, worker in (("1", "Dana Mockley"), ("2", "Dana Mockley"), ("3", "Ellis Sham"), ("4", "")):
        filed(tmp_path, child, worker, "Team 2")
    place = pack.part(tmp_path, "social-worker", wiring, TODAY)
    rows = list(csv.DictReader((place / pack.INDEX).read_text().splitlines()))
    folders = {row["social_worker"]: place / row["folder"] for row in rows}
    assert {worker: held(folder) for worker, folder in folders.items()} == {
        "Dana Mockley": {"1", "2"},
        "Ellis Sham": {"3"},
        "": {"4"},
    }
    assert folders["Dana Mockley"].name.startswith("DM-")
    assert folders[""].name == naming.NOBODY
    assert all(sums_agree(folder) for folder in folders.values())
    assert [row.lcs_person_id for row in manifest.read(folders["Dana Mockley"])] == ["1", "2"]
    assert not [path for path in place.rglob("*") if "Mockley" in str(path)]


def test_two_workers_with_the_same_initials_never_share_a_folder(wiring: Wiring, tmp_path: Path) -> None:
    for child, worker in (("1", "Dana Mockley"), ("2", "Dino Mocksley")):
        filed(tmp_path, child, worker, "Team 2")
    place = pack.part(tmp_path, "social-worker", wiring, TODAY)
    assert sorted(map(sorted, map(held, filter(Path.is_dir, place.iterdir())))) == [["1"], ["2"]]


def test_a_record_whose_worker_has_changed_leaves_the_old_ones_folder(wiring: Wiring, tmp_path: Path) -> None:
    row = filed(tmp_path, "1", "Dana Mockley", "Team 2")
    filed(tmp_path, "2", "Dana Mockley", "Team 2")
    place = pack.part(tmp_path, "team", wiring, TODAY)
    manifest.add(tmp_path, [replace(row, team="Team 3")], manifest.sums_of(tmp_path))
    pack.part(tmp_path, "team", wiring, TODAY)
    assert (held(place / "Team-2"), held(place / "Team-3")) == ({"2"}, {"1"})
    assert sums_agree(place / "Team-2")


def test_a_record_made_anew_is_new_in_its_folder_too(wiring: Wiring, tmp_path: Path) -> None:
    row = filed(tmp_path, "1", "Dana Mockley", "Team 2")
    place = pack.part(tmp_path, "team", wiring, TODAY)
    (tmp_path / row.filename).unlink()
    (tmp_path / row.filename).write_bytes(b"anew")
    manifest.add(tmp_path, [replace(row, sha256=sha256(b"anew"))], manifest.sums_of(tmp_path))
    pack.part(tmp_path, "team", wiring, TODAY)
    assert (place / "Team-2" / row.filename).read_bytes() == b"anew"
    assert sums_agree(place / "Team-2")


def test_teams_whose_names_share_a_folder_are_all_on_its_covering_list(wiring: Wiring, tmp_path: Path) -> None:
    for child, team in (("1", "Team 1/2"), ("2", "Team 1-2")):
        filed(tmp_path, child, "Dana Mockley", team)
    pdf = (pack.part(tmp_path, "team", wiring, TODAY) / "Team-1-2" / pack.LIST).read_bytes()
    said = " ".join("".join(piece for page in text.read(pdf).pages for piece in page.said).split())
    assert "Team 1-2; Team 1/2" in said


def test_a_record_that_was_moved_away_is_on_no_covering_list(wiring: Wiring, tmp_path: Path) -> None:
    row = filed(tmp_path, "1", "Dana Mockley", "Team 2")
    filed(tmp_path, "2", "Dana Mockley", "Team 2")
    (tmp_path / row.filename).unlink()
    place = pack.part(tmp_path, "team", wiring, TODAY)
    assert held(place / "Team-2") == {"2"}
    assert [row.lcs_person_id for row in manifest.read(place / "Team-2")] == ["2"]
    assert sums_agree(place / "Team-2")


def test_the_covering_list_names_each_record_claims_no_upload_and_is_accessible(wiring: Wiring, tmp_path: Path) -> None:
    rows = [filed(tmp_path, str(child), "Dana Mockley", "Team 2") for child in range(40)]
    place = pack.part(tmp_path, "team", wiring, TODAY)
    pdf = (place / "Team-2" / pack.LIST).read_bytes()
    said = " ".join("".join(piece for page in text.read(pdf).pages for piece in page.said).split())
    assert "Prepared for LCS on 24 November 2026; not yet confirmed" in said
    assert "40 records" in said
    assert not [row for row in rows if row.filename not in said.replace(" ", "")]
    assert wiring.judge is not None
    for flavour in ("2a", "ua1"):
        assert wiring.judge.judge(pdf, flavour).failures == ()


def test_a_folder_whose_records_are_all_gone_goes_too_but_for_what_is_not_ours(wiring: Wiring, tmp_path: Path) -> None:
    rows = [filed(tmp_path, str(child), "Dana Mockley", f"Team {child}") for child in (1, 2)]
    place = pack.part(tmp_path, "team", wiring, TODAY)
    (place / "Team-2" / "notes.txt").write_text("somebody's own")
    manifest.add(tmp_path, [replace(row, team="Team 3") for row in rows], manifest.sums_of(tmp_path))
    pack.part(tmp_path, "team", wiring, TODAY)
    assert sorted(path.name for path in place.iterdir()) == ["Team-2", "Team-3", pack.INDEX]
    assert [path.name for path in (place / "Team-2").iterdir()] == ["notes.txt"]


def test_a_folder_that_somebody_has_renamed_is_theirs(wiring: Wiring, tmp_path: Path) -> None:
    filed(tmp_path, "1", "Dana Mockley", "Team 2")
    place = pack.part(tmp_path, "team", wiring, TODAY)
    (place / "Team-2").rename(place / "Team-2-done")
    pack.part(tmp_path, "team", wiring, TODAY)
    assert held(place / "Team-2-done") == held(place / "Team-2") == {"1"}
    assert (place / "Team-2-done" / pack.LIST).is_file()
