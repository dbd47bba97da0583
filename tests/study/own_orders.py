"""The orders of shops whose customers come and leave by a known law, some with seasons or growth, as files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tests.study.conftest import small

END = date(2024, 12, 31)
# Customers arrive over the first year and are followed for two.
_DAYS, _ARRIVING = 728, 364
# Orders a day: Gamma with these; chance of leaving after an order: Beta with those.
_R, _ALPHA, _A, _B = 1.2, 45.0, 0.8, 3.0

# What the rate of orders is multiplied by on a day, and the most that this can be.
Level = Callable[[float], float]


def steady(_: float) -> float:
    return 1.0


def seasonal(day: float) -> float:
    return float(1.0 + 0.9 * np.sin(2.0 * np.pi * day / 364.0))


def growing(day: float) -> float:
    return float(0.15 + 1.85 * (day / _DAYS) ** 3)


def shop(path: Path, level: Level = steady, *, customers: int = 1500, seed: int = 1) -> str:
    """Write the orders of a BG/NBD shop, thinned to the level of each day."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(_R, 1.0 / _ALPHA, customers) * 2.0
    leaving = rng.beta(_A, _B, customers)
    rows = []
    for customer, (rate, chance) in enumerate(zip(rates, leaving, strict=True)):
        day = rng.uniform(0.0, _ARRIVING)
        rows.append((customer, day))
        while (day := day + rng.exponential(1.0 / rate)) < _DAYS:
            if rng.uniform() < level(day) / 2.0:
                rows.append((customer, day))
                if rng.uniform() < chance:
                    break
    first = END - timedelta(days=_DAYS - 1)
    table = pl.DataFrame(rows, schema={"customer_id": pl.Int64, "day": pl.Float64}, orient="row")
    amounts = rng.gamma(6.0, 5.0, table.height).round(2) + 1.0
    orders = table.select(
        "customer_id",
        ordered_at=pl.lit(first) + pl.duration(days=pl.col("day").floor().cast(pl.Int64)),
        amount=pl.Series(amounts),
    )
    orders.write_csv(path)
    return str(path)


def scenario(path: str, **changes):
    """Return a small scenario of that shop: new customers alone, a year, two draws."""
    return small(**{"orders": path, "observed_until": END, "draws": 2} | changes)
