"""Supervised processes: engines that may hang, crash or swell do their work in a process that can be killed.

A `Pool` keeps up to `size` spawned processes. Each does one job at a time over a pipe, under a deadline that starts
when the job does, not while it waits. A process that dies or overruns is killed with its whole group and replaced;
the job is tried once more, then refused. A process is also replaced after `recycle_after` jobs or once it has used
more than `recycle_at` bytes, since engines swell.
"""

import atexit
import multiprocessing
import os
import pickle
import queue
import resource
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from pepforms.errors import Broken, PepformsError, Refused, Unavailable

Handler = Callable[[Any], Any]
"""What a worker does with one job; it lives in the worker process and may keep state between jobs."""

START_SECONDS = 60
"""A process that has not said it is ready by then is given up: the slowest engine, a JVM, takes 3 s on a busy core."""


class _Lost(Exception):
    """The process died or passed its deadline in the middle of a job."""


class _Process:
    """One spawned process and our end of its pipe."""

    def __init__(self, start: Callable[..., Handler], args: tuple[Any, ...]) -> None:
        # spawn, never fork: a forked child inherits locks held by threads that do not exist in it.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, start, args), daemon=True)
        self._process.start()
        theirs.close()
        self.jobs = 0
        self.used_bytes = 0
        self._receive(START_SECONDS)

    def do(self, job: Any, deadline: float) -> Any:
        self.jobs += 1
        try:
            self._pipe.send(job)
        except OSError as gone:
            raise _Lost from gone
        answer, self.used_bytes = self._receive(deadline)
        if isinstance(answer, PepformsError):
            raise answer
        return answer

    def _receive(self, seconds: float) -> Any:
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv()
        except (EOFError, OSError, pickle.UnpicklingError) as gone:
            raise _Lost from gone
        raise _Lost

    def kill(self) -> None:
        """End the process and everything that it started."""
        if self._process.pid is not None:
            for end in (os.killpg, os.kill):  # no group of its own yet: it was killed before it could make one
                try:
                    end(self._process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        self._process.join()
        self._pipe.close()


class Pool:
    """Processes that all run `start(*args)` once and then its handler on every job, as many at once as `size`."""

    def __init__(
        self,
        start: Callable[..., Handler],
        *args: Any,
        name: str,
        size: int,
        deadline: float,
        recycle_after: int = 500,
        recycle_at: int = 1 << 30,
    ) -> None:
        self._start, self._args, self._name = start, args, name
        self._deadline, self._recycle_after, self._recycle_at = deadline, recycle_after, recycle_at
        self._places: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(size):
            self._places.put(None)
        self._running: set[_Process] = set()
        self._lock = threading.Lock()
        atexit.register(self.close)

    def do(self, job: Any, *, about: str) -> Any:
        """The handler's answer to `job`; `about` names the job in an error and holds no personal data.

        A job that loses its process twice is refused (slug `worker-lost`); an engine that cannot start is unavailable.
        """
        for _ in range(2):
            process = self._places.get()
            try:
                process = process or self._started()
                answer = process.do(job, self._deadline)
            except _Lost:
                process = self._ended(process)
                continue
            except PepformsError:
                raise
            except BaseException:  # interrupted: its answer, still to come, must never be taken for another job's
                process = self._ended(process)
                raise
            finally:
                self._places.put(self._kept(process))
            return answer
        raise Refused(
            f"{about}: {self._name} did not finish within {self._deadline:g} seconds, or died, twice over. "
            "This document is left out; the others go on.",
            slug="worker-lost",
        )

    def close(self) -> None:
        """End every process; a later job starts new ones."""
        with self._lock:
            running, self._running = self._running, set()
        for process in running:
            process.kill()

    def _started(self) -> _Process:
        try:
            process = _Process(self._start, self._args)
        except (_Lost, OSError) as failed:
            raise Unavailable(f"{self._name} could not be started. Try again later.", slug="engine-away") from failed
        with self._lock:
            self._running.add(process)
        return process

    def _kept(self, process: _Process | None) -> _Process | None:
        if process and (process.jobs >= self._recycle_after or process.used_bytes > self._recycle_at):
            return self._ended(process)
        return process

    def _ended(self, process: _Process | None) -> None:
        if process:
            with self._lock:
                self._running.discard(process)
            process.kill()


def _serve(pipe: Connection, start: Callable[..., Handler], args: tuple[Any, ...]) -> None:
    """The life of a worker process: start once, then answer jobs until the pipe closes."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    handle = start(*args)
    pipe.send("ready")
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send((_answer(handle, job), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


def _answer(handle: Handler, job: Any) -> Any:
    try:
        return handle(job)
    except PepformsError as error:
        return error
    except Exception as error:  # an engine's own bug; its text may quote the document, so only its kind is told
        return Broken(f"An engine failed unexpectedly ({type(error).__name__}).", slug="engine-failed")
