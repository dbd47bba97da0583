"""The sums of a metric in; its value with an interval, and its change between two periods, out."""

from __future__ import annotations

import dataclasses
import math

from scipy import special

from cxsim.intervals import (
    CrossSums,
    Estimate,
    RatioSums,
    clustered_wilson,
    difference,
    garwood,
    net_promoter,
    ratio,
    ratio_correlation,
    wilson,
)
from cxsim.metrics.metric import Kind, Metric, Unit

# Fewer independent units than this, and no value is said.
FEWEST = 10
_SUPPRESSED: tuple[Kind, ...] = ("share", "ratio", "mean", "score", "median wait", "answered in time")
# Of one answer: 1 for a promoter, -1 for a detractor.
_POINTS = (-1.0, 1.0)
_Z = float(special.ndtri(0.975))
_NOBODY = RatioSums(units=0, x=0.0, n=0.0, xx=0.0, nn=0.0, xn=0.0)


def estimated(metric: Metric, sums: RatioSums | None) -> Estimate:
    """Return the value of a metric in one period."""
    found = sums or _NOBODY
    if metric.kind == "total":
        return scaled(_total(found, metric.unit), metric.factor)
    if found.n == 0.0:
        return Estimate(value=None, low=None, high=None, units=found.units, method="", caution="nobody")
    return scaled(_over_customers(metric.kind, found), metric.factor)


def _over_customers(kind: Kind, sums: RatioSums) -> Estimate:
    # Whoever counts at most once has equal squares: 0 and 1.
    once = sums.nn == sums.n
    if kind == "share" and once:
        return wilson(round(sums.x), round(sums.n))
    if kind == "score" and once:
        promoters, detractors = round((sums.xx + sums.x) / 2), round((sums.xx - sums.x) / 2)
        found = net_promoter(promoters, round(sums.n) - promoters - detractors, detractors)
        return scaled(found, 0.01)
    # More can be refunded than was charged; then it is no share, and its interval not one of shares.
    if kind == "share" and 0 <= sums.x <= sums.n:
        return clustered_wilson(sums)
    return ratio(sums, scale=_POINTS if kind == "score" else None)


def _total(sums: RatioSums, unit: Unit) -> Estimate:
    """Return a total; customers come as a Poisson process, so its variance is the sum of squares over them."""
    if unit == "count" and sums.xx == sums.x == sums.n:
        # Nobody counts twice, so it is a count, of which small ones have limits of their own.
        return dataclasses.replace(garwood(round(sums.x), 1.0), units=sums.units)
    if sums.units == 0:
        return Estimate(value=0.0, low=None, high=None, units=0, method="", caution="nobody")
    error = math.sqrt(sums.xx)
    low = max(sums.x - _Z * error, 0.0) if sums.x >= 0.0 else sums.x - _Z * error
    return Estimate(value=sums.x, low=low, high=sums.x + _Z * error, units=sums.units, method="compound Poisson")


def scaled(found: Estimate, factor: float) -> Estimate:
    """Return an estimate in another unit."""
    value, low, high = (None if end is None else factor * end for end in (found.value, found.low, found.high))
    return dataclasses.replace(found, value=value, low=low, high=high)


def suppressed(metric: Metric, found: Estimate) -> Estimate:
    """Return the estimate, or one without a value where fewer than ten independent units stand behind it."""
    if metric.kind not in _SUPPRESSED or found.units >= FEWEST:
        return found
    caution = f"too few to say: {found.units} of {FEWEST}"
    return dataclasses.replace(found, value=None, low=None, high=None, caution=caution)


def changed(
    metric: Metric, now: Estimate, before: Estimate, *, sums: tuple[RatioSums, RatioSums], cross: CrossSums
) -> Estimate:
    """Return the change from one period to the next, allowing for the customers who are in both."""
    one, other = sums
    if metric.kind == "total":
        together = math.sqrt(one.xx * other.xx)
        shared = cross.xx / together if together > 0.0 else 0.0
    else:
        shared = ratio_correlation(one, other, cross)
    return difference(now, before, correlation=shared)
