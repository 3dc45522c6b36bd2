"""Rules about care: the SDQ, and a move in Year 10 or 11."""

from collections.abc import Iterator

from pepforms.check.rules import LAW, PRACTICE, Case, Found, rule

CAUSE_FOR_CONCERN = 17
"""SDQ totals from here are a cause for concern."""


@rule("sdq-score-or-reason", source="SSDA903: SDQ score or the reason for none", warns_before=True)
def sdq_score_or_reason(case: Case) -> Iterator[Found]:
    """The SDQ has either a score or the reason why there is none."""
    sdq = case.value("care", "sdq")
    if isinstance(sdq, dict) and sdq and ("score" in sdq) == ("reason" in sdq):
        both = (
            "give the score or the reason why there is none, not both"
            if "score" in sdq
            else "give the score, or why none"
        )
        yield Found(("care", "sdq"), f"{case.place('care', 'sdq')}: {both}.")


@rule("sdq-without-strategies", source="SSDA903: SDQ bands", severity="warns")
def sdq_without_strategies(case: Case) -> Iterator[Found]:
    """An SDQ score of 17 or more comes with what helps."""
    score = case.number("care", "sdq", "score")
    if score is not None and score >= CAUSE_FOR_CONCERN and not case.value("care", "sdq", "strategies"):
        message = "SDQ: this score is a cause for concern. Say what helps in school."
        yield Found(("care", "sdq", "strategies"), message)


@rule("move-not-approved", source=f"{LAW}, regulation 10", explainable=True)
def move_not_approved(case: Case) -> Iterator[Found]:
    """A move that disrupts Year 10 or 11 was approved by the nominated officer, except in an emergency."""
    last = case.value("care", "placement", "previous")
    if (
        isinstance(last, dict)
        and last.get("disrupted_ks4")
        and not last.get("emergency")
        and not last.get("approved_by")
    ):
        message = (
            "Placement: the last move disrupted Year 10 or 11. Say which nominated officer approved it, or explain it "
            "under Exceptions."
        )
        yield Found(("care", "placement", "previous", "approved_by"), message)


@rule("placement-provider", source="SSDA903: placement provider", severity="warns")
def placement_provider(case: Case) -> Iterator[Found]:
    """A placement that is not temporary says who provides it."""
    kind = case.value("care", "placement", "type")
    temporary = isinstance(kind, str) and kind.startswith(("T", "Z1"))
    if isinstance(kind, str) and not temporary and case.value("care", "placement", "provider") is None:
        yield Found(("care", "placement", "provider"), "Placement: say who provides it, or why that is not known.")


@rule("confidential-and-told", source=PRACTICE, severity="warns")
def confidential_and_told(case: Case) -> Iterator[Found]:
    """Where the placement is confidential, the school knows who must not be told."""
    if case.value("care", "placement", "confidential") is True and not case.value(
        "care", "collection", "must_not_be_told"
    ):
        message = "Safe collection: the placement is confidential. Say who must not be told where the child is."
        yield Found(("care", "collection", "must_not_be_told"), message)
