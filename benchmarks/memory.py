"""Peak memory of one process that simulates so many customers: `python -m benchmarks.memory 200000`."""

from __future__ import annotations

import json
import sys

from benchmarks.peaks import peak
from benchmarks.world import SEED, baseline, everything
from cxsim.simulation.engine import simulate


def main(customers: int) -> None:
    """Simulate the baseline, then every mechanism, and print the peak after each."""
    found = {}
    for name, arms in (("baseline", baseline), ("every mechanism", everything)):
        people, ready = arms(customers)
        simulate(people, [ready], seed=SEED)
        found[name] = peak()
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
