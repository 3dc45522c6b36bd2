"""An OpenSSH server of our own on this computer, and a line to it that can be stalled."""

import contextlib
import functools
import getpass
import os
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pepforms.deliver.sftp import Sftp

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or "sshd"
PATIENCE = 20.0
"""Where nothing is meant to be slow, however busy the machine is."""


class Server:
    """One sshd, for the user who runs the tests, with SFTP alone; `root` is the folder that its destinations have."""

    def __init__(self, folder: Path, *, subsystem: str) -> None:
        self._folder, self._subsystem = folder, subsystem
        self.root = folder / "in"
        self.root.mkdir(parents=True)
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._kept: socket.socket | None = None
        self.key, self.host_key = key(folder / "key"), key(folder / "host-key")
        shutil.copy(f"{self.key}.pub", folder / "authorized")

    def start(self) -> None:
        """Start it, again on the port that it had before."""
        self.stop()
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
            pam = "no"
        else:  # who cannot see whether their own account is locked, but PAM can
            pam = "yes"
        self.port = self.port or free_port()
        (self._folder / "config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\n"
            f"HostKey {self.host_key}\n"
            f"AuthorizedKeysFile {self._folder / 'authorized'}\n"
            f"StrictModes no\nPidFile none\nUsePAM {pam}\nPermitRootLogin prohibit-password\nLogLevel ERROR\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"Subsystem {self._subsystem} -d {self._folder}\n"
        )
        with (self._folder / "log").open("ab") as log:
            # With the signals as Python has them: a file that grows too large is an error then, not the end.
            command = [SSHD, "-D", "-e", "-f", self._folder / "config"]
            self._process = subprocess.Popen(command, stderr=log, restore_signals=False)
        deadline = time.monotonic() + 10
        while not _answers(self.port):
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, and every login with it; its port is kept, so that nobody else answers there meanwhile."""
        self.stop()
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind(("127.0.0.1", self.port))

    def stop(self) -> None:
        """End it, and give its port back."""
        if self._kept:
            self._kept.close()
            self._kept = None
        if self._process:
            for process in [self._process.pid, *self.logins()]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def logins(self) -> list[int]:
        """The processes of those who are logged in."""
        assert self._process
        return _below(self._process.pid)

    def fill(self, most: int) -> None:
        """Let no file have more bytes than that, as a full disk would, until the server is started again."""
        assert self._process
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (most, most))

    def account(self, port: int = 0, **other: Any) -> Sftp:
        """Our account there, by way of that port."""
        known = self._folder / f"known-{port}"
        known.write_text(f"[127.0.0.1]:{port or self.port} {public(self.host_key)}\n")
        given = {"path": str(self.root), "key_file": self.key, "known_hosts": known, "patience": PATIENCE} | other
        return Sftp(
            host="127.0.0.1",
            port=port or self.port,
            user=getpass.getuser(),
            **{"passphrase_file": None, **given},
        )


@contextlib.contextmanager
def serving(folder: Path, *, subsystem: str = "sftp internal-sftp") -> Iterator[Server]:
    """A server, running until the block ends."""
    server = Server(folder, subsystem=subsystem)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Line:
    """A way to a port that forwards until so many bytes have gone there, and then nothing in either direction."""

    def __init__(self, target: int, stall_after: int) -> None:
        self._target, self._left = target, stall_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.stalled = threading.Event()
        self._sockets: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []

    def _spawn(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [here, there]
                self._spawn(self._forward, here, there)
                self._spawn(self._back, there, here)

    def _forward(self, here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self._left > 0 and (data := here.recv(min(self._left, 65536))):
                there.sendall(data)
                self._left -= len(data)
            if self._left <= 0:
                self.stalled.set()

    def _back(self, there: socket.socket, here: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a server that is killed with bytes unread resets the line
            while data := there.recv(65536):
                if not self.stalled.is_set():
                    here.sendall(data)
        with contextlib.suppress(OSError):
            here.shutdown(socket.SHUT_RDWR)  # the server is gone, and that is heard

    @classmethod
    @contextlib.contextmanager
    def to(cls, port: int, *, stall_after: int) -> "Iterator[Line]":
        """A line to that port, there until the block ends."""
        line = cls(port, stall_after)
        line._spawn(line._accept)
        try:
            yield line
        finally:
            for each in line._sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            for thread in line._threads:
                thread.join()


def key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A private key; the public one lies beside it."""
    size = ["-b", "2048"] if kind == "rsa" else []  # larger ones take seconds to find
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", passphrase, "-C", "", "-f", path], check=True)
    return path


def public(key: Path) -> str:
    """The public half of a key."""
    return Path(f"{key}.pub").read_text().strip()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


def _below(process: int) -> list[int]:
    """The processes that this one has started, and those that they have."""
    parents = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(each.parent.name)] = int(each.read_text().rpartition(") ")[2].split()[1])
    children = [child for child, parent in parents.items() if parent == process]
    return functools.reduce(lambda found, child: found + _below(child), children, children)
