"""A batch killed at one step, taken up again, and counted: what is there once, what twice, what is lost."""

import contextlib
import datetime as dt
import functools
import io
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import sqlalchemy as sa

from pepforms import forms, profile, resources
from pepforms.digest import sha256
from pepforms.register import check, exchange, peps
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Batch, Document, Item, Worker

SAMPLES = resources.folder("samples") / "valid"
PEPFORMS = Path(sys.executable).with_name("pepforms")
PROFILE = profile.load("hillingdon")
DYING = Path(__file__).with_name("dying.py")
TERM = "2026-27/autumn"
CHILDREN = 12
"""More than one piece of work."""


@dataclass(frozen=True)
class Step:
    """A moment to be killed at."""

    what: str
    file: str
    function: str
    event: str
    count: int = 1
    victim: str = "self"
    to: str = "docx"
    of_files: bool = False

    @property
    def spec(self) -> str:
        return f"{self.file}:{self.function}:{self.event}:{self.count}:{self.victim}"


def before_and_after(what: str, file: str, function: str, *counts: int, **more: Any) -> Iterator[Step]:
    for count in counts or (1,):
        number = f" ({count})" if len(counts) > 1 else ""
        yield Step(f"before {what}{number}", file, function, "call", count, **more)
        yield Step(f"after {what}{number}", file, function, "return", count, **more)


STEPS = (
    *before_and_after("a PEP is kept", "register/peps.py", "keep", 2, of_files=True),
    *before_and_after("batch and items are written", "batches/asking.py", "_put"),
    *before_and_after("a batch is asked for", "batches/asking.py", "of_term"),
    *before_and_after("the worker is entered", "batches/worker.py", "_heard_of"),
    *before_and_after("DBOS is started", "batches/worker.py", "_launch"),
    *before_and_after("pieces are sent", "batches/worker.py", "_send"),
    *before_and_after("a piece is written by DBOS", "dbos/_sys_db.py", "init_workflow", 1, 2),
    *before_and_after("a piece is claimed by DBOS", "dbos/_sys_db.py", "start_queued_workflows", 3),
    *before_and_after("a piece is begun", "batches/worker.py", "_work_through"),
    *before_and_after("an item is taken", "batches/making.py", "take", 5),
    *before_and_after("it is looked at", "batches/making.py", "_job", 5),
    *before_and_after("it is filled and searched", "pepforms/pipeline.py", "render", 5),
    *before_and_after("it is converted", "convert/rdocx.py", "convert", 5, to="pdf"),
    *before_and_after("its file is written", "register/files.py", "_write", 5),
    *before_and_after("its document is registered", "register/made.py", "keep_document", 5),
    *before_and_after("it is settled", "batches/making.py", "settle", 1, 5, 12),
    *before_and_after("the end is looked for", "batches/course.py", "end", 2),
    *before_and_after("a piece is ended by DBOS", "dbos/_sys_db.py", "update_workflow_outcome", 1, 2),
    *before_and_after("the documents are put out", "pepforms/files.py", "write", 5),
    *before_and_after("the worker leaves", "batches/worker.py", "_gone"),
)
"""Every boundary between two steps of a batch."""


def _step(what: str) -> Step:
    return next(each for each in STEPS if each.what == what)


ENGINE = Step("the engine, as it converts", "pepforms/workers.py", "_ask", "call", 3, "engine", "pdf")


@dataclass(frozen=True)
class Count:
    """What is there in the end; `deliveries` is None where nothing was to be delivered."""

    killed: str
    store: str
    documents: int
    duplicates: int
    lost: int
    died: bool = True
    deliveries: int | None = None
    of: int = CHILDREN

    def holds(self) -> bool:
        there = {self.documents, self.of if self.deliveries is None else self.deliveries}
        return there == {self.of} and (self.duplicates, self.lost, self.died) == (0, 0, True)


class Case:
    """One home, one register, and commands in it."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.home, self.out, self._database = folder / "home", folder / "out", database
        templates = self.home / "templates"
        templates.mkdir(parents=True)
        kept = forms.kept("slip.docx", _slip())
        (templates / kept).write_bytes(_slip())
        (templates / "forms.toml").write_text(
            f'[slip]\ntitle = "A slip"\ntemplate = "{kept}"\naudiences = ["authority"]\n'
        )

    def keep(self) -> None:
        """Put the PEPs into the register."""
        register = self.register()
        exchange.bring_in(register, Path(_kept().name) / "out")
        register.close()

    def file(self) -> Path:
        """The same PEPs in a file."""
        path = self.home / "peps.jsonl"
        path.write_text("".join(json.dumps(numbered(number)) + "\n" for number in range(CHILDREN)))
        return path

    def register(self) -> Register:
        return Register(self._database or self.home / "register.sqlite", Files(self.home / "files"))

    def environment(self) -> dict[str, str]:
        given = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "PEPFORMS_HOME": str(self.home)}
        return {**given, **({"PEPFORMS_DATABASE_URL": self._database} if self._database else {})}

    def run(self, *words: object, at: Step | None = None, most: int | None = None) -> subprocess.CompletedProcess[str]:
        """A command, killed at a step, or with no file of its own larger than `most` bytes."""
        done = subprocess.run(
            self.command(*words, at=at), env=self.environment(), capture_output=True, text=True, timeout=300,
            preexec_fn=None if most is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def start(self, *words: object) -> "subprocess.Popen[str]":
        """A command that is left to run."""
        return subprocess.Popen(
            self.command(*words), env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    @staticmethod
    def command(*words: object, at: Step | None = None) -> list[str]:
        program = [str(PEPFORMS)] if at is None else [sys.executable, str(DYING), at.spec]
        return [*program, *map(str, words)]

    def asked(self, to: str = "docx", *, of_files: bool = False) -> tuple[object, ...]:
        of = (self.file(),) if of_files else ("--term", TERM)
        return "batch", "run", *of, "--form", "slip", "--to", to, "--out", self.out

    def batches(self) -> list[str]:
        """Every batch there is."""
        register = self.register()
        with register.reading() as session:
            found = session.scalars(sa.select(Batch.id).order_by(Batch.created_at)).all()
        register.close()
        return list(found)

    def states(self) -> Counter[str]:
        """How many items are in each state."""
        register = self.register()
        with register.reading() as session:
            found = Counter(session.scalars(sa.select(Item.state)).all())
        register.close()
        return found

    def until(self, holds: Callable[[], bool], seconds: float = 120) -> None:
        """Wait for something that another process brings about."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.05)

    def faults(self) -> tuple[str, ...]:
        """What the check of the register finds."""
        register = self.register()
        proof = check.check(register, PROFILE, _no_record)
        register.close()
        return proof.faults

    def a_minute_passes(self) -> None:
        """Whoever has not been heard of since is silent."""
        register = self.register()
        with register.writing() as session:
            for worker in session.scalars(sa.select(Worker)):
                worker.heartbeat_at = worker.heartbeat_at.replace(year=2020)
        register.close()

    def ended(self) -> bool:
        """Whether every batch has come to its end."""
        register = self.register()
        with register.reading() as session:
            states = set(session.scalars(sa.select(Batch.state)))
        register.close()
        return states == {"finished"}

    def count(self, killed: str, store: str, *, died: bool = True) -> Count:
        """What the register and the folder hold; lost is what is not done, has no file, or is not in the folder."""
        register = self.register()
        with register.reading() as session:
            items, documents = session.scalars(sa.select(Item)).all(), session.scalars(sa.select(Document)).all()
            made = session.scalars(sa.select(Audit.subject).where(Audit.action == "document-made")).all()
            asked = session.scalars(sa.select(Batch.asked)).all()
        about = Counter((one.revision_id, one.form, one.audience, one.person, one.to) for one in documents)
        whole = {one.identity for one in documents if sha256(register.files.get(one.sha256)) == one.sha256}
        register.close()
        done = {one.document_identity for one in items if one.state == "done"} & whole
        lost = CHILDREN - len(done) + sum(one.state != "done" for one in items) + (not self.ended())
        twice = sum(about.values()) - len(about) + len(made) - len(set(made))
        if any(one["out"] for one in asked):
            out = len(list(self.out.glob("*"))) if self.out.exists() else 0
            lost, twice = lost + max(0, CHILDREN - out), twice + max(0, out - CHILDREN)
        return Count(killed, store, len(documents), twice, lost, died)


def killed_at(step: Step, case: Case, store: str) -> Count:
    """Kill a batch at a step, take it up again as somebody would, and count."""
    asked = case.asked(step.to, of_files=step.of_files)
    if not step.of_files:
        case.keep()
    first = case.run(*asked, at=step)
    died = first.returncode == (-9 if step.victim == "self" else 0)
    if step.victim == "self":
        case.a_minute_passes()
        last = case.run("batch", "resume", *case.batches()) if case.batches() else case.run(*asked)
        assert last.returncode == 0, f"{step.what}: {last.stderr}"
    assert case.faults() == ()
    return case.count(step.what, store, died=died)


def vanished(case: Case, _: Any = None) -> None:
    """One worker is killed with work begun; another one that comes later ends it, and nobody says a word."""
    case.keep()
    assert case.run("batch", "run", "--term", TERM, "--form", "slip", "--to", "docx", "--no-wait").returncode == 0
    first = case.run("worker", "--processes", "1", at=_step("before it is settled (5)"))
    assert first.returncode == -signal.SIGKILL
    assert 0 < case.states()["done"] < CHILDREN
    case.a_minute_passes()
    second = case.start("worker")
    case.until(case.ended)
    stopped(second)


def two_at_once(case: Case, _: Any = None) -> None:
    """Two batches over the same PEPs, each in a process of its own that works on both."""
    case.keep()
    both = [case.start("batch", "run", "--term", TERM, "--form", "slip", "--to", "docx") for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err


def paused(case: Case, _: Any = None) -> None:
    """Paused from another process while it is made, and gone on with later."""
    case.keep()
    first = case.start("batch", "run", "--term", TERM, "--processes", "1")  # whole PEPs, which take their time
    case.until(lambda: case.states()["done"] > 0)
    (batch_id,) = case.batches()
    assert case.run("batch", "pause", batch_id).returncode == 0
    out, err = first.communicate(timeout=300)
    assert f"{batch_id} (2026-27/autumn pep) paused" in out, out + err
    assert case.states()["waiting"] > 0
    assert case.run("batch", "resume").returncode == 0


def disk_full(case: Case, _: Any = None) -> None:
    """No file may grow beyond 200 KB: neither the copies nor the register; then there is room again."""
    case.keep()
    full = case.run(*case.asked("pdf"), most=200_000)
    assert full.returncode == 75, full.stderr
    case.a_minute_passes()
    assert case.run("batch", "resume", *case.batches()).returncode == 0


def database_killed(case: Case, server: Any) -> None:
    """PostgreSQL ends as in a crash while copies are made, and is started again; the worker goes on by itself."""
    case.keep()
    first = case.start("batch", "run", "--term", TERM, "--processes", "1")  # whole PEPs
    case.until(lambda: case.states()["done"] > 0)
    assert not case.ended()
    server.kill()
    time.sleep(3)
    server.start()
    _, err = first.communicate(timeout=300)
    assert first.returncode == 0, err


def work_lost(case: Case, _: Any = None) -> None:
    """Killed with work begun, and all that DBOS knew is gone too: the rows are enough."""
    case.keep()
    assert case.run(*case.asked(), at=_step("before it is settled (5)")).returncode == -signal.SIGKILL
    for path in case.home.glob("work.sqlite*"):
        path.unlink()
    case.a_minute_passes()
    assert case.run("batch", "resume", *case.batches()).returncode == 0


def clock_set_back(case: Case, _: Any = None) -> None:
    """Killed with work begun, and then the clock is set back: all that was written down so far is an hour ahead."""
    case.keep()
    assert case.run(*case.asked(), at=_step("before it is settled (5)")).returncode == -signal.SIGKILL
    hour, register = dt.timedelta(hours=1), case.register()
    with register.writing() as session:
        for row, name in (
            (Worker, "heartbeat_at"),
            (Worker, "started_at"),
            (Batch, "created_at"),
            (Item, "changed_at"),
        ):
            for one in session.scalars(sa.select(row)):
                setattr(one, name, getattr(one, name) + hour)
    register.close()
    with contextlib.closing(sqlite3.connect(case.home / "work.sqlite", timeout=30)) as work:
        work.execute("UPDATE workflow_status SET created_at = created_at + 3600000, updated_at = updated_at + 3600000")
        work.commit()
    assert case.run("batch", "resume").returncode == 0


def upgraded(case: Case, _: Any = None) -> None:
    """Killed between two items, and gone on with by a newer release."""
    case.keep()
    killed = case.run(*case.asked(), "--processes", "1", at=_step("before an item is taken"))
    assert killed.returncode == -signal.SIGKILL
    case.a_minute_passes()
    newer = "import pepforms; pepforms.__version__ = '99'; from pepforms.cli import main; main()"
    words = [sys.executable, "-c", newer, "batch", "resume", *case.batches()]
    assert subprocess.run(words, env=case.environment(), capture_output=True, timeout=300).returncode == 0
    assert case.states() == {"done": CHILDREN}


def unended(case: Case, _: Any = None) -> None:
    """DBOS takes a piece to be in the making that its worker has long ended, and an item of it waits again."""
    case.keep()
    assert case.run("batch", "run", "--term", TERM, "--form", "slip", "--to", "docx", "--no-wait").returncode == 0
    worker = case.start("worker")
    case.until(case.ended)
    with contextlib.closing(sqlite3.connect(case.home / "work.sqlite", timeout=30)) as work:
        assert work.execute("UPDATE workflow_status SET status = 'PENDING' WHERE queue_name = 'pieces'").rowcount == 2
        work.commit()
    register = case.register()
    with register.writing() as session:
        session.execute(sa.update(Item).where(Item.ordinal == 1).values(state="waiting"))
        session.execute(sa.update(Batch).values(state="running"))
    register.close()
    case.until(case.ended)
    stopped(worker)


def counted(what: str, scenario: Callable[[Case, Any], None], case: Case, store: str, server: Any = None) -> Count:
    """Have something happen to a batch, and count."""
    scenario(case, server)
    assert case.faults() == ()
    return case.count(what, store)


SCENARIOS: dict[str, tuple[Callable[[Case, Any], None], tuple[str, ...]]] = {
    "a worker that vanishes, another takes over": (vanished, ("sqlite", "postgresql")),
    "a worker, and DBOS's file is lost": (work_lost, ("sqlite",)),
    "a worker, and the clock is set back": (clock_set_back, ("sqlite",)),
    "a worker, and pepforms is upgraded": (upgraded, ("sqlite", "postgresql")),
    "nothing: DBOS misses the end of a piece": (unended, ("sqlite",)),
    "nothing: two batches over the same PEPs at once": (two_at_once, ("sqlite", "postgresql")),
    "nothing: paused and resumed": (paused, ("sqlite", "postgresql")),
    "nothing: the disk is full": (disk_full, ("sqlite",)),
    "PostgreSQL, and started again": (database_killed, ("postgresql",)),
}
"""What else may happen, and on which stores."""


def stopped(process: "subprocess.Popen[str]") -> None:
    """Stop a process as the system stops a service."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, "Traceback" in out + err) == (0, False), err


def numbered(number: int, sample: str = "year-3-draft") -> dict[str, Any]:
    """One of many PEPs: another child's each, and signed by nobody."""
    pep: dict[str, Any] = json.loads((SAMPLES / f"{sample}.json").read_bytes())
    pep.pop("sign_offs", None)
    pep["pep"]["id"], pep["child"]["lcs_person_id"] = f"PEP-{number}", f"8{number:05}"
    return pep


@functools.cache
def _slip() -> bytes:
    """A template with little to fill: what is tried here is not filling."""
    document, out = docx.Document(), io.BytesIO()
    document.core_properties.title = "A slip"
    document.add_paragraph("{{ child.lcs_person_id }}, {{ pep.academic_year }}")
    document.save(out)
    return out.getvalue()


@functools.cache
def _kept() -> "tempfile.TemporaryDirectory[str]":
    """A register with the PEPs, exported: checking them takes longer than all else, and is done once."""
    made = tempfile.TemporaryDirectory(prefix="pepforms-kept-")
    folder = Path(made.name)
    register = Register(folder / "register.sqlite", Files(folder / "files"))
    for number in range(CHILDREN):
        peps.keep(register, numbered(number), PROFILE, by="officer")
    exchange.export(register, folder / "out")
    register.close()
    return made


def _no_record(_: bytes) -> Any:
    raise AssertionError("there is a record, which nobody made")
