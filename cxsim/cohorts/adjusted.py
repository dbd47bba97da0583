"""Customers of two groups, an outcome and what was known of them before, in; their ratio at an equal past, out.

Both methods answer: how many times as much would all of these customers have in one group as in the other, if nothing
but the covariates told who is in which? What the covariates do not hold stays in the ratio. It is an association, and
an effect only where chance made the groups; then the covariates make it more precise, no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.cohorts.comparing import Pair, log_interval, two_groups
from cxsim.cohorts.generalised import fitted_model
from cxsim.errors import EstimationError, TableError

Array = npt.NDArray[np.float64]
Method = Literal["regression", "doubly_robust"]
Assignment = Literal["observed", "random"]
# Of customers whose group was all but certain, the others say nothing: they are left out and counted.
_SURE = 0.02
_FEWEST = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class AdjustedRatio:
    """What the first group has over what the second has, at an equal past.

    Attributes
    ----------
    ratio, low, high
        The ratio of means with its 95 % interval, over which customers there happen to be.
    customers
        Rows that were compared.
    trimmed
        Rows left out because nobody of the other group is like them; 0 for a regression, which extrapolates.
    overlap
        Smallest and largest chance of being in the first group among those compared; None for a regression.
    label
        effect where chance made the groups, else association.
    """

    ratio: float
    low: float
    high: float
    customers: int
    trimmed: int
    overlap: tuple[float, float] | None
    label: Literal["association", "effect"]


def adjusted_ratio(
    customers: pl.DataFrame,
    *,
    group: str,
    levels: tuple[str, str],
    outcome: str,
    covariates: Sequence[str],
    method: Method = "doubly_robust",
    assignment: Assignment = "observed",
    cluster: str = "customer_id",
) -> AdjustedRatio:
    """Return the ratio of the outcome between two groups, adjusted for covariates.

    Regression: Santos Silva & Tenreyro (2006). Doubly robust: Robins, Rotnitzky & Zhao (1994), eq. for the mean under
    one arm; the standard error by the influence function. Trimming: Crump, Hotz, Imbens & Mitnik (2009).
    """
    pair = two_groups(customers, group=group, levels=levels, amounts=[outcome, *covariates], cluster=cluster)
    if (pair.amounts[:, 0] < 0.0).any():
        raise TableError(f"'{outcome}' is below 0 in {int((pair.amounts[:, 0] < 0.0).sum())} rows; possible: from 0.")
    label: Literal["association", "effect"] = "effect" if assignment == "random" else "association"
    if method == "regression":
        value, error = _by_regression(pair, levels)
        ratio, low, high = log_interval(value, error)
        kept, overlap = len(pair.first), None
    else:
        ratio, low, high, kept, overlap = _doubly_robust(pair, levels)
    return AdjustedRatio(
        ratio=ratio, low=low, high=high, customers=kept, trimmed=len(pair.first) - kept, overlap=overlap, label=label
    )


def e_value(ratio: float) -> float:
    """Return how strongly something unseen must go with both group and outcome to be all that the ratio is.

    VanderWeele & Ding (2017), "Sensitivity analysis in observational research: introducing the E-value".
    """
    above = max(ratio, 1.0 / ratio)
    return above + math.sqrt(above * (above - 1.0))


def _by_regression(pair: Pair, levels: tuple[str, str]) -> tuple[float, float]:
    # The group stands last, so that it is seen whether the covariates add up to it.
    design = np.column_stack([np.ones(len(pair.first)), _scaled(pair.amounts[:, 1:]), pair.first])
    fit = fitted_model(pair.amounts[:, 0], design, family="poisson", clusters=pair.clusters)
    if fit.covariance[-1, -1] <= 0.0:
        raise EstimationError(
            f"{levels[0]} and {levels[1]} are told apart by the covariates alone; possible: without the one that does."
        )
    return float(fit.coefficients[-1]), math.sqrt(float(fit.covariance[-1, -1]))


def _doubly_robust(pair: Pair, levels: tuple[str, str]) -> tuple[float, float, float, int, tuple[float, float]]:
    design = np.column_stack([np.ones(len(pair.first)), _scaled(pair.amounts[:, 1:])])
    chance = fitted_model(pair.first, design, family="logistic", clusters=pair.clusters).fitted
    keep = (chance >= _SURE) & (chance <= 1.0 - _SURE)
    first, spent, chance, design = pair.first[keep], pair.amounts[keep, 0], chance[keep], design[keep]
    sizes = int(first.sum()), int((1.0 - first).sum())
    if min(sizes) < _FEWEST or min(spent[first == arm].sum() for arm in (0.0, 1.0)) <= 0.0:
        raise EstimationError(
            f"{levels[0]} and {levels[1]} are hardly alike: {sizes[0]} and {sizes[1]} have a like in the other group; "
            f"possible: from {_FEWEST} of each, some with an outcome above 0."
        )
    means, parts = [], []
    for arm, own in ((first, chance), (1.0 - first, 1.0 - chance)):
        mine = arm == 1.0
        fit = fitted_model(spent[mine], design[mine], family="poisson", clusters=pair.clusters[keep][mine])
        expected = np.exp(design @ fit.coefficients)
        scores = expected + arm * (spent - expected) / own
        means.append(float(scores.mean()))
        parts.append(scores / scores.mean())
    # The influence of each customer on the logarithm of the ratio: its sum over rows of the customer.
    influence = np.bincount(pair.clusters[keep], parts[0] - parts[1])
    error = math.sqrt(float((influence**2).sum())) / len(spent)
    ends = log_interval(math.log(means[0] / means[1]), error)
    return *ends, len(spent), (float(chance.min()), float(chance.max()))


def _scaled(covariates: Array) -> Array:
    """Return the covariates in standard deviations, so that the fit comes to rest; a constant one becomes 0."""
    spread = covariates.std(axis=0)
    scaled: Array = (covariates - covariates.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    return scaled
