"""Parameters of a model of orders and dropout, and pasts of customers, in; what they say of now and of later, out.

The past speaks of now: whether the customer is alive, and how many of the k stages of the next gap have passed. What
comes depends on frequency, age and these stages alone. The module of each family has the same functions: what is known
now (`log_likelihood`, `phase_probs`, `phase_probs_new`), and what comes given alive now in each phase, with one more
axis of length k (`survival_ahead`, `orders_ahead`, `discounted_orders_ahead`, `count_probs_ahead`, `next_order_ahead`).
A past is `frequency`, `last_order` (age at the last order) and `age`, which broadcast together, in one unit of time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.clv.models import bgnbd, pareto_nbd
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.special import history, non_negative, require_rate, whole
from cxsim.errors import DataError

FloatArray = NDArray[np.float64]
PurchaseParams = BetaGeometricParams | ParetoNbdParams

_FAMILIES: dict[type, Any] = {BetaGeometricParams: bgnbd, ParetoNbdParams: pareto_nbd}


def log_likelihood(params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the log-likelihood of each customer's past.

    For k > 1 the gaps between the orders add (k - 1) times the sum of their logarithms, which no parameter changes.
    """
    found: FloatArray = _FAMILIES[type(params)].log_likelihood(params, *history(frequency, last_order, age))
    return found


def prob_alive(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike, *, time: ArrayLike = 0.0
) -> FloatArray:
    """Return the probability that a customer has not left by `time` after `age`."""
    family, past, until = _FAMILIES[type(params)], history(frequency, last_order, age), non_negative("time", time)
    now = family.phase_probs(params, *past)
    if not until.any():
        return np.asarray(np.minimum(now.sum(axis=-1) + np.zeros_like(until), 1.0))
    return _mean(now, _ahead(family.survival_ahead, params, past, time=until))


def expected_purchases(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike, *, time: ArrayLike
) -> FloatArray:
    """Return the expected orders in the next `time`."""
    family, past = _FAMILIES[type(params)], history(frequency, last_order, age)
    return _mean(
        family.phase_probs(params, *past), _ahead(family.orders_ahead, params, past, time=non_negative("time", time))
    )


def expected_purchases_new(params: PurchaseParams, time: ArrayLike) -> FloatArray:
    """Return the expected repeat orders of a new customer in the first `time`; shape of `time`."""
    family = _FAMILIES[type(params)]
    ahead = family.orders_ahead(params, np.zeros(()), np.zeros(()), time=non_negative("time", time))
    return _mean(family.phase_probs_new(params), ahead)


def discounted_expected_purchases(
    params: PurchaseParams,
    frequency: ArrayLike,
    last_order: ArrayLike,
    age: ArrayLike,
    *,
    rate: float,
    horizon: float = math.inf,
) -> FloatArray:
    """Return the expected future orders, each counted as exp(-rate * t) if it comes at t from now."""
    require_rate(rate, horizon)
    family, past = _FAMILIES[type(params)], history(frequency, last_order, age)

    def discounted(params: PurchaseParams, x: FloatArray, age: FloatArray) -> FloatArray:
        found: FloatArray = family.discounted_orders_ahead(params, x, age, rate=rate, horizon=horizon)
        return found

    return _mean(family.phase_probs(params, *past), _ahead(discounted, params, past))


def discounted_expected_purchases_new(params: PurchaseParams, *, rate: float, horizon: float = math.inf) -> float:
    """Return the same for the repeat orders of a new customer, without the first order."""
    require_rate(rate, horizon)
    family = _FAMILIES[type(params)]
    ahead = family.discounted_orders_ahead(params, np.zeros(()), np.zeros(()), rate=rate, horizon=horizon)
    return float(_mean(family.phase_probs_new(params), ahead))


def purchase_probability(
    params: PurchaseParams,
    frequency: ArrayLike,
    last_order: ArrayLike,
    age: ArrayLike,
    *,
    start: ArrayLike = 0.0,
    end: ArrayLike,
    counts: ArrayLike,
) -> FloatArray:
    """Return the probability of exactly `counts` orders between `start` and `end` after `age`; 1 in sum over counts."""
    family, past, question = _FAMILIES[type(params)], history(frequency, last_order, age), _counts(start, end, counts)
    now = family.phase_probs(params, *past)
    found = _mean(now, _ahead(family.count_probs_ahead, params, past, **question))
    return np.asarray(found + (question["counts"] == 0.0) * np.maximum(1.0 - now.sum(axis=-1), 0.0))


def purchase_probability_new(
    params: PurchaseParams, *, start: ArrayLike = 0.0, end: ArrayLike, counts: ArrayLike
) -> FloatArray:
    """Return the same for the repeat orders of a new customer."""
    family, question = _FAMILIES[type(params)], _counts(start, end, counts)
    now = family.phase_probs_new(params)
    found = _mean(now, family.count_probs_ahead(params, np.zeros(()), np.zeros(()), **question))
    return np.asarray(found + (question["counts"] == 0.0) * max(1.0 - float(now.sum()), 0.0))


def next_purchase_within(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike
) -> Callable[[ArrayLike], FloatArray]:
    """Return the probability that the next order comes within a time, or ever with infinity, as a function of it."""
    family, past = _FAMILIES[type(params)], history(frequency, last_order, age)
    now = family.phase_probs(params, *past)

    def within(time: ArrayLike) -> FloatArray:
        until = np.asarray(time, np.float64)
        if not (until >= 0.0).all():
            raise DataError(f"time must not be negative; found {until[~(until >= 0.0)].flat[0]}.")
        return _mean(now, _ahead(family.next_order_ahead, params, past, time=until))

    return within


def _counts(start: ArrayLike, end: ArrayLike, counts: ArrayLike) -> dict[str, FloatArray]:
    begin, stop, n = non_negative("start", start), non_negative("end", end), whole("counts", counts)
    if (begin > stop).any():
        raise DataError(f"start must not lie behind end; found start {begin} and end {stop}.")
    return {"start": begin, "end": stop, "counts": n}


def _ahead(
    function: Callable[..., FloatArray],
    params: PurchaseParams,
    past: tuple[FloatArray, FloatArray, FloatArray],
    **question: FloatArray,
) -> FloatArray:
    """Return what comes, worked out once for each pair of frequency and age where nothing else differs by customer."""
    x, _, age = past
    if x.ndim != 1 or any(one.ndim for one in question.values()):
        return function(params, x, age, **question)
    pairs, place = np.unique(x + 1j * age, return_inverse=True)
    return function(params, pairs.real, pairs.imag, **question)[place]


def _mean(now: FloatArray, ahead: FloatArray) -> FloatArray:
    """Return the mean over the phases of what comes."""
    return np.asarray(np.einsum("...k,...k->...", now, ahead))
