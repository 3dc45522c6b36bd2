"""The weekly list: read however it was saved, kept by its day, its changes told, held against the PEPs."""

import csv
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from pepforms import days, profile, resources
from pepforms.caseload import differences, due, holds, lists, mapping, weekly
from pepforms.caseload.changes import KINDS, Caseload, Change
from pepforms.caseload.facts import Facts, School
from pepforms.caseload.lists import Imported
from pepforms.caseload.weekly import Weekly
from pepforms.errors import Misconfigured, Refused
from pepforms.register import check, exchange, peps
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Child, ListRow

SAMPLES = resources.folder("samples")
LIST = (SAMPLES / "weekly-list.csv").read_bytes()
PEPS = {
    pep["child"]["lcs_person_id"]: pep
    for path in sorted((SAMPLES / "valid").glob("*.json"))
    if (pep := json.loads(path.read_bytes()))
}
NOWHERE = Path("/nonexistent")
EXAMPLE = mapping.load("example", NOWHERE)
HILLINGDON = profile.load("hillingdon")
PEPFORMS = Path(sys.executable).with_name("pepforms")
FIRST, SECOND, THIRD = (dt.date(2026, 11, day) for day in (6, 13, 20))
COLUMNS = LIST.decode().splitlines()[0].split(",")


def table(*rows: dict[str, str]) -> bytes:
    """A list in the columns of the sample; what a row does not say is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows({"Person ID": "900005", **row} for row in rows)
    return out.getvalue().encode()


def read(*rows: dict[str, str]) -> Weekly:
    return weekly.read(table(*rows), "list.csv", EXAMPLE)


def child(*rows: dict[str, str]) -> Facts:
    (found,) = read(*rows).children
    return found


def told(weekly_: Weekly) -> str:
    return "\n".join(fault.message for fault in weekly_.faults)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_the_sample_list_agrees_with_the_sample_peps() -> None:
    found = weekly.read(LIST, "weekly-list.csv", EXAMPLE)
    listed = {facts.lcs_person_id: facts for facts in found.children}
    assert found.faults == ()
    assert listed.keys() > PEPS.keys()
    for number, pep in PEPS.items():
        facts, care = listed[number], pep["care"]
        assert facts.text("legal_status") == care["legal_status"]
        assert facts.values["looked_after_from"] == care["looked_after_from"]
        assert facts.values["placement_start"] == care["placement"]["start"]
        assert facts.yes("confidential") is care["placement"]["confidential"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_list_is_read_however_the_spreadsheet_saved_it(encoding: str, between: str) -> None:
    name = "Siân O’Mockley"
    text = table({"Allocated Worker": name}).decode().replace(",", between)
    (facts,) = weekly.read(text.encode(encoding), "list.csv", EXAMPLE).children
    assert facts.text("social_worker") == name


def test_a_list_without_a_column_is_refused_saying_which_is_missing_and_which_there_are() -> None:
    data = LIST.replace(b"LAC Start", b"Came In").replace(b"Team", b"Crew")
    with pytest.raises(Refused, match=r"lacks the columns “LAC Start”, “Team”.*“came_in”.*“crew”") as refused:
        weekly.read(data, "list.csv", EXAMPLE)
    assert refused.value.slug == "wrong-columns"


def test_a_list_without_a_header_is_refused_without_repeating_its_first_child() -> None:
    with pytest.raises(Refused) as refused:
        weekly.read(LIST.partition(b"\n")[2], "list.csv", EXAMPLE)
    assert "Its first row must name the columns" in str(refused.value)
    assert "900001" not in str(refused.value)
    assert "Inventson" not in str(refused.value)


def test_a_report_of_far_more_rows_than_there_are_children_is_not_the_list() -> None:
    most = [LIST.partition(b"\n")[0], *[b"1,"] * weekly.MOST_ROWS]
    with pytest.raises(Refused, match="more than 50,000 rows, which no such list has") as refused:
        weekly.read(b"\n".join([*most, b"2,"]), "list.csv", EXAMPLE)
    assert refused.value.slug == "bad-list"
    assert len(weekly.read(b"\n".join(most), "list.csv", EXAMPLE).children) == 1


def test_a_list_with_a_column_twice_or_without_a_row_is_refused() -> None:
    with pytest.raises(Refused, match="twice"):
        weekly.read(LIST.replace(b"Merged IDs", b"Team"), "list.csv", EXAMPLE_WITHOUT_MERGED)
    with pytest.raises(Refused, match="no rows"):
        weekly.read(table(), "list.csv", EXAMPLE)


EXAMPLE_WITHOUT_MERGED = mapping.ListMapping(
    {fact: columns for fact, columns in EXAMPLE.columns.items() if fact != mapping.FORMER},
    EXAMPLE.formats,
    EXAMPLE.yes,
    EXAMPLE.no,
    EXAMPLE.codes,
)


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("Person ID", "90 00/05", "letters, digits and hyphens"),
        ("Person ID", "Total", "one of them a digit. The row was left out"),
        ("LAC Start", "2026-13-45", "no day in any of the formats"),
        ("LAC Start", "11/23/2026", "no day in any of the formats"),
        ("Legal Status", "Ward of court", r"\[codes.legal_status\]"),
        ("Confidential Address", "Perhaps", "neither yes nor no"),
        ("School URN", "99980", "six digits"),
        ("School LAESTAB", "998/40", "seven digits"),
        ("Team", "x" * 201, "longer than 200"),
        ("Team", "Team\u200b2", "nobody sees"),
        ("Merged IDs", "not a number!", "former numbers were left out"),
    ],
)
def test_a_cell_that_cannot_be_read_is_told_by_row_and_column_and_stops_no_other(
    column: str, cell: str, why: str
) -> None:
    found = read({"Person ID": "900001", "Team": "Team 1"}, {column: cell})
    (fault,) = found.faults
    assert fault.rows == (3,)
    assert f"row 3, column {column}" in fault.message
    assert cell not in fault.message
    assert re.search(why, fault.message)
    assert found.children[0].text("team") == "Team 1"
    unclear = [fact for fact, (named, *_) in EXAMPLE.columns.items() if named == column and fact not in mapping.NUMBER]
    if column not in ("Person ID", "Merged IDs"):
        assert found.children[1].unclear == tuple(unclear)
        assert unclear[0] not in found.children[1].values


def test_days_are_read_as_people_write_them_where_the_mapping_has_no_formats() -> None:
    plain = mapping.ListMapping(EXAMPLE.columns, (), EXAMPLE.yes, EXAMPLE.no, EXAMPLE.codes)
    for cell in ("12/03/2026", "2026-03-12", "12-Mar-2026", "12.3.2026", "12/03/2026 00:00:00"):
        (facts,) = weekly.read(table({"LAC Start": cell}), "list.csv", plain).children
        assert facts.day("looked_after_from") == dt.date(2026, 3, 12)


def test_a_code_may_be_a_code_its_name_both_or_a_word_of_the_mapping() -> None:
    for cell in ("C2", "c2", "Full care order", "C2 - Full Care Order", "C2: FCO"):
        assert child({"Legal Status": cell}).text("legal_status") == "C2"
    assert child({"Legal Status": "section 20 CA 1989"}).text("legal_status") == "V2"


def test_yes_and_no_are_what_the_mapping_says() -> None:
    for cell, yes in (("YES", True), ("y", True), ("no", False), ("", False)):
        assert child({"Restricted": cell}).yes("restricted") is yes


def test_a_child_who_stands_there_twice_with_the_same_facts_is_one() -> None:
    found = read({"Team": "Team 2"}, {"Team": " Team  2 "})
    assert (len(found.children), found.faults) == (1, ())


def test_a_child_told_of_in_two_ways_is_told_and_held_back() -> None:
    found = read({"Team": "Team 2", "Placement Type": "U6"}, {"Team": "Team 2", "Placement Type": "A5"})
    (facts,) = found.children
    assert (facts.unclear, facts.text("team")) == (("placement_type",), "Team 2")
    assert "placement_type" not in facts.values
    assert "rows 2 and 3 are the same child’s and differ in “Kind of placement”" in told(found)


def test_rows_under_a_number_and_a_former_one_are_one_childs() -> None:
    same = {"Team": "Team 2"}
    found = read({"Person ID": "800108", **same}, {"Person ID": "900008", "Merged IDs": "800108; 700008", **same})
    (facts,) = found.children
    assert (facts.lcs_person_id, facts.former, found.faults) == ("900008", ("800108", "700008"), ())


def test_two_children_who_each_claim_the_others_number_stay_two() -> None:
    found = read({"Person ID": "1", "Merged IDs": "2"}, {"Person ID": "2", "Merged IDs": "1"})
    assert [facts.lcs_person_id for facts in found.children] == ["1", "2"]


def test_care_that_ends_before_it_begins_is_unclear() -> None:
    found = read({"LAC Start": "02/11/2026", "LAC End": "01/11/2026"})
    assert found.children[0].unclear == ("ceased_on",)
    assert "before the day the child came into care" in told(found)


@pytest.mark.parametrize(
    ("column", "cell", "fact", "why"),
    [
        ("LAC Start", "01/04/2062", "looked_after_from", "after the day that the list is of"),
        ("LAC Start", "07/11/2026", "looked_after_from", "after the day that the list is of"),
        ("Placement Start", "01/04/2062", "placement_start", "after the day that the list is of"),
        ("Placement Start", "01/04/1026", "placement_start", "before 1990"),
        ("LAC End", "01/04/1026", "ceased_on", "before 1990"),
    ],
)
def test_a_day_that_cannot_be_is_unclear_and_told(column: str, cell: str, fact: str, why: str) -> None:
    data = table({column: cell, "Team": "Team 2"})
    found = weekly.read(data, "list.csv", EXAMPLE, as_of=FIRST)
    (facts,) = found.children
    assert (facts.unclear, facts.day(fact), facts.text("team")) == ((fact,), None, "Team 2")
    assert f"row 2, column {column}: is {why}" in told(found)


def test_a_day_that_can_be_is_known() -> None:
    days_ = {"LAC Start": "06/11/2026", "Placement Start": "06/11/2026", "LAC End": "01/04/2027"}
    found = weekly.read(table(days_), "list.csv", EXAMPLE, as_of=FIRST)
    assert (found.faults, found.children[0].day("ceased_on")) == ((), dt.date(2027, 4, 1))


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=30), max_size=6), min_size=1, max_size=6))
def test_whatever_stands_in_a_list_is_read_or_told_and_never_repeated(rows: list[dict[str, str]]) -> None:
    try:
        found = read(*rows)
    except (Refused, UnicodeEncodeError):
        return
    said = told(found)
    for row in rows:
        assert not [cell for cell in row.values() if len(cell) > 20 and cell in said]
    assert len({facts.lcs_person_id for facts in found.children}) == len(found.children)


# --- mappings --------------------------------------------------------------------------------------------------------


def written(folder: Path, text: str, name: str = "ours") -> mapping.ListMapping:
    (folder / f"{name}.toml").write_text(text)
    return mapping.load(name, folder)


NUMBERED = '[columns]\nlcs_person_id = "ID"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[columns]\nteam = "Team"\n', r"\[columns\] lcs_person_id: say which column"),
        (NUMBERED + 'teams = "Team"\n', r"\[columns\] teams: there is no such fact; there are .*team"),
        (NUMBERED + "team = 3\n", r"\[columns\] team: it must be the name of a column"),
        (NUMBERED + 'team = ["A", "B"]\n', r"\[columns\] team"),
        (NUMBERED + '[dates]\nformats = ["%d/%m"]\n', r"\[dates\] formats: “%d/%m” does not tell a day"),
        (NUMBERED + '[words]\nyes = ["Y"]\nno = ["y"]\n', r"\[words\]: “y” cannot mean both"),
        (NUMBERED + '[codes.legal_status]\n"ICO" = "C9"\n', r"\[codes.legal_status\] ICO"),
        (NUMBERED + "[column]\n", r"\[column\]: there is no such table"),
        ("columns = 3\n", r"\[columns\]: it must be a table"),
        ("[columns", "cannot be read"),
    ],
)
def test_a_faulty_mapping_is_the_operators_to_put_right_by_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(Misconfigured, match=named) as refused:
        written(tmp_path, text)
    assert str(tmp_path / "ours.toml") in str(refused.value)


def test_an_authoritys_own_mapping_goes_before_one_of_the_same_name(tmp_path: Path) -> None:
    assert written(tmp_path, NUMBERED, "example").columns == {"lcs_person_id": ("ID",)}


@pytest.mark.parametrize("name", ["nope", "../example", ""])
def test_a_mapping_that_is_not_there_is_refused_with_those_that_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="There are: example"):
        mapping.load(name, tmp_path)


# --- changes ---------------------------------------------------------------------------------------------------------

BASE = {
    "Legal Status": "C2",
    "LAC Start": "01/09/2026",
    "Placement Type": "U6",
    "Placement Start": "01/09/2026",
    "School URN": "999801",
    "School LAESTAB": "999/4001",
    "School": "Mockford Academy",
    "Allocated Worker": "Dana Mockley",
    "Team": "Team 2",
}
OTHER_CHILD = {"Person ID": "900001", **BASE}


def fold(*weeks: Iterable[dict[str, str]]) -> list[Change]:
    """What the last of these lists changes."""
    caseload, found = Caseload(), list[Change]()
    for number, rows in enumerate(weeks):
        found = caseload.take(FIRST + number * dt.timedelta(days=7), read(*rows).children)
    return found


def kinds(*weeks: Iterable[dict[str, str]]) -> list[str]:
    return [change.kind for change in fold(*weeks)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"Placement Start": "10/11/2026", "Placement Type": "K2"}, ["moved"]),
        ({"Placement Type": "A5"}, ["moved", "placed-for-adoption"]),
        ({"School URN": "999805", "School LAESTAB": "999/2005", "School": "Pretend Lane"}, ["school"]),
        ({"School URN": "", "School LAESTAB": "", "School": ""}, ["school"]),
        ({"School URN": "999888"}, []),  # an academy now: another URN, the same LAESTAB
        ({"School": "Mockford  academy"}, []),
        ({"Allocated Worker": "Mo Imagineer"}, ["worker"]),
        ({"Team": "Team 3"}, ["team"]),
        ({"Allocated Worker": "Mo Imagineer", "Team": "Team 3"}, ["worker"]),
        ({"Legal Status": "C1"}, ["legal-status"]),
        ({"Confidential Address": "Yes"}, ["confidential"]),
        ({"Restricted": "Yes"}, ["restricted"]),
        ({"LAC End": "12/11/2026"}, ["ceased"]),
        ({"LAC Start": "20/08/2026"}, ["back-dated"]),
        ({"LAC Start": "02/09/2026"}, ["start-corrected"]),
        ({"Placement Type": "nonsense"}, ["unclear"]),
        ({"Person ID": "900099", "Merged IDs": "900005"}, ["number-joined"]),
        ({"Person ID": "900099", "Merged IDs": "900005", "Team": "Team 3"}, ["number-joined", "team"]),
    ],
)
def test_a_list_tells_what_it_changes(change: dict[str, str], expected: list[str]) -> None:
    assert kinds([BASE], [{**BASE, **change}]) == expected


def test_the_first_list_changes_nothing_and_the_same_again_nothing_either() -> None:
    assert kinds([BASE]) == kinds([BASE], [BASE]) == kinds([BASE], [BASE], [BASE]) == []


def test_a_child_who_is_new_on_the_list_came_into_care() -> None:
    new = {**BASE, "LAC Start": "10/11/2026"}
    assert kinds([OTHER_CHILD], [OTHER_CHILD, new]) == ["started"]


def test_a_child_who_should_have_stood_on_the_list_before_was_back_dated() -> None:
    assert kinds([OTHER_CHILD], [OTHER_CHILD, {**BASE, "LAC Start": "05/11/2026"}]) == ["started", "back-dated"]


def test_a_child_who_is_not_on_the_list_any_more_is_told_once() -> None:
    assert kinds([BASE, OTHER_CHILD], [OTHER_CHILD]) == ["not-on-list"]
    assert kinds([BASE, OTHER_CHILD], [OTHER_CHILD], [OTHER_CHILD]) == []


def test_a_child_who_ceased_and_then_leaves_the_list_is_no_news() -> None:
    ended = {**BASE, "LAC End": "12/11/2026"}
    assert kinds([BASE, OTHER_CHILD], [ended, OTHER_CHILD], [OTHER_CHILD]) == []


def test_an_end_that_is_taken_back_is_a_reversal() -> None:
    ended = {**BASE, "LAC End": "12/11/2026"}
    (change,) = fold([BASE], [ended], [BASE])
    assert (change.kind, change.before) == ("reversed", "12 November 2026")
    assert kinds([BASE, OTHER_CHILD], [OTHER_CHILD], [BASE, OTHER_CHILD]) == ["reversed"]


def test_a_child_who_comes_back_with_a_later_start_came_into_care_again() -> None:
    ended = {**BASE, "LAC End": "12/11/2026"}
    assert kinds([BASE], [ended], [{**BASE, "LAC Start": "18/11/2026"}]) == ["started"]


def test_a_child_who_comes_back_on_the_day_care_ended_came_into_care_again() -> None:
    ended = {**BASE, "LAC End": "12/11/2026"}
    assert kinds([BASE], [ended], [{**BASE, "LAC Start": "12/11/2026"}]) == ["started"]


def test_a_number_joined_into_one_that_stood_there_already_keeps_what_both_knew() -> None:
    other = {**BASE, "Person ID": "900099"}
    caseload = Caseload()
    caseload.take(FIRST, read({**BASE, "School URN": "999805", "School LAESTAB": "999/2005"}).children)
    caseload.take(SECOND, read(BASE, other).children)
    caseload.take(THIRD, read({**other, "Merged IDs": "900005"}).children)
    found = caseload.children["900099"]
    assert (found.first_seen, found.seen_from, found.missing_since) == (FIRST, FIRST, None)
    assert [(school.urn, day) for school, day in found.earlier_schools] == [("999805", SECOND)]
    assert found.statuses[0] == ("C2", FIRST)


def test_a_period_of_care_that_ended_under_a_former_number_is_another_one() -> None:
    other = {**BASE, "Person ID": "900099", "LAC Start": "10/11/2026"}
    caseload = Caseload()
    caseload.take(FIRST, read({**BASE, "LAC End": "05/11/2026"}).children)
    caseload.take(SECOND, read(other).children)
    caseload.take(THIRD, read({**other, "Merged IDs": "900005"}).children)
    found = caseload.children["900099"]
    assert (found.first_seen, found.seen_from, found.ended(THIRD)) == (FIRST, SECOND, None)


def test_an_end_that_cannot_be_read_is_no_reversal() -> None:
    assert kinds([{**BASE, "LAC End": "05/11/2026"}], [{**BASE, "LAC End": "soon"}]) == ["unclear"]


def test_a_fact_that_was_unclear_for_a_week_is_compared_with_what_was_known_before() -> None:
    assert kinds([BASE], [{**BASE, "Placement Type": "?"}], [BASE]) == []
    assert kinds([BASE], [{**BASE, "Placement Type": "?"}], [{**BASE, "Placement Type": "K2"}]) == ["moved"]


def test_a_number_that_was_joined_and_stands_alone_again_is_two_children_again() -> None:
    caseload = Caseload()
    for day, rows in ((FIRST, [BASE]), (SECOND, [{**BASE, "Person ID": "900099", "Merged IDs": "900005"}])):
        caseload.take(day, read(*rows).children)
    assert caseload.number("900005") == "900099"
    caseload.take(THIRD, read(BASE, {**BASE, "Person ID": "900099"}).children)
    assert caseload.number("900005") == "900005"


def test_every_change_is_a_sentence() -> None:
    (change,) = fold([BASE], [{**BASE, "Allocated Worker": "Mo Imagineer"}])
    assert change.message == "has a new social worker: Mo Imagineer, Team 2 in place of Dana Mockley, Team 2"
    (change,) = fold([BASE], [{**BASE, "Team": "Team Two"}])
    assert change.message == "has another team, with the same social worker: Team Two in place of Team 2"
    (change,) = fold([BASE], [{**BASE, "Placement Type": "K2", "Placement Start": "10/11/2026"}])
    assert change.message == (
        "moved on 10 November 2026: U6 (Foster placement with another carer) before, K2 (Children’s home) now"
    )


def test_the_officers_guide_explains_every_kind_of_change_every_reason_and_all_that_is_due() -> None:
    guide = (Path(__file__).parent.parent / "docs" / "caseload.md").read_text()
    reasons = re.findall(r'Reason\(\s*"([a-z-]+)"', Path(holds.__file__).read_text())
    assert len(reasons) >= 10
    for word in (*KINDS, *reasons, *due.KINDS, *EXAMPLE.columns):
        assert f"`{word}`" in guide, word


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (School("999801"), School("999801", name="Another spelling"), True),
        (School("999801", "9994001"), School("999888", "999/4001"), True),
        (School("999801"), School("999802", name="Mockford"), False),
        (School("999801"), School(laestab="9994001"), None),
        (School(name="St. Mock’s School"), School("999801", name="St Mock’s school"), True),
        (School("999801"), School(), None),
    ],
)
def test_two_schools_are_one_by_a_number_else_by_name(one: School, other: School, same: bool | None) -> None:
    assert one.same(other) is other.same(one) is same


# --- kept in the register --------------------------------------------------------------------------------------------


def bring(register: Register, data: bytes, as_of: dt.date | None = None, **more: Any) -> Imported:
    return lists.bring(register, data, weekly.read(data, "list.csv", EXAMPLE), as_of=as_of, by="officer", **more)


def dump(register: Register) -> dict[str, bytes]:
    with register.reading() as session:
        return dict(exchange.dump(session))


WEEKS = (
    (FIRST, table(BASE, OTHER_CHILD)),
    (SECOND, table({**BASE, "LAC End": "12/11/2026"}, OTHER_CHILD, {**BASE, "Person ID": "900003"})),
    (THIRD, table(BASE, {**OTHER_CHILD, "Team": "Team 3"})),
)


def test_the_same_list_again_changes_nothing(register: Register) -> None:
    first = bring(register, WEEKS[0][1], FIRST)
    before = dump(register)
    again = bring(register, WEEKS[0][1], FIRST)
    assert (first.state, again.state, again.as_of) == ("new", "same", FIRST)
    assert dump(register) == before


def test_lists_imported_out_of_order_are_put_in_order_by_their_days(register: Register) -> None:
    imported = [bring(register, data, day) for day, data in reversed(WEEKS)]
    assert [each.newest for each in imported] == [True, False, False]
    with register.reading() as session:
        found = lists.changes(session, dt.date(2026, 1, 1))
    caseload, expected = Caseload(), list[Change]()
    for day, data in WEEKS:
        expected += caseload.take(day, weekly.read(data, "list.csv", EXAMPLE).children)
    assert found == expected
    assert [change.kind for change in found] == ["started", "back-dated", "ceased", "team", "not-on-list", "reversed"]


def test_changes_are_those_of_the_newest_list_or_since_a_day(register: Register) -> None:
    for day, data in WEEKS:
        bring(register, data, day)
    with register.reading() as session:
        assert {change.as_of for change in lists.changes(session)} == {THIRD}
        assert {change.as_of for change in lists.changes(session, FIRST)} == {SECOND, THIRD}
        assert lists.changes(session, THIRD) == []


def test_a_list_put_right_takes_the_place_of_the_wrong_one_of_its_day(register: Register) -> None:
    bring(register, table(BASE, OTHER_CHILD), FIRST)
    bring(register, table(OTHER_CHILD), SECOND)
    put_right = bring(register, table({**BASE, "Team": "Team 3"}, OTHER_CHILD), SECOND)
    assert [change.kind for change in put_right.changes] == ["team"]


def test_a_right_list_imported_again_takes_the_place_of_a_mistaken_one_of_its_day(register: Register) -> None:
    right, mistaken = table({**BASE, "Restricted": "Yes"}), table(BASE)
    for data in (right, mistaken):
        bring(register, data)
    again = bring(register, right)
    assert (again.state, again.as_of) == ("again", days.today())
    with register.reading() as session:
        assert lists.known(session).children["900005"].facts.yes("restricted")
    before = dump(register)
    assert bring(register, right).state == "same"
    assert dump(register) == before


def test_the_same_file_may_be_the_list_of_two_days_and_neither_is_moved(register: Register) -> None:
    both = table(BASE, OTHER_CHILD)
    for data, day in ((both, FIRST), (table(OTHER_CHILD), SECOND), (both, THIRD)):
        assert bring(register, data, day).state == "new"
    with register.reading() as session:
        assert [each.as_of for each in lists.effective(session)] == [FIRST, SECOND, THIRD]
        found = lists.known(session).children["900005"]
        assert (found.missing_since, found.first_seen) == (None, FIRST)
    assert [bring(register, both, day).state for day in (FIRST, THIRD)] == ["same", "same"]


def test_a_file_that_is_another_days_list_is_refused_until_somebody_says_its_day(register: Register) -> None:
    restricted = table({**BASE, "Restricted": "Yes"})
    bring(register, WEEKS[0][1], FIRST)
    bring(register, restricted, SECOND)
    before = dump(register)
    with pytest.raises(Refused, match=f"known already, as the list of {FIRST}.*--as-of {days.today()}") as refused:
        bring(register, WEEKS[0][1])
    assert refused.value.slug == "which-day"
    assert dump(register) == before
    assert bring(register, WEEKS[0][1], days.today()).state == "new"
    assert bring(register, WEEKS[0][1]).state == "same"


def test_a_list_given_a_wrong_day_is_put_right_by_the_right_list_of_that_day(register: Register) -> None:
    old, new = table(OTHER_CHILD), table(OTHER_CHILD, {**BASE, "LAC Start": "10/11/2026"})
    bring(register, old, FIRST)
    bring(register, new, SECOND)  # which was the list of the week after
    bring(register, new, THIRD)
    bring(register, old, SECOND)
    with register.reading() as session:
        assert lists.known(session).children["900005"].first_seen == THIRD


def test_a_file_read_otherwise_is_kept_anew(register: Register) -> None:
    data = table({**BASE, "Placement Type": "Our own word"})
    assert bring(register, data, FIRST).state == "new"
    words = {**EXAMPLE.codes, "placement_type": {"our own word": "U4"}}
    other = mapping.ListMapping(EXAMPLE.columns, EXAMPLE.formats, EXAMPLE.yes, EXAMPLE.no, words)
    found = weekly.read(data, "list.csv", other)
    assert lists.bring(register, data, found, as_of=FIRST, by="officer").state == "again"
    with register.reading() as session:
        assert lists.known(session).children["900005"].facts.text("placement_type") == "U4"
        assert session.scalar(select(func.count()).where(ListRow.lcs_person_id == "900005")) == 1
        assert session.scalar(select(func.count()).where(Audit.action == "list-imported")) == 2


def test_a_list_of_many_children_is_kept_whole(register: Register) -> None:
    rows = [{**BASE, "Person ID": str(10_000 + number)} for number in range(5_001)]
    assert bring(register, table(*rows), FIRST).children == 5_001
    assert len(bring(register, table(*rows[:10]), SECOND).changes) == 4_991


def test_numbers_that_lcs_joined_lead_from_one_to_the_next(register: Register) -> None:
    bring(register, table({**BASE, "Person ID": "1"}), FIRST)
    bring(register, table({**BASE, "Person ID": "3", "Merged IDs": "2, 1"}), SECOND)
    with register.reading() as session:
        pairs = dict(session.execute(select(Child.lcs_person_id, Child.former_lcs_person_id)).all())
        assert pairs == {"3": "2", "2": "1", "1": None}
        assert lists.known(session).number("1") == "3"
        (number, standing) = lists.standing(session, {"child": {"lcs_person_id": "1"}}, SECOND) or ("", None)
        assert number == "3"
        assert standing is not None
        assert standing.first_seen == FIRST


def test_a_number_that_a_pep_joined_is_joined_unless_the_list_has_both(register: Register) -> None:
    peps.keep(register, PEPS["900008"], HILLINGDON, by="officer")
    assert PEPS["900008"]["child"]["former_lcs_person_id"] == "800108"
    bring(register, table({**BASE, "Person ID": "800108"}), FIRST)
    with register.reading() as session:
        assert lists.known(session).number("800108") == "800108"
    bring(register, table({**BASE, "Person ID": "900008"}), SECOND)
    with register.reading() as session:
        assert lists.known(session).number("800108") == "900008"


def test_a_register_with_lists_proves_whole_and_moves_whole(register: Register, tmp_path: Path) -> None:
    for day, data in WEEKS:
        bring(register, data, day)
    assert check.check(register, HILLINGDON, lambda _: pytest.fail("no record")).faults == ()
    exchange.export(register, tmp_path / "export")
    from pepforms.register.files import Files

    other = Register(f"sqlite:///{tmp_path / 'other.sqlite'}", Files(tmp_path / "other"))
    exchange.bring_in(other, tmp_path / "export")
    assert dump(other) == dump(register)
    other.close()


# --- against the PEPs ------------------------------------------------------------------------------------------------


def agreed(register: Register, *numbers: str) -> None:
    """Keep PEPs of the samples, and the list of the same children."""
    for number in numbers:
        peps.keep(register, PEPS[number], HILLINGDON, by="officer")
    bring(register, only(*numbers, "900021", "900022"), THIRD)


def only(*numbers: str) -> bytes:
    """The sample list of these children alone."""
    header, *rows = LIST.splitlines(keepends=True)
    return b"".join([header, *(row for row in rows if row.startswith(tuple(number.encode() for number in numbers)))])


def differing(register: Register) -> list[tuple[str, str, str, str]]:
    with register.reading() as session:
        found = differences.differences(session, HILLINGDON)
    return [(each.lcs_person_id, each.what, each.lcs_says, each.pep_says) for each in found]


AGREE = [("900022", "PEP", "looked after", "no PEP in the register")]
"""900021 has short breaks, and needs none."""


def test_the_sample_list_and_the_sample_peps_agree_and_what_differs_is_told(register: Register) -> None:
    agreed(register, *PEPS)
    assert differing(register) == AGREE
    moved = LIST.replace(
        b"04/07/2026,No,999805,999/2005,Pretend Lane Primary School,Ines Fauxley", b"14/11/2026,Yes,,,,"
    )
    bring(register, moved, dt.date(2026, 11, 21))
    assert differing(register) == [
        ("900005", "Placement began", "14 November 2026", "4 July 2026"),
        ("900005", "Confidential placement", "yes", "no"),
        ("900005", "School", "(nothing)", "Pretend Lane Primary School"),
        ("900005", "Social worker", "(nothing)", "Ines Fauxley"),
        *AGREE,
    ]


def test_a_child_with_a_pep_who_was_off_the_list_at_the_meeting_is_told_and_one_who_left_since_is_not(
    register: Register,
) -> None:
    agreed(register, "900005")
    bring(register, only("900021"), dt.date(2026, 11, 21))
    assert differing(register) == []
    bring(register, only("900022"), dt.date(2026, 11, 5))  # before the meeting
    bring(register, only("900021", "900022"), THIRD)
    assert differing(register) == [("900005", "On the list", "not on the list", "looked after")]


def test_a_sheet_names_its_reader_by_initials_and_a_mark_and_children_by_initials(
    register: Register, tmp_path: Path
) -> None:
    agreed(register, "900005", "900008", "900017")
    bring(register, LIST.replace(b",C2,", b",C1,").replace(b",V2,", b",C1,"), dt.date(2026, 11, 21))
    with register.reading() as session:
        found = differences.differences(session, HILLINGDON)
    written = differences.write(tmp_path, found, "social-worker", force=False)
    assert all(re.fullmatch(r"[A-Z]{1,4}-[0-9a-f]{4}[.]csv", path.name) for path in written)
    sheets = {path.name: path.read_text("utf-8-sig") for path in written}
    for pep in PEPS.values():
        for name in pep["child"]["legal_name"].values():
            assert not [name_ for name_, sheet in sheets.items() if name in sheet or name in name_]
        assert not [sheet for sheet in sheets.values() if pep["child"]["date_of_birth"] in sheet]
    assert any("900008,Q.T.,Legal status,C1 (Interim care order),C2 (Full care order)" in s for s in sheets.values())
    teams = {path.name for path in differences.write(tmp_path / "teams", found, "team", force=False)}
    assert "Children-in-Care-Team-2.csv" in teams


# --- the commands ----------------------------------------------------------------------------------------------------


def run(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "PEPFORMS_HOME": str(home)}
    done = subprocess.run(
        [PEPFORMS, "list", *map(str, words)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_the_commands_say_what_a_list_changes(tmp_path: Path) -> None:
    first = run(tmp_path, "import", SAMPLES / "weekly-list.csv", "--mapping", "example", "--as-of", "18/11/2026")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith("weekly-list.csv: kept, 15 children as of 2026-11-18")
    later = tmp_path / "later.csv"
    later.write_bytes(LIST.replace(b"Ines Fauxley", b"=Mo Imagineer").replace(b"900022", b"9000/22"))
    second = run(tmp_path, "import", later, "--mapping", "example", "--as-of", "2026-11-25", "--format", "json")
    assert second.returncode == 65
    assert "later.csv: row 16, column Person ID" in second.stderr
    (entry,) = json.loads(second.stdout)["results"]
    assert [change["kind"] for change in entry["changes"]] == ["worker", "worker", "not-on-list"]
    changes = run(tmp_path, "changes", "--since", "2026-11-18", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(changes.stdout)))
    assert rows[0] == {
        "as_of": "2026-11-25",
        "lcs_person_id": "900005",
        "kind": "worker",
        "on": "",
        "before": "Ines Fauxley, Children in Care Team 2",
        "after": "'=Mo Imagineer, Children in Care Team 2",
    }


def test_a_list_that_lacks_many_of_a_small_authoritys_children_is_asked_about(tmp_path: Path) -> None:
    def imported(data: bytes, day: str) -> str:
        (tmp_path / "list.csv").write_bytes(data)
        return run(tmp_path, "import", tmp_path / "list.csv", "--mapping", "example", "--as-of", day).stdout

    imported(LIST, "2026-11-20")
    lines = LIST.splitlines(keepends=True)
    assert "3 children are not on this list any more. Is it whole?" in imported(b"".join(lines[:-3]), "2026-11-24")
    assert "Is it whole?" not in imported(b"".join(lines[:-2]), "2026-11-24")


def test_the_commands_say_what_is_wrong_with_what_they_were_given(tmp_path: Path) -> None:
    missing = run(tmp_path, "import", tmp_path / "none.csv", "--mapping", "example")
    assert (missing.returncode, "none.csv cannot be read" in missing.stderr) == (66, True)
    to_come = run(tmp_path, "import", SAMPLES / "weekly-list.csv", "--mapping", "example", "--as-of", "2999-01-01")
    assert (to_come.returncode, "still to come" in to_come.stderr) == (65, True)
    no_day = run(tmp_path, "changes", "--since", "yesterday")
    assert (no_day.returncode, "must be a date" in no_day.stderr) == (64, True)
