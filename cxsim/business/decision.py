"""Returns, break-evens and sets of strategies in; what to do, by which rule, and what would change it, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from cxsim.business_tables import DECISION
from cxsim.study import Study
from cxsim.study.summing import rule_of
from cxsim.tables import check, empty
from cxsim.wording import money, percent

PORTFOLIO_ROW = "portfolio"
# Columns of a changer, and of the register or the break-evens that they come from.
_CHANGER = {
    "changer_id": "id",
    "changer": "description",
    "changer_unit": "unit",
    "changer_value": "value",
    "changer_break_even": "break_even",
    "changer_score": "score",
    "changer_low": "believed_low",
    "changer_high": "believed_high",
    "base_npv": "npv",
}


def decision(
    study: Study, investment: pl.DataFrame, break_evens: pl.DataFrame, portfolio: pl.DataFrame
) -> pl.DataFrame:
    """Return the decision on each strategy, and on the best set of them.

    Parameters
    ----------
    study
        From `cxsim.run`.
    investment, portfolio
        Under INVESTMENT and PORTFOLIO.
    break_evens
        Under BREAK_EVENS.

    Returns
    -------
    polars.DataFrame
        Under DECISION. The number that would change a decision is the one whose break-even is nearest to its central
        value, measured in standard deviations of what is believed of it.
    """
    intervals = {row["strategy"]: row for row in investment.iter_rows(named=True)}
    ranges = study.assumptions.select("id", believed_low="low", believed_high="high")
    known = break_evens.join(ranges, on="id", how="left", maintain_order="left")
    rows = [
        _of_strategy(study, row, intervals[row["strategy"]]) | _changer(known, row["strategy"])
        for row in study.returns.iter_rows(named=True)
    ]
    rows += [
        _of_portfolio(study, row) | dict.fromkeys(_CHANGER) for row in portfolio.filter("chosen").iter_rows(named=True)
    ]
    return check(pl.DataFrame(rows, schema=empty(DECISION).schema), DECISION)


def _of_strategy(study: Study, row: Mapping[str, object], interval: Mapping[str, object]) -> dict[str, object]:
    economics = study.scenario.economics
    rule = (
        f"Fund where the chance of a gain is at least {percent(economics.fund_probability.value)}, do not fund where "
        f"it is below {percent(economics.reject_probability.value)}, pilot in between."
    )
    same = ("strategy", "title", "decision", "outlay", "prob_npv_positive", "prob_mc_error", "roi", "payback_months")
    return {name: row[name] for name in (*same, "payback_months_late", "customers", "draws", "npv_mc_error")} | {
        "rule": rule,
        "npv": row["incremental_npv"],
        "low": row["npv_low"],
        "high": row["npv_high"],
        "low_80": interval["npv_low_80"],
        "high_80": interval["npv_high_80"],
    }


def _of_portfolio(study: Study, row: Mapping[str, object]) -> dict[str, object]:
    share = float(str(row["prob_npv_positive"]))
    trials = int(str(row["draws"])) + 2
    shrunk = (share * (trials - 2) + 1.0) / trials
    budget = study.scenario.budget
    within = "" if budget is None else f" of those that cost at most {money(budget.value, study.currency)}"
    same = ("title", "outlay", "npv", "npv_mc_error", "low", "high", "low_80", "high_80", "prob_npv_positive", "roi")
    return {name: row[name] for name in (*same, "payback_months", "payback_months_late", "draws")} | {
        "strategy": PORTFOLIO_ROW,
        "decision": rule_of(study.scenario).decision(share) if row["members"] else "reject",
        "rule": f"The set of strategies with the highest expected net present value{within}, doing nothing among them.",
        "prob_mc_error": (shrunk * (1.0 - shrunk) / trials) ** 0.5,
        "customers": study.returns["customers"][0],
    }


def _changer(break_evens: pl.DataFrame, strategy: str) -> dict[str, object]:
    reached = break_evens.filter((pl.col("strategy") == strategy) & pl.col("score").is_not_null())
    nearest = next(_nearest_first(reached), None)
    if nearest is None:
        return dict.fromkeys(_CHANGER)
    return {name: nearest[source] for name, source in _CHANGER.items()}


def _nearest_first(reached: pl.DataFrame) -> Iterator[dict[str, object]]:
    return reached.sort(pl.col("score").abs(), "id").iter_rows(named=True)
