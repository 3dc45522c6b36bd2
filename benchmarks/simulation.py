"""A model of many hosts at work on batches: what each step costs goes in, copies a second come out.

Everything that only so many can use at once is a line to stand in: the cores of a host, the interpreter lock of a
process, the connections and the cores of the database, the register's lock, the writes of the shared folder. What is
computed goes by slices, as the operating system and the interpreter do it. The same seed gives the same answer.
"""

import heapq
import random
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

SLICE = 5.0
"""Milliseconds that a thread computes before others have their turn: Python's switch interval."""
PIECE, PIECES_AT_ONCE, POLLING = 10, 2, 100.0
"""As batches/worker.py has them: items in a piece, pieces that a worker takes, milliseconds between its questions."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one step: computed in the worker itself, in processes of its own, in the database; waited for.

    What is waited for is the disk or the network, and keeps no core busy.
    """

    own: float = 0
    engine: float = 0
    database: float = 0
    waits: float = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.own + other.own,
            self.engine + other.engine,
            self.database + other.database,
            self.waits + other.waits,
        )

    @property
    def cpu(self) -> float:
        """What it keeps a core busy for on the worker's host."""
        return self.own + self.engine

    @property
    def all(self) -> float:
        """How long it takes where nobody is in the way."""
        return self.cpu + self.database + self.waits


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an item's way, and what it needs: a connection, the register's lock, the shared folder.

    A `single` one is done by a process of which each worker has one, as veraPDF is.
    """

    name: str
    cost: Cost
    connection: bool = False
    lock: bool = False
    folder: bool = False
    single: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What is done for each item, for each piece of ten, and by each worker in every second, busy or not.

    `alone` is the share of a worker's own computing that holds the interpreter lock; `crowding` is how much longer a
    core computes where all cores of its host are busy; `spread` is how much longer or shorter than usual an item may
    take, each as likely.
    """

    item: Sequence[Step]
    piece: Sequence[Step] = ()
    second: Cost = Cost()
    alone: float = 1.0
    crowding: float = 1.0
    spread: Sequence[float] = (1.0,)


@dataclass(frozen=True, slots=True)
class Shape:
    """The machines: so many alike hosts, each with so many cores and workers, each worker with so many threads.

    Without cores of its own (0) the database lives on the first host. Workers are dealt out among the registers, each
    of which has a lock of its own; all registers are on one server.
    """

    hosts: int = 1
    cores: int = 2
    workers: int = 1
    threads: int = 2
    registers: int = 1
    database_cores: int = 0
    connections: int = 100
    folder_writers: int = 64

    @property
    def all_threads(self) -> int:
        """Items that are worked on at once, at most."""
        return self.hosts * self.workers * self.threads


@dataclass(frozen=True, slots=True)
class Outcome:
    """When each item was done, in milliseconds from the beginning, the first one first."""

    done: Sequence[float]

    @property
    def seconds(self) -> float:
        """Until the last was done."""
        return self.done[-1] / 1000

    @property
    def first_to_last(self) -> float:
        """Seconds from the first that was done to the last."""
        return (self.done[-1] - self.done[0]) / 1000

    @property
    def rate(self) -> float:
        """Items a second in the middle of it, where all are at work: neither the first tenth nor the last."""
        tenth = len(self.done) // 10
        first, last = self.done[tenth], self.done[-1 - tenth]
        return (len(self.done) - 1 - 2 * tenth) * 1000 / (last - first)


def total(steps: Sequence[Step]) -> Cost:
    """All steps together."""
    return sum((step.cost for step in steps), Cost())


def locked(steps: Sequence[Step]) -> float:
    """How long the register's lock is held for them."""
    return sum(step.cost.all for step in steps if step.lock)


def bounds(work: Work, shape: Shape) -> dict[str, float]:
    """Items a second that no arrangement can pass, by what stands in the way; the smallest is what one meets first."""
    item = total(work.item) + _tenth(total(work.piece))
    workers = shape.hosts * shape.workers
    found = {
        "threads": _per(total(work.item).all * min(work.spread)) * shape.all_threads,
        "cores": _per(item.cpu) * shape.cores * shape.hosts,
        "interpreter": _per(item.own * work.alone) * workers,
        "lock": _per(locked(work.item) + locked(work.piece) / PIECE) * shape.registers,
        "database": _per(item.database) * (shape.database_cores or shape.cores),
        "connections": _per(_held(work.item) + _held(work.piece) / PIECE) * shape.connections,
        "single": _per(sum(step.cost.all for step in work.item if step.single)) * workers,
        "folder": _per(sum(step.cost.all for step in work.item if step.folder)) * shape.folder_writers,
    }
    if not shape.database_cores:  # then it takes of the same cores
        found["cores"] = _per(item.cpu + item.database) * shape.cores * shape.hosts
    return found


def hindered_by(work: Work, shape: Shape) -> str:
    """What one meets first, what the workers ask of the database besides taken into account."""
    found = bounds(work, shape)
    asked = shape.hosts * shape.workers * work.second.database / 1000
    found["database"] *= max(0.0, 1 - asked / (shape.database_cores or shape.cores))
    return min(found, key=lambda name: found[name])


def _per(milliseconds: float) -> float:
    return 1000 / milliseconds if milliseconds else float("inf")


def _held(steps: Sequence[Step]) -> float:
    return sum(step.cost.all for step in steps if step.connection)


def _tenth(cost: Cost) -> Cost:
    return Cost(cost.own / PIECE, cost.engine / PIECE, cost.database / PIECE, cost.waits / PIECE)


def simulate(work: Work, shape: Shape, items: int, *, seed: int = 1) -> Outcome:
    """Have so many items, shared out among the registers, made by these machines; each register needs a worker."""
    if shape.hosts * shape.workers < shape.registers:
        raise ValueError("a register without a worker never ends")
    return _Simulation(work, shape, seed).run(items)


def at_distance(work: Work, milliseconds: float, statements: Mapping[str, float]) -> Work:
    """The same work with the database so far away: each statement of a step waits for one more way there and back."""

    def farther(step: Step) -> Step:
        more = milliseconds * statements.get(step.name, 0)
        return replace(step, cost=step.cost + Cost(waits=more))

    return replace(work, item=[farther(step) for step in work.item], piece=[farther(step) for step in work.piece])


# --- the machinery ---------------------------------------------------------------------------------------------------


class _Line:
    """What only so many can have at once; who comes first is served first."""

    __slots__ = ("capacity", "free", "waiting")

    def __init__(self, capacity: int) -> None:
        self.capacity = self.free = capacity
        self.waiting: deque[_Course] = deque()


_Course = Generator["_Line | float", None, None]
"""What one thread does: it asks for a line, and goes on once it has it; or for milliseconds, and goes on after them."""


class _Register:
    """One register: its lock, and the pieces that nobody has taken."""

    def __init__(self, items: int) -> None:
        self.lock = _Line(1)
        sizes = [PIECE] * (items // PIECE) + [items % PIECE] * bool(items % PIECE)
        self.pieces, self.open = deque(sizes), items


class _Worker:
    """A worker: its interpreter, its host's cores, the items of the pieces that it has taken."""

    def __init__(self, cores: _Line, register: _Register) -> None:
        self.interpreter, self.single, self.cores, self.register = _Line(1), _Line(1), cores, register
        self.items: deque[list[int]] = deque()
        """Each is the piece that it is of: how many of that are open yet."""
        self.pieces = 0
        self.idle = _Line(0)
        """Where its threads wait that have nothing to do."""


class _Simulation:
    def __init__(self, work: Work, shape: Shape, seed: int) -> None:
        self._work, self._shape, self._random = work, shape, random.Random(seed)
        self._now, self._count = 0.0, 0
        self._next: list[tuple[float, int, _Course]] = []
        self._connections = _Line(shape.connections)
        self._folder = _Line(shape.folder_writers)
        self._done: list[float] = []

    def run(self, items: int) -> Outcome:
        shape = self._shape
        hosts = [_Line(shape.cores) for _ in range(shape.hosts)]
        self._database = _Line(shape.database_cores) if shape.database_cores else hosts[0]
        share, over = divmod(items, shape.registers)
        registers = [_Register(share + (number < over)) for number in range(shape.registers)]
        for number in range(shape.hosts * shape.workers):
            worker = _Worker(hosts[number % shape.hosts], registers[number % shape.registers])
            self._at(self._random.uniform(0, POLLING), self._polling(worker))
            for _ in range(shape.threads):
                self._at(0, self._thread(worker))
        while len(self._done) < items:
            self._now, _, course = heapq.heappop(self._next)
            self._go_on(course)
        return Outcome(self._done)

    def _at(self, when: float, course: _Course) -> None:
        self._count += 1
        heapq.heappush(self._next, (when, self._count, course))

    def _go_on(self, course: _Course) -> None:
        for asked in course:
            if isinstance(asked, float):
                self._at(self._now + asked, course)
                return
            if not asked.free:
                asked.waiting.append(course)
                return
            asked.free -= 1

    def _give(self, line: _Line) -> None:
        if line.waiting:
            self._at(self._now, line.waiting.popleft())
        else:
            line.free += 1

    # --- what the threads do ---

    def _polling(self, worker: _Worker) -> _Course:
        """Ask for pieces every tenth of a second, which costs something whether there are any or not."""
        each = Cost(self._work.second.own * POLLING / 1000, database=self._work.second.database * POLLING / 1000)
        while worker.register.open:
            yield from self._costs(each, worker)
            while worker.pieces < PIECES_AT_ONCE and worker.register.pieces:
                size = worker.register.pieces.popleft()
                worker.pieces += 1
                piece = [size]
                worker.items.extend([piece] * size)
                while worker.idle.waiting:
                    self._at(self._now, worker.idle.waiting.popleft())
            yield POLLING

    def _thread(self, worker: _Worker) -> _Course:
        """Make one item after the other; whoever ends the last one of a piece ends the piece."""
        while True:
            while not worker.items:
                yield worker.idle
            piece = worker.items.popleft()
            factor = self._random.choice(self._work.spread)
            for step in self._work.item:
                yield from self._step(step, worker, factor)
            self._done.append(self._now)
            worker.register.open -= 1
            piece[0] -= 1
            if not piece[0]:
                for step in self._work.piece:
                    yield from self._step(step, worker, 1.0)
                worker.pieces -= 1

    def _step(self, step: Step, worker: _Worker, factor: float) -> _Course:
        lines = {
            self._connections: step.connection,
            worker.register.lock: step.lock,
            self._folder: step.folder,
            worker.single: step.single,
        }
        needs = [line for line, needed in lines.items() if needed]
        yield from needs
        cost = step.cost
        yield from self._costs(Cost(cost.own * factor, cost.engine * factor, cost.database, cost.waits), worker)
        for line in needs:
            self._give(line)

    def _costs(self, cost: Cost, worker: _Worker) -> _Course:
        alone = self._work.alone
        yield from self._computes(cost.own * alone, worker.interpreter, worker.cores)
        yield from self._computes(cost.own * (1 - alone) + cost.engine, worker.cores)
        yield from self._computes(cost.database, self._database)
        if cost.waits:
            yield float(cost.waits)

    def _computes(self, milliseconds: float, *lines: _Line) -> _Course:
        while milliseconds > 0:
            yield from lines
            yield min(SLICE, float(milliseconds)) * self._crowded(lines[-1])
            for line in lines:
                self._give(line)
            milliseconds -= SLICE

    def _crowded(self, cores: _Line) -> float:
        """How much longer a core computes, with so many others of its host busy."""
        others = (cores.capacity - cores.free - 1) / max(1, cores.capacity - 1)
        return 1 + (self._work.crowding - 1) * others
