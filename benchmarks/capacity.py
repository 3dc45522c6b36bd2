"""What was measured, as the model takes it: the work of copies and records, the machines, and what a case needs."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.costs import JUDGED, Bytes, Rest, Run, Way, locked
from benchmarks.measuring import Measured, Meter
from benchmarks.simulation import Cost, Shape, Step, Work, at_distance, simulate, total
from pepforms.workers import cores

BAR = 0.15
"""So far may the model be from what was measured."""
DISTANCE = 0.5
"""Milliseconds to a database on another host and back: assumed, not measured."""
HOST, WORKERS, THREADS = 8, 4, 3
"""A host of the model: its cores, its workers, the documents that each makes at once."""
DATABASE = 4
"""Cores of the model's database host."""
USED = 0.7
"""The share of what could be done that is planned with: machines fail, and work comes unevenly."""
OURS = 0.1
"""Where other programs have no more than this share of the machine, it counts as ours."""
STATES = 5
"""How often a PEP is imported in a term, changed each time: assumed."""


@dataclass(frozen=True, slots=True)
class Case:
    """Whom an answer is for: children, PEPs a term, copies of each besides the record, authorities."""

    name: str
    children: int
    peps: int
    copies: int
    authorities: int = 1


CASES = (
    Case("one authority", 350, 400, 2),
    Case("a large authority", 2_000, 2_300, 2),
    Case("all of England", 83_000, 95_000, 4, 153),
)


@dataclass(slots=True)
class Figures:
    """All that was measured."""

    ways: dict[str, Way]
    judge: Meter
    judge_memory: float
    bytes: Bytes
    rests: dict[str, Rest]
    command: int
    """Connections that `register import` holds at most."""
    runs: dict[str, list[Run]]
    alone: float
    crowding: float


RUNS = {
    "`batch run`, SQLite, all cores": 0,
    "PostgreSQL, one worker of one process": 1,
    "PostgreSQL, two workers of one process": 2,
}
"""The batches that are really run, by how many workers stand ready; 0 is `batch run` by itself."""
AT_REST = "a worker (`--processes 1`)"

# --- what each step costs --------------------------------------------------------------------------------------------

COMPUTED = (
    "check",
    "cut for the reader",
    "fill",
    "convert (rdocx)",
    "make it PDF/A, stamp",
    "loss check",
    "list what may not be told",
    "leak search",
    "seal",
    "read again (verify)",
    JUDGED,
    "between the steps",
)
"""Steps that wait for no disk: what passes on the clock besides is other programs' doing."""


def medians(meters: Sequence[Meter]) -> dict[str, Measured]:
    """Each step of the meters' readings, in the order in which they came."""
    readings = {name: [] for meter in meters for name in meter.readings}
    for meter in meters:
        for name, found in meter.readings.items():
            readings[name] += found
    return {name: Measured.of(found) for name, found in readings.items()}


def cost(steps: Mapping[str, Measured], *names: str) -> Cost:
    """What these steps cost together, as far as they are there."""
    found = Cost()
    for name in names:
        if name in steps:
            one = steps[name].cost
            found += dataclasses.replace(one, waits=0) if name in COMPUTED else one
    return found


def copy_cost(way: Way, *names: str) -> Cost:
    """What these steps cost a copy, the readers' copies being equally many."""
    of_each = [cost(medians([meter]), *names) for meter in way.copies.values()]
    summed = sum(of_each, Cost())
    share = 1 / len(of_each)
    return Cost(summed.own * share, summed.engine * share, summed.database * share, summed.waits * share)


def copies(figures: Figures, store: str) -> Work:
    """The making of copies on a store, as `making.py` does it. On SQLite whoever writes has the register's lock."""
    way, sqlite = figures.ways[store], store == "SQLite"
    look = ("look", "check")
    compute = [name for name in COMPUTED if name not in look]
    take, settle = copy_cost(way, "take"), copy_cost(way, "settle")
    item = [
        Step("take", take, connection=True, lock=sqlite),
        Step("look", copy_cost(way, *look), connection=True),
        Step("make", copy_cost(way, *compute)),
        Step("write", copy_cost(way, "write the file"), folder=True),
        Step("register", copy_cost(way, "register the copy"), connection=True),
        Step("lock", copy_cost(way, locked("register the copy")), connection=True, lock=True),
        Step("settle", settle, connection=True, lock=sqlite),
    ]
    # The piece's own rows: ours are read and ended, DBOS's are claimed, begun and ended.
    piece = [Step(f"piece {number}", take, connection=True) for number in range(5)]
    rest = figures.rests[AT_REST]
    second = Cost(rest.own, database=0 if sqlite else rest.database)
    return Work(item, piece, second, alone=figures.alone, crowding=figures.crowding, spread=way.took)


def records(figures: Figures, store: str, *, judged: bool = True) -> Work:
    """The making of records on a store, as `archive --register --term` does it; each process has one veraPDF."""
    way = figures.ways[store]
    found = medians([way.records])
    verify = cost(medians([figures.judge]), JUDGED) if judged else cost(found, "read again (verify)")
    item = [
        Step("check", cost(medians([way.imports]), "check a PEP") + copy_cost(way, "look"), connection=True),
        Step("make", cost(found, *(name for name in COMPUTED if name not in ("read again (verify)", JUDGED)))),
        Step("verify", verify, single=judged),
        Step("register", cost(found, "register the record"), connection=True),
        Step("lock", cost(found, locked("register the record")), connection=True, lock=True),
    ]
    return Work(item, alone=figures.alone, crowding=figures.crowding)


def far(figures: Figures) -> Work:
    """The making of copies with PostgreSQL on another host."""
    way = figures.ways["PostgreSQL"]
    steps = medians(list(way.copies.values()))
    ways = {
        "take": steps["take"].ways,
        "look": steps["look"].ways,
        "register": steps["register the copy"].ways,
        "lock": steps[locked("register the copy")].ways,
        "settle": steps["settle"].ways,
    }
    pieces = {f"piece {number}": steps["take"].ways for number in range(5)}
    return at_distance(copies(figures, "PostgreSQL"), DISTANCE, ways | pieces)


def storage(figures: Figures) -> dict[str, float]:
    """Bytes: of files for a copy and a record, in PostgreSQL for a PEP's state and a copy, in its log for a copy."""
    found = [run.sizes for run in figures.runs["PostgreSQL, one worker of one process"]]
    return {
        "file of a copy": figures.bytes.copy,
        "file of a record": figures.bytes.record,
        **{f"PostgreSQL, {name}": statistics.median(one[name] for one in found) for name in found[0]},
    }


# --- the model put to the test ---------------------------------------------------------------------------------------


def shape_of(name: str) -> Shape:
    """The machine that a batch was run on: this one, with the database on it."""
    count = RUNS[name]
    return Shape(1, cores(), workers=count or 1, threads=1 if count else cores())


@dataclass(frozen=True, slots=True)
class Tested:
    """What the model says of a batch beside how it went: seconds from the first copy to the last."""

    name: str
    predicted: float
    found: Sequence[Run]
    computed: float
    """Milliseconds of a copy that the model says are computed."""

    @property
    def measured(self) -> float:
        return statistics.median(run.first_to_last for run in self.found)

    @property
    def ratio(self) -> float:
        return self.predicted / self.measured

    @property
    def holds(self) -> bool:
        return abs(self.ratio - 1) <= BAR

    @property
    def others(self) -> float:
        return statistics.median(run.others for run in self.found)


def tested(figures: Figures) -> list[Tested]:
    """What the model says of each batch that was run, and how it went."""
    found = []
    for name, runs in figures.runs.items():
        work = copies(figures, "PostgreSQL" if RUNS[name] else "SQLite")
        predicted = simulate(work, shape_of(name), runs[0].copies).first_to_last
        item = total(work.item)
        found.append(Tested(name, predicted, runs, item.own + item.engine + item.database))
    return found


# --- many hosts ------------------------------------------------------------------------------------------------------

HOSTS = (1, 2, 4, 8, 12, 16, 24, 32)


def hosts(number: int, registers: int = 1) -> Shape:
    """So many of the model's hosts, and a host for PostgreSQL."""
    return Shape(
        number, HOST, WORKERS, THREADS, min(registers, number * WORKERS), database_cores=DATABASE, connections=1000
    )


def rates(work: Work) -> dict[str, list[float]]:
    """Copies a second by each number of hosts: all on one register; and on one each for every worker."""
    found: dict[str, list[float]] = {"one register": [], "many registers": []}
    for number in HOSTS:
        for name, registers in (("one register", 1), ("many registers", 10_000)):
            shape = hosts(number, registers)
            found[name].append(simulate(work, shape, 30 * shape.all_threads).rate)
    return found


# --- answers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What a case takes."""

    case: Case
    core_seconds: float
    small: float
    host: float
    database_seconds: float
    rows_a_year: float
    files_a_year: float


def answered(figures: Figures, work: Work, case: Case) -> Answer:
    """One case's term: its copies and records in core seconds; how long on this machine, and on a host of the model."""
    record = records(figures, "PostgreSQL")
    copies_, records_ = case.peps * case.copies, case.peps
    imports = cost(medians([figures.ways["PostgreSQL"].imports]), "check a PEP", "import", locked("import"))
    each = [(total(work.item), copies_), (total(record.item), records_), (imports, case.peps * STATES)]
    crowd = figures.crowding
    here, there = Shape(1, cores(), 1, cores()), hosts(1)
    archives = min(case.authorities, WORKERS)
    there_records = dataclasses.replace(there, workers=archives, registers=archives, threads=HOST)
    pace = {
        "small": (simulate(copies(figures, "PostgreSQL"), here, 120).rate, simulate(record, here, 60).rate),
        "host": (simulate(work, there, 360).rate, simulate(record, there_records, 240).rate),
    }
    seconds = {name: copies_ / a + records_ / b for name, (a, b) in pace.items()}
    found = storage(figures)
    files = copies_ * found["file of a copy"] + records_ * found["file of a record"]
    rows = case.peps * STATES * found["PostgreSQL, PEP"] + (copies_ + records_) * found["PostgreSQL, copy"]
    return Answer(
        case,
        sum(one.cpu * count for one, count in each) * crowd / 1000,
        seconds["small"],
        seconds["host"],
        sum(one.database * count for one, count in each) * crowd / 1000,
        3 * rows,
        3 * files,
    )
