"""A study in; its business case out: the decision and everything that it rests on, as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

import polars as pl

from cxsim.display import facts_html, notebook_bar
from cxsim.errors import require_kind
from cxsim.finance.returns import investment
from cxsim.finance.statement import cash_days, cohort_money, fan, flows, periods
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import Executor
from cxsim.study.business.base_case import base_case, base_case_table, prices, volumes
from cxsim.study.business.checklist import case_register, checklist
from cxsim.study.business.decision import PORTFOLIO_ROW, additions, decision
from cxsim.study.business.evidence import Evidence, evidence, with_model_check
from cxsim.study.business.information import drawn_inputs, split
from cxsim.study.business.kpis import kpis
from cxsim.study.business.liabilities import liabilities
from cxsim.study.business.pathways import pathways, qualities
from cxsim.study.business.portfolio import portfolio
from cxsim.study.business.sensitivity import break_evens, grids, rates, sensitivities, tornado
from cxsim.study.result import Study
from cxsim.wording import BADGES, INTERVAL, between, chance, joined, number, written_as

Progress = Callable[[int, int], None]
T = TypeVar("T")
# So many steps of a business case report their progress.
_STEPS = 12


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class BusinessCase:
    """What a finance director asks of a study, answered.

    Attributes
    ----------
    study
        What was simulated.
    decision
        What to do about each strategy and which set of them is best, under DECISION.
    evidence
        How the models of orders and leaving fit this shop's own orders and forecast those of its past.
    investment, periods, cohorts, fan
        The money: under INVESTMENT, PERIODS, COHORT_MONEY and FAN.
    summary, qualities
        The case on one page, in money and in words, under SUMMARY and QUALITIES.
    volumes, prices
        The base case as a model, in which money is volumes times prices: under VOLUMES and PRICES.
    base_case, tornado, break_evens, grid, grid_centre, heat, rates, pathways
        What moves the result and where it comes from: under the contracts of these names.
    split
        Which uncertainty the spread of each NPV comes from, under SPLIT.
    portfolio
        Sets of strategies, under PORTFOLIO.
    liabilities, kpis
        What the shop owes its customers, and what happens to the metrics of their experience: under LIABILITIES, KPIS.
    register, checklist
        Every number that was assumed, and what a reader should look for: under REGISTER and CHECKLIST.
    """

    study: Study
    decision: pl.DataFrame
    evidence: Evidence
    investment: pl.DataFrame
    periods: pl.DataFrame
    cohorts: pl.DataFrame
    fan: pl.DataFrame
    base_case: pl.DataFrame
    volumes: pl.DataFrame
    prices: pl.DataFrame
    tornado: pl.DataFrame
    break_evens: pl.DataFrame
    grid: pl.DataFrame
    grid_centre: pl.DataFrame
    heat: pl.DataFrame
    rates: pl.DataFrame
    pathways: pl.DataFrame
    summary: pl.DataFrame
    qualities: pl.DataFrame
    split: pl.DataFrame
    portfolio: pl.DataFrame
    liabilities: pl.DataFrame
    kpis: pl.DataFrame
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

    def _repr_html_(self) -> str:
        best = self.portfolio.filter("chosen")["title"]
        facts = {"best set": joined(best.to_list()), "models": self.evidence.sentence}
        heads = ("programme", "recommendation", f"NPV, {self.study.currency}", INTERVAL, "chance of a positive NPV")
        rows = (
            (
                *(row["title"], BADGES[row["decision"]], number(row["npv"])),
                *(between(row["low"], row["high"]), chance(row["prob_npv_positive"])),
            )
            for row in self.decision.filter(pl.col("kind") != PORTFOLIO_ROW).iter_rows(named=True)
        )
        return facts_html(self.study.scenario.title, facts, heads, rows)


def business_case(study: Study, *, executor: Executor | None = None, progress: Progress | None = None) -> BusinessCase:
    """Return the business case of a study.

    Its draws show how much is not known. What moves the result is asked of the base case, which is simulated again with
    one number moved at a time, and which sets of strategies go together, of the first draws.

    Parameters
    ----------
    study
        From `cxsim.run`.
    executor
        As in `cxsim.run`. The results do not depend on it.
    progress
        Called with the number of steps done and their total. When None, Jupyter shows a bar, and a script nothing.

    Returns
    -------
    BusinessCase
        The same tables for the same study.

    Raises
    ------
    SimulationError
        When a variant cannot be simulated.
    """
    require_kind(study, Study, "a study: cxsim.run(scenario)")
    # By the shop's own locale, whatever the session's is, so that the same study gives the same sentences.
    with written_as(study.scenario.economics.locale):
        return _business_case(study, executor, progress or notebook_bar("Working out the business case"))


def _business_case(study: Study, executor: Executor | None, progress: Progress | None) -> BusinessCase:
    step = _counted(progress)
    money = step(statements(study))
    base = step(base_case(study, executor=executor))
    varied = step(sensitivities(base, study))
    swings = step(tornado(base, varied))
    even = step(break_evens(base, varied))
    grid, grid_centre, heat = step(grids(base, swings))
    ways, summary = step(pathways(base, study.returns, money["periods"]))
    sets = step(portfolio(study, executor=executor))
    drawn = step(drawn_inputs(study))
    checked = step(evidence(study))
    central = base_case_table(base, study.returns)
    errors = central.select("strategy", base_npv_mc_error="mc_error")
    decided = _beside(decision(study, base, even, sets), money["investment"], errors, additions(sets))
    return BusinessCase(
        study=study,
        decision=with_model_check(decided, checked),
        evidence=checked,
        **money,
        base_case=central,
        volumes=volumes(base),
        prices=prices(base),
        tornado=swings,
        break_evens=even,
        grid=grid,
        grid_centre=grid_centre,
        heat=heat,
        rates=rates(study),
        pathways=ways,
        summary=summary,
        qualities=qualities(study),
        split=step(split(study, drawn)),
        portfolio=sets,
        liabilities=liabilities(study),
        kpis=step(kpis(study)),
        register=case_register(study, swings, study.information),
        checklist=checklist(study),
    )


def statements(study: Study) -> dict[str, pl.DataFrame]:
    """Return the money of a study, under INVESTMENT, PERIODS, COHORT_MONEY and FAN."""
    scenario, worlds, titles = study.scenario, study.worlds, study.scenario.titles
    calendar, economics, arms, draws = scenario.calendar, scenario.economics, scenario.arms, len(worlds.draws)
    monthly = flows(study.ledger, arms, draws=draws, months=calendar.months)
    present = worlds.present_values()
    days = cash_days(calendar.month_starts, economics.timing)
    starts = [calendar.starts_of(month) for month in range(calendar.months + 1)]
    usual, *later = map(worlds.later_values, study.counts)
    retained = {arm: values - usual for arm, values in zip(arms[1:], later, strict=True)}
    shared: Any = {"days": days, "titles": titles}
    sizes: Any = {"customers": worlds.population.size, "structures": len(scenario.structures)}
    after: Any = {"retained": retained, "retained_rule": scenario.after_horizon}
    return {
        "investment": investment(monthly, present, economics, **after, **sizes, **shared),
        "periods": periods(monthly, present, starts[:-1], **shared),
        "cohorts": cohort_money(study.ledger, arms, draws=draws, customers=_customers(study), titles=titles),
        "fan": fan(monthly, [start - timedelta(days=1) for start in starts[1:]], titles),
    }


def _beside(decided: pl.DataFrame, investments: pl.DataFrame, *others: pl.DataFrame) -> pl.DataFrame:
    """Return decisions with what the investment and other tables say of them."""
    after = investments.select("strategy", "after_horizon", "peak_funding", "risk_adjusted_npv")
    for table in (after, *others):
        decided = decided.join(table, on="strategy", how="left", maintain_order="left")
    return decided.with_columns(after_horizon_rule=pl.lit(investments["after_horizon_rule"][0]))


def _customers(study: Study) -> dict[str, float]:
    """Return how many customers each cohort of the baseline has, means over worlds."""
    population, calendar = study.worlds.population, study.scenario.calendar
    counted = study.counts[0].mean(axis=0)
    arrived = {
        f"{calendar.starts_of(month):%Y-%m}": float(counted[month, place(CountKind.ARRIVALS)])
        for month in range(len(population.arrivals))
    }
    referred = float(counted[:, place(CountKind.REFERRED)].sum())
    return {"existing": float(population.base.height), **arrived, "referred": referred}


def _counted(progress: Progress | None) -> Callable[[T], T]:
    """Return a function that passes a result on and reports one step more."""
    number = count(1)

    def step(result: T) -> T:
        if progress is not None:
            progress(next(number), _STEPS)
        return result

    return step
