"""A study, its sensitivities, portfolio and test plan in; the decision on each strategy and on the best set, out."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cxsim.study.result import Study
from cxsim.tables import COUNT, REAL, TEXT, Contract, table_of
from cxsim.wording import figure, money, percent

PORTFOLIO_ROW = "portfolio"
# The decision per strategy, and one row for the best portfolio (strategy `portfolio`). changer_*: the assumption whose
# break-even is the most plausible, its value now and the value that would change the decision; null where none is
# within reach.
# Ends of the range of the changer, its 5 % and 95 % quantiles; and the NPV of the base case in which it was
# moved, whose sign shows on which side of the break-even the strategy pays.
DECISION = Contract(
    "DECISION",
    TEXT("strategy", "title", "decision", "rule"),
    REAL(
        "outlay",
        "npv",
        "npv_mc_error",
        "low_80",
        "high_80",
        "low",
        "high",
        "prob_npv_positive",
        "prob_mc_error",
        "roi",
        "payback_months",
        "payback_months_late",
    ),
    TEXT("changer_id", "changer", "changer_unit"),
    REAL("changer_value", "changer_break_even", "changer_score"),
    COUNT("customers", "draws"),
    REAL("changer_low", "changer_high", "base_npv"),
    nullable=(
        "changer_low",
        "changer_high",
        "base_npv",
        "roi",
        "payback_months",
        "payback_months_late",
        "changer_id",
        "changer",
        "changer_unit",
        "changer_value",
        "changer_break_even",
        "changer_score",
    ),
)
# Columns of a changer, and of the register or the break-evens that they come from.
_CHANGER = {
    "changer_id": "id",
    "changer": "description",
    "changer_unit": "unit",
    "changer_value": "value",
    "changer_break_even": "break_even",
    "changer_score": "score",
    "changer_low": "prior_low",
    "changer_high": "prior_high",
    "base_npv": "npv",
}


def decision(
    study: Study,
    *,
    investment: pl.DataFrame,
    break_evens: pl.DataFrame,
    portfolio: pl.DataFrame,
    test_plan: pl.DataFrame,
) -> pl.DataFrame:
    """Return the decision on each strategy, and on the best set of them."""
    intervals = {row["strategy"]: row for row in investment.iter_rows(named=True)}
    ranges = study.assumptions.select("id", prior_low="low", prior_high="high")
    known = break_evens.join(ranges, on="id", how="left", maintain_order="left")
    rows = [
        _of_strategy(study, row, intervals[row["strategy"]], test_plan) | _changer(known, row["strategy"])
        for row in study.returns.iter_rows(named=True)
    ]
    rows += [
        _of_portfolio(study, row) | dict.fromkeys(_CHANGER) for row in portfolio.filter("chosen").iter_rows(named=True)
    ]
    return table_of(rows, DECISION)


def _of_strategy(
    study: Study, row: Mapping[str, object], interval: Mapping[str, object], test_plan: pl.DataFrame
) -> dict[str, object]:
    same = ("strategy", "title", "decision", "outlay", "prob_npv_positive", "prob_mc_error", "roi", "payback_months")
    return {name: row[name] for name in (*same, "payback_months_late", "customers", "draws", "npv_mc_error")} | {
        "rule": f"{_rule(study, row)}{_test(row, test_plan)}",
        "npv": row["incremental_npv"],
        "low": row["npv_low"],
        "high": row["npv_high"],
        "low_80": interval["npv_low_80"],
        "high_80": interval["npv_high_80"],
    }


def _rule(study: Study, row: Mapping[str, object]) -> str:
    """Return how the chance of a gain lies to the shop's limits, and what follows."""
    economics = study.scenario.economics
    fund, reject = percent(economics.fund_probability.value), percent(economics.reject_probability.value)
    gains = f"Gains in {percent(float(str(row['prob_npv_positive'])))} of draws;"
    return {
        "fund": f"{gains} from {fund} on, the shop funds.",
        "pilot": f"{gains} between {reject} and {fund}, the shop pilots first.",
        "reject": f"{gains} below {reject}, the shop does not fund.",
    }[str(row["decision"])]


def _test(row: Mapping[str, object], test_plan: pl.DataFrame) -> str:
    """Return what a test of a strategy that is to be piloted takes, or that there are too few customers for one."""
    plan = test_plan.filter((pl.col("strategy") == row["strategy"]) & pl.col("chosen"))
    if row["decision"] != "pilot" or plan.is_empty():
        return ""
    group, weeks, available = plan.select("per_group", "weeks", "available").row(0)
    if weeks is None:
        return (
            f" No test among this shop's customers can show by their money alone whether it pays: that takes "
            f"{figure(group)} in each of two groups, and {figure(available)} could take part. A pilot shows what it "
            "costs and how it is met."
        )
    return (
        f" A test of whether it pays takes {figure(group)} customers in each of two groups and {figure(weeks)} weeks."
    )


def _of_portfolio(study: Study, row: Mapping[str, object]) -> dict[str, object]:
    share = float(str(row["prob_npv_positive"]))
    budget = study.scenario.budget
    within = "" if budget is None else f" that cost at most {money(budget.value, study.currency)}"
    same = ("title", "outlay", "npv", "npv_mc_error", "low", "high", "low_80", "high_80", "prob_npv_positive", "roi")
    found = study.scenario.rule.decision(share) if row["members"] else "reject"
    best = f"Of all sets{within}, this one brings most on average. {_rule(study, {**row, 'decision': found})}"
    none = f"On average over all draws, none of the sets{within} brings more than doing nothing."
    if study.returns["decision"].eq("pilot").any():
        none = f"{none} A pilot is run to learn whether that is so, not for its return."
    return {name: row[name] for name in (*same, "prob_mc_error", "payback_months", "payback_months_late", "draws")} | {
        "strategy": PORTFOLIO_ROW,
        "decision": found,
        "rule": best if row["members"] else none,
        "customers": study.returns["customers"][0],
    }


def _changer(break_evens: pl.DataFrame, strategy: str) -> dict[str, object]:
    """Return the assumption whose break-even is the most plausible."""
    reached = break_evens.filter((pl.col("strategy") == strategy) & pl.col("score").is_not_null())
    nearest = reached.sort(pl.col("score").abs(), "id").head(1).to_dicts()
    return {name: nearest[0][source] if nearest else None for name, source in _CHANGER.items()}
