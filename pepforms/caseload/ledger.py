"""The ledger of Pupil Premium Plus: what a financial year's PEPs allotted, promised and spent, to the penny.

An account is one child's money of one stream in one financial year. It is made of the newest version of each PEP that
the register has, and of what was told since. How several PEPs of a year are put together:

- *Allotted* is the year's sum. It is never added up over PEPs: the newest PEP that tells it counts. Where that gives a
  basis, it is the amount allocated for the year. Where it gives only what is left, it is that and what the earlier PEPs
  of the year drew: what they committed, but no more than each had left, since more was approved beyond it. The same sum
  as an earlier PEP gave is the same allocation told again.
- *Approved* are the approvals of all PEPs, in the PEP or told since, each once by its reference.
- *Committed* are the costs of all lines. A cost below nothing is money to come back, a *refund*: it is taken off.
- *Spent* is what the follow-up tells, all payments on a line together; for a line of which it tells nothing, what the
  child's next PEP says of it. What is told of a refund has come back (*returned*) and is taken off. A line of which
  anybody says what it changed is spent with impact.
- *Unspent* is what was allotted and approved, less what was spent.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from pepforms import schema
from pepforms.caseload import lists, plans, tables
from pepforms.caseload.facts import School, schools_of
from pepforms.check.words import pounds
from pepforms.model import Pep
from pepforms.register.tables import Version

_NOTHING = Decimal("0.00")
GRANT = "pupil_premium_plus"


@dataclass(frozen=True, slots=True)
class Sums:
    """Pounds. `spent` is with and without impact less what was returned; `drafts` is committed by PEPs not signed."""

    allotted: Decimal = _NOTHING
    approved: Decimal = _NOTHING
    committed: Decimal = _NOTHING
    refunds: Decimal = _NOTHING
    with_impact: Decimal = _NOTHING
    without_impact: Decimal = _NOTHING
    returned: Decimal = _NOTHING
    drafts: Decimal = _NOTHING

    @property
    def spent(self) -> Decimal:
        """What was paid, less what came back."""
        return self.with_impact + self.without_impact - self.returned

    @property
    def unspent(self) -> Decimal:
        """What may still be spent before the year ends."""
        return self.allotted + self.approved - self.spent

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    def as_json(self) -> dict[str, str]:
        """Every sum in the order of `COLUMNS`, with two places."""
        return {name: f"{getattr(self, name):.2f}" for name in COLUMNS}


COLUMNS = (
    "allotted", "approved", "committed", "refunds", "spent", "with_impact", "without_impact", "returned", "unspent",
    "drafts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """One child's money of one stream in one financial year; `notes` are what a person should look at.

    `newest` is the last of its PEPs, by id and version.
    """

    child: str
    initials: str
    stream: str
    school: School
    sums: Sums
    newest: tuple[str, int]
    peps: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The account as every face reports it."""
        return {
            "child": self.child,
            "initials": self.initials,
            "stream": self.stream,
            "school": {"urn": self.school.urn or None, "name": self.school.name or None},
            **self.sums.as_json(),
            "peps": list(self.peps),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Told:
    """One PEP for the ledger: its newest version, and what was told since.

    `since` are the follow-ups of its versions, the newest first; `following` is the child's next PEP, if there is one.
    """

    pep: Pep
    signed: bool
    since: tuple[Mapping[str, Any], ...] = ()
    following: Pep | None = None

    @property
    def grant(self) -> Mapping[str, Any]:
        """Its Pupil Premium Plus."""
        found = self.pep.get(GRANT)
        return found if isinstance(found, dict) else {}

    @property
    def named(self) -> str:
        """The version as messages name it."""
        return f"{self.pep['pep']['id']} version {self.pep['pep']['version']}"


def total(accounts: Iterable[Account]) -> Sums:
    """What several accounts come to."""
    return sum((account.sums for account in accounts), Sums())


def account(child: str, initials: str, told: Sequence[Told]) -> Account:
    """The account of the PEPs of one child, one stream and one financial year, the oldest first."""
    allotted, notes = _allotted(told)
    sums = sum((_of_one(each) for each in told), Sums(allotted=allotted))
    if sums.committed > sums.allotted + sums.approved:
        notes.append("More is committed than was allotted and approved.")
    if sums.unspent < 0:
        notes.append("More was spent than was allotted and approved.")
    schools = schools_of(told[-1].pep)
    return Account(
        child=child,
        initials=initials,
        stream=told[-1].grant.get("stream") or "",
        school=schools[0] if schools else School(),
        sums=sums,
        newest=(told[-1].pep["pep"]["id"], told[-1].pep["pep"]["version"]),
        peps=tuple(each.named for each in told),
        notes=tuple(notes),
    )


# --- one account -----------------------------------------------------------------------------------------------------


def _allotted(told: Sequence[Told]) -> tuple[Decimal, list[str]]:
    """The year's sum, and where two PEPs do not agree on it."""
    allotted: Decimal | None = None
    drawn, lefts, notes = _NOTHING, set[Decimal](), list[str]()
    for each in told:
        left, basis = _money(each.grant, "allocation"), _money(each.grant.get("allocation_basis") or {}, "amount")
        said = basis if basis is not None else left + drawn if left is not None else None
        if basis is None and left in lefts and said != allotted:
            said = allotted
            notes.append(
                f"{each.named} gives {pounds(left)} as left, as an earlier PEP of the year does: the same allocation "
                "told again. If it is another, give its basis."
            )
        if said is not None and allotted not in (None, said):
            notes.append(f"{each.named} makes the year’s sum {pounds(said)}; before it was {pounds(allotted)}.")
        allotted = said if said is not None else allotted
        committed = max(_costs(each), _NOTHING)
        drawn += committed if left is None else min(committed, left)
        lefts |= {left} if left is not None else set()
    return allotted or _NOTHING, notes


def _of_one(told: Told) -> Sums:
    """What one PEP adds to the account; the year's sum is not its own."""
    committed = _costs(told)
    lines = {str(line["id"]): _money(line, "cost") or _NOTHING for line in told.grant.get("lines") or ()}
    approvals = {
        row["id"]: _money(row, "amount") or _NOTHING
        for rows in (told.grant.get("approvals"), *(since.get("approvals") for since in reversed(told.since)))
        for row in rows or ()
    }
    parts = defaultdict[str, Decimal](Decimal)
    for line, (paid, impact) in _spent(told, lines).items():
        kind = "returned" if lines.get(line, _NOTHING) < 0 else "with_impact" if impact else "without_impact"
        parts[kind] += paid
    return Sums(
        approved=sum(approvals.values(), _NOTHING),
        committed=committed,
        refunds=-sum((cost for cost in lines.values() if cost < 0), _NOTHING),
        drafts=_NOTHING if told.signed else committed,
        **parts,
    )


def _costs(told: Told) -> Decimal:
    return sum((_money(line, "cost") or _NOTHING for line in told.grant.get("lines") or ()), _NOTHING)


def _spent(told: Told, lines: Mapping[str, Decimal]) -> dict[str, tuple[Decimal, bool]]:
    """What was paid on each line of which anybody tells, and whether it is said what that changed."""
    found: dict[str, tuple[Decimal, bool]] = {}
    following = (told.following or {}).get("previous_spend")
    rows = [row for row in following if isinstance(row, dict)] if isinstance(following, list) else []
    later = [row for row in rows if row.get("line_id") in lines and "spent" in row]
    for tellings in (*(since.get("spend") for since in told.since), later):
        here = defaultdict[str, list[Mapping[str, Any]]](list)
        for row in tellings or ():
            here[row["line_id"]].append(row)
        for line, payments in here.items():
            paid = sum((_money(row, "spent") or _NOTHING for row in payments), _NOTHING)
            found.setdefault(line, (paid, any(row.get("impact") for row in payments)))
    return found


def _money(row: Mapping[str, Any], name: str) -> Decimal | None:
    value = row.get(name)
    return Decimal(value) if isinstance(value, str) else None


# --- from the register -----------------------------------------------------------------------------------------------


def accounts(session: Session, year: str) -> list[Account]:
    """Every account of a financial year (`2026-27`), by child and stream."""
    caseload, by_child = lists.known(session), defaultdict[str, list[list[Version]]](list)
    for reference, versions in plans.versions(session).items():
        by_child[plans.number(versions[-1], caseload) or reference].append(versions)
    return [each for child in sorted(by_child) for each in _of_child(session, child, by_child[child], year)]


def _of_child(session: Session, child: str, peps: list[list[Version]], year: str) -> Iterator[Account]:
    peps.sort(key=lambda versions: plans.age(versions[-1]))
    newest = [plans.read(session, versions[-1]) for versions in peps]
    by_stream = defaultdict[str, list[Told]](list)
    for at, (plan, versions) in enumerate(zip(newest, peps, strict=True)):
        grant = plan.pep.get(GRANT)
        if not isinstance(grant, dict) or grant.get("financial_year") != year:
            continue
        earlier = [plans.read(session, row).pep for row in reversed(versions[:-1])]
        since = tuple(found for pep in (plan.pep, *earlier) if isinstance(found := pep.get("follow_up"), dict))
        following = newest[at + 1].pep if at + 1 < len(newest) else None
        told = Told(plan.pep, plan.row.signed_digest is not None, since, following)
        by_stream[grant.get("stream") or ""].append(told)
    for stream in sorted(by_stream):
        yield account(child, newest[-1].initials, by_stream[stream])


def without_a_year(session: Session) -> list[str]:
    """The PEPs, by id and version, whose lines have costs and belong to no financial year: no ledger has them."""
    newest = (plans.read(session, versions[-1]) for versions in plans.versions(session).values())
    told = [Told(plan.pep, signed=False) for plan in newest]
    return [each.named for each in told if not each.grant.get("financial_year") and _has_costs(each)]


def _has_costs(told: Told) -> bool:
    return any(_money(line, "cost") for line in told.grant.get("lines") or ())


def at_school(accounts: Iterable[Account], urn: str) -> list[Account]:
    """The accounts of the children whom the newest PEP of the year has at this school."""
    return [each for each in accounts if each.school.urn == urn]


def by_stream(accounts: Iterable[Account]) -> dict[str, Sums]:
    """What the accounts of each stream come to: the grants are kept apart."""
    found = defaultdict[str, Sums](Sums)
    for each in accounts:
        found[each.stream] += each.sums
    return dict(sorted(found.items()))


# --- set for people --------------------------------------------------------------------------------------------------


def text(accounts: Sequence[Account], year: str) -> str:
    """The accounts as a person reads them, each stream apart with its sum; empty where there are none."""
    parts = []
    for stream, sums in by_stream(accounts).items():
        mine = [each for each in accounts if each.stream == stream]
        rows = [(f"{each.child} {each.initials}".strip(), *_pounds(each.sums)) for each in mine]
        rows.append((f"{len(mine)} child{'ren' * (len(mine) != 1)}", *_pounds(sums)))
        table = tables.text(("Child", *_HEADS), rows, right=range(1, len(_HEADS) + 1))
        parts.append(f"{_stream(stream)}, {year}\n{table}")
        parts += [f"Please check, {each.child}: {note}" for each in mine for note in each.notes]
    return "\n\n".join(parts)


def nothing(year: str, child: str | None = None, school: str | None = None) -> str:
    """What is said where there is no account: of a year, or in it of a child, or a school."""
    if child:
        return f"The register knows of no Pupil Premium Plus of {year} for the LCS number {child}. Is the number right?"
    if school:
        return (
            f"The register knows of no child at the URN {school} with Pupil Premium Plus of {year}. Is the URN right?"
        )
    return f"No PEP of the register tells of Pupil Premium Plus of {year}"


SHEET = ("child", "initials", "stream", "school_urn", "school", *COLUMNS, "peps", "notes")


def cells(account: Account) -> list[str]:
    """An account's row of the sheet, under `SHEET`."""
    school, sums = account.school, account.sums.as_json()
    about = [account.child, account.initials, account.stream, school.urn, school.name]
    return [*about, *sums.values(), "; ".join(account.peps), " ".join(account.notes)]


_HEADS = (
    "Allotted", "Approved", "Committed", "of it drafts", "Refunds", "Spent", "with impact", "without", "Returned",
    "Unspent",
)  # fmt: skip
_IN_TEXT = (
    "allotted", "approved", "committed", "drafts", "refunds", "spent", "with_impact", "without_impact", "returned",
    "unspent",
)  # fmt: skip


def _pounds(sums: Sums) -> tuple[str, ...]:
    return tuple(pounds(getattr(sums, name)) for name in _IN_TEXT)


def _stream(stream: str) -> str:
    field = schema.load().at([GRANT, "stream"])
    return field.labels.get(stream, "No stream given") if field else stream
