"""The register's store: made and brought up to date by itself, the same on SQLite and on PostgreSQL."""

import datetime as dt
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pepforms.errors import Misconfigured, Unavailable
from pepforms.register import audit
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Child, Table

KILLED_HALFWAY = """
import os, pathlib, signal, sys
import sqlalchemy as sa
from pepforms.register.files import Files
from pepforms.register.store import Register

made = 0

@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def count(connection, cursor, statement, *rest):
    global made
    made += "CREATE TABLE" in statement
    if made == 9:
        os.kill(os.getpid(), signal.SIGKILL)

Register(sys.argv[1], Files(pathlib.Path(sys.argv[2])))
"""


def is_whole(register: Register) -> bool:
    with register.engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_migrations_make_exactly_the_tables_that_the_code_works_with(register: Register) -> None:
    assert is_whole(register)


def test_a_migration_that_was_killed_halfway_left_nothing_and_is_done_when_next_opened(
    database: str, tmp_path: Path
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED_HALFWAY, database, tmp_path], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    engine = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
    register = Register(database, Files(tmp_path / "files"))
    assert is_whole(register)
    register.close()


def test_eight_that_open_a_new_register_at_once_make_it_once(database: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: Register(database, Files(tmp_path / "files")), range(8)))
    assert all(is_whole(register) for register in opened)
    for register in opened:
        register.close()


def test_refuses_a_register_that_a_newer_pepforms_made(register: Register, database: str, tmp_path: Path) -> None:
    with register.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="newer pepforms") as refused:
        Register(database, Files(tmp_path / "files"))
    assert (refused.value.exit_code, refused.value.slug) == (78, "newer-register")


def test_on_sqlite_what_is_committed_is_on_the_disk_and_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "a folder, 100 % ours?" / "register.sqlite"
    file.parent.mkdir()
    register = Register(file, Files(tmp_path / "files"))
    with register.engine.connect() as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        assert pragmas == ["wal", 2]
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}
    register.close()


@pytest.mark.parametrize("where", ["mysql://localhost/register", "no address at all", "sqlite://", "postgres"])
def test_an_address_of_no_database_of_ours_is_the_operators_to_put_right(where: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"database\.url"):
        Register(where, Files(tmp_path))


def test_a_database_that_is_away_may_be_there_later(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Try again later"):
        Register("postgresql://pepforms@127.0.0.1:1/register", Files(tmp_path))


def test_a_file_that_is_no_register_is_told(tmp_path: Path) -> None:
    (tmp_path / "register.sqlite").write_bytes(b"something else altogether" * 100)
    with pytest.raises(Misconfigured, match="damaged or none of ours"):
        Register(tmp_path / "register.sqlite", Files(tmp_path))


def test_every_time_comes_back_in_utc_with_its_zone(register: Register) -> None:
    summer = dt.datetime(2026, 7, 1, 9, 30, 15, 123456, dt.timezone(dt.timedelta(hours=1)))
    with register.writing() as session:
        session.add(Child(lcs_person_id="900005", added_at=summer))
    with register.reading() as session:
        child = session.get_one(Child, "900005")
        assert child.added_at == summer
        assert child.added_at.utcoffset() == dt.timedelta(0)
    with pytest.raises(sa.exc.StatementError, match="without its zone"), register.writing() as session:
        session.add(Child(lcs_person_id="900006", added_at=summer.replace(tzinfo=None)))


def test_a_reader_sees_one_state_whatever_is_written_meanwhile(register: Register) -> None:
    now = dt.datetime.now(dt.UTC)
    count = sa.select(sa.func.count()).select_from(Child)
    with register.reading() as session:
        assert session.scalar(count) == 0
        with register.writing() as writer:
            writer.add(Child(lcs_person_id="900005", added_at=now))
        assert session.scalar(count) == 0
    with register.reading() as session:
        assert session.scalar(count) == 1


def test_what_fails_halfway_is_not_kept_at_all(register: Register) -> None:
    def begun() -> None:
        with register.writing() as session:
            audit.append(session, "officer", "began", "something")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        begun()
    with register.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Audit)) == 0
        assert list(audit.faults(session)) == []


@pytest.mark.parametrize("deed", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_audit(register: Register, deed: str) -> None:
    with register.writing() as session:
        audit.append(session, "officer", "tried", "nothing")
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), register.engine.begin() as connection:
        connection.execute(sa.text(deed))
    with register.reading() as session:
        assert session.scalar(sa.select(Audit.actor)) == "officer"


ROWS = 6
EDITS = st.one_of(
    st.tuples(st.sampled_from(["actor", "action", "subject"]), st.text("abc", max_size=5)),
    st.tuples(st.just("at"), st.integers(0, 10**9).map(lambda at: dt.datetime.fromtimestamp(at, dt.UTC))),
    st.tuples(st.just("detail"), st.dictionaries(st.text("abc", max_size=3), st.integers(0, 9), max_size=2)),
    st.tuples(st.sampled_from(["previous", "hash"]), st.text("0123456789abcdef", min_size=64, max_size=64)),
    st.tuples(st.just("sequence"), st.integers(-3, ROWS + 9)),
    st.just(("removed", None)),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(1, ROWS), edit=EDITS)
def test_whoever_edits_or_removes_a_row_of_the_audit_is_noticed(register: Register, number: int, edit: tuple) -> None:
    with register.writing() as session:
        while audit.lock(session).sequence < ROWS:
            audit.append(session, "officer", "did", "something", {"a": 1})
    column, value = edit
    with register.engine.connect() as connection, connection.begin() as undone:
        triggers = ["audit_no_update", "audit_no_delete"] if register.file else ["audit_append_only ON audit"]
        for trigger in triggers:
            connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
        row = Audit.__table__.c.sequence == number
        if column == "removed":
            connection.execute(sa.delete(Audit.__table__).where(row))
        else:
            assume(connection.scalar(sa.select(Audit.__table__.c[column]).where(row)) != value)
            taken = column == "sequence" and 1 <= value <= ROWS
            assume(not taken)
            connection.execute(sa.update(Audit.__table__).where(row).values({column: value}))
        with sa.orm.Session(connection) as session:
            assert list(audit.faults(session))
        undone.rollback()


def test_however_many_threads_look_at_once_none_waits_for_a_connection(register: Register) -> None:
    threads = 20
    together = threading.Barrier(threads, timeout=20)

    def look(_: int) -> bool:
        with register.reading() as session:
            session.execute(sa.select(Audit.sequence)).all()
            return together.wait() < threads

    with ThreadPoolExecutor(threads) as pool:
        assert all(pool.map(look, range(threads)))
