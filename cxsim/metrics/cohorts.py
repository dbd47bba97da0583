"""A shop in; what its cohorts do and bring at each age, with the customers at risk, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.data.shop import Every, Shop, complete_periods
from cxsim.errors import DataError, choices
from cxsim.metrics.intervals import student_quantile, wilson
from cxsim.params import MICROS, MICROS_PER_CENT
from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, check, empty

# One row per cohort, measure and age. cohort: `2024-03`, `2024-W09`, or a value of the dimension. age: number of the
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
Measure = Literal["retention", "orders", "revenue", "margin", "cumulative_revenue", "cumulative_margin"]
IntArray = npt.NDArray[np.int64]
RealArray = npt.NDArray[np.float64]
Numbers = TypeVar("Numbers", IntArray, RealArray)

STEP_DAYS = {"month": 30, "week": 7}
ALL = "all"
_TRUNCATED = {"month": "1mo", "week": "1w"}
# ISO 8601: the week belongs to the year of its Thursday.
_LABELS = {"month": "%Y-%m", "week": "%G-W%V"}
_MICROSECONDS_PER_DAY = 86_400_000_000
# Where first orders are not numbered: who first ordered so soon after the export begins may be an old customer.
_UNCERTAIN_DAYS = 90
# Above this share of orders without a customer, cohorts show what too few of them do.
_TOO_MANY_GUESTS = 0.2
_AGAIN, _ORDERS = "again", "orders"
_MONEY = ("revenue", "margin")
_KEYS = frozenset({"order_id", "customer_id"})
_BLOCK = 1 << 19
# Whole numbers up to here, and their sums, are exact as floating-point numbers.
_EXACT = 2**53


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
) -> pl.DataFrame:
    """Follow customers from their first order, by when or how they came.

    Age a of a customer lasts from a to a + 1 steps after that customer's own first order; a step is 30 days, or 7 by
    week. A customer is at risk at a if all of it was over at `shop.until`, so that all in a cell were observed equally
    long. Retention is the share of them who order in it; at age 0 the first order itself does not count, so that it
    is the share who order again within the first step. Money is before refunds, per customer at risk, whether or not
    they order; cumulative money adds the ages up (see Notes).

    Bang and Tsiatis (2000), "Estimating medical costs with censored data", Biometrika 87, 329-343. Wilson (1927),
    "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 209-212.

    The value so far is the partitioned estimator: the sum over ages of the mean over those at risk at each, V(a) =
    S(0) / n(0) + ... + S(a) / n(a). Its interval keeps the ages of a customer together: the variance is the sum over
    customers of the square of (x(b) - m(b)) / n(b) summed over the ages b <= a at which they are at risk.
    """
    for name, number in {"first": first, "ages": ages, "least": least}.items():
        if number < 1:
            raise DataError(f"{name} is {number}; it must be at least 1.")
    _refuse_unknown("every", every, STEP_DAYS)
    for measure in measures:
        _refuse_unknown("measure", measure, _MEASURES)
    _refuse_column(shop, by)
    quantities = tuple(dict.fromkeys(_MEASURES[measure].quantity for measure in measures))
    followed = _follow_up(shop, [name for name in _MONEY if name in quantities], margin_share)
    cohorts = _cohorts(shop, followed, every=every, by=by, first=first)
    moments = _moments(followed, cohorts, STEP_DAYS[every] * _MICROSECONDS_PER_DAY, ages, quantities)
    return _rows(cohorts, moments, measures, least=least, caution=followed.caution)


def _refuse_unknown(key: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise DataError(f"{key}: '{value}' is not known; {choices(value, known)}")


def _refuse_column(shop: Shop, by: str | None) -> None:
    if by is None or by == ALL:
        return
    schema = shop.table("orders").collect_schema()
    kinds = (pl.String, pl.Int64, pl.Boolean)
    possible = [name for name, kind in schema.items() if kind in kinds and name not in _KEYS]
    if by not in possible:
        raise DataError(f"{shop.name}: cohorts by '{by}' cannot be made of the orders; {choices(by, [ALL, *possible])}")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _FollowUp:
    """Customers and their orders; both in no particular order, so that only exact sums may be taken over them.

    Attributes
    ----------
    customers
        `customer_id`; `customer`, their place; `first`, the moment of the first order in the tables; `left`, in
        microseconds, the time from there to the end; `new`: yes, no, or uncertain.
    customer, since
        Of each order, the place of its customer, and microseconds after the first one.
    money
        Of each order, by what is counted, in millionths of the currency.
    caution
        What holds for all that is measured of them; empty where there is nothing.
    """

    customers: pl.DataFrame
    customer: IntArray
    since: IntArray
    money: Mapping[str, IntArray]
    caution: str


def _follow_up(shop: Shop, money: Sequence[str], margin_share: float | None) -> _FollowUp:
    """Return the customers of a shop, and how long after their first order each order came."""
    named, guests = _named_orders(shop)
    customers = _customers(shop, named)
    since = (_moment() - pl.col("first")).dt.total_microseconds()
    amounts = [_amount(shop, name, margin_share).alias(name) for name in money]
    places = customers.lazy().select("customer_id", "customer", "first")
    rows = named.join(places, on="customer_id").select("customer", *amounts, since=since).collect(engine="streaming")
    for name in money:
        if rows[name].null_count():
            raise DataError(
                f"{shop.name}: the cost of {rows[name].null_count():,} of {rows.height:,} orders is missing, and with "
                "it their margin; hand in margin_share, such as 0.6, or leave the margin out."
            )
    return _FollowUp(
        customers=customers,
        customer=rows["customer"].to_numpy(),
        since=rows["since"].to_numpy(),
        money={name: rows[name].to_numpy() for name in money},
        caution=f"{guests:.0%} of the orders name no customer" if guests > _TOO_MANY_GUESTS else "",
    )


def _named_orders(shop: Shop) -> tuple[pl.LazyFrame, float]:
    """Return the orders that name a customer, and the share of those that do not."""
    reason = shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason}")
    inside = pl.col("ordered_at").is_between(shop.since, shop.until, closed="left")
    orders = shop.table("orders").filter(inside)
    total, named = (
        orders.select(pl.len(), pl.col("customer_id").count().alias("named")).collect(engine="streaming").row(0)
    )
    if named == 0:
        raise DataError(
            f"{shop.name}: none of {total:,} orders from {shop.since:%Y-%m-%d} to before {shop.until:%Y-%m-%d} names a "
            "customer; cohorts need at least one that does."
        )
    return orders.filter(pl.col("customer_id").is_not_null()), 1 - named / total


def _customers(shop: Shop, named: pl.LazyFrame) -> pl.DataFrame:
    numbered = "order_number" in named.collect_schema()
    number = {"number": pl.col("order_number").min()} if numbered else {}
    left = (pl.lit(shop.until, dtype=pl.Datetime("us")) - pl.col("first")).dt.total_microseconds()
    if numbered:
        new = pl.when(pl.col("number") == 1).then(pl.lit("yes")).otherwise(pl.lit("no"))
    elif shop.opening:
        new = pl.lit("yes")
    else:
        certain = pl.col("first") >= shop.since + timedelta(days=_UNCERTAIN_DAYS)
        new = pl.when(certain).then(pl.lit("yes")).otherwise(pl.lit("uncertain"))
    return (
        named.group_by("customer_id")
        .agg(first=_moment().min(), **number)
        .with_row_index("customer")
        .select("customer_id", pl.col("customer").cast(pl.Int64), "first", left=left, new=new)
        .collect(engine="streaming")
    )


def _moment() -> pl.Expr:
    return pl.col("ordered_at").dt.cast_time_unit("us")


def _amount(shop: Shop, name: str, margin_share: float | None) -> pl.Expr:
    """Return revenue or margin of an order in millionths of the currency."""
    amount = pl.col("amount")
    if name == "margin" and margin_share is not None:
        if not 0 < margin_share <= 1:
            raise DataError(f"the margin share lies above 0 and is 1 at most, as 0.6; found {margin_share}.")
        amount = amount * margin_share
    elif name == "margin":
        reason = shop.missing("orders.cost")
        if reason is not None:
            raise DataError(f"{shop.name}: the margin is not known: {reason} Hand in margin_share, such as 0.6.")
        amount = amount - pl.col("cost")
    return (amount * MICROS).round().cast(pl.Int64)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Cohorts:
    """Cohorts of customers.

    Attributes
    ----------
    names
        Of the cohorts, in the order in which they are shown.
    cohort
        Of each customer, the number of the cohort; -1 for those who are left out.
    closed
        Of each cohort, whether nobody can join it after the end of observation.
    cautions
        Of each cohort, what to know of it; empty where there is nothing.
    """

    names: Sequence[str]
    cohort: IntArray
    closed: Sequence[bool]
    cautions: Sequence[str]


def _cohorts(shop: Shop, followed: _FollowUp, *, every: Every, by: str | None, first: int) -> _Cohorts:
    if by is None:
        return _by_period(shop, followed, every)
    new = followed.customers["new"]
    if by == ALL:
        names, place = [ALL], np.zeros(new.len(), dtype=np.int64)
    else:
        names, place = _by_value(_first_values(shop, followed, by), new, first)
    # Whoever may be an old customer is left out.
    cohort = np.where((new == "yes").to_numpy(), place, -1)
    if by != ALL and not (cohort == len(names) - 1).any():
        names = names[:-1]
    doubtful = new.filter(new == "uncertain").len()
    since = f"{shop.since:%Y-%m-%d}"
    caution = f"without {doubtful:,} who are seen since {since} alone and may be customers of before"
    cautions = [caution if doubtful else ""] * len(names)
    return _Cohorts(names=names, cohort=cohort, closed=[True] * len(names), cautions=cautions)


def _by_period(shop: Shop, followed: _FollowUp, every: Every) -> _Cohorts:
    """Return the cohorts by the month or the week of the first order; empty ones are not among them.

    Customers who are known to be old ones are left out; those who may be are not, and their cohorts have a caution.
    """
    new, starts = followed.customers["new"], followed.customers["first"].dt.truncate(_TRUNCATED[every])
    found = starts.filter(new != "no").unique().sort()
    cohort = np.searchsorted(found.to_numpy(), starts.to_numpy())
    uncertain = set(starts.filter(new == "uncertain").unique().to_list())
    # A first period of which only a part was observed is over all the same.
    over = {period.start for period in complete_periods(min(found, default=shop.since), shop.until, every)}
    doubt = f"since {shop.since:%Y-%m-%d} alone: some may be customers of before"
    return _Cohorts(
        names=found.dt.strftime(_LABELS[every]).to_list(),
        cohort=np.where((new != "no").to_numpy(), cohort, -1),
        closed=[start in over for start in found],
        cautions=[doubt if start in uncertain else "" for start in found],
    )


def _first_values(shop: Shop, followed: _FollowUp, column: str) -> pl.Series:
    """Return what the first order of each customer has in a column, as text; null where it has nothing.

    Of several orders at the same first moment, the value that comes first in the alphabet counts.
    """
    places = followed.customers.lazy().select("customer_id", "customer", "first")
    values = (
        _named_orders(shop)[0]
        .select("customer_id", at=_moment(), value=pl.col(column).cast(pl.String))
        .join(places, on="customer_id")
        .filter(pl.col("at") == pl.col("first"))
        .group_by("customer")
        .agg(pl.col("value").min())
        .sort("customer")
        .collect(engine="streaming")
    )
    return values["value"]


def _by_value(values: pl.Series, new: pl.Series, first: int) -> tuple[list[str], IntArray]:
    """Return the names of cohorts by a value, the others pooled and those without one last, and each customer's."""
    counted = values.filter(new == "yes").drop_nulls().value_counts(name="customers")
    ranked = counted.sort(["customers", values.name], descending=[True, False])[values.name].to_list()
    shown = ranked[:first]
    names = shown + ([_free("other", shown)] if len(ranked) > first else []) + [_free("none", shown)]
    places = {value: number for number, value in enumerate(shown)}
    place = values.replace_strict(places, default=len(shown), return_dtype=pl.Int64).to_numpy()
    return names, np.where(values.is_null().to_numpy(), len(names) - 1, place)


def _free(name: str, taken: Sequence[str]) -> str:
    """Return the name of a pool that no value has."""
    return name if name not in taken else _free(f"all {name}", taken)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Moments:
    """Sums over the customers of each cohort who were observed to the end of a step.

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Totals:
    """Sums so far of one quantity, by cohort and by how many steps were over."""

    quantum: int
    sums: IntArray
    shared: RealArray
    products: RealArray


def _moments(
    followed: _FollowUp, cohorts: _Cohorts, length: int, ages: int, quantities: Sequence[str]
) -> dict[str, _Moments]:
    """Return the moments of each quantity over steps of so many microseconds."""
    size = len(cohorts.names)
    customers = np.zeros((size, ages + 1), dtype=np.int64)
    totals = {
        name: _Totals(
            quantum=_quantum(followed, name),
            sums=np.zeros((size, ages + 1, ages), dtype=np.int64),
            shared=np.zeros((size, ages + 1, ages)),
            products=np.zeros((size, ages, ages)),
        )
        for name in quantities
    }
    age = followed.since // length
    over = np.minimum(followed.customers["left"].to_numpy() // length, ages)
    for low in range(0, len(cohorts.cohort), _BLOCK):
        block = slice(low, low + _BLOCK)
        cohort = cohorts.cohort[block]
        rows = np.flatnonzero((followed.customer >= low) & (followed.customer < low + _BLOCK) & (age < ages))
        cell = (followed.customer[rows] - low) * ages + age[rows]
        amounts = {name: _quantities(followed, name, rows, cell, (len(cohort), ages)) for name in quantities}
        _add(customers, totals, amounts, cohort, over[block])
    return {name: _closed(customers, total) for name, total in totals.items()}


def _add(
    customers: IntArray,
    totals: Mapping[str, _Totals],
    amounts: Mapping[str, RealArray],
    cohort: IntArray,
    over: IntArray,
) -> None:
    ages = customers.shape[1] - 1
    key = cohort * (ages + 1) + over
    order = np.argsort(key, kind="stable")
    order = order[np.searchsorted(key[order], 0) :]  # those left out have negative keys
    if len(order) == 0:
        return
    groups, starts, sizes = np.unique(key[order], return_index=True, return_counts=True)
    customers.reshape(-1)[groups] += sizes
    observed = np.arange(ages) < over[order, None]
    numbers, firsts = np.unique(cohort[order], return_index=True)
    for name, total in totals.items():
        amount = np.where(observed, amounts[name][order], 0.0)
        quanta = np.rint(amount / total.quantum)
        total.sums.reshape(-1, ages)[groups] += np.add.reduceat(amount.astype(np.int64), starts, axis=0)
        total.shared.reshape(-1, ages)[groups] += np.add.reduceat(quanta, starts, axis=0)
        for number, part in zip(numbers, np.split(quanta, firsts[1:]), strict=True):
            total.products[number] += part.T @ part


def _quantities(followed: _FollowUp, name: str, rows: IntArray, cell: IntArray, shape: tuple[int, int]) -> RealArray:
    """Return the quantity of each customer at each age; whole numbers."""
    cells = shape[0] * shape[1]
    if name in _MONEY:
        amounts = np.bincount(cell, weights=followed.money[name][rows], minlength=cells)
        return amounts.astype(np.float64, copy=False).reshape(shape)
    orders = np.bincount(cell, minlength=cells).reshape(shape).astype(np.float64)
    if name == _AGAIN:
        orders[:, 0] -= 1
        orders = np.minimum(orders, 1.0)
    return orders


def _quantum(followed: _FollowUp, name: str) -> int:
    """Return the size of a quantum: a cent, or so much more that no sum of products is beyond what is exact."""
    if name not in _MONEY:
        return 1
    size = np.abs(followed.money[name])
    unit = 1 if np.any(size % MICROS_PER_CENT) else MICROS_PER_CENT
    # No product sum exceeds the largest customer's total times the total of all.
    largest, total = float(np.bincount(followed.customer, weights=size).max()), float(size.sum())
    bound = (int(largest) // unit + 1) * (int(total) // unit + 1)
    while bound >= _EXACT:
        unit, bound = 2 * unit, bound // 4 + 1
    return unit


def _closed(customers: IntArray, total: _Totals) -> _Moments:
    """Return sums over those of whom at least a step was over, from sums by how many were."""
    ages = np.arange(total.products.shape[1])
    return _Moments(
        at_risk=_over_more(customers),
        sums=_over_more(total.sums)[:, ages, ages],
        shared=_over_more(total.shared).transpose(0, 2, 1),
        products=total.products,
        quantum=total.quantum,
    )


def _over_more(table: Numbers) -> Numbers:
    """Return, at [k, c], the sum over those with more than c steps."""
    return np.flip(np.cumsum(np.flip(table, axis=1), axis=1), axis=1)[:, 1:]


# A value and the ends of its interval.
Cell = tuple[float | None, float | None, float | None]
_EMPTY: Cell = (None, None, None)


def _rows(
    cohorts: _Cohorts, moments: Mapping[str, _Moments], measures: Sequence[Measure], *, least: int, caution: str
) -> pl.DataFrame:
    counted = np.bincount(cohorts.cohort[cohorts.cohort >= 0], minlength=len(cohorts.names)).tolist()
    rows = []
    for number, (name, closed, doubt) in enumerate(zip(cohorts.names, cohorts.closed, cohorts.cautions, strict=True)):
        customers, cautions = counted[number], "; ".join(filter(None, (doubt, caution)))
        for measure in measures:
            how = _MEASURES[measure]
            sums = moments[how.quantity]
            for age, at_risk in enumerate(sums.at_risk[number].tolist()):
                cell = how.estimate(sums, number, age, how.unit) if at_risk >= least else _EMPTY
                complete = closed and at_risk == customers
                rows.append((name, measure, age, customers, at_risk, *cell, complete, cautions))
    return check(pl.DataFrame(rows, schema=empty(COHORTS).schema, orient="row"), COHORTS)


def _share(moments: _Moments, cohort: int, age: int, _: float) -> Cell:
    """Return the share of customers at risk of whom the quantity is 1, with Wilson's interval."""
    found = wilson(int(moments.sums[cohort, age]), int(moments.at_risk[cohort, age]))
    return found.value, found.low, found.high


def _mean(moments: _Moments, cohort: int, age: int, unit: float) -> Cell:
    """Return the mean of the quantity over customers at risk, with the t interval over them."""
    customers = int(moments.at_risk[cohort, age])
    value = int(moments.sums[cohort, age]) / customers / unit
    spread = _residuals(moments, cohort, age)[age, age] / customers**2
    return _with_interval(value, spread, customers, moments.quantum / unit)


def _so_far(moments: _Moments, cohort: int, age: int, unit: float) -> Cell:
    """Return the value per customer from the first order to the end of an age, where not all were observed so long.

    The value is V(a) = sum of m(b) over b = 0 ... a, where m(b) is the mean at age b over the n(b) customers at risk
    at b. Customer i adds psi(i) = sum of (x(i, b) - m(b)) / n(b) over those b <= a at which the customer is at risk,
    and the variance is the sum of psi(i)^2, times n(a) / (n(a) - 1): the ages of one customer stay together. Where all
    are at risk throughout, this is the t interval of the mean of customers' totals.

    Bang and Tsiatis (2000), "Estimating medical costs with censored data", Biometrika 87, 329-343: the partitioned
    estimator, here with censoring by the date of the first order alone, within a cohort.
    """
    at_risk = [int(count) for count in moments.at_risk[cohort, : age + 1]]
    sums = [int(total) for total in moments.sums[cohort, : age + 1]]
    value = math.fsum(total / count for total, count in zip(sums, at_risk, strict=True)) / unit
    weights = 1.0 / np.array(at_risk, dtype=np.float64)
    residuals = _residuals(moments, cohort, age)
    # Element by element: a product of matrices may add in another order on another machine.
    spread = math.fsum((residuals * np.outer(weights, weights)).ravel().tolist())
    return _with_interval(value, spread, at_risk[-1], moments.quantum / unit)


class _Measure(NamedTuple):
    """Which quantity a measure is made of, how, and in which unit."""

    quantity: str
    estimate: Callable[[_Moments, int, int, float], Cell]
    unit: float = 1


_MEASURES = {
    "retention": _Measure(_AGAIN, _share),
    "orders": _Measure(_ORDERS, _mean),
    "revenue": _Measure("revenue", _mean, MICROS),
    "margin": _Measure("margin", _mean, MICROS),
    "cumulative_revenue": _Measure("revenue", _so_far, MICROS),
    "cumulative_margin": _Measure("margin", _so_far, MICROS),
}


def _with_interval(value: float, spread: float, customers: int, quantum: float) -> Cell:
    """Return a value with its t interval; without ends where one customer alone was observed."""
    if customers < 2:
        return value, None, None
    error = math.sqrt(max(spread, 0.0) * customers / (customers - 1)) * quantum
    half = student_quantile(customers - 1) * error
    return value, value - half, value + half


def _residuals(moments: _Moments, cohort: int, age: int) -> npt.NDArray[np.float64]:
    """Return, for all b, c <= age, the sum over those at risk at both of (x(b) - m(b)) (x(c) - m(c)), in quanta^2."""
    ages = slice(0, age + 1)
    at_risk = moments.at_risk[cohort, ages].astype(np.float64)
    shared, products = moments.shared[cohort, ages, ages], moments.products[cohort, ages, ages]
    means = np.diagonal(shared) / at_risk
    # Let b <= c: of the three terms beside the product, two cancel, and the sum at b over those at risk at c remains.
    upper = np.triu(products - shared * means[None, :])
    return upper + np.triu(upper, k=1).T
