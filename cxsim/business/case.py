"""A study in; its business case out: the decision and everything that it rests on, as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from cxsim.business.break_evens import break_evens
from cxsim.business.central import Central, Centre, central_of
from cxsim.business.checklist import checklist
from cxsim.business.decision import decision
from cxsim.business.grid import grids
from cxsim.business.information import information
from cxsim.business.kpis import kpis
from cxsim.business.liabilities import liabilities
from cxsim.business.naive import dearest
from cxsim.business.pathways import pathways
from cxsim.business.planned_tests import planned_tests
from cxsim.business.portfolio import portfolio
from cxsim.business.rates import rates
from cxsim.business.register import case_register
from cxsim.business.splitting import split
from cxsim.business.statements import statements
from cxsim.business.tornado import moves, tornado
from cxsim.business_tables import BASE_CASE
from cxsim.number_style import written_as
from cxsim.simulation import Executor
from cxsim.study import Study, naive_readings
from cxsim.study.notebook_bar import notebook_bar
from cxsim.tables import check, empty

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


@written_as("en")  # a table is the same in every locale; who shows it writes its numbers anew
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
    parts = _Parts(progress=progress or notebook_bar("Working out the business case") or _silent)
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
    watched = dearest(study)
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
        naive=parts.done(naive_readings(study, watched)),
        naive_of=study.scenario.titles[watched],
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
        told = {"npv": float(worth.mean()), "mc_error": base.error(worth), "worlds": len(worth)}
        rows.append({name: row[name] for name in ("strategy", "title")} | told | {"mean": row["incremental_npv"]})
    return check(pl.DataFrame(rows, schema=empty(BASE_CASE).schema), BASE_CASE)


def _silent(done: int, total: int) -> None:
    """Say nothing."""
