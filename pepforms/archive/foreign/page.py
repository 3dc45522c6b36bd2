"""The first page of a foreign PDF, made fit for a stamp: boxes, rotation, a margin, what its content leaves open."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pikepdf

_Box = tuple[float, float, float, float]


def normal(document: "pikepdf.Pdf") -> Any:
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


def seen_size(page: "pikepdf.Page") -> tuple[float, float]:
    """Width and height of the page as it is seen, in points."""
    left, bottom, right, top = _corners(page.cropbox)
    wide, tall = right - left, top - bottom
    return (tall, wide) if _rotation(page) in (90, 270) else (wide, tall)


def add_margin(document: "pikepdf.Pdf", page: "pikepdf.Page", points: float, *, clip: bool = True) -> None:
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


def balance(document: "pikepdf.Pdf", page: "pikepdf.Page") -> None:
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
