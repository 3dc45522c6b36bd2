"""Install: an authority's own templates, put beside the shipped ones once each has proved itself.

A pack is a folder or a ZIP that holds `forms.toml`, in the form of the one shipped, and the Word files that it names:
templates, a letterhead for all forms, or both.
In the home folder a template has its version in its name (`pep.1a2b3c4d5e6f.docx`, from the SHA-256 of the file), and
an older one stays, so that whoever asks what an old document was made from finds it.
"""

import contextlib
import dataclasses
import io
import json
import textwrap
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pepforms import files, forms, many, trial
from pepforms.archive import manifest, stamp
from pepforms.errors import Misconfigured, PepformsError, Refused, Unreadable
from pepforms.fill import Letterhead, package
from pepforms.fill.lint import Finding
from pepforms.forms import Form
from pepforms.model import PHASES, Audience
from pepforms.wiring import Wiring

_WORD = ".docx"
_MESSAGE = 150
"""Characters of what veraPDF says at most; the clause says where to read on."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Forms by name, their rows as written, the bytes of the Word file of each; the letterhead, if it brings one."""

    forms: Mapping[str, Form]
    rows: dict[str, dict[str, Any]]
    templates: dict[str, bytes]
    letterhead: tuple[str, bytes] | None = None

    @property
    def replaced(self) -> set[str]:
        """What it takes the place of in the authority's own catalogue: rows by name, and the line of the letterhead."""
        return {*self.rows} | ({forms.LETTERHEAD.name} if self.letterhead else set())


def read(path: Path) -> Pack:
    """The pack at a path; Refused, or Misconfigured for a fault in its rows, where it is none."""
    try:
        found = _in_folder(path) if path.is_dir() else _in_zip(path.read_bytes(), path.name)
    except OSError as error:
        raise Unreadable(
            f"{error.filename or path} cannot be read. See that it is there and may be read.", slug="unreadable-path"
        ) from error
    catalogue = _called(forms.CATALOGUE, found)
    if catalogue is None:
        other = "".join(f", only {one}: give that its right name" for one in found if _is_catalogue(one))
        raise Refused(
            f"{path.name} holds no {forms.CATALOGUE}, which says what its templates are{other}.", slug="bad-pack"
        )
    text = forms.decoded(catalogue, path / forms.CATALOGUE)
    listed = forms.listed(text, path / forms.CATALOGUE)
    if not listed.forms and not listed.letterhead:
        raise Refused(f"The {forms.CATALOGUE} of {path.name} lists no form.", slug="bad-pack")
    rows = tomllib.loads(text)
    rows.pop("letterhead", None)
    templates = {name: _beside(path, f"[{name}]", form.template, found) for name, form in listed.forms.items()}
    head = listed.letterhead
    return Pack(listed.forms, rows, templates, (head.name, _beside(path, "letterhead", head, found)) if head else None)


def _beside(pack: Path, key: str, file: Path, found: Mapping[str, bytes]) -> bytes:
    """The Word file that a row names; Refused where it does not lie beside the list."""
    data = _called(file.name, found) if file.parent == pack and file.suffix.lower() == _WORD else None
    if data is None:
        raise Refused(
            f"{pack.name}, {key}: there is no template {file.name}. Put it, a {_WORD}, beside {forms.CATALOGUE} and "
            "name it.",
            slug="bad-pack",
        )
    return data


def _called(name: str, found: Mapping[str, bytes]) -> bytes | None:
    """The file of that name, else the one whose name is written in other capitals, as Windows takes it for the same."""
    return next((found[one] for one in (name, *found) if one in found and one.lower() == name.lower()), None)


def _is_catalogue(name: str) -> bool:
    """Whether a file is the list, or was meant to be: Windows hides the end of `forms.toml.txt`."""
    return name.lower().startswith(forms.CATALOGUE)


def faults(pack: Pack, wiring: Wiring) -> Iterator[tuple[str, PepformsError]]:
    """All that speaks against a pack, each with the name of the template; nothing where it may be installed.

    This is the one place that says what a template must stand before it is used.
    """
    if missing := wiring.judge_missing:
        raise Misconfigured(f"Templates are installed only where veraPDF judges them ({missing}).", slug="no-judge")
    try:
        forms.gathered(_others(pack, wiring) | dict(pack.forms), Path(forms.CATALOGUE))
    except Misconfigured as error:
        yield forms.CATALOGUE, error
        return
    if stopping := [*_objections(pack, wiring)]:
        yield from stopping
        return
    causes: dict[str, list[tuple[str, PepformsError]]] = {}
    for form, data, head in _tried(pack, wiring):
        blamed = form.template.name if form.name in pack.forms or head is None else f"{head.name} over {form.name}"
        for about, fault in _faults_of(form, data, head, wiring):
            cause = str(fault).replace(about, "").replace(form.template.name, "")
            causes.setdefault(cause, []).append((blamed, fault))
    for same in causes.values():
        blamed, fault = same[0]
        yield blamed, _counted(fault, len(same) - 1)


def _counted(fault: PepformsError, more: int) -> PepformsError:
    """A fault that says with how many others it is the same."""
    return type(fault)(f"{fault} So it is with {more} more.", slug=fault.slug) if more else fault


def findings(pack: Pack, wiring: Wiring) -> Iterator[tuple[str, list[Finding]]]:
    """What the lint finds in each Word file of a pack, with its name."""
    if pack.letterhead:
        file, data = pack.letterhead
        yield file, trial.lint(data, file, forms.LETTERHEAD, wiring)
    for form in _standing(pack, wiring):
        yield form.template.name, trial.lint(pack.templates[form.name], form.template.name, form, wiring)


def _standing(pack: Pack, wiring: Wiring) -> Iterator[Form]:
    """The forms of a pack, each under the letterhead that it will have: the pack's own, else the one in use."""
    in_use = forms.letterhead(wiring.installed, pack.replaced)
    for name, form in pack.forms.items():
        under = form.letterhead or (in_use if pack.rows[name].get("letterhead") else None)
        yield dataclasses.replace(form, letterhead=under)


def _others(pack: Pack, wiring: Wiring) -> dict[str, Form]:
    """The forms that stay: what a pack mends is not read, so that it can."""
    return forms.besides(pack.replaced, wiring.installed)


def _objections(pack: Pack, wiring: Wiring) -> Iterator[tuple[str, PepformsError]]:
    """What the lint finds that must be put right first."""
    for file, found in findings(pack, wiring):
        for one in found:
            if one.severity == "blocks" or one.slug in _NEVER_IN_USE:
                yield file, Refused(f"{one.place}: {one.message}", slug=one.slug)


_NEVER_IN_USE = ("needed-not-printed",)
"""What an author may be shown as worth a look, and no record may be made with: of `pep`, a fact that it must hold."""


def _tried(pack: Pack, wiring: Wiring) -> Iterator[tuple[Form, bytes, Letterhead | None]]:
    """The forms of a pack; where it brings a letterhead, all that stand under it besides. Each with its letterhead."""
    colour = wiring.profile.letterhead.colour
    brought = Letterhead(pack.letterhead[1], pack.letterhead[0], colour) if pack.letterhead else None
    for form in _standing(pack, wiring):
        yield form, pack.templates[form.name], (brought or wiring.letterhead(form)) if form.letterhead else None
    for form in _others(pack, wiring).values() if brought else ():
        if form.letterhead and form.name not in pack.forms:
            yield form, wiring.word_file(form.template), brought


def _faults_of(form: Form, data: bytes, head: Letterhead | None, wiring: Wiring) -> Iterator[tuple[str, PepformsError]]:
    """All that speaks against one template under its letterhead, each with the document that it was found in."""
    file, engines = form.template.name, trial.engines(wiring)
    try:
        documents = [one for audience in form.audiences for one in _filled(form, audience, data, head, wiring)]
    except PepformsError as error:
        yield file, error
        return
    work = many.each(documents, lambda one: _proved(one, engines, wiring), file, total=len(documents))
    yield from ((one.about, result) for one, result in work if isinstance(result, PepformsError))


def _filled(form: Form, audience: Audience, data: bytes, head: Letterhead | None, wiring: Wiring) -> list[trial.Filled]:
    """The documents of a template for one kind of reader; where no sample of its phases makes one, of all phases."""
    for phases in (form.phases, PHASES):
        one = dataclasses.replace(form, audiences=(audience,), phases=phases)
        if documents := trial.fill(data, form.template.name, one, head, wiring):
            return documents
    raise Refused(f"No sample makes the form {form.name} for {audience}, so it cannot be tried.", slug="not-tried")


def keep(pack: Pack, wiring: Wiring) -> list[Form]:
    """Install a pack that has no fault: its templates first, then, at once, the rows that name them.

    What is installed now: its forms, and as a form of that name the letterhead, if it brings one.
    """
    home = files.folder(wiring.keep() / wiring.installed.name)
    catalogue = home / forms.CATALOGUE
    brought = {name: (form.template.name, pack.templates[name]) for name, form in pack.forms.items()}
    with manifest.locked(home):
        rows = tomllib.loads(forms.decoded(catalogue.read_bytes(), catalogue)) if catalogue.exists() else {}
        for name, (file, data) in brought.items():
            rows[name] = pack.rows[name] | {"template": forms.kept(file, data)}
        if pack.letterhead:
            rows["letterhead"] = forms.kept(*pack.letterhead)
        word_files = [*brought.values(), *([pack.letterhead] if pack.letterhead else [])]
        with _all_or_none(home, word_files), files.told(catalogue):
            files.replace(catalogue, _written(rows).encode())
    head = [dataclasses.replace(forms.LETTERHEAD, template=home / rows["letterhead"])] if pack.letterhead else []
    return [*(wiring.form(name) for name in pack.forms), *head]


@contextlib.contextmanager
def _all_or_none(home: Path, word_files: list[tuple[str, bytes]]) -> Iterator[None]:
    """Keep Word files under names that tell their versions; those that are new go again where the rest fails."""
    new: list[Path] = []
    try:
        for file, data in word_files:
            path = home / forms.kept(file, data)
            new += [] if path.exists() else [path]
            with files.told(path):
                files.replace(path, data)  # also over one that was changed by hand
        yield
    except BaseException:
        for path in new:
            path.unlink(missing_ok=True)
        raise


def _proved(document: trial.Filled, engines: Any, wiring: Wiring) -> None:
    """Have the engines agree on a document, and veraPDF judge it; Refused where either says no."""
    trial.judge(document, engines, wiring)
    pdf = stamp.finish(wiring.convert(document.docx, about=document.about), title=document.about)
    judge = wiring.judge
    assert judge is not None
    for flavour, standard in (("2a", "PDF/A-2a"), ("ua1", "PDF/UA-1")):
        failures = judge.judge(pdf, flavour).failures
        if failures:
            clause, message, _ = failures[0]
            raise Refused(
                f"{document.about}: its PDF is not {standard} ({clause}: {textwrap.shorten(message, _MESSAGE)}). "
                "Put that right, or begin anew from a template that pepforms brings along.",
                slug="not-archival",
            )


def _in_folder(path: Path) -> dict[str, bytes]:
    return {
        one.name: one.read_bytes()
        for one in sorted(path.iterdir())
        if one.is_file() and (_is_catalogue(one.name) or one.suffix.lower() == _WORD)
    }


def _in_zip(data: bytes, name: str) -> dict[str, bytes]:
    """The files of a ZIP that lie where its catalogue lies: at the top, or in the folder that was zipped."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = {one.replace("\\", "/"): data for one, data in package.unpacked(archive, name).items()}
    except package.UNREADABLE as error:
        raise Refused(f"{name} is no ZIP, or damaged, or has a password. Make it anew.", slug="bad-pack") from error
    places = [one.rpartition("/")[0] for one in found if _is_catalogue(one.rpartition("/")[2])]
    place = min(places, key=len, default="")
    return {one.rpartition("/")[2]: content for one, content in found.items() if one.rpartition("/")[0] == place}


def _written(rows: dict[str, Any]) -> str:
    """A catalogue as TOML, which says texts, answers and lists as JSON does."""
    lines = [f"{name} = {_said(value)}" for name, value in rows.items() if not isinstance(value, dict)]
    for name, row in rows.items():
        if isinstance(row, dict):
            lines += ("", f"[{name}]", *(f"{key} = {_said(value)}" for key, value in row.items()))
    return "\n".join([*lines, ""])


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
