"""Rules about the plan itself: the child's voice, what became of the last plan, targets, actions, moving on."""

import functools
from collections import Counter
from collections.abc import Iterator

from pepforms import codes
from pepforms.check.rules import CONDITIONS, GUIDANCE, LAW, PRACTICE, Case, Found, rule
from pepforms.check.words import day, listing

_YEAR_9 = 9
TOTAL = "total"
"""In the profile: targets of any area."""
_LAST_YEARS = (6, 11)
"""Year groups at the end of which a child changes school or goes to college."""


@rule("no-voice", source=f"{LAW}, regulation 5; Children Act 1989, section 22(4)")
def no_voice(case: Case) -> Iterator[Found]:
    """The child's own words are there, or why they are not."""
    child = case.value("views", "child")
    if isinstance(child, dict) and child and not child.keys() & {"words", "not_given_reason"}:
        message = "What the child says: write the child’s own words, or why there are none and what was tried."
        yield Found(("views", "child"), message)


@rule("no-aspirations", source=GUIDANCE, explainable=True)
def no_aspirations(case: Case) -> Iterator[Found]:
    """From Year 9 on the child's hopes for later are there, unless the child gave no words at all."""
    child = case.value("views", "child")
    silent = isinstance(child, dict) and "not_given_reason" in child
    if (case.year_group or 0) >= _YEAR_9 and isinstance(child, dict) and not silent and not child.get("aspirations"):
        where = ("views", "child", "aspirations")
        message = (
            f"{case.place(*where)}: from Year 9 a PEP says what the young person hopes for after school. Ask, or "
            "explain it under Exceptions."
        )
        yield Found(where, message)


def _open(case: Case, rows: str, asked: tuple[tuple[str, str], ...]) -> Iterator[Found]:
    """What is not said of the rows of the last PEP: one problem for each part that is missing."""
    for position, row in case.rows(rows):
        for part, ask in asked:
            where = (rows, position, part)
            if part not in row:
                yield Found(where, f"{case.place(*where[:2])}: say {ask}, or explain it under Exceptions.")


@rule("previous-target-open", source=GUIDANCE, explainable=True)
def previous_target_open(case: Case) -> Iterator[Found]:
    """Every target of the last PEP has an outcome and says what it changed."""
    asked = (("outcome", "what became of it"), ("impact", "what it changed for the child"))
    yield from _open(case, "previous_targets", asked)


@rule("previous-action-open", source=GUIDANCE, explainable=True)
def previous_action_open(case: Case) -> Iterator[Found]:
    """Every action of the last PEP has an outcome."""
    yield from _open(case, "previous_actions", (("outcome", "what became of it"),))


@rule("previous-spend-open", source=CONDITIONS, explainable=True)
def previous_spend_open(case: Case) -> Iterator[Found]:
    """Of all that the last PEP was to buy it is said what was spent and what it changed."""
    asked = (("spent", "how much was spent (0.00 if nothing was)"), ("impact", "what it changed for the child"))
    yield from _open(case, "previous_spend", asked)


@rule("too-few-targets", source="The authority’s profile: targets", explainable=True)
def too_few_targets(case: Case) -> Iterator[Found]:
    """There are as many targets of each area as the profile asks for."""
    if case.value("targets") is None or not (case.all_there("targets") and case.all_there("targets", key="domain")):
        return
    there = Counter(area_of(row.get("domain")) for _, row in case.rows("targets"))
    for area, least in case.profile.targets_at_least.items():
        found = there.total() if area == TOTAL else there[area]
        if found < least:
            of = "" if area == TOTAL else f" of the area “{codes.label('target_domain', area) or area}”"
            said = (
                f"{least}{of} {'is' if least == 1 else 'are'} asked for; there {'is' if found == 1 else 'are'} {found}"
            )
            yield Found(("targets",), f"Targets: {said}. Agree another, or explain it under Exceptions.")


def area_of(domain: object) -> str:
    """The area of a target (a code of the list target_domain) by the words people use; a subject's name is academic."""
    said = domain.casefold() if isinstance(domain, str) else ""
    return next((area for area, words in _areas() if any(word in said for word in words)), "academic")


@functools.cache
def _areas() -> tuple[tuple[str, tuple[str, ...]], ...]:
    areas = codes.known("target_domain").values()
    return tuple((area.code, (area.code, area.label.casefold(), *area.aliases)) for area in areas)


@rule("intervention-incomplete", source=GUIDANCE, severity="warns")
def intervention_incomplete(case: Case) -> Iterator[Found]:
    """Of an intervention it is said what it is, when, where, by whom and how often; one of these may be missing."""
    for position, row in case.rows("education", "needs", "interventions"):
        where = ("education", "needs", "interventions", position)
        lacks = [words for part, words in _INTERVENTION.items() if not row.get(part)]
        if len(lacks) > 1:
            yield Found(where, f"{case.place(*where)}: say also {listing(lacks)}.")


_INTERVENTION = {
    "what": "what it is",
    "when": "when it is",
    "where": "where it is",
    "who": "who gives it",
    "how_often": "how often",
}


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


@rule("no-transition-plan", source=f"{LAW}, Schedule 1 paragraph 2(3)", explainable=True)
def no_transition_plan(case: Case) -> Iterator[Found]:
    """In spring and summer of Years 6 and 11 the PEP says where the child goes next; in autumn a blank only warns."""
    if case.year_group not in _LAST_YEARS or case.value("transition", "planned_changes"):
        return
    where = ("transition", "planned_changes") if case.value("transition") else ("transition",)
    asked = f"Moving on: in Year {case.year_group} say which school or college comes next and how the move is planned"
    if case.text("pep", "term") in ("spring", "summer"):
        yield Found(where, f"{asked}, or explain it under Exceptions.")
    else:
        yield Found(where, f"{asked}; by the spring term it must be there.", "warns", explainable=False)
