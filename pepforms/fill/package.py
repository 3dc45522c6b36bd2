"""A Word file as a zip of parts: read strictly, written again fast.

Most parts of a template are the same in every document, so they are deflated once and copied as they are. Python's
zipfile cannot write bytes that are deflated already; the few structures that it takes are written here.
"""

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
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


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a Word file is refused; where a reference is at fault, the part that holds it and its id there."""

    refused: Refused
    part: str = ""
    reference: str = ""


def read(data: bytes, name: str) -> dict[str, bytes]:
    """The parts of the Word file `name`, in their order; anything else is refused (slug `not-a-word-file`)."""
    parts = opened(data, name)
    for objection in objections(parts, name):
        raise objection.refused
    return parts


def opened(data: bytes, name: str) -> dict[str, bytes]:
    """The parts of a Word file, whatever they are; Refused for what is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = unpacked(archive, name)
    except UNREADABLE as error:
        raise Refused(f"{name} {_what_it_is(data)}", slug="not-a-word-file") from error
    if parts.get("mimetype", b"").startswith(b"application/vnd.oasis"):
        raise Refused(
            f"{name} is a document of LibreOffice. Open it there, and save it as Word (.docx).", slug="not-a-word-file"
        )
    if "[Content_Types].xml" not in parts or "word/document.xml" not in parts:
        raise Refused(f"{name} is not a Word document: it has no text part.", slug="not-a-word-file")
    return parts


def _what_it_is(data: bytes) -> str:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "has a password. Open it in Word, and take the password out (File, Info, Protect Document)."
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "is in Word’s format of before 2007 (.doc), or damaged. Open it in Word, and save it as .docx."
    return "is not a Word file (.docx), or it is damaged or has a password. Save it again in Word."


def unpacked(archive: zipfile.ZipFile, name: str) -> dict[str, bytes]:
    """The files of the zip `name`, in their order; Refused where they are more than any template has."""
    entries = archive.infolist()
    if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise Refused(f"{name} is too large to be a template.", slug="too-large")
    return {entry.filename: _content(archive, entry) for entry in entries if not entry.is_dir()}


def objections(parts: dict[str, bytes], name: str) -> Iterator[Objection]:
    """All for which a Word file is refused: macros, what it takes from outside or embeds, what it lacks."""
    if b"macroEnabled" in parts["[Content_Types].xml"] or "word/vbaProject.bin" in parts:
        yield Objection(Refused(f"{name} carries macros. Save it as an ordinary .docx.", slug="macros"))
    for part in parts:
        if part.endswith(".rels"):
            yield from _of_relationships(parts, part, name)


def _of_relationships(parts: dict[str, bytes], part: str, name: str) -> Iterator[Objection]:
    """Word must find all that a part refers to inside the file; from outside it may only link to pages for people."""
    folder, stem = posixpath.dirname(posixpath.dirname(part)), posixpath.basename(part).removesuffix(".rels")
    holder = posixpath.join(folder, stem)
    try:
        relationships = list(etree.fromstring(parts[part], _STRICT))
    except etree.XMLSyntaxError:
        damaged = f"{name} is damaged: it cannot be read. Save it again in Word."
        yield Objection(Refused(damaged, slug="not-a-word-file"))
        return
    for one in relationships:
        target, outside = one.get("Target", ""), one.get("TargetMode") == "External"
        kind, reference = one.get("Type", "").rsplit("/", 1)[-1], one.get("Id", "")
        if outside and kind != "hyperlink":
            told = f"{name} takes {_OUTSIDE.get(kind, _FROM_OUTSIDE)}"
            yield Objection(Refused(told, slug="outside-target"), holder, reference)
        elif kind in _EMBEDDED:
            told = f"{name} holds {_EMBEDDED[kind]}"
            yield Objection(Refused(told, slug="embedded-object"), holder, reference)
        within = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        if not outside and target and not target.startswith("#") and within not in parts:
            lacking = f"{name} is damaged: it refers to a part that it does not hold. Save it again in Word."
            yield Objection(Refused(lacking, slug="not-a-word-file"), holder, reference)


_FROM_OUTSIDE = (
    "a picture, a template or an object from outside, whenever it is opened. Put it into the file, or remove it."
)
_OUTSIDE = {
    "image": "a picture from outside, whenever it is opened. Put the picture itself into the file (Insert, Pictures).",
    "attachedTemplate": "its styles from a template outside, whenever it is opened. Choose Normal instead (File, "
    "Options, Add-ins, Manage: Templates, Go).",
    "oleObject": "an object from outside, whenever it is opened. Paste it as text or as a picture instead.",
}
"""What a Word file may take from outside, by the kind of its relationship, and what to do about it."""

_AS_PICTURE = "which no PDF shows and which may hold more than is seen. Paste what it shows as a table or as a picture."
_EMBEDDED = {
    "oleObject": f"an object of another program, {_AS_PICTURE}",
    "control": f"a button or box of another program (ActiveX), {_AS_PICTURE}",
    "aFChunk": "another document whole, which no PDF shows. Copy its text into the template.",
}
"""What a Word file may not embed, by the kind of its relationship, and what to do about it."""


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
