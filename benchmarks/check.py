"""Checking a full PEP beside converting it: in turns, in one run, so that a busy machine slows both alike.

    python -m benchmarks.check [SAMPLE] [RUNS]

SAMPLE is the name of a file in samples/valid; without it, the heaviest.
"""

import statistics
import sys
import time
from collections.abc import Callable

from pepforms import check, forms, pipeline, profile
from pepforms.convert import rdocx
from pepforms.fill import Template
from pepforms.resources import folder

MOST = 0.10


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def main(name: str | None = None, runs: str = "15") -> None:
    samples = {path.stem: path for path in sorted((folder("samples") / "valid").glob("*.json"))}
    path = samples[name] if name else max(samples.values(), key=lambda one: one.stat().st_size)
    data = path.read_bytes()
    faulty = data.replace(b'"due": "', b'"due": "by ')
    ours, form = profile.load("hillingdon"), forms.named("pep")
    template = Template(form.template.read_bytes(), name=form.template.name)
    pep, _ = pipeline.checked(data, "record", ours)
    docx = template.fill(pep, pipeline.told(pep, form, "authority", ours))
    convert = rdocx.start()
    works: dict[str, Callable[[], object]] = {
        "check for a draft": lambda: check.check(data, "draft", ours),
        "check for a record": lambda: check.check(data, "record", ours),
        "check, with faults": lambda: check.check(faulty, "record", ours),
        "convert (rdocx)": lambda: convert(docx),
    }
    took: dict[str, list[float]] = {said: [] for said in works}
    for _ in range(int(runs) + 1):
        for said, work in works.items():
            took[said].append(milliseconds(work))
    medians = {said: statistics.median(each[1:]) for said, each in took.items()}  # the first round warms up
    print(f"{path.stem}: {len(data):,} bytes of JSON, {runs} rounds, medians")
    for said, median in medians.items():
        print(f"  {said:20} {median:8.2f} ms")
    ratio = medians["check for a record"] / medians["convert (rdocx)"]
    print(f"  check / convert      {ratio:8.1%}  (bar: at most {MOST:.0%})")


if __name__ == "__main__":
    main(*sys.argv[1:])
