"""Customers (RFM) and two fits in; what each customer and all of them are worth, with intervals, out.

What has to be reckoned is reckoned once for each distinct past, of which there are far fewer than customers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.forecast import predict
from cxsim.clv.likelihood import PAST as PATTERNS_PAST
from cxsim.clv.likelihood import pasts
from cxsim.clv.models.gamma_gamma import population_mean
from cxsim.clv.models.purchases import PurchaseParams, discounted_expected_purchases_new, model_of, prob_alive
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.clv.terms import Drawn, Terms, Trial, drawn_params
from cxsim.errors import EstimationError
from cxsim.params import DAYS_PER_YEAR, Quantity
from cxsim.rng import stream
from cxsim.tables import RFM, check
from cxsim.wording import NBSP

FloatArray = NDArray[np.float64]
PAST = ("frequency", "recency_days", "age_days")
BUYERS = pl.when(pl.col("frequency") > 0).then(pl.lit("repeat buyers")).otherwise(pl.lit("one-time buyers"))
# Chances that are held at once by each thread: 8 MB.
_MOST_HELD = 1_000_000


def alive_intervals(pasts: pl.DataFrame, params: Sequence[PurchaseParams], level: float) -> pl.DataFrame:
    """Return between what numbers the chance of still being a customer lies, as far as the parameters are known."""
    edges = [0.5 * (1.0 - level), 0.5 * (1.0 + level)]
    size = max(1, _MOST_HELD // len(params))
    parts = [pasts.slice(start, size) for start in range(0, pasts.height, size)]
    with ThreadPoolExecutor(max_workers=cpu_count()) as pool:
        found = list(pool.map(lambda part: np.quantile(_chances(part, params), edges, axis=0), parts))
    low, high = np.concatenate(found, axis=1) if found else np.zeros((2, 0))
    return pl.DataFrame({"prob_alive_low": low, "prob_alive_high": high})


def alive_by_group(
    rfm: pl.DataFrame, params: Mapping[str, Sequence[PurchaseParams]], level: float, *, group: pl.Expr = BUYERS
) -> pl.DataFrame:
    """Return which share of each group of customers each model takes for still being customers."""
    pasts = rfm.with_columns(group=group).group_by("group", *PAST).len("customers").sort("group", *PAST)
    rows = []
    for (name,), part in pasts.group_by("group", maintain_order=True):
        weights = part["customers"].cast(pl.Float64).to_numpy()
        for model, draws in params.items():
            shares = np.array([float(_chances(part, [one])[0] @ weights) / float(weights.sum()) for one in draws])
            low, high = np.quantile(shares, [0.5 * (1.0 - level), 0.5 * (1.0 + level)])
            rows.append((model, name, float(shares.mean()), float(low), float(high)))
    schema = {"model": pl.String, "group": pl.String, "alive": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _chances(pasts: pl.DataFrame, params: Sequence[PurchaseParams]) -> FloatArray:
    """Return the chance of being alive under each draw; shape (draws, pasts)."""
    frequency, last_order, age = (pasts[name].cast(pl.Float64).to_numpy() for name in PAST)
    return np.stack([prob_alive(one, frequency, last_order, age) for one in params])


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
    predicted = predict(
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
        predicted.customers.select("orders_low", "orders_high", "value_low", "value_high")
    )
    by_draw = _all_groups(predicted.totals_by_draw, terms.draws)
    totals = _with_means(_intervals(by_draw, terms), table, None)
    return CustomerValues(
        table=table.select(_COLUMNS),
        totals=totals,
        group_totals=totals if by is None else _with_means(predicted.totals, table.with_columns(rfm[by]), by),
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


# Nine in ten of the customers who come back have done so within the usual silence.
_USUAL = 0.9
_AT_LAST_ORDER = ("frequency", "recency_days")


def at_risk(rfm: pl.DataFrame, values: pl.DataFrame, purchases: PurchaseFit) -> pl.DataFrame:
    """Return the customers who have been silent for longer than is usual for them, those with most at stake first."""
    then = check(rfm, RFM).select(_AT_LAST_ORDER).unique().sort(_AT_LAST_ORDER)
    pasts = then.with_row_index("customer_id").select(
        pl.col("customer_id").cast(pl.Int64),
        *_AT_LAST_ORDER,
        age_days="recency_days",
        monetary_value=pl.lit(None, dtype=pl.Float64),
    )
    usual = pl.concat(
        [
            then,
            purchases.days_to_next_purchase(pasts, [_USUAL]).select(usual_days="days_p90"),
            purchases.prob_alive(pasts).select(prob_alive_then="prob_alive"),
        ],
        how="horizontal",
    )
    silence = pl.col("age_days") - pl.col("recency_days")
    return (
        rfm.select("customer_id", *_AT_LAST_ORDER, silent_days=silence)
        .join(usual, on=_AT_LAST_ORDER, how="left", maintain_order="left")
        .filter(pl.col("silent_days") > pl.col("usual_days"))
        .join(values, on="customer_id", how="left", maintain_order="left")
        .with_columns(at_stake=pl.col("value") * (pl.col("prob_alive_then") - pl.col("prob_alive")))
        .sort(["at_stake", "customer_id"], descending=[True, False])
        .select(
            "customer_id",
            "silent_days",
            "usual_days",
            "prob_alive",
            "prob_alive_then",
            "value",
            "value_low",
            "value_high",
            orders=pl.col("frequency") + 1,
        )
    )


_PAIR = ["frequency", "age_days"]
# Chances below this are lost in the rounding of those that they are told from.
LEAST_CHANCE = 1e-300


def chances_of(params: PurchaseParams, trial: Trial) -> tuple[FloatArray, FloatArray]:
    """Return the chance of the very number of orders that came, and of fewer.

    Shape (n,) each, rows as in the trial. What is ahead is computed once for each pair of frequency and age, and for
    counts up to the largest that came from any customer of that pair.
    """
    model, distinct = model_of(params), pasts(trial.rfm).select(PATTERNS_PAST).unique().sort(PATTERNS_PAST)
    now = model.phase_probs(params, *(distinct[name].cast(pl.Float64).to_numpy() for name in PATTERNS_PAST))
    rows = trial.rfm.join(distinct.with_row_index("past"), on=PATTERNS_PAST, how="left", maintain_order="left").select(
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


def customer_value(
    rfm: pl.DataFrame,
    purchases: PurchaseFit,
    spend: GammaGammaFit,
    *,
    horizon_days: float,
    annual_discount_rate: float,
) -> pl.DataFrame:
    """Return what each customer is expected to spend over a finite horizon, in money of today, best first.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, unique customer_id.
    purchases, spend
        Models fitted to such customers.
    horizon_days
        Length of the horizon from the end of observation on, > 0 and finite.
    annual_discount_rate
        Effective rate a year, >= 0; 0.1 means that 1.10 in a year is worth 1 today.

    Returns
    -------
    polars.DataFrame
        customer_id; prob_alive; expected_orders in the horizon, not discounted; expected_spend per order;
        expected_value, the revenue discounted to the end of observation. The greatest value first, ties by
        customer_id.

    Raises
    ------
    TableError, EstimationError, DataError
        As `PurchaseFit.clv`, which says how value is reckoned; and for an infinite horizon.
    """
    if not (math.isfinite(horizon_days) and horizon_days > 0.0):
        raise EstimationError(f"horizon_days must be finite and positive; found {horizon_days}.")
    value = purchases.clv(rfm, spend, annual_discount_rate=annual_discount_rate, horizon_days=horizon_days)
    orders = purchases.expected_purchases(rfm, horizon_days)["expected_purchases"]
    return (
        value.with_columns(orders.alias("expected_orders"))
        .select("customer_id", "prob_alive", "expected_orders", "expected_spend", expected_value="revenue")
        .sort(["expected_value", "customer_id"], descending=[True, False])
    )


# How the row of the headline begins.
VALUE = "Value, today"
Row = tuple[str, str, float, float, float]


def worth(
    rfm: pl.DataFrame,
    values: CustomerValues,
    fits: tuple[PurchaseFit, GammaGammaFit],
    drawn: Drawn,
    *,
    margin: Quantity,
    currency: str,
) -> pl.DataFrame:
    """Return totals over all customers, and what a new customer is worth on average."""
    terms, orders = values.terms, fits[0]
    totals = {name: (mean, low, high) for name, mean, low, high in values.totals.iter_rows()}
    alive = alive_by_group(rfm, {orders.title: drawn.purchases}, terms.level, group=pl.lit("all"))
    low, high = alive.select(pl.col("low", "high") * rfm.height).row(0)
    margins = _margins(margin, terms)
    left = _interval(values.totals_by_draw["value"].to_numpy() / terms.margin * margins, terms)
    mean, revenue_low, revenue_high = (amount / terms.margin for amount in totals["value"])
    span = f"next {terms.horizon_days:,.0f} days"
    share = f"{100 * margin.value:.3g}{NBSP}%"
    first = f"first {terms.horizon_days:,.0f} days"
    rows: list[Row] = [
        ("Still customers", "customers", float(values.table["prob_alive"].sum()), low, high),
        (f"Customers who order in the {span}", "customers", *totals["buyers"]),
        (f"Orders in the {span}", "orders", *totals["orders"]),
        (f"Revenue in the {span}, in today's money", currency, mean, revenue_low, revenue_high),
        (f"{VALUE}: what a margin of {share} leaves of it", currency, totals["value"][0], *left),
        (
            f"Value of a new customer in the {first}, first order included",
            currency,
            *_new_customer(fits, drawn, margins, terms),
        ),
    ]
    schema = {"quantity": pl.String, "unit": pl.String, "mean": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _margins(margin: Quantity, terms: Terms) -> FloatArray:
    """Return a margin for each draw, spread as its range says."""
    scores = stream(terms.seed, 0, "margin").standard_normal(terms.draws)
    return np.array([margin.quantile(float(score)) for score in scores])


def _new_customer(
    fits: tuple[PurchaseFit, GammaGammaFit], drawn: Drawn, margins: FloatArray, terms: Terms
) -> tuple[float, float, float]:
    """Return what a new customer brings on average, and how surely that mean is known."""
    rate = math.log1p(terms.annual_discount_rate) / DAYS_PER_YEAR
    found = [
        (1.0 + discounted_expected_purchases_new(orders, rate=rate, horizon=terms.horizon_days))
        * population_mean(spend)
        for orders, spend in zip(drawn.purchases, drawn.spends, strict=True)
    ]
    central = fits[0].clv_new(
        fits[1],
        annual_discount_rate=terms.annual_discount_rate,
        horizon_days=terms.horizon_days,
        margin=terms.margin,
    )
    return (float(central["contribution"][0]), *_interval(np.array(found) * margins, terms))


def _interval(drawn: FloatArray, terms: Terms) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.5 * (1.0 - terms.level), 0.5 * (1.0 + terms.level)])
    return float(low), float(high)
