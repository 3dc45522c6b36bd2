"""The command line in a process that kills itself, or what it started, at one exact step.

    python dying.py FILE:FUNCTION:call|return:COUNT:self|engine WORD…

At the COUNT-th call of that function, or return from it, in whatever thread, this process dies by SIGKILL, or its
engines do. It looks on as a debugger does: nothing of pepforms is changed.
"""

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType


def kill_engines() -> None:
    """Kill the processes that this one has started; threads and processes may end while we look."""
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            for pid in (thread / "children").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def watching(file: str, function: str, event: str, count: int, victim: str):
    """A trace function that strikes once."""
    left, lock = count, threading.Lock()

    def strike() -> None:
        nonlocal left
        with lock:
            left -= 1
            strikes = left == 0
        if strikes:
            if victim == "engine":
                kill_engines()
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def within(_: FrameType, happened: str, __: object) -> object:
        if happened == "return":
            strike()
        return within

    def look(frame: FrameType, _: str, __: object) -> object:
        code = frame.f_code
        if code.co_name != function or not code.co_filename.endswith(file):
            return None
        if event == "call":
            strike()
            return None
        frame.f_trace_lines = False
        return within

    return look


if __name__ == "__main__":
    file, function, event, count, victim = sys.argv[1].split(":")
    from pepforms.cli import main  # before we look on, which makes everything slower

    look = watching(file, function, event, int(count), victim)
    threading.settrace(look)
    sys.settrace(look)
    sys.argv = ["pepforms", *sys.argv[2:]]
    main()
