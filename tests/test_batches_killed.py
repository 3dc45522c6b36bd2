"""Batches and hand-overs in real processes, killed, starved or cut off on purpose: each once, nothing lost.

`python -m benchmarks.kills` runs the whole matrix and prints it as a table.
"""

import importlib
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pepforms.batches.worker import WORK_FORMAT


@pytest.fixture(scope="module")
def kills() -> Iterator[ModuleType]:
    """The harness, and the steps to be killed at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).with_name("kills")))
        yield importlib.import_module("kills")


@pytest.fixture
def case(kills: ModuleType, tmp_path: Path) -> Any:
    return kills.Case(tmp_path)


@pytest.fixture
def on_postgresql(kills: ModuleType, tmp_path: Path, postgresql: str) -> Any:
    return kills.Case(tmp_path, postgresql)


def step(kills: ModuleType, what: str) -> Any:
    return next(each for each in kills.STEPS if each.what == what)


def test_killed_in_the_middle_of_a_piece_on_sqlite(kills: ModuleType, case: Any) -> None:
    assert kills.killed_at(step(kills, "before it is settled (5)"), case, "sqlite").holds()
    with closing(sqlite3.connect(case.home / "work.sqlite")) as work:
        versions = set(work.execute("SELECT application_version FROM workflow_status"))
    assert versions == {(WORK_FORMAT,)}, "a newer release would not take up what this one has begun"


def test_the_engine_killed_as_it_converts(kills: ModuleType, case: Any) -> None:
    assert kills.killed_at(kills.ENGINE, case, "sqlite").holds()


def test_a_worker_that_vanished_hands_its_work_over_without_a_person(kills: ModuleType, on_postgresql: Any) -> None:
    assert kills.counted("", kills.vanished, on_postgresql, "postgresql").holds()


def test_a_clock_that_is_set_back_keeps_nobodys_work_from_others(kills: ModuleType, case: Any) -> None:
    assert kills.counted("", kills.clock_set_back, case, "sqlite").holds()


@pytest.mark.slow
def test_killed_at_every_step_on_both_stores(
    kills: ModuleType, postgres_server: Any, servers: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert kills
    matrix = importlib.import_module("matrix")
    with servers.serving(tmp_path / "server") as server:
        found = list(matrix.counts(tmp_path, postgres_server, server))
    with capfd.disabled():
        sys.stdout.write(f"\n\n{matrix.table(found)}\n\n")
    assert [one for one in found if not one.holds()] == []
