"""A fitted model and what customers did in and after calibration in, observed against expected orders out."""

from __future__ import annotations

import numpy as np
import polars as pl

from cxsim.estimation.purchase_fit import PurchaseFit
from cxsim.models import purchases as formulas
from cxsim.quantity import Z95
from cxsim.tables import RFM, check

LAST_CLASS = 7


def tracking(counts: pl.DataFrame, purchases: PurchaseFit) -> pl.DataFrame:
    """Return cumulative repeat orders along the calendar, as observed and as the model expects them.

    Parameters
    ----------
    counts
        From `cxsim.data.cumulative_repeat_orders`: day, repeat_orders, first_orders.
    purchases
        The fitted model.

    Returns
    -------
    polars.DataFrame
        day, observed (Int64) and expected repeat orders since the first day: each day's new customers bring what the
        model expects of a customer of their age.
    """
    age = np.arange(counts.height, dtype=np.float64)
    per_customer = formulas.expected_purchases_new(purchases.params, age)
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
    """
    ages = check(rfm, RFM).group_by("age_days", maintain_order=True).len()
    age, weight = ages["age_days"].cast(pl.Float64).to_numpy(), ages["len"].to_numpy()
    orders = np.arange(LAST_CLASS)
    chances = formulas.purchase_probability_new(purchases.params, end=age[:, None], counts=orders[None, :])
    exact = weight @ chances
    expected = pl.DataFrame({"class": np.arange(LAST_CLASS + 1), "expected": [*exact, weight.sum() - exact.sum()]})
    observed = rfm.group_by(_class()).agg(observed=pl.len().cast(pl.Int64))
    return (
        expected.join(observed, on="class", how="left")
        .sort("class")
        .select("expected", frequency=_label(), observed=pl.col("observed").fill_null(0))
    )


def holdout_fit(rfm: pl.DataFrame, later: pl.DataFrame, purchases: PurchaseFit, *, days: float) -> pl.DataFrame:
    """Return mean orders per customer after calibration by class of frequency, observed and expected.

    Parameters
    ----------
    rfm
        Customers at the end of calibration, under RFM.
    later
        From `cxsim.data.holdout`: customer_id and holdout_orders.
    purchases
        The model fitted to `rfm`.
    days
        Length of the holdout in days.

    Returns
    -------
    polars.DataFrame
        frequency (label), customers (Int64), observed mean with its 90 % interval low and high, and expected mean.
    """
    half = Z95 * pl.col("spread") / pl.col("customers").sqrt()
    return (
        check(rfm, RFM)
        .join(later, on="customer_id", how="left", validate="1:1")
        .join(purchases.expected_purchases(rfm, days), on="customer_id", how="left", validate="1:1")
        .group_by(_class())
        .agg(
            customers=pl.len().cast(pl.Int64),
            observed=pl.col("holdout_orders").mean(),
            spread=pl.col("holdout_orders").std(),
            expected=pl.col("expected_purchases").mean(),
        )
        .sort("class")
        .select(
            "customers",
            "observed",
            "expected",
            frequency=_label(),
            low=pl.col("observed") - half,
            high=pl.col("observed") + half,
        )
    )


def _class() -> pl.Expr:
    return pl.min_horizontal(pl.col("frequency"), pl.lit(LAST_CLASS)).alias("class")


def _label() -> pl.Expr:
    word = pl.col("class").cast(pl.String)
    return pl.when(pl.col("class") == LAST_CLASS).then(word + "+").otherwise(word)
