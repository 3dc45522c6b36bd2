"""Supervised processes: engines that may hang, crash or swell do their work in a process that can be killed.

A `Pool` keeps up to `size` processes. Each does one job at a time over a pipe, under a deadline that starts when the
job does, not while it waits. A process that dies or overruns is killed with its whole group and replaced; the job is
tried once more, then refused. A process is also replaced after `recycle_after` jobs or once it holds more than
`recycle_at` bytes, since engines swell; with `most_bytes` the kernel gives it no more memory than that, for the
reading of files that may be hostile.

The processes are fresh interpreters, never forks (a fork inherits locks held by threads that do not exist in it), and
never run the main script again, so they start from a console script, a notebook or a pipe alike. They outlive their
parent by no moment, however it ends: the kernel itself kills them, even in the middle of an engine that never returns.
"""

import atexit
import fcntl
import os
import pickle
import queue
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pepforms.errors import Broken, PepformsError, Refused, Unavailable

Handler = Callable[[Any], Any]
"""What a worker does with one job; it lives in the worker process and may keep state between jobs."""

START_SECONDS = 60.0
"""A process that has not said it is ready by then is given up: the slowest engine, a JVM, takes 3 s on a busy core."""

_BOOT = """\
import sys
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
sys.path[:] = pipe.recv()
from pepforms.workers import serve
serve(pipe)
"""
"""All that a worker process is told on its command line; the rest comes through the pipe."""


def cores() -> int:
    """How many processes may work at once: the cores that are ours, fewer than the machine's in a container."""
    return len(os.sched_getaffinity(0))


class _Lost(Exception):
    """The process died or passed its deadline in the middle of a job."""


class _Process:
    """One worker process and our end of its pipe."""

    def __init__(self, start: Callable[..., Handler], args: tuple[Any, ...], most_bytes: int | None) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # never written to: it closes when we end, which `_die_with_parent` waits for
                stdout=subprocess.DEVNULL,  # engines chatter, and may quote the document
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.jobs = 0
        self.used_bytes = 0
        try:
            self._ask((sys.path, (start, args, most_bytes)), START_SECONDS)
        except BaseException:
            self.kill()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def do(self, job: Any, deadline: float) -> Any:
        """The answer to one job; an error of ours that the handler raised is raised again here."""
        self.jobs += 1
        return self._ask((job,), deadline)

    def _ask(self, messages: tuple[Any, ...], seconds: float) -> Any:
        # A timer that kills also ends what no poll could: a write that is never read, an answer that stops half-way.
        overrun = threading.Timer(seconds, self._end)
        overrun.daemon = True
        overrun.start()
        try:
            for message in messages:
                self._pipe.send(message)
            received = self._pipe.recv_bytes()
        except (EOFError, OSError) as gone:
            raise _Lost from gone
        finally:
            overrun.cancel()
        answer, self.used_bytes = _unpickled(received)
        if isinstance(answer, PepformsError):
            raise answer
        return answer

    def kill(self) -> None:
        """End the process and everything that it started."""
        self._end()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def _end(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:  # all ended already
            return


def _unpickled(received: bytes) -> Any:
    try:
        return pickle.loads(received)  # noqa: S301  from our own process
    except Exception as error:
        raise _failed(error) from error


def _failed(error: BaseException) -> Broken:
    """An engine's own bug; its text may quote the document, so only its kind is told."""
    return Broken(f"An engine failed unexpectedly ({type(error).__name__}).", slug="engine-failed")


class Pool:
    """Processes that all run `start(*args)` once and then its handler on every job, as many at once as `size`.

    `start`, jobs and answers cross by pickle: `start` is a function of a module that can be imported.
    """

    def __init__(
        self,
        start: Callable[..., Handler],
        *args: Any,
        name: str,
        size: int,
        deadline: float,
        recycle_after: int = 500,
        recycle_at: int = 1 << 30,
        most_bytes: int | None = None,
    ) -> None:
        self._start, self._args, self._name = start, args, name
        self._deadline, self._recycle_after, self._recycle_at = deadline, recycle_after, recycle_at
        self._most_bytes = most_bytes
        self._places: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(size):
            self._places.put(None)
        self._running: set[_Process] = set()
        self._lock = threading.Lock()
        atexit.register(self.close)

    def do(self, job: Any, *, about: str, deadline: float | None = None) -> Any:
        """The handler's answer to `job`; `about` names the job in an error and holds no personal data.

        A job may have a deadline of its own. One that loses its process twice is refused (slug `worker-lost`); an
        engine that cannot start is unavailable.
        """
        seconds = deadline or self._deadline
        for _ in range(2):
            process = self._places.get()
            try:
                process = self._ready(process)
                answer = process.do(job, seconds)
            except _Lost:
                self._ended(process)
                continue
            except PepformsError:
                raise
            except BaseException:  # interrupted: its answer, still to come, must never be taken for another job's
                self._ended(process)
                raise
            finally:
                self._places.put(process)
            return answer
        raise Refused(
            f"{about}: {self._name} did not finish within {seconds:g} seconds, or died, twice over. "
            "This document is left out; the others go on.",
            slug="worker-lost",
        )

    def close(self) -> None:
        """End every process; a later job starts new ones."""
        with self._lock:
            running, self._running = self._running, set()
        for process in running:
            process.kill()

    def _ready(self, process: _Process | None) -> _Process:
        """The process if it may take a job, else a new one in its place: dying idle is no fault of the next job's."""
        if process and process.alive and process.jobs < self._recycle_after and process.used_bytes < self._recycle_at:
            return process
        self._ended(process)
        try:
            process = _Process(self._start, self._args, self._most_bytes)
        except (_Lost, OSError) as failed:
            raise Unavailable(f"{self._name} could not be started. Try again later.", slug="engine-away") from failed
        with self._lock:
            self._running.add(process)
        return process

    def _ended(self, process: _Process | None) -> None:
        if process:
            with self._lock:
                self._running.discard(process)
            process.kill()


def calls() -> Handler:
    """What a worker does that reads what others sent: a job is a function that can be imported, and its arguments."""
    return lambda job: job[0](*job[1:])


# --- in the worker process -------------------------------------------------------------------------------------------


def serve(pipe: Connection) -> None:
    """The life of a worker process: start once, then answer jobs until the pipe closes."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start, args, most_bytes = pipe.recv()
        handle = start(*args)
        if most_bytes:
            resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    except PepformsError as error:
        pipe.send((error, 0))
        return
    pipe.send((None, 0))
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        answer = _answer(handle, job)
        try:
            pipe.send((answer, _resident_bytes()))
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError, ValueError) as error:
            pipe.send((_failed(error), _resident_bytes()))


def _answer(handle: Handler, job: Any) -> Any:
    try:
        return handle(job)
    except PepformsError as error:
        return error
    except MemoryError:
        return Refused("It takes more memory to read than any document does. It is left out.", slug="too-much-memory")
    except Exception as error:  # noqa: BLE001  whatever an engine raises, the process goes on
        return _failed(error)


def _die_with_parent() -> None:
    """Have the kernel kill this process and its children when standard input closes, as it does when the parent ends.

    A thread that watches for it would never run while an engine holds the interpreter lock.
    """
    if not hasattr(fcntl, "F_SETSIG"):  # not Linux: the worker ends when it next looks for a job
        return
    fcntl.fcntl(0, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(0, fcntl.F_SETFL, os.O_ASYNC)
    os.set_blocking(0, False)
    try:
        if os.read(0, 1) == b"":  # the parent has ended before we could ask
            os._exit(1)
    except BlockingIOError:
        return


def _resident_bytes() -> int:
    """The memory that this process holds now. The peak that the kernel keeps would count the parent's, taken over."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
