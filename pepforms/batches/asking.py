"""What is asked for: a batch with all its items, put into the register whole or not at all; and asked for again."""

import datetime as dt
import itertools
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import and_, func, insert, select
from sqlalchemy.orm import Session

from pepforms import days
from pepforms.audience.for_whom import one_by_one
from pepforms.batches import course
from pepforms.errors import PepformsError, Refused, Unreadable
from pepforms.model import Audience, Pep
from pepforms.pipeline import To
from pepforms.register import audit, peps
from pepforms.register.peps import Kept
from pepforms.register.store import Register
from pepforms.register.tables import Batch, Hold, Item, Revision, Version


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be made of each PEP: on which form, for whom, as what file. `confidential` can only tighten.

    `out` is the folder that whoever asks wants the documents in too; `for_one` says that the form is made for one
    person, so that each whom a PEP asks for something has a copy.
    """

    form: str
    audiences: Sequence[Audience]
    to: To
    confidential: bool = False
    out: str | None = None
    for_one: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as the batch's row keeps it."""
        return {
            "form": self.form,
            "audiences": list(self.audiences),
            "to": self.to,
            "confidential": self.confidential,
            "out": self.out,
            "for_one": self.for_one,
        }


@dataclass(frozen=True, slots=True)
class _Subject:
    """A PEP of which copies are to be made, or what came of reading one."""

    revision_id: int | None = None
    pep_id: str | None = None
    version: int | None = None
    source: str | None = None
    problem: dict[str, Any] | None = None


def of_term(register: Register, asked: Asked, term: str, only: Collection[str] = (), *, by: str) -> str:
    """Ask for copies of the PEPs of a term (`2026-27/autumn`), or of these alone; the batch's id.

    Of each PEP its newest version counts, as it stands now.
    """
    academic_year, name = days.term(term)
    newest = select(Version.pep_id, func.max(Version.version).label("version")).group_by(Version.pep_id).subquery()
    query = (
        select(Revision.id, Revision.pep_id, Revision.version)
        .join(newest, and_(newest.c.pep_id == Revision.pep_id, newest.c.version == Revision.version))
        .join(Version, and_(Version.pep_id == Revision.pep_id, Version.version == Revision.version))
        .where(Revision.number == Version.newest)
        .where(Version.academic_year == academic_year, Version.term == name)
        .order_by(Revision.pep_id)
    )
    if only:
        query = query.where(Revision.pep_id.in_(only))
    with register.writing() as session:
        audit.lock(session)
        subjects = [_Subject(*row) for row in session.execute(query)]
        if missing := sorted(set(only) - {subject.pep_id for subject in subjects}):
            raise Refused(f"The register holds no such PEP of {term}: {', '.join(missing)}.", slug="no-such-pep")
        return _put(session, asked, subjects, by=by, term=term)


def of_files(register: Register, asked: Asked, read: Iterable[tuple[str, Kept | PepformsError]], *, by: str) -> str:
    """Ask for copies of PEPs that were read from files, each with where it came from; the batch's id.

    What was refused becomes failed items, each with its problem. A PEP that came twice counts once.
    """
    subjects: dict[object, _Subject] = {}
    for source, result in read:
        if isinstance(result, PepformsError):
            subjects[source] = _Subject(source=source, problem=course.problem(result))
        else:
            key = result.revision_id
            subjects.setdefault(key, _Subject(key, result.pep_id, result.version, source))
    with register.writing() as session:
        audit.lock(session)
        return _put(session, asked, list(subjects.values()), by=by)


def _put(session: Session, asked: Asked, subjects: Sequence[_Subject], *, by: str, term: str | None = None) -> str:
    if not subjects:
        raise Refused(f"There is nothing to make: the register holds no PEP of {term}.", slug="nothing-to-make")
    now = dt.datetime.now(dt.UTC)
    batch_id = f"{now:%Y%m%d}-{secrets.token_hex(3)}"
    session.add(Batch(id=batch_id, term=term, asked=asked.as_json(), state="running", created_at=now, by=by))
    session.flush()
    copies = ((subject, each) for subject in subjects for each in _copies(session, asked, subject))
    ordinals = itertools.count(1)
    rows = (
        {
            **_about(subject),
            "batch_id": batch_id,
            "ordinal": next(ordinals),
            "form": asked.form,
            "to": asked.to,
            "audience": audience,
            "person": person,
            "state": "failed" if subject.problem else "waiting",
            "changed_at": now,
        }
        for subject, (audience, person) in copies
    )
    while some := list(itertools.islice(rows, 500)):
        session.execute(insert(Item), some)
    count = next(ordinals) - 1
    if not count:
        raise Refused(
            "There is nothing to make: the plans ask nothing of those who would read these copies.",
            slug="nothing-to-make",
        )
    audit.append(session, by, "batch-asked", batch_id, {"items": count})
    course.end(session, batch_id)
    return batch_id


def _about(subject: _Subject) -> dict[str, Any]:
    return {name: getattr(subject, name) for name in _Subject.__slots__}


def _copies(session: Session, asked: Asked, subject: _Subject) -> Iterator[tuple[Audience, str | None]]:
    """For whom copies of a PEP are made; of one that could not be read, for whom they would be."""
    if subject.revision_id is None:
        yield from ((audience, None) for audience in asked.audiences)
        return
    looked_into = asked.for_one or "parent" in asked.audiences  # thousands are not, without need
    pep = _content(session, subject.revision_id) if looked_into else {}
    for audience in asked.audiences:
        yield from ((audience, person) for person in _people(pep, audience, for_one=asked.for_one))


def _content(session: Session, revision_id: int) -> Pep:
    pep: Pep = json.loads(session.scalars(select(Revision.content).where(Revision.id == revision_id)).one())
    return pep


def _people(pep: Pep, audience: Audience, *, for_one: bool) -> tuple[str | None, ...]:
    """Each whom a copy is for; that a PEP names no parent is told by the copy that cannot be made."""
    found = one_by_one(pep, audience, for_one=for_one)
    return found if found or for_one else (None,)


# --- again -----------------------------------------------------------------------------------------------------------

Again = Callable[[str], Kept | PepformsError]
"""What comes of a PEP, read again from where it came from."""


def again(register: Register, batch_id: str, read: Again, *, by: str) -> int:
    """Try again what failed, each of its PEP as it stands now; how many items that is.

    What came from a file is read again first. An item stays failed where its file is refused; one whose file cannot be
    read any more is made of what the register holds, or keeps its problem where that holds nothing.
    """
    failed = (Item.batch_id == batch_id, Item.state == "failed")
    with register.reading() as session:
        sources = session.scalars(select(Item.source).where(*failed, Item.source.is_not(None)).distinct()).all()
    results = {source: read(source) for source in sources if source}
    with course.changing(register, batch_id) as (session, batch):
        course.refuse_cancelled(batch)
        taking = _TakingUp(session, batch)
        for item in session.scalars(select(Item).where(*failed).order_by(Item.ordinal)).all():
            found = results.get(item.source) if item.source else None
            if isinstance(found, PepformsError) and not isinstance(found, Unreadable):
                item.problem = course.problem(found)
            elif isinstance(found, Kept):
                taking.up(item, found.pep_id, found.version)
            elif item.pep_id is not None and item.version is not None:
                taking.up(item, item.pep_id, item.version)
        if taking.count:
            course.goes_on(batch)
        course.forget(session, batch_id)
        audit.append(session, by, "batch-retried", batch_id, {"items": taking.count})
        return taking.count


class _TakingUp:
    """The failed items of a batch, each of the newest revision: more of them, or fewer, where copies are for one."""

    def __init__(self, session: Session, batch: Batch) -> None:
        self._session, self._batch = session, batch
        self.count = 0
        """How many wait by now."""
        rows = session.scalars(select(Item).where(Item.batch_id == batch.id, Item.state != "cancelled")).all()
        self._asked_for = {(row.pep_id, row.version, row.audience, row.person) for row in rows}
        self._there = {(row.revision_id, row.audience, row.person) for row in rows if row.state != "failed"}
        held = select(Hold.item_id).join(Item, Item.id == Hold.item_id).where(Item.batch_id == batch.id)
        self._held = set(session.scalars(held))
        last = session.scalar(select(func.max(Item.ordinal)).where(Item.batch_id == batch.id)) or 0
        self._ordinals = itertools.count(last + 1)

    def up(self, item: Item, pep_id: str, version: int) -> None:
        """Have the item wait anew, for each whom its PEP names now and nobody has asked for yet."""
        newest = peps.revision(self._session, self._session.get_one(Version, (pep_id, version)))
        assert newest is not None
        wanted = [
            person
            for person in self._people(newest.id, item)
            if (newest.id, item.audience, person) not in self._there
            and (person == item.person or (pep_id, version, item.audience, person) not in self._asked_for)
        ]
        # What a person released was this PEP as it stood, for this reader: that passes on to no other.
        if item.id in self._held and (item.revision_id != newest.id or item.person not in wanted):
            spare, item.state, item.changed_at = None, "cancelled", dt.datetime.now(dt.UTC)
        else:
            spare = item
        for person in sorted(wanted, key=lambda each: each != item.person):  # its own first
            self._wait(spare or self._another(item), newest, person)
            spare = None
        if spare is not None:
            self._session.delete(spare)

    def _people(self, revision_id: int, item: Item) -> tuple[str | None, ...]:
        for_one = bool(self._batch.asked.get("for_one"))
        looked_into = for_one or item.audience == "parent"
        pep = _content(self._session, revision_id) if looked_into else {}
        return _people(pep, cast(Audience, item.audience), for_one=for_one)

    def _another(self, item: Item) -> Item:
        same = {name: getattr(item, name) for name in ("batch_id", "source", "form", "audience", "to")}
        another = Item(**same, ordinal=next(self._ordinals))
        self._session.add(another)
        return another

    def _wait(self, item: Item, of: Revision, person: str | None) -> None:
        item.revision_id, item.pep_id, item.version, item.person = of.id, of.pep_id, of.version, person
        item.state, item.problem, item.attempts, item.changed_at = "waiting", None, 0, dt.datetime.now(dt.UTC)
        self._there.add((of.id, item.audience, person))
        self._asked_for.add((of.pep_id, of.version, item.audience, person))
        self.count += 1
