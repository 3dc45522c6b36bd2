"""The rules that a schema cannot say: how each is registered, how all run, and how a person explains a breach.

A rule is a small function from a `Case` to what it finds, registered with its slug, severity, stage and source by
`@rule`. One of a stage after draft, whose facts are already there but at odds, may warn before that stage.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from pepforms.check import words
from pepforms.check.finding import Finding, Steps
from pepforms.model import STAGES, Pep, Severity, Stage, pointer
from pepforms.profile import Profile
from pepforms.schema import Field, Schema, age

LAW = "Care Planning, Placement and Case Review (England) Regulations 2010"
GUIDANCE = "Promoting the education of looked-after children (DfE, 2018)"
CONDITIONS = "Pupil premium: virtual school heads’ responsibilities (DfE)"
PRACTICE = "Virtual School practice"
NEEDED = "needed"
"""The slug of what is asked and missing."""
EXPLAINS_NOTHING = "exception-explains-nothing"
"""The slug of an exception that has nothing to explain."""


@dataclass(frozen=True)
class Case:
    """What a rule looks at: the PEP as given, and of it what the schema `accepted`.

    `refused` are the places that have a finding already. The helpers answer None, or nothing, for whatever is absent,
    refused or unknown, so that a rule speaks only where it has its facts.
    """

    given: Pep
    accepted: Pep
    stage: Stage
    profile: Profile
    schema: Schema
    refused: frozenset[Steps]

    def value(self, *steps: str | int) -> Any:
        """What stands at a place; None where nothing does."""
        found: Any = self.accepted
        for step in steps:
            if isinstance(step, str):
                found = found.get(step) if isinstance(found, dict) else None
            else:
                found = found[step] if isinstance(found, list) and step < len(found) else None
        return found

    def rows(self, *steps: str | int) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows of a list, each with its position."""
        found = self.value(*steps)
        for position, row in enumerate(found if isinstance(found, list) else ()):
            if isinstance(row, dict):
                yield position, row

    def day(self, *steps: str | int) -> date | None:
        """A day of the calendar."""
        return as_day(self.value(*steps))

    def number(self, *steps: str | int) -> int | None:
        """A whole number."""
        found = self.value(*steps)
        return int(found) if isinstance(found, int | float) else None

    def money(self, *steps: str | int) -> Decimal | None:
        """Pounds and pence."""
        found = self.value(*steps)
        return Decimal(found) if isinstance(found, str) else None

    def text(self, *steps: str | int) -> str | None:
        """A text, a code or a word of a vocabulary."""
        found = self.value(*steps)
        return found if isinstance(found, str) else None

    @functools.cached_property
    def leaves(self) -> tuple[tuple[Field, Any, Steps], ...]:
        """Every filled field that holds a value of its own, the value and its place."""
        return tuple(_leaves(self.schema.root, self.accepted, ()))

    @functools.cached_property
    def age(self) -> int | None:
        """The child's age on the day of the meeting."""
        return age(self.accepted)

    @functools.cached_property
    def year(self) -> int | None:
        """The calendar year in which the academic year of the PEP begins."""
        said = self.text("pep", "academic_year")
        return int(said[:4]) if said else None

    @functools.cached_property
    def year_group(self) -> int | None:
        """The national curriculum year as a number: Reception is 0, younger is -1."""
        group = self.text("education", "year_group")
        if group in ("E1", "E2", "N1", "N2"):
            return -1
        return 0 if group == "R" else int(group) if group and group.isdigit() else None

    def people(self) -> dict[str, dict[str, Any]]:
        """The people of the PEP by their reference."""
        return {row["id"]: row for _, row in self.rows("people") if isinstance(row.get("id"), str)}

    def touched(self, steps: Steps) -> bool:
        """Whether the place, something above it or something in it was refused."""
        return steps in self._above_refused or any(steps[:depth] in self.refused for depth in range(1, len(steps) + 1))

    @functools.cached_property
    def _above_refused(self) -> frozenset[Steps]:
        """The places that were refused and all that lie above them."""
        return frozenset(place[:depth] for place in self.refused for depth in range(1, len(place) + 1))

    def all_there(self, *rows: str, key: str = "id") -> bool:
        """Whether no row of a list, nor the key of any, was refused: else nobody can say what the list lacks."""
        depth = len(rows)
        return not any(
            refused[:depth] == rows[: len(refused)] and (len(refused) <= depth + 1 or refused[depth + 1] == key)
            for refused in self.refused
            if refused
        )

    def place(self, *steps: str | int) -> str:
        """Where something is, in words."""
        return words.place(self.schema, steps)


def _leaves(field: Field, value: Any, steps: Steps) -> Iterator[tuple[Field, Any, Steps]]:
    if isinstance(value, dict):
        for name, part in value.items():
            below = field.fields.get(name)
            if below:
                yield from _leaves(below, part, (*steps, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            if field.items:
                yield from _leaves(field.items, item, (*steps, position))
    elif value is not None:
        yield field, value, steps


def as_day(value: object) -> date | None:
    """A day from an accepted value; None from anything else, an unknown one too."""
    return date.fromisoformat(value) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found: where, and the sentence; `severity` and `explainable` where they differ from the rule's."""

    steps: Steps
    message: str
    severity: Severity | None = None
    explainable: bool | None = None


Finder = Callable[[Case], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, what it does to the PEP, from which stage, whether it warns before, and where it comes from."""

    slug: str
    severity: Severity
    explainable: bool
    stage: Stage
    warns_before: bool
    source: str
    find: Finder

    @property
    def says(self) -> str:
        """The rule in one sentence."""
        return (self.find.__doc__ or "").strip().splitlines()[0]

    def findings(self, case: Case) -> Iterator[Finding]:
        """What the rule finds at the case's stage."""
        in_force = STAGES.index(case.stage) >= STAGES.index(self.stage)
        if not in_force and not self.warns_before:
            return
        for found in self.find(case):
            severity = found.severity or self.severity
            explainable = self.explainable if found.explainable is None else found.explainable
            yield Finding(
                self.slug, found.steps, found.message, severity if in_force else "warns", explainable, self.source
            )


_RULES: dict[str, Rule] = {}


def rule(
    slug: str,
    *,
    source: str,
    stage: Stage = "sign-off",
    severity: Severity = "blocks",
    explainable: bool = False,
    warns_before: bool = False,
) -> Callable[[Finder], Finder]:
    """Registers a function as the rule of that slug."""

    def register(find: Finder) -> Finder:
        _RULES[slug] = Rule(slug, severity, explainable, stage, warns_before, source, find)
        return find

    return register


def every() -> tuple[Rule, ...]:
    """Every rule there is."""
    from pepforms.check import (
        attainment,
        attendees,
        care,
        clocks,
        confirmed,
        copies,
        education,
        identity,
        meeting,
        money,
        needed,
        numbers,
        plan,
        schools,
        text,
    )

    # importing them registers their rules
    del attainment, attendees, care, clocks, confirmed, copies, education, identity, meeting, money, needed, numbers
    del plan, schools, text
    return tuple(_RULES.values())


def findings(case: Case) -> list[Finding]:
    """What all the rules find, save where the schema has refused something already: one fault, one problem."""
    found = itertools.chain.from_iterable(each.findings(case) for each in every())
    return _said_once([finding for finding in found if not case.touched(finding.steps)])


def _said_once(findings: Iterable[Finding]) -> list[Finding]:
    """That something is missing is not said a second time where a rule, as severe, has more to say of it."""
    found = list(findings)
    special = [finding for finding in found if finding.slug != NEEDED]
    told = {finding.steps for finding in special}
    stopped = {finding.steps for finding in special if finding.severity == "blocks"}
    return [
        finding
        for finding in found
        if finding.slug != NEEDED or finding.steps not in (stopped if finding.severity == "blocks" else told)
    ]


def explained(found: list[Finding], case: Case) -> list[Finding]:
    """The findings once `exceptions[]` has been heard: an explained one only warns, and says who explained it."""
    people = case.people()
    heard: dict[tuple[str, str], str] = {}
    idle: list[Finding] = []
    open_findings = {(finding.slug, pointer(*finding.steps)): finding for finding in found}
    for position, row in case.rows("exceptions"):
        slug, where, by, on = (row.get(key) for key in ("slug", "pointer", "by", "on"))
        day = as_day(on)
        if not (isinstance(slug, str) and isinstance(where, str) and by in people and day):
            continue
        finding = open_findings.get((slug, where))
        if finding and finding.explainable:
            heard[slug, where] = f"Explained by {people[by].get('name', 'someone')} on {words.day(day)}."
        elif case.stage != "draft":
            idle.append(_idle(case, position, slug, open_=finding is not None))
    return [*(_heard(finding, heard.get((finding.slug, pointer(*finding.steps)))) for finding in found), *idle]


def _heard(finding: Finding, words_of_it: str | None) -> Finding:
    if not words_of_it:
        return finding
    return replace(finding, severity="warns", message=f"{finding.message} {words_of_it}")


def _idle(case: Case, position: int, slug: str, *, open_: bool) -> Finding:
    """An exception that explains nothing: harmless once the matter is put right, else a slip to mend."""
    severity: Severity = "blocks"
    if open_:
        said = "this problem cannot be explained, only put right. Take the exception out"
    elif slug in {each.slug for each in every()}:
        said, severity = "there is nothing to explain there now. Take it out, unless it is part of the story", "warns"
    else:
        said = "there is no problem of that name. Copy its name and place from the list of problems"
    steps = ("exceptions", position)
    return Finding(EXPLAINS_NOTHING, steps, f"{case.place(*steps)}: {said}.", severity, source=PRACTICE)
