"""How the pages of a PDF look: whether they look as before, and where the first one has room for the stamp."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pepforms.archive import stamp
from pepforms.archive.foreign import page as first_page
from pepforms.archive.foreign import parts, reading
from pepforms.errors import Refused

if TYPE_CHECKING:
    from PIL import Image

_PALEST = 200  # of 255: darker paper than that takes no stamp
_CLEAR = 5.0  # points of blank paper around the stamp
_FRINGE = 3.0  # points around the stamp that its edges may colour in a small picture; less than is kept clear
_EDGE = 14.0  # points that printers do not reach
_FOOT = 0.4  # of the page from below: there a stamp may stand; above it only in the head
_HEAD = 0.15
_MARGIN = 24.0  # points left and right of the stamp on a narrow page
_ADDED = 12.0  # points above and below the stamp in an added margin
_SHADES_OF_FORMS = 100  # of 255: letters in a field have softer edges than on the page; a letter less is twice that
_TINY = 100.0  # points: no page of a PEP is narrower


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stamp stands on the first page as it is seen, from its lower left corner; `added` points of margin."""

    x: float
    y: float
    scale: float
    added: float = 0.0


def room(pdf: bytes) -> Place:
    """Where on the first page there is blank paper for the stamp: at its foot, in its head, else in an added margin."""
    with stamp.opened(pdf, sealed=True) as document:
        width, height = first_page.seen_size(first_page.normal(document))
    if min(width, height) < _TINY:
        raise Refused("Its first page is too small to be stamped. Print it on A4.", slug="tiny-page")
    scale = min(1.0, (width - 2 * _MARGIN) / stamp.BOX_WIDTH)
    tall = stamp.BOX_HEIGHT * scale
    x = (width - stamp.BOX_WIDTH * scale) / 2
    picture = next(_pictures(pdf, 0, 1, width_of_first=math.ceil(width))).convert("L")
    y = _blank(picture, x, stamp.BOX_WIDTH * scale, tall, height)
    return Place(x, _ADDED, scale, tall + 2 * _ADDED) if y is None else Place(x, y, scale)


def changed(before: bytes, after: bytes, place: Place | None, start: int, stop: int) -> list[int]:
    """The pages, counted from 1, that do not look as before apart from the stamp, or lost a word."""
    if place:
        after = _without_margin(after, place)
    differing, has_form = [], _has_form(before)
    pairs = zip(_pictures(before, start, stop), _pictures(after, start, stop), strict=True)
    texts = zip(reading.text(before, start, stop), reading.text(after, start, stop), strict=True)
    for number, ((old, new), (told, said)) in enumerate(zip(pairs, texts, strict=True), start + 1):
        if number == 1 and place and not place.added:
            old, new = _masked(old, before, place), _masked(new, before, place)
        lost = set(told.seen.split()) - set(said.seen.split())
        if lost or not _look_alike(old, new, _SHADES_OF_FORMS if has_form else 0):
            differing.append(number)
    return differing


def _blank(picture: "Image.Image", x: float, wide: float, tall: float, height: float) -> float | None:
    """How far above the foot of the page a box of that size has blank paper under it and around it."""
    pixel = picture.height / height
    left = max(0, math.floor((x - _CLEAR) * pixel))
    right = min(picture.width, math.ceil((x + wide + _CLEAR) * pixel))
    rows = [_is_plain(picture.crop((left, row, right, row + 1))) for row in range(picture.height)]
    rows.reverse()  # from the foot up
    needed = math.ceil((tall + 2 * _CLEAR) * pixel)
    free = [start for start in range(len(rows) - needed + 1) if all(rows[start : start + needed])]
    bases = [start / pixel + _CLEAR for start in free if start / pixel + _CLEAR >= _EDGE]
    usual = [stamp.BOX_BOTTOM] if any(abs(base - stamp.BOX_BOTTOM) < 1 for base in bases) else []
    foot = [base for base in bases if base + tall <= _FOOT * height]
    head = [base for base in bases if base >= (1 - _HEAD) * height and base + tall <= height - _EDGE]
    return next(iter(usual or foot or head[len(head) // 2 :]), None)


def _is_plain(row: "Image.Image") -> bool:
    extremes: Any = row.getextrema()  # of one channel: two numbers
    low, high = extremes
    return bool(low >= _PALEST and high - low <= 2)


def _look_alike(one: "Image.Image", other: "Image.Image", shades: int) -> bool:
    from PIL import ImageChops

    return one.size == other.size and all(high <= shades for _, high in _extremes(ImageChops.difference(one, other)))


def _extremes(picture: "Image.Image") -> Any:
    """The lowest and the highest value of each of several channels."""
    return picture.getextrema()


def _has_form(pdf: bytes) -> bool:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return bool(document.get_formtype())
    finally:
        document.close()


def _pictures(pdf: bytes, start: int, stop: int, *, width_of_first: int = 0) -> "Iterator[Image.Image]":
    """The pages as people see them, form fields and notes included, small: half a pixel a point."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        if document.get_formtype():
            document.init_forms()
        for number in range(start, min(stop, len(document))):
            page = document[number]
            width, height = page.get_size()
            scale = width_of_first / width if width_of_first else min(0.5, 1000 / max(width, height))
            yield page.render(scale=scale).to_pil().convert("RGB")
            page.close()
    finally:
        document.close()


def _masked(picture: "Image.Image", pdf: bytes, place: Place) -> "Image.Image":
    """The picture with the stamp's box blacked out."""
    with stamp.opened(pdf, sealed=True) as document:
        width, _ = first_page.seen_size(first_page.normal(document))
    pixel = picture.width / width
    left, right = place.x - _FRINGE, place.x + stamp.BOX_WIDTH * place.scale + _FRINGE
    bottom, top = place.y - _FRINGE, place.y + stamp.BOX_HEIGHT * place.scale + _FRINGE
    box = (
        math.floor(left * pixel),
        math.floor(picture.height - top * pixel),
        math.ceil(right * pixel),
        math.ceil(picture.height - bottom * pixel),
    )
    masked = picture.copy()
    masked.paste((0, 0, 0), box)
    return masked


def _without_margin(pdf: bytes, place: Place) -> bytes:
    """The PDF with the added margin cut off again, so that its pages are as large as they were."""
    if not place.added:
        return pdf
    with stamp.opened(pdf, sealed=True) as document:
        first_page.add_margin(document, first_page.normal(document), -place.added, clip=False)
        return parts.saved(document)
