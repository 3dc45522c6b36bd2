"""Text set in our own fonts on a PDF page: measured and wrapped first, then drawn in embedded subset fonts.

Each character is drawn by the first face of `pepforms.fonts` that has it, and set by HarfBuzz: letters joined,
syllables and marks in their places. A line reads from left to right; the right-to-left words in it stand in their
visual order.
"""

import functools
import hashlib
import itertools
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import regex

from pepforms import fonts
from pepforms.errors import Refused
from pepforms.fonts import shaping

if TYPE_CHECKING:
    import pikepdf

Weight = Literal["regular", "bold"]

_UNSEEN = regex.compile(r"[[\p{Default_Ignorable_Code_Point}\p{Cc}]--[\u200c\u200d]]", regex.VERSION1)
"""What has no shape of its own; the joiners shape the letters around them."""

_TURNING = r"[\p{bidi_class=R}\p{bidi_class=AL}\p{bidi_class=AN}]"
_RIGHT_TO_LEFT_RUN = regex.compile(rf"{_TURNING}(?:[^\p{{bidi_class=L}}]*{_TURNING})?\p{{M}}*")
_TURNED = regex.compile(r"\p{Nd}+|\P{Nd}+")  # numbers keep their own order inside right-to-left text


@dataclass(frozen=True, slots=True)
class Placed:
    """One line of text on the page: its baseline's start in points, and how it is set."""

    text: str
    x: float
    y: float
    size: float
    weight: Weight = "regular"


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A piece of a line in one font: its glyphs from left to right, each with the letters that it stands for."""

    file: Path
    glyphs: tuple[tuple[shaping.Glyph, str], ...]

    @property
    def advance(self) -> float:
        """Its width, in thousandths of the size."""
        return sum(glyph.advance for glyph, _ in self.glyphs) * _scale(self.file)


def width(text: str, size: float, weight: Weight) -> float:
    """How wide the text will be drawn, in points."""
    return sum(stretch.advance for stretch in _stretches(text, weight)) * size / 1000


def wrapped(text: str, size: float, weight: Weight, room: float) -> list[str]:
    """The text in lines no wider than `room`, broken between words, and inside a word only where it alone is wider."""
    lines = [""]
    for word in _shown(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size, weight) <= room:
            lines[-1] = longer
            continue
        pieces = _fitting(word, size, weight, room)
        lines = [*(line for line in lines if line), *pieces]
    return lines


def draw(document: "pikepdf.Pdf", lines: Sequence[Placed]) -> tuple[bytes, dict[str, Any]]:
    """The text operators that draw the lines, and the fonts they name, embedded in the document."""
    placed = [(line, _stretches(line.text, line.weight)) for line in lines]
    used: dict[Path, dict[int, str]] = {}
    for stretch in itertools.chain.from_iterable(stretches for _, stretches in placed):
        said = used.setdefault(stretch.file, {})
        for glyph, letters in stretch.glyphs:
            said[glyph.number] = said.get(glyph.number) or letters
    cuts = {file: _cut(file, said) for file, said in used.items()}
    names = {file: f"PepStamp{number}" for number, file in enumerate(cuts, 1)}
    operators = b"\n".join(_text_object(line, stretches, cuts, names) for line, stretches in placed)
    return operators, {f"/{names[file]}": _font_object(document, cut) for file, cut in cuts.items()}


def _fitting(word: str, size: float, weight: Weight, room: float) -> list[str]:
    pieces = [""]
    for cluster in regex.findall(r"\X", word):
        if pieces[-1] and width(pieces[-1] + cluster, size, weight) > room:
            pieces.append("")
        pieces[-1] += cluster
    return pieces


def _shown(text: str) -> str:
    """Composed, as the fonts' own accented letters look best; what has no shape of its own goes."""
    spaced = regex.sub(r"\s", " ", text)
    shown: str = _UNSEEN.sub("", unicodedata.normalize("NFC", spaced))
    return shown


# --- which face draws what, and in which order -----------------------------------------------------------------------


@functools.lru_cache(maxsize=256)
def _stretches(text: str, weight: Weight) -> tuple[_Stretch, ...]:
    """The line from left to right; right-to-left runs are turned, and the numbers in them turned back."""
    shown = _shown(text)
    out: list[_Stretch] = []
    done = 0
    for run in _RIGHT_TO_LEFT_RUN.finditer(shown):
        out += _set(shown[done : run.start()], weight)
        for part in reversed(_TURNED.findall(run.group())):
            number = part[0].isdecimal()
            set_part = list(_set(part, weight, "ltr" if number else "rtl"))
            out += set_part if number else reversed(set_part)
        done = run.end()
    return (*out, *_set(shown[done:], weight))


def _set(text: str, weight: Weight, direction: shaping.Direction = "ltr") -> Iterator[_Stretch]:
    """The text cut by font file, in order, each piece set by itself."""
    for piece, chosen in _faces(text):
        file = chosen.bold if weight == "bold" and chosen.bold else chosen.regular
        glyphs = shaping.shaped(piece, file, direction)
        if any(glyph.number == 0 for glyph in glyphs):
            points = " ".join(f"U+{ord(c):04X}" for c in dict.fromkeys(piece) if not chosen.holds(c))
            raise Refused(
                f"The stamp holds a character that no font at hand can draw ({points}). Write it another way.",
                slug="undrawable-character",
            )
        yield _Stretch(file, tuple(_with_letters(piece, glyphs)))


def _faces(text: str) -> Iterator[tuple[str, fonts.Face]]:
    """The text cut by the face that draws it: what a template's own font would draw is drawn by the first that can."""
    for piece, face in fonts.pieces(text):
        if face:
            yield piece, face
            continue
        able = ((c, next((face for face in fonts.FACES if face.holds(c)), fonts.FACES[0])) for c in piece)
        for chosen, group in itertools.groupby(able, lambda pair: pair[1]):
            yield "".join(character for character, _ in group), chosen


def _with_letters(text: str, glyphs: list[shaping.Glyph]) -> Iterator[tuple[shaping.Glyph, str]]:
    """Each glyph with its letters: of several glyphs for the same letters the first says them."""
    begins = sorted({glyph.begins for glyph in glyphs})
    ends = dict(zip(begins, [*begins[1:], len(text)], strict=True))
    said: set[int] = set()
    for glyph in glyphs:
        yield glyph, "" if glyph.begins in said else text[glyph.begins : ends[glyph.begins]]
        said.add(glyph.begins)


# --- subset fonts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cut:
    """A font cut down to some glyphs, with what a PDF must say about it."""

    name: str
    data: bytes
    numbers: dict[int, int]
    widths: dict[int, float]
    letters: dict[int, str]
    box: tuple[int, int, int, int]
    ascent: int
    descent: int


def _cut(file: Path, said: dict[int, str]) -> _Cut:
    data, numbers = shaping.cut(file, said)
    scale, font = _scale(file), shaping.opened(file)
    extents = font.get_font_extents("ltr")
    box = struct.unpack_from(">hhhh", font.face.reference_table("head").data, 36)
    tag = "".join(chr(65 + byte % 26) for byte in hashlib.sha256(data).digest()[:6])
    return _Cut(
        name=f"/{tag}+{file.stem.replace('_', '-')}",
        data=data,
        numbers=numbers,
        widths={numbers[number]: font.get_glyph_h_advance(number) * scale for number in sorted(said)},
        letters={numbers[number]: letters or _NOTHING for number, letters in sorted(said.items())},
        box=(round(box[0] * scale), round(box[1] * scale), round(box[2] * scale), round(box[3] * scale)),
        ascent=round(extents.ascender * scale),
        descent=round(extents.descender * scale),
    )


_NOTHING = "\u200b"
"""What a glyph says whose letters another one says already: PDF/A asks every glyph for something."""


def _scale(file: Path) -> float:
    upem: int = shaping.opened(file).face.upem
    return 1000 / upem


# --- PDF objects -----------------------------------------------------------------------------------------------------


def _text_object(line: Placed, stretches: Sequence[_Stretch], cuts: dict[Path, _Cut], names: dict[Path, str]) -> bytes:
    shows = [
        f"/{names[stretch.file]} {line.size:.2f} Tf {_shows(stretch, cuts[stretch.file], line.size)}"
        for stretch in stretches
    ]
    return "\n".join(["BT", f"{line.x:.2f} {line.y:.2f} Td", *shows, "ET"]).encode("ascii")


def _shows(stretch: _Stretch, cut: _Cut, size: float) -> str:
    """The operators that show the glyphs, each moved from where it would stand by itself."""
    scale = _scale(stretch.file)
    out, owed = [], 0.0
    for height, group in itertools.groupby(stretch.glyphs, lambda one: one[0].y):
        parts = []
        for glyph, _ in group:
            number = cut.numbers[glyph.number]
            owed -= glyph.x * scale
            parts.append(f"{round(owed)}<{number:04X}>" if round(owed) else f"<{number:04X}>")
            owed += cut.widths[number] - (glyph.advance - glyph.x) * scale - round(owed)
        shown = f"[{''.join(parts)}] TJ"
        out.append(f"{height * scale * size / 1000:.2f} Ts {shown} 0 Ts" if height else shown)
    return " ".join([*out, f"[{round(owed)}] TJ"] if round(owed) else out)


def _font_object(document: "pikepdf.Pdf", cut: _Cut) -> "pikepdf.Object":
    from pikepdf import Array, Dictionary, Name, String

    name = Name(cut.name)
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=name,
        Flags=4,  # symbolic: its glyphs are chosen by number, not through a standard encoding
        FontBBox=Array(cut.box),
        ItalicAngle=0,
        Ascent=cut.ascent,
        Descent=cut.descent,
        CapHeight=714,  # of Noto Sans; no reader needs it for an embedded font, but the key is required
        StemV=80,
        FontFile2=document.make_stream(cut.data, Length1=len(cut.data)),
    )
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0),
        CIDToGIDMap=Name.Identity,
        DW=0,
        W=Array(itertools.chain.from_iterable((glyph, Array([round(w)])) for glyph, w in sorted(cut.widths.items()))),
        FontDescriptor=document.make_indirect(descriptor),
    )
    return document.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([document.make_indirect(descendant)]),
            ToUnicode=document.make_stream(_to_unicode(cut)),
        )
    )


_BLOCK = 100  # entries: the CMap format allows no more in one block


def _to_unicode(cut: _Cut) -> bytes:
    rows = [f"<{glyph:04X}> <{text.encode('utf-16-be').hex().upper()}>" for glyph, text in sorted(cut.letters.items())]
    blocks = [
        f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar"
        for block in (rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK))
    ]
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        + "\n".join(blocks)
        + "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")
