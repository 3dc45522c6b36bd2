"""One item after the other: taken, checked, made, kept, settled. Whoever repeats a step finds what is there already.

An item is its maker's while it is `working` under the maker's name; where another has taken it over meanwhile, what
the first one comes to counts for nothing. A copy is kept before its item is settled, and found again by its identity.
"""

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import and_, exists, or_, update
from sqlalchemy.orm import Session, undefer

from pepforms import days, pipeline
from pepforms.batches import course, holds
from pepforms.batches.identity import Wanted
from pepforms.batches.workshop import Workshop
from pepforms.caseload import holds as caseload
from pepforms.errors import Broken, PepformsError, Refused, Unavailable, bug
from pepforms.model import Audience, Pep
from pepforms.register import audit, made
from pepforms.register.store import Register
from pepforms.register.tables import Batch, Document, Hold, Item, Revision

PAUSES = (1.0, 4.0, 15.0)
"""Seconds between tries while a disk is full or an engine away; then the item waits for its next turn."""
MOST_TRIES = 5
"""So often may a worker die over an item before it is left out, that it may not take down one after the other."""
_AWAY_SECONDS = 1.0
"""Until a register that is away is asked again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an item: its next state; the copy, or what stopped it."""

    state: str
    document: str | None = None
    problem: dict[str, Any] | None = None


class Maker:
    """Makes items under one name until it is to stop; what it has begun it brings to its end."""

    def __init__(self, workshop: Workshop, name: str) -> None:
        self._workshop, self._name = workshop, name
        self._at: set[int] = set()
        self._left: dict[int, PepformsError] = {}
        self._turn = threading.Lock()
        self.stopping = threading.Event()

    def make(self, item_id: int) -> None:
        """Make the copy of an item, if it is still to be made and nobody is at it. Never fails: see `give_back`."""
        with self._turn:
            if item_id in self._at:  # another piece of work has it too
                return
            self._at.add(item_id)
        try:
            self._make(item_id)
        except Exception as error:  # noqa: BLE001  whatever it is, the item must not stay ours for ever
            self._left[item_id] = error if isinstance(error, PepformsError) else bug(error)
        finally:
            self._at.discard(item_id)

    def give_back(self) -> PepformsError | None:
        """Have the items of which nobody could write down what came be anybody's again; why, where there were some."""
        why = None
        for item_id, why in list(self._left.items()):
            settle(self._workshop.register, item_id, self._name, Outcome("waiting", problem=course.problem(why)))
            del self._left[item_id]
        return why

    def _make(self, item_id: int) -> None:
        register = self._workshop.register
        if not self.stopping.is_set() and self._persist(lambda: take(register, item_id, self._name)):
            outcome = self._outcome(item_id)
            self._persist(lambda: settle(register, item_id, self._name, outcome))

    def _persist(self, step: Callable[[], Any]) -> Any:
        """Do it as soon as the register lets us; None where we are to stop first.

        One that is away is waited for, however long; anything else fails once it has failed several times over.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                return step()
            except Unavailable:
                pause = _AWAY_SECONDS
            except Exception:
                pause = next(pauses, -1.0)
                if pause < 0:
                    raise
            if self.stopping.wait(pause):
                return None

    def _outcome(self, item_id: int) -> Outcome:
        pauses = iter(PAUSES)
        while True:
            try:
                return Outcome("done", document=copy(item_id, self._workshop))
            except Unavailable as error:
                pause = next(pauses, None)
                if pause is None or self.stopping.wait(pause):
                    return Outcome("waiting", problem=course.problem(error))
            except Refused as error:
                return _refused(error)
            except PepformsError as error:
                return Outcome("failed", problem=course.problem(error))
            except Exception as error:  # noqa: BLE001  one item's surprise must not stop the others
                return Outcome("failed", problem=course.problem(bug(error)))


def _refused(error: Refused) -> Outcome:
    waits = holds.of(error)
    return Outcome("held" if waits else "failed", problem=course.problem(waits or error))


def take(register: Register, item_id: int, maker: str) -> bool:
    """Have the item be this maker's, if its batch runs and nobody else has it; whether it is."""
    runs = exists().where(Batch.id == Item.batch_id, Batch.state == "running")
    mine = and_(Item.state == "working", Item.executor_id == maker)
    with register.writing() as session:
        begun = {"state": "working", "executor_id": maker, "attempts": Item.attempts + 1, "changed_at": _now()}
        taken = update(Item).where(Item.id == item_id, runs, or_(Item.state == "waiting", mine)).values(begun)
        return course.affected(session, taken) == 1


def copy(item_id: int, workshop: Workshop) -> str:
    """The identity of the item's copy, which is kept when this returns: made now, unless it is there from before."""
    register = workshop.register
    with register.reading() as session:
        job = _job(session, item_id, workshop)
        there = session.get(Document, job.identity)
    if there and _is_whole(register, there.sha256):
        return job.identity
    wanted = job.wanted
    document = pipeline.render(
        job.pep,
        workshop.form(wanted.form),
        wanted.audience,
        wanted.to,
        workshop,
        person=wanted.person,
        confidential=wanted.confidential,
    )
    row = Document(
        identity=job.identity,
        form=wanted.form,
        audience=wanted.audience,
        person=wanted.person,
        to=wanted.to,
        revision_id=job.revision_id,
        name=document.name,
        made_at=_now(),
    )
    made.keep_document(register, row, document.data, by=job.by, lost=there.sha256 if there else None)
    return job.identity


def _is_whole(register: Register, digest: str) -> bool:
    """Whether a file is there as it was kept; one that was lost is made anew."""
    try:
        register.files.get(digest)
    except Broken:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Job:
    """What an item asks for, once nothing keeps it from being made."""

    pep: Pep
    revision_id: int
    wanted: Wanted
    identity: str
    by: str


def _job(session: Session, item_id: int, workshop: Workshop) -> _Job:
    item = session.get_one(Item, item_id)
    batch = session.get_one(Batch, item.batch_id)
    revision = session.get_one(Revision, item.revision_id, options=[undefer(Revision.content)])
    if item.attempts > MOST_TRIES:
        raise Refused(
            f"It was begun {MOST_TRIES} times, and each time its worker ended before it was made. It is left out; "
            "the others go on. Try it again with pepforms batch retry; if it fails again, please report it.",
            slug="given-up",
        )
    pep, _ = pipeline.checked(revision.content, workshop.form(item.form).stage, workshop.profile)
    holds.look(session, item, pep)
    known_today = item.audience != "authority" and caseload.confidential(session, pep, days.today())
    wanted = Wanted(
        revision.sha256,
        item.form,
        cast(Audience, item.audience),
        item.person,
        cast(pipeline.To, item.to),
        bool(batch.asked["confidential"]) or known_today,
    )
    return _Job(pep, revision.id, wanted, wanted.identity(workshop), batch.by)


def settle(register: Register, item_id: int, maker: str, outcome: Outcome) -> None:
    """Write down what came of an item, unless another has taken it over meanwhile.

    Of a batch that was cancelled meanwhile nothing waits any more, neither for its turn nor for a person.
    """
    now = _now()
    with register.writing() as session:
        if outcome.state == "held":
            audit.lock(session)
        if outcome.state in ("held", "waiting"):
            batch = course.locked(session, session.get_one(Item, item_id).batch_id)
            outcome = Outcome("cancelled") if batch.state == "cancelled" else outcome
        settled = update(Item).where(Item.id == item_id, Item.state == "working", Item.executor_id == maker)
        values: dict[str, Any] = {
            "state": outcome.state,
            "document_identity": outcome.document,
            "problem": outcome.problem,
            "executor_id": None,
            "changed_at": now,
        }
        if outcome.state == "waiting":
            values["attempts"] = 0
        if course.affected(session, settled.values(values)) == 1 and outcome.state == "held":
            assert outcome.problem is not None
            reason = outcome.problem["slug"]
            session.add(Hold(item_id=item_id, reason=reason, message=outcome.problem["message"], held_at=now))
            item = session.get_one(Item, item_id)
            audit.append(session, maker, "item-held", f"{item.batch_id} item {item.ordinal}", {"reason": reason})


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
