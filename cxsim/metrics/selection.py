"""Orders and answers in; promoters against detractors, before they answered and after it, by several methods, out.

Three times follow each other: a history, in which everybody is a customer already; a season of answering, from which
each customer's first answer counts; and a time after that answer, equally long for everybody and over before the
tables end. So nobody belongs to a group for having lived long enough to get into it, and nobody is half observed.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.data.contracts import ORDERS, SURVEYS
from cxsim.errors import DataError, EstimationError, TableError, choices
from cxsim.metrics.intervals import Z
from cxsim.metrics.promoters import (
    DETRACTORS,
    PROMOTERS,
    can_compare,
    checked,
    group_of_score,
    overall_ratio,
    ratio_at_equal_count,
    spend_of_answerers,
)
from cxsim.metrics.regression import glm_with_clusters
from cxsim.params import CENTS
from cxsim.tables import COUNT, REAL, TEXT, Contract, check, empty
from cxsim.wording import figure

# Promoters against detractors by several methods, each a ratio. label: association or effect.
SELECTION = Contract(
    "SELECTION", TEXT("method", "title"), REAL("ratio", "low", "high"), COUNT("customers"), TEXT("label", "finding")
)
# What is known of a customer at the moment of the answer: own rate of orders and own basket as far as history shows
# them, days from the last order to the season and from there to the answer, and days since the first order.
COVARIATES = (
    "log_rate",
    "log_basket",
    "log_rate_squared",
    "log_basket_squared",
    "log_rate_by_basket",
    "log_idle",
    "log_wait",
    "log_known",
    "earlier_score",
    "earlier_score_squared",
    "log_earlier_answers",
)
Method = Literal["regression", "doubly_robust"]
Array = npt.NDArray[np.float64]
_LEVELS = (PROMOTERS, DETRACTORS)
_ADJUSTMENTS: dict[Method, str] = {"regression": "regression", "doubly_robust": "doubly robust"}
_DAY = timedelta(days=1)
# Once in a million years, in orders a day.
_SELDOM = 1e-9
_FEWEST = 10
# Of customers whose group was all but certain, the others say nothing: they are left out and counted.
_SURE = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """How long customers are looked at, in days: the history, the season of answering, and the time after an answer.

    A long history tells customers apart; a short time after leaves little room for their hidden chance to leave.
    """

    history_days: int = 365
    answering_days: int = 91
    outcome_days: int = 91

    def __post_init__(self) -> None:
        for name in ("history_days", "answering_days", "outcome_days"):
            if getattr(self, name) < 1:
                raise DataError(f"Windows: {name} is {getattr(self, name)}; possible: from 1.")


def selection_panel(
    orders: pl.DataFrame | pl.LazyFrame,
    surveys: pl.DataFrame | pl.LazyFrame,
    *,
    until: datetime,
    windows: Windows | None = None,
) -> pl.DataFrame:
    """Return promoters against detractors by several methods, from the most naive to the most careful.

    VanderWeele & Ding (2017) for what an unseen trait must do; see `adjusted_ratio` and `ratio_to_own_past`.
    """
    windows = windows or Windows()
    followed = followed_answerers(orders, surveys, until=until, windows=windows)
    rows = [*_over_all(spend_of_answerers(orders, surveys)), *_of_followed(followed, windows)]
    return check(pl.DataFrame(rows, schema=empty(SELECTION).schema, orient="row"), SELECTION)


class Ratio(NamedTuple):
    """A ratio of means with its 95 % interval, and how many rows are behind it."""

    ratio: float
    low: float
    high: float
    customers: int


Row = tuple[str, str, float, float, float, int, str, str]


def _row(method: str, title: str, found: Ratio, words: str) -> Row:
    return method, title, *found, "association", words


def _over_all(customers: pl.DataFrame) -> Iterator[Row]:
    if not can_compare(customers):
        return
    size = customers.filter(pl.col("group").is_in(_LEVELS)).height
    naive, equal = (
        Ratio(found.value, found.low, found.high, size)
        for found in (overall_ratio(customers), ratio_at_equal_count(customers))
    )
    words = f"Promoters have spent {figure(naive.ratio, '.2f')} times as much as detractors; why, it does not say."
    yield _row("naive", "All spend so far, by the last answer", naive, words)
    words = (
        f"{figure(equal.ratio, '.2f')} times: two customers with the same few orders are not "
        "alike, and the score knows more."
    )
    yield _row("equal_count", "The same, at an equal number of orders", equal, words)


def _of_followed(followed: Answerers, windows: Windows) -> Iterator[Row]:
    customers, days = followed.customers, windows.outcome_days
    with contextlib.suppress(EstimationError):
        found = plain_ratio(customers, group="group", levels=_LEVELS, outcome="spend_before")
        words = (
            f"{figure(found.ratio, '.2f')} times before they answered, which the answer cannot have caused: selection."
        )
        yield _row("before", f"Spend in the {windows.history_days} days before answering", found, words)
    with contextlib.suppress(EstimationError):
        found = plain_ratio(customers, group="group", levels=_LEVELS, outcome="spend_after")
        late = f"{figure(followed.too_late)} who answered too late to be followed."
        left = f"Left out: {figure(followed.too_new)} too new, {late}"
        words = f"{figure(found.ratio, '.2f')} times after it, before any adjustment. {left}"
        yield _row("after", f"Spend in the {days} days after an answer", found, words)
    for method, name in _ADJUSTMENTS.items():
        with contextlib.suppress(EstimationError):
            yield _adjusted(customers, method, f"These {days} days, adjusted for history: {name}")
    with contextlib.suppress(EstimationError):
        found = ratio_to_own_past(customers, group="group", levels=_LEVELS, before="spend_before", after="spend_after")
        words = (
            f"{figure(found.ratio, '.2f')} times what their own past lets expect: what they are like all along cancels."
        )
        yield _row("own_past", "After over before: against their own past", found, words)


def _adjusted(customers: pl.DataFrame, method: Method, title: str) -> Row:
    found = adjusted_ratio(
        customers, group="group", levels=_LEVELS, outcome="spend_after", covariates=COVARIATES, method=method
    )
    unseen = e_value(found.ratio.ratio)
    words = (
        f"{figure(found.ratio.ratio, '.2f')} times at an equal history; an unseen trait that goes with both by "
        f"{figure(unseen, '.1f')} explains it."
    )
    if found.overlap is not None:
        low, high = found.overlap
        words += f" Chance of a promoter {figure(low, '.2f')} to {figure(high, '.2f')}; "
        words += f"{figure(found.trimmed)} without a like left out."
    return _row(method, title, found.ratio, words)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Answerers:
    """Customers who answered, and those who could not be used.

    Attributes
    ----------
    customers
        One row each, by customer_id: group, score, answered_at, spend_before (over the history), spend_after (over the
        time after the answer) and the columns of COVARIATES.
    too_new
        Answered in the season, but had not ordered before the history.
    too_late
        Answered first after the season, so that the time after the answer may not be over.
    """

    customers: pl.DataFrame
    too_new: int
    too_late: int


def followed_answerers(
    orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame, *, until: datetime, windows: Windows
) -> Answerers:
    """Return who answered in the season that ends early enough for everybody to be followed.

    Anderson, Cain & Gelber (1983), "Analysis of survival by tumor response": the landmark that avoids immortal time.
    """
    opens = until - (windows.answering_days + windows.outcome_days) * _DAY
    closes, since = opens + windows.answering_days * _DAY, opens - windows.history_days * _DAY
    answers = _first_answers(checked(surveys, SURVEYS), opens, until)
    season = answers.filter(pl.col("answered_at") < closes)
    bought = checked(orders, ORDERS).select("customer_id", "ordered_at", "amount")
    # Sorted, because the sum of squares depends on the order in its last digit.
    bought = bought.join(season.lazy(), on="customer_id").sort("customer_id", "ordered_at", "amount")
    followed = _histories(bought, since=since, opens=opens, outcome=windows.outcome_days * _DAY).collect()
    old = followed.filter(pl.col("came") < since)
    return Answerers(
        customers=_with_covariates(old, opens),
        too_new=season.height - old.height,
        too_late=answers.height - season.height,
    )


def _first_answers(surveys: pl.LazyFrame, opens: datetime, until: datetime) -> pl.DataFrame:
    """Return each customer's first answer from a moment on, and what they had answered before it."""
    score, when = pl.col("score"), pl.col("sent_at")
    answers = (pl.col("instrument") == "nps") & score.is_not_null() & pl.col("customer_id").is_not_null()
    late = when >= opens
    return (
        surveys.filter(answers & (when < until))
        .sort("sent_at", "survey_id")
        .group_by("customer_id", maintain_order=True)
        .agg(
            answered_at=when.filter(late).first(),
            score=score.filter(late).first(),
            earlier=(~late).sum().cast(pl.Float64),
            earlier_sum=score.filter(~late).sum().cast(pl.Float64),
            earlier_squares=(score.filter(~late) ** 2).sum().cast(pl.Float64),
        )
        .drop_nulls("answered_at")
        .collect()
    )


def _histories(bought: pl.LazyFrame, *, since: datetime, opens: datetime, outcome: timedelta) -> pl.LazyFrame:
    ordered, answered = pl.col("ordered_at"), pl.col("answered_at")
    known = ordered <= answered
    cents = (pl.col("amount") * CENTS).round().cast(pl.Int64)
    return bought.group_by("customer_id", maintain_order=True).agg(
        pl.col("answered_at", "score", "earlier", "earlier_sum", "earlier_squares").first(),
        spend_before=cents.filter((ordered >= since) & (ordered < opens)).sum() / CENTS,
        spend_after=cents.filter(~known & (ordered <= answered + outcome)).sum() / CENTS,
        spend=cents.filter(known).sum() / CENTS,
        squares=(pl.col("amount") ** 2).filter(known).sum(),
        count=known.sum().cast(pl.Float64),
        came=ordered.min(),
        idle=(opens - ordered.filter(ordered < opens).max()).dt.total_seconds() / _DAY.total_seconds(),
    )


def _with_covariates(followed: pl.DataFrame, opens: datetime) -> pl.DataFrame:
    wait = (pl.col("answered_at") - opens).dt.total_seconds() / _DAY.total_seconds()
    age = (pl.col("answered_at") - pl.col("came")).dt.total_seconds() / _DAY.total_seconds()
    timed = followed.with_columns(wait=wait, age=age)
    if followed.is_empty():
        rate = basket = scores = np.empty(0)
    else:
        count, spend, squares, ages = (timed[name].to_numpy() for name in ("count", "spend", "squares", "age"))
        # The first order made the customer one: only those after it show the rate.
        rate, basket = credible_rate(count - 1.0, ages), credible_mean(count, spend, squares)
        earlier, total, squared = (timed[name].to_numpy() for name in ("earlier", "earlier_sum", "earlier_squares"))
        scores = credible_mean(earlier, total, squared) if earlier.any() else np.zeros(len(earlier))
    # Where nobody ordered twice all rates are 0 and alike; so are their logarithms then.
    logs = timed.with_columns(log_rate=pl.Series(rate).clip(_SELDOM).log(), log_basket=pl.Series(basket).log())
    return logs.select(
        *("customer_id", "answered_at", "score", "spend_before", "spend_after", "log_rate", "log_basket"),
        group=group_of_score(),
        log_rate_squared=pl.col("log_rate") ** 2,
        log_basket_squared=pl.col("log_basket") ** 2,
        log_rate_by_basket=pl.col("log_rate") * pl.col("log_basket"),
        log_idle=pl.col("idle").log1p(),
        log_wait=pl.col("wait").log1p(),
        log_known=pl.col("age").log1p(),
        earlier_score=pl.Series(scores),
        earlier_score_squared=pl.Series(scores) ** 2,
        log_earlier_answers=pl.col("earlier").log1p(),
    )


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


@dataclass(frozen=True, kw_only=True, slots=True)
class AdjustedRatio:
    """What the first group has over what the second has, at an equal past.

    Attributes
    ----------
    ratio
        The ratio of means, over the rows that were compared.
    trimmed
        Rows left out because nobody of the other group is like them; 0 for a regression, which extrapolates.
    overlap
        Smallest and largest chance of being in the first group among those compared; None for a regression.
    """

    ratio: Ratio
    trimmed: int = 0
    overlap: tuple[float, float] | None = None


def adjusted_ratio(
    customers: pl.DataFrame,
    *,
    group: str,
    levels: tuple[str, str],
    outcome: str,
    covariates: Sequence[str],
    method: Method = "doubly_robust",
) -> AdjustedRatio:
    """Return the ratio of the outcome between two groups, adjusted for covariates.

    Regression: Santos Silva & Tenreyro (2006). Doubly robust: Robins, Rotnitzky & Zhao (1994), eq. for the mean under
    one arm; the standard error by the influence function. Trimming: Crump, Hotz, Imbens & Mitnik (2009).
    """
    pair = _two_groups(customers, group=group, levels=levels, amounts=[outcome, *covariates])
    if (pair.amounts[:, 0] < 0.0).any():
        raise TableError(f"'{outcome}' is below 0 in {int((pair.amounts[:, 0] < 0.0).sum())} rows; possible: from 0.")
    return _by_regression(pair, levels) if method == "regression" else _doubly_robust(pair, levels)


def e_value(ratio: float) -> float:
    """Return how strongly something unseen must go with both group and outcome to be all that the ratio is.

    VanderWeele & Ding (2017), "Sensitivity analysis in observational research: introducing the E-value".
    """
    above = max(ratio, 1.0 / ratio)
    return above + math.sqrt(above * (above - 1.0))


def plain_ratio(customers: pl.DataFrame, *, group: str, levels: tuple[str, str], outcome: str) -> Ratio:
    """Return the mean of an outcome in the first group over that in the second, one row a customer."""
    return _of_means(_two_groups(customers, group=group, levels=levels, amounts=[outcome]))


def ratio_to_own_past(
    customers: pl.DataFrame, *, group: str, levels: tuple[str, str], before: str, after: str
) -> Ratio:
    """Return by how much more the first group has grown from before to after than the second.

    It is the ratio of the groups after, over their ratio before. What customers are like all along, seen or unseen,
    multiplies both and cancels. Not so what changes by itself and differently: the hidden chance to leave, above all.

    Lipsitch, Tchetgen Tchetgen & Cohen (2010), "Negative controls"; Sofer et al. (2016), "On negative outcome control
    of unobserved confounding as a generalization of difference-in-differences"; Wooldridge (2023) for ratios.
    """
    pair = _two_groups(customers, group=group, levels=levels, amounts=[after, before])
    for arm, level in ((1.0, levels[0]), (0.0, levels[1])):
        if not (pair.amounts[pair.first == arm, 1] > 0.0).any():
            raise EstimationError(f"{level}: nothing in '{before}', so there is no past to compare with.")
    return _of_means(pair)


class _Pair(NamedTuple):
    """Rows of two groups: 1 for the first group and 0 for the second, a column per amount, and who the customer is."""

    first: Array
    amounts: Array
    clusters: npt.NDArray[np.int64]


def _two_groups(customers: pl.DataFrame, *, group: str, levels: tuple[str, str], amounts: Sequence[str]) -> _Pair:
    """Return the rows of two groups, in the order of the customers."""
    for name in (group, "customer_id", *amounts):
        if name not in customers.columns:
            raise TableError(f"customers: no column '{name}'; {choices(name, customers.columns)}")
    some = customers.filter(pl.col(group).is_in(levels)).sort("customer_id", maintain_order=True)
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
    return _Pair(
        first=(some[group] == levels[0]).cast(pl.Float64).to_numpy(),
        amounts=numbers.to_numpy(),
        clusters=some["customer_id"].rle_id().cast(pl.Int64).to_numpy(),
    )


def _of_means(pair: _Pair) -> Ratio:
    """Return the ratio of the first column, over that of the second where there is one."""
    value, variance = 0.0, 0.0
    for arm, sign in ((1.0, 1.0), (0.0, -1.0)):
        mine = pair.amounts[pair.first == arm]
        means = mine.mean(axis=0)
        relative = mine / means
        influence = relative[:, 0] - (relative[:, 1] if relative.shape[1] > 1 else 1.0)
        value += sign * (math.log(means[0]) - (math.log(means[1]) if len(means) > 1 else 0.0))
        variance += float(influence.var(ddof=1)) / len(mine)
    return _from_log(value, math.sqrt(variance), len(pair.amounts))


def _from_log(log_ratio: float, error: float, customers: int) -> Ratio:
    """Return a ratio with its 95 % interval from its logarithm and the standard error of that."""
    value, low, high = (math.exp(log_ratio + sign * Z * error) for sign in (0.0, -1.0, 1.0))
    return Ratio(value, low, high, customers)


def _by_regression(pair: _Pair, levels: tuple[str, str]) -> AdjustedRatio:
    # The group stands last, so that it is seen whether the covariates add up to it.
    design = np.column_stack([np.ones(len(pair.first)), _scaled(pair.amounts[:, 1:]), pair.first])
    fit = glm_with_clusters(pair.amounts[:, 0], design, family="poisson", clusters=pair.clusters)
    if fit.covariance[-1, -1] <= 0.0:
        raise EstimationError(
            f"{levels[0]} and {levels[1]} are distinguished by the covariates alone; "
            "possible: without the one that does."
        )
    error = math.sqrt(float(fit.covariance[-1, -1]))
    return AdjustedRatio(ratio=_from_log(float(fit.coefficients[-1]), error, len(pair.first)))


def _doubly_robust(pair: _Pair, levels: tuple[str, str]) -> AdjustedRatio:
    design = np.column_stack([np.ones(len(pair.first)), _scaled(pair.amounts[:, 1:])])
    chance = glm_with_clusters(pair.first, design, family="logistic", clusters=pair.clusters).fitted
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
        fit = glm_with_clusters(spent[mine], design[mine], family="poisson", clusters=pair.clusters[keep][mine])
        expected = np.exp(design @ fit.coefficients)
        scores = expected + arm * (spent - expected) / own
        means.append(float(scores.mean()))
        parts.append(scores / scores.mean())
    # The influence of each customer on the logarithm of the ratio: its sum over rows of the customer.
    influence = np.bincount(pair.clusters[keep], parts[0] - parts[1])
    error = math.sqrt(float((influence**2).sum())) / len(spent)
    return AdjustedRatio(
        ratio=_from_log(math.log(means[0] / means[1]), error, len(spent)),
        trimmed=len(pair.first) - len(spent),
        overlap=(float(chance.min()), float(chance.max())),
    )


def _scaled(covariates: Array) -> Array:
    """Return the covariates in standard deviations, so that the fit comes to rest; a constant one becomes 0."""
    spread = covariates.std(axis=0)
    scaled: Array = (covariates - covariates.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    return scaled
