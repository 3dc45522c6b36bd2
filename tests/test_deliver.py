"""What every destination promises: one contract, held by each engine against a real folder and a real server."""

import contextlib
import errno
import os
import pickle
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from pepforms import files
from pepforms.deliver import Destination, Receipt
from pepforms.deliver.folder import Folder
from pepforms.deliver.sftp import Sftp
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, Refused, Unavailable

PUTTING = Path(__file__).parent / "deliver" / "putting.py"
NAME = "900005_PEP_2026-27_AUT_2026-11-10_PEP-0005-A26_v1.pdf"
RECORD = b"%PDF-1.7 an invented record\n" * 5_000
LARGE = RECORD * 60
"""Eight megabytes: enough for something to happen on the way."""
ROOM = 100_000
"""Fewer bytes than RECORD has."""


Deed = Callable[[Path], object]


@dataclass
class Place:
    """A destination, and its folder as those see it who fetch from it."""

    engine: Folder | Sftp
    root: Path
    full: Callable[[], AbstractContextManager[None]]
    """There is no room there for RECORD until the block ends."""
    meanwhile: Callable[[Deed], AbstractContextManager[None]]
    """Somebody does something while a file is being written, which has the path that they are given."""

    def put(self, data: bytes = RECORD, name: str = NAME) -> Receipt:
        with self.engine.opened() as destination:
            return destination.put(name, data, sha256=sha256(data))

    def there(self) -> dict[str, bytes]:
        """Every file under its name, those too that no name begins for."""
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture(params=["folder", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "folder":
        (tmp_path / "in").mkdir()
        yield Place(Folder(tmp_path / "in"), tmp_path / "in", no_room, at_the_disk)
        return
    servers: ModuleType = request.getfixturevalue("servers")
    with servers.serving(tmp_path / "server") as server:

        @contextlib.contextmanager
        def full() -> Iterator[None]:
            server.fill(ROOM)
            yield
            server.start()

        yield Place(server.account(), server.root, full, partial(at_the_server, server.root))


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def at_the_disk(deed: Deed) -> Iterator[None]:
    def settle(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_file():
            deed(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", settle)
        yield


@contextlib.contextmanager
def at_the_server(root: Path, deed: Deed) -> Iterator[None]:
    def wait() -> None:
        while not done.wait(0.001):
            for part in root.glob(f"{files.UNFINISHED}*"):
                if part.stat().st_size:
                    deed(part)
                    return

    done = threading.Event()
    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# --- what arrives ----------------------------------------------------------------------------------------------------


def test_a_file_arrives_whole_under_its_name_and_the_receipt_says_so(place: Place) -> None:
    receipt = place.put()
    assert place.there() == {NAME: RECORD}
    assert (receipt.name, receipt.bytes, receipt.sha256) == (NAME, len(RECORD), sha256(RECORD))
    assert receipt.sent == len(RECORD)
    assert timedelta(0) <= datetime.now(UTC) - receipt.at < timedelta(minutes=1)


def test_a_put_that_is_repeated_finds_the_file_and_touches_nothing(place: Place) -> None:
    place.put()
    before = (place.root / NAME).stat()
    assert place.put().sent == 0
    after = (place.root / NAME).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert place.there() == {NAME: RECORD}


def test_another_file_under_the_name_is_never_written_over(place: Place) -> None:
    (place.root / NAME).write_bytes(b"somebody's own")
    with pytest.raises(Refused, match=NAME) as refused:
        place.put()
    assert refused.value.slug == "another-there"
    assert place.there() == {NAME: b"somebody's own"}


def test_it_says_what_is_there_under_a_name(place: Place) -> None:
    place.put()
    with place.engine.opened() as destination:
        assert destination.holds(NAME, sha256(RECORD)) == "same"
        assert destination.holds(NAME, sha256(b"else")) == "another"
        assert destination.holds("900006.pdf", sha256(RECORD)) == "nothing"
        assert destination.holds("DM-3fa2/900006.pdf", sha256(RECORD)) == "nothing"


def test_the_folder_of_a_worker_is_made_when_the_first_file_goes_there(place: Place) -> None:
    with place.engine.opened() as destination:
        for name in ("DM-3fa2/900005.pdf", "DM-3fa2/900006.pdf", "nobody-named/900007.pdf"):
            destination.put(name, RECORD, sha256=sha256(RECORD))
    assert place.there() == dict.fromkeys(
        ("DM-3fa2/900005.pdf", "DM-3fa2/900006.pdf", "nobody-named/900007.pdf"), RECORD
    )


def test_many_files_go_over_one_connection(place: Place) -> None:
    names = [f"{number}_PEP.pdf" for number in range(40)]
    with place.engine.opened() as destination:
        for name in names:
            destination.put(name, name.encode(), sha256=sha256(name.encode()))
    assert place.there() == {name: name.encode() for name in names}


def test_an_empty_file_arrives_too(place: Place) -> None:
    assert place.put(b"").bytes == 0
    assert place.there() == {NAME: b""}


# --- what is refused -------------------------------------------------------------------------------------------------


def test_no_name_leads_anywhere_else_and_none_is_repeated(place: Place) -> None:
    outside = ["../x.pdf", "a/../x.pdf", "/x.pdf", "a/b/x.pdf", "a//x.pdf", ".x.pdf", "a/.x.pdf"]
    names = ["", ".", *outside, "Zoë.pdf", "x y.pdf", "x.pdf\n"]
    with place.engine.opened() as destination:
        for name in names:
            with pytest.raises(Refused) as refused:
                destination.put(name, RECORD, sha256=sha256(RECORD))
            assert refused.value.slug == "bad-name"
            assert "Zoë" not in str(refused.value)
    assert place.there() == {}


def test_a_file_that_was_changed_since_its_row_was_written_is_not_sent(place: Place) -> None:
    with place.engine.opened() as destination, pytest.raises(Refused) as refused:
        destination.put(NAME, RECORD + b" ", sha256=sha256(RECORD))
    assert refused.value.slug == "changed-since"
    assert place.there() == {}


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_what_was_damaged_on_its_way_never_gets_its_name(place: Place) -> None:
    def damage(part: Path) -> None:
        with part.open("r+b") as file:
            file.write(b"X")

    with place.meanwhile(damage), pytest.raises(Unavailable) as unavailable:
        place.put(LARGE)
    assert unavailable.value.slug == "arrived-damaged"
    assert place.there() == {}
    place.put(LARGE)
    assert place.there() == {NAME: LARGE}


def test_a_file_that_comes_under_the_name_meanwhile_is_left_alone(place: Place) -> None:
    theirs = place.root / NAME
    with place.meanwhile(lambda _: theirs.write_bytes(b"somebody's own")), pytest.raises(Refused) as refused:
        place.put(LARGE)
    assert refused.value.slug == "another-there"
    assert place.there() == {NAME: b"somebody's own"}


def test_the_same_file_that_comes_under_the_name_meanwhile_will_do(place: Place) -> None:
    theirs = place.root / NAME
    with place.meanwhile(lambda _: theirs.write_bytes(LARGE)):
        assert place.put(LARGE).sent == 0
    assert place.there() == {NAME: LARGE}


def test_a_full_disk_leaves_nothing_under_the_name_and_the_next_try_goes_through(place: Place) -> None:
    with place.full(), pytest.raises(Unavailable, match=r"room|full") as unavailable:
        place.put()
    assert unavailable.value.exit_code == 75
    assert NAME not in place.there()
    place.put()
    assert place.there() == {NAME: RECORD}


def test_a_folder_that_is_missing_is_told_and_not_made(place: Place) -> None:
    place.root.rmdir()
    with pytest.raises(Misconfigured) as misconfigured:
        place.put()
    assert misconfigured.value.slug == "no-such-folder"
    assert str(place.root) in str(misconfigured.value)
    assert not place.root.exists()


def both(place: Place, *files: bytes) -> list[str]:
    """What becomes of each when all are delivered under one name at once."""

    def put(data: bytes) -> str:
        with place.engine.opened() as destination:
            ready.wait()
            for _ in range(20):  # two at the same half upload may hinder each other
                try:
                    destination.put(NAME, data, sha256=sha256(data))
                except Refused as refused:
                    return refused.slug
                except Unavailable:
                    continue
                return "arrived"
        return "never"

    ready = threading.Barrier(len(files))
    with ThreadPoolExecutor(len(files)) as pool:
        return list(pool.map(put, files))


def test_two_that_deliver_the_same_file_at_once_deliver_it_once(place: Place) -> None:
    assert both(place, LARGE, LARGE) == ["arrived", "arrived"]
    assert place.there() == {NAME: LARGE}


def test_of_two_that_deliver_different_files_at_once_one_is_refused(place: Place) -> None:
    one, other = RECORD, RECORD.replace(b"an invented", b"one more")
    ends = both(place, one, other)
    assert sorted(ends) == ["another-there", "arrived"]
    assert place.there() == {NAME: one if ends[0] == "arrived" else other}


# --- a folder alone --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def powerless() -> Iterator[None]:
    """As nobody, where the tests run as one who may do all."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_killed_delivery_leaves_no_name_and_is_run_again_and_what_it_left_is_swept(tmp_path: Path) -> None:
    root, source = tmp_path / "in", tmp_path / "record.pdf"
    root.mkdir()
    source.write_bytes(RECORD)
    with subprocess.Popen([sys.executable, PUTTING, pickle.dumps(Folder(root)).hex(), NAME, source, "hang"]) as process:
        while [path.stat().st_size for path in root.iterdir()] != [len(RECORD)]:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    (begun,) = root.iterdir()
    assert begun.name.startswith(files.UNFINISHED)
    os.utime(begun, (time.time() - 7200,) * 2)
    with Folder(root).opened() as destination:
        destination.put(NAME, RECORD, sha256=sha256(RECORD))
    assert {path.name: path.read_bytes() for path in root.iterdir()} == {NAME: RECORD}


def test_a_folder_that_may_not_be_written_to_is_the_operators_matter(tmp_path: Path) -> None:
    for parent in [tmp_path, *tmp_path.parents][:3]:
        parent.chmod(0o755)
    (tmp_path / "in").mkdir(mode=0o555)
    with powerless(), pytest.raises(Misconfigured, match="permission"), Folder(tmp_path / "in").opened() as destination:
        destination.put(NAME, RECORD, sha256=sha256(RECORD))
    assert not list((tmp_path / "in").iterdir())


@pytest.mark.parametrize(("folder", "file"), [(0o2770, 0o660), (0o755, 0o644), (0o700, 0o600)])
def test_whoever_may_look_into_the_folder_may_read_what_arrives(tmp_path: Path, folder: int, file: int) -> None:
    root = tmp_path / "in"
    root.mkdir()
    root.chmod(folder)
    with Folder(root).opened() as destination:
        destination.put(NAME, RECORD, sha256=sha256(RECORD))
        destination.put(f"DM-3fa2/{NAME}", RECORD, sha256=sha256(RECORD))
    modes = [path.stat().st_mode & 0o7777 for path in (root / NAME, root / "DM-3fa2", root / "DM-3fa2" / NAME)]
    assert modes == [file, folder, file]


@pytest.mark.parametrize("number", [errno.EHOSTDOWN, errno.ESTALE, errno.EIO])
def test_a_share_that_has_gone_away_is_nobodys_fault(tmp_path: Path, number: int) -> None:
    with pytest.raises(Unavailable, match="share has gone away"), files.told(tmp_path):
        raise OSError(number, "as the system says it")


def test_a_destination_has_two_verbs() -> None:
    assert {name for name in vars(Destination) if not name.startswith("_")} == {"place", "put", "holds"}
