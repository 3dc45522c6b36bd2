"""What an engine must know of a Word file before it opens it."""

import functools
import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree

from pepforms import fonts
from pepforms.digest import sha256

_MAIN_PARTS = (
    b"wordprocessingml.document.main+xml",
    b"wordprocessingml.template.main+xml",
    b"ms-word.document.macroEnabled.main+xml",
    b"ms-word.template.macroEnabledTemplate.main+xml",
)
_TABLE = "word/fontTable.xml"
_TABLE_RELATIONSHIPS = "word/_rels/fontTable.xml.rels"
_NAME = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}name"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MASKED = 32
"""Bytes at the start of an embedded font that its key obfuscates."""

_STRICT = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def is_whole(docx: bytes) -> bool:
    """Whether the bytes are a Word file, all of it; whether its parts make sense is not asked."""
    try:
        with zipfile.ZipFile(io.BytesIO(docx)) as package:
            types = package.read("[Content_Types].xml")
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError, EOFError):
        return False
    return any(part in types for part in _MAIN_PARTS)


def brings_fonts(docx: bytes) -> bool:
    """Whether a Word file embeds fonts of its own, or ours under another name."""
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        try:
            return any(font not in _ours() for font in _embedded(package))
        except (etree.XMLSyntaxError, KeyError):
            return True


def _embedded(package: zipfile.ZipFile) -> Iterator[tuple[str | None, str]]:
    """The name and the digest of each font that is embedded."""
    for part in [name for name in package.namelist() if name.endswith(".rels")]:
        for relationship in etree.fromstring(package.read(part), _STRICT):
            if not relationship.get("Type", "").endswith("/font"):
                continue
            target = posixpath.normpath(posixpath.join("/word", relationship.get("Target", "")))
            yield _name(package, part, relationship.get("Id")), sha256(package.read(target[1:])[_MASKED:])


def _name(package: zipfile.ZipFile, part: str, identity: str | None) -> str | None:
    if part != _TABLE_RELATIONSHIPS:
        return None
    table = etree.fromstring(package.read(_TABLE), _STRICT)
    names = [font.get(_NAME) for font in table for embedded in font if embedded.get(_ID) == identity]
    return names[0] if len(names) == 1 else None


@functools.cache
def _ours() -> frozenset[tuple[str | None, str]]:
    files = ((face.family, file) for face in fonts.FACES for file in (face.regular, face.bold) if file)
    return frozenset((family, sha256(file.read_bytes()[_MASKED:])) for family, file in files)
