"""Orders and answers in; what promoters, passives and detractors are worth, overall and at equal count, out."""

from __future__ import annotations

import polars as pl

from cxsim.cohorts.answerers import GROUPS, checked, group_of_score
from cxsim.cohorts.reading import Reading, mean, paid, rate, ratio
from cxsim.exports import ORDERS, SURVEYS
from cxsim.measured import WORTH_BY_NPS
from cxsim.tables import check

# Counts of orders below this are looked at one by one; the others share a class, in which counts are not equal.
_OPEN = 9
# A mean of fewer customers is not worth looking at.
_FEWEST = 10


def ltv_by_nps(orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return what customers spend by how likely they said they are to recommend the shop.

    Each customer belongs to the group of their last answer: promoters gave 9 or 10, passives 7 or 8, detractors less.

    Parameters
    ----------
    orders
        Under ORDERS of `cxsim.exports`; guests take no part.
    surveys
        Under SURVEYS; who never answered takes no part.

    Returns
    -------
    polars.DataFrame
        Under WORTH_BY_NPS: for all, then by number of orders; groups of fewer than ten customers are left out.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    customers = worth_of_answerers(orders, surveys)
    count = pl.when(pl.col("orders") < _OPEN).then(pl.col("orders").cast(pl.String)).otherwise(pl.lit(f"{_OPEN}+"))
    rows = []
    for name, some in [("all", customers), *_by(customers.with_columns(count=count), "count")]:
        for group, members in _by(some, "group"):
            if members.height >= _FEWEST:
                worth = mean(members["spend"])
                rows.append((name, group, members.height, worth.value, worth.low, worth.high))
    schema = {name: kinds[0] for name, kinds in WORTH_BY_NPS.columns.items()}
    order = ["all", *(str(n) for n in range(1, _OPEN)), f"{_OPEN}+"]
    return check(
        pl.DataFrame(rows, schema=schema, orient="row").sort(
            pl.col("orders").cast(pl.Enum(order)), pl.col("group").cast(pl.Enum(GROUPS))
        ),
        WORTH_BY_NPS,
    )


def worth_of_answerers(orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
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


def overall_ratio(customers: pl.DataFrame) -> Reading:
    """Return what promoters spend over what detractors spend, means per customer."""
    return ratio(*(mean(customers.filter(pl.col("group") == group)["spend"]) for group in (GROUPS[0], GROUPS[2])))


def ratio_at_equal_count(customers: pl.DataFrame) -> Reading:
    """Return the ratio of promoters to detractors with the same number of orders, averaged over these numbers.

    The weight of a number of orders is how many promoters and detractors placed it; numbers in the open class, or with
    fewer than ten customers of either group, take no part.
    """
    parts, sizes = [], []
    for _, some in _by(customers.filter(pl.col("orders") < _OPEN), "orders"):
        pair = [some.filter(pl.col("group") == group)["spend"] for group in (GROUPS[0], GROUPS[2])]
        if min(map(len, pair)) >= _FEWEST:
            parts.append(ratio(*map(mean, pair)))
            sizes.append(sum(map(len, pair)))
    shares = [size / sum(sizes) for size in sizes]
    value = sum(share * part.value for share, part in zip(shares, parts, strict=True))
    error = sum((share * part.error) ** 2 for share, part in zip(shares, parts, strict=True)) ** 0.5
    return Reading(value, error)


def net_promoter_score(surveys: pl.DataFrame) -> Reading:
    """Return the share of promoters less that of detractors among all answers, times 100."""
    score = pl.col("score")
    counted = 100.0 * ((score >= 9).cast(pl.Float64) - (score <= 6).cast(pl.Float64))
    answers = surveys.filter((pl.col("instrument") == "nps") & score.is_not_null())
    # Answers of one customer are alike, so customers are what was observed.
    by_customer = answers.group_by("customer_id").agg(counted.sum().alias("points"), pl.len().alias("answers"))
    by_customer = by_customer.sort("customer_id")
    return rate(by_customer["points"], by_customer["answers"])


def can_compare(customers: pl.DataFrame) -> bool:
    """Return whether there are enough promoters and detractors, and at some number of orders too."""
    low = customers.filter(pl.col("orders") < _OPEN)
    counts = low.group_by("orders").agg((pl.col("group") == group).sum().alias(group) for group in GROUPS)
    return counts.filter(pl.min_horizontal(GROUPS[0], GROUPS[2]) >= _FEWEST).height > 0


def _by(table: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    return [(name, part) for (name,), part in table.sort(column, "customer_id").group_by(column, maintain_order=True)]
