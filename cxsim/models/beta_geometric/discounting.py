"""Frequency and age of customers who are alive, a rate and a horizon in; expected discounted orders, by stage, out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.models.admission import non_negative, require_rate, whole
from cxsim.models.beta_geometric.ahead import orders_ahead
from cxsim.models.beta_geometric.finite import finite_rows
from cxsim.models.beta_geometric.lifelong import lifelong_rows
from cxsim.models.beta_geometric.params import BetaGeometricParams
from cxsim.models.rows import each_row

FloatArray = NDArray[np.float64]

# An order so many times 1 / rate from now is worth exp(-45) = 3e-20: the horizon has no end.
_ENDLESS = 45.0


def discounted_orders_ahead(
    params: BetaGeometricParams, frequency: ArrayLike, age: ArrayLike, *, rate: float, horizon: float = math.inf
) -> FloatArray:
    """Return the orders to come of a customer who is alive now, each worth exp(-rate * t) if it comes at t.

    Broadcast shape and one more axis of length k: given that j stages of the next order have passed.

    Given purchase rate l and chance p of leaving, y = l / (l + rate) is what a stage to come leaves of an order's
    worth, and all orders to come are worth y^(k - j) / (1 - (1 - p) y^k): DERT is its mean. A finite horizon is
    integrated by parts: rate times the integral of exp(-rate t) E(t), plus exp(-rate horizon) E(horizon), with E of
    `orders_ahead`.
    """
    require_rate(rate, horizon)
    x, end = np.broadcast_arrays(whole("frequency", frequency), non_negative("age", age))
    if rate == 0.0:
        return orders_ahead(params, x, end, time=horizon)
    columns = params.r + params.k * x, params.alpha + end, params.b + x + params.leaves_after_first
    if rate * horizon > _ENDLESS:
        (worth,) = each_row(lifelong_rows, columns, (params.a, rate), outputs=(params.k,))
    else:
        (worth,) = each_row(finite_rows, columns, (params.a, rate, horizon), outputs=(params.k,))
    return worth.reshape(*x.shape, params.k)
