"""Orders and answers in; what customers spend by how likely they are to recommend the shop, out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from cxsim.data.contracts import ORDERS, SURVEYS
from cxsim.params import CENTS
from cxsim.tables import COUNT, REAL, TEXT, Contract, check, empty

# Spend per customer by what they last answered. orders: `all`, or how many orders they placed, the last class open
# (`9+`); group: promoters, passives or detractors; low to high: 95 % interval of the mean.
LTV_BY_NPS = Contract("LTV_BY_NPS", TEXT("orders", "group"), COUNT("customers"), REAL("mean", "low", "high"))
PROMOTERS, PASSIVES, DETRACTORS = GROUPS = ("promoters", "passives", "detractors")
_FEWEST = 10
# Counts of orders below this are looked at one by one; the others share a class, in which counts are not equal.
_OPEN = 9
# The standard normal's 97.5 % quantile.
_Z = float(special.ndtri(0.975))


class PointEstimate(NamedTuple):
    """A number, and its standard error over customers."""

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


def ltv_by_nps(orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return what customers spend by how likely they are to recommend the shop, by their own answer.

    Each customer belongs to the group of their last answer: promoters gave 9 or 10, passives 7 or 8, detractors less.

    Parameters
    ----------
    orders
        Under ORDERS of `cxsim.data.contracts`; guests take no part.
    surveys
        Under SURVEYS; who never answered takes no part.

    Returns
    -------
    polars.DataFrame
        Under LTV_BY_NPS: for all, then by number of orders; groups of fewer than ten customers are left out.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    customers = spend_of_answerers(orders, surveys)
    count = pl.when(pl.col("orders") < _OPEN).then(pl.col("orders").cast(pl.String)).otherwise(pl.lit(f"{_OPEN}+"))
    rows = []
    for name, some in [("all", customers), *_by(customers.with_columns(count=count), "count")]:
        for group, members in _by(some, "group"):
            if members.height >= _FEWEST:
                spend = mean(members["spend"])
                rows.append((name, group, members.height, spend.value, spend.low, spend.high))
    order = pl.Enum(["all", *(str(n) for n in range(1, _OPEN)), f"{_OPEN}+"])
    table = pl.DataFrame(rows, schema=empty(LTV_BY_NPS).schema, orient="row")
    return check(table.sort(pl.col("orders").cast(order), pl.col("group").cast(pl.Enum(GROUPS))), LTV_BY_NPS)


def spend_of_answerers(orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return group, number of orders and spend of each customer who answered; as in `ltv_by_nps`."""
    answers = (
        checked(surveys, SURVEYS)
        .filter((pl.col("instrument") == "nps") & pl.col("score").is_not_null())
        .sort("sent_at", "survey_id")
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col("score").last())
        .select("customer_id", group=group_of_score())
    )
    bought = checked(orders, ORDERS).join(answers, on="customer_id", how="semi")
    spent = bought.group_by("customer_id").agg(orders=pl.len().cast(pl.Int64), spend=paid())
    return answers.join(spent, on="customer_id").sort("customer_id").collect()


def group_of_score() -> pl.Expr:
    """Return promoters for a score of 9 or 10, passives for 7 or 8, detractors for less."""
    score = pl.col("score")
    named = pl.when(score >= 9).then(pl.lit(PROMOTERS)).when(score >= 7).then(pl.lit(PASSIVES))
    return named.otherwise(pl.lit(DETRACTORS))


def checked(table: pl.DataFrame | pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """Return the table, lazy; of one that is lazy already, only the columns are looked at."""
    check(table if isinstance(table, pl.DataFrame) else table.head(0).collect(), contract)
    return table.lazy()


def overall_ratio(customers: pl.DataFrame) -> PointEstimate:
    """Return what promoters spend over what detractors spend, means per customer."""
    return ratio(*map(mean, _promoters_and_detractors(customers)))


def ratio_at_equal_count(customers: pl.DataFrame) -> PointEstimate:
    """Return the ratio of promoters to detractors with the same number of orders, averaged over these numbers.

    The weight of a number of orders is how many promoters and detractors placed it; numbers in the open class, or with
    fewer than ten customers of either group, take no part.
    """
    parts, sizes = [], []
    for _, some in _by(customers.filter(pl.col("orders") < _OPEN), "orders"):
        pair = _promoters_and_detractors(some)
        if min(map(len, pair)) >= _FEWEST:
            parts.append(ratio(*map(mean, pair)))
            sizes.append(sum(map(len, pair)))
    shares = [size / sum(sizes) for size in sizes]
    value = sum(share * part.value for share, part in zip(shares, parts, strict=True))
    error = sum((share * part.error) ** 2 for share, part in zip(shares, parts, strict=True)) ** 0.5
    return PointEstimate(value, error)


def can_compare(customers: pl.DataFrame) -> bool:
    """Return whether there are enough promoters and detractors, and at some number of orders too."""
    low = customers.filter(pl.col("orders") < _OPEN)
    counts = low.group_by("orders").agg((pl.col("group") == group).sum().alias(group) for group in GROUPS)
    return counts.filter(pl.min_horizontal(PROMOTERS, DETRACTORS) >= _FEWEST).height > 0


def net_promoter_score(surveys: pl.DataFrame) -> PointEstimate:
    """Return the share of promoters less that of detractors among all answers, times 100."""
    score = pl.col("score")
    counted = 100.0 * ((score >= 9).cast(pl.Float64) - (score <= 6).cast(pl.Float64))
    answers = surveys.filter((pl.col("instrument") == "nps") & score.is_not_null())
    # Answers of one customer go together, so customers are what was observed.
    by_customer = answers.group_by("customer_id").agg(counted.sum().alias("points"), pl.len().alias("answers"))
    by_customer = by_customer.sort("customer_id")
    return ratio_of_sums(by_customer["points"], by_customer["answers"])


def paid() -> pl.Expr:
    """Return what the orders of a customer add up to, in a column `paid`; exact, because it is counted in cents."""
    return ((pl.col("amount") * CENTS).round().cast(pl.Int64).sum() / CENTS).alias("paid")


def mean(amounts: pl.Series) -> PointEstimate:
    """Return the mean of amounts of customers, of whom there must be two."""
    numbers = amounts.to_numpy()
    return PointEstimate(float(numbers.mean()), float(numbers.std(ddof=1)) / math.sqrt(len(numbers)))


def total(amounts: npt.NDArray[np.float64]) -> PointEstimate:
    """Return the sum of amounts of customers who were drawn one by one, of whom there must be two."""
    return PointEstimate(float(amounts.sum()), float(amounts.std(ddof=1)) * math.sqrt(len(amounts)))


def difference(one: PointEstimate, other: PointEstimate) -> PointEstimate:
    """Return one estimate less another, of other customers."""
    return PointEstimate(one.value - other.value, math.hypot(one.error, other.error))


def ratio(one: PointEstimate, other: PointEstimate) -> PointEstimate:
    """Return one estimate over another, of other customers; the error by the delta method."""
    value = one.value / other.value
    return PointEstimate(value, abs(value) * math.hypot(one.error / one.value, other.error / other.value))


def ratio_of_sums(amounts: pl.Series, times: pl.Series) -> PointEstimate:
    """Return the sum of amounts over the sum of times, of the same customers; the error by the delta method."""
    numbers, lengths = amounts.to_numpy(), times.to_numpy()
    value = float(numbers.sum()) / float(lengths.sum())
    left = (numbers - value * lengths) / lengths.mean()
    return PointEstimate(value, float(left.std(ddof=1)) / math.sqrt(len(left)))


def _promoters_and_detractors(customers: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    spend = [customers.filter(pl.col("group") == group)["spend"] for group in (PROMOTERS, DETRACTORS)]
    return spend[0], spend[1]


def _by(table: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    return [(name, part) for (name,), part in table.sort(column, "customer_id").group_by(column, maintain_order=True)]
