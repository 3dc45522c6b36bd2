"""Fonts made for one text, for an engine that puts glyphs side by side and no mark over its letter.

`composed`: every cluster of letters and marks is a single glyph, as HarfBuzz sets it, so that Bengali syllables and
letters with several accents cannot be set otherwise than right. The glyph stands for all the letters of its cluster.
`unjoined`: for right-to-left text, which such an engine sets rightly except at joiners.
`level`: for signs in a font that is taller than letters, by which such an engine sinks the whole line.
"""

import functools
import io
import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pepforms import fonts
from pepforms.fonts import shaping


def unjoined(file: Path, texts: Iterable[str]) -> bytes | None:
    """The font that sets these right-to-left texts with joiners of no width; None where they hold none.

    HarfBuzz hides a joiner as a space without advance, and rdocx moves what follows by the space's own width.
    """
    from fontTools.otlLib.builder import buildLookup, buildSingleSubstSubtable
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    letters = set("".join(texts))
    joiners = letters & set("\u200c\u200d")
    if not joiners:
        return None
    font = TTFont(io.BytesIO(fonts.cut(file, letters | set(map(chr, range(0x20, 0x7F))))), recalcTimestamp=False)
    cmap, table = font.getBestCmap(), font["GSUB"].table
    font.setGlyphOrder([*font.getGlyphOrder(), "nothing"])
    font["glyf"]["nothing"], font["hmtx"]["nothing"] = Glyph(), (0, 0)
    hiding = buildSingleSubstSubtable({cmap[ord(joiner)]: "nothing" for joiner in sorted(joiners)})
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == "ccmp":
            record.Feature.LookupListIndex.append(len(table.LookupList.Lookup))
    table.LookupList.Lookup.append(buildLookup([hiding]))
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()


_HIGHEST = 1.2
"""The room above its letters, in ems, that a font may ask for before lines of a fixed height stand too low."""


def level(file: Path, texts: Iterable[str]) -> bytes | None:
    """The font that leaves a line with these signs where lines of letters stand; None where it does so anyhow.

    In a line of a fixed height rdocx leaves room for all that the tallest font in it may draw, so that a line with a ☺
    would run into the next one.
    """
    from fontTools.ttLib import TTFont

    ems, header = _opened(file)["head"].unitsPerEm, _opened(file)["hhea"]
    if header.ascent <= _HIGHEST * ems:
        return None
    made = composed(file, texts) or fonts.cut(file, set("".join(texts)) | {" "})
    font = TTFont(io.BytesIO(made), recalcTimestamp=False)
    above, below = (round(room * ems) for room in _LETTERS)
    font["hhea"].ascent, font["hhea"].descent = above, -below
    font["OS/2"].sTypoAscender, font["OS/2"].sTypoDescender, font["OS/2"].sTypoLineGap = above, -below, 0
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()


_LETTERS = (0.905, 0.212)
"""The room above and below the letters of Arial, in ems."""

_VIRAMA = 9
"""The canonical combining class of the viramas of all scripts."""


def composed(file: Path, texts: Iterable[str]) -> bytes | None:
    """The font that sets these texts; None where each of their letters is set by itself anyhow."""
    words = dict.fromkeys(itertools.chain.from_iterable(text.split() for text in texts))
    clusters = dict(itertools.chain.from_iterable(_clusters(word, file) for word in words))
    several = {text: glyphs for text, glyphs in clusters.items() if len(text) > 1}
    return _built(file, set("".join(texts)) | {" "}, several) if several else None


def _clusters(word: str, file: Path) -> Iterator[tuple[str, list[shaping.Glyph]]]:
    """The word cut where no letter changes another: each piece with the glyphs that set it.

    After a virama, and before a letter that is not set as it is by itself, HarfBuzz counts anew but nothing is cut.
    """
    pieces: list[tuple[str, list[shaping.Glyph]]] = []
    groups = [(at, list(glyphs)) for at, glyphs in itertools.groupby(shaping.shaped(word, file), lambda g: g.begins)]
    ends = [at for at, _ in groups[1:]] + [len(word)]
    for (at, glyphs), end in zip(groups, ends, strict=True):
        text = word[at:end]
        before, set_before = pieces[-1] if pieces else ("", [])
        if before and (_binds(before) or (len(text) == 1 and not _alone(text, glyphs, file))):
            pieces[-1] = before + text, [*set_before, *glyphs]
        else:
            pieces.append((text, glyphs))
    yield from pieces


def _binds(text: str) -> bool:
    """Whether the last letter ties the next one to it: a virama, though a joiner stand between."""
    return unicodedata.combining(text.rstrip("\u200c\u200d")[-1:] or " ") == _VIRAMA


def _alone(letter: str, glyphs: list[shaping.Glyph], file: Path) -> bool:
    return [glyph.number for glyph in glyphs] == [glyph.number for glyph in shaping.shaped(letter, file)]


def _built(file: Path, letters: set[str], clusters: dict[str, list[shaping.Glyph]]) -> bytes:
    from fontTools.fontBuilder import FontBuilder

    old = _opened(file)
    known = old.getBestCmap()
    spelt = {text: _spellings(text) for text in clusters}
    letters |= set("".join(itertools.chain.from_iterable(spelt.values())))
    cmap = {ord(letter): known[ord(letter)] for letter in sorted(letters) if ord(letter) in known}
    names = {text: f"cluster{number}" for number, text in enumerate(clusters)}
    order = [".notdef", *dict.fromkeys(cmap.values()), *names.values()]
    glyphs = {name: _drawn(old, [(name, 0, 0)]) for name in order if name not in names.values()}
    metrics = {name: old["hmtx"][name] for name in glyphs}
    for text, set_glyphs in clusters.items():
        places, advance = [], 0
        for glyph in set_glyphs:
            places.append((old.getGlyphName(glyph.number), advance + glyph.x, glyph.y))
            advance += glyph.advance
        glyphs[names[text]], metrics[names[text]] = _drawn(old, places), (advance, 0)
    builder = FontBuilder(old["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs)
    sides = {name: (advance, getattr(builder.font["glyf"][name], "xMin", 0)) for name, (advance, _) in metrics.items()}
    builder.setupHorizontalMetrics(sides)
    builder.setupHorizontalHeader(ascent=old["hhea"].ascent, descent=old["hhea"].descent)
    for table in ("OS/2", "name", "post"):
        builder.font[table] = old[table]
    builder.setupPost(keepGlyphNames=False)
    builder.addOpenTypeFeatures(_joining(names, spelt, cmap))
    for kept in ("created", "modified", "macStyle"):
        setattr(builder.font["head"], kept, getattr(old["head"], kept))
    builder.font.recalcTimestamp = False
    buffer = io.BytesIO()
    builder.save(buffer)
    return buffer.getvalue()


def _spellings(text: str) -> set[str]:
    """A cluster as it is written and as an engine may have composed or taken it apart."""
    return {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}


def _joining(names: dict[str, str], spelt: dict[str, set[str]], cmap: dict[int, str]) -> str:
    """The one rule of the font, for any script, so that no engine reorders anything: letters become their cluster."""
    rules = {
        " ".join(f"\\{cmap[ord(letter)]}" for letter in spelling): names[text]
        for text, spellings in spelt.items()
        for spelling in sorted(spellings)
        if len(spelling) > 1 and all(ord(letter) in cmap for letter in spelling)
    }
    lines = "\n".join(f"sub {letters} by \\{cluster};" for letters, cluster in rules.items())
    return f"languagesystem DFLT dflt;\nfeature ccmp {{\n{lines}\n}} ccmp;\n"


def _drawn(font: Any, places: list[tuple[str, int, int]]) -> Any:
    """One glyph with the outlines of several, each at its place."""
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen, glyphs = TTGlyphPen(None), font.getGlyphSet()
    for name, x, y in places:
        outline = DecomposingRecordingPen(glyphs)
        glyphs[name].draw(outline)
        outline.replay(TransformPen(pen, (1, 0, 0, 1, x, y)))
    return pen.glyph()


@functools.cache
def _opened(file: Path) -> Any:
    from fontTools.ttLib import TTFont

    return TTFont(file, lazy=True)
