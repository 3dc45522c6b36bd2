"""What was decided for copies holds for a copy that there is."""

from collections.abc import Iterator, Mapping
from typing import Any

from pepforms.check.rules import PRACTICE, Case, Found, rule

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
    if audience in ("school", "carer", "child") and person is not None and row.get("decisions"):
        return "only a parent’s copy is made for one person. Take “Made for” out, or correct which copy it is"
    return None
