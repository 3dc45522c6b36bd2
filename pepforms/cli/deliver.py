"""The commands of the hand-over: `deliver run`, `status`, `retry`, `confirm`, `withdraw`, `withdrawn` and the rest."""

import csv
import dataclasses
import datetime as dt
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pepforms import days, many, pack
from pepforms.archive import manifest
from pepforms.cli.options import say_json, term_option, who_option
from pepforms.deliver import confirmations
from pepforms.deliver.destinations import Named
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, PepformsError, Refused, Unreadable
from pepforms.wiring import Wiring

if TYPE_CHECKING:
    from pepforms.handover import overview

_GIVEN_UP = "put right what pepforms deliver status says of them, then say pepforms deliver retry"

_format_option = click.option(
    "--format",
    "as_format",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    help="How to print the results.",
)


@click.group()
def deliver() -> None:
    """Records on their way to the destinations of the settings, and what is known of their arrival."""


@deliver.command()
@term_option
@click.option("--to", metavar="NAME", help="To this destination alone.")
@who_option
@click.pass_obj
def run(wiring: Wiring, term: str | None, to: str | None, by: str) -> int:
    """Deliver every record of the register that is not there yet.

    What cannot go now is tried again later, when this is run again: have it run every few minutes. A destination with
    a folder for each social worker or team gets a covering list beside what is new there.

    The exit code tells of this run. What an earlier one gave up is told again, and is deliver status's exit code.

    Example: pepforms deliver run
    """
    from pepforms.handover import sending

    asked, failures = days.term(term) if term else None, many.Failures()
    for named in _destinations(wiring, to):
        sending.prepare(wiring.register, named.name, by=by, term=asked)
        delivered = 0
        for went in sending.send(wiring.register, named, by=by, term=asked):
            if went.error:
                failures.add(went.name, went.error)
            else:
                delivered += 1
                many.say(f"{named.name}: {went.name}")
        _cover(wiring, named, by, failures)
        many.say(f"{named.name}: {delivered} delivered{_left(wiring, named)}")
    return failures.exit_code


def _destinations(wiring: Wiring, to: str | None) -> list[Named]:
    if not wiring.destinations:
        raise Misconfigured(
            "No destination is set. Name one in the settings, as docs/deliver.md says.", slug="no-destination"
        )
    if to is None:
        return list(wiring.destinations.values())
    if to not in wiring.destinations:
        raise Refused(f"There is no such destination. There is: {', '.join(wiring.destinations)}.", slug="no-such-name")
    return [wiring.destinations[to]]


def _cover(wiring: Wiring, named: Named, by: str, failures: many.Failures) -> None:
    from pepforms.handover import sending

    today = days.today()

    def draw(rows: Sequence[manifest.Row]) -> bytes:
        assert named.by is not None
        return pack.covering_list(rows, named.by, wiring, today)

    try:
        for went in sending.cover(wiring.register, named, draw, today, by=by):
            if went.error:
                failures.add(went.name, went.error)
            else:
                many.say(f"{named.name}: {went.name}")
    except PepformsError as error:  # it cannot be opened any more: the lists are made by the next run
        failures.add(named.name, error)


def _left(wiring: Wiring, named: Named) -> str:
    """What waits for another try, and what for a person."""
    from pepforms.handover import overview

    here = [each for each in overview.deliveries(wiring.register) if each.destination == named.name]
    waiting = [each.next_try for each in here if each.state == "prepared" and each.next_try]
    dead = sum(each.state == "dead" for each in here)
    told = f", {len(waiting)} wait (the next from {_when(min(waiting))})" if waiting else ""
    return told + (f", {dead} given up: {_GIVEN_UP}" if dead else "")


@deliver.command()
@term_option
@_format_option
@click.pass_obj
def status(wiring: Wiring, term: str | None, as_format: str) -> int:
    """Say how every delivery stands; as text, each that waits for somebody. Exit code 65 where any was given up.

    Example: pepforms deliver status --format csv
    """
    from pepforms.handover import overview

    found = overview.deliveries(wiring.register, days.term(term) if term else None)
    given_up = 65 if any(each.state == "dead" for each in found) else 0
    if as_format != "text":
        _tell([dataclasses.asdict(each) for each in found], overview.State, as_format)
        return given_up
    for (destination, state), count in sorted(Counter((each.destination, each.state) for each in found).items()):
        many.say(f"{destination}: {count} {state}")
    for each in found:
        if told := _waits_for(each):
            many.say(f"  {each.id} {each.record} to {each.destination}: {told}")
    if given_up:
        many.tell(f"Deliveries were given up: {_GIVEN_UP}.")
    return given_up


def _waits_for(each: "overview.State") -> str:
    """What is still to come of a delivery; nothing where it is where it should be, or is only to be confirmed."""
    problem = f". {each.problem}" if each.problem else ""
    if each.state == "dead":
        return f"given up after {each.attempts} tries{problem}"
    if each.state == "prepared" and each.next_try:
        return f"{each.attempts} tries, the next from {_when(each.next_try)}{problem}"
    if each.state == "withdrawn" and not each.deletion_reference:
        return f"withdrawn; have it deleted there (SHA-256 {each.sha256[:16]}), then say deliver withdrawn"
    return ""


def _when(at: dt.datetime) -> str:
    return f"{at.astimezone(days.LONDON):%d/%m/%Y %H:%M}"


@deliver.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID…]")
@who_option
@click.pass_obj
def retry(wiring: Wiring, ids: tuple[int, ...], by: str) -> int:
    """Have deliveries that wait or were given up tried at the next run.

    ID is a delivery's number in deliver status; without one, all are meant.

    Example: pepforms deliver retry
    """
    from pepforms.handover import deeds

    many.say(f"{deeds.retry(wiring.register, ids, by=by)} to be tried at the next pepforms deliver run")
    return 0


@deliver.command()
@click.argument("record", required=False, metavar="[RECORD]")
@click.option("--reference", metavar="LCS-REF", help="Under which reference LCS has it.")
@click.option("--list", "list_", type=click.Path(path_type=Path), metavar="FILE.csv", help="What LCS says it holds.")
@who_option
@click.pass_obj
def confirm(wiring: Wiring, record: str | None, reference: str | None, list_: Path | None, by: str) -> int:
    """Write down that a record is on the child's file in LCS.

    RECORD is the name of its file, or how its SHA-256 begins. With --list, every record that LCS's own list names
    without doubt; the settings under confirmations say what its columns are called.

    Example: pepforms deliver confirm --list lcs-documents.csv
    """
    from pepforms.handover import deeds

    if list_ is not None and not (record or reference):
        return _confirm_listed(wiring, list_, by)
    if list_ is not None or not (record and reference):
        raise click.UsageError("Say either RECORD and --reference LCS-REF, or --list FILE.csv alone.")
    many.say(f"{deeds.confirm(wiring.register, record, reference, by=by)}: confirmed")
    return 0


def _confirm_listed(wiring: Wiring, path: Path, by: str) -> int:
    from pepforms.handover import deeds

    data = _bytes(path)
    read = confirmations.read(data, path.name, confirmations.columns(wiring.settings))
    agreed = deeds.confirm_listed(wiring.register, read, sha256(data), by=by)
    for number, reason, is_to_be_looked_at in agreed.others:
        many.say(f"Row {number}{' (look at it)' if is_to_be_looked_at else ''}: {reason}")
    looked_at = sum(other[2] for other in agreed.others)
    many.say(
        f"{agreed.confirmed} confirmed, {agreed.before} were before, {len(agreed.others)} rows confirm nothing, "
        f"{looked_at} of them to be looked at"
    )
    return 65 if looked_at else 0


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(confirmations.LARGEST + 1)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Unreadable(f"{path} cannot be read: {reason}.", slug="unreadable-path") from error


@deliver.command()
@click.argument("record", metavar="RECORD")
@click.option("--reason", required=True, metavar="TEXT", help="Why; without a child's name.")
@who_option
@click.pass_obj
def withdraw(wiring: Wiring, record: str, reason: str, by: str) -> int:
    """Take a record back: it is delivered nowhere any more.

    Where it has been sent it must be deleted by those who have it; deliver withdrawn notes that they did.

    Example: pepforms deliver withdraw 900005_PEP_2026-27_AUT_2026-11-10_PEP-0005-A26_v1.pdf --reason "Wrong child"
    """
    from pepforms.handover import deeds

    filename, to_delete = deeds.withdraw(wiring.register, record, reason, by=by)
    places = f"to be deleted at {to_delete} destination{'s' * (to_delete != 1)}"
    nowhere = "nothing was delivered; if somebody has put it on LCS by hand, have it deleted there"
    many.say(f"{filename}: withdrawn, {places if to_delete else nowhere}")
    return 0


@deliver.command()
@click.argument("record", metavar="RECORD")
@click.option("--deletion-reference", "reference", required=True, metavar="REF", help="How they say that it is gone.")
@who_option
@click.pass_obj
def withdrawn(wiring: Wiring, record: str, reference: str, by: str) -> int:
    """Write down that a withdrawn record was deleted where it had been sent.

    Example: pepforms deliver withdrawn 900005_PEP_2026-27_AUT_2026-11-10_PEP-0005-A26_v1.pdf --deletion-reference D-7
    """
    from pepforms.handover import deeds

    many.say(f"{deeds.withdrawn(wiring.register, record, reference, by=by)}: deleted there")
    return 0


@deliver.command()
@click.option("--term", metavar="TERM", help="Of this term, such as 2026-27/autumn; else of the present one.")
@_format_option
@click.pass_obj
def unconfirmed(wiring: Wiring, term: str | None, as_format: str) -> int:
    """List what is signed off and not yet confirmed to be on the child's file.

    Example: pepforms deliver unconfirmed --format csv
    """
    from pepforms.handover import overview

    asked = days.term(term) if term else wiring.profile.term_of(days.today())
    found = overview.unconfirmed(wiring.register, asked)
    if as_format != "text":
        _tell([dataclasses.asdict(each) for each in found], overview.Unconfirmed, as_format)
        return 0
    for each in found:
        whose = ", ".join(part for part in (each.social_worker, each.team) if part) or "nobody named"
        many.say(
            f"{each.lcs_person_id or '(no number)'}  {each.pep_id} version {each.version}, meeting "
            f"{each.meeting_date or '(no date)'}: {each.state} ({whose})"
        )
    many.say(f"{len(found)} of the {asked[1]} term {asked[0]} signed off and not confirmed")
    return 0


def _tell(found: Sequence[Mapping[str, Any]], kind: type, as_format: str) -> None:
    told = [{key: _plain(value) for key, value in row.items()} for row in found]
    if as_format == "json":
        say_json({"results": told})
        return
    names = [field.name for field in dataclasses.fields(kind)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(_cells(row[name] for name in names) for row in told)
    many.say(out.getvalue(), nl=False)


def _cells(values: Iterable[Any]) -> list[str]:
    return ["" if value is None else manifest.defused(str(value)) for value in values]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value


COMMANDS = (deliver,)
