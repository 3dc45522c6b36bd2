"""A Word file as a zip of parts: read strictly, written again fast.

Most parts of a template are the same in every document, so they are deflated once and copied as they are. Python's
zipfile cannot write bytes that are deflated already; the few structures that it takes are written here.
"""

import io
import posixpath
import struct
import zipfile
import zlib
from dataclasses import dataclass

from lxml import etree

from pepforms.errors import Refused

MOST_PARTS = 2_000
MOST_BYTES = 100 << 20
"""Larger than any real template: beyond these a file is a decompression bomb or a mistake."""

_STRICT = etree.XMLParser(resolve_entities=False, no_network=True)
_DAY = (1 << 5) | 1  # 1 January 1980, as reproducible zips have it
_MADE_BY = 20
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
)  # fmt: skip
"""What zipfile says of a file that is damaged, cut short, has a password or is no zip at all."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part, deflated, with what the zip's directory says of it."""

    deflated: bytes
    crc: int
    size: int

    @classmethod
    def of(cls, data: bytes, level: int = 6) -> "Part":
        """The part that holds these bytes."""
        squeeze = zlib.compressobj(level, zlib.DEFLATED, -15)
        return cls(squeeze.compress(data) + squeeze.flush(), zlib.crc32(data), len(data))


def read(data: bytes, name: str) -> dict[str, bytes]:
    """The parts of the Word file `name`, in their order; anything else is refused (slug `not-a-word-file`)."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = unpacked(archive, name)
    except UNREADABLE as error:
        raise Refused(
            f"{name} is not a Word file (.docx), or it is damaged or has a password. Save it again in Word.",
            slug="not-a-word-file",
        ) from error
    if "[Content_Types].xml" not in parts or "word/document.xml" not in parts:
        raise Refused(f"{name} is not a Word document: it has no text part.", slug="not-a-word-file")
    if b"macroEnabled" in parts["[Content_Types].xml"] or "word/vbaProject.bin" in parts:
        raise Refused(f"{name} carries macros. Save it as an ordinary .docx.", slug="macros")
    for part in parts:
        if part.endswith(".rels"):
            _check_relationships(parts, part, name)
    return parts


def unpacked(archive: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    """The files of the zip `name`, in their order; Refused where they are more than any template has."""
    entries = archive.infolist()
    if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Refused(f"{name} is too large to be a template.", slug="too-large")
    return {entry.filename: _content(archive, entry) for entry in entries if not entry.is_dir()}


def _check_relationships(parts: dict[str, bytes], part: str, name: str) -> None:
    """Word must find all that a part refers to inside the file; from outside it may only link to pages for people."""
    try:
        relationships = list(etree.fromstring(parts[part], _STRICT))
    except etree.XMLSyntaxError:
        raise Refused(f"{name} is damaged: it cannot be read. Save it again in Word.", slug="not-a-word-file") from None
    folder = posixpath.dirname(posixpath.dirname(part))
    for one in relationships:
        target, outside = one.get("Target", ""), one.get("TargetMode") == "External"
        if outside and not one.get("Type", "").endswith("/hyperlink"):
            raise Refused(
                f"{name} takes a picture, a template or an object from outside, whenever it is opened. Put it into "
                "the file, or remove it.",
                slug="outside-target",
            )
        within = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        if not outside and target and not target.startswith("#") and within not in parts:
            raise Refused(
                f"{name} is damaged: it refers to a part that it does not hold. Save it again in Word.",
                slug="not-a-word-file",
            )


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One part, no larger than the directory says: asked for all of it, zipfile would inflate a lie to the end."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("Word files are deflated")
    with archive.open(entry) as opened:
        return opened.read(entry.file_size)


def write(parts: dict[str, Part]) -> bytes:
    """The bytes of the zip; the same parts give the same bytes."""
    files: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for name, part in parts.items():
        encoded = name.encode()
        common = struct.pack(
            "<HHHHHIIIHH",
            _MADE_BY, 0x800, 8, 0, _DAY, part.crc, len(part.deflated), part.size, len(encoded), 0,
        )  # fmt: skip
        central = b"PK\x01\x02" + struct.pack("<H", _MADE_BY) + common + struct.pack("<HHHII", 0, 0, 0, 0, offset)
        directory += (central, encoded)
        files += (b"PK\x03\x04" + common, encoded, part.deflated)
        offset += 4 + len(common) + len(encoded) + len(part.deflated)
    size = sum(map(len, directory))
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(parts), len(parts), size, offset, 0)
    return b"".join((*files, *directory, end))
