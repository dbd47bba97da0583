"""Fits at the end of calibration and what came later in; how forecasts of orders and of value held, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from cxsim.clv.customer_value import ParameterDraws
from cxsim.clv.forecast import predict
from cxsim.clv.inputs import arrays
from cxsim.clv.models.purchases import Outlook
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.validation.scoring import LAST_CLASS, by_frequency, capture_curve
from cxsim.data.orders import Transactions
from cxsim.data.rfm import cumulative_repeat_orders
from cxsim.tables import RFM, check

DECILES = 10
# Days after the fit at which the forecast is worked out.
_STEPS = 9
_CURVE = np.linspace(0.0, 1.0, 41)


def tracking(counts: pl.DataFrame, purchases: PurchaseFit) -> pl.DataFrame:
    """Return cumulative repeat orders along the calendar, as observed and as the model expects them.

    Parameters
    ----------
    counts
        From `cxsim.data.rfm.cumulative_repeat_orders`: day, repeat_orders, first_orders.
    purchases
        The fitted model.

    Returns
    -------
    polars.DataFrame
        day, observed (Int64) and expected repeat orders since the first day: each day's new customers bring what the
        model expects of a customer of their age.

    Examples
    --------
    >>> from cxsim.clv import fit
    >>> from cxsim.data import cumulative_repeat_orders, load_cdnow, summarise
    >>> orders = load_cdnow(sample=True)
    >>> counts = cumulative_repeat_orders(orders, until=orders.until)
    >>> tracking(counts, fit(summarise(orders))).tail(1).select("observed", pl.col("expected").round(0)).row(0)
    (4339, 4429.0)
    """
    age = np.arange(counts.height, dtype=np.float64)
    per_customer = Outlook(purchases.params).expected_purchases(age)
    expected = np.convolve(counts["first_orders"].to_numpy(), per_customer)[: counts.height]
    return counts.select("day", pl.Series("expected", expected), observed="repeat_orders")


def frequency_fit(rfm: pl.DataFrame, purchases: PurchaseFit) -> pl.DataFrame:
    """Return how many customers came back how often, observed and expected, in classes 0, 1, ... 7+.

    Parameters
    ----------
    rfm
        Customers at the end of calibration, under RFM.
    purchases
        The model fitted to them.

    Returns
    -------
    polars.DataFrame
        frequency (label), observed (Int64) and expected customers; each customer counts with the chance of every
        frequency at the customer's own age.

    Examples
    --------
    >>> from datetime import date
    >>> from cxsim.clv import fit
    >>> from cxsim.data import load_cdnow, summarise
    >>> rfm = summarise(load_cdnow(sample=True), until=date(1997, 9, 30))
    >>> frequency_fit(rfm, fit(rfm)).select("observed", pl.col("expected").round(1)).rows()[:2]
    [(1411, 1407.7), (439, 460.3)]
    """
    ages = check(rfm, RFM).group_by("age_days", maintain_order=True).len()
    age, weight = arrays(ages.select("age_days", "len"))
    chances = Outlook(purchases.params).purchase_probability(end=age[:, None], counts=np.arange(LAST_CLASS)[None, :])
    exact = weight @ chances
    observed = np.bincount(np.minimum(rfm["frequency"].to_numpy(), LAST_CLASS), minlength=LAST_CLASS + 1)
    return pl.DataFrame(
        {
            "expected": [*exact, weight.sum() - exact.sum()],
            "frequency": [*map(str, range(LAST_CLASS)), f"{LAST_CLASS}+"],
            "observed": observed.astype(np.int64),
        }
    )


def holdout_fit(rfm: pl.DataFrame, later: pl.DataFrame, purchases: PurchaseFit, *, days: float) -> pl.DataFrame:
    """Return mean orders per customer after calibration by class of frequency, observed and expected.

    Parameters
    ----------
    rfm
        Customers at the end of calibration, under RFM.
    later
        From `cxsim.data.rfm`: customer_id and holdout_orders.
    purchases
        The model fitted to `rfm`.
    days
        Length of the holdout in days.

    Returns
    -------
    polars.DataFrame
        frequency (label), customers (Int64), observed mean with its 90 % interval low and high, and expected mean.

    Examples
    --------
    >>> from datetime import date
    >>> from cxsim.clv import fit
    >>> from cxsim.data import holdout, load_cdnow, summarise
    >>> orders, end = load_cdnow(sample=True), date(1997, 9, 30)
    >>> rfm, later = summarise(orders, until=end), holdout(orders, after=end, until=date(1998, 6, 30))
    >>> holdout_fit(rfm, later, fit(rfm), days=273).select(pl.col("observed", "expected").round(2)).row(0)
    (0.24, 0.23)
    """
    outcomes = (
        check(rfm, RFM)
        .join(later, on="customer_id", how="left", validate="1:1")
        .join(purchases.expected_purchases(rfm, days), on="customer_id", how="left", validate="1:1")
        .rename({"holdout_orders": "orders", "expected_purchases": purchases.model})
    )
    classes = by_frequency(outcomes, {purchases.model: purchases.title})
    return classes.select("customers", "observed", "expected", "frequency", "low", "high")


def forecasts(
    transactions: Transactions,
    rfm: pl.DataFrame,
    fits: Mapping[str, PurchaseFit],
    draws: Mapping[str, ParameterDraws],
    *,
    ends: tuple[date, date],
    level: float,
    seed: int,
) -> pl.DataFrame:
    """Return cumulative repeat orders of the customers known when calibration ends, observed and expected."""
    start_day, end = ends
    known = replace(
        transactions, table=transactions.table.join(rfm.lazy().select("customer_id"), on="customer_id", how="semi")
    )
    counts = cumulative_repeat_orders(known, until=end)
    fitted = counts.filter(pl.col("day") <= start_day)
    start = pl.lit(fitted["repeat_orders"][-1])
    span = (end - start_day).days
    steps = sorted({max(1, round(span * step / _STEPS)) for step in range(1, _STEPS + 1)})
    parts = []
    for model, found in fits.items():
        rows = []
        for days in steps:
            expected = found.expected_purchases(rfm, days)["expected_purchases"].sum()
            # The same random numbers for each length, so that the band does not flicker.
            totals = predict(rfm, draws[model].purchases, days=days, level=level, seed=seed).totals
            ends_of_orders = totals.filter(quantity="orders").select("low", "high").row(0)
            rows.append((start_day + timedelta(days), expected, *ends_of_orders))
        later = pl.DataFrame(rows, schema=["day", "expected", "low", "high"], orient="row")
        later = later.with_columns(pl.col("expected", "low", "high") + start).join(
            counts.select("day", observed="repeat_orders"), on="day", how="left", maintain_order="left"
        )
        both = pl.concat([tracking(fitted, found), later], how="diagonal_relaxed")
        parts.append(
            both.select(
                pl.lit(model).alias("model"), "day", pl.col("observed", "expected", "low", "high").cast(pl.Float64)
            )
        )
    return pl.concat(parts)


def missed(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Return by how much each model missed the orders after its fit."""
    start = pl.col("observed").filter(pl.col("day") <= calibration_end).last()
    came = pl.col("observed").last() - start
    gaps = {"bias": "expected", "low": "low", "high": "high"}
    return (
        orders.group_by("model", maintain_order=True)
        .agg(came=came, **{name: (pl.col(column).last() - start) / came - 1.0 for name, column in gaps.items()})
        .filter(pl.col("came") > 0.0)
        .drop("came")
    )


def with_deciles(rfm: pl.DataFrame, value: pl.Series) -> pl.DataFrame:
    """Return customers with the tenth that they belong to by value, 1 for the most valuable; ties by customer_id."""
    place = pl.arg_sort_by(pl.lit(value), "customer_id", descending=[True, False]).arg_sort().cast(pl.Int64)
    return rfm.with_columns(decile=place * DECILES // rfm.height + 1)


def decile_values(customers: pl.DataFrame, totals: pl.DataFrame, realised: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the value of each tenth of the customers."""
    known = customers.with_columns(realised=pl.lit(None, pl.Float64))
    if realised is not None:
        known = customers.join(realised, on="customer_id", how="left")
    came = pl.when(pl.col("realised").is_not_null().any()).then(pl.col("realised").cast(pl.Float64).sum())
    tenths = known.group_by("decile").agg(customers=pl.len().cast(pl.Int64), realised=came)
    values = totals.filter(quantity="value").select("decile", "low", "high", expected="mean")
    columns = ["decile", "customers", "expected", "low", "high", "realised"]
    return tenths.join(values, on="decile").sort("decile").select(columns)


def captures(orders: Mapping[str, pl.Series], realised: pl.Series) -> pl.DataFrame:
    """Return which share of the value that came lies with which share of the customers, in several orders of them."""
    curves = {
        model: capture_curve(ranked.cast(pl.Float64).to_numpy(), realised.to_numpy())
        for model, ranked in orders.items()
    }
    rows = [
        (model, *point)
        for model, curve in curves.items()
        if curve is not None
        for point in zip(_CURVE, np.interp(_CURVE, *curve), strict=True)
    ]
    schema = {"model": pl.String, "customers": pl.Float64, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
