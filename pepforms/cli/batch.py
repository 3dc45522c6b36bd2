"""The commands of batches: `batch run`, `status`, `list`, `resume` and the rest; `worker`."""

import contextlib
import datetime as dt
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pepforms import days, files, many, pipeline, sources
from pepforms.cli.options import Results, force_option, format_option, say_json, who_option
from pepforms.errors import PepformsError, Refused, Unavailable
from pepforms.model import AUDIENCES, Audience
from pepforms.sources import Source
from pepforms.wiring import Wiring

if TYPE_CHECKING:
    from pepforms.batches.course import Status
    from pepforms.batches.worker import Worker
    from pepforms.register.peps import Kept

_LOOK_SECONDS = 0.2
"""How often the rows are looked at while we wait."""
_TELL_SECONDS = 1.0
"""How often a worker looks whether there is something to tell."""

id_argument = click.argument("batch_id", metavar="ID")
processes_option = click.option(
    "--processes", type=click.IntRange(1, 256), help="Documents made at once here; else as many as there are cores."
)
wait_option = click.option("--no-wait", is_flag=True, help="Leave the making to pepforms worker and pepforms serve.")


@click.group()
def batch() -> None:
    """Many copies at once, each made once, whatever is switched off on the way."""


def _audiences(_: click.Context, __: click.Parameter, value: str) -> tuple[Audience, ...]:
    asked = [part.strip() for part in value.split(",")]
    if unknown := [each for each in asked if each not in AUDIENCES]:
        raise click.BadParameter(f"“{unknown[0]}” is none of {', '.join(AUDIENCES)}.")
    return tuple(each for each in AUDIENCES if each in asked)


@batch.command()
@click.argument("paths", nargs=-1, metavar="[PATH…]")
@click.option("--term", metavar="TERM", help="Of all PEPs of a term in the register, such as 2026-27/autumn.")
@click.option("--only", multiple=True, metavar="PEP-ID", help="Of these alone; with --term, once for each.")
@click.option("--form", "form_name", default="pep", help="The form: see pepforms template list.")
@click.option(
    "--audience", "audiences", default="authority", callback=_audiences, metavar="A,…",
    help=f"Who will read the copies: {', '.join(AUDIENCES)}.",
)  # fmt: skip
@click.option("--confidential", is_flag=True, help="The placements are confidential today, whatever the PEPs say.")
@click.option("--to", type=click.Choice(["pdf", "docx"]), default="pdf", help="PDF, or Word to edit.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Put the documents here too.")
@force_option
@wait_option
@processes_option
@who_option
@click.pass_obj
def run(
    wiring: Wiring,
    paths: tuple[str, ...],
    term: str | None,
    only: tuple[str, ...],
    form_name: str,
    audiences: tuple[Audience, ...],
    confidential: bool,
    to: Any,
    out: Path | None,
    force: bool,
    no_wait: bool,
    processes: int | None,
    by: str,
) -> int:
    """Make copies of many PEPs: of a term's in the register, or of files, which are kept in it first.

    The documents are kept in the register, and put into DIR where one is given. A parent's copy is never made
    unattended: it is held until pepforms batch release. Of a form for one person, such as action-sheet, one is made
    for each whom a PEP asks for something.

    Example: pepforms batch run samples/valid --audience authority,school --out out/batch
    """
    from pepforms.batches import asking

    if bool(paths) == bool(term):
        raise click.UsageError("Say either --term, for the PEPs in the register, or a PATH, for PEPs in files.")
    if only and not term:
        raise click.UsageError("--only goes with --term.")
    if out and no_wait:
        raise click.UsageError("--out is filled by who waits: leave --no-wait out, or say batch resume later.")
    form = wiring.form(form_name)
    if form.gathers:
        raise Refused(f"{form.name} gathers all PEPs of a child: make it with pepforms render.", slug="not-in-a-batch")
    for audience in audiences:
        form.offered(audience)
    if out:
        files.folder(out)  # one that cannot be is told before any work
    folder = str(out.absolute()) if out else None
    asked = asking.Asked(form_name, audiences, to, confidential, folder, for_one=form.person)
    if term:
        batch_id = asking.of_term(wiring.register, asked, term, only, by=by)
    else:
        batch_id = asking.of_files(wiring.register, asked, list(_taken_in(wiring, paths, by)), by=by)
    return _go_on(wiring, [batch_id], processes, no_wait=no_wait, force=force)


def _taken_in(wiring: Wiring, paths: Sequence[str], by: str) -> Iterator[tuple[str, "Kept | PepformsError"]]:
    """Each PEP kept in the register, or why it was refused, which is told with all that is to be put right."""
    failures, places = many.Failures(), [path if path == "-" else os.path.abspath(path) for path in paths]
    _ = wiring.register  # one that cannot be opened is told once, before any work
    for source, result in many.each(
        sources.read(places),
        lambda source: _kept(wiring, source, by),
        "Reading PEPs",
        total=sources.count(places),
        workers=1,
    ):
        if isinstance(result, PepformsError):
            failures.add(source.name, result)
        yield source.name, result


def _kept(wiring: Wiring, source: Source, by: str) -> "Kept":
    from pepforms.register import peps

    pep, _ = pipeline.checked(many.read(source), "draft", wiring.profile)
    return peps.keep(wiring.register, pep, wiring.profile, by=by)


@batch.command()
@click.argument("batch_id", metavar="[ID]", required=False)
@processes_option
@wait_option
@who_option
@click.pass_obj
def resume(wiring: Wiring, batch_id: str | None, processes: int | None, no_wait: bool, by: str) -> int:
    """Go on with what stopped, or was paused: one batch, or all that are unfinished.

    Where the batch was asked for with --out, what lacks there is put there.

    Example: pepforms batch resume
    """
    from pepforms.batches import course

    with wiring.register.reading() as session:
        ids = [batch_id] if batch_id else course.unfinished(session)
    for each in ids:
        course.resume(wiring.register, each, by=by)
    if not ids:
        many.say("Nothing is unfinished.")
    return _go_on(wiring, ids, processes, no_wait=no_wait)


@batch.command()
@id_argument
@processes_option
@wait_option
@who_option
@click.pass_obj
def retry(wiring: Wiring, batch_id: str, processes: int | None, no_wait: bool, by: str) -> int:
    """Try again what failed, and nothing else. Files that were refused are read again.

    Example: pepforms batch retry 20261126-5f0c1a
    """
    from pepforms.batches import asking

    def read(name: str) -> "Kept | PepformsError":
        try:
            return _kept(wiring, sources.again(name), by)
        except PepformsError as error:
            failures.add(name, error)
            return error

    failures = many.Failures()
    count = asking.again(wiring.register, batch_id, read, by=by)
    many.tell(f"Tried again: {count}.")
    return _go_on(wiring, [batch_id], processes, no_wait=no_wait)


@batch.command()
@id_argument
@who_option
@click.pass_obj
def pause(wiring: Wiring, batch_id: str, by: str) -> None:
    """Begin nothing more of a batch until batch resume; what is in the making is finished.

    Example: pepforms batch pause 20261126-5f0c1a
    """
    from pepforms.batches import course

    course.pause(wiring.register, batch_id, by=by)


@batch.command()
@id_argument
@who_option
@click.pass_obj
def cancel(wiring: Wiring, batch_id: str, by: str) -> None:
    """Begin nothing more of a batch, for good; what was made stays.

    Example: pepforms batch cancel 20261126-5f0c1a
    """
    from pepforms.batches import course

    course.cancel(wiring.register, batch_id, by=by)


@batch.command()
@click.argument("batch_id", metavar="[ID]", required=False)
@format_option
@click.pass_obj
def status(wiring: Wiring, batch_id: str | None, as_format: str) -> int:
    """Say how a batch stands, or the last one.

    Example: pepforms batch status --format json
    """
    from pepforms.batches import course

    with wiring.register.reading() as session:
        found = course.one(session, batch_id)
    results = Results(as_format)
    results.add(found.as_json(), _told(found))
    return results.done()


@batch.command("list")
@format_option
@click.pass_obj
def list_(wiring: Wiring, as_format: str) -> int:
    """List every batch and how it stands.

    Example: pepforms batch list
    """
    from pepforms.batches import course

    results = Results(as_format)
    with wiring.register.reading() as session:
        for found in course.every(session):
            results.add(found.as_json(), _told(found))
    return results.done()


@batch.command()
@id_argument
@click.option("--format", "as_format", type=click.Choice(["csv", "json"]), default="csv", help="How to print them.")
@click.pass_obj
def results(wiring: Wiring, batch_id: str, as_format: str) -> None:
    """Print a row for each item: how it stands, its file, its problem.

    Example: pepforms batch results 20261126-5f0c1a
    """
    from dataclasses import asdict

    from pepforms.batches import course
    from pepforms.batches import results as resulting

    with wiring.register.reading() as session:
        course.one(session, batch_id)
        found = resulting.results(session, batch_id)
        if as_format == "json":
            say_json({"results": [asdict(each) for each in found]})
            return
        for line in resulting.as_csv(found):
            many.say(line)


@batch.command()
@click.argument("batch_id", metavar="[ID]", required=False)
@format_option
@click.pass_obj
def held(wiring: Wiring, batch_id: str | None, as_format: str) -> int:
    """List what waits for a person, and why.

    Example: pepforms batch held
    """
    from pepforms.batches import course

    results = Results(as_format)
    with wiring.register.reading() as session:
        if batch_id:
            course.one(session, batch_id)
        for each in course.held(session, batch_id):
            reader = f"{each.audience}, {each.person}" if each.person else each.audience
            text = f"{each.batch} item {each.item} ({each.pep_id}, {reader}): {each.reason}. {each.message}"
            results.add(each.as_json(), text)
    return results.done()


@batch.command()
@id_argument
@click.argument("item", type=int, metavar="ITEM")
@click.option("--by", required=True, metavar="NAME", help="Who answers for it.")
@click.option("--because", required=True, metavar="TEXT", help="Why it may be made.")
@click.pass_obj
def release(wiring: Wiring, batch_id: str, item: int, by: str, because: str) -> None:
    """Let an item go on that waits for a person; it is made by the next worker, or by batch resume.

    A leak, or a copy that its PEP does not release, is held again until the PEP says why it is safe.

    Example: pepforms batch release 20261126-5f0c1a 3 --by "Sasha Mockworth" --because "Agreed with the social worker"
    """
    from pepforms.batches import course

    course.release(wiring.register, batch_id, item, by=by, because=because)


@batch.command("zip")
@id_argument
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE.zip", help="The file to write.")
@click.pass_obj
def zip_(wiring: Wiring, batch_id: str, out: Path) -> int:
    """Put the school's copies of a batch into a ZIP, a folder for each school.

    Each folder has a list of initials and year groups: check it before you send the folder. A copy whose school is not
    certain, or that the newest weekly list speaks against, goes into no folder and is told. So is what was not made.

    Example: pepforms batch zip 20261126-5f0c1a --out out/schools.zip
    """
    from pepforms.batches import course, schools

    with wiring.register.reading() as session:
        course.one(session, batch_id)
    packed = schools.pack(wiring.register, batch_id, out, days.today())
    for sentence in packed.left_out:
        many.tell(sentence)
    if packed.unmade:
        many.tell(f"School’s copies that were not made: {packed.unmade}. See pepforms batch results {batch_id}.")
    many.say(f"{out}: {packed.copies} copies for {packed.schools} schools")
    return 65 if packed.left_out or packed.unmade else 0


@click.command()
@processes_option
@click.pass_obj
def worker(wiring: Wiring, processes: int | None) -> None:
    """Work on batches until stopped, on this computer or on many.

    Several computers need the register on PostgreSQL and a folder of files that all of them see. Stopped with Ctrl+C or
    by the system, it finishes the documents that it has begun.

    Example: pepforms worker --processes 4
    """
    with wiring.worker(processes) as working:
        signal.signal(signal.SIGTERM, lambda *_: working.stop())
        many.tell(f"Working on batches as {working.executor_id}. Stop with Ctrl+C.")
        told: PepformsError | None = None
        with contextlib.suppress(KeyboardInterrupt):
            while not working.stopped(_TELL_SECONDS):
                if working.trouble is not told:
                    told = working.trouble
                    many.tell(str(told) if told else "Working again.")
        many.tell("Finishing what is begun.")


# --- going on with batches here --------------------------------------------------------------------------------------


def _go_on(
    wiring: Wiring, ids: Sequence[str], processes: int | None, *, no_wait: bool = False, force: bool = False
) -> int:
    """Work until each batch is at its end, tell what came of it, and put its documents out; the exit code."""
    if no_wait or not ids:
        for batch_id in ids:
            many.say(batch_id)
        return 0
    stuck: list[dict[str, Any]] = []
    with wiring.worker(processes) as working, _interrupted() as interrupted:
        for batch_id in ids:
            many.tell(f"Batch {batch_id}. If this is interrupted, say pepforms batch resume {batch_id}.")
            if problem := _followed(wiring, batch_id, working, interrupted):
                stuck.append(problem)
                many.tell(problem["message"])
    codes = {problem["exit_code"] for problem in stuck}
    return many.worst([*codes, *(_handed_out(wiring, batch_id, force=force) for batch_id in ids)])


@contextlib.contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """Ctrl+C as an event: an exception, raised wherever we are just then, may be lost in somebody’s destructor."""
    asked, before = threading.Event(), signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _followed(wiring: Wiring, batch_id: str, working: "Worker", interrupted: threading.Event) -> dict[str, Any] | None:
    """Wait for the end of a batch under a progress bar; what keeps it from going on, where something does."""
    from pepforms.batches import course

    began = dt.datetime.now(dt.UTC)
    with wiring.register.reading() as session:
        total = course.one(session, batch_id).total
    bar = many.Bar("Making documents", total)
    while working.trouble is None:
        with contextlib.suppress(Unavailable), wiring.register.reading() as session:  # the worker tells if it lasts
            found, stuck = course.one(session, batch_id), course.stuck(session, batch_id, began)
            bar.at(total - found.open)
            if found.state != "running" or stuck:
                bar.at(total)
                return stuck
        if interrupted.wait(_LOOK_SECONDS):
            raise KeyboardInterrupt
    raise working.trouble


def _handed_out(wiring: Wiring, batch_id: str, *, force: bool) -> int:
    """Tell what came of a batch, and put its documents where they are wanted; the exit code."""
    from pepforms.batches import course
    from pepforms.batches import results as resulting

    codes = set()
    with wiring.register.reading() as session:
        found = course.one(session, batch_id)
        for each in resulting.results(session, batch_id):
            if each.state in ("failed", "held"):
                codes.add(each.exit_code or 0)
                many.tell(
                    f"Item {each.item} ({each.pep_id or each.source}, {each.audience}), {each.state}: {each.message}"
                )
    if out := found.asked["out"]:
        failures = many.Failures()
        for put in resulting.put_out(wiring.register, batch_id, Path(out), force=force):
            if isinstance(put, PepformsError):
                failures.add("-", put)
            else:
                many.say(str(put))
        codes |= failures.codes
    if unmade := _unmade(found):
        codes.add(65 if found.state == "cancelled" else 75)
        many.tell(unmade)
    many.say(_told(found))
    return many.worst(codes)


def _unmade(found: "Status") -> str | None:
    """What to do about copies that nobody makes any more, or that others still make; None where none is left."""
    left = found.open + found.counts["cancelled"]
    if not left:
        return None
    if found.state == "cancelled":
        return f"Batch {found.id} was cancelled, and {left} of its copies with it. Ask for them in a new batch."
    return f"{left} copies of batch {found.id} are still to be made. Go on with pepforms batch resume {found.id}."


def _told(found: "Status") -> str:
    counts = ", ".join(f"{count} {state}" for state, count in found.counts.items() if count)
    of = f"{found.term} " if found.term else ""
    return f"Batch {found.id} ({of}{found.asked['form']}) {found.state}: {counts}"


COMMANDS = (batch, worker)
