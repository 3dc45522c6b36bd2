"""A finding on its way to becoming a problem: where it is, what is said of it, and its place in the form."""

from collections.abc import Iterable
from dataclasses import dataclass

from pepforms.model import Pep, Problem, Severity, pointer
from pepforms.profile import Profile
from pepforms.schema import Field, Schema

Steps = tuple[str | int, ...]
"""The way to a place in the PEP: keys and list positions."""

SCHEMA = "The shape of PEP data (schemas/pep.schema.json)"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found wrong. `steps` is the way to it; the rest is the problem's, save section and owner."""

    slug: str
    steps: Steps
    message: str
    severity: Severity = "blocks"
    explainable: bool = False
    source: str = SCHEMA


@dataclass(frozen=True, slots=True)
class Order:
    """Knows the order of the form and who answers for each of its parts."""

    schema: Schema
    profile: Profile

    def problems(self, findings: Iterable[Finding], pep: Pep | None = None) -> tuple[Problem, ...]:
        """The findings as problems, in the order of the form, what blocks before what warns in the same place."""
        ordered = sorted(findings, key=lambda finding: (self._place(finding.steps), finding.severity, finding.slug))
        return tuple(self._problem(finding, pep) for finding in ordered)

    def _problem(self, finding: Finding, pep: Pep | None) -> Problem:
        field = nearest(self.schema, finding.steps)
        return Problem(
            finding.slug,
            finding.severity,
            pointer(*finding.steps),
            finding.message,
            field.section,
            self._owner(field, pep),
            finding.source,
            finding.explainable,
        )

    def _owner(self, field: Field, pep: Pep | None) -> str | None:
        """The field's owner for this child; where it is the section's own, the profile may name another."""
        section = self.schema.root.fields.get(field.section or "")
        part = ".".join(field.pointer.split("/")[1:3])
        if section and field.owner == section.owner:
            return self.profile.owner(part, self.profile.owner(field.section, field.owner, pep), pep)
        return self.profile.stand_in(field.owner, pep).role if field.owner else None

    def _place(self, steps: Steps) -> tuple[int, ...]:
        place: list[int] = []
        field: Field | None = self.schema.root
        for step in steps:
            if isinstance(step, int):
                place.append(step)
                field = field.items if field else None
            else:
                names = list(field.fields) if field else []
                place.append(names.index(step) if step in names else len(names))
                field = field.fields.get(step) if field else None
        return tuple(place)


def nearest(schema: Schema, steps: Steps) -> Field:
    """The field at a place, or the nearest above it that the schema knows."""
    while True:
        field = schema.at(steps)
        if field:
            return field
        steps = steps[:-1]
