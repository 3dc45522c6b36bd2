"""The audit: an append-only list of what was done, each row's hash over its content and the hash before it."""

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from pepforms.digest import canonical, sha256
from pepforms.errors import Misconfigured
from pepforms.register import legible
from pepforms.register.tables import Audit, AuditHead

BEGINNING = "0" * 64
"""What the first row has for the hash before it."""


def lock(session: Session) -> AuditHead:
    """Take the audit's turn until the transaction ends: whoever else would write to the register waits."""
    head = session.get(AuditHead, 1, with_for_update=True, populate_existing=True)
    if head is None:
        raise Misconfigured(
            "The register does not say where its audit ends, so nothing can be written into it. Restore a backup.",
            slug="damaged-register",
        )
    return head


def append(session: Session, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> Audit:
    """Write down that `actor` (an OS user, or whoever was named) did `action` to `subject`.

    Ids, digests and counts only: nothing of a child's data belongs into the audit.
    """
    head = lock(session)
    row = Audit(
        sequence=head.sequence + 1,
        at=dt.datetime.now(dt.UTC),
        actor=actor,
        action=action,
        subject=subject,
        detail=dict(detail or {}),
        previous=head.hash,
    )
    row.hash = _hash(row)
    head.sequence, head.hash = row.sequence, row.hash
    session.add(row)
    session.flush()
    return row


def faults(session: Session) -> Iterator[str]:
    """A sentence for each row that was edited, removed or put in between."""
    expected = 1
    previous: str | None = BEGINNING
    for about, row in legible.rows(session, Audit):
        if row is None:
            yield legible.unreadable(about)
            expected, previous = expected + 1, None
            continue
        if row.sequence != expected:
            yield f"Audit: row {expected} is missing; row {row.sequence} comes after row {expected - 1}."
        elif previous not in (None, row.previous):
            yield f"Audit: row {row.sequence} does not follow from the row before it."
        yield from legible.faults(about, functools.partial(_changed, row))
        expected, previous = row.sequence + 1, row.hash
    head = session.get(AuditHead, 1)
    if head is None:
        yield "Audit: where it ends is not written down any more. Restore a backup."
    elif head.sequence != expected - 1 or previous not in (None, head.hash):
        yield f"Audit: it ends with row {expected - 1}, which is not the last that was written."


def _changed(row: Audit) -> Iterator[str]:
    if row.hash != _hash(row):
        yield f"Audit: row {row.sequence} was changed after it was written."


def _hash(row: Audit) -> str:
    content = {
        "sequence": row.sequence,
        "at": row.at.astimezone(dt.UTC).isoformat(),
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "detail": row.detail,
    }
    return sha256(row.previous.encode() + canonical(content))
