"""A study in; its base case, every assumption at its central value, ready to be simulated in other variants, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.economics import booked as booked_amounts
from cxsim.finance.returns import net_present_value
from cxsim.finance.statement import Flows
from cxsim.params import MICROS
from cxsim.simulation.engine import Executor
from cxsim.strategies.strategy import Strategy
from cxsim.study.result import Study
from cxsim.study.scenario import Model, Scenario
from cxsim.study.worlds import Arms, Draw, Worlds, counts_by_arm
from cxsim.tables import COUNT, REAL, TEXT, Contract, table_of

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Strategies = tuple[Strategy, ...]
# Worlds altogether that differ in nothing but random numbers, shared out among the models of leaving, at least two for
# each.
WORLDS = 4
# Arms that are simulated at once: enough to make the baseline cheap, few enough to bound memory.
_ARMS_AT_ONCE = 24

# The base case: every assumption at its central value, the models at their estimates, in a few worlds that differ in
# nothing but random numbers (worlds). mean: the mean over all draws, which the decision rests on.
BASE_CASE = Contract("BASE_CASE", TEXT("strategy", "title"), REAL("npv", "mc_error", "mean"), COUNT("worlds"))


class Outcome(NamedTuple):
    """Counts of the base case's worlds without and with some strategies: shape (worlds, months, counts)."""

    strategies: Strategies
    baseline: Counts
    treated: Counts


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BaseCase:
    """The base case of a study."""

    # Assumptions at their central values, models at their estimates; worlds of one model of leaving after the other's.
    worlds: Worlds
    executor: Executor | None
    # The outcome of each arm but the baseline, by name.
    outcomes: Mapping[str, Outcome]

    @property
    def scenario(self) -> Scenario:
        """The study's own, or one with other assumptions."""
        return self.worlds.scenario

    def under(self, scenario: Scenario) -> BaseCase:
        """Return the base case with other assumptions; its outcomes, not simulated again, have their prices."""
        draws = tuple(replace(draw, scenario=scenario) for draw in self.worlds.draws)
        return replace(self, worlds=replace(self.worlds, scenario=scenario, draws=draws))

    def simulate(self, variants: Sequence[Strategies]) -> list[Outcome]:
        """Return the outcome of each set of strategies, with the same random numbers."""
        outcomes = []
        for first in range(0, len(variants), _ARMS_AT_ONCE):
            some = variants[first : first + _ARMS_AT_ONCE]
            arms: list[Arms] = [[(), *some]] * len(self.worlds.draws)
            baseline, *treated = counts_by_arm(self.worlds.simulate(arms, executor=self.executor))
            outcomes += [
                Outcome(strategies, baseline, counts) for strategies, counts in zip(some, treated, strict=True)
            ]
        return outcomes

    def flows(self, outcome: Outcome) -> Flows:
        """Return the money of an outcome, booked with the prices of its strategies and of these assumptions."""
        draws, arms = self.worlds.draws, [(), outcome.strategies]
        return booked(draws, [arms] * len(draws), (outcome.baseline, outcome.treated))

    def npv(self, outcome: Outcome) -> Numbers:
        """Return the incremental NPV of an outcome in every world."""
        return net_present_value(self.flows(outcome).cash(1), self.worlds.present_values())

    def error(self, by_world: Numbers) -> float:
        """Return the standard error of a mean over worlds: sampling alone, since models differ for a reason."""
        within = by_world.reshape(len(self.scenario.structures), -1)
        return float(np.sqrt(within.var(axis=1, ddof=1).mean()) / np.sqrt(within.size))


def base_case(study: Study, *, executor: Executor | None = None) -> BaseCase:
    """Return the base case of a study, its arms simulated."""
    scenario = study.scenario
    replications = max(2, WORLDS // len(scenario.structures))
    draws = tuple(
        replace(central_draw(study, structure), number=number, world=place * replications + number)
        for place, structure in enumerate(scenario.structures)
        for number in range(replications)
    )
    worlds = replace(study.worlds, scenario=scenario, draws=draws)
    bare, arms = BaseCase(worlds=worlds, executor=executor, outcomes={}), dict(scenario.with_prior)
    return replace(bare, outcomes=dict(zip(arms, bare.simulate(list(arms.values())), strict=True)))


def central_draw(study: Study, structure: Model) -> Draw:
    """Return the draw with every assumption at its central value and the models at their estimates."""
    return Draw(
        number=0,
        world=0,
        structure=structure,
        scenario=study.scenario,
        purchases=study.purchases[structure].params,
        spend=study.spend.params,
    )


def base_case_table(base: BaseCase, returns: pl.DataFrame) -> pl.DataFrame:
    """Return the NPV of each arm in the base case beside its mean over all draws."""
    npvs = {name: base.npv(outcome) for name, outcome in base.outcomes.items()}
    return table_of(
        (
            (name, title, npvs[name].mean(), base.error(npvs[name]), mean, len(npvs[name]))
            for name, title, mean in returns.select("strategy", "title", "incremental_npv").iter_rows()
        ),
        BASE_CASE,
    )


def npv_table(study: Study) -> pl.DataFrame:
    """Return the NPV of each arm but the baseline, one column each, in every world."""
    return study.npv.pivot(on="strategy", index="draw", values="npv").sort("draw").select(study.scenario.arms[1:])


def booked(draws: Sequence[Draw], arms: Sequence[Arms], counts: Sequence[Counts]) -> Flows:
    """Return the money of every arm in every world."""
    amounts = [
        [
            booked_amounts(counted[world], prices, draw.later_prices) + costs.T
            for counted, prices, costs in zip(counts, *draw.prices(some), strict=True)
        ]
        for world, (draw, some) in enumerate(zip(draws, arms, strict=True))
    ]
    return Flows(arms=tuple(map(str, range(len(counts)))), amounts=np.array(amounts) / MICROS)


# Standard normal scores of the 10 % and the 90 % quantile, and of the 1 % and the 99 %.
Z90 = 1.2815515655446004
Z99 = 2.3263478740408408
