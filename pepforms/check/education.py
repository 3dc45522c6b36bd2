"""Rules about education: attendance, special needs, exclusions and the numbers of schools."""

from collections.abc import Iterator

from pepforms.check.rules import GUIDANCE, LAW, Case, Found, rule

FIVE_DAYS, FORTY_FIVE_DAYS = 10, 90
"""Sessions: two are a school day."""
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
    """A part-time timetable has its reason and the day it ends."""
    if case.value("pep", "provision_state") != "part_time" or case.value("pep", "phase") not in (
        "primary",
        "secondary",
    ):
        return
    for position, row in case.rows("education", "settings"):
        if row.get("main") is not False and not (row.get("part_time_reason") and row.get("part_time_until")):
            where = ("education", "settings", position)
            message = (
                f"{case.place(*where)}: the timetable is part time. Say why and until when, or explain it under "
                "Exceptions."
            )
            yield Found((*where, "part_time_reason"), message)


@rule("exclusion-without-provision", source=_EXCLUSIONS, explainable=True)
def exclusion_without_provision(case: Case) -> Iterator[Found]:
    """Education is provided from the sixth day of a longer suspension, and after every permanent exclusion."""
    for position, row in case.rows("education", "exclusions"):
        longer = isinstance(row.get("sessions"), int) and row["sessions"] > FIVE_DAYS
        if (longer or row.get("type") == "PERM") and not row.get("provision"):
            where = ("education", "exclusions", position)
            ask = "say what education there was from the sixth day, or explain it under Exceptions"
            yield Found((*where, "provision"), f"{case.place(*where)}: {ask}.")


@rule("over-45-days", source=_EXCLUSIONS, severity="warns", warns_before=True)
def over_45_days(case: Case) -> Iterator[Found]:
    """Suspensions come to no more than 45 school days in the year."""
    sessions = [row.get("sessions") for _, row in case.rows("education", "exclusions") if row.get("type") == "SUSP"]
    total = sum(count for count in sessions if isinstance(count, int))
    if total > FORTY_FIVE_DAYS:
        message = (
            f"Suspensions and exclusions: the suspensions come to {total / 2:g} school days; the law allows 45 a year. "
            "Ask the school."
        )
        yield Found(("education", "exclusions"), message)
