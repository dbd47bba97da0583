"""Customers' amounts in; a mean, a difference or a ratio of means with its 95 % interval, out.

Sums are numpy's, whose last bit does not depend on how polars shared the rows out among threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from cxsim.units import CENTS

# The standard normal's 97.5 % quantile.
_Z = float(special.ndtri(0.975))


class Reading(NamedTuple):
    """A number that was read from customers, and the standard error by which they were observed."""

    value: float
    error: float

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.value - _Z * self.error

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.value + _Z * self.error


def paid() -> pl.Expr:
    """Return what the orders of a customer add up to, in a column `paid`; exact, because it is counted in cents."""
    return ((pl.col("amount") * CENTS).round().cast(pl.Int64).sum() / CENTS).alias("paid")


def mean(amounts: pl.Series) -> Reading:
    """Return the mean of amounts of customers, of whom there must be two."""
    numbers = amounts.to_numpy()
    return Reading(float(numbers.mean()), float(numbers.std(ddof=1)) / math.sqrt(len(numbers)))


def total(amounts: npt.NDArray[np.float64]) -> Reading:
    """Return the sum of amounts of customers who were drawn one by one, of whom there must be two."""
    return Reading(float(amounts.sum()), float(amounts.std(ddof=1)) * math.sqrt(len(amounts)))


def difference(one: Reading, other: Reading) -> Reading:
    """Return one reading less another, of other customers."""
    return Reading(one.value - other.value, math.hypot(one.error, other.error))


def ratio(one: Reading, other: Reading) -> Reading:
    """Return one reading over another, of other customers; the error by the delta method."""
    value = one.value / other.value
    return Reading(value, abs(value) * math.hypot(one.error / one.value, other.error / other.value))


def rate(amounts: pl.Series, times: pl.Series) -> Reading:
    """Return the sum of amounts over the sum of times, of the same customers; the error by the delta method."""
    numbers, lengths = amounts.to_numpy(), times.to_numpy()
    value = float(numbers.sum()) / float(lengths.sum())
    left = (numbers - value * lengths) / lengths.mean()
    return Reading(value, float(left.std(ddof=1)) / math.sqrt(len(left)))
