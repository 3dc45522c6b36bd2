"""Work over many files: a few at once, in order, under a progress bar; one bad file never stops the rest."""

import itertools
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from pepforms import files, forms, naming, pipeline, report
from pepforms.archive import manifest
from pepforms.errors import Broken, PepformsError, Refused
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
        click.echo(f"{source}: {error}", err=True)
        for problem in error.problems if isinstance(error, Refused) else ():
            if problem.severity == "blocks":
                click.echo(report.problem_text(problem.as_json()), err=True)

    @property
    def exit_code(self) -> int:
        """Of all that went wrong, the code of whoever must act first."""
        return worst(self.codes)


def worst(codes: Iterable[int]) -> int:
    """The exit code that counts among several."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), 0)


def records(
    wiring: Wiring, found: Iterable[Source], out: Path, *, total: int, force: bool
) -> Iterator[tuple[Source, Path | PepformsError]]:
    """Make the record of each source; a record that is there already, holds and embeds the same data is left alone."""
    form = forms.named("pep")

    def recorded(source: Source) -> Path:
        pep, _ = pipeline.checked(read(source), "record", wiring.profile)
        path = out / naming.record(pep)
        there = path.read_bytes() if path.exists() else None
        record = pipeline.archive(pep, form, wiring, there)
        files.write(path, record.document.data, force=force)
        manifest.add(out, [record.row])
        return path

    return each(found, recorded, "Sealing records", total=total)


def show(results: Iterable[tuple[Source, Path | PepformsError]]) -> int:
    """Print the path of each file made; say of each that was not, why."""
    failures = Failures()
    for source, result in results:
        if isinstance(result, PepformsError):
            failures.add(source.name, result)
        else:
            click.echo(result)
    return failures.exit_code


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
            return Broken(f"pepforms failed by its own fault ({type(error).__name__}). Please report it.", slug="bug")

    bar = _Bar(label, total)
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


class _Bar:
    """A bar on standard error while it is a terminal, out of the way whenever something is printed."""

    WIDTH = 30

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._shown = total > 1 and sys.stderr.isatty()
        self._draw()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Make room for what is printed about one more item."""
        if self._shown:
            click.echo("\r\x1b[2K", nl=False, err=True)
        yield
        self._done += 1
        self._draw()

    def _draw(self) -> None:
        if self._shown and self._done < self._total:
            filled = self.WIDTH * self._done // self._total
            drawn = "█" * filled + "░" * (self.WIDTH - filled)
            click.echo(f"{self._label} {drawn} {self._done} of {self._total}", nl=False, err=True)
