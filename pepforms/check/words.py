"""How a check says things: places, lists, days and money, as people who fill in PEPs say them."""

import calendar
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pepforms.check.finding import Steps
from pepforms.schema import Schema


def place(schema: Schema, steps: Steps) -> str:
    """Where something is: `Target 2, “Review by”`; lists count from one, and a row says enough without its section."""
    row, names = "", list[str]()
    for depth in range(1, len(steps) + 1):
        field = schema.at(steps[:depth])
        if not field:
            break
        step = steps[depth - 1]
        if isinstance(step, int):
            row, names = f"{field.title} {step + 1}", []
        else:
            names.append(field.title)
    if not names:
        return row or "This PEP"
    quoted = [names[0], *(f"“{name}”" for name in names[1:])] if not row else [row, *(f"“{name}”" for name in names)]
    return ", ".join(quoted)


def listing(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(", ".join(part) for part in (words[:-1], words[-1:]) if part)


def day(moment: date) -> str:
    """`19 November 2026`."""
    return f"{moment.day} {calendar.month_name[moment.month]} {moment.year}"


def pounds(amount: Decimal) -> str:
    """`£1,025.65`, with a true minus sign before it for money that comes back."""
    return f"{'−' if amount < 0 else ''}£{abs(amount):,.2f}"
