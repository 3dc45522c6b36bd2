"""Days that clocks count: working days with England's bank holidays, school days, and days of the calendar.

A clock counts days after something, or before it; the day it counts from is never one of them.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol
from zoneinfo import ZoneInfo

from pepforms.errors import Refused
from pepforms.model import Pep

if TYPE_CHECKING:
    from holidays import HolidayBase

DayType = Literal["working", "school", "calendar"]

TERMS = ("autumn", "spring", "summer")
"""In the order of the academic year."""

LONDON = ZoneInfo("Europe/London")
"""Where people read times."""
_ONE = timedelta(days=1)
_SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Clock:
    """How long somebody has: `days` of a type, `before` or `after` an event (`EVENTS`); one of the two is None.

    `sections` are those that must be ready by then (`"care"`, `"views.carer"`).
    """

    days: int
    type: DayType
    before: str | None = None
    after: str | None = None
    sections: tuple[str, ...] = ()

    @property
    def event(self) -> str:
        """What the clock counts from."""
        return self.before or self.after or ""


class School(Protocol):
    """Whoever knows the days on which schools teach; a profile does."""

    def school_day(self, day: date) -> bool | None:
        """Whether schools teach on that day; None where nobody has said."""
        ...


def due(start: date, clock: Clock, school: School) -> date | None:
    """The day on which the time is up, counted from `start`; None where the school days on the way are not known.

    The day is always one of the clock's kind: no working day falls on a weekend. With 0 days it is `start` itself, or
    the next such day (before an event: the last).
    """
    step = -_ONE if clock.before else _ONE
    day, left = (start, 1) if clock.days == 0 else (start + step, clock.days)
    while True:
        counts = _KINDS[clock.type](day, school)
        if counts is None:
            return None
        left -= counts
        if left == 0:
            return day
        day += step


def school_days(start: date, end: date, school: School) -> int | None:
    """How many school days there are from a day until before another; None where the school does not know each."""
    known = [school.school_day(start + timedelta(number)) for number in range((end - start).days)]
    return None if None in known else known.count(True)


def working_day(day: date) -> bool:
    """Monday to Friday, save England's bank holidays."""
    return day.weekday() < 5 and not bank_holiday(day)


def bank_holiday(day: date) -> bool:
    """Whether it is a bank holiday in England."""
    return day in _bank_holidays()


@functools.cache
def easter(year: int) -> date:
    """Easter Sunday."""
    from holidays import country_holidays

    found = country_holidays("GB", subdiv="ENG", years=year)
    return next(day for day, name in found.items() if name == "Easter Monday") - _ONE


def sunday_after(day: date) -> date:
    """The Sunday that ends the day's week."""
    return day + timedelta(days=_SUNDAY - day.weekday())


def academic_year(day: date) -> str:
    """The academic year of a day, from 1 September: `"2026/27"`."""
    first = day.year - (day.month < 9)
    return f"{first}/{(first + 1) % 100:02}"


def first_year(year: str) -> int | None:
    """The calendar year in which an academic year begins; None for what is none."""
    match = re.fullmatch(r"(20[0-9]{2})/([0-9]{2})", year)
    if not match or (int(match[1]) + 1) % 100 != int(match[2]):
        return None
    return int(match[1])


def term(text: str) -> tuple[str, str]:
    """The academic year and the term that people write as `2026-27/autumn`; Refused where it is none."""
    written, _, name = text.partition("/")
    year = written.replace("-", "/", 1)
    if name not in TERMS or first_year(year) is None:
        raise Refused(f"“{text}” is no term. Write it like 2026-27/autumn.", slug="no-such-term")
    return year, name


def financial_year(day: date) -> str:
    """The financial year of a day, from 1 April: `"2026-27"`."""
    first = day.year - (day.month < 4)
    return f"{first}-{(first + 1) % 100:02}"


def years_later(start: date, years: int) -> date:
    """The anniversary of a day; that of 29 February is 1 March where the year has none."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 3, 1)


def today() -> date:
    """Today in England."""
    return datetime.now(LONDON).date()


@functools.cache
def _bank_holidays() -> "HolidayBase":
    from holidays import country_holidays

    return country_holidays("GB", subdiv="ENG")


_KINDS: Mapping[DayType, Callable[[date, School], bool | None]] = {
    "working": lambda day, _: working_day(day),
    "school": lambda day, school: school.school_day(day),
    "calendar": lambda *_: True,
}


def said(pep: Pep, *way: str) -> date | None:
    """The day that a PEP gives at a place; None where it gives none, or says that it is not known."""
    return _at(*way)(pep)


def event(pep: Pep, name: str) -> date | None:
    """The day of an event in the life of a PEP; None where the PEP does not know it."""
    look = EVENTS.get(name)
    return look(pep) if look else None


def _at(*way: str) -> Callable[[Pep], date | None]:
    def look(pep: Pep) -> date | None:
        found: Any = pep
        for step in way:
            found = found.get(step) if isinstance(found, dict) else None
        return _day(found)

    return look


def _main_setting_began(pep: Pep) -> date | None:
    education = pep.get("education")
    settings = education.get("settings") if isinstance(education, dict) else None
    for setting in settings if isinstance(settings, list) else ():
        if isinstance(setting, dict) and setting.get("main") is True:
            return _day(setting.get("from"))
    return None


def _last_signed(pep: Pep) -> date | None:
    rows = pep.get("sign_offs")
    moments = [row.get("at") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    signed = [day for moment in moments if (day := _day_of(moment))]
    return max(signed, default=None)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _day_of(moment: object) -> date | None:
    try:
        return datetime.fromisoformat(moment).astimezone(LONDON).date() if isinstance(moment, str) else None
    except (ValueError, OverflowError):
        return None


EVENTS: Mapping[str, Callable[[Pep], date | None]] = {
    "meeting": _at("meeting", "date"),
    "review": _at("care", "next_review"),
    "sign_off": _last_signed,
    "looked_after": _at("care", "looked_after_from"),
    "placement_change": _at("care", "placement", "start"),
    "school_change": _main_setting_began,
    "due": lambda _: None,
}
"""What a clock may count from. `due` is the day of another clock, which whoever asks must know."""
