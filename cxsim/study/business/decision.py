"""A study, its sensitivities, portfolio and test plan in; the decision on each strategy and on the best set, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.study.result import Study
from cxsim.tables import COUNT, REAL, TEXT, Contract, table_of
from cxsim.wording import figure, money, percent

PORTFOLIO_ROW = "portfolio"
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
# The decision per strategy, and one row for the best portfolio (strategy `portfolio`). changer_*: the assumption whose
# break-even is the most plausible, its value now and the value that would change the decision; null where none is
# within reach.
# Ends of the range of the changer, its 5 % and 95 % quantiles; and the NPV of the base case in which it was
# moved, whose sign shows on which side of the break-even the strategy pays.
DECISION = Contract(
    "DECISION",
    TEXT("strategy", "title", "decision", "rule"),
    REAL(
        "investment",
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
    nullable=("roi", "payback_months", "payback_months_late", *_CHANGER),
    # How the models stood the check on the shop's own orders (fits, caution or stop), and on what ground.
    optional=TEXT("model_check", "model_check_finding"),
)


def decision(
    study: Study,
    *,
    investment: pl.DataFrame,
    break_evens: pl.DataFrame,
    portfolio: pl.DataFrame,
    test_plan: pl.DataFrame,
) -> pl.DataFrame:
    """Return the decision on each strategy, and on the best set of them."""
    intervals = investment.select("strategy", low_80="npv_low_80", high_80="npv_high_80")
    ranges = study.assumptions.select("id", prior_low="low", prior_high="high")
    # Of each strategy the assumption whose break-even is the most plausible.
    nearest = break_evens.drop_nulls("score").sort(pl.col("score").abs(), "id").unique("strategy", keep="first")
    changers = nearest.join(ranges, on="id", how="left").select("strategy", **_CHANGER)
    table = study.returns.rename({"incremental_npv": "npv", "npv_low": "low", "npv_high": "high"})
    for part in (intervals, changers):
        table = table.join(part, on="strategy", how="left", maintain_order="left")
    rows = [row | {"rule": f"{_rule(study, row)}{_test(row, test_plan)}"} for row in table.iter_rows(named=True)]
    rows += [row | _of_portfolio(study, row) for row in portfolio.filter("chosen").iter_rows(named=True)]
    return table_of(rows, DECISION)


def _rule(study: Study, row: Mapping[str, Any]) -> str:
    """Return how the chance of a gain lies to the shop's limits, and what follows."""
    economics = study.scenario.economics
    fund, reject = percent(economics.fund_probability.value), percent(economics.reject_probability.value)
    gains = f"Gains in {percent(row['prob_npv_positive'])} of draws;"
    return {
        "fund": f"{gains} from {fund} on, the shop funds.",
        "pilot": f"{gains} between {reject} and {fund}, the shop pilots first.",
        "reject": f"{gains} below {reject}, the shop does not fund.",
    }[row["decision"]]


def _test(row: Mapping[str, Any], test_plan: pl.DataFrame) -> str:
    """Return what a test of a strategy that is to be piloted takes, or that there are too few customers for one."""
    plan = test_plan.filter("chosen", strategy=row["strategy"])
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


def _of_portfolio(study: Study, row: Mapping[str, Any]) -> dict[str, object]:
    budget = study.scenario.budget
    within = "" if budget is None else f" that cost at most {money(budget.value, study.currency)}"
    found = study.scenario.rule.decision(row["prob_npv_positive"]) if row["members"] else "reject"
    rule = f"Of all sets{within}, this one brings most on average. {_rule(study, {**row, 'decision': found})}"
    if not row["members"]:
        rule = f"On average over all draws, none of the sets{within} brings more than doing nothing."
        if study.returns["decision"].eq("pilot").any():
            rule = f"{rule} A pilot is run to learn whether that is so, not for its return."
    customers = study.returns["customers"][0]
    return {"strategy": PORTFOLIO_ROW, "decision": found, "rule": rule, "customers": customers}
