"""What every test stands on: none sees the settings, the records or the locale of the person who runs it."""

import importlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

# On CI the examples are the same each run, so that a red run is the change's own fault; elsewhere they roam.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True, scope="session")
def _nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PEPFORMS_")]:
            patch.delenv(name)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Certification and time-stamp authorities of our own, answering on 127.0.0.1 (`authorities/authorities.py`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).with_name("authorities")))
        module = importlib.import_module("authorities")
    with module.Authorities(tmp_path_factory.mktemp("authorities")).serving() as made:
        yield made


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[ModuleType]:
    """PDFs as other systems make them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "foreign"))
        yield importlib.import_module("elsewhere")


def _of_postgres(program: str) -> str:
    """A program of PostgreSQL's server: on the PATH, or where Debian keeps the newest."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(program) or (str(kept[-1]) if kept else None)
    return found or pytest.fail(f"the program {program} is not on this machine; run `make test-tools`")


class Postgres:
    """A PostgreSQL of our own, behind a socket in a folder that goes with it. It may be killed and started again."""

    def __init__(self, home: Path) -> None:
        self._home, self._made = home, 0
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
        serve = [_of_postgres("postgres"), "-D", self._home / "data", "-k", self._home, "-c", "listen_addresses=", "-F"]
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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL of our own that serves."""
    home = Path(
        tempfile.mkdtemp(prefix="pepforms-postgres-")
    )  # a socket's path must be short, and its owner's to reach
    try:
        server = Postgres(home)
        server.start()
        yield server
        server.kill()
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres(postgres_server: Postgres) -> Callable[[], str]:
    """Each call gives the URL of a new database."""
    return postgres_server.new


@pytest.fixture(scope="session")
def _one_database(postgres: Callable[[], str]) -> str:
    return postgres()


@pytest.fixture
def postgresql(_one_database: str) -> Iterator[str]:
    """The URL of an empty database on PostgreSQL: the same each time, emptied, which costs less than a new one."""
    import psycopg

    yield _one_database
    with psycopg.connect(_one_database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        theirs = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
        for (schema,) in connection.execute(theirs).fetchall():
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE')
        connection.execute("CREATE SCHEMA public")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on each store in its turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'register.sqlite'}"
    url: str = request.getfixturevalue("postgresql")
    return url


@pytest.fixture
def register(database: str, tmp_path: Path) -> Iterator[Any]:
    """A register that holds nothing yet, on each store in its turn, its files beside it."""
    from pepforms.register.files import Files
    from pepforms.register.store import Register

    opened = Register(database, Files(tmp_path / "files"))
    yield opened
    opened.close()
