"""A shop in; what its cohorts do and bring at each age, with the customers at risk, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from cxsim.cohorts.cohort_value import NOTHING, Reading, mean_worth, rate, worth_so_far
from cxsim.cohorts.groups import ALL, Groups, by_period, by_value, everyone
from cxsim.cohorts.moments import AGAIN, ORDERS, Moments, Steps, moments
from cxsim.cohorts.watched import MICROSECONDS_PER_DAY, Money, Watched, first_values, watched
from cxsim.errors import DataError, choices
from cxsim.measured import COHORTS
from cxsim.shop import Every, Shop
from cxsim.tables import check, empty
from cxsim.units import MICROS

Measure = Literal["retention", "orders", "revenue", "margin", "cumulative_revenue", "cumulative_margin"]

STEP_DAYS = {"month": 30, "week": 7}
_KEYS = frozenset({"order_id", "customer_id"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    """Which quantity a measure reads, how, and in which unit."""

    quantity: str
    reads: Callable[[Moments, int, int], Reading]


def cohort_table(
    shop: Shop,
    *,
    every: Every = "month",
    by: str | None = None,
    measures: Sequence[Measure] = ("retention", "orders", "revenue", "cumulative_revenue"),
    first: int = 8,
    ages: int = 12,
    least: int = 30,
    margin_share: float | None = None,
    uncertain_days: int = 90,
) -> pl.DataFrame:
    """Follow customers from their first order, by when or how they came.

    Age a of a customer lasts from a to a + 1 steps after that customer's own first order; a step is 30 days, or 7 by
    week. A customer is at risk at a if all of it was over at `shop.until`, so that all in a cell were watched equally
    long. Retention is the share of them who order in it; at age 0 the first order itself does not count, so that it
    is the share who order again within the first step. Money is before refunds, per customer at risk, whether or not
    they order; cumulative money adds the ages up (see Notes).

    Bang and Tsiatis (2000), "Estimating medical costs with censored data", Biometrika 87, 329-343. Wilson (1927),
    "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 209-212.

    The value so far is the partitioned estimator: the sum over ages of the mean over those at risk at each, V(a) =
    S(0) / n(0) + ... + S(a) / n(a). Its interval keeps the ages of a customer together: the variance is the sum over
    customers of the square of (x(b) - m(b)) / n(b) summed over the ages b <= a at which they are at risk.
    """
    _refuse_numbers(first=first, ages=ages, least=least)
    _refuse(every, STEP_DAYS, "every")
    for measure in measures:
        _refuse(measure, _READERS, "measure")
    _refuse_column(shop, by)
    quantities = tuple(dict.fromkeys(_READERS[measure].quantity for measure in measures))
    money: list[Money] = [what for what in _MONEY if what in quantities]
    seen = watched(shop, money=money, margin_share=margin_share, uncertain_days=uncertain_days)
    groups = _groups(shop, seen, every=every, by=by, first=first)
    steps = Steps(length=STEP_DAYS[every] * MICROSECONDS_PER_DAY, ages=ages)
    found = moments(seen, groups.cohort, len(groups.names), steps=steps, what=quantities)
    return _laid_out(groups, found, measures, least=least, caution=seen.caution)


def _groups(shop: Shop, seen: Watched, *, every: Every, by: str | None, first: int) -> Groups:
    if by is None:
        return by_period(shop, seen, every)
    if by == ALL:
        return everyone(shop, seen)
    return by_value(shop, seen, first_values(shop, seen, by), first=first)


def _laid_out(
    groups: Groups, found: dict[str, Moments], measures: Sequence[Measure], *, least: int, caution: str
) -> pl.DataFrame:
    counted = np.bincount(groups.cohort[groups.cohort >= 0], minlength=len(groups.names))
    rows = []
    for number, (name, closed, doubt) in enumerate(zip(groups.names, groups.closed, groups.cautions, strict=True)):
        customers = int(counted[number])
        told = "; ".join(part for part in (doubt, caution) if part)
        for measure in measures:
            reader = _READERS[measure]
            cells = found[reader.quantity]
            for age, at_risk in enumerate(cells.at_risk[number].tolist()):
                reading = reader.reads(cells, number, age) if at_risk >= least else NOTHING
                complete = closed and at_risk == customers
                rows.append((name, measure, age, customers, at_risk, *reading, complete, told))
    return check(pl.DataFrame(rows, schema=empty(COHORTS).schema, orient="row"), COHORTS)


def _refuse_numbers(**least_one: int) -> None:
    for name, number in least_one.items():
        if number < 1:
            raise DataError(f"{name} is {number}; it must be at least 1.")


def _refuse(found: str, known: Sequence[str] | dict[str, int] | dict[str, _Reader], what: str) -> None:
    if found not in known:
        raise DataError(f"{what}: '{found}' is not known; {choices(found, known)}")


def _refuse_column(shop: Shop, by: str | None) -> None:
    if by is None or by == ALL:
        return
    schema = shop.table("orders").collect_schema()
    kinds = (pl.String, pl.Int64, pl.Boolean)
    possible = [name for name, kind in schema.items() if kind in kinds and name not in _KEYS]
    if by not in possible:
        raise DataError(f"{shop.name}: cohorts by '{by}' cannot be made of the orders; {choices(by, [ALL, *possible])}")


def _means(unit: float) -> Callable[[Moments, int, int], Reading]:
    return lambda cells, cohort, age: mean_worth(cells, cohort, age, unit=unit)


def _so_far(cells: Moments, cohort: int, age: int) -> Reading:
    return worth_so_far(cells, cohort, age, unit=MICROS)


_MONEY: tuple[Money, ...] = ("revenue", "margin")
_READERS = {
    "retention": _Reader(quantity=AGAIN, reads=rate),
    "orders": _Reader(quantity=ORDERS, reads=_means(1)),
    "revenue": _Reader(quantity="revenue", reads=_means(MICROS)),
    "margin": _Reader(quantity="margin", reads=_means(MICROS)),
    "cumulative_revenue": _Reader(quantity="revenue", reads=_so_far),
    "cumulative_margin": _Reader(quantity="margin", reads=_so_far),
}
