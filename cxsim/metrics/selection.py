"""Orders and answers in; promoters against detractors, before they answered and after it, by several methods, out.

Three times follow each other: a history, in which everybody is a customer already; a season of answering, from which
each customer's first answer counts; and a time after that answer, equally long for everybody and over before the
tables end. So nobody belongs to a group for having lived long enough to get into it, and nobody is half observed.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.data.contracts import ORDERS, SURVEYS
from cxsim.errors import EstimationError, TableError
from cxsim.metrics.intervals import Z
from cxsim.metrics.promoters import (
    DETRACTORS,
    PROMOTERS,
    PointEstimate,
    can_compare,
    checked,
    group_of_score,
    overall_ratio,
    ratio_at_equal_count,
    spend_of_answerers,
)
from cxsim.metrics.regression import robust_glm
from cxsim.params import CENTS
from cxsim.tables import COUNT, REAL, TEXT, Contract, table_of
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
# How long customers are looked at, in days: the history, the season of answering, and the time after an answer. A long
# history tells customers apart; a short time after leaves little room for their hidden chance to leave.
_HISTORY, _SEASON, _AFTER = 365, 91, 91
# Once in a million years, in orders a day.
_SELDOM = 1e-9
_FEWEST = 10
# Of customers whose group was all but certain, the others say nothing: they are left out and counted.
_SURE = 0.02


class Ratio(NamedTuple):
    """A ratio of means with its 95 % interval, and of how many customers.

    trimmed: who was left out because nobody of the other group is comparable; none by a regression, which extrapolates.
    overlap: smallest and largest chance of being a promoter among those compared; None for a regression.
    """

    ratio: float
    low: float
    high: float
    customers: int
    trimmed: int = 0
    overlap: tuple[float, float] | None = None


# Of each method its title, what finds its ratio, and what that says.
Methods = dict[str, tuple[str, Callable[[], Ratio], str]]
_EQUAL = "{} times at the same history;"


def selection_panel(
    orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame, *, until: datetime
) -> pl.DataFrame:
    """Return promoters against detractors by several methods, from the most naive to the most careful.

    VanderWeele & Ding (2017) for what an unseen trait must do; see `adjusted_ratio` and `plain_ratio`.
    """
    methods = _over_all(spend_of_answerers(orders, surveys))
    methods |= _of_followed(*followed_answerers(orders, surveys, until=until))
    rows = []
    for method, (title, find, words) in methods.items():
        # A method for which there are too few is left out.
        with contextlib.suppress(EstimationError):
            found = find()
            finding = f"{words.format(figure(found.ratio, '.2f'))}{_unseen(found) if words == _EQUAL else ''}"
            rows.append((method, title, *found[:4], "association", finding))
    return table_of(rows, SELECTION)


def _of_followed(customers: pl.DataFrame, too_new: int, too_late: int) -> Methods:
    """Return the methods that compare customers over equal times."""
    left = f"Excluded: {figure(too_new)} with too short a history, {figure(too_late)} with too short a follow-up."
    adjusted = f"These {_AFTER} days, adjusted for history: "
    return {
        "before": (
            f"Spend in the {_HISTORY} days before answering",
            lambda: plain_ratio(customers, "spend_before"),
            "{} times before the answer, which cannot be its effect: selection.",
        ),
        "after": (
            f"Spend in the {_AFTER} days after an answer",
            lambda: plain_ratio(customers, "spend_after"),
            f"{{}} times after the answer, unadjusted. {left}",
        ),
        "regression": (f"{adjusted}regression", lambda: adjusted_ratio(customers, "regression"), _EQUAL),
        "doubly_robust": (f"{adjusted}doubly robust", lambda: adjusted_ratio(customers, "doubly_robust"), _EQUAL),
        "own_past": (
            "After relative to before: each group's own past",
            lambda: plain_ratio(customers, "spend_after", past="spend_before"),
            "{} times the change expected from their own past: stable differences cancel.",
        ),
    }


def _over_all(customers: pl.DataFrame) -> Methods:
    """Return the methods that look at all spend so far; none where too few can be compared."""
    if not can_compare(customers):
        return {}
    size = customers.filter(pl.col("group").is_in(_LEVELS)).height

    def of(found: PointEstimate) -> Ratio:
        return Ratio(found.value, found.low, found.high, size)

    return {
        "naive": (
            "All spend to date, by latest answer",
            lambda: of(overall_ratio(customers)),
            "Promoters have spent {} times as much as detractors; the cause is unknown.",
        ),
        "equal_count": (
            "The same, at the same number of orders",
            lambda: of(ratio_at_equal_count(customers)),
            "{} times: customers with the same number of orders still differ in purchase rate, and so in score.",
        ),
    }


def _unseen(found: Ratio) -> str:
    """Return what else could explain an adjusted ratio, and who was compared."""
    factor = figure(e_value(found.ratio), ".1f")
    words = f" an unobserved trait associated with both by a factor of {factor} would explain it."
    if found.overlap is not None:
        low, high = (figure(chance, ".2f") for chance in found.overlap)
        trimmed = f"{figure(found.trimmed)} excluded without a comparable customer"
        words += f" Probability of a promoter {low} to {high}; {trimmed}."
    return words


class Answerers(NamedTuple):
    """Customers who answered, and how many of those could not be used.

    customers: one row each, by customer_id: group, score, answered_at, spend_before (over the history), spend_after
    (over the time after the answer) and the columns of COVARIATES. too_new: answered in the season, but had not
    ordered before the history. too_late: answered first after the season, so that the time after may not be over.
    """

    customers: pl.DataFrame
    too_new: int
    too_late: int


def followed_answerers(
    orders: pl.DataFrame | pl.LazyFrame, surveys: pl.DataFrame | pl.LazyFrame, *, until: datetime
) -> Answerers:
    """Return who answered in the season that ends early enough for everybody to be followed.

    Anderson, Cain & Gelber (1983), "Analysis of survival by tumor response": the landmark that avoids immortal time.
    """
    closes = until - timedelta(days=_AFTER)
    opens = closes - timedelta(days=_SEASON)
    since = opens - timedelta(days=_HISTORY)
    answers = _first_answers(checked(surveys, SURVEYS), opens, until)
    season = answers.filter(pl.col("answered_at") < closes)
    bought = checked(orders, ORDERS).select("customer_id", "ordered_at", "amount")
    # Sorted, because the sum of squares depends on the order in its last digit.
    bought = bought.join(season.lazy(), on="customer_id").sort("customer_id", "ordered_at", "amount")
    old = _histories(bought, since, opens).collect().filter(pl.col("came") < since)
    return Answerers(_with_covariates(old), season.height - old.height, answers.height - season.height)


def _first_answers(surveys: pl.LazyFrame, opens: datetime, until: datetime) -> pl.DataFrame:
    """Return each customer's first answer from a moment on, and what they had answered before it."""
    score, when = pl.col("score"), pl.col("sent_at")
    late = when >= opens
    before = score.filter(~late)
    return (
        surveys.filter((pl.col("instrument") == "nps") & (when < until))
        .drop_nulls(["score", "customer_id"])
        .sort("sent_at", "survey_id")
        .group_by("customer_id", maintain_order=True)
        .agg(
            answered_at=when.filter(late).first(),
            score=score.filter(late).first(),
            earlier=before.len().cast(pl.Float64),
            earlier_sum=before.sum().cast(pl.Float64),
            earlier_squares=(before**2).sum().cast(pl.Float64),
        )
        .drop_nulls("answered_at")
        .collect()
    )


def _histories(bought: pl.LazyFrame, since: datetime, opens: datetime) -> pl.LazyFrame:
    ordered, answered = pl.col("ordered_at"), pl.col("answered_at")
    known, after = ordered <= answered, answered + timedelta(days=_AFTER)
    cents = (pl.col("amount") * CENTS).round().cast(pl.Int64)
    return bought.group_by("customer_id", maintain_order=True).agg(
        pl.col("answered_at", "score", "earlier", "earlier_sum", "earlier_squares").first(),
        spend_before=cents.filter((ordered >= since) & (ordered < opens)).sum() / CENTS,
        spend_after=cents.filter(~known & (ordered <= after)).sum() / CENTS,
        spend=cents.filter(known).sum() / CENTS,
        squares=(pl.col("amount") ** 2).filter(known).sum(),
        count=known.sum().cast(pl.Float64),
        came=ordered.min(),
        idle=_days(opens - ordered.filter(ordered < opens).max()),
        wait=_days(answered.first() - opens),
        age=_days(answered.first() - ordered.min()),
    )


def _days(span: pl.Expr) -> pl.Expr:
    return span.dt.total_seconds() / 86_400.0


def _with_covariates(followed: pl.DataFrame) -> pl.DataFrame:
    rate = basket = scores = np.zeros(followed.height)
    if followed.height:
        count, spend, squares, ages, *earlier = (
            followed[name].to_numpy()
            for name in ("count", "spend", "squares", "age", "earlier", "earlier_sum", "earlier_squares")
        )
        # The first order made the customer one: only those after it show the rate.
        rate, basket = _credible_rate(count - 1.0, ages), _credible_mean(count, spend, squares)
        scores = _credible_mean(*earlier) if earlier[0].any() else scores
    log_rate, log_basket, score = pl.col("log_rate"), pl.col("log_basket"), pl.col("earlier_score")
    # Where nobody ordered twice all rates are 0, and equal; so are their logarithms then.
    return followed.with_columns(
        log_rate=pl.Series(rate).clip(_SELDOM).log(),
        log_basket=pl.Series(basket).log(),
        earlier_score=pl.Series(scores),
    ).select(
        *("customer_id", "answered_at", "score", "spend_before", "spend_after", log_rate, log_basket, score),
        group=group_of_score(),
        log_rate_squared=log_rate**2,
        log_basket_squared=log_basket**2,
        log_rate_by_basket=log_rate * log_basket,
        log_idle=pl.col("idle").log1p(),
        log_wait=pl.col("wait").log1p(),
        log_known=pl.col("age").log1p(),
        earlier_score_squared=score**2,
        log_earlier_answers=pl.col("earlier").log1p(),
    )


def _credible_rate(counts: Array, exposure: Array) -> Array:
    """Return the best linear guess at each customer's rate of events.

    Where rates are Gamma distributed and events a Poisson process, it is the posterior mean (r + x) / (alpha + T).

    Bühlmann & Straub (1970), "Glaubwürdigkeit für Schadensätze": equal to the posterior mean for the Gamma-Poisson.
    """
    mean = counts.sum() / exposure.sum()
    excess = float(((counts - mean * exposure) ** 2).sum() - mean * exposure.sum())
    between = max(excess / float((exposure**2).sum()), 0.0)
    guess: Array = (mean**2 + between * counts) / (mean + between * exposure)
    return guess


def _credible_mean(counts: Array, sums: Array, squares: Array) -> Array:
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


def adjusted_ratio(
    customers: pl.DataFrame,
    method: Method = "doubly_robust",
    *,
    outcome: str = "spend_after",
    covariates: Sequence[str] = COVARIATES,
) -> Ratio:
    """Return the ratio of the outcome between promoters and detractors, adjusted for covariates.

    Regression: Santos Silva & Tenreyro (2006). Doubly robust: Robins, Rotnitzky & Zhao (1994), eq. for the mean under
    one arm; the standard error by the influence function. Trimming: Crump, Hotz, Imbens & Mitnik (2009).
    """
    first, amounts = _two_groups(customers, [outcome, *covariates])
    spent, seen = amounts[:, 0], amounts[:, 1:]
    if (spent < 0.0).any():
        raise TableError(f"'{outcome}' is below 0 in {int((spent < 0.0).sum())} rows; possible: from 0.")
    # In standard deviations, so that the fit comes to rest; a constant one becomes 0.
    spread = seen.std(axis=0)
    scaled = (seen - seen.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    design = np.column_stack([np.ones(len(first)), scaled])
    return _by_regression(first, spent, design) if method == "regression" else _doubly_robust(first, spent, design)


def e_value(ratio: float) -> float:
    """Return how strongly something unseen must go with both group and outcome to be all that the ratio is.

    VanderWeele & Ding (2017), "Sensitivity analysis in observational research: introducing the E-value".
    """
    above = max(ratio, 1.0 / ratio)
    return above + math.sqrt(above * (above - 1.0))


def plain_ratio(customers: pl.DataFrame, outcome: str, past: str | None = None) -> Ratio:
    """Return the mean of an outcome among promoters over that among detractors, one row a customer.

    With a past, by how much more promoters have grown from it than detractors: the ratio of the groups after, over
    their ratio before. What customers are like all along, seen or unseen, multiplies both and cancels. Not so what
    changes by itself and differently: the hidden chance to leave, above all.

    Lipsitch, Tchetgen Tchetgen & Cohen (2010), "Negative controls"; Sofer et al. (2016), "On negative outcome control
    of unobserved confounding as a generalization of difference-in-differences"; Wooldridge (2023) for ratios.
    """
    first, amounts = _two_groups(customers, [outcome, *([past] if past else [])])
    value, variance = 0.0, 0.0
    for level, arm, sign in zip(_LEVELS, (1.0, 0.0), (1.0, -1.0), strict=True):
        mine = amounts[first == arm]
        if past and not (mine[:, 1] > 0.0).any():
            raise EstimationError(f"{level}: nothing in '{past}', so there is no earlier spend to compare with.")
        means = mine.mean(axis=0)
        relative = mine / means
        value += sign * (math.log(means[0]) - (math.log(means[1]) if past else 0.0))
        variance += float((relative[:, 0] - (relative[:, 1] if past else 1.0)).var(ddof=1)) / len(mine)
    return _from_log(value, math.sqrt(variance), len(amounts))


def _two_groups(customers: pl.DataFrame, amounts: list[str]) -> tuple[Array, Array]:
    """Return who of the promoters and detractors is a promoter (1 or 0), and their amounts; in order of customers."""
    some = customers.filter(pl.col("group").is_in(_LEVELS)).sort("customer_id")
    numbers = some.select(pl.col(amounts).cast(pl.Float64))
    for name, finite in numbers.select(pl.all().is_finite().fill_null(value=False).sum()).row(0, named=True).items():
        if finite < some.height:
            raise TableError(
                f"customers: '{name}' is missing or infinite in {some.height - finite} rows; possible: numbers only."
            )
    for level in _LEVELS:
        spent = numbers.filter(some["group"] == level)[amounts[0]]
        if len(spent) < _FEWEST:
            raise EstimationError(f"{level}: {len(spent)} rows; possible: from {_FEWEST} in each group.")
        if not (spent != 0.0).any():
            raise EstimationError(f"{level}: '{amounts[0]}' is 0 in all {len(spent)} rows, so there is no ratio.")
    return (some["group"] == PROMOTERS).cast(pl.Float64).to_numpy(), numbers.to_numpy()


def _from_log(log_ratio: float, error: float, customers: int) -> Ratio:
    """Return a ratio with its 95 % interval from its logarithm and the standard error of that."""
    value, low, high = (math.exp(log_ratio + sign * Z * error) for sign in (0.0, -1.0, 1.0))
    return Ratio(value, low, high, customers)


def _by_regression(first: Array, spent: Array, design: Array) -> Ratio:
    # The group stands last, so that it is seen whether the covariates add up to it.
    fit = robust_glm(spent, np.column_stack([design, first]), "poisson")
    if fit.variance <= 0.0:
        raise EstimationError(
            f"{' and '.join(_LEVELS)} are fully separated by the covariates; possible: without the one that "
            "separates them."
        )
    return _from_log(float(fit.coefficients[-1]), math.sqrt(fit.variance), len(first))


def _doubly_robust(first: Array, spent: Array, design: Array) -> Ratio:
    chance = robust_glm(first, design, "logistic").fitted
    keep = (chance >= _SURE) & (chance <= 1.0 - _SURE)
    trimmed = int((~keep).sum())
    first, spent, chance, design = first[keep], spent[keep], chance[keep], design[keep]
    sizes = int(first.sum()), int((1.0 - first).sum())
    if min(sizes) < _FEWEST or min(spent[first == arm].sum() for arm in (0.0, 1.0)) <= 0.0:
        raise EstimationError(
            f"{' and '.join(_LEVELS)} hardly overlap: {sizes[0]} and {sizes[1]} are comparable with the other group; "
            f"possible: from {_FEWEST} of each, some with an outcome above 0."
        )
    means, parts = [], []
    for arm, own in ((first, chance), (1.0 - first, 1.0 - chance)):
        mine = arm == 1.0
        expected = np.exp(design @ robust_glm(spent[mine], design[mine], "poisson").coefficients)
        scores = expected + arm * (spent - expected) / own
        means.append(float(scores.mean()))
        parts.append(scores / scores.mean())
    # The influence of each customer on the logarithm of the ratio; that of those left out is 0.
    influence = np.bincount(np.flatnonzero(keep), parts[0] - parts[1])
    error = math.sqrt(float((influence**2).sum())) / len(spent)
    found = _from_log(math.log(means[0] / means[1]), error, len(spent))
    return found._replace(trimmed=trimmed, overlap=(float(chance.min()), float(chance.max())))
