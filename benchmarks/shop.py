"""A number of customers goes in; the order log of such a shop, by day, comes out: a Parquet file, or columns of it.

BG/NBD buyers with Gamma-Gamma spend, about 3.3 orders each, arrive over one year and are observed for two. The log is
sorted by day, as a shop exports it, so that the orders of a customer lie far apart.
"""

from __future__ import annotations

import functools
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.rng import stream

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2024, 12, 30)
_ARRIVAL_DAYS, _DAYS = 365, 730
# Of the order days that these give, 3.3 are a customer's on average, the first included.
_R, _ALPHA_DAYS, _A, _B = 0.6, 73.0, 0.8, 2.5
_P, _Q, _V = 6.25, 3.74, 15.44
_CHUNK = 250_000
_ROWS_WRITTEN_AT_ONCE = 2_000_000
_SEED = 1

Columns = tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16], npt.NDArray[np.uint32]]


@functools.cache
def order_log(customers: int) -> Path:
    """Return the log of so many customers, made if this checkout has not made it yet; kept for the next run."""
    folder = Path(tempfile.gettempdir()) / "cxsim-benchmarks"
    folder.mkdir(exist_ok=True)
    path = folder / f"orders-{customers}-{_R}-{_ALPHA_DAYS}-{_A}-{_B}.parquet"
    if not path.exists():
        half = path.with_suffix(".half-written")
        half.unlink(missing_ok=True)
        _by_day(customers).sink_parquet(half, row_group_size=_ROWS_WRITTEN_AT_ONCE)
        half.replace(path)
    return path


def _by_day(customers: int) -> pl.LazyFrame:
    """Return customer_id (from 1), ordered_at and amount of every order, sorted by day; ten bytes for each are held."""
    chunks = [_orders(first, min(first + _CHUNK, customers)) for first in range(0, customers, _CHUNK)]
    customer, day, cents = (np.concatenate([chunk[place] for chunk in chunks]) for place in range(3))
    del chunks
    # A stable sort of 16 bits is a radix sort.
    order = np.argsort(day, kind="stable").astype(np.uint32)
    compact = pl.LazyFrame({"customer": customer[order], "day": day[order], "cents": cents[order]})
    return compact.select(
        customer_id=pl.col("customer").cast(pl.Int64) + 1,
        ordered_at=(pl.lit(FIRST_DAY) + pl.duration(days=pl.col("day"))).cast(pl.Date),
        amount=pl.col("cents") / 100,
    )


def _orders(first: int, last: int) -> Columns:
    """Return customer, day and cents of every order of the customers from `first` to before `last`."""
    generator = stream(_SEED, first, "shop")
    number = last - first
    rate = generator.gamma(_R, 1 / _ALPHA_DAYS, number)
    leaving = generator.beta(_A, _B, number)
    spend = _P * _V / generator.gamma(_Q, 1.0, number)
    now = generator.uniform(0, _ARRIVAL_DAYS, number)
    buying = np.arange(number)
    who, when = [buying], [now]
    while buying.size:
        # A rate that is 0 to the last bit waits for ever.
        with np.errstate(divide="ignore"):
            now = now + generator.exponential(1.0, buying.size) / rate[buying]
        follow_up = now < _DAYS
        buying, now = buying[follow_up], now[follow_up]
        who.append(buying)
        when.append(now)
        stays = generator.random(buying.size) >= leaving[buying]
        buying, now = buying[stays], now[stays]
    customer = np.concatenate(who)
    cents = spend[customer] * generator.gamma(_P, 1 / _P, customer.size) * 100
    return (
        (customer + first).astype(np.uint32),
        np.concatenate(when).astype(np.uint16),
        np.maximum(np.rint(cents), 1).astype(np.uint32),
    )


if __name__ == "__main__":
    print(order_log(int(sys.argv[1])))
