"""Customers in; which cohort each belongs to, and the names of the cohorts, out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from cxsim.data.shop import Every, Shop, complete_periods
from cxsim.errors import DataError, EstimationError, TableError, choices
from cxsim.params import MICROS

Money = Literal["revenue", "margin"]
IntArray = npt.NDArray[np.int64]

MICROSECONDS_PER_DAY = 86_400_000_000
# Above this share of orders without a customer, what customers do over time is told of too few of them.
_TOO_MANY_GUESTS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FollowUp:
    """Customers and their orders; both in no particular order, so that only exact sums may be taken over them.

    Attributes
    ----------
    customers
        `customer_id`; `customer`, their place; `first`, the moment of the first order that is seen; `left`, in
        microseconds, the time from there to the end; `new`: yes, no, or uncertain.
    customer
        Of each order, the place of its customer.
    since
        Of each order, microseconds after the first one.
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


def follow_up(
    shop: Shop, *, money: Sequence[Money] = (), margin_share: float | None = None, uncertain_days: int = 90
) -> FollowUp:
    """Return the customers of a shop, and how long after their first order each order came."""
    if uncertain_days < 0:
        raise DataError(f"uncertain_days is {uncertain_days}; it must be at least 0.")
    named, guests = _named(shop)
    customers = _customers(shop, named, uncertain_days)
    places = customers.lazy().select("customer_id", "customer", "first")
    since = (_moment() - pl.col("first")).dt.total_microseconds()
    worth = [_worth(shop, what, margin_share).alias(what) for what in money]
    rows = named.join(places, on="customer_id").select("customer", *worth, since=since).collect(engine="streaming")
    for what in money:
        _refuse_unknown(shop, rows[what])
    return FollowUp(
        customers=customers,
        customer=rows["customer"].to_numpy(),
        since=rows["since"].to_numpy(),
        money={what: rows[what].to_numpy() for what in money},
        caution=f"{guests:.0%} of the orders name no customer" if guests > _TOO_MANY_GUESTS else "",
    )


def first_values(shop: Shop, seen: FollowUp, column: str) -> pl.Series:
    """Return what the first order of each customer has in a column, as text; null where it has nothing.

    Of several orders at the same first moment, the value that comes first in the alphabet counts.
    """
    named, _ = _named(shop)
    places = seen.customers.lazy().select("customer_id", "customer", "first")
    values = (
        named.select("customer_id", at=_moment(), value=pl.col(column).cast(pl.String))
        .join(places, on="customer_id")
        .filter(pl.col("at") == pl.col("first"))
        .group_by("customer")
        .agg(pl.col("value").min())
        .sort("customer")
        .collect(engine="streaming")
    )
    return values["value"]


def _named(shop: Shop) -> tuple[pl.LazyFrame, float]:
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


def _customers(shop: Shop, named: pl.LazyFrame, uncertain_days: int) -> pl.DataFrame:
    numbered = "order_number" in named.collect_schema()
    number = {"number": pl.col("order_number").min()} if numbered else {}
    left = (pl.lit(shop.until, dtype=pl.Datetime("us")) - pl.col("first")).dt.total_microseconds()
    if numbered:
        new = pl.when(pl.col("number") == 1).then(pl.lit("yes")).otherwise(pl.lit("no"))
    elif shop.opening:
        new = pl.lit("yes")
    else:
        certain = pl.col("first") >= shop.since + timedelta(days=uncertain_days)
        new = pl.when(certain).then(pl.lit("yes")).otherwise(pl.lit("uncertain"))
    return (
        named.group_by("customer_id")
        .agg(first=_moment().min(), **number)
        .with_row_index("customer")
        .select("customer_id", pl.col("customer").cast(pl.Int64), "first", left=left, new=new.cast(_NEW))
        .collect(engine="streaming")
    )


def _moment() -> pl.Expr:
    return pl.col("ordered_at").dt.cast_time_unit("us")


def _worth(shop: Shop, what: Money, margin_share: float | None) -> pl.Expr:
    amount = pl.col("amount")
    if what == "revenue":
        worth = amount
    elif margin_share is not None:
        if not 0 < margin_share <= 1:
            raise DataError(f"the margin share lies above 0 and is 1 at most, as 0.6; found {margin_share}.")
        worth = amount * margin_share
    else:
        reason = shop.missing("orders.cost")
        if reason is not None:
            raise DataError(f"{shop.name}: the margin is not known: {reason} Hand in margin_share, such as 0.6.")
        worth = amount - pl.col("cost")
    return (worth * MICROS).round().cast(pl.Int64)


def _refuse_unknown(shop: Shop, worth: pl.Series) -> None:
    if worth.null_count():
        raise DataError(
            f"{shop.name}: the cost of {worth.null_count():,} of {worth.len():,} orders is missing, and with it their "
            "margin; hand in margin_share, such as 0.6, or leave the margin out."
        )


def as_day(moment: datetime) -> str:
    """Return the day of a moment as it is written in a caution.

    >>> as_day(datetime(2024, 3, 1, 12))
    '2024-03-01'
    """
    return f"{moment:%Y-%m-%d}"


_NEW = pl.Enum(["yes", "no", "uncertain"])


ALL = "all"
_TRUNCATED = {"month": "1mo", "week": "1w"}
# ISO 8601: the week belongs to the year of its Thursday.
_LABELS = {"month": "%Y-%m", "week": "%G-W%V"}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Groups:
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


def by_period(shop: Shop, seen: FollowUp, every: Every) -> Groups:
    """Return the cohorts by the month or the week of the first order; empty ones are not among them.

    Customers who are known to be old ones are left out; those who may be are not, and their cohorts say so.
    """
    new, starts = seen.customers["new"], seen.customers["first"].dt.truncate(_TRUNCATED[every])
    found = starts.filter(new != "no").unique().sort()
    cohort = np.searchsorted(found.to_numpy(), starts.to_numpy())
    uncertain = set(starts.filter(new == "uncertain").unique().to_list())
    # A first period of which only a part was seen is over all the same.
    over = {period.start for period in complete_periods(min(found, default=shop.since), shop.until, every)}
    doubt = f"since {as_day(shop.since)} alone: some may be customers of before"
    return Groups(
        names=found.dt.strftime(_LABELS[every]).to_list(),
        cohort=np.where((new != "no").to_numpy(), cohort, -1),
        closed=[start in over for start in found],
        cautions=[doubt if start in uncertain else "" for start in found],
    )


def by_value(shop: Shop, seen: FollowUp, values: pl.Series, *, first: int) -> Groups:
    """Return the cohorts by a property of the first order; whoever may be an old customer is left out."""
    new = seen.customers["new"]
    counted = values.filter(new == "yes").drop_nulls().value_counts(name="customers")
    ranked = counted.sort(["customers", values.name], descending=[True, False])[values.name].to_list()
    shown, pooled = ranked[:first], len(ranked) > first
    names = list(shown) + ([_free("other", shown)] if pooled else []) + [_free("none", shown)]
    place = pl.Series(values).replace_strict(
        {value: number for number, value in enumerate(shown)}, default=len(shown), return_dtype=pl.Int64
    )
    place = pl.select(pl.when(values.is_null()).then(len(names) - 1).otherwise(place)).to_series()
    cohort = np.where((new == "yes").to_numpy(), place.to_numpy(), -1)
    if not (cohort == len(names) - 1).any():
        names.pop()
    caution = _left_out(shop, new.filter(new == "uncertain").len())
    return Groups(names=names, cohort=cohort, closed=[True] * len(names), cautions=[caution] * len(names))


def everyone(shop: Shop, seen: FollowUp) -> Groups:
    """Return one cohort of all customers; whoever may be an old customer is left out."""
    new = seen.customers["new"]
    return Groups(
        names=[ALL],
        cohort=np.where((new == "yes").to_numpy(), 0, -1),
        closed=[True],
        cautions=[_left_out(shop, new.filter(new == "uncertain").len())],
    )


def _left_out(shop: Shop, customers: int) -> str:
    if customers == 0:
        return ""
    return f"without {customers:,} who are seen since {as_day(shop.since)} alone and may be customers of before"


def _free(name: str, taken: Sequence[str]) -> str:
    """Return the name of a pool that no value has."""
    return name if name not in taken else _free(f"all {name}", taken)


Array = npt.NDArray[np.float64]
# The standard normal's 97.5 % quantile.
_Z = float(special.ndtri(0.975))
_FEWEST = 10


class Pair(NamedTuple):
    """Rows of two groups: 1 for the first group and 0 for the second, a column per amount, and who the customer is."""

    first: Array
    amounts: Array
    clusters: npt.NDArray[np.int64]


class Ratio(NamedTuple):
    """A ratio of means with its 95 % interval, and how many rows are behind it."""

    ratio: float
    low: float
    high: float
    customers: int


def two_groups(
    customers: pl.DataFrame, *, group: str, levels: tuple[str, str], amounts: Sequence[str], cluster: str
) -> Pair:
    """Return the rows of two groups, in the order of the customers."""
    for name in (group, cluster, *amounts):
        if name not in customers.columns:
            raise TableError(f"customers: no column '{name}'; {choices(name, customers.columns)}")
    some = customers.filter(pl.col(group).is_in(levels)).sort(cluster, maintain_order=True)
    numbers = some.select(pl.col(name).cast(pl.Float64) for name in amounts)
    for name in amounts:
        unknown = int((~numbers[name].is_finite().fill_null(value=False)).sum())
        if unknown:
            raise TableError(f"customers: '{name}' is missing or infinite in {unknown} rows; possible: numbers only.")
    for level in levels:
        spent = numbers.filter(some[group] == level)[amounts[0]]
        if len(spent) < _FEWEST:
            raise EstimationError(f"{level}: {len(spent)} rows; possible: from {_FEWEST} in each group.")
        if not (spent != 0.0).any():
            raise EstimationError(f"{level}: '{amounts[0]}' is 0 in all {len(spent)} rows, so there is no ratio.")
    return Pair(
        first=(some[group] == levels[0]).cast(pl.Float64).to_numpy(),
        amounts=numbers.to_numpy(),
        clusters=some[cluster].rle_id().cast(pl.Int64).to_numpy(),
    )


def plain_ratio(customers: pl.DataFrame, *, group: str, levels: tuple[str, str], outcome: str) -> Ratio:
    """Return the mean of an outcome in the first group over that in the second, one row a customer."""
    pair = two_groups(customers, group=group, levels=levels, amounts=[outcome], cluster="customer_id")
    return _of_means(pair, pair.amounts)


def ratio_to_own_past(
    customers: pl.DataFrame, *, group: str, levels: tuple[str, str], before: str, after: str
) -> Ratio:
    """Return by how much more the first group has grown from before to after than the second.

    It is the ratio of the groups after, over their ratio before. What customers are like all along, seen or unseen,
    multiplies both and cancels. Not so what changes by itself and differently: the hidden chance to leave, above all.

    Lipsitch, Tchetgen Tchetgen & Cohen (2010), "Negative controls"; Sofer et al. (2016), "On negative outcome control
    of unobserved confounding as a generalization of difference-in-differences"; Wooldridge (2023) for ratios.
    """
    pair = two_groups(customers, group=group, levels=levels, amounts=[after, before], cluster="customer_id")
    for arm, level in ((1.0, levels[0]), (0.0, levels[1])):
        if not (pair.amounts[pair.first == arm, 1] > 0.0).any():
            raise EstimationError(f"{level}: nothing in '{before}', so there is no past to compare with.")
    return _of_means(pair, pair.amounts)


def log_interval(log_ratio: float, error: float) -> tuple[float, float, float]:
    """Return a ratio and its 95 % interval from its logarithm and the standard error of that.

    >>> tuple(round(end, 4) for end in log_interval(0.0, 0.1))
    (1.0, 0.822, 1.2165)
    """
    ends: tuple[float, float, float] = tuple(math.exp(log_ratio + sign * _Z * error) for sign in (0.0, -1.0, 1.0))  # type: ignore[assignment]
    return ends


def _of_means(pair: Pair, amounts: Array) -> Ratio:
    """Return the ratio of the first column, over that of the second where there is one."""
    value, variance = 0.0, 0.0
    for arm, sign in ((1.0, 1.0), (0.0, -1.0)):
        mine = amounts[pair.first == arm]
        means = mine.mean(axis=0)
        relative = mine / means
        influence = relative[:, 0] - (relative[:, 1] if relative.shape[1] > 1 else 1.0)
        value += sign * (math.log(means[0]) - (math.log(means[1]) if len(means) > 1 else 0.0))
        variance += float(influence.var(ddof=1)) / len(mine)
    return Ratio(*log_interval(value, math.sqrt(variance)), len(amounts))


def credible_rate(counts: Array, exposure: Array) -> Array:
    """Return the best linear guess at each customer's rate of events.

    Where rates are Gamma distributed and events a Poisson process, it is the posterior mean (r + x) / (alpha + T).

    Bühlmann & Straub (1970), "Glaubwürdigkeit für Schadensätze": equal to the posterior mean for the Gamma-Poisson.
    """
    mean = counts.sum() / exposure.sum()
    excess = float(((counts - mean * exposure) ** 2).sum() - mean * exposure.sum())
    between = max(excess / float((exposure**2).sum()), 0.0)
    guess: Array = (mean**2 + between * counts) / (mean + between * exposure)
    return guess


def credible_mean(counts: Array, sums: Array, squares: Array) -> Array:
    """Return the best linear guess at each customer's mean amount.

    Bühlmann & Straub (1970); the spreads within and between customers are those of a one-way analysis of variance.
    """
    rows, holders = counts.sum(), int((counts > 0.0).sum())
    overall, own, spare = sums.sum() / rows, sums / np.maximum(counts, 1.0), rows - holders
    within = max(float((squares - counts * own**2).sum()), 0.0) / spare if spare > 0 else 0.0
    spread = float((counts * (own - overall) ** 2).sum()) - (holders - 1) * within
    between = max(spread / float(rows - (counts**2).sum() / rows), 0.0) if holders > 1 else 0.0
    if within + between == 0.0:
        return np.full(len(counts), overall)
    guess: Array = (overall * within + between * sums) / (within + between * counts)
    return guess
