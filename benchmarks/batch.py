"""A batch of PDFs: how many a second, what it holds in memory as it grows, and what a second worker is worth.

    python -m benchmarks.batch [memory|workers] [PEPS] [pdf|docx]

Memory: PEPS (200) and ten times as many, on SQLite, by `pepforms batch run`; the peak is that of its process, beside it
that of its largest engine. Workers: PEPS (60) on PostgreSQL by one worker and by two, of one process each, in turns.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.kills import TESTS

SAMPLE = "year-5-review"
"""Six pages."""
GROWS = 1.1
"""Ten times the PEPs may take so many times the memory."""
WORTH = 1.7
"""Two workers make so many times what one makes."""


def case(folder: str, database: str = "") -> Any:
    assert TESTS
    import kills

    return kills.Case(Path(folder), database)


def keep(one: Any, count: int) -> None:
    """Put so many PEPs into the register, all like the sample."""
    import kills

    from pepforms.register import peps

    register = one.register()
    for number in range(count):
        peps.keep(register, kills.numbered(number, SAMPLE), kills.PROFILE, by="benchmark")
    register.close()


def peak(pid: int) -> float:
    """The most that a process has held so far, in megabytes; 0 where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0
    _, found, rest = status.partition("VmHWM:")
    return int(rest.split()[0]) / 1024 if found else 0


def engines(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []


def used(processes: list[Any]) -> float:
    """Seconds of a core that these processes and their engines have had."""
    pids = [process.pid for process in processes]
    pids += [engine for pid in pids for engine in engines(pid)]
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def run(count: int, to: str) -> float:
    """One batch of so many; the peak of its process."""
    with tempfile.TemporaryDirectory() as folder:
        one = case(folder)
        keep(one, count)
        began = time.perf_counter()
        process = one.start("batch", "run", "--term", "2026-27/autumn", "--to", to)
        own = largest = 0.0
        while process.poll() is None:
            own = max(own, peak(process.pid))
            largest = max([largest, *map(peak, engines(process.pid))])
            time.sleep(0.1)
        seconds = time.perf_counter() - began
        assert process.returncode == 0, process.communicate()
        kept = len(list((one.home / "files").glob("*/*")))
    assert kept == count
    print(
        f"  {count:5} copies ({to}) in {seconds:6.1f} s, {count / seconds:4.1f} a second, start and end included; "
        f"peak {own:.0f} MB, an engine {largest:.0f} MB",
        flush=True,
    )
    return own


def memory(count: int, to: str) -> None:
    small, large = run(count, to), run(10 * count, to)
    print(f"  ten times the PEPs take {large / small:.2f} times the memory (bar {GROWS})")


def seconds(count: int, workers: int, server: Any) -> tuple[float, float]:
    """How long so many workers take, all of them ready and warm; and how long cores worked for them meanwhile."""
    from pepforms.batches import asking
    from pepforms.batches.asking import Asked

    with tempfile.TemporaryDirectory() as folder:
        one = case(folder, server.new())
        keep(one, count)
        ready = [one.start("worker", "--processes", "1") for _ in range(workers)]
        for process in ready:  # they say so on standard error
            process.stderr.readline()
        register = one.register()
        took = had = 0.0
        for audience in ("school", "authority"):  # the first to warm up
            began, before = time.perf_counter(), used(ready)
            batch_id = asking.of_term(register, Asked("pep", (audience,), "pdf"), "2026-27/autumn", by="benchmark")
            while not ended(register, batch_id):
                time.sleep(0.1)
            took, had = time.perf_counter() - began, used(ready) - before
        register.close()
        for process in ready:
            process.terminate()
            process.communicate()
    return took, had


def ended(register: Any, batch_id: str) -> bool:
    from pepforms.batches import course

    with register.reading() as session:
        return course.one(session, batch_id).state == "finished"


def two(count: int, rounds: int = 3) -> None:
    assert TESTS
    import postgres

    with postgres.serving() as server:
        pairs = [(seconds(count, 1, server), seconds(count, 2, server)) for _ in range(rounds)]
    ratios = [one / both for (one, _), (both, _) in pairs]
    for workers, column in enumerate(zip(*pairs, strict=True), 1):
        took, had = (statistics.median(each) for each in zip(*column, strict=True))
        speed, cores, cost = count / took, had / took, had / count * 1000
        print(
            f"  {count} PDFs on PostgreSQL, {workers} of one process: {speed:.2f} a second; "
            f"the machine gave {cores:.2f} cores, {cost:.0f} ms a PDF"
        )
    print(f"  two make {statistics.median(ratios):.2f} times what one makes (bar {WORTH})")


def main(which: str = "", count: str = "", to: str = "pdf") -> None:
    print("A batch")
    if which in ("", "workers"):
        two(int(count or 60))
    if which in ("", "memory"):
        memory(int(count or 200), to)


if __name__ == "__main__":
    main(*sys.argv[1:])
