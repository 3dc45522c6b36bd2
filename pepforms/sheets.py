"""Tables as a spreadsheet saves them (CSV), however it does: what stands between cells, which encoding, which dates.

No message repeats what a cell holds.
"""

import csv
import datetime as dt
import io
import itertools
import re

from pepforms.days import LONDON
from pepforms.errors import Refused

Rows = list[tuple[int, list[str]]]
"""The cells of each row that holds anything, with its number in the spreadsheet, the header being row 1."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_SAID = "must be a date, as 12/03/2026 (day first) or 2026-03-12"


class BadCell(ValueError):
    """What is wrong with a cell, and what to write."""


def read(data: bytes, name: str, *, most: int, slug: str, most_rows: int | None = None) -> tuple[list[str], Rows]:
    """The names of the columns, as `heading` writes them, and the rows.

    Commas, semicolons or tabs between cells; UTF-8, UTF-16 or Windows-1252. Refused, under that slug, where it is no
    CSV file, is empty, or has more than `most` bytes, or `most_rows` rows below the names of its columns.
    """
    if len(data) > most:
        raise Refused(f"{name} is larger than any such list ({most >> 20} MB). Split it.", slug=slug)
    text = _decoded(data, name, slug)
    first, _, rest = text.partition("\n")
    skipped = 0
    if re.fullmatch(r"sep=.\r?", first, re.IGNORECASE):  # how Excel is told what stands between cells
        first, _, text, skipped = rest.partition("\n")[0], "", rest, 1
    between = max(";,\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
        table = list(itertools.islice(reader, most_rows + 2 if most_rows else None))
    except csv.Error:
        raise Refused(
            f"{name} is not a CSV file: quotation marks in it do not match. Save the list as CSV again.", slug=slug
        ) from None
    if not table:
        raise Refused(f"{name} is empty. Save the list as CSV again.", slug=slug)
    if most_rows and len(table) > most_rows + 1:
        raise Refused(
            f"{name} has more than {most_rows:,} rows, which no such list has. Was it the right report? Export it.",
            slug=slug,
        )
    numbered = enumerate(table[1:], 2 + skipped)
    return [heading(cell) for cell in table[0]], [(row, cells) for row, cells in numbered if any(map(str.strip, cells))]


def heading(text: str) -> str:
    """The name of a column without what does not matter in it: `Meeting  Date` is `meeting_date`."""
    return re.sub(r"[\s_-]+", "_", text.strip()).casefold()


def _decoded(data: bytes, name: str, slug: str) -> str:
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refused(f"{name} is not a CSV file. Save the list as CSV (UTF-8).", slug=slug)


def day(cell: str) -> dt.date:
    """A date as people write it, the day first, or as machines do; BadCell says how to write it."""
    if found := re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", cell):
        year, month, day = found.groups()
    elif found := re.fullmatch(r"(\d\d?)[/.-](\d\d?)[/.-](\d{4})", cell):
        day, month, year = found.groups()
    elif found := re.fullmatch(r"(\d\d?)[ -]([A-Za-z]{3,9})[ -](\d{4})", cell):
        day, month, year = found.groups()
        if month[:3].lower() not in _MONTHS:
            raise BadCell(_DATE_SAID)
        month = str(_MONTHS.index(month[:3].lower()) + 1)
    else:
        raise BadCell(_DATE_SAID)
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        raise BadCell("is no day of the calendar: write day, month, year, as 12/03/2026") from None


def moment(cell: str) -> dt.date:
    """A date, or a moment where the cell has a time too: London's, unless it says otherwise."""
    date, time = [*re.split(r"[T ](?=\d\d?:)", cell, maxsplit=1), ""][:2]
    if not time:
        return day(date)
    try:
        at = dt.time.fromisoformat(time.replace("Z", "+00:00") if len(time.split(":")[0]) == 2 else f"0{time}")
    except ValueError:
        raise BadCell("must be a date, with a time where it is known, as 12/03/2026 15:04") from None
    return dt.datetime.combine(day(date), at.replace(microsecond=0), at.tzinfo or LONDON)
