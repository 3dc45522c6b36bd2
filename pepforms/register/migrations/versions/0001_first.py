"""The first register."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("audit", "revision")
"""Tables whose rows are never changed and never removed, whoever asks."""


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("term", sa.String(length=20), nullable=True),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running",
                "paused",
                "cancelled",
                "finished",
                name="batch_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_table(
        "child",
        sa.Column("lcs_person_id", sa.String(length=40), nullable=False),
        sa.Column("former_lcs_person_id", sa.String(length=40), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lcs_person_id", name=op.f("pk_child")),
    )
    op.create_table(
        "list_import",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_list_import")),
    )
    op.create_index(op.f("ix_list_import_as_of"), "list_import", ["as_of"], unique=False)
    op.create_table(
        "worker",
        sa.Column("executor_id", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("executor_id", name=op.f("pk_worker")),
    )
    op.create_index(op.f("ix_worker_heartbeat_at"), "worker", ["heartbeat_at"], unique=False)
    op.create_table(
        "list_row",
        sa.Column("list_digest", sa.String(length=64), nullable=False),
        sa.Column("lcs_person_id", sa.String(length=40), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["lcs_person_id"], ["child.lcs_person_id"], name=op.f("fk_list_row_lcs_person_id")),
        sa.ForeignKeyConstraint(["list_digest"], ["list_import.digest"], name=op.f("fk_list_row_list_digest")),
        sa.PrimaryKeyConstraint("list_digest", "lcs_person_id", name=op.f("pk_list_row")),
    )
    op.create_index(op.f("ix_list_row_lcs_person_id"), "list_row", ["lcs_person_id"], unique=False)
    op.create_table(
        "pep_version",
        sa.Column("pep_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lcs_person_id", sa.String(length=40), nullable=True),
        sa.Column("academic_year", sa.String(length=7), nullable=False),
        sa.Column("term", sa.String(length=10), nullable=False),
        sa.Column("meeting_date", sa.Date(), nullable=True),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("signed_digest", sa.String(length=64), nullable=True),
        sa.Column("signed_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lcs_person_id"], ["child.lcs_person_id"], name=op.f("fk_pep_version_lcs_person_id")),
        sa.PrimaryKeyConstraint("pep_id", "version", name=op.f("pk_pep_version")),
    )
    op.create_index(op.f("ix_pep_version_academic_year_term"), "pep_version", ["academic_year", "term"], unique=False)
    op.create_index(op.f("ix_pep_version_lcs_person_id"), "pep_version", ["lcs_person_id"], unique=False)
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pep_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["pep_id", "version"],
            ["pep_version.pep_id", "pep_version.version"],
            name=op.f("fk_revision_pep_id_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("pep_id", "version", "number", name=op.f("uq_revision_pep_id_version_number")),
    )
    op.create_index(op.f("ix_revision_sha256"), "revision", ["sha256"], unique=False)
    op.create_table(
        "section_state",
        sa.Column("pep_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("section", sa.String(length=60), nullable=False),
        sa.Column("owner", sa.String(length=60), nullable=True),
        sa.Column("state", sa.String(length=30), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("to_check", sa.Integer(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pep_id", "version"],
            ["pep_version.pep_id", "pep_version.version"],
            name=op.f("fk_section_state_pep_id_version"),
        ),
        sa.PrimaryKeyConstraint("pep_id", "version", "section", name=op.f("pk_section_state")),
    )
    op.create_table(
        "sign_off",
        sa.Column("pep_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pep_id", "version"],
            ["pep_version.pep_id", "pep_version.version"],
            name=op.f("fk_sign_off_pep_id_version"),
        ),
        sa.PrimaryKeyConstraint("pep_id", "version", "ordinal", name=op.f("pk_sign_off")),
    )
    op.create_table(
        "document",
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=60), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("person", sa.String(length=60), nullable=True),
        sa.Column("to", sa.String(length=10), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_document_revision_id")),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_document")),
    )
    op.create_index(op.f("ix_document_revision_id"), "document", ["revision_id"], unique=False)
    op.create_index(op.f("ix_document_sha256"), "document", ["sha256"], unique=False)
    op.create_table(
        "record",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("lcs_person_id", sa.String(length=40), nullable=False),
        sa.Column("pep_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.Column("beside", sa.JSON(), nullable=False),
        sa.Column("supersedes", sa.String(length=64), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lcs_person_id"], ["child.lcs_person_id"], name=op.f("fk_record_lcs_person_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_record_revision_id")),
        sa.ForeignKeyConstraint(["supersedes"], ["record.sha256"], name=op.f("fk_record_supersedes")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_record")),
    )
    op.create_index(op.f("ix_record_lcs_person_id"), "record", ["lcs_person_id"], unique=False)
    op.create_index(op.f("ix_record_pep_id_version"), "record", ["pep_id", "version"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=120), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "prepared",
                "delivered",
                "confirmed",
                "withdrawn",
                "dead",
                name="delivery_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lcs_reference", sa.String(length=120), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_because", sa.String(), nullable=True),
        sa.Column("deletion_reference", sa.String(length=120), nullable=True),
        sa.ForeignKeyConstraint(["record_sha256"], ["record.sha256"], name=op.f("fk_delivery_record_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("record_sha256", "destination", name=op.f("uq_delivery_record_sha256_destination")),
    )
    op.create_index(op.f("ix_delivery_state_next_try_at"), "delivery", ["state", "next_try_at"], unique=False)
    op.create_table(
        "item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("pep_id", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("form", sa.String(length=60), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("person", sa.String(length=60), nullable=True),
        sa.Column("to", sa.String(length=10), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "working",
                "done",
                "held",
                "failed",
                "cancelled",
                name="item_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("executor_id", sa.String(length=80), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.Column("document_identity", sa.String(length=64), nullable=True),
        sa.Column("record_sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint("revision_id IS NOT NULL OR source IS NOT NULL", name=op.f("ck_item_of_something")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_item_batch_id")),
        sa.ForeignKeyConstraint(["document_identity"], ["document.identity"], name=op.f("fk_item_document_identity")),
        sa.ForeignKeyConstraint(["record_sha256"], ["record.sha256"], name=op.f("fk_item_record_sha256")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_item_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("batch_id", "ordinal", name=op.f("uq_item_batch_id_ordinal")),
    )
    op.create_index(op.f("ix_item_batch_id_state"), "item", ["batch_id", "state"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("copy", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_because", sa.String(), nullable=True),
        sa.CheckConstraint("item_id IS NOT NULL OR copy IS NOT NULL", name=op.f("ck_hold_of_something")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_hold_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_copy"), "hold", ["copy"], unique=False)
    op.create_index(op.f("ix_hold_item_id"), "hold", ["item_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("said", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_receipt_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_delivery_id"), "receipt", ["delivery_id"], unique=False)

    op.execute(sa.text("INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, :hash)").bindparams(hash="0" * 64))
    for table in APPEND_ONLY:
        guard(table)


def guard(table: str) -> None:
    """Have the database itself refuse what would change a row that is never to change."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
