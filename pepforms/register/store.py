"""The register opened: on SQLite or PostgreSQL, brought up to date, its errors said in plain English."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.orm import Session

from pepforms import files
from pepforms.errors import Misconfigured, PepformsError, Unavailable
from pepforms.register.files import Files
from pepforms.register.tables import Document, Record

BUSY_SECONDS = 30.0
"""How long a writer waits for its turn."""
_ONE_UPGRADE = 7_370_001
"""The number of the lock, among PostgreSQL's advisory locks, under which one process brings a register up to date."""
_MIGRATIONS = Path(__file__).with_name("migrations")


class Register:
    """The register and its files. Opening it, a file of SQLite or a database by its URL, brings it up to date."""

    def __init__(self, where: str | Path, kept: Files) -> None:
        self.files = kept
        self.file = sqlite_file(where)
        """The file of a register on SQLite; None on PostgreSQL."""
        self.engine = _engine(where)
        self._writing = self.engine.execution_options(writes=True)
        try:
            with told():
                _brought_up_to_date(self.engine)
        except BaseException:
            self.close()
            raise
        kept.are_named = self._names_files

    def _names_files(self) -> bool:
        with self.reading() as session:
            return any(session.scalar(sa.select(kind.sha256).limit(1)) for kind in (Document, Record))

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees the register as it is at its first look, whatever is written meanwhile."""
        with told(), Session(self.engine) as session:
            if self.file is None:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose work is kept whole when the block ends, and not at all where it fails.

        On SQLite one writer works at a time, from the first line of the block: nothing slow belongs into it.
        """
        with told(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def sqlite_file(where: str | Path) -> Path | None:
    """The file of the register that lies there; None where it is on PostgreSQL. Misconfigured where it is neither."""
    if isinstance(where, Path):
        return where.absolute()
    try:
        url = sa.make_url(where)
    except exc.ArgumentError as error:
        raise _bad_url() from error
    if url.drivername == "sqlite" and url.database:
        return Path(url.database).absolute()
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise _bad_url()
    return None


def place(where: str | Path) -> str:
    """Where the register is, in words that give no password away."""
    if file := sqlite_file(where):
        return str(file)
    url = sa.make_url(str(where))
    return f"the database {url.database} on {url.host or 'this computer'}"


def stands(where: str | Path) -> Literal["not made", "older", "up to date"]:
    """How far the register there has come, found out without making one or changing it.

    Misconfigured (slug `newer-register`) where a newer pepforms made it, (`damaged-register`) where it does not say.
    """
    if file := sqlite_file(where):
        with files.told(file):
            if not file.exists():
                return "not made"
    engine = _engine(where)
    try:
        with told(), engine.connect() as connection:
            if not _is_begun(connection):
                return "not made"
            return "up to date" if _is_up_to_date(connection) else "older"
    finally:
        engine.dispose()


def _engine(where: str | Path) -> Engine:
    # Errors quote no parameters: they may be a child's data. There may be as many connections as there are threads.
    if file := sqlite_file(where):
        _made(file)
        url = sa.URL.create("sqlite", database=str(file))
        engine = sa.create_engine(url, max_overflow=-1, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _as_we_need_it)
        event.listen(engine, "begin", _begin)
        return engine
    url = sa.make_url(str(where)).set(drivername="postgresql+psycopg")
    return sa.create_engine(
        url, max_overflow=-1, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": 10}
    )


def _bad_url() -> Misconfigured:
    return Misconfigured(
        "The setting database.url is no address of a PostgreSQL database. Write postgresql://USER@HOST/DATABASE, "
        "or leave it empty for a file in the home folder.",
        slug="bad-database-url",
    )


def _made(file: Path) -> None:
    """The file made, empty, where there is none: for its owner alone."""
    with files.told(file):
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


def _as_we_need_it(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, tables and all
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A reader that turned writer halfway could fail for want of its turn; a writer says so from the start.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


# --- up to date ------------------------------------------------------------------------------------------------------


def _brought_up_to_date(engine: Engine) -> None:
    """Run the migrations that this register has not seen, all or none, one process at a time."""
    with engine.connect() as connection:
        if _is_up_to_date(connection):
            return
    with engine.execution_options(writes=True).connect() as connection:
        if engine.dialect.name == "sqlite":
            # A table that is made anew would take along the rows that name it; they are checked below instead.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                _upgrade(connection)
        finally:
            if engine.dialect.name == "sqlite" and not connection.invalidated:
                connection.connection.cursor().execute("PRAGMA foreign_keys=ON")


def newest_migration() -> str:
    """The number of the last migration: how far a register that is up to date has come."""
    return max(_migrations())


def _migrations() -> set[str]:
    return {path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")}


def _is_begun(connection: Connection) -> bool:
    return sa.inspect(connection).has_table("alembic_version")


def _is_up_to_date(connection: Connection) -> bool:
    if not _is_begun(connection):
        return False
    there = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if there is None:
        raise Misconfigured(
            "This register does not say any more how far it was brought up to date. Restore a backup.",
            slug="damaged-register",
        )
    if there not in _migrations():
        raise Misconfigured(
            "This register was made by a newer pepforms, and this one would not understand it. "
            "Install the newer pepforms again.",
            slug="newer-register",
        )
    return bool(there == newest_migration())


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ONE_UPGRADE})
    if _is_up_to_date(connection):
        return
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise Misconfigured(
            "This register names rows that it does not hold, so it was not brought up to date. Restore a backup.",
            slug="damaged-register",
        )


# --- errors ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say in plain English why a database fails us, and who can do what about it."""
    try:
        yield
    except exc.DBAPIError as error:
        if in_words := _in_words(error):
            raise in_words from error
        raise


def _in_words(error: exc.DBAPIError) -> PepformsError | None:
    """Who can do what about a database that fails us; None where the fault is our own."""
    if isinstance(error.orig, sqlite3.Error):
        return of_sqlite(error.orig)
    state = getattr(error.orig, "sqlstate", None) or ""
    if state[:2] in ("28", "3D") or state == "42501":
        return Misconfigured(
            "PostgreSQL will not let us into the register. Look at the user, the password and the database in "
            "database.url, and at the user’s rights.",
            slug="no-register",
        )
    if state[:2] in ("08", "53", "57", "40", "55") or (not state and isinstance(error, exc.OperationalError)):
        return Unavailable(
            "The register’s database does not answer, or does not let us in. Try again later; if that does not help, "
            "look at database.url.",
            slug="register-away",
        )
    return None


def of_sqlite(error: sqlite3.Error) -> PepformsError | None:
    """Who can do what about a fault of SQLite; None where it is our own."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return Unavailable(
            "The register could not be written: the disk is full, or fails. Make room and try again.", slug="disk-full"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable("The register is busy with other work. Try again later.", slug="register-away")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Misconfigured(
            "The register’s file is damaged or none of ours. Restore a backup.", slug="damaged-register"
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return Misconfigured(
            "The register’s file cannot be opened for writing. Look at its rights and its folder’s.", slug="no-register"
        )
    return None
