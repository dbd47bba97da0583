"""An order file in; hygiene, summary, fits and the most valuable customers out, for the command `cxsim fit`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from cxsim.data import HygieneReport, Transactions, summarise
from cxsim.estimation import GammaGammaFit, Model, PurchaseFit, customer_value, fit, fit_spend
from cxsim.estimation.diagnosis import Diagnosis, diagnose


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """What `cxsim fit` shows.

    Attributes
    ----------
    hygiene
        What became of every row.
    until
        Last day of observation.
    summary
        Two columns: a quantity in words, and its value.
    purchases, spend
        The fitted models.
    diagnosis
        What the orders cannot say of them.
    value
        Customers with what they are expected to be worth, the best first.
    horizon_days
        Days over which they are valued.
    """

    hygiene: HygieneReport
    until: date
    summary: pl.DataFrame
    purchases: PurchaseFit
    spend: GammaGammaFit
    diagnosis: Diagnosis
    value: pl.DataFrame
    horizon_days: int


def fitted(
    transactions: Transactions, until: date | None, *, model: Model, horizon_days: int, annual_discount_rate: float
) -> Fitted:
    """Return everything that is shown of a shop's orders up to `until`, or to the end of observation."""
    end = until or transactions.until
    rfm = summarise(transactions, until=end)
    purchases, spend = fit(rfm, model=model, observed_until=end), fit_spend(rfm, observed_until=end)
    value = customer_value(rfm, purchases, spend, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate)
    return Fitted(
        hygiene=transactions.hygiene,
        until=end,
        summary=summary(rfm, end),
        purchases=purchases,
        spend=spend,
        diagnosis=diagnose(rfm, purchases, spend),
        value=value,
        horizon_days=horizon_days,
    )


def summary(rfm: pl.DataFrame, end: date) -> pl.DataFrame:
    """Return how many customers and orders there are: two columns, a quantity in words and its value."""
    repeaters = rfm.filter(pl.col("frequency") > 0)
    mean_value, longest = rfm.select(pl.col("monetary_value").mean(), pl.col("age_days").max()).row(0)
    rows = {
        "observed until": end.isoformat(),
        "customers": f"{rfm.height:,}",
        "with a repeat order": f"{repeaters.height:,}",
        "repeat orders": f"{rfm['frequency'].sum():,}",
        "mean value of a repeat order": f"{mean_value:,.2f}",
        "longest observation, days": f"{longest:,}",
    }
    return pl.DataFrame({"quantity": list(rows), "value": list(rows.values())})
