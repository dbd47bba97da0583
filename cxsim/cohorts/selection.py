"""Orders and answers in; what promoters are worth next to detractors, and how much of it is selection, out.

People who order more answer differently, so a table of worth by score looks as if satisfaction paid even where it does
nothing. Three things can be done about it, and the panel shows what each is worth.

A negative control shows how much is hidden: what was spent before the answer cannot have been caused by it. In
simulated shops in which satisfaction does nothing (correlation 0.3 with rate, staying and baskets) promoters had spent
1.87 times as much before, and spend 1.88 times as much after.

Adjusting for history (regression, doubly robust) compares promoters and detractors who had behaved alike. Orders and
baskets alone are too noisy a record of what people are like: they leave 1.13 to 1.17 there, and more customers make
that error surer, not smaller. What people said before tells of the trait itself: with earlier answers among the
covariates 1.01 and 0.99 are left. Where few answer twice the adjustment is worth less.

Comparing everybody with their own past divides after by before: what people are like all along, seen or unseen,
cancels. It leaves 1.01, without any model.

Both see only what goes with the news in an answer: an effect of being content that had been there all the time before
cancels too. And neither sees who will leave, of which the past of people who have all stayed shows nothing: where
leaving follows orders and differs much (MBG/NBD) 1.05 is left against the own past and 1.11 by regression, which half
a million customers tell from 1. A Pareto/NBD fitted to all 78 weeks of CDNOW, in which lifetimes differ more than in
one fitted to half of them, leaves 1.02, 1.05 and, doubly robust, 1.07. None of this is an effect: that takes an
experiment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime

import polars as pl

from cxsim.cohorts.adjusted import Method, adjusted_ratio, e_value
from cxsim.cohorts.answerers import COVARIATES, DETRACTORS, PROMOTERS, Answerers, Windows, followed_answerers
from cxsim.cohorts.by_nps import can_compare, overall_ratio, ratio_at_equal_count, worth_of_answerers
from cxsim.cohorts.comparing import Ratio, plain_ratio, ratio_to_own_past
from cxsim.errors import EstimationError
from cxsim.measured import SELECTION
from cxsim.tables import check

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
    words = f"Promoters have spent {naive.ratio:.2f} times as much as detractors; why, it does not say."
    yield _row("naive", "All spend so far, by the last answer", naive, words)
    words = f"{equal.ratio:.2f} times: two customers with the same few orders are not alike, and the score knows more."
    yield _row("equal_count", "The same, at an equal number of orders", equal, words)


def _of_followed(followed: Answerers, windows: Windows) -> Iterator[Row]:
    customers, days = followed.customers, windows.outcome_days
    with contextlib.suppress(EstimationError):
        found = plain_ratio(customers, group="group", levels=_LEVELS, outcome="spend_before")
        words = f"{found.ratio:.2f} times before they answered, which the answer cannot have caused: selection."
        yield _row("before", f"Spend in the {windows.history_days} days before answering", found, words)
    with contextlib.suppress(EstimationError):
        found = plain_ratio(customers, group="group", levels=_LEVELS, outcome="spend_after")
        left = f"Left out: {followed.too_new:,} too new, {followed.too_late:,} who answered too late to be followed."
        words = f"{found.ratio:.2f} times after it, before any adjustment. {left}"
        yield _row("after", f"Spend in the {days} days after an answer", found, words)
    for method, name in _ADJUSTMENTS.items():
        with contextlib.suppress(EstimationError):
            yield _adjusted(customers, method, f"These {days} days, adjusted for history: {name}")
    with contextlib.suppress(EstimationError):
        found = ratio_to_own_past(customers, group="group", levels=_LEVELS, before="spend_before", after="spend_after")
        words = f"{found.ratio:.2f} times what their own past lets expect: what they are like all along cancels."
        yield _row("own_past", "After over before: against their own past", found, words)


def _adjusted(customers: pl.DataFrame, method: Method, title: str) -> Row:
    found = adjusted_ratio(
        customers, group="group", levels=_LEVELS, outcome="spend_after", covariates=COVARIATES, method=method
    )
    unseen = e_value(found.ratio)
    words = (
        f"{found.ratio:.2f} times at an equal history; an unseen trait that goes with both by {unseen:.1f} explains it."
    )
    if found.overlap is not None:
        low, high = found.overlap
        words += f" Chance of a promoter {low:.2f} to {high:.2f}; {found.trimmed:,} without a like left out."
    return _row(method, title, Ratio(found.ratio, found.low, found.high, found.customers), words)


def _row(method: str, title: str, found: Ratio, words: str) -> Row:
    return method, title, found.ratio, found.low, found.high, found.customers, "association", words
