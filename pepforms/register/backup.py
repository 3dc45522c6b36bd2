"""A backup of a register on SQLite with its files, in one file, made while others work; and back into an empty home."""

import contextlib
import hashlib
import io
import json
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pepforms import files
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, Refused, Unreadable
from pepforms.register import made
from pepforms.register.files import Files
from pepforms.register.store import Register, of_sqlite, sqlite_file

_DATABASE, _END = "register.sqlite", "backup.json"
_A_FILE = re.compile("files/[0-9a-f]{2}/([0-9a-f]{64})")


def backup(register: Register, out: Path) -> int:
    """Write the register as it is now into one file, with every file that it names; how many those are.

    Misconfigured on PostgreSQL, which has a tool of its own.
    """
    if register.file is None:
        raise _on_postgresql()
    files.folder(out.absolute().parent)
    with _beside(out) as copy, files.writing(out) as file, tarfile.open(fileobj=file, mode="w") as archive:
        _copy(register.file, copy)
        archive.add(copy, _DATABASE, filter=_nobodys)
        named = _named(copy)
        for digest in sorted(named):
            _add(archive, f"files/{digest[:2]}/{digest}", register.files.get(digest))
        # It comes last, so a backup that was cut short lacks it.
        _add(archive, _END, json.dumps({"format": 1, "files": len(named), "sha256": _sum(copy)}).encode())
    return len(named)


def restore(file: Path, where: str | Path, kept: Files) -> int:
    """Put back what a backup holds, where there is no register yet; how many files it had.

    The register itself comes last: a restore that was cut short is begun again.
    """
    target = sqlite_file(where)
    if target is None:
        raise _on_postgresql()
    with files.told(target.parent):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.folder(target.parent)
    if there := sorted(path.name for path in target.parent.glob(f"{target.name}*")):
        raise Refused(
            f"{target.parent} has a register already ({there[0]}). A backup is restored into an empty home: set "
            "PEPFORMS_HOME to another folder, or move the register away.",
            slug="register-not-empty",
        )
    with _beside(target) as copy:
        found = _checked(file, copy)
        with _members(file) as members:
            for name, content in members:
                if _A_FILE.fullmatch(name):
                    kept.put(content.read())
        with files.told(target):
            os.link(copy, target)
            files.synced(target.parent)
    return len(found)


def _checked(file: Path, copy: Path) -> set[str]:
    """Every file by its SHA-256, and the database into `copy`; Refused where the backup is not whole."""
    end, found = None, set[str]()
    with _members(file) as members:
        for name, content in members:
            if name == _DATABASE:
                with files.told(copy):
                    _copied(content, copy)
            elif name == _END:
                end = content.read()
            elif (named := _A_FILE.fullmatch(name)) and sha256(content.read()) == named[1]:
                found.add(named[1])
            else:
                raise _no_backup(file)
    try:
        whole = end is not None and json.loads(end) == {"format": 1, "files": len(found), "sha256": _sum(copy)}
        if not whole or not _named(copy) <= found:
            raise _no_backup(file)
    except (ValueError, sa.exc.DBAPIError) as error:
        raise _no_backup(file) from error
    return found


@contextlib.contextmanager
def _members(file: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """What a backup holds, piece after piece; Refused where it cannot be read to its end."""
    try:
        with tarfile.open(file, "r:") as archive:
            yield ((member.name, archive.extractfile(member) or io.BytesIO()) for member in archive)
    except tarfile.TarError as error:
        raise _no_backup(file) from error
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Unreadable(f"{file} cannot be read: {reason}.", slug="unreadable-path") from error


def _copy(register: Path, to: Path) -> None:
    """The database as it is at this moment, whoever else writes."""
    try:
        with contextlib.closing(sqlite3.connect(register)) as source, contextlib.closing(sqlite3.connect(to)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise of_sqlite(error) or error from error


def _named(copy: Path) -> set[str]:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(copy)), hide_parameters=True)
    try:
        with Session(engine) as session:
            return {digest for digest, _ in made.named(session)}
    finally:
        engine.dispose()


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file on the same disk, for us alone, which goes again; the sweep of `files.folder` knows its name."""
    with files.told(path):
        handle, copy = tempfile.mkstemp(prefix=".pepforms-", dir=path.absolute().parent)
    os.close(handle)
    try:
        yield Path(copy)
    finally:
        for left in Path(copy).parent.glob(f"{Path(copy).name}*"):
            left.unlink()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(data), 0o600
    archive.addfile(about, io.BytesIO(data))


def _nobodys(about: tarfile.TarInfo) -> tarfile.TarInfo:
    about.uid = about.gid = 0
    about.uname = about.gname = ""
    about.mode = 0o600
    return about


def _copied(content: IO[bytes], to: Path) -> None:
    with to.open("wb") as file:
        while piece := content.read(1 << 20):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _no_backup(file: Path) -> Refused:
    return Refused(f"{file} is no backup of a register, or is not whole. Take another.", slug="damaged-backup")


def _on_postgresql() -> Misconfigured:
    return Misconfigured(
        "This register is on PostgreSQL: back it up with pg_dump, and after the dump copy the folder of its files "
        "(files.folder). Restore it with pg_restore.",
        slug="backup-on-postgresql",
    )
