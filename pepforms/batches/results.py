"""What came of a batch: a row an item, and the documents by their names."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, cast

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from pepforms import days, files
from pepforms.archive.manifest import defused
from pepforms.caseload import holds
from pepforms.errors import PepformsError, Refused
from pepforms.model import Audience, Pep
from pepforms.register.store import Register
from pepforms.register.tables import Batch, Document, Item, Revision, Version


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
    """Every item of a batch, in order. Each copy that could have another's name has its item's number in its own."""
    for item, document, shared in _rows(session, batch_id):
        problem = item.problem or {}
        yield Result(
            item.ordinal, item.pep_id, item.version, item.source, item.form, item.audience, item.person, item.to,
            item.state, _name(item, document, shared=shared) if document is not None else None,
            document.sha256 if document is not None else None,
            problem.get("slug"), problem.get("message"), problem.get("exit_code"),
        )  # fmt: skip


def _rows(session: Session, batch_id: str) -> Iterator[tuple[Item, Document | None, bool]]:
    """Each item, its document, and whether another item has a document of that name, or may come to have one.

    Items count in all states: a name that is given out belongs to that item, whatever is made or read later.
    """
    child = func.coalesce(Version.lcs_person_id, Version.pep_id)
    alike = (child, Version.academic_year, Version.term, Version.version, Item.audience)
    could = func.min(Item.pep_id).over(partition_by=alike) != func.max(Item.pep_id).over(partition_by=alike)
    if not session.get_one(Batch, batch_id).asked.get("for_one"):  # there a name tells whose it is
        could = or_(could, func.count().over(partition_by=alike) > 1)
    does = func.count().over(partition_by=Document.name) > 1
    query = (
        select(Item, Document, or_(could, does))
        .outerjoin(Document, Document.identity == Item.document_identity)
        .outerjoin(Version, and_(Version.pep_id == Item.pep_id, Version.version == Item.version))
        .where(Item.batch_id == batch_id)
        .order_by(Item.ordinal)
        .execution_options(yield_per=200)
    )
    for item, document, shared in session.execute(query):
        yield item, document, bool(shared)


def _name(item: Item, document: Document, *, shared: bool) -> str:
    if not shared:
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


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was made: its file, and the state of the PEP that it is of; why it may not go to its reader today."""

    file: str
    sha256: str
    revision_id: int
    person: str | None
    pep: Pep
    against: str | None


def copies(session: Session, batch_id: str, today: dt.date, only: Audience | None = None) -> Iterator[Copy]:
    """What was made of a batch, for one audience or all, each asked of the weekly list as it was before it was made.

    What somebody has released may go, as long as the list says no more than they have read.
    """
    for item, document, shared in _rows(session, batch_id):
        if document is None or (only and item.audience != only):
            continue
        content = session.scalars(select(Revision.content).where(Revision.id == document.revision_id)).one()
        pep: Pep = json.loads(content)
        held = holds.held(session, item.id, pep, cast(Audience, item.audience), today)
        yield Copy(
            _name(item, document, shared=shared), document.sha256, document.revision_id, item.person, pep,
            f"{held.message} A new batch holds this copy until somebody releases it." if held else None,
        )  # fmt: skip


def put_out(register: Register, batch_id: str, out: Path, *, force: bool) -> Iterator[Path | PepformsError]:
    """Write the documents of a batch into a folder; each path, and what kept it from being written if anything did.

    A copy that the newest weekly list speaks against is left out, and told.
    """
    try:
        files.folder(out)
    except PepformsError as error:
        yield error
        return
    with register.reading() as session:
        made = [(each.file, each.sha256, each.against) for each in copies(session, batch_id, days.today())]
    for name, digest, against in made:
        if against:
            yield Refused(f"{out / name} is not put out. {against}", slug="left-out")
            continue
        try:
            files.write(out / name, register.files.get(digest), force=force)
        except PepformsError as error:
            yield error
        else:
            yield out / name
