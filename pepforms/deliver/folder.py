"""A folder as a destination: on this computer, or on a network share that is mounted here."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pepforms import digest, files
from pepforms.deliver import Destination, Held
from pepforms.errors import Misconfigured


@dataclass(frozen=True)
class Folder(Destination):
    """The folder of that path. It is never made: where it is missing, the share is not mounted."""

    path: Path

    @contextlib.contextmanager
    def opened(self) -> Iterator[Destination]:
        """The destination, swept of what a killed run had begun to write."""
        with files.told(self.path):
            if not self.path.is_dir():
                raise Misconfigured(
                    f"There is no folder {self.path}. Mount the share, make the folder, or name another.",
                    slug="no-such-folder",
                )
            for folder in (self.path, *(path for path in self.path.iterdir() if path.is_dir())):
                files.sweep(folder)
        yield self

    @property
    def place(self) -> str:
        """The folder by its path."""
        return f"the folder {self.path}"

    def holds(self, name: str, sha256: str) -> Held:
        """What is there under that name, by its SHA-256."""
        with files.told(self.path / name):
            try:
                with (self.path / name).open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except FileNotFoundError:
                return "nothing"
        return "same" if found == sha256 else "another"

    def _send(self, name: str, data: bytes, sha256: str) -> int | None:
        path = self.path / name

        def publish(temporary: str, path: Path) -> None:
            if digest.sha256(Path(temporary).read_bytes()) != sha256:
                raise self._damaged(name)
            with contextlib.suppress(PermissionError):  # shares that have no such rights
                os.chmod(temporary, path.parent.stat().st_mode & 0o666)  # whoever may look into the folder may read it
            files.link(temporary, path)

        with files.told(path):
            self._make(path.parent)
            try:
                files.put(path, data, publish)
            except FileExistsError:
                return None
            _settle(path.parent)
        return len(data)

    def _make(self, folder: Path) -> None:
        """Make the folder of a social worker or team, with the rights of the one that it lies in."""
        if folder == self.path or folder.is_dir():
            return
        folder.mkdir(exist_ok=True)
        with contextlib.suppress(PermissionError):
            folder.chmod(self.path.stat().st_mode & 0o7777)
        _settle(self.path)


def _settle(folder: Path) -> None:
    """Have the disk keep the names in a folder, as far as it can be told to."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # shares that cannot be told
            raise
    finally:
        os.close(handle)
