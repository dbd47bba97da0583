"""The same summaries, fits and values by lifetimes, on rows as they are: arrays go in, its own objects come out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from benchmarks.terms import HORIZON_DAYS, HORIZON_MONTHS, MONTHLY_RATE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter
    from lifetimes.utils import summary_data_from_transaction_data

Column = npt.NDArray[np.float64]


def as_pandas(lines: pl.DataFrame) -> pd.DataFrame:
    """Return order lines as lifetimes takes them."""
    return pd.DataFrame({name: lines[name].to_numpy() for name in lines.columns})


def summary(lines: pd.DataFrame) -> Any:
    """Summarise order lines."""
    return summary_data_from_transaction_data(lines, "customer_id", "ordered_at", "amount")


def past(rfm: pl.DataFrame) -> tuple[Column, Column, Column]:
    """Return frequency, recency and age of each customer."""
    frequency, last, age = (rfm[name].cast(pl.Float64).to_numpy() for name in rfm.columns[1:4])
    return frequency, last, age


def bgnbd(rfm: pl.DataFrame) -> Any:
    """Fit BG/NBD; its standard errors come with it."""
    return _quietly(lambda: BetaGeoFitter().fit(*past(rfm)))


def paretonbd(rfm: pl.DataFrame) -> Any:
    """Fit Pareto/NBD; it has no standard errors."""
    return _quietly(lambda: ParetoNBDFitter().fit(*past(rfm)))


def spend(rfm: pl.DataFrame) -> Any:
    """Fit Gamma-Gamma."""
    repeaters = rfm.filter(pl.col("frequency") > 0)
    amount = repeaters["monetary_value"].to_numpy()
    return _quietly(lambda: GammaGammaFitter().fit(past(repeaters)[0], amount))


def value(rfm: pl.DataFrame, purchases: Any, spending: Any) -> Any:
    """Return P(alive), expected orders and value of each customer, its months being thirty days."""
    columns = past(rfm)
    series = [pd.Series(column) for column in (*columns, rfm["monetary_value"].fill_null(0.0).to_numpy())]
    return _quietly(
        lambda: (
            purchases.conditional_probability_alive(*columns),
            purchases.conditional_expected_number_of_purchases_up_to_time(HORIZON_DAYS, *columns),
            spending.customer_lifetime_value(
                purchases, *series, time=HORIZON_MONTHS, discount_rate=MONTHLY_RATE, freq="D"
            ),
        )
    )


def _quietly(work: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()
