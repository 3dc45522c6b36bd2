"""Documents and records kept: the file first, then the row that names it, and a word in the audit."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, undefer

from pepforms.archive import manifest
from pepforms.digest import sha256
from pepforms.errors import Misconfigured
from pepforms.register import audit, legible
from pepforms.register.store import Register
from pepforms.register.tables import Child, Document, Record, Revision, Version


def keep_document(register: Register, row: Document, data: bytes, *, by: str, lost: str | None = None) -> str:
    """Keep a copy that was made, unless one of its identity is there; the SHA-256 of the file that is kept for it.

    `lost` is that of the file which the row of that identity names and which is not there any more, or not whole: the
    row names this one from now on, which need not be the same to the byte.
    """
    row.sha256 = register.files.put(data)
    with register.writing() as session:
        audit.lock(session)
        there = session.get(Document, row.identity)
        if there and there.sha256 != lost:
            return there.sha256
        register.files.put(data)  # one that had lain there for long, named by nobody, may be cleared away by now
        about = {"form": row.form, "audience": row.audience, "revision_id": row.revision_id, "sha256": row.sha256}
        if there:
            there.sha256, there.name, there.made_at = row.sha256, row.name, row.made_at
            audit.append(session, by, "document-made-again", row.identity, about | {"lost": lost})
        else:
            session.add(row)
            audit.append(session, by, "document-made", row.identity, about)
    return row.sha256


def keep_record(
    register: Register,
    row: manifest.Row,
    pdf: bytes,
    *,
    by: str,
    beside: Mapping[str, bytes] | None = None,
    revision_id: int | None = None,
) -> str:
    """Keep a record with its row and what lies beside it; the SHA-256 of the one that the register then holds.

    That is one of before where it holds this one, or another of what was signed off in the same PEP. `revision_id` is
    that of the PEP that it is the record of, None where that was signed off elsewhere.
    """
    digest = sha256(pdf)
    if digest != row.sha256:
        raise ValueError("the row is not this record's")
    with register.writing() as session:
        audit.lock(session)
        if session.get(Record, digest):
            return digest
        if revision_id and (there := record_of(session, revision_id)):
            return there.sha256
        # Under the lock, so that no other file of the same PEP is left that no row names.
        names = {name: register.files.put(data) for name, data in (beside or {}).items()}
        register.files.put(pdf)
        now = dt.datetime.now(dt.UTC)
        if session.get(Child, row.lcs_person_id) is None:
            session.add(Child(lcs_person_id=row.lcs_person_id, added_at=now))
            session.flush()
        record = Record(
            sha256=digest,
            lcs_person_id=row.lcs_person_id,
            pep_id=row.pep_id,
            version=int(row.version),
            revision_id=revision_id,
            row=dataclasses.asdict(row),
            beside=names,
            supersedes=_superseded(session, row),
            filed_at=now,
        )
        session.add(record)
        about = {"sha256": digest, "supersedes": record.supersedes, "beside": sorted(names.values())}
        audit.append(session, by, "record-kept", f"{row.pep_id} version {row.version}", about)
    return digest


def record_of(session: Session, revision_id: int) -> Record | None:
    """The record of what was signed off in the PEP of that revision, or of another with the same digest."""
    mine = session.get_one(Revision, revision_id)
    of_the_same = (
        select(Record)
        .join(Revision, Revision.id == Record.revision_id)
        .where(Revision.pep_id == mine.pep_id, Revision.version == mine.version, Revision.digest == mine.digest)
        .order_by(Record.filed_at.desc())
    )
    return session.scalars(of_the_same).first()


def without_record(session: Session, academic_year: str, term: str) -> list[Revision]:
    """Of each PEP of a term the newest version that is signed off, as it stands now, where it has no record yet."""
    there = select(Record).where(Record.pep_id == Version.pep_id, Record.version == Version.version)
    signed = (
        select(Version, Revision, there.exists())
        .join(Revision, and_(Revision.pep_id == Version.pep_id, Revision.version == Version.version))
        .where(Version.academic_year == academic_year, Version.term == term)
        .where(Version.signed_digest.is_not(None), Revision.number == Version.newest)
        .order_by(Version.pep_id, Version.version)
        .options(undefer(Revision.content))
    )
    newest = {version.pep_id: (revision, has_one) for version, revision, has_one in session.execute(signed)}
    return [revision for revision, has_one in newest.values() if not has_one]


def _superseded(session: Session, row: manifest.Row) -> str | None:
    """The last record of the newest earlier version of the same PEP: two PEPs in a term do not supersede each other."""
    earlier = (
        select(Record.sha256)
        .where(
            Record.lcs_person_id == row.lcs_person_id,
            Record.pep_id == row.pep_id,
            Record.version < int(row.version),
        )
        .order_by(Record.version.desc(), Record.filed_at.desc())
    )
    return session.scalars(earlier).first()


def named(session: Session) -> Iterator[tuple[str, str]]:
    """The SHA-256 of each file that the register names, and what names it; one may be named more than once."""
    for identity, digest in session.execute(select(Document.identity, Document.sha256)):
        yield digest, f"document {identity[:16]}"
    # These columns alone: a backup may be older than the others.
    records = session.execute(select(Record.sha256, Record.pep_id, Record.version, Record.beside))
    try:
        for digest, pep_id, version, beside in records:
            subject = f"the record of {pep_id} version {version}"
            yield digest, subject
            yield from ((other, f"{name}, beside {subject}") for name, other in beside.items())
    except legible.UNREADABLE as error:
        raise Misconfigured(
            "The register does not say any more which files are its records’. Run pepforms register check, and restore "
            "a backup.",
            slug="damaged-register",
        ) from error
