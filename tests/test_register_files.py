"""Files by their digests: whole or not there, for their owner alone."""

import datetime as dt
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
from pepforms.register.store import Register
from pepforms.register.tables import Child, Record


def name(register: Register, digest: str) -> None:
    """Have a row of the register name a file."""
    now = dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
    with register.writing() as session:
        session.add(Child(lcs_person_id="900005", added_at=now))
        session.flush()
        about = {"sha256": digest, "lcs_person_id": "900005", "pep_id": "PEP-1", "version": 1}
        session.add(Record(**about, row={}, beside={}, filed_at=now))


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
    with pytest.raises(Broken, match=r"is missing.*backup"):
        files.get(digest)


def test_a_folder_that_cannot_be_made_is_the_operators_to_put_right(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"a file, no folder")
    with pytest.raises(Misconfigured, match="cannot be written"):
        Files(tmp_path / "files").put(b"a copy")


@pytest.mark.parametrize("unmounted", ["missing", "empty"])
def test_where_the_folder_of_a_register_is_not_mounted_nothing_is_lost_and_nothing_written(
    unmounted: str, register: Register
) -> None:
    files = register.files
    digest = files.put(b"a record")
    name(register, digest)
    away = files.folder.rename(files.folder.with_name("away"))
    if unmounted == "empty":
        files.folder.mkdir()
    for use in (lambda: files.get(digest), lambda: files.put(b"another"), lambda: files.put(b"a record")):
        with pytest.raises(Unavailable, match=r"Mount the disk or share .* files\.folder"):
            use()
    assert not files.folder.exists() or not [*files.folder.iterdir()]
    if unmounted == "empty":
        files.folder.rmdir()
    away.rename(files.folder)
    assert files.get(digest) == b"a record"
    files.put(b"another")


def test_a_register_that_names_no_file_yet_makes_their_folder(register: Register) -> None:
    assert not register.files.folder.exists()
    assert register.files.get(register.files.put(b"the first")) == b"the first"


def test_a_disk_that_fails_is_no_lost_file(tmp_path: Path) -> None:
    files = Files(tmp_path)
    digest = files.put(b"a copy")
    files.path(digest).unlink()
    files.path(digest).symlink_to(files.path(digest))  # as with one that fails: it is there, and cannot be opened
    with pytest.raises(Unavailable, match="cannot be read"):
        files.get(digest)


def test_nothing_but_a_digest_names_a_file(tmp_path: Path) -> None:
    for name in ("../../etc/passwd", "A" * 64, "a" * 63):
        with pytest.raises(ValueError, match="not a SHA-256"):
            Files(tmp_path).path(name)
