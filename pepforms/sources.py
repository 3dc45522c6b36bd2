"""Where PEPs are read from: a JSON file, a `.jsonl` file, a directory of both, or standard input."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pepforms.check.reading import LARGEST
from pepforms.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Source:
    """One PEP as bytes, and where it came from: a path, `file.jsonl#12` for a line, `-` for standard input.

    `error` instead of bytes where the path could not be read; the others go on.
    """

    name: str
    data: bytes = b""
    error: Unreadable | None = None


def read(paths: Iterable[str]) -> Iterator[Source]:
    """Every PEP under the paths, one after the other, so that many cost no more memory than one."""
    for path in paths:
        try:
            yield from _from(path)
        except OSError as error:
            yield _unreadable(path, error)


def again(name: str) -> Source:
    """The source of that name, read once more; where it cannot be, its `error` says why."""
    if name == "-":
        return _not_again(name, "Standard input cannot be read again: give what it held to a new batch run.")
    there = os.path.exists(name)
    path = name if there else name.rpartition("#")[0]
    for source in read([path] if path else ()):
        if source.name == name:
            return source
    if there:  # a folder, or a file of many lines, of which there was nothing to be read
        return _not_again(name, f"{name} holds PEPs by now that it did not hold before: they must be asked for anew.")
    return _not_again(name, f"{name} cannot be read again: it is not there any more.")


def _not_again(name: str, why: str) -> Source:
    return Source(name, error=Unreadable(why, slug="unreadable-path"))


def count(paths: Iterable[str]) -> int:
    """How many sources `read` will give, for a progress bar."""
    total = 0
    for path in paths:
        if os.path.isdir(path):
            files, closed = _in(path)
            total += (count(files) + len(closed)) or 1
        elif path.endswith(".jsonl") and os.path.isfile(path):
            total += _count_lines(path) or 1
        else:
            total += 1
    return total


def _from(path: str) -> Iterator[Source]:
    if path == "-":
        yield _given(path, sys.stdin.buffer if sys.stdin else None)
    elif os.path.isdir(path):
        yield from _in_folder(path)
    elif not stat.S_ISREG(os.stat(path).st_mode) and path.endswith((".json", ".jsonl")):
        yield Source(path, error=Unreadable(f"{path} is not a file that can be read.", slug="unreadable-path"))
    elif path.endswith(".jsonl"):
        yield from _lines(path)
    else:
        with Path(path).open("rb") as file:
            yield _given(path, file)


def _given(path: str, file: BinaryIO | None) -> Source:
    """What the file holds. One byte more than may be read is enough for the check to say that it is too large."""
    data = file.read(LARGEST + 1) if file else b""
    if not data:
        name = "Standard input" if path == "-" else path
        return Source(path, error=Unreadable(f"{name} holds nothing to read.", slug="nothing-to-read"))
    return Source(path, data)


def _in_folder(path: str) -> Iterator[Source]:
    files, closed = _in(path)
    for error in closed:
        yield _unreadable(str(error.filename), error)
    if not files and not closed:
        yield Source(path, error=Unreadable(f"{path} holds no .json or .jsonl file.", slug="nothing-to-read"))
    yield from read(files)


def _in(folder: str) -> tuple[list[str], list[OSError]]:
    """The PEP files of a folder and its sub-folders, and the sub-folders that cannot be opened."""
    closed: list[OSError] = []
    files = [
        os.path.join(place, name)
        for place, _, names in os.walk(folder, onerror=closed.append)
        for name in names
        if name.endswith((".json", ".jsonl"))
    ]
    return sorted(files), closed


def _lines(path: str) -> Iterator[Source]:
    empty = True
    with Path(path).open("rb") as file:
        for number, line in enumerate(_each_line(file), 1):
            if line.strip():
                empty = False
                yield Source(f"{path}#{number}", line)
    if empty:
        yield Source(path, error=Unreadable(f"{path} holds no line to read.", slug="nothing-to-read"))


def _each_line(file: BinaryIO) -> Iterator[bytes]:
    """Each line, of one that is too long no more than shows that it is, so that memory stays small."""
    while line := file.readline(LARGEST + 1):
        yield line
        while line and not line.endswith(b"\n"):
            line = file.readline(LARGEST)


def _count_lines(path: str) -> int:
    with Path(path).open("rb") as file:
        return sum(1 for line in _each_line(file) if line.strip())


def _unreadable(path: str, error: OSError) -> Source:
    reason = os.strerror(error.errno or 0).lower()
    return Source(path, error=Unreadable(f"{path} cannot be read: {reason}.", slug="unreadable-path"))
