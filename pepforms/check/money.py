"""Rules about Pupil Premium Plus: what it buys, for whom, in which year, and that nothing is paid for twice."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from pepforms import days
from pepforms.check.rules import CONDITIONS, PRACTICE, Case, Found, rule
from pepforms.check.words import day, pounds

_PENNY = Decimal("0.01")
_GRANT = "pupil_premium_plus"
_STREAMS = {"early_years": "before Reception", "school_age": "Reception to Year 11", "post_16": "Year 12 and up"}


@rule("unknown-target", source=CONDITIONS, stage="draft")
def unknown_target(case: Case) -> Iterator[Found]:
    """Every line of Pupil Premium Plus serves a target of this PEP."""
    if not case.all_there("targets"):
        return
    targets = {row.get("id") for _, row in case.rows("targets")}
    for position, row in case.rows(_GRANT, "lines"):
        target = row.get("target_id")
        if isinstance(target, str) and target not in targets:
            where = (_GRANT, "lines", position, "target_id")
            message = f"{case.place(*where[:3])}: there is no target “{target}” in this PEP. Choose one of its targets."
            yield Found(where, message)


@rule("cost-not-quantity-times-rate", source=PRACTICE, warns_before=True)
def cost_not_quantity_times_rate(case: Case) -> Iterator[Found]:
    """The cost of a line is its quantity times its rate, rounded to the penny."""
    for position, row in case.rows(_GRANT, "lines"):
        where = (_GRANT, "lines", position)
        cost, rate, quantity = case.money(*where, "cost"), case.money(*where, "rate"), row.get("quantity")
        if cost is None or rate is None or not isinstance(quantity, int | float):
            continue
        right = (Decimal(str(quantity)) * rate).quantize(_PENNY, ROUND_HALF_UP)
        if cost != right:
            sum_of_it = f"{quantity:g} at {pounds(rate)} come to {pounds(right)}, but {pounds(cost)} is given"
            yield Found((*where, "cost"), f"{case.place(*where)}: {sum_of_it}. Correct the one that is wrong.")


@rule("over-allocation", source=CONDITIONS, warns_before=True)
def over_allocation(case: Case) -> Iterator[Found]:
    """The lines come to no more than what is left for the child and what more was approved."""
    left = case.money(_GRANT, "allocation")
    if left is None or case.touched((_GRANT, "approvals")):
        return
    total = _sum(case, "lines", "cost")
    more = _sum(case, "approvals", "amount")
    if total > left + more:
        name = case.value("child", "preferred_name") or "this child"
        said = f"These lines come to {pounds(total)}; {pounds(left)} is left for {name}"
        approved = f" and {pounds(more)} more was approved" if more else ""
        message = (
            f"{said}{approved}. {pounds(total - left - more)} too much: take a line out or ask the Virtual School Head."
        )
        yield Found((_GRANT, "lines"), message)


def _sum(case: Case, rows: str, part: str) -> Decimal:
    amounts = (case.money(_GRANT, rows, at, part) for at, _ in case.rows(_GRANT, rows))
    return sum((amount for amount in amounts if amount is not None), Decimal())


@rule("allocation-basis", source=PRACTICE, warns_before=True)
def allocation_basis(case: Case) -> Iterator[Found]:
    """What is left for the child is the year's allocation less what earlier PEPs committed."""
    where = (_GRANT, "allocation_basis")
    left, amount = case.money(_GRANT, "allocation"), case.money(*where, "amount")
    committed = case.money(*where, "committed_before") or Decimal()
    if left is not None and amount is not None and not case.touched(where) and left != amount - committed:
        sum_of_it = f"{pounds(amount)} less {pounds(committed)} leaves {pounds(amount - committed)}"
        message = (
            f"Pupil Premium Plus: {sum_of_it}, but {pounds(left)} is given as left. Correct the one that is wrong."
        )
        yield Found((_GRANT, "allocation"), message)


@rule("wrong-stream", source=CONDITIONS, warns_before=True)
def wrong_stream(case: Case) -> Iterator[Found]:
    """The grant is that of the year group: early years, school age (Reception to Year 11) or post-16."""
    stream, group = case.text(_GRANT, "stream"), case.year_group
    if stream is None or group is None:
        return
    right = "early_years" if group < 0 else "school_age" if group <= 11 else "post_16"
    if stream != right:
        where = (_GRANT, "stream")
        field = case.schema.at(where)
        label = field.labels[right] if field else right
        message = (
            f"{case.place(*where)}: the stream of this year group is “{label}” ({_STREAMS[right]}). Correct the stream "
            "or the year group."
        )
        yield Found(where, message)


@rule("line-outside-financial-year", source=CONDITIONS, warns_before=True)
def line_outside_financial_year(case: Case) -> Iterator[Found]:
    """A line falls in the financial year of its block: by its date, else by its term (summer is the next year's)."""
    block = case.text(_GRANT, "financial_year")
    for position, row in case.rows(_GRANT, "lines"):
        where = (_GRANT, "lines", position)
        on, term = case.day(*where, "date"), row.get("term")
        year = days.financial_year(on) if on else _year_of_term(case, term)
        if block and year and year != block:
            why, part = (day(on), "date") if on else (f"the {term} term", "term")
            message = (
                f"{case.place(*where)}: {why} falls in the financial year {year}, but this money is of {block}. "
                "Correct it, or move the line to a PEP of that year."
            )
            yield Found((*where, part), message)


def _year_of_term(case: Case, term: object) -> str | None:
    """The financial year of a term: summer term comes after 1 April and belongs to the next."""
    if case.year is None or not isinstance(term, str):
        return None
    return days.financial_year(date(case.year + 1, 4, 1) if term == "summer" else date(case.year, 9, 1))


@rule("refund-without-reason", source=PRACTICE, warns_before=True)
def refund_without_reason(case: Case) -> Iterator[Found]:
    """Money that comes back says why."""
    for position, row in case.rows(_GRANT, "lines"):
        where = (_GRANT, "lines", position)
        cost = case.money(*where, "cost")
        if cost is not None and cost < 0 and not row.get("refund_reason"):
            message = f"{case.place(*where)}: {pounds(cost)} is money that comes back. Say why, or correct the amount."
            yield Found((*where, "refund_reason"), message)


@rule("double-funding", source=CONDITIONS, severity="warns", warns_before=True)
def double_funding(case: Case) -> Iterator[Found]:
    """What another source pays for is not bought a second time."""
    others = [
        (_plain(row[part]), position)
        for position, row in case.rows(_GRANT, "other_funding")
        for part in ("item", "purpose")
        if isinstance(row.get(part), str)
    ]
    for position, row in case.rows(_GRANT, "lines"):
        item = _plain(row["item"]) if isinstance(row.get("item"), str) else ""
        twice = next((other for words, other in others if _same(item, words)), None)
        if twice is not None:
            where = (_GRANT, "lines", position)
            source = case.place(_GRANT, "other_funding", twice)
            message = f"{case.place(*where)}: {source} pays for this too. Check that nothing is paid for twice."
            yield Found((*where, "item"), message)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _same(one: str, other: str) -> bool:
    """Whether two texts name the same thing: the same words, or all of one, two words at least, within the other."""
    short, long = sorted((one, other), key=len)
    return bool(short) and (short == long or (" " in short and f" {short} " in f" {long} "))
