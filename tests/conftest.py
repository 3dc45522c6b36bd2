"""What every test stands on: none sees the settings, the records or the locale of the person who runs it."""

import importlib
import os
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def servers() -> Iterator[ModuleType]:
    """SFTP servers of our own (`deliver/servers.py`)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "deliver"))
        yield importlib.import_module("servers")
