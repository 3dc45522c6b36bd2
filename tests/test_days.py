"""Days that clocks count: working days, school days, days of the calendar, forwards and back."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pepforms import days, profile
from pepforms.days import Clock, DayType, due
from pepforms.errors import Refused

HILLINGDON = profile.load("hillingdon")
DAYS = st.dates(date(2025, 9, 1), date(2027, 5, 31))
TYPES = st.sampled_from(["working", "school", "calendar"])
NUMBERS = st.integers(0, 40)


def after(number: int, kind: DayType = "working") -> Clock:
    return Clock(number, kind, after="meeting")


def before(number: int, kind: DayType = "working") -> Clock:
    return Clock(number, kind, before="meeting")


def of_its_kind(day: date, kind: DayType) -> bool:
    if kind == "calendar":
        return True
    return days.working_day(day) if kind == "working" else bool(HILLINGDON.school_day(day))


@pytest.mark.parametrize(
    ("start", "clock", "expected"),
    [
        # Christmas 2026: 25 December, 28 December for Boxing Day on a Saturday, 1 January
        ("2026-12-16", after(20), "2027-01-18"),
        ("2026-12-24", after(1), "2026-12-29"),
        ("2027-01-04", before(1), "2026-12-31"),
        # the early May bank holiday of 2026 is Monday 4 May
        ("2026-05-01", after(1), "2026-05-05"),
        ("2026-05-05", before(1), "2026-05-01"),
        ("2026-05-01", after(1, "school"), "2026-05-05"),
        # the autumn half term of 2026 in Hillingdon's profile
        ("2026-11-04", before(5, "school"), "2026-10-21"),
        ("2026-10-23", after(1, "school"), "2026-11-02"),
        # what is due 20 school days after a child came into care in July falls in the autumn
        ("2026-07-20", after(2, "school"), "2026-09-01"),
        ("2027-01-04", before(3, "calendar"), "2027-01-01"),
        ("2026-11-19", after(5), "2026-11-26"),
        ("2026-11-21", after(0), "2026-11-23"),
        ("2026-11-21", before(0), "2026-11-20"),
        ("2026-11-20", after(0), "2026-11-20"),
    ],
)
def test_a_clock_counts_only_days_of_its_kind(start: str, clock: Clock, expected: str) -> None:
    assert due(date.fromisoformat(start), clock, HILLINGDON) == date.fromisoformat(expected)


@given(DAYS, NUMBERS, TYPES, st.booleans())
def test_nothing_is_ever_due_on_a_day_that_does_not_count(start: date, number: int, kind: DayType, back: bool) -> None:
    day = due(start, before(number, kind) if back else after(number, kind), HILLINGDON)
    assert day is None or of_its_kind(day, kind)


@given(DAYS, NUMBERS, TYPES)
def test_counting_back_undoes_counting_on(start: date, number: int, kind: DayType) -> None:
    assume(of_its_kind(start, kind))
    day = due(start, after(number, kind), HILLINGDON)
    assume(day is not None)
    assert day is not None
    assert due(day, before(number, kind), HILLINGDON) == start


@given(DAYS, st.integers(0, 30), NUMBERS, TYPES, st.booleans())
def test_who_starts_later_is_never_due_earlier(start: date, later: int, number: int, kind: DayType, back: bool) -> None:
    clock = before(number, kind) if back else after(number, kind)
    first, second = (due(day, clock, HILLINGDON) for day in (start, start + timedelta(days=later)))
    assert first is None or second is None or first <= second


@given(DAYS, NUMBERS, TYPES)
def test_one_day_more_is_due_later(start: date, number: int, kind: DayType) -> None:
    assume(of_its_kind(start, kind))
    first, second = (due(start, after(count, kind), HILLINGDON) for count in (number, number + 1))
    assert first is None or second is None or first < second


def test_school_days_that_nobody_has_given_are_not_guessed() -> None:
    assert due(date(2028, 2, 1), after(5, "school"), HILLINGDON) is None
    assert due(date(2027, 7, 20), after(5, "school"), HILLINGDON) is None
    assert due(date(2028, 2, 1), after(5), HILLINGDON) == date(2028, 2, 8)


def test_a_year_of_study_begins_on_1_september_and_a_year_of_account_on_1_april() -> None:
    assert (days.academic_year(date(2026, 8, 31)), days.academic_year(date(2026, 9, 1))) == ("2025/26", "2026/27")
    assert (days.financial_year(date(2027, 3, 31)), days.financial_year(date(2027, 4, 1))) == ("2026-27", "2027-28")
    assert (days.academic_year(date(2099, 12, 1)), days.first_year("2099/00")) == ("2099/00", 2099)


@pytest.mark.parametrize("year", ["2026", "2026/28", "2026-27", "26/27", "２０２６/２７", "2026/27\n"])
def test_what_is_no_academic_year_begins_never(year: str) -> None:
    assert days.first_year(year) is None


def test_easter_is_where_it_is() -> None:
    assert [days.easter(year) for year in (2025, 2026, 2027)] == [
        date(2025, 4, 20),
        date(2026, 4, 5),
        date(2027, 3, 28),
    ]


def test_the_events_that_clocks_count_from_stand_in_the_pep() -> None:
    pep = {
        "meeting": {"date": "2026-11-17"},
        "care": {
            "next_review": "2026-12-16",
            "looked_after_from": "2025-02-10",
            "placement": {"start": "2025-03-01"},
        },
        "education": {"settings": [{"main": False, "from": "2020-01-01"}, {"main": True, "from": "2024-09-02"}]},
        "sign_offs": [{"at": "2026-11-19T23:40:00Z"}, {"at": "2026-07-19T23:40:00Z"}],
    }
    found = {name: days.event(pep, name) for name in days.EVENTS}
    assert found == {
        "meeting": date(2026, 11, 17),
        "review": date(2026, 12, 16),
        "sign_off": date(2026, 11, 19),
        "looked_after": date(2025, 2, 10),
        "placement_change": date(2025, 3, 1),
        "school_change": date(2024, 9, 2),
        "due": None,
    }


@pytest.mark.parametrize(
    "pep",
    [
        {},
        {"meeting": [], "care": None, "education": {"settings": {}}, "sign_offs": {}},
        {"meeting": {"date": "someday"}, "care": {"placement": 3}, "education": {"settings": [3]}, "sign_offs": [3]},
        {"meeting": {"date": {"unknown": "not set"}}, "sign_offs": [{"at": "at noon"}, {"at": 3}]},
    ],
)
def test_an_event_that_a_pep_does_not_know_has_no_day(pep: dict[str, object]) -> None:
    assert {days.event(pep, name) for name in days.EVENTS} == {None}


def test_an_event_at_night_in_summer_is_on_the_day_it_was_in_england() -> None:
    pep = {"sign_offs": [{"at": "2026-07-19T23:40:00Z"}]}
    assert days.event(pep, "sign_off") == date(2026, 7, 20)


def test_a_term_is_written_as_people_write_it() -> None:
    assert days.term("2026-27/autumn") == ("2026/27", "autumn")
    for other in ("autumn", "2026/27/autumn", "2026-27/winter", "2026-28/autumn", "２０２６-27/autumn", ""):
        with pytest.raises(Refused, match="2026-27/autumn") as refused:
            days.term(other)
        assert refused.value.slug == "no-such-term"


def test_school_days_are_counted_where_the_school_knows_each_day() -> None:
    assert days.school_days(date(2026, 9, 28), date(2026, 10, 5), HILLINGDON) == 5
    assert days.school_days(date(2026, 10, 5), date(2026, 10, 5), HILLINGDON) == 0
    assert days.school_days(date(1999, 10, 4), date(1999, 10, 9), HILLINGDON) is None
