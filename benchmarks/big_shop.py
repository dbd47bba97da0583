"""A number of customers goes in; a shop with all its tables, as Parquet under the contracts of `cxsim.data.contracts`.

Orders are those of `benchmarks.shop`, 3.3 for each customer; tickets, answers and returns are drawn from them.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

import polars as pl

from benchmarks.shop import FIRST_DAY, LAST_DAY, order_log
from cxsim.data.shop import Shop

SINCE, UNTIL = (datetime.combine(day, time()) for day in (FIRST_DAY, LAST_DAY))
_ROWS_WRITTEN_AT_ONCE = 1_000_000
_DAY = 86_400


def shop_of(customers: int) -> Shop:
    """Return a shop of so many customers, its tables made if this checkout has not made them yet."""
    folder = order_log(customers).with_suffix(".tables")
    if not folder.exists():
        half = folder.with_suffix(".half-written")
        half.mkdir(exist_ok=True)
        _write(order_log(customers), half)
        half.replace(folder)
    names = ("orders", "tickets", "surveys", "returns")
    tables = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in names}
    return Shop(name="large shop", currency="USD", since=SINCE, until=UNTIL, opening=True, **tables)


def _write(log: Path, folder: Path) -> None:
    """Every draw is a hash of the order's number, so that the tables are the same wherever they are made."""
    number = pl.col("number")
    orders = (
        pl.scan_parquet(log)
        .with_row_index("number")
        .select(
            "number",
            order_id=pl.format("o{}", number),
            customer_id=pl.format("c{}", "customer_id"),
            ordered_at=pl.col("ordered_at").cast(pl.Datetime("us")) + pl.duration(seconds=_below(number, _DAY, 1)),
            amount="amount",
            list_amount=pl.col("amount") * 1.1,
            markdown=pl.col("amount") * 0.1,
            cost=pl.col("amount") * 0.6,
            units=1 + _below(number, 3, 2).cast(pl.Int64),
        )
    )
    _sink(orders.drop("number"), folder / "orders.parquet")
    after = pl.col("ordered_at") + timedelta(days=3)
    sentence = ("order_id", "customer_id")
    waited = pl.col("ordered_at") + pl.duration(seconds=3 * _DAY + _below(number, 2 * _DAY, 4))
    asked = orders.filter(_below(number, 100, 3) < 15)
    tickets = asked.select(
        *sentence,
        ticket_id=pl.format("t{}", number),
        created_at=after,
        first_response_at=pl.when(waited < UNTIL).then(waited),
        resolved_at=pl.when(waited < UNTIL - timedelta(days=1)).then(waited + timedelta(days=1)),
        solved_at_first=_below(number, 10, 5) < 7,
    )
    _sink(tickets, folder / "tickets.parquet")
    score = _below(number, 11, 7).cast(pl.Int64)
    surveyed = orders.filter(_below(number, 100, 6) < 30).select(
        *sentence,
        survey_id=pl.format("s{}", number),
        sent_at=after,
        instrument=pl.lit("nps"),
        score=pl.when(_below(number, 100, 8) < 20).then(score),
    )
    _sink(surveyed, folder / "surveys.parquet")
    back = orders.filter(_below(number, 100, 9) < 6).select(
        *sentence,
        return_id=pl.format("r{}", number),
        returned_at=pl.col("ordered_at") + timedelta(days=12),
        refund=pl.col("amount") * 0.7,
    )
    _sink(back, folder / "returns.parquet")


def _below(number: pl.Expr, limit: int, seed: int) -> pl.Expr:
    """Return whole numbers below `limit`, as good as random."""
    return (number.cast(pl.UInt64) * (2_654_435_761 + 2 * seed) // 65_537 * 40_503 // 257) % limit


def _sink(table: pl.LazyFrame, path: Path) -> None:
    table.sink_parquet(path, row_group_size=_ROWS_WRITTEN_AT_ONCE)
