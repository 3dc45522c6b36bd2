"""Words that are longer than their line: where they may be broken, in the copy of the Word file that rdocx is given.

Word and LibreOffice break such a word wherever the line ends; rdocx does so at spaces, hyphens and strokes alone.
"""

import copy
import itertools
import re
from collections.abc import Iterator

from lxml import etree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_BREAK = "\u200b"
"""A space without width: a line may end there."""

_FEWEST = 12
"""Letters: no column is so narrow that a shorter word is longer than its line."""
_IN_A_RUN = re.compile(rb"[^\s<>/-]{%d}[^<>]*</w:t>" % _FEWEST)
_WORD = re.compile(rf"([^\s/\u200b\u2010-\u2014-]{{{_FEWEST},}})")
_AFTER = re.compile(r"(?<=[.@_?&=%:;,+])")
"""Where addresses of pages and people are best broken."""

_NARROW, _WIDE = frozenset("ijltfrI.,:;'’|!()[]"), frozenset("mwMW@%")
_SURE = 0.85
"""How much of a length, as it is judged here, is sure: what fits by a hair stays whole, and pieces are sure to fit."""
_CELL_MARGINS = 216
_TWIPS = 10
"""Twentieths of a point in half a point, in which sizes of fonts are given."""


def may_be_needed(data: bytes) -> bool:
    """Whether some text of a part holds a word that might be longer than its line."""
    return _IN_A_RUN.search(data) is not None


def wrap(root: etree._Element, styles: etree._Element) -> None:
    """Let every word of the text that is longer than its line end one within."""
    looks, page = _Looks(styles), _page_width(root)
    for text in [text for text in root.iter(f"{_W}t") if _WORD.search(text.text or "")]:
        size, indent = looks.of(text)
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
    new = etree.Element(f"{_W}r")
    properties = copy.deepcopy(run.find(f"{_W}rPr"))
    if properties is not None:
        new.append(properties)
        for font in properties.findall(f"{_W}rFonts") if piece == _BREAK else ():
            properties.remove(font)
    etree.SubElement(new, f"{_W}t", {_SPACE: "preserve"}).text = piece
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
    cell = next(text.iterancestors(f"{_W}tc"), None)
    width = cell.find(f"{_W}tcPr/{_W}tcW[@{_W}type='dxa']") if cell is not None else None
    return page if width is None else _number(width, "w") - _CELL_MARGINS


def _page_width(root: etree._Element) -> int:
    """How wide the pages of the narrowest section are between their margins."""
    widths = [
        _number(size, "w") - _number(margins, "left") - _number(margins, "right")
        for section in root.iter(f"{_W}sectPr")
        if (size := section.find(f"{_W}pgSz")) is not None and (margins := section.find(f"{_W}pgMar")) is not None
    ]
    return min(widths, default=9000)


class _Looks:
    """The size of the font of a text and the indent of its lines, as run, paragraph and their styles say."""

    def __init__(self, styles: etree._Element) -> None:
        self._styles = {style.get(f"{_W}styleId"): style for style in styles.iter(f"{_W}style")}
        self._default = styles.find(f"{_W}docDefaults/{_W}rPrDefault")
        self._normal = next((name for name, one in self._styles.items() if one.get(f"{_W}default") == "1"), None)

    def of(self, text: etree._Element) -> tuple[int, int]:
        """The size in half points, the indent in twentieths of a point."""
        paragraph = next(text.iterancestors(f"{_W}p"), None)
        style = paragraph.find(f"{_W}pPr/{_W}pStyle") if paragraph is not None else None
        styles = list(self._chain(style.get(f"{_W}val") if style is not None else self._normal))
        sizes = (_under(one, "rPr/sz") for one in (text.getparent(), *styles, self._default))
        indents = (_under(one, "pPr/ind") for one in (paragraph, *styles))
        size = next((_number(one, "val") for one in sizes if one is not None), 0)
        indent = next((one for one in indents if one is not None), None)
        return size or 22, 0 if indent is None else _number(indent, "left") + _number(indent, "right")

    def _chain(self, name: str | None) -> Iterator[etree._Element]:
        """A style and those that it is based on; each once, also where they go round in a ring."""
        left = dict(self._styles)
        while (style := left.pop(name, None)) is not None:
            yield style
            based = style.find(f"{_W}basedOn")
            name = based.get(f"{_W}val") if based is not None else None


def _under(holder: etree._Element | None, way: str) -> etree._Element | None:
    return holder.find("/".join(f"{_W}{step}" for step in way.split("/"))) if holder is not None else None


def _number(holder: etree._Element, name: str) -> int:
    """A measure that an attribute gives; 0 where it gives none that is plain."""
    value = holder.get(f"{_W}{name}", "")
    return int(float(value)) if re.fullmatch(r"-?\d+(\.\d+)?", value) else 0
