"""What must be seen to in a Word file before LibreOffice opens it."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from xml.sax.saxutils import escape

from lxml import etree

_MAIN_PARTS = (
    b"wordprocessingml.document.main+xml",
    b"wordprocessingml.template.main+xml",
    b"ms-word.document.macroEnabled.main+xml",
    b"ms-word.template.macroEnabledTemplate.main+xml",
)
_NAME = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}name"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_NAMING = re.compile(rb"""\b(ascii|hAnsi|eastAsia|cs|name|typeface)=("|')([^"'<>]*)\2""")
"""An attribute that may name a font."""

_KEPT_WHOLE = re.compile(rb"""<w:cantSplit(?:\s[^>]*)?/>""")

_STRICT = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def is_whole(docx: bytes) -> bool:
    """Whether the bytes are a Word file, all of it; whether its parts make sense is not asked."""
    try:
        with zipfile.ZipFile(io.BytesIO(docx)) as package:
            types = package.read("[Content_Types].xml")
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError, EOFError):
        return False
    return any(part in types for part in _MAIN_PARTS)


def prepared(docx: bytes, suffix: str) -> bytes:
    """The Word file with its embedded fonts under names of its own, ending in the suffix, and rows that may be split.

    LibreOffice 7.4 loses rows at the foot of a page that must stay whole.
    """
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        try:
            names = {name: name + suffix.encode() for name in _embedded(package)}
        except (etree.XMLSyntaxError, KeyError):
            return docx
        return _rewritten(package, names)


def _embedded(package: zipfile.ZipFile) -> Iterator[bytes]:
    """The name of each embedded font, as XML writes it."""
    for part in package.namelist():
        folder, _, stem = part.removesuffix(".rels").rpartition("/_rels/")
        if not part.endswith(".rels") or b"/font" not in (relationships := package.read(part)):
            continue
        identities = {
            one.get("Id") for one in etree.fromstring(relationships, _STRICT) if one.get("Type", "").endswith("/font")
        }
        for font in etree.fromstring(package.read(f"{folder}/{stem}"), _STRICT) if identities else ():
            if any(one.get(_ID) in identities for one in font):
                yield escape(font.get(_NAME, "")).encode()


def _rewritten(package: zipfile.ZipFile, names: dict[bytes, bytes]) -> bytes:
    def rename(attribute: re.Match[bytes]) -> bytes:
        kind, quote, name = attribute.groups()
        return b"".join((kind, b"=", quote, names.get(name, name), quote))

    renamed = io.BytesIO()
    with zipfile.ZipFile(renamed, "w") as out:
        for part in package.namelist():
            data = package.read(part)
            if part.endswith(".xml"):
                data = _KEPT_WHOLE.sub(b"", _NAMING.sub(rename, data) if names else data)
            out.writestr(part, data)
    return renamed.getvalue()
