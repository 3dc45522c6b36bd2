"""The check: bytes in, everything that is wrong or missing out, in the words of the people who must put it right.

First the bytes are read strictly (`reading`), then held against the JSON Schema (`shape`), then the rules that a schema
cannot say run over the parts that the schema accepted (`rules` and its neighbours). All problems come back at once.
"""

from dataclasses import dataclass, replace

from pepforms import migrate, schema
from pepforms.check import reading, rules, shape, words
from pepforms.check.finding import Finding, Order
from pepforms.check.together import Beside, Together
from pepforms.errors import Refused
from pepforms.model import Pep, Problem, Stage, blocks
from pepforms.profile import Profile
from pepforms.schema import Schema

__all__ = ["Checked", "Together", "check", "rules"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: the PEP, None where there was no JSON object; and every problem, in the form's order."""

    pep: Pep | None
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether nothing stops the PEP at the stage it was checked for."""
        return self.pep is not None and not blocks(self.problems)


def check(data: bytes, stage: Stage, profile: Profile, beside: Beside | None = None) -> Checked:
    """Whether the bytes hold a PEP that is good for this stage, and all that is wrong with it.

    `beside` is what other PEPs of the same run say of this one (`Together`).
    """
    order = Order(schema.load(), profile)
    pep, unreadable = reading.read(data)
    findings = [_placed(finding, order.schema) for finding in unreadable]
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
    found = [*once, *rules.findings(case), *(beside(case) if beside else ())]
    return Checked(pep, order.problems(rules.explained(found, case), pep))


def _placed(finding: Finding, schema: Schema) -> Finding:
    """A finding of reading with its place in words before it, unless it is about the whole file."""
    if not finding.steps:
        return replace(finding, message=finding.message[0].upper() + finding.message[1:])
    return replace(finding, message=f"{words.place(schema, finding.steps)}: {finding.message}")


def _one_a_place(findings: list[Finding]) -> list[Finding]:
    """The first finding of each place: what is not even readable is not also called malformed."""
    first: dict[tuple[str | int, ...], Finding] = {}
    for finding in findings:
        first.setdefault(finding.steps, finding)
    return list(first.values())
