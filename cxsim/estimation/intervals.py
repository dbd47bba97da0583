"""Customers (RFM) and draws of the parameters in; what is expected of each, with its interval over the draws, out.

These are intervals of expectations and chances: they hold what is not known of the parameters and not the luck of
single customers, for which there is `predict`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count, require_days, require_level
from cxsim.estimation.by_past import Pasts, joined, pasts_of, together
from cxsim.estimation.next_order import CENTURY, days_at
from cxsim.estimation.posteriors import Posterior
from cxsim.models import PurchaseParams, purchases

FloatArray = NDArray[np.float64]
Answer = Callable[[PurchaseParams, Pasts], FloatArray]

# Draws over which an interval is taken by default: its ends are then known to a tenth of its length.
DRAWS = 200
# Pasts at once: 100 MB for the default number of draws.
_PIECE = 1 << 16


def prob_alive_interval(
    rfm: pl.DataFrame,
    believed: Posterior[PurchaseParams],
    *,
    after_days: float = 0.0,
    level: float = 0.9,
    draws: int = DRAWS,
) -> pl.DataFrame:
    """Return the chance of not having left `after_days` from now, with its interval.

    Parameters
    ----------
    rfm
        Customers under RFM.
    believed
        Posterior of a model of orders.
    after_days
        Days from now, >= 0.
    level
        Share of the draws inside the interval, above 0 and below 1.
    draws
        Draws to use, the first of the posterior.

    Returns
    -------
    polars.DataFrame
        customer_id, prob_alive (mean over the draws), low, high; rows as in `rfm`.

    Raises
    ------
    TableError, EstimationError
        If `rfm` does not keep its contract or holds an impossible past, and for numbers out of range.
    """
    require_days("after_days", after_days)

    def answer(params: PurchaseParams, known: Pasts) -> FloatArray:
        model = purchases.model_of(params)
        now = known.now(params)
        return together(now, known.ahead(lambda x, age: model.survival_ahead(params, x, age, time=after_days)))

    return _by_customer("prob_alive", rfm, answer, _first(believed, draws), level)


def expected_purchases_interval(
    rfm: pl.DataFrame,
    believed: Posterior[PurchaseParams],
    days: float,
    *,
    level: float = 0.9,
    draws: int = DRAWS,
) -> pl.DataFrame:
    """Return the orders expected in the next `days`, with their interval.

    Parameters
    ----------
    rfm, believed
        As in `prob_alive_interval`.
    days
        Days from now, >= 0.
    level, draws
        As in `prob_alive_interval`.

    Returns
    -------
    polars.DataFrame
        customer_id, expected_purchases (mean over the draws), low, high; rows as in `rfm`.

    Raises
    ------
    TableError, EstimationError
        As in `prob_alive_interval`.
    """
    require_days("days", days)

    def answer(params: PurchaseParams, known: Pasts) -> FloatArray:
        model = purchases.model_of(params)
        return together(known.now(params), known.ahead(lambda x, age: model.orders_ahead(params, x, age, time=days)))

    return _by_customer("expected_purchases", rfm, answer, _first(believed, draws), level)


def days_to_next_purchase_interval(
    rfm: pl.DataFrame,
    believed: Posterior[PurchaseParams],
    *,
    chance: float = 0.5,
    level: float = 0.9,
    draws: int = DRAWS,
) -> pl.DataFrame:
    """Return the days within which the next order has come with `chance`, if one comes, with their interval.

    Parameters
    ----------
    rfm, believed
        As in `prob_alive_interval`.
    chance
        Above 0 and below 1; 0.5 gives the median.
    level, draws
        As in `prob_alive_interval`.

    Returns
    -------
    polars.DataFrame
        customer_id, days (mean over the draws), low, high; null where it takes more than a century. Rows as in `rfm`.

    Raises
    ------
    TableError, EstimationError
        As in `prob_alive_interval`.
    """

    def answer(params: PurchaseParams, known: Pasts) -> FloatArray:
        return np.minimum(days_at(params, known, [chance])[0], CENTURY)

    table = _by_customer("days", rfm, answer, _first(believed, draws), level)
    return table.with_columns(
        pl.when(pl.col(name) < CENTURY).then(name).alias(name) for name in ("days", "low", "high")
    )


def expected_purchases_new_interval(
    believed: Posterior[PurchaseParams], days: float | Sequence[float], *, level: float = 0.9
) -> pl.DataFrame:
    """Return days and expected_purchases of a new customer, the mean over all draws, with low and high.

    Parameters
    ----------
    believed
        As in `prob_alive_interval`.
    days
        Days since the first order, >= 0.
    level
        As in `prob_alive_interval`.

    Raises
    ------
    EstimationError
        For numbers out of range.
    """
    require_level(level)
    times = np.atleast_1d(np.asarray(days, dtype=np.float64))
    for time in times:
        require_days("days", float(time))
    drawn = _first(believed, len(believed))
    values = np.array([purchases.expected_purchases_new(params, times) for params in drawn])
    low, high = interval_ends(values, level)
    return pl.DataFrame({"days": times, "expected_purchases": values.mean(axis=0), "low": low, "high": high})


def _first(believed: Posterior[PurchaseParams], draws: int) -> list[PurchaseParams]:
    if not is_count(draws, least=1):
        raise EstimationError(f"draws must be a whole number, at least 1; found {draws}.")
    return [believed.params(number) for number in range(min(draws, len(believed)))]


def _by_customer(
    name: str, rfm: pl.DataFrame, answer: Answer, drawn: Sequence[PurchaseParams], level: float
) -> pl.DataFrame:
    """Return mean and interval of an answer over draws of the parameters, worked out past by past."""
    require_level(level)
    known = pasts_of(rfm)
    # Of nobody, too, there is one piece, so that the table keeps its columns.
    firsts = range(0, max(known.age.size, 1), _PIECE)
    parts = [_summed_up(_piece(known, first), answer, drawn, level) for first in firsts]
    mean, low, high = (np.concatenate(column) for column in zip(*parts, strict=True))
    return joined(rfm, known, {name: mean, "low": low, "high": high})


def _summed_up(
    known: Pasts, answer: Answer, drawn: Sequence[PurchaseParams], level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    answers = np.array([answer(params, known) for params in drawn])
    low, high = interval_ends(answers, level)
    return answers.mean(axis=0), low, high


def _piece(known: Pasts, first: int) -> Pasts:
    some = slice(first, first + _PIECE)
    return replace(
        known,
        frequency=known.frequency[some],
        last_order=known.last_order[some],
        age=known.age[some],
        pair_of=known.pair_of[some],
    )


def interval_ends(values: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the quantiles between which the share `level` of the draws, the first axis of `values`, lies."""
    low, high = np.quantile(values, [0.5 - 0.5 * level, 0.5 + 0.5 * level], axis=0)
    return np.asarray(low), np.asarray(high)
