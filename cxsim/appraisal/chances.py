"""Parameters, customers and the orders that came in; the chances that the model gave to them out."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.appraisal.trial import Trial
from cxsim.estimation.patterns import PAST, pasts
from cxsim.models import PurchaseParams, purchases

FloatArray = NDArray[np.float64]

_PAIR = ["frequency", "age_days"]
# Chances below this are lost in the rounding of those that they are told from.
LEAST_CHANCE = 1e-300


def chances_of(params: PurchaseParams, trial: Trial) -> tuple[FloatArray, FloatArray]:
    """Return the chance of the very number of orders that came, and of fewer.

    Shape (n,) each, rows as in the trial. What is ahead is computed once for each pair of frequency and age, and for
    counts up to the largest that came from any customer of that pair.
    """
    model, distinct = purchases.model_of(params), pasts(trial.rfm).select(PAST).unique().sort(PAST)
    now = model.phase_probs(params, *(distinct[name].cast(pl.Float64).to_numpy() for name in PAST))
    rows = trial.rfm.join(distinct.with_row_index("past"), on=PAST, how="left", maintain_order="left").select(
        *_PAIR, "past", count=pl.Series(trial.orders).cast(pl.Int64)
    )
    pairs = rows.group_by(_PAIR).agg(most=pl.col("count").max()).sort(_PAIR)
    start = pl.col("most").cum_sum() + pl.int_range(pl.len()) - pl.col("most")
    place = rows.join(pairs.with_columns(start=start), on=_PAIR, how="left", maintain_order="left")
    ladder = pairs.with_columns(counts=pl.int_ranges(0, pl.col("most") + 1)).explode("counts").cast(pl.Float64)
    frequency, age, counts = (ladder[name].to_numpy() for name in (*_PAIR, "counts"))
    ahead = model.count_probs_ahead(params, frequency, age, start=0.0, end=trial.days, counts=counts)
    return _summed(now[place["past"].to_numpy()], ahead, place["start"].to_numpy(), trial.orders)


def _summed(
    now: FloatArray, ahead: FloatArray, start: NDArray[np.int64], orders: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return both chances of each customer, from those at every step of the ladder of counts that begins at `start`."""
    before = np.concatenate([np.zeros((1, ahead.shape[1])), np.cumsum(ahead, axis=0)])
    step = start + orders.astype(np.int64)
    gone = np.maximum(1.0 - now.sum(axis=1), 0.0)
    at = np.einsum("ik,ik->i", now, ahead[step]) + np.where(orders == 0.0, gone, 0.0)
    below = np.einsum("ik,ik->i", now, before[step] - before[start]) + np.where(orders > 0.0, gone, 0.0)
    return np.asarray(np.clip(at, LEAST_CHANCE, 1.0)), np.asarray(np.clip(below, 0.0, 1.0))
