"""What every part of the hand-over needs of the register's rows."""

import datetime as dt
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pepforms import naming
from pepforms.archive import manifest
from pepforms.errors import Refused
from pepforms.register import audit
from pepforms.register.tables import Delivery, Fields, Receipt, Record


def of_term(asked: tuple[str, str]) -> sa.ColumnElement[bool]:
    """Which records are of that term: their file names say it, also where the PEP itself is not in the register."""
    known_as = naming.term({"pep": {"academic_year": asked[0], "term": asked[1]}})
    filename: sa.ColumnElement[str] = Record.row["filename"].as_string()
    return filename.contains(f"_PEP_{known_as}_", autoescape=True)


def listed(record: Record) -> manifest.Row:
    """The record's row of the manifest."""
    return manifest.Row(**record.row)


def record(session: Session, named: str) -> Record:
    """The record of that file name, or whose SHA-256 begins so; Refused where none is meant, or more than one."""
    by_name = Record.row["filename"].as_string() == f"{named.removesuffix('.pdf')}.pdf"
    by_digest = Record.sha256.startswith(named) if re.fullmatch("[0-9a-f]{8,64}", named) else sa.false()
    found = session.scalars(sa.select(Record).where(by_name | by_digest)).all()
    if not found:
        raise Refused(
            "The register has no such record. Give the name of its file, or eight characters or more of its SHA-256, "
            "as pepforms deliver status shows them.",
            slug="no-such-record",
        )
    if len(found) > 1:
        digests = ", ".join(sorted(each.sha256[:16] for each in found))
        raise Refused(f"{len(found)} records are called that. Give the SHA-256 of one: {digests}.", slug="which-record")
    return found[0]


def without_delivery(destination: str) -> sa.Select[Record]:
    """The records that are to go to that destination and have no delivery there yet.

    What was withdrawn anywhere goes nowhere else, and neither does what is confirmed: LCS has it.
    """
    there = sa.select(Delivery).where(
        Delivery.record_sha256 == Record.sha256,
        (Delivery.destination == destination) | Delivery.state.in_(("withdrawn", "confirmed")),
    )
    return sa.select(Record).where(~there.exists()).order_by(Record.filed_at, Record.sha256)


def prepared(session: Session, record: Record, destination: str, *, by: str) -> Delivery:
    """The delivery of a record to a destination, planned now."""
    now = dt.datetime.now(dt.UTC)
    delivery = Delivery(
        record_sha256=record.sha256,
        destination=destination,
        state="prepared",
        attempts=0,
        prepared_at=now,
        next_try_at=now,
    )
    session.add(delivery)
    session.flush()
    written(session, delivery, "delivery-prepared", by=by)
    return delivery


MAY_BE_THERE = "may_be_there"
"""The key in a delivery's `problem` that says whether a try that was not answered may have brought the file there."""


def may_be_there(delivery: Delivery) -> bool:
    """Whether a try may have brought the file there without a receipt, or a part of it."""
    return bool((delivery.problem or {}).get(MAY_BE_THERE, delivery.attempts > 0))


def became_known(
    session: Session, delivery: Delivery, state: str, *, by: str, sha256: str | None = None, said: Fields | None = None
) -> None:
    """A receipt of what became known of a delivery, and the same in the audit."""
    session.add(
        Receipt(delivery_id=delivery.id, state=state, at=dt.datetime.now(dt.UTC), by=by, sha256=sha256, said=said)
    )
    written(session, delivery, f"delivery-{state}", by=by, **(said or {}))


def written(session: Session, delivery: Delivery, action: str, *, by: str, **about: Any) -> None:
    """What was done to a delivery, in the audit."""
    detail = {"destination": delivery.destination, "sha256": delivery.record_sha256, **about}
    audit.append(session, by, action, f"delivery {delivery.id}", detail)
