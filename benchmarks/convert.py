"""Converting every sample by each engine, in turns, in one run, so that a busy machine slows both alike.

    python -m benchmarks.convert [ROUNDS]

Each engine has one process. The first document pays for its start; the rounds that follow are warm.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from pepforms import forms, pipeline, profile
from pepforms.convert import Converter
from pepforms.convert.libreoffice import LibreOffice, find, version
from pepforms.convert.rdocx import Rdocx
from pepforms.fill import Template
from pepforms.resources import folder


def filled() -> dict[str, bytes]:
    """Every sample in the PEP template."""
    form, ours = forms.named("pep"), profile.load("hillingdon")
    template = Template(form.template.read_bytes(), name=form.template.name)
    found = {}
    for path in sorted((folder("samples") / "valid").glob("*.json")):
        pep, _ = pipeline.checked(path.read_bytes(), "draft", ours)
        found[path.stem] = template.fill(pep, pipeline.told(pep, form, "authority", ours))
    return found


def milliseconds(engine: Converter, docx: bytes) -> float:
    begun = time.perf_counter()
    engine.convert(docx, about="a sample")
    return (time.perf_counter() - begun) * 1000


def megabytes(engine: Any) -> float:
    """What the engine's process holds now."""
    (process,) = engine._pool._running
    status = Path(f"/proc/{process._process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main(rounds: str = "5") -> None:
    documents = filled()
    engines: list[Converter] = [Rdocx(processes=1)]
    if find():
        print(version())
        engines.append(LibreOffice(processes=1))
    first = next(iter(documents.values()))
    cold = {engine.name: milliseconds(engine, first) for engine in engines}
    warm: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(int(rounds)):
        for docx in documents.values():
            for engine in engines:
                warm[engine.name].append(milliseconds(engine, docx))
    print(f"{len(documents)} samples, {rounds} rounds")
    for engine in engines:
        name, times = engine.name, warm[engine.name]
        ratio = statistics.median(times) / statistics.median(warm["rdocx"])
        print(
            f"  {name:12} first {cold[name]:6.0f} ms, then median {statistics.median(times):5.0f} ms a document "
            f"(slowest {max(times):5.0f}), {ratio:4.2f} times rdocx; {megabytes(engine):4.0f} MB"
        )
        engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
