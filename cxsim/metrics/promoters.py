"""Orders and answers in; customers who answered in one season, what they did before and what they did after it, out.

Three times follow each other: a history, in which everybody is a customer already; a season of answering, from which
each customer's first answer counts; and a time after that answer, equally long for everybody and over before the
tables end. So nobody belongs to a group for having lived long enough to get into it, and nobody is half observed.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.data.contracts import ORDERS, SURVEYS
from cxsim.errors import DataError, EstimationError, TableError
from cxsim.metrics.cohorts import ReadingReading, mean, paid, ratio, reading_rate
from cxsim.metrics.contracts import SELECTION, WORTH_BY_NPS
from cxsim.metrics.groups import (
    Pair,
    Ratio,
    credible_mean,
    credible_rate,
    log_interval,
    plain_ratio,
    ratio_to_own_past,
    two_groups,
)
from cxsim.params import CENTS
from cxsim.tables import Contract, check
from cxsim.wording import figure

PROMOTERS, PASSIVES, DETRACTORS = GROUPS = ("promoters", "passives", "detractors")
# What is known of a customer at the moment of the answer: own rate of orders and own basket as far as history tells
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
_DAY = timedelta(days=1)
# Once in a million years, in orders a day.
_SELDOM = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """How long customers are looked at, in days.

    A long history tells customers apart; a short time after leaves little room for their hidden chance to leave.

    Attributes
    ----------
    history_days
        Before the season of answering; who did not order before it is too new.
    answering_days
        Season from which each customer's first answer counts.
    outcome_days
        After the answer.
    """

    history_days: int = 365
    answering_days: int = 91
    outcome_days: int = 91

    def __post_init__(self) -> None:
        for name in ("history_days", "answering_days", "outcome_days"):
            if getattr(self, name) < 1:
                raise DataError(f"Windows: {name} is {getattr(self, name)}; possible: from 1.")


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


def group_of_score() -> pl.Expr:
    """Return promoters for a score of 9 or 10, passives for 7 or 8, detractors for less."""
    score = pl.col("score")
    named = pl.when(score >= 9).then(pl.lit(PROMOTERS)).when(score >= 7).then(pl.lit(PASSIVES))
    return named.otherwise(pl.lit(DETRACTORS))


def checked(table: pl.DataFrame | pl.LazyFrame, contract: Contract) -> pl.LazyFrame:
    """Return the table, lazy; of one that is lazy already, only the columns are looked at."""
    check(table if isinstance(table, pl.DataFrame) else table.head(0).collect(), contract)
    return table.lazy()


def followed_answerers(
    orders: pl.DataFrame | pl.LazyFrame,
    surveys: pl.DataFrame | pl.LazyFrame,
    *,
    until: datetime,
    windows: Windows | None = None,
) -> Answerers:
    """Return who answered in the season that ends early enough for everybody to be followed.

    Anderson, Cain & Gelber (1983), "Analysis of survival by tumor response": the landmark that avoids immortal time.
    """
    windows = windows or Windows()
    opens = until - (windows.answering_days + windows.outcome_days) * _DAY
    closes, since = opens + windows.answering_days * _DAY, opens - windows.history_days * _DAY
    answers = _first_answers(checked(surveys, SURVEYS), opens, until)
    season = answers.filter(pl.col("answered_at") < closes)
    sentence = _sentence(
        _bought(orders, season), since=since, opens=opens, outcome=windows.outcome_days * _DAY
    ).collect()
    old = sentence.filter(pl.col("came") < since)
    return Answerers(
        customers=_with_covariates(old, opens),
        too_new=season.height - old.height,
        too_late=answers.height - season.height,
    )


def _first_answers(surveys: pl.LazyFrame, opens: datetime, until: datetime) -> pl.DataFrame:
    """Return each customer's first answer from a moment on, and what they had answered before it."""
    score, when = pl.col("score"), pl.col("sent_at")
    asked = (pl.col("instrument") == "nps") & score.is_not_null() & pl.col("customer_id").is_not_null()
    late = when >= opens
    return (
        surveys.filter(asked & (when < until))
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


def _bought(orders: pl.DataFrame | pl.LazyFrame, season: pl.DataFrame) -> pl.LazyFrame:
    bought = checked(orders, ORDERS).select("customer_id", "ordered_at", "amount")
    # Sorted, because the sum of squares depends on the order in its last digit.
    return bought.join(season.lazy(), on="customer_id").sort("customer_id", "ordered_at", "amount")


def _sentence(bought: pl.LazyFrame, *, since: datetime, opens: datetime, outcome: timedelta) -> pl.LazyFrame:
    ordered, answered = pl.col("ordered_at"), pl.col("answered_at")
    known = ordered <= answered
    return bought.group_by("customer_id", maintain_order=True).agg(
        pl.col("answered_at", "score", "earlier", "earlier_sum", "earlier_squares").first(),
        _paid((ordered >= since) & (ordered < opens)).alias("spend_before"),
        _paid(~known & (ordered <= answered + outcome)).alias("spend_after"),
        _paid(known).alias("spend"),
        squares=(pl.col("amount") ** 2).filter(known).sum(),
        count=known.sum().cast(pl.Float64),
        came=ordered.min(),
        idle=(opens - ordered.filter(ordered < opens).max()).dt.total_seconds() / _DAY.total_seconds(),
    )


def _with_covariates(sentence: pl.DataFrame, opens: datetime) -> pl.DataFrame:
    wait = (pl.col("answered_at") - opens).dt.total_seconds() / _DAY.total_seconds()
    age = (pl.col("answered_at") - pl.col("came")).dt.total_seconds() / _DAY.total_seconds()
    timed = sentence.with_columns(wait=wait, age=age)
    if sentence.is_empty():
        rate = basket = scores = np.empty(0)
    else:
        count, spend, squares, ages = (timed[name].to_numpy() for name in ("count", "spend", "squares", "age"))
        # The first order made the customer one: only those after it tell of the rate.
        rate, basket = credible_rate(count - 1.0, ages), credible_mean(count, spend, squares)
        earlier, total, squared = (timed[name].to_numpy() for name in ("earlier", "earlier_sum", "earlier_squares"))
        scores = credible_mean(earlier, total, squared) if earlier.any() else np.zeros(len(earlier))
    # Where nobody ordered twice all rates are 0 and alike; so are their logarithms then.
    logs = timed.with_columns(log_rate=pl.Series(rate).clip(_SELDOM).log(), log_basket=pl.Series(basket).log())
    return logs.select(
        "customer_id",
        "answered_at",
        "score",
        "spend_before",
        "spend_after",
        "log_rate",
        "log_basket",
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


def _paid(when: pl.Expr) -> pl.Expr:
    return (pl.col("amount") * CENTS).round().cast(pl.Int64).filter(when).sum() / CENTS


Array = npt.NDArray[np.float64]
# Of a column's length, what is left beyond the columns to its left if it is their sum.
_NOTHING = 1e-7


class Fit(NamedTuple):
    """Coefficients of a model, their covariance from what was observed of each customer, and the fitted means."""

    coefficients: Array
    covariance: Array
    fitted: Array


def fitted_model(
    outcome: Array, design: Array, *, family: Literal["poisson", "logistic"], clusters: npt.NDArray[np.int64]
) -> Fit:
    """Fit a generalised linear model whose intervals do not lean on its family.

    A Poisson model with logarithmic link is right about means whatever the distribution of the outcome, zeros and
    money included; the covariance is the sandwich of the clusters, so it is right too. Logistic: an outcome of 0 or 1.

    Gourieroux, Monfort & Trognon (1984), "Pseudo maximum likelihood methods: applications to Poisson models"; Santos
    Silva & Tenreyro (2006), "The log of gravity"; Liang & Zeger (1986) for the covariance.
    """
    # Not at the top: see the head of this file.
    families = importlib.import_module("statsmodels.genmod.families")
    model = importlib.import_module("statsmodels.genmod.generalized_linear_model").GLM
    distribution = families.Poisson() if family == "poisson" else families.Binomial()
    with warnings.catch_warnings():
        # Groups that covariates tell apart perfectly are seen in the fitted chances, and refused by who asked for them.
        warnings.simplefilter("ignore")
        kept = _independent(design)
        sentence = model(outcome, design[:, kept], family=distribution)
        found = sentence.fit(cov_type="cluster", cov_kwds={"groups": clusters})
    if not np.isfinite(found.params).all() or not (found.converged or family == "logistic"):
        raise EstimationError(
            f"The {family} model of {len(outcome)} rows and {design.shape[1]} columns does not come to rest; "
            "possible: fewer covariates, or more customers."
        )
    columns = design.shape[1]
    coefficients, covariance = np.zeros(columns), np.zeros((columns, columns))
    coefficients[kept], covariance[np.ix_(kept, kept)] = found.params, found.cov_params()
    return Fit(coefficients, covariance, found.fittedvalues)


def _independent(design: Array) -> npt.NDArray[np.int64]:
    """Return the columns that are no sum of those to their left."""
    beyond = np.abs(np.diag(np.linalg.qr(design, mode="r")))
    kept: npt.NDArray[np.int64] = np.flatnonzero(beyond > _NOTHING * np.linalg.norm(design, axis=0))
    return kept


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


# Counts of orders below this are looked at one by one; the others share a class, in which counts are not equal.
_OPEN = 9


def ltv_by_nps(orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return what customers spend by how likely they said they are to recommend the shop.

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


def overall_ratio(customers: pl.DataFrame) -> ReadingReading:
    """Return what promoters spend over what detractors spend, means per customer."""
    return ratio(*(mean(customers.filter(pl.col("group") == group)["spend"]) for group in (GROUPS[0], GROUPS[2])))


def ratio_at_equal_count(customers: pl.DataFrame) -> ReadingReading:
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
    return ReadingReading(value, error)


def net_promoter_score(surveys: pl.DataFrame) -> ReadingReading:
    """Return the share of promoters less that of detractors among all answers, times 100."""
    score = pl.col("score")
    counted = 100.0 * ((score >= 9).cast(pl.Float64) - (score <= 6).cast(pl.Float64))
    answers = surveys.filter((pl.col("instrument") == "nps") & score.is_not_null())
    # Answers of one customer are alike, so customers are what was observed.
    by_customer = answers.group_by("customer_id").agg(counted.sum().alias("points"), pl.len().alias("answers"))
    by_customer = by_customer.sort("customer_id")
    return reading_rate(by_customer["points"], by_customer["answers"])


def can_compare(customers: pl.DataFrame) -> bool:
    """Return whether there are enough promoters and detractors, and at some number of orders too."""
    low = customers.filter(pl.col("orders") < _OPEN)
    counts = low.group_by("orders").agg((pl.col("group") == group).sum().alias(group) for group in GROUPS)
    return counts.filter(pl.min_horizontal(GROUPS[0], GROUPS[2]) >= _FEWEST).height > 0


def _by(table: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    return [(name, part) for (name,), part in table.sort(column, "customer_id").group_by(column, maintain_order=True)]


_LEVELS = (PROMOTERS, DETRACTORS)
_ADJUSTMENTS: Mapping[Method, str] = {"regression": "regression", "doubly_robust": "doubly robust"}
Row = tuple[str, str, float, float, float, int, str, str]


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
    rows = [*_over_all(worth_of_answerers(orders, surveys)), *_of_followed(followed, windows)]
    schema = {name: kinds[0] for name, kinds in SELECTION.columns.items()}
    return check(pl.DataFrame(rows, schema=schema, orient="row"), SELECTION)


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
        f"{figure(equal.ratio, '.2f')} times: two customers with the same few orders are not alike, and the score "
        "knows more."
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
    unseen = e_value(found.ratio)
    words = (
        f"{figure(found.ratio, '.2f')} times at an equal history; an unseen trait that goes with both by "
        f"{figure(unseen, '.1f')} explains it."
    )
    if found.overlap is not None:
        low, high = found.overlap
        words += f" Chance of a promoter {figure(low, '.2f')} to {figure(high, '.2f')}; "
        words += f"{figure(found.trimmed)} without a like left out."
    return _row(method, title, Ratio(found.ratio, found.low, found.high, found.customers), words)


def _row(method: str, title: str, found: Ratio, words: str) -> Row:
    return method, title, found.ratio, found.low, found.high, found.customers, "association", words
