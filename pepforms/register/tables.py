"""The tables of the register: what is kept of children, PEPs, documents, records, batches, deliveries and lists.

Every time is in UTC and carries its zone, on SQLite as on PostgreSQL. What stands in `revision` and in `audit` never
changes: the database itself refuses it.
"""

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

Fields = dict[str, Any]
"""A JSON object in a column."""


class Utc(TypeDecorator[dt.datetime]):
    """A time in UTC with its zone; SQLite knows none, so it is kept there without and given back with it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """A time without a zone is nobody's: it is an error here, not a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        at = value.astimezone(dt.UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """The time as every store gives it."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


def _one_of(name: str, *values: str) -> Enum:
    """A column that holds one of these words, on either store."""
    return Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def _digest() -> String:
    return String(64)


def _id() -> String:
    return String(40)


class Table(DeclarativeBase):
    """What every table shares."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        dt.datetime: Utc(),
        Fields: JSON(none_as_null=True),
    }


# --- children and their PEPs -----------------------------------------------------------------------------------------


class Child(Table):
    """A child whom a PEP, a record or a weekly list names, by the number in the social care system."""

    __tablename__ = "child"

    lcs_person_id: Mapped[str] = mapped_column(_id(), primary_key=True)
    former_lcs_person_id: Mapped[str | None] = mapped_column(_id())
    added_at: Mapped[dt.datetime]


class Version(Table):
    """A numbered version of a PEP. Once `signed_digest` is set, what it covers never changes again."""

    __tablename__ = "pep_version"
    __table_args__ = (Index(None, "lcs_person_id"), Index(None, "academic_year", "term"))

    pep_id: Mapped[str] = mapped_column(_id(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lcs_person_id: Mapped[str | None] = mapped_column(ForeignKey("child.lcs_person_id"))
    academic_year: Mapped[str] = mapped_column(String(7))
    term: Mapped[str] = mapped_column(String(10))
    meeting_date: Mapped[dt.date | None]
    newest: Mapped[int]
    """The number of its newest revision."""
    signed_digest: Mapped[str | None] = mapped_column(_digest())
    signed_off_at: Mapped[dt.datetime | None]
    added_at: Mapped[dt.datetime]


class Revision(Table):
    """One stored state of a version: its canonical bytes, as they came. Never changed, never removed."""

    __tablename__ = "revision"
    __table_args__ = (
        ForeignKeyConstraint(["pep_id", "version"], ["pep_version.pep_id", "pep_version.version"]),
        UniqueConstraint("pep_id", "version", "number"),
        Index(None, "sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pep_id: Mapped[str] = mapped_column(_id())
    version: Mapped[int]
    number: Mapped[int]
    """Counts from 1 within the version."""
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str] = mapped_column(_digest())
    """Of `content`."""
    digest: Mapped[str] = mapped_column(_digest())
    """What a sign-off of it signs (`digest.pep_digest`)."""
    by: Mapped[str]
    at: Mapped[dt.datetime]


class SectionState(Table):
    """How far a section of a version has come: found anew with each revision."""

    __tablename__ = "section_state"
    __table_args__ = (ForeignKeyConstraint(["pep_id", "version"], ["pep_version.pep_id", "pep_version.version"]),)

    pep_id: Mapped[str] = mapped_column(_id(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    section: Mapped[str] = mapped_column(String(60), primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(30))
    missing: Mapped[int]
    to_check: Mapped[int]
    due: Mapped[dt.date | None]


class SignOff(Table):
    """A sign-off as it stands in the newest revision; `holds` while nothing that it signed has changed."""

    __tablename__ = "sign_off"
    __table_args__ = (ForeignKeyConstraint(["pep_id", "version"], ["pep_version.pep_id", "pep_version.version"]),)

    pep_id: Mapped[str] = mapped_column(_id(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(String(60))
    name: Mapped[str]
    method: Mapped[str]
    at: Mapped[dt.datetime]
    digest: Mapped[str] = mapped_column(_digest())
    holds: Mapped[bool]


# --- what was made ---------------------------------------------------------------------------------------------------


class Document(Table):
    """A copy that was made. Its identity is the digest of all that decides what it says, so none is made twice."""

    __tablename__ = "document"
    __table_args__ = (Index(None, "sha256"), Index(None, "revision_id"))

    identity: Mapped[str] = mapped_column(_digest(), primary_key=True)
    form: Mapped[str] = mapped_column(String(60))
    audience: Mapped[str] = mapped_column(String(20))
    person: Mapped[str | None] = mapped_column(String(60))
    """The reference, in the PEP, of the parent whom a parent's copy is for."""
    to: Mapped[str] = mapped_column(String(10))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    sha256: Mapped[str] = mapped_column(_digest())
    """Of the file, which is kept under it."""
    name: Mapped[str]
    made_at: Mapped[dt.datetime]


class Record(Table):
    """A sealed PDF and its row in the manifest. `revision_id` is None where it was signed off elsewhere."""

    __tablename__ = "record"
    __table_args__ = (Index(None, "pep_id", "version"), Index(None, "lcs_person_id"))

    sha256: Mapped[str] = mapped_column(_digest(), primary_key=True)
    lcs_person_id: Mapped[str] = mapped_column(ForeignKey("child.lcs_person_id"))
    pep_id: Mapped[str] = mapped_column(_id())
    version: Mapped[int]
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    row: Mapped[Fields]
    """The manifest's, by column."""
    beside: Mapped[Fields] = mapped_column(default=dict)
    """What lies beside it: the SHA-256 of each file, by its name."""
    supersedes: Mapped[str | None] = mapped_column(ForeignKey("record.sha256"))
    filed_at: Mapped[dt.datetime]


# --- batches ---------------------------------------------------------------------------------------------------------


class Batch(Table):
    """Many documents asked for at once."""

    __tablename__ = "batch"

    id: Mapped[str] = mapped_column(_id(), primary_key=True)
    term: Mapped[str | None] = mapped_column(String(20))
    asked: Mapped[Fields]
    state: Mapped[str] = mapped_column(_one_of("batch_state", "running", "paused", "cancelled", "finished"))
    created_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    by: Mapped[str]


class Item(Table):
    """One document of a batch: of a revision in the register, or of a PEP that a path names."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("batch_id", "ordinal"),
        CheckConstraint("revision_id IS NOT NULL OR source IS NOT NULL", name="of_something"),
        Index(None, "batch_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batch.id"))
    ordinal: Mapped[int]
    pep_id: Mapped[str | None] = mapped_column(_id())
    version: Mapped[int | None]
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    source: Mapped[str | None]
    form: Mapped[str] = mapped_column(String(60))
    audience: Mapped[str] = mapped_column(String(20))
    person: Mapped[str | None] = mapped_column(String(60))
    to: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(
        _one_of("item_state", "waiting", "working", "done", "held", "failed", "cancelled")
    )
    attempts: Mapped[int] = mapped_column(default=0)
    executor_id: Mapped[str | None] = mapped_column(String(80))
    """Who works on it."""
    changed_at: Mapped[dt.datetime]
    problem: Mapped[Fields | None]
    """`slug` and `message` of what stopped it; never a child's data."""
    document_identity: Mapped[str | None] = mapped_column(ForeignKey("document.identity"))
    record_sha256: Mapped[str | None] = mapped_column(ForeignKey("record.sha256"))


class Hold(Table):
    """Something that waits for a person: an item of a batch, or a copy by its identity; until somebody releases it."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("item_id IS NOT NULL OR copy IS NOT NULL", name="of_something"),
        Index(None, "copy"),
        Index(None, "item_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    copy: Mapped[str | None] = mapped_column(_digest())
    reason: Mapped[str] = mapped_column(String(60))
    """A slug."""
    message: Mapped[str]
    held_at: Mapped[dt.datetime]
    released_by: Mapped[str | None]
    released_at: Mapped[dt.datetime | None]
    released_because: Mapped[str | None]


class Worker(Table):
    """A process that works on batches, and when it was last heard of."""

    __tablename__ = "worker"

    executor_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    host: Mapped[str]
    started_at: Mapped[dt.datetime]
    heartbeat_at: Mapped[dt.datetime] = mapped_column(index=True)
    stopped_at: Mapped[dt.datetime | None]


# --- deliveries ------------------------------------------------------------------------------------------------------


class Delivery(Table):
    """One record on its way to one destination."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("record_sha256", "destination"), Index(None, "state", "next_try_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    record_sha256: Mapped[str] = mapped_column(ForeignKey("record.sha256"))
    destination: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(
        _one_of("delivery_state", "prepared", "delivered", "confirmed", "withdrawn", "dead")
    )
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[dt.datetime | None]
    problem: Mapped[Fields | None]
    prepared_at: Mapped[dt.datetime]
    delivered_at: Mapped[dt.datetime | None]
    lcs_reference: Mapped[str | None] = mapped_column(String(120))
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[dt.datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_because: Mapped[str | None]
    deletion_reference: Mapped[str | None] = mapped_column(String(120))
    """How the destination says that it deleted its copy."""


class Receipt(Table):
    """What is known of a delivery's arrival, each time something became known."""

    __tablename__ = "receipt"
    __table_args__ = (Index(None, "delivery_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    state: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime]
    by: Mapped[str]
    sha256: Mapped[str | None] = mapped_column(_digest())
    """Of what lay at the destination, where it could be read back."""
    said: Mapped[Fields | None]


# --- the weekly list -------------------------------------------------------------------------------------------------


class ListImport(Table):
    """A weekly list of the children in care, by the SHA-256 of its file.

    Where that file is another day's list already, it is by that of the file's SHA-256 and the day.
    """

    __tablename__ = "list_import"

    digest: Mapped[str] = mapped_column(_digest(), primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(index=True)
    imported_at: Mapped[dt.datetime]
    by: Mapped[str]


class ListRow(Table):
    """What a weekly list says of one child."""

    __tablename__ = "list_row"

    list_digest: Mapped[str] = mapped_column(ForeignKey("list_import.digest"), primary_key=True)
    lcs_person_id: Mapped[str] = mapped_column(ForeignKey("child.lcs_person_id"), primary_key=True, index=True)
    fields: Mapped[Fields]


# --- the audit -------------------------------------------------------------------------------------------------------


class Audit(Table):
    """One thing that was done. `hash` covers it and the row before it; ids and digests only, no child's data."""

    __tablename__ = "audit"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str]
    detail: Mapped[Fields]
    previous: Mapped[str] = mapped_column(_digest())
    hash: Mapped[str] = mapped_column(_digest())


class AuditHead(Table):
    """The last row of the audit: a single row, which whoever appends locks first."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int]
    hash: Mapped[str] = mapped_column(_digest())
