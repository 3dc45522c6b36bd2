"""The hand-over: each record delivered once, whoever dies or comes twice; and what people say of it afterwards."""

import contextlib
import datetime as dt
import itertools
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from pepforms.archive import manifest
from pepforms.deliver import Held, confirmations, waits
from pepforms.deliver.destinations import Named
from pepforms.deliver.folder import Folder
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, PepformsError, Refused, Unavailable
from pepforms.handover import deeds, overview, rows, sending
from pepforms.register import audit, made
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Delivery, Receipt

HANDING = Path(__file__).parent / "deliver" / "handing.py"
AUTUMN = ("2026/27", "autumn")
DRAWN = itertools.count()
ROOM = 100_000
"""Fewer bytes than a large record has."""


def content(number: int, size: int = 2_000) -> bytes:
    return b"%%PDF-1.7 invented record %d\n" % number + b"x" * size


def row(number: int, pdf: bytes, term: str = "2026-27_AUT", worker: str = "Dana Mockworth") -> manifest.Row:
    return manifest.Row(
        lcs_person_id=f"8{number:05}",
        pep_id=f"PEP-{number}",
        version="1",
        document_type="PEP",
        audience="authority",
        title="PEP",
        meeting_date="2026-11-10",
        signed_off_at="2026-11-12T10:00:00Z",
        social_worker=worker,
        team="Team 2",
        protective_marking="",
        retention_until="",
        source="pepforms",
        pdf_standard="PDF/A-3a, PDF/UA-1",
        filename=f"8{number:05}_PEP_{term}_2026-11-10_PEP-{number}_v1.pdf",
        bytes=str(len(pdf)),
        pages="1",
        sha256=sha256(pdf),
    )


def keep(register: Register, numbers: Sequence[int], size: int = 2_000, **more: str) -> list[manifest.Row]:
    kept = []
    for number in numbers:
        pdf = content(number, size)
        kept.append(row(number, pdf, **more))
        made.keep_record(register, kept[-1], pdf, by="officer")
    return kept


@pytest.fixture
def share(tmp_path: Path) -> Named:
    (tmp_path / "in").mkdir()
    return Named("share", None, Folder(tmp_path / "in"))


@pytest.fixture
def server(servers: ModuleType, tmp_path: Path) -> Iterator[Any]:
    with servers.serving(tmp_path / "server") as started:
        yield started


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Register]:
    with contextlib.closing(Register(tmp_path / "one.sqlite", Files(tmp_path / "files"))) as register:
        yield register


def sent(register: Register, named: Named) -> list[PepformsError | None]:
    sending.prepare(register, named.name, by="officer")
    return [went.error for went in sending.send(register, named, by="officer")]


def state(register: Register) -> dict[str, int]:
    with register.reading() as session:
        count = sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state)
        return {row[0]: row[1] for row in session.execute(count)}


def receipts(register: Register, kind: str) -> int:
    with register.reading() as session:
        return session.scalar(sa.select(sa.func.count()).where(Receipt.state == kind)) or 0


def time_passes(register: Register) -> None:
    """Every claim expires, every wait is over."""
    with register.writing() as session:
        session.execute(sa.update(Delivery).values(next_try_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))


def there(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- each once -------------------------------------------------------------------------------------------------------


def test_every_record_is_delivered_once_however_often_it_is_run(register: Register, share: Named) -> None:
    kept = keep(register, range(3))
    assert sent(register, share) == [None] * 3
    assert sent(register, share) == []
    assert there(share.engine.path) == {each.filename: content(number) for number, each in enumerate(kept)}
    assert state(register) == {"delivered": 3}
    assert receipts(register, "delivered") == 3
    with register.reading() as session:
        assert not [*audit.faults(session)]
        done = session.scalars(sa.select(Audit.action).where(Audit.action.startswith("delivery-"))).all()
    assert sorted(done) == ["delivery-delivered"] * 3 + ["delivery-prepared"] * 3


def test_a_term_alone_goes_where_that_is_asked(on_sqlite: Register, share: Named) -> None:
    (autumn,) = keep(on_sqlite, [1])
    keep(on_sqlite, [2], term="2025-26_SUM")
    assert sending.prepare(on_sqlite, "share", by="officer", term=AUTUMN) == 1
    assert [went.error for went in sending.send(on_sqlite, share, by="officer", term=AUTUMN)] == [None]
    assert [*there(share.engine.path)] == [autumn.filename]


def test_four_that_send_at_once_share_the_work_and_deliver_each_record_once(register: Register, share: Named) -> None:
    keep(register, range(12))
    with ThreadPoolExecutor(4) as pool:
        went = [*pool.map(lambda _: sent(register, share), range(4))]
    assert [error for errors in went for error in errors] == [None] * 12
    assert state(register) == {"delivered": 12}
    assert receipts(register, "delivered") == len(there(share.engine.path)) == 12


def killed(register: Register, database: str, tmp_path: Path, named: Named, step: str) -> None:
    words = [database, tmp_path / "files", pickle.dumps(named).hex(), step]
    assert subprocess.run([sys.executable, HANDING, *words]).returncode == -9, step


@pytest.mark.parametrize("step", ["claimed", "half-sent", "arrived"])
def test_a_run_that_is_killed_at_any_step_is_taken_up_and_each_record_is_there_once(
    step: str, register: Register, database: str, share: Named, tmp_path: Path
) -> None:
    kept, folder = keep(register, range(2)), share.engine.path
    sending.prepare(register, "share", by="officer")
    killed(register, database, tmp_path, share, step)
    named = {name for name in there(folder) if name.endswith(".pdf")}
    assert len(named) == (step == "arrived")
    assert state(register) == {"prepared": 2}
    assert sent(register, share) == [None]  # what was claimed by whoever died is not due yet
    time_passes(register)
    assert sent(register, share) == [None]
    assert {name for name in there(folder) if name.endswith(".pdf")} == {each.filename for each in kept}
    assert state(register) == {"delivered": 2}
    assert receipts(register, "delivered") == 2


@pytest.mark.parametrize("step", ["half-sent", "arrived"])
def test_a_run_that_is_killed_on_the_way_to_a_server_is_taken_up(
    step: str, on_sqlite: Register, server: Any, tmp_path: Path
) -> None:
    (kept,) = keep(on_sqlite, [1], size=3_000_000)
    named = Named("lcs", None, server.account())
    sending.prepare(on_sqlite, "lcs", by="officer")
    killed(on_sqlite, f"sqlite:///{tmp_path / 'one.sqlite'}", tmp_path, named, step)
    assert [*there(server.root)] != [kept.filename] or step == "arrived"
    time_passes(on_sqlite)
    assert sent(on_sqlite, named) == [None]
    assert there(server.root) == {kept.filename: content(1, 3_000_000)}
    with on_sqlite.reading() as session:
        (receipt,) = session.scalars(sa.select(Receipt)).all()
        assert receipt.said is not None
        assert receipt.said["sent"] < 3_000_000
    assert state(on_sqlite) == {"delivered": 1}


def test_whoever_was_slower_than_their_claim_writes_no_second_receipt(on_sqlite: Register, share: Named) -> None:
    keep(on_sqlite, [1])
    sending.prepare(on_sqlite, "share", by="officer")
    slow = sending._Sender(on_sqlite, share, "slow", None, dt.datetime.now(dt.UTC))
    (claim,) = slow.claims()
    time_passes(on_sqlite)
    assert sent(on_sqlite, share) == [None]
    with share.opened() as destination:
        assert slow.sent(claim, destination) is None
    slow._failed(claim, Unavailable("It is away.", slug="destination-away"))
    assert (state(on_sqlite), receipts(on_sqlite, "delivered")) == ({"delivered": 1}, 1)


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_destination_that_is_away_is_tried_again_later_and_told_once(register: Register, server: Any) -> None:
    keep(register, range(2))
    named = Named("lcs", None, server.account())
    server.kill()
    began = dt.datetime.now(dt.UTC)
    (error,) = sent(register, named)
    assert error is not None
    assert error.exit_code == 75
    for each in overview.deliveries(register):
        assert each.next_try is not None
        assert began + dt.timedelta(seconds=40) < each.next_try < began + dt.timedelta(minutes=2)
        assert (each.state, each.attempts) == ("prepared", 1)
        assert "cannot be reached" in each.problem
    assert sent(register, named) == []  # not before its time
    server.start()
    assert deeds.retry(register, by="officer") == 2
    assert sent(register, named) == [None, None]
    assert len(there(server.root)) == 2


def test_a_disk_that_is_full_there_leaves_nothing_under_the_name_and_is_tried_again(
    on_sqlite: Register, server: Any
) -> None:
    (kept,) = keep(on_sqlite, [1], size=400_000)
    named = Named("lcs", None, server.account())
    server.fill(ROOM)
    (error,) = sent(on_sqlite, named)
    assert isinstance(error, Unavailable)
    assert kept.filename not in there(server.root)
    server.start()
    time_passes(on_sqlite)
    assert sent(on_sqlite, named) == [None]
    assert there(server.root) == {kept.filename: content(1, 400_000)}


def test_after_three_failures_in_a_row_the_rest_waits_for_the_next_run(on_sqlite: Register, server: Any) -> None:
    keep(on_sqlite, range(5), size=400_000)
    server.fill(ROOM)
    errors = sent(on_sqlite, Named("lcs", None, server.account()))
    assert [type(error) for error in errors] == [Unavailable] * 3
    assert sorted(each.attempts for each in overview.deliveries(on_sqlite)) == [0, 0, 1, 1, 1]


def test_a_key_that_is_wrong_is_told_once_and_what_waits_goes_when_it_is_put_right(
    on_sqlite: Register, server: Any, servers: ModuleType, tmp_path: Path
) -> None:
    keep(on_sqlite, range(3))
    wrong = server.account(key_file=servers.key(tmp_path / "nobodys"))
    for _ in range(2):
        (error,) = sent(on_sqlite, Named("lcs", None, wrong))
        assert isinstance(error, Misconfigured)
    assert state(on_sqlite) == {"prepared": 3}
    assert receipts(on_sqlite, "failed") == 3
    assert sent(on_sqlite, Named("lcs", None, server.account())) == [None] * 3


def test_what_never_arrives_is_given_up_and_a_person_may_have_it_tried_again(on_sqlite: Register, server: Any) -> None:
    keep(on_sqlite, [1])
    named = Named("lcs", None, server.account())
    server.kill()
    sending.prepare(on_sqlite, "lcs", by="officer")
    with on_sqlite.writing() as session:
        session.execute(sa.update(Delivery).values(attempts=waits.TRIES - 1))
    sent(on_sqlite, named)
    assert (state(on_sqlite), receipts(on_sqlite, "dead")) == ({"dead": 1}, 1)
    assert sent(on_sqlite, named) == []
    server.start()
    (given_up,) = overview.deliveries(on_sqlite)
    assert deeds.retry(on_sqlite, [given_up.id], by="officer") == 1
    assert sent(on_sqlite, named) == [None]
    with pytest.raises(Refused, match=str(given_up.id)):
        deeds.retry(on_sqlite, [given_up.id], by="officer")


def test_another_file_under_the_name_is_left_for_a_person_and_the_others_go(on_sqlite: Register, share: Named) -> None:
    first, second = keep(on_sqlite, range(2))
    (share.engine.path / first.filename).write_bytes(b"somebody's own")
    errors = sent(on_sqlite, share)
    assert [error.slug for error in errors if error] == ["another-there"]
    assert there(share.engine.path) == {first.filename: b"somebody's own", second.filename: content(1)}
    assert state(on_sqlite) == {"dead": 1, "delivered": 1}


def test_a_record_that_is_damaged_here_is_not_sent(on_sqlite: Register, share: Named) -> None:
    (kept,) = keep(on_sqlite, [1])
    on_sqlite.files.path(kept.sha256).write_bytes(b"damaged")
    (error,) = sent(on_sqlite, share)
    assert error is not None
    assert error.exit_code == 70
    assert there(share.engine.path) == {}


def test_what_cannot_be_read_while_the_files_are_not_mounted_goes_when_they_are(
    register: Register, share: Named, tmp_path: Path
) -> None:
    keep(register, range(5))
    away = register.files.folder.rename(tmp_path / "away")
    errors = sent(register, share)
    assert [error and error.exit_code for error in errors] == [75] * 3
    assert state(register) == {"prepared": 5}
    away.rename(register.files.folder)
    time_passes(register)
    assert sent(register, share) == [None] * 5


def test_a_folder_that_is_none_stops_no_other_and_is_told_once(register: Register, share: Named) -> None:
    parted = replace(share, by="social-worker")
    keep(register, range(4), worker="Dana Mockworth")
    kept = keep(register, range(4, 10), worker="Ali Pretend")
    broken = share.engine.path / parted.name_for("x", social_worker="Dana Mockworth", team="Team 2").partition("/")[0]
    broken.write_bytes(b"a file, no folder")
    errors = sent(register, parted)
    assert [error.exit_code for error in errors if error] == [78]
    assert there(share.engine.path).keys() == {broken.name, *(each.filename for each in kept)}
    assert {each.attempts for each in overview.deliveries(register) if each.state == "prepared"} == {0}
    broken.unlink()
    assert sent(register, parted) == [None] * 4


class _Surprising(Folder):
    """A destination that fails by a fault of our own."""

    def holds(self, name: str, sha256: str) -> Held:
        if "PEP-1_" in name:
            raise ZeroDivisionError("what quotes a child's name")
        return super().holds(name, sha256)


def test_a_fault_of_our_own_stops_no_other_record_and_leaves_none_claimed(register: Register, share: Named) -> None:
    keep(register, range(3))
    errors = sent(register, replace(share, engine=_Surprising(share.engine.path)))
    assert [str(error) for error in errors if error] == [
        "pepforms failed by its own fault (ZeroDivisionError). Please report it."
    ]
    assert state(register) == {"dead": 1, "delivered": 2}


# --- covering lists --------------------------------------------------------------------------------------------------


def test_each_worker_gets_a_list_of_what_is_new_and_no_record_stands_on_two(register: Register, share: Named) -> None:
    parted, today = replace(share, by="social-worker"), dt.date(2026, 11, 26)

    def draw(found: Sequence[manifest.Row]) -> bytes:
        return ",".join(row.filename for row in found).encode()

    def covered() -> list[str]:
        assert sent(register, parted).count(None)
        return [went.name for went in sending.cover(register, parted, draw, today, by="officer")]

    keep(register, [1, 2], worker="Dana Mockworth")
    keep(register, [3], worker="Ali Pretend")
    first = covered()
    assert sorted(name.partition("-")[0] for name in first) == ["AP", "DM"]
    keep(register, [4], worker="Dana Mockworth")
    second = covered()
    assert len({*first, *second}) == 3
    lists = b",".join((share.engine.path / name).read_bytes() for name in (*first, *second)).decode().split(",")
    assert sorted(lists) == sorted(name for name in there(share.engine.path) if "_PEP_" in name)
    assert [*sending.cover(register, parted, draw, today, by="officer")] == []


def test_a_server_has_a_folder_and_a_list_for_each_too_and_gets_what_it_missed(
    on_sqlite: Register, server: Any
) -> None:
    parted, today = Named("lcs", "team", server.account()), dt.date(2026, 11, 26)

    def cover() -> list[sending.Went]:
        return [*sending.cover(on_sqlite, parted, lambda rows: b"%d records" % len(rows), today, by="officer")]

    kept = keep(on_sqlite, [1, 2])
    assert sent(on_sqlite, parted) == [None, None]
    server.kill()
    with pytest.raises(Unavailable):
        cover()
    server.start()
    ((name, error),) = [(went.name, went.error) for went in cover()]
    assert error is None
    folder, _, file = name.partition("/")
    assert sorted(path.name for path in (server.root / folder).iterdir()) == [*(row.filename for row in kept), file]
    assert [path.name for path in server.root.iterdir()] == [folder]
    assert (server.root / name).read_bytes() == b"2 records"
    assert receipts(on_sqlite, "listed") == 2
    assert cover() == []


def test_a_list_whose_writer_died_before_it_was_noted_is_not_written_twice(on_sqlite: Register, share: Named) -> None:
    parted, today = replace(share, by="team"), dt.date(2026, 11, 26)
    keep(on_sqlite, [1])
    sent(on_sqlite, parted)
    (first,) = sending.cover(on_sqlite, parted, lambda _: b"drawn once", today, by="officer")
    with on_sqlite.writing() as session:
        session.execute(sa.delete(Receipt).where(Receipt.state == "listed"))
    (again,) = sending.cover(on_sqlite, parted, lambda _: b"drawn again", today, by="officer")
    assert (again.name, again.error) == (first.name, None)
    assert (share.engine.path / first.name).read_bytes() == b"drawn once"


def draws(found: Sequence[manifest.Row]) -> bytes:
    """A list that is another each time that it is drawn, as a PDF is."""
    return b"%s %d" % (",".join(each.filename for each in found).encode(), next(DRAWN))


def test_two_runs_at_once_put_no_record_on_two_lists(register: Register, share: Named) -> None:
    parted, today, later = replace(share, by="team"), dt.date(2026, 11, 26), []
    keep(register, [1, 2])
    sent(register, parted)

    def slowly(found: Sequence[manifest.Row]) -> bytes:
        keep(register, [3])
        sent(register, parted)
        later.extend(sending.cover(register, parted, draws, today, by="another"))
        return draws(found)

    went = [*sending.cover(register, parted, slowly, today, by="officer"), *later]
    assert [each.error for each in went] == [None] * 3
    lists = {path.name: path.read_bytes().decode() for path in share.engine.path.rglob("covering-list-*")}
    assert len(lists) == 2
    told = [name for each in lists.values() for name in each.split(" ")[0].split(",")]
    assert sorted(told) == sorted(row(number, b"").filename for number in (1, 2, 3))
    assert receipts(register, "listed") == 3
    assert [*sending.cover(register, parted, draws, today, by="officer")] == []


def test_a_list_that_a_killed_run_left_unmade_is_made_by_the_next_under_its_name(
    register: Register, share: Named
) -> None:
    parted, today = replace(share, by="team"), dt.date(2026, 11, 26)
    withdrawn, stays = keep(register, [1, 2])
    sent(register, parted)

    def die(_: Sequence[manifest.Row]) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        [*sending.cover(register, parted, die, today, by="killed")]
    keep(register, [3])
    sent(register, parted)
    deeds.withdraw(register, withdrawn.filename, "Wrong child", by="sasha")
    went = [*sending.cover(register, parted, draws, today + dt.timedelta(1), by="officer")]
    made_of = {each.name: (share.engine.path / each.name).read_bytes().decode().split(" ")[0] for each in went}
    assert sorted(made_of.values()) == [stays.filename, row(3, b"").filename]
    assert [each.partition("list-")[2][:10] for each in sorted(made_of)] == ["2026-11-26", "2026-11-27"]


# --- what people say -------------------------------------------------------------------------------------------------


def test_a_confirmation_names_who_saw_it_and_under_which_reference(register: Register, share: Named) -> None:
    kept, _ = keep(register, range(2))
    sent(register, share)
    deeds.confirm(register, kept.filename.removesuffix(".pdf"), "LCS-77", by="sasha")
    deeds.confirm(register, kept.sha256[:12], "LCS-77", by="sasha")
    deeds.confirm(register, kept.sha256[:12], "LCS-78", by="robin")
    (confirmed,) = (each for each in overview.deliveries(register) if each.state == "confirmed")
    assert (confirmed.record, confirmed.confirmed_by, confirmed.lcs_reference) == (kept.filename, "robin", "LCS-78")
    assert receipts(register, "confirmed") == 2
    assert [one.pep_id for one in overview.unconfirmed(register, AUTUMN)] == ["PEP-1"]


def test_a_record_that_is_not_there_is_no_record_and_what_is_no_reference_is_none(register: Register) -> None:
    keep(register, [1])
    for reference in (" ", "x" * 121):
        with pytest.raises(Refused, match="120 characters"):
            deeds.confirm(register, "PEP", reference, by="sasha")
    for name in ("900005_PEP.pdf", "0123456789", "%", "8"):
        with pytest.raises(Refused) as refused:
            deeds.confirm(register, name, "LCS-77", by="sasha")
        assert refused.value.slug == "no-such-record"


def test_a_record_that_was_confirmed_before_it_was_sent_is_not_sent_any_more(register: Register, share: Named) -> None:
    planned, unplanned = keep(register, [1, 2])
    rest = keep(register, [3])
    with register.writing() as session:
        rows.prepared(session, rows.record(session, planned.sha256), "share", by="officer")
    for each in (planned, unplanned):
        deeds.confirm(register, each.filename, "LCS-77", by="sasha")
    assert sent(register, share) == [None]
    assert [*there(share.engine.path)] == [rest[0].filename]
    assert sorted((each.destination, each.state) for each in overview.deliveries(register)) == [
        ("by hand", "confirmed"),
        ("share", "confirmed"),
        ("share", "delivered"),
    ]


def test_lcs_own_list_confirms_what_was_put_there_by_hand_and_no_run_sends_it(register: Register, share: Named) -> None:
    (kept,) = keep(register, [1])
    read = confirmations.read(f"Name\n{kept.filename}\n".encode(), "list.csv", confirmations.Columns(file="Name"))
    for confirmed, before in ((1, 0), (0, 1)):
        agreed = deeds.confirm_listed(register, read, "d" * 64, by="sasha")
        assert (agreed.confirmed, agreed.before, agreed.others) == (confirmed, before, ())
    assert sent(register, share) == []
    assert deeds.withdraw(register, kept.filename, "Wrong child", by="sasha") == (kept.filename, 1)
    agreed = deeds.confirm_listed(register, read, "d" * 64, by="sasha")
    assert [look for _, _, look in agreed.others] == [True]


def test_a_record_that_was_never_planned_can_be_withdrawn_and_no_run_sends_it(register: Register, share: Named) -> None:
    (kept,) = keep(register, [1])
    assert deeds.withdraw(register, kept.filename, "Wrong child", by="sasha") == (kept.filename, 0)
    assert sent(register, share) == []
    assert state(register) == {"withdrawn": 1}


def test_what_is_confirmed_is_not_sent_to_a_destination_that_is_added_later(register: Register, share: Named) -> None:
    confirmed, _ = keep(register, [1, 2])
    assert sent(register, share) == [None, None]
    deeds.confirm(register, confirmed.filename, "LCS-77", by="sasha")
    assert sent(register, replace(share, name="other")) == [None]  # what is not confirmed goes there too


def test_lcs_own_list_confirms_what_it_means_without_doubt_and_nothing_else(register: Register, share: Named) -> None:
    kept = keep(register, range(4))
    sent(register, share)
    deeds.withdraw(register, kept[3].sha256, "Another child's", by="sasha")
    columns = confirmations.Columns(file="Name", lcs_person_id="Person")
    table = f"Name,Person\n{kept[0].filename},800000\n{kept[1].filename},800002\nletter.docx,1\n{kept[3].filename},\n"
    read = confirmations.read(table.encode(), "list.csv", columns)
    agreed = deeds.confirm_listed(register, read, sha256(table.encode()), by="sasha")
    assert (agreed.confirmed, agreed.before) == (1, 0)
    assert [(number, look) for number, _, look in agreed.others] == [(3, True), (4, False), (5, True)]
    assert "another child's number" in agreed.others[0][1]
    assert "withdrawn" in agreed.others[2][1]
    assert state(register) == {"confirmed": 1, "delivered": 2, "withdrawn": 1}
    again = deeds.confirm_listed(register, read, sha256(table.encode()), by="sasha")
    assert (again.confirmed, again.before) == (0, 1)


def test_what_is_withdrawn_goes_nowhere_and_is_deleted_where_it_went(register: Register, share: Named) -> None:
    went, stayed = keep(register, range(2))
    with register.writing() as session:
        rows.prepared(session, rows.record(session, went.sha256), "share", by="officer")
    assert [each.error for each in sending.send(register, share, by="officer")] == [None]
    sending.prepare(register, "share", by="officer")
    assert deeds.withdraw(register, went.filename, "Wrong child", by="sasha") == (went.filename, 1)
    assert deeds.withdraw(register, stayed.filename, "Wrong child", by="sasha") == (stayed.filename, 0)
    assert sent(register, share) == sent(register, replace(share, name="other")) == []
    found = {each.record: each.deletion_reference for each in overview.deliveries(register)}
    assert found == {went.filename: "", stayed.filename: deeds.NOTHING_THERE}
    deeds.withdrawn(register, went.filename, "D-7", by="sasha")
    found = {each.record: each.deletion_reference for each in overview.deliveries(register)}
    assert found == {went.filename: "D-7", stayed.filename: deeds.NOTHING_THERE}
    with pytest.raises(Refused, match="withdrawn"):
        deeds.confirm(register, went.filename, "LCS-77", by="sasha")


def test_what_arrives_after_it_was_withdrawn_stays_withdrawn_and_to_be_deleted(
    on_sqlite: Register, share: Named
) -> None:
    (kept,) = keep(on_sqlite, [1])
    sending.prepare(on_sqlite, "share", by="officer")
    sender = sending._Sender(on_sqlite, share, "officer", None, dt.datetime.now(dt.UTC))
    (claim,) = sender.claims()
    assert deeds.withdraw(on_sqlite, kept.filename, "Wrong child", by="sasha")[1] == 1
    with share.opened() as destination:
        sender.sent(claim, destination)
    (stands,) = overview.deliveries(on_sqlite)
    assert stands.state == "withdrawn"
    assert stands.delivered_at is not None
    assert not stands.deletion_reference


def withdrawn_after(register: Register, named: Named) -> tuple[str | None, int]:
    """Why the one record did not arrive, and at how many destinations it is to be deleted once it is withdrawn."""
    (kept,) = keep(register, [1])
    (error,) = sent(register, named)
    return error and error.slug, deeds.withdraw(register, kept.filename, "Wrong child", by="sasha")[1]


def test_what_another_has_the_name_of_need_not_be_deleted_there(register: Register, share: Named) -> None:
    (share.engine.path / row(1, content(1)).filename).write_bytes(b"somebody's own")
    assert withdrawn_after(register, share) == ("another-there", 0)


def test_what_never_left_because_the_destination_was_missing_need_not_be_deleted(
    register: Register, share: Named, tmp_path: Path
) -> None:
    assert withdrawn_after(register, replace(share, engine=Folder(tmp_path / "no"))) == ("no-such-folder", 0)


def test_what_a_server_that_was_away_never_got_need_not_be_deleted(
    on_sqlite: Register, server: Any, servers: ModuleType
) -> None:
    away = server.account(port=servers.free_port())
    assert withdrawn_after(on_sqlite, Named("lcs", None, away)) == ("destination-away", 0)


def test_what_was_lost_in_the_middle_may_be_there_and_is_to_be_deleted(
    on_sqlite: Register, server: Any, share: Named, tmp_path: Path
) -> None:
    server.fill(ROOM)
    kept, second = keep(on_sqlite, [1, 2], size=400_000)
    assert len(sent(on_sqlite, Named("lcs", None, server.account()))) == 2
    assert deeds.withdraw(on_sqlite, kept.filename, "Wrong child", by="sasha")[1] == 1
    server.kill()
    time_passes(on_sqlite)
    sent(on_sqlite, Named("lcs", None, server.account()))  # what is said later does not undo what may have been sent
    assert deeds.withdraw(on_sqlite, second.filename, "Wrong child", by="sasha")[1] == 1


def test_what_a_killed_run_may_have_brought_there_is_to_be_deleted(
    register: Register, database: str, share: Named, tmp_path: Path
) -> None:
    (kept,) = keep(register, [1])
    sending.prepare(register, "share", by="officer")
    killed(register, database, tmp_path, share, "arrived")
    time_passes(register)
    (share.engine.path / kept.filename).write_bytes(b"an import took it away, and somebody put another there")
    assert [error and error.slug for error in sent(register, share)] == ["another-there"]
    assert deeds.withdraw(register, kept.filename, "Wrong child", by="sasha")[1] == 1


def test_nothing_is_withdrawn_without_a_reason(on_sqlite: Register, share: Named) -> None:
    (kept,) = keep(on_sqlite, [1])
    sending.prepare(on_sqlite, "share", by="officer")
    with pytest.raises(Refused, match="why"):
        deeds.withdraw(on_sqlite, kept.filename, " ", by="sasha")
    assert state(on_sqlite) == {"prepared": 1}
