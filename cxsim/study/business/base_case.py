"""A study in; its base case, every assumption at its central value, ready to be simulated in other variants, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.finance.economics import Economics
from cxsim.finance.returns import net_present_value
from cxsim.finance.statement import Flows, weights
from cxsim.params import MICROS, Quantity, quantities
from cxsim.simulation.engine import Executor
from cxsim.simulation.world import rounded
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.strategy import Strategy
from cxsim.study.result import Study
from cxsim.study.scenario import Scenario
from cxsim.study.worlds import Arms, Draw, Worlds
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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Outcome:
    """Counts of the base case's worlds without and with some strategies: shape (worlds, months, counts)."""

    strategies: Strategies
    baseline: Counts
    treated: Counts


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class BaseCase:
    """The base case of a study."""

    # Assumptions at their central values, models at their estimates; worlds of one model of leaving after the other's.
    worlds: Worlds
    executor: Executor | None
    # The outcome of each arm but the baseline, by name.
    outcomes: Mapping[str, Outcome]

    @property
    def scenario(self) -> Scenario:
        """The study's own."""
        return self.worlds.scenario

    @property
    def draws(self) -> tuple[Draw, ...]:
        """One for each world."""
        return self.worlds.draws

    def simulate(self, variants: Sequence[Strategies], scenario: Scenario | None = None) -> list[Outcome]:
        """Return the outcome of each set of strategies, with the same random numbers."""
        draws = self.draws
        if scenario is not None:
            draws = tuple(dataclasses.replace(one, scenario=scenario) for one in draws)
        worlds = dataclasses.replace(self.worlds, draws=draws)
        outcomes: list[Outcome] = []
        for first in range(0, len(variants), _ARMS_AT_ONCE):
            some = variants[first : first + _ARMS_AT_ONCE]
            arms: list[Arms] = [[(), *some]] * len(draws)
            counts = counts_of(worlds, arms, executor=self.executor)
            outcomes += [
                Outcome(strategies=strategies, baseline=counts[0], treated=treated)
                for strategies, treated in zip(some, counts[1:], strict=True)
            ]
        return outcomes

    def flows(self, outcome: Outcome, scenario: Scenario | None = None, strategies: Strategies = ()) -> Flows:
        """Return the money of an outcome, booked with the prices of another scenario or of other strategies."""
        arms: Arms = [(), strategies or outcome.strategies]
        draws = [dataclasses.replace(draw, scenario=scenario or self.scenario) for draw in self.draws]
        return booked(draws, [arms] * len(draws), (outcome.baseline, outcome.treated))

    def present_values(self, scenario: Scenario | None = None) -> Numbers:
        """Return the present value of one unit of money in each month of each world: shape (worlds, months)."""
        priced = scenario or self.scenario
        rates = np.full(len(self.draws), priced.economics.annual_discount_rate.value)
        return weights(priced.calendar.month_starts, priced.economics.timing, rates)

    def npv(self, outcome: Outcome, scenario: Scenario | None = None, strategies: Strategies = ()) -> Numbers:
        """Return the incremental NPV of an outcome in every world; the arguments are those of `flows`."""
        return net_present_value(self.flows(outcome, scenario, strategies).cash(1), self.present_values(scenario))

    def error(self, by_world: Numbers) -> float:
        """Return the standard error of a mean over worlds: sampling alone, since models differ for a reason."""
        structures = len(self.scenario.structures)
        within = by_world.reshape(structures, -1)
        spread = float(np.sqrt(within.var(axis=1, ddof=1).mean()))
        return spread / float(np.sqrt(structures * within.shape[1]))


def base_case(study: Study, *, executor: Executor | None = None) -> BaseCase:
    """Return the base case of a study, its arms simulated."""
    structures = study.scenario.structures
    replications = max(2, WORLDS // len(structures))
    draws = [
        Draw(
            number=number,
            world=place * replications + number,
            structure=structure,
            scenario=study.scenario,
            purchases=study.purchases[structure].params,
            spend=study.spend.params,
        )
        for place, structure in enumerate(structures)
        for number in range(replications)
    ]
    worlds = dataclasses.replace(study.worlds, scenario=study.scenario, draws=tuple(draws))
    bare = BaseCase(worlds=worlds, executor=executor, outcomes={})
    arms = dict(study.scenario.with_prior)
    return dataclasses.replace(bare, outcomes=dict(zip(arms, bare.simulate(list(arms.values())), strict=True)))


def base_case_table(base: BaseCase, returns: pl.DataFrame) -> pl.DataFrame:
    """Return the NPV of each arm in the base case beside its mean over all draws."""
    rows = []
    for row in returns.iter_rows(named=True):
        npv = base.npv(base.outcomes[row["strategy"]])
        sums = {"npv": float(npv.mean()), "mc_error": base.error(npv), "worlds": len(npv)}
        rows.append({"strategy": row["strategy"], "title": row["title"], "mean": row["incremental_npv"]} | sums)
    return table_of(rows, BASE_CASE)


def counts_of(worlds: Worlds, arms: Sequence[Arms], *, executor: Executor | None) -> list[Counts]:
    """Return what is counted in each arm, summed over cohorts: shapes (worlds, months, counts)."""
    counts = worlds.simulate(arms, executor=executor)
    return [np.stack([world.by_arm[arm].sum(axis=0) for world in counts]) for arm in range(len(arms[0]))]


def booked(draws: Sequence[Draw], arms: Sequence[Arms], counts: Sequence[Counts]) -> Flows:
    """Return the money of every arm in every world."""
    by_world = []
    for world, (draw, simulated) in enumerate(zip(draws, arms, strict=True)):
        tariffs, fixed = draw.tariffs(simulated), draw.fixed(simulated)
        amounts = [
            counted[world] @ prices.T + costs.T for counted, prices, costs in zip(counts, tariffs, fixed, strict=True)
        ]
        by_world.append(np.stack(amounts))
    return Flows(arms=tuple(str(arm) for arm in range(len(counts))), amounts=np.stack(by_world) / MICROS)


# Standard normal scores of the 10 % and the 90 % quantile, and of the 1 % and the 99 %.
Z90 = 1.2815515655446004
Z99 = 2.3263478740408408


@dataclass(frozen=True, kw_only=True, slots=True)
class UncertainNumber:
    """An assumption that has a range."""

    # Such as `strategies/points-programme/effects.dropout_1.ratio`.
    id: str
    # Title of the strategy or the economics, and the path therein.
    belongs_to: str
    path: str
    quantity: Quantity
    # `simulated` where it changes what customers do, `booked` where it is a price.
    method: str

    def at(self, score: float) -> float:
        """Return its value at a standard normal score of its prior."""
        return rounded(self.quantity.quantile(score))

    def description(self) -> dict[str, object]:
        """Return its columns in tables."""
        return {
            "id": self.id,
            "belongs_to": self.belongs_to,
            "description": self.quantity.description,
            "unit": str(self.quantity.unit),
            "value": self.quantity.value,
        }


def uncertain_numbers(folder: str, holder: Strategy | Economics | Behaviour) -> tuple[UncertainNumber, ...]:
    """Return the numbers with a range of a file in params: strategies, economics or behaviour."""
    return tuple(
        UncertainNumber(
            id=f"{folder}/{holder.name}/{path}",
            belongs_to=holder.title,
            path=path,
            quantity=quantity,
            method="booked" if folder == "economics" or path.startswith("costs.") else "simulated",
        )
        for path, quantity in quantities(holder)
        if quantity.range[0] < quantity.range[1]
    )


def strategies_with_prior(scenario: Scenario) -> list[Strategy]:
    """Return the strategies whose effects have a prior, one by one; the others are only searched."""
    return [strategy for strategy in scenario.strategies if strategy.mode == "prior"]
