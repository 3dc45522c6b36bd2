"""What the audit says was done, for the check to hold the rows against: what it names must still be there as it was."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from pepforms.register import legible, peps
from pepforms.register.tables import Audit, Delivery, Document, Receipt, Record, Revision

RESTORE = "Restore a backup."
ASK = "Ask who edited it, or restore a backup."
_WHILE = dt.timedelta(minutes=10)
"""How far apart a row and its entry in the audit may be: they are written in one transaction."""
_MADE = ("document-made", "document-made-again")
_NO_RECEIPT = ("prepared", "retried")


@dataclass(slots=True)
class _Sent:
    """How a delivery stands, as the audit tells it."""

    destination: Any
    sha256: Any
    state: str = "prepared"
    reference: Any = None
    confirmed_by: str | None = None
    withdrawn_by: str | None = None

    def goes_on(self, what: str, entry: Audit) -> None:
        """The next thing that became known of it, or was done to it."""
        if what == "confirmed":
            self.state, self.reference, self.confirmed_by = what, entry.detail.get("reference"), entry.actor
        elif what == "withdrawn":
            self.state, self.withdrawn_by = what, entry.actor
        elif what == "dead":
            self.state = what
        elif what == "retried" and self.state == "dead":
            self.state = "prepared"
        elif what == "delivered" and self.state in ("prepared", "dead"):
            self.state = what


@dataclass(slots=True)
class Trail:
    """All that the audit says of the rows. What a row was held against is taken out; what is left, the register lacks.

    `files` are the SHA-256 of each record and document that the audit knows.
    """

    signed: dict[str, Any] = field(default_factory=dict)
    files: set[Any] = field(default_factory=set)
    _states: dict[tuple[str, Any], tuple[Any, Any, str, dt.datetime, int]] = field(default_factory=dict)
    _records: dict[Any, tuple[str, dict[str, Any], int]] = field(default_factory=dict)
    _documents: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)
    _deliveries: dict[str, _Sent] = field(default_factory=dict)
    _receipts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def revision(self, row: Revision) -> Iterator[str]:
        """What is wrong with a state of a PEP."""
        entry = self._states.pop((peps.subject(row), row.number), None)
        if entry is None or entry[0] != row.sha256:
            yield f"the audit does not know it. {ASK}"
            return
        _, digest, actor, at, number = entry
        if digest != row.digest:
            yield f"its digest is not the one in row {number} of the audit. {ASK}"
        if row.by != actor:
            yield f"who kept it is not whom row {number} of the audit names. {ASK}"
        if abs(row.at - at) > _WHILE:
            yield f"when it was kept is not what row {number} of the audit says. {ASK}"

    def record(self, row: Record) -> Iterator[str]:
        """What is wrong with the row of a record."""
        subject, detail, number = self._records.pop(row.sha256, ("", {}, 0))
        mine = f"{row.pep_id} version {row.version}"
        about = f"The record of {mine}"
        if not number:
            yield f"{about}: the audit does not know it. {ASK}"
            return
        if subject != mine:
            yield f"{about}: row {number} of the audit says that it is that of {subject}. {ASK}"
        if detail.get("supersedes") != row.supersedes:
            yield f"{about}: which record it supersedes is not what row {number} of the audit says. {ASK}"
        if sorted(row.beside.values()) != detail.get("beside", sorted(row.beside.values())):
            yield f"{about}: what lies beside it is not what row {number} of the audit says. {ASK}"

    def document(self, row: Document) -> Iterator[str]:
        """What is wrong with the row of a copy."""
        detail, number = self._documents.pop(row.identity, ({}, 0))
        told = ("sha256", "form", "audience", "revision_id")
        about = f"Document {row.identity[:16]}"
        if not number:
            yield f"{about}: the audit does not know it. {ASK}"
        elif wrong := [name for name in told if detail.get(name) != getattr(row, name)]:
            yield f"{about}: {', '.join(wrong)} is not what row {number} of the audit says. {ASK}"

    def delivery(self, row: Delivery) -> Iterator[str]:
        """What is wrong with the row of a delivery."""
        about = f"Delivery {row.id}"
        sent = self._deliveries.pop(f"delivery {row.id}", None)
        if sent is None:
            yield f"{about}: the audit does not know it. {ASK}"
            return
        if (row.destination, row.record_sha256) != (sent.destination, sent.sha256):
            yield f"{about}: the audit says that it is another record’s, or goes elsewhere. {ASK}"
        if row.state != sent.state:
            yield f"{about}: its row says {row.state}, and by the audit it is {sent.state}. {ASK}"
        if (row.lcs_reference, row.confirmed_by) != (sent.reference, sent.confirmed_by):
            yield f"{about}: the audit says otherwise who confirmed it, or under which reference. {ASK}"
        if row.withdrawn_by != sent.withdrawn_by:
            yield f"{about}: the audit says otherwise who withdrew it. {ASK}"

    def receipt(self, row: Receipt) -> Iterator[str]:
        """Count a receipt against the audit's; what comes of that, `lost` tells."""
        self._receipts[f"delivery {row.delivery_id}", row.state, row.by] -= 1
        yield from ()

    def lost(self) -> Iterator[str]:
        """A sentence for each thing that the audit names and that no row was held against."""
        for (subject, number), (*_, entry) in self._states.items():
            yield f"PEP {subject} lacks a revision: number {number}, which row {entry} of the audit names. {RESTORE}"
        for subject, _, entry in self._records.values():
            yield f"The record of {subject} that row {entry} of the audit names is not there. {RESTORE}"
        for identity, (_, entry) in self._documents.items():
            yield f"Document {identity[:16]}, which row {entry} of the audit names, is not there. {RESTORE}"
        for subject in self._deliveries:
            yield f"{subject.capitalize()}, which the audit names, is not there. {RESTORE}"
        for subject, count in _by_delivery(self._receipts).items():
            yield f"{subject.capitalize()}: {count} of its receipts are not those of the audit. {ASK}"

    def follow(self, entry: Audit) -> None:
        """Take in one row of the audit."""
        detail, number = entry.detail, entry.sequence
        if entry.action == peps.KEPT:
            known = (detail.get("sha256"), detail.get("digest"), entry.actor, entry.at, number)
            self._states[entry.subject, detail.get("revision")] = known
        elif entry.action == peps.SIGNED:
            self.signed[entry.subject] = detail.get("digest")
        elif entry.action == "record-kept":
            self._records[detail.get("sha256")] = entry.subject, detail, number
            self.files.add(detail.get("sha256"))
        elif entry.action in _MADE:
            before, _ = self._documents.get(entry.subject, ({}, 0))
            self._documents[entry.subject] = detail, number
            self.files.discard(before.get("sha256"))
            self.files.add(detail.get("sha256"))
        elif entry.action.startswith("delivery-"):
            self._sent(entry, entry.action.removeprefix("delivery-"))

    def _sent(self, entry: Audit, what: str) -> None:
        new = _Sent(entry.detail.get("destination"), entry.detail.get("sha256"))
        self._deliveries.setdefault(entry.subject, new).goes_on(what, entry)
        if what not in _NO_RECEIPT:
            self._receipts[entry.subject, what, entry.actor] += 1


def read(session: Session) -> Trail:
    """The whole audit followed; what of it cannot be read is the fault of the audit, which tells it itself."""
    trail = Trail()
    for _, entry in legible.rows(session, Audit):
        if entry is not None:
            with contextlib.suppress(*legible.UNREADABLE):
                trail.follow(entry)
    return trail


def _by_delivery(receipts: Counter[tuple[str, str, str]]) -> Counter[str]:
    missing: Counter[str] = Counter()
    for (subject, _, _), count in receipts.items():
        if count:
            missing[subject] += abs(count)
    return missing
