"""What people say of deliveries, and LCS's own list: tried again, confirmed, withdrawn, deleted there."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pepforms.deliver import confirmations
from pepforms.errors import Refused
from pepforms.handover import rows
from pepforms.register import audit
from pepforms.register.store import Register
from pepforms.register.tables import Delivery, Receipt, Record

NOTHING_THERE = "nothing was delivered"
"""What stands for the reference of a deletion where nothing had gone there yet."""
_WITHDRAWN = "The record was withdrawn, and LCS still has it. Have it deleted there."
BY_HAND = "by hand"
"""The destination of a record of which something is said before it was planned for any: no setting names one so."""
_LONGEST = 120
"""Characters of a reference: the register has room for no more."""


def retry(register: Register, ids: Collection[int] = (), *, by: str) -> int:
    """Have these deliveries tried again at once, or every one that was given up or waits; how many."""
    waiting = sa.select(Delivery).where(Delivery.state.in_(("dead", "prepared"))).order_by(Delivery.id)
    with register.writing() as session:
        audit.lock(session)
        now = _now()
        found = [row for row in session.scalars(waiting) if row.id in ids or (not ids and _waits(row, now))]
        if missing := set(ids) - {row.id for row in found}:
            raise Refused(
                f"Nothing to try again: {', '.join(map(str, sorted(missing)))}. See pepforms deliver status for the "
                "deliveries that wait or were given up.",
                slug="no-such-delivery",
            )
        for delivery in found:
            if delivery.state == "dead":
                delivery.state, delivery.attempts = "prepared", 0
            delivery.next_try_at = now
            rows.written(session, delivery, "delivery-retried", by=by)
    return len(found)


def _waits(delivery: Delivery, now: dt.datetime) -> bool:
    return delivery.state == "dead" or delivery.next_try_at is None or delivery.next_try_at > now


def confirm(register: Register, record: str, reference: str, *, by: str) -> str:
    """Write down that somebody saw a record on the child's file in LCS, under that reference; the record's file name.

    Whoever confirms it again corrects the reference; the receipts keep the one before.
    """
    _refuse_no_reference(reference)
    with register.writing() as session:
        audit.lock(session)
        found = rows.record(session, record)
        deliveries = _of(session, found, by=by)
        _refuse_withdrawn(deliveries)
        for delivery in deliveries:
            if (delivery.state, delivery.lcs_reference) != ("confirmed", reference):
                _confirmed(session, delivery, reference, by=by)
        return rows.listed(found).filename


def _confirmed(session: Session, delivery: Delivery, reference: str, *, by: str, said: str | None = None) -> None:
    delivery.state, delivery.lcs_reference = "confirmed", reference
    delivery.confirmed_by, delivery.confirmed_at = by, _now()
    delivery.next_try_at = delivery.problem = None
    more = {"since": said} if said else {}
    rows.became_known(session, delivery, "confirmed", by=by, said={"reference": reference, **more})


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a list of LCS's came to: how many records it confirms anew, how many were before, and the other rows."""

    confirmed: int
    before: int
    others: Sequence[tuple[int, str, bool]]
    """The number of the row, why, and whether a person must look: it may be of ours."""


def confirm_listed(register: Register, read: Iterable[confirmations.Row], digest: str, *, by: str) -> Agreed:
    """Confirm every record that a row of LCS's list means without doubt; `digest` is the list's."""
    with register.writing() as session:
        audit.lock(session)
        kept = {record.sha256: record for record in session.scalars(sa.select(Record))}
        confirmed, before, others = 0, 0, list[tuple[int, str, bool]]()
        for match in confirmations.match(read, [rows.listed(record) for record in kept.values()]):
            if match.outcome != "matched":
                others.append((match.row.row, match.reason, bool(match.records)))
                continue
            record = kept[match.records[0].sha256]
            deliveries = _of(session, record, by=by)
            if all(delivery.state == "withdrawn" for delivery in deliveries):
                others.append((match.row.row, _WITHDRAWN, True))
                continue
            new = [row for row in deliveries if row.state not in ("confirmed", "withdrawn")]
            since = match.row.confirmed_at.isoformat() if match.row.confirmed_at else None
            for delivery in new:
                _confirmed(session, delivery, f"list {digest[:16]} row {match.row.row}", by=by, said=since)
            confirmed, before = confirmed + bool(new), before + (not new)
        audit.append(
            session, by, "list-matched", f"list {digest[:16]}", {"confirmed": confirmed, "others": len(others)}
        )
    return Agreed(confirmed, before, tuple(others))


def withdraw(register: Register, record: str, reason: str, *, by: str) -> tuple[str, int]:
    """Take a record back: it is delivered nowhere any more. Its file name, and how many places must delete theirs."""
    if not reason.strip():
        raise Refused("Say why the record is withdrawn, without a child's name.", slug="no-reason")
    with register.writing() as session:
        audit.lock(session)
        found, to_delete = rows.record(session, record), 0
        for delivery in _of(session, found, by=by):
            if delivery.state == "withdrawn":
                continue
            never_sent = not rows.may_be_there(delivery) and not _has_been_there(session, delivery)
            delivery.state, delivery.next_try_at = "withdrawn", None
            delivery.withdrawn_by, delivery.withdrawn_at, delivery.withdrawn_because = by, _now(), reason
            delivery.deletion_reference = NOTHING_THERE if never_sent else None
            to_delete += not never_sent
            rows.became_known(session, delivery, "withdrawn", by=by)
        return rows.listed(found).filename, to_delete


def withdrawn(register: Register, record: str, reference: str, *, by: str) -> str:
    """Write down that a destination has deleted a withdrawn record, as it says under that reference; its file name."""
    _refuse_no_reference(reference)
    with register.writing() as session:
        audit.lock(session)
        found = rows.record(session, record)
        deliveries = [delivery for delivery in _all_of(session, found) if delivery.state == "withdrawn"]
        if not deliveries:
            raise Refused("That record is not withdrawn. Say pepforms deliver withdraw first.", slug="not-withdrawn")
        for delivery in deliveries:
            if delivery.deletion_reference not in (reference, NOTHING_THERE):
                delivery.deletion_reference = reference
                rows.became_known(session, delivery, "deleted", by=by, said={"reference": reference})
        return rows.listed(found).filename


def _of(session: Session, record: Record, *, by: str) -> Sequence[Delivery]:
    """The deliveries of a record; where it has none, one that carries what is said of it, so that none follows."""
    return _all_of(session, record) or [rows.prepared(session, record, BY_HAND, by=by)]


def _has_been_there(session: Session, delivery: Delivery) -> bool:
    seen = sa.select(Receipt).where(Receipt.delivery_id == delivery.id, Receipt.state.in_(("delivered", "confirmed")))
    return session.scalars(seen).first() is not None


def _all_of(session: Session, record: Record) -> Sequence[Delivery]:
    deliveries = sa.select(Delivery).where(Delivery.record_sha256 == record.sha256).order_by(Delivery.id)
    return session.scalars(deliveries.with_for_update()).all()


def _refuse_no_reference(reference: str) -> None:
    if not 0 < len(reference.strip()) <= _LONGEST:
        raise Refused(f"A reference has from 1 to {_LONGEST} characters: copy it from LCS.", slug="bad-reference")


def _refuse_withdrawn(deliveries: Sequence[Delivery]) -> None:
    if any(delivery.state == "withdrawn" for delivery in deliveries):
        raise Refused(
            "That record was withdrawn. If LCS still has it, have it deleted there and say pepforms deliver withdrawn.",
            slug="was-withdrawn",
        )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
