"""What a shop's tables say of one number of its behaviour, with its interval; or why they do not say it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from cxsim.intervals import RatioSums, ratio_error
from cxsim.quantity import Z95

# Independent units from which a number of the behaviour is told: below it the interval is no more than an indication.
FEWEST = 30
CUSTOMER, COUNTED, AMONG = "customer_id", "counted", "among"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A number that was measured.

    Attributes
    ----------
    path
        Its place in the behaviour, as `cxsim.quantity.quantities` names it.
    value, error
        The number and its standard error.
    low, high
        The 5 % and 95 % quantiles of what is believed.
    units
        Customers or tickets behind it.
    method
        How it was measured, in words.
    """

    path: str
    value: float
    error: float
    low: float
    high: float
    units: int
    method: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A number that was not measured.

    Attributes
    ----------
    path
        As in `Reading`.
    reason
        Why not, in words.
    """

    path: str
    reason: str


Found = Reading | Gap


def gaps(paths: tuple[str, ...], reason: str) -> list[Found]:
    """Return the same reason for several numbers."""
    return [Gap(path=path, reason=reason) for path in paths]


def sums_over_customers(rows: pl.LazyFrame) -> RatioSums:
    """Return the sums of a ratio over customers: what is counted, among what."""
    # Squares of cents of many orders can be more than 64 bits hold.
    x, n = pl.col(COUNTED).cast(pl.Int128), pl.col(AMONG).cast(pl.Int128)
    known = rows.filter(pl.col(CUSTOMER).is_not_null())
    guests = rows.filter(pl.col(CUSTOMER).is_null())
    parts = [
        part.select(units=pl.len(), x=x.sum(), n=n.sum(), xx=(x * x).sum(), nn=(n * n).sum(), xn=(x * n).sum())
        for part in (known.group_by(CUSTOMER).agg(pl.col(COUNTED, AMONG).sum()), guests)
    ]
    units, *sums = pl.concat(parts).sum().collect(engine="streaming").row(0)
    return RatioSums(units=units, **dict(zip(("x", "n", "xx", "nn", "xn"), map(float, sums), strict=True)))


def share(path: str, rows: pl.LazyFrame, *, of: str) -> Found:
    """Return a share with its interval on the logit scale, by the delta method over customers."""
    sums = sums_over_customers(rows)
    if sums.units < FEWEST:
        return Gap(path=path, reason=f"there are {of} of {sums.units} customers only; {FEWEST} are needed.")
    if sums.x <= 0.0:
        return Gap(path=path, reason=f"it is nowhere seen among {sums.n:,.0f} {of}.")
    value, error = sums.x / sums.n, ratio_error(sums)
    method = f"share of {of}, delta over customers"
    if error == 0.0 or not 0.0 < value < 1.0:
        return Reading(path=path, value=value, error=0.0, low=value, high=value, units=sums.units, method=method)
    middle, half = math.log(value / (1.0 - value)), Z95 * error / (value * (1.0 - value))
    low, high = (1.0 / (1.0 + math.exp(-(middle + side * half))) for side in (-1.0, 1.0))
    return Reading(path=path, value=value, error=error, low=low, high=high, units=sums.units, method=method)


def linear(path: str, value: float, error: float, *, units: int, method: str) -> Reading:
    """Return a number with its interval on its own scale."""
    half = Z95 * error
    return Reading(path=path, value=value, error=error, low=value - half, high=value + half, units=units, method=method)
