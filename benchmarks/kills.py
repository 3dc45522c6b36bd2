"""A batch killed at every step, on both stores: what is there once, what twice, what is lost.

    python -m benchmarks.kills [sqlite|postgresql…]

The table is the one in docs/batches.md. It takes a quarter of an hour where nothing else runs.
"""

import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
sys.path[:0] = [str(TESTS / "kills"), str(TESTS / "servers")]


def main(*stores: str) -> int:
    import kills
    import postgres

    found = []
    with tempfile.TemporaryDirectory() as folder, postgres.serving() as server:
        for count in kills.matrix(Path(folder), server, stores or ("sqlite", "postgresql")):
            found.append(count)
            print(count, file=sys.stderr, flush=True)
    wrong = [one for one in found if not one.holds()]
    print(f"Documents (of {kills.CHILDREN}), duplicates, lost:\n\n{kills.table(found)}\n")
    print(f"{len(wrong)} do not hold" if wrong else "Every copy was made once, and nothing was lost.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
