"""Tiny engines that hang, die, swell and garble on purpose. Each is started in a worker process."""

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pepforms.errors import Misconfigured, Refused
from pepforms.workers import Handler


class Unpicklable:
    """What cannot cross to another process."""

    def __reduce__(self) -> Any:
        raise TypeError("not me: Quill Testchild")


class PoisonedPickle:
    """What leaves the process whole and cannot be made again in another."""

    def __reduce__(self) -> Any:
        return int, ("Quill Testchild",)


class Stubborn(Refused):
    """An error of ours that holds what cannot cross."""

    def __init__(self) -> None:
        super().__init__("No.", slug="no")
        self.thing = Unpicklable()


def start() -> Handler:
    """An engine whose jobs are the name of what to do, and with what."""
    return lambda job: globals()[job[0]](job[1])


def echo(said: Any) -> Any:
    return said


def pid(_: Any) -> int:
    return os.getpid()


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def hang(_: Any) -> None:
    """Sleep without letting go of the interpreter, as a native engine does: no other thread of the process runs."""
    ctypes.PyDLL(None).sleep(600)


def die(_: Any) -> None:
    os.abort()


def hang_once(mark: str) -> str:
    return mark if _done_before(mark) else str(hang(None))


def die_once(mark: str) -> str:
    return mark if _done_before(mark) else str(die(None))


def _done_before(mark: str) -> bool:
    done = Path(mark).exists()
    Path(mark).touch()
    return done


def hang_with_a_child(note: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    whole = Path(note).with_suffix(".part")
    whole.write_text(f"{os.getpid()} {child.pid}")
    whole.rename(note)
    hang(None)


_kept: list[bytes] = []


def swell(size: int) -> int:
    _kept.append(b"x" * size)
    return os.getpid()


def unpicklable(_: Any) -> Unpicklable:
    return Unpicklable()


def poisoned(_: Any) -> PoisonedPickle:
    return PoisonedPickle()


def stubborn(_: Any) -> None:
    raise Stubborn


def refuse(words: str) -> None:
    raise Refused(words, slug="refused-here")


def fail(words: str) -> None:
    raise ValueError(words)


def chatter(words: str) -> None:
    sys.stdout.write(words)
    os.write(1, words.encode())
    os.write(2, words.encode())


def never_starts() -> Handler:
    """An engine that dies while starting."""
    os._exit(1)


def fails_to_start() -> Handler:
    """An engine whose library is broken."""
    raise ImportError("cannot load for Quill Testchild")


def not_set_up() -> Handler:
    """An engine that says what it lacks."""
    raise Misconfigured("No Java here.", slug="no-java")


def hangs_at_start(note: str) -> Handler:
    """An engine that never says it is ready."""
    hang_with_a_child(note)
    return echo
