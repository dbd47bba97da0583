"""The dashboard of large shops, beside the same sums written straight in polars, beside ourselves, and its limits."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.big_shop import shop_of
from benchmarks.measuring import Case, speed, within
from benchmarks.peaks import measured
from benchmarks.straight_metrics import straight
from cxsim.metrics.dashboard import dashboard, periods_of

_WEEKS = 26
_SMALL, _LARGE = 1_000_000, 10_000_000
# Two minutes and eight gigabytes, for 33 million orders of 10 million customers and 5 million tickets.
_SECONDS, _MEGABYTES = 120.0, 8_000.0
# We may take half as long again as the sums alone.
_LEAST = 1 / 1.5
_ROUNDS = 3


def dashboards() -> Iterator[Case]:
    """Yield speed beside the sums alone, speed at ten times the size, time and memory."""
    shop = shop_of(_SMALL)
    weeks = periods_of(shop, "week", _WEEKS)
    yield speed(
        "dashboard of 26 weeks, 1 million customers",
        lambda: dashboard(shop),
        _SMALL,
        lambda: straight(shop, weeks),
        _SMALL,
        rival_name="its sums written straight in polars",
        target=_LEAST,
        unit="customers per second",
        rounds=_ROUNDS,
    )
    shop_of(_LARGE)  # made beforehand, in a process whose memory is not looked at
    runs = {customers: measured("metrics_run", customers) for customers in (_SMALL, _LARGE)}
    before, now = (customers / runs[customers]["seconds"] for customers in (_SMALL, _LARGE))
    yield Case(
        name="dashboard, 10 million customers",
        ours=now,
        rival=before,
        rival_name="ourselves at 1 million",
        ratio=now / before,
        target=0.7,
        unit="customers per second",
    )
    yield within("time of the dashboard, 33 million orders", runs[_LARGE]["seconds"], _SECONDS, unit="seconds")
    yield within(
        "memory of the dashboard, 33 million orders", runs[_LARGE]["megabytes"], _MEGABYTES, unit="MB at its peak"
    )
