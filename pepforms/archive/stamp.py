"""Finish a converted PDF for the archive: its claims, its metadata, the visible stamp and the data that it carries.

One pass over the file, before the seal; after the seal nothing touches its bytes. The same input gives the same bytes.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pepforms.archive import lettering, metadata, tagging
from pepforms.errors import Refused

if TYPE_CHECKING:
    import pikepdf

BOX_LEFT, BOX_BOTTOM, BOX_WIDTH, BOX_HEIGHT = 57.0, 26.0, 481.0, 42.0
"""Where the stamp stands on the first page, in points from its lower left corner; templates keep that band free."""

_BAR_WIDTH = 3.0
_TEXT_LEFT, _TEXT_RIGHT = 12.0, 8.0  # clear of the bar, and of the rule on the right
_ROOM = BOX_WIDTH - _TEXT_LEFT - _TEXT_RIGHT
_PADDING = 5.0  # above the first line and below the last
_HEADING_SIZE, _LINE_SIZE, _LEADING = 8.6, 7.2, 1.26
_SMALLEST = 0.6  # of full size, about 4.5 points: below that the text is cut short rather than made unreadable
_INK = "0.11 0.22 0.36"
_LATE_INK = "0.16 0.16 0.18"

_CLAIMS_PDFA = re.compile(rb"""pdfaid:part(?:>|\s*=\s*["'])\s*[23]\b""")
_CLAIMS_PDFUA = re.compile(rb"""pdfuaid:part(?:>|\s*=\s*["'])\s*1\b""")


@dataclass(frozen=True, slots=True)
class Stamp:
    """The visible mark, in ready-made lines of text: who signed off what, and the reference that finds it again."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Embedded:
    """Data that the file carries, as PDF/A-3 allows: `pep.json`, `application/json`, and a description of it."""

    name: str
    data: bytes
    media_type: str
    description: str


def finish(
    pdf: bytes,
    *,
    title: str,
    subject: str = "",
    language: str = "en-GB",
    at: datetime | None = None,
    stamp: Stamp | None = None,
    embedded: Embedded | None = None,
    template: str | None = None,
) -> bytes:
    """The PDF, ready to be read by anybody or to be sealed; `at` is the moment of sign-off, for its metadata.

    `template` is the version of the Word template that it was made from, for its metadata.

    A tagged PDF that claims PDF/A-2 or -3 and PDF/UA-1, as both converters make it, becomes PDF/A-2a, or PDF/A-3a with
    something embedded, and PDF/UA-1. A PDF made elsewhere is stamped and told its title, but claims nothing.
    A PDF that is encrypted, damaged or already sealed is refused.
    """
    with opened(pdf) as document:
        archival = _is_archival(document)
        _make_accessible(document, language)
        if archival:
            tagging.say_headings_once(document)
        if stamp:
            draw(document, stamp)
        if embedded:
            _embed(document, embedded, at)
        part = (3 if embedded else 2) if archival else None
        metadata.write(document, metadata.About(title, subject, language, at, part, template=template))
        return _saved(document)


def opened(pdf: bytes, *, sealed: bool = False) -> "pikepdf.Pdf":
    """The PDF to work on; Refused where it is damaged or encrypted, and, unless `sealed`, where it is sealed."""
    import pikepdf

    try:
        document = pikepdf.open(io.BytesIO(pdf), suppress_warnings=True)
    except pikepdf.PasswordError:
        raise Refused("The PDF is locked with a password. Send it without one.", slug="encrypted-pdf") from None
    except pikepdf.PdfError:
        raise Refused("This is not a PDF, or it is damaged. Export it again.", slug="unreadable-pdf") from None
    if document.is_encrypted:
        raise Refused("The PDF is encrypted. Export it again without protection.", slug="encrypted-pdf")
    if not document.pages:
        raise Refused("The PDF has no page. Export it again.", slug="unreadable-pdf")
    if not sealed and any(field.get("/FT") == "/Sig" and "/V" in field for field in _fields(document)):
        raise Refused(
            "The PDF is sealed already, and a stamp would break its seal. Use the PDF as it was before it was sealed.",
            slug="already-sealed",
        )
    return document


def _fields(document: "pikepdf.Pdf") -> "Iterator[pikepdf.Object]":
    if "/AcroForm" in document.Root:
        yield from document.Root.AcroForm.get("/Fields", ())


def _is_archival(document: "pikepdf.Pdf") -> bool:
    root = document.Root
    packet = root.Metadata.read_bytes() if "/Metadata" in root else b""
    tagged = "/MarkInfo" in root and bool(root.MarkInfo.get("/Marked", False)) and "/StructTreeRoot" in root
    return tagged and bool(_CLAIMS_PDFA.search(packet) and _CLAIMS_PDFUA.search(packet))


def _make_accessible(document: "pikepdf.Pdf", language: str) -> None:
    from pikepdf import Dictionary, Name, String

    root = document.Root
    root.Lang = String(language)
    if "/MarkInfo" in root and "/Suspects" in root.MarkInfo:
        del root.MarkInfo["/Suspects"]
    root.ViewerPreferences = Dictionary({**dict(root.get("/ViewerPreferences", {})), "/DisplayDocTitle": True})
    for page in document.pages:
        # On every page, also one without a field: the seal's invisible field is an annotation, and PDF/UA asks for it.
        page.obj.Tabs = Name.S


def _embed(document: "pikepdf.Pdf", embedded: Embedded, at: datetime | None) -> None:
    from pikepdf import Array, AttachedFileSpec, Name

    spec = AttachedFileSpec(
        document,
        embedded.data,
        filename=embedded.name,
        description=embedded.description,
        mime_type=embedded.media_type,
        relationship=Name.Data,
        creation_date=metadata.pdf_date(at) if at else "",
        mod_date=metadata.pdf_date(at) if at else "",
    )
    document.attachments[embedded.name] = spec
    document.Root.AF = Array([*document.Root.get("/AF", ()), document.attachments[embedded.name].obj])


def _saved(document: "pikepdf.Pdf") -> bytes:
    import pikepdf

    buffer = io.BytesIO()
    document.save(
        buffer,
        min_version="1.7",
        deterministic_id=True,
        fix_metadata_version=False,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
    return buffer.getvalue()


# --- the visible stamp -----------------------------------------------------------------------------------------------


def draw(
    document: "pikepdf.Pdf", stamp: Stamp, place: tuple[float, float, float] = (BOX_LEFT, BOX_BOTTOM, 1.0)
) -> None:
    """Put the stamp on the first page, after its own content and shut off from it, marked as an artifact.

    `place` is where its lower left corner stands on the page as it is seen, in points, and its scale.
    """
    from pikepdf import Array, Dictionary

    page = document.pages[0]
    lines = _fitted(stamp)
    text, fonts = lettering.draw(document, lines)
    resources = Dictionary(dict(page.resources))
    resources["/Font"] = Dictionary({**dict(resources.get("/Font", {})), **fonts})
    page.obj.Resources = resources
    content = page.obj.get("/Contents", Array())
    own = list(content) if isinstance(content, Array) else [content]
    before, after = document.make_stream(b"q\n"), document.make_stream(b"\nQ\n" + _box(text, _upright(page), place))
    page.obj.Contents = Array([before, *own, after])


def _box(text: bytes, upright: str, place: tuple[float, float, float]) -> bytes:
    x, y, scale = place
    moved = f"{scale:.4f} 0 0 {scale:.4f} {x - scale * BOX_LEFT:.2f} {y - scale * BOX_BOTTOM:.2f}"
    corner = f"{BOX_LEFT + BOX_WIDTH:.2f} {BOX_BOTTOM + BOX_HEIGHT:.2f}"
    box = f"{BOX_LEFT:.2f} {BOX_BOTTOM:.2f} {BOX_WIDTH:.2f} {BOX_HEIGHT:.2f} re"
    bar = f"{BOX_LEFT:.2f} {BOX_BOTTOM:.2f} {_BAR_WIDTH:.2f} {BOX_HEIGHT:.2f} re"
    artifact = f"/Artifact <</Type /Pagination /Subtype /Footer /BBox [{BOX_LEFT:.2f} {BOX_BOTTOM:.2f} {corner}]>> BDC"
    head = [
        artifact,
        "q",
        f"{upright} cm",
        f"{moved} cm",
        f"{_INK} RG {_INK} rg 0.6 w",
        box,
        "S",
        bar,
        "f",
        f"{_LATE_INK} rg",
    ]
    return "\n".join(head).encode("ascii") + b"\n" + text + b"\nQ\nEMC\n"


def _upright(page: "pikepdf.Page") -> str:
    """The matrix that puts the stamp at the foot of the page as it is seen: what is cropped away or turned counts."""
    left, bottom, right, top = (float(edge) for edge in page.cropbox)
    turned = int(page.obj.get("/Rotate", 0)) % 360
    return {
        90: f"0 1 -1 0 {right:.2f} {bottom:.2f}",
        180: f"-1 0 0 -1 {right:.2f} {top:.2f}",
        270: f"0 -1 1 0 {left:.2f} {top:.2f}",
    }.get(turned, f"1 0 0 1 {left:.2f} {bottom:.2f}")


def _fitted(stamp: Stamp) -> list[lettering.Placed]:
    """The lines set as large as the box allows; what is too long even at the smallest size ends in an ellipsis."""
    for hundredths in range(100, round(_SMALLEST * 100) - 1, -4):
        lines = _set(stamp, hundredths / 100)
        if _height(lines) <= BOX_HEIGHT - 2 * _PADDING:
            return _placed(lines)
    return _placed(_cut_short(stamp))


_Line = tuple[str, float, lettering.Weight]


def _set(stamp: Stamp, scale: float) -> list[_Line]:
    return [
        (line, size, weight)
        for text, size, weight in _styled(stamp, scale)
        for line in lettering.wrapped(text, size, weight, _ROOM)
        if line
    ]


def _styled(stamp: Stamp, scale: float) -> list[_Line]:
    lines: list[_Line] = [(line, _LINE_SIZE * scale, "regular") for line in stamp.lines]
    return [(stamp.heading, _HEADING_SIZE * scale, "bold"), *lines]


def _height(lines: list[_Line]) -> float:
    return sum(size for _, size, _ in lines) * _LEADING


def _cut_short(stamp: Stamp) -> list[_Line]:
    """Each text on one line, so that none pushes another out; of too many signers the last are left out.

    The last line, the reference, stays: it finds the record, and the record names everybody.
    """
    full = _styled(stamp, _SMALLEST)
    kept = [_on_one_line(*line) for line in full]
    while _height(kept) > BOX_HEIGHT - 2 * _PADDING:
        del kept[-2]
    if len(kept) < len(full):
        text, size, weight = kept[-2]
        kept[-2] = _on_one_line(f"{text.removesuffix('…')} …", size, weight)
    return kept


def _on_one_line(text: str, size: float, weight: lettering.Weight) -> _Line:
    first, *more = lettering.wrapped(text, size, weight, _ROOM - lettering.width("…", size, weight))
    return (f"{first}…" if more else first), size, weight


def _placed(lines: list[_Line]) -> list[lettering.Placed]:
    """The lines with their baselines, the block of them centred in the height of the box."""
    placed = []
    top = BOX_BOTTOM + (BOX_HEIGHT + _height(lines)) / 2
    for text, size, weight in lines:
        top -= size * _LEADING
        placed.append(lettering.Placed(text, BOX_LEFT + _TEXT_LEFT, top + size * 0.3, size, weight))
    return placed
