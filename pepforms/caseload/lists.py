"""Weekly lists kept in the register: each once for its day, all of them read in the order of the days that they are of.

Of two lists of one day the one imported later counts, so a list that was put right takes the place of the wrong one,
and a right one that is imported again that of a mistaken one. The same file may be the list of several days. No list is
ever moved to another day: every child's clocks would move with it.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from pepforms import days
from pepforms.caseload.changes import Caseload, Change, Standing
from pepforms.caseload.facts import Facts, in_bulk
from pepforms.caseload.weekly import Weekly
from pepforms.digest import sha256
from pepforms.errors import Refused
from pepforms.model import Pep
from pepforms.register import audit
from pepforms.register.store import Register
from pepforms.register.tables import Child, ListImport, ListRow, Table

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a list: `again` where it was known, but read otherwise, or another list of its day counted.

    `before` is how many children the list before it had; `changes` are what it says and the lists of earlier days did
    not; `newest` is False where a list of a later day is known.
    """

    state: Literal["new", "again", "same"]
    as_of: dt.date
    children: int
    before: int
    changes: tuple[Change, ...]
    first: bool
    newest: bool


@in_bulk()
def bring(register: Register, data: bytes, weekly: Weekly, *, as_of: dt.date | None, by: str) -> Imported:
    """Keep a list as that of a day; the same again right after itself changes nothing.

    `as_of` is the day that it is of: today, where nobody says. Refused where nobody says and the file is the list of
    another day already: an old file taken for today's would undo all that the lists since have told.
    """
    file, day = sha256(data), as_of or days.today()
    with register.writing() as session:
        audit.lock(session)
        digest = _digest(session, file, day)
        if as_of is None and digest != file and session.get(ListImport, digest) is None:
            raise _of_which_day(session.get_one(ListImport, file).as_of, day)
        state = _keep(session, digest, weekly, day)
        there = session.get_one(ListImport, digest)
        if state != "same":
            there.by = by
            about = {"sha256": file, "as_of": day.isoformat(), "children": len(weekly.children)}
            audit.append(session, by, "list-imported", f"list of {day}", about)
            session.flush()
            if any(facts.former for facts in weekly.children):
                _join(session, known(session))
    with register.reading() as session:
        return _told(session, state, there)


def _digest(session: Session, file: str, day: dt.date) -> str:
    """What a list is known by: the digest of its file, and of its day too where the file is another day's already."""
    there = session.get(ListImport, file)
    return file if there is None or there.as_of == day else sha256(f"{file} as of {day}".encode())


def _of_which_day(known: dt.date, today: dt.date) -> Refused:
    return Refused(
        f"This file is known already, as the list of {known}. If it is an old one, there is nothing to do. If nothing "
        f"has changed since and it is today’s list too, say --as-of {today}; to have it read anew, --as-of {known}.",
        slug="which-day",
    )


def _keep(session: Session, digest: str, weekly: Weekly, day: dt.date) -> Literal["new", "again", "same"]:
    rows = {facts.lcs_person_id: facts.as_json() for facts in weekly.children}
    there = session.get(ListImport, digest)
    state: Literal["new", "again"] = "again" if there else "new"
    if there:
        query = select(ListRow.lcs_person_id, ListRow.fields).where(ListRow.list_digest == digest)
        if effective(session, day)[-1] is there and dict(session.execute(query).all()) == rows:
            return "same"
        session.execute(delete(ListRow).where(ListRow.list_digest == digest))
    now = dt.datetime.now(dt.UTC)
    there = there or ListImport(digest=digest, as_of=day, by="")
    there.imported_at = now
    session.add(there)
    session.flush()
    known_before = set(session.scalars(select(Child.lcs_person_id)))
    _insert(session, Child, [{"lcs_person_id": number, "added_at": now} for number in rows.keys() - known_before])
    _insert(
        session,
        ListRow,
        [{"list_digest": digest, "lcs_person_id": number, "fields": fields} for number, fields in rows.items()],
    )
    return state


def _insert(session: Session, kind: type[Table], rows: Sequence[dict[str, Any]]) -> None:
    table = Table.metadata.tables[kind.__tablename__]
    for start in range(0, len(rows), _AT_ONCE):
        # Into the table itself: by way of its class it takes twice as long.
        session.execute(insert(table), rows[start : start + _AT_ONCE])


def _told(session: Session, state: Literal["new", "again", "same"], there: ListImport) -> Imported:
    lists = effective(session)
    first = lists[0].as_of == there.as_of
    changes, caseload = list[Change](), Caseload()
    for each in () if first else effective(session, there.as_of):
        changes = caseload.take(each.as_of, rows(session, each))
    before = [each for each in lists if each.as_of < there.as_of]
    return Imported(
        state=state,
        as_of=there.as_of,
        children=_children(session, there),
        before=_children(session, before[-1]) if before else 0,
        changes=tuple(changes),
        first=first,
        newest=lists[-1].as_of == there.as_of,
    )


def _children(session: Session, of: ListImport) -> int:
    return session.scalar(select(func.count()).where(ListRow.list_digest == of.digest)) or 0


# --- the lists together ----------------------------------------------------------------------------------------------


def effective(session: Session, until: dt.date | None = None) -> list[ListImport]:
    """The list of each day for which there is one, in the order of the days, up to the last before `until` or on it."""
    found = session.scalars(select(ListImport).order_by(ListImport.as_of, ListImport.imported_at))
    by_day = {each.as_of: each for each in found if until is None or each.as_of <= until}
    return list(by_day.values())


def rows(session: Session, of: ListImport) -> Iterator[Facts]:
    """What a list says of each child."""
    query = select(ListRow.lcs_person_id, ListRow.fields).where(ListRow.list_digest == of.digest)
    for number, fields in session.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield Facts.of_json(number, fields)


@in_bulk()
def known(session: Session, until: dt.date | None = None) -> Caseload:
    """What the lists together say, as far as a day."""
    caseload = Caseload()
    for each in effective(session, until):
        caseload.take(each.as_of, rows(session, each))
    _joined_before(session, caseload)
    return caseload


@in_bulk()
def changes(session: Session, since: dt.date | None = None) -> list[Change]:
    """What the lists after a day have changed; those of the newest list where no day is given."""
    lists, caseload, found = effective(session), Caseload(), list[Change]()
    last = lists[-1].as_of if lists else None
    for each in lists:
        new = caseload.take(each.as_of, rows(session, each))
        if each.as_of > since if since else each.as_of == last:
            found += new
    return found


# --- one child -------------------------------------------------------------------------------------------------------


def numbers_of(pep: Pep) -> tuple[str | None, str | None]:
    """The child's LCS number as a PEP gives it, and the one before; None where it gives none."""
    child = pep.get("child")
    found = [child.get(name) if isinstance(child, dict) else None for name in ("lcs_person_id", "former_lcs_person_id")]
    number, former = (each if isinstance(each, str) else None for each in found)
    return number, former


def standing(session: Session, pep: Pep, on: dt.date) -> tuple[str, Standing] | None:
    """What the lists up to a day say of a PEP's child, and the number that the child has now; None where nothing."""
    numbers = _all_numbers(session, {each for each in numbers_of(pep) if each})
    query = select(ListRow).where(ListRow.lcs_person_id.in_(numbers))
    by_list: dict[str, list[Facts]] = {}
    for row in session.scalars(query):
        by_list.setdefault(row.list_digest, []).append(Facts.of_json(row.lcs_person_id, row.fields))
    caseload = Caseload()
    for each in effective(session, on):
        caseload.take(each.as_of, by_list.get(each.digest, ()))
    _joined_before(session, caseload)
    found = caseload.child(*numbers_of(pep))
    return (found.facts.lcs_person_id, found) if found else None


def _all_numbers(session: Session, numbers: set[str]) -> set[str]:
    """These numbers with those that the same child had before or since."""
    while True:
        pairs = select(Child.lcs_person_id, Child.former_lcs_person_id).where(
            Child.lcs_person_id.in_(numbers) | Child.former_lcs_person_id.in_(numbers)
        )
        more = {each for pair in session.execute(pairs) for each in pair if each}
        if more <= numbers:
            return numbers
        numbers |= more


def _join(session: Session, caseload: Caseload) -> None:
    """Write down in each child's row the number before it, as the lists have joined them: from one to the next."""
    for former, number in caseload.joined.items():
        chain = _chain(session, number)
        if former in chain:
            continue
        if session.get(Child, former) is None:
            session.add(Child(lcs_person_id=former, added_at=dt.datetime.now(dt.UTC)))
            session.flush()
        session.get_one(Child, chain[-1]).former_lcs_person_id = former


def _chain(session: Session, number: str) -> list[str]:
    """A number and those before it."""
    chain = [number]
    while (child := session.get(Child, chain[-1])) and (former := child.former_lcs_person_id) and former not in chain:
        chain.append(former)
    return chain


def _joined_before(session: Session, caseload: Caseload) -> None:
    """Join also what PEPs, or lists before, have joined, unless the newest list has both numbers apart."""
    pairs = select(Child.former_lcs_person_id, Child.lcs_person_id).where(Child.former_lcs_person_id.is_not(None))
    for former, number in session.execute(pairs):
        theirs = caseload.children.get(former or "")
        if former and (theirs is None or theirs.missing_since) and caseload.number(number) != former:
            caseload.join(former, caseload.joined.get(former, number))
