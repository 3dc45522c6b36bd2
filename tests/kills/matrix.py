"""Everything that is done to batches and to the hand-over, on each store, and what is there in the end."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import handovers
import kills
from kills import Count

STORES = ("sqlite", "postgresql")


def counts(folder: Path, database: Any, server: Any, stores: Sequence[str] = STORES) -> Iterator[Count]:
    """One count after the other; `database` is a PostgreSQL of our own, `server` an OpenSSH server."""
    numbers = itertools.count()

    def place() -> Path:
        made = folder / str(next(numbers))
        made.mkdir()
        return made

    for store in stores:

        def url(store: str = store) -> str:
            return "" if store == "sqlite" else str(database.new())

        for step in (*kills.STEPS, kills.ENGINE):
            yield kills.killed_at(step, kills.Case(place(), url()), store)
        for what, (scenario, on) in kills.SCENARIOS.items():
            if store in on:
                yield kills.counted(what, scenario, kills.Case(place(), url()), store, database)
        for step in handovers.STEPS:
            yield handovers.killed_at(step, handovers.Case(place(), url(), server), store)


def table(found: Sequence[Count]) -> str:
    """The counts as a table in Markdown, a row for each thing that was done."""
    stores = dict.fromkeys(one.store for one in found)
    heads = ("documents", "duplicates", "deliveries", "lost")
    lines = ["| Killed |" + "".join(f" {store}: {head} |" for store in stores for head in heads)]
    lines += ["|---|" + "--:|" * (len(stores) * len(heads))]
    rows: dict[str, dict[str, Count]] = {}
    for one in found:
        rows.setdefault(one.killed, {})[one.store] = one
    lines += [f"| {what} |" + "".join(_cells(row.get(store)) for store in stores) for what, row in rows.items()]
    return "\n".join(lines)


def _cells(one: Count | None) -> str:
    if one is None:
        return " |" * 4
    delivered = "" if one.deliveries is None else f"{one.deliveries} of {one.of}"
    return f" {one.documents} of {one.of} | {one.duplicates} | {delivered} | {one.lost} |"
