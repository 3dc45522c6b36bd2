"""What filters take and give: said beside each of them, for the lint to judge tags by and docs/templates.md to list."""

import datetime
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from pepforms.schema import Field


class Kind(StrEnum):
    """A kind of value, as an author of templates calls it."""

    FACT = "a fact or a list of facts"
    ONE = "a fact"
    DAY = "a date"
    MONEY = "an amount of money"
    NUMBER = "a number"
    AMOUNT = "a number or an amount of money"
    PERSON = "a person"
    NAMED = "a person or a legal name"
    LIST = "a list"
    FACTS = "a list of facts"
    PEOPLE = "a list of people"
    ATTENDANCE = "the group of attendance"
    FUNDS = "the group of Pupil Premium Plus"
    APPROVALS = "a group with approvals"
    LIKE = "what it must be"
    RUN = "words in bold"
    GROUP = "a group of facts"


@dataclass(frozen=True, slots=True)
class Each:
    """The name of a fact of this kind, in quotation marks, that each entry of a list has."""

    kind: Kind

    def __str__(self) -> str:
        return f"in quotation marks the name of {self.kind} of its entries"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to use a filter: what stands before the bar and in the brackets, and what comes of it (None: the same).

    `tells` names the facts of a group that it puts on the page; None where it is all that stands before the bar.
    """

    of: Kind
    gives: Kind | None
    tells: tuple[str, ...] | None
    given: Mapping[str, Kind | Each]

    def __str__(self) -> str:
        return f"{self.of}, and in brackets {self.brackets}" if self.given else str(self.of)

    @property
    def brackets(self) -> str:
        """What stands in its brackets, in words."""
        return ", then ".join(map(str, self.given.values()))


_Filter = TypeVar("_Filter", bound=Callable[..., Any])

FILTERS: dict[str, Callable[..., Any]] = {}
"""Every filter that a template may use, by name."""
WAYS: dict[str, list[Way]] = {}
"""The ways to use each filter."""


def takes(
    of: Kind, gives: Kind | None = Kind.ONE, tells: tuple[str, ...] | None = None, /, **given: Kind | Each
) -> Callable[[_Filter], _Filter]:
    """Make a function a filter of its own name, which may be used so; above another such line, in this way too."""

    def made(function: _Filter) -> _Filter:
        FILTERS[function.__name__] = function
        WAYS.setdefault(function.__name__, []).insert(0, Way(of, gives, tells, given))
        return function

    return made


def bound(name: str, given: list[Any], named: list[tuple[str, Any]]) -> tuple[Way, dict[str, Any]] | None:
    """The way in which a filter is used, and what each of its parameters is given; None where there is no such way."""
    try:
        arguments = inspect.signature(FILTERS[name]).bind(None, *given, **dict(named)).arguments
    except TypeError:
        return None
    if len(dict(named)) < len(named):
        return None
    _, *brackets = arguments
    way = next((way for way in WAYS[name] if [*way.given] == brackets), None)
    return (way, {one: arguments[one] for one in brackets}) if way else None


def fits(value: Field | Kind, kind: Kind) -> bool:
    """Whether a field, or what a filter or an author has made, is of a kind."""
    if isinstance(value, Kind):
        return kind in (value, *_IS_ALSO.get(value, ()))
    return _FIELDS[kind](value)


def of_constant(value: object) -> Kind:
    """Of which kind something is that the author writes out."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Kind.NUMBER
    if isinstance(value, str) and _is_day(value):
        return Kind.DAY
    return Kind.GROUP if value is None else Kind.ONE


def is_group(of: Field) -> bool:
    """Whether no page can print a field by itself: it holds several facts."""
    return bool(of.fields or (of.items and is_group(of.items)))


def _is_day(value: str) -> bool:
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == len("2026-11-12")


def _holds(*names: str) -> Callable[[Field], bool]:
    return lambda of: {*names} <= of.fields.keys()


def _lists(kind: Kind) -> Callable[[Field], bool]:
    return lambda of: of.items is not None and fits(of.items, kind)


_IS_ALSO: Mapping[Kind, tuple[Kind, ...]] = {
    Kind.ONE: (Kind.FACT, Kind.LIKE),
    Kind.DAY: (Kind.FACT, Kind.ONE, Kind.LIKE),
    Kind.NUMBER: (Kind.FACT, Kind.ONE, Kind.LIKE, Kind.AMOUNT),
}

_FIELDS: Mapping[Kind, Callable[[Field], bool]] = {
    Kind.FACT: lambda of: not is_group(of),
    Kind.ONE: lambda of: not of.fields and not of.items,
    Kind.DAY: lambda of: of.format in ("date", "date-time"),
    Kind.MONEY: lambda of: of.format == "money",
    Kind.NUMBER: lambda of: of.type in ("integer", "number"),
    Kind.AMOUNT: lambda of: fits(of, Kind.NUMBER) or fits(of, Kind.MONEY),
    Kind.PERSON: lambda of: of.person,
    Kind.NAMED: lambda of: of.person or {"given", "family"} <= of.fields.keys(),
    Kind.LIST: lambda of: of.items is not None,
    Kind.FACTS: _lists(Kind.FACT),
    Kind.PEOPLE: _lists(Kind.NAMED),
    Kind.ATTENDANCE: _holds("attended", "possible"),
    Kind.FUNDS: _holds("allocation", "approvals", "lines"),
    Kind.APPROVALS: _holds("approvals"),
    Kind.LIKE: lambda of: not of.fields and not of.items,
    Kind.RUN: lambda _: False,
    Kind.GROUP: lambda _: True,
}
