"""PDFs that other programs made: what is in them, brought to PDF/A where that loses nothing, and stamped.

Nothing that can be seen is changed or hidden: the stamp goes where the first page is blank, or into a margin added at
its foot, and `changed` compares pictures and text of every page. Every function here reads bytes that may be hostile
and is meant to be called in a process that can be killed (`wiring.apart`); values go in and values come out.

`reading` reads the text, `looks` compares pictures and finds room, `parts` mends what is in the document, `page` the
boxes of its first page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pepforms.archive import metadata, stamp
from pepforms.archive.foreign import page as first_page
from pepforms.archive.foreign import parts
from pepforms.archive.foreign.looks import Place, changed, room
from pepforms.archive.foreign.reading import PageText, notes, text
from pepforms.errors import PepformsError, Refused

__all__ = [
    "LARGEST", "Contents", "Level", "PageText", "Place", "changed", "cleaned", "contents", "finished", "language",
    "notes", "room", "subject", "text", "tried",
]  # fmt: skip

LARGEST = 100 << 20
"""Bytes: a scan of a thousand pages is smaller."""
_T = TypeVar("_T")


Level = Literal["2a", "2u", "2b"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a PDF is and carries. `signed` is how many signatures it has; `tagged`: with structure and language."""

    pages: int
    signed: int = 0
    attachments: int = 0
    hidden_layers: bool = False
    tagged: bool = False


def tried(function: Callable[..., _T], *arguments: Any) -> _T:
    """What the function makes of a PDF; Refused where the PDF makes no sense to it.

    Damaged and hostile files make PDF libraries raise whatever they like: that is no fault of ours, and the file's.
    """
    try:
        return function(*arguments)
    except (PepformsError, MemoryError):
        raise
    except Exception as failed:  # noqa: BLE001
        raise Refused(
            f"It is damaged or not made as PDFs are ({type(failed).__name__}). Export it again, or print it into a new "
            "PDF.",
            slug="unreadable-pdf",
        ) from None


def contents(pdf: bytes) -> Contents:
    """What the PDF is and carries; Refused, and why, where it can be no record."""
    with stamp.opened(pdf, sealed=True) as document:
        root = document.Root
        form: Any = root.get("/AcroForm", {})
        if "/XFA" in form:
            raise Refused(
                "It is an XFA form, whose pages only one program can draw. Print it into a PDF, and send that.",
                slug="xfa-form",
            )
        if "/Collection" in root:
            raise Refused(
                "It is a portfolio: a cover page with other files inside. Send the PDF of the PEP itself.",
                slug="portfolio",
            )
        signatures = [field["/V"] for field in parts.fields(form) if field.get("/FT") == "/Sig" and "/V" in field]
        if any(parts.forbids_more(signature) for signature in signatures):
            raise Refused(
                "It is signed, and the signature permits no other on top. Send the PDF as it was before it was signed.",
                slug="certified",
            )
        return Contents(
            pages=len(document.pages),
            signed=len(signatures),
            attachments=parts.attachments(document),
            hidden_layers=parts.hides_layers(root),
            tagged="/MarkInfo" in root and bool(root.MarkInfo.get("/Marked", False)) and "/StructTreeRoot" in root,
        )


def cleaned(pdf: bytes) -> bytes:
    """The PDF without what acts by itself (scripts, launched programs), its form fields as plain content.

    What PDF/A asks for and nobody sees is put right; whether it is PDF/A then is for veraPDF to say.
    """
    from pikepdf import Name

    with stamp.opened(pdf, sealed=True) as document:
        parts.flatten(document)
        parts.drop_actions(document)
        for font in parts.font_descriptors(document):
            for key in ("/CIDSet", "/CharSet"):  # may be left out, and are often wrong
                parts.drop(font, key)
        parts.add_output_intent(document)
        for page in document.pages:
            parts.drop(page.obj, "/Thumb")
            page.obj.Tabs = Name.S
        return parts.saved(document)


def finished(pdf: bytes, mark: stamp.Stamp, place: Place, about: metadata.About) -> bytes:
    """The cleaned PDF with the stamp in its place and our own metadata, which names no child."""
    from pikepdf import Dictionary

    with stamp.opened(pdf, sealed=True) as document:
        page = first_page.normal(document)
        first_page.balance(document, page)
        if place.added:
            first_page.add_margin(document, page, place.added)
        stamp.draw(document, mark, (place.x, place.y, place.scale))
        known: Any = document.Root.get("/ViewerPreferences", {})
        document.Root.ViewerPreferences = Dictionary({**dict(known), "/DisplayDocTitle": True})
        metadata.write(document, about)
        return parts.saved(document)


def language(pdf: bytes) -> str:
    """The language that the PDF says it is in; nothing where it does not say."""
    with stamp.opened(pdf, sealed=True) as document:
        return str(document.Root.get("/Lang", ""))


def subject(pdf: bytes) -> str:
    """What the PDF's document information says that it is about."""
    with stamp.opened(pdf, sealed=True) as document:
        return str(document.docinfo.get("/Subject", ""))
