"""The commands of the register: `register import`, `export`, `check`, `backup`, `restore`."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pepforms import many, pipeline, sources
from pepforms.cli.options import (
    Results,
    force_option,
    format_option,
    out_option,
    paths_argument,
    say_json,
    who_option,
)
from pepforms.errors import Misconfigured, PepformsError
from pepforms.sources import Source
from pepforms.wiring import Wiring

if TYPE_CHECKING:
    from pepforms.register import check as proving
    from pepforms.register import exchange, peps
    from pepforms.register.store import Register


@click.group()
def register() -> None:
    """What is kept: PEPs and every state of them, documents, records, and who did what."""


def _there(wiring: Wiring) -> "Register":
    """The register that is there; Misconfigured where there is none, for one made now would prove and hold nothing."""
    from pepforms.register import store

    if store.stands(wiring.register_is_at) == "not made":
        raise Misconfigured(
            f"There is no register in {store.place(wiring.register_is_at)}. Where it is, PEPFORMS_HOME says, and the "
            "setting database.url (PEPFORMS_DATABASE_URL): put those right. If it is lost, restore a backup; a new one "
            "is made by pepforms register import.",
            slug="no-register",
        )
    return wiring.register


@register.command("import")
@paths_argument
@who_option
@format_option
@click.pass_obj
def import_(wiring: Wiring, paths: tuple[str, ...], by: str, as_format: str) -> int:
    """Keep PEPs in the register, or take up a whole export.

    What is there already is left alone, so the same may be imported again. PATH may also be the folder of an export,
    which an empty register takes up whole.

    Example: pepforms register import samples/valid
    """
    from pepforms.register import exchange, peps

    kept = wiring.register  # one that cannot be opened is told once, before any work
    results = Results(as_format)
    counts: Counter[str] = Counter()
    exports = [path for path in paths if (Path(path) / exchange.LIST).is_file()]
    for path in exports:
        try:
            taken, moved = exchange.bring_in(kept, Path(path))
        except PepformsError as error:
            _refused(results, path, error)
            counts["refused"] += 1
            continue
        state = "new" if taken else "same"
        counts[state] += 1
        results.add(_entry(path, state), f"{path}: {_moved(moved) if taken else 'is what the register holds already'}")

    def taken_in(source: Source) -> peps.Kept:
        pep, _ = pipeline.checked(many.read(source), "draft", wiring.profile)
        return peps.keep(kept, pep, wiring.profile, by=by)

    others = [path for path in paths if path not in exports]
    for source, result in many.each(
        sources.read(others), taken_in, "Importing", total=sources.count(others), workers=1
    ):
        if isinstance(result, PepformsError):
            _refused(results, source.name, result)
            counts["refused"] += 1
            continue
        counts[result.state] += 1
        results.add(_entry(source.name, result.state, result), _told(source.name, result))
    if as_format == "text":
        many.say(", ".join(f"{counts[state]} {state}" for state in ("new", "changed", "same", "refused")))
    return results.done()


def _entry(source: str, state: str, kept: "peps.Kept | None" = None) -> dict[str, Any]:
    pep = {"id": kept.pep_id, "version": kept.version} if kept else None
    return {
        "source": source,
        "state": state,
        "pep": pep,
        "revision": kept.number if kept else None,
        "signed_off": kept.signed_off if kept else None,
        "problem": None,
    }


def _refused(results: Results, source: str, error: PepformsError) -> None:
    results.failures.add(source, error)
    results.add({**_entry(source, "refused"), "problem": {"slug": error.slug, "message": str(error)}})


def _told(source: str, kept: "peps.Kept") -> str:
    signed = ", signed off" if kept.signed_off else ""
    return f"{source}: {kept.state} ({kept.pep_id} version {kept.version}, revision {kept.number}{signed})"


def _moved(moved: "exchange.Moved") -> str:
    return f"{_states(moved.rows)}, {_count(moved.files, 'file')}"


def _states(rows: Mapping[str, int]) -> str:
    return f"{_count(rows['pep_version'], 'PEP')} in {_count(rows['revision'], 'state')}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'s' * (number != 1)}"


@register.command()
@out_option
@force_option
@click.pass_obj
def export(wiring: Wiring, out: Path, force: bool) -> int:
    """Write all of the register into a folder of files that any program reads.

    register import takes it up again. It holds personal data: keep it as you keep the register.

    Example: pepforms register export --out out/register
    """
    from pepforms.register import exchange

    moved = exchange.export(_there(wiring), out, force=force)
    many.say(f"{out}: {_moved(moved)}")
    return 0


@register.command()
@click.option("--clear-orphans", is_flag=True, help="First delete files that no row has named for more than a day.")
@who_option
@format_option
@click.pass_obj
def check(wiring: Wiring, clear_orphans: bool, by: str, as_format: str) -> int:
    """Prove all of the register: files, rows, seals, dates, audit.

    It may run while others work, and changes nothing unless it is to clear what killed processes left. Write the last
    line down where nobody who works here can change it: with it you can tell later that the audit was not written anew.

    Example: pepforms register check
    """
    from pepforms.register import check as proving

    there = _there(wiring)
    _ = wiring.trust  # a bad file in seal.trust is told once, before any record is judged by it
    if clear_orphans:
        many.tell(f"Deleted: {_count(proving.clear_orphans(there, by=by), 'file')} that no row names.")
    proof = proving.check(there, wiring.profile, wiring.verify)
    if as_format == "json":
        say_json({"results": [proof.as_json()]})
    else:
        many.say(_proved(proof))
    return 65 if proof.faults else 0


def _proved(proof: "proving.Proof") -> str:
    counts = proof.counts
    looked_at = (
        f"{_states(counts)}, {_count(counts['record'], 'record')}, {_count(counts['document'], 'document')}, "
        f"{_count(counts['files'], 'file')}"
    )
    verdict = f"does not hold, {len(proof.faults)} to put right" if proof.faults else "holds"
    lines = [f"The register {verdict}: {looked_at}", *(f"  {fault}" for fault in proof.faults)]
    lines += [f"  Please note: {note}" for note in proof.notes]
    return "\n".join([*lines, f"The audit ends with row {proof.audit_ends}"])


@register.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The file to write.")
@click.pass_obj
def backup(wiring: Wiring, out: Path) -> int:
    """Write the register and its files into one file, while others work.

    For a register on SQLite; one on PostgreSQL has pg_dump. It holds personal data: keep it as you keep the register.

    Example: pepforms register backup --out out/register.backup
    """
    from pepforms.register import backup as keeping

    count = keeping.backup(_there(wiring), out)
    many.say(f"{out}: the register and {_count(count, 'file')}")
    return 0


@register.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.pass_obj
def restore(wiring: Wiring, file: Path) -> int:
    """Put back what a backup holds, into a home that has no register.

    Example: PEPFORMS_HOME=out/restored pepforms register restore out/register.backup
    """
    from pepforms.register import backup as keeping

    wiring.keep()
    count = keeping.restore(file, wiring.register_is_at, wiring.register_files)
    many.say(
        f"{wiring.register_is_at}: the register and {_count(count, 'file')} are back. Put pepforms.toml into the home "
        "as well, and what it names (the profile, the certificates of seal.trust); then run pepforms register check"
    )
    return 0


COMMANDS = (register,)
