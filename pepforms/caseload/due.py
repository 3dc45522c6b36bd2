"""What is due, late or open, and whose it is: from the weekly lists, the PEPs, their records and deliveries.

A clock counts from its event, but for nobody from before they could act: for the Virtual School from the first list
that had the child with a status that needs a PEP, for a new social worker from the list that named them, for a new
school or carer from the list that had them. Without a figure in the profile no clock runs; what is open since the
meeting is then said to be open.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from pepforms import days, schema
from pepforms.audience.people import SCHOOL_STAFF
from pepforms.caseload import holds, lists, plans
from pepforms.caseload.changes import Caseload, Standing
from pepforms.caseload.facts import School, schools_of
from pepforms.caseload.plans import Plan
from pepforms.check import sections
from pepforms.check.words import day, listing
from pepforms.days import LONDON, Clock
from pepforms.digest import pep_digest
from pepforms.model import Pep
from pepforms.profile import Profile
from pepforms.register.tables import Delivery, Record, SectionState, Version

State = Literal["late", "due", "open", "waits"]
"""After its day; before it; open without a day that anybody has set; waiting for somebody else's part."""
KINDS = (
    "no-pep", "initial-meeting", "initial-pep", "new-school", "new-placement", "section", "unsigned", "to-iro",
    "unread", "no-record", "undelivered", "unconfirmed", "withdrawn",
)  # fmt: skip
"""Every kind of thing that waits; docs/caseload.md explains them to officers."""
UPLOAD = "lcs_upload"
"""What the profile calls the upload to LCS among those who answer for sections."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has something to do, as the list or a PEP names them."""

    name: str
    organisation: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that waits for somebody.

    `section` is one of the PEP, or `lcs_upload`; `owner` a role and `called` what people call it for this child;
    `person` is None where nobody is named. `deputy` is the role that steps in, once it does. `due` is None where no
    clock tells; `since` the day since which it has been open. `modified` where care planning is (remand).
    """

    kind: str
    what: str
    section: str
    owner: str
    called: str
    person: Person | None
    lcs_person_id: str | None
    initials: str
    pep: tuple[str, int] | None
    state: State
    due: dt.date | None = None
    since: dt.date | None = None
    deputy: str | None = None
    modified: bool = False

    @property
    def when(self) -> str:
        """How pressing it is, in words."""
        if self.state == "late" and self.due:
            return f"late: was due by {day(self.due)}"
        if self.state == "waits":
            return "waits for others"
        if self.due:
            return f"due by {day(self.due)}"
        return f"open since {day(self.since)}" if self.since else "open"

    def as_json(self) -> dict[str, Any]:
        """The row as every face reports it."""
        return {
            "kind": self.kind,
            "what": self.what,
            "section": self.section,
            "owner": self.owner,
            "called": self.called,
            "person": self.person.name if self.person else None,
            "lcs_person_id": self.lcs_person_id,
            "initials": self.initials,
            "pep": {"id": self.pep[0], "version": self.pep[1]} if self.pep else None,
            "state": self.state,
            "due": self.due.isoformat() if self.due else None,
            "since": self.since.isoformat() if self.since else None,
            "deputy": self.deputy,
            "modified": self.modified,
        }


def due(session: Session, profile: Profile, on: dt.date) -> list[Due]:
    """All that waits for somebody as the register stands, judged on a day; what is late comes first."""
    caseload = lists.known(session, on)
    children = _children(session, caseload, profile, on)
    found = [each for child in children.values() for each in child.waiting(session)]
    found += _of_records(session, children, caseload)
    return sorted((_with_deputy(each, profile, on) for each in found), key=_order)


def title(section: str) -> str:
    """What people call a section, or a part of one."""
    field = schema.load().at(section.split("."))
    return "Upload to LCS" if section == UPLOAD or field is None else field.title


def _order(row: Due) -> tuple[int, dt.date, str, str]:
    pressing = ("late", "due", "open", "waits").index(row.state)
    return pressing, row.due or row.since or dt.date.max, row.lcs_person_id or "", row.what


def _with_deputy(row: Due, profile: Profile, on: dt.date) -> Due:
    """The row with the deputy, where the profile's clock says that it is time for one."""
    clock, deputy = profile.clocks.get("deputy_steps_in"), profile.deputies.get(row.owner)
    steps_in = days.due(row.due, clock, profile) if row.due and clock and deputy else None
    return replace(row, deputy=deputy) if row.state == "late" and steps_in and steps_in < on else row


# --- one child -------------------------------------------------------------------------------------------------------


@dataclass
class _Child:
    """A child: what the lists say now, and the PEPs that the register has, each with its versions, the newest last.

    `held` is the PEP of the last meeting that was held. `recorded` are the meetings of the child's records, also of
    PEPs that were signed off elsewhere; `terms` those of which the register has any child's PEP.
    """

    number: str | None
    now: Standing | None
    peps: list[list[Version]]
    recorded: list[dt.date]
    newest: Plan | None
    held: Plan | None
    profile: Profile
    on: dt.date
    terms: frozenset[tuple[str, str]]

    def waiting(self, session: Session) -> Iterator[Due]:
        """What waits for somebody about this child, but for the records."""
        if self.pep and days.said(self.pep, "follow_up", "died_on"):
            return
        if self.status in self.profile.status_no_pep:
            return
        if self.now and not self.ended:
            yield from self._of_being_looked_after(self.now)
        for *_, newest in self.peps:
            if newest.signed_digest is None and self._met_in_care(newest):
                yield from self._of_an_open_pep(session, plans.read(session, newest))
        signed = [version for versions in self.peps for version in versions if version.signed_digest]
        if signed and not self.ended:
            yield from self._unread(plans.read(session, max(signed, key=plans.age)))

    @property
    def pep(self) -> Pep:
        """The newest PEP; an empty one where there is none."""
        return self.newest.pep if self.newest else {}

    @cached_property
    def ended(self) -> dt.date | None:
        """The day since which the child is not looked after any more."""
        return self.now.ended(self.on) if self.now else None

    @cached_property
    def status(self) -> str:
        """The legal status: by the list, else by the newest PEP."""
        listed = self.now.facts.text("legal_status") if self.now else ""
        care = self.pep.get("care")
        said = care.get("legal_status") if isinstance(care, dict) else None
        return listed or (said if isinstance(said, str) else "")

    def _met_in_care(self, row: Version) -> bool:
        """Whether a PEP is still to be finished: one whose meeting never came before care ended is not."""
        return self.ended is None or (row.meeting_date is not None and row.meeting_date <= self.ended)

    def acted(self, role: str, pep: Pep) -> dt.date | None:
        """The day of the list since which whoever has a role in a PEP could act; None where no list told of a change.

        The staff of a school to which the lists take the child back, whose PEP has been theirs all along, always could.
        """
        kind = {"social_worker": "worker", "carer": "moved"} | dict.fromkeys(SCHOOL_STAFF, "school")
        if self.now is None or (role in SCHOOL_STAFF and self._back_at_school(pep, self.now)):
            return None
        return self.now.changed.get(kind.get(role, ""))

    def _back_at_school(self, pep: Pep, now: Standing) -> bool:
        school = now.facts.school
        before = any(earlier.same(school) for earlier, _ in now.earlier_schools)
        return before and _names(pep, school) and (self.held is None or _names(self.held.pep, school))

    def person(self, role: str, pep: Pep) -> Person | None:
        """Who has a role: the social worker by the list, everybody else by the PEP.

        Nobody at a school that the child has left, no carer of a home that the child has left: they are not written to.
        """
        named = list(plans.people(pep, role))
        listed = self.now.facts.text("social_worker") if self.now and role == "social_worker" else ""
        if listed and self.now:
            same = next((row for row in named if _plain(str(row.get("name"))) == _plain(listed)), {})
            return Person(listed, self.now.facts.text("team"), str(same.get("email") or ""))
        if not named or (self.now and self._left_behind(role, pep, self.now)):
            return None
        return Person(*(str(named[0].get(key) or "") for key in ("name", "organisation", "email")))

    @staticmethod
    def _left_behind(role: str, pep: Pep, now: Standing) -> bool:
        at_school, at_home = role in SCHOOL_STAFF, role == "carer"
        return bool((at_school and holds.left_school(pep, now)) or (at_home and holds.moved(pep, now)))

    def row(self, kind: str, what: str, owner: str, plan: Plan | None = None, **more: Any) -> Due:
        """A row about this child, or about a PEP of theirs."""
        pep = plan.pep if plan else self.pep
        about = plan or self.newest
        return Due(
            kind=kind,
            what=what,
            owner=owner,
            called=self.profile.called(owner, pep),
            person=self.person(owner, pep),
            lcs_person_id=self.number,
            initials=about.initials if about else "",
            pep=(plan.row.pep_id, plan.row.version) if plan else None,
            modified=self.status in self.profile.status_modified,
            **more,
        )

    def timed(self, by: dt.date | None, since: dt.date | None = None) -> dict[str, Any]:
        """How pressing something is that is due by a day, or open since one where no clock tells."""
        if by is None:
            return {"state": "open", "due": None, "since": since}
        return {"state": "late" if by < self.on else "due", "due": by, "since": since}

    def clocked(self, name: str, *events: dt.date | None) -> dt.date | None:
        """The day of a clock of the profile that counts from the last of these days; None without clock or day."""
        clock, start = self.profile.clocks.get(name), max((each for each in events if each), default=None)
        return days.due(start, clock, self.profile) if clock and start else None

    # What being looked after asks for

    def _of_being_looked_after(self, now: Standing) -> Iterator[Due]:
        seen_from = now.seen_with_other_than(self.profile.status_no_pep)
        began = now.facts.day("looked_after_from") or seen_from
        versions = [row for versions in self.peps for row in versions]
        meetings = [*self.recorded, *(row.meeting_date for row in versions if row.meeting_date)]
        met = [each for each in meetings if began <= each <= self.on]
        signed = {*self.recorded, *(row.meeting_date for row in versions if row.signed_off_at)}
        first = [
            self.row(kind, what, self.owner("meeting"), self.newest, section="meeting", **self.timed(by, began))
            for kind, what, done in (
                ("initial-meeting", "First PEP meeting", bool(met)),
                ("initial-pep", "First PEP, signed off", not signed.isdisjoint(met)),
            )
            if not done and (by := self.clocked(kind.replace("-", "_"), began, seen_from))
        ]
        yield from first
        yield from self._after_a_change(now, met) if met else ()
        if not any(row.kind == "initial-meeting" for row in first):
            yield from self._of_the_term(began, seen_from)

    def _after_a_change(self, now: Standing, met: Sequence[dt.date]) -> Iterator[Due]:
        """A new PEP, once the child has changed school or home since the last meeting.

        None where the PEP of the last meeting names the school of now: a list was mistaken, or late in telling of it.
        """
        moved, school = now.changed.get("moved"), now.changed.get("school")
        school = None if self.held and _names(self.held.pep, now.facts.school) else school
        home = (now.facts.day("placement_start") or moved) if moved else None
        for kind, what, event, told in (
            ("new-school", "New PEP after a change of school", school, school),
            ("new-placement", "New PEP after a move", home, moved),
        ):
            by = self.clocked(kind.replace("-", "_"), event, told) if event and max(met) < event else None
            if by:
                yield self.row(kind, what, self.owner("meeting"), section="meeting", **self.timed(by, event))

    def _of_the_term(self, began: dt.date, seen_from: dt.date) -> Iterator[Due]:
        """A PEP in each term; of the term before only while that of this term is missing too."""
        year, name = self.profile.term_of(self.on)
        have = {(versions[-1].academic_year, versions[-1].term) for versions in self.peps}
        have |= set(map(self.profile.term_of, self.recorded))
        if (year, name) in have:
            return
        for each in (_term_before(year, name), (year, name)):
            span = self.profile.term(*each)
            asked = each == (year, name) or each in self.terms
            if span and asked and each not in have and max(began, seen_from) <= span[1]:
                what = f"PEP for the {each[1]} term {each[0]}"
                yield self.row("no-pep", what, self.owner("meeting"), section="meeting", **self.timed(span[1], began))

    def owner(self, section: str) -> str:
        """The role that answers for a section for this child."""
        field = schema.load().at(section.split("."))
        otherwise = field.owner if field else "social_worker" if section == UPLOAD else None
        return self.profile.owner(section, otherwise, self.pep or None) or "virtual_school_officer"

    # What a PEP asks for until it is signed off, and after

    def _of_an_open_pep(self, session: Session, plan: Plan) -> Iterator[Due]:
        query = select(SectionState).where(
            SectionState.pep_id == plan.row.pep_id,
            SectionState.version == plan.row.version,
            SectionState.state.in_(sections.OPEN),
        )
        unfinished = list(session.scalars(query.order_by(SectionState.section)))
        yield from (row for state in unfinished if (row := self._of_a_section(state, plan)))
        if plan.met and plan.met <= self.on:
            yield from self._unsigned(plan, unfinished)
        review = days.event(plan.pep, "review")
        if by := self.clocked("to_iro", review):
            owner = self.owner("pep")
            what = "Signed PEP to the Independent Reviewing Officer, before the review"
            yield self.row("to-iro", what, owner, plan, section="sign_offs", **self.timed(by))

    def _of_a_section(self, state: SectionState, plan: Plan) -> Due | None:
        """A section that somebody must still work on, once its clock or its meeting says so."""
        owner = state.owner or self.owner("pep")
        by, clock = sections.clock_of(state.section, plan.pep, self.profile) or (None, None)
        acted = self.acted(owner, plan.pep)
        if by and clock and acted and (later := self._from_then(acted, clock)):
            by = max(by, later)
        since = max((each for each in (plan.met, acted) if each), default=None)
        if by is None and (plan.met is None or plan.met >= self.on):
            return None
        missing = f", {state.missing} to put right" if state.missing else ""
        what = f"{_lettered(state.section, self.profile)}: {state.state}{missing}"
        return self.row("section", what, owner, plan, section=state.section, **self.timed(by, since))

    def _from_then(self, acted: dt.date, clock: Clock) -> dt.date | None:
        """When the time is up for somebody who could act from a day on: they have as many days as anybody."""
        return days.due(acted, Clock(clock.days, clock.type, after="taking over"), self.profile)

    def _unsigned(self, plan: Plan, unfinished: Sequence[SectionState]) -> Iterator[Due]:
        """Each sign-off that is missing; it waits while what others owe keeps it from being signed."""
        digest = pep_digest(plan.pep)
        signed = [row for row in plan.pep.get("sign_offs") or [] if row["digest"] == digest]
        standing = {**plan.pep, "sign_offs": signed}
        for role in self.profile.unsigned(standing):
            may = {role, *self.profile.may_sign_for(role, standing)}
            others = [state for state in unfinished if state.missing and state.owner and state.owner not in may]
            by = self.clocked("sign_off", plan.met, self.acted(role, plan.pep))
            what, timed = "Sign-off", self.timed(by, plan.met)
            if others:
                owed = (f"{title(each.section)} ({self.profile.called(each.owner or '', plan.pep)})" for each in others)
                what, timed = f"Sign-off, which waits for {listing(list(owed))}", {**timed, "state": "waits"}
            yield self.row("unsigned", what, role, plan, section="sign_offs", **timed)

    def _unread(self, plan: Plan) -> Iterator[Due]:
        """Who is asked to read the signed PEP and has not."""
        assert plan.row.signed_off_at is not None
        signed = plan.row.signed_off_at
        follow_up = plan.pep.get("follow_up") or {}
        read = {row["person"] for row in follow_up.get("read", ()) if dt.datetime.fromisoformat(row["at"]) >= signed}
        for role in self.profile.acknowledge(plan.pep):
            if read.isdisjoint(row.get("id") for row in plans.people(plan.pep, role)):
                since = max(each for each in (signed.astimezone(LONDON).date(), self.acted(role, plan.pep)) if each)
                timed = self.timed(self.clocked("read_after_sign_off", since), since)
                yield self.row("unread", "Read the signed PEP", role, plan, section="follow_up", **timed)


def _children(session: Session, caseload: Caseload, profile: Profile, on: dt.date) -> dict[str, _Child]:
    """The children whom a list, a PEP or a record names, by LCS number; a PEP without one is a child of its own."""
    by_child = defaultdict[str, list[list[Version]]](list)
    for reference, versions in plans.versions(session).items():
        by_child[plans.number(versions[-1], caseload) or f"{reference}, without a number"].append(versions)
    terms = frozenset(
        (row.academic_year, row.term) for each in by_child.values() for versions in each for row in versions
    )
    recorded = defaultdict[str, list[dt.date]](list)
    for record in session.scalars(select(Record)):
        recorded[caseload.number(record.lcs_person_id)].append(dt.date.fromisoformat(record.row["meeting_date"]))
    children = {}
    for key in sorted({*by_child, *caseload.children, *recorded}):
        peps = by_child.get(key, [])
        newest = max((versions[-1] for versions in peps), key=plans.age, default=None)
        met = [versions[-1] for versions in peps if (day := versions[-1].meeting_date) and day <= on]
        held = max(met, key=lambda row: row.meeting_date or dt.date.min, default=None)
        children[key] = _Child(
            number=key if newest is None or newest.lcs_person_id else None,
            now=caseload.children.get(key),
            peps=peps,
            recorded=recorded.get(key, []),
            newest=plans.read(session, newest) if newest else None,
            held=plans.read(session, held) if held else None,
            profile=profile,
            on=on,
            terms=terms,
        )
    return children


def _term_before(year: str, name: str) -> tuple[str, str]:
    at = days.TERMS.index(name)
    if at:
        return year, days.TERMS[at - 1]
    first = days.first_year(year)
    assert first is not None
    return f"{first - 1}/{first % 100:02}", days.TERMS[-1]


def _lettered(section: str, profile: Profile) -> str:
    letter = profile.letter(section)
    return f"{title(section)} (Section {letter})" if letter else title(section)


def _names(pep: Pep, school: School) -> bool:
    """Whether a school is the main one that a PEP names."""
    return any(each.same(school) for each in schools_of(pep)[:1])


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


# --- records ---------------------------------------------------------------------------------------------------------


def _of_records(session: Session, children: Mapping[str, _Child], caseload: Caseload) -> Iterator[Due]:
    """What has not become a record, not been delivered, not been confirmed, or not been deleted after withdrawal."""
    deliveries = defaultdict[str, list[Delivery]](list)
    for delivery in session.scalars(select(Delivery).order_by(Delivery.prepared_at)):
        deliveries[delivery.record_sha256].append(delivery)
    records = list(session.scalars(select(Record).order_by(Record.filed_at)))
    superseded, filed = {row.supersedes for row in records}, {(row.pep_id, row.version) for row in records}
    for child in children.values():
        yield from _without_record(child, filed)
    for record in records:
        child = children[caseload.number(record.lcs_person_id)]
        yield from _not_deleted(record, deliveries[record.sha256], child)
        if record.sha256 not in superseded:
            yield from _not_confirmed(record, deliveries[record.sha256], child)


def _without_record(child: _Child, filed: Collection[tuple[str, int]]) -> Iterator[Due]:
    """The newest signed version of each PEP of which there is no record."""
    for versions in child.peps:
        signed = [row for row in versions if row.signed_off_at]
        if signed and (signed[-1].pep_id, signed[-1].version) not in filed:
            yield _of_a_record(
                child, "no-record", "Make the record of the signed PEP", signed[-1], signed[-1].meeting_date
            )


def _not_confirmed(record: Record, deliveries: Sequence[Delivery], child: _Child) -> Iterator[Due]:
    """A record of which nobody has said that it is on the child's file: by the end of its term it is to be there."""
    states = {each.state for each in deliveries}
    met = dt.date.fromisoformat(record.row["meeting_date"])
    if states == {"withdrawn"} or "confirmed" in states:
        return
    if "delivered" in states:
        yield _of_a_record(child, "unconfirmed", "Confirm that the record is on LCS", record, met)
    elif "dead" in states:
        yield _of_a_record(child, "undelivered", "Record could not be delivered: see why, and try again", record, met)
    else:
        yield _of_a_record(child, "undelivered", "Deliver the record to LCS", record, met)


def _not_deleted(record: Record, deliveries: Sequence[Delivery], child: _Child) -> Iterator[Due]:
    for each in deliveries:
        if each.state == "withdrawn" and not each.deletion_reference:
            row = _of_a_record(
                child, "withdrawn", "Have the withdrawn record deleted, and note the reference", record, None
            )
            since = each.withdrawn_at.astimezone(LONDON).date() if each.withdrawn_at else None
            yield replace(row, since=since)


def _of_a_record(child: _Child, kind: str, what: str, of: Record | Version, met: dt.date | None) -> Due:
    """A row about a record; with the day of the meeting, it is due by the end of that term."""
    owner = "virtual_school_officer" if kind == "no-record" else child.owner(UPLOAD)
    span = child.profile.term(*child.profile.term_of(met)) if met else None
    row = child.row(kind, what, owner, section=UPLOAD, **child.timed(span[1] if span else None))
    if row.person is None and isinstance(of, Record) and of.row["social_worker"] and owner == "social_worker":
        row = replace(row, person=Person(of.row["social_worker"], of.row["team"]))
    return replace(row, pep=(of.pep_id, of.version))
