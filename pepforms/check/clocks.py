"""Rules about clocks: what the authority gives itself days for, judged where the PEP itself knows both days.

A clock that the profile does not have is never missed. Others are kept by whoever knows more than one PEP.
"""

from collections.abc import Iterator
from datetime import date

from pepforms import days
from pepforms.check.finding import Steps
from pepforms.check.meeting import signed_on
from pepforms.check.rules import Case, Found, rule
from pepforms.check.words import day


@rule("clock-missed", source="The authority’s profile: clocks", explainable=True)
def clock_missed(case: Case) -> Iterator[Found]:
    """What the authority gives itself days for was done in time."""
    for name, (what, where) in _JUDGED.items():
        clock = case.profile.clocks.get(name)
        start, done = days.event(case.accepted, clock.event) if clock else None, _done(case, name)
        due = days.due(start, clock, case.profile) if clock and start else None
        if due and done and done > due:
            message = f"{case.place(*where)}: {what} was due by {day(due)} and came on {day(done)}"
            yield Found(where, f"{message}. Correct the day that is wrong, or explain it under Exceptions.")


_JUDGED: dict[str, tuple[str, Steps]] = {
    "initial_meeting": ("the first PEP meeting", ("meeting", "date")),
    "initial_pep": ("the first PEP", ("pep", "type")),
    "sign_off": ("the last sign-off", ("sign_offs",)),
    "to_iro": ("the signed PEP, for the review,", ("care", "next_review")),
}
"""Clocks that one PEP can judge: what was to be done, and where a miss is shown."""


def _done(case: Case, name: str) -> date | None:
    """The day on which it was done; None where it is not done yet or is not asked of this PEP."""
    if name == "initial_meeting":
        return case.day("meeting", "date") if case.text("pep", "type") == "initial" else None
    if name == "initial_pep" and case.text("pep", "type") != "initial":
        return None
    return None if case.profile.unsigned(case.accepted) else _signed(case)


def _signed(case: Case) -> date | None:
    """The day of the last signature that binds."""
    binding = case.profile.binding(case.accepted)
    found = [signed_on(row) for _, row in case.rows("sign_offs") if row.get("role") in binding]
    return max((each for each in found if each), default=None)
