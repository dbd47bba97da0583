"""P-values of many comparisons in; which of them to call a finding out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cxsim.errors import DataError
from cxsim.intervals.arrays import BoolArray, finite


def discoveries(p_values: ArrayLike, rate: float = 0.05) -> BoolArray:
    """Tell which comparisons are findings, so that on average at most a share `rate` of the findings is chance.

    True for a finding, shape (n,).

    Benjamini and Hochberg (1995), "Controlling the False Discovery Rate", JRSS B 57, 289-300, eq. 1.
    """
    values = finite("p-values", p_values)
    if not 0 < rate < 1:
        raise DataError(f"the rate of false findings lies between 0 and 1; found {rate}.")
    if values.size and (values.min() < 0 or values.max() > 1):
        raise DataError(f"p-values lie between 0 and 1; found {values.min():g} to {values.max():g}.")
    ordered = np.sort(values)
    passed = np.flatnonzero(ordered <= rate * np.arange(1, values.size + 1) / max(values.size, 1))
    if passed.size == 0:
        return np.zeros(values.size, dtype=np.bool_)
    return np.asarray(values <= ordered[passed[-1]], dtype=np.bool_)
