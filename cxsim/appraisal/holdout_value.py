"""Fits at the end of calibration and what came later in; how forecasts of orders and of value held, out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl

from cxsim.appraisal.drawn import Drawn
from cxsim.appraisal.ranking import capture_curve
from cxsim.data import Transactions, cumulative_repeat_orders
from cxsim.estimation import PurchaseFit, predict, tracking
from cxsim.tables import RFM, check

DECILES = 10
# Days after the fit at which the forecast is reckoned.
_STEPS = 9
_CURVE = np.linspace(0.0, 1.0, 41)


def forecasts(
    transactions: Transactions,
    rfm: pl.DataFrame,
    fits: Mapping[str, PurchaseFit],
    draws: Mapping[str, Drawn],
    *,
    ends: tuple[date, date],
    level: float,
    seed: int,
) -> pl.DataFrame:
    """Return cumulative repeat orders of the customers known at the end of calibration, as they came and as foretold."""
    known = Transactions(
        table=transactions.table.join(check(rfm, RFM).lazy().select("customer_id"), on="customer_id", how="semi"),
        hygiene=transactions.hygiene,
        until=transactions.until,
    )
    counts = cumulative_repeat_orders(known, until=ends[1])
    fitted = counts.filter(pl.col("day") <= ends[0])
    start = int(fitted["repeat_orders"][-1])
    span = (ends[1] - ends[0]).days
    steps = sorted({max(1, round(span * step / _STEPS)) for step in range(1, _STEPS + 1)})
    parts = []
    for model, found in fits.items():
        inside = tracking(fitted, found).with_columns(low=None, high=None)
        ahead = _ahead(rfm, found, draws[model], steps, level=level, seed=seed)
        later = ahead.select(
            day=pl.lit(ends[0]) + pl.duration(days=pl.col("days")),
            expected=pl.col("expected") + start,
            low=pl.col("low") + start,
            high=pl.col("high") + start,
        ).join(counts.select("day", observed="repeat_orders"), on="day", how="left", maintain_order="left")
        parts += [_shaped(table, model) for table in (inside, later)]
    return pl.concat(parts)


def _ahead(
    rfm: pl.DataFrame, found: PurchaseFit, drawn: Drawn, steps: list[int], *, level: float, seed: int
) -> pl.DataFrame:
    """Return the orders of all customers within so many days, expected and with their interval."""
    rows = []
    for days in steps:
        expected = float(found.expected_purchases(rfm, days)["expected_purchases"].sum())
        # The same luck for each length, so that the band does not flicker.
        totals = predict(rfm, drawn.purchases, days=days, level=level, seed=seed).totals
        low, high = totals.filter(pl.col("quantity") == "orders").select("low", "high").row(0)
        rows.append((days, expected, low, high))
    schema = {"days": pl.Int64, "expected": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _shaped(table: pl.DataFrame, model: str) -> pl.DataFrame:
    numbers = (pl.col(name).cast(pl.Float64) for name in ("observed", "expected", "low", "high"))
    return table.select(pl.lit(model).alias("model"), pl.col("day").cast(pl.Date), *numbers)


def missed(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Return by how much each model missed the orders after its fit."""
    start = pl.col("observed").filter(pl.col("day") <= calibration_end).last()
    came = pl.col("observed").last() - start
    return (
        orders.group_by("model", maintain_order=True)
        .agg(
            came=came,
            bias=(pl.col("expected").last() - start) / came - 1.0,
            low=(pl.col("low").last() - start) / came - 1.0,
            high=(pl.col("high").last() - start) / came - 1.0,
        )
        .filter(pl.col("came") > 0.0)
        .drop("came")
    )


def with_deciles(rfm: pl.DataFrame, value: pl.Series) -> pl.DataFrame:
    """Return customers with the tenth that they belong to by value, 1 for the most valuable; ties by customer_id."""
    order = rfm.select("customer_id").with_columns(value=value).with_row_index("row")
    ranked = order.sort(["value", "customer_id"], descending=[True, False]).with_columns(
        decile=pl.int_range(pl.len(), dtype=pl.Int64) * DECILES // pl.len() + 1
    )
    return rfm.with_columns(ranked.sort("row")["decile"].cast(pl.Int64))


def decile_values(customers: pl.DataFrame, totals: pl.DataFrame, realised: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the value of each tenth of the customers."""
    known = (
        customers.select("customer_id", "decile", realised=pl.lit(None, dtype=pl.Float64))
        if realised is None
        else customers.select("customer_id", "decile").join(realised, on="customer_id", how="left")
    )
    came = pl.when(pl.col("realised").is_not_null().any()).then(pl.col("realised").sum())
    tenths = known.group_by("decile").agg(customers=pl.len().cast(pl.Int64), realised=came)
    values = totals.filter(pl.col("quantity") == "value").select("decile", "low", "high", expected="mean")
    return (
        tenths.join(values, on="decile")
        .sort("decile")
        .select("decile", "customers", "expected", "low", "high", "realised")
    )


def captures(orders: Mapping[str, pl.Series], realised: pl.Series) -> pl.DataFrame:
    """Return which share of the value that came lies with which share of the customers, in several orders of them."""
    parts = []
    for model, ranked in orders.items():
        curve = capture_curve(ranked.cast(pl.Float64).to_numpy(), realised.to_numpy())
        if curve is not None:
            points = {"customers": _CURVE, "value": np.interp(_CURVE, *curve)}
            parts.append(pl.DataFrame(points).select(pl.lit(model).alias("model"), "customers", "value"))
    schema = {"model": pl.String, "customers": pl.Float64, "value": pl.Float64}
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)
