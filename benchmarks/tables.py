"""The tables of docs/scale.md."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.capacity import (
    AT_REST,
    BAR,
    CASES,
    DATABASE,
    HOST,
    HOSTS,
    OURS,
    RUNS,
    THREADS,
    USED,
    WORKERS,
    Figures,
    Tested,
    answered,
    cost,
    hosts,
    medians,
    records,
    storage,
)
from benchmarks.costs import Rest, locked
from benchmarks.measuring import Measured
from benchmarks.simulation import Cost, Work, bounds, hindered_by, simulate, total
from pepforms.workers import cores


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def ms(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def _step_row(name: str, one: Measured) -> list[str]:
    at = one.cost
    return [name, f"{ms(one.wall)} ({ms(one.low)}–{ms(one.high)})", ms(at.own), ms(at.engine), ms(at.database)]


STEP_HEADS = ["Step", "clock (middle half)", "worker", "engine", "database"]


def steps(figures: Figures) -> str:
    """Each step's cost, for the copy of a school on PostgreSQL; then imports, records and deliveries."""
    way = figures.ways["PostgreSQL"]
    parts = [
        ("A PEP imported", medians([way.imports])),
        ("A school’s copy made in a batch", medians([way.copies["school"]])),
        ("A record made, kept, delivered", medians([way.records, figures.judge])),
    ]
    said = []
    for title, steps in parts:
        rows = [_step_row(name, one) for name, one in steps.items() if one.wall >= 0.1]
        said.append(f"**{title}** ({min(one.count for one in steps.values() if one.count > 1)} times or more)\n")
        said.append(table(STEP_HEADS, rows) + "\n")
    return "\n".join(said).rstrip()


def sums(figures: Figures) -> str:
    """What a whole copy and a whole record cost, on either store."""
    rows = []
    for store in figures.ways:
        for audience, meter in figures.ways[store].copies.items():
            found = medians([meter])
            rows.append(_sum_row(f"a copy for the {audience}, {store}", cost(found, *found)))
        rows.append(_sum_row(f"a record with veraPDF, {store}", total(records(figures, store).item)))
        rows.append(_sum_row(f"a record without it, {store}", total(records(figures, store, judged=False).item)))
    return table(["In all, ms", "worker", "engine", "database", "disk", "together"], rows)


def _sum_row(name: str, one: Cost) -> list[str]:
    return [name, *map(ms, (one.own, one.engine, one.database, one.waits, one.all))]


LOCKED = ("import", "register the copy", "register the record", "deliver to a folder")


def lock(figures: Figures) -> str:
    """How long the register's lock is held, and how many a second that allows."""
    rows = []
    for name in LOCKED:
        row = [name]
        for way in figures.ways.values():
            held = medians([way.imports, *way.copies.values(), way.records])[locked(name)]
            row += [f"{ms(held.wall)} ({ms(held.low)}–{ms(held.high)})", f"{1000 / held.wall:.0f}"]
        rows.append(row)
    return table(["Lock held for", "SQLite, ms", "at most a second", "PostgreSQL, ms", "at most a second"], rows)


def statements(figures: Figures) -> str:
    """Ways to the database and back, and transactions, for each item."""
    names = ("take", "look", "register the copy", locked("register the copy"), "settle")
    steps = medians(list(figures.ways["PostgreSQL"].copies.values()))
    found = medians([figures.ways["PostgreSQL"].imports])
    imported = sum(found[name].ways for name in ("import", locked("import")))
    head = ["Of a copy", *names, "in all", "of an import"]
    row = ["ways to PostgreSQL and back", *(f"{steps[name].ways:.0f}" for name in names)]
    return table(head, [[*row, f"{sum(steps[name].ways for name in names):.0f}", f"{imported:.0f}"]])


def size(value: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def storage_table(figures: Figures) -> str:
    found, sqlite = storage(figures), [run.sizes for run in figures.runs["`batch run`, SQLite, all cores"]]
    rows = [
        ["a state of a PEP (with its section states, sign-offs and audit)", "", found["PostgreSQL, PEP"], "PEP"],
        ["a copy (document, item, audit, DBOS)", found["file of a copy"], found["PostgreSQL, copy"], "copy"],
    ]
    said = [
        [name, size(file) if file else "", size(rows_), size(statistics.median(one[key] for one in sqlite))]
        for name, file, rows_, key in rows
    ]
    said.append(["a record", size(found["file of a record"]), "as a copy", "as a copy"])
    said.append(["PostgreSQL’s log of changes, a copy", "", size(found["PostgreSQL, log"]), ""])
    return table(["", "file", "rows in PostgreSQL", "rows in SQLite"], said)


def rests(figures: Figures) -> str:
    """Connections, memory, and what is done although there is nothing to do."""
    rows = [
        [
            f"{name}, at rest",
            one.connections,
            f"{one.megabytes:.0f} MB",
            f"{one.transactions:.0f}",
            f"{one.own / 10:.1f} %",
            f"{one.database / 10:.1f} %",
        ]
        for name, one in figures.rests.items()
    ]
    for name, found in figures.runs.items():
        count = RUNS[name]
        most = max(run.connections for run in found)
        memory = max(run.worker for run in found), max(run.engine for run in found)
        rows.append(
            [
                f"at work: {name}",
                most if count else "–",
                f"{memory[0]:.0f} MB, each engine {memory[1]:.0f} MB",
                f"{statistics.median(run.transactions for run in found):.0f}" if count else "–",
                "–",
                "–",
            ]
        )
    rows.append(["`register import`", figures.command, "–", "–", "–", "–"])
    rows.append(["`archive`: its veraPDF", "–", f"{figures.judge_memory:.0f} MB", "–", "–", "–"])
    return table(["", "connections", "memory", "transactions a second", "of a core", "of a core of PostgreSQL"], rows)


def test(found: Sequence[Tested], figures: Figures) -> str:
    rows = [
        [
            one.name,
            one.found[0].copies,
            f"{one.predicted:.1f} s",
            f"{one.measured:.1f} s",
            f"{statistics.median(run.to_first for run in one.found):.1f} s",
            f"{one.ratio:.2f}",
            "holds" if one.holds else "does not hold",
            f"{one.others:.0%}",
        ]
        for one in found
    ]
    said = table(
        [
            "Batch",
            "copies",
            "predicted",
            "measured",
            "to the first copy",
            "ratio",
            f"bar ±{BAR:.0%}",
            "others had",
        ],
        rows,
    )
    rest = figures.rests[AT_REST]
    rows = []
    for one in found:
        if RUNS[one.name]:
            real = _computed(one, rest)
            rows.append([one.name, f"{one.computed:.0f} ms", f"{real:.0f} ms", f"{one.computed / real:.2f}"])
    computing = table(["Computed for a copy, by all together", "predicted", "measured", "ratio"], rows)
    return f"{said}\n\n{_fit(found)}\n\n{computing}"


def _computed(one: Tested, rest: Rest) -> float:
    """What a copy took of all cores, without what the workers would have computed at rest."""
    each = []
    for run in one.found:
        idle = (rest.own + rest.database) * RUNS[one.name] * (run.first_to_last + run.to_first)
        each.append((run.own + run.engines + run.database - idle) / run.copies)
    return statistics.median(each)


def _fit(found: Sequence[Tested]) -> str:
    most = max(one.others for one in found)
    holds = f"Every prediction is within {BAR:.0%} of what was measured."
    if not all(one.holds for one in found):
        holds = f"Not every prediction is within {BAR:.0%} of what was measured: {_off(found)}."
    if most <= OURS:
        return holds
    return (
        f"{holds} But other programs had up to {most:.0%} of this machine meanwhile, of which the model knows nothing: "
        "times on the clock mean little until this is run again where nothing else runs. What is computed for a copy "
        "does not depend on it:"
    )


def _off(found: Sequence[Tested]) -> str:
    return "; ".join(f"{one.name} is at {one.ratio:.2f}" for one in found if not one.holds)


def hosts_table(work: Work, found: Mapping[str, Sequence[float]]) -> str:
    rows = []
    for place, number in enumerate(HOSTS):
        row: list[object] = [number, number * HOST]
        for name, registers in (("one register", 1), ("many registers", 10_000)):
            row += [f"{found[name][place]:.0f}", hindered_by(work, hosts(number, registers))]
        rows.append(row)
    heads = ["Hosts", "cores", "copies a second, one register", "hindered by", "many registers", "hindered by"]
    return f"{table(heads, rows)}\n\n{_enough(work, found['one register'])}"


def _enough(work: Work, found: Sequence[float]) -> str:
    """From where on another host helps little."""
    most = bounds(work, hosts(HOSTS[-1]))
    enough = next(
        (HOSTS[place] for place, rate in enumerate(found) if rate > 0.9 * min(most["lock"], most["database"])), 0
    )
    stops = f"From {enough} hosts on another one helps little." if enough else "So many hosts it still bears."
    return (
        f"One register bears at most {most['lock']:.0f} copies a second, whatever the number of hosts, because of its "
        f"lock. A database of {DATABASE} cores bears {most['database']:.0f} over all its registers, less what workers "
        f"ask of it besides. {stops}"
    )


def bounds_table(figures: Figures, work: Work) -> str:
    """What one host can do at most, by what stands in the way."""
    record, archive = records(figures, "PostgreSQL"), dataclasses.replace(hosts(1), workers=1, threads=HOST)
    found, of_records = bounds(work, hosts(1)), bounds(record, archive)
    formula = {
        "threads": "documents made at once ÷ how long one takes",
        "cores": "cores ÷ what is computed for a copy by worker and engine",
        "interpreter": "workers ÷ what a worker itself computes under the interpreter lock",
        "lock": "registers ÷ how long a copy holds the lock",
        "database": "PostgreSQL’s cores ÷ what it computes for a copy",
        "connections": "connections ÷ how long a copy holds one",
        "single": "workers ÷ how long the one veraPDF of each takes",
        "folder": "writes at once ÷ how long a write takes",
    }
    rows = [[name, formula[name], _rate(found[name]), _rate(of_records[name])] for name in formula]
    worth = (
        f"The interpreter lock is held for {figures.alone:.0%} of what a worker computes; with every core busy a core "
        f"takes {figures.crowding:.2f} times as long. The simulation, in which these get in each other’s way, makes "
        f"{simulate(work, hosts(1), 360).rate:.1f} copies a second on this host, or, by one `archive`, "
        f"{simulate(record, archive, 240).rate:.1f} records."
    )
    heads = ["Bound", "How", "copies a second", "records a second, one `archive`"]
    return f"{table(heads, rows)}\n\n{worth}"


def _rate(value: float) -> str:
    if value > 10_000:
        return "–" if value == float("inf") else "over 10,000"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


NIGHT, WEEK = 8 * 3600, 5 * 8 * 3600
"""Seconds: a night of eight hours, and five of them."""


def answers(figures: Figures, work: Work) -> str:
    """What each case takes, for a whole term at once."""
    found = [answered(figures, work, case) for case in CASES]
    rows = [
        ["children; PEPs a term", *(f"{one.case.children:,}; {one.case.peps:,}" for one in found)],
        ["copies; records", *(f"{one.case.peps * one.case.copies:,}; {one.case.peps:,}" for one in found)],
        [f"on a machine like this one ({cores()} cores)", *(duration(one.small) for one in found)],
        [f"on a host of {HOST} cores, PostgreSQL beside it", *(duration(one.host) for one in found)],
        ["cores for it within one night", *(_cores(one.core_seconds, NIGHT) for one in found)],
        ["cores for it within a week’s five nights", *(_cores(one.core_seconds, WEEK) for one in found)],
        ["PostgreSQL’s cores meanwhile, one night", *(_cores(one.database_seconds, NIGHT) for one in found)],
        ["rows in PostgreSQL, a year; 75 years", *(_year(one.rows_a_year) for one in found)],
        ["files, a year; 75 years", *(_year(one.files_a_year) for one in found)],
        ["network to the shared folder, one night", *(_pace(one.files_a_year / 3 / NIGHT) for one in found)],
    ]
    return table(["A term’s copies and records", *(one.case.name for one in found)], rows)


def _cores(seconds: float, within: float) -> str:
    needed = seconds / within / USED
    return "less than one" if needed < 0.95 else f"{needed:.0f}"


def _year(value: float) -> str:
    return f"{size(value)}; {size(75 * value)}"


def _pace(value: float) -> str:
    return f"{size(value)} a second"


def england(figures: Figures, work: Work) -> str:
    """All of England two ways: a worker at rest for every authority, or workers only for the night."""
    case, at_rest = CASES[-1], figures.rests[AT_REST]
    found = answered(figures, work, case)
    needed = max(1, round(found.core_seconds / NIGHT / USED / HOST + 0.49))
    at_work = max(run.connections for run in figures.runs["PostgreSQL, one worker of one process"])
    engine = max(run.engine for runs in figures.runs.values() for run in runs)
    worker = max(run.worker for runs in figures.runs.values() for run in runs)
    ways = {"a worker for every authority, day and night": case.authorities, "workers for the night": needed * WORKERS}
    rows = []
    for name, workers in ways.items():
        memory = workers * (worker + THREADS * engine) / 1000
        rows.append(
            [
                name,
                workers,
                f"{workers * at_rest.connections} at rest, {workers * (at_work + THREADS - 1)} at work",
                f"{workers * at_rest.transactions:,.0f}",
                f"{workers * at_rest.database / 1000:.1f}",
                f"{workers * at_rest.own / 1000:.1f}",
                f"{memory:.0f} GB",
            ]
        )
    heads = ["", "workers", "connections", "transactions a second at rest", "PostgreSQL’s cores at rest"]
    heads += ["workers’ cores at rest", "memory at work"]
    return (
        f"Hosts of {HOST} cores for all of England within one night: {needed}, with {WORKERS} workers each that make "
        f"{THREADS} documents at once.\n\n{table(heads, rows)}"
    )
