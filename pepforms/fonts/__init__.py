"""The fonts at hand, and which of them draws which character.

Engines fall back run by run: `☐ Yes` in a run of a font without the box loses the box or the word, quietly. So every
character is given a font that has it before a document is made. `BASE` is what each font that Word documents commonly
name draws (and each metric twin that an engine draws with in its place); whatever lies beyond is drawn by a Noto face
(SIL Open Font License 1.1), fetched at set-up, carried by the wheel beside this file and embedded in the document.
"""

import functools
import itertools
import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regex

from pepforms.errors import Broken

_FOLDER = Path(__file__).parent

BASE = (
    "\u0020-\u007e\u00a0-\u00a9\u00ab\u00ac\u00ae-\u00b9\u00bb-\u0107\u010a-\u0113\u0116-\u011b\u011e-\u0123"
    "\u0126\u0127\u012a\u012b\u012e-\u0133\u0136\u0137\u0139-\u0148\u014a-\u014d\u0150-\u015b\u015e-\u0167"
    "\u016a\u016b\u016e-\u017e\u2013\u2014\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac"
    "\u2122\u2202\u2206\u220f\u2211\u221e\u222b\u2248\u2260\u2264\u2265"
)
"""Character class (inside brackets) that any font of a template is trusted to draw: Latin, its punctuation, ≤ and such.

Left out is what a twin of Calibri, Georgia or Segoe UI lacks: soft hyphens, ordinals, breves, Esperanto, the long s.
The signs of sums are in no face of ours; the twin of Segoe UI lacks them, but is then replaced by one that does not.
"""

BEYOND_BASE = re.compile(f"[^{BASE}\t\n\r\u0085\u2028\u2029]")
"""Finds the first character that needs a face of ours; line ends and tabs become Word's own elements."""

_IGNORABLE = regex.compile(
    r"[[\p{Default_Ignorable_Code_Point}\t\n\r\u0085\u2028\u2029]--[\u115f\u1160\u180f\u3164\uffa0\U0001bca0-\U0001bca3]]",
    regex.VERSION1,
)
"""What shows nothing, save the few of its kind that an engine would draw as a box."""

_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\ufe0f")
_CLUSTER = regex.compile(r"\X")
_NEUTRAL = regex.compile(r"[\p{Z}\p{P}\p{Nd}]+")
RIGHT_TO_LEFT = regex.compile(r"[\p{bidi_class=R}\p{bidi_class=AL}]")
STRONG = regex.compile(r"[\p{bidi_class=L}\p{bidi_class=R}\p{bidi_class=AL}]")
_STRONG_OR_DIGIT = regex.compile(r"[\p{bidi_class=L}\p{bidi_class=R}\p{bidi_class=AL}\p{Nd}]")


@dataclass(frozen=True, slots=True)
class Face:
    """A family that we embed, and its files; `bold` is None where an engine thickens the regular one."""

    family: str
    regular: Path
    bold: Path | None = None
    right_to_left: bool = False

    def holds(self, text: str) -> bool:
        """Whether the face has a glyph for every character, even for those that show nothing.

        An engine that misses a joiner or a variation selector may draw its whole run in another font that has it.
        """
        return _characters(self.regular).issuperset(text)


def _face(family: str, stem: str, *, bold: bool = False, right_to_left: bool = False) -> Face:
    regular, heavy = _FOLDER / f"{stem}_400Regular.ttf", _FOLDER / f"{stem}_700Bold.ttf"
    return Face(family, regular, heavy if bold else None, right_to_left)


EMOJI = _face("Noto Emoji", "NotoEmoji")
FACES = (
    _face("Noto Sans", "NotoSans", bold=True),
    _face("Noto Sans Arabic", "NotoSansArabic", right_to_left=True),
    _face("Noto Sans Hebrew", "NotoSansHebrew", right_to_left=True),
    _face("Noto Sans Ethiopic", "NotoSansEthiopic"),
    _face("Noto Sans Bengali", "NotoSansBengali"),
    _face("Noto Sans Gurmukhi", "NotoSansGurmukhi"),
    _face("Noto Sans Tamil", "NotoSansTamil"),
    _face("Noto Sans Symbols", "NotoSansSymbols"),
    _face("Noto Sans Symbols 2", "NotoSansSymbols2"),
    EMOJI,
    _face("Noto Sans SC", "NotoSansSC"),
)
"""In order of preference: the first face that draws a character gets it."""


@functools.cache
def _characters(file: Path) -> frozenset[str]:
    if not file.is_file():
        raise Broken(f"The font {file.name} is missing from this installation. Run the set-up again.", slug="no-font")
    return frozenset(map(chr, _opened(file).unicodes))


def _opened(file: Path) -> Any:
    import uharfbuzz

    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(file)))


_BEARER = "\u25cc"
"""The dotted circle, that shapers put under a mark that stands alone."""


def cut(file: Path, characters: Iterable[str]) -> bytes:
    """The font file with only what these characters need, however they stand together; the same each time."""
    import uharfbuzz

    wanted = uharfbuzz.SubsetInput()
    wanted.unicode_set.update(map(ord, _related({*characters, _BEARER})))
    return bytes(uharfbuzz.subset(_opened(file), wanted).blob.data)


def _related(characters: set[str]) -> set[str]:
    """The characters, what a shaper may take them apart into, and what it may put them together to."""
    apart = characters.union(*(unicodedata.normalize("NFD", character) for character in characters))
    marks = [character for character in apart if unicodedata.combining(character)]
    together = {unicodedata.normalize("NFC", base + mark) for mark in marks for base in apart}
    return apart | {character for character in together if len(character) == 1}


def masked(data: bytes, key: uuid.UUID) -> bytes:
    """A font as Word files embed it, its first 32 bytes masked by a key (ECMA-376 part 4, 17.8.1); and back again."""
    mask = key.bytes[::-1] * 2
    return bytes(byte ^ by for byte, by in zip(data[:32], mask, strict=True)) + data[32:]


@functools.cache
def _any_face_holds(character: str) -> bool:
    return any(face.holds(character) for face in FACES)


def undrawable(text: str) -> str:
    """The characters of the text, once each, that no font at hand can draw: almost always none."""
    if not BEYOND_BASE.search(text):
        return ""
    shown = BEYOND_BASE.findall(_IGNORABLE.sub("", text))
    return "".join(dict.fromkeys(character for character in shown if not _any_face_holds(character)))


def pieces(text: str) -> Iterator[tuple[str, Face | None]]:
    """The text cut where its font must change: each piece with the face that draws it, None for the run's own font.

    What a reader sees as one character (a letter with its marks, a flag, a family) is never cut, nor is a word whose
    letters one face can draw. Spaces, digits and punctuation stay with the face before them if it has them, so that a
    sentence in one script is one piece.
    """
    drawn = _whole_words(_drawn_clusters(text))
    for face, group in itertools.groupby(drawn, key=lambda pair: pair[1]):
        yield "".join(cluster for cluster, _ in group), face


def _whole_words(drawn: "Iterable[tuple[str, Face | None]]") -> "Iterator[tuple[str, Face | None]]":
    """A word with one letter beyond the template's font goes whole to the Latin face: no line may end in its midst."""
    for is_word, group in itertools.groupby(drawn, key=lambda pair: pair[0][0].isalpha()):
        clusters = list(group)
        mixed = is_word and {face for _, face in clusters} == {None, FACES[0]}
        for cluster, face in clusters:
            yield cluster, FACES[0] if mixed else face


def _drawn_clusters(text: str) -> Iterator[tuple[str, Face | None]]:
    before: Face | None = None
    at = known_until = 0
    turns = False
    for cluster in _CLUSTER.findall(text):
        at += len(cluster)
        if before and _NEUTRAL.fullmatch(cluster) and before is not EMOJI and before.holds(cluster):
            if before.right_to_left and at > known_until:
                turns, known_until = _turns(text, at)
            if not (before.right_to_left and turns) or cluster.isdecimal():
                yield cluster, before
                continue
        for part, before in _faces_of(cluster):
            yield part, before


def _turns(text: str, at: int) -> tuple[bool, int]:
    """Whether the script turns from right-to-left to left-to-right after a sign, and up to where that is so.

    A bracket or stop before such a turn belongs to what follows: with Arabic it would be drawn the other way round.
    At the end of a text it belongs to the script that the text began with.
    """
    following = _STRONG_OR_DIGIT.search(text, at)
    decides = following or STRONG.search(text)
    turns = bool(decides and not decides.group().isdecimal() and not RIGHT_TO_LEFT.match(decides.group()))
    return turns, following.start() if following else len(text)


@functools.lru_cache(maxsize=4096)
def _faces_of(cluster: str) -> tuple[tuple[str, Face | None], ...]:
    """The one face that draws a whole cluster; failing that, its characters one by one, so that none is lost."""
    if not BEYOND_BASE.search(cluster):
        return ((cluster, None),)
    ordered = (EMOJI, *FACES) if _EMOJI.search(cluster) else FACES
    known = "".join(filter(_any_face_holds, cluster))
    for face in ordered:
        if face.holds(known):
            return ((cluster, face),)
    if len(cluster) == 1:
        return ((cluster, None),)
    return tuple(itertools.chain.from_iterable(_faces_of(character) for character in cluster))
