"""Batches: each copy made once, whoever dies, and nothing made that a person should have looked at first."""

import copy
import csv
import dataclasses
import datetime as dt
import io
import json
import re
import resource
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pepforms import days, forms, profile, resources, settings
from pepforms.batches import asking, course, holds, making, results, schools, worker
from pepforms.batches.asking import Asked
from pepforms.batches.identity import Wanted
from pepforms.batches.making import Maker, Outcome
from pepforms.caseload import lists, mapping, weekly
from pepforms.digest import sha256
from pepforms.errors import PepformsError, Refused, Unavailable, Unreadable
from pepforms.register import check as proving
from pepforms.register import peps
from pepforms.register.peps import Kept
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Document, Hold, Item
from pepforms.wiring import Wiring

PROFILE = profile.load("hillingdon")
SAMPLES = resources.folder("samples") / "valid"
DRAFT: dict[str, Any] = json.loads((SAMPLES / "year-3-draft.json").read_bytes())
QUILL: dict[str, Any] = json.loads((SAMPLES / "year-8-confidential-placement.json").read_bytes())
REVIEW: dict[str, Any] = json.loads((SAMPLES / "year-5-review.json").read_bytes())
TERM = "2026-27/autumn"
WORD = Asked("pep", ("authority",), "docx")
TEMPLATES: dict[Path, Any] = {}


@pytest.fixture
def wiring(database: str, tmp_path: Path) -> Iterator[Wiring]:
    """An empty register, on each store in its turn, and all else that a batch works with."""
    home = {"PEPFORMS_HOME": str(tmp_path), "PEPFORMS_DATABASE_URL": database}
    yield from _opened(home)


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Wiring]:
    """The same on SQLite alone, for what does not depend on the store."""
    yield from _opened({"PEPFORMS_HOME": str(tmp_path)})


def _opened(environment: dict[str, str]) -> Iterator[Wiring]:
    wiring = Wiring(settings.load(environment))
    wiring._templates = TEMPLATES  # compiled once for all tests
    yield wiring
    wiring.register.close()


def numbered(number: int, of: dict[str, Any] = DRAFT, **head: Any) -> dict[str, Any]:
    """One of many PEPs: another child's each, and signed by nobody."""
    pep = {key: value for key, value in copy.deepcopy(of).items() if key != "sign_offs"}
    pep["pep"] |= {"id": f"PEP-{number}"} | head
    pep["child"]["lcs_person_id"] = f"8{number:05}"
    return pep


def keep(wiring: Wiring, *found: dict[str, Any]) -> list[Kept]:
    return [peps.keep(wiring.register, pep, PROFILE, by="officer") for pep in found]


def ask(wiring: Wiring, asked: Asked = WORD, *only: str) -> str:
    return asking.of_term(wiring.register, asked, TERM, only, by="officer")


def items(wiring: Wiring, batch_id: str) -> list[Item]:
    with wiring.register.reading() as session:
        return list(session.scalars(sa.select(Item).where(Item.batch_id == batch_id).order_by(Item.ordinal)))


def work(wiring: Wiring, batch_id: str, name: str = "alive") -> course.Status:
    """Make what waits, as a worker does."""
    maker = Maker(wiring, name)
    for item in items(wiring, batch_id):
        maker.make(item.id)
    with wiring.register.writing() as session:
        course.end(session, batch_id)
    return status(wiring, batch_id)


def status(wiring: Wiring, batch_id: str) -> course.Status:
    with wiring.register.reading() as session:
        return course.one(session, batch_id)


def counts(wiring: Wiring, batch_id: str) -> dict[str, int]:
    return {state: count for state, count in status(wiring, batch_id).counts.items() if count}


def held(wiring: Wiring, batch_id: str) -> list[tuple[int, str, str]]:
    with wiring.register.reading() as session:
        return [(each.item, each.reason, each.message) for each in course.held(session, batch_id)]


def documents(register: Register) -> list[Document]:
    with register.reading() as session:
        return list(session.scalars(sa.select(Document).order_by(Document.identity)))


def made_once(register: Register) -> bool:
    """Whether each document was made once and the register holds."""
    with register.reading() as session:
        made = session.scalars(sa.select(Audit.subject).where(Audit.action == "document-made")).all()
    proof = proving.check(register, PROFILE, lambda _: pytest.fail("there is no record"))
    return sorted(made) == sorted(each.identity for each in documents(register)) and proof.faults == ()


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_term_is_each_peps_newest_version_as_it_stands_for_each_reader(wiring: Wiring) -> None:
    changed = numbered(1, version=2) | {"actions": []}
    spring = numbered(3, term="spring")
    *_, newest, other, _ = keep(wiring, numbered(1), numbered(1, version=2), changed, numbered(2), spring)
    batch_id = ask(wiring, dataclasses.replace(WORD, audiences=("authority", "school")))
    found = [(each.ordinal, each.revision_id, each.audience, each.state) for each in items(wiring, batch_id)]
    assert found == [
        (1, newest.revision_id, "authority", "waiting"),
        (2, newest.revision_id, "school", "waiting"),
        (3, other.revision_id, "authority", "waiting"),
        (4, other.revision_id, "school", "waiting"),
    ]
    assert [each.pep_id for each in items(wiring, ask(wiring, WORD, "PEP-2"))] == ["PEP-2"]


@pytest.mark.parametrize(
    ("term", "only", "slug"),
    [
        ("autumn", (), "no-such-term"),
        ("2026-27/spring", (), "nothing-to-make"),
        (TERM, ("PEP-1", "PEP-9"), "no-such-pep"),
    ],
)
def test_what_cannot_be_asked_for_leaves_no_batch(
    on_sqlite: Wiring, term: str, only: tuple[str, ...], slug: str
) -> None:
    keep(on_sqlite, numbered(1))
    with pytest.raises(Refused) as refused:
        asking.of_term(on_sqlite.register, WORD, term, only, by="officer")
    assert refused.value.slug == slug
    with on_sqlite.register.reading() as session:
        assert course.every(session) == []


def test_a_file_that_is_refused_is_a_failed_item_until_it_is_read_again(wiring: Wiring) -> None:
    (kept,) = keep(wiring, numbered(1))
    refusal = Refused("This PEP cannot be used yet: 1 thing to put right.", slug="pep-refused")
    asked = dataclasses.replace(WORD, audiences=("authority", "parent"))
    found = [("good.json", kept), ("twice.json", kept), ("bad.json", refusal)]
    batch_id = asking.of_files(wiring.register, asked, found, by="officer")
    assert counts(wiring, batch_id) == {"waiting": 2, "failed": 2}
    assert work(wiring, batch_id).state == "finished"
    lost = [each.problem["slug"] for each in items(wiring, batch_id) if each.state == "failed"]
    assert lost == ["pep-refused"] * 2
    of_two = numbered(2, QUILL)
    of_two["people"].append({"id": "dad", "role": "parent", "name": "Basil Testchild"})
    (again,) = keep(wiring, of_two)
    count = asking.again(wiring.register, batch_id, lambda source: {"bad.json": again}[source], by="officer")
    assert count == 3
    tried = [(each.source, each.audience, each.person) for each in items(wiring, batch_id) if each.state == "waiting"]
    assert tried == [("bad.json", "authority", None), ("bad.json", "parent", "mum"), ("bad.json", "parent", "dad")]
    work(wiring, batch_id)
    assert counts(wiring, batch_id)["done"] == 2
    assert [item for item, _, _ in held(wiring, batch_id)] == [2, 4, 5]


def of_nobody(number: int) -> dict[str, Any]:
    """A PEP that names no parent."""
    pep = numbered(number)
    for each in pep["people"]:
        each["role"] = each["role"].replace("parent", "other")
    return pep


def parents(wiring: Wiring, batch_id: str) -> list[tuple[int, str, str | None]]:
    return [(each.ordinal, each.state, each.person) for each in items(wiring, batch_id)]


def test_what_failed_is_tried_again_of_its_pep_as_it_was_put_right(wiring: Wiring) -> None:
    keep(wiring, of_nobody(1))
    batch_id = ask(wiring, dataclasses.replace(WORD, audiences=("parent",)))
    work(wiring, batch_id)
    assert parents(wiring, batch_id) == [(1, "failed", None)], "the PEP names no parent"
    of_two = of_nobody(1)
    of_two["people"] += [{"id": each, "role": "parent", "name": "A Testchild"} for each in ("mother", "father")]
    (put_right,) = keep(wiring, of_two)
    assert again(wiring, batch_id) == 2
    assert parents(wiring, batch_id) == [(1, "waiting", "mother"), (2, "waiting", "father")]
    assert {each.revision_id for each in items(wiring, batch_id)} == {put_right.revision_id}
    assert work(wiring, batch_id).counts["held"] == 2


def again(wiring: Wiring, batch_id: str, **read: Kept | PepformsError) -> int:
    """Try again; what comes of reading each file."""
    return asking.again(wiring.register, batch_id, read.__getitem__, by="officer")


def test_what_was_released_of_a_pep_waits_again_once_the_pep_is_another(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1, QUILL))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, audiences=("parent",)))
    work(on_sqlite, batch_id)
    course.release(on_sqlite.register, batch_id, 1, by="Sasha Mockworth", because="agreed")
    with on_sqlite.register.writing() as session:
        session.execute(sa.update(Item).values(state="failed"))
    assert again(on_sqlite, batch_id) == 1
    assert parents(on_sqlite, batch_id) == [(1, "waiting", "mum")], "the same PEP, released as it is"
    with on_sqlite.register.writing() as session:
        session.execute(sa.update(Item).values(state="failed"))
    keep(on_sqlite, numbered(1, QUILL) | {"actions": []})
    assert again(on_sqlite, batch_id) == 1
    work(on_sqlite, batch_id)
    assert parents(on_sqlite, batch_id) == [(1, "cancelled", "mum"), (2, "held", "mum")]


def test_two_files_that_are_put_right_to_one_pep_are_one_item_and_none_where_it_is_there(on_sqlite: Wiring) -> None:
    refusal = Refused("This PEP cannot be used yet: 1 thing to put right.", slug="pep-refused")
    of_one, made = keep(on_sqlite, numbered(1, QUILL), of_nobody(2))
    found = [("made", made), ("one", refusal), ("other", refusal), ("same", refusal)]
    asked = dataclasses.replace(WORD, audiences=("authority", "parent"))
    batch_id = asking.of_files(on_sqlite.register, asked, found, by="officer")
    work(on_sqlite, batch_id)
    assert counts(on_sqlite, batch_id) == {"done": 1, "failed": 7}, "one names no parent, the others are refused"
    made_once_more = {"made": made, "one": of_one, "other": of_one, "same": made}
    assert again(on_sqlite, batch_id, **made_once_more) == 3
    work(on_sqlite, batch_id)
    assert [(each.ordinal, each.pep_id, each.state, each.person) for each in items(on_sqlite, batch_id)] == [
        (1, "PEP-2", "done", None), (2, "PEP-2", "failed", None),
        (3, "PEP-1", "done", None), (4, "PEP-1", "held", "mum"),
    ]  # fmt: skip


def test_a_file_that_is_gone_or_refused_by_now_takes_nothing_from_its_item(on_sqlite: Wiring) -> None:
    (kept,) = keep(on_sqlite, numbered(1))
    refusal = Refused("This PEP cannot be used yet: 1 thing to put right.", slug="pep-refused")
    batch_id = asking.of_files(on_sqlite.register, WORD, [("kept", kept), ("bad", refusal)], by="officer")
    with on_sqlite.register.writing() as session:
        session.execute(sa.update(Item).values(state="failed"))
    gone = Unreadable("It cannot be read again: it is not there any more.", slug="unreadable-path")
    now_bad = Refused("This PEP cannot be used yet: 2 things to put right.", slug="pep-refused")
    assert again(on_sqlite, batch_id, kept=now_bad, bad=gone) == 0
    assert [each.problem["message"] for each in items(on_sqlite, batch_id)] == [str(now_bad), str(refusal)]
    assert again(on_sqlite, batch_id, kept=gone, bad=gone) == 1
    assert work(on_sqlite, batch_id).counts["done"] == 1


def test_a_form_for_one_person_is_made_for_each_whom_the_plan_asks_for_something(wiring: Wiring) -> None:
    nobody = numbered(2) | {"actions": [], "targets": []}
    keep(wiring, numbered(1, QUILL), nobody)
    asked = Asked("action-sheet", ("authority", "school"), "docx", for_one=True)
    batch_id = ask(wiring, asked)
    theirs = [("authority", "sw"), ("school", "dt"), ("school", "tutor"), ("school", "ed")]
    assert [(each.pep_id, each.audience, each.person) for each in items(wiring, batch_id)] == [
        ("PEP-1", audience, person) for audience, person in theirs
    ]
    assert work(wiring, batch_id).counts["done"] == len(theirs)
    assert len({each.name for each in documents(wiring.register)}) == len(theirs)
    with pytest.raises(Refused, match="ask nothing of those") as refused:
        ask(wiring, asked, "PEP-2")
    assert refused.value.slug == "nothing-to-make"


def test_a_refused_file_is_one_item_for_each_whom_its_plan_asks_once_it_is_read_again(on_sqlite: Wiring) -> None:
    refusal = Refused("This PEP cannot be used yet: 1 thing to put right.", slug="pep-refused")
    asked = Asked("action-sheet", ("authority", "school", "carer"), "docx", for_one=True)
    batch_id = asking.of_files(on_sqlite.register, asked, [("bad.json", refusal)], by="officer")
    assert counts(on_sqlite, batch_id) == {"failed": 3}
    quill = numbered(1, QUILL)
    quill["actions"] = [each for each in quill["actions"] if each["owner"] != "ama"]
    (again,) = keep(on_sqlite, quill)
    assert asking.again(on_sqlite.register, batch_id, lambda _: again, by="officer") == 4
    found = [(each.audience, each.person) for each in items(on_sqlite, batch_id)]
    assert found == [("authority", "sw"), ("school", "dt"), ("school", "tutor"), ("school", "ed")]
    assert work(on_sqlite, batch_id).counts["done"] == 4


# --- once ------------------------------------------------------------------------------------------------------------


def test_the_same_copy_in_two_batches_is_made_once_even_by_two_at_once(wiring: Wiring) -> None:
    keep(wiring, *map(numbered, range(4)))
    batches = [ask(wiring), ask(wiring)]
    makers = [threading.Thread(target=work, args=(wiring, each, each)) for each in batches]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [counts(wiring, each) for each in batches] == [{"done": 4}, {"done": 4}]
    assert len(documents(wiring.register)) == 4
    assert made_once(wiring.register)


@pytest.mark.parametrize("same_bytes", [True, False])
def test_a_copy_whose_file_is_lost_or_damaged_is_made_again_and_found_by_every_batch(
    wiring: Wiring, same_bytes: bool
) -> None:
    keep(wiring, *map(numbered, range(2)))
    before = ask(wiring)
    work(wiring, before)
    gone, damaged = documents(wiring.register)
    register = wiring.register
    if not same_bytes:  # as another engine would have made it
        with register.writing() as session:
            session.get_one(Document, gone.identity).sha256 = register.files.put(b"other bytes")
        gone, damaged = documents(register)
    register.files.path(gone.sha256).unlink()
    register.files.path(damaged.sha256).write_bytes(b"half a fi")
    assert work(wiring, ask(wiring)).counts["done"] == 2
    found = {each.identity: each.sha256 for each in documents(register)}
    assert found.keys() == {gone.identity, damaged.identity}
    assert (found[gone.identity] == gone.sha256) is same_bytes
    assert made_once(register), "each file is whole again"
    with register.reading() as session:
        told = session.scalars(sa.select(Audit).where(Audit.action == "document-made-again")).all()
        assert {each.subject: each.detail["lost"] for each in told} == {
            gone.identity: gone.sha256, damaged.identity: damaged.sha256,
        }  # fmt: skip
        assert {each.sha256 for each in results.results(session, before)} == set(found.values())


def test_two_makers_of_one_batch_make_each_copy_once(wiring: Wiring) -> None:
    keep(wiring, *map(numbered, range(4)))
    batch_id = ask(wiring)
    makers = [threading.Thread(target=work, args=(wiring, batch_id, name)) for name in ("one", "other")]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert counts(wiring, batch_id) == {"done": 4}
    assert [each.attempts for each in items(wiring, batch_id)] == [1] * 4
    assert made_once(wiring.register)


def test_all_that_decides_what_a_copy_says_decides_what_copy_it_is(on_sqlite: Wiring, tmp_path: Path) -> None:
    wanted = Wanted("a" * 64, "pep", "school", None, "pdf", False)
    others = [
        dataclasses.replace(wanted, **change)
        for change in (
            {"revision": "b" * 64}, {"audience": "carer"}, {"person": "mum"}, {"to": "docx"}, {"confidential": True},
        )
    ]  # fmt: skip
    home = {"PEPFORMS_HOME": str(tmp_path)}
    other_profile = tmp_path / "other.toml"
    text = (resources.folder("schemas") / "profiles" / "hillingdon.toml").read_text()
    other_profile.write_text(text.replace('child_term = "', 'child_term = "our '))
    elsewhere = [
        Wiring(settings.load(home | {"PEPFORMS_PROFILE": str(other_profile)})),
        Wiring(settings.load(home | {"PEPFORMS_CONVERT_ENGINE": "libreoffice"})),
    ]
    identities = [each.identity(on_sqlite) for each in (wanted, *others)]
    identities += [wanted.identity(each) for each in elsewhere]
    assert len(set(identities)) == len(identities) == 8
    assert wanted.identity(on_sqlite) == identities[0]
    other_profile.write_text(text + "\n# a remark\n")
    assert wanted.identity(Wiring(settings.load(home | {"PEPFORMS_PROFILE": str(other_profile)}))) == identities[0]


@pytest.mark.parametrize(
    "row", ['notice = "SECOND NOTICE"', 'title = "Second Title"', 'file_name = "second"', 'phases = ["primary"]']
)
def test_what_a_form_says_of_itself_decides_what_copy_it_is(on_sqlite: Wiring, row: str) -> None:
    wanted = Wanted("a" * 64, "ours", "school", None, "docx", False)
    own = on_sqlite.installed / "forms.toml"
    own.parent.mkdir()
    word = (resources.folder("templates") / "pep.docx").read_bytes()
    kept = forms.kept("pep.docx", word)
    (own.parent / kept).write_bytes(word)
    first = {"title": "First Title", "template": kept, "audiences": ["school"], "notice": "FIRST NOTICE"}
    lines = {key: f"{key} = {json.dumps(value)}" for key, value in first.items()}

    def identity(lines: dict[str, str]) -> str:
        own.write_text("\n".join(["[ours]", *lines.values()]))
        return wanted.identity(on_sqlite)

    before = identity(lines)
    assert identity({**lines, row.split()[0]: row}) != before
    assert identity(lines) == before


# --- the course of a batch -------------------------------------------------------------------------------------------


def test_a_batch_that_is_paused_begins_nothing_until_it_is_resumed(wiring: Wiring) -> None:
    keep(wiring, *map(numbered, range(2)))
    batch_id = ask(wiring)
    first, _ = items(wiring, batch_id)
    assert making.take(wiring.register, first.id, "alive")
    course.pause(wiring.register, batch_id, by="officer")
    making.settle(wiring.register, first.id, "alive", Outcome("done"))
    assert work(wiring, batch_id).state == "paused"
    assert counts(wiring, batch_id) == {"done": 1, "waiting": 1}
    with pytest.raises(Refused, match="is paused"):
        course.pause(wiring.register, batch_id, by="officer")
    course.resume(wiring.register, batch_id, by="officer")
    assert work(wiring, batch_id).state == "finished"


def test_a_batch_that_is_cancelled_begins_nothing_and_keeps_what_was_made(wiring: Wiring) -> None:
    keep(wiring, *map(numbered, range(3)))
    batch_id = ask(wiring)
    making_, dying, _ = items(wiring, batch_id)
    worker._heard_of(wiring.register, "alive")
    assert making.take(wiring.register, making_.id, "alive")
    assert making.take(wiring.register, dying.id, "silent")
    course.cancel(wiring.register, batch_id, by="officer")
    making.settle(wiring.register, making_.id, "alive", Outcome("done"))
    worker._free(wiring.register)
    assert [each.state for each in items(wiring, batch_id)] == ["done", "cancelled", "cancelled"]
    for change in (course.cancel, course.resume):
        with pytest.raises(Refused, match="cancelled"):
            change(wiring.register, batch_id, by="officer")
    with pytest.raises(Refused, match="cancelled"):
        asking.again(wiring.register, batch_id, lambda _: pytest.fail("nothing is read"), by="officer")


def test_nothing_of_a_batch_that_is_cancelled_waits_for_its_turn_or_for_a_person_any_more(wiring: Wiring) -> None:
    keep(wiring, *map(numbered, range(3)))
    batch_id = ask(wiring, dataclasses.replace(WORD, audiences=("parent",)))
    waits, away, objected = items(wiring, batch_id)
    Maker(wiring, "alive").make(waits.id)
    assert [item for item, _, _ in held(wiring, batch_id)] == [1]
    for item in (away, objected):
        assert making.take(wiring.register, item.id, "alive")
    course.cancel(wiring.register, batch_id, by="officer")
    problem = {"slug": "parent-copy", "message": "Look at it.", "exit_code": 65}
    making.settle(wiring.register, away.id, "alive", Outcome("waiting", problem=problem))
    making.settle(wiring.register, objected.id, "alive", Outcome("held", problem=problem))
    assert counts(wiring, batch_id) == {"cancelled": 3}
    assert held(wiring, batch_id) == []
    with wiring.register.reading() as session:
        assert session.scalars(sa.select(Hold.item_id)).all() == [waits.id], "what was held once stays told"


def test_what_nobody_wants_of_a_finished_batch_is_cancelled_and_what_was_made_stays(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1, QUILL))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, audiences=("authority", "parent")))
    assert work(on_sqlite, batch_id).state == "finished"
    course.cancel(on_sqlite.register, batch_id, by="officer")
    assert counts(on_sqlite, batch_id) == {"done": 1, "cancelled": 1}
    assert held(on_sqlite, batch_id) == []
    with pytest.raises(Refused, match="is cancelled already"):
        course.cancel(on_sqlite.register, batch_id, by="officer")
    all_made = ask(on_sqlite)
    work(on_sqlite, all_made)
    with pytest.raises(Refused, match="is finished already"):
        course.cancel(on_sqlite.register, all_made, by="officer")
    assert status(on_sqlite, all_made).state == "finished"


def test_what_a_killed_worker_had_begun_is_cancelled_with_no_worker_about(wiring: Wiring) -> None:
    keep(wiring, *map(numbered, range(2)))
    batch_id = ask(wiring)
    silent, killed = items(wiring, batch_id)
    worker._heard_of(wiring.register, "killed")
    assert making.take(wiring.register, silent.id, "silent")
    assert making.take(wiring.register, killed.id, "killed")
    course.cancel(wiring.register, batch_id, by="officer")
    assert [each.state for each in items(wiring, batch_id)] == ["cancelled", "working"], "as far as anybody knows"
    with wiring.register.writing() as session:
        session.get_one(worker.Row, "killed").heartbeat_at -= dt.timedelta(seconds=course.SILENT_SECONDS + 1)
    course.cancel(wiring.register, batch_id, by="officer")
    assert counts(wiring, batch_id) == {"cancelled": 2}


def test_what_a_silent_worker_had_begun_is_anybodys_and_what_it_comes_to_counts_for_nothing(wiring: Wiring) -> None:
    keep(wiring, *map(numbered, range(2)))
    batch_id = ask(wiring)
    silent, alive = items(wiring, batch_id)
    worker._heard_of(wiring.register, "alive")
    assert making.take(wiring.register, silent.id, "silent")
    assert making.take(wiring.register, alive.id, "alive")
    assert not making.take(wiring.register, silent.id, "alive")
    worker._free(wiring.register)
    assert [each.executor_id for each in items(wiring, batch_id)] == [None, "alive"]
    assert making.take(wiring.register, silent.id, "alive")
    making.settle(wiring.register, silent.id, "silent", Outcome("failed", problem={"slug": "late"}))
    assert [each.state for each in items(wiring, batch_id)] == ["working", "working"]


def test_a_worker_lives_while_it_is_heard_of(wiring: Wiring) -> None:
    worker._heard_of(wiring.register, "one")
    worker._heard_of(wiring.register, "other")
    assert worker.alive_now(wiring.register) == {"one", "other"}
    with wiring.register.writing() as session:
        row = session.get_one(worker.Row, "one")
        row.heartbeat_at -= dt.timedelta(seconds=course.SILENT_SECONDS + 1)
    assert worker.alive_now(wiring.register) == {"other"}
    worker._heard_of(wiring.register, "one")
    assert worker.alive_now(wiring.register) == {"one", "other"}
    worker._gone(wiring.register, "one")
    assert worker.alive_now(wiring.register) == {"other"}


def test_an_item_that_ends_its_worker_each_time_is_left_out_and_may_be_tried_again(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1))
    batch_id = ask(on_sqlite)
    (item,) = items(on_sqlite, batch_id)
    for _ in range(making.MOST_TRIES):
        assert making.take(on_sqlite.register, item.id, "dies")
        worker._free(on_sqlite.register)
    work(on_sqlite, batch_id)
    (item,) = items(on_sqlite, batch_id)
    assert (item.state, item.problem["slug"]) == ("failed", "given-up")
    assert asking.again(on_sqlite.register, batch_id, lambda _: pytest.fail("nothing is read"), by="officer") == 1
    assert work(on_sqlite, batch_id).counts["done"] == 1


class _Away(Wiring):
    """A workshop whose engine is away so many times."""

    times = 1

    def convert(self, docx: bytes, *, about: str) -> bytes:
        if self.times:
            self.times -= 1
            raise Unavailable("The PDF engine could not be started. Try again later.", slug="engine-away")
        return docx


def test_what_is_away_is_tried_again_and_then_waits_its_turn_without_failing(
    on_sqlite: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PAUSES", (0.0,))
    keep(on_sqlite, numbered(1))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, to="pdf"))
    began = dt.datetime.now(dt.UTC)
    away = _Away(on_sqlite.settings)
    away.times = 2
    assert work(away, batch_id).state == "running"
    (item,) = items(on_sqlite, batch_id)
    assert (item.state, item.attempts) == ("waiting", 0)
    with on_sqlite.register.reading() as session:
        stuck = course.stuck(session, batch_id, began)
        assert stuck is not None
        assert (stuck["slug"], stuck["exit_code"]) == ("engine-away", 75)
        assert course.stuck(session, batch_id, dt.datetime.now(dt.UTC)) is None
    assert work(on_sqlite, batch_id).state == "finished"
    on_sqlite.converter.close()
    away.register.close()


class _Surprised(Wiring):
    """A workshop whose engine fails as nobody foresaw."""

    def convert(self, docx: bytes, *, about: str) -> bytes:
        raise ZeroDivisionError("Quill Testchild lives at 1 Nowhere Lane")


def test_a_batch_that_is_resumed_is_tried_whatever_the_clock_said_when_it_stopped(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1))
    batch_id = ask(on_sqlite)
    full = {"slug": "disk-full", "message": "The disk is full.", "exit_code": 75}
    with on_sqlite.register.writing() as session:
        tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        session.execute(sa.update(Item).values(problem=full, changed_at=tomorrow))
    course.resume(on_sqlite.register, batch_id, by="officer")
    with on_sqlite.register.reading() as session:
        assert course.stuck(session, batch_id, dt.datetime.now(dt.UTC)) is None
    assert work(on_sqlite, batch_id).counts["done"] == 1


def test_a_surprise_fails_its_item_and_tells_its_kind_alone(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, to="pdf"))
    surprised = _Surprised(on_sqlite.settings)
    assert work(surprised, batch_id).counts["failed"] == 1
    (item,) = items(on_sqlite, batch_id)
    told = "pepforms failed by its own fault (ZeroDivisionError). Please report it."
    assert item.problem == {"slug": "bug", "message": told, "exit_code": 70}
    surprised.register.close()


def test_what_cannot_be_written_down_is_told_and_made_by_the_same_worker_once_it_can(
    on_sqlite: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PAUSES", (0.0,))
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.2)
    keep(on_sqlite, numbered(1))
    batch_id = ask(on_sqlite)
    with on_sqlite.register.writing() as session:
        session.execute(sa.text(
            "CREATE TRIGGER fails BEFORE UPDATE ON item WHEN NEW.state = 'done' BEGIN SELECT RAISE(ABORT, 'no'); END"
        ))  # fmt: skip
    with on_sqlite.worker(1) as working:
        until(lambda: working.trouble is not None)
        assert working.trouble is not None
        assert working.trouble.slug == "bug"
        with on_sqlite.register.writing() as session:
            session.execute(sa.text("DROP TRIGGER fails"))
        until(lambda: status(on_sqlite, batch_id).state == "finished")
        until(lambda: working.trouble is None)
    assert counts(on_sqlite, batch_id) == {"done": 1}
    assert made_once(on_sqlite.register)


def until(holds: Callable[[], bool]) -> None:
    """Wait for what a worker brings about."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_maker_that_is_given_an_item_twice_at_once_makes_it_once(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1))
    batch_id = ask(on_sqlite)
    (item,) = items(on_sqlite, batch_id)
    maker = Maker(on_sqlite, "alive")
    pieces = [threading.Thread(target=maker.make, args=(item.id,)) for _ in range(4)]
    for piece in pieces:
        piece.start()
    for piece in pieces:
        piece.join()
    (item,) = items(on_sqlite, batch_id)
    assert (item.state, item.attempts) == ("done", 1)


def test_a_full_disk_fails_nothing(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PAUSES", (0.0,))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path), "PEPFORMS_DATABASE_URL": postgresql}))
    keep(wiring, *map(numbered, range(2)))
    batch_id = ask(wiring)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        assert work(wiring, batch_id).state == "running"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [each.problem["slug"] for each in items(wiring, batch_id)] == ["disk-full"] * 2
    assert work(wiring, batch_id).counts["done"] == 2
    assert made_once(wiring.register)
    wiring.register.close()


# --- held for a person -----------------------------------------------------------------------------------------------


def test_a_parents_copy_waits_for_a_person_and_a_leak_until_the_pep_is_put_right(wiring: Wiring) -> None:
    leaking = numbered(1, QUILL)
    leaking["education"]["behaviour"]["summary"] = "We live in Nowheretown now"
    decisions = leaking["distribution"][1]["decisions"]
    decisions[:] = [made for made in decisions if made["pointer"] != "/education/behaviour/summary"]
    keep(wiring, leaking)
    batch_id = ask(wiring, dataclasses.replace(WORD, audiences=("authority", "parent")))
    assert work(wiring, batch_id).state == "finished"
    assert counts(wiring, batch_id) == {"done": 1, "held": 1}
    assert [(item, reason) for item, reason, _ in held(wiring, batch_id)] == [(2, "parent-copy")]
    for by, because in (("", "agreed"), ("Sasha Mockworth", " ")):
        with pytest.raises(Refused, match="neither may be left empty"):
            course.release(wiring.register, batch_id, 2, by=by, because=because)
    course.release(wiring.register, batch_id, 2, by="Sasha Mockworth", because="agreed")
    assert status(wiring, batch_id).state == "running"
    assert work(wiring, batch_id).state == "finished"
    ((_, reason, message),) = held(wiring, batch_id)
    assert reason == "leak"
    assert "“Care information: Address”" in message
    assert "(/education/behaviour/summary)" in message, "which a decision must name"
    assert "Nowheretown" not in message
    course.release(wiring.register, batch_id, 2, by="Sasha Mockworth", because="never mind")
    work(wiring, batch_id)
    assert [reason for _, reason, _ in held(wiring, batch_id)] == ["leak"], "no word of a person makes a leak safe"
    leaking["education"]["behaviour"]["summary"] = "We live somewhere else now"
    (put_right,) = keep(wiring, leaking)
    course.release(wiring.register, batch_id, 2, by="Sasha Mockworth", because="put right")
    work(wiring, batch_id)
    assert counts(wiring, batch_id) == {"done": 2}
    assert items(wiring, batch_id)[1].revision_id == put_right.revision_id
    with wiring.register.reading() as session:
        released = session.scalars(sa.select(Hold).order_by(Hold.id)).all()
        assert [(each.reason, each.released_because) for each in released] == [
            ("parent-copy", "agreed"), ("leak", "never mind"), ("leak", "put right"),
        ]  # fmt: skip
        audited = session.scalars(sa.select(Audit.actor).where(Audit.action == "item-released")).all()
        assert audited == ["Sasha Mockworth"] * 3


def test_a_copy_that_its_pep_does_not_release_waits(on_sqlite: Wiring) -> None:
    remand = json.loads((SAMPLES / "year-11-remand.json").read_bytes())
    keep(on_sqlite, numbered(1, remand))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, audiences=("parent",)))
    for reason in ("parent-copy", "not-released", "not-released"):
        work(on_sqlite, batch_id)
        assert [found for _, found, _ in held(on_sqlite, batch_id)] == [reason]
        course.release(on_sqlite.register, batch_id, 1, by="Sasha Mockworth", because="agreed")


def test_a_check_that_says_something_else_holds_an_item_again(
    on_sqlite: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ["The child moved on 2 November.", "The child moved on 2 November.", "The child moved on 9 November.", ""]
    found: holds.Check = lambda _, __, ___: ("moved", said[0]) if said[0] else None  # noqa: E731  one line says it
    monkeypatch.setattr(holds, "CHECKS", (found, *holds.CHECKS))
    keep(on_sqlite, numbered(1))
    batch_id = ask(on_sqlite)
    work(on_sqlite, batch_id)
    assert [message for _, _, message in held(on_sqlite, batch_id)] == said[:1]
    course.release(on_sqlite.register, batch_id, 1, by="Sasha Mockworth", because="known")
    del said[:2]
    work(on_sqlite, batch_id)
    assert [message for _, _, message in held(on_sqlite, batch_id)] == said[:1]
    course.release(on_sqlite.register, batch_id, 1, by="Sasha Mockworth", because="known")
    work(on_sqlite, batch_id)
    assert counts(on_sqlite, batch_id) == {"done": 1}
    with pytest.raises(Refused, match="does not wait"):
        course.release(on_sqlite.register, batch_id, 1, by="Sasha Mockworth", because="again")


# --- what comes of it ------------------------------------------------------------------------------------------------


def test_two_copies_of_one_name_are_told_apart_and_none_is_lost(on_sqlite: Wiring, tmp_path: Path) -> None:
    keep(on_sqlite, *two_of_one_child())
    batch_id = ask(on_sqlite)
    work(on_sqlite, batch_id)
    written = list(results.put_out(on_sqlite.register, batch_id, tmp_path / "out", force=False))
    names = ["800001_pep_authority_2026-27_AUT_v1_1.docx", "800001_pep_authority_2026-27_AUT_v1_2.docx"]
    assert written == [tmp_path / "out" / name for name in names]
    assert written[0].read_bytes() != written[1].read_bytes()
    written[0].write_bytes(b"something else")
    kept_out, other = results.put_out(on_sqlite.register, batch_id, tmp_path / "out", force=False)
    assert isinstance(kept_out, PepformsError)
    assert other == written[1]


def two_of_one_child() -> tuple[dict[str, Any], dict[str, Any]]:
    initial, review = numbered(1), numbered(2)
    review["child"]["lcs_person_id"] = initial["child"]["lcs_person_id"]
    review["actions"] = []
    return initial, review


def names(wiring: Wiring, batch_id: str) -> dict[int, str]:
    with wiring.register.reading() as session:
        return {each.item: each.file for each in results.results(session, batch_id) if each.file}


def test_a_name_is_one_parents_for_good_whoevers_copy_is_made_first(wiring: Wiring, tmp_path: Path) -> None:
    keep(wiring, with_two_parents(1))
    batch_id = ask(wiring, dataclasses.replace(WORD, audiences=("parent",)))
    work(wiring, batch_id)
    found = dict[int, str]()
    for item in (2, 1):
        course.release(wiring.register, batch_id, item, by="Sasha Mockworth", because="agreed")
        work(wiring, batch_id)
        assert not any(isinstance(put, PepformsError) for put in put_out(wiring, batch_id, tmp_path / "out"))
        now = names(wiring, batch_id)
        assert found.items() <= now.items()
        found = now
    assert found == {number: f"800001_pep_parent_2026-27_AUT_v1_{number}.docx" for number in (1, 2)}
    with wiring.register.reading() as session:
        digests = {each.file: each.sha256 for each in results.results(session, batch_id)}
    assert {path.name: sha256(path.read_bytes()) for path in (tmp_path / "out").iterdir()} == digests


def test_a_name_is_one_peps_for_good_whichever_of_a_childs_is_made_first(wiring: Wiring) -> None:
    keep(wiring, *two_of_one_child())
    batch_id = ask(wiring)
    first, second = items(wiring, batch_id)
    Maker(wiring, "alive").make(second.id)
    before = names(wiring, batch_id)
    Maker(wiring, "alive").make(first.id)
    assert before[2] == names(wiring, batch_id)[2] == "800001_pep_authority_2026-27_AUT_v1_2.docx"
    assert names(wiring, batch_id)[1] == "800001_pep_authority_2026-27_AUT_v1_1.docx"


def test_a_pep_that_a_retry_reads_never_takes_the_name_of_another(on_sqlite: Wiring) -> None:
    initial, review = keep(on_sqlite, *two_of_one_child())
    read = [("bad.json", Refused("no PEP", slug="pep-refused")), ("good.json", initial)]
    batch_id = asking.of_files(on_sqlite.register, WORD, read, by="officer")
    work(on_sqlite, batch_id)
    plain = "800001_pep_authority_2026-27_AUT_v1.docx"
    assert names(on_sqlite, batch_id) == {2: plain}
    asking.again(on_sqlite.register, batch_id, lambda _: review, by="officer")
    work(on_sqlite, batch_id)
    assert len(names(on_sqlite, batch_id)) == 2
    assert plain not in names(on_sqlite, batch_id).values()


def test_each_persons_sheet_keeps_the_name_that_tells_whose_it_is(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1, QUILL))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, form="action-sheet", audiences=("school",), for_one=True))
    work(on_sqlite, batch_id)
    found = names(on_sqlite, batch_id).values()
    assert len(found) > 1
    assert all(name.endswith("_v1.docx") for name in found)


def with_two_parents(number: int) -> dict[str, Any]:
    pep = numbered(number)
    pep["people"].append({"id": "zz", "role": "parent", "name": "Basil Testchild"})
    return pep


def put_out(wiring: Wiring, batch_id: str, out: Path) -> list[Path | PepformsError]:
    return list(results.put_out(wiring.register, batch_id, out, force=False))


def test_the_results_are_a_row_an_item(on_sqlite: Wiring) -> None:
    keep(on_sqlite, numbered(1, QUILL))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, audiences=("authority", "parent")))
    work(on_sqlite, batch_id)
    with on_sqlite.register.reading() as session:
        rows = list(csv.DictReader(io.StringIO("\n".join(results.as_csv(results.results(session, batch_id))))))
    (document,) = documents(on_sqlite.register)
    assert [(row["item"], row["audience"], row["state"], row["sha256"], row["problem"]) for row in rows] == [
        ("1", "authority", "done", document.sha256, ""),
        ("2", "parent", "held", "", "parent-copy"),
    ]


def at_school(number: int, *settings_: dict[str, Any]) -> dict[str, Any]:
    pep = numbered(number)
    pep["education"]["settings"] = [{"from": "2026-09-01", **each} for each in settings_]
    return pep


def test_a_zip_has_a_folder_for_each_school_by_its_number_and_leaves_out_what_is_not_certain(
    on_sqlite: Wiring, tmp_path: Path
) -> None:
    lane, farm = {"name": "Paper Lane School", "urn": "999812"}, {"name": "Pretend Farm", "urn": "999813"}
    unknown = {"urn": {"unknown": "New"}, "unknown": "New"}
    keep(
        on_sqlite,
        at_school(1, lane),
        at_school(2, farm | {"main": False}, lane | {"main": True}),
        at_school(3, {"name": "Paper Lane School", "laestab": "999/4012", **unknown}),
        at_school(4, {"name": "Paper College", "ukprn": "10999999", **unknown}),
        at_school(5, {"name": "Paper Lane School", **unknown}),
        at_school(6, lane, farm),
        at_school(7, lane | {"to": "2026-10-01"}),
    )
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, audiences=("authority", "school")))
    work(on_sqlite, batch_id)
    assert counts(on_sqlite, batch_id) == {"done": 14}
    out = tmp_path / "schools.zip"
    packed = schools.pack(on_sqlite.register, batch_id, out, dt.date(2026, 11, 26))
    assert (packed.copies, packed.schools) == (4, 3)
    told = [re.match(r"8(\d{5})_.*: (.*)", sentence).groups() for sentence in packed.left_out]
    assert [(int(number), why.split(".")[0]) for number, why in told] == [
        (5, "its school has no URN, LAESTAB or UKPRN in the PEP"),
        (6, "the PEP names several schools and does not say which is the main one"),
        (7, "the child left that school on 2026-10-01"),
    ]
    with zipfile.ZipFile(out) as archive:
        names = sorted(archive.namelist())
        (listed, *rows) = csv.reader(archive.read("URN-999812/cover-list.csv").decode("utf-8-sig").splitlines())
    file = "8{:05}_pep_school_2026-27_AUT_v1.docx"
    assert names == [
        "LAESTAB-9994012/" + file.format(3), "LAESTAB-9994012/cover-list.csv",
        "UKPRN-10999999/" + file.format(4), "UKPRN-10999999/cover-list.csv",
        "URN-999812/" + file.format(1), "URN-999812/" + file.format(2), "URN-999812/cover-list.csv",
    ]  # fmt: skip
    assert listed == ["initials", "year_group", "school", "file"]
    assert [row[3] for row in rows] == [file.format(1), file.format(2)]
    assert {len(row[0]) for row in rows} == {2}
    with pytest.raises(Refused, match="is there already"):
        schools.pack(on_sqlite.register, batch_id, out, dt.date(2026, 11, 26))
    only_ours = ask(on_sqlite)
    work(on_sqlite, only_ours)
    with pytest.raises(Refused, match="no school’s copy"):
        schools.pack(on_sqlite.register, only_ours, tmp_path / "other.zip", dt.date(2026, 11, 26))


def test_a_copy_that_the_list_speaks_against_by_now_goes_to_no_school_and_into_no_folder_unreleased(
    on_sqlite: Wiring, tmp_path: Path
) -> None:
    keep(on_sqlite, REVIEW, at_school(1, {"name": "Paper Lane School", "urn": "999812"}))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, audiences=("school",)))
    work(on_sqlite, batch_id)
    assert counts(on_sqlite, batch_id) == {"done": 2}
    bring(on_sqlite, {"School URN": "999810", "School LAESTAB": "999/4010", "School": "Figment High School"})
    packed = schools.pack(on_sqlite.register, batch_id, tmp_path / "schools.zip", days.today())
    (kept_back,) = packed.left_out
    assert (packed.copies, packed.schools) == (1, 1)
    assert re.match(r"900005_pep_school_2026-27_AUT_v1.docx: By the list of .* has left the school", kept_back)
    refused, written = sorted(put_out(on_sqlite, batch_id, tmp_path / "out"), key=lambda put: isinstance(put, Path))
    assert isinstance(refused, Refused)
    assert "has left the school" in str(refused)
    assert list((tmp_path / "out").iterdir()) == [written]

    anew = ask(on_sqlite, dataclasses.replace(WORD, audiences=("school",)), REVIEW["pep"]["id"])
    work(on_sqlite, anew)
    assert [reason for _, reason, _ in held(on_sqlite, anew)] == ["changed-school"]
    course.release(on_sqlite.register, anew, 1, by="Sasha Mockworth", because="the school still needs it")
    work(on_sqlite, anew)
    assert schools.pack(on_sqlite.register, anew, tmp_path / "released.zip", days.today()).copies == 1
    assert put_out(on_sqlite, anew, tmp_path / "out") == [tmp_path / "out" / "900005_pep_school_2026-27_AUT_v1.docx"]


def bring(wiring: Wiring, change: dict[str, str]) -> None:
    """Import the sample list with one child's row changed."""
    rows = list(csv.DictReader(io.StringIO((resources.folder("samples") / "weekly-list.csv").read_text())))
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerow(next(row for row in rows if "900005" in row.values()) | change)
    data = text.getvalue().encode()
    read = weekly.read(data, "list.csv", mapping.load("example", Path("/nonexistent")))
    lists.bring(wiring.register, data, read, as_of=days.today(), by="officer")


def test_a_zip_tells_how_many_copies_were_not_made(on_sqlite: Wiring, tmp_path: Path) -> None:
    keep(on_sqlite, *(at_school(number, {"name": "Paper Lane School", "urn": "999812"}) for number in range(3)))
    batch_id = ask(on_sqlite, dataclasses.replace(WORD, audiences=("authority", "school")))
    with pytest.raises(Refused, match="There are: 3 waiting"):
        schools.pack(on_sqlite.register, batch_id, tmp_path / "schools.zip", days.today())
    Maker(on_sqlite, "alive").make(items(on_sqlite, batch_id)[1].id)
    packed = schools.pack(on_sqlite.register, batch_id, tmp_path / "schools.zip", days.today())
    assert (packed.copies, packed.left_out, packed.unmade) == (1, (), "2 waiting")
    work(on_sqlite, batch_id)
    assert schools.pack(on_sqlite.register, batch_id, tmp_path / "whole.zip", days.today()).unmade == ""


def test_two_items_of_one_pep_are_one_copy_in_the_zip(on_sqlite: Wiring, tmp_path: Path) -> None:
    (kept,) = keep(on_sqlite, at_school(1, {"name": "Paper Lane School", "urn": "999812"}))
    asked = dataclasses.replace(WORD, audiences=("school",))
    read = [("good.json", kept), ("bad.json", Refused("no PEP", slug="pep-refused"))]
    batch_id = asking.of_files(on_sqlite.register, asked, read, by="officer")
    with on_sqlite.register.writing() as session:  # as releases before this one have mended the second file
        bad = session.scalars(sa.select(Item).where(Item.source == "bad.json")).one()
        bad.revision_id, bad.pep_id, bad.version = kept.revision_id, kept.pep_id, kept.version
        bad.state, bad.problem = "waiting", None
    work(on_sqlite, batch_id)
    assert counts(on_sqlite, batch_id) == {"done": 2}
    assert schools.pack(on_sqlite.register, batch_id, tmp_path / "schools.zip", days.today()).copies == 1
    with zipfile.ZipFile(tmp_path / "schools.zip") as archive:
        assert len(archive.namelist()) == len(set(archive.namelist())) == 2
