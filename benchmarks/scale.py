"""What it takes to outgrow one machine: the cost of each step, a model of many hosts, and the model put to the test.

    python -m benchmarks.scale [--write docs/scale.md] [--rounds 3] [--peps 30]

Costs and real batches are measured in turns; then the model is asked what those batches should have taken, and what
many hosts would. `--write` puts every table where docs/scale.md has its place, and draws docs/images/scale.svg. It
takes about five minutes where nothing else runs, which is where it should be run.
"""

import argparse
import contextlib
import re
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import costs, tables
from benchmarks.capacity import AT_REST, HOSTS, RUNS, Figures, far, rates, tested
from benchmarks.costs import Run, Way
from benchmarks.kills import TESTS
from benchmarks.measuring import Meter
from benchmarks.picture import curves


def measured(rounds: int, count: int) -> Figures:
    """Everything measured: costs and batches in turns, so that a machine whose speed drifts is fair to both."""
    assert TESTS
    import postgres

    with postgres.serving(durable=True) as server, contextlib.ExitStack() as stack:
        beside = stack.enter_context(contextlib.closing(costs.Beside(server.new())))
        ways = {"SQLite": Way.on(), "PostgreSQL": Way.on(beside.server)}
        runs: dict[str, list[Run]] = {name: [] for name in RUNS}
        for number in range(rounds):
            with _told(f"costs, round {number + 1} of {rounds}"):
                for store, way in ways.items():
                    with costs.opened("" if store == "SQLite" else server.new()) as wiring:
                        costs.way(wiring, way, 6)
                        if number == 0:
                            sizes = costs.records(wiring, way.records, 8)
            with _told(f"batches, round {number + 1} of {rounds}"):
                for name in RUNS:
                    runs[name].append(_run(name, server, count))
        with _told("the interpreter lock and the cores"):
            alone, crowding = costs.alone(), costs.crowding()
        judge = Meter()
        with _told("veraPDF"):
            memory = costs.judged(judge, 6)
        with _told("workers at rest"):
            rests = {
                AT_REST: costs.rest(server.new(), "worker", "--processes", "1"),
                "`serve`": costs.rest(server.new(), "serve", "--port", costs.port()),
            }
            command = costs.command(server.new())
    return Figures(ways, judge, memory, sizes, rests, command, runs, alone, crowding)


def _run(name: str, server: Any, count: int) -> Run:
    return costs.on_postgresql(server.new(), count, RUNS[name]) if RUNS[name] else costs.on_sqlite(count)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    began = time.perf_counter()
    print(f"Measuring {what} ...", file=sys.stderr, flush=True)
    yield
    print(f"  {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def said(figures: Figures) -> dict[str, str]:
    """Every block of docs/scale.md by its name."""
    work = far(figures)
    found = rates(work)
    others = statistics.median(run.others for runs in figures.runs.values() for run in runs)
    return {
        "machine": f"Measured on {costs.machine()}; other programs had {others:.0%} of it while batches ran.",
        "steps": tables.steps(figures),
        "sums": tables.sums(figures),
        "lock": tables.lock(figures),
        "statements": tables.statements(figures),
        "storage": tables.storage_table(figures),
        "rest": tables.rests(figures),
        "tested": tables.test(tested(figures), figures),
        "bounds": tables.bounds_table(figures, work),
        "hosts": tables.hosts_table(work, found),
        "answers": tables.answers(figures, work),
        "england": tables.england(figures, work),
        "picture": curves(HOSTS, found),
    }


def write(path: Path, blocks: Mapping[str, str]) -> None:
    """Put every block where the document has its place, and the picture beside it."""
    text = path.read_text()
    for name, block in blocks.items():
        if name == "picture":
            (path.parent / "images" / "scale.svg").write_text(block)
            continue
        place = re.compile(f"(<!-- measured: {name} -->\n).*?(<!-- /measured -->)", re.DOTALL)
        text, count = place.subn(lambda found, block=block: f"{found[1]}{block}\n{found[2]}", text)
        assert count == 1, f"{path} has no place for {name}, or two"
    path.write_text(text)


def main(*words: str) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peps", type=int, default=30)
    asked = parser.parse_args(words)
    figures = measured(asked.rounds, asked.peps)
    with _told("nothing more: the model is asked"):
        blocks = said(figures)
    for name, block in blocks.items():
        if name != "picture":
            print(f"\n--- {name}\n{block}")
    if asked.write:
        write(asked.write, blocks)


if __name__ == "__main__":
    main(*sys.argv[1:])
