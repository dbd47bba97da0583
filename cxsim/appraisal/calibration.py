"""Expected and observed orders of each customer in; their means by class of past frequency, with intervals, out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.quantity import Z95

LAST_CLASS = 7
# With no order among n customers, a mean of -ln(0.05) / n would have left so empty a class in 5 % of cases.
_NONE_SEEN = -math.log(0.05)


def by_frequency(outcomes: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """Return mean orders per customer by class of past frequency, as they came and as each model expected them."""
    classes = np.minimum(outcomes["frequency"].to_numpy(), LAST_CLASS)
    seen = np.unique(classes)
    observed = _observed(classes, outcomes)[seen]
    rows = np.bincount(classes)[seen]
    tables = [
        pl.DataFrame(
            {
                "model": title,
                "name": name,
                "frequency": [f"{one}+" if one == LAST_CLASS else f"{one}" for one in seen],
                "customers": rows,
                "observed": observed[:, 0],
                "low": observed[:, 1],
                "high": observed[:, 2],
                "expected": np.bincount(classes, weights=outcomes[name].to_numpy())[seen] / rows,
            }
        )
        for name, title in titles.items()
    ]
    return pl.concat(tables).with_columns(pl.col("low", "high").fill_nan(None))


def _observed(classes: NDArray[np.int64], outcomes: pl.DataFrame) -> NDArray[np.float64]:
    """Return mean, low and high of each class; NaN where no interval can be told.

    Customers are independent and their rows are not, so deviations are added up by customer first.
    """
    orders = outcomes["orders"].cast(pl.Float64).to_numpy()
    rows = np.maximum(np.bincount(classes), 1)
    mean = np.bincount(classes, weights=orders) / rows
    person = outcomes["customer_id"].rank("dense").cast(pl.Int64).to_numpy()
    pairs, pair = np.unique(classes * (person.max() + 1) + person, return_inverse=True)
    deviation = np.bincount(pair, weights=orders - mean[classes])
    persons = np.bincount(pairs // (person.max() + 1))
    squares = np.bincount(pairs // (person.max() + 1), weights=np.square(deviation))
    told = persons > 1
    half = np.full(mean.size, np.nan)
    half[told] = Z95 * np.sqrt(squares[told] * persons[told] / (persons[told] - 1)) / rows[told]
    high = np.where(mean > 0.0, mean + half, half + _NONE_SEEN / np.maximum(persons, 1))
    return np.column_stack([mean, np.maximum(mean - half, 0.0), high])
