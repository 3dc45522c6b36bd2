"""The command `verify`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pepforms import files, many, report, sources
from pepforms.archive import verify as verification
from pepforms.check import reading
from pepforms.cli.options import Results, format_option
from pepforms.errors import PepformsError, Refused, Unreadable
from pepforms.model import Pep
from pepforms.wiring import Wiring


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of each file beyond its facts."""

    pep: Pep | None
    folder: Path | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """The facts about a file, why it is not the record of the PEP asked about, and where its data were written."""

    facts: verification.Facts
    difference: str | None
    written: Path | PepformsError | None


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE.pdf…")
@click.option("--pep", "pep_path", metavar="PATH", help="Say also whether each is the record of this PEP.")
@click.option(
    "--extract", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Write the data that each carries."
)
@format_option
@click.pass_obj
def verify(wiring: Wiring, paths: tuple[str, ...], pep_path: str | None, folder: Path | None, as_format: str) -> int:
    """Say of each PDF whether it holds.

    Its standard, its seal, its data: each is a fact apart, and each that fell is named.

    Example: pepforms verify out/*.pdf
    """
    _ = wiring.trust  # a bad file in seal.trust is told once, before any record is judged by it
    asked = _Asked(_pep(pep_path) if pep_path else None, files.folder(folder) if folder else None)
    results = Results(as_format)
    for path, answer in many.each(paths, lambda path: _answered(wiring, path, asked), "Verifying", total=len(paths)):
        if isinstance(answer, PepformsError):
            results.failures.add(path, answer)
            results.add({"source": path, **verification.nothing_known(answer.slug, str(answer)).as_json()})
            continue
        entry: dict[str, Any] = {"source": path, **answer.facts.as_json()}
        if asked.pep is not None:
            entry["record_of_pep"] = answer.difference is None
        if not entry["holds"] or answer.difference:
            results.failures.codes.add(65)
        explained = verification.explain(answer.facts)
        results.add(entry, "\n".join([report.verification_text(entry, explained), *_told(answer, asked)]))
        if isinstance(answer.written, PepformsError):
            results.failures.add(path, answer.written)
    return results.done()


def _answered(wiring: Wiring, path: str, asked: _Asked) -> _Answer:
    data = _bytes(path)
    facts = wiring.verify(data)
    if facts.problem:
        return _Answer(facts, facts.problem.message if asked.pep is not None else None, None)
    about = "The PDF"
    different = wiring.apart(verification.difference, data, asked.pep, about=about) if asked.pep is not None else None
    return _Answer(facts, different, _written(wiring, data, asked.folder) if asked.folder else None)


def _written(wiring: Wiring, data: bytes, folder: Path) -> Path | PepformsError:
    try:
        found = wiring.apart(verification.extracted, data, about="The PDF")
        if found is None:
            raise Refused("It carries no PEP that can be read, so none was written.", slug="nothing-embedded")
        name, content = found
        files.write(folder / name, content)
    except PepformsError as error:
        return error
    return folder / name


def _told(answer: _Answer, asked: _Asked) -> list[str]:
    """What was asked beyond the facts, as a person reads it."""
    lines = []
    if asked.pep is not None and not answer.facts.problem:
        lines.append(f"  {answer.difference or 'It is the record of that PEP.'}")
    if isinstance(answer.written, Path):
        lines.append(f"  Its data: {answer.written}")
    return lines


def _pep(path: str) -> Pep:
    """The one PEP to compare with, as it was written."""
    source, *others = sources.read([path])
    if others:
        raise click.UsageError(f"{path} holds more than one PEP; name the one to compare with.")
    value, findings = reading.read(many.read(source))
    if findings or not isinstance(value, dict):
        told = findings[0].message if findings else "It is no JSON object."
        raise Refused(f"{path} is no PEP to compare with. {told}", slug="pep-refused")
    return value


def _bytes(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(verification.LARGEST_FILE + 1)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Unreadable(f"It cannot be read: {reason}.", slug="unreadable-path") from error
    if len(data) > verification.LARGEST_FILE:
        raise Refused("It is larger than 100 MB, and no record is: it was not read.", slug="too-large")
    return data


COMMANDS = (verify,)
