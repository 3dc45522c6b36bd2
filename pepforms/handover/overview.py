"""How the hand-over stands: every delivery, and what is signed off and not confirmed."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from pepforms.handover import rows
from pepforms.register.store import Register
from pepforms.register.tables import Delivery, Record, Version

_FURTHEST = ("dead", "prepared", "delivered")
"""How far a record has come that goes to several places."""


@dataclass(frozen=True, slots=True)
class State:
    """How one delivery stands. `next_try` is when it is tried next, or taken up again if whoever sends it has died."""

    id: int
    record: str
    sha256: str
    destination: str
    state: str
    attempts: int
    next_try: dt.datetime | None
    problem: str
    prepared_at: dt.datetime
    delivered_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    confirmed_by: str
    lcs_reference: str
    withdrawn_at: dt.datetime | None
    withdrawn_because: str
    deletion_reference: str


def deliveries(register: Register, term: tuple[str, str] | None = None) -> list[State]:
    """Every delivery, or those of a term, by the name of the file."""
    query = sa.select(Delivery, Record).join(Record, Record.sha256 == Delivery.record_sha256)
    if term:
        query = query.where(rows.of_term(term))
    with register.reading() as session:
        found = [_state(delivery, rows.listed(record).filename) for delivery, record in session.execute(query)]
    return sorted(found, key=lambda each: (each.record, each.destination))


def _state(row: Delivery, name: str) -> State:
    return State(
        row.id,
        name,
        row.record_sha256,
        row.destination,
        row.state,
        row.attempts,
        row.next_try_at,
        str((row.problem or {}).get("message", "")),
        row.prepared_at,
        row.delivered_at,
        row.confirmed_at,
        row.confirmed_by or "",
        row.lcs_reference or "",
        row.withdrawn_at,
        row.withdrawn_because or "",
        row.deletion_reference or "",
    )


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A signed-off PEP of which nobody has said yet that it is on the child's file, and how far it has come."""

    lcs_person_id: str
    pep_id: str
    version: int
    meeting_date: str
    social_worker: str
    team: str
    state: str
    """`no record`, `not prepared`, or that of the delivery that has come furthest."""
    record: str


def unconfirmed(register: Register, term: tuple[str, str]) -> list[Unconfirmed]:
    """What of a term is signed off, here or elsewhere, and not confirmed: the newest version of each PEP."""
    with register.reading() as session:
        kept, versions = sa.select(Record).where(rows.of_term(term)), _signed(term)
        by_version = {
            (row.pep_id, row.version): row for row in session.scalars(kept.order_by(Record.filed_at, Record.sha256))
        }
        signed = {(row.pep_id, row.version): row for row in session.scalars(versions)}
        states: dict[str, set[str]] = {}
        for digest, state in session.execute(sa.select(Delivery.record_sha256, Delivery.state)):
            states.setdefault(digest, set()).add(state)
        every = {*by_version, *signed}
        newest = dict(sorted(every)).items()  # of each PEP the last version stays
        found = [_stands(key, signed.get(key), by_version.get(key), states) for key in newest]
    return sorted(
        (one for one in found if one), key=lambda one: (one.team, one.social_worker, one.lcs_person_id, one.pep_id)
    )


def _signed(term: tuple[str, str]) -> sa.Select[Version]:
    year, name = term
    return sa.select(Version).where(
        Version.academic_year == year, Version.term == name, Version.signed_digest.is_not(None)
    )


def _stands(
    key: tuple[str, int], version: Version | None, record: Record | None, states: dict[str, set[str]]
) -> Unconfirmed | None:
    if record is None:
        assert version is not None
        met = version.meeting_date.isoformat() if version.meeting_date else ""
        return Unconfirmed(version.lcs_person_id or "", *key, met, "", "", "no record", "")
    there = states.get(record.sha256, set())
    if "confirmed" in there:
        return None
    row, state = rows.listed(record), _furthest(there)
    return Unconfirmed(row.lcs_person_id, *key, row.meeting_date, row.social_worker, row.team, state, row.filename)


def _furthest(states: set[str]) -> str:
    known: Iterator[str] = (state for state in reversed(_FURTHEST) if state in states)
    return next(known, "withdrawn" if states else "not prepared")
