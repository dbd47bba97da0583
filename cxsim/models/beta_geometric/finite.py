"""Rows of customers who are alive, and a horizon, in; the discounted worth of their orders in it, by stage, out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import lean
from cxsim.models.beta_geometric.ahead import survival_and_orders

FloatArray = NDArray[np.float64]

_NODES = 16
_GAUSS_X, _GAUSS_W = np.polynomial.legendre.leggauss(_NODES)
# Regular orders beat in time until chance has put them out of step, some 2 k beats from now. The first panels follow.
_OUT_OF_STEP = 35.0


@lean
def finite_rows(
    first: int,
    last: int,
    shape: FloatArray,
    total: FloatArray,
    b: FloatArray,
    a: float,
    rate: float,
    horizon: float,
    worth: FloatArray,
) -> None:
    """Write the worth of the orders up to `horizon`, at `rate`, to rows `first` to `last` of `worth`."""
    k = worth.shape[1]
    for i in range(first, last):
        for j in range(k):
            worth[i, j] = 0.0
            reach = horizon / total[i]
            if reach > 0.0:
                worth[i, j] = _worth(k, j, shape[i] + j, a, b[i], rate * total[i], reach)


@lean
def _worth(k: int, stage: int, shape: float, a: float, b: float, rate: float, reach: float) -> float:
    """Return the worth of the orders within `reach`; times are in units of the rate of the Gamma distribution."""
    _, orders = survival_and_orders(k, stage, shape, reach, a, b)
    worth = math.exp(-rate * reach) * orders
    # Orders change at times of order 1 / (1 + their number per unit of time); nodes are spread evenly in log time.
    scale = 1.0 / (1.0 + 0.1 * shape)
    beats = 0.0
    if k > 1:
        beats = min(reach, _OUT_OF_STEP / (shape * (1.0 - math.cos(2.0 * math.pi / k))))
        worth += _panels(k, stage, shape, a, b, rate, 0.0, beats, scale, 1 + k // 2)
    if reach > beats:
        worth += _panels(k, stage, shape, a, b, rate, beats, reach, scale, 1 + int(rate * reach / 4.0))
    return worth


@lean
def _panels(
    k: int,
    stage: int,
    shape: float,
    a: float,
    b: float,
    rate: float,
    start: float,
    end: float,
    scale: float,
    panels: int,
) -> float:
    """Return rate times the integral of exp(-rate t) E(t) by Gauss and Legendre's rule in log(1 + t / scale)."""
    low, high = math.log1p(start / scale), math.log1p(end / scale)
    half = 0.5 * (high - low) / panels
    total = 0.0
    for panel in range(panels):
        for node in range(_NODES):
            y = low + half * (2.0 * panel + 1.0 + _GAUSS_X[node])
            time = scale * math.expm1(y)
            _, orders = survival_and_orders(k, stage, shape, time, a, b)
            total += half * _GAUSS_W[node] * scale * math.exp(y) * rate * math.exp(-rate * time) * orders
    return total
