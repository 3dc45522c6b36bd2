"""How long a delivery that did not go through waits: longer each time, each its own while, and not for ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pepforms.deliver.waits import FIRST, LONGEST, TRIES, next_try

NOW = datetime(2026, 12, 18, 16, 30, tzinfo=UTC)


def waits(seed: str) -> list[timedelta]:
    """Every wait of a delivery that never goes through."""
    found = []
    for attempts in range(1, TRIES + 1):
        then = next_try(attempts, NOW, seed)
        if then is None:
            break
        found.append(then - NOW)
    return found


@given(st.text())
def test_waits_grow_from_a_minute_to_six_hours_and_stay_within_bounds(seed: str) -> None:
    found = waits(seed)
    assert FIRST * 0.75 <= found[0] <= FIRST
    assert all(FIRST * 0.75 <= wait <= LONGEST for wait in found)
    growing = found[:9]
    assert growing == sorted(growing)
    assert all(wait >= LONGEST * 0.7 for wait in found[9:])


@given(st.text())
def test_a_delivery_is_given_up_after_about_a_week_and_stays_given_up(seed: str) -> None:
    found = waits(seed)
    assert len(found) == TRIES - 1
    assert timedelta(days=5) < sum(found, timedelta()) < timedelta(days=8)
    assert next_try(TRIES, NOW, seed) is next_try(TRIES + 1000, NOW, seed) is None


def test_a_delivery_waits_the_same_while_whenever_it_is_asked() -> None:
    assert waits("delivery 7") == waits("delivery 7")


def test_deliveries_that_failed_together_do_not_all_come_back_together() -> None:
    times = {next_try(1, NOW, f"delivery {number}") for number in range(400)}
    assert len(times) > 390
    tries = [time for time in times if time]
    assert max(tries) - min(tries) > FIRST / 5


def test_times_stay_in_the_zone_that_they_were_given_in() -> None:
    then = next_try(1, NOW, "delivery 7")
    assert then is not None
    assert then.tzinfo is UTC
