"""Work over many files: a few at once, in order, under a progress bar; one bad file never stops the rest."""

import itertools
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from pepforms import digest, filing, naming, pipeline, report
from pepforms.errors import PepformsError, Refused, bug
from pepforms.model import Audience, Pep
from pepforms.sources import Source
from pepforms.wiring import Wiring

T = TypeVar("T")
R = TypeVar("R")

_WORST_FIRST = (70, 78, 75, 66, 65)


class Failures:
    """What went wrong among many, told on standard error as it happens."""

    def __init__(self) -> None:
        self.codes: set[int] = set()

    def add(self, source: str, error: PepformsError) -> None:
        """Say what went wrong with one source."""
        self.codes.add(error.exit_code)
        named = "" if source == "-" or str(error).startswith(source) else f"{source}: "
        tell(f"{named}{error}")
        for problem in error.problems if isinstance(error, Refused) else ():
            if problem.severity == "blocks":
                tell(report.problem_text(problem.as_json()))

    @property
    def exit_code(self) -> int:
        """Of all that went wrong, the code of whoever must act first."""
        return worst(self.codes)


def worst(codes: Iterable[int]) -> int:
    """The exit code that counts among several."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), 0)


def records(
    wiring: Wiring,
    found: Iterable[Source],
    out: Path | None,
    *,
    total: int,
    force: bool,
    kept_by: str | None = None,
    released_by: str | None = None,
) -> Iterator[tuple[Source, Path | PepformsError]]:
    """Make the record of each source, in a folder, or kept in the register by somebody, or both.

    A record that is there already, holds and is of the same PEP is left alone. One that the weekly list speaks against
    is not made until somebody releases it.
    """
    form, claims = wiring.form("pep"), Claims()
    if wiring.has_register:
        _ = wiring.register  # one that cannot be opened is told once, before any work

    def recorded(source: Source) -> Path:
        pep, _ = pipeline.checked(read(source), "record", wiring.profile)
        refuse_held(wiring, pep, "authority", released_by)
        claims.claim(naming.record(pep), digest.pep_digest(pep))
        if kept_by:
            record = filing.keep_pep(pep, form, out, wiring, wiring.register, by=kept_by, force=force)
            return (out or Path()) / record.document.name
        assert out is not None
        return filing.file_pep(pep, form, out, wiring, force=force)

    return each(found, recorded, "Sealing records", total=total)


def refuse_held(wiring: Wiring, pep: Pep, audience: Audience, released_by: str | None) -> None:
    """Refused where the register has a weekly list that speaks against a copy, and nobody has released it."""
    if wiring.has_register:
        from pepforms.caseload import holds

        holds.refuse_held(wiring.register, pep, audience, released_by=released_by)


class Claims:
    """The names that the documents of one run have taken: two different PEPs never share one, whatever --force says."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        self._lock = threading.Lock()

    def claim(self, name: str, of: str) -> None:
        """Take a name for the PEP of this digest; Refused where another PEP of the run has it."""
        with self._lock:
            if self._taken.setdefault(name, of) != of:
                raise Refused(
                    f"Another PEP of this run has the same id, version and child, and so the same file name ({name}). "
                    "See which of the two is right; give the newer one the next version.",
                    slug="name-claimed",
                )


def show(results: Iterable[tuple[Source, Path | tuple[Path, ...] | PepformsError]]) -> int:
    """Print the path of each file made; say of each that was not, why."""
    failures = Failures()
    for source, result in results:
        if isinstance(result, PepformsError):
            failures.add(source.name, result)
        else:
            for path in result if isinstance(result, tuple) else (result,):
                say(str(path))
    return failures.exit_code


def say(text: str, *, nl: bool = True) -> None:
    """Print a result. Whoever reads it may stop reading: the work goes on."""
    _echo(text, sys.stdout, nl=nl)


def tell(text: str, *, nl: bool = True) -> None:
    """Say something about the work, on standard error, which nobody need read either."""
    _echo(text, sys.stderr, nl=nl)


def _echo(text: str, stream: TextIO, *, nl: bool) -> None:
    try:
        click.echo(text, file=stream, nl=nl)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def read(source: Source) -> bytes:
    """The bytes of a source; its error, if it could not be read."""
    if source.error:
        raise source.error
    return source.data


def each(
    items: Iterable[T], work: Callable[[T], R], label: str, *, total: int, workers: int = os.cpu_count() or 1
) -> Iterator[tuple[T, R | PepformsError]]:
    """Each item with its result or its error, in order, a few at once, under a progress bar on a terminal."""

    def guarded(item: T) -> R | PepformsError:
        try:
            return work(item)
        except PepformsError as error:
            return error
        except Exception as error:  # noqa: BLE001  one item's surprise must not stop the others
            return bug(error)

    bar = Bar(label, total)
    waiting: deque[tuple[T, Future[R | PepformsError]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in itertools.chain(items, itertools.repeat(_END)):
            if item is not _END:
                waiting.append((item, pool.submit(guarded, item)))
            if len(waiting) > 2 * workers or (item is _END and waiting):
                first, future = waiting.popleft()
                with bar.hidden():
                    yield first, future.result()
            elif item is _END:
                return


_END: Any = object()


class Bar:
    """A bar on standard error while it is a terminal, out of the way whenever something is printed."""

    WIDTH = 30

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._shown = total > 1 and sys.stderr.isatty()
        self._draw()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Make room for what is printed about one more item."""
        self._wipe()
        yield
        self._done += 1
        self._draw()

    def at(self, done: int) -> None:
        """Show that so many are done; with all of them the bar goes."""
        if done != self._done:
            self._done = done
            self._wipe()
            self._draw()

    def _wipe(self) -> None:
        if self._shown:
            tell("\r\x1b[2K", nl=False)

    def _draw(self) -> None:
        if self._shown and self._done < self._total:
            filled = self.WIDTH * self._done // self._total
            drawn = "█" * filled + "░" * (self.WIDTH - filled)
            tell(f"{self._label} {drawn} {self._done} of {self._total}", nl=False)
