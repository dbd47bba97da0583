"""Seconds that a process takes to load and to play every mechanism: `python -m benchmarks.first_run 25000`.

The first time on a machine all is compiled; `on_a_fresh_machine` shows it a copy of the package without machine code.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import seconds
from benchmarks.peaks import measured

_CHECKOUT = Path(__file__).parents[1]
_NEEDED = ("cxsim", "benchmarks", "params")


def on_a_fresh_machine(customers: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return what `main` prints where nothing is compiled yet, and when the same is run there once more."""
    with tempfile.TemporaryDirectory() as folder:
        for name in _NEEDED:
            shutil.copytree(_CHECKOUT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
        cold, warm = (measured("first_run", customers, folder) for _ in range(2))
    return cold, warm


def main(customers: int) -> None:
    """Load, play three times, and print how long that took: `first` with loading, `again`, and `other` programmes."""
    begun = time.perf_counter()
    from benchmarks.mechanisms import every_mechanism  # noqa: PLC0415 - loading is measured
    from benchmarks.world import SEED, everything  # noqa: PLC0415
    from cxsim.simulation.engine import simulate  # noqa: PLC0415

    people, ready = everything(customers)
    simulate(people, [ready], seed=SEED)
    found = {"first": time.perf_counter() - begun}
    for name, programmes in (("again", every_mechanism()), ("other", every_mechanism()[::-1][:6])):
        people, ready = everything(customers, programmes)
        # Each makes inputs of its own, as a second draw would.
        found[name] = seconds(lambda people=people, ready=ready: simulate(people, [ready], seed=SEED))
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
