"""Distinct pasts in; ordinary sizes of the parameters, and places to start a climb from, out."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from cxsim.estimation.kinds import CALENDAR_LEAVING, Kind
from cxsim.estimation.patterns import PurchasePatterns, SpendPatterns

FloatArray = NDArray[np.float64]

# Shapes of the rates, and of the chances of leaving or the calendar's hazard (as a multiple of the mean age).
_SHAPES = (0.3, 1.0, 3.0)
_CHANCES = ((0.5, 2.0), (1.0, 6.0), (1.0, 40.0))
_HAZARDS = ((0.5, 0.3), (1.0, 1.0), (1.5, 8.0))
_SPENDS = ((1.5, 3.0), (6.0, 4.0), (3.0, 10.0))


def purchase_centre(kind: Kind, k: int, patterns: PurchasePatterns) -> FloatArray:
    """Return log-parameters of ordinary size for a model of orders: shapes of 1, times of the order of the ages."""
    mean_age = float(np.average(patterns.age_days, weights=patterns.weight))
    sizes = {"alpha": max(mean_age, 1.0) / k, "beta": max(mean_age, 1.0)}
    return np.log([sizes.get(name, 1.0) for name in kind.names])


def purchase_starts(kind: Kind, k: int, patterns: PurchasePatterns) -> list[FloatArray]:
    """Return places to start from, whose purchase rates bring about as many orders as were seen."""
    mean_age = float(np.average(patterns.age_days, weights=patterns.weight))
    orders = float((patterns.weight * patterns.frequency).sum())
    # Half of the time that customers were observed for, they had left.
    gap = 0.5 * float((patterns.weight * patterns.age_days).sum()) / orders
    starts = []
    for shape, (third, fourth) in itertools.product(_SHAPES, _HAZARDS if kind.names == CALENDAR_LEAVING else _CHANCES):
        scale = mean_age if kind.names == CALENDAR_LEAVING else 1.0
        starts.append(np.log([shape, shape * gap / k, third, fourth * scale]))
    return starts


def spend_centre(patterns: SpendPatterns) -> FloatArray:
    """Return log-parameters of ordinary size for Gamma-Gamma: shapes of 1, v of the order of the mean amount."""
    return np.array([0.0, 0.0, math.log(_mean_amount(patterns))])


def spend_starts(patterns: SpendPatterns) -> list[FloatArray]:
    """Return places to start from, whose mean spend is the one that was seen."""
    mean = _mean_amount(patterns)
    return [np.log([p, q, mean * (q - 1.0) / p]) for p, q in _SPENDS]


def _mean_amount(patterns: SpendPatterns) -> float:
    return float(np.average(patterns.monetary_value, weights=patterns.weight))
