"""The loss check against the conversion that it follows, over every sample.

python -m benchmarks.loss [RUNS]
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from pepforms import forms, loss, pipeline, profile
from pepforms.archive import stamp
from pepforms.convert.rdocx import start
from pepforms.fill import Template
from pepforms.resources import folder


def milliseconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def main(runs: str = "3") -> None:
    form, convert = forms.named("pep"), start()
    template = Template(form.template.read_bytes(), name=form.template.name)
    conversions, checks = [], []
    for path in sorted((folder("samples") / "valid").glob("*.json")):
        pep = json.loads(path.read_text())
        word = template.fill(pep, pipeline.told(pep, form, "authority", profile.load("hillingdon")))
        pdf = stamp.finish(convert(word), title="PEP")
        for _ in range(int(runs)):
            conversions.append(milliseconds(lambda: convert(word)))  # noqa: B023  called here
            checks.append(milliseconds(lambda: loss.check(word, pdf, about="PEP", facts=tuple)))  # noqa: B023  likewise
    conversion, check = statistics.median(conversions), statistics.median(checks)
    print(f"the loss check, median over every sample, {runs} runs each")
    print(f"  conversion  {conversion:8.2f} ms a document")
    print(f"  loss check  {check:8.2f} ms a document")
    print(f"  ratio       {check / conversion:8.2f} of the conversion")


if __name__ == "__main__":
    main(*sys.argv[1:])
