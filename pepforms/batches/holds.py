"""What waits for a person: looked for before a copy is kept. The rest of the batch goes on."""

from collections.abc import Callable
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from pepforms import days
from pepforms.caseload import holds
from pepforms.errors import Refused
from pepforms.model import Audience, Pep
from pepforms.register.tables import Hold, Item

Objection = tuple[str, str]
"""Why a copy waits: a slug, and what a person must know to decide. No value of a PEP stands in it."""

Check = Callable[[Session, Item, Pep], Objection | None]
"""Whether something keeps a copy from being made unattended.

A check says all that it finds in one sentence, not the first thing only: who releases the item has read the sentence,
and as long as the check says no other, the item passes.
"""

_WAITS = ("leak", "first-told", "not-released")
"""What the recipe refuses until a person has looked. It refuses again until that person has put the PEP right."""


def parent_copy(_: Session, item: Item, __: Pep) -> Objection | None:
    """*Never part of an unattended batch, and a named person releases it* (practice: Audiences in use)."""
    if item.audience != "parent" or item.person is None:
        return None
    return "parent-copy", (
        "A parent’s copy is never made unattended. Make sure that this parent may have it now, and release it under "
        "your name."
    )


def weekly_list(session: Session, item: Item, pep: Pep) -> Objection | None:
    """What the newest weekly list knows and the PEP does not: a move, a new school, an adoption, a restriction."""
    return holds.held(session, item.id, pep, cast(Audience, item.audience), days.today())


CHECKS: tuple[Check, ...] = (parent_copy, weekly_list)


class Waits(Refused):
    """A copy that is not made until a person has released it; the slug is the reason."""


def look(session: Session, item: Item, pep: Pep) -> None:
    """Raise Waits where something keeps this item from being made that nobody has released."""
    rows = session.execute(
        select(Hold.reason, Hold.message).where(Hold.item_id == item.id, Hold.released_at.is_not(None))
    )
    released = {(reason, message) for reason, message in rows}
    for check in CHECKS:
        found = check(session, item, pep)
        if found and found not in released:
            raise Waits(found[1], slug=found[0])


def of(error: Refused) -> Waits | None:
    """A refusal that waits for a person; None where it is another. It names fields, never what stands in them."""
    if isinstance(error, Waits):
        return error
    if error.slug in _WAITS:
        found = (f"{each.message} ({each.pointer})" if each.pointer else each.message for each in error.problems)
        return Waits(" ".join([str(error), *found]), slug=error.slug)
    return None
