"""A study and what knowing is worth in; for each strategy the randomised test that would tell whether it pays, out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from cxsim.business.information import responses_to
from cxsim.business.watched import Watched, watched
from cxsim.business_tables import INFORMATION, TEST_PLAN
from cxsim.strategies import Strategy
from cxsim.study import Study
from cxsim.tables import check, empty
from cxsim.uncertainty import STANDARD, Groups, groups, smallest_difference
from cxsim.wording import money, percent

# A quarter, half a year and a year, in whole weeks.
DAYS = (91, 182, 364)
_FIRST_YEAR = 365.25


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """A test of one strategy that watches customers for so many days."""

    days: int
    mean: float
    sd: float
    difference: float
    per_group: int
    available: int
    weeks: float | None


def planned_tests(study: Study, information: pl.DataFrame) -> pl.DataFrame:
    """Return for each strategy the randomised test that would tell whether it pays.

    All customers who meet the strategy's condition take part, half of them without it, drawn by lot; those who are
    there at once, others as they come. What must be seen is the gain with which the strategy just pays: the share by
    which all that these customers bring within the horizon would have to rise for the present value of the rise to
    equal that of the outlay, of what one of them brings while watched. Since the outlay is spread over all of them
    and not over those who join, it is diluted as the gain is. For a strategy that spends nothing, the gain that is
    expected takes the outlay's place. Contributions vary as they do without the strategy, in one world with every
    number at its central value.
    """
    check(information, INFORMATION)
    seen = watched(study, DAYS)
    rows: list[dict[str, object]] = []
    believed = [one for one in study.scenario.strategies if one.mode == "prior"]
    for place, strategy in enumerate(believed):
        plans = list(_plans(seen, place, _to_pay(study, strategy)))
        best = min(plans, key=_order, default=None)
        rows += [_row(strategy, plan, information, study.currency) | {"chosen": plan is best} for plan in plans]
    return check(pl.DataFrame(rows, schema=empty(TEST_PLAN).schema), TEST_PLAN)


def _order(plan: _Plan) -> tuple[bool, int]:
    """Sort the shortest that is feasible first, then what needs the fewest customers."""
    return (True, plan.per_group) if plan.weeks is None else (False, plan.days)


def _to_pay(study: Study, strategy: Strategy) -> float:
    """Return the present value that the strategy must bring."""
    returns = study.returns.filter(pl.col("strategy") == strategy.name).row(0, named=True)
    outlay = float(returns["outlay"])
    return outlay if outlay > 0.0 else abs(float(returns["incremental_npv"]))


def _plans(seen: Watched, place: int, to_pay: float) -> Iterator[_Plan]:
    reached = seen.reached[:, place]
    if to_pay == 0.0 or not reached.any():
        return
    worth = float(seen.worth[reached].sum())
    entered = np.sort(seen.entered[reached])
    available = int((entered < _FIRST_YEAR).sum())
    for days, brought in seen.within.items():
        told = brought[reached & np.isfinite(brought)]
        if len(told) < 2:
            continue
        mean, sd = float(told.mean()), float(told.std(ddof=1))
        # Customers who bring nothing have no share that could rise; then all must come back while they are watched.
        difference = to_pay / worth * mean if min(worth, mean) > 0.0 else to_pay / int(reached.sum())
        per_group = groups(sd, difference).first
        fits = 2 * per_group <= available
        yield _Plan(
            days=days,
            mean=mean,
            sd=sd,
            difference=difference,
            per_group=per_group,
            available=available,
            weeks=float(entered[2 * per_group - 1] + days) / 7.0 if fits else None,
        )


def _row(strategy: Strategy, plan: _Plan, information: pl.DataFrame, currency: str) -> dict[str, object]:
    name = responses_to(strategy.name)
    known = information.filter((pl.col("decision") == strategy.name) & (pl.col("id") == name))
    return {
        "strategy": strategy.name,
        "title": strategy.title,
        "id": name,
        "description": f"{strategy.title}: how many take part, and how they respond",
        "outcome": f"Contribution per customer within {plan.days} days",
        "watched_days": plan.days,
        "mean": plan.mean,
        "sd": plan.sd,
        "difference": plan.difference,
        "alpha": STANDARD.alpha,
        "power": STANDARD.power,
        "per_group": plan.per_group,
        "available": plan.available,
        "weeks": plan.weeks,
        "worth": float(known["worth"].sum()),
        "verdict": _verdict(plan, currency),
    }


def _verdict(plan: _Plan, currency: str) -> str:
    if plan.weeks is not None:
        return (
            f"Feasible: {plan.per_group:,} customers in each group, and the answer is known after "
            f"{plan.weeks:.0f} weeks."
        )
    needed = (
        f"Not feasible: each group needs {plan.per_group:,} customers, and {plan.available:,} could take part within a "
        "year"
    )
    half = plan.available // 2
    if half < 1:
        return f"{needed}."
    least = smallest_difference(plan.sd, Groups(first=half, second=half))
    share = f", {percent(least / plan.mean)} of what one brings in that time" if plan.mean > 0.0 else ""
    return (
        f"{needed}; the smallest gain that they could show is {money(least, currency)} a customer{share}, and "
        f"{money(plan.difference, currency)} would pay for the strategy."
    )
