"""The model of many hosts behaves as machines do, and docs/scale.md has a place for everything that is measured."""

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import picture, scale
from benchmarks.simulation import (
    PIECE,
    Cost,
    Shape,
    Step,
    Work,
    at_distance,
    bounds,
    hindered_by,
    locked,
    simulate,
    total,
)

LIKE_OURS = Work(
    item=[
        Step("take", Cost(own=2, database=1, waits=2), connection=True),
        Step("make", Cost(own=90, engine=110)),
        Step("write", Cost(own=1, waits=4), folder=True),
        Step("lock", Cost(own=3, database=1, waits=4), connection=True, lock=True),
    ],
    piece=[Step("end", Cost(own=2, database=1, waits=2), connection=True)],
    second=Cost(own=40, database=10),
    spread=(0.9, 1.0, 1.2),
)
COMPUTES = Work(item=[Step("make", Cost(engine=100))])
"""Nothing in it is shared but the cores."""


def on(hosts: int = 1, cores: int = 4, workers: int = 2, threads: int = 2, **more: int) -> Shape:
    return Shape(hosts, cores, workers, threads, **{"database_cores": 4, **more})


def rate(work: Work, shape: Shape, items: int = 0) -> float:
    return simulate(work, shape, items or 40 * shape.all_threads).rate


def test_every_item_is_made_once() -> None:
    assert len(simulate(LIKE_OURS, on(), 37).done) == 37
    assert len(simulate(LIKE_OURS, on(hosts=2, registers=3), 37).done) == 37


def test_one_item_takes_what_its_steps_take_and_the_wait_for_its_piece() -> None:
    took = simulate(COMPUTES, on(), 1).seconds * 1000
    assert 100 <= took <= 200


def test_the_same_seed_gives_the_same_answer_and_another_seed_another() -> None:
    once, again = (simulate(LIKE_OURS, on(), 100, seed=7) for _ in range(2))
    assert once == again
    assert simulate(LIKE_OURS, on(), 100, seed=8) != once


def test_twice_the_hosts_are_never_slower() -> None:
    found = [rate(LIKE_OURS, on(hosts=hosts, cores=2, workers=1)) for hosts in (1, 2, 4, 8, 16)]
    assert all(more >= 0.98 * less for less, more in itertools.pairwise(found)), found


def test_where_nothing_is_shared_n_processes_make_n_times_as_much() -> None:
    one = rate(COMPUTES, on(cores=8, workers=1, threads=1))
    for workers in (2, 4, 8):
        assert rate(COMPUTES, on(cores=8, workers=workers, threads=1)) == pytest.approx(workers * one, rel=0.05)


def test_more_threads_than_cores_make_no_more_than_the_cores_can() -> None:
    assert rate(COMPUTES, on(cores=2, workers=4, threads=4)) == pytest.approx(20, rel=0.03)


def test_the_interpreter_lock_keeps_one_worker_to_one_core() -> None:
    python = Work(item=[Step("make", Cost(own=100))])
    assert rate(python, on(cores=8, workers=1, threads=8)) == pytest.approx(10, rel=0.03)
    assert rate(python, on(cores=8, workers=8, threads=1)) == pytest.approx(80, rel=0.05)


def test_the_register_lock_bounds_what_any_number_of_hosts_makes() -> None:
    most = 1000 / locked(LIKE_OURS.item)
    assert rate(LIKE_OURS, on(hosts=24, database_cores=64, connections=1000), 1000) <= most * 1.01
    assert hindered_by(LIKE_OURS, on(hosts=24, database_cores=64, connections=1000)) == "lock"


def test_a_register_for_each_authority_has_a_lock_for_each() -> None:
    many = {"hosts": 24, "database_cores": 64, "connections": 1000}
    assert rate(LIKE_OURS, on(**many, registers=8), 1500) > 2 * rate(LIKE_OURS, on(**many), 1000)


def test_too_few_connections_hold_up_the_rest() -> None:
    waits = Work(item=[Step("look", Cost(waits=100), connection=True)])
    assert rate(waits, on(hosts=4, connections=2)) == pytest.approx(20, rel=0.05)


def test_a_database_on_the_same_host_takes_of_its_cores() -> None:
    half = Work(item=[Step("make", Cost(engine=50, database=50))])
    assert rate(half, Shape(1, 2, 1, 4)) == pytest.approx(20, rel=0.03)
    assert rate(half, Shape(1, 2, 1, 4, database_cores=2)) > 30


def test_what_each_worker_has_one_of_serves_one_item_at_a_time() -> None:
    judged = Work(item=[Step("make", Cost(engine=20)), Step("verify", Cost(engine=100), single=True)])
    assert rate(judged, on(cores=8, workers=1, threads=8)) == pytest.approx(10, rel=0.03)
    assert rate(judged, on(cores=16, workers=2, threads=8)) == pytest.approx(20, rel=0.05)
    assert hindered_by(judged, on(cores=16, workers=2, threads=8)) == "single"


def test_cores_that_crowd_each_other_make_less() -> None:
    crowded = Work(item=COMPUTES.item, crowding=1.5)
    assert rate(crowded, on(cores=4)) == pytest.approx(rate(COMPUTES, on(cores=4)) / 1.5, rel=0.05)
    assert rate(crowded, on(cores=4, workers=1, threads=1)) == pytest.approx(
        rate(COMPUTES, on(cores=4, workers=1, threads=1)), rel=0.01
    )


def test_a_database_farther_away_holds_the_lock_longer() -> None:
    far = at_distance(LIKE_OURS, 2.0, {"lock": 6})
    assert locked(far.item) == locked(LIKE_OURS.item) + 12
    assert total(far.item).waits == total(LIKE_OURS.item).waits + 12


def test_a_register_without_a_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="without a worker"):
        simulate(LIKE_OURS, Shape(1, 2, 1, 1, registers=2), 10)


costs = st.floats(0, 60)


@settings(max_examples=25, deadline=None)
@given(
    own=costs, engine=costs, held=costs, waits=costs, hosts=st.integers(1, 4), cores=st.integers(1, 4),
    workers=st.integers(1, 3), threads=st.integers(1, 3),
)  # fmt: skip
def test_no_arrangement_passes_its_bounds(
    own: float, engine: float, held: float, waits: float, hosts: int, cores: int, workers: int, threads: int
) -> None:
    item = [Step("make", Cost(1 + own, engine)), Step("lock", Cost(database=held, waits=waits), True, True)]
    work, shape = Work(item), Shape(hosts, cores, workers, threads, database_cores=2, connections=3)
    items = 5 * PIECE
    least = min(bounds(work, shape).values())
    assert simulate(work, shape, items).seconds >= items / least * 0.999


def test_the_picture_is_well_formed_and_names_its_lines() -> None:
    drawn = picture.curves((1, 2, 4), {"one register": [5, 9, 12], "many registers": [5, 10, 20]})
    assert "one register" in drawn
    assert drawn.count("<polyline") == 2


def test_blocks_are_put_in_their_places_and_nothing_else_is_touched(tmp_path: Path) -> None:
    page = tmp_path / "scale.md"
    page.write_text("Before.\n<!-- measured: steps -->\nold\n<!-- /measured -->\nAfter \\1.\n")
    scale.write(page, {"steps": "new \\1"})
    assert page.read_text() == "Before.\n<!-- measured: steps -->\nnew \\1\n<!-- /measured -->\nAfter \\1.\n"


def test_a_block_without_a_place_is_no_silence(tmp_path: Path) -> None:
    page = tmp_path / "scale.md"
    page.write_text("Nothing.\n")
    with pytest.raises(AssertionError, match="no place for steps"):
        scale.write(page, {"steps": "new"})


def test_every_block_of_the_page_has_been_measured() -> None:
    page = (Path(__file__).parent.parent / "docs" / "scale.md").read_text()
    blocks = re.findall(r"<!-- measured: (\w+) -->\n(.*?)<!-- /measured -->", page, re.DOTALL)
    assert len(blocks) == 12
    assert all(block.strip() for _, block in blocks)
