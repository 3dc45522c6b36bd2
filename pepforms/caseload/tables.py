"""Rows set as text for the screen, or as CSV for a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from pepforms.archive.manifest import defused

_MONEY = re.compile(r"-?[0-9]+\.[0-9]{2}")


def text(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """The rows in columns under their heads; the columns numbered in `right` are set to the right, as sums are."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    to_right = set(right)

    def line(cells: Sequence[str]) -> str:
        set_ = (
            cell.rjust(width) if at in to_right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(set_).rstrip()

    return "\n".join(map(line, [heads, *rows]))


def sheet(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The rows as CSV that Excel opens with every character right; no cell is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows([cell if _MONEY.fullmatch(cell) else defused(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")
