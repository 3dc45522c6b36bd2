"""The destinations that the operator named in the settings, each `[deliver.NAME]`."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pepforms import naming
from pepforms.deliver import Destination
from pepforms.deliver.folder import Folder
from pepforms.deliver.sftp import Sftp
from pepforms.errors import Misconfigured
from pepforms.naming import By
from pepforms.settings import Settings

_NEEDED = {"folder": ("path",), "sftp": ("host", "user", "key_file", "known_hosts")}
"""Of each kind of destination, what must be set."""


@dataclass(frozen=True, slots=True)
class Named:
    """A destination by its name, and whether it has a folder for each social worker or team."""

    name: str
    by: By | None
    engine: Folder | Sftp

    def opened(self) -> AbstractContextManager[Destination]:
        """The destination, open for as long as a `with` block lasts; what cannot be opened says why."""
        return self.engine.opened()

    def name_for(self, filename: str, *, social_worker: str, team: str) -> str:
        """The name under which a record goes there: `DM-3fa2/900005_PEP_….pdf` where each has a folder."""
        if self.by is None:
            return filename
        return f"{naming.folder(self.by, social_worker=social_worker, team=team)}/{filename}"


def read(settings: Settings) -> dict[str, Named]:
    """Every destination by its name; Misconfigured names the setting that is missing or wrong."""
    return {name: _named(_Table(name, settings)) for name in settings.destinations}


@dataclass(frozen=True, slots=True)
class _Table:
    """The settings of one destination."""

    name: str
    settings: Settings

    def __getitem__(self, key: str) -> str:
        return self.settings[f"deliver.{self.name}.{key}"]

    def bad(self, key: str, what: str) -> Misconfigured:
        return Misconfigured(f"The setting deliver.{self.name}.{key} {what}.", slug="bad-setting")


def _named(table: _Table) -> Named:
    kind, by = table["kind"], next((by for by in get_args(By) if by == table["by"]), None)
    if kind not in _NEEDED:
        raise table.bad("kind", f"must be one of: {', '.join(_NEEDED)}")
    for key in _NEEDED[kind]:
        if not table[key]:
            raise table.bad(key, "is missing")
    if table["by"] and not by:
        raise table.bad("by", f"must be one of: {', '.join(get_args(By))}; or empty")
    return Named(table.name, by, _folder(table) if kind == "folder" else _sftp(table))


def _folder(table: _Table) -> Folder:
    path = Path(table["path"])
    if not path.is_absolute():  # a service and a command start in folders of their own
        raise table.bad("path", "must begin at the root, as /mnt/lcs/in does")
    return Folder(path)


def _sftp(table: _Table) -> Sftp:
    port = table["port"]
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise table.bad("port", "must be a number from 1 to 65535")
    return Sftp(
        host=table["host"],
        port=int(port),
        user=table["user"],
        path=table["path"],
        key_file=Path(table["key_file"]),
        passphrase_file=Path(table["passphrase_file"]) if table["passphrase_file"] else None,
        known_hosts=Path(table["known_hosts"]),
    )
