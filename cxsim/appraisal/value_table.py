"""Customers (RFM) and two fits in; what each customer and all of them are worth, with intervals, out.

What has to be reckoned is reckoned once for each distinct past, of which there are far fewer than customers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from cxsim.appraisal.alive import PAST, alive_intervals
from cxsim.appraisal.drawn import Drawn, drawn_params
from cxsim.appraisal.terms import Terms
from cxsim.estimation import GammaGammaFit, PurchaseFit, predict
from cxsim.tables import RFM, check

_HALF = 0.5
_QUANTITIES = ("orders", "buyers", "value")
_COLUMNS = (
    "customer_id",
    "prob_alive",
    "prob_alive_low",
    "prob_alive_high",
    "expected_orders",
    "orders_low",
    "orders_high",
    "value",
    "value_low",
    "value_high",
    "prob_none",
    "days_to_next",
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CustomerValues:
    """What customers are worth.

    Attributes
    ----------
    table
        One row per customer, as in the table that was asked about: customer_id; prob_alive with prob_alive_low and
        prob_alive_high, by what is not known of the parameters; expected_orders with orders_low and orders_high, and
        value with value_low and value_high, by that and by luck; prob_none, the chance that no order ever comes;
        days_to_next, within which half of the next orders come if one comes, null where that is more than a century.
    totals
        quantity (orders, buyers, value), mean, low and high over all customers. The means of orders and value are the
        sums of the table's.
    group_totals
        The same for each group, after a column of the group's name; without groups, as `totals`.
    totals_by_draw
        One row per draw: draw, orders, buyers, value.
    terms
        On what terms.
    remarks
        What a reader must know, one sentence each.
    """

    table: pl.DataFrame
    totals: pl.DataFrame
    group_totals: pl.DataFrame
    totals_by_draw: pl.DataFrame
    terms: Terms
    remarks: tuple[str, ...]


def customer_values(
    rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit, terms: Terms, *, by: str | None = None
) -> CustomerValues:
    """Return what each customer and all of them are worth on certain terms.

    An order at t days from now counts (1 + annual_discount_rate) ** -(t / 365.25).
    """
    drawn = drawn_params(check(rfm, RFM), purchases, spend, draws=terms.draws, seed=terms.seed)
    foretold = predict(
        rfm,
        drawn.purchases,
        drawn.spends,
        days=terms.horizon_days,
        seed=terms.seed,
        level=terms.level,
        annual_discount_rate=terms.annual_discount_rate,
        margin=terms.margin,
        by=by,
    )
    table = _expected(rfm, purchases, spend, terms, drawn).with_columns(
        foretold.customers.select("orders_low", "orders_high", "value_low", "value_high")
    )
    by_draw = _all_groups(foretold.totals_by_draw, terms.draws)
    totals = _with_means(_intervals(by_draw, terms), table, None)
    return CustomerValues(
        table=table.select(_COLUMNS),
        totals=totals,
        group_totals=totals if by is None else _with_means(foretold.totals, table.with_columns(rfm[by]), by),
        totals_by_draw=by_draw,
        terms=terms,
        remarks=drawn.remarks,
    )


def _expected(
    rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit, terms: Terms, drawn: Drawn
) -> pl.DataFrame:
    """Return what is expected at the estimates, and how surely they are still customers; rows as in `rfm`."""
    distinct = rfm.select(PAST).unique().sort(PAST)
    pasts = distinct.with_row_index("customer_id").with_columns(
        pl.col("customer_id").cast(pl.Int64), monetary_value=pl.lit(None, dtype=pl.Float64)
    )
    ahead = purchases.clv(
        pasts, spend, annual_discount_rate=terms.annual_discount_rate, horizon_days=terms.horizon_days
    )
    orders = purchases.expected_purchases(pasts, terms.horizon_days)
    following = purchases.days_to_next_purchase(pasts, [_HALF])
    known = pl.concat(
        [
            distinct,
            ahead.select("prob_alive", "discounted_orders"),
            alive_intervals(distinct, drawn.purchases, terms.level),
            orders.select(expected_orders="expected_purchases"),
            following.select("prob_none", days_to_next="days_p50"),
        ],
        how="horizontal",
    )
    per_order = spend.expected_spend(rfm)["expected_spend"]
    return (
        rfm.select("customer_id", *PAST)
        .join(known, on=PAST, how="left", maintain_order="left")
        .with_columns(value=pl.col("discounted_orders") * per_order * terms.margin)
        .drop(*PAST, "discounted_orders")
    )


def _all_groups(by_draw: pl.DataFrame, draws: int) -> pl.DataFrame:
    """Return the sums over groups, whose rows follow one another, in a fixed order of addition."""
    sums = {name: by_draw[name].to_numpy().reshape(-1, draws).sum(axis=0) for name in _QUANTITIES}
    return pl.DataFrame({"draw": np.arange(draws), **sums})


def _intervals(by_draw: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Return quantity, mean, low and high over draws, by the same rule as `predict`."""
    rank = math.floor((terms.draws + 1) * 0.5 * (1.0 - terms.level) + 1e-9)
    rows = [
        (name, float(ranked.sum()) / terms.draws, float(ranked[rank - 1]), float(ranked[-rank]))
        for name in _QUANTITIES
        for ranked in (by_draw[name].cast(pl.Float64).sort(),)
    ]
    schema = {"quantity": pl.String, "mean": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _with_means(totals: pl.DataFrame, table: pl.DataFrame, by: str | None) -> pl.DataFrame:
    """Put the sums over the table in the place of the means over draws, so that the two never differ."""
    columns = {"orders": table["expected_orders"].to_numpy(), "value": table["value"].to_numpy()}
    if by is None:
        groups, place = pl.DataFrame({"quantity": list(columns)}), np.zeros(table.height, np.int64)
    else:
        names = table.select(by).unique().sort(by)
        groups = names.join(pl.DataFrame({"quantity": list(columns)}), how="cross", maintain_order="left")
        place = table[by].rank("dense").cast(pl.Int64).to_numpy() - 1
    # Not by polars' sum, whose order of addition hangs on how the table lies in memory.
    sums = np.stack([np.bincount(place, weights=column) for column in columns.values()], axis=1)
    expected = groups.with_columns(expected=pl.Series(sums.ravel(), dtype=pl.Float64))
    return (
        totals.join(expected, on=["quantity"] if by is None else [by, "quantity"], how="left", maintain_order="left")
        .with_columns(mean=pl.coalesce("expected", "mean"))
        .drop("expected")
    )
