"""Parameters of any model of orders, and a past, in; what is expected of such a customer out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.models import beta_geometric, pareto_nbd
from cxsim.models.beta_geometric import BetaGeometricParams
from cxsim.models.pareto_nbd import ParetoNbdParams
from cxsim.models.purchase_model import PurchaseModel

FloatArray = NDArray[np.float64]
PurchaseParams = BetaGeometricParams | ParetoNbdParams

_MODELS: dict[type, PurchaseModel[Any]] = {BetaGeometricParams: beta_geometric, ParetoNbdParams: pareto_nbd}


def model_of(params: PurchaseParams) -> PurchaseModel[Any]:
    """Return the formulas that belong to `params`."""
    return _MODELS[type(params)]


def log_likelihood(params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the log-likelihood of each customer's past; see `prob_alive` for the parameters.

    For k > 1 the gaps between the orders add (k - 1) times the sum of their logarithms, which no parameter changes.
    """
    return model_of(params).log_likelihood(params, frequency, last_order, age)


def prob_alive(
    params: PurchaseParams,
    frequency: ArrayLike,
    last_order: ArrayLike,
    age: ArrayLike,
    *,
    time: ArrayLike = 0.0,
) -> FloatArray:
    """Return the probability that a customer has not left by `time` after `age`.

    Broadcast shape, in [0, 1].
    """
    model = model_of(params)
    now = model.phase_probs(params, frequency, last_order, age)
    if not np.any(time):
        return np.asarray(np.minimum(now.sum(axis=-1) + np.zeros_like(time, dtype=np.float64), 1.0))
    return _together(now, model.survival_ahead(params, frequency, age, time=time))


def expected_purchases(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike, *, time: ArrayLike
) -> FloatArray:
    """Return the expected orders in the next `time` of customers with a past; see `prob_alive` for the parameters."""
    model = model_of(params)
    now = model.phase_probs(params, frequency, last_order, age)
    return _together(now, model.orders_ahead(params, frequency, age, time=time))


def expected_purchases_new(params: PurchaseParams, time: ArrayLike) -> FloatArray:
    """Return the expected repeat orders of a new customer in the first `time`; shape of `time`."""
    model = model_of(params)
    return _together(model.phase_probs_new(params), model.orders_ahead(params, 0.0, 0.0, time=time))


def discounted_expected_purchases(
    params: PurchaseParams,
    frequency: ArrayLike,
    last_order: ArrayLike,
    age: ArrayLike,
    *,
    rate: float,
    horizon: float = math.inf,
) -> FloatArray:
    """Return the expected future orders, each worth exp(-rate * t) if it comes at t from now."""
    model = model_of(params)
    now = model.phase_probs(params, frequency, last_order, age)
    return _together(now, model.discounted_orders_ahead(params, frequency, age, rate=rate, horizon=horizon))


def discounted_expected_purchases_new(params: PurchaseParams, *, rate: float, horizon: float = math.inf) -> float:
    """Return the same for the repeat orders of a new customer, without the first order."""
    model = model_of(params)
    ahead = model.discounted_orders_ahead(params, 0.0, 0.0, rate=rate, horizon=horizon)
    return float(_together(model.phase_probs_new(params), ahead))


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
    """Return the probability of exactly `counts` orders between `start` and `end` after `age`.

    Broadcast shape; sums to 1 over all counts.
    """
    model = model_of(params)
    now = model.phase_probs(params, frequency, last_order, age)
    ahead = model.count_probs_ahead(params, frequency, age, start=start, end=end, counts=counts)
    nothing = np.equal(np.broadcast_to(counts, ahead.shape[:-1]), 0)
    return np.asarray(_together(now, ahead) + nothing * np.maximum(1.0 - now.sum(axis=-1), 0.0))


def purchase_probability_new(
    params: PurchaseParams, *, start: ArrayLike = 0.0, end: ArrayLike, counts: ArrayLike
) -> FloatArray:
    """Return the same for the repeat orders of a new customer."""
    model = model_of(params)
    now = model.phase_probs_new(params)
    ahead = model.count_probs_ahead(params, 0.0, 0.0, start=start, end=end, counts=counts)
    nothing = np.equal(np.broadcast_to(counts, ahead.shape[:-1]), 0)
    return np.asarray(_together(now, ahead) + nothing * max(1.0 - float(now.sum()), 0.0))


def next_purchase_probability(
    params: PurchaseParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike, *, time: ArrayLike
) -> FloatArray:
    """Return the probability that the next order comes within `time`; with infinity, that one ever comes."""
    model = model_of(params)
    now = model.phase_probs(params, frequency, last_order, age)
    return _together(now, model.next_order_ahead(params, frequency, age, time=time))


def _together(now: FloatArray, ahead: FloatArray) -> FloatArray:
    """Return the mean over the phases of what comes."""
    return np.asarray((now * ahead).sum(axis=-1))
