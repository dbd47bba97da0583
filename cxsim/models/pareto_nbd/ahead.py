"""Frequency and age of customers who are alive, and a time, in; survival, orders and the next order in it out.

Given that a customer is alive, the purchase rate is Gamma(r + x, alpha + age) and the hazard of leaving
Gamma(s, beta + age), independent of each other and of when the last order came.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.compiled import lean
from cxsim.errors import DataError
from cxsim.models.admission import non_negative, require_rate, whole
from cxsim.models.pareto_nbd.integrals import discounted_integral, power_integral
from cxsim.models.pareto_nbd.params import ParetoNbdParams
from cxsim.models.rows import each_row

FloatArray = NDArray[np.float64]


def survival_ahead(params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the probability that a customer who is alive now is still alive after `time`.

    Broadcast shape and one more axis of length 1.

    Schmittlein, Morrison & Colombo (1987): the Pareto distribution of the second kind, whose scale grows with age.
    """
    _, end, horizon = _admitted(frequency, age, non_negative("time", time))
    return np.asarray(np.exp(-params.s * np.log1p(horizon / (params.beta + end)))[..., None])


def orders_ahead(params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the orders in the next `time` that are expected of a customer who is alive now.

    Broadcast shape and one more axis of length 1.

    Schmittlein, Morrison & Colombo (1987), equation (22) over P(alive); written so that it holds for s = 1 too.
    """
    x, end, horizon = _admitted(frequency, age, non_negative("time", time))
    length = np.log1p(horizon / (params.beta + end))
    bend = (params.s - 1.0) * length
    lifetime = (
        (params.beta + end) * length * np.divide(-np.expm1(-bend), bend, out=np.ones_like(bend), where=bend != 0.0)
    )
    return np.asarray(((params.r + x) / (params.alpha + end) * lifetime)[..., None])


def discounted_orders_ahead(
    params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, rate: float, horizon: float = math.inf
) -> FloatArray:
    """Return the expected orders of a customer who is alive now, each worth exp(-rate * t) if it comes at t from now.

    Broadcast shape and one more axis of length 1.

    Fader, Hardie & Lee (2005), Journal of Marketing Research 42, 415-430, equation (2), is the infinite horizon with
    Tricomi's function; here the integral over time of the discounted survival.
    """
    require_rate(rate, horizon)
    x, end, _ = _admitted(frequency, age, np.zeros(()))
    # Ages are few and customers are many.
    ages, place = np.unique(end, return_inverse=True)
    constants = (params.s, params.beta, float(rate), float(horizon))
    (lifetime,) = each_row(_discounted_rows, (ages,), constants, outputs=(1,))
    return np.asarray(((params.r + x) / (params.alpha + end) * lifetime[place.reshape(end.shape), 0])[..., None])


def next_order_ahead(params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the probability that the next order of a customer who is alive now comes within `time`.

    Broadcast shape and one more axis of length 1; in [0, 1].

    The density of the first order at u, times the probability of still being alive by then, over all u up to `time`.
    """
    until = np.asarray(time, dtype=np.float64)
    wrong = ~(until >= 0.0)
    if wrong.any():
        raise DataError(f"time must not be negative; found {until[wrong].flat[0]} ({wrong.sum()} of {wrong.size}).")
    x, end, until = _admitted(frequency, age, until)
    (chance,) = each_row(
        _next_rows, (params.r + x, params.alpha + end, params.beta + end, until), (params.s,), outputs=(1,)
    )
    return np.asarray(np.minimum(chance, 1.0).reshape(*x.shape, params.k))


def _admitted(frequency: ArrayLike, age: ArrayLike, time: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    x, end, until = np.broadcast_arrays(whole("frequency", frequency), non_negative("age", age), time)
    return x, end, until


@lean
def _discounted_rows(
    first: int,
    stop: int,
    age: FloatArray,
    s: float,
    beta: float,
    rate: float,
    horizon: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        out[i, 0] = discounted_integral(s, beta + age[i], rate, horizon)


@lean
def _next_rows(
    first: int,
    stop: int,
    shape: FloatArray,
    scale_orders: FloatArray,
    scale_leaving: FloatArray,
    time: FloatArray,
    s: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        integral = power_integral(shape[i] + 1.0, s, scale_orders[i], scale_leaving[i], time[i])
        out[i, 0] = shape[i] / scale_orders[i] * integral
