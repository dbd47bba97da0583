"""What is asked of a model of orders and leaving: the past in, what it says of now and of what comes, out."""

from __future__ import annotations

import math
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
