"""An order file in; hygiene, summary, fits and the most valuable customers out, for the command `cxsim fit`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from cxsim.data import HygieneReport, Transactions, summarise
from cxsim.estimation import BgNbdFit, GammaGammaFit, customer_value, fit, fit_spend


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
    value
        Customers with what they are expected to be worth, the best first.
    horizon_days
        Days over which they are valued.
    """

    hygiene: HygieneReport
    until: date
    summary: pl.DataFrame
    purchases: BgNbdFit
    spend: GammaGammaFit
    value: pl.DataFrame
    horizon_days: int


def fitted(transactions: Transactions, until: date | None, *, horizon_days: int, annual_discount_rate: float) -> Fitted:
    """Return everything that is shown of a shop's orders up to `until`, or to the end of observation."""
    end = until or transactions.until
    rfm = summarise(transactions, until=end)
    purchases, spend = fit(rfm, observed_until=end), fit_spend(rfm, observed_until=end)
    value = customer_value(rfm, purchases, spend, horizon_days=horizon_days, annual_discount_rate=annual_discount_rate)
    return Fitted(
        hygiene=transactions.hygiene,
        until=end,
        summary=_summary(rfm, end),
        purchases=purchases,
        spend=spend,
        value=value,
        horizon_days=horizon_days,
    )


def _summary(rfm: pl.DataFrame, end: date) -> pl.DataFrame:
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
