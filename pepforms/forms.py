"""The catalogue of forms: kinds of document, each a title, a Word template and the readers it may be made for."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pepforms.errors import Misconfigured, Refused
from pepforms.model import AUDIENCES, Audience
from pepforms.resources import folder


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


def catalogue() -> dict[str, Form]:
    """Every form by name, from `templates/forms.toml`; a fault is Misconfigured and names the file and the key."""
    path = folder("templates") / "forms.toml"
    try:
        rows = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", slug="bad-forms") from error
    return {name: _form(path, name, row) for name, row in rows.items()}


def named(name: str) -> Form:
    """The form of that name; Refused (slug `no-such-form`) with the names that there are."""
    forms = catalogue()
    if name not in forms:
        raise Refused(f"There is no form “{name}”. There are: {', '.join(forms)}.", slug="no-such-form")
    return forms[name]


def _form(path: Path, name: str, row: dict[str, object]) -> Form:
    title, template, audiences = (row.get(key) for key in ("title", "template", "audiences"))
    if not isinstance(title, str) or not isinstance(template, str) or not isinstance(audiences, list):
        raise Misconfigured(f"{path}, [{name}]: give title, template and audiences.", slug="bad-forms")
    known = tuple(audience for audience in AUDIENCES if audience in audiences)
    if len(known) != len(audiences):
        raise Misconfigured(f"{path}, [{name}] audiences: use {', '.join(AUDIENCES)}.", slug="bad-forms")
    return Form(name, title, path.parent / template, known)
