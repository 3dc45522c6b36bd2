"""Words of the domain that every part shares: a problem, the stages, the audiences, JSON and its pointers."""

import dataclasses
from collections.abc import Sequence
from enum import Enum
from typing import Any, Literal

Json = Any
"""What a JSON document may hold: dict, list, str, int, float, bool or None."""

Pep = dict[str, Any]
"""One Personal Education Plan as read from JSON; `schemas/pep.schema.json` says what it holds."""

Stage = Literal["draft", "sign-off", "record"]
STAGES: tuple[Stage, ...] = ("draft", "sign-off", "record")
"""Each stage holds all before it: a draft may be incomplete, a record was signed off by everyone required."""

Audience = Literal["authority", "school", "carer", "parent", "child"]
AUDIENCES: tuple[Audience, ...] = ("authority", "school", "carer", "parent", "child")

PHASES = ("early_years", "primary", "secondary", "post_16")
"""The phases of education, as `pep.phase` has them."""

Orientation = Literal["portrait", "landscape"]

Severity = Literal["blocks", "warns"]


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a PEP: what is wrong, where, and what to do, in words that a social worker uses.

    `pointer` is an RFC 6901 JSON pointer into the PEP; `source` names the law, guidance or schema that the rule
    comes from; an `explainable` problem only warns once a named person has explained it in `exceptions[]`.
    """

    slug: str
    severity: Severity
    pointer: str
    message: str
    section: str | None = None
    owner: str | None = None
    source: str = ""
    explainable: bool = False

    def as_json(self) -> dict[str, Any]:
        """The problem as every face reports it."""
        return dataclasses.asdict(self)


class Withholding(Enum):
    """What stands in a reader's copy of a PEP where its own value may not: not even that there was one is told."""

    WITHHELD = "withheld"


WITHHELD = Withholding.WITHHELD


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    """One value of a PEP: its place, the place and title of its field. The value is not shown where the fact is."""

    pointer: str
    field: str
    title: str
    value: Json = dataclasses.field(repr=False)


def blocks(problems: Sequence[Problem]) -> bool:
    """Whether any of the problems stops the PEP."""
    return any(problem.severity == "blocks" for problem in problems)


def pointer(*steps: str | int) -> str:
    """The RFC 6901 pointer of a path: `pointer("targets", 0, "owner")` is `/targets/0/owner`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
