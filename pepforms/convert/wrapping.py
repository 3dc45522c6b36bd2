"""Words that are longer than their line: where they may be broken, in the copy of the Word file that rdocx is given.

Word and LibreOffice break such a word wherever the line ends; rdocx does so at spaces, hyphens and strokes alone.
"""

import copy
import itertools
import re
from collections.abc import Iterator

from lxml import etree

from pepforms.convert.styles import Styles, W, first

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_BREAK = "\u200b"
"""A space without width: a line may end there."""

_FEWEST = 12
"""Letters: no column is so narrow that a shorter word is longer than its line."""
_WORD = re.compile(rf"([^\s/\u200b\u2010-\u2014-]{{{_FEWEST},}})")
_AFTER = re.compile(r"(?<=[.@_?&=%:;,+])")
"""Where addresses of pages and people are best broken."""

_NARROW, _WIDE = frozenset("ijltfrI.,:;'’|!()[]"), frozenset("mwMW@%")
_SURE = 0.85
"""How much of a length, as it is judged here, is sure: what fits by a hair stays whole, and pieces are sure to fit."""
_CELL_MARGINS = 216
_USUAL_SIZE = 22
_TWIPS = 10
"""Twentieths of a point in half a point, in which sizes of fonts are given."""


def wrap(root: etree._Element, styles: Styles) -> None:
    """Let every word of the text that is longer than its line end one within."""
    page = _page_width(root)
    for text in [text for text in root.iter(f"{W}t") if _WORD.search(text.text or "")]:
        size, indent = _look(text, styles)
        line = max((_width(text, page) - indent) / (size * _TWIPS), 1)
        pieces = [piece for stretch in _WORD.split(text.text or "") for piece in _broken(stretch, line)]
        if _BREAK in pieces:
            _cut(text, pieces)


def _broken(stretch: str, line: float) -> Iterator[str]:
    """A stretch of text, with places to break it where it is a word longer than a line, in sizes of its font."""
    if _SURE * _length(stretch) <= line or not _WORD.fullmatch(stretch):
        yield stretch
        return
    for number, piece in enumerate(piece for part in _AFTER.split(stretch) for piece in _pieces(part, line)):
        yield from (_BREAK, piece) if number else (piece,)


def _cut(text: etree._Element, pieces: list[str]) -> None:
    """Put runs in the place of a text, those of breaks in no font of their own: one cut for its letters has none."""
    run = text.getparent()
    assert run is not None
    rest = list(run)[run.index(text) + 1 :]
    joined = ["".join(group) for _, group in itertools.groupby(pieces, _BREAK.__eq__)]
    text.text = joined[0]
    last = run
    for piece in joined[1:]:
        last.addnext(one := _run_like(run, piece))
        last = one
    last.extend(rest)


def _run_like(run: etree._Element, piece: str) -> etree._Element:
    new = etree.Element(f"{W}r")
    properties = copy.deepcopy(run.find(f"{W}rPr"))
    if properties is not None:
        new.append(properties)
        for font in properties.findall(f"{W}rFonts") if piece == _BREAK else ():
            properties.remove(font)
    etree.SubElement(new, f"{W}t", {_SPACE: "preserve"}).text = piece
    return new


def _pieces(part: str, line: float) -> Iterator[str]:
    """A part of a word in pieces that a line is sure to hold."""
    piece = ""
    for letter in part:
        if piece and _length(piece + letter) > _SURE * line:
            yield piece
            piece = ""
        piece += letter
    if piece:
        yield piece


def _length(word: str) -> float:
    """About how long a word is, in sizes of its font."""
    return sum(
        0.28 if letter in _NARROW else 0.85 if letter in _WIDE else 0.7 if letter.isupper() else 0.55 for letter in word
    )


def _width(text: etree._Element, page: int) -> int:
    """How wide the column is that a text stands in, in twentieths of a point."""
    cell = next(text.iterancestors(f"{W}tc"), None)
    width = cell.find(f"{W}tcPr/{W}tcW[@{W}type='dxa']") if cell is not None else None
    return page if width is None else _number(width, "w") - _CELL_MARGINS


def _page_width(root: etree._Element) -> int:
    """How wide the pages of the narrowest section are between their margins."""
    widths = [
        _number(size, "w") - _number(margins, "left") - _number(margins, "right")
        for section in root.iter(f"{W}sectPr")
        if (size := section.find(f"{W}pgSz")) is not None and (margins := section.find(f"{W}pgMar")) is not None
    ]
    return min(widths, default=9000)


def _look(text: etree._Element, styles: Styles) -> tuple[int, int]:
    """The size of the font of a text in half points, and the indent of its lines in twentieths of a point."""
    run, paragraph = text.getparent(), next(text.iterancestors(f"{W}p"), None)
    if run is None or paragraph is None:
        return _USUAL_SIZE, 0
    above = [*styles.of(paragraph)]
    size, indent = first([run, *above, *styles.defaults], "rPr/sz"), first([paragraph, *above], "pPr/ind")
    sides = 0 if indent is None else _number(indent, "left") + _number(indent, "right")
    return (_number(size, "val") if size is not None else 0) or _USUAL_SIZE, sides


def _number(holder: etree._Element, name: str) -> int:
    """A measure that an attribute gives; 0 where it gives none that is plain."""
    value = holder.get(f"{W}{name}", "")
    return int(float(value)) if re.fullmatch(r"-?\d+(\.\d+)?", value) else 0
