"""What no PEP shows alone, only beside the others of one run: a UPN that two children hold."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pepforms.check.finding import Finding
from pepforms.check.numbers import upn_check_letter
from pepforms.check.rules import Case, Found, Rule

Beside = Callable[[Case], Iterator[Finding]]
"""What the PEPs judged before say of one more."""


def _alone(_: Case) -> Iterator[Found]:
    """A UPN is one child's: of the PEPs judged in one run, no other child's holds it."""
    return iter(())


RULE = Rule(
    slug="upn-of-another-child",
    severity="warns",
    explainable=False,
    stage="draft",
    warns_before=False,
    source="DfE, Unique Pupil Numbers: one number, one pupil",
    find=_alone,
)


@dataclass(slots=True)
class _Holder:
    """A child who holds a UPN: the first source that said so, and the child's numbers in the authority's system."""

    source: str
    numbers: set[str]


class Together:
    """The PEPs of one run, one after the other: remembers who holds which UPN, and nothing else of them.

    A later PEP names the first one of each other child; of the earlier nothing is said again, since it has been
    reported by then. PEPs of one child (the same LCS number, a former one too) share their UPN rightly. Where a PEP has
    no LCS number, nobody can say whose it is, and nothing is said.
    """

    def __init__(self) -> None:
        self._holders: defaultdict[str, list[_Holder]] = defaultdict(list)

    def beside(self, source: str) -> Beside:
        """What the PEPs before say of the one from this source, which is then remembered too."""
        return lambda case: self._findings(case, source)

    def _findings(self, case: Case, source: str) -> Iterator[Finding]:
        where = ("child", "upn")
        upn = case.text(*where)
        given = (case.text("child", name) for name in ("lcs_person_id", "former_lcs_person_id"))
        numbers = {number for number in given if number}
        if not (upn and numbers) or upn_check_letter(upn) != upn[0]:
            return
        others = [holder for holder in self._holders[upn] if holder.numbers.isdisjoint(numbers)]
        self._remember(upn, source, numbers)
        if others:
            message = (
                f"{case.place(*where)}: the PEP in {_named(others[0].source)} is another child’s and has the same "
                "number. Ask the schools whose it is, and correct the other."
            )
            yield Finding(RULE.slug, where, message, RULE.severity, source=RULE.source)

    def _remember(self, upn: str, source: str, numbers: set[str]) -> None:
        own = [holder for holder in self._holders[upn] if not holder.numbers.isdisjoint(numbers)]
        for holder in own:
            holder.numbers |= numbers
        if not own:
            self._holders[upn].append(_Holder(source, numbers))


def _named(source: str) -> str:
    return "standard input" if source == "-" else source
