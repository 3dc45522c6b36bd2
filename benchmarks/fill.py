"""Filling the PEP template: docxtpl and pepforms side by side, in turns, printing the same words.

    python -m benchmarks.fill [SAMPLE] [RUNS]

SAMPLE is the name of a file in samples/valid; without it, the heaviest. docxtpl is given what it needs to do the same
work: our environment (its filters and words for values), our context and autoescape. Opening the template is part of
its work, since rendering uses its template up; pepforms compiles once, which is shown apart.
"""

import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import docx
import docxtpl

from pepforms import forms, pipeline, profile, schema
from pepforms.fill import Template
from pepforms.fill.language import Environment
from pepforms.fill.pictures import MADE, Made
from pepforms.fill.values import context
from pepforms.resources import folder


def by_docxtpl(template: bytes, pep: dict[str, Any], told: Mapping[str, Any]) -> bytes:
    word = docxtpl.DocxTemplate(io.BytesIO(template))
    names = context(pep, schema.load().root, told) | {MADE: Made()}
    word.render(names, jinja_env=Environment(), autoescape=True)
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def words(filled: bytes) -> list[str]:
    return [
        "".join(text.text or "" for text in p.iter("{*}t"))
        for p in docx.Document(io.BytesIO(filled)).element.iter("{*}p")
    ]


def milliseconds(work: Callable[[], bytes]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def without_pictures(pep: dict[str, Any]) -> dict[str, Any]:
    """docxtpl cannot draw ours."""
    pep.get("views", {}).get("child", {}).pop("pictures", None)
    return pep


def main(name: str | None = None, runs: str = "30") -> None:
    samples = {path.stem: path for path in sorted((folder("samples") / "valid").glob("*.json"))}
    path: Path = samples[name] if name else max(samples.values(), key=lambda one: one.stat().st_size)
    pep = without_pictures(json.loads(path.read_text()))
    form = forms.named("pep")
    told = pipeline.told(pep, form, "authority", profile.load("hillingdon"))
    data = form.template.read_bytes()

    begun = time.perf_counter()
    template = Template(data, name=form.template.name)
    compiled = (time.perf_counter() - begun) * 1000
    assert words(template.fill(pep, told)) == words(by_docxtpl(data, pep, told)), "they must print the same words"

    theirs, ours = [], []
    for _ in range(int(runs)):
        theirs.append(milliseconds(lambda: by_docxtpl(data, pep, told)))
        ours.append(milliseconds(lambda: template.fill(pep, told)))
    their_median, our_median = statistics.median(theirs), statistics.median(ours)
    print(f"{form.template.name} with {path.stem}, median of {runs} runs each")
    print(f"  docxtpl   {their_median:8.2f} ms a document (best {min(theirs):.2f})")
    print(f"  pepforms  {our_median:8.2f} ms a document (best {min(ours):.2f}), once {compiled:.0f} ms to compile")
    print(f"  ratio     {their_median / our_median:8.1f} times")


if __name__ == "__main__":
    main(*sys.argv[1:])
