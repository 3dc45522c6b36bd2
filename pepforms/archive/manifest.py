"""The manifest beside the records: one row a record, and SHA256SUMS that `sha256sum -c` agrees with."""

import contextlib
import csv
import fcntl
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
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


def add(folder: Path, rows: Sequence[Row]) -> None:
    """Merge rows into the folder's manifest by file name; the manifest is rewritten whole, under a lock."""
    with files.told(folder / MANIFEST), _locked(folder):
        known = {row.filename: row for row in read(folder)}
        known |= {row.filename: replace(row, supersedes=_superseded(row, known)) for row in rows}
        ordered = [known[name] for name in sorted(known)]
        files.replace(folder / MANIFEST, _csv(ordered))
        sums = "".join(f"{row.sha256}  {row.filename}\n" for row in ordered)
        files.replace(folder / SUMS, sums.encode())


def read(folder: Path) -> list[Row]:
    """The rows of a folder's manifest; none where there is no manifest yet."""
    path = folder / MANIFEST
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != [field.name for field in fields(Row)]:
            raise Refused(f"{path} is not a manifest of pepforms. Move it away.", slug="foreign-manifest")
        return [Row(**line) for line in reader]


def _superseded(row: Row, known: dict[str, Row]) -> str:
    """The file of the newest earlier version of the same PEP: two PEPs in a term do not supersede each other."""
    same = (other for other in known.values() if (other.lcs_person_id, other.pep_id) == (row.lcs_person_id, row.pep_id))
    earlier = [other for other in same if int(other.version) < int(row.version)]
    return max(earlier, key=lambda other: int(other.version)).filename if earlier else ""


def _csv(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return out.getvalue().encode()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
