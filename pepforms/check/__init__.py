"""The check: bytes in, everything that is wrong or missing out, in the words of the people who must put it right.

First the bytes are read strictly (`reading`), then held against the JSON Schema (`shape`), then the rules that a schema
cannot say run over the parts that the schema accepted (`rules` and its neighbours). All problems come back at once.
"""

from dataclasses import dataclass

from pepforms import migrate, schema
from pepforms.check import reading, rules, shape
from pepforms.check.finding import Finding, Order
from pepforms.errors import Refused
from pepforms.model import Pep, Problem, Stage, blocks
from pepforms.profile import Profile

__all__ = ["Checked", "check", "rules"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: the PEP, None where there was no JSON object; and every problem, in the form's order."""

    pep: Pep | None
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing stops the PEP at the stage it was checked for."""
        return self.pep is not None and not blocks(self.problems)


def check(data: bytes, stage: Stage, profile: Profile) -> Checked:
    """Whether the bytes hold a PEP that is good for this stage, and all that is wrong with it."""
    order = Order(schema.load(), profile)
    pep, findings = reading.read(data)
    if not isinstance(pep, dict):
        return Checked(None, order.problems(findings))
    try:
        today, _ = migrate.current(pep)
    except Refused as error:
        newer = Finding(error.slug, ("schema_version",), str(error))
        return Checked(pep, order.problems([*findings, newer], pep))
    findings += shape.findings(today, order.schema)
    if any(finding.slug == shape.TOO_MANY for finding in findings):
        return Checked(pep, order.problems(_one_a_place(findings), pep))
    once = _one_a_place(findings)
    refused = frozenset(finding.steps for finding in once)
    case = rules.Case(pep, shape.accepted(today, once), stage, profile, order.schema, refused)
    return Checked(pep, rules.explained(order.problems([*once, *rules.findings(case)], pep), case))


def _one_a_place(findings: list[Finding]) -> list[Finding]:
    """The first finding of each place: what is not even readable is not also called malformed."""
    first: dict[tuple[str | int, ...], Finding] = {}
    for finding in findings:
        first.setdefault(finding.steps, finding)
    return list(first.values())
