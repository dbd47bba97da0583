"""Frequency and age of customers who are alive, and an interval, in; probabilities of numbers of orders in it out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.compiled import lean
from cxsim.errors import DataError
from cxsim.models.admission import non_negative, whole
from cxsim.models.pareto_nbd.integrals import bump_integral, power_integral
from cxsim.models.pareto_nbd.params import ParetoNbdParams
from cxsim.models.rows import each_row
from cxsim.models.special import lgamma_rise

FloatArray = NDArray[np.float64]


def count_probs_ahead(
    params: ParetoNbdParams,
    frequency: ArrayLike,
    age: ArrayLike,
    *,
    start: ArrayLike,
    end: ArrayLike,
    counts: ArrayLike,
) -> FloatArray:
    """Return the probability of exactly `counts` orders between `start` and `end` from now, for a customer alive now.

    Broadcast shape and one more axis of length 1; in [0, 1], and 1 in sum over all counts.

    Fader & Hardie, note 005, "A note on deriving the Pareto/NBD model", for a new customer from 0 on, as 2F1.

    Someone who stays to the end orders a negative binomial number of times; so does someone who leaves on the way, in
    the time until then, over which an integral is taken. Whoever left before the start orders nothing.
    """
    x, now, begin, stop, n = np.broadcast_arrays(
        whole("frequency", frequency),
        non_negative("age", age),
        non_negative("start", start),
        non_negative("end", end),
        whole("counts", counts),
    )
    wrong = begin > stop
    if wrong.any():
        raise DataError(
            f"start must not exceed end; found start {begin[wrong].flat[0]} with end {stop[wrong].flat[0]} "
            f"({wrong.sum()} of {wrong.size})."
        )
    columns = (params.r + x, params.alpha + now, params.beta + now, begin, stop, n)
    (chance,) = each_row(_count_rows, columns, (params.s,), outputs=(1,))
    return np.asarray(np.minimum(chance, 1.0).reshape(*x.shape, params.k))


@lean
def _count_rows(
    first: int,
    stop: int,
    shape: FloatArray,
    scale_orders: FloatArray,
    scale_leaving: FloatArray,
    begin: FloatArray,
    end: FloatArray,
    counts: FloatArray,
    s: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        log_survival = -s * math.log1p(begin[i] / scale_leaving[i])
        scale = scale_leaving[i] + begin[i]
        within = _probability(counts[i], shape[i], s, scale_orders[i], scale, end[i] - begin[i])
        left_before = -math.expm1(log_survival) if counts[i] == 0.0 else 0.0
        out[i, 0] = math.exp(log_survival) * within + left_before


@lean
def _probability(n: float, shape: float, s: float, a: float, b: float, time: float) -> float:
    """Return the probability of n orders in `time` of someone alive at its start, with scales a and b by then."""
    if time <= 0.0:
        return 1.0 if n == 0.0 else 0.0
    stayed = -shape * math.log1p(time / a) - s * math.log1p(time / b)
    if n == 0.0:
        return math.exp(stayed) + s / b * power_integral(shape, s + 1.0, a, b, time)
    ways = lgamma_rise(shape, n) - math.lgamma(n + 1.0)
    size, mantissa = bump_integral(n, shape, s + 1.0, a, b, time)
    return math.exp(ways + stayed - n * math.log1p(a / time)) + s / b * mantissa * math.exp(ways + size)
