"""Customers through time, and one exposure, in; the ratio of how soon they order again, by Cox's model, out."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from statsmodels.duration.hazard_regression import PHReg

from cxsim.drivers.design import FEWEST_CUSTOMERS, FEWEST_EVENTS, Places, Reals
from cxsim.drivers.exposures import Exposure
from cxsim.drivers.models import Fitted
from cxsim.errors import EstimationError

MODEL = "Cox, days since the last order"
# The likelihood is summed at every day with an order over all who could have ordered, so it sees some customers only.
_MOST_ROWS = 30_000
_DEPENDENT = 1e-8


def cox(table: pl.DataFrame, exposure: Exposure, *, every_days: int) -> Fitted:
    """Return the ratio of the rates of a next order for one unit more of the exposure.

    Customers are at risk from the start of each period to their first order in it, or to its end; the clock is the time
    since their last order, of which the rate may depend in any way. It is a check of the other models: it needs no
    curve for that time.

    Andersen and Gill (1982), "Cox's regression model for counting processes", eq. 2.2; robust covariance of Lin and
    Wei (1989), over customers.
    """
    rows = _some(table)
    met = rows.filter(pl.col(exposure.name) != 0.0)
    customers, events = met["customer"].n_unique(), met.filter(pl.col("orders") > 0).height
    if customers < FEWEST_CUSTOMERS or events < FEWEST_EVENTS:
        raise EstimationError(
            f"of the customers drawn for Cox's model, {customers} met it, with {events} orders after."
        )
    start = rows["idle_days"].round(0).to_numpy()
    length = rows["first_day"].fill_null(float(every_days)).to_numpy()
    # Whole days, at least one: the likelihood is summed day by day.
    end = start + np.maximum(1.0, np.ceil(length))
    status = (rows["orders"] > 0).cast(pl.Int64).to_numpy()
    columns = _columns(rows, exposure)
    # In units of their spread, from which Newton's method finds the maximum.
    spreads = columns.std(axis=0)
    columns, spread = columns / spreads, float(spreads[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = PHReg(end, columns, status=status, entry=start, ties="breslow")
            found = model.fit(disp=0)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as cause:
            raise EstimationError("Cox's model has no finite estimate.") from cause
    coefficients, bread = np.asarray(found.params), np.asarray(found.cov_params())
    if not (np.isfinite(coefficients).all() and np.isfinite(bread).all()):
        raise EstimationError("Cox's model has no finite estimate.")
    at_risk = _AtRisk(columns=columns, entry=start.astype(np.int64), exit=end.astype(np.int64), event=status == 1)
    influence = np.einsum("ij,j->i", _scores(at_risk, coefficients), bread[-1])
    customer = np.unique(rows["customer"].to_numpy(), return_inverse=True)[1]
    error = math.sqrt(float(np.square(np.bincount(customer, weights=influence)).sum())) / spread
    log_ratio = float(coefficients[-1]) / spread
    return Fitted(log_ratio=log_ratio, error=error, customers=int(customer.max()) + 1, exposed=customers)


class _AtRisk(NamedTuple):
    """Rows at risk from the day after `entry` to `exit`, and whether an order ends them."""

    columns: Reals
    entry: Places
    exit: Places
    event: NDArray[np.bool_]


def _scores(rows: _AtRisk, coefficients: Reals) -> Reals:
    """Return what each row adds to the score (Lin and Wei 1989, eq. 2.2); statsmodels has it without entries only."""
    hazard = np.exp(np.einsum("ij,j->i", rows.columns, coefficients))
    days = int(rows.exit.max()) + 2
    sums = np.column_stack([hazard, rows.columns * hazard[:, None]])
    risk = np.column_stack([_risk(values, rows, days) for values in sums.T])
    events = np.bincount(rows.exit[rows.event], minlength=days)
    some = events > 0
    mean, increment = np.zeros((days, rows.columns.shape[1])), np.zeros(days)
    mean[some] = risk[some, 1:] / risk[some, :1]
    increment[some] = events[some] / risk[some, 0]
    so_far, moved = increment.cumsum(), (mean * increment[:, None]).cumsum(axis=0)
    passed = (so_far[rows.exit] - so_far[rows.entry])[:, None] * rows.columns
    expected = hazard[:, None] * (passed - (moved[rows.exit] - moved[rows.entry]))
    scores: Reals = np.where(rows.event[:, None], rows.columns - mean[rows.exit], 0.0) - expected
    return scores


def _risk(values: Reals, rows: _AtRisk, days: int) -> Reals:
    """Return for each day the sum of the values over those who are at risk."""
    entered = np.bincount(rows.entry + 1, weights=values, minlength=days)
    gone = np.bincount(rows.exit + 1, weights=values, minlength=days)
    risk: Reals = (entered - gone).cumsum()
    return risk


def _some(table: pl.DataFrame) -> pl.DataFrame:
    if table.height <= _MOST_ROWS:
        return table
    counts = table.group_by("lot", "customer").len().sort("lot", "customer")
    chosen = counts.filter(pl.col("len").cum_sum() <= _MOST_ROWS)
    return table.join(chosen.select("customer"), on="customer", how="semi").sort("customer", "period")


def _columns(rows: pl.DataFrame, exposure: Exposure) -> Reals:
    orders, age = np.log(rows["orders_so_far"].to_numpy()), np.log1p(rows["age_days"].to_numpy() / 7.0)
    spend = np.log1p(np.maximum(rows["spend_so_far"].to_numpy(), 0.0) / rows["orders_so_far"].to_numpy())
    recent = rows["recent"].to_numpy()
    held = [orders, age, orders**2, age**2, orders * age, spend, np.minimum(recent, 1.0), np.minimum(recent, 4.0)]
    if exposure.occasions is not None:
        held.append(rows[f"{exposure.name}.occasions"].to_numpy())
    last = rows[exposure.name].to_numpy()
    kept: list[Reals] = []
    for column in [*held, last]:
        centred = column - column.mean()
        rest = centred - _projected(centred, kept)
        if rest @ rest > _DEPENDENT * max(float(centred @ centred), _DEPENDENT):
            kept.append(centred)
        elif column is last:
            raise EstimationError("it goes along with what is held equal, so that the two cannot be told apart.")
    return np.column_stack(kept)


def _projected(column: Reals, others: list[Reals]) -> Reals:
    if not others:
        return np.zeros_like(column)
    matrix = np.column_stack(others)
    found: Reals = matrix @ np.linalg.lstsq(matrix, column, rcond=None)[0]
    return found
