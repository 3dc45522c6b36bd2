"""LCS's own list: however it was exported, what each row confirms, and what it must not."""

import time
from datetime import date, datetime
from pathlib import Path

import pytest

from pepforms import settings
from pepforms.archive import manifest
from pepforms.days import LONDON
from pepforms.deliver import confirmations
from pepforms.deliver.confirmations import Columns, Match
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, Refused

ALL = Columns(
    file="Document Name", sha256="Checksum", lcs_person_id="Person ID", meeting_date="Event date", confirmed_at="Added"
)
HEADER = "Person ID,Event date,Document Name,Checksum,Added,Worker"


def record(child: str, day: str = "2026-11-10", version: int = 1) -> manifest.Row:
    name = f"{child}_PEP_2026-27_AUT_{day}_PEP-{child}_v{version}.pdf"
    values = {**dict.fromkeys(manifest.COLUMNS, ""), "lcs_person_id": child, "meeting_date": day, "filename": name}
    return manifest.Row(**values | {"sha256": sha256(name.encode())})


ONE, OTHER = record("900005"), record("900006")


def matched(
    rows: str | bytes, *records: manifest.Row, columns: Columns = ALL, header: str = HEADER
) -> list[Match[manifest.Row]]:
    data = rows if isinstance(rows, bytes) else f"{header}\n{rows}".encode()
    return list(confirmations.match(confirmations.read(data, "lcs.csv", columns), records or (ONE, OTHER)))


def only(rows: str | bytes, *records: manifest.Row, columns: Columns = ALL) -> Match[manifest.Row]:
    (match,) = matched(rows, *records, columns=columns)
    return match


def refused(data: bytes, columns: Columns = ALL) -> str:
    with pytest.raises(Refused) as caught:
        confirmations.read(data, "lcs.csv", columns)
    assert caught.value.slug == "bad-list"
    return str(caught.value)


# --- what a row confirms ---------------------------------------------------------------------------------------------


def test_a_row_that_tells_all_confirms_its_record_and_says_when() -> None:
    match = only(f"900005,10/11/2026,{ONE.filename},{ONE.sha256},12/11/2026 09:30,Dana")
    assert (match.outcome, match.records, match.reason) == ("matched", (ONE,), "")
    assert (match.row.row, match.row.confirmed_at) == (2, datetime(2026, 11, 12, 9, 30, tzinfo=LONDON))


@pytest.mark.parametrize(
    "cells",
    [
        f",,,{ONE.sha256},",
        f",,,{ONE.sha256.upper()},",
        f",,renamed by LCS.pdf,{ONE.sha256},",
        f",,{ONE.filename},,",
        f",,{ONE.filename.upper()},,",
        f",,{ONE.filename.removesuffix('.pdf')},,",
        f",,\\\\lcs\\documents\\{ONE.filename},,",
        "900005,2026-11-10,,,",
        "00900005,10 November 2026,,,",
    ],
)
def test_sha256_name_or_child_and_meeting_are_each_enough(cells: str) -> None:
    match = only(cells)
    assert (match.outcome, match.records) == ("matched", (ONE,))


def test_a_document_that_is_none_of_ours_confirms_nothing() -> None:
    for cells in (
        f",,,{'0' * 64},",
        ",,Core assessment.docx,,",
        "900007,10/11/2026,,,",
        "900005,11/11/2026,,,",
        "900005,,,,x",
    ):
        match = only(cells)
        assert (match.outcome, match.records) == ("not-matched", ())
        assert match.reason


def test_a_file_on_another_childs_record_is_not_confirmed_and_cried_out() -> None:
    for cells in (f"900006,,,{ONE.sha256},", f"900006,10/11/2026,{ONE.filename},,"):
        match = only(cells)
        assert match.outcome == "not-matched"
        assert "another child's number" in match.reason


def test_a_file_of_that_name_with_other_bytes_is_not_confirmed() -> None:
    match = only(f"900005,10/11/2026,{ONE.filename},{'0' * 64},")
    assert match.outcome == "not-matched"
    assert "another SHA-256" in match.reason


def test_a_file_with_another_meeting_is_not_confirmed() -> None:
    assert only(f"900005,11/11/2026,{ONE.filename},,").outcome == "not-matched"


def test_two_versions_of_one_meeting_are_told_apart_by_name_and_else_ambiguous() -> None:
    first, second = record("900005"), record("900005", version=2)
    match = only("900005,10/11/2026,,,", first, second)
    assert (match.outcome, match.records) == ("ambiguous", (first, second))
    assert match.reason
    assert only(f"900005,10/11/2026,{second.filename},,", first, second).records == (second,)


def test_a_row_with_a_date_that_is_none_confirms_nothing_and_says_what_to_write() -> None:
    for cells in ("900005,31/11/2026,,,", f"900005,soon,{ONE.filename},,", f",,{ONE.filename},,yesterday"):
        match = only(cells)
        assert match.outcome == "not-matched"
        assert "2026" in match.reason


def test_a_date_that_cannot_be_read_in_a_row_of_anothers_document_is_nobodys_matter() -> None:
    for cells in ("5,sometime,holiday.pdf,,", ",,holiday.pdf,,yesterday", "900007,sometime,,,", f",,,{'0' * 64},soon"):
        match = only(cells)
        assert (match.outcome, match.records) == ("not-matched", ())
    for cells in ("900005,sometime,,,", f",sometime,{ONE.filename},{'0' * 64},", f"900006,,{ONE.filename},,soon"):
        assert only(cells).records == (ONE,)


@pytest.mark.parametrize("number", ["0", "000", "?", "9.00005E+05"])
def test_a_number_that_is_no_childs_speaks_against_a_file_of_ours(number: str) -> None:
    for cells in (f"{number},,{ONE.filename},,", f"{number},,,{ONE.sha256},"):
        match = only(cells)
        assert (match.outcome, match.records) == ("not-matched", (ONE,))
    assert only(f"{number},10/11/2026,,,").records == ()


def test_every_row_has_its_answer_in_order_and_its_number_in_the_spreadsheet() -> None:
    found = matched(f"900006,10/11/2026,,,\n\n,,letter.docx,,\n,,{ONE.filename},,\n")
    assert [(match.row.row, match.outcome) for match in found] == [(2, "matched"), (4, "not-matched"), (5, "matched")]


def test_a_row_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    assert only("900005,10/11/2026").outcome == "matched"


def test_no_reason_repeats_what_a_cell_holds() -> None:
    for match in matched("Zoë,Próbna,Zoë Próbna.pdf,Zoë,Próbna,\nZoë,,,,\n,,Zoë Próbna,,\n,,,Zoë,\n"):
        assert match.reason
        assert "Zoë" not in match.reason
        assert "Próbna" not in match.reason


# --- how a list is read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_list_is_read_however_it_was_exported(encoding: str, between: str) -> None:
    text = f"Numéro{between}Document  name\r\n900005{between}{ONE.filename}\r\n"
    columns = Columns(file="Document name", lcs_person_id="Numéro")
    assert only(text.encode(encoding), columns=columns).records == (ONE,)


def test_the_settings_name_the_columns(tmp_path: Path) -> None:
    (tmp_path / "pepforms.toml").write_text('[confirmations]\nfile = "Document Name"\nconfirmed_at = "Added"\n')
    columns = confirmations.columns(settings.load({"PEPFORMS_HOME": str(tmp_path)}))
    assert columns == Columns(file="Document Name", confirmed_at="Added")
    match = only(f"x,x,{ONE.filename},x,12/11/2026", columns=columns)
    assert (match.records, match.row.confirmed_at) == ((ONE,), date(2026, 11, 12))


def test_columns_that_tell_no_document_from_another_are_the_operators_matter() -> None:
    for columns in (Columns(), Columns(lcs_person_id="Person ID"), Columns(meeting_date="Day", confirmed_at="Added")):
        with pytest.raises(Misconfigured, match=r"confirmations\.file"):
            confirmations.read(b"", "lcs.csv", columns)


def test_a_column_that_is_missing_or_there_twice_is_named_and_no_cell_is() -> None:
    told = refused(b"Zo\xc3\xab Pr\xc3\xb3bna,10/11/2026\n", Columns(file="Document Name"))
    assert "“Document Name”" in told
    assert "Zoë" not in told
    assert "“Document Name” twice" in refused(b"Document Name,document_name\na,b\n", Columns(file="Document Name"))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04\0\0", b'Document Name\n"never closed\n', b"\xff\xfea"])
def test_what_is_no_list_is_refused(data: bytes) -> None:
    refused(data, Columns(file="Document Name"))


@pytest.mark.parametrize("count", [20_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_a_long_list_takes_no_longer_a_row_than_a_short_one(count: int) -> None:
    records = [record(str(number)) for number in range(count // 2)]
    names = (f"{number}_PEP_2026-27_AUT_2026-11-10_PEP-{number}_v1.pdf" for number in range(count))
    rows = "\n".join(f"{number},10/11/2026,{name},,12/11/2026,Dana" for number, name in enumerate(names))
    data = f"{HEADER}\n{rows}".encode()
    began = time.process_time()
    found = list(confirmations.match(confirmations.read(data, "lcs.csv", ALL), records))
    assert time.process_time() - began < count / 2_000  # thirty times what it takes, for machines that are busy
    assert [match.records for match in found[: count // 2]] == [(each,) for each in records]
    assert {match.outcome for match in found[count // 2 :]} == {"not-matched"}
