"""Files written whole or not at all, and never over a different file unasked."""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from pepforms.errors import Misconfigured, PepformsError, Refused, Unavailable

UNFINISHED = ".pepforms-"
"""How the name of a file begins that is still being written: nobody should take it for a document."""

_FORGOTTEN_SECONDS = 3600.0
_AWAY = (
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EIO,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.ETIMEDOUT,
)
"""What a network share says that has gone away."""


def folder(path: Path) -> Path:
    """The output folder, made if need be, and swept of what a killed run had begun to write."""
    with told(path):
        path.mkdir(parents=True, exist_ok=True)
        sweep(path)
    return path


def sweep(folder: Path) -> None:
    """Take away what a killed run had begun to write there."""
    for begun in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # gone by now, or not ours
            if time.time() - begun.stat().st_mtime > _FORGOTTEN_SECONDS:
                begun.unlink()


def first_line(path: Path | None) -> bytes:
    """The passphrase that a file holds, or none where no file is named."""
    if path is None:
        return b""
    try:
        return path.read_bytes().split(b"\n", 1)[0].rstrip(b"\r")
    except OSError as error:
        raise Misconfigured(f"The passphrase file {path} cannot be read.", slug="no-passphrase") from error


def write(path: Path, data: bytes, *, force: bool = False) -> None:
    """Put the bytes there at once: a reader sees the old file or the new one, never half of one."""
    with told(path):
        if force:
            replace(path, data)
            return
        try:
            put(path, data, link)  # fails where a file is, also one that another thread has put there just now
        except FileExistsError:
            if path.read_bytes() != data:
                raise Refused(
                    f"{path} is there already and differs. Move it away, choose another folder, or say --force.",
                    slug="file-differs",
                ) from None


def replace(path: Path, data: bytes) -> None:
    """Put the bytes there at once, whatever was there before."""
    put(path, data, os.replace)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece: there at once when the block ends, not at all where it fails.

    Refused where anything of that name is there already.
    """
    with told(path):
        try:
            with _putting(path, link) as file:
                yield file
        except FileExistsError:
            raise Refused(
                f"{path} is there already. Choose another name, or move it away.", slug="file-there"
            ) from None


def put(path: Path, data: bytes, publish: Callable[[str, Path], None]) -> None:
    """Write the bytes under a name of their own in the same folder; `publish` then gives that file its real name."""
    with _putting(path, publish) as file:
        file.write(data)


@contextlib.contextmanager
def _putting(path: Path, publish: Callable[[str, Path], None]) -> Iterator[BinaryIO]:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o600)
        publish(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def link(temporary: str, path: Path) -> None:
    """Give a written file its name; FileExistsError where another has it."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        if path.exists():  # network shares without hard links: the look and the deed are two steps there
            raise FileExistsError(errno.EEXIST, "is there", path) from error
        os.replace(temporary, path)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in plain English why a path could not be written."""
    try:
        yield
    except OSError as error:
        raise in_words(path, error) from error


def in_words(path: Path, error: OSError) -> PepformsError:
    """The error that says in plain English why a path could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Unavailable(f"{path} could not be written: the disk is full. Make room and try again.", slug="disk-full")
    if error.errno in _AWAY:
        return Unavailable(f"{path} cannot be reached: the disk or share has gone away. Try again.", slug="disk-away")
    return Misconfigured(
        f"{path} cannot be written: {os.strerror(error.errno or 0).lower()}. Choose another, or change its rights.",
        slug="output-not-writable",
    )


def synced(folder: Path) -> None:
    """The names in a folder written through to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
