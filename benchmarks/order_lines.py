"""So many order lines in; a platform's file of them, as the Online Retail log has them, out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

_SEED = 20240501
_LINES_AN_ORDER, _ORDERS_A_CUSTOMER, _DAYS = 4, 5, 700


def order_lines(lines: int) -> Path:
    """Return a CSV of so many lines, four an order and twenty a customer; written once for each size."""
    path = Path(tempfile.gettempdir()) / f"cxsim-order-lines-{lines}.csv"
    if path.exists():
        return path
    number = pl.int_range(lines, dtype=pl.Int64)
    order = number // _LINES_AN_ORDER
    customers = max(lines // (_LINES_AN_ORDER * _ORDERS_A_CUSTOMER), 1)
    moment = pl.datetime(2009, 12, 1) + pl.duration(days=_below(order, _DAYS, 1), minutes=_below(order, 1440, 2))
    code = 10_000 + _below(number, 90_000, 3)
    table = pl.LazyFrame().select(
        InvoiceNo=(order + 500_000).cast(pl.String),
        StockCode=code.cast(pl.String),
        Description=pl.concat_str(pl.lit("WHITE HANGING HEART HOLDER "), code),
        Quantity=1 + _below(number, 12, 4),
        InvoiceDate=moment.dt.strftime("%-m/%-d/%Y %-H:%M"),
        UnitPrice=(10 + _below(number, 2_000, 5)) / 100,
        CustomerID=_below(order, customers, 6) + 10_000,
        Country=pl.lit("United Kingdom"),
    )
    half = path.with_suffix(".half-written")
    table.sink_csv(half)
    half.replace(path)
    return path


def _below(number: pl.Expr, limit: int, purpose: int) -> pl.Expr:
    """Return whole numbers below a limit that look drawn, the same for the same number and purpose."""
    return (number.hash(_SEED + purpose) % limit).cast(pl.Int64)
