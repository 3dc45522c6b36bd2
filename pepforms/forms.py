"""The catalogue of forms: kinds of document, each a title, a Word template and the readers it may be made for."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pepforms.errors import Misconfigured, Refused
from pepforms.model import AUDIENCES, Audience
from pepforms.resources import folder

_NAME = re.compile("[a-z0-9]+(-[a-z0-9]+){0,5}")
"""Of a form: it stands in file names."""


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of document. `audiences` are the readers for whom a copy of it may be made."""

    name: str
    title: str
    template: Path
    audiences: tuple[Audience, ...]

    def offered(self, audience: str) -> Audience:
        """The audience, if this form may be made for it; Refused (slug `audience-not-offered`) if not."""
        for known in self.audiences:
            if known == audience:
                return known
        raise Refused(
            f"The form {self.name} is not made for “{audience}”. It is made for: {', '.join(self.audiences)}.",
            slug="audience-not-offered",
        )


CATALOGUE = "forms.toml"
"""The file that holds the rows of forms, beside their templates."""


def catalogue(installed: Path | None = None) -> dict[str, Form]:
    """Every form by name: those shipped, and over them those that the authority has installed in a folder of its own.

    A fault is Misconfigured and names the file and the key.
    """
    found = _read(folder("templates") / CATALOGUE)
    return found | _read(installed / CATALOGUE) if installed and (installed / CATALOGUE).exists() else found


def _read(path: Path) -> dict[str, Form]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", slug="bad-forms") from error
    return listed(text, path)


def listed(text: str, path: Path) -> dict[str, Form]:
    """The forms that the text of a catalogue lists, their templates beside it; Misconfigured for a fault."""
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", slug="bad-forms") from error
    return {name: _form(path, name, row) for name, row in rows.items()}


def named(name: str, installed: Path | None = None) -> Form:
    """The form of that name; Refused (slug `no-such-form`) with the names that there are."""
    forms = catalogue(installed)
    if name not in forms:
        raise Refused(f"There is no form “{name}”. There are: {', '.join(forms)}.", slug="no-such-form")
    return forms[name]


def _form(path: Path, name: str, row: Any) -> Form:
    if not (_NAME.fullmatch(name) and isinstance(row, dict)):
        raise Misconfigured(
            f"{path}, [{name}]: a form is a table, named in small letters, digits and hyphens.", slug="bad-forms"
        )
    title, template, audiences = (row.get(key) for key in ("title", "template", "audiences"))
    if not isinstance(title, str) or not isinstance(template, str) or not isinstance(audiences, list):
        raise Misconfigured(f"{path}, [{name}]: give title, template and audiences.", slug="bad-forms")
    known = tuple(audience for audience in AUDIENCES if audience in audiences)
    if len(known) != len(audiences):
        raise Misconfigured(f"{path}, [{name}] audiences: use {', '.join(AUDIENCES)}.", slug="bad-forms")
    return Form(name, title, path.parent / template, known)
