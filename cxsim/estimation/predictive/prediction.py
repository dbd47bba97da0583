"""Customers (RFM) and draws of the parameters in; what all of them will order and spend, with intervals, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.estimation.predictive.admission import admitted_customers, admitted_question
from cxsim.estimation.predictive.foretelling import Work, foretell_all
from cxsim.estimation.predictive.parameters import Drawn, chosen, thetas
from cxsim.estimation.predictive.totals import grouped, totals, totals_by_draw
from cxsim.models import GammaGammaParams, PurchaseParams

# Columns of OUTCOMES that count, and those that need a model of spend.
_ORDERS = ("orders_mean", "orders_low", "orders_high", "prob_order")
_VALUE = ("value_mean", "value_low", "value_high")
_WHOLE = ("orders_low", "orders_high")


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What customers will order and spend, as far as it can be known.

    Attributes
    ----------
    customers
        One row per customer, as in the table that was asked about: customer_id; orders_mean, orders_low, orders_high;
        prob_order, the share of draws with any order; with a model of spend also value_mean, value_low, value_high.
    totals
        One row for each of `orders`, `buyers` (customers with any order) and `value`: quantity, mean, low, high. With
        groups, these rows for each group, after a column of the group's name.
    totals_by_draw
        One row per draw (and group): draw, orders, buyers, value.
    days
        How far ahead.
    level
        Probability that each interval holds, for one customer or one total at a time.
    draws
        Number of draws.
    """

    customers: pl.DataFrame
    totals: pl.DataFrame
    totals_by_draw: pl.DataFrame
    days: float
    level: float
    draws: int


def predict(
    rfm: pl.DataFrame,
    purchases: Sequence[PurchaseParams] | Drawn[PurchaseParams],
    spend: Sequence[GammaGammaParams] | Drawn[GammaGammaParams] | None = None,
    *,
    days: float,
    draws: int | None = None,
    seed: int = 0,
    level: float = 0.9,
    annual_discount_rate: float = 0.0,
    margin: float = 1.0,
    by: str | None = None,
) -> Prediction:
    """Return what each customer and all of them will order and spend in the next `days`, with intervals.

    Every draw takes one set of parameters and plays what is ahead of every customer: whether they are still there, how
    often they order before they leave, and what they pay. So the intervals hold both what is not known of the
    parameters and what is chance.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, unique customer_id.
    purchases
        Draws of the parameters of one model of orders, time in days: a posterior, or a sequence of parameters. The same
        parameters again and again leave chance alone.
    spend
        As many draws of the parameters of spend; None for orders alone.
    days
        How far ahead, > 0.
    draws
        How many of the draws to take, evenly spaced; all when None.
    seed
        Seed of all luck, 0 or larger. A customer's luck hangs on seed, draw and customer_id alone: neither the order
        of the rows nor other customers move it.
    level
        Probability of each interval, above 0 and below 1. It takes at least 2 / (1 - level) - 1 draws.
    annual_discount_rate
        Effective rate a year, >= 0; an order at t days from now counts (1 + annual_discount_rate) ** -(t / 365.25).
    margin
        Share of each amount that counts as value, 0 to 1.
    by
        Column of `rfm`, without missing values, for whose values totals are given one by one.

    Returns
    -------
    Prediction
        Tables of customers, totals and totals by draw. The same bits for any number of threads.

    Raises
    ------
    TableError, EstimationError
        If `rfm` does not keep its contract, holds an impossible past, a name twice or a monetary value below 0, and
        for draws, days, level, rate, margin or column out of range.

    Notes
    -----
    Of n draws in order of size, the interval runs from number floor((n + 1) (1 - level) / 2), counted from 1, to the
    one as far from the top. What comes is as likely to fall between any two neighbours, so the interval holds with
    probability `level` or more, whatever n; for whole numbers usually more.

    Spend per order is Gamma distributed with a rate of the customer's own, drawn given their monetary_value; a
    customer without one is drawn from the population.

    Examples
    --------
    >>> from cxsim.models import BetaGeometricParams
    >>> shop = BetaGeometricParams(r=0.24, alpha=30.9, a=0.79, b=2.43)
    >>> rfm = pl.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob"],
    ...         "frequency": [26, 0],
    ...         "recency_days": [216, 0],
    ...         "age_days": [217, 217],
    ...         "monetary_value": [35.0, None],
    ...     }
    ... )
    >>> predict(rfm, [shop] * 1000, days=365).customers.select("customer_id", "orders_low", "orders_high")
    shape: (2, 3)
    ┌─────────────┬────────────┬─────────────┐
    │ customer_id ┆ orders_low ┆ orders_high │
    │ ---         ┆ ---        ┆ ---         │
    │ str         ┆ i64        ┆ i64         │
    ╞═════════════╪════════════╪═════════════╡
    │ ann         ┆ 1          ┆ 51          │
    │ bob         ┆ 0          ┆ 2           │
    └─────────────┴────────────┴─────────────┘
    """
    records, family = thetas(chosen(purchases, draws), None if spend is None else chosen(spend, draws))
    question = admitted_question(
        days=days,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        level=level,
        draws=len(records),
        seed=seed,
    )
    customers, groups, names = grouped(admitted_customers(rfm), by)
    work = Work(thetas=records, family=family, question=question, groups=groups)
    outcomes, counts = foretell_all(customers, work)
    quantities = ["orders", "buyers"] if spend is None else ["orders", "buyers", "value"]
    by_draw = totals_by_draw(counts, names, quantities)
    return Prediction(
        customers=_customers(rfm["customer_id"], outcomes, _ORDERS if spend is None else (*_ORDERS, *_VALUE)),
        totals=totals(by_draw, names, quantities, question),
        totals_by_draw=by_draw,
        days=days,
        level=level,
        draws=len(records),
    )


def _customers(names: pl.Series, outcomes: dict[str, NDArray[np.float64]], columns: Sequence[str]) -> pl.DataFrame:
    # Popped one by one, so that no more than one column is held twice.
    known = [pl.Series(name, outcomes.pop(name)).cast(pl.Int64 if name in _WHOLE else pl.Float64) for name in columns]
    return pl.DataFrame([names, *known])
