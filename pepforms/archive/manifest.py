"""The manifest beside the records: one row a record, and SHA256SUMS that `sha256sum -c` agrees with."""

import contextlib
import csv
import fcntl
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pepforms import files, retention
from pepforms.archive.verify import Facts
from pepforms.errors import Refused
from pepforms.model import Pep
from pepforms.profile import Profile

MANIFEST, SUMS, _LOCK = "manifest.csv", "SHA256SUMS", ".manifest.lock"


@dataclass(frozen=True, slots=True)
class Row:
    """One record: what it is, whose, how long it is kept, and how to know that it is whole."""

    lcs_person_id: str
    pep_id: str
    version: str
    document_type: str
    audience: str
    title: str
    meeting_date: str
    signed_off_at: str
    social_worker: str
    team: str
    protective_marking: str
    retention_until: str
    source: str
    pdf_standard: str
    filename: str
    bytes: str
    pages: str
    sha256: str
    supersedes: str = ""


COLUMNS = tuple(field.name for field in fields(Row))
"""The manifest's, in order."""


def row(
    pep: Pep, filename: str, pdf: bytes, facts: Facts, *, title: str, signed_off_at: datetime, profile: Profile
) -> Row:
    """The row of a record that was just verified."""
    kept = retention.kept_until(pep, profile.retention_years)
    worker: dict[str, Any] = next((person for person in pep["people"] if person["role"] == "social_worker"), {})
    return Row(
        lcs_person_id=pep["child"]["lcs_person_id"],
        pep_id=pep["pep"]["id"],
        version=str(pep["pep"]["version"]),
        document_type="PEP",
        audience="authority",
        title=title,
        meeting_date=pep["meeting"]["date"],
        signed_off_at=signed_off_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        social_worker=worker.get("name", ""),
        team=worker.get("organisation", ""),
        protective_marking=profile.protective_marking,
        retention_until=kept.isoformat() if kept else "",
        source="pepforms",
        pdf_standard=f"{facts.pdfa.claims}, {facts.pdfua.claims}",
        filename=filename,
        bytes=str(len(pdf)),
        pages=str(facts.pages),
        sha256=facts.sha256,
    )


def add(folder: Path, rows: Sequence[Row], sums: Mapping[str, str] = MappingProxyType({})) -> None:
    """Merge rows into the folder's manifest by file name; it is rewritten whole. To be called under `locked`.

    `sums` holds the SHA-256 of what else belongs to the records, by file name.
    """
    with files.told(folder / MANIFEST):
        known = {row.filename: row for row in read(folder)}
        known |= {row.filename: row for row in rows}
        merged = [replace(row, supersedes=_superseded(row, known)) for row in known.values()]
        write(folder, merged, {**sums_of(folder), **sums})


def write(folder: Path, rows: Sequence[Row], sums: Mapping[str, str]) -> None:
    """Make these rows the folder's manifest; SHA256SUMS lists their files and `sums`. To be called under `locked`.

    The row of a record that was moved away stays, and only there.
    """
    ordered = sorted(rows, key=lambda row: row.filename)
    every = {**sums, **{row.filename: row.sha256 for row in ordered if (folder / row.filename).is_file()}}
    files.replace(folder / MANIFEST, _csv(ordered))
    files.replace(folder / SUMS, "".join(f"{every[name]}  {name}\n" for name in sorted(every)).encode())


def read(folder: Path) -> list[Row]:
    """The rows of a folder's manifest; none where there is no manifest yet. Refused where it is not one of ours."""
    path = folder / MANIFEST
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file, strict=True)
        if header == list(COLUMNS) and all(len(line) == len(COLUMNS) for line in lines):
            return [Row(*map(_as_written, line)) for line in lines]
    except (ValueError, csv.Error):  # bytes that are no text, quotation marks that never close, nothing at all
        pass
    raise Refused(f"{path} is not a manifest of pepforms, or it is damaged. Move it away.", slug="foreign-manifest")


def sums_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that SHA256SUMS lists and that is there."""
    path = folder / SUMS
    text = path.read_text("utf-8", errors="replace") if path.exists() else ""
    pairs = (line.partition("  ") for line in text.splitlines())
    return {name: sha256 for sha256, _, name in pairs if name == Path(name).name and (folder / name).is_file()}


def _superseded(row: Row, known: dict[str, Row]) -> str:
    """The file of the newest earlier version of the same PEP: two PEPs in a term do not supersede each other."""
    same = (other for other in known.values() if (other.lcs_person_id, other.pep_id) == (row.lcs_person_id, row.pep_id))
    earlier = [other for other in same if int(other.version) < int(row.version)]
    return max(earlier, key=lambda other: int(other.version)).filename if earlier else ""


def _csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(defused, astuple(row)) for row in rows)
    return out.getvalue().encode()


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def defused(cell: str) -> str:
    """The cell as a spreadsheet shows it: what it would take for a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _as_written(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else files records into this folder meanwhile: no other thread, no other program of ours."""
    with files.told(folder), (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
