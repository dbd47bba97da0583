"""Frequency and age of customers who are alive, and an interval, in; P(exactly n orders in it), by stage, out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from cxsim.errors import DataError
from cxsim.models.admission import non_negative, whole
from cxsim.models.beta_geometric.count_sums import count_rows
from cxsim.models.beta_geometric.later_counts import later_count_prob
from cxsim.models.beta_geometric.params import BetaGeometricParams
from cxsim.models.rows import each_row

FloatArray = NDArray[np.float64]

# Beyond so many numbers of stages before the interval, an integral is cheaper where there is one, for k = 1.
_SUM_UP_TO = 1e4
# Sums of more would take a second for each number.
_MOST_TERMS = 1e7


def count_probs_ahead(
    params: BetaGeometricParams,
    frequency: ArrayLike,
    age: ArrayLike,
    *,
    start: ArrayLike,
    end: ArrayLike,
    counts: ArrayLike,
) -> FloatArray:
    """Return the probability that a customer who is alive now orders exactly so often between two times from now.

    Broadcast shape and one more axis of length k: given that j stages of the next order have passed now. Sums to 1
    over all `counts`, as whoever leaves before `start` orders 0 times.

    For a new customer, k = 1 and start 0, Fader, Hardie & Lee (2005), equation (8). Stages before and in the interval
    are negative multinomial; the sum runs over those before it.
    """
    x, old, begin, until, n = np.broadcast_arrays(
        whole("frequency", frequency),
        non_negative("age", age),
        non_negative("start", start),
        non_negative("end", end),
        whole("counts", counts),
    )
    wrong = begin > until
    if wrong.any():
        raise DataError(f"start must not lie behind end; found {begin[wrong].flat[0]} and {until[wrong].flat[0]}.")
    total, b = params.alpha + old, params.b + x + params.leaves_after_first
    shape, before, within = params.r + params.k * x, begin / total, (until - begin) / (total + begin)
    columns = tuple(np.ravel(column) for column in (shape, before, within, b, n))
    return _all_rows(params, columns).reshape(*n.shape, params.k)


def _all_rows(params: BetaGeometricParams, columns: tuple[FloatArray, ...]) -> FloatArray:
    """Return a row for each customer, and a column for each stage."""
    shape, before, within, b, n = columns
    mean = shape * before
    sd = np.sqrt(mean * (1.0 + before))
    # Nine standard deviations below the mean 1e-18 is left; where the shape is small, that is below 0.
    lowest = np.maximum(np.floor(mean - 9.0 * sd), 0.0)
    terms = mean - lowest + 9.0 * sd + 37.0 * (1.0 + before)
    long = (terms > _SUM_UP_TO) & (before > 0.0) if params.k == 1 else np.zeros(n.shape, dtype=bool)
    if (terms[~long] > _MOST_TERMS).any():
        raise DataError(f"more than {_MOST_TERMS:g} stages may pass before start; let start lie nearer, or k be 1.")
    result = np.empty((n.size, params.k))
    first = lowest[~long, None] + shape[~long, None] + np.arange(params.k)
    share = (within / (1.0 + within))[~long, None]
    ordered = np.maximum(params.k * n[~long, None], 1.0)
    reached = np.where(n[~long, None] > 0, betainc(ordered, first, share), 1.0)
    few = tuple(column[~long] for column in (shape, before, within, b, n, lowest))
    (result[~long],) = each_row(count_rows, few, (params.a, reached), outputs=(params.k,))
    for i in np.flatnonzero(long):
        result[i, 0] = later_count_prob(n[i], shape[i], before[i], within[i], a=params.a, b=b[i])
    return result
