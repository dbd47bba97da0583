"""Parameters of Pareto/NBD and a customer's past in, the log-likelihood of that past and P(alive) out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from cxsim.compiled import lean
from cxsim.models.admission import history
from cxsim.models.pareto_nbd.leaving import log_odds
from cxsim.models.pareto_nbd.params import ParetoNbdParams
from cxsim.models.rows import each_row
from cxsim.models.special import lgamma_rise

FloatArray = NDArray[np.float64]


def log_likelihood(params: ParetoNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the log-likelihood of each customer's past.

    Natural logarithms, broadcast shape. They stay finite, and right to twelve digits, for a million orders.

    Schmittlein, Morrison & Colombo (1987), appendix; here with the time of leaving integrated numerically.
    """
    return _past(params, frequency, last_order, age)[0]


def phase_probs(params: ParetoNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the probability that a customer has not left by `age`.

    Broadcast shape and one more axis of length 1, because orders by pure chance have a single phase; in [0, 1].

    Schmittlein, Morrison & Colombo (1987), equations (11) to (13).
    """
    return np.asarray(expit(-_past(params, frequency, last_order, age)[1])[..., None])


def phase_probs_new(params: ParetoNbdParams) -> FloatArray:
    """Return P(alive) right after the first order, 1; shape (1,)."""
    return np.ones(params.k)


def _past(
    params: ParetoNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the log-likelihood and log(P(left) / P(alive))."""
    x, last, end = history(frequency, last_order, age)
    constants = (params.r, params.alpha, params.s, params.beta)
    likelihood, odds = each_row(_past_rows, (x, last, end), constants, outputs=(1, 1))
    return likelihood.reshape(x.shape), odds.reshape(x.shape)


@lean
def _past_rows(
    first: int,
    stop: int,
    frequency: FloatArray,
    last_order: FloatArray,
    age: FloatArray,
    r: float,
    alpha: float,
    s: float,
    beta: float,
    likelihood: FloatArray,
    odds: FloatArray,
) -> None:
    for i in range(first, stop):
        x, last, end = frequency[i], last_order[i], age[i]
        left = log_odds(r + x, s, alpha + last, beta + last, end - last)
        together = left + math.log1p(math.exp(-left)) if left > 0.0 else math.log1p(math.exp(left))
        known = lgamma_rise(r, x) - x * math.log(alpha)
        likelihood[i, 0] = known - (r + x) * math.log1p(end / alpha) - s * math.log1p(end / beta) + together
        odds[i, 0] = left
