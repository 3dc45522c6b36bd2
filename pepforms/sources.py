"""Where PEPs are read from: a JSON file, a `.jsonl` file, a directory of both, or standard input."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
            reason = os.strerror(error.errno or 0).lower()
            yield Source(path, error=Unreadable(f"{path} cannot be read: {reason}.", slug="unreadable-path"))


def count(paths: Iterable[str]) -> int:
    """How many sources `read` will give, for a progress bar."""
    total = 0
    for path in paths:
        if os.path.isdir(path):
            total += count(_files(path)) or 1
        elif path.endswith(".jsonl") and os.path.isfile(path):
            with Path(path).open("rb") as file:
                total += sum(1 for line in file if line.strip()) or 1
        else:
            total += 1
    return total


def _from(path: str) -> Iterator[Source]:
    if path == "-":
        yield Source("-", sys.stdin.buffer.read(LARGEST + 1))
    elif os.path.isdir(path):
        yield from _in_folder(path)
    elif path.endswith(".jsonl"):
        yield from _lines(path)
    else:
        with Path(path).open("rb") as file:
            # One byte more than may be read is enough for the check to say that it is too large.
            yield Source(path, file.read(LARGEST + 1))


def _in_folder(path: str) -> Iterator[Source]:
    found = _files(path)
    if not found:
        yield Source(path, error=Unreadable(f"{path} holds no .json or .jsonl file.", slug="nothing-to-read"))
    yield from read(found)


def _files(folder: str) -> list[str]:
    return sorted(str(file) for file in Path(folder).rglob("*.json*") if file.suffix in (".json", ".jsonl"))


def _lines(path: str) -> Iterator[Source]:
    empty = True
    with Path(path).open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LARGEST + 1), b""), 1):
            if line.strip():
                empty = False
                yield Source(f"{path}#{number}", line)
    if empty:
        yield Source(path, error=Unreadable(f"{path} holds no line to read.", slug="nothing-to-read"))
