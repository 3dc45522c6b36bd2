"""What a PDF draws beside its text: the rows of its ruled tables and boxes, its lines and bars, its pictures.

It is read from the page's own objects, so that two engines' PDFs of one Word file can be held against each other where
their lines and pages break differently. A table that runs over pages is counted as if it did not: a heading row that
is drawn again does not count, and a row that is cut by the end of a page is joined where the other PDF has it whole.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pepforms.drawn.lines import Bounds
from pepforms.drawn.sheet import Picture, Row, Sheet, Told
from pepforms.errors import Refused

_SAME_SIZE = 0.15
"""By how much of its area a picture may differ between engines."""

_MARGIN = 85.0
"""Points: what is further from the top and from the bottom of a page stands in no header or footer."""


@dataclass(slots=True)
class Drawn:
    """What a PDF draws; `cut` are pairs of rows that may be one, cut by the end of a page; `pictures` are areas."""

    pages: int
    rows: list[Row] = field(default_factory=list)
    cut: list[tuple[Row, Row]] = field(default_factory=list)
    lines: int = 0
    pictures: list[float] = field(default_factory=list)


def read(pdf: bytes) -> Drawn:
    """What a PDF draws beside its text."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        raise Refused("This is not a PDF, or it is damaged. Export it again.", slug="unreadable-pdf") from None
    try:
        return _put_together([Sheet(page, number) for number, page in enumerate(document, 1)])
    finally:
        document.close()


def differences(one: Drawn, other: Drawn, names: tuple[str, str]) -> Iterator[str]:
    """What one PDF draws and the other does not, each a sentence; `names` are those of the engines."""
    if abs(one.pages - other.pages) > 1:
        yield f"{names[0]} makes {one.pages} pages, {names[1]} {other.pages}"
    mine, theirs = _unmatched(one, other)
    for name, rows in zip(names, (mine, theirs), strict=True):
        if rows:
            pages = ", ".join(str(page) for page in sorted({row.page for row in rows}))
            yield f"{len(rows)} rows, boxes or bars are drawn so by {name} alone (its page {pages})"
    if one.lines != other.lines:
        yield f"{names[0]} draws {one.lines} single lines, {names[1]} {other.lines}"
    if not _alike(one.pictures, other.pictures):
        yield f"{names[0]} draws {_told(one.pictures)}, {names[1]} {_told(other.pictures)}"


def _unmatched(one: Drawn, other: Drawn) -> tuple[list[Row], list[Row]]:
    """The rows of each that the other lacks, after rows cut by a page's end are joined where that makes a match."""
    over = Counter(row.told for row in one.rows)  # how many more of a row the one has than the other
    over.subtract(row.told for row in other.rows)
    for mine, theirs, sign in ((one.cut, other.cut, 1), (other.cut, one.cut, -1)):
        cut_elsewhere = {_joined(*rows): rows[0].said for rows in theirs}
        for upper, lower in mine:
            whole = _joined(upper, lower)
            if upper.told == whole and sign * over[lower.told] > 0:  # of the row, no more than its edge was left over
                over[lower.told] -= sign
                continue
            elsewhere = cut_elsewhere.get(whole, upper.said) != upper.said
            if sign * over[upper.told] > 0 and (sign * over[whole] < 0 or elsewhere):
                over[upper.told] -= sign
                over[lower.told] -= sign
                over[whole] += sign
    return _first_of(one.rows, +over), _first_of(other.rows, -over)


def _joined(upper: Row, lower: Row) -> Told:
    return upper.cells, upper.above, lower.below, upper.shaded, "".join(sorted(upper.said + lower.said))


def _first_of(rows: Iterable[Row], wanted: Counter[Told]) -> list[Row]:
    found = []
    for row in rows:
        if wanted[row.told] > 0:
            wanted[row.told] -= 1
            found.append(row)
    return found


def _alike(ours: list[float], theirs: list[float]) -> bool:
    pairs = zip(sorted(ours), sorted(theirs), strict=False)
    return len(ours) == len(theirs) and all(abs(one - other) <= _SAME_SIZE * max(one, other) for one, other in pairs)


def _told(pictures: list[float]) -> str:
    return f"{len(pictures)} pictures of {sum(pictures):.0f} square points"


# --- the pages together ----------------------------------------------------------------------------------------------


def _put_together(sheets: list[Sheet]) -> Drawn:
    frames = _once([(sheet.number, *frame) for sheet in sheets for frame in sheet.frames], sheets)
    lines = _once([(sheet.number, line, None) for sheet in sheets for line in sheet.singles], sheets)
    drawn = Drawn(len(sheets), lines=len(lines))
    drawn.pictures = [
        (right - left) * (top - bottom) for left, bottom, right, top in _pictures(sheet.pictures for sheet in sheets)
    ]
    before: tuple[int, list[Row]] = (0, [])  # the frame before, heading rows and all, and its page
    for page, _, frame in frames:
        first_of_next = page == before[0] + 1
        again = _headings_again(before[1], frame) if first_of_next else 0
        if first_of_next and drawn.rows and again < len(frame):
            drawn.cut.append((drawn.rows[-1], frame[again]))
        drawn.rows += frame[again:]
        before = (page, frame)
    return drawn


def _pictures(sheets: Iterable[list[Picture]]) -> Iterator[Bounds]:
    """Every picture of the pages; one that stands at the same place of several, as a logo in a header does, once.

    On how many pages it stands is how many pages there are, which an engine may count otherwise.
    """
    before: set[tuple[str, tuple[int, ...]]] = set()
    for pictures in sheets:
        here = {(shown, _place(bounds)) for bounds, shown in pictures}
        yield from (bounds for bounds, shown in pictures if (shown, _place(bounds)) not in before)
        before |= here


def _headings_again(before: list[Row], frame: list[Row]) -> int:
    """How many rows at the top of a page are those at the top of the table on the page before."""
    pairs = zip(before, frame, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0].told == pair[1].told, pairs))


def _once(found: list[tuple[int, Bounds, Any]], sheets: list[Sheet]) -> list[tuple[int, Bounds, Any]]:
    """What stands at the same place in the margin of every page but one, as headers and footers do, only on its first.

    On fewer than three pages that may be chance.
    """
    places = Counter(_place(bounds) for _, bounds, _ in found)
    seen: set[tuple[int, ...]] = set()
    out = []
    for one in found:
        place = _place(one[1])
        repeated = places[place] >= max(len(sheets) - 1, 3) and _in_margin(one[1], sheets[one[0] - 1])
        if place not in seen or not repeated:
            out.append(one)
        seen.add(place)
    return out


def _in_margin(bounds: Bounds, sheet: Sheet) -> bool:
    return bounds[3] <= _MARGIN or bounds[1] >= sheet.height - _MARGIN


def _place(bounds: Bounds) -> tuple[int, ...]:
    return tuple(round(number) for number in bounds)
