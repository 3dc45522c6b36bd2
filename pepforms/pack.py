"""The pack: for whoever puts records on the children's files, a folder of their own with a covering list.

The social worker answers for the upload, so a folder of records can be parted by social worker or by team. Folders
hold links to the same files, a manifest and SHA256SUMS of their own, and `covering-list.pdf` to tick off by hand; they
are named by initials and a mark, or by the team, never by a person. `covering-lists.csv` says whose each is.
"""

import contextlib
import csv
import io
import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pepforms import files, naming
from pepforms.archive import manifest, stamp
from pepforms.archive.manifest import Row
from pepforms.naming import By
from pepforms.pipeline import Workshop
from pepforms.profile import Profile

if TYPE_CHECKING:
    from docx.document import Document

LIST, INDEX = "covering-list.pdf", "covering-lists.csv"

_TITLE = "Signed-off PEPs for the children’s records on LCS"
_HEADS = ("LCS number", "PEP meeting", "Social worker", "File", "On LCS: date and name")
_WIDTHS, _HEIGHT = (2.3, 3.4, 4.2, 10.6, 5.2), 0.9
"""Of the columns, and of a row that is written on by hand, in centimetres."""


def part(out: Path, by: By, workshop: Workshop, today: date) -> Path:
    """Part the records of a folder by social worker or team, in `out/by-social-worker` or `out/by-team`."""
    place = files.folder(out / f"by-{by}")
    with manifest.locked(out), files.told(place):
        parted = _parted([row for row in manifest.read(out) if (out / row.filename).is_file()], by)
        for name, rows in parted.items():
            _fill(files.folder(place / name), out, rows)
            files.replace(place / name / LIST, covering_list(rows, by, workshop, today))
        for name in _made_before(place) - parted.keys():
            _empty(place / name, out)
        files.replace(place / INDEX, _index(parted))
    return place


def _made_before(place: Path) -> set[str]:
    """The folders that were made here before: what somebody has renamed or put here is theirs."""
    index = place / INDEX
    text = index.read_text("utf-8") if index.exists() else ""
    return {row["folder"] for row in csv.DictReader(io.StringIO(text)) if (place / row["folder"]).is_dir()}


def _parted(rows: Iterable[Row], by: By) -> dict[str, list[Row]]:
    parted: dict[str, list[Row]] = {}
    for row in rows:
        parted.setdefault(naming.folder(by, social_worker=row.social_worker, team=row.team), []).append(row)
    return dict(sorted(parted.items()))


def _fill(folder: Path, out: Path, rows: Sequence[Row]) -> None:
    """Have the folder hold these records and what lies beside them; of what it held before, no more than that."""
    wanted = [name for row in rows for name in (row.filename, naming.report(row.filename), naming.data(row.filename))]
    there = [name for name in wanted if (out / name).exists()]
    for name in manifest.sums_of(folder).keys() - set(there):
        (folder / name).unlink()
    for name in there:
        _link(out / name, folder / name)
    sums = manifest.sums_of(out)
    manifest.write(folder, rows, {name: sums[name] for name in there if name in sums})


def _empty(folder: Path, out: Path) -> None:
    """Take away what was ours in a folder that has no records any more, and the folder if nothing else is in it."""
    _fill(folder, out, ())
    for name in (LIST, manifest.MANIFEST, manifest.SUMS):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _link(source: Path, target: Path) -> None:
    if target.exists():
        if target.samefile(source):
            return
        target.unlink()
    try:
        os.link(source, target)
    except OSError:  # a share without hard links
        shutil.copy2(source, target)


def _index(parted: dict[str, list[Row]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("folder", "social_worker", "team", "records"))
    for name, rows in parted.items():
        workers, teams = (sorted({getattr(row, key) for row in rows} - {""}) for key in ("social_worker", "team"))
        writer.writerow(map(manifest.defused, (name, "; ".join(workers), "; ".join(teams), str(len(rows)))))
    return text.getvalue().encode()


# --- the covering list -----------------------------------------------------------------------------------------------


def covering_list(rows: Sequence[Row], by: By, workshop: Workshop, today: date) -> bytes:
    """The list as an accessible PDF/A, a row a record, with room to write when it was put on LCS and by whom."""
    pdf = workshop.convert(_word(rows, by, workshop.profile, today), about="A covering list")
    return stamp.finish(pdf, title=_TITLE)


def _word(rows: Sequence[Row], by: By, profile: Profile, today: date) -> bytes:
    import docx
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    document = docx.Document()
    section = document.sections[0]
    section.orientation, section.page_width, section.page_height = WD_ORIENT.LANDSCAPE, Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2)
    document.styles["Normal"].font.name = document.styles["Heading 1"].font.name = "Arial"
    document.core_properties.title = _TITLE
    section.header.paragraphs[0].text = profile.protective_marking
    document.add_heading(_TITLE, 1)
    document.add_paragraph(
        f"{_whose(rows, by)} · {len(rows)} record{'s' * (len(rows) != 1)} · from {profile.virtual_school}"
    )
    document.add_paragraph(
        f"Prepared for LCS on {today.day} {today:%B %Y}; not yet confirmed. Please put each file on the child’s "
        "record, write down when and your name, and send this list back to the Virtual School."
    )
    _table(document, rows)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _whose(rows: Sequence[Row], by: By) -> str:
    first = rows[0]
    if by == "team":  # names that differ in their signs alone share a folder
        return "; ".join(sorted({row.team for row in rows} - {""})) or "No team is named in these PEPs"
    named = ", ".join(part for part in (first.social_worker, first.team) if part)
    return named or "No social worker is named in these PEPs"


def _table(document: "Document", rows: Sequence[Row]) -> None:
    from docx.enum.table import WD_ALIGN_VERTICAL
    from docx.oxml import OxmlElement
    from docx.shared import Cm, Pt

    table = document.add_table(1, len(_HEADS), style="Table Grid")
    table.autofit = False
    for column, width in zip(table.columns, _WIDTHS, strict=True):
        column.width = Cm(width)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    cells = [_HEADS]
    cells += [(row.lcs_person_id, _day(row.meeting_date), row.social_worker, row.filename, "") for row in rows]
    for number, texts in enumerate(cells):
        line = table.add_row() if number else table.rows[0]
        line.height = Cm(_HEIGHT)
        for cell, text, width in zip(line.cells, texts, _WIDTHS, strict=True):
            cell.width = Cm(width)
            cell.vertical_alignment = WD_ALIGN_VERTICAL.CENTER
            run = cell.paragraphs[0].add_run(text)
            run.font.size, run.bold = Pt(9), not number


def _day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"
