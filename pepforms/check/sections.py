"""How far a PEP has come, section by section: whose it is, what is there, what is missing and since when."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pepforms import days, schema
from pepforms.check.words import day
from pepforms.days import Clock
from pepforms.digest import NOT_SIGNED
from pepforms.model import Pep, Problem
from pepforms.profile import Profile
from pepforms.schema import Field

State = Literal["not asked", "not started", "in progress", "to confirm", "complete", "confirmed unchanged"]
OPEN: tuple[State, ...] = ("not started", "in progress", "to confirm")
"""States of a section that somebody must still work on."""
Since = Literal["due", "meeting"]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a PEP, or a part of one that is another person's (`views.carer`).

    `owner` is a role, `called` what people call it for this child, `people` the names of those in the PEP who have it
    or stand in for it. `missing` stops sign-off, `to_check` does not; `fields` are what a section not yet begun must
    hold. `due` is the day by which it was to be ready, None where the authority has no clock for it or its start is
    not known. What was carried over from the last PEP is `to confirm` until somebody says that it still holds.

    `since` is the day since which an open section has been waited for, and `since_what` says which that is: `due`, the
    day it was due by, or `meeting`, where no clock tells but the meeting, at which all of it was to be said, has been
    held. Both are None where neither day has passed or is known; a PEP does not tell when somebody was first asked.
    """

    name: str
    letter: str | None
    title: str
    owner: str | None
    called: str | None
    people: tuple[str, ...]
    state: State
    missing: tuple[Problem, ...]
    to_check: tuple[Problem, ...]
    fields: tuple[str, ...]
    due: date | None
    since: date | None
    since_what: Since | None

    def as_json(self) -> dict[str, Any]:
        """The section as every face reports it."""
        return {
            "section": self.name,
            "letter": self.letter,
            "title": self.title,
            "owner": self.owner,
            "called": self.called,
            "people": list(self.people),
            "state": self.state,
            "missing": [problem.as_json() for problem in self.missing],
            "to_check": [problem.as_json() for problem in self.to_check],
            "fields": list(self.fields),
            "due": self.due.isoformat() if self.due else None,
            "since": self.since.isoformat() if self.since else None,
            "since_what": self.since_what,
        }


def sections(pep: Pep, problems: Sequence[Problem], profile: Profile, today: date) -> list[Section]:
    """Every section in the order of the form, as things stand today; `problems` are those of a check at stage sign-off.

    What is written about a PEP rather than in it (exceptions, sign-offs) has a row only where something is wrong there.
    """
    parts = dict(_parts(schema.load().root))
    by_part = _sorted(problems, parts)
    rows = (_section(name, field, pep, by_part[name], profile, today) for name, field in parts.items())
    return [row for row in rows if row.name.partition(".")[0] not in _ABOUT or row.missing or row.to_check]


_ABOUT = {"schema_version", "confirmations", "exceptions", *NOT_SIGNED}
_IN_PARTS = "views"
"""The section whose parts are each another person's."""


def _parts(root: Field) -> Iterator[tuple[str, Field]]:
    for name, field in root.fields.items():
        if name == _IN_PARTS:
            yield from ((f"{name}.{part}", below) for part, below in field.fields.items())
        else:
            yield name, field


def _sorted(problems: Sequence[Problem], parts: Mapping[str, Field]) -> dict[str, list[Problem]]:
    """The problems by section or part; one of the whole file goes to the first."""
    found: dict[str, list[Problem]] = {name: [] for name in parts}
    for problem in problems:
        steps = problem.pointer.split("/")[1:]
        ways = (".".join(steps[:2]), problem.section, steps[0] if steps else None, f"{_IN_PARTS}.child")
        known = [way for way in ways if way in found]
        found[known[0] if known else next(iter(found))].append(problem)
    return found


def _section(name: str, field: Field, pep: Pep, problems: Sequence[Problem], profile: Profile, today: date) -> Section:
    value = _value(pep, *name.split("."))
    owner = _owner(name, field, pep, profile)
    missing = tuple(problem for problem in problems if problem.severity == "blocks")
    to_check = tuple(problem for problem in problems if problem.severity == "warns")
    if value in (None, [], {}):
        state = _state_of_nothing(missing, to_check, awaited=_awaited(name, field, pep))
    else:
        state = _state(_value(pep, "confirmations", name.partition(".")[0], "state"), missing)
    due, _ = clock_of(name, pep, profile) or (None, None)
    since, since_what = _since(due, pep, today) if state in OPEN else (None, None)
    return Section(
        name=name,
        letter=profile.letter(name),
        title=field.title,
        owner=owner,
        called=profile.called(owner, pep) if owner else None,
        people=tuple(_people(pep, owner)) if owner else (),
        state=state,
        missing=missing,
        to_check=to_check,
        fields=tuple(_needed(field, pep)) if state == "not started" else (),
        due=due,
        since=since,
        since_what=since_what,
    )


def _state(mark: Any, missing: Sequence[Problem]) -> State:
    if mark == "to_confirm":
        return "to confirm"
    if missing:
        return "in progress"
    return "confirmed unchanged" if mark == "confirmed" else "complete"


def _state_of_nothing(missing: Sequence[Problem], to_check: Sequence[Problem], *, awaited: bool) -> State:
    """Nothing is there: that may be right, nobody having asked, or explained, or is yet to be done."""
    if awaited or missing or any(not problem.explainable for problem in to_check):
        return "not started"
    return "complete" if to_check else "not asked"


def _awaited(name: str, field: Field, pep: Pep) -> bool:
    """Whether a part is asked for whose whole section is not begun: the check then speaks of the whole alone."""
    whole, _, part = name.partition(".")
    return bool(part and field.needed and field.asked(pep) and not pep.get(whole))


def _owner(name: str, field: Field, pep: Pep, profile: Profile) -> str | None:
    whole = name.partition(".")[0]
    return profile.owner(name, profile.owner(whole, field.owner, pep), pep)


def _people(pep: Pep, role: str) -> Iterator[str]:
    """The names of those who have a role or stand in for one who has it."""
    rows = pep.get("people")
    people = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    has_it = [row.get("id") for row in people if row.get("role") == role]
    for row in people:
        covers = row.get("covers")
        stands_in = covers is not None and (covers == role or covers in has_it)
        if (row.get("role") == role or stands_in) and isinstance(row.get("name"), str):
            yield row["name"]


def _needed(field: Field, pep: Pep) -> Iterator[str]:
    """The titles of what a section must hold before sign-off, for this child."""
    for part in field.fields.values():
        if part.needed == "blocks" and part.asked(pep):
            yield part.title


def clock_of(name: str, pep: Pep, profile: Profile) -> tuple[date, Clock] | None:
    """The day by which a section, or a part of one, is due, and the clock that says so: the first where several do."""
    whole = name.partition(".")[0]
    found = []
    for clock in profile.clocks.values():
        start = days.event(pep, clock.event) if {name, whole} & {*clock.sections} else None
        if start and (by := days.due(start, clock, profile)):
            found.append((by, clock))
    return min(found, key=lambda each: each[0], default=None)


def _since(due: date | None, pep: Pep, today: date) -> tuple[date | None, Since | None]:
    """The day since which a section that is open has been waited for; the day it is due itself is not too late."""
    if due:
        return (due, "due") if due < today else (None, None)
    held = days.event(pep, "meeting")
    return (held, "meeting") if held and held < today else (None, None)


def _value(pep: Pep, *steps: str) -> Any:
    found: Any = pep
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    return found


@dataclass(frozen=True, slots=True)
class Preparation:
    """What one role has ready before a meeting: who that is called, which parts, and by when (None: no clock says)."""

    who: str
    parts: tuple[str, ...]
    ready_by: date | None


_BEFORE_MEETING = ("child", "care", "education", "previous_targets", "views.child", "views.carer", "views.parent")
"""What must be there for a meeting to talk about; the rest of a PEP is agreed at it."""


def preparation(pep: Pep, profile: Profile) -> list[Preparation]:
    """What must be ready before the meeting of this PEP, role by role, with the letters that people know."""
    parts = dict(_parts(schema.load().root))
    of_role: dict[str, list[str]] = {}
    for name in _BEFORE_MEETING:
        if name == "views.carer" and not [*_people(pep, "carer")]:
            continue  # who lives with nobody that the PEP calls a carer is spoken for by nobody
        if owner := _owner(name, parts[name], pep, profile):
            of_role.setdefault(owner, []).append(name)
    return [
        Preparation(
            profile.called(role, pep),
            tuple(_lettered(names, parts, profile)),
            min((clock[0] for name in names if (clock := clock_of(name, pep, profile))), default=None),
        )
        for role, names in of_role.items()
    ]


def _lettered(names: Sequence[str], parts: Mapping[str, Field], profile: Profile) -> Iterator[str]:
    """The titles of sections, those of one letter together: “Section A (The child, Care information)”."""
    for letter, same in itertools.groupby(names, profile.letter):
        titles = [parts[name].title for name in same]
        yield from [f"Section {letter} ({', '.join(titles)})"] if letter else titles


_HEADS = ("", "Section", "Whose", "State", "Since")


def table(rows: Sequence[Section]) -> str:
    """The sections as a person reads them, one a line; under each that is open, what is missing."""
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(_HEADS, *cells, strict=True)]
    lines = [_line(_HEADS, widths)]
    for row, line in zip(rows, cells, strict=True):
        lines += [_line(line, widths), *(f"      {problem.message}" for problem in row.missing)]
        if row.fields:
            lines.append(f"      To fill in: {', '.join(row.fields)}.")
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(row: Section) -> tuple[str, ...]:
    who = f"{row.called or ''} ({', '.join(row.people)})" if row.people else row.called or ""
    checks = f", {len(row.to_check)} to check" if row.to_check else ""
    return row.letter or "", row.title, who, row.state + checks, _when(row)


def _when(row: Section) -> str:
    """Since when an open section has been waited for; else by when it is due; else that nobody can say."""
    if row.state not in OPEN:
        return ""
    if row.since:
        return f"late: was due by {day(row.since)}" if row.since_what == "due" else f"the meeting, {day(row.since)}"
    return f"not late: due by {day(row.due)}" if row.due else "not known"
