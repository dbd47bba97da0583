"""The customers of a clean file of order lines, by polars alone: `python -m benchmarks.bare_reading 10000000`."""

from __future__ import annotations

import json
import sys
import time

import polars as pl

from benchmarks.order_lines import order_lines
from benchmarks.peaks import peak


def main(lines: int) -> None:
    """Make the table of customers, looking at nothing, and print what it took and gave."""
    path = order_lines(lines)
    begun = time.perf_counter()
    moment = pl.col("InvoiceDate").first().str.to_datetime("%m/%d/%Y %H:%M").dt.date()
    cents = (pl.col("Quantity") * pl.col("UnitPrice") * 100).round().cast(pl.Int64).sum()
    orders = (
        pl.scan_csv(path, schema_overrides={"CustomerID": pl.String, "InvoiceNo": pl.String})
        .group_by("InvoiceNo")
        .agg(pl.col("CustomerID").first(), day=moment, cents=cents)
    )
    days = orders.group_by("CustomerID", "day").agg(pl.col("cents").sum()).sort("CustomerID", "day")
    day, repeats = pl.col("day"), pl.col("cents").slice(1)
    gaps = (day - day.shift(1)).dt.total_days().slice(1)
    customers = (
        days.with_columns(end=day.max())
        .group_by("CustomerID", maintain_order=True)
        .agg(
            frequency=pl.len() - 1,
            recency_days=(day.last() - day.first()).dt.total_days(),
            age_days=(pl.col("end").first() - day.first()).dt.total_days(),
            monetary_value=repeats.mean() / 100,
            log_gaps=gaps.log().sum(),
        )
        .collect(engine="streaming")
    )
    took = time.perf_counter() - begun
    found = {"customers": customers.height, "repeats": int(customers["frequency"].sum())}
    print(json.dumps({"seconds": took, "megabytes": peak(), **found}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
