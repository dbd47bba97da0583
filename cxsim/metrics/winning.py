"""What was spent on winning customers, and who came, in; cost of a customer, months to earn it back, and MER, out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl

from cxsim.intervals import Estimate, garwood
from cxsim.metrics.life_views import WINDOWS
from cxsim.metrics.view import cents, placed
from cxsim.shop import Period, Shop
from cxsim.units import CENTS, DAYS_PER_MONTH

NONE = Estimate(value=None, low=None, high=None, units=0, method="", caution="nothing was spent, or nobody came")


def marketing_spend(shop: Shop, periods: Sequence[Period]) -> dict[int, float]:
    """Return what was spent on marketing in each period, by its place, in units of the currency."""
    if shop.marketing is None:
        return {}
    rows = placed(shop.marketing, pl.col("spent_at"), periods).select("period", spent=cents("amount"))
    spent = rows.group_by("period").agg(pl.col("spent").sum()).collect()
    return {row["period"]: row["spent"] / CENTS for row in spent.iter_rows(named=True)}


def acquisition_cost(spent: float, newcomers: int) -> Estimate:
    """Return spend per new customer; how many came is a Poisson count.

    >>> found = acquisition_cost(900.0, 30)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (30.0, 21.01, 44.46)
    """
    if newcomers == 0 or spent <= 0.0:
        return NONE
    rate = garwood(newcomers, 1.0)
    if rate.low is None or rate.high is None:
        return NONE
    return Estimate(
        value=spent / newcomers, low=spent / rate.high, high=spent / rate.low, units=newcomers, method="Garwood"
    )


def efficiency(revenue: Estimate, spent: float) -> Estimate:
    """Return revenue per unit of marketing spend, the marketing efficiency ratio."""
    if spent <= 0.0 or revenue.value is None or revenue.low is None or revenue.high is None:
        return NONE
    ends = (revenue.value / spent, revenue.low / spent, revenue.high / spent)
    return Estimate(value=ends[0], low=ends[1], high=ends[2], units=revenue.units, method=revenue.method)


def payback(cost: Estimate, margins: Mapping[int, Estimate]) -> Estimate:
    """Return after how many months the margin of a new customer covers what it cost to win one.

    Margin grows in a straight line between the ages at which it is known. The interval pairs the ends: low cost with
    high margins, and high cost with low ones, so it holds both uncertainties.
    """
    months = [_months(cost, margins, ends) for ends in (("value", "value"), ("low", "high"), ("high", "low"))]
    units = min((margin.units for margin in margins.values()), default=0)
    caution = "" if months[0] is not None else "not paid back within a year"
    return Estimate(
        value=months[0], low=months[1], high=months[2], units=units, method="ends of intervals", caution=caution
    )


def _months(cost: Estimate, margins: Mapping[int, Estimate], ends: tuple[str, str]) -> float | None:
    target, earlier, before = getattr(cost, ends[0]), 0, 0.0
    for days in WINDOWS:
        reached = getattr(margins[days], ends[1]) if days in margins else None
        if target is None or reached is None:
            continue
        if reached >= target:
            part = (target - before) / (reached - before) if reached > before else 1.0
            return (earlier + part * (days - earlier)) / DAYS_PER_MONTH
        earlier, before = days, max(reached, before)
    return None


def money_of(spent: Mapping[int, float], place: int) -> float:
    """Return what was spent in a period, 0 where nothing was; never not a number."""
    found = spent.get(place, 0.0)
    return found if math.isfinite(found) else 0.0
