"""Every rule on both sides of its boundary: what it finds, and what lies a step away from it and is well."""

import copy
import functools
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pepforms import check, codes, days, profile, schema
from pepforms.check import catalogue, words
from pepforms.check.attainment import SCALES, below_expected, below_prior, scale_of
from pepforms.check.care import sdq_band
from pepforms.check.education import absence
from pepforms.check.identity import ORDERED
from pepforms.check.numbers import upn_check_letter
from pepforms.check.plan import area_of
from pepforms.days import years_later
from pepforms.digest import pep_digest
from pepforms.model import Problem, Stage
from pepforms.profile import Profile
from pepforms.resources import folder

HILLINGDON = profile.load("hillingdon")
ASKING = replace(HILLINGDON, targets_at_least={"academic": 2, "semh": 1})
TOTAL = replace(HILLINGDON, targets_at_least={"total": 4})
NO_TERMS = replace(HILLINGDON, school_terms={})
UNEXPECTING = replace(HILLINGDON, meeting_expected=("social_worker",))
TIMED = replace(
    HILLINGDON,
    clocks={
        "sign_off": days.Clock(5, "working", after="meeting"),
        "initial_meeting": days.Clock(24, "calendar", after="looked_after"),
        "initial_pep": days.Clock(28, "calendar", after="looked_after"),
        "to_iro": days.Clock(3, "calendar", before="review"),
    },
)
CHILDREN = {path.stem: json.loads(path.read_bytes()) for path in (folder("samples") / "valid").glob("*.json")}
YEAR_8, YEAR_9, YEAR_10, YEAR_11 = (
    "year-8-confidential-placement",
    "year-9-dual-roll",
    "year-10-dual-roll",
    "year-11-leaver",
)
WALES, FIRST, REMAND = "year-6-ehc-plan-wales", "unaccompanied-16-tigrinya", "year-11-remand"
Change = Callable[[Any], object]


def put(path: str, value: object) -> Change:
    """A change that sets a fact: `care.sdq.score`, `targets.0.owner`; a list grows by `targets.+`."""

    def change(pep: Any) -> None:
        *way, last = path.split(".")
        place = pep
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if last == "+":
            place.append(copy.deepcopy(value))
        else:
            place[int(last) if isinstance(place, list) else last] = copy.deepcopy(value)

    return change


def drop(path: str) -> Change:
    """A change that takes a fact away."""

    def change(pep: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            pep = pep[int(step)] if isinstance(pep, list) else pep[step]
        del pep[int(last) if isinstance(pep, list) else last]

    return change


def both(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def change(pep: Any) -> None:
        for each in changes:
            each(pep)

    return change


def nothing(pep: Any) -> None:
    """No change."""


def made(child: str, change: Change) -> dict[str, Any]:
    """A sample with a change, signed again unless the change is to the sign-offs' digests."""
    pep = copy.deepcopy(CHILDREN[child])
    before = [row["digest"] for row in pep["sign_offs"]]
    change(pep)
    for row in pep["sign_offs"]:
        if row["digest"] in before:
            row["digest"] = pep_digest(pep)
    return pep


def problems(pep: Any, stage: Stage = "record", by: Profile = HILLINGDON) -> tuple[Problem, ...]:
    return check.check(json.dumps(pep).encode(), stage, by).problems


def came(person: str, **facts: object) -> Change:
    """A change to the row of one person at the meeting."""
    return lambda pep: [row.update(facts) for row in pep["meeting"]["attendees"] if row["person"] == person]


def not_listed(*people: str) -> Change:
    """A change that takes people off the list of the meeting."""

    def change(pep: Any) -> None:
        pep["meeting"]["attendees"] = [row for row in pep["meeting"]["attendees"] if row["person"] not in people]

    return change


def without(role: str) -> Change:
    """A change that takes the people of a role out, from the meeting too."""

    def change(pep: Any) -> None:
        gone = {row["id"] for row in pep["people"] if row["role"] == role}
        pep["people"] = [row for row in pep["people"] if row["id"] not in gone]
        not_listed(*gone)(pep)

    return change


def suspended(*sessions: int, kind: str = "SUSP", start: str = "2026-09-14") -> Change:
    """A change of all exclusions: one of each length."""
    row = {"type": kind, "reasons": ["DB"], "start": start, "provision": "Tuition from the first day"}
    return put("education.exclusions", [dict(row, sessions=count) for count in sessions])


def attended(possible: int, attended: int) -> Change:
    """A change of the attendance, all absence authorised."""
    counts = {
        "possible": possible,
        "attended": attended,
        "authorised": possible - attended,
        "unauthorised": 0,
        "late": 0,
    }
    return both(
        lambda pep: pep["education"]["attendance"].update(counts), put("targets.2.need", "Changes without warning")
    )


def schools(*spans: tuple[str, Any], now: str = "2026-03-02") -> Change:
    """A change of all schools: those before, first and last day of each, and the one now."""
    before = [{"name": "Notional School", "from": first, "to": last} for first, last in spans]
    here = {"name": "Mockford Academy", "unknown": "Not listed", "from": now, "main": True}
    return both(put("education.history", before), put("education.settings", [here]))


def without_school(since: str) -> Change:
    """A change of the school now: there is none."""
    return both(
        drop("education.settings"),
        put("pep.provision_state", "no_school"),
        put("education.no_school", {"since": since, "reason": "Waiting for a place"}),
    )


def subject(**values: object) -> Change:
    """A change of all attainment: one subject, about which there is no target."""
    return put("education.attainment", [{"subject": "Juggling", **values}])


def hours(*each: float | None) -> Change:
    """A change of the settings: hours a week of each, the first the main one, without reasons."""
    row = {"name": "Mockford Academy", "unknown": "Not listed", "from": "2026-03-02"}
    return put(
        "education.settings",
        [
            {**row, "main": at == 0, **({} if count is None else {"hours_per_week": count})}
            for at, count in enumerate(each)
        ],
    )


def moved(**facts: object) -> Change:
    """A change of the last move of a child in Year 10."""
    return put("care.placement.previous", {"ended": "2026-10-09", **facts})


def line(**facts: object) -> Change:
    """A change of the first line of Pupil Premium Plus."""
    return lambda pep: pep["pupil_premium_plus"]["lines"][0].update(facts)


def without_term(pep: Any) -> None:
    for row in pep["pupil_premium_plus"]["lines"]:
        row.pop("term", None)


def other_funding(**facts: object) -> Change:
    """A change of the other funding: one source."""
    return put("pupil_premium_plus.other_funding", [{"source": "EHC plan", **facts}])


def overspent(pence: int) -> Change:
    """A change of the lines: one, that many pence beyond the £1,050.00 there are."""
    cost = f"{1050 + pence / 100:.2f}"
    return lambda pep: pep["pupil_premium_plus"].update(
        lines=[dict(pep["pupil_premium_plus"]["lines"][0], quantity=1, rate=cost, cost=cost)]
    )


def refund(**facts: object) -> Change:
    return line(quantity=1, rate="-10.00", cost="-10.00", **facts)


def in_term(term: str, held: str, following: str = "2027-05-11") -> Change:
    """A change of the term and its days, and of what hangs on them."""
    return both(
        put("pep.term", term),
        lambda pep: pep["meeting"].update(date=held, next_date=following),
        lambda pep: [row.update(at=f"{held}T16:00:00Z") for row in pep["sign_offs"]],
    )


def signed_at(moment: str) -> Change:
    return lambda pep: [row.update(at=moment) for row in pep["sign_offs"]]


def own_digest(pep: Any) -> None:
    pep["sign_offs"][0]["digest"] = "0" * 64


ROWS: list[tuple[str, str, Change, bool] | tuple[str, str, Change, bool, Profile]] = [
    # Numbers
    ("wrong-upn", YEAR_8, put("child.upn", "B801200005001"), False),
    ("wrong-upn", YEAR_8, put("child.upn", "B801200005010"), True),
    ("wrong-uln", YEAR_8, put("child.uln", "9276308686"), False),
    ("wrong-uln", YEAR_8, put("child.uln", "9276308687"), True),
    ("upn-authority", YEAR_8, put("child.upn", upn_check_letter("A312000005001") + "312000005001"), False),
    ("upn-authority", YEAR_8, put("child.upn", upn_check_letter("A999000005001") + "999000005001"), True),
    ("school-number", YEAR_8, put("education.settings.0.urn", "999801"), False),
    ("school-number", YEAR_8, put("education.settings.0.urn", "99980"), True),
    ("school-number", YEAR_8, put("education.settings.0.urn", "9998011"), True),
    ("school-number", YEAR_8, put("education.settings.0.laestab", "999/4001"), False),
    ("school-number", YEAR_8, put("education.history.0.laestab", "999400"), True),
    # Codes and references
    ("unknown-code", YEAR_8, put("care.legal_status", "C2"), False),
    ("unknown-code", YEAR_8, put("care.legal_status", "C3"), True),
    ("code-not-in-force", YEAR_8, put("care.placement.type", "K3"), False),
    ("code-not-in-force", YEAR_8, put("care.placement.type", "P2"), True),
    ("unknown-person", YEAR_8, put("targets.0.owner", "ama"), False),
    ("unknown-person", YEAR_8, put("targets.0.owner", "nobody"), True),
    ("unknown-target", YEAR_8, line(target_id="T2"), False),
    ("unknown-target", YEAR_8, line(target_id="T9"), True),
    ("repeated-id", YEAR_8, put("actions.1.id", "A9"), False),
    ("repeated-id", YEAR_8, put("actions.1.id", "A1"), True),
    ("repeated-id", YEAR_8, put("previous_spend.+", {"line_id": "L1"}), True),
    ("unknown-reference", YEAR_8, put("follow_up.actions", [{"action_id": "A5", "status": "done"}]), False),
    ("unknown-reference", YEAR_8, put("follow_up.actions", [{"action_id": "A6", "status": "done"}]), True),
    ("unknown-reference", YEAR_8, put("follow_up.spend", [{"line_id": "L4", "spent": "250.00"}]), False),
    ("unknown-reference", YEAR_8, put("follow_up.spend", [{"line_id": "A1", "spent": "250.00"}]), True),
    ("impossible-year", YEAR_8, put("pep.academic_year", "2026/27"), False),
    ("impossible-year", YEAR_8, put("pep.academic_year", "2026/28"), True),
    ("impossible-year", YEAR_8, put("pupil_premium_plus.financial_year", "2026-25"), True),
    ("year-group-and-age", YEAR_8, put("education.year_group", "9"), False),
    ("year-group-and-age", YEAR_8, put("education.year_group", "10"), True),
    ("year-group-and-age", YEAR_8, put("education.year_group", "7"), False),
    ("year-group-and-age", YEAR_8, put("education.year_group", "6"), True),
    ("dates-out-of-order", YEAR_8, put("care.looked_after_from", "2026-02-16"), False),
    ("dates-out-of-order", YEAR_8, put("care.looked_after_from", "2026-02-17"), True),
    ("dates-out-of-order", YEAR_8, put("follow_up.died_on", "2026-11-17"), False),
    ("dates-out-of-order", YEAR_8, put("follow_up.died_on", "2026-11-16"), True),
    ("dates-out-of-order", YEAR_8, put("education.history.0.from", "2014-03-14"), False),
    ("dates-out-of-order", YEAR_8, put("education.history.0.from", "2014-03-13"), True),
    ("dates-out-of-order", YEAR_8, put("education.history.0.to", "2018-09-04"), False),
    ("dates-out-of-order", YEAR_8, put("education.history.0.to", "2018-09-03"), True),
    ("retention-unknown", YEAR_8, nothing, False),
    ("retention-unknown", YEAR_8, put("child.date_of_birth", {"unknown": "No papers; age not yet assessed"}), True),
    ("retention-unknown", YEAR_8, drop("child.date_of_birth"), False),
    # What is needed
    ("needed", YEAR_8, put("care.placement.confidential", False), False),
    ("needed", YEAR_8, drop("care.placement.confidential"), True),
    ("needed", YEAR_8, put("targets.0.baseline", {"unknown": "Just arrived"}), False),
    ("needed", YEAR_8, drop("targets.0.baseline"), True),
    ("needed", YEAR_8, drop("targets.0.success_measure"), True),
    ("needed", YEAR_8, drop("targets.0.owner"), True),
    ("needed", YEAR_8, put("previous_targets", {"unknown": "Previous PEP not received"}), False),
    ("needed", YEAR_8, drop("previous_targets"), True),
    ("needed", FIRST, drop("previous_targets"), False),
    ("needed", YEAR_8, put("meeting.next_date", {"none": "The last PEP"}), False),
    ("needed", YEAR_8, drop("meeting.next_date"), True),
    ("no-voice", YEAR_8, lambda pep: pep["views"].update(child={"not_given_reason": "Did not wish to"}), False),
    ("no-voice", YEAR_8, lambda pep: pep["views"].update(child={"date": "2026-11-12"}), True),
    ("cannot-draw", YEAR_8, put("child.preferred_name", "Quill ☺"), False),
    ("cannot-draw", YEAR_8, put("child.preferred_name", "Quill \ue000"), True),
    # Care
    ("sdq-score-or-reason", YEAR_8, put("care.sdq", {"reason": "SDQ4"}), False),
    ("sdq-score-or-reason", YEAR_8, put("care.sdq.reason", "SDQ4"), True),
    ("sdq-score-or-reason", YEAR_8, put("care.sdq", {"date": "2026-06-10"}), True),
    ("sdq-without-strategies", YEAR_8, put("care.sdq", {"score": 16}), False),
    ("sdq-without-strategies", YEAR_8, put("care.sdq", {"score": 17}), True),
    ("no-sdq", YEAR_8, drop("care.sdq"), True),
    ("no-sdq", YEAR_8, both(drop("care.sdq"), put("care.looked_after_from", "2025-11-17")), True),
    ("no-sdq", YEAR_8, both(drop("care.sdq"), put("care.looked_after_from", "2025-11-18")), False),
    ("no-sdq", YEAR_8, both(drop("care.sdq"), put("child.date_of_birth", "2009-11-18")), True),
    ("no-sdq", YEAR_8, both(drop("care.sdq"), put("child.date_of_birth", "2009-11-17")), False),
    ("no-sdq", YEAR_8, both(drop("care.sdq"), put("child.date_of_birth", "2022-11-17")), True),
    ("no-sdq", YEAR_8, both(drop("care.sdq"), put("child.date_of_birth", "2022-11-18")), False),
    ("sdq-out-of-date", YEAR_8, put("care.sdq.date", "2025-11-17"), False),
    ("sdq-out-of-date", YEAR_8, put("care.sdq.date", "2025-11-16"), True),
    ("move-not-approved", YEAR_10, moved(disrupted_ks4=True, emergency=True), False),
    ("move-not-approved", YEAR_10, moved(disrupted_ks4=True, approved_by="Nominated officer"), False),
    ("move-not-approved", YEAR_10, moved(disrupted_ks4=False), False),
    ("move-not-approved", YEAR_10, moved(disrupted_ks4=True), True),
    ("move-in-key-stage-4", YEAR_10, moved(disrupted_ks4=False), False),
    ("move-in-key-stage-4", YEAR_10, moved(), True),
    ("move-in-key-stage-4", YEAR_10, both(moved(ended="2026-08-31"), put("care.placement.start", "2026-08-31")), False),
    ("move-in-key-stage-4", YEAR_10, both(moved(ended="2026-08-31"), put("care.placement.start", "2026-09-01")), True),
    ("move-in-key-stage-4", YEAR_11, both(moved(ended="2025-08-31"), put("care.placement.start", "2025-09-01")), True),
    ("move-in-key-stage-4", YEAR_11, both(moved(ended="2025-08-31"), put("care.placement.start", "2025-08-31")), False),
    ("move-in-key-stage-4", YEAR_9, both(moved(ended="2026-09-01"), put("care.placement.start", "2026-09-01")), False),
    ("placement-provider", YEAR_8, both(drop("care.placement.provider"), put("care.placement.type", "T4")), False),
    ("placement-provider", YEAR_8, drop("care.placement.provider"), True),
    ("placement-provider", YEAR_8, put("care.placement.type", "T4"), True),
    ("placement-provider", YEAR_8, put("care.placement.type", "Z11"), True),
    ("placement-provider", YEAR_8, put("care.placement.provider", {"unknown": "Asked"}), False),
    ("nobody-to-ring", YEAR_8, drop("care.collection.ring_first"), False),
    ("nobody-to-ring", YEAR_8, both(drop("care.collection.ring_first"), drop("care.collection.emergency")), True),
    ("review-before-meeting", YEAR_8, put("care.next_review", "2026-11-17"), False),
    ("review-before-meeting", YEAR_8, put("care.next_review", "2026-11-16"), True),
    ("confidential-and-told", YEAR_11, drop("care.collection.must_not_be_told"), False),
    ("confidential-and-told", YEAR_8, drop("care.collection.must_not_be_told"), True),
    ("permissions-incomplete", YEAR_8, put("care.permissions", [{"matter": "Everything"}]), False),
    ("permissions-incomplete", YEAR_8, put("care.permissions", [{"matter": "Day trips, medical"}]), True),
    ("care-ended-before-meeting", YEAR_8, put("care.ceased_on", "2026-11-17"), False),
    ("care-ended-before-meeting", YEAR_8, put("care.ceased_on", "2026-11-16"), True),
    ("no-pep-needed", YEAR_8, put("care.legal_status", "V2"), False),
    ("no-pep-needed", YEAR_8, put("care.legal_status", "V4"), True),
    ("turns-18-before-next-meeting", "neet-17", put("child.date_of_birth", "2009-02-05"), False),
    ("turns-18-before-next-meeting", "neet-17", put("child.date_of_birth", "2009-02-04"), True),
    ("turns-18-before-next-meeting", "neet-17", put("child.date_of_birth", "2008-11-04"), False),
    # Education
    ("attendance-sum", YEAR_8, put("education.attendance.late", 81), False),
    ("attendance-sum", YEAR_8, put("education.attendance.late", 82), True),
    ("attendance-sum", YEAR_8, put("education.attendance.authorised", 8), True),
    ("sen-need", YEAR_8, put("education.sen", {"status": "N"}), False),
    ("sen-need", YEAR_8, put("education.sen", {"status": "K"}), True),
    ("ehc-plan", WALES, put("education.sen.ehcp.next_review", {"unknown": "Asked on 2 November"}), False),
    ("ehc-plan", WALES, drop("education.sen.ehcp.next_review"), True),
    ("ehc-plan", WALES, drop("education.sen.ehcp.maintaining_authority"), True),
    ("ehc-plan-review-overdue", WALES, put("education.sen.ehcp.next_review", "2026-11-03"), False),
    ("ehc-plan-review-overdue", WALES, put("education.sen.ehcp.next_review", "2026-11-02"), True),
    ("sen-caseworker-missing", WALES, drop("education.sen.ehcp.caseworker"), False),
    ("sen-caseworker-missing", WALES, both(drop("education.sen.ehcp.caseworker"), without("sen_caseworker")), True),
    ("sen-caseworker-missing", YEAR_8, nothing, False),
    ("absence-and-no-target", YEAR_8, attended(1000, 901), False),
    ("absence-and-no-target", YEAR_8, attended(1000, 900), True),
    ("absence-and-no-target", YEAR_8, both(attended(1000, 900), put("targets.0.domain", "Attendance")), False),
    ("absence-and-no-target", YEAR_8, attended(0, 0), False),
    ("setting-number", YEAR_8, put("education.settings.0", {"name": "The Workshop", "ukprn": "19999917"}), False),
    ("setting-number", YEAR_8, put("education.settings.0", {"name": "The Workshop"}), True),
    ("main-setting", YEAR_9, nothing, False),
    ("main-setting", YEAR_9, put("education.settings.1.main", True), True),
    ("main-setting", YEAR_9, put("education.settings.0.main", False), True),
    ("part-time-without-reason", YEAR_8, hours(25), False),
    ("part-time-without-reason", YEAR_8, hours(24.9), True),
    ("part-time-without-reason", YEAR_8, hours(15, 10), False),
    ("part-time-without-reason", YEAR_8, hours(15, 9.5), True),
    ("part-time-without-reason", YEAR_8, hours(15, None), False),
    ("part-time-without-reason", YEAR_8, put("pep.provision_state", "part_time"), True),
    ("part-time-without-reason", YEAR_9, nothing, False),
    ("part-time-without-reason", YEAR_9, drop("education.settings.0.part_time_until"), True),
    ("part-time-without-reason", "college-esol", hours(12), False),
    ("part-time-without-reason", YEAR_11, hours(12), True),
    ("part-time-without-reason", YEAR_11, both(hours(12), put("education.year_group", "12")), False),
    ("part-time-without-reason", "reception-at-home", hours(12), False),
    (
        "part-time-without-reason",
        "reception-at-home",
        both(hours(12), put("child.date_of_birth", "2021-11-10")),
        False,
    ),
    ("part-time-without-reason", "reception-at-home", both(hours(12), put("child.date_of_birth", "2021-11-09")), True),
    ("exclusion-without-provision", YEAR_8, both(suspended(10), drop("education.exclusions.0.provision")), False),
    ("exclusion-without-provision", YEAR_8, both(suspended(11), drop("education.exclusions.0.provision")), True),
    ("exclusion-without-provision", YEAR_8, suspended(11), False),
    (
        "exclusion-without-provision",
        YEAR_8,
        put("education.exclusions.0", {"type": "PERM", "start": "2026-10-06"}),
        True,
    ),
    ("over-45-days", YEAR_8, suspended(60, 29), False),
    ("over-45-days", YEAR_8, suspended(60, 30), False),
    ("over-45-days", YEAR_8, suspended(60, 31), True),
    (
        "over-45-days",
        YEAR_8,
        both(suspended(60, 30), put("education.exclusions.+", {"type": "LNCH", "start": "2026-10-06"})),
        True,
    ),
    ("over-45-days", YEAR_8, suspended(60, 31, start="2026-08-31"), False),
    ("over-45-days", YEAR_8, suspended(60, 31, start="2026-09-01"), True),
    ("excluded-and-on-roll", YEAR_8, suspended(1, kind="PERM", start="2026-02-27"), False),
    ("excluded-and-on-roll", YEAR_8, suspended(1, kind="PERM", start="2026-10-06"), True),
    # Schools before and now
    ("schools-overlap", YEAR_8, schools(("2025-09-03", "2026-03-02")), False),
    ("schools-overlap", YEAR_8, schools(("2025-09-03", "2026-03-03")), True),
    ("schools-overlap", YEAR_8, schools(("2023-09-04", "2026-02-27"), ("2024-01-08", "2026-02-27")), False),
    ("schools-overlap", YEAR_8, schools(("2023-09-04", "2026-02-27"), ("2024-01-08", "2026-02-28")), True),
    ("schools-overlap", YEAR_8, schools(("2024-01-08", "2024-07-19"), ("2023-09-04", "2026-02-27")), False),
    ("schools-overlap", YEAR_8, schools(("2025-09-03", {"unknown": "Still on roll"})), False),
    ("schools-overlap", YEAR_9, put("education.settings.1.from", "2024-07-01"), False),
    ("schools-overlap", YEAR_9, put("education.settings.0.from", "2024-07-18"), True),
    ("gap-in-schools", YEAR_8, schools(("2025-09-03", "2026-01-30")), False),
    ("gap-in-schools", YEAR_8, schools(("2025-09-03", "2026-01-29")), True),
    ("gap-in-schools", YEAR_8, schools(("2022-09-05", "2025-06-27"), now="2025-09-26"), False),
    ("gap-in-schools", YEAR_8, schools(("2022-09-05", "2025-06-27"), now="2025-09-29"), True),
    ("gap-in-schools", YEAR_8, schools(("2022-09-05", "2025-12-19"), now="2026-01-19"), False),
    ("gap-in-schools", YEAR_8, schools(("2022-09-05", "2026-02-27"), ("2024-01-08", "2024-03-22")), False),
    ("gap-in-schools", YEAR_8, schools(("2025-09-03", {"unknown": "Not said"})), False),
    ("gap-in-schools", YEAR_8, schools(("2018-09-05", "2020-07-17"), ({"unknown": "?"}, "2026-02-27")), False),
    (
        "gap-in-schools",
        YEAR_8,
        both(schools(("2025-09-03", "2026-01-29")), put("child.date_of_birth", {"unknown": "?"})),
        False,
    ),
    ("gap-in-schools", YEAR_8, schools(("2016-09-05", "2017-07-21"), now="2019-05-01"), False),
    ("gap-in-schools", YEAR_8, schools(("2016-09-05", "2017-07-21"), now="2019-05-02"), True),
    (
        "gap-in-schools",
        YEAR_8,
        both(schools(("2016-09-05", "2017-07-21"), now="2019-09-02"), put("child.date_of_birth", "2014-03-31")),
        True,
    ),
    (
        "gap-in-schools",
        YEAR_8,
        both(schools(("2016-09-05", "2017-07-21"), now="2019-09-02"), put("child.date_of_birth", "2014-04-01")),
        False,
    ),
    ("gap-in-schools", YEAR_8, both(schools(("2022-09-05", "2026-01-30")), without_school("2026-03-02")), False),
    ("gap-in-schools", YEAR_8, both(schools(("2022-09-05", "2026-01-29")), without_school("2026-03-02")), True),
    ("gap-in-schools", "college-esol", schools(("2020-09-07", "2025-05-30"), now="2025-09-29"), False),
    ("gap-in-schools", "college-esol", schools(("2020-09-07", "2025-05-29"), now="2025-09-29"), True),
    # Attainment
    ("attainment-value", YEAR_8, subject(scale="GCSE 9–1", current="9", predicted="U", target="5-4"), False),
    ("attainment-value", YEAR_8, subject(scale="GCSE 9–1", current="10"), True),
    ("attainment-value", YEAR_8, subject(scale="GCSE 9–1", current="5-3"), True),
    ("attainment-value", "year-5-review", subject(scale="GCSE 9–1", current="5"), True),
    ("attainment-value", "year-5-review", subject(scale="KS2 scaled score", current="80", target="120"), False),
    ("attainment-value", "year-5-review", subject(scale="KS2 scaled score", current="79"), True),
    ("attainment-value", "year-5-review", subject(scale="KS2 scaled score", current="121"), True),
    ("attainment-value", "year-5-review", subject(scale="Phonics screening check", current="40"), False),
    ("attainment-value", "year-5-review", subject(scale="Phonics screening check", current="41"), True),
    ("attainment-value", "year-5-review", subject(scale="MTC", current="25"), False),
    ("attainment-value", "year-5-review", subject(scale="MTC", current="26"), True),
    ("attainment-value", "year-5-review", subject(scale="Teacher assessment", current="GDS by July"), False),
    ("attainment-value", "year-5-review", subject(scale="Teacher assessment", current="4b"), True),
    ("attainment-value", "reception-at-home", subject(scale="Early learning goals", current="2"), False),
    ("attainment-value", "reception-at-home", subject(scale="Early learning goals", current="3"), True),
    ("attainment-value", YEAR_8, subject(scale="Reading age", current="9:11"), False),
    ("attainment-value", YEAR_8, subject(scale="Reading age", current="9:12"), True),
    ("attainment-value", YEAR_8, subject(scale="P levels", current="P6"), True),
    ("attainment-value", YEAR_8, subject(scale="Our own steps", current="Step 43"), False),
    ("attainment-value", "year-5-review", subject(subject="Writing", scale="KS2 scaled score", current="99"), True),
    ("test-without-name-or-day", YEAR_8, subject(scale="CATs", method="CAT4", date="2026-10-01"), False),
    ("test-without-name-or-day", YEAR_8, subject(scale="CATs", method="CAT4"), True),
    ("test-without-name-or-day", YEAR_8, subject(scale="Reading age", date="2026-10-01"), True),
    ("test-without-name-or-day", YEAR_8, subject(scale="GCSE 9–1"), False),
    ("below-and-no-target", YEAR_8, subject(current="Step 3", against_expected="at"), False),
    ("below-and-no-target", YEAR_8, subject(current="Step 3", against_expected="below"), True),
    ("below-and-no-target", YEAR_8, subject(scale="GCSE 9–1", current="4", prior="4"), False),
    ("below-and-no-target", YEAR_8, subject(scale="GCSE 9–1", current="4", prior="5"), True),
    (
        "below-and-no-target",
        YEAR_8,
        both(subject(against_expected="below"), put("targets.0.target", "Juggling: three balls")),
        False,
    ),
    ("predicted-missing", YEAR_10, nothing, False),
    ("predicted-missing", YEAR_10, drop("education.attainment.0.predicted"), True),
    ("predicted-missing", YEAR_9, drop("education.attainment.0.predicted"), False),
    ("predicted-missing", YEAR_11, drop("education.attainment.0.predicted"), True),
    (
        "predicted-missing",
        YEAR_11,
        both(drop("education.attainment.0.predicted"), put("education.year_group", "12")),
        False,
    ),
    # The plan
    ("intervention-incomplete", YEAR_8, drop("education.needs.interventions.0.where"), False),
    (
        "intervention-incomplete",
        YEAR_8,
        both(drop("education.needs.interventions.0.where"), drop("education.needs.interventions.0.who")),
        True,
    ),
    ("no-aspirations", YEAR_9, nothing, False),
    ("no-aspirations", YEAR_9, drop("views.child.aspirations"), True),
    ("no-aspirations", YEAR_8, drop("views.child.aspirations"), False),
    ("no-aspirations", YEAR_9, put("views.child", {"not_given_reason": "Did not wish to"}), False),
    ("previous-target-open", YEAR_8, put("previous_targets.0.outcome", "not_met"), False),
    ("previous-target-open", YEAR_8, drop("previous_targets.0.outcome"), True),
    ("previous-target-open", YEAR_8, drop("previous_targets.0.impact"), True),
    ("previous-action-open", YEAR_8, put("previous_actions.0.outcome", "not_done"), False),
    ("previous-action-open", YEAR_8, drop("previous_actions.0.outcome"), True),
    ("previous-spend-open", YEAR_8, put("previous_spend.0.spent", "0.00"), False),
    ("previous-spend-open", YEAR_8, drop("previous_spend.0.spent"), True),
    ("previous-spend-open", YEAR_8, drop("previous_spend.0.impact"), True),
    ("too-few-targets", YEAR_8, nothing, False, ASKING),
    ("too-few-targets", YEAR_8, put("targets.1.domain", "Attendance"), True, ASKING),
    ("too-few-targets", YEAR_8, put("targets.2.domain", "Careers"), True, ASKING),
    ("too-few-targets", YEAR_8, nothing, False, TOTAL),
    ("too-few-targets", YEAR_8, both(drop("targets.3"), drop("pupil_premium_plus.lines.3")), True, TOTAL),
    ("too-few-targets", YEAR_8, both(drop("targets.3"), drop("pupil_premium_plus.lines.3")), False),
    ("short-target-reviewed-late", YEAR_8, put("targets.0.review_by", "2027-02-23"), False),
    ("short-target-reviewed-late", YEAR_8, put("targets.0.review_by", "2027-02-24"), True),
    ("short-target-reviewed-late", YEAR_8, put("targets.3.review_by", "2027-02-24"), False),
    ("target-ends-before-it-starts", YEAR_8, put("targets.0.start", "2027-02-12"), False),
    ("target-ends-before-it-starts", YEAR_8, put("targets.0.start", "2027-02-13"), True),
    ("action-due-before-meeting", YEAR_8, put("actions.0.due", "2026-11-17"), False),
    ("action-due-before-meeting", YEAR_8, put("actions.0.due", "2026-11-16"), True),
    ("no-transition-plan", WALES, in_term("spring", "2027-01-12"), False),
    ("no-transition-plan", WALES, both(in_term("spring", "2027-01-12"), drop("transition")), True),
    ("no-transition-plan", WALES, both(in_term("summer", "2027-05-11", "2027-10-05"), drop("transition")), True),
    ("no-transition-plan", WALES, drop("transition.planned_changes"), True),
    ("no-transition-plan", YEAR_11, both(in_term("spring", "2027-01-12"), drop("transition")), True),
    ("no-transition-plan", YEAR_10, both(in_term("spring", "2027-01-12"), drop("transition")), False),
    ("no-transition-plan", "year-5-review", both(in_term("spring", "2027-01-12"), drop("transition")), False),
    # Money
    ("cost-not-quantity-times-rate", YEAR_8, line(quantity=2.5, rate="0.33", cost="0.83"), False),
    ("cost-not-quantity-times-rate", YEAR_8, line(quantity=2.5, rate="0.33", cost="0.82"), True),
    ("over-allocation", YEAR_8, overspent(0), False),
    ("over-allocation", YEAR_8, overspent(1), True),
    ("allocation-basis", YEAR_8, drop("pupil_premium_plus.allocation_basis"), False),
    ("allocation-basis", YEAR_8, put("pupil_premium_plus.allocation_basis.committed_before", "900.01"), True),
    ("wrong-stream", "reception-at-home", nothing, False),
    ("wrong-stream", "reception-at-home", put("education.year_group", "N2"), True),
    ("wrong-stream", YEAR_11, nothing, False),
    ("wrong-stream", YEAR_11, put("education.year_group", "12"), True),
    ("wrong-stream", "college-esol", put("education.year_group", "X"), False),
    ("line-outside-financial-year", YEAR_8, both(without_term, line(date="2027-03-31")), False),
    ("line-outside-financial-year", YEAR_8, both(without_term, line(date="2027-04-01")), True),
    ("line-outside-financial-year", YEAR_8, both(without_term, line(date="2026-04-01")), False),
    ("line-outside-financial-year", YEAR_8, both(without_term, line(date="2026-03-31")), True),
    ("line-outside-financial-year", YEAR_8, line(term="spring"), False),
    ("line-outside-financial-year", YEAR_8, line(term="summer"), True),
    ("line-outside-financial-year", YEAR_8, line(term="summer", date="2027-03-31"), False),
    ("refund-without-reason", YEAR_8, refund(refund_reason="Two sessions were cancelled"), False),
    ("refund-without-reason", YEAR_8, refund(), True),
    ("refund-without-reason", YEAR_8, line(quantity=1, rate="0.00", cost="0.00"), False),
    ("double-funding", YEAR_8, other_funding(purpose="Speech therapy"), False),
    ("double-funding", YEAR_8, other_funding(item="reading tuition, one-to-one"), True),
    ("double-funding", YEAR_8, other_funding(purpose="For: reading tuition, one to one; and transport"), True),
    # The meeting
    ("social-worker-absent", YEAR_8, came("sw", present=True), False),
    ("social-worker-absent", YEAR_8, came("sw", present=False), True),
    ("social-worker-absent", FIRST, nothing, False),
    ("social-worker-absent", FIRST, not_listed("duty"), True),
    ("expected-person-absent", YEAR_8, came("quill", present=False, reason="Had a match"), False),
    ("expected-person-absent", YEAR_8, came("quill", present=False), True),
    ("expected-person-absent", YEAR_8, came("dt", present=False, reason="Ill"), True),
    ("expected-person-absent", YEAR_8, both(came("dt", present=False), came("tutor", covers="dt")), False),
    ("expected-person-absent", YEAR_8, not_listed("ama", "dt"), True),
    ("expected-person-absent", YEAR_8, not_listed("iro"), False),
    ("expected-person-absent", REMAND, nothing, False),
    ("expected-person-absent", "reception-at-home", not_listed("mum"), True),
    ("child-not-listed", YEAR_8, nothing, False, UNEXPECTING),
    ("child-not-listed", YEAR_8, not_listed("quill"), True, UNEXPECTING),
    ("personal-adviser-missing", "neet-17", nothing, False),
    ("personal-adviser-missing", "neet-17", without("personal_adviser"), True),
    ("personal-adviser-missing", YEAR_11, put("child.date_of_birth", "2010-11-17"), False),
    ("personal-adviser-missing", YEAR_11, put("child.date_of_birth", "2010-11-16"), True),
    ("meeting-outside-year", YEAR_8, in_term("autumn", "2026-09-01"), False),
    ("meeting-outside-year", YEAR_8, in_term("autumn", "2026-08-31"), True),
    ("meeting-outside-year", YEAR_8, in_term("summer", "2027-08-31", "2027-10-12"), False),
    ("meeting-outside-year", YEAR_8, in_term("summer", "2027-09-01", "2027-10-12"), True),
    ("meeting-outside-term", YEAR_8, in_term("autumn", "2026-12-31"), False),
    ("meeting-outside-term", YEAR_8, in_term("autumn", "2027-01-01"), True),
    ("meeting-outside-term", YEAR_8, in_term("spring", "2027-01-01"), False),
    ("next-meeting-late", YEAR_8, put("meeting.next_date", "2027-03-28"), False),
    ("next-meeting-late", YEAR_8, put("meeting.next_date", "2027-03-29"), True),
    ("next-meeting-late", YEAR_8, in_term("summer", "2027-05-11", "2027-12-31"), False),
    ("next-meeting-late", YEAR_8, in_term("summer", "2027-05-11", "2028-01-01"), True),
    ("graded-own-work", YEAR_8, put("quality", {"grade": "Green", "reviewer": "vsh"}), False),
    ("graded-own-work", YEAR_8, put("quality", {"grade": "Green", "reviewer": "vso"}), True),
    ("not-confirmed", YEAR_8, put("confirmations", {"care": {"state": "to_confirm"}}), True),
    ("not-confirmed", YEAR_8, nothing, False),
    # Copies
    ("decided-for-no-copy", YEAR_8, nothing, False),
    ("decided-for-no-copy", YEAR_8, drop("distribution.1.person"), True),
    ("decided-for-no-copy", YEAR_8, both(drop("distribution.1.person"), drop("distribution.1.decisions")), True),
    ("decided-for-no-copy", YEAR_8, put("distribution.1.person", "ama"), True),
    ("decided-for-no-copy", YEAR_8, put("distribution.1.audience", "school"), True),
    ("decided-for-no-copy", YEAR_8, put("distribution.1.audience", "authority"), True),
    ("decided-for-no-copy", YEAR_8, put("distribution.0.audience", "parent"), False),
    ("decided-for-no-copy", YEAR_8, put("distribution.0.person", "dt"), False),
    # Sign-offs and clocks
    ("changed-since-sign-off", YEAR_8, nothing, False),
    ("changed-since-sign-off", YEAR_8, own_digest, True),
    ("signed-before-meeting", YEAR_8, signed_at("2026-11-17T00:30:00Z"), False),
    ("signed-before-meeting", YEAR_8, signed_at("2026-11-16T23:30:00Z"), True),
    ("not-signed-off", YEAR_8, put("sign_offs.0.role", "virtual_school_head"), False),
    ("not-signed-off", YEAR_8, drop("sign_offs.0"), True),
    ("clock-missed", YEAR_8, signed_at("2026-11-24T16:00:00Z"), False, TIMED),
    ("clock-missed", YEAR_8, signed_at("2026-11-25T16:00:00Z"), True, TIMED),
    ("clock-missed", YEAR_8, signed_at("2026-11-25T16:00:00Z"), False),
    ("clock-missed", REMAND, nothing, False, TIMED),
    ("clock-missed", REMAND, put("care.looked_after_from", "2026-10-04"), True, TIMED),
    ("clock-missed", REMAND, put("care.next_review", "2026-11-05"), False),
    ("clock-missed", REMAND, put("care.next_review", "2026-11-04"), True),
    ("clock-missed", YEAR_8, put("sign_offs", []), False, TIMED),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}-{row[3]}")
def test_a_rule_finds_its_fault_and_nothing_a_step_away(row: Any) -> None:
    slug, child, change, found, by = (*row, HILLINGDON)[:5]
    slugs = {problem.slug for problem in problems(made(child, change), by=by)}
    assert (slug in slugs) is found


@pytest.mark.parametrize(
    "rule", [each for each in check.rules.every() if each.slug != "unreadable-picture"], ids=lambda rule: rule.slug
)
def test_every_rule_stands_on_both_sides_in_this_table(rule: Any) -> None:
    assert {row[3] for row in ROWS if row[0] == rule.slug} == {True, False}


FOUND = [row for row in ROWS if row[3]]


@pytest.mark.parametrize("row", FOUND, ids=lambda row: f"{row[0]}-{row[1]}")
def test_only_what_is_explainable_can_be_explained(row: Any) -> None:
    """A named person's explanation turns an explainable problem into a warning, and changes nothing else."""
    slug, child, change, _, by = (*row, HILLINGDON)[:5]
    pep = made(child, change)
    for problem in [problem for problem in problems(pep, by=by) if problem.slug == slug]:
        told = {"slug": slug, "pointer": problem.pointer, "reason": "So it was", "by": "vso", "on": "2026-11-17"}
        heard = copy.deepcopy(pep)
        heard["exceptions"] = [told]
        after = [
            each for each in problems(heard, "sign-off", by) if (each.slug, each.pointer) == (slug, problem.pointer)
        ]
        if problem.explainable:
            assert [(each.severity, "Explained by" in each.message) for each in after] == [("warns", True)]
        else:
            assert {each.severity for each in after} <= {problem.severity}


NEVER_EXPLAINED = {
    "attendance-sum",
    "allocation-basis",
    "changed-since-sign-off",
    "code-not-in-force",
    "cost-not-quantity-times-rate",
    "dates-out-of-order",
    "impossible-year",
    "line-outside-financial-year",
    "no-voice",
    "not-signed-off",
    "over-allocation",
    "refund-without-reason",
    "signed-before-meeting",
    "unknown-code",
    "unknown-person",
    "unknown-target",
    "wrong-stream",
    "wrong-uln",
    "wrong-upn",
}
EXPLAINED = {
    "clock-missed",
    "ehc-plan-review-overdue",
    "exclusion-without-provision",
    "expected-person-absent",
    "meeting-outside-term",
    "move-not-approved",
    "next-meeting-late",
    "no-aspirations",
    "no-sdq",
    "no-transition-plan",
    "over-45-days",
    "part-time-without-reason",
    "previous-action-open",
    "previous-spend-open",
    "previous-target-open",
    "short-target-reviewed-late",
    "social-worker-absent",
    "too-few-targets",
}


def test_what_can_be_explained_is_what_somebody_ought_to_have_done() -> None:
    rules = {each.slug: each for each in check.rules.every()}
    assert {slug for slug, each in rules.items() if each.explainable} == EXPLAINED
    assert all(rules[slug].severity == "blocks" and not rules[slug].explainable for slug in NEVER_EXPLAINED)


@pytest.mark.parametrize(("early", "late"), ORDERED, ids=lambda way: ".".join(way))
def test_of_each_pair_of_days_the_first_may_be_the_second_and_not_come_after_it(
    early: tuple[str, ...], late: tuple[str, ...]
) -> None:
    for first, found in (("2026-10-06", False), ("2026-10-07", True)):
        pep = made(YEAR_8, both(put(".".join(early), first), put(".".join(late), "2026-10-06")))
        wrong = [each for each in problems(pep) if each.slug == "dates-out-of-order"]
        said = called(late) + ": this is before "
        beside = called(early)
        assert any(each.message.startswith(said) and f"({beside})" in each.message for each in wrong) is found


def called(way: tuple[str, ...]) -> str:
    return words.place(schema.load(), way)


def test_the_true_number_of_days_is_said_and_kept() -> None:
    pep = made(YEAR_8, suspended(60, 31))
    (problem,) = [each for each in problems(pep) if each.slug == "over-45-days"]
    assert "45.5 school days" in problem.message
    assert problem.explainable


def test_an_ended_code_says_since_when_and_what_replaced_it() -> None:
    for code, instead in (("P2", "K3"), ("H5", "K3"), ("Z1", "Z11, Z12, Z13 or Z14")):
        (problem,) = [
            each
            for each in problems(made(YEAR_8, put("care.placement.type", code)), "sign-off")
            if each.slug == "code-not-in-force"
        ]
        assert "ended with 2024/25" in problem.message
        assert instead in problem.message


def test_a_pep_is_held_against_the_codes_of_its_own_year() -> None:
    for year, good in (("2024/25", True), ("2025/26", False)):
        pep = made(YEAR_8, both(put("pep.academic_year", year), put("care.placement.type", "P2")))
        assert ("code-not-in-force" not in {each.slug for each in problems(pep, "sign-off")}) is good


def test_a_code_that_has_not_begun_says_from_when_it_holds() -> None:
    pep = made(YEAR_8, both(put("pep.academic_year", "2023/24"), put("care.placement.type", "K3")))
    (problem,) = [each for each in problems(pep, "sign-off") if each.slug == "code-not-in-force"]
    assert "begins with 2024/25" in problem.message


def test_the_anniversary_of_29_february_is_1_march_where_the_year_has_none() -> None:
    assert years_later(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert years_later(date(2008, 2, 29), 20) == date(2028, 2, 29)


def test_without_a_plan_for_moving_on_autumn_only_warns() -> None:
    (problem,) = [each for each in problems(made(WALES, drop("transition"))) if each.slug == "no-transition-plan"]
    assert (problem.severity, problem.pointer) == ("warns", "/transition")


def test_where_nobody_knows_the_terms_months_and_a_far_day_only_warn() -> None:
    class Unknowing(Profile):
        def term(self, academic_year: str, name: str) -> None:
            return None

    by = Unknowing(**{name: getattr(HILLINGDON, name) for name in HILLINGDON.__dataclass_fields__})
    found = problems(made(YEAR_8, in_term("summer", "2026-11-17", "2027-07-15")), by=by)
    assert [(each.slug, each.severity) for each in found if each.pointer == "/meeting/date"] == [
        ("meeting-outside-term", "warns")
    ]
    for day, found_late in (("2027-07-15", False), ("2027-07-16", True)):
        pep = made(YEAR_8, put("meeting.next_date", day))
        late = [each.severity for each in problems(pep, by=by) if each.slug == "next-meeting-late"]
        assert late == (["warns"] if found_late else [])


def test_what_is_missing_is_said_once_where_a_rule_has_more_to_say() -> None:
    pep = made(WALES, both(in_term("spring", "2027-01-12"), drop("transition")))
    assert [each.slug for each in problems(pep) if each.pointer == "/transition"] == ["no-transition-plan"]


def test_a_warning_never_hides_that_something_needed_is_missing() -> None:
    found = problems(made("neet-17", drop("people")), "sign-off")
    assert [(each.slug, each.severity) for each in found if each.pointer == "/people"] == [
        ("needed", "blocks"),
        ("personal-adviser-missing", "warns"),
    ]


def test_what_exceptions_do_not_explain_is_said_in_the_order_of_the_form() -> None:
    told = {"slug": "no-sdq", "pointer": "/care/sdq", "reason": "So it was", "by": "vso", "on": "2026-11-17"}
    found = problems(made(YEAR_8, both(put("exceptions", [told]), own_digest)))
    assert [each.pointer for each in found] == ["/exceptions/0", "/sign_offs/0/digest"]


def test_a_gap_is_said_where_the_next_school_begins_and_what_to_do() -> None:
    (problem,) = [
        each for each in problems(made(YEAR_8, schools(("2025-09-03", "2026-01-29")))) if each.slug == "gap-in-schools"
    ]
    assert problem.pointer == "/education/settings/0/from"
    assert problem.message == (
        "School or setting 1: from 29 January 2026 to 2 March 2026 no school is given. Add the one that is missing, or "
        "a row that says that there was none, and why."
    )


def test_a_child_without_school_has_the_caseworker_answer_for_education() -> None:
    pep = made(FIRST, put("child.upn", "B801200005010"))
    (problem,) = [each for each in problems(pep, "draft") if each.slug == "wrong-upn"]
    assert problem.owner == "virtual_school_officer"


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0, "normal"),
        (13, "normal"),
        (14, "borderline"),
        (16, "borderline"),
        (17, "cause for concern"),
        (40, "cause for concern"),
    ],
)
def test_the_band_of_an_sdq_follows_its_score(score: int, band: str) -> None:
    assert sdq_band(score) == band


@pytest.mark.parametrize(
    ("possible", "attended", "kind"),
    [
        (1000, 901, None),
        (1000, 900, "persistent"),
        (1000, 501, "persistent"),
        (1000, 500, "severe"),
        (0, 0, None),
        (10, 10, None),
    ],
)
def test_absence_is_persistent_from_a_tenth_and_severe_from_half(
    possible: int, attended: int, kind: str | None
) -> None:
    assert absence({"possible": possible, "attended": attended}) == kind


def test_absence_of_an_unknown_attendance_is_not_judged() -> None:
    assert absence({"unknown": "The school’s system was down"}) is None
    assert absence(None) is None


@pytest.mark.parametrize(
    ("domain", "area"),
    [
        ("English: reading", "academic"),
        ("Mathematics", "academic"),
        ("Ceramics", "academic"),
        ("Social and emotional", "semh"),
        ("Personal, social and emotional", "semh"),
        ("Behaviour", "semh"),
        ("Attendance and punctuality", "attendance"),
        ("Careers", "careers"),
        ("Aspirations", "careers"),
        ("Transition", "transition"),
        (None, "academic"),
    ],
)
def test_the_area_of_a_target_is_read_from_the_words_people_use(domain: str | None, area: str) -> None:
    assert area_of(domain) == area
    assert area in codes.known("target_domain")


@pytest.mark.parametrize(
    ("row", "expected", "prior"),
    [
        ({"scale": "GCSE", "current": "4", "expected": "5", "prior": "4"}, True, False),
        ({"scale": "GCSE", "current": "5-4", "expected": "4-4", "prior": "5-5"}, False, True),
        ({"scale": "Teacher assessment", "current": "WTS", "prior": "KS1 EXS", "expected": "EXS"}, True, True),
        ({"scale": "KS2 scaled", "current": "100", "prior": "99", "expected": "100"}, False, False),
        ({"scale": "Early learning goals", "current": "1", "expected": "2"}, True, False),
        ({"scale": "Our steps", "current": "1", "expected": "2", "prior": "3"}, False, False),
        ({"scale": "GCSE", "current": {"unknown": "New"}, "expected": "5"}, False, False),
        ({"scale": "GCSE", "current": "3", "prior": "KS2 102"}, False, False),
    ],
)
def test_a_subject_is_compared_on_its_own_scale_only(row: dict[str, Any], expected: bool, prior: bool) -> None:
    assert (below_expected(row), below_prior(row)) == (expected, prior)


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("GCSE 9–1", "GCSE"),
        ("Phonics screening check", "phonics screening check"),
        ("MTC", "multiplication tables check"),
        ("Key stage 2 scaled score", "key stage 2 scaled score"),
        ("KS1 TA", "teacher assessment"),
        ("ELG", "early learning goals"),
        ("CATs", "cognitive abilities test"),
        ("Spelling age", "reading or spelling age"),
        ("A level", "A level"),
        ("P scales", "P levels"),
        ("Key stage 3 steps 1–9", None),
        ("ESOL levels", None),
        (None, None),
    ],
)
def test_a_scale_is_known_by_the_words_people_use(called: str | None, name: str | None) -> None:
    found = scale_of({"scale": called})
    assert (found.name if found else None) == name
    assert name is None or name in {scale.name for scale in SCALES}


# docs/problems.md

ANOTHER = {"lcs_person_id": "900099", "upn": CHILDREN[YEAR_8]["child"]["upn"]}
PROBLEMS = Path(__file__).parent.parent / "docs" / "problems.md"
HEAD = """# Problems

What a check can say of a PEP, by the name that a problem has in every answer. A problem *from stage* sign-off does not
stop a draft; one that *warns before* is already said there. An *explainable* problem stops a PEP until it is put right
or a named person explains it under `exceptions`; explained, it warns. Where what is asked of a child differs, the form
(`schemas/`) and the authority's profile say so.

This table is made by `WRITE_DOCS=1 python -m pytest tests/test_rules.py -k documented`.

"""


@functools.cache
def examples() -> dict[str, str]:
    """A message of every problem: of the samples that raise it, else of the first row above that finds it."""
    found = {}
    for path in sorted((folder("samples") / "invalid").glob("*.json")):
        for problem in check.check(path.read_bytes(), "record", HILLINGDON).problems:
            if problem.slug == path.stem:
                found.setdefault(problem.slug, problem.message)
    for slug, child, change, *rest in FOUND:
        messages = [
            each.message for each in problems(made(child, change), by=[*rest, HILLINGDON][1]) if each.slug == slug
        ]
        found.setdefault(slug, messages[0])
    together = check.Together()
    for number, pep in enumerate((CHILDREN[YEAR_8], made(YEAR_8, put("child", ANOTHER)))):
        data = json.dumps(pep).encode()
        beside = together.beside(f"autumn.jsonl#{number + 1}")
        for problem in check.check(data, "draft", HILLINGDON, beside).problems:
            found.setdefault(problem.slug, problem.message)
    for data in (b" " * 20_000_001, json.dumps({"targets": [None] * 6_000}).encode()):
        for problem in check.check(data, "draft", HILLINGDON).problems:
            found.setdefault(problem.slug, problem.message)
    found.setdefault("malformed", "Target 1, “Start”: this is not written as it should be. Enter it again.")
    return found


def test_every_problem_is_documented() -> None:
    found = examples()
    assert {row.slug for row in catalogue.rows()} == found.keys()
    text = HEAD + catalogue.table(found)
    if os.environ.get("WRITE_DOCS"):
        PROBLEMS.write_text(text, encoding="utf-8")
    assert PROBLEMS.read_text(encoding="utf-8") == text, (
        "WRITE_DOCS=1 python -m pytest tests/test_rules.py -k documented"
    )


@pytest.mark.parametrize("slug", [row.slug for row in catalogue.rows()])
def test_a_message_says_what_and_where_and_what_to_do_without_jargon(slug: str) -> None:
    said = examples()[slug]
    assert said.endswith((".", "?", ")"))
    for word in (
        "$ref",
        "regex",
        "pattern",
        "instance",
        "property",
        "properties",
        "schema",
        "JSON Schema",
        "None",
        "[A-Z",
        "enum",
    ):
        assert word not in said
