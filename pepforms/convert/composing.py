"""For an engine that sets no mark over its letter: the embedded fonts of a Word file made anew for its text.

rdocx joins Arabic and Hebrew rightly, but sets all other scripts glyph by glyph without their offsets, and Bengali or
Punjabi that holds a danda without reordering it at all. In the fonts that it is given instead, each syllable or letter
with its marks is one glyph (`fonts/composing.py`). The Word file that people get keeps the fonts as they are.
"""

import io
import uuid
import zipfile
from collections.abc import Iterator

from lxml import etree

from pepforms.fonts import FACES, masked
from pepforms.fonts.composing import composed
from pepforms.text import word

_TABLE, _RELATIONSHIPS = "word/fontTable.xml", "word/_rels/fontTable.xml.rels"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def with_composed_fonts(docx: bytes) -> bytes:
    """The Word file with such fonts where its text needs them; as it is where it embeds none or is no zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(docx)) as archive:
            if _RELATIONSHIPS not in archive.namelist():
                return docx
            new = dict(_made(archive, word.read(docx).named))
            return _replaced(archive, new) if new else docx
    except (zipfile.BadZipFile, KeyError, etree.XMLSyntaxError):  # the engine says what is wrong with it
        return docx


def _made(archive: zipfile.ZipFile, named: dict[str, list[str]]) -> Iterator[tuple[str, bytes]]:
    """The parts that hold fonts whose text needs composing, with what they shall hold."""
    targets = {one.get("Id"): f"word/{one.get('Target')}" for one in etree.fromstring(archive.read(_RELATIONSHIPS))}
    table = etree.fromstring(archive.read(_TABLE))
    for face in FACES:
        if face.right_to_left or face.family not in named:
            continue
        for kind, file in (("embedRegular", face.regular), ("embedBold", face.bold)):
            embedded = table.find(f"{_W}font[@{_W}name='{face.family}']/{_W}{kind}")
            font = composed(file, named[face.family]) if embedded is not None and file else None
            if embedded is not None and font:
                key = uuid.UUID(embedded.get(f"{_W}fontKey", "").strip("{}"))
                yield targets[embedded.get(_ID)], masked(font, key)


def _replaced(archive: zipfile.ZipFile, new: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name in archive.namelist():
            out.writestr(name, new.get(name) or archive.read(name))
    return buffer.getvalue()
