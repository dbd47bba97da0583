"""Parameters and distinct pasts in; when the next order comes, if one comes, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.by_past import Pasts, joined, pasts_of, together
from cxsim.models import PurchaseParams, purchases

FloatArray = NDArray[np.float64]

# Days after which nobody waits any more: a century.
CENTURY = 36_525.0
# Halvings of the interval in log-time: from a second to a century, to a relative 1e-9.
_HALVINGS = 36
_SECOND = 1.0 / 86_400.0


def days_to_next_order(params: PurchaseParams, rfm: pl.DataFrame, levels: Sequence[float]) -> pl.DataFrame:
    """Return when the next order comes."""
    known = pasts_of(rfm)
    named = {f"days_p{100 * level:g}": time for level, time in zip(levels, days_at(params, known, levels), strict=True)}
    table = joined(rfm, known, {"prob_none": prob_none(params, known), **named})
    return table.with_columns(pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in named)


def prob_none(params: PurchaseParams, known: Pasts) -> FloatArray:
    """Return the probability that no order ever comes; shape (n,)."""
    return np.asarray(np.clip(1.0 - _within(params, known)(np.full(known.age.size, np.inf)), 0.0, 1.0))


def days_at(params: PurchaseParams, known: Pasts, levels: Sequence[float]) -> list[FloatArray]:
    """Return, for each level, the days within which the next order has come with that chance, if one comes.

    Shape (n,) each; infinite where it takes more than a century.
    """
    wrong = [level for level in levels if not 0.0 < level < 1.0]
    if wrong or not levels:
        raise EstimationError(f"levels must be chances above 0 and below 1; found {list(levels)}.")
    within = _within(params, known)
    ever = within(np.full(known.age.size, np.inf))
    return [_quantile(within, level * ever) for level in levels]


def _within(params: PurchaseParams, known: Pasts) -> Callable[[FloatArray], FloatArray]:
    """Return the function of times, one for each past, that gives the chance of an order within them."""
    model, now = purchases.model_of(params), known.now(params)

    def chance(time: FloatArray) -> FloatArray:
        return together(now, model.next_order_ahead(params, known.frequency, known.age, time=time))

    return chance


def _quantile(within: Callable[[FloatArray], FloatArray], wanted: FloatArray) -> FloatArray:
    low, high = np.full(wanted.size, np.log(_SECOND)), np.full(wanted.size, np.log(CENTURY))
    beyond = within(np.exp(high)) < wanted
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        early = within(np.exp(middle)) < wanted
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return np.where(beyond, np.inf, np.exp(0.5 * (low + high)))
