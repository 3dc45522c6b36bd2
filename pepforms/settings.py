"""Settings: read once, from `pepforms.toml` and the environment, frozen and handed down.

The file is `$PEPFORMS_CONFIG`, else `$PEPFORMS_HOME/pepforms.toml`; `[seal] key_file` is also `PEPFORMS_SEAL_KEY_FILE`,
which wins. Secrets come from files, never from a setting itself.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        return "PEPFORMS_" + self.key.replace(".", "_").upper()


KNOWN = (
    Setting("profile", "hillingdon", "the authority's profile: a name in schemas/profiles, or a path"),
    Setting("archive.validate", "every", "every: veraPDF judges each record where a JRE is found; off: none"),
    Setting("archive.standard", "3a", "3a: a record carries its data; 2a: its data lies beside it"),
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
_CHOICES = {
    "archive.standard": ("3a", "2a"),
    "archive.validate": ("every", "off"),
    "convert.engine": ("rdocx", "libreoffice"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator has chosen; `values` holds every known key."""

    home: Path
    file: Path
    values: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.values[key]

    def path(self, key: str) -> Path | None:
        """The path that a setting names, or None where it is not set."""
        return Path(self.values[key]) if self.values[key] else None


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force; Misconfigured names the file and the key of a fault."""
    home = _home(environment)
    file = Path(environment.get("PEPFORMS_CONFIG") or home / "pepforms.toml")
    written = _written(file, required="PEPFORMS_CONFIG" in environment)
    values = {
        setting.key: environment.get(setting.variable, written.pop(setting.key, setting.default)) for setting in KNOWN
    }
    if written:
        raise Misconfigured(f"{file}: there is no setting {next(iter(written))}.", slug="unknown-setting")
    for key, choices in _CHOICES.items():
        if values[key] not in choices:
            raise Misconfigured(f"The setting {key} must be one of: {', '.join(choices)}.", slug="bad-setting")
    return Settings(home, file, values)


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
    flat: dict[str, str] = {}
    for name, value in tables.items():
        for key, text in value.items() if isinstance(value, dict) else [("", value)]:
            full = f"{name}.{key}".rstrip(".")
            if not isinstance(text, str):
                raise Misconfigured(f"{file}: {full} must be a text in quotation marks.", slug="bad-setting")
            flat[full] = text
    return flat
