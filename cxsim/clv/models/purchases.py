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
from numpy.typing import ArrayLike

from cxsim.clv.models import bgnbd, pareto_nbd
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.special import FloatArray

PurchaseParams = BetaGeometricParams | ParetoNbdParams

_FAMILIES: dict[type, Any] = {BetaGeometricParams: bgnbd, ParetoNbdParams: pareto_nbd}


def log_likelihood(params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the log-likelihood of each customer's past.

    For k > 1 the gaps between the orders add (k - 1) times the sum of their logarithms, which no parameter changes.
    """
    past = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in (frequency, last_order, age)))
    found: FloatArray = _FAMILIES[type(params)].log_likelihood(params, *past)
    return found


def prob_alive(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike, *, time: ArrayLike = 0.0
) -> FloatArray:
    """Return the probability that a customer has not left by `time` after `age`."""
    now, mean = _outlook(params, frequency, last_order, age)
    until = np.asarray(time, np.float64)
    if until.any():
        return mean("survival_ahead", time=until)
    return np.asarray(np.minimum(now.sum(axis=-1) + np.zeros_like(until), 1.0))


def expected_purchases(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike, *, time: ArrayLike
) -> FloatArray:
    """Return the expected orders in the next `time`."""
    return _outlook(params, frequency, last_order, age)[1]("orders_ahead", time=time)


def expected_purchases_new(params: PurchaseParams, time: ArrayLike) -> FloatArray:
    """Return the expected repeat orders of a new customer in the first `time`; shape of `time`."""
    return _outlook(params)[1]("orders_ahead", time=time)


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
    return _outlook(params, frequency, last_order, age)[1]("discounted_orders_ahead", rate=rate, horizon=horizon)


def discounted_expected_purchases_new(params: PurchaseParams, *, rate: float, horizon: float = math.inf) -> float:
    """Return the same for the repeat orders of a new customer, without the first order."""
    return float(_outlook(params)[1]("discounted_orders_ahead", rate=rate, horizon=horizon))


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
    return _outlook(params, frequency, last_order, age)[1]("count_probs_ahead", start=start, end=end, counts=counts)


def purchase_probability_new(
    params: PurchaseParams, *, start: ArrayLike = 0.0, end: ArrayLike, counts: ArrayLike
) -> FloatArray:
    """Return the same for the repeat orders of a new customer."""
    return _outlook(params)[1]("count_probs_ahead", start=start, end=end, counts=counts)


def next_purchase_within(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike
) -> Callable[[ArrayLike], FloatArray]:
    """Return the probability that the next order comes within a time, or ever with infinity, as a function of it."""
    _, mean = _outlook(params, frequency, last_order, age)
    return lambda time: mean("next_order_ahead", time=time)


def _outlook(params: PurchaseParams, *past: ArrayLike) -> tuple[FloatArray, Callable[..., FloatArray]]:
    """Return P(alive) by phase, and a function for the mean of what comes over the phases; without a past, of the new.

    What comes is worked out once for each pair of frequency and age where nothing else differs by customer.
    """
    family = _FAMILIES[type(params)]
    x, last, age = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in past or (0.0, 0.0, 0.0)))
    now: FloatArray = family.phase_probs(params, x, last, age) if past else family.phase_probs_new(params)

    def mean(what: str, **question: ArrayLike) -> FloatArray:
        asked, ahead = {name: np.asarray(one, np.float64)[()] for name, one in question.items()}, getattr(family, what)
        if x.ndim == 1 and not any(one.ndim for one in asked.values()):
            pairs, place = np.unique(x + 1j * age, return_inverse=True)
            comes = ahead(params, pairs.real, pairs.imag, **asked)[place]
        else:
            comes = ahead(params, x, age, **asked)
        found = np.einsum("...k,...k->...", now, comes)
        if "counts" in asked:
            # Who has left orders nothing.
            found = found + (asked["counts"] == 0.0) * np.maximum(1.0 - now.sum(axis=-1), 0.0)
        return np.asarray(found)

    return now, mean
