"""Lines on a page: which of them are one, and which hang together."""

from collections.abc import Iterable
from dataclasses import dataclass

NEAR = 1.5
"""Points within which two lines meet: half of the widest, and what engines round."""

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line, across the page or down it: where it lies, and from where to where it runs, in points."""

    across: bool
    at: float
    low: float
    high: float

    def meets(self, other: "Line") -> bool:
        """Whether a line across and one down touch each other."""
        return (
            self.across != other.across
            and other.low - NEAR <= self.at <= other.high + NEAR
            and self.low - NEAR <= other.at <= self.high + NEAR
        )


def merged(lines: Iterable[Line]) -> list[Line]:
    """Lines that lie on each other or follow each other as one: engines draw a table's cell by cell."""
    out: list[Line] = []
    for line in sorted(lines, key=lambda line: (line.across, line.low, line.at)):
        before = [one for one in out if _continues(one, line)]
        out = [one for one in out if one not in before]
        high = max(one.high for one in (*before, line))
        out.append(Line(line.across, before[0].at if before else line.at, before[0].low if before else line.low, high))
    return out


def _continues(before: Line, line: Line) -> bool:
    return (
        before.across == line.across
        and abs(before.at - line.at) <= NEAR / 2
        and before.low - NEAR <= line.low <= before.high + NEAR
    )


def connected(lines: list[Line]) -> list[list[Line]]:
    """The lines in groups that hang together, from the top of the page down."""
    groups: list[list[Line]] = []
    for line in lines:
        touching = [group for group in groups if any(line.meets(one) for one in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([line, *(one for group in touching for one in group)])
    return sorted(groups, key=lambda group: -bounds(group)[3])


def bounds(group: list[Line]) -> Bounds:
    """The smallest rectangle that holds the lines."""
    corners = [(line.low, line.at, line.high) if line.across else (line.at, line.low, line.at) for line in group]
    tops = [line.at if line.across else line.high for line in group]
    return min(c[0] for c in corners), min(c[1] for c in corners), max(c[2] for c in corners), max(tops)
