"""The text of a Word file and of a PDF: what each says, and what the PDF draws.

Both are read as they are written, by the tags of the one and the marked content of the other: no engine's guess at words,
lines or columns stands between. What is *said* is what a screen reader takes: the text that is no artifact, where a
span's own words (`/ActualText`) go before its glyphs.
"""

import functools
import io
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lxml import etree

if TYPE_CHECKING:
    import pikepdf

LINE_END = "\n"
"""Parts pieces of text between which a reader sees a space or a line's end, or nothing at all: only drawn spaces are sure."""


# --- a PDF -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Page:
    """One page: what it says, what it shows beside (headers, footers, stamps), and how often it shows the empty box.

    `spoken` is what spans say of themselves, `drawn` what their glyphs say.
    """

    said: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    boxes: int = 0


@dataclass(slots=True)
class Shown:
    """A PDF's pages; and of each family that was to be counted, how many glyphs of its text leave ink."""

    pages: list[Page]
    glyphs: Counter[str]


def of_pdf(pdf: bytes, counted: frozenset[str] = frozenset()) -> Shown:
    """What a tagged PDF says and shows, read from the operators of its pages; `counted` are families of fonts."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf), suppress_warnings=True) as document:
        fonts: dict[tuple[int, int], _Font] = {}
        pages = [_Reader(fonts).read(page.obj) for page in document.pages]
        glyphs = Counter[str]()
        for font in fonts.values():
            if font.family in counted:
                glyphs[font.family] += font.inked()
        return Shown(pages, glyphs)


def described(pdf: bytes) -> Counter[str]:
    """The alternative texts of the pictures of a PDF."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf), suppress_warnings=True) as document:
        return Counter(
            str(thing["/Alt"])
            for thing in document.objects
            if isinstance(thing, pikepdf.Dictionary) and "/Alt" in thing and thing.get("/S") == "/Figure"
        )


_LITERAL = rb"\((?:[^\\()]|\\.|\((?:[^\\()]|\\.)*\))*\)"
_TOKEN = re.compile(
    rb"""
    (?P<before> [^\[(</]* )
    (?: (?P<shown> \[ (?: [^\[\]()<>]+ | <[^<>]*> | %(literal)s )* \] | <[0-9A-Fa-f\s]*> | %(literal)s )
        \s* (?P<shows> TJ | Tj | ' | " )?
      | /(?P<tag> [^\s/<>\[\]()]+ ) \s* (?P<says> << (?: [^<>()]+ | <[^<>]*> | %(literal)s )* >> | /[^\s/<>\[\]()]+ )?
        \s* (?: BDC | BMC )
      | /(?P<name> [^\s/<>\[\]()]+ ) \s+ (?: [-+.\d]+ \s+ (?P<font> Tf ) | (?P<form> Do ) ) \b
      | . | \Z )
    """
    % {b"literal": _LITERAL},
    re.VERBOSE | re.DOTALL,
)
"""One of the operators that matter, and what stands before it; all others hold no name, string or array."""

_STRING = re.compile(rb"<([0-9A-Fa-f\s]*)>|(" + _LITERAL + rb")", re.DOTALL)
_ESCAPE = re.compile(rb"\\([nrtbf()\\]|[0-7]{1,3}|\r\n|\r|\n)")
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"(": b"(", b")": b")", b"\\": b"\\"}
_SPOKEN = re.compile(rb"/ActualText\s*(<[^<>]*>|" + _LITERAL + rb")", re.DOTALL)


class _Reader:
    """Reads one page's operators, and those of the forms that it draws."""

    def __init__(self, fonts: dict[tuple[int, int], "_Font"]) -> None:
        self._fonts = fonts
        self._page = Page()
        self._around: list[str] = []  # of each marked content that is open: "text", "spoken" or "beside"

    def read(self, page: "pikepdf.Object") -> Page:
        import pikepdf

        content = page.get("/Contents", pikepdf.Array())
        streams = content if isinstance(content, pikepdf.Array) else [content]
        self._operators(b"\n".join(stream.read_bytes() for stream in streams), page.get("/Resources", {}))
        return self._page

    def _operators(self, content: bytes, resources: Any) -> None:
        font: _Font | None = None
        for before, shown, shows, tag, says, name, sets_font, draws_form in _TOKEN.findall(content):
            if b"EMC" in before or b"BT" in before:
                self._part()
                del self._around[len(self._around) - before.count(b"EMC") :]
            if shows and font:
                self._show(shown, font)
            elif tag:
                self._begin(tag, says, resources)
            elif sets_font:
                font = self._font(resources.Font["/" + name.decode()])
            elif draws_form:
                self._form(resources, "/" + name.decode())

    def _show(self, operand: bytes, font: "_Font") -> None:
        text, codes, boxes = font.said(operand)
        self._page.boxes += boxes
        if "beside" in self._around:
            self._page.beside.append(text)
            return
        font.shown.append(codes)
        (self._page.drawn if "spoken" in self._around else self._page.said).append(text)

    def _begin(self, tag: bytes, says: bytes, resources: Any) -> None:
        self._part()
        spoken = _spoken(says, resources)
        if tag == b"Artifact":
            self._around.append("beside")
        elif spoken is None:
            self._around.append("text")
        else:
            if not {"beside", "spoken"}.intersection(self._around):
                self._page.said.append(spoken)
                self._page.spoken.append(spoken)
            self._around.append("spoken")

    def _part(self) -> None:
        (self._page.beside if "beside" in self._around else self._page.said).append(LINE_END)

    def _form(self, resources: Any, name: str) -> None:
        form = resources.XObject[name]
        if form.get("/Subtype") == "/Form":
            self._operators(form.read_bytes(), form.get("/Resources", resources))

    def _font(self, font: "pikepdf.Object") -> "_Font":
        if font.objgen not in self._fonts:
            self._fonts[font.objgen] = _Font(font)
        return self._fonts[font.objgen]


def _spoken(says: bytes, resources: Any) -> str | None:
    """What a span says of itself, whatever glyphs it holds."""
    if says.startswith(b"/"):
        listed = resources.Properties[says.decode()]
        return str(listed["/ActualText"]) if "/ActualText" in listed else None
    found = _SPOKEN.search(says)
    if not found:
        return None
    raw = b"".join(map(_bytes, _STRING.findall(found[1])))
    return raw[2:].decode("utf-16-be") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")


@functools.lru_cache(maxsize=4096)
def _bytes(string: tuple[bytes, bytes]) -> bytes:
    """The bytes of a string, from its hexadecimal digits or as it stands in brackets."""
    digits, literal = string
    if literal:
        return _ESCAPE.sub(_unescaped, literal[1:-1])
    digits = b"".join(digits.split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


def _unescaped(escape: "re.Match[bytes]") -> bytes:
    if escape[1].isdigit():
        return bytes([int(escape[1], 8) & 255])
    return _ESCAPED.get(escape[1], b"")  # a line end after a backslash goes on in the same line


class _Font:
    """A font of the PDF: what its codes say, and which of them leave ink or show the empty box."""

    def __init__(self, font: "pikepdf.Object") -> None:
        self._wide = 2 if font.Subtype == "/Type0" else 1
        self._font = font.DescendantFonts[0] if self._wide == 2 else font
        self.family = re.sub(r"^[A-Z]{6}\+|[-,].*$", "", str(font.BaseFont)[1:])
        self._letters = _letters(font.ToUnicode.read_bytes()) if "/ToUnicode" in font else {}
        self._said: dict[bytes, tuple[str, bytes, int]] = {}
        self.shown: list[bytes] = []

    def said(self, operand: bytes) -> tuple[str, bytes, int]:
        """What an operand says, its codes, and how many of them show the empty box; most words stand there often."""
        if operand not in self._said:
            codes = b"".join(map(_bytes, _STRING.findall(operand)))
            numbers = self._numbers(codes)
            text = "".join(self._letters.get(number, "") for number in numbers)
            self._said[operand] = text, codes, sum(number in self._boxes for number in numbers)
        return self._said[operand]

    def inked(self) -> int:
        """How many glyphs that leave ink the PDF shows in this font."""
        return sum(bool(self._glyph(number)) for codes in self.shown for number in self._numbers(codes))

    def _numbers(self, codes: bytes) -> tuple[int, ...]:
        return struct.unpack(f">{len(codes) // 2}H", codes[: len(codes) // 2 * 2]) if self._wide == 2 else tuple(codes)

    def _glyph(self, number: int) -> bytes:
        place = self._places.get(number, 0) if self._wide == 1 else number
        return self._outlines[place] if place < len(self._outlines) else b""

    @functools.cached_property
    def _boxes(self) -> frozenset[int]:
        """The codes that show glyph 0, or a copy of it under another number."""
        if self._wide == 2:
            return frozenset([0])
        box = self._outlines[0] if self._outlines else b""
        return frozenset(code for code, place in self._places.items() if place == 0 or (box and self._glyph(code) == box))

    @functools.cached_property
    def _outlines(self) -> list[bytes]:
        return _outlines(self._font.FontDescriptor.FontFile2.read_bytes())

    @functools.cached_property
    def _places(self) -> dict[int, int]:
        """The glyph's number for each code of a font of single bytes."""
        from fontTools.ttLib import TTFont

        with TTFont(io.BytesIO(self._font.FontDescriptor.FontFile2.read_bytes()), lazy=True) as font:
            tables = font["cmap"].tables if "cmap" in font else []
            return {code & 255: font.getGlyphID(name) for table in tables for code, name in table.cmap.items()}


def _outlines(file: bytes) -> list[bytes]:
    """The outline of each glyph of a TrueType font as it is stored, empty for one that leaves no ink."""
    count = struct.unpack_from(">H", file, 4)[0]
    tables = {row[0]: row[2:] for row in (struct.unpack_from(">4sLLL", file, 12 + 16 * number) for number in range(count))}
    if not {b"head", b"loca", b"glyf"} <= tables.keys():
        return []
    long = struct.unpack_from(">h", file, tables[b"head"][0] + 50)[0]
    start, length = tables[b"loca"]
    size = 4 if long else 2
    places = struct.unpack_from(f">{length // size}{'L' if long else 'H'}", file, start)
    glyphs, scale = tables[b"glyf"][0], 1 if long else 2
    return [file[glyphs + left * scale : glyphs + right * scale] for left, right in pairwise(places)]


_MAPPED = re.compile(rb"begin(bfchar|bfrange)(.*?)end", re.DOTALL)
_ENTRY = re.compile(rb"<([0-9A-Fa-f\s]*)>|\[([^\]]*)\]")


def _letters(cmap: bytes) -> dict[int, str]:
    """What each code of a font says (its ToUnicode map)."""
    said: dict[int, str] = {}
    for kind, body in _MAPPED.findall(cmap):
        entries = [tuple(entry) for entry in _ENTRY.findall(body)]
        for at in range(0, len(entries) - 1, 2 if kind == b"bfchar" else 3):
            first = int(entries[at][0], 16)
            if kind == b"bfchar":
                said[first] = _utf16(entries[at + 1][0])
            elif entries[at + 2][1]:
                texts = [_utf16(text) for text, _ in _ENTRY.findall(entries[at + 2][1])]
                said.update(enumerate(texts, first))
            else:
                *head, last = _utf16(entries[at + 2][0])
                span = range(int(entries[at + 1][0], 16) - first + 1)
                said.update({first + step: "".join((*head, chr(ord(last) + step))) for step in span})
    return said


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be", errors="replace")


# --- a Word file -----------------------------------------------------------------------------------------------------

PAGE_NUMBER, PAGE_COUNT = "\ue000", "\ue001"
"""Stand in a header where the page's own number goes, and the number of all."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_ALTERNATIVE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DRAWN = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
_BREAKS = {f"{_W}{name}": said for name, said in (("tab", " "), ("br", LINE_END), ("cr", LINE_END), ("p", LINE_END))}
_SAID = (f"{_W}t", f"{_W}noBreakHyphen", f"{_W}fldChar", f"{_W}instrText", f"{_W}fldSimple", *_BREAKS)
_RELATIONSHIP = re.compile(r"<Relationship\s[^>]*>")


@dataclass(frozen=True, slots=True)
class Word:
    """What a Word file says: its text; its headers and footers by the page they stand on, as paragraphs; its pictures.

    `first` stands on the first page, `others` holds what may stand on a later one: of one section with the same header
    on odd and even pages just one entry. `named` is the text of the runs that name a font of their own, by that font.
    """

    body: str
    first: tuple[str, ...]
    others: tuple[tuple[str, ...], ...]
    described: Counter[str]
    named: dict[str, list[str]]


def of_word(docx: bytes) -> Word:
    """What a Word file says, in the order in which it is written."""
    with zipfile.ZipFile(io.BytesIO(docx)) as parts:
        body = etree.fromstring(parts.read("word/document.xml"))
        targets = _targets(parts.read("word/_rels/document.xml.rels").decode())
        settings = parts.read("word/settings.xml") if "word/settings.xml" in parts.namelist() else b""
        notes = [name for name in parts.namelist() if re.fullmatch(r"word/(foot|end)notes\.xml", name)]
        named: dict[str, list[str]] = {}
        said = [_said(root, named) for root in (body, *(etree.fromstring(parts.read(name)) for name in notes))]
        first, others = _running(body, lambda name: parts.read(f"word/{targets[name]}"), b"<w:evenAndOddHeaders" in settings)
    drawn = (picture.get("descr") for picture in body.iter(_DRAWN) if not _hidden(picture))
    return Word(LINE_END.join(said), first, others, Counter(words for words in drawn if words), named)


def _targets(relationships: str) -> dict[str, str]:
    elements = map(etree.fromstring, _RELATIONSHIP.findall(relationships))
    return {one.get("Id", ""): one.get("Target", "").removeprefix("/word/") for one in elements}


def _said(root: etree._Element, named: dict[str, list[str]]) -> str:
    """The text under an element, without what is deleted, hidden or another program's copy of it."""
    out: list[str] = []
    fields: list[str] = []  # of each field that is open: what its result stands for, if not for itself
    watchful = any(next(root.iter(tag), None) is not None for tag in (f"{_W}vanish", _ALTERNATIVE, f"{_W}del"))
    for element in root.iter(*_SAID):
        if watchful and _hidden(element):
            continue
        if element.tag in _BREAKS:
            out.append(_BREAKS[element.tag])
        elif element.tag == f"{_W}fldChar":
            _field(element.get(f"{_W}fldCharType", ""), fields, out)
        elif element.tag == f"{_W}instrText":
            fields[-1:] = [_number(element.text or "") or fields[-1]] if fields else []
        elif element.tag == f"{_W}noBreakHyphen":
            out.append("-")
        elif element.tag == f"{_W}t" and not any(fields) and not _in_number(element):
            out.append(element.text or "")
            font = element.find(f"../{_W}rPr/{_W}rFonts")
            if font is not None:
                named.setdefault(font.get(f"{_W}ascii", ""), []).append(out[-1])
        elif element.tag == f"{_W}fldSimple":
            out.append(_number(element.get(f"{_W}instr", "")))
    return "".join(out)


def _field(kind: str, fields: list[str], out: list[str]) -> None:
    if kind == "begin":
        fields.append("")
    elif kind == "end" and fields:
        out.append(fields.pop())


def _number(instruction: str) -> str:
    """What a field's result stands for that an engine counts anew; nothing for another field."""
    words = instruction.split()
    return {"PAGE": PAGE_NUMBER, "NUMPAGES": PAGE_COUNT}.get(words[0].upper() if words else "", "")


def _in_number(text: etree._Element) -> bool:
    around = text.getparent()
    around = around.getparent() if around is not None else None
    return around is not None and around.tag == f"{_W}fldSimple" and bool(_number(around.get(f"{_W}instr", "")))


def _hidden(element: etree._Element) -> bool:
    run = element.find(f"../{_W}rPr/{_W}vanish")
    return run is not None or any(around.tag in (_ALTERNATIVE, f"{_W}del") for around in element.iterancestors())


def _running(
    body: etree._Element, read: Callable[[str], bytes], by_turns: bool
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The paragraphs of headers and footers on the first page, and on the others."""
    kinds: dict[tuple[str, str], tuple[str, ...]] = {}
    first: tuple[str, ...] | None = None
    others: list[tuple[str, ...]] = []
    for section in body.iter(f"{_W}sectPr"):
        for kind in ("headerReference", "footerReference"):
            for reference in section.iterchildren(f"{_W}{kind}"):
                text = _said(etree.fromstring(read(reference.get(f"{_R}id", ""))), {})
                kinds[kind, reference.get(f"{_W}type", "")] = tuple(filter(None, map(str.strip, text.split(LINE_END))))
        pages = {page: (*kinds.get(("headerReference", page), ()), *kinds.get(("footerReference", page), ())) for page in ("default", "first", "even")}
        title = section.find(f"{_W}titlePg") is not None
        first = first if first is not None else pages["first" if title else "default"]
        others += [pages["default"], *([pages["even"]] if by_turns else []), *([pages["first"]] if title and others else [])]
    return first or (), tuple(dict.fromkeys(others))
