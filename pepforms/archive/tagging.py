"""The tags of a converted PDF, put right where an engine leaves them wanting."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pikepdf

_TAGGED = re.compile(rb"/[^\s/<>]+\s*<<\s*/MCID\s+(\d+)\s*>>\s*BDC")


def say_headings_once(document: "pikepdf.Pdf") -> None:
    """Where a table runs over pages its heading row is drawn again on each: drawn, but said only the first time.

    The PDF/UA way (ISO 14289-1, 7.1): what is repeated for the eye alone is an artifact.
    """
    root = document.Root.StructTreeRoot
    again: dict[tuple[int, int], set[int]] = {}
    for cell in _headings(root):
        for number, identity in _unrepeated(cell):
            again.setdefault(identity, set()).add(number)
    if not again:
        return
    owners = dict(_entries(root.ParentTree))
    for page in document.pages:
        if numbers := again.get(page.obj.objgen):
            _leave_out(document, page.obj, numbers)
            for number in numbers:
                owners[int(page.obj.StructParents)][number] = None


def _headings(element: "pikepdf.Object", around: str = "") -> "Iterator[pikepdf.Object]":
    """The paragraphs of the heading cells."""
    import pikepdf

    kids = element.get("/K", pikepdf.Array())
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            if around == "/TH":
                yield kid
            elif (kind := str(kid.S)) in (
                "/Document",
                "/Part",
                "/Sect",
                "/Div",
                "/Table",
                "/THead",
                "/TBody",
                "/TR",
                "/TH",
            ):
                yield from _headings(kid, kind)


def _unrepeated(paragraph: "pikepdf.Object") -> Iterator[tuple[int, tuple[int, int]]]:
    """Take from a paragraph what it holds on later pages than its first; the numbers and pages of that."""
    import pikepdf

    kids = paragraph.get("/K")
    if not isinstance(kids, pikepdf.Array):
        return
    pages = [kid.Pg.objgen if isinstance(kid, pikepdf.Dictionary) and "/Pg" in kid else None for kid in kids]
    later = [place for place, page in enumerate(pages) if page and page != pages[0]]
    for place in later:
        yield int(kids[place].MCID), pages[place] or (0, 0)
    for place in reversed(later):
        del kids[place]


def _entries(tree: "pikepdf.Object") -> "Iterator[tuple[int, pikepdf.Object]]":
    """The rows of a number tree."""
    rows = tree.get("/Nums", ())
    yield from ((int(rows[at]), rows[at + 1]) for at in range(0, len(rows), 2))
    for kid in tree.get("/Kids", ()):
        yield from _entries(kid)


def _leave_out(document: "pikepdf.Pdf", page: "pikepdf.Object", numbers: set[int]) -> None:
    import pikepdf

    content = page.Contents
    streams = content if isinstance(content, pikepdf.Array) else [content]
    text = b"\n".join(stream.read_bytes() for stream in streams)
    page.Contents = document.make_stream(
        _TAGGED.sub(lambda tag: b"/Artifact BMC" if int(tag[1]) in numbers else tag[0], text)
    )
