"""Rules about who was there: the social worker, everyone whom the profile expects, and who ought to be named."""

from collections.abc import Iterator
from typing import Any

from pepforms.check.rules import PRACTICE, Case, Found, rule
from pepforms.check.words import listing

_AT_HOME = ("P1",)
"""Placements with parents: a parent comes in the carer's place."""
_WITHOUT_CARER = ("K1", "P2", "P3", "R5")
"""Placements where nobody is the child's carer: secure homes, custody, living or working alone."""


@rule("social-worker-absent", source="Hillingdon’s expectations of social care; " + PRACTICE, explainable=True)
def social_worker_absent(case: Case) -> Iterator[Found]:
    """The social worker, or a named person of the duty team, was at the meeting."""
    attendees = [row for _, row in case.rows("meeting", "attendees")]
    if not attendees or not (case.all_there("people") and case.all_there("people", key="role")):
        return
    if not any(row.get("present") is True and _stands_for(case, row, "social_worker") for row in attendees):
        message = (
            "Who came: neither the social worker nor a named person covering was there. Add who came, and whom "
            "they stood in for, or explain it under Exceptions."
        )
        yield Found(("meeting", "attendees"), message)


def _stands_for(case: Case, row: dict[str, Any], *roles: str) -> bool:
    """Whether an attendee has one of the roles, or stands in for it or for somebody who has it."""
    people = case.people()
    person = people.get(row.get("person", ""), {})
    stands_for = {person.get("role"), person.get("covers"), row.get("covers")}
    meant = {reference for reference, other in people.items() if other.get("role") in roles}
    return bool(stands_for & {*roles, *meant})


@rule("expected-person-absent", source="The authority’s profile: who is expected at the meeting", explainable=True)
def expected_person_absent(case: Case) -> Iterator[Found]:
    """Everyone whom the profile expects was there or stood in for; the child need not come, if the PEP says why not."""
    attendees = list(case.rows("meeting", "attendees"))
    if not attendees or not (case.all_there("people") and case.all_there("people", key="role")):
        return
    unlisted: list[str] = []
    for role in case.profile.expected(case.accepted):
        roles = _in_its_place(case, role)
        listed = [(position, row) for position, row in attendees if _stands_for(case, row, *roles)]
        if not roles or role == "social_worker" or any(_answered(role, row) for _, row in listed):
            continue
        if listed:
            where = ("meeting", "attendees", listed[0][0])
            message = f"{_title(case, role)} did not come. Say who stood in, or explain it under Exceptions."
            yield Found(where, f"{case.place(*where)}: the {message}")
        else:
            unlisted.append(f"the {_title(case, role)}")
    if unlisted:
        message = f"{listing(unlisted)} {'is' if len(unlisted) == 1 else 'are'} expected and not on the list"
        yield Found(("meeting", "attendees"), f"Who came: {message}. Add them, or explain it under Exceptions.")


def _in_its_place(case: Case, role: str) -> tuple[str, ...]:
    """The roles that answer to an expectation: at home with parents one of them comes, in custody there is no carer."""
    if role == "carer":
        placement = case.text("care", "placement", "type")
        return () if placement in _WITHOUT_CARER else ("carer", "parent") if placement in _AT_HOME else ("carer",)
    return (role,)


def _answered(role: str, row: dict[str, Any]) -> bool:
    return row.get("present") is True or (role == "child" and bool(row.get("reason")))


def _title(case: Case, role: str) -> str:
    title = case.profile.called(role, case.accepted)
    return title if title.startswith("Virtual School") else title[:1].lower() + title[1:]


@rule("child-not-listed", source=PRACTICE, severity="warns")
def child_not_listed(case: Case) -> Iterator[Found]:
    """The child is on the list of those invited, whether or not the profile expects the child and the child came."""
    people = case.people()
    roles = {people.get(row.get("person", ""), {}).get("role") for _, row in case.rows("meeting", "attendees")}
    if roles and "child" not in roles and "child" not in case.profile.meeting_expected:
        message = (
            "Who came: the child is not on the list. Add the child, and say why not, if the child was not invited."
        )
        yield Found(("meeting", "attendees"), message)


@rule("sen-caseworker-missing", source=PRACTICE, severity="warns")
def sen_caseworker_missing(case: Case) -> Iterator[Found]:
    """Of a child with an EHC plan the SEN caseworker is named."""
    named = _named(case, "sen_caseworker") or case.value("education", "sen", "ehcp", "caseworker")
    if case.text("education", "sen", "status") == "E" and not named:
        message = "People: there is an EHC plan, but no SEN caseworker. Add the one who hears of moves and reviews."
        yield Found(("people",), message)


@rule("personal-adviser-missing", source="Children Act 1989, schedule 2 paragraph 19C", severity="warns")
def personal_adviser_missing(case: Case) -> Iterator[Found]:
    """From 16 a young person's personal adviser is named."""
    if case.age is not None and case.age >= 16 and not _named(case, "personal_adviser"):
        yield Found(("people",), "People: from 16 there is a personal adviser. Add them, or ask who it will be.")


def _named(case: Case, role: str) -> bool:
    return any(row.get("role") == role for _, row in case.rows("people"))
