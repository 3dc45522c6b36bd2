"""Heading rows that would stand alone at the foot of a page go to the next, with the headings that announce them.

Word keeps a heading row with the row below it; rdocx does not. It tells where each block of the text comes to stand, so
the block that the next page should begin with is told to, and the pages are laid out anew.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import rdocx
from lxml import etree

from pepforms.convert.styles import Styles, W, first

_ALONE = 44.0
"""Points: a heading row of up to three lines is less high, one with a row below it higher."""
_MOST = 20
"""Tables that are seen to: each takes a layout more."""
_STRICT = etree.XMLParser(resolve_entities=False, no_network=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a block stands on one page, and how high it is."""

    page: int
    height: float


def settle(document: rdocx.Document, docx: bytes) -> None:
    """Begin pages of a document so that no heading row stands alone at the foot of one; it was read from `docx`."""
    text: _Text | None = None
    for _ in range(_MOST):
        parts = _parts(document)
        alone = [at for at, stands in parts.items() if len(stands) > 1 and stands[0].height < _ALONE]
        if not alone:
            return
        text = text or _Text(docx)
        begins = next(text.beginnings(alone, parts), None)
        if begins is None:
            return
        document.paragraphs[begins].paragraph_format.page_break_before = True


def _parts(document: rdocx.Document) -> Mapping[int, list[_Part]]:
    """Where each block of the text stands, by its number."""
    parts: dict[int, list[_Part]] = {}
    for one in document.layout():
        parts.setdefault(one.body_index, []).append(_Part(one.physical_page, one.bounds.height))
    return parts


class _Text:
    """The blocks of a Word file, paragraphs and tables in their order."""

    def __init__(self, docx: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(docx)) as archive:
            parts = [archive.read(f"word/{part}.xml") for part in ("document", "styles")]
        text, styles = (etree.fromstring(part, _STRICT) for part in parts)
        self._blocks = [*text[0]]
        self._styles = Styles(styles)
        self._begun: set[int] = set()

    def beginnings(self, tables: list[int], parts: Mapping[int, list[_Part]]) -> Iterator[int]:
        """The paragraphs, by their numbers among paragraphs, with which a page should begin for one of these tables."""
        for table in tables:
            start, page = self._announced(table, parts), parts[table][0].page
            fits = self._heads(table) and self._blocks[start].tag == f"{W}p" and _stands_on(start - 1, parts) == page
            if fits and start not in self._begun:
                self._begun.add(start)
                yield sum(block.tag == f"{W}p" for block in self._blocks[:start])

    def _heads(self, table: int) -> bool:
        """Whether a block is a table with a heading row."""
        return self._blocks[table].find(f"{W}tr/{W}trPr/{W}tblHeader") is not None

    def _announced(self, table: int, parts: Mapping[int, list[_Part]]) -> int:
        """The first of the headings right above a table on its page, or the paragraph there."""
        start = table - 1
        while self._is_heading(start - 1) and _stands_on(start - 1, parts) == parts[table][0].page:
            start -= 1
        return start

    def _is_heading(self, at: int) -> bool:
        block = self._blocks[at]
        return block.tag == f"{W}p" and first([block, *self._styles.of(block)], "pPr/keepNext") is not None


def _stands_on(block: int, parts: Mapping[int, list[_Part]]) -> int | None:
    """The page on which a block ends; None where it stands nowhere."""
    return parts[block][-1].page if parts.get(block) else None
