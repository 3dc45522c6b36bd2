"""The commands of the caseload: `list import`, `list changes`, `list differences`, `due`, `ledger`."""

import datetime as dt
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pepforms import files, many
from pepforms.cli.options import Results, force_option, format_option, out_option, say_json, who_option
from pepforms.errors import PepformsError, Refused, Unreadable
from pepforms.wiring import Wiring

if TYPE_CHECKING:
    from pepforms import naming
    from pepforms.caseload import chasing
    from pepforms.caseload import ledger as money
    from pepforms.caseload.changes import Change
    from pepforms.caseload.lists import Imported

_TOLD_AT_MOST = 25
"""Faults of one list, or PEPs in no ledger, that are said one by one: a misread column is wrong in every row."""

_GONE_AT_LEAST, _GONE_OF_ALL = 2, 0.05
"""How many, and what part of the list before, may go in a week without an end before somebody is asked: most ends are
given, and a family of three is not half a list.
"""


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

    The same list again changes nothing; an older one takes its place before the newer ones; of two of one day the last
    imported counts. What cannot be read in it is told by row and column, and the rest is kept.

    Example: pepforms list import samples/weekly-list.csv --mapping example --as-of 2026-11-20
    """
    from pepforms import days
    from pepforms.caseload import lists, mapping, weekly

    if as_of and as_of > days.today():
        raise Refused(
            "The day that the list is of is still to come: give the day on which LCS made it.", slug="day-to-come"
        )
    chosen = mapping.load(mapping_name, wiring.settings.home / "mappings")
    data = _bytes(path)
    read = weekly.read(data, path.name, chosen, as_of=as_of or days.today())
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
    what = {"new": "kept", "again": "kept anew, and counts for its day", "same": "is known already"}[imported.state]
    lines = [f"{source}: {what}, {imported.children} children as of {imported.as_of}"]
    if imported.first:
        lines.append("  It is the first list: what the next one changes will be told then.")
    if not imported.newest:
        lines.append("  A list of a later day is known: this one was put in its place before it.")
    if imported.state != "same":
        lines += _lines(imported.changes, imported.before)
    return "\n".join(lines)


def _lines(changes: "Sequence[Change]", before: int) -> list[str]:
    gone = sum(change.kind == "not-on-list" for change in changes)
    lines = [f"  {change.lcs_person_id} {change.message}" for change in changes]
    if gone > max(_GONE_AT_LEAST, _GONE_OF_ALL * before):
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


@list_.command("differences")
@out_option
@click.option(
    "--by", type=click.Choice(["social-worker", "team"]), default="social-worker", help="Whose each sheet is."
)
@force_option
@click.pass_obj
def list_differences(wiring: Wiring, out: Path, by: "naming.By", force: bool) -> int:
    """Write where the newest list and the PEPs differ: a sheet for each social worker, or team.

    Children stand there by initials and LCS number. The last column is for the answer: which of the two is right.

    Example: pepforms list differences --out out/differences
    """
    from pepforms.caseload import differences

    with wiring.register.reading() as session:
        found = differences.differences(session, wiring.profile)
    for path in differences.write(out, found, by, force=force):
        many.say(str(path))
    many.tell(f"{len(found)} differences, about {len({each.lcs_person_id for each in found})} children")
    return 0


def _say_sheet(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows as CSV: without the mark that a file for Excel begins with."""
    from pepforms.caseload import tables

    many.say(tables.sheet(heads, rows).decode("utf-8-sig").replace("\r\n", "\n"), nl=False)


@click.command()
@click.option("--on", callback=_day, metavar="DATE", help="Judged as of this day; else today.")
@click.option("--by", type=click.Choice(["section", "owner"]), default="owner", help="What the text is grouped by.")
@sheet_format_option
@click.option("--emails", type=click.Path(path_type=Path), metavar="DIR", help="Also write an e-mail text a person.")
@force_option
@click.pass_obj
def due(wiring: Wiring, on: dt.date | None, by: "chasing.By", as_format: str, emails: Path | None, force: bool) -> int:
    """Say what is due, late, unsigned, unread, undelivered or unconfirmed, and whose it is.

    The clocks are the profile's; a clock that the authority has not given never makes anything late.

    Example: pepforms due --by section
    """
    from pepforms import days
    from pepforms.caseload import chasing
    from pepforms.caseload import due as waiting

    day = on or days.today()
    with wiring.register.reading() as session:
        rows = waiting.due(session, wiring.profile, day)
    if as_format == "json":
        say_json({"on": day.isoformat(), "results": [row.as_json() for row in rows]})
    elif as_format == "csv":
        _say_sheet(chasing.COLUMNS, [chasing.cells(row) for row in rows])
    else:
        many.say(chasing.text(rows, by))
    for path in chasing.write(emails, rows, wiring.profile, on=day, force=force) if emails else ():
        many.tell(str(path))
    return 0


def _year(_: click.Context, __: click.Parameter, value: str) -> str:
    if not re.fullmatch("20[0-9]{2}-[0-9]{2}", value) or (int(value[:4]) + 1) % 100 != int(value[5:]):
        raise click.BadParameter("it must be a financial year, as 2026-27.")
    return value


@click.command()
@click.option("--year", required=True, callback=_year, metavar="2026-27", help="The financial year, April to March.")
@click.option("--child", metavar="ID", help="Only of the child with this LCS number.")
@click.option("--school", metavar="URN", help="Only of the children at this school, by their newest PEP of the year.")
@click.option("--all", "everybody", is_flag=True, help="Of all children, as without any of these.")
@sheet_format_option
@click.option("--statements", type=click.Path(path_type=Path), metavar="DIR", help="Also make a statement of each.")
@force_option
@click.pass_obj
def ledger(
    wiring: Wiring,
    year: str,
    child: str | None,
    school: str | None,
    everybody: bool,
    as_format: str,
    statements: Path | None,
    force: bool,
) -> int:
    """Add up Pupil Premium Plus: allotted, approved, committed, spent with and without impact, unspent.

    Each child's money of each stream is an account of its own; docs/caseload.md says how several PEPs of a year are put
    together. A statement is the form pp-plus-statement of the account's newest PEP, with the sums of the account: the
    authority's copy.

    Example: pepforms ledger --year 2026-27
    """
    from pepforms.caseload import ledger as money
    from pepforms.caseload import lists

    if sum((bool(child), bool(school), everybody)) > 1:
        raise click.UsageError("Say one of --child, --school and --all.")
    with wiring.register.reading() as session:
        accounts, without = money.accounts(session, year), money.without_a_year(session)
        if child:
            now = lists.known(session).number(child)
            accounts = [each for each in accounts if each.child == now]
    accounts = money.at_school(accounts, school) if school else accounts
    if as_format == "json":
        say_json(
            {
                "year": year,
                "results": [each.as_json() for each in accounts],
                "streams": {name: sums.as_json() for name, sums in money.by_stream(accounts).items()},
                "total": money.total(accounts).as_json(),
            }
        )
    elif as_format == "csv":
        _say_sheet(("year", *money.SHEET), [(year, *money.cells(each)) for each in accounts])
    elif accounts:
        many.say(money.text(accounts, year))
    if not accounts:
        say = many.say if as_format == "text" else many.tell
        say(money.nothing(year, child, school))
    if without:
        many.tell(_in_no_ledger(without))
    return _statements(wiring, accounts, year, statements, force=force) if statements and accounts else 0


def _in_no_ledger(peps: Sequence[str]) -> str:
    more = f" and {len(peps) - _TOLD_AT_MOST} more" if len(peps) > _TOLD_AT_MOST else ""
    return (
        f"PEPs with costs and no financial year, which are in no ledger until it is given: {len(peps)} "
        f"({', '.join(peps[:_TOLD_AT_MOST])}{more})"
    )


def _statements(wiring: Wiring, accounts: "Sequence[money.Account]", year: str, out: Path, *, force: bool) -> int:
    """Make the statement of each account; which files those are is told on standard error."""
    from pepforms.caseload.statements import FORM, statement

    form, failures = wiring.form(FORM), many.Failures()
    files.folder(out)

    def made(account: "money.Account") -> Path:
        document = statement(account, year, wiring.register, form, wiring)
        files.write(out / document.name, document.data, force=force)
        return out / document.name

    for account, result in many.each(accounts, made, "Making statements", total=len(accounts)):
        if isinstance(result, PepformsError):
            failures.add(f"{account.newest[0]} version {account.newest[1]}", result)
        else:
            many.tell(str(result))
    return failures.exit_code


COMMANDS = (list_, due, ledger)
