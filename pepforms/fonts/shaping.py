"""How the letters of a text come to stand beside each other: joined, stacked, reordered and marked (HarfBuzz)."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph as it is drawn: its number in the font, the letter it begins at, its place and advance in units."""

    number: int
    begins: int
    x: int
    y: int
    advance: int


def shaped(text: str, file: Path) -> list[Glyph]:
    """The glyphs of a text in one script, from left to right as they stand on the page."""
    import uharfbuzz

    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(_font(file), buffer)
    return [
        Glyph(info.codepoint, info.cluster, place.x_offset, place.y_offset, place.x_advance)
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    ]


@functools.lru_cache(maxsize=4096)
def inked(word: str, file: Path) -> int:
    """How many of the glyphs that draw a word leave ink."""
    font = _font(file)
    extents = (font.get_glyph_extents(glyph.number) for glyph in shaped(word, file))
    return sum(bool(extent and extent.width) for extent in extents)


@functools.cache
def _font(file: Path) -> Any:
    import uharfbuzz

    return uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file))))
