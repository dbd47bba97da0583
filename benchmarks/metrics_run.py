"""Seconds and peak memory of the whole dashboard of so many customers: `python -m benchmarks.metrics_run 10000000`."""

from __future__ import annotations

import json
import sys
import time

from benchmarks.big_shop import shop_of
from benchmarks.peaks import peak
from cxsim.metrics.dashboard import dashboard


def main(customers: int) -> None:
    """Measure every metric of the last 26 weeks, the tables being made, and print what it took."""
    shop = shop_of(customers)
    begun = time.perf_counter()
    dashboard(shop)
    print(json.dumps({"seconds": time.perf_counter() - begun, "megabytes": peak()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
