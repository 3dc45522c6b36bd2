"""The command `stamp`: PDFs that were made and signed off elsewhere become records."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from pepforms import days, digest, elsewhere, files, filing, many, naming, pack, pipeline, sources
from pepforms.archive import foreign, manifest
from pepforms.cli.options import by_option, force_option, out_option
from pepforms.errors import PepformsError, Refused, Unreadable
from pepforms.intake import cards
from pepforms.wiring import Wiring

HELD = "held.csv"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One line of held.csv: what was not filed, and why."""

    row: str
    lcs_person_id: str
    file: str
    reason: str
    code: str = ""


@click.command("stamp")
@click.argument("paths", nargs=-1, required=True, metavar="FILE.pdf…")
@click.option("--cards", "list_", type=click.Path(path_type=Path), metavar="FILE.csv", help="The list of the PDFs.")
@click.option("--pep", metavar="PATH", help="The PEP of one PDF, as JSON.")
@click.option(
    "--confirmed-by", metavar="NAME CODE", help="With --pep: who looked at the PDF that was held, and its code."
)
@out_option
@by_option
@force_option
@click.pass_obj
def stamp_(
    wiring: Wiring,
    paths: tuple[str, ...],
    list_: Path | None,
    pep: str | None,
    confirmed_by: str | None,
    out: Path,
    by: naming.By | None,
    force: bool,
) -> int:
    """Make records of PDFs that were signed off in another system.

    FILE.pdf may be a folder. Each PDF needs a row in the list; see docs/epep.md. What is not certain to be the child's
    is not filed but held: DIR/held.csv says why and what to do.

    Example: pepforms stamp exported/ --cards cards.csv --out out
    """
    if confirmed_by and pep is None:
        raise click.UsageError("--confirmed-by goes with --pep; in a list, fill the column child_confirmed_by.")
    if (list_ is None) == (pep is None):
        raise click.UsageError("Say either --cards with the list of the PDFs, or --pep with the PEP of one PDF.")
    files.folder(out)
    _ = wiring.sealer  # no key: say so before any work
    found = list(_pdfs(paths, out))
    if list_ is not None:
        read = cards.read(_bytes(list_, str(list_)), list_.name)
    else:
        assert pep is not None
        read = cards.Cards((_card(wiring, pep, found, confirmed_by),), (), ())
    if read.not_used:
        many.tell(f"Columns that are not used: {', '.join(read.not_used)}.")
    code = _Run(wiring, read, out, force).over(found)
    if by:
        many.say(str(pack.part(out, by, wiring, days.today())))
    return code


def _card(wiring: Wiring, path: str, found: Sequence[Path], confirmed_by: str | None) -> cards.Card:
    """The card of the one PDF whose PEP is at hand."""
    source, *others = sources.read([path])
    if others or len(found) != 1:
        raise click.UsageError("--pep takes the PEP of one PDF. For several PDFs, list them in a --cards file.")
    pep, _ = pipeline.checked(many.read(source), "record", wiring.profile)
    card = elsewhere.card_of(pep, pipeline.signed_off_at(pep, wiring.profile), wiring.profile, found[0].name)
    name, code = cards.confirmation(confirmed_by) if confirmed_by else ("", "")
    return replace(card, confirmed_by=name, confirmed_code=code)


def _pdfs(paths: Sequence[str], out: Path) -> Iterator[Path]:
    """The PDFs, those in folders too but for the output folder; one named twice counts once."""
    seen: set[Path] = set()
    for path in map(Path, paths):
        inside = [path]
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix.casefold() == ".pdf")
            inside = [one for one in found if out.resolve() not in one.resolve().parents]
        if not inside:
            raise Unreadable(f"{path} holds no PDF.", slug="nothing-to-read")
        for one in inside:
            if one.resolve() not in seen:
                seen.add(one.resolve())
                yield one


class _Run:
    """One run: every row and every PDF is filed or held, and told."""

    def __init__(self, wiring: Wiring, read: cards.Cards, out: Path, force: bool) -> None:
        self._wiring, self._read, self._out, self._force = wiring, read, out, force
        self._failures = many.Failures()
        self._held: list[_Waiting] = []

    def over(self, found: Sequence[Path]) -> int:
        """File what can be filed; the exit code."""
        sums = self._sums(found)
        entries = elsewhere.matched(self._read.cards, {path: Path(path).name for path in sums}, sums)
        for fault in self._read.faults:
            self._hold(fault.row, fault.child.lcs_person_id, fault.file, Refused(_said(fault), slug="bad-card"))
        rows: tuple[cards.Card | cards.Fault, ...] = (*self._read.cards, *self._read.faults)
        known = {elsewhere.same(row.file) for row in rows}
        for path in sums:
            if elsewhere.same(Path(path).name) not in known:
                self._hold(0, "", Path(path).name, Refused("No row names this PDF. Add one.", slug="no-card"))
        for entry, result in many.each(entries, self._filed, "Stamping", total=len(entries)):
            card = entry.card
            if isinstance(result, PepformsError):
                self._hold(card.row, card.child.lcs_person_id, card.file, result)
                continue
            name, note = result
            many.say(str(self._out / name))
            if note:
                many.tell(f"{name}: {note}.")
        self._write_held()
        return self._failures.exit_code

    def _sums(self, found: Sequence[Path]) -> dict[str, str]:
        """The SHA-256 of each PDF; what cannot be read is held."""
        sums = {}
        for path in found:
            try:
                sums[str(path)] = digest.sha256(_bytes(path))
            except PepformsError as error:
                self._hold(0, "", path.name, error)
        return sums

    def _filed(self, entry: elsewhere.Entry) -> tuple[str, str]:
        """The name of the record, and what somebody should know about it."""
        if entry.fault:
            raise Refused(entry.fault, slug="not-one-to-one")
        pdf = _bytes(Path(entry.pdfs[0]))

        seen: dict[str, bytes | None] = {}

        def there(name: str) -> bytes | None:
            path = self._out / name
            seen[name] = path.read_bytes() if path.exists() else None
            return seen[name]

        record, note = elsewhere.archive(pdf, entry.card, self._read, self._wiring, there)
        with manifest.locked(self._out):
            before = seen[record.document.name]
            if there(record.document.name) != before:  # another run was faster
                record, note = elsewhere.archive(pdf, entry.card, self._read, self._wiring, there)
            kept = [row for row in manifest.read(self._out) if (self._out / row.filename).exists()]
            if elsewhere.filed_otherwise(record.row, kept):
                raise Refused(
                    "It is filed already under another LCS number or for another meeting. Find out which is right; if "
                    "it is this row, move the other record away.",
                    slug="filed-otherwise",
                )
            filing.put(record, self._out, force=self._force)
        return record.document.name, note

    def _hold(self, row: int, lcs_person_id: str, file: str, error: PepformsError) -> None:
        """Keep it for held.csv; on the screen only its row is named, since file names may hold anything."""
        code = error.code if isinstance(error, elsewhere.Held) else ""
        self._held.append(_Waiting(str(row or ""), lcs_person_id, file, str(error), code))
        self._failures.add(f"Row {row}" if row else "A PDF without a row", error)

    def _write_held(self) -> None:
        path = self._out / HELD
        with files.told(path):
            if not self._held:
                path.unlink(missing_ok=True)
                return
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(["row", "lcs_person_id", "file", "reason", "code"])
            for one in self._held:
                writer.writerow(map(manifest.defused, (one.row, one.lcs_person_id, one.file, one.reason, one.code)))
            files.replace(path, text.getvalue().encode("utf-8-sig"))
        many.tell(f"{len(self._held)} held for a person: see {path}.")


def _said(fault: cards.Fault) -> str:
    return f"{fault.message[0].upper()}{fault.message[1:]}."


def _bytes(path: Path, named: str = "A file") -> bytes:
    try:
        if path.stat().st_size > foreign.LARGEST:
            raise Refused(f"It is larger than {foreign.LARGEST >> 20} MB. Send a smaller one.", slug="too-large")
        return path.read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Unreadable(f"{named} cannot be read: {reason}.", slug="unreadable-path") from error


COMMANDS = (stamp_,)
