"""Rules about what was decided for copies: it holds for a copy that there is, and nothing was decided tomorrow."""

from collections.abc import Iterator, Mapping
from typing import Any

from pepforms import days
from pepforms.check.finding import Steps
from pepforms.check.rules import PRACTICE, Case, Found, rule
from pepforms.check.words import day

_ROWS = "distribution"


@rule("decided-for-no-copy", source="Who sees what; " + PRACTICE, stage="draft")
def decided_for_no_copy(case: Case) -> Iterator[Found]:
    """What was decided or released is for a copy that there is: a parent's is made for one parent, no other is."""
    for position, row in case.rows(_ROWS):
        why = _for_no_copy(case, row) if row.get("decisions") or row.get("released_by") else None
        if why:
            yield Found((_ROWS, position), f"{case.place(_ROWS, position)}: {why}.")


def _for_no_copy(case: Case, row: Mapping[str, Any]) -> str | None:
    """Why what was decided for a copy holds for none, and what to do; None where it does hold."""
    audience, person, people = row.get("audience"), row.get("person"), case.people()
    if audience == "parent" and person is None:
        return "a parent’s copy is made for one parent. Say under “Made for” for which this holds"
    if audience == "parent" and person in people and people[person].get("role") not in ("parent", None):
        return f"“{person}” is no parent in this PEP. Say under “Made for” for which parent this holds"
    if audience == "authority" and row.get("decisions"):
        return "the full copy leaves nothing out and says nothing otherwise. Take the decisions out"
    if audience in ("school", "carer", "child") and person is not None:
        return "only a parent’s copy is made for one person. Take “Made for” out, or correct which copy it is"
    return None


@rule("decided-in-the-future", source=PRACTICE, stage="draft")
def decided_in_the_future(case: Case) -> Iterator[Found]:
    """Nothing was decided or released for a copy on a day that has not come yet."""
    today = days.today()
    for where in _decided_on(case):
        made = case.day(*where)
        if made and made > today:
            message = f"{case.place(*where)}: {day(made)} has not come yet. Give the day on which it was decided."
            yield Found(where, message)


def _decided_on(case: Case) -> Iterator[Steps]:
    """Where the days of releases and decisions stand."""
    for position, _ in case.rows(_ROWS):
        yield (_ROWS, position, "released_on")
        for number, _ in case.rows(_ROWS, position, "decisions"):
            yield (_ROWS, position, "decisions", number, "on")
