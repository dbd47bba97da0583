"""What is asked of a model of orders and leaving: the past in, what it says of now and of what comes, out."""

from __future__ import annotations

import math
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxsim.clv.models import bgnbd, pareto_nbd
from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams

FloatArray = NDArray[np.float64]
P_contra = TypeVar("P_contra", contravariant=True)


class PurchaseModel(Protocol[P_contra]):
    """Formulas of one family of models, the same names in each; a module keeps this protocol.

    The past speaks of now: whether the customer is alive, and how many of the k stages of the next gap are behind
    them, the phase. What comes depends on frequency, age and phase alone. Results of the second kind therefore have
    one more axis, of length k, given that the customer is alive in that phase.
    """

    def log_likelihood(
        self, params: P_contra, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """Return the log-likelihood of each past, without the gaps between its orders."""

    def phase_probs(self, params: P_contra, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
        """Return the probability of being alive in each phase."""

    def phase_probs_new(self, params: P_contra) -> FloatArray:
        """Return the same for a customer right after the first order."""

    def survival_ahead(self, params: P_contra, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
        """Return the probability of being alive `time` from now."""

    def orders_ahead(self, params: P_contra, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
        """Return the expected orders in the next `time`."""

    def discounted_orders_ahead(
        self, params: P_contra, frequency: ArrayLike, age: ArrayLike, *, rate: float, horizon: float = math.inf
    ) -> FloatArray:
        """Return the expected orders, each worth exp(-rate * t) if it comes at t from now."""

    def count_probs_ahead(
        self,
        params: P_contra,
        frequency: ArrayLike,
        age: ArrayLike,
        *,
        start: ArrayLike,
        end: ArrayLike,
        counts: ArrayLike,
    ) -> FloatArray:
        """Return the probability of exactly `counts` orders between `start` and `end` from now."""

    def next_order_ahead(
        self, params: P_contra, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike
    ) -> FloatArray:
        """Return the probability that the next order comes within `time`; infinite time: that one ever comes."""


PurchaseParams = BetaGeometricParams | ParetoNbdParams

_MODELS: dict[type, PurchaseModel[Any]] = {BetaGeometricParams: bgnbd, ParetoNbdParams: pareto_nbd}


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
