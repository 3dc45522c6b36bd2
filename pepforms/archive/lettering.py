"""Text set in our own fonts on a PDF page: measured and wrapped first, then drawn in embedded subset fonts.

Each character is drawn by the first face of `pepforms.fonts` that has it. Arabic letters are joined and right-to-left
words put in their visual order, since a PDF page holds glyphs where they stand; other scripts that need shaping
(Bengali, Tamil, Gurmukhi) are drawn letter by letter.
"""

import functools
import hashlib
import io
import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import regex

from pepforms import fonts
from pepforms.errors import Refused

if TYPE_CHECKING:
    import pikepdf

Weight = Literal["regular", "bold"]

_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}]")
_RIGHT_TO_LEFT_RUN = regex.compile(
    rf"{fonts.RIGHT_TO_LEFT.pattern}(?:[^\p{{bidi_class=L}}]*{fonts.RIGHT_TO_LEFT.pattern})?\p{{M}}*"
)
_TURNED = regex.compile(r"\p{Nd}+|\X")  # numbers keep their own order inside right-to-left text
_JOINED_FORMS = range(0xFE70, 0xFF00)  # Arabic Presentation Forms-B: each letter as it looks beside its neighbours


@dataclass(frozen=True, slots=True)
class Placed:
    """One line of text on the page: its baseline's start in points, and how it is set."""

    text: str
    x: float
    y: float
    size: float
    weight: Weight = "regular"


def width(text: str, size: float, weight: Weight) -> float:
    """How wide the text will be drawn, in points."""
    return sum(_advances(file)[ord(c)] for file, part in _parts(visual(text), weight) for c in part) * size / 1000


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
    parts = [(line, list(_parts(visual(line.text), line.weight))) for line in lines]
    used: dict[Path, set[str]] = {}
    for _, pieces in parts:
        for file, text in pieces:
            used.setdefault(file, set()).update(text)
    cuts = {file: _cut(_base(file, characters), frozenset(characters)) for file, characters in used.items()}
    names = {file: f"PepStamp{number}" for number, file in enumerate(cuts, 1)}
    operators = b"\n".join(_text_object(line, pieces, cuts, names) for line, pieces in parts)
    return operators, {f"/{names[file]}": _font_object(document, file, cut) for file, cut in cuts.items()}


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


# --- which face draws what -------------------------------------------------------------------------------------------


def _parts(text: str, weight: Weight) -> Iterator[tuple[Path, str]]:
    """The text cut by font file, in order."""
    for piece, face in fonts.pieces(text):
        chosen = face or fonts.FACES[0]
        heavy = chosen.bold if weight == "bold" else None
        file = heavy if heavy and _draws(heavy, piece) else chosen.regular
        if not _draws(file, piece):
            points = " ".join(f"U+{ord(c):04X}" for c in dict.fromkeys(piece) if ord(c) not in _advances(file))
            raise Refused(
                f"The stamp holds a character that no font at hand can draw ({points}). Write it another way.",
                slug="undrawable-character",
            )
        yield file, piece


def _draws(file: Path, text: str) -> bool:
    advances = _advances(file)
    return all(ord(character) in advances for character in text)


@functools.cache
def _advances(file: Path) -> dict[int, float]:
    """The advance width of every character that the font draws, in thousandths of the size."""
    from fontTools.ttLib import TTFont

    with TTFont(file, lazy=True) as font:
        scale, metrics = 1000 / font["head"].unitsPerEm, font["hmtx"]
        return {point: metrics[name][0] * scale for point, name in font.getBestCmap().items()}


# --- Arabic joining and the visual order of right-to-left words ------------------------------------------------------


def visual(text: str) -> str:
    """The text as it stands on the page from left to right; the line itself reads left to right."""
    shown = _shown(text)
    if not fonts.RIGHT_TO_LEFT.search(shown):
        return shown
    ordered: str = _RIGHT_TO_LEFT_RUN.sub(lambda run: _turned(_joined(run.group())), shown)
    return ordered


def _turned(run: str) -> str:
    mirrored = str.maketrans("()[]{}<>«»", ")(][}{><»«")
    return "".join(reversed([part.translate(mirrored) for part in _TURNED.findall(run)]))


def _joined(run: str) -> str:
    forms = _forms()
    letters = list(run)
    skeleton = [i for i, c in enumerate(letters) if not unicodedata.combining(c)]
    for place, i in enumerate(skeleton):
        letter = run[i]
        before = run[skeleton[place - 1]] if place else ""
        after = run[skeleton[place + 1]] if place + 1 < len(skeleton) else ""
        from_before = (before, "initial") in forms and (letter, "final") in forms
        to_after = (letter, "initial") in forms and (after, "final") in forms
        form = {(True, True): "medial", (True, False): "final", (False, True): "initial"}.get((from_before, to_after))
        letters[i] = forms.get((letter, form or "isolated"), letter)
    return "".join(letters)


@functools.cache
def _forms() -> dict[tuple[str, str], str]:
    """`(letter, "initial")` to the character that Unicode keeps for that shape of it."""
    forms = {}
    for character in map(chr, _JOINED_FORMS):
        shape, _, letter = unicodedata.decomposition(character).partition(" ")
        if letter and " " not in letter:
            forms[chr(int(letter, 16)), shape.strip("<>")] = character
    return forms


# --- subset fonts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cut:
    """A font cut down to some characters, with what a PDF must say about it."""

    data: bytes
    glyphs: dict[str, int]
    box: tuple[int, int, int, int]
    ascent: int
    descent: int
    tag: str


def _base(file: Path, characters: set[str]) -> bytes:
    """What to cut from: a small Latin part made once a process where that will do, since cutting costs by size."""
    return _latin(file) if characters <= _latin_characters() else file.read_bytes()


@functools.cache
def _latin_characters() -> frozenset[str]:
    letter = regex.compile(f"[{fonts.BASE}]")
    return frozenset(c for c in map(chr, range(0x20, 0x2200)) if letter.match(c))


@functools.cache
def _latin(file: Path) -> bytes:
    return _cut(file.read_bytes(), _latin_characters()).data


def _cut(font_file: bytes, characters: frozenset[str]) -> _Cut:
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options()
    options.hinting = options.glyph_names = False
    options.notdef_outline = True
    options.layout_features = []
    options.drop_tables = [*options.drop_tables, "GSUB", "GPOS", "GDEF", "STAT", "name", "OS/2", "gasp", "meta", "post"]
    with TTFont(io.BytesIO(font_file), lazy=True, recalcTimestamp=False, recalcBBoxes=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=[ord(character) for character in characters])
        cutter.subset(font)
        buffer = io.BytesIO()
        font.save(buffer, reorderTables=False)
        head, hhea, scale = font["head"], font["hhea"], 1000 / font["head"].unitsPerEm
        return _Cut(
            data=buffer.getvalue(),
            glyphs={chr(point): font.getGlyphID(name) for point, name in sorted(font.getBestCmap().items())},
            box=tuple(round(edge * scale) for edge in (head.xMin, head.yMin, head.xMax, head.yMax)),
            ascent=round(hhea.ascent * scale),
            descent=round(hhea.descent * scale),
            tag="".join(chr(65 + byte % 26) for byte in hashlib.sha256(buffer.getvalue()).digest()[:6]),
        )


# --- PDF objects -----------------------------------------------------------------------------------------------------


def _text_object(
    line: Placed, pieces: Sequence[tuple[Path, str]], cuts: dict[Path, _Cut], names: dict[Path, str]
) -> bytes:
    shows = [
        f"/{names[file]} {line.size:.2f} Tf <{''.join(f'{cuts[file].glyphs[c]:04X}' for c in text)}> Tj"
        for file, text in pieces
    ]
    return "\n".join(["BT", f"{line.x:.2f} {line.y:.2f} Td", *shows, "ET"]).encode("ascii")


def _font_object(document: "pikepdf.Pdf", file: Path, cut: _Cut) -> "pikepdf.Object":
    from pikepdf import Array, Dictionary, Name, String

    name = Name(f"/{cut.tag}+{file.stem.replace('_', '-')}")
    widths = _by_glyph(cut, {c: _advances(file)[ord(c)] for c in cut.glyphs})
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
        W=Array(itertools.chain.from_iterable((glyph, Array([round(w)])) for glyph, w in sorted(widths.items()))),
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


def _by_glyph(cut: _Cut, values: dict[str, Any]) -> dict[int, Any]:
    """Keyed by glyph number; the first of two characters that share a glyph (space and no-break space) speaks."""
    return {cut.glyphs[character]: value for character, value in reversed(values.items())}


_BLOCK = 100  # entries: the CMap format allows no more in one block


def _to_unicode(cut: _Cut) -> bytes:
    plain = {c: unicodedata.normalize("NFKC", c) if ord(c) in _JOINED_FORMS else c for c in cut.glyphs}
    rows = [
        f"<{glyph:04X}> <{text.encode('utf-16-be').hex().upper()}>"
        for glyph, text in sorted(_by_glyph(cut, plain).items())
    ]
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
