"""A scenario, its fits and the number of a draw in; everything that this draw needs, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.effects import Acquisition, Contacts
from cxsim.estimation import Posterior
from cxsim.models import BetaGeometricParams, GammaGammaParams, PurchaseParams
from cxsim.models import purchases as formulas
from cxsim.quantity import Quantity
from cxsim.scenario import Model, Scenario, assumptions, with_assumptions
from cxsim.simulation import (
    Inputs,
    Latents,
    Population,
    arrivals_of,
    compile_plan,
    compile_world,
    reached_by,
    rounded,
    season_levels,
)
from cxsim.strategies import Strategy
from cxsim.valuation import Economics, Schedule, fixed_costs, tariff

# The strategies that run in each arm, at their drawn values; the first arm is the baseline and has none.
Arms = Sequence[tuple[Strategy, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One draw of everything that is not known.

    Attributes
    ----------
    number
        Number of the draw, from 0; the same luck and the same assumptions under every structure of leaving.
    world
        Number of the world, from 0: draws of the first structure, then of the next.
    structure
        Model of orders and leaving.
    scenario
        The scenario with every assumption at its drawn value.
    purchases, spend
        Drawn parameters of the models; time in days.
    """

    number: int
    world: int
    structure: Model
    scenario: Scenario
    purchases: PurchaseParams
    spend: GammaGammaParams

    def tariffs(self, arms: Arms | None = None) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what one of each tally adds to each account: shape (accounts, tallies)."""
        return tuple(tariff(self.scenario.economics, schedules) for schedules in self._schedules(arms))

    def fixed(self, arms: Arms | None = None) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what programmes cost each month whatever customers do: shape (accounts, months)."""
        return tuple(fixed_costs(schedules, self.scenario.horizon_months) for schedules in self._schedules(arms))

    @property
    def economics(self) -> Economics:
        """Unit economics of this draw."""
        return self.scenario.economics

    def _schedules(self, arms: Arms | None) -> list[list[Schedule]]:
        played = arms_of(self.scenario) if arms is None else arms
        return [[schedule(strategy) for strategy in strategies] for strategies in played]


def draw_all(
    scenario: Scenario,
    structure: Model,
    purchases: Posterior[PurchaseParams],
    spend: Posterior[GammaGammaParams],
) -> list[Draw]:
    """Return all draws of a scenario under one structure.

    An assumption's draws are named after the assumption, so adding a strategy moves nobody else's numbers. Draw number
    n takes the n-th parameters from each posterior, of which there must be as many as draws.
    """
    # A strategy that is only searched is never played as it is written, and must keep the range of its search.
    searched = tuple(f"strategies/{one.name}/" for one in scenario.searched)
    known = [one for one in assumptions(scenario) if not one[0].startswith(searched)]
    first = scenario.structures.index(structure) * scenario.draws
    return [
        Draw(
            number=number,
            world=first + number,
            structure=structure,
            scenario=_drawn(scenario, known, number),
            purchases=purchases.params(number),
            spend=spend.params(number),
        )
        for number in range(scenario.draws)
    ]


def with_room(population: Population, draws: Sequence[Draw], arms: Sequence[Arms] | None = None) -> Population:
    """Return the population with room for all customers whom any programme attracts in any draw.

    `arms` says for each draw what is played; the arms of its scenario when None.
    """
    most = population.arrivals
    played = [arms_of(draw.scenario) for draw in draws] if arms is None else arms
    for draw, strategies in zip(draws, played, strict=True):
        for months in _arrivals(draw.scenario, population, strategies):
            most = tuple(max(one, other) for one, other in zip(most, months, strict=True))
    return dataclasses.replace(population, most_arrivals=most)


def reached_in(population: Population, arms: Arms) -> tuple[npt.NDArray[np.bool_], ...]:
    """Return, per arm, who meets the condition of which reach; no draw changes it."""
    return tuple(
        reached_by(population, [strategy.programme().reach.who for strategy in strategies]) for strategies in arms
    )


def inputs_of(
    draw: Draw,
    population: Population,
    past: Sequence[npt.NDArray[np.float64]],
    reached: tuple[npt.NDArray[np.bool_], ...],
    *,
    arms: Arms | None = None,
) -> Inputs:
    """Return what the simulator needs for a draw."""
    scenario = draw.scenario
    played = arms_of(scenario) if arms is None else arms
    programmes = [[strategy.programme() for strategy in strategies] for strategies in played]
    plans = [
        compile_plan(arm, population.calendar, incidents=scenario.behaviour.incidents, stacking=_stacking(scenario))
        for arm in programmes
    ]
    return Inputs(
        draw=draw.number,
        latents=_latents(draw.purchases, draw.spend),
        prob_alive=formulas.prob_alive(draw.purchases, *past),
        world=compile_world(scenario.behaviour, population.calendar),
        plans=tuple(plans),
        arrivals=_arrivals(scenario, population, played),
        reached=reached,
        worths=tuple(worth.sum(axis=0) for worth in draw.tariffs(played)),
    )


def arms_of(scenario: Scenario) -> list[tuple[Strategy, ...]]:
    """Return the strategies that run in each arm: none in the baseline."""
    return [(), *(together for _, together in scenario.believed)]


def schedule(strategy: Strategy) -> Schedule:
    """Return a strategy's costs with the months in which it runs, and what its effects say of how they are counted."""
    monthly, charge = None, 0.0
    for effect in strategy.effects:
        match effect:
            case Contacts():
                monthly = effect.per_month.value
            case Acquisition():
                charge = effect.charge.value
            case _:
                pass
    return Schedule(
        costs=strategy.costs,
        from_month=strategy.reach.from_month,
        until_month=strategy.reach.until_month,
        contacts_per_month=monthly,
        acquisition_charge=charge,
    )


def _arrivals(scenario: Scenario, population: Population, arms: Arms) -> tuple[tuple[int, ...], ...]:
    """Return, per arm, how many customers arrive in each month, with the season and the programmes of a draw."""
    usual = usual_arrivals(scenario)
    return tuple(
        arrivals_of(
            [strategy.programme() for strategy in strategies],
            usual,
            population.calendar,
            stacking=_stacking(scenario),
        )
        for strategies in arms
    )


def usual_arrivals(scenario: Scenario) -> tuple[int, ...]:
    """Return how many customers arrive in each month without any programme."""
    arriving = scenario.new_customers
    if arriving is None:
        return ()
    levels = season_levels(scenario.behaviour.arrival_season, scenario.calendar)
    return tuple(round(arriving.per_month * float(levels[month])) for month in range(arriving.months))


def _stacking(scenario: Scenario) -> float:
    """Return the share that counts of weaker gains; nothing is weaker where no strategies run together."""
    return 1.0 if scenario.stacking is None else scenario.stacking.value


def _drawn(scenario: Scenario, known: Sequence[tuple[str, str, Quantity]], number: int) -> Scenario:
    luck = partial(rng.stream, scenario.seed, number)
    values = {
        identifier: rounded(quantity.quantile(float(luck(f"assumption {identifier}").standard_normal())))
        for identifier, _, quantity in known
    }
    return with_assumptions(scenario, values)


def _latents(purchases: PurchaseParams, spend: GammaGammaParams) -> Latents:
    if isinstance(purchases, BetaGeometricParams):
        leaving = {"a": purchases.a, "b": purchases.b, "s": 0.0, "beta": 1.0}
    else:
        leaving = {"a": 0.0, "b": 1.0, "s": purchases.s, "beta": purchases.beta}
    return Latents(
        r=purchases.r,
        alpha=purchases.alpha,
        drop_after_first=int(getattr(purchases, "leaves_after_first", False)),
        p=spend.p,
        q=spend.q,
        v=spend.v,
        **leaving,
    )
