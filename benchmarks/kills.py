"""Batches and the hand-over killed at every step, on both stores: what is there once, what twice, what is lost.

    python -m benchmarks.kills [sqlite|postgresql…]

The table is the one in docs/kills.md. It takes a quarter of an hour where nothing else runs.
"""

import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
sys.path[:0] = [str(TESTS / name) for name in ("kills", "servers", "deliver")]


def main(*stores: str) -> int:
    import matrix
    import postgres
    import servers

    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres.serving() as database,
        servers.serving(Path(folder) / "server") as server,
    ):
        for count in matrix.counts(Path(folder), database, server, stores or matrix.STORES):
            found.append(count)
            print(count, file=sys.stderr, flush=True)
    wrong = [one for one in found if not one.holds()]
    print(f"{matrix.table(found)}\n")
    print(f"{len(wrong)} do not hold" if wrong else "Everything is there once, and nothing was lost.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
