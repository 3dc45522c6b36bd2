"""Rules about the meeting and the sign-offs."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pepforms.check.rules import LAW, PRACTICE, Case, Found, rule
from pepforms.check.words import day, listing
from pepforms.digest import pep_digest

LONDON = ZoneInfo("Europe/London")


@rule("social-worker-absent", source="Hillingdon’s expectations of social care; " + PRACTICE, explainable=True)
def social_worker_absent(case: Case) -> Iterator[Found]:
    """The social worker, or a named person of the duty team, was at the meeting."""
    attendees = [row for _, row in case.rows("meeting", "attendees")]
    if not attendees or not (case.all_there("people") and case.all_there("people", key="role")):
        return
    if not any(row.get("present") is True and _stands_for_social_work(case, row) for row in attendees):
        message = (
            "Who came: neither the social worker nor a named person covering was there. Add who covered (“Stands in "
            "for”: social_worker), or explain it under Exceptions."
        )
        yield Found(("meeting", "attendees"), message)


def _stands_for_social_work(case: Case, row: dict[str, Any]) -> bool:
    people = case.people()
    person = people.get(row.get("person", ""), {})
    stands_for = {person.get("role"), person.get("covers"), row.get("covers")}
    workers = {reference for reference, other in people.items() if other.get("role") == "social_worker"}
    return bool(stands_for & {"social_worker", *workers})


@rule("child-not-listed", source=PRACTICE, severity="warns")
def child_not_listed(case: Case) -> Iterator[Found]:
    """The child is on the list of those invited, whether or not the child came."""
    people = case.people()
    roles = {people.get(row.get("person", ""), {}).get("role") for _, row in case.rows("meeting", "attendees")}
    if roles and "child" not in roles:
        message = (
            "Who came: the child is not on the list. Add the child, and say why not, if the child was not invited."
        )
        yield Found(("meeting", "attendees"), message)


@rule("meeting-outside-year", source=PRACTICE, warns_before=True)
def meeting_outside_year(case: Case) -> Iterator[Found]:
    """The meeting lies in the academic year of the PEP (1 September to 31 August)."""
    held, year = case.day("meeting", "date"), case.value("pep", "academic_year")
    if held and isinstance(year, str) and held.year - (held.month < 9) != int(year[:4]):
        message = f"The meeting: {day(held)} is not in the academic year {year}. Correct the day or the year."
        yield Found(("meeting", "date"), message)


@rule("meeting-outside-term", source=PRACTICE, severity="warns", warns_before=True)
def meeting_outside_term(case: Case) -> Iterator[Found]:
    """The meeting lies in the term of the PEP, or near it."""
    held, term = case.day("meeting", "date"), case.value("pep", "term")
    months = {"autumn": (9, 10, 11, 12), "spring": (1, 2, 3, 4), "summer": (4, 5, 6, 7, 8)}.get(term, ())
    if held and months and held.month not in months:
        yield Found(
            ("meeting", "date"), f"The meeting: {day(held)} is not in the {term} term. Check the day and the term."
        )


@rule("graded-own-work", source="A PEP is not graded by whoever recorded it; " + PRACTICE, severity="warns")
def graded_own_work(case: Case) -> Iterator[Found]:
    """Whoever recorded the PEP does not grade it."""
    reviewer = case.value("quality", "reviewer")
    if reviewer and reviewer == case.value("meeting", "recorder"):
        yield Found(("quality", "reviewer"), "Quality: whoever recorded this PEP does not grade it. Ask somebody else.")


@rule("changed-since-sign-off", source="Digest of what was signed (RFC 8785, SHA-256)")
def changed_since_sign_off(case: Case) -> Iterator[Found]:
    """Whoever signed, signed this PEP: nothing has been changed since."""
    signed = [(at, row) for at, row in case.rows("sign_offs") if isinstance(row.get("digest"), str)]
    # Where the schema refused something, that comes first: putting it right may also bring the digest back.
    if not signed or case.refused:
        return
    digest = pep_digest(case.given)
    stale = [(at, row) for at, row in signed if row["digest"] != digest]
    if stale:
        who = listing([f"{row.get('name', 'somebody')} signed{_on(row)}" for _, row in stale])
        message = f"Changed since {who}. Undo the change, or ask those who signed to sign again."
        yield Found(("sign_offs", stale[0][0], "digest"), message)


def _on(row: dict[str, Any]) -> str:
    signed = _signed_on(row)
    return f" on {signed.day} {day(signed).split()[1]}" if signed else ""


def _signed_on(row: dict[str, Any]) -> date | None:
    """The day of a sign-off where it was signed."""
    at = row.get("at")
    return datetime.fromisoformat(at).astimezone(LONDON).date() if isinstance(at, str) else None


@rule("signed-before-meeting", source=PRACTICE)
def signed_before_meeting(case: Case) -> Iterator[Found]:
    """Nobody signs before the meeting was held."""
    held = case.day("meeting", "date")
    for position, row in case.rows("sign_offs"):
        signed = _signed_on(row)
        if held and signed and signed < held:
            where = ("sign_offs", position, "at")
            message = (
                f"{case.place(*where[:2])}: signed on {day(signed)}, before the meeting of {day(held)}. Sign again."
            )
            yield Found(where, message)


@rule("not-signed-off", source="The authority’s profile: required sign-offs", stage="record")
def not_signed_off(case: Case) -> Iterator[Found]:
    """Everyone who must sign has signed, or the deputy in their stead."""
    signed = {row.get("role") for _, row in case.rows("sign_offs")}
    field = case.schema.at(["sign_offs", 0, "role"])
    for role in case.profile.sign_off_required:
        if role not in signed and case.profile.sign_off_deputy not in signed:
            title = field.labels[role] if field else role
            yield Found(("sign_offs",), f"Sign-offs: the {title} has not signed this PEP. Ask them to sign it.")


@rule("next-meeting-far-off", source=f"{LAW}; a PEP each term", severity="warns", warns_before=True)
def next_meeting_far_off(case: Case) -> Iterator[Found]:
    """The next meeting is by the end of next term."""
    held, following = case.day("meeting", "date"), case.day("meeting", "next_date")
    if held and following and following - held > timedelta(days=240):
        message = f"Next meeting: {day(following)} is more than a term away. There is a PEP every term."
        yield Found(("meeting", "next_date"), message)
