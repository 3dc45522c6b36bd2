"""All that a Word file and a PDF say: what stands on the page, and what no page shows."""

import io
import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pepforms.letters import BREAK
from pepforms.text import pdf as pdf_text

BODY, BETWEEN = "in the text of the Word file", "from one page to the next"


@dataclass(frozen=True, slots=True)
class Said:
    """Text that a document holds: where it stands, in words that follow “it stands”, and what it says."""

    where: str
    text: str


def in_word(docx: bytes) -> Iterator[Said]:
    """All that a Word file says: text seen and hidden, deleted and commented, alternative texts, properties, names."""
    with zipfile.ZipFile(io.BytesIO(docx)) as parts:
        yield Said("in the names of the Word file’s parts", _apart(parts.namelist()))
        comments = (parts.comment, *(part.comment for part in parts.infolist()))
        yield Said("in the comments of the Word file’s archive", _apart(map(_decoded, filter(None, comments))))
        for name in parts.namelist():
            if not name.startswith("word/theme/") and name not in _LOOKS and not name.endswith(".odttf"):
                yield from _in_part(name, parts.read(name))


_LOOKS = ("word/fontTable.xml", "word/styles.xml")
"""Parts that say how a page looks and nothing else."""


def _in_part(name: str, content: bytes) -> Iterator[Said]:
    from lxml import etree

    where = f"in the Word file, {name}"
    if name.endswith((".xml", ".rels")):
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
        if name == "word/numbering.xml":
            yield Said(where, _apart(_list_texts(root)))
            return
        yield Said(BODY if name == "word/document.xml" else where, "".join(_of_xml(root)))
        yield Said(f"{where}, where it does not print", _apart(sorted(_unprinted(root))))
    elif name.endswith((".png", ".jpg", ".jpeg")):
        yield Said(f"{where}, beside the picture", _apart(map(_decoded, _beside_picture(content))))
    elif zipfile.is_zipfile(io.BytesIO(content)):
        yield from (Said(f"{where}: {said.where}", said.text) for said in in_word(content))
    else:
        yield Said(where, _decoded(content))


def _apart(texts: Iterable[str]) -> str:
    """Texts that have nothing to do with one another."""
    return BREAK.join(texts)


def _decoded(content: bytes) -> str:
    """Bytes as text, of one byte a letter or of two."""
    text = content.decode("utf-8", "replace")
    return f"{text}{BREAK}{text.replace(chr(0), '')}" if "\0" in text else text


_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


def _beside_picture(content: bytes) -> Iterator[bytes]:
    """What the file of a picture holds but the picture: texts, what the camera noted, what stands after its end."""
    if content.startswith(_PNG):
        yield from _of_png(content)
    elif content.startswith(b"\xff\xd8\xff"):
        yield from _of_jpeg(content)
    else:
        yield content


def _of_png(content: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind, held = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += 12 + length
        if kind not in _PIXELS:
            yield held
            yield from _unpacked(held)
        if kind == b"IEND":
            break
    yield content[at:]


def _unpacked(held: bytes) -> Iterator[bytes]:
    """Text of a PNG that is compressed, after its name."""
    start = held.find(b"\x78", held.find(b"\0"))
    if start > 0:
        try:
            yield zlib.decompressobj().decompress(held[start:], 1_000_000)
        except zlib.error:
            return  # it was no compressed text: as it stands, it is said already


def _of_jpeg(content: bytes) -> Iterator[bytes]:
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", content, at + 2)
        if content[at + 1] == 0xFE or 0xE0 <= content[at + 1] <= 0xEF:  # a comment, or what a program noted
            yield content[at + 4 : at + 2 + length]
        at += 2 + length
    yield content[content.rfind(b"\xff\xd9") + 2 :] if b"\xff\xd9" in content else content[at:]


_FONTS_AND_LANGUAGES = ("rFonts", "lang")
_IN_WORDS = ("docVar", "alias", "tag", "tblCaption", "tblDescription", "bookmarkStart", "property")
"""Elements whose attributes people write, in digits alone too; and such attributes wherever they are."""
_WRITTEN = ("descr", "title", "alt")


def _unprinted(root: Any) -> set[str]:
    """What a part says beside its text: alternative texts, names, authors, tags, text between elements."""
    said = set()
    for each in root.iter("*"):
        if each.tail and not each.tail.isspace():
            said.add(each.tail)
        if not each.attrib:
            continue
        kind = each.tag.rpartition("}")[2]
        if kind not in _FONTS_AND_LANGUAGES:
            for name, value in each.attrib.items():
                if kind in _IN_WORDS or name in _WRITTEN or re.search(r"[^\W\d_]{2}", value):
                    said.add(str(value))
    return said


def _list_texts(root: Any) -> Iterator[str]:
    """What stands before the entries of lists."""
    for each in root.iter("{*}lvlText"):
        yield from map(str, each.attrib.values())


def _of_xml(root: Any) -> Iterator[str]:
    """The text of a part, a break after each paragraph and property."""
    runs = ("t", "delText", "instrText")
    for each in root.iter():
        if not isinstance(each.tag, str):
            yield f"\n{BREAK}{each.text or ''}{BREAK}\n"
            continue
        kind = each.tag.rpartition("}")[2]
        if kind in ("p", "br", "tab", "cr"):
            yield "\n"
        yield (each.text or "") if kind in runs else f"\n{each.text}\n" if (each.text or "").strip() else ""


def in_pdf(pdf: bytes) -> Iterator[Said]:
    """All that a PDF says: its pages, metadata, bookmarks, alternative texts, comments, attachments, names."""
    import pikepdf

    pages = pdf_text.seen(pdf)
    for number, page in enumerate(pages, 1):
        yield Said(f"on page {number}", page)
    yield from _over_pages(pages)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        unseen = _strings(document)
        yield Said("in the PDF’s unseen texts", _apart(sorted(unseen)))
        yield Said("in the spoken words of the PDF", _apart(_spoken(document)))
        for kind, content in (*_noted(document), *(_kept_by_programs(document) if "PieceInfo" in unseen else ())):
            yield Said(f"in the PDF’s {kind}", re.sub(r"<[^>]*>", " ", content) + BREAK + content)


def _over_pages(pages: list[str]) -> Iterator[Said]:
    """The end of each page with the beginning of the next."""
    for before, after in itertools.pairwise(pages):
        yield Said(BETWEEN, f"{before[-400:]} {after[:400]}")


_OF_THE_FORMAT = frozenset(
    {
        "A", "Alt", "Alternate", "Ascent", "BaseFont", "BitsPerComponent", "CIDFontType2", "CIDSystemInfo",
        "CIDToGIDMap", "CapHeight", "Catalog", "ColorSpace", "Column", "Columns", "Contents", "Count",
        "Creator", "DW", "DecodeParms", "DescendantFonts", "Descent", "Dest", "DestOutputProfile",
        "DeviceRGB", "DisplayDocTitle", "Document", "Encoding", "Figure", "Filter", "First", "Flags",
        "FlateDecode", "Font", "FontBBox", "FontDescriptor", "FontFile2", "FontName", "Height", "ID",
        "Identity", "Image", "Info", "ItalicAngle", "K", "Kids", "Lang", "Last", "Length", "MarkInfo",
        "Marked", "MediaBox", "Metadata", "N", "Next", "Nums", "O", "Ordering", "Outlines", "OutputCondition",
        "OutputConditionIdentifier", "OutputIntent", "OutputIntents", "P", "Page", "Pages", "Parent",
        "ParentTree", "ParentTreeNextKey", "Pg", "Predictor", "Prev", "Producer", "Registry", "RegistryName",
        "Resources", "Root", "S", "Scope", "Size", "StemV", "StructElem", "StructParents", "StructTreeRoot",
        "Subtype", "Supplement", "Table", "Tabs", "Title", "ToUnicode", "Type", "ViewerPreferences", "W",
        "Width", "XObject",
    }
)  # fmt: skip
"""Names that a PDF has of itself, some of which are people’s."""


def _strings(document: Any) -> set[str]:
    """Every text and name in the objects of a PDF: titles, alternative texts, notes, names of files and of things."""
    import pikepdf

    texts, names, waiting = set[str](), set[str](), list(document.objects)
    while waiting:
        each = waiting.pop()
        if isinstance(each, pikepdf.String):
            texts.add(str(each))
        elif isinstance(each, pikepdf.Name):
            names.add(str(each))
        elif isinstance(each, pikepdf.Array):
            waiting += [part for part in each if not getattr(part, "is_indirect", False)]
        elif isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
            names |= each.keys()
            waiting += [part for _, part in each.items() if not getattr(part, "is_indirect", False)]
    return texts | ({name[1:] for name in names} - _OF_THE_FORMAT)


_SPOKEN = re.compile(rb"/(?:ActualText|Alt|E)\s*(\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>)", re.DOTALL)


def _spoken(document: Any) -> Iterator[str]:
    """What page contents, and the forms that they draw, have a screen reader say in place of what is drawn."""
    import pikepdf

    for page in document.pages:
        page.contents_coalesce()
    contents = [page.Contents for page in document.pages if "/Contents" in page]
    drawn = [each for each in _streams(document) if each.get("/Subtype") == "/Form"]
    for each in (*contents, *drawn):
        for spoken in _SPOKEN.findall(each.read_bytes()):
            yield str(pikepdf.Object.parse(spoken))


def _noted(document: Any) -> Iterator[tuple[str, str]]:
    """Metadata and attachments."""
    kinds = {"/Metadata": "metadata", "/EmbeddedFile": "attachment"}
    for each in _streams(document):
        if kind := kinds.get(str(each.get("/Type", ""))):
            yield kind, _decoded(each.read_bytes())


def _streams(document: Any) -> Iterator[Any]:
    import pikepdf

    return (each for each in document.objects if isinstance(each, pikepdf.Stream))


def _kept_by_programs(document: Any) -> Iterator[tuple[str, str]]:
    """What programs keep in a PDF for themselves: the streams under each `/PieceInfo`."""
    import pikepdf

    holders = (each for each in document.objects if isinstance(each, pikepdf.Dictionary | pikepdf.Stream))
    waiting = [each.PieceInfo for each in holders if "/PieceInfo" in each]
    seen = set()
    while waiting:
        each = waiting.pop()
        if getattr(each, "is_indirect", False):
            if each.objgen in seen:
                continue
            seen.add(each.objgen)
        if isinstance(each, pikepdf.Stream):
            yield "private data", _decoded(each.read_bytes())
        if isinstance(each, pikepdf.Array):
            waiting += list(each)
        elif isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
            waiting += [part for name, part in each.items() if name != "/Parent"]
