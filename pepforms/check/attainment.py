"""Rules about attainment: values that their scale has, what is predicted, and who falls behind.

Scales that we know are read by the words people use for them; of any other scale nothing is assumed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pepforms.check.rules import GUIDANCE, PRACTICE, Case, Found, rule
from pepforms.check.words import listing

_TOKEN = re.compile(r"[\w*.:-]+")
_STANDARDS = "Standards and Testing Agency: key stage assessment"
_EARLY, _PRIMARY, _SECONDARY, _LATER = "early_years", "primary", "secondary", "post_16"

_SCALED, _CAT, _AGE = "key stage 2 scaled score", "cognitive abilities test", "reading or spelling age"


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of attainment: how people call it, in words what it permits, and the phases that use it.

    A value is permitted when it is one of `steps` (worst first, each with its rank), lies within `numbers`, is one of
    `marks` (which have no rank, such as absent), or matches `form`.
    """

    name: str
    called: re.Pattern[str]
    says: str
    phases: frozenset[str]
    steps: Mapping[str, float] = field(default_factory=dict)
    numbers: range = range(0)
    marks: frozenset[str] = frozenset()
    form: re.Pattern[str] | None = None

    def permits(self, value: str) -> bool:
        """Whether a value as written begins with a value of the scale: `GDS by end of Year 6` does."""
        return any(self._has(token) for token in _tokens(value)[:1])

    def rank(self, value: str) -> float | None:
        """Where on the scale a value lies, to compare it with another; None where it cannot be said."""
        return next((rank for token in _tokens(value) if (rank := self._rank(token)) is not None), None)

    def _has(self, token: str) -> bool:
        return self._rank(token) is not None or token in self.marks or bool(self.form and self.form.fullmatch(token))

    def _rank(self, token: str) -> float | None:
        if token in self.steps:
            return self.steps[token]
        if token.isascii() and token.isdigit() and int(token[:9]) in self.numbers:
            return float(token)
        return None


def _tokens(value: str) -> list[str]:
    return [token.rstrip(".:-") for token in _TOKEN.findall(value.upper().replace("–", "-"))]


def _ranked(*steps: str) -> dict[str, float]:
    return {step: float(rank) for rank, step in enumerate(steps)}


def _double() -> dict[str, float]:
    """Combined science has two grades, equal or next to each other: 5-5, 5-4, 55, 54."""
    pairs = [(high, low) for high in range(1, 10) for low in (high, high - 1) if low]
    return {f"{high}{mark}{low}": (high + low) / 2 for high, low in pairs for mark in ("-", "")}


SCALES = (
    Scale(
        "P levels",
        re.compile(r"\bp[ -]?(levels?|scales?)\b"),
        "no longer in use: choose pre-key-stage standards or the engagement model",
        frozenset(),
    ),
    Scale(
        "GCSE",
        re.compile(r"\bgcse"),
        "9 to 1 or U",
        frozenset({_SECONDARY, _LATER}),
        {"U": 0.0, **_double()},
        range(1, 10),
        frozenset({"X"}),
    ),
    Scale(
        "phonics screening check",
        re.compile(r"\bphonics\b"),
        "0 to 40",
        frozenset({_PRIMARY}),
        numbers=range(41),
        marks=frozenset({"A", "D", "WA", "WT"}),
    ),
    Scale(
        "multiplication tables check",
        re.compile(r"\bmultiplication tables check\b|\bmtc\b"),
        "0 to 25",
        frozenset({_PRIMARY}),
        numbers=range(26),
        marks=frozenset({"A", "D"}),
    ),
    Scale(
        _SCALED,
        re.compile(r"\b(ks ?2|key stage 2)\b.*\bscaled\b|\bscaled score"),
        "80 to 120, AS or NS",
        frozenset({_PRIMARY, _SECONDARY}),
        numbers=range(80, 121),
        marks=frozenset({"AS", "NS"}),
    ),
    Scale(
        "teacher assessment",
        re.compile(r"\bteacher assessment\b|\b(ks ?[12]|key stage [12]) ta\b"),
        "GDS, EXS, WTS, HNM, PK1 to PK6, BLW or EM",
        frozenset({_PRIMARY}),
        _ranked("EM", "BLW", "PK1", "PK2", "PK3", "PK4", "PK5", "PK6", "HNM", "WTS", "EXS", "GDS"),
        marks=frozenset({"A", "D"}),
    ),
    Scale(
        "early learning goals",
        re.compile(r"\bearly learning goals?\b|\belgs?\b|\beyfsp\b"),
        "1 (emerging), 2 (expected) or A",
        frozenset({_EARLY, _PRIMARY}),
        {**_ranked("1", "2"), **_ranked("EMERGING", "EXPECTED")},
        marks=frozenset({"A"}),
    ),
    Scale(
        _CAT,
        re.compile(r"\bcat ?4?s?\b|\bsas\b|\bstandard age score"),
        "59 to 141",
        frozenset({_PRIMARY, _SECONDARY, _LATER}),
        numbers=range(59, 142),
    ),
    Scale(
        _AGE,
        re.compile(r"\b(reading|spelling) age\b"),
        "years and months, such as 9:02",
        frozenset({_PRIMARY, _SECONDARY, _LATER}),
        form=re.compile(r"[0-9]{1,2}[:.](0?[0-9]|1[01])"),
    ),
    Scale(
        "A level",
        re.compile(r"\ba[ -]levels?\b"),
        "A* to E or U",
        frozenset({_LATER}),
        _ranked("U", "E", "D", "C", "B", "A", "A*"),
    ),
)
"""The scales whose values are known; the first whose name fits counts."""
_VALUES = ("current", "predicted", "target", "expected")


def scale_of(row: Mapping[str, Any]) -> Scale | None:
    """The known scale of a subject, by what it and the subject are called; None for any other."""
    said = " ".join(str(row[part]).casefold() for part in ("scale", "subject") if isinstance(row.get(part), str))
    return next((scale for scale in SCALES if scale.called.search(said)), None)


@rule("attainment-value", source=_STANDARDS, severity="warns", warns_before=True)
def attainment_value(case: Case) -> Iterator[Found]:
    """A value is one that its scale has, and the scale one that the phase uses."""
    for position, row in case.rows("education", "attainment"):
        scale = scale_of(row)
        if scale:
            yield from _of_scale(case, ("education", "attainment", position), row, scale)


def _of_scale(case: Case, where: tuple[str | int, ...], row: dict[str, Any], scale: Scale) -> Iterator[Found]:
    phase = case.text("pep", "phase")
    if not scale.phases:
        yield Found((*where, "scale"), f"{case.place(*where)}: {scale.name} are {scale.says}.")
    elif phase and phase not in scale.phases:
        message = f"{case.place(*where)}: the {scale.name} is not used in this phase. Correct the scale or the phase."
        yield Found((*where, "scale"), message)
    elif scale.name == _SCALED and "writing" in str(row.get("subject", "")).casefold():
        message = f"{case.place(*where)}: writing has no scaled score, teachers assess it. Correct the scale."
        yield Found((*where, "scale"), message)
    else:
        for part in _VALUES:
            value = row.get(part)
            if isinstance(value, str) and not scale.permits(value):
                place = case.place(*where, part)
                message = f"{place}: “{value}” is no value of the {scale.name} ({scale.says}). Correct one of them."
                yield Found((*where, part), message)


@rule("test-without-name-or-day", source=PRACTICE, severity="warns")
def test_without_name_or_day(case: Case) -> Iterator[Found]:
    """A result of a bought test says which test it was, and of which day."""
    for position, row in case.rows("education", "attainment"):
        scale, where = scale_of(row), ("education", "attainment", position)
        lacks = [part for part in ("method", "date") if not row.get(part)]
        if scale and scale.name in (_CAT, _AGE) and lacks:
            ask = listing([_ASKS[part] for part in lacks])
            yield Found((*where, lacks[0]), f"{case.place(*where)}: of a {scale.name} say {ask}.")


_ASKS = {"method": "which test it was", "date": "on which day it was done"}


@rule("predicted-missing", source=GUIDANCE, severity="warns")
def predicted_missing(case: Case) -> Iterator[Found]:
    """In Years 10 and 11 every subject has what the school predicts."""
    if case.year_group in (10, 11):
        for position, row in case.rows("education", "attainment"):
            where = ("education", "attainment", position, "predicted")
            if not row.get("predicted"):
                message = f"{case.place(*where)}: in Year {case.year_group} the school says what it predicts. Ask."
                yield Found(where, message)


def below_expected(row: Mapping[str, Any]) -> bool:
    """Whether a subject is below what is expected: as the school says, or by its values on a scale we know."""
    return row.get("against_expected") == "below" or _less(row, "expected")


def below_prior(row: Mapping[str, Any]) -> bool:
    """Whether a subject is below where the child was before, on the same scale."""
    return _less(row, "prior")


def _less(row: Mapping[str, Any], than: str) -> bool:
    scale, now, other = scale_of(row), row.get("current"), row.get(than)
    if not (scale and isinstance(now, str) and isinstance(other, str)):
        return False
    here, there = scale.rank(now), scale.rank(other)
    return here is not None and there is not None and here < there


@rule("below-and-no-target", source=GUIDANCE, severity="warns")
def below_and_no_target(case: Case) -> Iterator[Found]:
    """Where a child is below what is expected, or below where the child was, a target or an intervention answers it."""
    answers = _answers(case)
    for position, row in case.rows("education", "attainment"):
        low = [says for says, is_so in _LOW if is_so(row)]
        if low and not any(word in answers for word in _words(str(row.get("subject", "")))):
            where = ("education", "attainment", position)
            message = f"{case.place(*where)}: this is {listing(low)}, and no target is about it. Agree one."
            yield Found((*where, "current"), message)


_LOW = (("below what is expected", below_expected), ("below where the child was before", below_prior))


def _answers(case: Case) -> str:
    texts = [
        row.get(part)
        for rows, parts in (
            (("targets",), ("domain", "need", "target")),
            (("education", "needs", "interventions"), ("what",)),
        )
        for _, row in case.rows(*rows)
        for part in parts
    ]
    return " ".join(text.casefold() for text in texts if isinstance(text, str))


def _words(subject: str) -> list[str]:
    """The words of a subject that a target would use for it: `math` for Mathematics and Maths."""
    words = [
        word for word in re.findall(r"\w{4,}", subject.casefold()) if word not in ("language", "combined", "check")
    ]
    return ["math" if word.startswith("math") else word for word in words] or [subject.casefold()]
