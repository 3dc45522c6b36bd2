"""What is asked for: a batch with all its items, put into the register whole or not at all; and asked for again."""

import datetime as dt
import itertools
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.orm import Session

from pepforms import days
from pepforms.audience import one_by_one
from pepforms.batches import course
from pepforms.errors import PepformsError, Refused
from pepforms.model import Audience, Pep
from pepforms.pipeline import To
from pepforms.register import audit
from pepforms.register.peps import Kept
from pepforms.register.store import Register
from pepforms.register.tables import Batch, Item, Revision, Version


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
"""What comes of a PEP that was refused, read again from where it came from."""


def again(register: Register, batch_id: str, read: Again, *, by: str) -> int:
    """Try again what failed; how many items that is. What was refused when it was read is read again."""
    with register.reading() as session:
        refused = select(Item.source).where(
            Item.batch_id == batch_id, Item.state == "failed", Item.revision_id.is_(None)
        )
        results = {source: read(source) for source in session.scalars(refused.distinct()) if source}
    with course.changing(register, batch_id) as (session, batch):
        course.refuse_cancelled(batch)
        for source, result in results.items():
            _take_up(session, batch, source, result)
        count = course.move(session, batch_id, "failed", Item.revision_id.is_not(None), to="waiting")
        if count:
            course.goes_on(batch)
        audit.append(session, by, "batch-retried", batch_id, {"items": count})
        return count


def _take_up(session: Session, batch: Batch, source: str, result: Kept | PepformsError) -> None:
    """What was read again, in the items that it was refused in; with more items, or fewer, where copies are for one."""
    mine = (Item.batch_id == batch.id, Item.source == source, Item.revision_id.is_(None))
    if isinstance(result, PepformsError):
        session.execute(update(Item).where(*mine).values(problem=course.problem(result)))
        return
    about = {"revision_id": result.revision_id, "pep_id": result.pep_id, "version": result.version}
    pep, for_one = _content(session, result.revision_id), bool(batch.asked.get("for_one"))
    last = session.scalar(select(func.max(Item.ordinal)).where(Item.batch_id == batch.id)) or 0
    ordinals = itertools.count(last + 1)
    for item in session.scalars(select(Item).where(*mine).order_by(Item.ordinal)).all():
        people = _people(pep, cast(Audience, item.audience), for_one=for_one)
        if not people:
            session.delete(item)
            continue
        same = {name: getattr(item, name) for name in ("batch_id", "source", "form", "audience", "to", "state")}
        for person in people[1:]:
            session.add(Item(**same, **about, person=person, ordinal=next(ordinals), changed_at=item.changed_at))
        for name, value in {**about, "person": people[0]}.items():
            setattr(item, name, value)
    session.flush()
