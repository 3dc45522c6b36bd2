"""The catalogue of forms: kinds of document, each a title, a Word template and the readers it may be made for."""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pepforms.errors import Misconfigured, Refused
from pepforms.model import AUDIENCES, PHASES, STAGES, Audience, Orientation, Pep, Stage
from pepforms.resources import folder

_NAME = re.compile("[a-z0-9]+(-[a-z0-9]+){0,5}")
"""Of a form, and of what stands for it in file names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A kind of document, as its row in the catalogue says (`templates/forms.toml` tells what each key means)."""

    name: str
    title: str
    template: Path
    audiences: tuple[Audience, ...]
    letterhead: Path | None = None
    stages: tuple[Stage, ...] = STAGES
    phases: tuple[str, ...] = PHASES
    file_name: str = ""
    orientation: Orientation | None = None
    person: bool = False
    meeting: bool = False
    gathers: str | None = None
    notice: str | None = None

    @property
    def stage(self) -> Stage:
        """The least that a PEP must have reached for this form to be made of it."""
        return self.stages[0]

    def offered(self, audience: str) -> Audience:
        """The audience, if this form may be made for it; Refused (slug `audience-not-offered`) if not."""
        for known in self.audiences:
            if known == audience:
                return known
        raise Refused(
            f"The form {self.name} is not made for “{audience}”. It is made for: {', '.join(self.audiences)}.",
            slug="audience-not-offered",
        )

    def asked_of(self, pep: Pep) -> None:
        """Refused (slug `phase-not-offered`) where this form is not for a child of that phase.

        Refused (slug `no-meeting-to-come`) where it is to a meeting, and there is to be none.
        """
        if self.meeting and pep.get("sign_offs") and "none" in _next_meeting(pep):
            raise Refused(
                f"The form {self.name} is for a meeting to come; this PEP is signed off and says that it is the last.",
                slug="no-meeting-to-come",
            )
        phase = pep["pep"].get("phase")
        if phase is not None and phase not in self.phases:
            raise Refused(
                f"The form {self.name} is for {_listed(self.phases)}; this PEP is of {_listed([phase])}.",
                slug="phase-not-offered",
            )


def _next_meeting(pep: Pep) -> Any:
    return pep.get("meeting", {}).get("next_date", ())


def _listed(phases: tuple[str, ...] | list[str]) -> str:
    return ", ".join(phase.replace("_", " ") for phase in phases)


CATALOGUE = "forms.toml"
"""The file that holds the rows of forms, beside their templates."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What one catalogue lists: its forms by name, and the letterhead that it brings."""

    forms: Mapping[str, Form]
    letterhead: Path | None


def catalogue(installed: Path | None = None) -> dict[str, Form]:
    """Every form by name: those shipped, and over them those that the authority has installed in a folder of its own.

    All stand under one letterhead, the authority's own where it has installed one. A fault is Misconfigured and names
    the file and the key.
    """
    found, head = dict[str, Form](), letterhead(installed)
    for path in _catalogues(installed):
        found |= listed(_read(path), path, letterhead=head).forms
    return found


def letterhead(installed: Path | None = None) -> Path | None:
    """The Word file that forms stand under: the authority's own, else the one shipped."""
    brought = (listed(_read(path), path).letterhead for path in reversed(_catalogues(installed)))
    return next((path for path in brought if path), None)


def _catalogues(installed: Path | None) -> list[Path]:
    own = installed / CATALOGUE if installed else None
    return [folder("templates") / CATALOGUE, *([own] if own and own.exists() else [])]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", slug="bad-forms") from error


@functools.lru_cache(maxsize=8)
def listed(text: str, path: Path, *, letterhead: Path | None = None) -> Listed:
    """What the text of a catalogue lists, its templates beside it; Misconfigured for a fault.

    The forms stand under the given letterhead, else under the one that the catalogue brings.
    """
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", slug="bad-forms") from error
    brought = rows.pop("letterhead", None)
    if not isinstance(brought, str | None):
        raise _bad(path, "letterhead", "name a Word file")
    own = path.parent / brought if brought else None
    return Listed({name: _form(path, name, row, letterhead or own) for name, row in rows.items()}, own)


def named(name: str, installed: Path | None = None) -> Form:
    """The form of that name; Refused (slug `no-such-form`) with the names that there are."""
    forms = catalogue(installed)
    if name not in forms:
        raise Refused(f"There is no form “{name}”. There are: {', '.join(forms)}.", slug="no-such-form")
    return forms[name]


def _form(path: Path, name: str, row: Any, letterhead: Path | None) -> Form:
    if not (_NAME.fullmatch(name) and isinstance(row, dict)):
        raise _bad(path, f"[{name}]", "a form is a table, named in small letters, digits and hyphens")
    for key in ("title", "template", "audiences"):
        if key not in row:
            raise _bad(path, f"[{name}]", "give title, template and audiences")
    for key, value in row.items():
        if fault := _KEYS[key](value) if key in _KEYS else f"there is no such key; there are {', '.join(_KEYS)}":
            raise _bad(path, f"[{name}] {key}", fault)
    given = {key: value for key, value in row.items() if key not in ("template", "letterhead")}
    for key, known in _CHOICES.items():
        if key in given:
            given[key] = tuple(one for one in known if one in given[key])
    return Form(
        name=name,
        template=path.parent / row["template"],
        letterhead=letterhead if row.get("letterhead") else None,
        **{"file_name": name} | given,
    )


def _bad(path: Path, key: str, fault: str) -> Misconfigured:
    return Misconfigured(f"{path}, {key}: {fault}.", slug="bad-forms")


_CHOICES: Mapping[str, tuple[str, ...]] = {"audiences": AUDIENCES, "stages": STAGES, "phases": PHASES}


def _is_text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "write a text in quotation marks"


def _is_answer(value: Any) -> str | None:
    return None if isinstance(value, bool) else "write true or false"


def _is_name(value: Any) -> str | None:
    return None if isinstance(value, str) and _NAME.fullmatch(value) else "use small letters, digits and hyphens"


def _is_orientation(value: Any) -> str | None:
    return None if value in get_args(Orientation) else f"use {' or '.join(get_args(Orientation))}"


def _is_some_of(known: tuple[str, ...], value: Any) -> str | None:
    fits = isinstance(value, list) and value and all(one in known for one in value)
    return None if fits else f"use {', '.join(known)}"


_KEYS = {
    "title": _is_text,
    "template": _is_text,
    "letterhead": _is_answer,
    "audiences": lambda value: _is_some_of(AUDIENCES, value),
    "stages": lambda value: _is_some_of(STAGES, value),
    "phases": lambda value: _is_some_of(PHASES, value),
    "file_name": _is_name,
    "orientation": _is_orientation,
    "person": _is_answer,
    "meeting": _is_answer,
    "gathers": _is_name,
    "notice": _is_text,
}
"""What a row may say, and what is wrong with a value that it may not."""
