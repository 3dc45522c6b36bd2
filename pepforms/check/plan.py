"""Rules about the plan itself: the child's voice, targets, actions and what Pupil Premium Plus buys."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from pepforms.check.rules import CONDITIONS, GUIDANCE, LAW, PRACTICE, Case, Found, rule
from pepforms.check.words import day, pounds

_PENNY = Decimal("0.01")


@rule("no-voice", source=f"{LAW}, regulation 5; Children Act 1989, section 22(4)")
def no_voice(case: Case) -> Iterator[Found]:
    """The child's own words are there, or why they are not."""
    child = case.value("views", "child")
    if isinstance(child, dict) and child and not child.keys() & {"words", "not_given_reason"}:
        message = "What the child says: write the child’s own words, or why there are none and what was tried."
        yield Found(("views", "child"), message)


@rule("previous-target-open", source=GUIDANCE, explainable=True)
def previous_target_open(case: Case) -> Iterator[Found]:
    """Every target of the last PEP has an outcome and says what it changed."""
    for position, row in case.rows("previous_targets"):
        for part, ask in (("outcome", "what became of it"), ("impact", "what it changed for the child")):
            where = ("previous_targets", position, part)
            if part not in row:
                yield Found(where, f"{case.place(*where[:2])}: say {ask}, or explain it under Exceptions.")


@rule("short-target-reviewed-late", source=GUIDANCE, explainable=True, warns_before=True)
def short_target_reviewed_late(case: Case) -> Iterator[Found]:
    """A short-term target is reviewed by the next PEP."""
    following = case.day("meeting", "next_date")
    for position, row in case.rows("targets"):
        review = case.day("targets", position, "review_by")
        if following and review and review > following and row.get("horizon") == "short":
            where = ("targets", position, "review_by")
            message = (
                f"{case.place(*where[:2])}: it is short term, but its review on {day(review)} comes after the next "
            )
            yield Found(where, f"{message}meeting on {day(following)}. Bring the review forward, or call it long term.")


@rule("target-ends-before-it-starts", source=PRACTICE, warns_before=True)
def target_ends_before_it_starts(case: Case) -> Iterator[Found]:
    """A target is reviewed after it starts."""
    for position, _ in case.rows("targets"):
        start, review = case.day("targets", position, "start"), case.day("targets", position, "review_by")
        if start and review and review < start:
            where = ("targets", position, "review_by")
            yield Found(
                where, f"{case.place(*where[:2])}: its review is before its start. Correct the day that is wrong."
            )


@rule("action-due-before-meeting", source=PRACTICE, warns_before=True)
def action_due_before_meeting(case: Case) -> Iterator[Found]:
    """A new action that is open is not due before the meeting."""
    meeting = case.day("meeting", "date")
    for position, row in case.rows("actions"):
        due = case.day("actions", position, "due")
        if meeting and due and due < meeting and row.get("status", "open") in ("open", "in_progress"):
            message = (
                f"{case.place('actions', position)}: it is due on {day(due)}, before the meeting of {day(meeting)}. "
                "Correct the day, or say that it is done."
            )
            yield Found(("actions", position, "due"), message)


@rule("unknown-target", source=CONDITIONS, stage="draft")
def unknown_target(case: Case) -> Iterator[Found]:
    """Every line of Pupil Premium Plus serves a target of this PEP."""
    if not case.all_there("targets"):
        return
    targets = {row.get("id") for _, row in case.rows("targets")}
    for position, row in case.rows("pupil_premium_plus", "lines"):
        target = row.get("target_id")
        if isinstance(target, str) and target not in targets:
            where = ("pupil_premium_plus", "lines", position, "target_id")
            message = f"{case.place(*where[:3])}: there is no target “{target}” in this PEP. Choose one of its targets."
            yield Found(where, message)


@rule("cost-not-quantity-times-rate", source=PRACTICE, warns_before=True)
def cost_not_quantity_times_rate(case: Case) -> Iterator[Found]:
    """The cost of a line is its quantity times its rate, rounded to the penny."""
    for position, row in case.rows("pupil_premium_plus", "lines"):
        where = ("pupil_premium_plus", "lines", position)
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
    grant = "pupil_premium_plus"
    left = case.money(grant, "allocation")
    if left is None or case.touched((grant, "approvals")):
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
        yield Found((grant, "lines"), message)


def _sum(case: Case, rows: str, part: str) -> Decimal:
    amounts = (case.money("pupil_premium_plus", rows, at, part) for at, _ in case.rows("pupil_premium_plus", rows))
    return sum((amount for amount in amounts if amount is not None), Decimal())


@rule("allocation-basis", source=PRACTICE, warns_before=True)
def allocation_basis(case: Case) -> Iterator[Found]:
    """What is left for the child is the year's allocation less what earlier PEPs committed."""
    where = ("pupil_premium_plus", "allocation_basis")
    left, amount = case.money("pupil_premium_plus", "allocation"), case.money(*where, "amount")
    committed = case.money(*where, "committed_before") or Decimal()
    if left is not None and amount is not None and not case.touched(where) and left != amount - committed:
        sum_of_it = f"{pounds(amount)} less {pounds(committed)} leaves {pounds(amount - committed)}"
        message = (
            f"Pupil Premium Plus: {sum_of_it}, but {pounds(left)} is given as left. Correct the one that is wrong."
        )
        yield Found(("pupil_premium_plus", "allocation"), message)
