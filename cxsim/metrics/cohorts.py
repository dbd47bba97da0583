"""A shop in; what its cohorts do and bring at each age, with the customers at risk, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from cxsim.data.shop import Every, Shop
from cxsim.errors import DataError, choices
from cxsim.metrics.contracts import COHORTS
from cxsim.metrics.groups import (
    ALL,
    MICROSECONDS_PER_DAY,
    FollowUp,
    Groups,
    IntArray,
    Money,
    by_period,
    by_value,
    everyone,
    first_values,
    follow_up,
)
from cxsim.metrics.intervals import student_quantile, wilson
from cxsim.params import CENTS, MICROS, MICROS_PER_CENT
from cxsim.tables import check, empty

RealArray = npt.NDArray[np.float64]
Numbers = TypeVar("Numbers", IntArray, RealArray)

AGAIN, ORDERS = "again", "orders"
_BLOCK = 1 << 19
# Whole numbers up to here, and their sums, are exact as floating-point numbers.
_EXACT = 2**53


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """The grid of ages.

    Attributes
    ----------
    length
        Of a step, in microseconds.
    ages
        How many steps.
    """

    length: int
    ages: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moments:
    """Sums over the customers of each cohort who were watched to the end of a step.

    Attributes
    ----------
    at_risk
        Shape (cohorts, ages): customers whose step was over.
    sums
        Shape (cohorts, ages): of the quantity in this step, in its own unit.
    shared
        Shape (cohorts, ages, ages): at [k, b, c], the sum over those at risk at c of the quantity at b <= c, in quanta.
    products
        Shape (cohorts, ages, ages): at [k, b, c], the sum over those at risk at b and c of quantity times quantity,
        in quanta squared.
    quantum
        Size of a quantum in the unit of the quantity.
    """

    at_risk: IntArray
    sums: IntArray
    shared: RealArray
    products: RealArray
    quantum: int


def moments(
    seen: FollowUp, cohort: IntArray, cohorts: int, *, steps: Steps, what: tuple[str, ...]
) -> dict[str, Moments]:
    """Return the moments of each quantity."""
    risen = _Sums(
        customers=np.zeros((cohorts, steps.ages + 1), dtype=np.int64),
        quanta={name: _quantum(seen, name) for name in what},
        sums={name: np.zeros((cohorts, steps.ages + 1, steps.ages), dtype=np.int64) for name in what},
        shared={name: np.zeros((cohorts, steps.ages + 1, steps.ages)) for name in what},
        products={name: np.zeros((cohorts, steps.ages, steps.ages)) for name in what},
    )
    age = seen.since // steps.length
    over = np.minimum(seen.customers["left"].to_numpy() // steps.length, steps.ages)
    for low in range(0, len(cohort), _BLOCK):
        block = slice(low, low + _BLOCK)
        here = (seen.customer >= low) & (seen.customer < low + _BLOCK) & (age < steps.ages)
        _add(risen, seen, np.flatnonzero(here), age=age, low=low, cohort=cohort[block], over=over[block])
    return {name: _closed(risen, name) for name in what}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Sums:
    """Sums so far, by cohort and by how many steps were over."""

    customers: IntArray
    quanta: Mapping[str, int]
    sums: Mapping[str, IntArray]
    shared: Mapping[str, RealArray]
    products: Mapping[str, RealArray]


def _add(
    risen: _Sums, seen: FollowUp, rows: IntArray, *, age: IntArray, low: int, cohort: IntArray, over: IntArray
) -> None:
    ages = risen.customers.shape[1] - 1
    key = cohort * (ages + 1) + over
    order = np.argsort(key, kind="stable")
    order = order[np.searchsorted(key[order], 0) :]  # those left out have negative keys
    if len(order) == 0:
        return
    groups, starts, sizes = np.unique(key[order], return_index=True, return_counts=True)
    risen.customers.reshape(-1)[groups] += sizes
    follow_up = np.arange(ages) < over[order, None]
    cell = (seen.customer[rows] - low) * ages + age[rows]
    numbers, firsts = np.unique(cohort[order], return_index=True)
    for name, quantum in risen.quanta.items():
        worth = np.where(follow_up, _worth(seen, name, rows, cell=cell, shape=(len(cohort), ages))[order], 0.0)
        quanta = np.rint(worth / quantum)
        risen.sums[name].reshape(-1, ages)[groups] += np.add.reduceat(worth.astype(np.int64), starts, axis=0)
        risen.shared[name].reshape(-1, ages)[groups] += np.add.reduceat(quanta, starts, axis=0)
        for number, part in zip(numbers, np.split(quanta, firsts[1:]), strict=True):
            risen.products[name][number] += part.T @ part


def _worth(seen: FollowUp, name: str, rows: IntArray, *, cell: IntArray, shape: tuple[int, int]) -> RealArray:
    """Return the quantity of each customer at each age; whole numbers."""
    cells = shape[0] * shape[1]
    if name not in {AGAIN, ORDERS}:
        worth = np.bincount(cell, weights=seen.money[name][rows], minlength=cells)
        return worth.astype(np.float64, copy=False).reshape(shape)
    orders = np.bincount(cell, minlength=cells).reshape(shape).astype(np.float64)
    if name == AGAIN:
        orders[:, 0] -= 1
        orders = np.minimum(orders, 1.0)
    return orders


def _quantum(seen: FollowUp, name: str) -> int:
    """Return the size of a quantum: a cent, or so much more that no sum of products is beyond what is exact."""
    if name in {AGAIN, ORDERS}:
        return 1
    size = np.abs(seen.money[name])
    unit = 1 if np.any(size % MICROS_PER_CENT) else MICROS_PER_CENT
    # No product sum exceeds the largest customer's total times the total of all.
    largest, total = float(np.bincount(seen.customer, weights=size).max()), float(size.sum())
    bound = (int(largest) // unit + 1) * (int(total) // unit + 1)
    while bound >= _EXACT:
        unit, bound = 2 * unit, bound // 4 + 1
    return unit


def _closed(risen: _Sums, name: str) -> Moments:
    """Return sums over those of whom at least a step was over, from sums by how many were."""
    ages = np.arange(risen.products[name].shape[1])
    return Moments(
        at_risk=_over_more(risen.customers),
        sums=_over_more(risen.sums[name])[:, ages, ages],
        shared=_over_more(risen.shared[name]).transpose(0, 2, 1),
        products=risen.products[name],
        quantum=risen.quanta[name],
    )


def _over_more(table: Numbers) -> Numbers:
    """Return, at [k, c], the sum over those with more than c steps."""
    return np.flip(np.cumsum(np.flip(table, axis=1), axis=1), axis=1)[:, 1:]


Reading = tuple[float | None, float | None, float | None]

NOTHING: Reading = (None, None, None)
LEVEL = 0.95


def rate(moments: Moments, cohort: int, age: int) -> Reading:
    """Return the share of customers at risk of whom the quantity is 1, with Wilson's interval."""
    found = wilson(int(moments.sums[cohort, age]), int(moments.at_risk[cohort, age]))
    return found.value, found.low, found.high


def mean_worth(moments: Moments, cohort: int, age: int, *, unit: float) -> Reading:
    """Return the mean of the quantity over customers at risk, with the t interval over them."""
    customers = int(moments.at_risk[cohort, age])
    if customers == 0:
        return NOTHING
    value = int(moments.sums[cohort, age]) / customers / unit
    spread = _residuals(moments, cohort, age)[age, age] / customers**2
    return with_error(value, _corrected(spread, customers, moments.quantum / unit), customers)


def worth_so_far(moments: Moments, cohort: int, age: int, *, unit: float) -> Reading:
    """Return the value per customer from the first order to the end of an age, where not all were watched so long.

    The value is V(a) = sum of m(b) over b = 0 ... a, where m(b) is the mean at age b over the n(b) customers at risk
    at b. Customer i adds psi(i) = sum of (x(i, b) - m(b)) / n(b) over those b <= a at which the customer is at risk,
    and the variance is the sum of psi(i)^2, times n(a) / (n(a) - 1): the ages of one customer stay together. Where all
    are at risk throughout, this is the t interval of the mean of customers' totals.

    Bang and Tsiatis (2000), "Estimating medical costs with censored data", Biometrika 87, 329-343: the partitioned
    estimator, here with censoring by the date of the first order alone, within a cohort.
    """
    at_risk = [int(count) for count in moments.at_risk[cohort, : age + 1]]
    if at_risk[-1] == 0:
        return NOTHING
    sums = [int(total) for total in moments.sums[cohort, : age + 1]]
    value = math.fsum(total / count for total, count in zip(sums, at_risk, strict=True)) / unit
    weights = 1.0 / np.array(at_risk, dtype=np.float64)
    residuals = _residuals(moments, cohort, age)
    # Element by element: a product of matrices may add in another order on another machine.
    spread = math.fsum((residuals * np.outer(weights, weights)).ravel().tolist())
    return with_error(value, _corrected(spread, at_risk[-1], moments.quantum / unit), at_risk[-1])


def with_error(value: float, error: float | None, customers: int) -> Reading:
    """Return a value with its t interval; without ends where one customer alone was watched."""
    if error is None or customers < 2:
        return value, None, None
    half = student_quantile(LEVEL, customers - 1) * error
    return value, value - half, value + half


def _residuals(moments: Moments, cohort: int, age: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return, for all b, c <= age, the sum over those at risk at both of (x(b) - m(b)) (x(c) - m(c)), in quanta^2."""
    ages = slice(0, age + 1)
    at_risk = moments.at_risk[cohort, ages].astype(np.float64)
    shared, products = moments.shared[cohort, ages, ages], moments.products[cohort, ages, ages]
    means = np.diagonal(shared) / at_risk
    # Let b <= c: of the three terms beside the product, two cancel, and the sum at b over those at risk at c remains.
    upper = np.triu(products - shared * means[None, :])
    return upper + np.triu(upper, k=1).T


def _corrected(spread: float, customers: int, quantum: float) -> float | None:
    if customers < 2:
        return None
    return math.sqrt(max(spread, 0.0) * customers / (customers - 1)) * quantum


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
    seen = follow_up(shop, money=money, margin_share=margin_share, uncertain_days=uncertain_days)
    groups = _groups(shop, seen, every=every, by=by, first=first)
    steps = Steps(length=STEP_DAYS[every] * MICROSECONDS_PER_DAY, ages=ages)
    found = moments(seen, groups.cohort, len(groups.names), steps=steps, what=quantities)
    return _laid_out(groups, found, measures, least=least, caution=seen.caution)


def _groups(shop: Shop, seen: FollowUp, *, every: Every, by: str | None, first: int) -> Groups:
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
        sentence = "; ".join(part for part in (doubt, caution) if part)
        for measure in measures:
            reader = _READERS[measure]
            cells = found[reader.quantity]
            for age, at_risk in enumerate(cells.at_risk[number].tolist()):
                reading = reader.reads(cells, number, age) if at_risk >= least else NOTHING
                complete = closed and at_risk == customers
                rows.append((name, measure, age, customers, at_risk, *reading, complete, sentence))
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


# The standard normal's 97.5 % quantile.
_Z = float(special.ndtri(0.975))


class ReadingReading(NamedTuple):
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


def mean(amounts: pl.Series) -> ReadingReading:
    """Return the mean of amounts of customers, of whom there must be two."""
    numbers = amounts.to_numpy()
    return ReadingReading(float(numbers.mean()), float(numbers.std(ddof=1)) / math.sqrt(len(numbers)))


def total(amounts: npt.NDArray[np.float64]) -> ReadingReading:
    """Return the sum of amounts of customers who were drawn one by one, of whom there must be two."""
    return ReadingReading(float(amounts.sum()), float(amounts.std(ddof=1)) * math.sqrt(len(amounts)))


def difference(one: ReadingReading, other: ReadingReading) -> ReadingReading:
    """Return one reading less another, of other customers."""
    return ReadingReading(one.value - other.value, math.hypot(one.error, other.error))


def ratio(one: ReadingReading, other: ReadingReading) -> ReadingReading:
    """Return one reading over another, of other customers; the error by the delta method."""
    value = one.value / other.value
    return ReadingReading(value, abs(value) * math.hypot(one.error / one.value, other.error / other.value))


def reading_rate(amounts: pl.Series, times: pl.Series) -> ReadingReading:
    """Return the sum of amounts over the sum of times, of the same customers; the error by the delta method."""
    numbers, lengths = amounts.to_numpy(), times.to_numpy()
    value = float(numbers.sum()) / float(lengths.sum())
    left = (numbers - value * lengths) / lengths.mean()
    return ReadingReading(value, float(left.std(ddof=1)) / math.sqrt(len(left)))
