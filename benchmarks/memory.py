"""Peak memory of one process that simulates so many customers: `python -m benchmarks.memory 200000`."""

from __future__ import annotations

import resource
import sys

from benchmarks.world import SEED, baseline, population
from cxsim.simulation import simulate


def main(customers: int) -> None:
    """Simulate, and print the peak resident memory in millions of bytes."""
    people = population(customers)
    simulate(people, [baseline(people)], seed=SEED)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(kilobytes * 1024 / 1e6)


if __name__ == "__main__":
    main(int(sys.argv[1]))
