"""Whom copies are made for one by one, and what of a copy is one person's own."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from pepforms.audience import Copy
from pepforms.audience.people import role_label
from pepforms.errors import Refused
from pepforms.model import Audience, Fact, Json, Pep

READS_AS: Mapping[str, Audience] = {
    "designated_teacher": "school", "tutor": "school", "school_staff": "school", "carer": "carer", "parent": "parent",
    "child": "child",
}  # fmt: skip
"""Whose copy a person reads, by role; everybody else works for the authority."""


def owners(pep: Pep, audience: Audience) -> tuple[str, ...]:
    """Those of an audience who answer for a target or an action, in the order of `people`."""
    asked = {row.get("owner") for section in _OWNED for row in _rows(pep, section)}
    return tuple(
        each["id"]
        for each in _rows(pep, "people")
        if each.get("id") in asked and READS_AS.get(each.get("role", ""), "authority") == audience
    )


def one_by_one(pep: Pep, audience: Audience, *, for_one: bool) -> tuple[str | None, ...]:
    """Each whom copies are made for one by one: whom a document for one person asks for something, or each parent.

    Of all other copies there is one, for nobody in particular.
    """
    if for_one:
        return owners(pep, audience)
    if audience != "parent":
        return (None,)
    return tuple(each["id"] for each in _rows(pep, "people") if each.get("role") == "parent" and "id" in each)


def theirs(copy: Copy, audience: Audience, person: str) -> Copy:
    """A copy with only the targets and actions that one person answers for; those of others are left out of it.

    What others have in the very same words is the person's own too. The rest is no secret, since their audience's own
    copy shows it. Refused (slug `for-whom`) where the person is not
    in the PEP, or reads another audience's copies.
    """
    role = next((each.get("role", "") for each in _rows(copy.pep, "people") if each.get("id") == person), None)
    if role is None:
        raise Refused(
            f"There is nobody of that reference in this PEP. {_asked_of(copy.pep, audience)}", slug="for-whom"
        )
    reads = READS_AS.get(role, "authority")
    if reads != audience:
        raise Refused(
            f"“{person}” ({role_label(role)}) reads {_COPIES[reads]}: ask for this document with the audience "
            f"“{reads}”. {_asked_of(copy.pep, audience)}",
            slug="for-whom",
        )
    own = {
        section: [row for row in _rows(copy.pep, section) if row.get("owner") == person]
        for section in _OWNED
        if isinstance(copy.pep.get(section), list)
    }
    others = [*_of_others(copy.shown, person)]
    shown = tuple(fact for fact in copy.shown if fact not in others)
    said = [(fact.field, fact.value) for fact in shown]
    of_others = tuple(fact for fact in others if (fact.field, fact.value) not in said)
    return dataclasses.replace(copy, pep=copy.pep | own, shown=shown, of_others=of_others)


_COPIES: Mapping[Audience, str] = {
    "authority": "the full copy", "school": "the school’s copy", "carer": "the carer’s copy",
    "parent": "the parent’s copy", "child": "the child’s copy",
}  # fmt: skip


def _asked_of(pep: Pep, audience: Audience) -> str:
    """Of whom among the readers of a copy the plan asks something, for whoever named somebody else."""
    roles = {each.get("id"): each.get("role", "") for each in _rows(pep, "people")}
    asked = ", ".join(f"{person} ({role_label(roles[person])})" for person in owners(pep, audience))
    return f"Of those who read {_COPIES[audience]}, this PEP asks something of: {asked or 'nobody'}."


_OWNED = ("targets", "actions")


def _of_others(shown: Sequence[Fact], person: str) -> Iterator[Fact]:
    """What is said in the targets and actions that a person does not answer for."""
    rows = tuple(f"/{section}/*" for section in _OWNED)
    owner = [f"{row}/owner" for row in rows]
    own = {_row_of(fact) for fact in shown if fact.field in owner and fact.value == person}
    for fact in shown:
        if fact.field.startswith(rows) and _row_of(fact) not in own:
            yield fact


def _row_of(fact: Fact) -> tuple[str, ...]:
    return tuple(fact.pointer.split("/")[1:3])


def _rows(pep: Pep, section: str) -> list[Mapping[str, Json]]:
    """The rows of a section; none where there is no list, whether withheld or not known."""
    rows = pep.get(section)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
