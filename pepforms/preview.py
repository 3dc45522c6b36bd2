"""Pictures of the pages of a PDF that was just made: PNG, as large as a screen shows a page at its full size.

Drawing a page takes 3 ms, packing it the rest: so PNG is written here, lines as they are, in half the time of a writer
that tries five filters on every line, and no larger. Processes share the pages, since pypdfium2 is not safe in threads.
"""

import struct
import zlib
from typing import TYPE_CHECKING

from pepforms.errors import Refused

if TYPE_CHECKING:
    import pypdfium2

_SCALE = 96 / 72  # dots of a screen to an inch, points to an inch
_FASTEST = 1  # of 9: more takes up to twice as long and packs no smaller to speak of


def one(pdf: bytes, number: int) -> dict[int, bytes]:
    """The picture of one page, by its number; Refused (slug `no-such-page`) where the PDF has no such page."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        if not 1 <= number <= len(document):
            raise Refused(
                f"There is no page {number}: this document has pages 1 to {len(document)}.", slug="no-such-page"
            )
        return {number: _picture(document[number - 1])}


def share(pdf: bytes, first: int, step: int) -> dict[int, bytes]:
    """The pictures of a share of the pages by their numbers: from the first on, every so many."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        return {number: _picture(document[number - 1]) for number in range(first, len(document) + 1, step)}


def _picture(page: "pypdfium2.PdfPage") -> bytes:
    drawn = page.render(scale=_SCALE, rev_byteorder=True)  # red, green, blue, as PNG has them
    dots, used = bytes(drawn.buffer), 3 * drawn.width
    lines = b"".join(b"\0" + dots[at : at + used] for at in range(0, drawn.stride * drawn.height, drawn.stride))
    header = struct.pack(">IIBBBBB", drawn.width, drawn.height, 8, 2, 0, 0, 0)  # 8 bits each of three colours
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, _FASTEST)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
