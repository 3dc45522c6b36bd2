"""What is due goes to its destination. Each delivery is claimed first, so that two who send at once share the work.

A claim counts as an attempt and moves the next try on: whoever dies on the way leaves a delivery that is taken up again
when the claim has expired. The destination then has the file or not, and says so: it never gets a second one.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from pepforms.archive.manifest import Row
from pepforms.deliver import Destination, Receipt, waits
from pepforms.deliver.destinations import Named
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, PepformsError, Unavailable, bug
from pepforms.handover import rows
from pepforms.register import audit, tables
from pepforms.register.store import Register
from pepforms.register.tables import Delivery, Record

CLAIM = dt.timedelta(minutes=10)
"""How long nobody else tries what somebody has begun to send."""
_WROTE_NOTHING = {
    "another-there",
    "arrived-damaged",
    "bad-name",
    "changed-since",
    "file-damaged",
    "file-missing",
    "files-away",
}
"""The slugs of a try after which nothing of ours lies there that was not there before; of any other it is not known."""
_IN_A_ROW = 3
"""So many failures one after the other, and the destination is left alone until the next run."""


@dataclass(frozen=True, slots=True)
class Went:
    """What came of one try: the file, by the name that it has there, and the error where it did not arrive."""

    name: str
    error: PepformsError | None


def prepare(register: Register, destination: str, *, by: str, term: tuple[str, str] | None = None) -> int:
    """Plan the delivery of every record that has none to that destination; how many those were.

    What was withdrawn or confirmed anywhere is delivered nowhere else.
    """
    wanted = rows.without_delivery(destination)
    if term:
        wanted = wanted.where(rows.of_term(term))
    with register.writing() as session:
        audit.lock(session)
        found = session.scalars(wanted).all()
        for record in found:
            rows.prepared(session, record, destination, by=by)
    return len(found)


def send(register: Register, named: Named, *, by: str, term: tuple[str, str] | None = None) -> Iterator[Went]:
    """Send all that is due to one destination, several over one connection, each once in a run.

    A destination that cannot be opened is told once, as one that went nowhere.
    """
    sender, in_a_row = _Sender(register, named, by, term, _now()), 0
    while sender.anything_is_due():
        with contextlib.ExitStack() as stack:
            try:
                destination = stack.enter_context(named.opened())
            except PepformsError as error:
                sender.none_went(error)
                yield Went(named.name, error)
                return
            for claim in sender.claims():
                error_of_one = sender.sent(claim, destination)
                yield Went(claim.name, error_of_one)
                in_a_row = in_a_row + 1 if isinstance(error_of_one, Unavailable) else 0
                if in_a_row == _IN_A_ROW:
                    return
                if isinstance(error_of_one, Misconfigured):  # the others in that folder would fare no better
                    sender.none_went(error_of_one, _folder(claim.name))
                if in_a_row:
                    break  # the connection may be lost: the next goes over a new one


@dataclass(frozen=True, slots=True)
class _Claim:
    """A delivery that is ours to try; `attempt` tells our claim from one that somebody else has made since."""

    delivery_id: int
    attempt: int
    name: str
    sha256: str
    may_be_there: bool
    """Whether a try before this one may have brought the file there."""


@dataclass(frozen=True, slots=True)
class _Sender:
    """One run over one destination: what was due when it began, each once."""

    register: Register
    named: Named
    by: str
    term: tuple[str, str] | None
    began: dt.datetime

    def anything_is_due(self) -> bool:
        """Whether there is something to open the destination for."""
        with self.register.reading() as session:
            return session.scalar(self._due().limit(1)) is not None

    def _due(self) -> sa.Select[Delivery]:
        due = (
            sa.select(Delivery)
            .join(Record, Record.sha256 == Delivery.record_sha256)
            .where(
                Delivery.destination == self.named.name,
                Delivery.state == "prepared",
                Delivery.next_try_at <= self.began,
            )
            .order_by(Delivery.next_try_at, Delivery.id)
        )
        return due.where(rows.of_term(self.term)) if self.term else due

    def claims(self) -> Iterator[_Claim]:
        """One after the other, claimed just before it is sent."""
        while claim := self._claim():
            yield claim

    def _claim(self) -> _Claim | None:
        with self.register.writing() as session:
            free = self._due().limit(1).with_for_update(of=Delivery, skip_locked=True)
            if (delivery := session.scalars(free).first()) is None:
                return None
            before = rows.may_be_there(delivery)
            delivery.problem = {
                **(delivery.problem or {}),
                rows.MAY_BE_THERE: True,
            }  # until whoever tries says otherwise
            delivery.attempts += 1
            delivery.next_try_at = _now() + CLAIM
            name = self._name(session, delivery)
            return _Claim(delivery.id, delivery.attempts, name, delivery.record_sha256, before)

    def _name(self, session: Session, delivery: Delivery) -> str:
        return _name_there(self.named, rows.listed(session.get_one(Record, delivery.record_sha256)))

    def sent(self, claim: _Claim, destination: Destination) -> PepformsError | None:
        """Send one and write down what came of it."""
        try:
            receipt = destination.put(claim.name, self.register.files.get(claim.sha256), sha256=claim.sha256)
        except PepformsError as error:
            self._failed(claim, error)
            return error
        except Exception as error:  # noqa: BLE001  one record's surprise must not stop the others, nor leave it claimed
            ours = bug(error)
            self._failed(claim, ours)
            return ours
        self._arrived(claim, receipt)
        return None

    def _arrived(self, claim: _Claim, receipt: Receipt) -> None:
        with self.register.writing() as session:
            delivery = _held(session, claim.delivery_id)
            if delivery.delivered_at:  # another run was faster
                return
            delivery.delivered_at = receipt.at
            if delivery.state in ("prepared", "dead"):  # or somebody has confirmed or withdrawn it meanwhile
                delivery.state, delivery.next_try_at, delivery.problem = "delivered", None, None
            said = {"name": receipt.name, "bytes": receipt.bytes, "sent": receipt.sent}
            rows.became_known(session, delivery, "delivered", by=self.by, sha256=receipt.sha256, said=said)

    def _failed(self, claim: _Claim, error: PepformsError) -> None:
        with self.register.writing() as session:
            delivery = _held(session, claim.delivery_id)
            if (delivery.state, delivery.attempts) == ("prepared", claim.attempt):
                may_be_there = claim.may_be_there or error.slug not in _WROTE_NOTHING
                self._put_off(session, delivery, error, may_be_there=may_be_there)

    def none_went(self, error: PepformsError, folder: str | None = None) -> None:
        """Put off all that is due, since the destination cannot be opened; or what is to go into one of its folders."""
        with self.register.writing() as session:
            audit.lock(session)
            for delivery in session.scalars(self._due().with_for_update(of=Delivery, skip_locked=True)):
                if folder is not None and _folder(self._name(session, delivery)) != folder:
                    continue
                may_be_there = rows.may_be_there(delivery)
                delivery.attempts += 1
                self._put_off(session, delivery, error, may_be_there=may_be_there)

    def _put_off(self, session: Session, delivery: Delivery, error: PepformsError, *, may_be_there: bool) -> None:
        """Later where nobody can help it, when they have where the operator must put it right; else it is dead."""
        is_new = (delivery.problem or {}).get("slug") != error.slug
        delivery.problem = {"slug": error.slug, "message": str(error), rows.MAY_BE_THERE: may_be_there}
        now = _now()
        if isinstance(error, Misconfigured):
            delivery.attempts -= 1
            delivery.next_try_at = now
        else:
            later = isinstance(error, Unavailable)
            delivery.next_try_at = waits.next_try(delivery.attempts, now, str(delivery.id)) if later else None
        if delivery.next_try_at is None:
            delivery.state = "dead"
            rows.became_known(session, delivery, "dead", by=self.by, said={"slug": error.slug})
        elif is_new:
            rows.became_known(session, delivery, "failed", by=self.by, said={"slug": error.slug})


def _name_there(named: Named, row: Row) -> str:
    return named.name_for(row.filename, social_worker=row.social_worker, team=row.team)


def _folder(name: str) -> str:
    """The folder in a destination that a file of that name goes into; empty where all goes into one."""
    return name.rpartition("/")[0]


def _held(session: Session, delivery_id: int) -> Delivery:
    """The delivery as it is now, nobody else's to change until the transaction ends."""
    audit.lock(session)
    return session.get_one(Delivery, delivery_id, with_for_update=True, populate_existing=True)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# --- covering lists --------------------------------------------------------------------------------------------------

_TO_BE_LISTED, _LISTED = "to-be-listed", "listed"
"""The states of the receipts of a covering list: what it is to tell of, and that it is there."""


def cover(
    register: Register, named: Named, draw: Callable[[Sequence[Row]], bytes], today: dt.date, *, by: str
) -> Iterator[Went]:
    """Put a covering list beside what has been delivered into each worker's or team's folder since the last one.

    Only at a destination that is parted: from there people fetch. What a list tells of is written down before it is
    drawn: two runs at once make the same one, and what a run leaves unmade the next makes, under the same name.
    """
    planned = _planned(register, named, today, by=by) if named.by else {}
    if not planned:
        return
    with named.opened() as destination:
        for name, found in planned.items():
            try:
                # The name is this list's alone, so one that is there already will do, whenever it was drawn.
                if destination.holds(name, "") == "nothing":
                    pdf = draw(list(found.values()))
                    destination.put(name, pdf, sha256=sha256(pdf))
            except PepformsError as error:
                if error.slug != "another-there":  # another run was faster
                    yield Went(name, error)
                    if isinstance(error, Unavailable):
                        return
                    continue
            _listed(register, name, found, by=by)
            yield Went(name, None)


def _planned(register: Register, named: Named, today: dt.date, *, by: str) -> dict[str, dict[int, Row]]:
    """The lists that are to be made, by their names: on each the records by the ids of their deliveries."""
    with register.reading() as session:
        if session.execute(_not_listed(named).limit(1)).first() is None:
            return {}
    planned: dict[str, dict[int, Row]] = {}
    new: dict[str, dict[int, tuple[Delivery, Row]]] = {}
    with register.writing() as session:
        audit.lock(session)
        for delivery, record, plan in session.execute(_not_listed(named)).all():
            row = rows.listed(record)
            if plan and plan.said:
                planned.setdefault(plan.said["name"], {})[delivery.id] = row
            else:
                new.setdefault(_folder(_name_there(named, row)), {})[delivery.id] = delivery, row
        for folder, found in new.items():
            mark = sha256("".join(sorted(row.sha256 for _, row in found.values())).encode())[:8]
            name = f"{folder}/covering-list-{today}-{mark}.pdf"
            for delivery, row in found.values():
                rows.became_known(session, delivery, _TO_BE_LISTED, by=by, said={"name": name})
                planned.setdefault(name, {})[delivery.id] = row
    return planned


def _not_listed(named: Named) -> sa.Select[Delivery, Record, tables.Receipt | None]:
    """What was delivered and stands on no covering list that is there yet; each with the plan of one, if it has it."""
    plan, listed = aliased(tables.Receipt), aliased(tables.Receipt)
    is_listed = sa.select(listed).where(listed.delivery_id == Delivery.id, listed.state == _LISTED).exists()
    return (
        sa.select(Delivery, Record, plan)
        .join(Record, Record.sha256 == Delivery.record_sha256)
        .outerjoin(plan, sa.and_(plan.delivery_id == Delivery.id, plan.state == _TO_BE_LISTED))
        .where(Delivery.destination == named.name, Delivery.state == "delivered", ~is_listed)
        .order_by(Record.lcs_person_id, Delivery.id)
    )


def _listed(register: Register, name: str, found: Collection[int], *, by: str) -> None:
    """Write down that a list is there, unless another run has done so."""
    with register.writing() as session:
        audit.lock(session)
        there = sa.select(tables.Receipt.delivery_id).where(
            tables.Receipt.delivery_id.in_(found), tables.Receipt.state == _LISTED
        )
        new = set(found) - set(session.scalars(there))
        for delivery in session.scalars(sa.select(Delivery).where(Delivery.id.in_(new)).order_by(Delivery.id)):
            rows.became_known(session, delivery, _LISTED, by=by, said={"name": name})
