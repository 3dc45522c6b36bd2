"""A batch of PDFs: how many a second, what it holds in memory as it grows, and what a second worker is worth.

    python -m benchmarks.batch [memory|workers] [PEPS] [pdf|docx]

Memory: PEPS (200) and ten times as many, on SQLite, by `pepforms batch run`; the peak is that of its process, beside it
that of its largest engine. Workers: PEPS (60) on PostgreSQL by one worker and by two, of one process each, in turns.
"""

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


def seconds(count: int, workers: int, server: Any) -> float:
    """How long so many workers take, all of them ready before the batch is asked for."""
    from pepforms.batches import asking
    from pepforms.batches.asking import Asked

    with tempfile.TemporaryDirectory() as folder:
        one = case(folder, server.new())
        keep(one, count)
        ready = [one.start("worker", "--processes", "1") for _ in range(workers)]
        for process in ready:  # they say so on standard error
            process.stderr.readline()
        register = one.register()
        began = time.perf_counter()
        batch_id = asking.of_term(register, Asked("pep", ("authority",), "pdf"), "2026-27/autumn", by="benchmark")
        while not ended(register, batch_id):
            time.sleep(0.1)
        took = time.perf_counter() - began
        register.close()
        for process in ready:
            process.terminate()
            process.communicate()
    return took


def ended(register: Any, batch_id: str) -> bool:
    from pepforms.batches import course

    with register.reading() as session:
        return course.one(session, batch_id).state == "finished"


def two(count: int, rounds: int = 3) -> None:
    assert TESTS
    import postgres

    with postgres.serving() as server:
        pairs = [(seconds(count, 1, server), seconds(count, 2, server)) for _ in range(rounds)]
    one, both = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / both for one, both in pairs)
    print(
        f"  {count} PDFs on PostgreSQL: one worker {count / one:.1f} a second, two {count / both:.1f}; "
        f"{ratio:.2f} times (bar {WORTH})"
    )


def main(which: str = "", count: str = "", to: str = "pdf") -> None:
    print("A batch")
    if which in ("", "workers"):
        two(int(count or 60))
    if which in ("", "memory"):
        memory(int(count or 200), to)


if __name__ == "__main__":
    main(*sys.argv[1:])
