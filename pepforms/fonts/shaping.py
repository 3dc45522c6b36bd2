"""How the letters of a text come to stand beside each other: joined, stacked, reordered and marked (HarfBuzz)."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Direction = Literal["ltr", "rtl"]


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph as it is drawn: its number in the font, the letter it begins at, its place and advance in units."""

    number: int
    begins: int
    x: int
    y: int
    advance: int


def shaped(text: str, file: Path, direction: Direction | None = None) -> list[Glyph]:
    """The glyphs of a text in one script, from left to right as they stand on the page.

    Its direction is that of the script, unless signs and figures are to go with the words around them.
    """
    import uharfbuzz

    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    if direction:
        buffer.direction = direction
    uharfbuzz.shape(opened(file), buffer)
    return [
        Glyph(info.codepoint, info.cluster, place.x_offset, place.y_offset, place.x_advance)
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    ]


def cut(file: Path, numbers: Iterable[int]) -> tuple[bytes, dict[int, int]]:
    """The font with only these glyphs, to be drawn by their numbers; and which number each has in it."""
    import uharfbuzz

    wanted = uharfbuzz.SubsetInput()
    wanted.glyph_set.update(numbers)
    wanted.flags = uharfbuzz.SubsetFlags.NO_HINTING | uharfbuzz.SubsetFlags.NOTDEF_OUTLINE
    wanted.drop_table_tag_set.update(int.from_bytes(tag.ljust(4).encode(), "big") for tag in _UNUSED)
    plan = uharfbuzz.SubsetPlan(opened(file).face, wanted)
    return bytes(plan.execute().blob.data), dict(plan.old_to_new_glyph_mapping)


_UNUSED = ("GSUB", "GPOS", "GDEF", "STAT", "name", "OS/2", "gasp", "meta", "post", "cmap")


@functools.lru_cache(maxsize=4096)
def inked(word: str, file: Path) -> int:
    """How many of the glyphs that draw a word leave ink."""
    font = opened(file)
    extents = (font.get_glyph_extents(glyph.number) for glyph in shaped(word, file))
    return sum(bool(extent and extent.width) for extent in extents)


@functools.cache
def opened(file: Path) -> Any:
    """The font, as HarfBuzz keeps it."""
    import uharfbuzz

    return uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file))))
