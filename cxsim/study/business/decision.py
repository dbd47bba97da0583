"""A study, its sensitivities and portfolio in; the decision on each strategy and on the best set, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from cxsim.finance.economics import Account
from cxsim.finance.returns import Outcome, Rule, outcome_of
from cxsim.params import DAYS_PER_YEAR, Quantity, Unit
from cxsim.simulation.counts import CountKind, place
from cxsim.strategies.mechanisms import Incidents
from cxsim.study.business.base_case import BaseCase
from cxsim.study.result import Study
from cxsim.tables import COUNT, REAL, TEXT, WHOLE_HORIZON, Contract, table_of
from cxsim.wording import chance, figure, first_sentence, joined, lowered, money, percent

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
# The decision on each strategy and combination, and one row for the best set (strategy and kind `portfolio`); kind:
# `strategy`, `combination` or `portfolio`. learn: what a pilot must show, empty without one. investment, benefits, npv:
# expected present values. changer_*: the assumption whose break-even is the most plausible, its value now, the value
# that would change the decision and the ends of its range, its 5 % and 95 % quantiles; base_npv: the NPV of the base
# case in which it was moved, whose sign shows on which side of the break-even the strategy pays; null where none is
# within reach. orders_to_pay: from how many orders a year in the baseline the expected NPV is above zero, all but fixed
# costs growing in proportion; null where no size pays. ceiling: NPV of the base case if all incidents but the least
# share that a ratio can be were avoided at no cost; of service strategies. horizon_months and what follows are the same
# in every row: revenue, orders_per_year and new_customers, who come in the first new_customer_months, are those of the
# baseline; fund_probability: the least chance of a positive NPV with which the shop funds; models: dropout models among
# which the draws are shared equally.
DECISION = Contract(
    "DECISION",
    TEXT("strategy", "title", "kind", "decision", "rule", "learn"),
    REAL("investment", "benefits", "npv", "npv_mc_error", "low", "high", "prob_npv_positive", "prob_mc_error"),
    REAL("roi", "payback_months", "payback_months_late"),
    TEXT("changer_id", "changer", "changer_unit"),
    REAL("changer_value", "changer_break_even", "changer_score"),
    COUNT("customers", "draws"),
    REAL("changer_low", "changer_high", "base_npv", "orders_to_pay", "ceiling"),
    REAL("horizon_months", "annual_discount_rate", "fund_probability", "revenue", "orders_per_year"),
    COUNT("new_customers", "new_customer_months", "models"),
    nullable=(
        "roi",
        "payback_months",
        "payback_months_late",
        *_CHANGER,
        "orders_to_pay",
        "ceiling",
        *("after_horizon", "base_npv_mc_error", "peak_funding", "risk_adjusted_npv"),
        *("added_to", "added_npv", "added_npv_mc_error"),
    ),
    # How the models stood the check on the shop's own orders (fits, caution or stop), and why. after_horizon:
    # present value of customers retained, after the horizon, which other figures contain where the rule is `included`;
    # null for the best set, as are peak_funding and risk_adjusted_npv, of INVESTMENT. base_npv_mc_error: simulation
    # error of the base case. added_npv: by how much the expected NPV of the best set, added_to, changes with a strategy
    # outside it, with its error; null where that was not simulated.
    optional=TEXT("model_check", "model_check_finding", "after_horizon_rule", "added_to")
    | REAL(
        "after_horizon", "base_npv_mc_error", "peak_funding", "risk_adjusted_npv", "added_npv", "added_npv_mc_error"
    ),
)
# What a strategy costs whatever its customers do.
_FIXED = (Account.SET_UP, Account.PROGRAMME)
# Effects on what goes wrong with an order, and on what is done about it.
_SERVICE = frozenset({"incidents", "tickets", "resolution", "recovery"})


def decision(study: Study, base: BaseCase, break_evens: pl.DataFrame, portfolio: pl.DataFrame) -> pl.DataFrame:
    """Return the decision on each strategy and combination, and on the best set of strategies."""
    scenario, ranges = study.scenario, study.assumptions.select("id", prior_low="low", prior_high="high")
    # Of each strategy the assumption whose break-even is the most plausible.
    nearest = break_evens.drop_nulls("score").sort(pl.col("score").abs(), "id").unique("strategy", keep="first")
    changers = nearest.join(ranges, on="id", how="left").select("strategy", **_CHANGER)
    table = study.returns.rename({"incremental_npv": "npv", "npv_low": "low", "npv_high": "high"})
    table = table.join(changers, on="strategy", how="left", maintain_order="left")
    plans = {row["strategy"]: row for row in study.test_plan.filter("chosen").iter_rows(named=True)}
    limits, alone, around = _ceilings(base), {one.name for one in scenario.strategies}, _surroundings(study)
    rows = []
    for row in table.iter_rows(named=True):
        name = row["strategy"]
        own = {
            "kind": "strategy" if name in alone else "combination",
            "rule": _reason(study, row, plans.get(name)),
            "learn": _to_learn(study, row, plans.get(name)) if row["decision"] == "pilot" else "",
            "benefits": row["npv"] + row["investment"],
            "orders_to_pay": _orders_to_pay(study, row, around["orders_per_year"]),
            "ceiling": limits.get(name),
        }
        rows.append(row | own | around)
    decisions = dict(study.returns.select("strategy", "decision").iter_rows())
    limit = "" if scenario.budget is None else f" within the budget of {money(scenario.most, study.currency)}"
    for row in portfolio.filter("chosen").iter_rows(named=True):
        found, reason = of_best_set(row, decisions, scenario.titles, scenario.rule, within=limit)
        own = {"strategy": PORTFOLIO_ROW, "kind": PORTFOLIO_ROW, "decision": found, "rule": reason, "learn": ""}
        own |= {"benefits": row["npv"] + row["investment"], "customers": study.returns["customers"][0]}
        rows.append(row | own | around)
    return table_of(rows, DECISION)


def _surroundings(study: Study) -> dict[str, float]:
    """Return what each decision is made in: horizon, rates and models, and the size of the baseline."""
    scenario = study.scenario
    sold = study.totals.filter(period=WHOLE_HORIZON, line="net revenue")["baseline"][0]
    orders = float(study.counts[0][:, :, place(CountKind.ORDERS)].sum(axis=1).mean())
    return {
        "horizon_months": scenario.calendar.months,
        "annual_discount_rate": scenario.economics.annual_discount_rate.value,
        "fund_probability": scenario.rule.fund,
        "new_customers": study.worlds.population.size - study.worlds.population.base.height,
        "new_customer_months": len(study.worlds.population.arrivals),
        "models": len(scenario.structures),
        "revenue": sold,
        "orders_per_year": orders / (scenario.calendar.days / DAYS_PER_YEAR),
    }


def _orders_to_pay(study: Study, row: Mapping[str, Any], orders: float) -> float | None:
    """Return from how many orders a year fixed costs are earned back; None where more orders lose more."""
    fixed = -study.present_value(row["strategy"], _FIXED)
    varying = row["npv"] + fixed
    return orders * max(fixed, 0.0) / varying if varying > 0.0 else None


def _ceilings(base: BaseCase) -> dict[str, float]:
    """Return the NPV of the base case if next to nothing went wrong for those whom a service strategy reaches."""
    least = Unit.RATIO.low
    none = Quantity(description="No incident.", unit=Unit.RATIO, value=least, range=(least, least), evidence="assumed")
    perfect = {
        one.name: (replace(one, effects=(Incidents(ratio=none),), costs=()),)
        for one in base.scenario.prior_strategies
        if base.scenario.behaviour.experience is not None and any(effect.kind in _SERVICE for effect in one.effects)
    }
    outcomes = base.simulate(list(perfect.values()))
    return {name: float(base.npv(outcome).mean()) for name, outcome in zip(perfect, outcomes, strict=True)}


def _reason(study: Study, row: Mapping[str, Any], plan: Mapping[str, Any] | None) -> str:
    """Return why the rule decides as it does about a strategy."""
    test = (plan and plan["net_benefit"]) or 0.0
    return reason_of(outcome_of(row, npv="npv", test=test), study.scenario.rule)


def reason_of(outcome: Outcome, rule: Rule) -> str:
    """Return why a rule decides as it does."""
    own, limit = chance(outcome.prob), percent(rule.fund)
    policy = f"{own} chance of a positive NPV; policy: fund from {limit}."
    if outcome.sign < 0:
        return (
            "Expected NPV is negative, but a test is worth more than it costs."
            if outcome.test > 0.0
            else "Expected NPV is negative, and no test is worth running."
        )
    if outcome.npv == 0.0 == outcome.npv_error:
        return "Expected NPV is zero in every draw."
    if outcome.sign == 0:
        return "Expected NPV is less than two simulation errors from zero; more draws may settle its sign."
    if outcome.prob >= rule.fund and not rule.likely(outcome):
        return f"{policy} The chance is within simulation error of that level; more draws would settle it."
    return policy


def _to_learn(study: Study, row: Mapping[str, Any], plan: Mapping[str, Any] | None) -> str:
    """Return what a pilot must show for the strategy to be funded, and what it takes to show it."""
    currency = study.currency
    if plan is not None and plan["weeks"] is not None:
        return (
            f"The pilot must show an extra contribution of at least {money(plan['difference'], currency)} per "
            f"customer, before what the programme spends, within {figure(plan['follow_up_days'])} days: "
            f"{figure(plan['per_group'])} customers in each of two groups, {figure(plan['weeks'])} weeks."
        )
    few = ""
    if plan is not None:
        few = (
            f" A test on contribution alone cannot show whether NPV is positive: it needs {figure(plan['per_group'])} "
            f"customers in each of two groups, and only {figure(plan['available'])} are available."
        )
    if row["changer_break_even"] is None:
        return f"The pilot must show what the programme costs and how many customers take part.{few}"
    worth = float(study.information.filter(decision=row["strategy"], id=row["changer_id"])["worth"].sum())
    alone = f" Perfect information on it is worth {money(worth, currency)} if this programme is decided on alone."
    return f"The pilot must measure: {lowered(first_sentence(row['changer']))}.{alone if worth else ''}{few}"


def of_best_set(
    row: Mapping[str, Any], decisions: Mapping[str, str], titles: Mapping[str, str], rule: Rule, *, within: str = ""
) -> tuple[str, str]:
    """Return the decision on the best set, and why, given the decisions on its members; `within` names the budget."""
    members = row["members"].split(", ") if row["members"] else []
    wanted = [titles[name] for name, found in decisions.items() if found == "fund" and name not in members]
    beyond = f" {joined(wanted)} would pay alone, but not within the budget or beside these." if wanted else ""
    if not members:
        pilot = any(found == "pilot" for found in decisions.values())
        closing = " A pilot is run for information; its own NPV may be negative." if pilot else ""
        return "reject", f"No set of programmes{within} has a positive expected NPV.{beyond}{closing}"
    outcome = outcome_of(row, npv="npv")
    own = rule.decision(outcome)
    waiting = [titles[name] for name in members if decisions[name] != "fund"]
    found = "pilot" if waiting and own == "fund" else own
    first = f" Not to be funded yet: {joined(waiting)}." if waiting else ""
    return found, f"Highest expected NPV of all sets{within}. {reason_of(outcome, rule)}{first}{beyond}"


def additions(portfolio: pl.DataFrame) -> pl.DataFrame:
    """Return how a strategy outside the best set changes its expected NPV, for those that were simulated with it."""
    sets = {frozenset(row["members"].split(", ")): row for row in portfolio.iter_rows(named=True)}
    best, chosen = next((members, row) for members, row in sets.items() if row["chosen"])
    rows = [
        (*(members - best), chosen["title"], -row["gap"], row["gap_mc_error"])
        for members, row in sets.items()
        if chosen["members"] and best < members and len(members) == len(best) + 1
    ]
    schema = {"strategy": pl.String, "added_to": pl.String, "added_npv": pl.Float64, "added_npv_mc_error": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
