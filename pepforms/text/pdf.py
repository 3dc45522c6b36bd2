"""What a tagged PDF says and shows, read from the operators of its pages."""

import functools
import io
import re
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pikepdf

LINE_END = "\n"
"""Parts pieces of text between which stands a space, a line's end or nothing at all: only drawn spaces are sure."""


@dataclass(slots=True)
class Page:
    """One page: what it says, what it shows beside (headers, footers), and how often it shows the empty box.

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


def read(pdf: bytes, counted: frozenset[str] = frozenset()) -> Shown:
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


def seen(pdf: bytes) -> list[str]:
    """All text that each page draws, headers and stamps too, as PDFium finds it: by other code than `read`."""
    import pypdfium2

    with _ONE_AT_A_TIME:
        document = pypdfium2.PdfDocument(pdf)
        try:
            return [_seen(page) for page in document]
        finally:
            document.close()


_ONE_AT_A_TIME = threading.Lock()
"""PDFium ends the program where two threads use it at once."""


def _seen(page: Any) -> str:
    text = page.get_textpage()
    try:
        said: str = text.get_text_range()
        return said
    finally:
        text.close()
        page.close()


def off_the_paper(pdf: bytes) -> list[int]:
    """The pages on which text runs over the edge of the paper, where nobody sees it."""
    import pypdfium2

    with _ONE_AT_A_TIME:
        document = pypdfium2.PdfDocument(pdf)
        try:
            return [number for number, page in enumerate(document, 1) if _runs_off(page)]
        finally:
            document.close()


def _runs_off(page: Any) -> bool:
    text, (left, bottom, right, top) = page.get_textpage(), page.get_mediabox()
    try:
        rectangles = [text.get_rect(number) for number in range(text.count_rects())]
    finally:
        text.close()
        page.close()
    return any(one[0] < left or one[1] < bottom or one[2] > right or one[3] > top for one in rectangles)


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
        self._around: list[str] = []  # of each marked content that is open: text, spoken, beside or stamp

    def read(self, page: "pikepdf.Object") -> Page:
        import pikepdf

        content = page.get("/Contents", pikepdf.Array())
        streams = content if isinstance(content, pikepdf.Array) else [content]
        self._operators(b"\n".join(stream.read_bytes() for stream in streams), page.get("/Resources", {}))
        return self._page

    def _operators(self, content: bytes, resources: Any) -> None:
        font: _Font | None = None
        named: dict[bytes, _Font] = {}
        for before, shown, shows, tag, says, name, sets_font, draws_form in _TOKEN.findall(content):
            if b"EMC" in before or b"BT" in before:
                self._part()
                del self._around[len(self._around) - before.count(b"EMC") :]
            if shows and font:
                self._show(shown, font)
            elif tag:
                self._begin(tag, says, resources)
            elif sets_font:
                font = named.get(name) or named.setdefault(name, self._font(resources.Font["/" + name.decode()]))
            elif draws_form:
                self._form(resources, "/" + name.decode())

    def _show(self, operand: bytes, font: "_Font") -> None:
        text, codes, boxes = font.said(operand)
        self._page.boxes += boxes
        if "stamp" in self._around:
            return
        if "beside" in self._around:
            if "spoken" not in self._around:
                self._page.beside.append(text)
            return
        font.shown.append(codes)
        (self._page.drawn if "spoken" in self._around else self._page.said).append(text)

    def _begin(self, tag: bytes, says: bytes, resources: Any) -> None:
        self._part()
        spoken = _spoken(says, resources)
        if spoken is not None and not {"spoken", "stamp"}.intersection(self._around):
            if "beside" in self._around:
                self._page.beside.append(spoken)
            else:
                self._page.said.append(spoken)
                self._page.spoken.append(spoken)
        if tag == b"Artifact":  # engines give no box to what they repeat; the stamp has one
            self._around.append("stamp" if b"/BBox" in says else "beside")
        else:
            self._around.append("text" if spoken is None else "spoken")

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
        return frozenset(
            code for code, place in self._places.items() if place == 0 or (box and self._glyph(code) == box)
        )

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
    tables = {
        row[0]: row[2:] for row in (struct.unpack_from(">4sLLL", file, 12 + 16 * number) for number in range(count))
    }
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
                text = _utf16(entries[at + 2][0])
                span = range(int(entries[at + 1][0], 16) - first + 1)
                said.update({first + step: text[:-1] + chr(ord(text[-1]) + step) for step in span})
    return said


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be", errors="replace")
