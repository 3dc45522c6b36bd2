"""What a step costs: the time on the clock, and what was computed meanwhile by us, by our engines, by the database."""

import contextlib
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.batch import engines
from benchmarks.simulation import Cost


@dataclass(frozen=True, slots=True)
class Reading:
    """One step once: milliseconds on the clock; computed by this process, its engines, the database; ways to it."""

    wall: float = 0
    own: float = 0
    engine: float = 0
    database: float = 0
    ways: int = 0

    def __add__(self, other: "Reading") -> "Reading":
        return Reading(*(mine + theirs for mine, theirs in zip(_row(self), _row(other), strict=True)))

    def __sub__(self, other: "Reading") -> "Reading":
        return Reading(*(mine - theirs for mine, theirs in zip(_row(self), _row(other), strict=True)))


def _row(reading: Reading) -> tuple[Any, ...]:
    return reading.wall, reading.own, reading.engine, reading.database, reading.ways


@dataclass(frozen=True, slots=True)
class Server:
    """PostgreSQL by its processes."""

    postmaster: int

    @classmethod
    def of(cls, backend: int) -> "Server":
        """The server that a process serves."""
        return cls(int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1]))

    def computed(self) -> float:
        """Milliseconds so far, those of processes that have ended included."""
        ended = Path(f"/proc/{self.postmaster}/stat").read_text().rpartition(")")[2].split()[13:15]
        return computed([self.postmaster, *engines(self.postmaster)]) + sum(map(int, ended)) * 10


def computed(pids: Iterable[int]) -> float:
    """Milliseconds that processes have computed so far, in all their threads that still live."""
    nanoseconds = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    nanoseconds += int((task / "schedstat").read_bytes().split()[0])
    return nanoseconds / 1e6


@dataclass(slots=True)
class _Frame:
    """A step that is being measured."""

    name: str
    began: Reading
    within: Reading = field(default_factory=Reading)
    """What the steps within it have taken, which count for themselves."""


class Meter:
    """Takes readings of steps by their names. A step within another one counts for itself alone."""

    def __init__(self, server: Server | None = None) -> None:
        self.server = server
        self.readings: dict[str, list[Reading]] = defaultdict(list)
        self._frames: list[_Frame] = []
        self._ways = 0
        self._us = _us()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done within."""
        self._begin(name)
        try:
            yield
        finally:
            self._end()

    def then(self, name: str) -> None:
        """From here on the step that is being measured is another one."""
        if self._frames and self._frames[-1].name != name:
            self._end()
            self._begin(name)

    def _begin(self, name: str) -> None:
        self._frames.append(_Frame(name, self._now()))

    def _end(self) -> None:
        frame, now = self._frames.pop(), self._now()
        whole = now - frame.began
        self.readings[frame.name].append(whole - frame.within)
        if self._frames:
            self._frames[-1].within += whole

    def _now(self) -> Reading:
        # What looking itself costs falls outside of steps as far as it can: others first, then ourselves.
        pids = [pid for pid in engines(self._us) if not self.server or pid != self.server.postmaster]
        engine, database = computed(pids), self.server.computed() if self.server else 0
        return Reading(time.perf_counter() * 1000, time.process_time() * 1000, engine, database, self._ways)

    def went(self, *_: object) -> None:
        """One more way to the database and back."""
        self._ways += 1

    @contextlib.contextmanager
    def watching(self, *places: tuple[str, object, str]) -> Iterator[None]:
        """Have functions measured wherever they are called: a step's name, where the function is, its name there."""
        with contextlib.ExitStack() as stack:
            for name, owner, attribute in places:
                before = getattr(owner, attribute)
                stack.callback(setattr, owner, attribute, before)
                setattr(owner, attribute, self._around(name, before))
            yield

    def _around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*arguments: Any, **named: Any) -> Any:
            with self.step(name):
                return function(*arguments, **named)

        return measured

    @contextlib.contextmanager
    def parting(self, owner: Any, attribute: str, name: Callable[[str], str]) -> Iterator[None]:
        """Once a function has returned, what measures the step that called it measures the step of the new name."""
        before = getattr(owner, attribute)

        def and_then(*arguments: Any, **named: Any) -> Any:
            found = before(*arguments, **named)
            if self._frames:
                self.then(name(self._frames[-1].name))
            return found

        setattr(owner, attribute, and_then)
        try:
            yield
        finally:
            setattr(owner, attribute, before)


def _us() -> int:
    return int(Path("/proc/self").resolve().name)


@dataclass(frozen=True, slots=True)
class Measured:
    """A step measured many times: medians, and between what the middle half of the times on the clock lies."""

    cost: Cost
    wall: float
    low: float
    high: float
    ways: float
    count: int

    @classmethod
    def of(cls, readings: list[Reading]) -> "Measured":
        walls = [each.wall for each in readings]
        wall, own, engine, database = (
            statistics.median(getattr(each, name) for each in readings)
            for name in ("wall", "own", "engine", "database")
        )
        low, _, high = statistics.quantiles(walls, n=4) if len(walls) > 1 else (wall, wall, wall)
        # The quicker quarter waited for the disk; what others waited for besides was a core that somebody else had.
        cost = Cost(own, engine, database, max(0.0, low - own - engine - database))
        return cls(cost, wall, low, high, statistics.median(each.ways for each in readings), len(walls))
