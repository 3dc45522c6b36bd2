"""A preview over HTTP beside the PDF alone, on a service that is warm: in turns, in one run.

    python -m benchmarks.preview [SAMPLE] [ROUNDS]

SAMPLE is the name of a file in samples/valid; without it, a PEP of 8 pages.
"""

import statistics
import sys
import time

from pepforms import settings
from pepforms.resources import folder
from pepforms.web import create_app
from pepforms.wiring import Wiring

QUERIES = {"the PDF": "to=pdf", "one page": "to=png&page=1", "every page": "to=png"}


def main(name: str = "year-5-review", rounds: str = "15") -> None:
    data = (folder("samples") / "valid" / f"{name}.json").read_bytes()
    service = create_app(Wiring(settings.load())).test_client()
    took: dict[str, list[float]] = {said: [] for said in QUERIES}
    for _ in range(int(rounds) + 2):
        for said, query in QUERIES.items():
            begun = time.perf_counter()
            assert service.post(f"/api/v1/render?{query}", data=data).status_code == 200
            took[said].append((time.perf_counter() - begun) * 1000)
    print(f"{name}, {rounds} rounds, medians")
    for said, times in took.items():
        warm = times[2:]  # the first rounds start the processes
        print(f"  {said:12} {statistics.median(warm):6.0f} ms (quickest {min(warm):4.0f}, slowest {max(warm):4.0f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
