"""Rules about the schools a child has been to: one after the other, and no time of which nothing is said.

Only what is known is judged: a school whose first or last day is not known may fill any gap, and overlaps none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pepforms.check.finding import Steps
from pepforms.check.rules import LAW, Case, Found, rule
from pepforms.check.words import day
from pepforms.days import working_day, years_later

MOST_DAYS = 20
"""School days between two schools that are no gap yet: four weeks hold Christmas, Easter or a half term."""
_SUMMER = (7, 8)
"""The months between two school years."""
_TERMS_BEGIN_AFTER = ((3, 31), (8, 31), (12, 31))
"""From the first of these days on or after the fifth birthday a child is of compulsory school age."""
_FRIDAY = 4
_ONE = timedelta(days=1)
_SOURCE = f"{LAW}, Schedule 1 paragraph 2(1)(a)"


@dataclass(frozen=True, slots=True)
class _Stay:
    """A time at one school; a day that is not known lies as far away as it may. `known` when both are known."""

    first: date
    last: date
    known: bool
    steps: Steps


@rule("schools-overlap", source=_SOURCE, severity="warns", warns_before=True)
def schools_overlap(case: Case) -> Iterator[Found]:
    """One school ends before the next begins; a second roll lies within the time at the main school."""
    longest: _Stay | None = None
    for stay in _stays(case):
        if not stay.known:
            continue
        if longest and stay.first < longest.last < stay.last and longest.first < stay.first:
            message = (
                f"{case.place(*stay.steps)}: it begins on {day(stay.first)}, before {case.place(*longest.steps)} ends "
                f"on {day(longest.last)}. Correct the day that is wrong, or give a time on two rolls a row of its own."
            )
            yield Found((*stay.steps, "from"), message)
        if not longest or stay.last > longest.last:
            longest = stay


@rule("gap-in-schools", source=_SOURCE, severity="warns")
def gap_in_schools(case: Case) -> Iterator[Found]:
    """No more than four weeks of term at compulsory school age lie between two schools, or a row says why."""
    span = _school_age(case)
    until: date | None = None
    for stay in _stays(case) if span else ():
        if until and span and _school_days(until, stay.first, span) > MOST_DAYS:
            message = (
                f"{case.place(*stay.steps)}: from {day(until)} to {day(stay.first)} no school is given. Add the one "
                "that is missing, or a row that says that there was none, and why."
            )
            yield Found((*stay.steps, "from" if isinstance(stay.steps[-1], int) else "since"), message)
        until = max(until or stay.last, stay.last)


def _stays(case: Case) -> list[_Stay]:
    """The schools before and now and the time without one, in the order of their first days; none while one is amiss.

    A second setting beside the main one is left out: whoever is on two rolls is at both.
    """
    history, settings = ("education", "history"), ("education", "settings")
    if case.touched(history) or case.touched(settings):
        return []
    stays = [_stay(case, (*history, at), None) for at, _ in case.rows(*history)]
    stays += [
        _stay(case, (*settings, at), date.max) for at, row in case.rows(*settings) if row.get("main") is not False
    ]
    without = ("education", "no_school")
    since = case.day(*without, "since")
    if since:
        stays.append(_Stay(since, date.max, False, without))
    return sorted(stays, key=lambda stay: (stay.first, -stay.last.toordinal()))


def _stay(case: Case, where: Steps, still: date | None) -> _Stay:
    """`still` is the last day of a stay that gives none: a school now goes on, of one before it is not known."""
    first, last = case.day(*where, "from"), case.day(*where, "to") or still
    return _Stay(first or date.min, last or date.max, bool(first and last), where)


def _school_age(case: Case) -> tuple[date, date] | None:
    """First and last day of the child's compulsory school age; None where the date of birth is not known.

    It ends on the last Friday in June of the school year in which the child is 16.
    """
    born = case.day("child", "date_of_birth")
    if born is None:
        return None
    five, sixteen = years_later(born, 5), years_later(born, 16)
    begins = next(
        found
        for year in (five.year, five.year + 1)
        for month, last in _TERMS_BEGIN_AFTER
        if (found := date(year, month, last)) >= five
    )
    june = date(sixteen.year + ((sixteen.month, sixteen.day) > (8, 31)), 6, 30)
    return begins + _ONE, june - timedelta(days=(june.weekday() - _FRIDAY) % 7)


def _school_days(after: date, before: date, span: tuple[date, date]) -> int:
    """Working days out of the summer months between two days and within a span; other holidays are not known."""
    first, last = max(after.toordinal() + 1, span[0].toordinal()), min(before.toordinal() - 1, span[1].toordinal())
    between = map(date.fromordinal, range(first, last + 1))
    return sum(each.month not in _SUMMER and working_day(each) for each in between)
