"""Rules about codes, references, years and days: each stands for something that is there, and in its order."""

import re
from collections.abc import Iterator
from typing import Any

from pepforms import codes
from pepforms.check.finding import Steps
from pepforms.check.rules import LAW, PRACTICE, Case, Found, rule
from pepforms.check.words import day, listing
from pepforms.retention import kept_until

_LINES = ("pupil_premium_plus", "lines")
ROWS_WITH_IDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("people",), "id"),
    (("previous_targets",), "id"),
    (("previous_actions",), "id"),
    (("previous_spend",), "line_id"),
    (("targets",), "id"),
    (("actions",), "id"),
    (_LINES, "id"),
    (("pupil_premium_plus", "approvals"), "id"),
    (("follow_up", "approvals"), "id"),
)
"""Lists whose rows have a reference, and what it is called."""
_FOLLOWED_UP = (("actions", "action_id", ("actions",)), ("spend", "line_id", _LINES))
"""What is reported after sign-off, its reference, and the list to which that leads."""


@rule("unknown-person", source=PRACTICE, stage="draft")
def unknown_person(case: Case) -> Iterator[Found]:
    """Everyone to whom something is given is among the people of the PEP."""
    people = case.people()
    if not case.all_there("people"):
        return
    for field, value, steps in case.leaves:
        if field.person and isinstance(value, str) and value not in people:
            message = (
                f"{case.place(*steps)}: “{value}” is not among the people in this PEP. Choose someone from them, "
                "or add them."
            )
            yield Found(steps, message)


@rule("unknown-code", source="The code lists of the returns (schemas/codes)", stage="draft")
def unknown_code(case: Case) -> Iterator[Found]:
    """A coded fact has a code of its list."""
    for field, value, steps in case.leaves:
        if field.codes and isinstance(value, str) and value not in codes.known(field.codes):
            yield Found(steps, f"{case.place(*steps)}: “{value}” is not a code of this list. {_some(field.codes)}")


def _some(name: str) -> str:
    first = list(codes.known(name))[:6]
    more = " and so on" if len(codes.known(name)) > len(first) else ""
    return f"Choose from {', '.join(first)}{more}."


@rule("code-not-in-force", source="The code lists of the returns, dated (schemas/codes)", warns_before=True)
def code_not_in_force(case: Case) -> Iterator[Found]:
    """A code is in force in the academic year of the PEP."""
    year = case.value("pep", "academic_year")
    for field, value, steps in case.leaves:
        code = codes.known(field.codes).get(value) if field.codes and isinstance(value, str) else None
        if code and isinstance(year, str) and not code.in_force(year):
            message = f"{case.place(*steps)}: the code {code.code} ({code.label}) {_out_of_force(code, year)}"
            yield Found(steps, message)


def _out_of_force(code: codes.Code, year: str) -> str:
    """Since when a code is no longer, or not yet, in force, and which to choose instead."""
    if code.first and year < code.first:
        return f"begins with {code.first}. Choose the code for {year}."
    if code.replaced_by:
        return f"ended with {code.last}; since then it is {listing(code.replaced_by, 'or')}. Choose the one that fits."
    return f"ended with {code.last}. Choose the code for {year}."


@rule("repeated-id", source=PRACTICE, stage="draft")
def repeated_id(case: Case) -> Iterator[Found]:
    """No two rows of a list have the same reference."""
    for where, name in ROWS_WITH_IDS:
        seen: dict[str, int] = {}
        for position, row in case.rows(*where):
            reference = row.get(name)
            if not isinstance(reference, str):
                continue
            if reference in seen:
                first = case.place(*where, seen[reference])
                message = (
                    f"{case.place(*where, position)}: “{reference}” is the reference of {first} already. "
                    "Give it another."
                )
                yield Found((*where, position, name), message)
            seen.setdefault(reference, position)


@rule("unknown-reference", source=PRACTICE, severity="warns", stage="draft")
def unknown_reference(case: Case) -> Iterator[Found]:
    """What is reported after sign-off is about an action or a line that the PEP has, or the next one would lose it."""
    for rows, name, leads_to in _FOLLOWED_UP:
        there = {row.get("id") for _, row in case.rows(*leads_to)}
        for position, row in case.rows("follow_up", rows) if case.all_there(*leads_to) else ():
            where, reference = ("follow_up", rows, position, name), row.get(name)
            if isinstance(reference, str) and reference not in there:
                message = f"After sign-off, {case.place(*where)}: “{reference}” is not in this PEP. Choose one that is."
                yield Found(where, message)


@rule("impossible-year", source=PRACTICE, stage="draft")
def impossible_year(case: Case) -> Iterator[Found]:
    """The second half of a year follows the first: 2026/27, 2026-27."""
    for steps in (("pep", "academic_year"), ("pupil_premium_plus", "financial_year")):
        year = case.value(*steps)
        if isinstance(year, str):
            first, mark, second = re.split("([/-])", year)
            if int(second) != (int(first) + 1) % 100:
                right = f"{first}{mark}{(int(first) + 1) % 100:02d}"
                yield Found(steps, f"{case.place(*steps)}: there is no year {year}. Did you mean {right}?")


@rule("year-group-and-age", source="National curriculum year by age on 31 August", severity="warns", warns_before=True)
def year_group_and_age(case: Case) -> Iterator[Found]:
    """The year group is within a year of the child's age."""
    born, group, year = case.day("child", "date_of_birth"), case.value("education", "year_group"), None
    if isinstance(case.value("pep", "academic_year"), str):
        year = int(case.value("pep", "academic_year")[:4])
    if born and year and isinstance(group, str) and (group == "R" or group.isdigit()):
        usual = year - born.year - ((born.month, born.day) > (8, 31)) - 4
        if abs(usual - (0 if group == "R" else int(group))) > 1:
            message = (
                f"{case.place('education', 'year_group')}: this is more than a year from the usual year for this age. "
                "Check the year group and the date of birth."
            )
            yield Found(("education", "year_group"), message)


@rule("retention-unknown", source=f"{LAW}, regulation 50", severity="warns")
def retention_unknown(case: Case) -> Iterator[Found]:
    """It is known until when the child's record is kept."""
    where = ("child", "date_of_birth")
    if case.value(*where) and kept_until(case.accepted, case.profile.retention_years) is None:
        message = (
            f"{case.place(*where)}: without it nobody can say until when the record is kept. Give it as soon as it is "
            "known, as claimed or assessed if need be."
        )
        yield Found(where, message)


@rule("dates-out-of-order", source=PRACTICE, warns_before=True)
def dates_out_of_order(case: Case) -> Iterator[Found]:
    """What comes first in life comes first in the PEP: birth, care, placement, meeting, next meeting."""
    for early, late in ORDERED:
        first, second = case.day(*early), case.day(*late)
        if first and second and first > second:
            after = case.place(*early)
            message = (
                f"{case.place(*late)}: this is before {_day_of(early, first)} ({after}). Correct the one that is wrong."
            )
            yield Found(late, message)
    for where in (("education", "history"), ("education", "settings")):
        for position, _ in case.rows(*where):
            yield from _stay_out_of_order(case, (*where, position))


def _day_of(steps: tuple[str, ...], moment: Any) -> str:
    """The day, except the day of birth, which no message repeats."""
    return "the date of birth" if steps == ("child", "date_of_birth") else day(moment)


def _stay_out_of_order(case: Case, where: Steps) -> Iterator[Found]:
    """A time at a school begins after birth and ends after it has begun."""
    born, start, end = case.day("child", "date_of_birth"), case.day(*where, "from"), case.day(*where, "to")
    if born and start and born > start:
        message = f"{case.place(*where)}: it begins before the date of birth. Correct the one that is wrong."
        yield Found((*where, "from"), message)
    if start and end and start > end:
        yield Found((*where, "to"), f"{case.place(*where)}: it ends before it begins. Correct the day that is wrong.")


ORDERED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("child", "date_of_birth"), ("care", "looked_after_from")),
    (("child", "date_of_birth"), ("care", "placement", "start")),
    (("child", "date_of_birth"), ("meeting", "date")),
    (("care", "looked_after_from"), ("care", "ceased_on")),
    (("care", "looked_after_from"), ("care", "placement", "start")),
    (("care", "looked_after_from"), ("meeting", "date")),
    (("care", "placement", "previous", "ended"), ("care", "placement", "start")),
    (("education", "attendance", "from"), ("education", "attendance", "to")),
    (("education", "behaviour", "from"), ("education", "behaviour", "to")),
    (("education", "attendance", "to"), ("meeting", "date")),
    (("meeting", "date"), ("meeting", "next_date")),
    (("meeting", "date"), ("follow_up", "died_on")),
)
"""Pairs of places, the earlier day first."""
