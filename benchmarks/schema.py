"""What the schema index costs: opening it and reading one type, beside parsing the registry's own documents.

    python -m benchmarks.schema [--rounds 5]

Each figure is the least of the rounds, in processor seconds; the ratios are taken within one run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import orjson

from driftguard.schema import Registry


def least(rounds: int, work: Callable[[], object]) -> float:
    """Processor seconds of the quickest of ``rounds`` runs of ``work``."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    names = Registry.packaged().types()
    documents = [orjson.dumps(Registry.packaged().small(name)) for name in names]
    opened = least(rounds, Registry.packaged)
    # A fresh registry each round: what was read once is kept.
    each = least(rounds, lambda: [r.get(n) for r in [Registry.packaged()] for n in names]) - opened
    plain = least(rounds, lambda: [orjson.loads(one) for one in documents])
    count = len(names)
    print(f"{'types in the index':34}{count:>10}")
    print(f"{'opening the index':34}{opened * 1e3:>10.1f} ms")
    print(f"{'reading one type':34}{each / count * 1e3:>10.3f} ms")
    print(f"{'JSON-parsing all of them at once':34}{plain * 1e3:>10.1f} ms")
    print(f"{'opening / parsing all':34}{opened / plain:>10.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
