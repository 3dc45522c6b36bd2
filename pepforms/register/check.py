"""The proof of the whole register: every file, row, seal and date, while others go on working."""

import contextlib
import dataclasses
import datetime as dt
import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer

from pepforms import days, files, naming, retention
from pepforms.archive import manifest, verify
from pepforms.digest import pep_digest, sha256
from pepforms.errors import Broken, Misconfigured
from pepforms.model import Pep
from pepforms.profile import Profile
from pepforms.register import audit, legible, made, peps
from pepforms.register import trail as trails
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import AuditHead, Delivery, Document, Receipt, Record, Revision, SignOff, Table, Version

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
    with register.reading() as session:
        faults += audit.faults(session)
        faults += _references(session)
        trail = trails.read(session)
        rows = _Rows(trail, profile, days.today())
        faults += legible.proved(session, Revision, rows.revision, undefer(Revision.content))
        faults += legible.proved(session, SignOff, rows.sign_off)
        faults += legible.proved(session, Version, rows.version)
        faults += legible.proved(session, Record, rows.record)
        faults += legible.proved(session, Document, rows.document)
        faults += legible.proved(session, Receipt, trail.receipt)
        faults += legible.proved(session, Delivery, trail.delivery)
        faults += trail.lost()
        head = session.get(AuditHead, 1)
        ends, counts = f"{head.sequence} {head.hash}" if head else "nobody knows", _counts(session)
    there = set[str]()
    for digest, what in rows.named.items():
        if fault := _file(register.files, digest, what):
            faults.append(fault)
        else:
            there.add(digest)
    records = {digest: revision for digest, revision in rows.records.items() if digest in there}
    faults += _records(register, records, profile, verified)
    young, old = _orphans(register, {*rows.named, *trail.files})
    notes = [*rows.notes, *young]
    return Proof((*faults, *old), tuple(notes), {**counts, "files": len(rows.named)}, ends)


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


@dataclasses.dataclass(frozen=True, slots=True)
class _State:
    """What the newest state of a version says, as far as rows of other tables say it too."""

    number: int
    digest: str
    describes: tuple[str | None, str, str, dt.date | None]
    sign_offs: set[tuple[object, ...]]
    signed_at: frozenset[dt.datetime]
    kept_until: dt.date | None


@dataclasses.dataclass(slots=True)
class _Rows:
    """The rows held against the audit and against one another, table by table, and what the files are held against."""

    trail: trails.Trail
    profile: Profile
    today: dt.date
    notes: list[str] = dataclasses.field(default_factory=list)
    named: dict[str, str] = dataclasses.field(default_factory=dict)
    """What names a file, by its SHA-256."""
    records: dict[str, int | None] = dataclasses.field(default_factory=dict)
    """The revision that a record is of, by its SHA-256; None too where that is at fault itself."""
    _newest: dict[tuple[str, int], _State | None] = dataclasses.field(default_factory=dict)
    """None where the newest is at fault."""
    _whole: set[int] = dataclasses.field(default_factory=set)

    def revision(self, row: Revision) -> Iterator[str]:
        """What is wrong with a state of a PEP."""
        about, key = f"PEP {peps.subject(row)}, revision {row.number}", (row.pep_id, row.version)
        before, self._newest[key] = self._newest.get(key), None
        faults = [f"{about}: {fault}" for fault in self.trail.revision(row)]
        faults += legible.faults(about, lambda: (f"{about}: {fault}" for fault in _content(row)))
        yield from faults
        if not faults:
            self._whole.add(row.id)
            self._newest[key] = _state(row, before, self.profile)

    def sign_off(self, row: SignOff) -> Iterator[str]:
        """What is wrong with a sign-off: it stands as the newest state has it."""
        state = self._newest.get((row.pep_id, row.version))
        mine = (row.ordinal, row.role, row.name, row.method, row.at, row.digest, row.holds)
        about = f"PEP {row.pep_id} version {row.version}, sign-off {row.ordinal + 1}"
        if state and mine not in state.sign_offs:
            yield f"{about}: its row is not what the newest state says. {trails.ASK}"
        elif state:
            state.sign_offs.remove(mine)

    def version(self, row: Version) -> Iterator[str]:
        """What is wrong with a version of a PEP: its row says what the audit and its newest state say."""
        about = f"PEP {peps.subject(row)}"
        if row.signed_digest != self.trail.signed.get(peps.subject(row)):
            yield f"{about}: its row and the audit differ in whether, or as what, it was signed off. {trails.ASK}"
        if (row.pep_id, row.version) not in self._newest:
            yield f"{about} lacks a revision: there is none. {trails.RESTORE}"
        state = self._newest.get((row.pep_id, row.version))
        if state is None:
            return
        if row.newest != state.number:
            yield f"{about}: its newest revision is {state.number}, and its row says {row.newest}. {trails.ASK}"
        if row.signed_digest not in (None, state.digest):
            yield f"{about} was changed after it was signed off."
        elif row.signed_digest and row.signed_off_at not in state.signed_at:
            yield f"{about} is signed off, and its newest state lacks a sign-off. Import the signed PEP again."
        if (row.lcs_person_id, row.academic_year, row.term, row.meeting_date) != state.describes:
            yield f"{about}: its row and its newest state differ in the child, the term or the meeting. {trails.ASK}"
        if state.sign_offs:
            yield f"{about}: sign-offs of its newest state have no row. {trails.RESTORE}"

    def record(self, row: Record) -> Iterator[str]:
        """What is wrong with the row of a record, and whether it is kept as long as the law says."""
        subject = f"the record of {row.pep_id} version {row.version}"
        self.records[row.sha256] = row.revision_id if row.revision_id in self._whole else None
        self.named[row.sha256] = subject
        yield from self.trail.record(row)
        for name, digest in row.beside.items():
            self.named.setdefault(digest, f"{name}, beside {subject}")
        yield from self._retention(row)

    def document(self, row: Document) -> Iterator[str]:
        """What is wrong with the row of a copy."""
        self.named.setdefault(row.sha256, f"document {row.identity[:16]}")
        return self.trail.document(row)

    def _retention(self, record: Record) -> Iterator[str]:
        """That it would be kept too short; that it would be too long, or its time has come, is a note."""
        subject = f"The record of {record.pep_id} version {record.version}"
        written = record.row.get("retention_until") or ""
        said = dt.date.fromisoformat(written) if written else None
        state = self._newest.get((record.pep_id, record.version)) if record.revision_id else None
        due = state.kept_until if state else said
        if due and (said is None or said < due):
            yield f"{subject} is to be kept until {due}, and its row says {said or 'nothing'}."
        elif due and said and said > due:
            self.notes.append(f"{subject} need be kept until {due} only, and its row says {said}.")
        if due and due < self.today:
            self.notes.append(f"{subject} was to be kept until {due}: the authority decides what becomes of it.")


def _content(row: Revision) -> Iterator[str]:
    if sha256(row.content) != row.sha256:
        yield "its content was changed after it was kept."
        return
    pep = peps.read(row)
    if pep_digest(pep) != row.digest:
        yield "its digest is not that of its content."
    if (pep["pep"]["id"], pep["pep"]["version"]) != (row.pep_id, row.version):
        yield "its content is another PEP’s."


def _state(row: Revision, before: _State | None, profile: Profile) -> _State:
    pep = peps.read(row)
    child = peps.number_of(pep, "lcs_person_id") or (before.describes[0] if before else None)
    head, signed = pep["pep"], peps.sign_offs(pep, row.digest)
    return _State(
        row.number,
        row.digest,
        (child, head["academic_year"], head["term"], days.said(pep, "meeting", "date")),
        set(signed),
        frozenset(at for *_, at, _, holds in signed if holds),
        retention.kept_until(pep, profile.retention_years),
    )


# --- files -----------------------------------------------------------------------------------------------------------


def _file(kept: Files, digest: str, what: str) -> str | None:
    try:
        kept.get(digest)
    except (Broken, ValueError) as error:
        return f"{what[0].upper()}{what[1:]}: {error}"
    return None


def _records(
    register: Register,
    records: Mapping[str, int | None],
    profile: Profile,
    verified: Callable[[bytes], verify.Facts],
) -> Iterator[str]:
    """What is wrong with the records themselves; a seal that nobody trusts here is told once, not with each."""
    untrusted = Counter[str]()
    for digest, revision_id in records.items():
        pdf = register.files.get(digest)
        facts = verified(pdf)
        with register.reading() as session:
            record = session.get_one(Record, digest)
            state = session.get(Revision, revision_id) if revision_id else None
            pep = peps.read(state) if state else None
        subject = f"the record of {record.pep_id} version {record.version}"
        if not facts.holds:
            told = " ".join(verify.explain(facts))
            if _would_hold_if_trusted(facts):
                untrusted[told] += 1
            else:
                yield f"T{subject[1:]} does not hold: {told}"
        yield from legible.faults(subject, functools.partial(_listed, record, pep, pdf, facts, profile))
    for told, count in untrusted.items():
        yield (
            f"{count} record{'s' * (count != 1)}: {told} Where a backup was restored, put pepforms.toml and the "
            "certificates that its seal.trust names into the home first."
        )


def _would_hold_if_trusted(facts: verify.Facts) -> bool:
    trusted = dataclasses.replace(facts, seal=dataclasses.replace(facts.seal, trusted=True))
    return facts.seal.trusted is False and trusted.holds


_OF_THE_PEP = (
    "document_type", "audience", "meeting_date", "social_worker", "team", "filename", "source", "pdf_standard", "pages",
)  # fmt: skip
"""The columns of the manifest that follow from the PEP and its PDF, whatever the profile was."""


def _listed(record: Record, pep: Pep | None, pdf: bytes, facts: verify.Facts, profile: Profile) -> Iterator[str]:
    """Where a record's row of the manifest differs from the record, the PEP that it is of, or what the PDF carries."""
    about = f"The record of {record.pep_id} version {record.version}"
    known = {
        "lcs_person_id": record.lcs_person_id,
        "pep_id": record.pep_id,
        "version": str(record.version),
        "sha256": record.sha256,
        "bytes": str(len(pdf)),
    }
    if pep and not facts.problem:
        now = record.filed_at
        made = manifest.row(pep, naming.record(pep), pdf, facts, title="", signed_off_at=now, profile=profile)
        known |= {name: getattr(made, name) for name in _OF_THE_PEP}
    if wrong := [name for name, value in known.items() if record.row.get(name) != value]:
        yield f"{about}: its row says otherwise of {', '.join(wrong)} than the record itself. {trails.ASK}"
    for carried, mine in (
        (facts.child.lcs_person_id, record.lcs_person_id),
        (facts.pep.id, record.pep_id),
        (facts.pep.version, record.version),
        (pep and peps.number_of(pep, "lcs_person_id"), record.lcs_person_id),
    ):
        if carried not in (None, mine):
            yield f"{about}: the PEP that it was made of is another child’s, or another PEP. {trails.ASK}"
            return


def clear_orphans(register: Register, *, by: str) -> int:
    """Delete the files that have lain here for more than a day and that no row names; how many those were.

    Misconfigured (slug `damaged-register`) where rows are missing, since what they named would be deleted too.
    """
    with register.reading() as session:
        named = _named(session)
        if next(audit.faults(session), None) or trails.read(session).files - named:
            raise Misconfigured(
                "The register lacks rows that its audit names, or the audit was edited, so no file was deleted: a row "
                "that is lost may have named it. Run pepforms register check without --clear-orphans, and restore a "
                "backup.",
                slug="damaged-register",
            )
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


def _orphans(register: Register, named: set[str]) -> tuple[list[str], list[str]]:
    """What nobody names among the files: new, somebody may be about to name it; old, it is a fault."""
    lying = [(name, path) for name, path in register.files.all() if name not in named]
    young, old = 0, []
    meanwhile = set[str]()
    with register.reading() as session, contextlib.suppress(Misconfigured):  # of which the check has told already
        meanwhile.update(digest for digest, _ in made.named(session))
    for name, path in lying:
        age = _age(path)
        if age is None or name in meanwhile:
            continue
        if age <= YOUNG_SECONDS:
            young += 1
        else:
            old.append(f"The file {name[:16]} has lain here for {age / YOUNG_SECONDS:.0f} days, and no row names it.")
    return [f"Files put during the last day that no row names yet: {young}."] if young else [], old
