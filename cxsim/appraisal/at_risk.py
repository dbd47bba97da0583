"""Customers, a fit and their values in; who has been silent for too long, and what is at stake, out."""

from __future__ import annotations

import polars as pl

from cxsim.estimation import PurchaseFit
from cxsim.tables import RFM, check

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
