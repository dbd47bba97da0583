"""A shop in; what its cohorts do and bring at each age, with the customers at risk, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.data.shop import Every, Shop, complete_periods
from cxsim.errors import DataError, choices
from cxsim.metrics.intervals import student_quantile, wilson
from cxsim.params import MICROS, MICROS_PER_CENT
from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, table_of

# One row per cohort, measure and age. cohort: `2024-03`, `2024-W09`. age: number of the
# period since the first order, from 0. customers: of the cohort; at_risk: those whose age had ended at the end of
# observation, over whom the value is taken; it is null where they are too few. complete: whether all of the cohort are,
# and nobody can join it any more. caution: what to know of the cohort; empty where there is nothing.
COHORTS = Contract(
    "COHORTS",
    TEXT("cohort", "measure"),
    COUNT("age", "customers", "at_risk"),
    REAL("value", "low", "high"),
    FLAG("complete"),
    TEXT("caution"),
    nullable=("value", "low", "high"),
)
Measure = Literal["retention", "orders", "revenue", "cumulative_revenue"]
RealArray = npt.NDArray[np.float64]

# By length of a cohort: days of a step, how its start is found, and how it is called. ISO 8601: the week belongs to the
# year of its Thursday.
_STEPS = {"month": (30, "1mo", "%Y-%m"), "week": (7, "1w", "%G-W%V")}
_MICROSECONDS_PER_DAY = 86_400_000_000
# Where first orders are not numbered: who first ordered so soon after the export begins may be an old customer.
_UNCERTAIN = timedelta(days=90)
# Above this share of orders without a customer, cohorts show what too few of them do.
_TOO_MANY_GUESTS = 0.2
# Whole numbers up to here, and their sums, are exact as floating-point numbers.
_EXACT = 2**53


def cohort_table(shop: Shop, *, every: Every = "month", ages: int = 12, least: int = 30) -> pl.DataFrame:
    """Follow customers from their first order, by when they came.

    Age a of a customer lasts from a to a + 1 steps after that customer's own first order; a step is 30 days, or 7 by
    week. A customer is at risk at a if all of it was over at `shop.until`, so that all in a cell were observed equally
    long. Retention is the share of them who order in it; at age 0 the first order itself does not count, so that it
    is the share who order again within the first step. Money is before refunds, per customer at risk, whether or not
    they order; cumulative money adds the ages up.

    Bang and Tsiatis (2000), "Estimating medical costs with censored data", Biometrika 87, 329-343. Wilson (1927),
    "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 209-212.

    The value so far is the partitioned estimator: the sum over ages of the mean over those at risk at each, V(a) =
    S(0) / n(0) + ... + S(a) / n(a). Its interval keeps the ages of a customer together: the variance is the sum over
    customers of the square of (x(b) - m(b)) / n(b) summed over the ages b <= a at which they are at risk.
    """
    if every not in _STEPS:
        raise DataError(f"every: '{every}' is not known; {choices(every, _STEPS)}")
    days, truncated, label = _STEPS[every]
    orders, caution = _named_orders(shop)
    customers = _customers(shop, orders, days * _MICROSECONDS_PER_DAY, truncated)
    cells = _cells(orders, customers, days * _MICROSECONDS_PER_DAY, ages)
    quantum, starts = _quantum(customers), customers["start"].unique(maintain_order=True).to_list()
    # A first period of which only a part was observed is over all the same.
    over = {period.start for period in complete_periods(min(starts, default=shop.since), shop.until, every)}
    rows = []
    for start in starts:
        members = customers.filter(pl.col("start") == start)
        doubt = f"since {shop.since:%Y-%m-%d} only: some may be earlier customers" if members["doubt"].any() else ""
        cautions = "; ".join(filter(None, (doubt, caution)))
        seen = members["steps"].to_numpy()[:, None] > np.arange(ages)
        for measure, age, at_risk, cell in _estimates(cells.filter(pl.col("start") == start), seen, least, quantum):
            complete = start in over and at_risk == members.height
            rows.append((f"{start:{label}}", measure, age, members.height, at_risk, *cell, complete, cautions))
    return table_of(rows, COHORTS)


def _named_orders(shop: Shop) -> tuple[pl.LazyFrame, str]:
    """Return the orders that name a customer, and what to know where many do not; empty where few do not."""
    reason = shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason}")
    orders = shop.table("orders").filter(pl.col("ordered_at").is_between(shop.since, shop.until, closed="left"))
    total, named = (
        orders.select(pl.len(), pl.col("customer_id").count().alias("named")).collect(engine="streaming").row(0)
    )
    if named == 0:
        raise DataError(
            f"{shop.name}: none of {total:,} orders from {shop.since:%Y-%m-%d} to before {shop.until:%Y-%m-%d} names a "
            "customer; cohorts need at least one."
        )
    guests = 1 - named / total
    return (
        orders.filter(pl.col("customer_id").is_not_null()).with_columns(
            at=pl.col("ordered_at").dt.cast_time_unit("us"), revenue=(pl.col("amount") * MICROS).round().cast(pl.Int64)
        ),
        f"{guests:.0%} of the orders name no customer" if guests > _TOO_MANY_GUESTS else "",
    )


def _customers(shop: Shop, orders: pl.LazyFrame, length: int, truncated: str) -> pl.DataFrame:
    """Return the customers by the start of their cohort and a place in it, without those known to be old ones.

    steps: how many were over at the end; doubt: whether it may be an old customer; size, fine: all that was spent, and
    whether in less than cents.
    """
    numbered = "order_number" in orders.collect_schema()
    first, size = pl.col("first"), pl.col("revenue").abs()
    until = pl.lit(shop.until, dtype=pl.Datetime("us"))
    return (
        orders.group_by("customer_id")
        .agg(
            first=pl.col("at").min(),
            number=pl.col("order_number").min() if numbered else pl.lit(1),
            size=size.cast(pl.Float64).sum(),
            fine=(size % MICROS_PER_CENT != 0).any(),
        )
        .filter(pl.col("number") == 1)
        .with_columns(
            start=first.dt.truncate(truncated),
            steps=(until - first).dt.total_microseconds() // length,
            doubt=pl.lit(not (numbered or shop.opening)) & (first < shop.since + _UNCERTAIN),
        )
        .collect(engine="streaming")
        .sort("start")
        .with_columns(place=pl.int_range(pl.len()).over("start"))
    )


def _cells(orders: pl.LazyFrame, customers: pl.DataFrame, length: int, ages: int) -> pl.DataFrame:
    """Return what each customer did at each age that was over; whole numbers, so that sums of them are exact."""
    age, count = pl.col("age"), pl.col("orders")
    return (
        orders.select("customer_id", "at", "revenue")
        .join(customers.lazy(), on="customer_id")
        .with_columns(age=(pl.col("at") - pl.col("first")).dt.total_microseconds() // length)
        .filter((age < ages) & (age < pl.col("steps")))
        .group_by("start", "place", "age")
        .agg(pl.col("revenue").sum(), orders=pl.len().cast(pl.Int64))
        .with_columns(again=(count - (age == 0).cast(pl.Int64)).clip(0, 1))
        .collect(engine="streaming")
    )


def _quantum(customers: pl.DataFrame) -> int:
    """Return the size of a quantum: a cent, or so much more that no sum of products is beyond what is exact."""
    unit, sizes = 1 if customers["fine"].any() else MICROS_PER_CENT, customers["size"].to_numpy()
    # No product sum exceeds the largest customer's total times the total of all.
    bound = (int(sizes.max(initial=0.0)) // unit + 1) * (int(sizes.sum()) // unit + 1)
    while bound >= _EXACT:
        unit, bound = 2 * unit, bound // 4 + 1
    return unit


# A value and the ends of its interval.
Cell = tuple[float | None, float | None, float | None]
_EMPTY: Cell = (None, None, None)


def _estimates(
    cells: pl.DataFrame, seen: npt.NDArray[np.bool_], least: int, quantum: int
) -> Iterator[tuple[str, int, int, Cell]]:
    """Yield measure, age, customers at risk and value of one cohort, whose customers were `seen` to the end of ages."""
    at_risk = seen.sum(axis=0).tolist()
    # Fewer are at risk at each age than at the one before.
    deep = sum(count >= least for count in at_risk)
    for measure, (column, unit, estimate) in _MEASURES.items():
        amounts = np.zeros(seen.shape, dtype=np.int64)
        amounts[cells["place"].to_numpy(), cells["age"].to_numpy()] = cells[column].to_numpy()
        sums = amounts.sum(axis=0).tolist()
        size = 1 if unit == 1 else quantum
        quanta = np.rint(amounts[:, :deep] / size)
        found = estimate(_Sums(at_risk[:deep], sums[:deep], _residuals(quanta, seen[:, :deep]), unit, size / unit))
        for age, count in enumerate(at_risk):
            yield measure, age, count, found[age] if age < deep else _EMPTY


def _residuals(quanta: RealArray, seen: npt.NDArray[np.bool_]) -> RealArray:
    """Return, for all ages b, c, the sum over those at risk at both of (x(b) - m(b)) (x(c) - m(c)), in quanta^2."""
    shared = quanta.T @ seen.astype(np.float64)
    means = np.diagonal(shared) / seen.sum(axis=0)
    # Let b <= c: of the three terms beside the product, two cancel, and the sum at b over those at risk at c remains.
    upper: RealArray = np.triu(quanta.T @ quanta - shared * means[None, :])
    return upper + np.triu(upper, k=1).T


class _Sums(NamedTuple):
    """By age: customers at risk and their sums in their own unit; by two ages, products of residuals, in quanta^2."""

    at_risk: Sequence[int]
    sums: Sequence[int]
    residuals: RealArray
    unit: int
    quantum: float


def _shares(of: _Sums) -> list[Cell]:
    """Return the shares of customers at risk of whom the quantity is 1, with Wilson's interval."""
    return [wilson(total, count)[:3] for total, count in zip(of.sums, of.at_risk, strict=True)]


def _means(of: _Sums) -> list[Cell]:
    """Return the means of the quantity over customers at risk, with the t interval over them."""
    return [
        _with_interval(total / count / of.unit, residual / count**2, count, of.quantum)
        for total, count, residual in zip(of.sums, of.at_risk, np.diagonal(of.residuals), strict=True)
    ]


def _so_far(of: _Sums) -> list[Cell]:
    """Return the values per customer from the first order to the end of an age, where not all were observed so long.

    The value is V(a) = sum of m(b) over b = 0 ... a, where m(b) is the mean at age b over the n(b) customers at risk
    at b. Customer i adds psi(i) = sum of (x(i, b) - m(b)) / n(b) over those b <= a at which the customer is at risk,
    and the variance is the sum of psi(i)^2, times n(a) / (n(a) - 1): the ages of one customer stay together. Where all
    are at risk throughout, this is the t interval of the mean of customers' totals.

    Bang and Tsiatis (2000), "Estimating medical costs with censored data", Biometrika 87, 329-343: the partitioned
    estimator, here with censoring by the date of the first order alone, within a cohort.
    """
    means = [total / count for total, count in zip(of.sums, of.at_risk, strict=True)]
    weights = 1.0 / np.array(of.at_risk, dtype=np.float64)
    # Element by element: a product of matrices may add in another order on another machine.
    weighted = of.residuals * np.outer(weights, weights)
    return [
        _with_interval(
            math.fsum(means[:end]) / of.unit, math.fsum(weighted[:end, :end].ravel().tolist()), count, of.quantum
        )
        for end, count in enumerate(of.at_risk, start=1)
    ]


# Of each measure the quantity that it is made of, the unit of that, and how.
_MEASURES: dict[Measure, tuple[str, int, Callable[[_Sums], list[Cell]]]] = {
    "retention": ("again", 1, _shares),
    "orders": ("orders", 1, _means),
    "revenue": ("revenue", MICROS, _means),
    "cumulative_revenue": ("revenue", MICROS, _so_far),
}


def _with_interval(value: float, spread: float, customers: int, quantum: float) -> Cell:
    """Return a value with its t interval; without ends where one customer alone was observed."""
    if customers < 2:
        return value, None, None
    error = math.sqrt(max(spread, 0.0) * customers / (customers - 1)) * quantum
    half = student_quantile(customers - 1) * error
    return value, value - half, value + half
