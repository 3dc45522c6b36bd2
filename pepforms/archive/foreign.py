"""PDFs that other programs made: what is in them, brought to PDF/A where that loses nothing, and stamped.

Nothing that can be seen is changed or hidden: the stamp goes where the first page is blank, or into a margin added at
its foot, and `changed` compares pictures and text of every page. Every function here reads bytes that may be hostile
and is meant to be called in a process that can be killed (`wiring.apart`); values go in and values come out.
"""

import functools
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pepforms.archive import metadata, stamp
from pepforms.errors import PepformsError, Refused

if TYPE_CHECKING:
    import pikepdf
    from PIL import Image

LARGEST = 100 << 20
"""Bytes: a scan of a thousand pages is smaller."""

_T = TypeVar("_T")

Level = Literal["2a", "2u", "2b"]

_FEW_WORDS = 40  # on a page with a large picture: a scan with a footer, say
_LARGE = 0.5  # of the page: a picture of that size may be a page of its own
_MANY_SHAPES = 200  # on a page with fewer words: letters drawn as shapes, say
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
class Contents:
    """What a PDF is and carries. `signed` is how many signatures it has; `tagged`: with structure and language."""

    pages: int
    signed: int = 0
    attachments: int = 0
    hidden_layers: bool = False
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page as it can be seen, what nobody sees of it, and whether it is a picture that nobody can read.

    Unseen is what is drawn invisibly, as text recognised in a scan is, what lies outside the page, and notes.
    """

    seen: str
    unseen: str
    picture: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stamp stands on the first page as it is seen, from its lower left corner; `added` points of margin."""

    x: float
    y: float
    scale: float
    added: float = 0.0


@dataclass(frozen=True, slots=True)
class Claims:
    """The standards that a file says it keeps: a level of PDF/A-2, and PDF/UA-1."""

    pdfa: Level | None = None
    pdfua: bool = False


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
        signatures = [field["/V"] for field in _fields(form) if field.get("/FT") == "/Sig" and "/V" in field]
        if any(_forbids_more(signature) for signature in signatures):
            raise Refused(
                "It is signed, and the signature permits no other on top. Send the PDF as it was before it was signed.",
                slug="certified",
            )
        return Contents(
            pages=len(document.pages),
            signed=len(signatures),
            attachments=_attachments(document),
            hidden_layers=_hides_layers(root),
            tagged="/MarkInfo" in root and bool(root.MarkInfo.get("/Marked", False)) and "/StructTreeRoot" in root,
        )


def cleaned(pdf: bytes) -> bytes:
    """The PDF without what acts by itself (scripts, launched programs), its form fields as plain content.

    What PDF/A asks for and nobody sees is put right; whether it is PDF/A then is for veraPDF to say.
    """
    with stamp.opened(pdf, sealed=True) as document:
        _flatten(document)
        _drop_actions(document)
        for font in _font_descriptors(document):
            for key in ("/CIDSet", "/CharSet"):  # may be left out, and are often wrong
                _drop(font, key)
        _add_output_intent(document)
        for page in document.pages:
            _drop(page.obj, "/Thumb")
            page.obj.Tabs = _name("S")
        return _saved(document)


def room(pdf: bytes) -> Place:
    """Where on the first page there is blank paper for the stamp: at its foot, in its head, else in an added margin."""
    with stamp.opened(pdf, sealed=True) as document:
        width, height = _seen_size(_normal(document))
    if min(width, height) < _TINY:
        raise Refused("Its first page is too small to be stamped. Print it on A4.", slug="tiny-page")
    scale = min(1.0, (width - 2 * _MARGIN) / stamp.BOX_WIDTH)
    tall = stamp.BOX_HEIGHT * scale
    x = (width - stamp.BOX_WIDTH * scale) / 2
    picture = next(_pictures(pdf, 0, 1, width_of_first=math.ceil(width))).convert("L")
    y = _blank(picture, x, stamp.BOX_WIDTH * scale, tall, height)
    return Place(x, _ADDED, scale, tall + 2 * _ADDED) if y is None else Place(x, y, scale)


def finished(pdf: bytes, mark: stamp.Stamp, place: Place, about: metadata.About) -> bytes:
    """The cleaned PDF with the stamp in its place and our own metadata, which names no child."""
    from pikepdf import Dictionary

    with stamp.opened(pdf, sealed=True) as document:
        page = _normal(document)
        _balance(document, page)
        if place.added:
            _add_margin(document, page, place.added)
        stamp.draw(document, mark, (place.x, place.y, place.scale))
        known: Any = document.Root.get("/ViewerPreferences", {})
        document.Root.ViewerPreferences = Dictionary({**dict(known), "/DisplayDocTitle": True})
        metadata.write(document, about)
        return _saved(document)


def language(pdf: bytes) -> str:
    """The language that the PDF says it is in; nothing where it does not say."""
    with stamp.opened(pdf, sealed=True) as document:
        return str(document.Root.get("/Lang", ""))


def subject(pdf: bytes) -> str:
    """What the PDF's document information says that it is about."""
    with stamp.opened(pdf, sealed=True) as document:
        return str(document.docinfo.get("/Subject", ""))


# --- reading ---------------------------------------------------------------------------------------------------------


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
            for note in _annotations(page)
            if _is_text(note.get("/Contents"))
        )


def changed(before: bytes, after: bytes, place: Place | None, start: int, stop: int) -> list[int]:
    """The pages, counted from 1, that do not look as before apart from the stamp, or lost a word."""
    if place:
        after = _without_margin(after, place)
    differing, has_form = [], _has_form(before)
    pairs = zip(_pictures(before, start, stop), _pictures(after, start, stop), strict=True)
    texts = zip(text(before, start, stop), text(after, start, stop), strict=True)
    for number, ((old, new), (told, said)) in enumerate(zip(pairs, texts, strict=True), start + 1):
        if number == 1 and place and not place.added:
            old, new = _masked(old, before, place), _masked(new, before, place)
        lost = _words(told.seen) - _words(said.seen)
        if lost or not _look_alike(old, new, _SHADES_OF_FORMS if has_form else 0):
            differing.append(number)
    return differing


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


def _words(said: str) -> set[str]:
    return set(said.split())


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
        width, _ = _seen_size(_normal(document))
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
        _add_margin(document, _normal(document), -place.added, clip=False)
        return _saved(document)


# --- where there is room ---------------------------------------------------------------------------------------------


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


# --- the document ----------------------------------------------------------------------------------------------------


def _drop(dictionary: Any, key: str) -> None:
    if key in dictionary:
        del dictionary[key]


def _name(name: str) -> "pikepdf.Name":
    from pikepdf import Name

    return Name(f"/{name}")


def _fields(form: Any) -> "Iterator[Any]":
    """Every field of a form, those inside others too."""
    waiting = list(form.get("/Fields", ()))
    for _ in range(100_000):  # a form that goes round in circles ends too
        if not waiting:
            return
        field = waiting.pop()
        yield field
        waiting.extend(field.get("/Kids", ()))


def _hides_layers(root: Any) -> bool:
    layers = root.OCProperties.get("/D") if "/OCProperties" in root else None
    return layers is not None and len(layers.get("/OFF", ())) > 0


def _forbids_more(signature: Any) -> bool:
    """Whether the signature certifies the document and permits no change, not even another signature."""
    for reference in signature.get("/Reference", ()):
        permitted = reference.get("/TransformParams", {})
        if reference.get("/TransformMethod") in ("/DocMDP", "/FieldMDP") and permitted.get("/P", 2) == 1:
            return True
    return False


def _attachments(document: "pikepdf.Pdf") -> int:
    pinned = sum(note.get("/Subtype") == "/FileAttachment" for page in document.pages for note in _annotations(page))
    return int(len(document.attachments) + pinned)


def _annotations(page: "pikepdf.Page") -> "Iterator[Any]":
    for note in page.obj.get("/Annots", ()):
        if hasattr(note, "keys"):
            yield note


def _is_text(value: Any) -> bool:
    import pikepdf

    return isinstance(value, (str, pikepdf.String))


def _flatten(document: "pikepdf.Pdf") -> None:
    """Form fields become content of the page, as they look now; a record is read, not filled in."""
    form: Any = document.Root.get("/AcroForm")
    if form is None:
        return
    if any("/V" in field for field in _fields(form)) or form.get("/NeedAppearances", False):
        if form.get("/NeedAppearances", False):
            document.generate_appearance_streams()
        document.flatten_annotations("screen")
    _drop(document.Root, "/AcroForm")


_HARMLESS = ("/GoTo", "/GoToR", "/GoToE", "/Thread", "/URI", "/Named", "/SubmitForm")
"""Actions that PDF/A permits: they take the reader somewhere and run nothing."""


def _drop_actions(document: "pikepdf.Pdf") -> None:
    root = document.Root
    _drop(root, "/AA")
    opening: Any = root.get("/OpenAction")
    if hasattr(opening, "keys") and opening.get("/S") not in _HARMLESS:
        del root["/OpenAction"]
    if "/Names" in root:
        _drop(root.Names, "/JavaScript")
    for page in document.pages:
        _drop(page.obj, "/AA")
        for note in _annotations(page):
            _drop(note, "/AA")
            if "/A" in note and note["/A"].get("/S") not in _HARMLESS:
                del note["/A"]
            if note.get("/Subtype") == "/Link" and "/F" not in note:
                note["/F"] = 4  # printed, which of a link nobody sees


def _font_descriptors(document: "pikepdf.Pdf") -> "Iterator[Any]":
    for one in document.objects:
        if hasattr(one, "keys") and one.get("/Type") == "/FontDescriptor":
            yield one


def _add_output_intent(document: "pikepdf.Pdf") -> None:
    """Say that colours are sRGB, as screens take them to be, where the file does not say."""
    from pikepdf import Array, Dictionary, Name, String

    if any(intent.get("/S") == "/GTS_PDFA1" for intent in document.Root.get("/OutputIntents", ())):
        return
    profile = document.make_stream(_srgb(), N=3)
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=String("sRGB"),
        Info=String("sRGB IEC61966-2.1"),
        DestOutputProfile=profile,
    )
    document.Root.OutputIntents = Array([*document.Root.get("/OutputIntents", ()), document.make_indirect(intent)])


@functools.cache
def _srgb() -> bytes:
    """The sRGB profile, without the time of day that it was made at."""
    from PIL import ImageCms

    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = bytes.fromhex("07e60001000100000000" + "0000")  # 1 January 2022
    return bytes(made)


def _saved(document: "pikepdf.Pdf") -> bytes:
    """Written anew, streams that PDF/A does not know (LZW) packed as it does; the same input gives the same bytes."""
    import pikepdf

    buffer = io.BytesIO()
    document.save(
        buffer,
        min_version="1.7",
        deterministic_id=True,
        fix_metadata_version=False,
        compress_streams=True,
        stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
    return buffer.getvalue()


# --- the first page --------------------------------------------------------------------------------------------------

_Box = tuple[float, float, float, float]


def _normal(document: "pikepdf.Pdf") -> Any:
    """The first page with its boxes and its rotation written on it, the lower left corner first."""
    from pikepdf import Array

    page = document.pages[0]
    media, crop = _corners(page.mediabox), _corners(page.cropbox)
    within = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    written: Any = page.obj
    written.MediaBox = Array(media)
    written.CropBox = Array(within if within[0] < within[2] and within[1] < within[3] else media)
    written.Rotate = _rotation(page)
    return page


def _corners(box: Any) -> _Box:
    one, two, three, four = (float(edge) for edge in box)
    return min(one, three), min(two, four), max(one, three), max(two, four)


def _rotation(page: "pikepdf.Page") -> int:
    node: Any = page.obj
    for _ in range(50):
        if "/Rotate" in node:
            return int(node["/Rotate"]) % 360
        if "/Parent" not in node:
            break
        node = node["/Parent"]
    return 0


def _seen_size(page: "pikepdf.Page") -> tuple[float, float]:
    left, bottom, right, top = _corners(page.cropbox)
    wide, tall = right - left, top - bottom
    return (tall, wide) if _rotation(page) in (90, 270) else (wide, tall)


def _add_margin(document: "pikepdf.Pdf", page: "pikepdf.Page", points: float, *, clip: bool = True) -> None:
    """Make the page longer at its foot as it is seen; what was cut away there before stays cut away."""
    from pikepdf import Array

    seen: Any = page.obj
    crop, media = list(_corners(page.cropbox)), list(_corners(page.mediabox))
    if clip:
        left, bottom, right, top = crop
        before = f"q {left:.4f} {bottom:.4f} {right - left:.4f} {top - bottom:.4f} re W n\n"
        page.contents_add(document.make_stream(before.encode("ascii")), prepend=True)
        page.contents_add(document.make_stream(b"\nQ\n"))
    edge, way = {0: (1, -1), 90: (2, 1), 180: (3, 1), 270: (0, -1)}[_rotation(page) // 90 * 90]
    crop[edge] += way * points
    media[edge] = (min if way < 0 else max)(media[edge], crop[edge])
    seen.CropBox, seen.MediaBox = Array(crop), Array(media)


def _balance(document: "pikepdf.Pdf", page: "pikepdf.Page") -> None:
    """Close what the page's content leaves open, so that the stamp is drawn on a page as it was at its beginning."""
    import pikepdf

    depth = lowest = 0
    for instruction in pikepdf.parse_content_stream(page, "q Q"):
        depth += {"q": 1, "Q": -1}.get(str(instruction.operator), 0)
        lowest = min(lowest, depth)
    if lowest < 0:
        page.contents_add(document.make_stream(b"q\n" * -lowest), prepend=True)
    if depth > lowest:
        page.contents_add(document.make_stream(b"\nQ" * (depth - lowest)))
