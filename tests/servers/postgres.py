"""A PostgreSQL of our own, for tests and benchmarks."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def _of_postgres(program: str) -> str:
    """A program of PostgreSQL's server: on the PATH, or where Debian keeps the newest."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(program) or (str(kept[-1]) if kept else None)
    if not found:
        raise FileNotFoundError(f"the program {program} is not on this machine; run `make test-tools`")
    return found


class Postgres:
    """A PostgreSQL of our own, behind a socket in a folder that goes with it. It may be killed and started again.

    Unless it is to be durable it spares the disk: what it has committed is lost where the machine itself goes down.
    """

    def __init__(self, home: Path, *, durable: bool = False) -> None:
        self._home, self._made = home, 0
        self._quick = [] if durable else ["-F"]
        root = os.getuid() == 0  # whom PostgreSQL refuses to serve
        nobody = pwd.getpwnam("nobody")
        self._owner: dict[str, Any] = (
            {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if root else {}
        )
        if root:
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
        quick = ["--no-sync", "--auth=trust", "--username=pepforms", "--encoding=UTF8", "--locale=C"]
        initdb = [_of_postgres("initdb"), "--pgdata", home / "data", *quick]
        subprocess.run(initdb, cwd=home, check=True, stdout=subprocess.DEVNULL, **self._owner)

    def start(self) -> None:
        """Serve, until `kill`."""
        serve = [_of_postgres("postgres"), "-D", self._home / "data", "-k", self._home, "-c", "listen_addresses="]
        serve += self._quick
        with (self._home / "log").open("ab") as log:
            self._server = subprocess.Popen(serve, cwd=self._home, stdout=log, stderr=log, **self._owner)
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self._server.poll() is None, (self._home / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def kill(self) -> None:
        """End at once, as in a crash: whatever is going on is lost."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(timeout=30)

    def new(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        with self._connected() as connection:
            connection.execute(f"CREATE DATABASE test{self._made}")
        return f"postgresql://pepforms@/test{self._made}?host={self._home}"

    def _answers(self) -> bool:
        import psycopg

        try:
            self._connected().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connected(self) -> Any:
        import psycopg

        return psycopg.connect(host=str(self._home), user="pepforms", dbname="postgres", autocommit=True)


@contextlib.contextmanager
def serving(*, durable: bool = False) -> Iterator[Postgres]:
    """A server that serves, and goes with all that it holds."""
    home = Path(tempfile.mkdtemp(prefix="pepforms-postgres-"))  # a socket's path must be short
    try:
        server = Postgres(home, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(home)
