"""Frequency and age of customers who are alive, and a time, in; what that time holds for them, by stage, out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from cxsim.compiled import lean
from cxsim.errors import DataError
from cxsim.models.admission import non_negative, whole
from cxsim.models.beta_geometric import integrals, sums
from cxsim.models.beta_geometric.params import BetaGeometricParams
from cxsim.models.rows import each_row

FloatArray = NDArray[np.float64]

# About so many terms of the sum cost as much as the integral: some 200 nodes, with k / 2 powers each.
_SUM_UP_TO = 2500.0

_sums, _integrals = sums.survival_and_orders, integrals.survival_and_orders
_terms_needed = sums.terms_needed


def survival_ahead(params: BetaGeometricParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the probability that a customer who is alive now is still alive after `time`.

    Broadcast shape and one more axis of length k: given that j stages of the next order have passed.

    The purchase rate is Gamma(r + k x + j, alpha + age), and the chance of leaving after an order Beta(a, b + x), or
    Beta(a, b + x + 1) for customers who also had that chance after the first order; the two are independent.
    """
    return _in_time(params, frequency, age, time)[0]


def orders_ahead(params: BetaGeometricParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the orders in the next `time` that are expected of a customer who is alive now.

    Broadcast shape and one more axis of length k: given that j stages of the next order have passed.

    For k = 1, Fader, Hardie & Lee (2005), equation (10) over P(alive). The closed form, with Gauss' 2F1, is 0/0 for a
    = 1 and the logarithm of a negative number for a + b < 1; neither the sum nor the integral here is.
    """
    return _in_time(params, frequency, age, time)[1]


def next_order_ahead(
    params: BetaGeometricParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike
) -> FloatArray:
    """Return the probability that the next order of a customer who is alive now comes within `time`.

    Broadcast shape and one more axis of length k: given that j stages of the next order have passed. 1 where `time`
    is infinite, because nobody leaves here but after an order.
    """
    until = np.asarray(time, dtype=np.float64)
    wrong = ~(until >= 0.0)
    if wrong.any():
        raise DataError(f"time must not be negative; found {until[wrong].flat[0]} ({wrong.sum()} of {wrong.size}).")
    x, end, until = np.broadcast_arrays(whole("frequency", frequency), non_negative("age", age), until)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isinf(until), 1.0, until / (params.alpha + end + until))[..., None]
    stages = np.arange(params.k)
    return np.asarray(betainc(params.k - stages, params.r + params.k * x[..., None] + stages, share))


def _in_time(
    params: BetaGeometricParams, frequency: ArrayLike, age: ArrayLike, time: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return both survival and orders."""
    x, end, until = np.broadcast_arrays(
        whole("frequency", frequency), non_negative("age", age), non_negative("time", time)
    )
    shape, reach, b = params.r + params.k * x, until / (params.alpha + end), params.b + x + params.leaves_after_first
    survival, orders = each_row(_in_time_rows, (shape, reach, b), (params.a,), outputs=(params.k, params.k))
    return survival.reshape(*x.shape, params.k), orders.reshape(*x.shape, params.k)


@lean
def _in_time_rows(
    first: int,
    last: int,
    shape: FloatArray,
    reach: FloatArray,
    b: FloatArray,
    a: float,
    survival: FloatArray,
    orders: FloatArray,
) -> None:
    k = survival.shape[1]
    for i in range(first, last):
        for j in range(k):
            alive, ordered = 1.0, 0.0
            if reach[i] > 0.0:
                alive, ordered = survival_and_orders(k, j, shape[i] + j, reach[i], a, b[i])
            survival[i, j], orders[i, j] = min(alive, 1.0), ordered


@lean
def survival_and_orders(k: int, stage: int, shape: float, reach: float, a: float, b: float) -> tuple[float, float]:
    """Return P(alive after the time) and the expected orders in it, by the cheaper of the two ways."""
    if _terms_needed(shape, reach) <= _SUM_UP_TO * k:
        return _sums(k, stage, shape, reach, a, b)
    return _integrals(k, stage, shape, reach, a, b)
