"""The whole way to a record (checked, filled, converted, stamped, sealed, verified) beside the bare conversion of it.

    python -m benchmarks.record [RUNS]

veraPDF is left out on both sides. The two take turns, so that a machine whose speed drifts is fair to both.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable

from pepforms import forms, pipeline, settings
from pepforms.resources import folder
from pepforms.wiring import Wiring

BAR = 1.8
"""The whole way may cost so many times the bare conversion."""


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def whole_way(data: bytes, form: forms.Form, wiring: Wiring) -> pipeline.Record:
    pep, _ = pipeline.checked(data, "record", wiring.profile)
    return pipeline.archive(pep, form, wiring)


def main(runs: int = 15) -> None:
    with tempfile.TemporaryDirectory() as home:
        wiring = Wiring(settings.load({"PEPFORMS_HOME": home, "PEPFORMS_ARCHIVE_VALIDATE": "off"}))
        wiring.use_demonstration_key()
        form = forms.named("pep")
        for sample in ("neet-17", "year-8-confidential-placement"):
            data = (folder("samples") / "valid" / f"{sample}.json").read_bytes()
            pep, _ = pipeline.checked(data, "record", wiring.profile)
            docx = wiring.template(form).fill(pep, pipeline.told(pep, form, "authority", wiring.profile))
            pairs = [
                (
                    milliseconds(lambda docx=docx: wiring.convert(docx, about="x")),
                    milliseconds(lambda data=data: whole_way(data, form, wiring)),
                )
                for _ in range(runs + 1)
            ][1:]
            bare, whole = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(whole / bare for bare, whole in pairs)
            times = f"bare conversion {bare:.0f} ms, the whole record {whole:.0f} ms"
            print(f"{sample}: {times}, {ratio:.2f} times (bar {BAR})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
