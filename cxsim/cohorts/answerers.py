"""Orders and answers in; customers who answered in one season, what they did before and what they did after it, out.

Three times follow each other: a history, in which everybody is a customer already; a season of answering, from which
each customer's first answer counts; and a time after that answer, equally long for everybody and over before the
tables end. So nobody belongs to a group for having lived long enough to get into it, and nobody is half observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from cxsim.cohorts.credibility import credible_mean, credible_rate
from cxsim.errors import DataError
from cxsim.exports import ORDERS, SURVEYS
from cxsim.tables import Contract, check
from cxsim.units import CENTS

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
    told = _told(_bought(orders, season), since=since, opens=opens, outcome=windows.outcome_days * _DAY).collect()
    old = told.filter(pl.col("came") < since)
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


def _told(bought: pl.LazyFrame, *, since: datetime, opens: datetime, outcome: timedelta) -> pl.LazyFrame:
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


def _with_covariates(told: pl.DataFrame, opens: datetime) -> pl.DataFrame:
    wait = (pl.col("answered_at") - opens).dt.total_seconds() / _DAY.total_seconds()
    age = (pl.col("answered_at") - pl.col("came")).dt.total_seconds() / _DAY.total_seconds()
    timed = told.with_columns(wait=wait, age=age)
    if told.is_empty():
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
