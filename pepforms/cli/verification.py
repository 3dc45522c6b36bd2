"""The command `verify`."""

import os
from pathlib import Path

import click

from pepforms import many, report
from pepforms.archive import verify as verification
from pepforms.cli.options import Results, format_option
from pepforms.errors import PepformsError, Unreadable
from pepforms.wiring import Wiring


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE.pdf…")
@format_option
@click.pass_obj
def verify(wiring: Wiring, paths: tuple[str, ...], as_format: str) -> int:
    """Say of each PDF whether it holds.

    Its standard, its seal, its data: each is a fact apart, and each that fell is named.

    Example: pepforms verify out/*.pdf
    """

    def verified(path: str) -> verification.Facts:
        return wiring.verify(_bytes(path))

    _ = wiring.trust  # a bad file in seal.trust is told once, before any record is judged by it
    results = Results(as_format)
    for path, facts in many.each(paths, verified, "Verifying", total=len(paths)):
        if isinstance(facts, PepformsError):
            results.failures.add(path, facts)
            results.add({"source": path, **verification.nothing_known(facts.slug, str(facts)).as_json()})
            continue
        entry = {"source": path, **facts.as_json()}
        if not entry["holds"]:
            results.failures.codes.add(65)
        results.add(entry, report.verification_text(entry, verification.explain(facts)))
    return results.done()


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise Unreadable(f"It cannot be read: {reason}.", slug="unreadable-path") from error


COMMANDS = (verify,)
