"""The commands of the caseload: `list import`, `list changes`, `list differences`, `due`, `ledger`."""

import datetime as dt
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pepforms import many
from pepforms.cli.options import Results, format_option, say_json
from pepforms.cli.register import who_option
from pepforms.errors import Refused, Unreadable
from pepforms.wiring import Wiring

if TYPE_CHECKING:
    from pepforms.caseload.changes import Change
    from pepforms.caseload.lists import Imported

_TOLD_AT_MOST = 25
"""Faults of one list that are said one by one; a column that was misread is wrong in every row."""


def _day(_: click.Context, __: click.Parameter, value: str | None) -> dt.date | None:
    """A day: 2026-11-10, or as people write it, the day first."""
    from pepforms import sheets

    try:
        return sheets.day(value) if value else None
    except sheets.BadCell as bad:
        raise click.BadParameter(f"it {bad}.") from None


sheet_format_option = click.option(
    "--format",
    "as_format",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    help="How to print the results.",
)


@click.group("list")
def list_() -> None:
    """The weekly list of looked-after children: what it changes, and where LCS and the PEPs differ."""


@list_.command("import")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_name", required=True, metavar="NAME", help="How to read the list: a saved mapping.")
@click.option("--as-of", callback=_day, metavar="DATE", help="The day that the list is of; else today.")
@who_option
@format_option
@click.pass_obj
def list_import(wiring: Wiring, path: Path, mapping_name: str, as_of: dt.date | None, by: str, as_format: str) -> int:
    """Keep a weekly list, and say what it changes.

    The same list again changes nothing; an older one takes its place before the newer ones. What cannot be read in it
    is told by row and column, and the rest is kept.

    Example: pepforms list import samples/weekly-list.csv --mapping example --as-of 2026-11-20
    """
    from pepforms.caseload import lists, mapping, weekly

    chosen = mapping.load(mapping_name, wiring.settings.home / "mappings")
    data = _bytes(path)
    read = weekly.read(data, path.name, chosen)
    imported = lists.bring(wiring.register, data, read, as_of=as_of, by=by)
    results = Results(as_format)
    for fault in read.faults[:_TOLD_AT_MOST]:
        results.failures.add(path.name, Refused(fault.message, slug="bad-row"))
    if (more := len(read.faults) - _TOLD_AT_MOST) > 0:
        many.tell(f"{path.name}: {more} more of these; all are in --format json.")
    entry = {
        "source": path.name,
        "state": imported.state,
        "as_of": imported.as_of.isoformat(),
        "children": imported.children,
        "changes": [change.as_json() for change in imported.changes],
        "faults": [{"rows": list(fault.rows), "message": fault.message} for fault in read.faults],
    }
    results.add(entry, _imported(path.name, imported))
    return results.done()


def _imported(source: str, imported: "Imported") -> str:
    what = {"new": "kept", "again": "kept anew", "same": "is known already"}[imported.state]
    lines = [f"{source}: {what}, {imported.children} children as of {imported.as_of}"]
    if imported.first:
        lines.append("  It is the first list: what the next one changes will be told then.")
    if not imported.newest:
        lines.append("  A list of a later day is known: this one was put in its place before it.")
    if imported.state != "same":
        lines += _lines(imported.changes)
    return "\n".join(lines)


def _lines(changes: "Sequence[Change]") -> list[str]:
    counts = Counter(change.kind for change in changes)
    gone = counts["not-on-list"]
    lines = [f"  {change.lcs_person_id} {change.message}" for change in changes]
    if gone > max(5, len(changes) // 2):
        lines.append(f"  {gone} children are not on this list any more. Is it whole?")
    return lines


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(
            f"{path} cannot be read: {os.strerror(error.errno or 0).lower()}.", slug="unreadable-path"
        ) from error


@list_.command("changes")
@click.option("--since", callback=_day, metavar="DATE", help="Of all lists after this day; else of the newest list.")
@sheet_format_option
@click.pass_obj
def list_changes(wiring: Wiring, since: dt.date | None, as_format: str) -> int:
    """Say what the weekly lists have changed.

    Example: pepforms list changes --since 2026-11-01
    """
    from pepforms.caseload import lists

    with wiring.register.reading() as session:
        found = lists.changes(session, since)
    if as_format == "json":
        say_json({"results": [change.as_json() for change in found]})
    elif as_format == "csv":
        heads = ("as_of", "lcs_person_id", "kind", "on", "before", "after")
        _say_sheet(heads, [[str(change.as_json()[head] or "") for head in heads] for change in found])
    else:
        many.say("\n".join([f"{each.as_of}  {each.lcs_person_id} {each.message}" for each in found] or ["No changes"]))
    return 0


def _say_sheet(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as CSV: without the mark that a file for Excel begins with."""
    from pepforms.caseload import tables

    many.say(tables.sheet(heads, rows).decode("utf-8-sig").replace("\r\n", "\n"), nl=False)


COMMANDS = (list_,)
