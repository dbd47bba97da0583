"""Values, one per unit, in; their mean or median with its interval out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from cxsim.errors import DataError
from cxsim.intervals.arrays import finite
from cxsim.intervals.cautions import caution_for, joined, nobody
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import tail


def median_of(values: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Median of one value per unit, with two of the values as ends, whatever the distribution.

    Thompson (1936), "On Confidence Ranges for the Median", Annals of Mathematical Statistics 7, 122-128.
    """
    outside = tail(level)
    array = np.sort(finite("values", values))
    units = array.size
    if units == 0:
        return nobody("order statistics", level)
    rank = _rank(units, outside)
    caution = caution_for(units)
    low = high = None
    method = "order statistics"
    if rank:
        low, high = float(array[rank - 1]), float(array[units - rank])
        coverage = order_coverage(units, rank)
        method = f"order statistics {rank} and {units + 1 - rank} ({100 * coverage:.1f} %)"
    else:
        caution = joined([caution, f"too few for an interval at {100 * level:g} %"])
    return Estimate(
        value=float(np.median(array)), low=low, high=high, units=units, method=method, level=level, caution=caution
    )


def order_coverage(units: int, rank: int) -> float:
    """Return how often the `rank`-th smallest and the `rank`-th largest of `units` values hold the median."""
    if not 1 <= rank <= units / 2:
        raise DataError(f"a rank lies between 1 and half of the {units} units; found {rank}.")
    return float(1 - 2 * special.bdtr(rank - 1, units, 0.5))


def _rank(units: int, outside: float) -> int:
    """Return the largest rank that leaves at most `outside` at each end; 0 where there is none."""
    # The binomial's quantile, found from where a normal curve has it and corrected by steps.
    rank = max(int(units / 2 - math.sqrt(units) / 2 * -special.ndtri(outside)), 0)
    while rank < units // 2 and special.bdtr(rank, units, 0.5) <= outside:
        rank += 1
    while rank > 0 and special.bdtr(rank - 1, units, 0.5) > outside:
        rank -= 1
    return rank
