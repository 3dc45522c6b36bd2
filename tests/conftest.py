"""What every test stands on: none sees the settings, the records or the locale of the person who runs it."""

import importlib
import os
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

LONG = (
    "readme",
    "cli",
    "stamping",
    "convert",
    "trial",
    "register_cli",
    "leaks",
    "filing",
    "pipeline",
    "loss",
    "drawn",
    "rules",
    "verification",
    "hostile",
)
"""The files that take longest. They are begun first, so that no worker is left alone with one of them at the end."""

JAVA_TOOL_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For the many judges that tests start for a few PDFs each: what Java compiles for long work costs more than it saves
before some 60 PDFs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"test_{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONG)))


@pytest.fixture(autouse=True, scope="session")
def _nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PEPFORMS_")]:
            patch.delenv(name)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("JAVA_TOOL_OPTIONS", JAVA_TOOL_OPTIONS)
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
def judge() -> Iterator[Any]:
    """veraPDF, warm: each new one takes seconds to start and to come up to speed."""
    from pepforms.archive.pdfa import Judge

    assert Judge.missing() is None
    made = Judge()
    yield made
    made.close()


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[ModuleType]:
    """PDFs as other systems make them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "foreign"))
        yield importlib.import_module("elsewhere")


@pytest.fixture(scope="session")
def servers() -> Iterator[ModuleType]:
    """SFTP servers of our own (`deliver/servers.py`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "deliver"))
        yield importlib.import_module("servers")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL of our own that serves (`servers/postgres.py`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).with_name("servers")))
        module = importlib.import_module("postgres")
    with module.serving() as server:
        yield server


@pytest.fixture(scope="session")
def postgres(postgres_server: Any) -> Callable[[], str]:
    """Each call gives the URL of a new database."""
    new: Callable[[], str] = postgres_server.new
    return new


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
