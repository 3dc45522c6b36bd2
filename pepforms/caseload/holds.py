"""What keeps a copy from leaving: what the newest weekly list knows and the PEP does not.

The list can only tighten. The full copy and the record stay with the authority, so a child who moved or ceased to be
looked after still has the PEP finished and filed.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from pepforms import days
from pepforms.caseload import lists
from pepforms.caseload.changes import ADOPTION, Standing
from pepforms.caseload.facts import TITLES, School, schools_of
from pepforms.check.words import day, listing
from pepforms.digest import pep_digest
from pepforms.errors import Refused
from pepforms.model import Audience, Pep
from pepforms.register import audit
from pepforms.register.store import Register
from pepforms.register.tables import Hold

_REMAND = ("J1", "J2", "J3")
_NEEDED = {"legal_status", "placement_type", "placement_start", "confidential", "restricted", "ceased_on"}
"""Facts that must be clear before any copy leaves; before a school's the three of the school, too."""


class Reason(NamedTuple):
    """Why a copy waits: a slug, and a sentence that names no child."""

    reason: str
    message: str


def held(session: Session, subject: int | str, pep: Pep, audience: Audience, today: dt.date) -> Reason | None:
    """Why a copy of a PEP must wait for a person, by the lists up to today; None where it may go.

    The gravest reason gives the slug, all of them the sentence. `subject` is the item of a batch (its number), a copy
    by its identity, or a PEP by its reference: what somebody has released there (`Hold`) does not wait again for the
    very same.
    """
    found = lists.standing(session, pep, today)
    if found is None:
        return None
    number, now = found
    reasons = list(_of_the_record(pep, number) if audience == "authority" else _of_a_copy(pep, now, audience, today))
    if not reasons:
        return None
    together = Reason(reasons[0].reason, " ".join(each.message for each in reasons))
    return None if _is_released(session, subject, together) else together


def refuse_held(register: Register, pep: Pep, audience: Audience, *, released_by: str | None = None) -> None:
    """Refused where the lists speak against a copy, unless a person releases it: the audit then keeps their name."""
    with register.reading() as session:
        found = held(session, pep["pep"]["id"], pep, audience, days.today())
    if found is None:
        return
    if released_by is None:
        raise Refused(f"{found.message} Once you have made sure, say --released-by and your name.", slug=found.reason)
    subject = f"{pep['pep']['id']} version {pep['pep']['version']}"
    about = {"audience": audience, "reason": found.reason, "digest": pep_digest(pep)}
    with register.writing() as session:
        audit.append(session, released_by, "copy-released", subject, about)


def confidential(session: Session, pep: Pep, today: dt.date) -> bool:
    """Whether the lists up to today say that the placement is confidential: a copy can be made stricter by it."""
    found = lists.standing(session, pep, today)
    return found is not None and found[1].facts.yes("confidential")


def _is_released(session: Session, subject: int | str, reason: Reason) -> bool:
    """Whether somebody has looked at this and let it go; another move, or a later one, is another sentence."""
    of_it = Hold.item_id == subject if isinstance(subject, int) else Hold.copy == subject
    same = (Hold.reason == reason.reason, Hold.message == reason.message)
    return session.scalar(select(Hold.id).where(of_it, *same, Hold.released_at.is_not(None)).limit(1)) is not None


def _of_the_record(pep: Pep, number: str) -> Iterator[Reason]:
    known, _ = lists.numbers_of(pep)
    if known and known != number:
        yield Reason(
            "number-joined",
            f"LCS has joined the number {known} into {number}: a record under the old number would lie on no child’s "
            "file. Give the PEP the new number, with the old one as the former, and have that version signed; or "
            "release it where LCS still takes the old number.",
        )


def _of_a_copy(pep: Pep, now: Standing, audience: Audience, today: dt.date) -> Iterator[Reason]:
    """The reasons, the gravest first."""
    yield from _unclear(now, audience)
    yield from _graver_now(pep, now)
    yield from _ceased(pep, now, today)
    if audience == "school":
        yield from _other_school(pep, now)
    yield from _moved(pep, now)


def _unclear(now: Standing, audience: Audience) -> Iterator[Reason]:
    needed = _NEEDED | {name for name in TITLES if name.startswith("school_") and audience == "school"}
    if unclear := [f"“{TITLES[name]}”" for name in now.facts.unclear if name in needed]:
        yield Reason(
            "list-unclear",
            f"What the weekly list says of this child under {listing(unclear)} contradicts itself or cannot be read. "
            "Ask the social worker to put LCS right, and import the next list.",
        )


def _graver_now(pep: Pep, now: Standing) -> Iterator[Reason]:
    """What protects the child now and the PEP does not know of."""
    facts, care = now.facts, _under(pep, "care")
    placement = _under(pep, "care", "placement")
    if facts.yes("restricted"):
        yield Reason(
            "restricted",
            "The child’s record in LCS is restricted. Ask the social worker whether this copy may go to its reader.",
        )
    if facts.text("placement_type") in ADOPTION and placement.get("type") not in ADOPTION:
        yield Reason(
            "placed-for-adoption",
            "The child is placed for adoption now, which the PEP does not know. Ask the social worker who may still "
            "have a copy.",
        )
    if facts.text("legal_status") in _REMAND and care.get("legal_status") not in _REMAND:
        yield Reason("remanded", "The child is on remand now, which the PEP does not know. Ask the social worker.")
    if facts.yes("confidential") and placement.get("confidential") is not True:
        yield Reason(
            "confidential",
            "The placement is confidential now, which the PEP does not know. Make the copy anew with --confidential, "
            "and have the social worker look at it.",
        )


def _ceased(pep: Pep, now: Standing, today: dt.date) -> Iterator[Reason]:
    ended, said = now.ended(today), days.said(pep, "care", "ceased_on")
    if ended and not (said and said <= today):
        when = f"since {day(ended)}" if now.facts.day("ceased_on") else f"by the list of {day(ended)}"
        yield Reason(
            "ceased",
            f"The child is not looked after any more, {when}. The PEP is still finished and filed; ask the social "
            "worker who may have a copy.",
        )


def _other_school(pep: Pep, now: Standing) -> Iterator[Reason]:
    """A school that is not the child's any more gets nothing later than the day on which the child left."""
    left, met = left_school(pep, now), days.said(pep, "meeting", "date")
    if left and (met is None or met >= left):
        yield Reason(
            "left-school",
            f"By the list of {day(left)} the child is not at the school that this PEP names, which gets nothing later "
            "than that. Correct the school in the PEP, and make the copy for the school where the child is.",
        )
    elif left:
        yield Reason(
            "changed-school",
            f"By the list of {day(left)} the child has left the school that this PEP names, since its meeting. Decide "
            "whether that school still needs the copy; send the new one its own.",
        )


def left_school(pep: Pep, now: Standing) -> dt.date | None:
    """The day of the first list since which the child is surely at none of the schools of a PEP."""
    theirs, there = schools_of(pep), now.facts.school

    def elsewhere(listed: School) -> bool:
        return all(listed.same(school) is False for school in theirs)

    earlier = list(reversed(now.earlier_schools))
    if not theirs or not (elsewhere(there) if there else earlier):
        return None
    others = list(takewhile(lambda each: elsewhere(each[0]), earlier))
    if len(others) < len(earlier):
        return earlier[len(others)][1]
    return now.first_seen


def _moved(pep: Pep, now: Standing) -> Iterator[Reason]:
    if when := moved(pep, now):
        yield Reason(
            "moved",
            f"The child moved {when}, which the PEP does not know: whom to ring, who may collect and where the child "
            "lives may be wrong in it. Ask the social worker, and correct the PEP.",
        )


def moved(pep: Pep, now: Standing) -> str | None:
    """When the child moved home without the PEP's knowing, in words; None where the PEP has the home of now."""
    began, met = now.facts.day("placement_start"), days.said(pep, "meeting", "date")
    known, seen = days.said(pep, "care", "placement", "start") or met, now.changed.get("moved")
    if began and known:
        return f"on {day(began)}" if began > known else None
    return f"by the list of {day(seen)}" if seen and met and seen > met else None


def _under(pep: Pep, *way: str) -> Mapping[str, Any]:
    found: Any = pep
    for step in way:
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
