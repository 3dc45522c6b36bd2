"""Rules about education: attendance, special needs, exclusions and the numbers of schools."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from pepforms.check.plan import area_of
from pepforms.check.rules import GUIDANCE, LAW, Case, Found, rule
from pepforms.check.words import day

FIVE_DAYS, FORTY_FIVE_DAYS = 10, 90
"""Sessions: two are a school day."""
FULL_TIME = 25
"""Hours a week of a child of statutory school age."""
PERSISTENT, SEVERE = 10, 50
"""Per cent of possible sessions that are missed: persistent absence from the first, severe from the second."""
_EXCLUSIONS = "School Discipline (Pupil Exclusions and Reviews) (England) Regulations 2012"


@rule("attendance-sum", source="School Attendance (Pupil Registration) (England) Regulations 2024", warns_before=True)
def attendance_sum(case: Case) -> Iterator[Found]:
    """Sessions attended and missed make up the possible ones, and lates lie inside attended."""
    where = ("education", "attendance")
    possible, attended, authorised, missed, late = (
        case.number(*where, part) for part in ("possible", "attended", "authorised", "unauthorised", "late")
    )
    if late is not None and attended is not None and late > attended:
        message = (
            f"Attendance: {late} late are more than the {attended} attended. (Lates before the register closes count "
            "as attended.) Ask the school which is right."
        )
        yield Found((*where, "late"), message)
    if possible is None or attended is None or authorised is None or missed is None:
        return
    total = attended + authorised + missed
    if total != possible:
        parts = f"{attended} attended + {authorised} authorised + {missed} not authorised make {total}"
        message = (
            f"Attendance: {parts}, but {possible} possible is given. Ask the school which is right. "
            "(Lates before the register closes count as attended.)"
        )
        yield Found(where, message)


@rule("sen-need", source="SEND code of practice: 0 to 25 years", warns_before=True)
def sen_need(case: Case) -> Iterator[Found]:
    """A child with SEN support or an EHC plan has a primary need."""
    if case.value("education", "sen", "status") in ("K", "E") and not case.value("education", "sen", "primary_need"):
        message = "Special educational needs: say which need is the primary one (NSA where it is not yet assessed)."
        yield Found(("education", "sen", "primary_need"), message)


@rule("ehc-plan", source="Children and Families Act 2014, section 44", warns_before=True)
def ehc_plan(case: Case) -> Iterator[Found]:
    """A child with an EHC plan has its maintaining authority and its next review."""
    if case.value("education", "sen", "status") != "E":
        return
    plan = ("education", "sen", "ehcp")
    for part, ask in (
        ("maintaining_authority", "which authority maintains it"),
        ("next_review", "when its next review is"),
    ):
        if not case.value(*plan, part):
            yield Found((*plan, part), f"EHC plan: say {ask}.")


@rule("ehc-plan-review-overdue", source="Children and Families Act 2014, section 44", explainable=True)
def ehc_plan_review_overdue(case: Case) -> Iterator[Found]:
    """The annual review of an EHC plan is not overdue on the day of the meeting."""
    where = ("education", "sen", "ehcp", "next_review")
    due, held = case.day(*where), case.day("meeting", "date")
    if due and held and due < held:
        message = (
            f"EHC plan: its annual review was due by {day(due)}. Give the day of the next one, or explain the delay "
            "under Exceptions."
        )
        yield Found(where, message)


@rule("absence-and-no-target", source="DfE: persistent and severe absence", severity="warns")
def absence_and_no_target(case: Case) -> Iterator[Found]:
    """A child who misses a tenth of school or more has a target about attendance."""
    kind = absence(case.value("education", "attendance"))
    about = (" ".join(str(row.get(part, "")) for part in ("need", "target")) for _, row in case.rows("targets"))
    areas = {area_of(row.get("domain")) for _, row in case.rows("targets")}
    if kind and "attendance" not in areas and not any("attend" in text.casefold() for text in about):
        limit = SEVERE if kind == "severe" else PERSISTENT
        message = (
            f"Attendance: this is {kind} absence ({limit}% of sessions missed, or more), and no target is about it. "
            "Agree one, or say why not."
        )
        yield Found(("education", "attendance"), message)


def absence(attendance: object) -> str | None:
    """`persistent` (a tenth of possible sessions missed, or more), `severe` (half or more), or None."""
    counts = attendance if isinstance(attendance, dict) else {}
    possible, attended = counts.get("possible"), counts.get("attended")
    if not (isinstance(possible, int) and isinstance(attended, int) and possible > 0):
        return None
    missed = 100 * (possible - attended)
    return "severe" if missed >= SEVERE * possible else "persistent" if missed >= PERSISTENT * possible else None


@rule("setting-number", source="Get Information about Schools", severity="warns")
def setting_number(case: Case) -> Iterator[Found]:
    """A school or setting has its number, or the reason why it has none."""
    for position, row in case.rows("education", "settings"):
        if not row.keys() & {"urn", "ofsted_urn", "ukprn", "unknown"}:
            where = ("education", "settings", position)
            message = f"{case.place(*where)}: give its URN, Ofsted number or UKPRN, or say why it has none."
            yield Found((*where, "urn"), message)


@rule("main-setting", source=LAW + ", Schedule 1 paragraph 2(2)(a)", severity="warns")
def main_setting(case: Case) -> Iterator[Found]:
    """Of several settings exactly one is the main one."""
    main = [row for _, row in case.rows("education", "settings") if row.get("main") is True]
    if len(list(case.rows("education", "settings"))) > 1 and len(main) != 1:
        yield Found(("education", "settings"), "School or setting now: mark one of them as the main one.")


@rule("part-time-without-reason", source=GUIDANCE, explainable=True, warns_before=True)
def part_time_without_reason(case: Case) -> Iterator[Found]:
    """A part-time timetable of statutory school age, under 25 hours in all, has its reason and the day it ends."""
    if not _school_age(case) or not _part_time(case):
        return
    for position, row in case.rows("education", "settings"):
        if row.get("main") is not False and not (row.get("part_time_reason") and row.get("part_time_until")):
            where = ("education", "settings", position)
            message = (
                f"{case.place(*where)}: the timetable is part time (under {FULL_TIME} hours a week). Say why and until "
                "when, or explain it under Exceptions."
            )
            yield Found((*where, "part_time_reason"), message)


def _school_age(case: Case) -> bool:
    """Years 1 to 11, and Reception from the fifth birthday."""
    group = case.year_group
    return group is not None and (1 <= group <= 11 or (group == 0 and (case.age or 0) >= 5))


def _part_time(case: Case) -> bool:
    hours = [row.get("hours_per_week") for _, row in case.rows("education", "settings")]
    known = [each for each in hours if isinstance(each, int | float)]
    said = case.text("pep", "provision_state") == "part_time"
    return said or (bool(known) and len(known) == len(hours) and sum(known) < FULL_TIME)


@rule("exclusion-without-provision", source=_EXCLUSIONS, explainable=True)
def exclusion_without_provision(case: Case) -> Iterator[Found]:
    """Education is provided from the sixth day of a longer suspension, and after every permanent exclusion."""
    for position, row in case.rows("education", "exclusions"):
        longer = isinstance(row.get("sessions"), int) and row["sessions"] > FIVE_DAYS
        if (longer or row.get("type") == "PERM") and not row.get("provision"):
            where = ("education", "exclusions", position)
            ask = "say what education there was from the sixth day, or explain it under Exceptions"
            yield Found((*where, "provision"), f"{case.place(*where)}: {ask}.")


@rule("over-45-days", source=_EXCLUSIONS, explainable=True, warns_before=True)
def over_45_days(case: Case) -> Iterator[Found]:
    """Suspensions come to no more than 45 school days in the academic year, in all schools together."""
    total = suspended_sessions(case)
    if total > FORTY_FIVE_DAYS:
        message = (
            f"Suspensions and exclusions: the suspensions of this year come to {total / 2:g} school days in all "
            "schools; the law allows 45. Record what is true, and explain it under Exceptions, or correct the number."
        )
        yield Found(("education", "exclusions"), message)


def suspended_sessions(case: Case) -> int:
    """Sessions of the academic year lost to suspension; a lunchtime is one, as the law counts it."""
    return sum(_sessions(row) for _, row in case.rows("education", "exclusions") if _of_year(case, row))


def _sessions(row: dict[str, Any]) -> int:
    given = row.get("sessions")
    if row.get("type") not in ("SUSP", "LNCH"):
        return 0
    return given if isinstance(given, int) else int(row["type"] == "LNCH")


def _of_year(case: Case, row: dict[str, Any]) -> bool:
    """Whether an exclusion began in the academic year of the PEP; one without a day counts."""
    began = row.get("start")
    if case.year is None or not isinstance(began, str):
        return True
    return date(case.year, 9, 1) <= date.fromisoformat(began) <= date(case.year + 1, 8, 31)


@rule("excluded-and-on-roll", source=_EXCLUSIONS, severity="warns")
def excluded_and_on_roll(case: Case) -> Iterator[Found]:
    """A child excluded for good is not still on the roll that the PEP names."""
    begun = [case.day("education", "settings", at, "from") for at, _ in case.rows("education", "settings")]
    for position, row in case.rows("education", "exclusions"):
        where = ("education", "exclusions", position)
        excluded = case.day(*where, "start")
        later = any(first and excluded and first > excluded for first in begun)
        if row.get("type") == "PERM" and case.text("pep", "provision_state") == "on_roll" and not later:
            message = f"{case.place(*where)}: it is permanent, but the child is on roll. Correct “Education now”."
            yield Found((*where, "type"), message)
