"""Where the newest weekly list and the PEPs differ: a sheet for each social worker, who can put LCS right or say so.

A child is named there by initials and LCS number, a sheet by the initials of its reader and a mark, or by the team.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pepforms import codes, days, files, naming
from pepforms.caseload import lists, plans, tables
from pepforms.caseload.changes import Standing
from pepforms.caseload.facts import TITLES, Facts, schools_of
from pepforms.caseload.mapping import CODED
from pepforms.check.words import day
from pepforms.model import Pep
from pepforms.naming import By
from pepforms.profile import Profile

NOTHING = "(nothing)"
HEADS = (
    "LCS number", "Child", "What", "LCS says", "The PEP says", "Weekly list of", "PEP", "Meeting", "Social worker",
    "Team", "Which is right?",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that LCS and the PEP of a child say differently, or that only one of them says."""

    lcs_person_id: str
    child: str
    what: str
    lcs_says: str
    pep_says: str
    list_of: dt.date
    pep: str
    meeting: dt.date | None
    social_worker: str
    team: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the sheet; its last cell is for whoever answers."""
        return (
            self.lcs_person_id, self.child, self.what, self.lcs_says, self.pep_says, day(self.list_of), self.pep,
            day(self.meeting) if self.meeting else "", self.social_worker, self.team, "",
        )  # fmt: skip


def write(out: Path, found: list[Difference], by: By, *, force: bool) -> list[Path]:
    """A sheet for each reader in a folder."""
    parted: dict[str, list[Difference]] = {}
    for each in found:
        parted.setdefault(naming.folder(by, social_worker=each.social_worker, team=each.team), []).append(each)
    files.folder(out)
    paths = []
    for name, rows in sorted(parted.items()):
        paths.append(out / f"{name}.csv")
        files.write(paths[-1], tables.sheet(HEADS, [row.cells for row in rows]), force=force)
    return paths


def differences(session: Session, profile: Profile) -> list[Difference]:
    """What the newest list and the newest PEP of each child say differently, by child."""
    caseload = lists.known(session)
    if caseload.as_of is None:
        return []
    newest = plans.newest_of_each_child(session, caseload)
    return [
        each
        for number in sorted({*newest, *caseload.children})
        for each in _of_child(
            number, newest.get(number), caseload.children.get(number), as_of=caseload.as_of, profile=profile
        )
    ]


def _of_child(
    number: str, plan: plans.Plan | None, now: Standing | None, *, as_of: dt.date, profile: Profile
) -> Iterator[Difference]:
    worker = _worker(plan, now)

    def differing(what: str, lcs_says: str, pep_says: str) -> Difference:
        about = (plan.initials, plan.named, plan.met) if plan else ("", "", None)
        return Difference(number, about[0], what, lcs_says, pep_says, as_of, about[1], about[2], *worker)

    if now is None or now.missing_since:
        if plan and not days.said(plan.pep, "care", "ceased_on") and not (now and _met_before(plan, now)):
            yield differing("On the list", "not on the list", "looked after")
    elif plan is None:
        if not now.ended(as_of) and now.facts.text("legal_status") not in profile.status_no_pep:
            yield differing("PEP", "looked after", "no PEP in the register")
    else:
        yield from (differing(*each) for each in _facts(now.facts, plan.pep, number, as_of))


def _met_before(plan: plans.Plan, now: Standing) -> bool:
    """Whether the PEP is of a time before care ended, as far as the lists tell: then it need not know of the end."""
    ended = now.facts.day("ceased_on") or now.missing_since
    return bool(ended and plan.met and plan.met <= ended)


def _worker(plan: plans.Plan | None, now: Standing | None) -> tuple[str, str]:
    """Who answers for the child's record: by the list, else by the PEP."""
    if now and now.facts.text("social_worker"):
        return now.facts.text("social_worker"), now.facts.text("team")
    named = next(plans.people(plan.pep, "social_worker"), {}) if plan else {}
    return str(named.get("name", "")), str(named.get("organisation", ""))


def _facts(facts: Facts, pep: Pep, number: str, as_of: dt.date) -> Iterator[tuple[str, str, str]]:
    """Each fact that differs: what it is called, what LCS says, what the PEP says."""
    known = lists.numbers_of(pep)[0]
    if known and known != number:
        yield "LCS number", number, known
    for fact, way in _IN_THE_PEP.items():
        if fact in facts.unclear:
            yield TITLES[fact], "contradicts itself, or cannot be read", _said(fact, _at(pep, *way))
        elif fact in facts.values:
            lcs_says, pep_says = _said(fact, facts.values[fact]), _said(fact, _at(pep, *way))
            to_come = fact == "ceased_on" and _is_after(_at(pep, *way), as_of)
            if lcs_says != pep_says and not (to_come and lcs_says == NOTHING):
                yield TITLES[fact], lcs_says, pep_says
    yield from _school(facts, pep)
    yield from _allocated(facts, pep)


def _is_after(value: Any, as_of: dt.date) -> bool:
    return isinstance(value, str) and value > as_of.isoformat()


_IN_THE_PEP: Mapping[str, tuple[str, ...]] = {
    "legal_status": ("care", "legal_status"),
    "looked_after_from": ("care", "looked_after_from"),
    "ceased_on": ("care", "ceased_on"),
    "placement_type": ("care", "placement", "type"),
    "placement_start": ("care", "placement", "start"),
    "confidential": ("care", "placement", "confidential"),
}


def _at(pep: Pep, *way: str) -> Any:
    found: Any = pep
    for step in way:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _said(fact: str, value: Any) -> str:
    """A fact in words, the same for both sides."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return "not known"
    if fact in CODED:
        label = codes.label(CODED[fact], value)
        return f"{value} ({label})" if label else value
    return day(dt.date.fromisoformat(value))


def _school(facts: Facts, pep: Pep) -> Iterator[tuple[str, str, str]]:
    if any(fact.startswith("school_") for fact in facts.unclear) or not facts.tells_school:
        return
    theirs, listed = schools_of(pep), facts.school
    if bool(theirs) != bool(listed) or (theirs and all(listed.same(each) is False for each in theirs)):
        yield TITLES["school_name"], str(listed) if listed else NOTHING, str(theirs[0]) if theirs else NOTHING


def _allocated(facts: Facts, pep: Pep) -> Iterator[tuple[str, str, str]]:
    named = list(plans.people(pep, "social_worker"))
    for fact, key in (("social_worker", "name"), ("team", "organisation")):
        if fact in facts.unclear or fact not in facts.values:
            continue
        listed, theirs = facts.text(fact), [str(row.get(key) or "") for row in named]
        if _plain(listed) not in map(_plain, theirs or [""]):
            yield TITLES[fact], listed or NOTHING, theirs[0] if theirs and theirs[0] else NOTHING


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
