"""A PEP's way measured step by step, on SQLite and PostgreSQL; what a worker at rest costs; batches that really ran."""

import contextlib
import dataclasses
import datetime as dt
import os
import resource
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from benchmarks.batch import SAMPLE, case, engines, keep, peak
from benchmarks.kills import TESTS
from benchmarks.measuring import Meter, Server, computed
from pepforms import leaks, loss, pipeline, settings
from pepforms.archive import stamp
from pepforms.batches import asking, making
from pepforms.batches.asking import Asked
from pepforms.deliver.destinations import Named
from pepforms.deliver.folder import Folder
from pepforms.fill import Template
from pepforms.handover import sending
from pepforms.register import audit, made, peps
from pepforms.register.files import Files
from pepforms.register.tables import Item
from pepforms.resources import folder
from pepforms.wiring import Wiring
from pepforms.workers import cores

TERM = "2026-27/autumn"
AUDIENCES = ("authority", "school")
JUDGED = "read again, and judged by veraPDF"
_RECIPE = (
    ("cut for the reader", pipeline, "copy_for"),
    ("fill", Template, "fill"),
    ("convert (rdocx)", Wiring, "convert"),
    ("make it PDF/A, stamp", stamp, "finish"),
    ("loss check", loss, "check"),
    ("list what may not be told", leaks, "search"),
    ("leak search", leaks.Search, "through"),
)
"""Where the steps are that copies and records share."""


def locked(name: str) -> str:
    """What a step is called from the moment it has the register's lock."""
    return name if name.endswith("lock held") else f"{name}, lock held"


@contextlib.contextmanager
def opened(database: str = "", **more: str) -> Iterator[Wiring]:
    """A workshop of our own with an empty register."""
    with tempfile.TemporaryDirectory() as home:
        given = {"PEPFORMS_HOME": home, "PEPFORMS_ARCHIVE_VALIDATE": "off", **more}
        wiring = Wiring(settings.load(given | ({"PEPFORMS_DATABASE_URL": database} if database else {})))
        wiring.use_demonstration_key()
        try:
            yield wiring
        finally:
            wiring.register.close()
            wiring.converter.close()


def pep(number: int) -> dict[str, Any]:
    assert TESTS
    import kills

    return kills.numbered(number, SAMPLE)


# --- step by step ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Way:
    """What was measured on one store: imports, the copies for each reader, records, deliveries."""

    imports: Meter
    copies: dict[str, Meter]
    records: Meter
    took: list[float] = field(default_factory=list)
    """What was computed for each copy, beside the usual one for its reader."""

    @classmethod
    def on(cls, server: Server | None = None) -> "Way":
        """Nothing measured yet."""
        return cls(Meter(server), {audience: Meter(server) for audience in AUDIENCES}, Meter(server))


def way(wiring: Wiring, found: Way, count: int) -> None:
    """So many PEPs imported, and a copy of each made for each reader, one after the other."""
    register = wiring.register
    for meter in (found.imports, found.records, *found.copies.values()):
        event.listen(register.engine, "before_cursor_execute", meter.went)
        for name in ("begin", "commit"):  # these ask the server something too, as does looking whether it is there
            event.listen(register.engine, name, meter.went)
        event.listen(register.engine.pool, "checkout", meter.went)
    _import(wiring, found.imports, count)
    batch = asking.of_term(register, Asked("pep", AUDIENCES, "pdf"), TERM, by="benchmark")
    for audience, meter in found.copies.items():
        of = sa.select(Item.id).where(Item.batch_id == batch, Item.audience == audience).order_by(Item.id)
        with register.reading() as session:
            first, *items = session.scalars(of)
        making.copy(first, wiring)  # which pays for the start of the engine and for compiling
        times = [_copied(wiring, meter, item) for item in items]
        found.took += [each / statistics.median(times) for each in times]


def _copied(wiring: Wiring, meter: Meter, item: int) -> float:
    within = (
        *_RECIPE,
        ("look", making, "_job"),
        ("check", pipeline, "checked"),
        ("write the file", Files, "put"),
        ("register the copy", made, "keep_document"),
    )
    began = time.process_time()
    with meter.watching(*within), meter.parting(audit, "lock", locked):
        with meter.step("take"):
            assert making.take(wiring.register, item, "benchmark")
        with meter.step("between the steps"):
            outcome = making.Outcome("done", document=making.copy(item, wiring))
        with meter.step("settle"):
            making.settle(wiring.register, item, "benchmark", outcome)
    return (time.process_time() - began) * 1000


def _import(wiring: Wiring, meter: Meter, count: int) -> None:
    """As `register import` does it: checked at stage draft, then kept."""
    from pepforms.digest import canonical

    peps.keep(wiring.register, pep(count), wiring.profile, by="benchmark")
    with meter.parting(audit, "lock", locked):
        for number in range(count):
            content = canonical(pep(number))
            with meter.step("check a PEP"):
                checked, _ = pipeline.checked(content, "draft", wiring.profile)
            with meter.step("import"):
                peps.keep(wiring.register, checked, wiring.profile, by="benchmark")


@dataclass(frozen=True, slots=True)
class Bytes:
    """What a file and a record take."""

    copy: int
    record: int


def records(wiring: Wiring, meter: Meter, count: int) -> Bytes:
    """So many records made, kept, and delivered to a folder; veraPDF apart."""
    form, register = wiring.form("pep"), wiring.register
    signed, _ = pipeline.checked(_sample(), "record", wiring.profile)
    record = pipeline.archive(signed, form, wiring)  # the first pays for starting
    rest = ("seal", Wiring, "seal"), ("read again (verify)", Wiring, "verify")
    with meter.watching(*_RECIPE, *rest):
        for _ in range(count):
            with meter.step("between the steps"):
                record = pipeline.archive(signed, form, wiring)
    with meter.parting(audit, "lock", locked):
        for number in range(count):
            data = record.document.data + f"%{number}".encode()
            row = dataclasses.replace(
                record.row, pep_id=f"PEP-{number}", sha256=made.sha256(data), filename=f"{number}_{record.row.filename}"
            )
            with meter.step("register the record"):
                made.keep_record(register, row, data, by="benchmark", beside={"report": b" " * number})
    _deliver(wiring, meter)
    return Bytes(len(pipeline.render(signed, form, "school", "pdf", wiring).data), len(record.document.data))


def judged(meter: Meter, count: int) -> float:
    """So many records read again with veraPDF as the judge; the megabytes that its process holds then."""
    with opened(PEPFORMS_ARCHIVE_VALIDATE="every") as wiring:
        assert wiring.judge_missing is None, wiring.judge_missing
        signed, _ = pipeline.checked(_sample(), "record", wiring.profile)
        pdf = pipeline.archive(signed, wiring.form("pep"), wiring).document.data
        for _ in range(3):  # a Java program computes less once it is warm
            wiring.verify(pdf)
        for _ in range(count):
            with meter.step(JUDGED):
                assert wiring.verify(pdf).holds
        return max(map(peak, engines(os.getpid())))


def _sample() -> bytes:
    return (folder("samples") / "valid" / f"{SAMPLE}.json").read_bytes()


def _deliver(wiring: Wiring, meter: Meter) -> None:
    with tempfile.TemporaryDirectory() as there:
        named = Named("folder", None, Folder(Path(there)))
        with meter.step("plan its delivery (all at once)"):
            sending.prepare(wiring.register, "folder", by="benchmark")
        going = sending.send(wiring.register, named, by="benchmark")
        with meter.parting(audit, "lock", locked):
            while True:
                with meter.step("deliver to a folder"):
                    went = next(going, None)
                if went is None:
                    break
                assert went.error is None, went.error
        meter.readings["deliver to a folder"].pop()  # that nothing was left to send


def alone(rounds: int = 3, count: int = 4) -> float:
    """The share of a worker's own computing that holds the interpreter lock: what one thread takes, beside one on
    each core."""
    with opened() as wiring:
        form = wiring.form("pep")
        checked, _ = pipeline.checked(_sample(), "draft", wiring.profile)
        copy = pipeline.copy_for(checked, form, pipeline.Reader("authority"))
        facts = pipeline.told(checked, form, "authority", wiring.profile)
        pdf = wiring.convert(wiring.template(form).fill(copy.pep, facts, copy.fields), about="a sample")

    def work() -> None:
        for _ in range(count):
            pipeline.checked(_sample(), "draft", wiring.profile)
            docx = wiring.template(form).fill(copy.pep, facts, copy.fields)
            loss.check(docx, stamp.finish(pdf, title="PEP"), about="a sample", facts=tuple)

    work()
    shares = []
    for _ in range(rounds):
        one = _seconds(work)
        shares.append(_seconds(lambda: _at_once(work)) / (cores() * one))
    return min(1.0, max(1 / cores(), statistics.median(shares)))


def crowding(count: int = 8) -> float:
    """So many times as much is computed for a conversion where every core has one: cores share what feeds them."""
    with opened() as wiring:
        form = wiring.form("pep")
        checked, _ = pipeline.checked(_sample(), "draft", wiring.profile)
        docx = wiring.template(form).fill(checked, pipeline.told(checked, form, "authority", wiring.profile))

        def work(times: int = count) -> None:
            for _ in range(times):
                wiring.convert(docx, about="a sample")

        _at_once(lambda: work(2))
        found = []
        for _ in range(2):
            before = computed(engines(os.getpid()))
            work()
            between = computed(engines(os.getpid()))
            _at_once(work)
            found.append((computed(engines(os.getpid())) - between) / cores() / (between - before))
    return max(1.0, statistics.mean(found))


def _at_once(work: Callable[[], object]) -> None:
    """On every core one thread."""
    threads = [threading.Thread(target=work) for _ in range(cores())]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# --- PostgreSQL asked ------------------------------------------------------------------------------------------------


class Beside:
    """PostgreSQL asked from beside, over a connection that does not count."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, autocommit=True)
        self.server = Server.of(self.one("SELECT pg_backend_pid()"))

    def one(self, query: str) -> Any:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return row[0]

    def connections(self) -> int:
        """How many others are held to this database."""
        return int(
            self.one(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )

    def transactions(self) -> int:
        """How many there were so far in this database."""
        return int(
            self.one("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")
        )

    def size(self) -> int:
        """Bytes that the tables of the register and of DBOS take, with their indexes."""
        return int(
            self.one(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('public', 'dbos')"
            )
        )

    def written(self) -> int:
        """Bytes in the server's log of changes so far."""
        return int(self.one("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Rest:
    """A process that has nothing to do: connections, megabytes, and in a second transactions and what is computed."""

    connections: int
    megabytes: float
    transactions: float
    own: float
    database: float


def rest(url: str, *words: str, seconds: float = 4.0) -> Rest:
    """Start a process that waits for work, and watch it."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        one = case(place, url)
        one.register().close()
        asked = stack.enter_context(contextlib.closing(Beside(url)))
        process = stack.enter_context(started(one, *words))
        time.sleep(2.5)  # it has looked around once
        began, before = time.perf_counter(), (asked.transactions(), asked.server.computed(), computed([process.pid]))
        held = []
        while time.perf_counter() - began < seconds:
            held.append(asked.connections())
            time.sleep(0.2)
        time.sleep(1.0)  # the server's own count is a second old
        took = time.perf_counter() - began
        after = asked.transactions(), asked.server.computed(), computed([process.pid])
        each = [(late - early) / took for early, late in zip(before, after, strict=True)]
        return Rest(max(held), now(process.pid), each[0] - len(held) / took, each[2], each[1])


def command(url: str) -> int:
    """How many connections a command holds at most that keeps PEPs in the register."""
    with tempfile.TemporaryDirectory() as place, contextlib.closing(Beside(url)) as asked:
        process, held = case(place, url).start("register", "import", str(folder("samples") / "valid")), 0
        while process.poll() is None:
            held = max(held, asked.connections())
            time.sleep(0.02)
        process.communicate()
        assert process.returncode == 0
        return held


@contextlib.contextmanager
def started(one: Any, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A command that runs until the block ends, from the moment it says that it is ready."""
    process = one.start(*words)
    try:
        process.stderr.readline()
        yield process
    finally:
        process.send_signal(signal.SIGINT if words[0] == "serve" else signal.SIGTERM)
        process.communicate(timeout=60)


def port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def now(pid: int) -> float:
    """Megabytes that a process holds now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


# --- batches that really run -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Run:
    """A batch as it went: seconds from its first copy to its last, and to the first; what was held and computed."""

    first_to_last: float = 0
    to_first: float = 0
    copies: int = 0
    connections: int = 0
    worker: float = 0
    engine: float = 0
    own: float = 0
    engines: float = 0
    database: float = 0
    transactions: float = 0
    others: float = 0
    """The share of the machine's cores that other programs had meanwhile."""
    sizes: dict[str, float] = field(default_factory=dict)
    """Bytes in the database for each PEP, for each copy, and in its log of changes for each copy."""


def on_sqlite(count: int) -> Run:
    """So many PEPs by `pepforms batch run` with all cores: a copy each for the authority and for the school."""
    with tempfile.TemporaryDirectory() as place:
        one, found = case(place), Run(copies=count * len(AUDIENCES))
        register = one.register()
        empty = _file_size(register.file)
        register.close()
        keep(one, count)
        full = _file_size(one.home / "register.sqlite")
        with _busy(found):
            began = dt.datetime.now(dt.UTC)
            process = one.start("batch", "run", "--term", TERM, "--audience", ",".join(AUDIENCES))
            while process.poll() is None:
                _look_at(found, [process])
                time.sleep(0.05)
            assert process.returncode == 0, process.communicate()
            process.communicate()
        found.sizes = {
            "PEP": (full - empty) / count,
            "copy": (_file_size(one.home / "register.sqlite") - full) / found.copies,
        }
        _timed(found, one, began)
    return found


def _file_size(file: Path) -> int:
    import sqlite3

    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


def on_postgresql(url: str, count: int, workers: int) -> Run:
    """The same by workers of one process each, which stand ready when it is asked for."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        one, found = case(place, url), Run(copies=count * len(AUDIENCES))
        register = one.register()
        asked = Beside(url)
        stack.callback(asked.close)
        stack.callback(register.close)
        empty = asked.size()
        keep(one, count)
        imported = asked.size()
        ready = [stack.enter_context(started(one, "worker", "--processes", "1")) for _ in range(workers)]
        time.sleep(0.5)
        before, log, transactions = asked.size(), asked.written(), asked.transactions()
        with _busy(found, asked.server, ready):
            began, clock = dt.datetime.now(dt.UTC), time.perf_counter()
            asking.of_term(register, Asked("pep", AUDIENCES, "pdf"), TERM, by="benchmark")
            register.engine.dispose()  # ours are not the workers'
            while not asked.one("SELECT count(*) = 1 FROM batch WHERE state = 'finished'"):
                found.connections = max(found.connections, asked.connections())
                _look_at(found, ready)
                time.sleep(0.1)
                transactions += 2
        time.sleep(1.0)
        found.transactions = (asked.transactions() - transactions) / (time.perf_counter() - clock)
        found.sizes = {
            "PEP": (imported - empty) / count,
            "copy": (asked.size() - before) / found.copies,
            "log": (asked.written() - log) / found.copies,
        }
        _timed(found, one, began)
    return found


@contextlib.contextmanager
def _busy(found: Run, server: Server | None = None, workers: Sequence["subprocess.Popen[str]"] = ()) -> Iterator[None]:
    """Find out what is computed meanwhile: by the workers, their engines, the database, and others on this machine."""
    began, machine, mine = time.perf_counter(), _machine(), _mine()
    database = server.computed() if server else 0
    own = computed([each.pid for each in workers])
    yield
    if workers:
        found.own = computed([each.pid for each in workers]) - own
        found.engines = computed([pid for each in workers for pid in engines(each.pid)])
    found.database = server.computed() - database if server else 0
    ours = _mine() - mine + found.own + found.engines + found.database
    took = (time.perf_counter() - began) * 1000 * (os.cpu_count() or 1)
    found.others = max(0.0, (_machine() - machine - ours) / took)


def _machine() -> float:
    """Milliseconds that all cores have computed, or were taken from this machine by its host."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) * 10


def _mine() -> float:
    ours, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return (ours.ru_utime + ours.ru_stime + ended.ru_utime + ended.ru_stime) * 1000


def _look_at(found: Run, workers: Sequence["subprocess.Popen[str]"]) -> None:
    for process in workers:
        found.worker = max(found.worker, peak(process.pid))
        found.engine = max([found.engine, *map(peak, engines(process.pid))])


def _timed(found: Run, one: Any, began: dt.datetime) -> None:
    register = one.register()
    with register.reading() as session:
        done = sorted(session.scalars(sa.select(Item.changed_at).where(Item.state == "done")))
    register.close()
    assert len(done) == found.copies
    found.first_to_last = (done[-1] - done[0]).total_seconds()
    found.to_first = (done[0] - began).total_seconds()


def machine() -> str:
    """This machine in a few words."""
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024
    return f"{cores()} cores ({model.partition(': ')[2]}), {memory:.0f} GB"
