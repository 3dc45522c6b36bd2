"""The command line in a process that kills itself, or what it started, at one exact step.

    python dying.py FILE:FUNCTION:call|return:COUNT:self|engine WORD…

At the COUNT-th call of that function, or return from it, in whatever thread, this process dies by SIGKILL, or its
engines do. It looks on as a debugger does: nothing of pepforms is changed.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType


def engines() -> list[int]:
    """The processes that this one has started."""
    task = Path("/proc/self/task")
    return [int(pid) for thread in task.iterdir() for pid in (thread / "children").read_text().split()]


def watching(file: str, function: str, event: str, count: int, victim: str):
    """A trace function that strikes once."""
    left, lock = count, threading.Lock()

    def strike() -> None:
        nonlocal left
        with lock:
            left -= 1
            strikes = left == 0
        if strikes:
            for pid in [os.getpid()] if victim == "self" else engines():
                os.kill(pid, signal.SIGKILL)

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
