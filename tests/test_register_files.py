"""Files by their digests: whole or not there, for their owner alone."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pepforms.digest import sha256
from pepforms.errors import Broken, Misconfigured, Unavailable
from pepforms.register.files import Files


@contextmanager
def room_for(most: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_is_found_again_by_its_digest_and_is_its_owners_alone(tmp_path: Path) -> None:
    files = Files(tmp_path / "shared" / "files")
    digest = files.put(b"a copy")
    assert digest == sha256(b"a copy")
    assert files.get(digest) == b"a copy"
    path = tmp_path / "shared" / "files" / digest[:2] / digest
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (path, path.parent, files.folder)]
    assert modes == [0o600, 0o700, 0o700]
    assert files.put(b"a copy") == digest
    assert [name for name, _ in files.all()] == [digest]


def test_on_a_full_disk_nothing_is_half_there_and_it_goes_through_later(tmp_path: Path) -> None:
    files, data = Files(tmp_path / "files"), os.urandom(100_000)
    with room_for(50_000), pytest.raises(Unavailable, match="the disk is full"):
        files.put(data)
    assert list(files.all()) == []
    assert files.get(files.put(data)) == data


def test_a_file_that_is_damaged_or_gone_is_told_and_put_right_by_the_same_bytes(tmp_path: Path) -> None:
    files = Files(tmp_path)
    digest = files.put(b"a copy")
    files.path(digest).write_bytes(b"a cop")
    with pytest.raises(Broken, match="damaged"):
        files.get(digest)
    files.put(b"a copy")
    assert files.get(digest) == b"a copy"
    files.path(digest).unlink()
    with pytest.raises(Broken, match="cannot be read"):
        files.get(digest)


def test_a_folder_that_cannot_be_made_is_the_operators_to_put_right(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"a file, no folder")
    with pytest.raises(Misconfigured, match="cannot be written"):
        Files(tmp_path / "files").put(b"a copy")


def test_nothing_but_a_digest_names_a_file(tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "A" * 64, "a" * 63):
        with pytest.raises(ValueError, match="not a SHA-256"):
            Files(tmp_path).path(name)
