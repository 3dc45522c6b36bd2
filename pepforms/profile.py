"""An authority's profile: everything that differs between authorities, as data.

The profiles that pepforms carries are in `schemas/profiles/`; an authority may point to a file of its own.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from pepforms.errors import Misconfigured
from pepforms.resources import folder


@dataclass(frozen=True, slots=True)
class Profile:
    """How one authority works.

    `owners` gives the role that answers for a section (`"care"`, `"views.carer"`); `section_letters` the letters that
    people see. Each of the roles `sign_off_required` must sign a PEP, or `sign_off_deputy` in its stead; those of
    `sign_off_acknowledge` read it. `retention_years` count from birth.
    """

    authority: str
    virtual_school: str
    child_term: str
    protective_marking: str
    retention_years: int
    owners: Mapping[str, str]
    section_letters: Mapping[str, str]
    sign_off_required: tuple[str, ...]
    sign_off_deputy: str | None
    sign_off_acknowledge: tuple[str, ...]

    def owner(self, section: str | None, otherwise: str | None) -> str | None:
        """The role that answers for a section or a part of one (`"views.carer"`), else the schema's own."""
        return self.owners.get(section, otherwise) if section else otherwise


_TEXTS = ("authority", "virtual_school", "child_term", "protective_marking")
_KEYS = frozenset({*_TEXTS, "retention_years", "owners", "section_letters", "sign_off"})
_SIGN_OFF_KEYS = frozenset({"required", "deputy", "acknowledge"})


def load(name_or_path: str) -> Profile:
    """The profile of that name, or in that file; a fault is `Misconfigured` and names the file and the key."""
    path = (
        Path(name_or_path)
        if name_or_path.endswith(".toml")
        else folder("schemas") / "profiles" / f"{name_or_path}.toml"
    )
    return _Reading(path, _read(path)).profile()


def names() -> tuple[str, ...]:
    """The profiles that pepforms carries."""
    return tuple(sorted(path.stem for path in (folder("schemas") / "profiles").glob("*.toml")))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"There is no profile {path}. pepforms carries: {', '.join(names())}."
        raise Misconfigured(message, slug="no-profile") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"The profile {path} cannot be read: {error}.", slug="bad-profile") from error


@dataclass(frozen=True, slots=True)
class _Reading:
    """One profile file while it is read; every complaint names the file and the key."""

    path: Path
    rows: Mapping[str, Any]

    def profile(self) -> Profile:
        self._nothing_unknown("", self.rows, _KEYS)
        sign_off = self._table("sign_off")
        self._nothing_unknown("sign_off.", sign_off, _SIGN_OFF_KEYS)
        required = self._roles("sign_off.required", sign_off.get("required"))
        if not required:
            self._bad("sign_off.required", "name at least one role that must sign")
        deputy = sign_off.get("deputy")
        return Profile(
            **{key: self._text(key, self.rows.get(key)) for key in _TEXTS},
            retention_years=self._years("retention_years", self.rows.get("retention_years")),
            owners=MappingProxyType(dict(self._roles_by_section())),
            section_letters=MappingProxyType(
                {
                    key: self._text(f"section_letters.{key}", letter)
                    for key, letter in self._table("section_letters").items()
                }
            ),
            sign_off_required=required,
            sign_off_deputy=None if deputy is None else self._role("sign_off.deputy", deputy),
            sign_off_acknowledge=self._roles("sign_off.acknowledge", sign_off.get("acknowledge", [])),
        )

    def _roles_by_section(self) -> Iterator[tuple[str, str]]:
        for section, role in self._table("owners").items():
            yield section, self._role(f"owners.{section}", role)

    def _table(self, key: str) -> Mapping[str, Any]:
        value = self.rows.get(key, {})
        return value if isinstance(value, dict) else self._bad(key, "this must be a table")

    def _text(self, key: str, value: object) -> str:
        return value if isinstance(value, str) and value.strip() else self._bad(key, "give a text")

    def _years(self, key: str, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 200:
            return value
        return self._bad(key, "give a number of years")

    def _role(self, key: str, value: object) -> str:
        roles = _roles()
        if isinstance(value, str) and value in roles:
            return value
        return self._bad(key, f"give one of the roles {', '.join(roles)}")

    def _roles(self, key: str, value: object) -> tuple[str, ...]:
        return (
            tuple(self._role(key, role) for role in value)
            if isinstance(value, list)
            else self._bad(key, "give a list of roles")
        )

    def _nothing_unknown(self, prefix: str, table: Mapping[str, Any], allowed: frozenset[str]) -> None:
        for key in table.keys() - allowed:
            self._bad(prefix + key, f"there is no such key; there are: {', '.join(sorted(allowed))}")

    def _bad(self, key: str, what: str) -> NoReturn:
        raise Misconfigured(f"The profile {self.path}, key {key}: {what}.", slug="bad-profile")


def _roles() -> tuple[str, ...]:
    from pepforms import schema

    role = schema.load().at(["people", 0, "role"])
    return tuple(role.labels) if role else ()
