"""What each weekly list changes about what was known from the lists before it.

Lists are taken in the order of the days that they are of, whenever they were imported; the same lists give the same
answer. A fact that a list does not tell, or tells unclearly, stays as it was last known.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pepforms import codes
from pepforms.caseload.facts import TITLES, Facts, School
from pepforms.caseload.mapping import CODED
from pepforms.check.words import day, listing

ADOPTION = ("A3", "A4", "A5", "A6")
"""Kinds of placement for adoption."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a list says of one child and the lists before did not.

    `as_of` is the list's day; `on` the day on which it came about, where the list gives one; `before` and `after` are
    what was said and what is said now.
    """

    as_of: date
    lcs_person_id: str
    kind: str
    on: date | None = None
    before: str | None = None
    after: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The change as every face reports it."""
        return {
            "as_of": self.as_of.isoformat(),
            "lcs_person_id": self.lcs_person_id,
            "kind": self.kind,
            "on": self.on.isoformat() if self.on else None,
            "before": self.before,
            "after": self.after,
            "message": self.message,
        }

    @property
    def message(self) -> str:
        """The change in a sentence."""
        words = _SAID[self.kind]
        parts = {"on": day(self.on) if self.on else "a day not given", "before": self.before or "nothing"}
        return words.format(**parts, after=self.after or "nothing")


_SAID: Mapping[str, str] = {
    "started": "came into care on {on}",
    "back-dated": "was looked after since {on} already; the lists before said {before}",
    "start-corrected": "has been looked after since {on}, not since {before}",
    "ceased": "ceased to be looked after on {on}",
    "not-on-list": "is not on the list any more, and no list gave the day on which care ended",
    "end-corrected": "ceased to be looked after on {on}, not on {before}",
    "reversed": "is looked after after all: the end that the lists gave ({before}) was taken back",
    "moved": "moved on {on}: {before} before, {after} now",
    "placed-for-adoption": "is placed for adoption: {after}",
    "school": "changed school: {before} before, {after} now",
    "worker": "has a new social worker: {after} in place of {before}",
    "team": "has another team, with the same social worker: {after} in place of {before}",
    "legal-status": "changed legal status: {before} before, {after} now",
    "confidential": "has a confidential placement now",
    "not-confidential": "has a placement that is not confidential any more",
    "restricted": "has a restricted record now",
    "not-restricted": "has a record that is not restricted any more",
    "number-joined": "had the number {before}, which LCS has joined into {after}",
    "unclear": "stands on the list with facts that contradict each other or cannot be read: {after}",
}
KINDS = tuple(_SAID)
"""Every kind of change; docs/caseload.md explains them to officers."""


@dataclass(slots=True)
class Standing:
    """What is known of a child from the lists so far.

    `first_seen` is the day of the first list that had the child, `seen_from` that of the first in this period of care,
    `missing_since` that of the first without, while it lasts. `changed` has the day of the list that last said
    something new, by the kind of change; `earlier_schools` those before the one now, each with the day of the first
    list that did not have it any more. `statuses` are the legal statuses of this period of care, each with the day of
    the first list that had it.
    """

    facts: Facts
    first_seen: date
    seen_from: date
    missing_since: date | None = None
    changed: Mapping[str, date] = field(default_factory=dict)
    earlier_schools: tuple[tuple[School, date], ...] = ()
    statuses: tuple[tuple[str, date], ...] = ()

    def seen_with_other_than(self, statuses: Collection[str]) -> date:
        """The day of the first list in this period of care that had the child with a status other than these."""
        if not self.statuses or self.statuses[0][0] not in statuses:
            return self.seen_from
        return next((since for status, since in self.statuses if status not in statuses), self.seen_from)

    def ended(self, on: date) -> date | None:
        """The day since which the child is not looked after any more, as far as the lists tell; None while so."""
        ceased = self.facts.day("ceased_on")
        if ceased:
            return ceased if ceased <= on else None
        return self.missing_since if self.missing_since and self.missing_since <= on else None


@dataclass(slots=True)
class Caseload:
    """The children as the lists taken so far have them, by LCS number; `as_of` is the day of the last list.

    `joined` leads from a number that a child had before to the one that LCS has joined it into.
    """

    as_of: date | None = None
    children: dict[str, Standing] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)

    def number(self, known: str) -> str:
        """The number that a child has now who once had this one."""
        seen = {known}
        while (following := self.joined.get(known)) and following not in seen:
            seen.add(known := following)
        return known

    def child(self, *numbers: str | None) -> Standing | None:
        """What is known of the child who has or had one of these numbers."""
        return next((found for each in numbers if each and (found := self.children.get(self.number(each)))), None)

    def take(self, as_of: date, rows: Iterable[Facts]) -> list[Change]:
        """Take up the next list; what it changes. The first list of all changes nothing: nothing was known before."""
        here = {facts.lcs_person_id: facts for facts in rows}
        before, changes = self.as_of, list[Change]()
        for number in here:
            self.joined.pop(number, None)  # joined once, and apart again
        for number, facts in here.items():
            changes += self._joined(facts, here, as_of)
            old = self.children.get(number)
            if old and old.missing_since is None and old.facts == facts:
                continue
            if old is None:
                self.children[number] = Standing(facts, as_of, as_of, statuses=_statuses((), facts, as_of))
                changes += _new(facts, as_of, before) if before else ()
            else:
                found = list(_differences(old, facts, as_of))
                self.children[number] = _standing(old, facts, as_of, found)
                changes += found
        for number, old in self.children.items():
            if number not in here and old.missing_since is None:
                old.missing_since = as_of
                if not old.facts.day("ceased_on"):
                    changes.append(Change(as_of, number, "not-on-list"))
        self.as_of = as_of
        return sorted(changes, key=lambda change: change.lcs_person_id)

    def _joined(self, facts: Facts, here: Collection[str], as_of: date) -> Iterator[Change]:
        """Have what was known under a child's former numbers be known under this one."""
        number = facts.lcs_person_id
        for former in facts.former:
            if former in here or self.joined.get(former) == number or self.number(number) == former:
                continue
            if self.join(former, number):
                yield Change(as_of, number, "number-joined", before=former, after=number)

    def join(self, former: str, number: str) -> bool:
        """Have what was known under a former number be known under this one; whether anything was."""
        self.joined[former] = number
        theirs, last = self.children.pop(former, None), self.number(number)
        if theirs:
            now = self.children.get(last)
            self.children[last] = _both(theirs, now) if now else theirs
        return theirs is not None


def _both(former: Standing, now: Standing) -> Standing:
    """What is known of a child who stood under two numbers: as the one of now says, from when either first did.

    A period of care that ended under the former number is another one.
    """
    same = former.facts.day("ceased_on") is None and (former.missing_since or now.seen_from) >= now.seen_from
    return replace(
        now,
        first_seen=min(former.first_seen, now.first_seen),
        seen_from=min(former.seen_from, now.seen_from) if same else now.seen_from,
        changed={**former.changed, **now.changed},
        earlier_schools=tuple(sorted((*former.earlier_schools, *now.earlier_schools), key=lambda each: each[1])),
        statuses=tuple(sorted((*former.statuses, *now.statuses), key=lambda each: each[1])) if same else now.statuses,
    )


def _standing(old: Standing, facts: Facts, as_of: date, found: Iterable[Change]) -> Standing:
    kinds = {change.kind for change in found}
    values = {**old.facts.values, **facts.values}
    return Standing(
        Facts(facts.lcs_person_id, values, facts.former, facts.unclear),
        old.first_seen,
        as_of if "started" in kinds else old.seen_from,
        changed={**old.changed, **dict.fromkeys(kinds, as_of)},
        earlier_schools=(*old.earlier_schools, *([(old.facts.school, as_of)] if "school" in kinds else [])),
        statuses=_statuses(() if "started" in kinds else old.statuses, facts, as_of),
    )


def _statuses(before: tuple[tuple[str, date], ...], facts: Facts, as_of: date) -> tuple[tuple[str, date], ...]:
    """The statuses with that of one more list, where it tells another."""
    now = facts.text("legal_status")
    return before if not now or (before and before[-1][0] == now) else (*before, (now, as_of))


def _new(facts: Facts, as_of: date, before: date) -> Iterator[Change]:
    """A child of whom no list before told."""
    number, start, end = facts.lcs_person_id, facts.day("looked_after_from"), facts.day("ceased_on")
    yield Change(as_of, number, "started", on=start)
    if start and start <= before:
        yield Change(as_of, number, "back-dated", on=start, before=f"nothing on {day(before)}")
    if end:
        yield Change(as_of, number, "ceased", on=end)
    yield from _flags(None, facts, as_of)
    if facts.unclear:
        yield Change(as_of, number, "unclear", after=_titles(facts.unclear))


def _differences(old: Standing, new: Facts, as_of: date) -> Iterator[Change]:
    number = new.lcs_person_id
    yield from _care(old, new, as_of)
    was = old.facts
    if _tells_other(was, new, "placement_start") or _tells_other(was, new, "placement_type"):
        moved = new.day("placement_start") if "placement_start" in new.values else None
        yield Change(as_of, number, "moved", moved, in_words(was, "placement_type"), in_words(new, "placement_type"))
    if new.tells_school and was.tells_school and _other_school(was, new):
        yield Change(as_of, number, "school", before=str(was.school), after=str(new.school))
    if _tells_other(was, new, "social_worker"):
        yield Change(as_of, number, "worker", before=_worker(was), after=_worker(new))
    elif _tells_other(was, new, "team"):
        yield Change(as_of, number, "team", before=was.text("team") or None, after=new.text("team") or None)
    if _tells_other(was, new, "legal_status"):
        yield Change(
            as_of, number, "legal-status", before=in_words(was, "legal_status"), after=in_words(new, "legal_status")
        )
    yield from _flags(was, new, as_of)
    if new.unclear and new.unclear != was.unclear:
        yield Change(as_of, number, "unclear", after=_titles(new.unclear))


def _care(old: Standing, new: Facts, as_of: date) -> Iterator[Change]:
    """Whether care began, ended, was taken up again, or never ended at all."""
    number, was = new.lcs_person_id, old.facts
    start_before, end_before = was.day("looked_after_from"), was.day("ceased_on")
    start, end = new.day("looked_after_from"), new.day("ceased_on") if "ceased_on" in new.values else end_before
    gone = old.missing_since is not None or end_before is not None
    if gone and not end:
        again = start and start_before and start > start_before and start >= (end_before or start_before)
        told = end_before or old.missing_since
        yield (
            Change(as_of, number, "started", on=start)
            if again
            else Change(as_of, number, "reversed", before=day(told) if told else None)
        )
        if again:
            return
    elif end and end != end_before:
        kind = "end-corrected" if end_before else "ceased"
        yield Change(as_of, number, kind, on=end, before=day(end_before) if end_before else None)
    if start and start_before and start != start_before:
        kind = "back-dated" if start < start_before else "start-corrected"
        yield Change(as_of, number, kind, on=start, before=day(start_before))


def _flags(was: Facts | None, new: Facts, as_of: date) -> Iterator[Change]:
    for fact in ("confidential", "restricted"):
        before = was is not None and was.yes(fact)
        if fact in new.values and new.yes(fact) != before:
            yield Change(as_of, new.lcs_person_id, fact if new.yes(fact) else f"not-{fact}")
    kind, before_kind = new.text("placement_type"), was.text("placement_type") if was else ""
    if kind in ADOPTION and before_kind not in ADOPTION:
        yield Change(as_of, new.lcs_person_id, "placed-for-adoption", after=in_words(new, "placement_type"))


def _tells_other(was: Facts, new: Facts, fact: str) -> bool:
    """Whether both lists tell the fact, and tell it differently."""
    return fact in was.values and fact in new.values and was.values[fact] != new.values[fact]


def _other_school(was: Facts, new: Facts) -> bool:
    """Whether it is another school; one whose spelling alone changed, or of which less is told now, is not."""
    return bool(was.school) != bool(new.school) or was.school.same(new.school) is False


def in_words(facts: Facts, fact: str) -> str | None:
    """A code that the list gives, with what it means."""
    code = facts.text(fact)
    label = codes.label(CODED[fact], code) if code else None
    return f"{code} ({label})" if label else code or None


def _worker(facts: Facts) -> str | None:
    return ", ".join(filter(None, (facts.text("social_worker"), facts.text("team")))) or None


def _titles(unclear: Iterable[str]) -> str:
    return listing([TITLES[fact] for fact in unclear])
