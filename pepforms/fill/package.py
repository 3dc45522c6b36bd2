"""A Word file as a zip of parts: read strictly, written again fast.

Most parts of a template are the same in every document, so they are deflated once and copied as they are. Python's
zipfile cannot write bytes that are deflated already; the few structures that it takes are written here.
"""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from pepforms.errors import Refused

MOST_PARTS = 2_000
MOST_BYTES = 100 << 20
"""Larger than any real template: beyond these a file is a decompression bomb or a mistake."""

_STRICT = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
_TEXT = "word/document.xml"
_TYPES = "[Content_Types].xml"
_NAMES = {"document": "text", "core": "document properties", "[Content_Types]": "list of parts"}
_WORD = {"w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main"}
_STRICT_WORD = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_PREFIXED_OTHERWISE = etree.XPath("boolean(//w:*[not(starts-with(name(), 'w:'))])", namespaces=_WORD)
_OUT_OF_ITS_TABLE = etree.XPath("boolean(//w:tc[not(ancestor::w:tr)] | //w:tr[not(ancestor::w:tbl)])", namespaces=_WORD)
_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
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
    for objection in objections(parts, parsed(parts, name), name):
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
    if any(re.fullmatch(r"word/document\d+\.xml", part) for part in parts) and _TEXT not in parts:
        raise Refused(
            f"{name} was saved by Word in a browser, in a form of its own. Open it in Word on a computer, and choose "
            "File, Save As, Word Document (.docx).",
            slug="not-a-word-file",
        )
    if _TYPES not in parts or _TEXT not in parts:
        raise Refused(f"{name} is not a Word document: it has no text part.", slug="not-a-word-file")
    return parts


def title(part: str) -> str:
    """What an author calls a part: text, header 1, footer 2, document properties."""
    if part.endswith(".rels"):
        return "list of parts"
    stem = part.rsplit("/", 1)[-1].removesuffix(".xml")
    return _NAMES.get(stem) or re.sub(r"(\D)(\d)", r"\1 \2", stem)


def parsed(parts: Mapping[str, bytes], name: str) -> dict[str, etree._Element]:
    """All parts that are XML; Refused (slug `not-a-word-file`) where one is damaged or not written as Word does."""
    if "_rels/.rels" not in parts:
        raise _damaged(name, title("_rels/.rels"))
    roots: dict[str, etree._Element] = {}
    for part, content in parts.items():
        if not part.endswith((".xml", ".rels")):
            continue
        try:
            root = roots[part] = etree.fromstring(content, _STRICT)
        except etree.XMLSyntaxError as error:
            raise _damaged(name, title(part)) from error
        if etree.ElementTree(root).docinfo.internalDTD is not None:  # Word writes none: it could only hide or swell
            raise _damaged(name, title(part))
        if root.tag.startswith(f"{{{_STRICT_WORD}}}"):
            told = (
                f"{name} is in Word’s strict form. Open it in Word, and save it as Word Document (.docx), not Strict."
            )
            raise Refused(told, slug="not-a-word-file")
        if _PREFIXED_OTHERWISE(root):
            told = (
                f"{name} was written by another program, otherwise than Word does. Open it in Word, and save it again."
            )
            raise Refused(told, slug="not-a-word-file")
        if _OUT_OF_ITS_TABLE(root):
            raise _damaged(name, title(part))
    return roots


def _damaged(name: str, where: str) -> Refused:
    return Refused(f"{name} is damaged in its {where}. Save it again in Word.", slug="not-a-word-file")


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


def objections(parts: Mapping[str, bytes], roots: Mapping[str, etree._Element], name: str) -> Iterator[Objection]:
    """All for which a Word file is refused: macros, what it takes from outside or embeds, what it lacks."""
    kind = next((one.get("ContentType", "") for one in roots[_TYPES] if one.get("PartName") == f"/{_TEXT}"), "")
    if b"macroEnabled" in parts[_TYPES] or "word/vbaProject.bin" in parts:
        yield Objection(Refused(f"{name} carries macros. Save it as an ordinary .docx.", slug="macros"))
    elif kind.endswith(".template.main+xml"):
        told = f"{name} is a template of Word’s own kind (.dotx). Save it as Word Document (.docx)."
        yield Objection(Refused(told, slug="not-a-word-file"))
    elif kind != _DOCUMENT:
        yield Objection(_damaged(name, title(_TYPES)))
    for part, root in roots.items():
        if part.endswith(".rels"):
            yield from _of_relationships(parts, part, root, name)


def _of_relationships(parts: Mapping[str, bytes], part: str, root: etree._Element, name: str) -> Iterator[Objection]:
    """Word must find all that a part refers to inside the file; from outside it may only link to pages for people."""
    folder, stem = posixpath.dirname(posixpath.dirname(part)), posixpath.basename(part).removesuffix(".rels")
    holder = posixpath.join(folder, stem)
    for one in root.iterchildren("*"):
        target, outside = one.get("Target", ""), one.get("TargetMode") == "External"
        kind, reference = one.get("Type", "").rsplit("/", 1)[-1], one.get("Id", "")
        within = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        slug = told = ""
        if kind == "image" and target.rpartition("/")[2] == "NULL":
            slug, told = "not-a-word-file", f"{name} {_LOST_PICTURE}"
        elif outside and kind != "hyperlink":
            slug, told = "outside-target", f"{name} takes {_OUTSIDE.get(kind, _FROM_OUTSIDE)}"
        elif kind in _EMBEDDED:
            chart = kind == "package" and holder.startswith("word/charts/")
            slug, told = "embedded-object", f"{name} holds {_OF_A_CHART if chart else _EMBEDDED[kind]}"
        elif not outside and target and not target.startswith("#") and within not in parts:
            slug = "not-a-word-file"
            told = f"{name} is damaged: it refers to a part that it does not hold. Save it again in Word."
        if told:
            yield Objection(Refused(told, slug=slug), holder, reference)


def relations(part: str) -> str:
    """The part that lists the relationships of a part: word/_rels/document.xml.rels of word/document.xml."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


_FROM_OUTSIDE = (
    "a picture, a template or an object from outside, whenever it is opened. Put it into the file, or remove it."
)
_MAIL_MERGE = "names out of a list, whenever it is opened. Choose Mailings, Start Mail Merge, Normal Word Document."
_LOST_PICTURE = (
    "has lost one of its pictures. Delete it where Word shows a red cross or an empty frame, and insert it anew."
)
_OUTSIDE = {
    "image": "a picture from outside, whenever it is opened. Put the picture itself into the file (Insert, Pictures).",
    "attachedTemplate": "its styles from a template outside, whenever it is opened. Choose Normal instead (File, "
    "Options, Add-ins, Manage: Templates, Go).",
    "oleObject": "an object from outside, whenever it is opened. Paste it as text or as a picture instead.",
    **dict.fromkeys(("mailMergeSource", "mailMergeHeaderSource"), _MAIL_MERGE),
}
"""What a Word file may take from outside, by the kind of its relationship, and what to do about it."""

_AS_PICTURE = "which no PDF shows and which may hold more than is seen. Paste what it shows as a table or as a picture."
_OF_A_CHART = (
    "the workbook of a chart, which no PDF shows and which may hold more than is seen. Paste the chart as a picture."
)
_EMBEDDED = {
    **dict.fromkeys(("oleObject", "package"), f"an object of another program, {_AS_PICTURE}"),
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
