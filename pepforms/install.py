"""Install: an authority's own templates, put beside the shipped ones once each has proved itself.

A pack is a folder or a ZIP that holds `forms.toml`, in the form of the one shipped, and the Word files that it names.
In the home folder a template has its version in its name (`pep.1a2b3c4d5e6f.docx`, from the SHA-256 of the file), and
an older one stays, so that whoever asks what an old document was made from finds it.
"""

import io
import json
import re
import textwrap
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pepforms import files, forms, many, trial
from pepforms.archive import manifest, stamp
from pepforms.digest import sha256
from pepforms.errors import Misconfigured, PepformsError, Refused, Unreadable
from pepforms.fill import package
from pepforms.forms import Form
from pepforms.wiring import Wiring

_VERSION = 12
"""Characters of the digest in a file name."""
_MESSAGE = 150
"""Characters of what veraPDF says at most; the clause says where to read on."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Forms by name, their rows as written, and the bytes of the Word file of each."""

    forms: dict[str, Form]
    rows: dict[str, dict[str, Any]]
    templates: dict[str, bytes]


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
    listed = forms.listed(text, path / forms.CATALOGUE).forms
    for form in listed.values():
        if form.template.parent != path or form.template.name not in found or form.template.suffix != ".docx":
            raise Refused(
                f"{path.name}, [{form.name}]: put its template, a .docx, beside {forms.CATALOGUE} and name it.",
                slug="bad-pack",
            )
    if not listed:
        raise Refused(f"The {forms.CATALOGUE} of {path.name} lists no form.", slug="bad-pack")
    rows = tomllib.loads(text)
    _written(rows)  # what could not be kept is refused before any work
    return Pack(listed, rows, {form.name: found[form.template.name] for form in listed.values()})


def faults(pack: Pack, wiring: Wiring) -> Iterator[tuple[str, PepformsError]]:
    """All that speaks against a pack, each with the name of the template; nothing where it may be installed.

    This is the one place that says what a template must stand before it is used.
    """
    if missing := wiring.judge_missing:
        raise Misconfigured(f"Templates are installed only where veraPDF judges them ({missing}).", slug="no-judge")
    engines = trial.engines(wiring)
    for name, form in pack.forms.items():
        data, file = pack.templates[name], form.template.name
        try:
            found = trial.lint(data, file, form, wiring)
            if stopping := [finding for finding in found if finding.severity == "blocks"]:
                yield from ((file, Refused(f"{one.place}: {one.message}", slug=one.slug)) for one in stopping)
                continue
            documents = trial.fill(data, file, form, wiring)
        except PepformsError as error:
            yield file, error
            continue
        work = many.each(documents, lambda one: _proved(one, engines, wiring), form.template.name, total=len(documents))
        yield from ((form.template.name, result) for _, result in work if isinstance(result, PepformsError))


def keep(pack: Pack, wiring: Wiring) -> list[Form]:
    """Install a pack that has no fault: its templates first, then, at once, the rows that name them."""
    home = files.folder(wiring.keep() / wiring.installed.name)
    catalogue = home / forms.CATALOGUE
    with manifest.locked(home):
        rows = tomllib.loads(catalogue.read_text(encoding="utf-8")) if catalogue.exists() else {}
        for name, form in pack.forms.items():
            data = pack.templates[name]
            kept = f"{form.template.stem}.{sha256(data)[:_VERSION]}.docx"
            files.write(home / kept, data)
            rows[name] = pack.rows[name] | {"template": kept}
        text = _written(rows)
        files.replace(catalogue, text.encode())
    return [forms.listed(text, catalogue).forms[name] for name in pack.forms]


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
    """Rows as TOML, which says texts, numbers and lists as JSON does; Refused where a row holds anything else."""
    lines = [
        line
        for name, row in rows.items()
        for line in (f"[{name}]", *(f"{_key(key)} = {_said(value)}" for key, value in row.items()), "")
    ]
    return "\n".join(lines)


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else _said(key)


def _said(value: Any) -> str:
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, str | int | float):
            raise Refused("A row holds what cannot be kept. Use texts, numbers and lists of them.", slug="bad-pack")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
