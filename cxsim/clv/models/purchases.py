"""Parameters of a model of orders and dropout, and pasts of customers, in; what they say of now and of later, out.

The past speaks of now: whether the customer is alive, and how many of the k stages of the next gap have passed. What
comes depends on frequency, age and these stages alone. The module of each family has the same functions: what is known
now (`log_likelihood`, `phase_probs`, `phase_probs_new`), and what comes given alive now in each phase, with one more
axis of length k (`survival_ahead`, `orders_ahead`, `discounted_orders_ahead`, `count_probs_ahead`, `next_order_ahead`).
A past is `frequency`, `last_order` (age at the last order) and `age`, which broadcast together, in one unit of time.
"""

from __future__ import annotations

import math
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


class Outlook:
    """What the past of customers says of now and of later; without a past, of a new customer after the first order.

    The past is frequency, last order and age, which broadcast together.
    """

    def __init__(self, params: PurchaseParams, *past: ArrayLike) -> None:
        self._params, self._family = params, _FAMILIES[type(params)]
        x, last, age = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in past or (0.0, 0.0, 0.0)))
        self._frequency, self._age = x, age
        family = self._family
        self._now: FloatArray = family.phase_probs(params, x, last, age) if past else family.phase_probs_new(params)

    def prob_alive(self, time: ArrayLike = 0.0) -> FloatArray:
        """Return the probability that a customer has not left by `time` from now."""
        until = np.asarray(time, np.float64)
        if until.any():
            return self._mean("survival_ahead", time=until)
        return np.asarray(np.minimum(self._now.sum(axis=-1) + np.zeros_like(until), 1.0))

    def expected_purchases(self, time: ArrayLike) -> FloatArray:
        """Return the expected (repeat) orders in the next `time`."""
        return self._mean("orders_ahead", time=time)

    def discounted_purchases(self, *, rate: float, horizon: float = math.inf) -> FloatArray:
        """Return the expected (repeat) orders, each counted as exp(-rate * t) if it comes at t from now."""
        return self._mean("discounted_orders_ahead", rate=rate, horizon=horizon)

    def purchase_probability(self, *, start: ArrayLike = 0.0, end: ArrayLike, counts: ArrayLike) -> FloatArray:
        """Return the probability of exactly `counts` orders between `start` and `end` from now; 1 in sum."""
        found = self._mean("count_probs_ahead", start=start, end=end, counts=counts)
        # Who has left orders nothing.
        return np.asarray(found + (np.asarray(counts) == 0.0) * np.maximum(1.0 - self._now.sum(axis=-1), 0.0))

    def next_purchase_within(self, time: ArrayLike) -> FloatArray:
        """Return the probability that the next order comes within a time, or ever with infinity."""
        return self._mean("next_order_ahead", time=time)

    def _mean(self, what: str, **question: ArrayLike) -> FloatArray:
        """Return the mean of what comes over the phases that customers may be in now.

        It is worked out once for each pair of frequency and age where nothing else differs by customer.
        """
        asked, ahead = (
            {name: np.asarray(one, np.float64)[()] for name, one in question.items()},
            getattr(self._family, what),
        )
        if self._age.ndim == 1 and not any(one.ndim for one in asked.values()):
            pairs, place = np.unique(self._frequency + 1j * self._age, return_inverse=True)
            comes = ahead(self._params, pairs.real, pairs.imag, **asked)[place]
        else:
            comes = ahead(self._params, self._frequency, self._age, **asked)
        return np.asarray(np.einsum("...k,...k->...", self._now, comes))
