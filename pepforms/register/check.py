"""The proof of the whole register: every file, row, seal and date, while others go on working."""

import dataclasses
import datetime as dt
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer

from pepforms import days, files, retention
from pepforms.archive import verify
from pepforms.digest import pep_digest, sha256
from pepforms.errors import Broken
from pepforms.profile import Profile
from pepforms.register import audit, made, peps
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import Audit, AuditHead, Record, Revision, Table, Version

YOUNG_SECONDS = 24 * 3600.0
"""How long a file may lie there that no row names: it is put before its row is written."""


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """What came of the check: each fault and each note in a sentence, how much was looked at, and the audit's end.

    Whoever writes the audit's last hash down elsewhere can tell later that nobody has written the audit anew.
    """

    faults: tuple[str, ...]
    notes: tuple[str, ...]
    counts: Mapping[str, int]
    audit_ends: str

    def as_json(self) -> dict[str, Any]:
        """The proof as every face reports it."""
        return {"holds": not self.faults, **dataclasses.asdict(self)}


def check(register: Register, profile: Profile, verified: Callable[[bytes], verify.Facts]) -> Proof:
    """Look at all of the register, as it is when the check begins; `verified` tells the facts about a record."""
    faults: list[str] = []
    notes: list[str] = []
    with register.reading() as session:
        faults += audit.faults(session)
        faults += _references(session)
        faults += _revisions(session)
        _told(_retention(session, profile, days.today()), faults, notes)
        named: dict[str, str] = {}
        for digest, what in made.named(session):
            named.setdefault(digest, what)
        records = [*session.execute(sa.select(Record.sha256, Record.pep_id, Record.version).order_by(Record.filed_at))]
        head = session.get_one(AuditHead, 1)
        ends, counts = f"{head.sequence} {head.hash}", _counts(session)
    there = set[str]()
    for digest, what in named.items():
        if fault := _file(register.files, digest, what):
            faults.append(fault)
        else:
            there.add(digest)
    for digest, pep_id, version in records:
        if digest in there:
            faults += _seal(register.files.get(digest), f"The record of {pep_id} version {version}", verified)
    _told(_orphans(register, set(named)), faults, notes)
    return Proof(tuple(faults), tuple(notes), {**counts, "files": len(named)}, ends)


def _told(found: Iterator[tuple[str, bool]], faults: list[str], notes: list[str]) -> None:
    for sentence, fault in found:
        (faults if fault else notes).append(sentence)


def _counts(session: Session) -> dict[str, int]:
    tables = ("child", "pep_version", "revision", "document", "record", "delivery", "audit")
    count = {name: sa.select(sa.func.count()).select_from(Table.metadata.tables[name]) for name in tables}
    return {name: session.scalar(query) or 0 for name, query in count.items()}


# --- rows ------------------------------------------------------------------------------------------------------------


def _references(session: Session) -> Iterator[str]:
    """A sentence for each row that names one that is not there, on a store that was edited by hand."""
    for table in Table.metadata.sorted_tables:
        for constraint in table.foreign_key_constraints:
            named = constraint.referred_table.name
            target = constraint.referred_table.alias("target")
            pairs = [(element.parent, target.c[element.column.name]) for element in constraint.elements]
            lost = (
                sa.select(*table.primary_key)
                .select_from(table.outerjoin(target, sa.and_(*(ours == theirs for ours, theirs in pairs))))
                .where(*(ours.is_not(None) for ours, _ in pairs), pairs[0][1].is_(None))
            )
            for row in session.execute(lost):
                key = " ".join(str(value) for value in row)
                yield f"The row {key} of {table.name} names a row of {named} that is not there."


def _revisions(session: Session) -> Iterator[str]:
    """A sentence for each state of a PEP that is not as it was kept, and for each version that lacks one."""
    kept = {
        (row.subject, row.detail.get("revision"), row.detail.get("sha256"))
        for row in session.scalars(sa.select(Audit).where(Audit.action == peps.KEPT))
    }
    numbers: dict[tuple[str, int], list[int]] = defaultdict(list)
    query = sa.select(Revision).options(undefer(Revision.content)).order_by(Revision.id)
    for row in session.scalars(query.execution_options(yield_per=50)):
        numbers[row.pep_id, row.version].append(row.number)
        yield from (f"PEP {peps.subject(row)}, revision {row.number}: {fault}" for fault in _revision(row, kept))
    for version in session.scalars(sa.select(Version)):
        if sorted(numbers[version.pep_id, version.version]) != [*range(1, version.newest + 1)]:
            yield f"PEP {peps.subject(version)} lacks a revision: it should have {version.newest}."
        newest = peps.revision(session, version)
        if newest and version.signed_digest not in (None, newest.digest):
            yield f"PEP {peps.subject(version)} was changed after it was signed off."


def _revision(row: Revision, kept: set[tuple[str, Any, Any]]) -> Iterator[str]:
    if sha256(row.content) != row.sha256:
        yield "its content was changed after it was kept."
        return
    if (peps.subject(row), row.number, row.sha256) not in kept:
        yield "the audit does not know it."
        return
    pep = json.loads(row.content)
    if pep_digest(pep) != row.digest:
        yield "its digest is not that of its content."
    if (pep["pep"]["id"], pep["pep"]["version"]) != (row.pep_id, row.version):
        yield "its content is another PEP’s."


def _retention(session: Session, profile: Profile, today: dt.date) -> Iterator[tuple[str, bool]]:
    """Each record that would be kept too short or too long, or whose time has come; whether it is a fault."""
    for record in session.scalars(sa.select(Record)):
        subject = f"The record of {record.pep_id} version {record.version}"
        written = record.row.get("retention_until") or ""
        said = dt.date.fromisoformat(written) if written else None
        version = session.get(Version, (record.pep_id, record.version)) if record.revision_id else None
        newest = peps.revision(session, version) if version else None
        due = retention.kept_until(peps.read(newest), profile.retention_years) if newest else said
        if due and (said is None or said < due):
            yield f"{subject} is to be kept until {due}, and its row says {said or 'nothing'}.", True
        elif due and said and said > due:
            yield f"{subject} need be kept until {due} only, and its row says {said}.", False
        if due and due < today:
            yield f"{subject} was to be kept until {due}: the authority decides what becomes of it.", False


# --- files -----------------------------------------------------------------------------------------------------------


def _file(kept: Files, digest: str, what: str) -> str | None:
    try:
        kept.get(digest)
    except (Broken, ValueError) as error:
        return f"{what[0].upper()}{what[1:]}: {error}"
    return None


def _seal(pdf: bytes, subject: str, verified: Callable[[bytes], verify.Facts]) -> Iterator[str]:
    facts = verified(pdf)
    if not facts.holds:
        yield f"{subject} does not hold: {' '.join(verify.explain(facts))}"


def clear_orphans(register: Register, *, by: str) -> int:
    """Delete the files that have lain here for more than a day and that no row names; how many those were."""
    with register.reading() as session:
        named = _named(session)
    old = [path for name, path in register.files.all() if name not in named and register.files.is_ours(path)]
    old = [path for path in old if (_age(path) or 0) > YOUNG_SECONDS]
    if not old:
        return 0
    with register.writing() as session, files.told(register.files.folder):
        audit.lock(session)  # whoever names a file sees to it under this lock that it is there
        named = _named(session)
        lost = [path for path in old if path.name not in named]
        if lost:
            audit.append(session, by, "files-cleared", "files", {"files": len(lost)})
        for path in lost:
            path.unlink(missing_ok=True)
    return len(lost)


def _named(session: Session) -> set[str]:
    return {digest for digest, _ in made.named(session)}


def _age(path: Path) -> float | None:
    """For how many seconds a file has lain there; None where it was being written, and has its own name by now."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None


def _orphans(register: Register, named: set[str]) -> Iterator[tuple[str, bool]]:
    """What nobody names among the files: new, somebody may be about to name it; old, it is a fault."""
    lying = [(name, path) for name, path in register.files.all() if name not in named]
    with register.reading() as session:
        meanwhile = _named(session)
    young = 0
    for name, path in lying:
        age = _age(path)
        if age is None or name in meanwhile:
            continue
        if age <= YOUNG_SECONDS:
            young += 1
        else:
            yield f"The file {name[:16]} has lain here for {age / YOUNG_SECONDS:.0f} days, and no row names it.", True
    if young:
        yield f"Files put during the last day that no row names yet: {young}.", False
