"""The whole register: proved, exported and taken up again, backed up and restored, while others work."""

import copy
import datetime as dt
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pepforms import forms, pipeline, profile, resources, settings
from pepforms.archive import verify
from pepforms.digest import pep_digest, sha256
from pepforms.errors import Misconfigured, Refused, Unreadable
from pepforms.handover import rows
from pepforms.pipeline import Record as Made
from pepforms.register import audit, backup, exchange, made, peps
from pepforms.register import check as proving
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import (
    Audit,
    Batch,
    Child,
    Delivery,
    Document,
    Hold,
    Item,
    ListImport,
    ListRow,
    Record,
    Table,
    Worker,
)
from pepforms.wiring import Wiring

PROFILE = profile.load("hillingdon")
SIGNED: dict[str, Any] = json.loads((resources.folder("samples") / "valid" / "year-5-review.json").read_bytes())
NOW = dt.datetime(2026, 11, 26, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiring]:
    home = tmp_path_factory.mktemp("home")
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(home), "PEPFORMS_ARCHIVE_VALIDATE": "off"}))
    wiring.use_demonstration_key()
    yield wiring
    wiring.converter.close()


@pytest.fixture(scope="module")
def record(wiring: Wiring) -> Made:
    return pipeline.archive(SIGNED, forms.named("pep"), wiring)


def numbered(number: int) -> dict[str, Any]:
    """One of many PEPs: another child's each."""
    pep = copy.deepcopy(SIGNED)
    pep["pep"]["id"], pep["child"]["lcs_person_id"] = f"PEP-{number}", f"8{number:05}"
    return {key: value for key, value in pep.items() if key != "sign_offs"}


def filled(register: Register, record: Made) -> Register:
    """The register with something in every table."""
    draft = numbered(1)
    for action in ("One", "Two", "One"):
        draft["actions"][0]["action"] = action
        with register.reading() as session:
            version = session.get(peps.Version, ("PEP-1", 1))
        peps.keep(register, draft, PROFILE, by="officer", over=version.newest if version else 0)
    kept = peps.keep(register, SIGNED, PROFILE, by="officer")
    document = Document(
        identity=sha256(b"identity"),
        form="my-plan",
        audience="child",
        to="pdf",
        revision_id=kept.revision_id,
        name="a.pdf",
        made_at=NOW,
    )
    made.keep_document(register, document, b"%PDF- a copy", by="officer")
    beside = {"a.verapdf.json": b"{}"}
    pdf = record.document.data
    made.keep_record(register, record.row, pdf, by="officer", beside=beside, revision_id=kept.revision_id)
    with register.writing() as session:
        session.add(
            Batch(id="B1", term="2026-27_AUT", asked={"forms": ["pep"]}, state="running", created_at=NOW, by="x")
        )
        session.add(Worker(executor_id="host-1", host="host", started_at=NOW, heartbeat_at=NOW))
        session.add(ListImport(digest=sha256(b"list"), as_of=NOW.date(), imported_at=NOW, by="officer"))
        session.flush()
        about = {"form": "pep", "audience": "school", "to": "pdf", "state": "held", "changed_at": NOW}
        session.add(
            Item(id=7, batch_id="B1", ordinal=1, revision_id=kept.revision_id, problem={"slug": "leak"}, **about)
        )
        fields = {"confidential": True, "school": None, "share": 0.5}
        session.add(ListRow(list_digest=sha256(b"list"), lcs_person_id="900005", fields=fields))
        delivery = Delivery(
            id=3, record_sha256=record.row.sha256, destination="lcs", state="delivered", prepared_at=NOW
        )
        session.add(delivery)
        session.flush()
        session.add(Hold(item_id=7, reason="leak", message="A person looks.", held_at=NOW))
        rows.written(session, delivery, "delivery-prepared", by="officer")
        rows.became_known(session, delivery, "delivered", by="officer", said={"name": "a.pdf"})
    return register


@pytest.fixture(scope="module")
def filled_once(record: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a filled register, its files, and an export of it: for each test to start from."""
    folder = tmp_path_factory.mktemp("filled")
    register = filled(Register(folder / "register.sqlite", Files(folder / "files")), record)
    exchange.export(register, folder / "export")
    register.close()
    return folder


@pytest.fixture
def on_sqlite(filled_once: Path, tmp_path: Path) -> Iterator[Register]:
    shutil.copy(filled_once / "register.sqlite", tmp_path)
    shutil.copytree(filled_once / "files", tmp_path / "files")
    register = Register(tmp_path / "register.sqlite", Files(tmp_path / "files"))
    yield register
    register.close()


@pytest.fixture
def on_postgresql(filled_once: Path, postgresql: str, tmp_path: Path) -> Iterator[Register]:
    register = Register(postgresql, Files(tmp_path / "files"))
    exchange.bring_in(register, filled_once / "export")
    yield register
    register.close()


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def full(request: pytest.FixtureRequest) -> Register:
    """A register with something in every table, on each store in its turn."""
    register: Register = request.getfixturevalue(request.param)
    return register


def proved(register: Register, verified: Callable[[bytes], verify.Facts]) -> proving.Proof:
    return proving.check(register, PROFILE, verified)


@pytest.fixture
def holds(wiring: Wiring) -> Callable[[Register], tuple[str, ...]]:
    """The faults of a register."""
    return lambda register: proved(register, wiring.verify).faults


def dumped(register: Register) -> dict[str, bytes]:
    with register.reading() as session:
        return dict(exchange.dump(session))


def behind_its_back(register: Register, *statements: str, **values: Any) -> None:
    """What somebody does who has the database itself: no trigger stops them and no reference is looked at."""
    with register.engine.connect() as connection:
        if register.file:
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            triggers = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
            for trigger in list(triggers):
                connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
        else:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement), values)
        connection.commit()


# --- the proof -------------------------------------------------------------------------------------------------------


def test_a_register_that_nobody_touched_holds_and_the_proof_counts_what_it_saw(full: Register, wiring: Wiring) -> None:
    proof = proved(full, wiring.verify)
    assert (proof.faults, proof.notes) == ((), ())
    assert dict(proof.counts) == {
        "child": 2,
        "pep_version": 2,
        "revision": 4,
        "document": 1,
        "record": 1,
        "delivery": 1,
        "audit": 9,
        "files": 3,
    }
    assert proof.audit_ends.startswith("9 ")


def test_every_file_is_there_and_is_what_its_name_says(full: Register, holds: Any, record: Made) -> None:
    full.files.path(sha256(b"%PDF- a copy")).unlink()
    full.files.path(sha256(b"{}")).write_bytes(b"{ }")
    changed = bytearray(record.document.data)
    changed[2000] ^= 1
    full.files.path(record.row.sha256).write_bytes(changed)
    missing, of_record, beside = sorted(holds(full), key=len)
    assert missing.startswith("Document ")
    assert "is missing" in missing
    assert of_record.startswith("The record of PEP-0005-A26 version 1: The file")
    assert beside.startswith("A.verapdf.json, beside the record of PEP-0005-A26 version 1")


def test_a_record_whose_seal_does_not_hold_is_told(full: Register, holds: Any, record: Made) -> None:
    changed = bytearray(record.document.data)
    changed[2000] ^= 1
    row = replace(record.row, sha256=sha256(bytes(changed)), filename="other.pdf")
    made.keep_record(full, row, bytes(changed), by="officer")
    (fault,) = holds(full)
    assert fault.startswith("The record of PEP-0005-A26 version 1 does not hold: ")


def test_a_file_that_nobody_names_is_a_note_at_first_and_a_fault_the_day_after(full: Register, wiring: Wiring) -> None:
    path = full.files.path(full.files.put(b"put, and its row never written"))
    proof = proved(full, wiring.verify)
    assert (proof.faults, proof.notes) == ((), ("Files put during the last day that no row names yet: 1.",))
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(path, (two_days_ago, two_days_ago))
    (fault,) = proved(full, wiring.verify).faults
    assert "has lain here for 2 days, and no row names it" in fault


def aged(path: Path) -> Path:
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(path, (two_days_ago, two_days_ago))
    return path


def test_files_that_nobody_has_named_for_a_day_are_cleared_and_nothing_else(full: Register, wiring: Wiring) -> None:
    with full.reading() as session:
        named = [aged(full.files.path(digest)) for digest, _ in made.named(session)]
    lost = aged(full.files.path(full.files.put(b"put, and its row never written")))
    young = full.files.path(full.files.put(b"put, and its row not yet written"))
    half = aged(Path(shutil.copy(lost, lost.with_name(".begun-x7f3"))))
    (full.files.folder / "letters").mkdir()
    theirs = [full.files.folder / "letters" / "a.pdf", full.files.folder / "letters" / lost.name]
    theirs.append(full.files.folder / "README")
    for path in theirs:
        path.write_bytes(b"not ours")
        aged(path)
    assert proving.clear_orphans(full, by="officer") == 2
    assert not lost.exists()
    assert not half.exists()
    assert all(path.exists() for path in (young, *theirs, *named))
    with full.reading() as session:
        (entry,) = session.scalars(sa.select(Audit).where(Audit.action == "files-cleared"))
        assert (entry.actor, entry.detail) == ("officer", {"files": 2})
    assert proving.clear_orphans(full, by="officer") == 0
    for path in theirs:
        path.unlink()
    assert proved(full, wiring.verify).faults == ()


class _Cleared(Files):
    """A folder in which others clear what nobody names whenever a file has been put there."""

    others: Register | None = None

    def put(self, data: bytes) -> str:
        digest = super().put(data)
        others, self.others = self.others, None
        if others:
            assert proving.clear_orphans(others, by="another") == 1
        return digest


def test_a_file_that_is_cleared_before_its_row_is_written_is_there_all_the_same(register: Register) -> None:
    kept = peps.keep(register, SIGNED, PROFILE, by="officer")
    slow = Register(register.engine.url.set(drivername=register.engine.name).render_as_string(False), register.files)
    slow.files = files = _Cleared(register.files.folder)
    aged(files.path(files.put(b"made by a process that was killed")))
    files.others = register
    row = Document(
        identity="d" * 64, form="pep", audience="school", to="pdf", revision_id=kept.revision_id, name="a", made_at=NOW
    )
    digest = made.keep_document(slow, row, b"made by a process that was killed", by="officer")
    assert register.files.get(digest) == b"made by a process that was killed"
    slow.close()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE revision SET content = :other WHERE number = 2", "its content was changed after it was kept"),
        ("UPDATE revision SET content = :other, sha256 = :sha256 WHERE number = 2", "the audit does not know it"),
        ("DELETE FROM revision WHERE number = 2", "lacks a revision"),
        ("UPDATE revision SET digest = :sha256 WHERE number = 2", "its digest is not that of its content"),
        ("UPDATE pep_version SET signed_digest = :sha256 WHERE version = 1", "was changed after it was signed off"),
        ("UPDATE audit SET actor = 'somebody else' WHERE sequence = 3", "row 3 was changed"),
        ("DELETE FROM audit WHERE sequence = 9", "it ends with row 8"),
        ("DELETE FROM batch", "The row 7 of item names a row of batch that is not there"),
        ("DELETE FROM child WHERE lcs_person_id = '900005'", "names a row of child that is not there"),
    ],
)
def test_what_was_changed_behind_its_back_is_told(full: Register, holds: Any, statement: str, told: str) -> None:
    other = b'{"a":1}'
    values = {"other": other, "sha256": sha256(other)}
    behind_its_back(full, statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    assert any(told in fault for fault in holds(full))


ANOTHER, OF_A = "'" + "b" * 64 + "'", "WHERE pep_id = 'PEP-0005-A26'"
A_CHILD = "INSERT INTO child VALUES ('900999', NULL, '2026-11-26 09:30:00')"


def in_row(name: str, value: str) -> str:
    """A statement that edits one column of the manifest in the row of each record, on SQLite."""
    return f"UPDATE record SET row = json_set(row, '$.{name}', '{value}')"


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (
            [f"DELETE FROM {table} {OF_A}" for table in ("section_state", "sign_off", "revision", "pep_version")],
            "PEP-0005-A26 version 1 lacks a revision: number 1, which row 4 of the audit names. Restore",
        ),
        (["UPDATE pep_version SET signed_digest = NULL"], "its row and the audit differ in whether, or as what"),
        (["UPDATE pep_version SET signed_off_at = '2026-01-01 00:00:00'"], "its newest state lacks a sign-off"),
        (["DELETE FROM record"], "The record of PEP-0005-A26 version 1 that row 7 of the audit names is not there"),
        ([in_row("social_worker", "Somebody Else")], "its row says otherwise of social_worker than the record itself"),
        ([in_row("lcs_person_id", "900999")], "its row says otherwise of lcs_person_id than"),
        ([in_row("sha256", "b" * 64)], "its row says otherwise of sha256 than"),
        ([in_row("filename", "other.pdf")], "its row says otherwise of filename than"),
        ([A_CHILD, "UPDATE record SET lcs_person_id = '900999'"], "was made of is another child’s"),
        (["UPDATE record SET beside = '{}'"], "what lies beside it is not what row 7 of the audit says"),
        ([A_CHILD, f"UPDATE pep_version SET lcs_person_id = '900999' {OF_A}"], "differ in the child, the term or"),
        (["DELETE FROM document"], "Document 689f6a627384c7dc, which row 6 of the audit names, is not there"),
        (["UPDATE document SET sha256 = (SELECT sha256 FROM record)"], "sha256 is not what row 6 of the audit says"),
        (["UPDATE sign_off SET name = 'Somebody Else'"], "sign-off 1: its row is not what the newest state says"),
        (["DELETE FROM sign_off"], "sign-offs of its newest state have no row"),
        (["UPDATE revision SET by = 'somebody else' WHERE number = 2"], "who kept it is not whom row 2"),
        (["UPDATE revision SET at = '2020-01-01 00:00:00' WHERE number = 2"], "when it was kept is not what row 2"),
        (
            ["UPDATE delivery SET state = 'withdrawn'"],
            "Delivery 3: its row says withdrawn, and by the audit it is delivered. Ask who edited it",
        ),
        (["DELETE FROM receipt", "DELETE FROM delivery"], "Delivery 3, which the audit names, is not there"),
        (["DELETE FROM receipt"], "Delivery 3: 1 of its receipts are not those of the audit"),
        (["UPDATE delivery SET confirmed_by = 'somebody else'"], "the audit says otherwise who confirmed it"),
    ],
)  # fmt: skip
def test_a_row_that_was_removed_or_edited_behind_its_back_is_told(
    on_sqlite: Register, holds: Any, statements: list[str], told: str
) -> None:
    behind_its_back(on_sqlite, *statements)
    assert any(told in fault for fault in holds(on_sqlite)), holds(on_sqlite)


def test_on_postgresql_too_what_the_audit_names_is_missed(on_postgresql: Register, holds: Any) -> None:
    behind_its_back(on_postgresql, "DELETE FROM item", "DELETE FROM hold", "DELETE FROM document")
    (fault,) = (fault for fault in holds(on_postgresql) if fault.startswith("Document"))
    assert fault == "Document 689f6a627384c7dc, which row 6 of the audit names, is not there. Restore a backup."


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM record",
        "DELETE FROM document",
        "UPDATE record SET beside = '[]'",
        "DELETE FROM audit WHERE sequence = 7",
        "UPDATE audit SET detail = 'no JSON' WHERE sequence = 7",
    ],
)
def test_no_file_is_deleted_where_the_row_that_named_it_may_be_lost(
    on_sqlite: Register, holds: Any, statement: str
) -> None:
    files = [aged(path) for _, path in on_sqlite.files.all()]
    behind_its_back(on_sqlite, "DELETE FROM receipt", "DELETE FROM delivery", statement)
    with pytest.raises(Misconfigured, match="restore a backup") as refused:
        proving.clear_orphans(on_sqlite, by="officer")
    assert refused.value.slug == "damaged-register"
    assert all(path.exists() for path in files)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE revision SET content = x'fffe'", "PEP PEP-0005-A26 version 1, revision 1: its content was changed"),
        (
            f"UPDATE revision SET content = '[]', sha256 = '{sha256(b'[]')}'",
            "the audit does not know it",
        ),
        (in_row("retention_until", "for ever"), "of record holds what pepforms never writes"),
        ("UPDATE record SET row = 'no JSON'", "of record holds what pepforms never writes"),
        ("UPDATE record SET row = '[]'", "of record holds what pepforms never writes"),
        ("UPDATE record SET beside = '[1]'", "of record holds what pepforms never writes"),
        ("UPDATE audit SET detail = 'no JSON' WHERE sequence = 2", "The row 2 of audit holds what pepforms never"),
        ("UPDATE audit SET detail = '[]'", "Audit: row 2 was changed after it was written"),
        ("UPDATE audit SET at = 'yesterday' WHERE sequence = 2", "The row 2 of audit holds what pepforms"),
        ("DELETE FROM audit_head", "Audit: where it ends is not written down any more. Restore"),
        ("UPDATE pep_version SET meeting_date = 'soon'", "The row PEP-0005-A26 1 of pep_version holds what"),
        ("UPDATE delivery SET state = 'eaten', problem = '{'", "The row 3 of delivery holds what"),
        ("UPDATE sign_off SET at = 'then'", "The row PEP-0005-A26 1 0 of sign_off holds what"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_any_more_is_told_and_the_check_goes_on(
    on_sqlite: Register, holds: Any, statement: str, told: str
) -> None:
    behind_its_back(on_sqlite, "PRAGMA ignore_check_constraints = ON", statement, "DELETE FROM worker WHERE 1 = 0")
    on_sqlite.files.put(b"put, and its row never written")
    faults = holds(on_sqlite)
    assert any(told in fault for fault in faults), faults


def test_a_record_whose_row_cannot_be_read_is_not_said_to_be_gone(on_sqlite: Register, holds: Any) -> None:
    behind_its_back(on_sqlite, in_row("retention_until", "for ever"))
    (fault,) = holds(on_sqlite)
    assert "of record holds what pepforms never writes. Ask who edited it, or restore a backup." in fault


def test_nothing_is_written_into_a_register_that_does_not_know_where_its_audit_ends(on_sqlite: Register) -> None:
    behind_its_back(on_sqlite, "DELETE FROM audit_head")
    with pytest.raises(Misconfigured, match="Restore a backup"):
        peps.keep(on_sqlite, numbered(2), PROFILE, by="officer")


def test_a_seal_that_nobody_trusts_here_is_told_once_with_how_many_records_bear_it(
    on_sqlite: Register, wiring: Wiring, tmp_path: Path
) -> None:
    for number in range(2):
        again = copy.deepcopy(SIGNED)
        again["pep"]["id"] = f"PEP-{number}-A26"
        again["sign_offs"][0]["digest"] = pep_digest(again)
        kept = peps.keep(on_sqlite, again, PROFILE, by="officer")
        another = pipeline.archive(again, forms.named("pep"), wiring)
        made.keep_record(on_sqlite, another.row, another.document.data, by="officer", revision_id=kept.revision_id)
    elsewhere = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path / "home"), "PEPFORMS_ARCHIVE_VALIDATE": "off"}))
    (fault,) = proved(on_sqlite, elsewhere.verify).faults
    assert fault.startswith("3 records: The seal is not trusted")
    assert "pepforms.toml" in fault


@pytest.mark.parametrize(
    ("until", "faults", "notes"),
    [
        ("", 1, 0),
        ("2061-11-02", 1, 0),
        ("2099-11-02", 0, 1),
    ],
)
def test_a_record_is_kept_as_long_as_the_law_says(
    full: Register, wiring: Wiring, until: str, faults: int, notes: int
) -> None:
    with full.writing() as session:
        kept = session.scalars(sa.select(Record)).one()
        kept.row = {**kept.row, "retention_until": until}
    proof = proved(full, wiring.verify)
    assert (len(proof.faults), len(proof.notes)) == (faults, notes)
    assert "2091-11-02" in "".join(proof.faults + proof.notes)


def test_may_run_while_others_write(full: Register, holds: Any) -> None:
    done, wrong = threading.Event(), list[Exception]()

    def write() -> None:
        try:
            for number in range(2, 200):
                if done.is_set():
                    break
                peps.keep(full, numbered(number), PROFILE, by="officer")
        except Exception as error:  # noqa: BLE001  the test looks at whatever it was
            wrong.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    found = [holds(full) for _ in range(3)]
    done.set()
    writer.join()
    assert (found, wrong) == ([(), (), ()], [])


# --- out and in again ------------------------------------------------------------------------------------------------


def test_an_export_taken_up_by_an_empty_register_is_the_same_register_and_works_on(
    full: Register, tmp_path: Path, holds: Any, postgres: Callable[[], str]
) -> None:
    exported = exchange.export(full, tmp_path / "out")
    assert all(exported.rows.values()), "a table without rows proves nothing"
    other_store = postgres() if full.file else tmp_path / "other.sqlite"
    other = Register(other_store, Files(tmp_path / "other"))
    assert exchange.bring_in(other, tmp_path / "out") == (True, exported)
    assert dumped(other) == dumped(full)
    assert holds(other) == ()
    assert exchange.bring_in(other, tmp_path / "out") == (False, exported)
    assert peps.keep(other, numbered(99), PROFILE, by="officer").state == "new"  # numbers are counted on
    with other.writing() as session:
        session.add(Hold(copy=sha256(b"a copy"), reason="leak", message="A person looks.", held_at=NOW))
    assert holds(other) == ()
    other.close()


def test_an_export_has_the_newest_state_of_each_pep_for_people(full: Register, tmp_path: Path) -> None:
    exchange.export(full, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "peps" / "PEP-0005-A26_v1.json").read_bytes()) == SIGNED
    assert {path.name for path in (tmp_path / "out" / "peps").iterdir()} == {"PEP-0005-A26_v1.json", "PEP-1_v1.json"}


def test_an_export_is_not_written_over_another_unasked(full: Register, tmp_path: Path) -> None:
    exchange.export(full, tmp_path)
    exchange.export(full, tmp_path)
    peps.keep(full, numbered(2), PROFILE, by="officer")
    with pytest.raises(Refused, match="is there already and differs"):
        exchange.export(full, tmp_path)
    exchange.export(full, tmp_path, force=True)


def test_an_export_is_not_mixed_into_a_register_that_holds_something(full: Register, tmp_path: Path) -> None:
    exchange.export(full, tmp_path / "out")
    other = Register(tmp_path / "other.sqlite", Files(tmp_path / "other"))
    peps.keep(other, numbered(2), PROFILE, by="officer")
    before = dumped(other)
    with pytest.raises(Refused, match="import its folder peps"):
        exchange.bring_in(other, tmp_path / "out")
    assert dumped(other) == before
    other.close()


@pytest.mark.parametrize(
    "harm",
    [
        lambda out: (out / "tables" / "audit.jsonl").write_bytes(b""),
        lambda out: (out / "tables" / "hold.jsonl").unlink(),
        lambda out: next((out / "files").glob("*/*")).unlink(),
        lambda out: next((out / "revisions").glob("*/*")).write_bytes(b"{}"),
        lambda out: (out / "register.json").write_bytes(b"{}"),
    ],
)
def test_an_export_that_is_not_whole_is_refused_and_nothing_of_it_taken(
    on_sqlite: Register, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    exchange.export(on_sqlite, tmp_path / "out")
    harm(tmp_path / "out")
    other = Register(tmp_path / "other.sqlite", Files(tmp_path / "other"))
    with pytest.raises(Refused, match="not whole"):
        exchange.bring_in(other, tmp_path / "out")
    assert {name for name, lines in dumped(other).items() if lines} == {"audit_head"}
    other.close()


def test_an_export_of_another_version_is_refused(on_sqlite: Register, tmp_path: Path) -> None:
    exchange.export(on_sqlite, tmp_path / "out")
    listed = json.loads((tmp_path / "out" / "register.json").read_bytes())
    (tmp_path / "out" / "register.json").write_text(json.dumps({**listed, "migration": "9999"}))
    with pytest.raises(Refused, match="another version"):
        exchange.bring_in(on_sqlite, tmp_path / "out")


# --- backup ----------------------------------------------------------------------------------------------------------


def test_a_backup_made_while_others_write_is_restored_whole(on_sqlite: Register, tmp_path: Path, holds: Any) -> None:
    done = threading.Event()

    def write() -> None:
        for number in range(2, 200):
            if done.is_set():
                break
            peps.keep(on_sqlite, numbered(number), PROFILE, by="officer")

    writer = threading.Thread(target=write)
    writer.start()
    file, home = tmp_path / "backup", tmp_path / "home"
    assert backup.backup(on_sqlite, file) == 3
    done.set()
    writer.join()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert backup.restore(file, home / "register.sqlite", Files(home / "files")) == 3
    assert {path.name for path in home.iterdir()} == {"register.sqlite", "files"}
    restored = Register(home / "register.sqlite", Files(home / "files"))
    assert holds(restored) == ()
    with restored.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Child)) >= 2
        assert list(audit.faults(session)) == []
    restored.close()


def test_a_backup_is_restored_into_an_empty_home_only(on_sqlite: Register, tmp_path: Path) -> None:
    backup.backup(on_sqlite, tmp_path / "backup")
    with pytest.raises(Refused, match="has a register already"):
        backup.restore(tmp_path / "backup", tmp_path / "register.sqlite", on_sqlite.files)
    with pytest.raises(Refused, match="is there already"):
        backup.backup(on_sqlite, tmp_path / "backup")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "register.sqlite-wal").write_bytes(b"what another register left behind")
    with pytest.raises(Refused, match=r"register\.sqlite-wal"):
        backup.restore(tmp_path / "backup", tmp_path / "home" / "register.sqlite", Files(tmp_path / "home" / "files"))


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7, 0.95, "changed", "not there"])
def test_a_backup_that_is_not_whole_is_refused_and_leaves_nothing(
    on_sqlite: Register, tmp_path: Path, kept: float | str
) -> None:
    file, home = tmp_path / "backup", tmp_path / "home"
    backup.backup(on_sqlite, file)
    data = bytearray(file.read_bytes())
    if kept == "changed":
        data[len(data) // 4] ^= 1
    file.write_bytes(data[: int(len(data) * kept)] if isinstance(kept, float) else data)
    if kept == "not there":
        file.unlink()
    with pytest.raises(Unreadable if kept == "not there" else Refused):
        backup.restore(file, home / "register.sqlite", Files(home / "files"))
    assert list(home.iterdir()) == []


def test_on_postgresql_a_backup_is_pg_dumps(postgres: Callable[[], str], tmp_path: Path) -> None:
    register = Register(postgres(), Files(tmp_path / "files"))
    with pytest.raises(Misconfigured, match="pg_dump"):
        backup.backup(register, tmp_path / "backup")
    with pytest.raises(Misconfigured, match="pg_restore"):
        backup.restore(tmp_path / "backup", "postgresql://pepforms@/register", Files(tmp_path / "files"))
    assert not (tmp_path / "backup").exists()
    register.close()


def test_every_table_is_in_the_filled_register(on_sqlite: Register) -> None:
    assert {name for name, lines in dumped(on_sqlite).items() if lines} == set(Table.metadata.tables)


def test_a_restore_that_was_cut_short_is_begun_again(on_sqlite: Register, tmp_path: Path, holds: Any) -> None:
    backup.backup(on_sqlite, tmp_path / "backup")
    home = tmp_path / "home"
    shutil.copytree(on_sqlite.files.folder, home / "files")  # every file was there, and the register not yet
    backup.restore(tmp_path / "backup", home / "register.sqlite", Files(home / "files"))
    restored = Register(home / "register.sqlite", Files(home / "files"))
    assert holds(restored) == ()
    restored.close()
