"""What came of a batch: a row an item, and the documents by their names."""

import csv
import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pepforms import files
from pepforms.archive.manifest import defused
from pepforms.errors import PepformsError
from pepforms.register.store import Register
from pepforms.register.tables import Document, Item


@dataclass(frozen=True, slots=True)
class Result:
    """One item: of which PEP, for whom, how it stands, and the file or the problem that came of it."""

    item: int
    pep_id: str | None
    version: int | None
    source: str | None
    form: str
    audience: str
    person: str | None
    to: str
    state: str
    file: str | None
    sha256: str | None
    problem: str | None
    message: str | None
    exit_code: int | None


COLUMNS = tuple(field.name for field in fields(Result))
"""In the order of the CSV."""


def results(session: Session, batch_id: str) -> Iterator[Result]:
    """Every item of a batch, in order. Where two copies would have one name, the second has its item's number too."""
    taken: dict[str, str] = {}
    query = (
        select(Item, Document)
        .outerjoin(Document, Document.identity == Item.document_identity)
        .where(Item.batch_id == batch_id)
        .order_by(Item.ordinal)
        .execution_options(yield_per=200)
    )
    for row in session.execute(query):
        item, problem = row.Item, row.Item.problem or {}
        document: Document | None = row.Document
        yield Result(
            item.ordinal, item.pep_id, item.version, item.source, item.form, item.audience, item.person, item.to,
            item.state, _name(taken, item, document) if document is not None else None,
            document.sha256 if document is not None else None,
            problem.get("slug"), problem.get("message"), problem.get("exit_code"),
        )  # fmt: skip


def _name(taken: dict[str, str], item: Item, document: Document) -> str:
    if taken.setdefault(document.name, document.sha256) == document.sha256:
        return document.name
    stem, _, suffix = document.name.rpartition(".")
    return f"{stem}_{item.ordinal}.{suffix}"


def as_csv(found: Iterator[Result]) -> Iterator[str]:
    """The results as lines of CSV that a spreadsheet may open."""
    yield _line(COLUMNS)
    for result in found:
        yield _line(defused("" if value is None else str(value)) for value in astuple(result))


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def put_out(register: Register, batch_id: str, out: Path, *, force: bool) -> Iterator[Path | PepformsError]:
    """Write the documents of a batch into a folder; each path, and what kept it from being written if anything did."""
    files.folder(out)
    with register.reading() as session:
        made = [(each.file, each.sha256) for each in results(session, batch_id) if each.file and each.sha256]
    for name, digest in dict(made).items():
        try:
            files.write(out / name, register.files.get(digest), force=force)
        except PepformsError as error:
            yield error
        else:
            yield out / name
