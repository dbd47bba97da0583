"""A study in; its business case out: the decision and everything that it rests on, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import polars as pl

from cxsim.finance.returns import fan, investment
from cxsim.finance.statement import cash_days, cohort_money, flows, periods
from cxsim.params import Quantity
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import Executor
from cxsim.study.business.base_case import Central, Centre, alone, central_of
from cxsim.study.business.checklist import case_register, checklist
from cxsim.study.business.contracts import BASE_CASE, DECISION
from cxsim.study.business.information import information, planned_tests, split
from cxsim.study.business.kpis import kpis
from cxsim.study.business.liabilities import liabilities
from cxsim.study.business.portfolio import pathways, portfolio
from cxsim.study.business.sensitivity import break_evens, grids, moves, rates, tornado
from cxsim.study.naive import naive_readings
from cxsim.study.play import notebook_bar
from cxsim.study.result import Study, present_values, rule_of
from cxsim.tables import check, empty
from cxsim.wording import figure, money, percent, written_as

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
    return check(pl.DataFrame(rows, schema=empty(DECISION).schema), DECISION)


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
            f" No test among this shop's customers can tell by their money alone whether it pays: that takes "
            f"{figure(group)} in each of two groups, and {figure(available)} could take part. A pilot shows what it "
            "costs and how it is met."
        )
    return f" A test that tells takes {figure(group)} customers in each of two groups and {figure(weeks)} weeks."


def _of_portfolio(study: Study, row: Mapping[str, object]) -> dict[str, object]:
    share = float(str(row["prob_npv_positive"]))
    budget = study.scenario.budget
    within = "" if budget is None else f" that cost at most {money(budget.value, study.currency)}"
    same = ("title", "outlay", "npv", "npv_mc_error", "low", "high", "low_80", "high_80", "prob_npv_positive", "roi")
    found = rule_of(study.scenario).decision(share) if row["members"] else "reject"
    best = f"Of all sets{within}, this one brings most on average. {_rule(study, {**row, 'decision': found})}"
    none = (
        f"On average over all draws, none of the sets{within} brings more than doing nothing.{_while_piloting(study)}"
    )
    return {name: row[name] for name in (*same, "prob_mc_error", "payback_months", "payback_months_late", "draws")} | {
        "strategy": PORTFOLIO_ROW,
        "decision": found,
        "rule": best if row["members"] else none,
        "customers": study.returns["customers"][0],
    }


def _while_piloting(study: Study) -> str:
    """Return why something may be piloted although nothing pays on average."""
    piloted = study.returns.filter(pl.col("decision") == "pilot").height
    return " A pilot is run to learn whether that is so, not for its return." if piloted else ""


def _changer(break_evens: pl.DataFrame, strategy: str) -> dict[str, object]:
    reached = break_evens.filter((pl.col("strategy") == strategy) & pl.col("score").is_not_null())
    nearest = next(_nearest_first(reached), None)
    if nearest is None:
        return dict.fromkeys(_CHANGER)
    return {name: nearest[source] for name, source in _CHANGER.items()}


def _nearest_first(reached: pl.DataFrame) -> Iterator[dict[str, object]]:
    return reached.sort(pl.col("score").abs(), "id").iter_rows(named=True)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Statements:
    """The money of a study.

    Attributes
    ----------
    investment, periods, cohorts, fan
        Under INVESTMENT, PERIODS, COHORT_MONEY and FAN.
    """

    investment: pl.DataFrame
    periods: pl.DataFrame
    cohorts: pl.DataFrame
    fan: pl.DataFrame


def statements(study: Study) -> Statements:
    """Return the money of a study."""
    scenario, worlds = study.scenario, len(study.replay.draws)
    calendar, economics = scenario.calendar, scenario.economics
    monthly = flows(study.ledger, scenario.arms, draws=worlds, months=calendar.months)
    present = present_values(scenario, study.replay.draws)
    days = cash_days(calendar.month_starts, economics.timing)
    starts = [calendar.starts_of(month) for month in range(calendar.months + 1)]
    return Statements(
        investment=investment(
            monthly,
            present,
            titles=scenario.titles,
            customers=study.replay.population.size,
            days=days,
            hurdle=_or_nothing(economics.roi_hurdle),
            benefit_haircut=_or_nothing(economics.benefit_haircut),
            cost_uplift=_or_nothing(economics.cost_uplift),
            structures=len(scenario.structures),
            annual_discount_rate=economics.annual_discount_rate.value,
        ),
        periods=periods(monthly, present, starts[:-1], days=days, titles=scenario.titles),
        cohorts=cohort_money(
            study.ledger,
            scenario.arms,
            draws=worlds,
            months=calendar.months,
            customers=_customers(study),
            titles=scenario.titles,
        ),
        fan=fan(monthly, [start - timedelta(days=1) for start in starts[1:]], scenario.titles),
    )


def _or_nothing(quantity: Quantity | None) -> float:
    return 0.0 if quantity is None else quantity.value


def _customers(study: Study) -> Mapping[str, float]:
    """Return how many customers each cohort of the baseline has, means over worlds."""
    replay, calendar = study.replay, study.scenario.calendar
    counted = replay.counts[0].mean(axis=0)
    existing = {"existing": float(replay.population.base.height)}
    arrived = {
        f"{calendar.starts_of(month):%Y-%m}": float(counted[month, place(CountKind.ARRIVALS)])
        for month in range(len(replay.population.arrivals))
    }
    return existing | arrived | {"referred": float(counted[:, place(CountKind.REFERRED)].sum())}


def most_valuable(study: Study) -> str:
    """Return the name of the strategy with the largest outlay: the one on which a wrong reading costs most."""
    outlays = dict(study.returns.select("strategy", "outlay").iter_rows())
    names = [strategy.name for strategy in alone(study.scenario)] or list(outlays)
    return max(names, key=lambda name: (outlays[name], name))


Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class BusinessCase:
    """What a finance director asks of a study, answered.

    Attributes
    ----------
    study
        What was played.
    decision
        What to do about each strategy and which set of them is best, under DECISION.
    investment, periods, cohorts, fan
        The money: under INVESTMENT, PERIODS, COHORT_MONEY and FAN.
    base_case, tornado, break_evens, grid, grid_centre, heat, rates, pathways
        What moves the result and where it comes from: under the contracts of these names.
    split, information, test_plan
        What is not known, what knowing it would be worth, and the test that would tell: under SPLIT, INFORMATION and
        TEST_PLAN.
    portfolio
        Sets of strategies, under PORTFOLIO.
    liabilities, kpis
        What the shop owes its customers, and what happens to the metrics of their experience: under LIABILITIES, KPIS.
    naive, naive_of
        What common comparisons would say in one world, beside the truth, under NAIVE, and the title of the strategy
        they are about: the one with the largest outlay.
    register, checklist
        Every number that was assumed, and what a reader should look for: under REGISTER and CHECKLIST.
    """

    study: Study
    decision: pl.DataFrame
    investment: pl.DataFrame
    periods: pl.DataFrame
    cohorts: pl.DataFrame
    fan: pl.DataFrame
    base_case: pl.DataFrame
    tornado: pl.DataFrame
    break_evens: pl.DataFrame
    grid: pl.DataFrame
    grid_centre: pl.DataFrame
    heat: pl.DataFrame
    rates: pl.DataFrame
    pathways: pl.DataFrame
    split: pl.DataFrame
    information: pl.DataFrame
    test_plan: pl.DataFrame
    portfolio: pl.DataFrame
    liabilities: pl.DataFrame
    kpis: pl.DataFrame
    naive: pl.DataFrame
    naive_of: str
    register: pl.DataFrame
    checklist: pl.DataFrame

    @property
    def budget(self) -> float | None:
        """The most that all strategies together may cost, as a present value; None for no limit."""
        budget = self.study.scenario.budget
        return None if budget is None else budget.value

    def __repr__(self) -> str:
        """Return one line."""
        found = ", ".join(f"{row['strategy']}: {row['decision']}" for row in self.decision.iter_rows(named=True))
        return f"BusinessCase({self.study.scenario.name}; {found})"


def business_case(study: Study, *, executor: Executor | None = None, progress: Progress | None = None) -> BusinessCase:
    """Return the business case of a study.

    Its draws answer how much is not known. What moves the result is asked of the base case, which is played again with
    one number moved at a time, and which sets of strategies go together, of the first draws.

    Parameters
    ----------
    study
        From `cxsim.run`.
    executor
        As in `cxsim.run`. The results do not depend on it.
    progress
        Called with the number of parts done and their total. When None, Jupyter shows a bar, and a script nothing.

    Returns
    -------
    BusinessCase
        The same tables for the same study.

    Raises
    ------
    SimulationError
        When a variant cannot be played.
    """
    # By the shop's own locale, whatever the session's is, so that the same study gives the same sentences.
    with written_as(study.scenario.economics.locale):
        return _business_case(study, executor, progress or notebook_bar("Working out the business case") or _silent)


def _business_case(study: Study, executor: Executor | None, progress: Progress) -> BusinessCase:
    parts = _Parts(progress=progress)
    base = central_of(study, executor=executor)
    centre = parts.done(base.centre())
    money = parts.done(statements(study))
    every = parts.done(moves(base, study, centre))
    swings = parts.done(tornado(base, every, centre))
    even = parts.done(break_evens(base, every, centre))
    nodes = parts.done(grids(base, swings))
    sets = parts.done(portfolio(study, executor=executor))
    known = parts.done(information(study))
    tests = parts.done(planned_tests(study, known))
    follow_up = most_valuable(study)
    return BusinessCase(
        study=study,
        decision=decision(study, investment=money.investment, break_evens=even, portfolio=sets, test_plan=tests),
        investment=money.investment,
        periods=money.periods,
        cohorts=money.cohorts,
        fan=money.fan,
        base_case=_base_case(base, study, centre),
        tornado=swings,
        break_evens=even,
        grid=nodes.grid,
        grid_centre=nodes.centre,
        heat=nodes.heat,
        rates=rates(study),
        pathways=parts.done(pathways(base, centre, study.returns)),
        split=parts.done(split(study)),
        information=known,
        test_plan=tests,
        portfolio=sets,
        liabilities=liabilities(study),
        kpis=parts.done(kpis(study)),
        naive=parts.done(naive_readings(study, follow_up)),
        naive_of=study.scenario.titles[follow_up],
        register=case_register(study, swings, known),
        checklist=checklist(study),
    )


# So many parts of a business case take time.
_PARTS = 13
T = TypeVar("T")


@dataclass(kw_only=True, slots=True)
class _Parts:
    """Counts the parts that are done."""

    progress: Progress
    count: int = 0

    def done(self, part: T) -> T:
        self.count += 1
        self.progress(self.count, _PARTS)
        return part


def _base_case(base: Central, study: Study, centre: Centre) -> pl.DataFrame:
    rows = []
    for row in study.returns.iter_rows(named=True):
        worth = base.npv(centre[row["strategy"]])
        sentence = {"npv": float(worth.mean()), "mc_error": base.error(worth), "worlds": len(worth)}
        rows.append({name: row[name] for name in ("strategy", "title")} | sentence | {"mean": row["incremental_npv"]})
    return check(pl.DataFrame(rows, schema=empty(BASE_CASE).schema), BASE_CASE)


def _silent(done: int, total: int) -> None:
    """Say nothing."""
