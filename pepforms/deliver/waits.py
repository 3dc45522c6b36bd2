"""When a delivery that did not go through is tried again: soon, then ever more seldom, for about a week."""

from datetime import datetime, timedelta

from pepforms.digest import sha256

FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=6)
"""The first wait, which doubles each time, and where that ends."""
TRIES = 38
"""Then it is given up: a server may be away over Easter, but somebody must look at one that is away for a week."""

_SPREAD = 0.25  # of a wait, so that four hundred deliveries that failed together do not all come back together


def next_try(attempts: int, now: datetime, seed: str) -> datetime | None:
    """When to try again after so many attempts in vain, one at least; None when it is given up and a person must look.

    `seed` names the delivery: its waits are its own, and the same each time they are asked for.
    """
    if attempts >= TRIES:
        return None
    return now + min(FIRST * (1 << attempts - 1), LONGEST) * (1 - _SPREAD * _fraction(f"{seed} {attempts}"))


def _fraction(text: str) -> float:
    """A number from 0 to 1 that is always the same for that text, and looks like any for another."""
    return int(sha256(text.encode())[:8], 16) / 0xFFFFFFFF
