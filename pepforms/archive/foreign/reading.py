"""The text of a foreign PDF: what can be seen of it, and what cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pepforms.archive import stamp
from pepforms.archive.foreign import parts

_FEW_WORDS = 40  # on a page with a large picture: a scan with a footer, say
_LARGE = 0.5  # of the page: a picture of that size may be a page of its own
_MANY_SHAPES = 200  # on a page with fewer words: letters drawn as shapes, say


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page as it can be seen, what nobody sees of it, and whether it is a picture that nobody can read.

    Unseen is what is drawn invisibly, as text recognised in a scan is, what lies outside the page, and notes.
    """

    seen: str
    unseen: str
    picture: bool


def text(pdf: bytes, start: int, stop: int) -> list[PageText]:
    """The text of some pages."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return [_page_text(document[number]) for number in range(start, min(stop, len(document)))]
    finally:
        document.close()


def notes(pdf: bytes) -> str:
    """What is written in annotations, which is no text of a page."""
    with stamp.opened(pdf, sealed=True) as document:
        return "\n".join(
            str(note["/Contents"])
            for page in document.pages
            for note in parts.annotations(page)
            if parts.is_text(note.get("/Contents"))
        )


def _page_text(page: Any) -> PageText:
    import pypdfium2.raw as pdfium

    kinds = (pdfium.FPDF_PAGEOBJ_TEXT, pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH)
    objects = list(page.get_objects(filter=kinds))
    everything = _said(page)
    unseen = ""
    invisible = [one for one in objects if one.type == pdfium.FPDF_PAGEOBJ_TEXT and _is_invisible(one)]
    if invisible:
        unseen = everything[1]
        for one in invisible:
            if one.level == 0:
                page.remove_obj(one)
        everything = ("", "") if any(one.level for one in invisible) else _said(page)
    seen, all_of_it = everything
    if len(all_of_it.split()) > len(seen.split()):
        unseen = f"{unseen}\n{all_of_it}"
    return PageText(seen, unseen, _is_picture(page, objects, len(seen.split())))


def _is_picture(page: Any, objects: Sequence[Any], words: int) -> bool:
    """Whether the page says something that is no text: a scan, letters drawn as shapes."""
    import pypdfium2.raw as pdfium

    if words >= _FEW_WORDS:
        return False
    large = any(one.type == pdfium.FPDF_PAGEOBJ_IMAGE and _is_large(one, page) for one in objects)
    shapes = sum(one.type == pdfium.FPDF_PAGEOBJ_PATH for one in objects)
    return large or shapes >= _MANY_SHAPES or (not words and not _is_blank(page))


def _said(page: Any) -> tuple[str, str]:
    """The text inside the page, and all of it."""
    textpage = page.get_textpage()
    try:
        return textpage.get_text_bounded(), textpage.get_text_range()
    finally:
        textpage.close()


def _is_invisible(text_object: Any) -> bool:
    import pypdfium2.raw as pdfium

    return pdfium.FPDFTextObj_GetTextRenderMode(text_object) in (
        pdfium.FPDF_TEXTRENDERMODE_INVISIBLE,
        pdfium.FPDF_TEXTRENDERMODE_CLIP,
    )


def _is_large(image: Any, page: Any) -> bool:
    left, bottom, right, top = image.get_bounds()
    width, height = page.get_size()
    return bool(abs(right - left) * abs(top - bottom) > _LARGE * width * height)


def _is_blank(page: Any) -> bool:
    low, high = page.render(scale=0.3).to_pil().convert("L").getextrema()
    return bool(low == high)
