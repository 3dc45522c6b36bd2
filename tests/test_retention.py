"""Until when the record of a child is kept: the 75th birthday, or 15 years after a death before 18."""

from datetime import date

import pytest

from pepforms.retention import kept_until


def kept(born: object, died: object = None) -> date | None:
    return kept_until({"child": {"date_of_birth": born}, "follow_up": {"died_on": died}}, 75)


@pytest.mark.parametrize(("born", "until"), [("2014-03-14", "2089-03-14"), ("2012-02-29", "2087-03-01")])
def test_a_record_is_kept_until_the_75th_birthday(born: str, until: str) -> None:
    assert kept(born) == date.fromisoformat(until)


def test_an_authority_may_keep_it_longer() -> None:
    assert kept_until({"child": {"date_of_birth": "2014-03-14"}}, 100) == date(2114, 3, 14)


@pytest.mark.parametrize(
    ("born", "died", "until"),
    [
        ("2014-03-14", "2032-03-13", "2047-03-13"),
        ("2014-03-14", "2032-03-14", "2089-03-14"),
        ("2012-02-29", "2030-02-28", "2045-02-28"),
        ("2012-02-29", "2030-03-01", "2087-03-01"),
        ("2014-03-14", "2028-02-29", "2043-03-01"),
    ],
)
def test_who_died_before_18_has_a_record_for_15_years_from_that_day(born: str, died: str, until: str) -> None:
    assert kept(born, died) == date.fromisoformat(until)


@pytest.mark.parametrize("born", [None, {"unknown": "No papers"}, "", "14 March", 7])
def test_nobody_guesses_where_the_date_of_birth_is_not_known(born: object) -> None:
    assert kept(born) is None
    assert kept(born, "2030-01-01") is None


def test_a_pep_without_these_parts_has_no_such_day() -> None:
    assert kept_until({}, 75) is None
