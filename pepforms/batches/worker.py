"""A worker: a process that takes pieces of work, says that it lives, and takes over from workers that fell silent.

DBOS carries the pieces, each about ten items of one batch, from whoever finds them to whoever is free. A worker looks
every other second: what a worker that fell silent had begun becomes anybody's, pieces that it had taken are handed on,
and a batch that has something waiting and no piece on its way is cut into pieces anew. So a batch goes on from its rows
alone, whichever process died, and at whatever moment.
"""

import contextlib
import logging
import os
import re
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from pepforms.batches import course
from pepforms.batches.making import Maker
from pepforms.batches.workshop import Workshop
from pepforms.errors import Misconfigured, PepformsError, Unavailable
from pepforms.register.store import Register, of_sqlite, told
from pepforms.register.tables import Batch, Item
from pepforms.register.tables import Worker as Row
from pepforms.workers import cores

WORK_FORMAT = "1"
"""What a piece of work looks like: `(batch, first item, last item)`. It stays when pepforms is upgraded, so what one
release has begun another one ends; it changes only with the pieces themselves."""
PIECE = 10
"""Items in a piece of work."""
PIECES_AT_ONCE = 2
"""How many a worker takes: while the last items of one are made, the next one begins."""
PIECES_SENT = 50
"""How many of a batch are sent at once: sending takes a moment each, in which a worker cannot say that it lives."""
POLLING_SECONDS = 0.1
LOOK_SECONDS = 2.0
_LEAVING_SECONDS = 10.0
"""How long a look that hangs on a database that is away may keep us from stopping."""
_QUEUE = "pieces"
_DATABASE = "work.sqlite"
"""Beside a register on SQLite: DBOS writes while we do, and each would wait for the other in one file."""
_log = logging.getLogger("pepforms.batches")


class Worker:
    """This process at work on batches, from `with` to its end. There is one in a process.

    `processes` is how many documents it makes at once, as many as there are cores unless it is given.
    """

    def __init__(self, workshop: Workshop, *, processes: int | None = None) -> None:
        self._register = workshop.register
        self.executor_id = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._maker = Maker(workshop, self.executor_id)
        self._threads = ThreadPoolExecutor(processes or cores(), thread_name_prefix="item")
        self._looking = threading.Thread(target=self._look_on, name="batches", daemon=True)
        self._mine: set[str] = set()
        """The pieces that this worker is at."""
        self._unknown: set[str] = set()
        """Those that DBOS says it is at, and it is not."""
        self._away_since: float | None = None
        self._dbos: Any = None
        self.trouble: PepformsError | None = None
        """Why it cannot work just now; None where it can."""

    def __enter__(self) -> Self:
        with told(), _told_of_work(self._register):
            _heard_of(self._register, self.executor_id)
            self._launch()
            self._look()
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop: what is in the making is finished, the rest is for others."""
        self._maker.stopping.set()
        self._looking.join(_LEAVING_SECONDS)
        self._threads.shutdown()
        self._dbos.destroy(destroy_registry=True)
        with contextlib.suppress(PepformsError):  # else it falls silent
            _gone(self._register, self.executor_id)

    def stop(self) -> None:
        """Begin nothing more, whatever thread or signal says so."""
        self._maker.stopping.set()

    def stopped(self, seconds: float) -> bool:
        """Work for so long; whether somebody said stop."""
        return self._maker.stopping.wait(seconds)

    def _launch(self) -> None:
        logging.getLogger("dbos").addHandler(logging.NullHandler())  # it would write to standard error otherwise
        from dbos import DBOS, WorkflowSerializationFormat

        self._dbos = DBOS
        DBOS(
            config={
                "name": "pepforms",
                "system_database_url": _where(self._register),
                "application_version": WORK_FORMAT,
                "executor_id": self.executor_id,
                "use_listen_notify": False,
                "sys_db_pool_size": 4,
                "log_level": "ERROR",
            }
        )
        self._piece = DBOS.workflow(name="piece", serialization_type=WorkflowSerializationFormat.PORTABLE)(
            lambda batch_id, first, last: self._work_through(batch_id, first, last)
        )
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE, worker_concurrency=PIECES_AT_ONCE, polling_interval_sec=POLLING_SECONDS, on_conflict="always_update"
        )

    # --- a piece of work ---------------------------------------------------------------------------------------------

    def _work_through(self, batch_id: str, first: int, last: int) -> None:
        """Make what still waits among these items. Never fails: what is left waiting is found again from its row."""
        piece = str(self._dbos.workflow_id)
        self._mine.add(piece)
        try:
            items = _waiting(self._register, batch_id, first, last)
            for made in [self._threads.submit(self._maker.make, item) for item in items]:
                made.result()
            _end(self._register, batch_id)
        except Exception as error:  # noqa: BLE001  the register is away, or we are stopping; DBOS would keep its text
            _log.info("A piece of work was left: %s.", type(error).__name__)
        finally:
            self._mine.discard(piece)

    # --- the look around ---------------------------------------------------------------------------------------------

    def _look_on(self) -> None:
        while not self._maker.stopping.wait(LOOK_SECONDS):
            try:
                with told(), _told_of_work(self._register):
                    left = self._look()
            except PepformsError as error:
                self._away(error)
            except Exception as error:  # noqa: BLE001  whatever it is, the next look may find it gone
                self._away(Unavailable(f"The work cannot be seen just now ({type(error).__name__}).", slug="work-away"))
            else:
                self._away_since, self.trouble = None, left

    def _away(self, error: PepformsError) -> None:
        """Call it trouble once it has lasted; a database that is started again takes less."""
        now = time.monotonic()
        self._away_since = self._away_since or now
        if self.trouble is None and now - self._away_since > course.SILENT_SECONDS:
            self.trouble = error

    def _look(self) -> PepformsError | None:
        """Say that we live, take over from those who are silent, and see that every batch that runs is on its way.

        What kept us from writing down what came of items, if something did: they are given back first.
        """
        _heard_of(self._register, self.executor_id)
        left = self._maker.give_back()
        _free(self._register)
        if orphans := self._orphans():
            self._dbos.resume_workflows(orphans, queue_name=_QUEUE)
        for batch_id in _running(self._register):
            if not _end(self._register, batch_id):
                self._send(batch_id)
        return left

    def _orphans(self) -> list[str]:
        """The pieces that a silent worker has taken, and those that DBOS lost between it and us, seen twice."""
        taken = self._dbos.list_workflows(status="PENDING", queue_name=_QUEUE, load_input=False, load_output=False)
        alive = alive_now(self._register)  # asked for last: whoever has taken a piece was heard of before
        ours = {each.workflow_id for each in taken if each.executor_id == self.executor_id}
        lost, self._unknown = self._unknown & (ours - self._mine), ours - self._mine
        return [each.workflow_id for each in taken if each.executor_id not in alive or each.workflow_id in lost]

    def _send(self, batch_id: str) -> None:
        """Cut what waits in a batch into pieces, unless pieces of it are on their way.

        Pieces are numbered on from the last that were sent, so two workers that do this at once send them once.
        """
        from dbos import SetWorkflowID

        waiting = _ordinals(self._register, batch_id)
        if not waiting or self._sent(batch_id, status=["ENQUEUED", "PENDING"]):
            return
        last = re.search(r"/(\d+)/", self._sent(batch_id) or "/0/")
        assert last is not None
        for start in range(0, len(waiting), PIECE):
            piece = waiting[start : start + PIECE]
            with SetWorkflowID(f"{batch_id}/{int(last[1]) + 1}/{start}"):
                self._dbos.enqueue_workflow(_QUEUE, self._piece, batch_id, piece[0], piece[-1])

    def _sent(self, batch_id: str, **which: Any) -> str | None:
        """The piece of a batch that was sent last."""
        found = self._dbos.list_workflows(
            workflow_id_prefix=f"{batch_id}/", sort_desc=True, limit=1, load_input=False, load_output=False, **which
        )
        return str(found[0].workflow_id) if found else None


def _where(register: Register) -> str:
    """Where DBOS keeps what it carries: a file of its own, or a schema of its own in the same database."""
    if register.file:
        return sa.URL.create("sqlite", database=str(register.file.with_name(_DATABASE))).render_as_string()
    return register.engine.url.render_as_string(hide_password=False)


@contextlib.contextmanager
def _told_of_work(register: Register) -> Iterator[None]:
    """Say that DBOS's own file is damaged, not the register's: what the register has to say it has said itself."""
    try:
        yield
    except sa.exc.DatabaseError as error:
        found = of_sqlite(error.orig) if isinstance(error.orig, sqlite3.Error) else None
        if register.file and found and found.slug == "damaged-register":
            raise Misconfigured(
                f"{register.file.with_name(_DATABASE)} is damaged. The register is another file, and nothing in this "
                "one is needed: stop every pepforms worker and pepforms serve, delete it with its -wal and -shm if "
                "they are there, and go on with pepforms batch resume.",
                slug="damaged-work",
            ) from error
        raise


# --- what the rows say -----------------------------------------------------------------------------------------------


def _heard_of(register: Register, executor_id: str) -> None:
    """Say that this worker lives."""
    with register.writing() as session:
        now = course.now(session)
        row = session.get(Row, executor_id) or Row(executor_id=executor_id, host=socket.gethostname(), started_at=now)
        row.heartbeat_at = now
        session.add(row)


def alive_now(register: Register) -> frozenset[str]:
    """The workers that live."""
    with register.reading() as session:
        return frozenset(session.scalars(course.alive(session)))


def _gone(register: Register, executor_id: str) -> None:
    with register.writing() as session:
        session.get_one(Row, executor_id).stopped_at = course.now(session)


def _free(register: Register) -> None:
    """Have what silent workers had begun be anybody's, without a turn at writing where there is nothing."""
    with register.reading() as session:
        begun = (Item.state == "working", Item.executor_id.not_in(course.alive(session)))
        if not session.scalar(sa.select(sa.exists().where(*begun))):
            return
    with register.writing() as session:
        course.free(session)


def _running(register: Register) -> Sequence[str]:
    with register.reading() as session:
        running = sa.select(Batch.id).where(Batch.state == "running").order_by(Batch.created_at, Batch.id)
        return session.scalars(running).all()


def _ordinals(register: Register, batch_id: str) -> Sequence[int]:
    with register.reading() as session:
        waiting = sa.select(Item.ordinal).where(Item.batch_id == batch_id, Item.state == "waiting")
        return session.scalars(waiting.order_by(Item.ordinal).limit(PIECE * PIECES_SENT)).all()


def _waiting(register: Register, batch_id: str, first: int, last: int) -> Sequence[int]:
    with register.reading() as session:
        waiting = sa.select(Item.id).where(
            Item.batch_id == batch_id, Item.ordinal.between(first, last), Item.state == "waiting"
        )
        return session.scalars(waiting.order_by(Item.ordinal)).all()


def _end(register: Register, batch_id: str) -> bool:
    with register.writing() as session:
        return course.end(session, batch_id)
