"""The catalogue of forms: kinds of document, each a title, a Word template and the readers it may be made for."""

import functools
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pepforms.digest import sha256
from pepforms.errors import Misconfigured, Refused
from pepforms.model import AUDIENCES, PHASES, STAGES, Audience, Orientation, Pep, Stage
from pepforms.resources import folder

_NAME = re.compile("(?=.{1,40}$)[a-z0-9]+(-[a-z0-9]+){0,5}")
"""Of a form, and of what stands for it in file names, where a child's number, a person and a term stand beside it."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
"""What ends a line or has no shape: a title and a notice are one line, and Word holds hardly any of it."""
_VERSION = 12
"""Characters of the digest in the name of a Word file that was installed."""
PEP = "pep"
"""The form of a whole PEP: the authority keeps it, and the record is made from it."""


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

    def may_gather(self, gathered: "Form") -> None:
        """Refused (slug `not-gathered`) where a copy of that form may not go with this one to each of its readers."""
        beyond = [audience for audience in self.audiences if audience not in gathered.audiences]
        if gathered.person or gathered.gathers:
            fault = "takes a form that is neither made for one person nor a pack itself"
        elif beyond:
            fault = f"is made for {', '.join(beyond)}, and {gathered.name} is not"
        elif STAGES.index(self.stage) < STAGES.index(gathered.stage):
            fault = f"is made at stage {self.stage}, and {gathered.name} from stage {gathered.stage} on"
        else:
            return
        raise Refused(f"The form {self.name} cannot gather {gathered.name}: a pack {fault}.", slug="not-gathered")

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

LETTERHEAD = Form(name="letterhead", title="Letterhead", template=Path(), audiences=AUDIENCES)
"""What a letterhead is checked as: a document for every reader. No form has its name: `letterhead` is a key."""


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
    found = besides((), installed)
    gathered(found, _catalogues(installed)[-1])
    return found


def besides(replaced: Collection[str], installed: Path | None = None) -> dict[str, Form]:
    """Every form by name, without the rows of the authority's own catalogue that a pack replaces: none is read."""
    found, head = dict[str, Form](), letterhead(installed, replaced)
    for listed_ in _listed_in_each(installed, replaced, letterhead=head):
        found |= listed_.forms
    return found


def gathered(found: Mapping[str, Form], path: Path) -> None:
    """Misconfigured, naming the catalogue, where a form gathers one that is not there or that it may not gather."""
    for form in found.values():
        if form.gathers is None:
            continue
        if form.gathers not in found:
            raise _BadRow(path, f"[{form.name}] gathers", f"there is no form “{form.gathers}”")
        try:
            form.may_gather(found[form.gathers])
        except Refused as error:
            raise _BadRow(path, f"[{form.name}] gathers", str(error).removesuffix(".")) from error


def letterhead(installed: Path | None = None, replaced: Collection[str] = ()) -> Path | None:
    """The Word file that forms stand under: the authority's own, else the one shipped."""
    return next(iter(letterheads(installed, replaced)), None)


def letterheads(installed: Path | None = None, replaced: Collection[str] = ()) -> list[Path]:
    """Every Word file that a catalogue names as its letterhead, the one in use first."""
    brought = [one.letterhead for one in _listed_in_each(installed, replaced)]
    return [path for path in reversed(brought) if path]


def beside(word_file: Path, installed: Path | None = None) -> Form | None:
    """What a Word file is by the catalogue that lies beside it, as in a pack that is still to be installed."""
    path, name = word_file.parent / CATALOGUE, word_file.name.lower()
    if not path.is_file():
        return None
    text = _read(path)
    head = listed(text, path).letterhead
    if head and head.name.lower() == name:
        return LETTERHEAD
    rows = listed(text, path, letterhead=head or letterhead(installed)).forms
    return next((form for form in rows.values() if form.template.name.lower() == name), None)


def _listed_in_each(
    installed: Path | None, replaced: Collection[str], *, letterhead: Path | None = None
) -> Iterator[Listed]:
    """What each catalogue lists; a row of the authority's own that is at fault can be taken out, which is told."""
    shipped, *own = _catalogues(installed)
    yield listed(_read(shipped), shipped, letterhead=letterhead)
    for path in own:
        try:
            yield listed(_read(path), path, letterhead=letterhead, replaced=frozenset(replaced))
        except _BadRow as error:
            raise Misconfigured(
                f"{error} Take {error.row} out of this file, then install the pack again.", slug=error.slug
            ) from error


def _catalogues(installed: Path | None) -> list[Path]:
    own = installed / CATALOGUE if installed else None
    return [folder("templates") / CATALOGUE, *([own] if own and own.exists() else [])]


def _read(path: Path) -> str:
    try:
        return decoded(path.read_bytes(), path)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error}.", slug="bad-forms") from error


def decoded(data: bytes, path: Path) -> str:
    """What the bytes of a catalogue say; Misconfigured where they are not UTF-8, the only text that TOML knows."""
    try:
        said = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = "\0"
    if "\0" in said:  # as UTF-16 has beside every plain letter
        raise Misconfigured(f"{path} is not UTF-8. Save {path.name} as UTF-8.", slug="bad-forms")
    return said


def kept(file: str, data: bytes) -> str:
    """The name under which a Word file is kept once it is installed, with its version: `letter.1a2b3c4d5e6f.docx`."""
    return f"{Path(file).stem}.{sha256(data)[:_VERSION]}.docx"


def as_kept(path: Path, data: bytes) -> bool:
    """Whether a Word file that was installed is still the one that its name says."""
    return path.name.endswith(f".{sha256(data)[:_VERSION]}.docx")


@functools.lru_cache(maxsize=8)
def listed(text: str, path: Path, *, letterhead: Path | None = None, replaced: frozenset[str] = frozenset()) -> Listed:
    """What the text of a catalogue lists, its templates beside it; Misconfigured for a fault.

    The forms stand under the given letterhead, else under the one that the catalogue brings. What is replaced is not
    read.
    """
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path} cannot be read: {error}. Put that line right.", slug="bad-forms") from error
    rows = {name: row for name, row in rows.items() if name not in replaced}
    brought = rows.pop("letterhead", None)
    if not isinstance(brought, str | None):
        raise _BadRow(path, "letterhead", "name a Word file")
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
        raise _BadRow(path, f"[{name}]", f"a form is a table; for its name {_NAMED_IN}")
    for key in ("title", "template", "audiences"):
        if key not in row:
            raise _BadRow(path, f"[{name}]", "give title, template and audiences")
    for key, value in row.items():
        if fault := _KEYS[key](value) if key in _KEYS else f"there is no such key; there are {', '.join(_KEYS)}":
            raise _BadRow(path, f"[{name}] {key}", fault)
    given = {key: value for key, value in row.items() if key not in ("template", "letterhead")}
    for key, known in _CHOICES.items():
        if key in given:
            given[key] = tuple(one for one in known if one in given[key])
    if name == PEP and not ("authority" in given["audiences"] and "record" in given.get("stages", STAGES)):
        raise _BadRow(
            path, f"[{name}]", "records are made from this form: offer it to the authority, at stage record too"
        )
    return Form(
        name=name,
        template=path.parent / row["template"],
        letterhead=letterhead if row.get("letterhead") else None,
        **{"file_name": name} | given,
    )


class _BadRow(Misconfigured):
    """A fault in one row of a catalogue, which is all right without it."""

    def __init__(self, path: Path, key: str, fault: str) -> None:
        super().__init__(f"{path}, {key}: {fault}.", slug="bad-forms")
        self.row = key.partition(" ")[0]


_CHOICES: Mapping[str, tuple[str, ...]] = {"audiences": AUDIENCES, "stages": STAGES, "phases": PHASES}


_NAMED_IN = "use small letters, digits and hyphens, at most 40"


def _is_text(value: Any) -> str | None:
    fits = isinstance(value, str) and value.strip() and not _UNSEEN.search(value)
    return None if fits else "write a text in quotation marks, on one line, without control characters"


def _is_notice(value: Any) -> str | None:
    if fault := _is_text(value):
        return fault
    braces = re.search("[{}]", value.replace("{person}", ""))
    return "it may say {person}, and hold no other braces" if braces else None


def _is_answer(value: Any) -> str | None:
    return None if isinstance(value, bool) else "write true or false"


def _is_name(value: Any) -> str | None:
    return None if isinstance(value, str) and _NAME.fullmatch(value) else _NAMED_IN


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
    "notice": _is_notice,
}
"""What a row may say, and what is wrong with a value that it may not."""
