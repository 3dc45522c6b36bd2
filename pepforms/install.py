"""Install: an authority's own templates, put beside the shipped ones once each has proved itself.

A pack is a folder or a ZIP that holds `forms.toml`, in the form of the one shipped, and the Word files that it names:
templates, a letterhead for all forms, or both.
In the home folder a template has its version in its name (`pep.1a2b3c4d5e6f.docx`, from the SHA-256 of the file), and
an older one stays, so that whoever asks what an old document was made from finds it.
"""

import io
import json
import textwrap
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pepforms import files, forms, many, trial
from pepforms.archive import manifest, stamp
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, PepformsError, Refused, Unreadable
from pepforms.fill import Letterhead, package
from pepforms.forms import Form
from pepforms.wiring import Wiring

_VERSION = 12
"""Characters of the digest in a file name."""
_MESSAGE = 150
"""Characters of what veraPDF says at most; the clause says where to read on."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Forms by name, their rows as written, the bytes of the Word file of each; the letterhead, if it brings one."""

    forms: Mapping[str, Form]
    rows: dict[str, dict[str, Any]]
    templates: dict[str, bytes]
    letterhead: tuple[str, bytes] | None = None


def read(path: Path) -> Pack:
    """The pack at a path; Refused, or Misconfigured for a fault in its rows, where it is none."""
    try:
        found = _in_folder(path) if path.is_dir() else _in_zip(path.read_bytes(), path.name)
    except OSError as error:
        raise Unreadable(
            f"{path} cannot be read. See that it is there and may be read.", slug="unreadable-path"
        ) from error
    if forms.CATALOGUE not in found:
        raise Refused(f"{path.name} holds no {forms.CATALOGUE}, which says what its templates are.", slug="bad-pack")
    text = found[forms.CATALOGUE].decode("utf-8", errors="replace")
    listed = forms.listed(text, path / forms.CATALOGUE)
    named = {f"[{form.name}]": form.template for form in listed.forms.values()}
    for key, file in (named | ({"letterhead": listed.letterhead} if listed.letterhead else {})).items():
        if file.parent != path or file.name not in found or file.suffix != ".docx":
            raise Refused(
                f"{path.name}, {key}: put its template, a .docx, beside {forms.CATALOGUE} and name it.", slug="bad-pack"
            )
    if not named and not listed.letterhead:
        raise Refused(f"The {forms.CATALOGUE} of {path.name} lists no form.", slug="bad-pack")
    rows = tomllib.loads(text)
    rows.pop("letterhead", None)
    head = (listed.letterhead.name, found[listed.letterhead.name]) if listed.letterhead else None
    return Pack(listed.forms, rows, {name: found[form.template.name] for name, form in listed.forms.items()}, head)


def faults(pack: Pack, wiring: Wiring) -> Iterator[tuple[str, PepformsError]]:
    """All that speaks against a pack, each with the name of the template; nothing where it may be installed.

    This is the one place that says what a template must stand before it is used.
    """
    if missing := wiring.judge_missing:
        raise Misconfigured(f"Templates are installed only where veraPDF judges them ({missing}).", slug="no-judge")
    if pack.letterhead and (
        stopping := [*_objections(pack.letterhead[1], pack.letterhead[0], forms.LETTERHEAD, wiring)]
    ):
        yield from stopping
        return
    for form, data, head in _tried(pack, wiring):
        yield from _faults_of(form, data, head, wiring)


def _tried(pack: Pack, wiring: Wiring) -> Iterator[tuple[Form, bytes, Letterhead | None]]:
    """The forms of a pack; where it brings a letterhead, all that stand under it besides. Each with its letterhead."""
    colour = wiring.profile.letterhead.colour
    brought = Letterhead(pack.letterhead[1], pack.letterhead[0], colour) if pack.letterhead else None
    path = forms.letterhead(wiring.installed)
    there = wiring.letterhead_at(path) if path else None
    for name, form in pack.forms.items():
        if pack.rows[name].get("letterhead"):
            yield replace(form, letterhead=form.letterhead or path), pack.templates[name], brought or there
        else:
            yield form, pack.templates[name], None
    for form in wiring.forms().values() if brought else ():
        if form.letterhead and form.name not in pack.forms:
            yield form, form.template.read_bytes(), brought


def _faults_of(form: Form, data: bytes, head: Letterhead | None, wiring: Wiring) -> Iterator[tuple[str, PepformsError]]:
    """All that speaks against one template under its letterhead."""
    file, engines = form.template.name, trial.engines(wiring)
    if stopping := [*_objections(data, file, form, wiring)]:
        yield from stopping
        return
    try:
        documents = trial.fill(data, file, form, head, wiring)
    except PepformsError as error:
        yield file, error
        return
    work = many.each(documents, lambda one: _proved(one, engines, wiring), file, total=len(documents))
    yield from ((file, fault) for fault in trial.folded(work))


def _objections(data: bytes, file: str, form: Form, wiring: Wiring) -> Iterator[tuple[str, PepformsError]]:
    """What the lint finds that must be put right first."""
    for one in trial.lint(data, file, form, wiring):
        if one.severity == "blocks":
            yield file, Refused(f"{one.place}: {one.message}", slug=one.slug)


def keep(pack: Pack, wiring: Wiring) -> list[Form]:
    """Install a pack that has no fault: its templates first, then, at once, the rows that name them."""
    home = files.folder(wiring.keep() / wiring.installed.name)
    catalogue = home / forms.CATALOGUE
    with manifest.locked(home):
        rows = tomllib.loads(catalogue.read_text(encoding="utf-8")) if catalogue.exists() else {}
        for name, form in pack.forms.items():
            rows[name] = pack.rows[name] | {"template": _kept(home, form.template.name, pack.templates[name])}
        if pack.letterhead:
            rows = {"letterhead": _kept(home, *pack.letterhead)} | rows
        text = _written(rows)
        files.replace(catalogue, text.encode())
    return [wiring.form(name) for name in pack.forms]


def _kept(home: Path, file: str, data: bytes) -> str:
    """Keep a Word file under a name that tells its version."""
    name = f"{Path(file).stem}.{sha256(data)[:_VERSION]}.docx"
    files.write(home / name, data)
    return name


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
        one.name: one.read_bytes() for one in path.iterdir() if one.name == forms.CATALOGUE or one.suffix == ".docx"
    }


def _in_zip(data: bytes, name: str) -> dict[str, bytes]:
    """The files of a ZIP that lie where its catalogue lies: at the top, or in the folder that was zipped."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = package.unpacked(archive, name)
    except package.UNREADABLE as error:
        raise Refused(f"{name} is no ZIP, or damaged, or has a password. Make it anew.", slug="bad-pack") from error
    places = [one.rpartition("/")[0] for one in found if one.rpartition("/")[2] == forms.CATALOGUE]
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
