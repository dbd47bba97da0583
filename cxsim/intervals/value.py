"""What customers brought by age, and how many were seen at that age, in; their value up to each age out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cxsim.errors import DataError
from cxsim.intervals.arrays import FloatArray, finite, not_negative, same_length


def partitioned(sums_by_age: ArrayLike, at_risk_by_age: ArrayLike, *, fewest: int = 1) -> FloatArray:
    """Return the mean value of a customer up to the end of each age, where the young have not reached the later ages.

    Each age is a mean over those who were seen through it; the curve adds these up. Dividing all value by all
    customers would mix ages.

    Parameters
    ----------
    sums_by_age
        What customers who were seen through the whole of an age brought in it, from age 0, shape (n,).
    at_risk_by_age
        How many were seen through it; never more than at the age before.
    fewest
        The curve stops before the first age that fewer customers have reached; at least 1.

    Returns
    -------
    ndarray
        Cumulative value, shape (m,), m <= n.

    Raises
    ------
    DataError
        When a number is missing or infinite, the two differ in length, there are more customers at a later age, or
        `fewest` is below 1.

    References
    ----------
    Bang and Tsiatis (2000), "Estimating Medical Costs with Censored Data", Biometrika 87, 329-343, section 3, where
    customers are censored by their age alone.

    Examples
    --------
    >>> partitioned([1300, 160, 40], [30, 30, 10]).round(4)
    array([43.3333, 48.6667, 52.6667])
    """
    sums, seen = finite("sums_by_age", sums_by_age), not_negative("at_risk_by_age", at_risk_by_age)
    same_length(("sums_by_age", sums), ("at_risk_by_age", seen))
    if fewest < 1:
        raise DataError(f"fewest must be at least 1; found {fewest}.")
    if (np.diff(seen) > 0).any():
        age = int(np.argmax(np.diff(seen) > 0)) + 1
        raise DataError(
            f"no more customers can be seen at a later age; found {seen[age]:g} at age {age} after {seen[age - 1]:g}."
        )
    kept = seen >= fewest
    means: FloatArray = sums[kept] / seen[kept]
    return np.asarray(np.cumsum(means), dtype=np.float64)
