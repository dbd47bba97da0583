"""Sums over customers, waiting times or spend of one period in; the value of a metric with its interval, out."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
import scipy
from numpy.typing import ArrayLike, NDArray

from cxsim.metrics.catalogue import Kind, Metric, Unit
from cxsim.metrics.intervals import (
    NOBODY,
    CrossSums,
    Estimate,
    RatioSums,
    Z,
    caution_for,
    clustered_wilson,
    garwood,
    joined,
    net_promoter,
    ratio,
    ratio_correlation,
    summed,
    wilson,
)
from cxsim.metrics.views import BY_CUSTOMER, WINDOWS
from cxsim.params import DAYS_PER_MONTH

FloatArray = NDArray[np.float64]
# With fewer independent units than this there is no value.
FEWEST = 10
_NEVER_SUPPRESSED: frozenset[Kind] = frozenset({"total", "cost", "efficiency", "payback"})
# Of one answer: 1 for a promoter, -1 for a detractor.
_POINTS = (-1.0, 1.0)
NO_SUMS = RatioSums(units=0, x=0.0, n=0.0, xx=0.0, nn=0.0, xn=0.0)
_SECONDS_PER_HOUR = 3600.0
# An answer within this many hours is in time.
_IN_TIME = 24.0
# Shares are products of fractions; two that should be equal differ by less.
_ROUNDING = 1e-12
_NOTHING_SPENT = Estimate(caution="no spend, or no new customers")


class PeriodSums(NamedTuple):
    """The sums of one metric.

    Attributes
    ----------
    by_period
        For each period in which there was anything, by its place.
    cross
        Products of the last two periods, over the customers of both.
    """

    by_period: Mapping[int, RatioSums]
    cross: CrossSums


def sums_over_customers(view: pl.LazyFrame, metrics: list[Metric], *, periods: int) -> dict[str, PeriodSums]:
    """Return the sums of several metrics over one view, in one pass over its rows."""
    columns = sorted({text for metric in metrics for text in (metric.over, metric.per)})
    # A comparison becomes 0 or 1.
    numbers = view.select("period", "customer", *(pl.sql_expr(text).cast(pl.Int64).alias(text) for text in columns))
    if metrics[0].view not in BY_CUSTOMER:
        grouped = numbers.group_by("period", "customer").agg(pl.col(columns).sum())
        numbers = grouped.collect(engine="streaming").lazy()
    now, before = (numbers.filter(pl.col("period") == place) for place in (periods - 1, periods - 2))
    of_both = now.join(before, on="customer", suffix="_before")
    sums, products = pl.collect_all(
        [numbers.group_by("period").agg(map(_squares, metrics)), of_both.select(map(_products, metrics))],
        engine="streaming",
    )
    cross = products.row(0, named=True)
    return {
        metric.name: PeriodSums(
            by_period={row["period"]: RatioSums(**row[metric.name]) for row in sums.iter_rows(named=True)},
            cross=CrossSums(**cross[metric.name]),
        )
        for metric in metrics
    }


def _squares(metric: Metric) -> pl.Expr:
    x, n = pl.col(metric.over), pl.col(metric.per)
    return summed(x, n, ((x != 0) | (n != 0)).sum()).alias(metric.name)


def _products(metric: Metric) -> pl.Expr:
    x, n, x_before, n_before = (
        pl.col(f"{column}{when}").cast(pl.Int128) for when in ("", "_before") for column in (metric.over, metric.per)
    )
    return pl.struct(
        xx=(x * x_before).sum(), xn=(x * n_before).sum(), nx=(n * x_before).sum(), nn=(n * n_before).sum()
    ).alias(metric.name)


def estimated(metric: Metric, sums: RatioSums) -> Estimate:
    """Return the value of a metric in one period."""
    if metric.kind == "total":
        return _scaled(_total(sums, metric.unit), metric.factor)
    if sums.n == 0.0:
        return Estimate(units=sums.units, caution=NOBODY)
    return _scaled(_over_customers(metric.kind, sums), metric.factor)


def _over_customers(kind: Kind, sums: RatioSums) -> Estimate:
    # Whoever counts at most once has equal squares: 0 and 1.
    once = sums.nn == sums.n
    if kind == "share" and once:
        return wilson(round(sums.x), round(sums.n))
    if kind == "score" and once:
        promoters, detractors = round((sums.xx + sums.x) / 2), round((sums.xx - sums.x) / 2)
        return _scaled(net_promoter(promoters, round(sums.n) - promoters - detractors, detractors), 0.01)
    # More can be refunded than was charged; then it is no share, and its interval not one of shares.
    if kind == "share" and 0 <= sums.x <= sums.n:
        return clustered_wilson(sums)
    return ratio(sums, scale=_POINTS if kind == "score" else None)


def _total(sums: RatioSums, unit: Unit) -> Estimate:
    """Return a total; customers come as a Poisson process, so its variance is the sum of squares over them."""
    if unit == "count" and sums.xx == sums.x == sums.n:
        # Nobody counts twice, so it is a count, of which small ones have limits of their own.
        return garwood(round(sums.x))._replace(units=sums.units)
    if sums.units == 0:
        return Estimate(value=0.0, caution=NOBODY)
    half = Z * math.sqrt(sums.xx)
    low = max(sums.x - half, 0.0) if sums.x >= 0.0 else sums.x - half
    return Estimate(sums.x, low, sums.x + half, sums.units, "compound Poisson")


def _scaled(estimate: Estimate, factor: float) -> Estimate:
    """Return an estimate in another unit."""
    value, low, high = (None if end is None else factor * end for end in estimate[:3])
    return estimate._replace(value=value, low=low, high=high)


def suppressed(metric: Metric, estimate: Estimate) -> Estimate:
    """Return the estimate, or one without a value where fewer than ten independent units stand behind it."""
    if metric.kind in _NEVER_SUPPRESSED or estimate.units >= FEWEST:
        return estimate
    caution = f"too few cases: {estimate.units}, {FEWEST} needed"
    return estimate._replace(value=None, low=None, high=None, caution=caution)


def correlation(metric: Metric, sums: PeriodSums, *, last: int) -> float:
    """Return how the last period goes together with the one before, because of the customers who are in both."""
    one, other = (sums.by_period.get(place, NO_SUMS) for place in (last, last - 1))
    if metric.kind != "total":
        return ratio_correlation(one, other, sums.cross)
    together = math.sqrt(one.xx * other.xx)
    return sums.cross.xx / together if together > 0.0 else 0.0


class Survival(NamedTuple):
    """Share of units that still wait, by time since they began to, with its 95 % limits.

    Attributes
    ----------
    times
        Distinct times at which a wait ended or a unit was last seen waiting, ascending, shape (n,).
    shares, low, high
        Share that still waits just after each time, in [0, 1], and its log-log limits; nan where they are undefined.
    at_risk
        Units that were still waiting just before each time.
    ended
        Units whose wait ended.
    """

    times: FloatArray
    shares: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray
    ended: int

    @property
    def units(self) -> int:
        """How many units waited."""
        return int(self.at_risk[0]) if self.at_risk.size else 0


def kaplan_meier(times: ArrayLike, events: ArrayLike, censored: ArrayLike) -> Survival:
    """Return the share that still waits, from the numbers of waits that ended and that were last seen at each time."""
    moments, ended = np.asarray(times, dtype=np.float64), np.asarray(events, dtype=np.int64)
    left = ended + np.asarray(censored, dtype=np.int64)
    distinct, places = np.unique(np.repeat(moments, left), return_inverse=True)
    if distinct.size == 0:
        nothing = np.empty(0)
        return Survival(nothing, nothing, nothing, nothing, nothing, 0)
    curve = scipy.stats.ecdf(
        scipy.stats.CensoredData(np.repeat(moments, ended), right=np.repeat(moments, left - ended))
    ).sf
    with warnings.catch_warnings():
        # The limits are undefined where nobody or everybody still waits; see `answered_within`.
        warnings.simplefilter("ignore", RuntimeWarning)
        limits = curve.confidence_interval(method="log-log")
    return Survival(
        times=distinct,
        shares=curve.probabilities,
        low=np.where(curve.probabilities == 0.0, 0.0, limits.low.probabilities),
        high=limits.high.probabilities,
        at_risk=np.cumsum(np.bincount(places)[::-1])[::-1].astype(np.float64),
        ended=int(ended.sum()),
    )


def survival_by_period(waits: pl.LazyFrame) -> dict[int, Survival]:
    """Return for each period, by its place, what share of its tickets still waited after how many hours."""
    counted = waits.collect(engine="streaming").sort("period", "seconds")
    curves = {}
    for (place,), rows in counted.group_by("period", maintain_order=True):
        over = pl.when("ended").then("tickets").otherwise(0)
        at = rows.group_by("seconds", maintain_order=True).agg(over=over.sum(), tickets=pl.col("tickets").sum())
        hours, ended = at["seconds"].to_numpy() / _SECONDS_PER_HOUR, at["over"].to_numpy()
        curves[int(place)] = kaplan_meier(hours, ended, at["tickets"].to_numpy() - ended)
    return curves


def waiting_estimate(metric: Metric, curve: Survival | None) -> Estimate:
    """Return the median wait, or the share answered in time, of the tickets of one period."""
    if curve is None:
        return Estimate(caution=NOBODY)
    return median_wait(curve) if metric.kind == "median wait" else answered_within(curve, _IN_TIME)


def answered_within(waits: Survival, time: float) -> Estimate:
    """Return the share whose wait is over within `time`, with log-log limits, which never leave [0, 1].

    Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, eq. 1.16; variance of Greenwood
    (1926).
    """
    method = "Kaplan-Meier, log-log"
    if waits.times.size == 0:
        return Estimate(method=method, caution=NOBODY)
    if waits.shares[-1] > 0.0 and time > waits.times[-1]:
        caution = f"no case was observed for longer than {waits.times[-1]:g}"
        return Estimate(units=waits.units, method=method, caution=caution)
    place = int(np.searchsorted(waits.times, time, side="right")) - 1
    still = 1.0 if place < 0 else float(waits.shares[place])
    if still == 0.0:
        limits = wilson(0, waits.ended)
    elif still == 1.0:
        waiting = int(waits.at_risk[np.searchsorted(waits.times, time)])
        limits = wilson(waiting, waiting)
    else:
        limits = Estimate(low=float(waits.low[place]), high=float(waits.high[place]))
    low, high = (None if end is None else 1 - end for end in (limits.high, limits.low))
    return Estimate(1 - still, low, high, waits.units, method, caution_for(waits.units))


def median_wait(waits: Survival) -> Estimate:
    """Return the time within which half of the waits are over, with the limits of Brookmeyer and Crowley.

    Brookmeyer and Crowley (1982), "A Confidence Interval for the Median Survival Time", Biometrics 38, 29-41, with
    log-log limits of the curve.
    """
    value, low, high = (_half_over(waits.times, curve) for curve in (waits.shares, waits.low, waits.high))
    note = "not reached" if value is None else "upper end not reached" if high is None else ""
    caution = joined([caution_for(waits.units), note if waits.units else ""])
    method = "Kaplan-Meier, Brookmeyer-Crowley"
    return Estimate(value, low, high, waits.units, method, caution)


def _half_over(times: FloatArray, curve: FloatArray) -> float | None:
    """Return the first time at which a curve is at one half or below; where it is not a number, it is not."""
    below = np.flatnonzero(curve <= 0.5 + _ROUNDING)
    return float(times[below[0]]) if below.size else None


def acquisition_cost(spent: float, newcomers: int) -> Estimate:
    """Return spend per new customer; how many came is a Poisson count.

    >>> cost = acquisition_cost(900.0, 30)
    >>> cost.value, round(cost.low, 2), round(cost.high, 2)
    (30.0, 21.01, 44.46)
    """
    came = garwood(newcomers)
    if newcomers == 0 or spent <= 0.0 or not came.low or not came.high:
        return _NOTHING_SPENT
    return Estimate(spent / newcomers, spent / came.high, spent / came.low, newcomers, "Garwood")


def efficiency(revenue: Estimate, spent: float) -> Estimate:
    """Return revenue per unit of marketing spend, the marketing efficiency ratio."""
    if spent <= 0.0 or revenue.value is None or revenue.low is None or revenue.high is None:
        return _NOTHING_SPENT
    return Estimate(revenue.value / spent, revenue.low / spent, revenue.high / spent, revenue.units, revenue.method)


def payback(cost: Estimate, margins: Mapping[int, Estimate]) -> Estimate:
    """Return after how many months the margin of a new customer covers what it cost to win one.

    Margin grows in a straight line between the ages at which it is known. The interval pairs the ends: low cost with
    high margins, and high cost with low ones, so it holds both uncertainties.
    """
    value, low, high = (
        _months(getattr(cost, end), {days: getattr(margin, other) for days, margin in margins.items()})
        for end, other in (("value", "value"), ("low", "high"), ("high", "low"))
    )
    units = min((margin.units for margin in margins.values()), default=0)
    caution = "" if value is not None else "not paid back within a year"
    return Estimate(value, low, high, units, "ends of intervals", caution)


def _months(cost: float | None, margins: Mapping[int, float | None]) -> float | None:
    earlier, before = 0, 0.0
    for days in WINDOWS:
        reached = margins.get(days)
        if cost is None or reached is None:
            continue
        if reached >= cost:
            part = (cost - before) / (reached - before) if reached > before else 1.0
            return (earlier + part * (days - earlier)) / DAYS_PER_MONTH
        earlier, before = days, max(reached, before)
    return None
