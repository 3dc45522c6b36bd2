"""What rdocx sets wrongly, put right in the copy of the Word file that it is given; the file that people get stays.

rdocx joins Arabic and Hebrew rightly, except at joiners without width, but sets all other scripts glyph by glyph
without their offsets, and Bengali or Punjabi that holds a danda without reordering it at all. In the fonts that it is
given instead, each syllable or letter with its marks is one glyph, and no sign sinks its line (`fonts/composing.py`). A
paragraph that runs from right to left it begins on the left, unless it is told to begin at its start. A word that is
longer than its line it runs over the next cell and off the page: in its copy such a word may end a line within
(`convert/wrapping.py`).
"""

import io
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from pepforms.convert import wrapping
from pepforms.convert.styles import Styles, W, first
from pepforms.fonts import FACES, Face, masked
from pepforms.fonts.composing import composed, level, unjoined
from pepforms.text import word

_TEXT, _STYLES = "word/document.xml", "word/styles.xml"
_TABLE, _RELATIONSHIPS = "word/fontTable.xml", "word/_rels/fontTable.xml.rels"
_STRICT = etree.XMLParser(resolve_entities=False, no_network=True)
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def mended(docx: bytes) -> bytes:
    """The Word file as rdocx sets it rightly, and reads it fast; as it is where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(docx)) as archive:
            new = {_TEXT: _text(archive)}
            if _RELATIONSHIPS in archive.namelist():
                new |= dict(_made(archive, word.read(docx).named))
            return _replaced(archive, new)
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError):  # the engine says what is wrong with it
        return docx


def _text(archive: zipfile.ZipFile) -> bytes:
    """The text as it should stand."""
    root, styles = (etree.fromstring(archive.read(part), _STRICT) for part in (_TEXT, _STYLES))
    named = Styles(styles)
    _align(root, named)
    wrapping.wrap(root, named)
    _unburden(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)


def _align(root: etree._Element, styles: Styles) -> None:
    """Tell every right-to-left paragraph to begin at its start that nothing else says where to stand."""
    for mark in root.iter(f"{W}bidi"):
        paragraph = next(mark.iterancestors(f"{W}p"), None)
        if paragraph is not None and first([paragraph, *styles.of(paragraph)], "pPr/jc") is None:
            mark.addnext(etree.Element(f"{W}jc", {f"{W}val": "start"}))


def _unburden(root: etree._Element) -> None:
    """Leave out the namespaces that are declared and not used: rdocx copies all of them for each element it reads."""
    if next(root.iter(f"{_COMPATIBLE}*"), None) is None:
        root.attrib.pop(f"{_COMPATIBLE}Ignorable", "")
        etree.cleanup_namespaces(root)


def _made(archive: zipfile.ZipFile, named: dict[str, list[str]]) -> Iterator[tuple[str, bytes]]:
    """The parts that hold fonts whose text needs composing, with what they shall hold."""
    targets = {one.get("Id"): f"word/{one.get('Target')}" for one in etree.fromstring(archive.read(_RELATIONSHIPS))}
    table = etree.fromstring(archive.read(_TABLE))
    for face in FACES:
        if face.family not in named:
            continue
        for kind, file in (("embedRegular", face.regular), ("embedBold", face.bold)):
            embedded = table.find(f"{W}font[@{W}name='{face.family}']/{W}{kind}")
            font = _font(face, file, named[face.family]) if embedded is not None and file else None
            if embedded is not None and font:
                key = uuid.UUID(embedded.get(f"{W}fontKey", "").strip("{}"))
                yield targets[embedded.get(_ID)], masked(font, key)


def _font(face: Face, file: Path, texts: list[str]) -> bytes | None:
    """The font that sets these texts rightly, in place of one of a face; None where that does so itself."""
    return unjoined(file, texts) if face.right_to_left else level(file, texts) or composed(file, texts)


def _replaced(archive: zipfile.ZipFile, new: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name in archive.namelist():
            out.writestr(name, new.get(name) or archive.read(name))
    return buffer.getvalue()
