"""The list of PEPs signed off elsewhere: every way that spreadsheets save one, and every cell that cannot be right."""

import datetime as dt

import pytest

from pepforms.errors import Refused
from pepforms.intake import cards
from pepforms.intake.cards import Card, Cards, Child, Fault

GOOD = {
    "file": "export-1.pdf",
    "lcs_person_id": "LCS-1001",
    "academic_year": "2025/26",
    "term": "autumn",
    "meeting_date": "04/11/2025",
    "signed_off_at": "11/11/2025 15:30",
    "signed_off_by": "Sasha Mockworth",
    "role": "virtual_school_officer",
    "source": "eGov ePEP",
}
MORE = {"child_name": "Zoë Próbna", "date_of_birth": "12/03/2014", "upn": "A123456789012", "team": "Team 2; east"}


def table(*rows: dict[str, str], between: str = ",", ends: str = "\n") -> str:
    columns = list(rows[0])
    return ends.join(
        between.join(f'"{cell}"' if any(sign in cell for sign in (between, '"', "\n")) else cell for cell in cells)
        for cells in (columns, *([row[column] for column in columns] for row in rows))
    )


def read(text: str | bytes) -> Cards:
    return cards.read(text if isinstance(text, bytes) else text.encode(), "cards.csv")


def only(read: Cards) -> Card:
    assert not read.faults, read.faults
    (card,) = read.cards
    return card


def fault(**cells: str) -> Fault:
    found = read(table(GOOD | MORE | cells))
    assert not found.cards
    (fault,) = found.faults
    return fault


def test_a_row_becomes_a_card() -> None:
    card = only(read(table(GOOD | MORE)))
    assert card.row == 2
    assert card.child == Child("LCS-1001", "Zoë Próbna", dt.date(2014, 3, 12), "A123456789012")
    assert (card.academic_year, card.term, card.meeting_date) == ("2025/26", "autumn", dt.date(2025, 11, 4))
    assert card.signed_off_at == dt.datetime(2025, 11, 11, 15, 30, tzinfo=cards.LONDON)
    assert (card.signed_off_by, card.role, card.source, card.team) == (
        "Sasha Mockworth", "virtual_school_officer", "eGov ePEP", "Team 2; east")  # fmt: skip
    assert (card.title, card.social_worker, card.pep_id, card.version, card.confirmed_by) == ("", "", "", 1, "")


@pytest.mark.parametrize("between", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_is_read_however_a_spreadsheet_saves_it(between: str, ends: str, encoding: str) -> None:
    row = GOOD | MORE | {"child_name": "Zoë Probna"}
    assert only(read(table(row, between=between, ends=ends).encode(encoding))).child.name == "Zoë Probna"


def test_excels_own_first_line_and_empty_rows_count_as_rows_of_the_sheet() -> None:
    assert only(read("sep=;\n" + table(GOOD, between=";"))).row == 3
    header, row = table(GOOD).split("\n")
    assert only(read(f"{header}\n\n,,,\n{row}\n\n")).row == 4


def test_headings_are_known_in_capitals_and_with_spaces_and_others_are_told() -> None:
    header, row = table(GOOD).split("\n")
    found = read(f"{header.replace('_', ' ').upper()},Favourite colour\n{row},blue")
    assert only(found).child.lcs_person_id == "LCS-1001"
    assert found.not_used == ("favourite_colour",)


@pytest.mark.parametrize(
    ("cell", "date"),
    [("2025-11-11", dt.date(2025, 11, 11)), ("11-Nov-2025", dt.date(2025, 11, 11)),
     ("11 November 2025", dt.date(2025, 11, 11)), ("11.11.2025", dt.date(2025, 11, 11))],
)  # fmt: skip
def test_a_sign_off_without_a_time_claims_none(cell: str, date: dt.date) -> None:
    assert type(only(read(table(GOOD | {"signed_off_at": cell}))).signed_off_at) is dt.date
    assert only(read(table(GOOD | {"signed_off_at": cell}))).signed_off_at == date


@pytest.mark.parametrize(
    ("cell", "utc"),
    [("2025-11-11T15:30:00Z", 15), ("2025-11-11 15:30", 15), ("11/11/2025 9:30", 9), ("2025-11-11T15:30+02:00", 13)],
)
def test_a_time_is_londons_unless_it_says_otherwise(cell: str, utc: int) -> None:
    moment = only(read(table(GOOD | {"signed_off_at": cell}))).signed_off_at
    assert isinstance(moment, dt.datetime)
    assert moment.astimezone(dt.UTC).hour == utc


def test_a_path_of_another_computer_is_its_file_name() -> None:
    for path in ("C:\\Exports\\export-1.pdf", "exports/export-1.pdf"):
        assert only(read(table(GOOD | {"file": path}))).file == "export-1.pdf"


def test_whoever_confirms_a_child_quotes_the_code_of_the_pdf() -> None:
    card = only(read(table(GOOD | {"child_confirmed_by": "Pat Mock 9F86D081"})))
    assert (card.confirmed_by, card.confirmed_code) == ("Pat Mock", "9f86d081")


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("file", "", "is empty"),
        ("file", "export-1.docx", "ending in .pdf"),
        ("lcs_person_id", "LCS 1001", "letters, digits and hyphens"),
        ("lcs_person_id", '=""00123""', "like a formula"),
        ("team", "@SUM(1)", "like a formula"),
        ("team", "+44", "like a formula"),
        ("team", "x" * 201, "longer than 200"),
        ("team", "one\ntwo", "line break"),
        ("academic_year", "2025", "as 2026/27"),
        ("academic_year", "2025/27", "as 2026/27"),
        ("term", "winter", "autumn, spring or summer"),
        ("meeting_date", "31/02/2026", "no day of the calendar"),
        ("meeting_date", "11/13/2025", "no day of the calendar"),
        ("meeting_date", "soon", "must be a date"),
        ("meeting_date", "04/11/2024", "not in the academic year"),
        ("signed_off_at", "03/11/2025", "before the meeting"),
        ("signed_off_at", "11/11/2026", "more than a year after"),
        ("signed_off_at", "11/11/2025 25:00", "must be a date"),
        ("signed_off_by", "", "is empty"),
        ("signed_off_by", "123", "must be a name"),
        ("upn", "A12345", "must be a UPN"),
        ("date_of_birth", "12/03/1914", "older than 26"),
        ("date_of_birth", "12/03/2026", "younger than nought"),
        ("title", "PEP of Próbna", "holds the child's name"),
        ("version", "0", "number from 1"),
        ("version", "2", "needs the pep_id"),
        ("child_confirmed_by", "Pat Mock", "the code that held.csv gives"),
        ("child_confirmed_by", "yes", "the code that held.csv gives"),
    ],
)
def test_a_bad_cell_is_told_with_its_row_and_column(column: str, cell: str, said: str) -> None:
    found = fault(**{column: cell})
    assert f"row 2, column {column}: " in found.message
    assert said in found.message
    assert cell not in found.message or len(cell) < 4


def test_all_bad_cells_of_a_row_are_told_at_once_and_the_other_rows_are_read() -> None:
    found = read(table(GOOD, GOOD | {"term": "winter", "upn": ""} | {"lcs_person_id": ""}))
    assert len(found.cards) == 1
    assert [word in found.faults[0].message for word in ("column term", "column lcs_person_id")] == [True, True]


def test_a_bad_row_still_says_who_its_child_is() -> None:
    assert fault(term="winter").child == Child("LCS-1001", "Zoë Próbna", dt.date(2014, 3, 12), "A123456789012")


def test_more_cells_than_columns_are_told() -> None:
    (found,) = read(table(GOOD) + ",astray").faults
    assert "more cells" in found.message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02", "not a CSV file"),
        (b"PK\x03\x04\x00\x00", "not a CSV file"),
        (b"file,term\n1,2", "has no column lcs_person_id"),
        (table(GOOD).split("\n")[0].encode(), "no row"),
        (table(GOOD).replace("source", "source,term", 1).encode(), "twice"),
        (b'file,"term\n', "quotation marks"),
        (bytes(cards.LARGEST + 1), "larger than"),
    ],
    ids=["empty", "bytes", "a workbook", "no columns", "no rows", "a column twice", "quotes", "large"],
)
def test_what_is_no_list_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        read(data)
