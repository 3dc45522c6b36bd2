"""Rules about the days of the meetings, and about the sign-offs."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from pepforms.check.rules import LAW, PRACTICE, Case, Found, rule
from pepforms.check.words import day, listing
from pepforms.days import LONDON
from pepforms.digest import pep_digest


@rule("meeting-outside-year", source=PRACTICE, warns_before=True)
def meeting_outside_year(case: Case) -> Iterator[Found]:
    """The meeting lies in the academic year of the PEP (1 September to 31 August)."""
    held, year = case.day("meeting", "date"), case.value("pep", "academic_year")
    if held and isinstance(year, str) and _outside(year, held):
        message = f"The meeting: {day(held)} is not in the academic year {year}. Correct the day or the year."
        yield Found(("meeting", "date"), message)


def _outside(academic_year: str, held: date) -> bool:
    return held.year - (held.month < 9) != int(academic_year[:4])


@rule("meeting-outside-term", source="The authority’s profile: term dates", explainable=True, warns_before=True)
def meeting_outside_term(case: Case) -> Iterator[Found]:
    """The meeting lies in the term of the PEP; where the profile does not know its days, the months only warn."""
    held, term, year = case.day("meeting", "date"), case.text("pep", "term"), case.text("pep", "academic_year")
    if not (held and term and year) or _outside(year, held):
        return
    days = case.profile.term(year, term)
    if days and not days[0] <= held <= days[1]:
        between = f"the {term} term of {year} runs from {day(days[0])} to {day(days[1])}"
        message = f"The meeting: {day(held)} is outside its term ({between}). Correct the day or the term"
        yield Found(("meeting", "date"), f"{message}, or explain it under Exceptions.")
    elif not days and held.month not in _MONTHS[term]:
        message = f"The meeting: {day(held)} is not in the {term} term. Check the day and the term."
        yield Found(("meeting", "date"), message, "warns", explainable=False)


_MONTHS = {"autumn": (9, 10, 11, 12), "spring": (1, 2, 3, 4), "summer": (4, 5, 6, 7, 8)}


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
    signed = signed_on(row)
    return f" on {signed.day} {day(signed).split()[1]}" if signed else ""


def signed_on(row: dict[str, Any]) -> date | None:
    """The day of a sign-off where it was signed."""
    at = row.get("at")
    return datetime.fromisoformat(at).astimezone(LONDON).date() if isinstance(at, str) else None


@rule("signed-before-meeting", source=PRACTICE)
def signed_before_meeting(case: Case) -> Iterator[Found]:
    """Nobody signs before the meeting was held."""
    held = case.day("meeting", "date")
    for position, row in case.rows("sign_offs"):
        signed = signed_on(row)
        if held and signed and signed < held:
            where = ("sign_offs", position, "at")
            message = (
                f"{case.place(*where[:2])}: signed on {day(signed)}, before the meeting of {day(held)}. Sign again."
            )
            yield Found(where, message)


@rule("not-signed-off", source="The authority’s profile: required sign-offs", stage="record")
def not_signed_off(case: Case) -> Iterator[Found]:
    """Everyone who must sign has signed, or the deputy in their stead."""
    for role in case.profile.unsigned(case.accepted):
        title = case.profile.called(role, case.accepted)
        yield Found(("sign_offs",), f"Sign-offs: the {title} has not signed this PEP. Ask them to sign it.")


@rule("next-meeting-late", source=f"{LAW}; a PEP each term", explainable=True, warns_before=True)
def next_meeting_late(case: Case) -> Iterator[Found]:
    """The next meeting is by the end of next term; where the profile does not know that day, a far one only warns."""
    held, following = case.day("meeting", "date"), case.day("meeting", "next_date")
    if not (held and following):
        return
    end = _end_of_next_term(case)
    if end and following > end:
        message = f"Next meeting: {day(following)} is after the end of next term ({day(end)}). Bring it forward"
        yield Found(("meeting", "next_date"), f"{message}, or explain it under Exceptions.")
    elif not end and following - held > timedelta(days=240):
        message = f"Next meeting: {day(following)} is more than a term away. There is a PEP every term."
        yield Found(("meeting", "next_date"), message, "warns", explainable=False)


def _end_of_next_term(case: Case) -> date | None:
    term = case.text("pep", "term")
    if case.year is None or term is None:
        return None
    names = tuple(_MONTHS)
    following = names[(names.index(term) + 1) % len(names)]
    year = case.year + (following == names[0])
    days = case.profile.term(f"{year}/{(year + 1) % 100:02d}", following)
    return days[1] if days else None
