"""Two estimates in; how far one lies above the other, or how many times it is the other, out."""

from __future__ import annotations

import math

from cxsim.errors import DataError
from cxsim.intervals.cautions import joined
from cxsim.intervals.estimate import Estimate


def difference(one: Estimate, other: Estimate, *, correlation: float = 0.0) -> Estimate:
    """One less the other, with an interval recovered from the two intervals (MOVER).

    Two intervals that overlap are no test of whether the two differ; this one is.

    Zou and Donner (2008), "Construction of confidence limits about effect measures", Statistics in Medicine 27,
    1693-1702; with correlation, Zou (2007), Psychological Methods 12, 399-413, eq. 15. With Wilson's intervals it is
    method 10 of Newcombe (1998), Statistics in Medicine 17, 873-890.
    """
    _check_pair(one, other, correlation)
    value = low = high = None
    if one.value is not None and other.value is not None:
        value = one.value - other.value
        if one.low is not None and other.high is not None:
            low = value - _recovered(one.value - one.low, other.high - other.value, correlation)
        if one.high is not None and other.low is not None:
            high = value + _recovered(one.high - one.value, other.value - other.low, correlation)
    return Estimate(
        value=value,
        low=low,
        high=high,
        units=min(one.units, other.units),
        method="Newcombe" if {one.method, other.method} == {"Wilson"} and correlation == 0 else "MOVER",
        level=one.level,
        caution=joined([one.caution, other.caution]),
    )


def _check_pair(one: Estimate, other: Estimate, correlation: float) -> None:
    if one.level != other.level:
        raise DataError(f"two intervals are compared at one level; found {one.level} and {other.level}.")
    if not -1 <= correlation <= 1:
        raise DataError(f"a correlation lies between -1 and 1; found {correlation}.")


def _recovered(one: float, other: float, correlation: float) -> float:
    """Return the deviation of a difference from those of its parts."""
    # With a correlation of 1 and equal parts, rounding can leave a trace below 0.
    return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))
