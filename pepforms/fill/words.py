"""How values are said on a page: dates in words, pounds, the words of a code, people's names; and the filters.

Every value prints in words by itself, so that no page can show `2026-11-23`, `C2` or an id. The filters are for the
places where a template wants other words than that, or a sum.
"""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pepforms import codes, schema
from pepforms.days import LONDON
from pepforms.fill import kinds
from pepforms.fill.kinds import Each, Kind, takes
from pepforms.fill.values import Absent, Items, Misuse, Node, Told, Withheld, context
from pepforms.model import Pep, pointer
from pepforms.schema import Field

_NUMBER = re.compile(r"-?[0-9]{1,12}([.][0-9]{1,6})?")
_AMOUNT = re.compile(r"-?[0-9]{1,12}([.][0-9]{1,2})?")


def said(value: Any) -> str:
    """The words for any value of a PEP; Misuse for a whole object, which no page can print."""
    if isinstance(value, Told):
        return _told(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float):
        return f"{value:,}".removesuffix(".0")
    if isinstance(value, Absent):
        return value.words
    if isinstance(value, Items):
        return _listed([said(entry) for entry in value]) or "Nothing to record"
    raise Misuse("it prints a group of facts; name one of them")


def _told(value: Told) -> str:
    field = value.field
    if field.person:
        return person(value)
    if field.stands_in:
        return _stood_in_for(value)
    if field.codes:
        return codes.label(field.codes, value) or str.__str__(value)
    if field.labels:
        return field.labels.get(value, str.__str__(value))
    return _FORMATS.get(field.format or "", str.__str__)(value)


def _stood_in_for(value: Told) -> str:
    """Whom somebody stands in for: the name of a role or of a person, else the words as they are."""
    people = schema.load().root.fields["people"].items
    assert people is not None
    named = (known["name"] for known in value.pep.get("people", ()) if known.get("id") == value)
    return people.fields["role"].labels.get(value) or next(named, str.__str__(value))


def _listed(parts: list[str]) -> str:
    """Entries one after the other, unaltered; those that are not sentences are parted by semicolons."""
    return "".join(part + (" " if part.endswith((".", "!", "?")) else "; ") for part in parts[:-1]) + "".join(
        parts[-1:]
    )


def facts(pep: Pep, fields: Field) -> Iterator[tuple[str, str, str]]:
    """Every fact of a PEP by itself, seen through a tree of fields: its title, its pointer, the words that print it."""
    for name, value in context(pep, fields, {}).items():
        if name in pep:
            yield from _facts(value, fields.fields[name].title, pointer(name))


def _facts(value: Any, title: str, at: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, Node):
        for name in value.value:
            if name in value.field.fields:
                yield from _facts(value.item(name), value.field.fields[name].title, at + pointer(name))
    elif isinstance(value, Items):
        for number, entry in enumerate(value):
            yield from _facts(entry, title, at + pointer(number))
    else:
        yield title, at, said(value)


@takes(Kind.DAY)
def date(value: Any) -> str:
    """`{{ meeting.date|date }}`: 12 November 2026. `{{ sign_off.at|date }}`: the day alone of a date and time."""
    if isinstance(value, Absent):
        return value.words
    day = _day(value)
    return f"{day.day} {day:%B %Y}"


@takes(Kind.DAY)
def long_date(value: Any) -> str:
    """`{{ meeting.date|long_date }}`: Thursday 12 November 2026."""
    return value.words if isinstance(value, Absent) else f"{_day(value):%A} {date(value)}"


@takes(Kind.DAY, Kind.NUMBER, on=Kind.DAY)
def age(value: Any, on: Any) -> Any:
    """`{{ child.date_of_birth|age(meeting.date) }}`: full years on a day: 10. A number, so it can be compared too."""
    for day in (value, on):
        if isinstance(day, Absent):
            return day  # prints why, and is neither more nor less than any age
    return schema.years(_day(value), _day(on))


def _day(value: Any) -> datetime.date:
    """The day of a date, or of a date and time as the clock in London showed it."""
    if "T" in value:
        return datetime.datetime.fromisoformat(value).astimezone(LONDON).date()
    return datetime.date.fromisoformat(value)


def moment(value: str) -> str:
    """A date and time as the clock in London showed it: 19 November 2026 at 15:30."""
    at = datetime.datetime.fromisoformat(value).astimezone(LONDON)
    return f"{at.day} {at:%B %Y} at {at:%H:%M}"


@takes(Kind.MONEY)
def money(value: Any) -> str:
    """`{{ line.cost|money }}`: £1,025.65, with a true minus sign for a refund."""
    if isinstance(value, Absent):
        return value.words
    if not _AMOUNT.fullmatch(str(value)):
        raise Misuse("it is not an amount of money")
    pounds = Decimal(value)
    return f"{'−' if pounds < 0 else ''}£{abs(pounds):,.2f}"


@takes(Kind.FACT)
def label(value: Any) -> str:
    """`{{ care.legal_status|label }}`: the words of a code."""
    return said(value)


@takes(Kind.PERSON)
def person(value: Any) -> str:
    """`{{ target.owner|person }}`: Sasha Mockworth (Virtual School Officer)."""
    if isinstance(value, Absent):
        return value.words
    known = _person(value)
    if known and "role" not in known:  # who is named by what they are, in a copy that may not say more
        return str(known["name"])
    return f"{known['name']} ({role(value)})" if known else "someone not in this PEP"


@takes(Kind.NAMED)
def name(value: Any) -> str:
    """`{{ target.owner|name }}`: a person's name. `{{ child.legal_name|name }}`: the child's, in full."""
    if isinstance(value, Absent):
        return value.words
    if isinstance(value, Node):
        return " ".join(str(value.value[part]) for part in ("given", "family") if part in value.value)
    known = _person(value)
    return str(known["name"]) if known else "someone not in this PEP"


@takes(Kind.PERSON)
def role(value: Any) -> str:
    """`{{ target.owner|role }}`: what a person is to the child: Virtual School Officer."""
    if isinstance(value, Absent):
        return value.words
    known = _person(value)
    if not known or "role" not in known:
        return str(known["name"]) if known else "not in this PEP"
    people = schema.load().root.fields["people"].items
    assert people is not None
    return people.fields["role"].labels[known["role"]]


@takes(Kind.ATTENDANCE, Kind.ONE, ("attended", "possible"))
@takes(Kind.AMOUNT, of=Kind.AMOUNT)
def percent(value: Any, of: Any = None) -> str:
    """`{{ education.attendance|percent }}`: attended as a share of possible sessions, to one decimal place: 96.4%.

    `{{ attendance.late|percent(attendance.possible) }}`: the share that one number or amount is of another.
    """
    if isinstance(value, Node) and of is None:
        value, of = value.item("attended"), value.item("possible")
    for part in (value, of):
        if isinstance(part, Absent):
            return part.words
        if isinstance(part, bool) or not _NUMBER.fullmatch(str(part)):
            raise Misuse("it makes a percentage of something that is not a number")
    if not Decimal(str(of)):
        return "Not yet recorded"
    share = 100 * Decimal(str(value)) / Decimal(str(of))
    return f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


@takes(Kind.FACTS)
@takes(Kind.LIST, of=Each(Kind.FACT))
def listed(value: Any, of: str | None = None) -> str:
    """`{{ child.also_known_as|listed }}`: a list as people say it: Al, Bo and Cy.

    `{{ targets|listed("domain") }}`: the same of one fact of each entry. Where an entry has a comma, semicolons part.
    """
    entries = _each(value, of)
    return value.words if isinstance(value, Absent) else _joined([said(phrase(entry)) for entry in entries])


@takes(Kind.PEOPLE)
@takes(Kind.LIST, of=Each(Kind.NAMED))
def names(value: Any, of: str | None = None) -> str:
    """`{{ targets|names("owner") }}`: who is named in a list, each once: Ines Fauxley and Sasha Mockworth."""
    entries = _each(value, of)
    if isinstance(value, Absent):
        return value.words
    return _joined([*dict.fromkeys(phrase(one) if isinstance(one, Absent) else name(one) for one in entries)])


@takes(Kind.LIST, of=Each(Kind.DAY))
def days(value: Any, of: str) -> str:
    """`{{ targets|days("review_by") }}`: the days in a list, in order, each once, with “and” before the last."""
    entries = _each(value, of)
    if isinstance(value, Absent):
        return value.words
    if value.field.items.fields[of].format not in ("date", "date-time"):
        raise Misuse(f"it asks for the days of “{of}”, which is no day")
    known = sorted({_day(one) for one in entries if not isinstance(one, Absent)})
    others = dict.fromkeys(phrase(one) for one in entries if isinstance(one, Absent))
    return _joined([*(date(str(day)) for day in known), *others])


@takes(Kind.LIST, None, (), of=Each(Kind.ONE), like=Kind.LIKE)
def where(value: Any, of: str, like: Any) -> Any:
    """`{{ pupil_premium_plus.lines|where("target_id", target.id)|total("cost") }}`: the entries of which a fact is so.

    It is compared as the PEP holds it, as `if` compares. What is not there is like nothing; where the reader may not
    see the fact, or what it is compared with, nothing is told of the entries at all.
    """
    found = _each(value, of)
    if isinstance(value, Absent):
        return value
    by = value.field.items.fields[of]
    if by.fields or by.items:
        raise Misuse(f"it asks whether “{of}” is something; it is a group of facts")
    if by.withheld or isinstance(like, Withheld):
        return Withheld(value.field, value.pep)
    return Items([row for row, one in zip(value.value, found, strict=True) if one == like], value.field, value.pep)


@takes(Kind.LIST, Kind.NUMBER)
def count(value: Any) -> int:
    """`{{ targets|count }}`: how many there are in a list: 3. A number, so it can be compared too."""
    return len(_each(value))


@takes(Kind.FACT)
def phrase(value: Any) -> Any:
    """`{{ child.upn|phrase }}`: in the middle of a sentence, what is not there: not yet known (no school place yet)."""
    if not isinstance(value, Absent):
        return value
    head, _, reason = value.words.partition(": ")
    began = {"Not known": "not yet known"}.get(head, head[:1].lower() + head[1:])
    return f"{began} ({reason.rstrip('.')})" if reason else began


def _joined(parts: list[str]) -> str:
    comma = ";" if any("," in part or " and " in part for part in parts) else ","
    if len(parts) < 2:
        return "".join(parts) or "Nothing to record"
    return f"{f'{comma} '.join(parts[:-1])}{comma * (comma == ';')} and {parts[-1]}"


def _each(value: Any, of: str | None = None) -> list[Any]:
    """The entries of a list, or one fact of each; Misuse where there are no entries, or none has such a fact."""
    if not isinstance(value, Items | Absent):
        raise Misuse("it lists something that is not a list")
    entry = value.field.items
    if of is not None and not (entry and of in entry.fields):
        raise Misuse(f"it asks the entries of a list for “{of}”, which they do not have")
    return [one if of is None else one.item(of) for one in value]


@takes(Kind.LIST, Kind.ONE, (), of=Each(Kind.MONEY))
def total(value: Any, of: str) -> str:
    """`{{ pupil_premium_plus.lines|total("cost") }}`: the sum of a money field over a list, in pounds."""
    entry = value.field.items
    if isinstance(value, Withheld) or (entry and of in entry.fields and entry.fields[of].withheld):
        return ""
    amount = money(str(_sum(value, of)))
    return value.words if isinstance(value, Absent) else amount


@takes(Kind.FUNDS, Kind.ONE, ("allocation",))
@takes(Kind.FUNDS, Kind.ONE, ("allocation",), since=Kind.APPROVALS)
def remaining(value: Any, since: Any = None) -> str:
    """`{{ pupil_premium_plus|remaining }}`: allocation and approvals less the cost of the lines, in pounds.

    `{{ pupil_premium_plus|remaining(follow_up) }}`: the same, with what was approved after sign-off.
    """
    allocation = value if isinstance(value, Absent) else value.item("allocation")
    if isinstance(allocation, Absent):
        return allocation.words
    more = [part.item("approvals") for part in (value, since) if part is not None]
    approved = sum((_sum(rows, "amount") for rows in more), Decimal(allocation))
    return money(str(approved - _sum(value.item("lines"), "cost")))


def _sum(items: Any, of: str) -> Decimal:
    return sum((Decimal(amount) for amount in _each(items, of) if isinstance(amount, str)), Decimal("0.00"))


def _person(value: Any) -> Mapping[str, Any] | None:
    if not (isinstance(value, Told) and value.field.person):
        raise Misuse("it asks who somebody is of something that names nobody")
    return next((known for known in value.pep.get("people", []) if known.get("id") == value), None)


def _matter(value: str) -> str:
    """What an exception is about, from the problem's name: `social-worker-absent` is “Social worker absent”."""
    return value.replace("-", " ").capitalize()


_FORMATS: dict[str, Callable[[str], str]] = {"date": date, "date-time": moment, "money": money, "slug": _matter}

FILTERS: Mapping[str, Callable[..., Any]] = dict(kinds.FILTERS)
"""The filters that make words, numbers and lists, by name."""
