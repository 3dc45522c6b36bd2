"""Settings: read once, from `pepforms.toml` and the environment, frozen and handed down.

The file is `$PEPFORMS_CONFIG`, else `$PEPFORMS_HOME/pepforms.toml`; `[seal] key_file` is also `PEPFORMS_SEAL_KEY_FILE`,
which wins. Secrets come from files, never from a setting itself. The operator names the destinations, each in a table
of its own: `[deliver.NAME]`.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pepforms.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key in the file, what holds when it is not given, and what it means."""

    key: str
    default: str
    meaning: str

    @property
    def variable(self) -> str:
        """Its name in the environment: `seal.key_file` is `PEPFORMS_SEAL_KEY_FILE`."""
        return "PEPFORMS_" + re.sub("[.-]", "_", self.key).upper()


KNOWN = (
    Setting("profile", "hillingdon", "the authority's profile: a name in schemas/profiles, or a path"),
    Setting("archive.validate", "every", "every: veraPDF judges each record where a JRE is found; off: none"),
    Setting("archive.standard", "3a", "3a: a record carries its data; 2a: its data lies beside it"),
    Setting("confirmations.file", "", "in LCS's own list, the column with the name of the file"),
    Setting("confirmations.sha256", "", "in LCS's own list, the column with the SHA-256 of the file"),
    Setting("confirmations.lcs_person_id", "", "in LCS's own list, the column with the child's LCS number"),
    Setting("confirmations.meeting_date", "", "in LCS's own list, the column with the day of the meeting"),
    Setting("confirmations.confirmed_at", "", "in LCS's own list, the column that says since when the file is there"),
    Setting("convert.engine", "rdocx", "the engine that makes PDFs: rdocx, or libreoffice where that is installed"),
    Setting(
        "database.url", "", "where the register is: postgresql://USER@HOST/DATABASE; not set: a file in the home folder"
    ),
    Setting("files.folder", "", "where the register keeps its files; not set: files in the home folder"),
    Setting("seal.key_file", "", "the PKCS#12 (.p12) or PEM file that seals records"),
    Setting("seal.passphrase_file", "", "the file whose first line opens the key file"),
    Setting("seal.trust", "", "PEM files, separated by colons: certificates that verify trusts, revocation lists"),
    Setting("seal.timestamp_url", "", "the time-stamp authority (RFC 3161) that proves when a record was sealed"),
    Setting("seal.timestamp_trust", "", "PEM files, separated by colons: certificates trusted for timestamps alone"),
)
DELIVER = (
    Setting("kind", "", "folder, or sftp"),
    Setting("path", "", "the folder that records go into, on this computer or on the server"),
    Setting("by", "", "social-worker or team: a folder for each within it; empty: all in one"),
    Setting("host", "", "sftp: the name of the server"),
    Setting("port", "22", "sftp: the port of the server"),
    Setting("user", "", "sftp: the user who logs in there"),
    Setting("key_file", "", "sftp: the private key that logs in"),
    Setting("passphrase_file", "", "sftp: the file whose first line opens the key file"),
    Setting("known_hosts", "", "sftp: the file with the server's own key, as OpenSSH writes it"),
)
"""What each destination has: `path` of `[deliver.lcs]` is the setting `deliver.lcs.path`."""

_DESTINATION = re.compile(r"deliver\.([a-z][a-z0-9-]*)\.")
_CHOICES = {
    "archive.standard": ("3a", "2a"),
    "archive.validate": ("every", "off"),
    "convert.engine": ("rdocx", "libreoffice"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has chosen; `values` holds every key of what is `known`."""

    home: Path
    file: Path
    values: Mapping[str, str]
    known: tuple[Setting, ...] = KNOWN

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    def path(self, key: str) -> Path | None:
        """The path that a setting names, or None where it is not set."""
        return Path(self.values[key]) if self.values[key] else None

    @property
    def destinations(self) -> tuple[str, ...]:
        """The names of the destinations, in order."""
        return _destinations(self.values)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force; Misconfigured names the file and the key of a fault."""
    home = _home(environment)
    file = Path(environment.get("PEPFORMS_CONFIG") or home / "pepforms.toml")
    written = _written(file, required="PEPFORMS_CONFIG" in environment)
    known = KNOWN + tuple(
        Setting(f"deliver.{name}.{each.key}", each.default, each.meaning)
        for name in _destinations(written)
        for each in DELIVER
    )
    values = {
        setting.key: environment.get(setting.variable, written.pop(setting.key, setting.default)) for setting in known
    }
    if written:
        raise Misconfigured(f"{file}: there is no setting {next(iter(written))}.", slug="unknown-setting")
    for key, choices in _CHOICES.items():
        if values[key] not in choices:
            raise Misconfigured(f"The setting {key} must be one of: {', '.join(choices)}.", slug="bad-setting")
    return Settings(home, file, values, known)


def _home(environment: Mapping[str, str]) -> Path:
    if environment.get("PEPFORMS_HOME"):
        return Path(environment["PEPFORMS_HOME"])
    data = environment.get("XDG_DATA_HOME") or Path(environment.get("HOME") or Path.home()) / ".local" / "share"
    return Path(data) / "pepforms"


def _written(file: Path, *, required: bool) -> dict[str, str]:
    """The settings in the file, flattened to `table.key`."""
    if not required and not file.exists():
        return {}
    try:
        tables = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{file} cannot be read: {error}.", slug="bad-settings-file") from error
    flat = dict(_flat(tables))
    for key, text in flat.items():
        if not isinstance(text, str):
            raise Misconfigured(f"{file}: {key} must be a text in quotation marks.", slug="bad-setting")
    return flat


def _flat(tables: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _destinations(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({found[1] for key in keys if (found := _DESTINATION.match(key))}))
