"""Order lines of a platform go in; how fast and in what memory they are read, beside polars alone, comes out.

`python -m benchmarks.reading 10000000` reads that many in a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

from benchmarks.measuring import Case
from benchmarks.order_lines import order_lines
from benchmarks.peaks import measured, peak
from cxsim.data import read_transactions, summarise

_LINES = 10_000_000
# Looking at everything may cost as much again as looking at nothing.
_TARGET = 0.5


def reading() -> Iterator[Case]:
    """Yield seconds and peak memory of a table of customers, with all that is looked at before it, and without."""
    order_lines(_LINES)
    pairs = [(measured("reading", _LINES), measured("bare_reading", _LINES)) for _ in range(3)]
    for what, unit in (("seconds", "s"), ("megabytes", "MB")):
        ours, bare = (min(pair[side][what] for pair in pairs) for side in (0, 1))
        yield Case(
            name=f"reading {_LINES // 1_000_000} M order lines of a platform's CSV: {what}",
            ours=ours,
            rival=bare,
            rival_name="a polars script that looks at nothing",
            ratio=bare / ours,
            target=_TARGET,
            unit=unit,
        )


def main(lines: int) -> None:
    """Read so many lines, examine the orders, summarise the customers, and print what it took and gave."""
    path = order_lines(lines)
    begun = time.perf_counter()
    customers = summarise(read_transactions(path))
    took = time.perf_counter() - begun
    found = {"customers": customers.height, "repeats": int(customers["frequency"].sum())}
    print(json.dumps({"seconds": took, "megabytes": peak(), **found}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
