"""A table of customers and the names of two groups, in; their numbers side by side, and plain ratios of means, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from cxsim.errors import EstimationError, TableError, choices

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
