"""One page as it is drawn: its frames, its single lines, its pictures."""

import ctypes
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import regex

from pepforms.digest import sha256
from pepforms.drawn.lines import NEAR, Bounds, Line, bounds, connected, merged

_THIN = 4.0
"""Points: what is filled and no wider is a line, as a bar beside a quotation may be."""

_SHORT = 6.0
"""Points: what is shorter is no line but part of a drawing."""

_NO_LETTER = regex.compile("[^A-Za-z0-9]")
_RIGHT_TO_LEFT = regex.compile(r"[\p{bidi_class=R}\p{bidi_class=AL}]")

Told = tuple[int, int, int, int, str]
"""What a row is known by in another PDF."""


Picture = tuple[Bounds, str]
"""Where a picture lies, and the SHA-256 of what it shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; a box is a row of one cell, a bar beside a text a row of none.

    `above`, `below` and `shaded` count the cells that have a line above, a line below, a coloured ground. `said` are
    the plain letters and figures in the row, sorted: their order is an engine's matter. Where some of its text runs
    from right to left it is empty: of such lines PDFium may give each word once, twice or not at all.
    """

    cells: int
    above: int
    below: int
    shaded: int
    said: str
    page: int

    @property
    def told(self) -> Told:
        """What a row is known by in another PDF, whichever page it stands on."""
        return self.cells, self.above, self.below, self.shaded, self.said


class Sheet:
    """The frames (groups of lines that hang together, read as rows), single lines and pictures of one page."""

    def __init__(self, page: Any, number: int) -> None:
        from pypdfium2 import raw

        self.number = number
        self.height: float = page.get_height()
        self.pictures: list[Picture] = []
        self._texts: list[tuple[float, float, str]] = []
        self._areas: list[Bounds] = []
        lines: list[Line] = []
        text = page.get_textpage()
        for thing in page.get_objects():
            if thing.type == raw.FPDF_PAGEOBJ_PATH and _visible(thing):
                lines += _lines(thing)
                self._areas += [thing.get_bounds()] if _mode(thing)[0] else []
            elif thing.type == raw.FPDF_PAGEOBJ_IMAGE:
                self.pictures.append((thing.get_bounds(), sha256(bytes(thing.get_data()))))
            elif thing.type == raw.FPDF_PAGEOBJ_TEXT:
                self._texts.append((*_middle(thing.get_bounds()), _text(thing, text)))
        text.close()
        page.close()
        groups = connected(merged(lines))
        self.singles = [bounds(group) for group in groups if len(group) == 1 and group[0].across]
        self.frames = [(bounds(group), rows) for group in groups if (rows := [*self._rows(group)])]

    def _rows(self, group: list[Line]) -> Iterator[Row]:
        """The rows of a group of lines, from the top: the bands between its lines across, where lines stand beside."""
        down = [line for line in group if not line.across]
        heights = sorted({round(line.at, 1) for line in group if line.across}, reverse=True)
        if len(group) == 1 and down:
            yield Row(0, 0, 0, 0, self._said((down[0].at, down[0].low, math.inf, down[0].high)), self.number)
        for top, bottom in itertools.pairwise(heights):
            beside = sorted(line.at for line in down if line.low - NEAR <= bottom and top <= line.high + NEAR)
            if top - bottom <= NEAR or len(beside) < 2:
                continue
            middles = [(left + right) / 2 for left, right in itertools.pairwise(beside)]
            above, below = (sum(_ruled(group, at, middle) for middle in middles) for at in (top, bottom))
            shaded = sum(self._is_shaded(middle, (top + bottom) / 2) for middle in middles)
            said = self._said((beside[0], bottom, beside[-1], top))
            yield Row(len(middles), above, below, shaded, said, self.number)

    def _said(self, inside: Bounds) -> str:
        said = "".join(said for x, y, said in self._texts if _holds(inside, x, y))
        return "" if _RIGHT_TO_LEFT.search(said) else "".join(sorted(_NO_LETTER.sub("", said)))

    def _is_shaded(self, x: float, y: float) -> bool:
        return any(_holds(area, x, y) for area in self._areas)


def _ruled(group: list[Line], at: float, x: float) -> bool:
    return any(line.across and abs(line.at - at) < NEAR and line.low <= x <= line.high for line in group)


def _holds(bounds: Bounds, x: float, y: float) -> bool:
    left, bottom, right, top = bounds
    return left <= x <= right and bottom <= y <= top


def _middle(bounds: Bounds) -> tuple[float, float]:
    left, bottom, right, top = bounds
    return (left + right) / 2, (bottom + top) / 2


def _text(thing: Any, page: Any) -> str:
    from pypdfium2 import raw

    length = raw.FPDFTextObj_GetText(thing, page, None, 0)
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFTextObj_GetText(thing, page, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw.decode("utf-16-le", errors="ignore")


def _lines(path: Any) -> Iterator[Line]:
    """A path as lines: a thin one is one, an outlined rectangle four; areas and drawings are none."""
    from pypdfium2 import raw

    left, bottom, right, top = path.get_bounds()
    _, stroked = _mode(path)
    if stroked:  # PDFium adds the width of the stroke on every side
        width = ctypes.c_float()
        raw.FPDFPageObj_GetStrokeWidth(path, width)
        left, bottom, right, top = left + width.value, bottom + width.value, right - width.value, top - width.value
    if max(right - left, top - bottom) < _SHORT:
        return
    if top - bottom <= _THIN:
        yield Line(True, (bottom + top) / 2, left, right)
    elif right - left <= _THIN:
        yield Line(False, (left + right) / 2, bottom, top)
    elif stroked and raw.FPDFPath_CountSegments(path) in (4, 5):
        yield from (Line(True, at, left, right) for at in (bottom, top))
        yield from (Line(False, at, bottom, top) for at in (left, right))


def _mode(path: Any) -> tuple[bool, bool]:
    """Whether a path is filled, and whether its outline is drawn."""
    from pypdfium2 import raw

    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path, fill, stroke)
    return bool(fill.value), bool(stroke.value)


def _visible(path: Any) -> bool:
    """Whether it leaves ink that is not white."""
    from pypdfium2 import raw

    asked = zip(_mode(path), (raw.FPDFPageObj_GetFillColor, raw.FPDFPageObj_GetStrokeColor), strict=True)
    return any(drawn and _coloured(path, ask) for drawn, ask in asked)


def _coloured(path: Any, ask: Any) -> bool:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    known = ask(path, red, green, blue, alpha)
    return bool(known and alpha.value) and (red.value, green.value, blue.value) != (255, 255, 255)
