"""The course of a batch: how it stands, and what people change: pause, cancel, resume, release."""

import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Select, Update, exists, func, or_, select, update
from sqlalchemy.orm import Session

from pepforms.errors import PepformsError, Refused
from pepforms.register import audit, peps
from pepforms.register.store import Register
from pepforms.register.tables import Batch, Hold, Item, Version, Worker

ITEM_STATES = ("waiting", "working", "done", "held", "failed", "cancelled")
OPEN = ("waiting", "working")
"""The states of items that a batch still has to come to the end of."""
SILENT_SECONDS = 30.0
"""Whoever has not been heard of for so long is taken to be dead; if it is not, its work is done twice and kept once."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a batch stands; `counts` are its items by state."""

    id: str
    state: str
    term: str | None
    asked: Mapping[str, Any]
    by: str
    created_at: dt.datetime
    finished_at: dt.datetime | None
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many items there are."""
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        """How many items are still to be made."""
        return sum(self.counts[state] for state in OPEN)

    def as_json(self) -> dict[str, Any]:
        """The status as every face reports it."""
        return {
            "id": self.id,
            "state": self.state,
            "term": self.term,
            "form": self.asked["form"],
            "audiences": self.asked["audiences"],
            "by": self.by,
            "created_at": self.created_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "total": self.total,
            "counts": dict(self.counts),
        }


def problem(error: PepformsError) -> dict[str, Any]:
    """What stopped an item, as its row keeps it."""
    return {"slug": error.slug, "message": str(error), "exit_code": error.exit_code}


def every(session: Session, *ids: str) -> list[Status]:
    """How each batch stands, or each of these, the oldest first."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ITEM_STATES, 0))
    counted = select(Item.batch_id, Item.state, func.count()).group_by(Item.batch_id, Item.state)
    found = select(Batch).order_by(Batch.created_at, Batch.id)
    if ids:
        counted, found = counted.where(Item.batch_id.in_(ids)), found.where(Batch.id.in_(ids))
    for batch_id, state, count in session.execute(counted):
        counts[batch_id][state] = count
    return [
        Status(row.id, row.state, row.term, row.asked, row.by, row.created_at, row.finished_at, counts[row.id])
        for row in session.scalars(found)
    ]


def one(session: Session, batch_id: str | None) -> Status:
    """How a batch stands, or the one that was asked for last; Refused where there is none."""
    if batch_id is None:
        batch_id = session.scalars(select(Batch.id).order_by(Batch.created_at.desc(), Batch.id.desc()).limit(1)).first()
    found = every(session, batch_id) if batch_id else []
    if not found:
        raise _no_such_batch(batch_id)
    return found[0]


def stuck(session: Session, batch_id: str, since: dt.datetime) -> dict[str, Any] | None:
    """What keeps all that is open in a batch from being made since then, such as a full disk; None where it goes on."""
    open_ = select(Item).where(Item.batch_id == batch_id, Item.state.in_(OPEN))
    moving = or_(Item.state == "working", Item.problem.is_(None), Item.changed_at < since)
    if session.scalars(open_.where(moving).limit(1)).first():
        return None
    first = session.scalars(open_.limit(1)).first()
    return first.problem if first else None


def end(session: Session, batch_id: str) -> bool:
    """Finish a batch that runs and has nothing open any more; whether it was that."""
    batch = locked(session, batch_id)
    left = session.scalar(select(exists().where(Item.batch_id == batch_id, Item.state.in_(OPEN))))
    if batch.state != "running" or left:
        return False
    batch.state, batch.finished_at = "finished", dt.datetime.now(dt.UTC)
    return True


def pause(register: Register, batch_id: str, *, by: str) -> None:
    """Begin nothing more of a batch until it is resumed; what is in the making is finished."""
    with changing(register, batch_id) as (session, batch):
        if batch.state != "running":
            raise Refused(f"Batch {batch_id} is {batch.state}: only one that runs can be paused.", slug="batch-state")
        batch.state = "paused"
        audit.append(session, by, "batch-paused", batch_id)


def cancel(register: Register, batch_id: str, *, by: str) -> None:
    """Make nothing more of a batch for good: nothing that waits, and nothing that waits for a person.

    What is in the making is finished, and what was made stays. What a silent worker had begun counts as waiting; so it
    may be said again, once a worker that was killed is silent. Refused where nothing is left to be cancelled.
    """
    with changing(register, batch_id) as (session, batch):
        was = batch.state
        batch.state, batch.finished_at = "cancelled", batch.finished_at or dt.datetime.now(dt.UTC)
        count = sum(move(session, batch_id, state, to="cancelled") for state in ("waiting", "held"))
        count += free(session, Item.batch_id == batch_id)
        if was in ("finished", "cancelled") and not count:
            raise Refused(f"Batch {batch_id} is {was} already.", slug="batch-state")
        audit.append(session, by, "batch-cancelled", batch_id, {"items": count})


def unfinished(session: Session) -> list[str]:
    """The batches that run or are paused, the oldest first."""
    open_ = select(Batch.id).where(Batch.state.in_(("running", "paused"))).order_by(Batch.created_at, Batch.id)
    return list(session.scalars(open_))


def resume(register: Register, batch_id: str, *, by: str) -> None:
    """Have a batch go on where it stopped; one that is finished or runs already is left as it is.

    What stopped items that wait is forgotten: from now on `stuck` tells of what is tried from now on.
    """
    with changing(register, batch_id) as (session, batch):
        refuse_cancelled(batch)
        forget(session, batch_id)
        if batch.state == "paused":
            batch.state = "running"
            audit.append(session, by, "batch-resumed", batch_id)


@dataclass(frozen=True, slots=True)
class Held:
    """An item that waits for a person, and why."""

    batch: str
    item: int
    pep_id: str | None
    version: int | None
    audience: str
    person: str | None
    reason: str
    message: str
    held_at: dt.datetime

    def as_json(self) -> dict[str, Any]:
        """The same as every face reports it."""
        return {name: getattr(self, name) for name in self.__slots__} | {"held_at": self.held_at.isoformat()}


def held(session: Session, batch_id: str | None = None) -> Iterator[Held]:
    """What waits for a person, in one batch or in all of them."""
    query = (
        select(Hold, Item)
        .join(Item, Item.id == Hold.item_id)
        .join(Batch, Batch.id == Item.batch_id)
        .where(Item.state == "held", Hold.released_at.is_(None), Batch.state != "cancelled")
        .order_by(Hold.held_at, Item.ordinal)
    )
    if batch_id is not None:
        query = query.where(Item.batch_id == batch_id)
    for hold, item in session.execute(query):
        yield Held(
            item.batch_id, item.ordinal, item.pep_id, item.version, item.audience, item.person,
            hold.reason, hold.message, hold.held_at,
        )  # fmt: skip


def release(register: Register, batch_id: str, item: int, *, by: str, because: str) -> None:
    """Let go on what waited for a person: under whose name, and why. It is made of the PEP as it stands now.

    What the recipe itself refuses (a leak, a copy that is not released) it refuses again until the PEP says otherwise.
    """
    if not (by.strip() and because.strip()):
        raise Refused("Say who answers for it, and why it may be made: neither may be left empty.", slug="no-reason")
    with changing(register, batch_id) as (session, batch):
        row = session.scalar(select(Item).where(Item.batch_id == batch_id, Item.ordinal == item).with_for_update())
        if row is None or row.state != "held":
            raise Refused(f"Item {item} of batch {batch_id} does not wait for anybody.", slug="not-held")
        refuse_cancelled(batch)
        reasons = []
        for hold in session.scalars(select(Hold).where(Hold.item_id == row.id, Hold.released_at.is_(None))):
            hold.released_by, hold.released_at, hold.released_because = by, dt.datetime.now(dt.UTC), because
            reasons.append(hold.reason)
        version = session.get(Version, (row.pep_id, row.version))
        newest = peps.revision(session, version) if version else None
        if newest:
            row.revision_id = newest.id
        row.state, row.problem, row.attempts, row.changed_at = "waiting", None, 0, dt.datetime.now(dt.UTC)
        goes_on(batch)
        audit.append(session, by, "item-released", f"{batch_id} item {item}", {"reasons": reasons})


# --- who is at it ----------------------------------------------------------------------------------------------------


def alive(session: Session) -> Select[str]:
    """The workers that live."""
    time, silence = now(session), dt.timedelta(seconds=SILENT_SECONDS)
    # Heard of in the future: before the clock was set back. Whoever lives says so again in a moment.
    lately = Worker.heartbeat_at.between(time - silence, time + silence)
    return select(Worker.executor_id).where(lately, Worker.stopped_at.is_(None))


def now(session: Session) -> dt.datetime:
    """The time by the one clock that all workers share: the database's; on SQLite they share the computer's."""
    if session.get_bind().dialect.name == "sqlite":
        return dt.datetime.now(dt.UTC)
    time: dt.datetime = session.scalars(select(func.now())).one()
    return time


def free(session: Session, *which: ColumnElement[bool]) -> int:
    """Have what silent workers had begun be anybody's; of a batch that was cancelled nobody's. How many items."""
    begun = (Item.state == "working", Item.executor_id.not_in(alive(session)), *which)
    batches = select(Batch).where(Batch.id.in_(select(Item.batch_id).where(*begun))).order_by(Batch.id)
    count = 0
    for batch in session.scalars(batches.with_for_update()).all():  # nobody cancels it meanwhile
        state = "cancelled" if batch.state == "cancelled" else "waiting"
        freed = update(Item).where(Item.batch_id == batch.id, *begun)
        count += affected(session, freed.values(state=state, executor_id=None, changed_at=dt.datetime.now(dt.UTC)))
    return count


# --- what every change of a batch does -------------------------------------------------------------------------------


@contextlib.contextmanager
def changing(register: Register, batch_id: str) -> Iterator[tuple[Session, Batch]]:
    """A batch to be changed; nobody else changes it meanwhile. Refused where there is none."""
    with register.writing() as session:
        audit.lock(session)  # first, as everybody takes it who takes both
        yield session, locked(session, batch_id)


def locked(session: Session, batch_id: str) -> Batch:
    """A batch whose row is ours until the transaction ends."""
    batch = session.get(Batch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None:
        raise _no_such_batch(batch_id)
    return batch


def move(session: Session, batch_id: str, state: str, *which: ColumnElement[bool], to: str) -> int:
    """Have the items of one state be in another, as if they had never been begun; how many those are."""
    now = dt.datetime.now(dt.UTC)
    moved = update(Item).where(Item.batch_id == batch_id, Item.state == state, *which)
    return affected(session, moved.values(state=to, problem=None, attempts=0, changed_at=now))


def forget(session: Session, batch_id: str) -> None:
    """Forget what stopped items that wait: when that was the clock may not tell, since it may have been set back."""
    session.execute(update(Item).where(Item.batch_id == batch_id, Item.state == "waiting").values(problem=None))


def affected(session: Session, change: Update) -> int:
    """Change rows; how many those were."""
    return cast("CursorResult[Any]", session.execute(change)).rowcount


def goes_on(batch: Batch) -> None:
    """A batch that has something open again runs, unless it is paused."""
    if batch.state == "finished":
        batch.state, batch.finished_at = "running", None


def refuse_cancelled(batch: Batch) -> None:
    """Refused where a batch was cancelled."""
    if batch.state == "cancelled":
        raise Refused(f"Batch {batch.id} was cancelled for good. Ask for a new one.", slug="batch-state")


def _no_such_batch(batch_id: str | None) -> Refused:
    if batch_id is None:
        return Refused("The register holds no batch yet. Ask for one with pepforms batch run.", slug="no-such-batch")
    return Refused(f"There is no batch {batch_id}. See pepforms batch list.", slug="no-such-batch")
