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
from pepforms.fill.values import Absent, Items, Misuse, Node, Told, Withheld, context
from pepforms.model import Pep, pointer
from pepforms.schema import Field

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
    if field.codes:
        return codes.label(field.codes, value) or str.__str__(value)
    if field.labels:
        return field.labels.get(value, str.__str__(value))
    return _FORMATS.get(field.format or "", str.__str__)(value)


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


def date(value: Any) -> str:
    """`{{ meeting.date|date }}`: 12 November 2026. Also for what came from elsewhere than a date field."""
    if isinstance(value, Absent):
        return value.words
    day = datetime.date.fromisoformat(value)
    return f"{day.day} {day:%B %Y}"


def moment(value: str) -> str:
    """A date and time as the clock in London showed it: 19 November 2026 at 15:30."""
    at = datetime.datetime.fromisoformat(value).astimezone(LONDON)
    return f"{at.day} {at:%B %Y} at {at:%H:%M}"


def money(value: Any) -> str:
    """`{{ line.cost|money }}`: £1,025.65, with a true minus sign for a refund."""
    if isinstance(value, Absent):
        return value.words
    if not _AMOUNT.fullmatch(str(value)):
        raise Misuse("it is not an amount of money")
    pounds = Decimal(value)
    return f"{'−' if pounds < 0 else ''}£{abs(pounds):,.2f}"


def label(value: Any) -> str:
    """`{{ care.legal_status|label }}`: the words of a code."""
    return said(value)


def person(value: Any) -> str:
    """`{{ target.owner|person }}`: Sasha Mockworth (Virtual School Officer)."""
    if isinstance(value, Absent):
        return value.words
    known = _person(value)
    if known and "role" not in known:  # who is named by what they are, in a copy that may not say more
        return str(known["name"])
    return f"{known['name']} ({role(value)})" if known else "someone not in this PEP"


def name(value: Any) -> str:
    """`{{ target.owner|name }}`: a person's name. `{{ child.legal_name|name }}`: the child's, in full."""
    if isinstance(value, Absent):
        return value.words
    if isinstance(value, Node):
        return " ".join(str(value.value[part]) for part in ("given", "family") if part in value.value)
    known = _person(value)
    return str(known["name"]) if known else "someone not in this PEP"


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


def percent(value: Any) -> str:
    """`{{ education.attendance|percent }}`: attended as a share of possible sessions, to one decimal place: 96.4%."""
    if isinstance(value, Absent):
        return value.words
    possible, attended = value.value.get("possible"), value.value.get("attended")
    if not possible or attended is None:
        return "Not yet recorded"
    share = Decimal(100 * attended) / Decimal(possible)
    return f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def total(value: Any, of: str) -> str:
    """`{{ pupil_premium_plus.lines|total("cost") }}`: the sum of a money field over a list, in pounds."""
    entry = value.field.items
    if isinstance(value, Withheld) or (entry and of in entry.fields and entry.fields[of].withheld):
        return ""
    return money(str(_sum(value, of)))


def remaining(value: Any) -> str:
    """`{{ pupil_premium_plus|remaining }}`: allocation and approvals less the cost of the lines, in pounds."""
    if isinstance(value, Absent):
        return value.words
    if isinstance(value.item("allocation"), Withheld):
        return ""
    allocated = Decimal(value.value.get("allocation", "0.00")) + _sum(value.item("approvals"), "amount")
    return money(str(allocated - _sum(value.item("lines"), "cost")))


def _sum(items: Any, of: str) -> Decimal:
    amounts = (entry.value.get(of) for entry in items)
    return sum((Decimal(amount) for amount in amounts if isinstance(amount, str)), Decimal("0.00"))


def _person(value: Told) -> Mapping[str, Any] | None:
    return next((known for known in value.pep.get("people", []) if known.get("id") == value), None)


def _matter(value: str) -> str:
    """What an exception is about, from the problem's name: `social-worker-absent` is “Social worker absent”."""
    return value.replace("-", " ").capitalize()


_FORMATS: dict[str, Callable[[str], str]] = {"date": date, "date-time": moment, "money": money, "slug": _matter}

FILTERS: dict[str, Callable[..., Any]] = {
    "date": date,
    "label": label,
    "money": money,
    "name": name,
    "percent": percent,
    "person": person,
    "remaining": remaining,
    "role": role,
    "total": total,
}
"""Every filter that a template may use, by name."""
