"""Rows read although somebody may have edited them by hand: one that cannot be read is told, and the others go on."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from pepforms.register.tables import Table

_Row = TypeVar("_Row", bound=Table)

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)
"""What becomes of code that reads a value which is no such value as it was written for."""
_AT_ONCE = 100


def rows(session: Session, table: type[_Row], *options: ORMOption) -> Iterator[tuple[str, _Row | None]]:
    """Each row in the order of its key, with its name in a sentence; None in the place of one that cannot be read."""
    key = sa.inspect(table).primary_key
    keys = session.execute(sa.select(*key).order_by(*key)).all()
    for begin in range(0, len(keys), _AT_ONCE):
        some = [tuple(each) for each in keys[begin : begin + _AT_ONCE]]
        query = sa.select(table).where(sa.tuple_(*key).in_(some)).options(*options).order_by(*key)
        try:
            found: list[_Row | None] = [*session.scalars(query)]
        except UNREADABLE:
            found = []
        if len(found) != len(some):  # a value that is none, or a key that is no key
            found = [_alone(session, table, each, options) for each in some]
        for each, row in zip(some, found, strict=True):
            yield f"the row {' '.join(map(str, each))} of {table.__tablename__}", row


def proved(
    session: Session, table: type[_Row], proof: Callable[[_Row], Iterator[str]], *options: ORMOption
) -> Iterator[str]:
    """What `proof` finds wrong with each row of a table, and which cannot be read."""
    for about, row in rows(session, table, *options):
        if row is None:
            yield unreadable(about)
        else:
            yield from faults(about, functools.partial(proof, row))


def faults(about: str, found: Callable[[], Iterator[str]]) -> Iterator[str]:
    """What is wrong with a row, or that what it holds cannot be made sense of."""
    try:
        yield from found()
    except UNREADABLE:
        yield unreadable(about)


def unreadable(about: str) -> str:
    """The sentence about a row that cannot be read."""
    return f"{about[0].upper()}{about[1:]} holds what pepforms never writes. Ask who edited it, or restore a backup."


def _alone(session: Session, table: type[_Row], key: tuple[Any, ...], options: tuple[ORMOption, ...]) -> _Row | None:
    columns = sa.inspect(table).primary_key
    query = sa.select(table).where(*(column == value for column, value in zip(columns, key, strict=True)))
    try:
        return session.scalars(query.options(*options)).one_or_none()
    except UNREADABLE:
        return None
