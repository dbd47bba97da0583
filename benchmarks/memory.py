"""Peak memory of one process that simulates so many customers: `python -m benchmarks.memory 200000`."""

from __future__ import annotations

import json
import sys

from benchmarks.peaks import peak
from benchmarks.world import SEED, baseline, population
from cxsim.simulation import simulate


def main(customers: int) -> None:
    """Simulate, and print the peak."""
    people = population(customers)
    simulate(people, [baseline(people)], seed=SEED)
    print(json.dumps({"simulate": peak()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
