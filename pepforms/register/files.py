"""Files by their digests in a folder: `ab/abcdef…`. What is there is whole; nothing is ever written over.

A file is put before the row that names it is committed, so the register never points at a file that is not there. Who
names it sees, under the audit's lock, that it is there: `check.clear_orphans` takes away what nobody names.

Where a register names files and their folder is missing or empty, its share is not mounted: nothing is written then,
since it would lie on another disk and be hidden again, and no file is called lost.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pepforms import files
from pepforms.digest import sha256
from pepforms.errors import Broken, Unavailable

_BEGUN = ".begun-"
_DIGEST, _FOLDER = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{2}")


class Files:
    """The files of the register, in a folder that hosts may share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.are_named: Callable[[], bool] = lambda: False
        """Whether something must be in the folder: the register that is opened on it says so, where it names a file."""

    def path(self, digest: str) -> Path:
        """Where the file of this SHA-256 lies."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("not a SHA-256 in lower-case hex")
        return self.folder / digest[:2] / digest

    def put(self, data: bytes) -> str:
        """Keep these bytes; their SHA-256, under which they are found again."""
        digest = sha256(data)
        path = self.path(digest)
        with files.told(self.folder):
            if self._holds(path, data):
                return digest
            self._refuse_away()
            for folder in (self.folder, path.parent):
                _made(folder)
            _write(path, data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of this SHA-256; Broken where they are lost or are others, Unavailable where the folder is away."""
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            self._refuse_away()
            raise _lost(digest, "is missing", slug="file-missing") from error
        except OSError as error:
            raise Unavailable(
                f"The file {digest[:16]} of the register cannot be read: {os.strerror(error.errno or 0).lower()}. Look "
                f"at the rights in {self.folder} and at the disk or share that it is on, then try again.",
                slug="files-away",
            ) from error
        if sha256(data) != digest:
            raise _lost(digest, "is damaged", slug="file-damaged")
        return data

    def _refuse_away(self) -> None:
        """Unavailable where the folder holds nothing and a register names what it should hold."""
        with files.told(self.folder):
            if (self.folder.exists() and any(self.folder.iterdir())) or not self.are_named():
                return
        raise Unavailable(
            f"The folder of the register's files, {self.folder}, is not there or is empty. Mount the disk or share "
            "that it is on, or put the setting files.folder right; then try again.",
            slug="files-away",
        )

    def all(self) -> Iterator[tuple[str, Path]]:
        """Every file by its name, which is to be its SHA-256, and what a killed process had begun to write."""
        if not self.folder.is_dir():
            return
        for folder in sorted(path for path in self.folder.iterdir() if path.is_dir()):
            yield from ((path.name, path) for path in sorted(folder.iterdir()) if path.is_file())

    def is_ours(self, path: Path) -> bool:
        """Whether a file that lies there was put by a register, or begun by one."""
        name = path.name.removeprefix(_BEGUN)
        if name == path.name:
            return bool(_DIGEST.fullmatch(name)) and path == self.path(name)
        return bool(_FOLDER.fullmatch(path.parent.name))

    @staticmethod
    def _holds(path: Path, data: bytes) -> bool:
        """Whether these bytes are there already; a damaged file of that name is put right."""
        try:
            return path.read_bytes() == data
        except FileNotFoundError:
            return False


def _lost(digest: str, what: str, *, slug: str) -> Broken:
    return Broken(
        f"The file {digest[:16]} of the register {what}. Put it back from a backup; what was given up for want of it "
        "is delivered after pepforms deliver retry.",
        slug=slug,
    )


def _made(folder: Path) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
        files.synced(folder.parent)


def _write(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_BEGUN)  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        files.synced(path.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
