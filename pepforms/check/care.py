"""Rules about care: the SDQ, moves, permissions, and when care ends."""

from collections.abc import Iterator
from datetime import date

from pepforms.check.rules import LAW, PRACTICE, Case, Found, rule
from pepforms.check.words import day, listing
from pepforms.days import years_later

BORDERLINE, CAUSE_FOR_CONCERN = 14, 17
"""SDQ totals from here are borderline, and a cause for concern."""
_SDQ_AGES = range(4, 17)
_MATTERS = {"trips": ("trip", "residential"), "medical treatment": ("medical", "health"), "photographs": ("photo",)}
_ALL_MATTERS = "everything"


def sdq_band(score: int) -> str:
    """`normal` (0 to 13), `borderline` (14 to 16) or `cause for concern` (17 to 40)."""
    if score >= CAUSE_FOR_CONCERN:
        return "cause for concern"
    return "borderline" if score >= BORDERLINE else "normal"


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
        message = f"SDQ: this score is a {sdq_band(score)} (17 to 40). Say what helps in school."
        yield Found(("care", "sdq", "strategies"), message)


@rule("no-sdq", source="SSDA903: SDQ yearly, ages 4 to 16, after twelve months in care", explainable=True)
def no_sdq(case: Case) -> Iterator[Found]:
    """A child of 4 to 16 who has been looked after for twelve months has an SDQ: a score, or why there is none."""
    since, held = case.day("care", "looked_after_from"), case.day("meeting", "date")
    if case.age in _SDQ_AGES and since and held and years_later(since, 1) <= held and not case.value("care", "sdq"):
        message = (
            "SDQ: at this age, after twelve months in care, the carer fills one in every year. Add the score, say why "
            "there is none, or explain it under Exceptions."
        )
        yield Found(("care", "sdq"), message)


@rule("sdq-out-of-date", source="SSDA903: SDQ yearly", severity="warns")
def sdq_out_of_date(case: Case) -> Iterator[Found]:
    """The SDQ is not more than a year old."""
    done, held = case.day("care", "sdq", "date"), case.day("meeting", "date")
    if done and held and case.age in _SDQ_AGES and years_later(done, 1) < held:
        message = f"SDQ: this one is of {day(done)}, more than a year before the meeting. Ask the carer for a new one."
        yield Found(("care", "sdq", "date"), message)


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


@rule("move-in-key-stage-4", source=f"{LAW}, regulation 10", severity="warns")
def move_in_key_stage_4(case: Case) -> Iterator[Found]:
    """Of a move in Year 10 or 11 it is said whether it disrupted education."""
    last, moved = case.value("care", "placement", "previous"), case.day("care", "placement", "start")
    if case.year_group not in (10, 11) or case.year is None or moved is None or not isinstance(last, dict):
        return
    began = date(case.year - (case.year_group - 10), 9, 1)
    if moved >= began and "disrupted_ks4" not in last and not case.touched(("care", "placement", "previous")):
        message = "Placement: the last move was in Year 10 or 11. Say whether it disrupted education (regulation 10)."
        yield Found(("care", "placement", "previous", "disrupted_ks4"), message)


@rule("placement-provider", source="SSDA903: placement provider", severity="warns")
def placement_provider(case: Case) -> Iterator[Found]:
    """A placement says who provides it, save a temporary or other one, which in the return has no provider."""
    kind, where = case.text("care", "placement", "type"), ("care", "placement", "provider")
    provider = case.value(*where)
    has_none = kind is not None and kind.startswith(("T", "Z1"))
    if kind and not has_none and provider is None:
        yield Found(where, "Placement: say who provides it, or why that is not known.")
    elif has_none and isinstance(provider, str):
        yield Found(where, f"Placement: for one of the kind {kind} no provider is given. Take it out, or correct one.")


@rule("confidential-and-told", source=PRACTICE, severity="warns")
def confidential_and_told(case: Case) -> Iterator[Found]:
    """Where the placement is confidential, the school knows who must not be told."""
    if case.value("care", "placement", "confidential") is True and not case.value(
        "care", "collection", "must_not_be_told"
    ):
        message = "Safe collection: the placement is confidential. Say who must not be told where the child is."
        yield Found(("care", "collection", "must_not_be_told"), message)


@rule("nobody-to-ring", source=PRACTICE, severity="warns")
def nobody_to_ring(case: Case) -> Iterator[Found]:
    """Where the school is told who may collect the child, it is told whom to ring as well."""
    told = case.value("care", "collection")
    if isinstance(told, dict) and told and not told.get("ring_first") and not told.get("emergency"):
        message = "Safe collection: say whom the school rings first, and who answers in an emergency."
        yield Found(("care", "collection", "ring_first"), message)


@rule("permissions-incomplete", source=PRACTICE, severity="warns")
def permissions_incomplete(case: Case) -> Iterator[Found]:
    """Trips, medical treatment and photographs each have somebody who decides."""
    said = " ".join(str(row.get("matter", "")).casefold() for _, row in case.rows("care", "permissions"))
    missing = [matter for matter, words in _MATTERS.items() if not any(word in said for word in words)]
    if said and missing and _ALL_MATTERS not in said:
        yield Found(("care", "permissions"), f"Who decides what: say also who decides about {listing(missing)}.")


@rule("review-before-meeting", source=LAW, severity="warns")
def review_before_meeting(case: Case) -> Iterator[Found]:
    """The next review of the care plan comes after the meeting, and so has this PEP before it."""
    review, held = case.day("care", "next_review"), case.day("meeting", "date")
    if review and held and review < held:
        message = f"Next review of the care plan: {day(review)} is before this meeting. Give the day of the next one."
        yield Found(("care", "next_review"), message)


@rule("care-ended-before-meeting", source=LAW, severity="warns")
def care_ended_before_meeting(case: Case) -> Iterator[Found]:
    """A child who is no longer looked after needs no new PEP."""
    ended, held = case.day("care", "ceased_on"), case.day("meeting", "date")
    if ended and held and ended < held:
        message = f"Care ended on {day(ended)}, before this meeting. Check whether this PEP is still wanted."
        yield Found(("care", "ceased_on"), message)


@rule("no-pep-needed", source=f"{LAW}, regulation 48", severity="warns")
def no_pep_needed(case: Case) -> Iterator[Found]:
    """A child who only has short breaks needs no PEP."""
    if case.text("care", "legal_status") in case.profile.status_no_pep:
        message = "Legal status: a child who only has short breaks needs no PEP. Check the status."
        yield Found(("care", "legal_status"), message)


@rule("turns-18-before-next-meeting", source="Children Act 1989, section 105", severity="warns")
def turns_18_before_next_meeting(case: Case) -> Iterator[Found]:
    """A young person who turns 18 before the next meeting is told what comes then."""
    born, following = case.day("child", "date_of_birth"), case.day("meeting", "next_date")
    if born and following and case.age is not None and case.age < 18 and years_later(born, 18) <= following:
        message = "Next meeting: the young person turns 18 before it. Say under Moving on what support there is then."
        yield Found(("meeting", "next_date"), message)
