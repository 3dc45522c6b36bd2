"""The whole register as files that any program reads, and back: nothing is lost on the way.

An export is a folder: `tables/` has a file of JSON lines for each table, `revisions/` the bytes of each state of each
PEP and `files/` every file, both by SHA-256; `peps/` has the newest state of each PEP under its name, for people; and
`register.json` says what must be there. It comes last, so a folder without it is no export.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pepforms import files
from pepforms.digest import canonical, sha256
from pepforms.errors import Broken, Refused
from pepforms.register import audit, made, peps
from pepforms.register.files import Files
from pepforms.register.store import Register, newest_migration
from pepforms.register.tables import AuditHead, Revision, Table, Utc, Version

FORMAT = 1
LIST = "register.json"
"""The file that makes a folder an export."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an export holds: the rows of each table, and how many files."""

    rows: Mapping[str, int]
    files: int


def export(register: Register, out: Path, *, force: bool = False) -> Moved:
    """Write the register as it is now into a folder; Refused where another export is there, unless `force` is given."""
    files.folder(out)
    states, kept = Files(out / "revisions"), Files(out / "files")
    with register.reading() as session:
        tables = dict(dump(session))
        for revision in session.scalars(sa.select(Revision).execution_options(yield_per=50)):
            states.put(revision.content)
        for version in session.scalars(sa.select(Version)):
            newest = peps.revision(session, version)
            name = f"{version.pep_id}_v{version.version}.json"
            assert newest is not None
            files.write(files.folder(out / "peps") / name, newest.content, force=force)
        named = sorted({digest for digest, _ in made.named(session)})
    for digest in named:
        kept.put(register.files.get(digest))
    for name, lines in tables.items():
        files.write(files.folder(out / "tables") / f"{name}.jsonl", lines, force=force)
    rows = {name: lines.count(b"\n") for name, lines in tables.items()}
    listed = {
        "format": FORMAT,
        "migration": newest_migration(),
        "tables": {name: {"rows": rows[name], "sha256": sha256(lines)} for name, lines in tables.items()},
        "files": named,
    }
    files.write(out / LIST, json.dumps(listed, indent=2).encode() + b"\n", force=force)
    return Moved(rows, len(named))


def dump(session: Session) -> Iterator[tuple[str, bytes]]:
    """Each table's rows as canonical JSON lines, in the order of their keys; without the bytes of the revisions."""
    for table in Table.metadata.sorted_tables:
        columns = [column for column in table.columns if not isinstance(column.type, sa.LargeBinary)]
        rows = session.execute(sa.select(*columns).order_by(*table.primary_key)).mappings()
        yield (
            table.name,
            b"".join(canonical({key: _plain(value) for key, value in row.items()}) + b"\n" for row in rows),
        )


def bring_in(register: Register, folder: Path) -> tuple[bool, Moved]:
    """Take up a whole export; whether anything was taken, which is not where the register is that very one already.

    Refused where the export is damaged or another version's, or where the register holds anything else.
    """
    listed = _listed(folder)
    tables = {name: _lines(folder, name, about["sha256"]) for name, about in listed["tables"].items()}
    about = Moved({name: lines.count(b"\n") for name, lines in tables.items()}, len(listed["files"]))
    with register.reading() as session:
        if _is_there(session, tables):
            return False, about
    states = Files(folder / "revisions")
    with register.writing() as session:
        audit.lock(session)  # nobody works on a register that holds nothing yet
        if _is_there(session, tables):
            return False, about
        for digest in listed["files"]:
            register.files.put(_bytes(Files(folder / "files"), digest))
        for table in Table.metadata.sorted_tables:
            _insert(session, table, [json.loads(line) for line in tables[table.name].splitlines()], states)
    return True, about


def _is_there(session: Session, tables: Mapping[str, bytes]) -> bool:
    """Whether the register holds exactly this; Refused where it holds something else."""
    there = dict(dump(session))
    if there == tables:
        return True
    if any(lines for name, lines in there.items() if name != AuditHead.__tablename__):
        raise Refused(
            "This register holds something already, and an export is taken up whole. Import it into an empty one, or "
            "import its folder peps, which has the newest state of each PEP.",
            slug="register-not-empty",
        )
    return False


def _insert(session: Session, table: sa.Table, rows: list[dict[str, Any]], states: Files) -> None:
    if table.name == AuditHead.__tablename__:
        session.execute(sa.update(table).values(**rows[0]))
        return
    if table.name == "record":  # the one that is superseded was filed first
        rows.sort(key=lambda row: str(row["filed_at"]))
    for row in rows:
        values = {column.name: _typed(column, row[column.name]) for column in table.columns if column.name in row}
        if table.name == Revision.__tablename__:
            values["content"] = _bytes(states, row["sha256"])
        session.execute(sa.insert(table).values(**values))
    counted = table.autoincrement_column
    if counted is not None and rows and session.get_bind().dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.name, counted.name)
        session.execute(sa.select(sa.func.setval(sequence, sa.select(sa.func.max(counted)).scalar_subquery())))


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value


def _typed(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return sa.null()
    if isinstance(column.type, Utc):
        return dt.datetime.fromisoformat(value)
    return dt.date.fromisoformat(value) if isinstance(column.type, sa.Date) else value


# --- reading an export, which somebody may have touched --------------------------------------------------------------


def _listed(folder: Path) -> dict[str, Any]:
    try:
        listed = json.loads((folder / LIST).read_bytes())
        format_, migration = listed["format"], listed["migration"]
        complete = set(listed["tables"]) == set(Table.metadata.tables) and isinstance(listed["files"], list)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(LIST) from error
    if (format_, migration) != (FORMAT, newest_migration()):
        raise Refused(
            "This export was made by another version of pepforms. Import it with that version, and then install this "
            "one: it brings the register up to date by itself.",
            slug="other-version",
        )
    if not complete:
        raise _damaged(LIST)
    found: dict[str, Any] = listed
    return found


def _lines(folder: Path, name: str, digest: str) -> bytes:
    try:
        lines = (folder / "tables" / f"{name}.jsonl").read_bytes()
    except OSError as error:
        raise _damaged(f"tables/{name}.jsonl") from error
    if sha256(lines) != digest:
        raise _damaged(f"tables/{name}.jsonl")
    return lines


def _bytes(folder: Files, digest: str) -> bytes:
    try:
        return folder.get(digest)
    except (Broken, ValueError) as error:
        raise _damaged(f"{folder.folder.name}/{digest[:2]}/{digest}") from error


def _damaged(name: str) -> Refused:
    return Refused(
        f"This export is not whole: {name} is missing or was changed. Export the register again.", slug="damaged-export"
    )
