"""A scenario, its fits and the number of a draw in; everything that this draw needs, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.estimation import Posterior
from cxsim.models import BetaGeometricParams, GammaGammaParams, PurchaseParams
from cxsim.models import purchases as formulas
from cxsim.quantity import Quantity
from cxsim.scenario import Scenario, assumptions, with_assumptions
from cxsim.simulation import Inputs, Latents, Population, compile_plan, reached_by, rounded
from cxsim.strategies import Strategy
from cxsim.valuation import Economics, Schedule, fixed_costs, tariff


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One draw of everything that is not known.

    Attributes
    ----------
    number
        Number of the draw, from 0.
    scenario
        The scenario with every assumption at its drawn value.
    purchases, spend
        Drawn parameters of the models; time in days.
    """

    number: int
    scenario: Scenario
    purchases: PurchaseParams
    spend: GammaGammaParams

    def tariffs(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what one of each tally adds to each account: shape (accounts, tallies)."""
        return tuple(tariff(self.scenario.economics, schedules) for schedules in self._schedules())

    def fixed(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Return, per arm, what the programme costs each month whatever customers do: shape (months,)."""
        return tuple(fixed_costs(schedules, self.scenario.horizon_months) for schedules in self._schedules())

    @property
    def economics(self) -> Economics:
        """Unit economics of this draw."""
        return self.scenario.economics

    def _schedules(self) -> list[list[Schedule]]:
        return [[schedule(strategy) for strategy in strategies] for strategies in arms_of(self.scenario)]


def draw_all(
    scenario: Scenario, purchases: Posterior[PurchaseParams], spend: Posterior[GammaGammaParams]
) -> list[Draw]:
    """Return all draws of a scenario.

    An assumption's draws are named after the assumption, so adding a strategy moves nobody else's numbers. Draw number
    n takes the n-th parameters from each posterior, of which there must be as many as draws.
    """
    known = list(assumptions(scenario))
    return [_draw(scenario, purchases, spend, known, number) for number in range(scenario.draws)]


def reached_in(scenario: Scenario, population: Population) -> tuple[npt.NDArray[np.bool_], ...]:
    """Return, per arm, who meets the condition of which reach; no draw changes it."""
    return tuple(
        reached_by(population, [strategy.programme().reach.who for strategy in strategies])
        for strategies in arms_of(scenario)
    )


def inputs_of(
    draw: Draw,
    population: Population,
    past: Sequence[npt.NDArray[np.float64]],
    reached: tuple[npt.NDArray[np.bool_], ...],
) -> Inputs:
    """Return what the simulator needs for a draw.

    Parameters
    ----------
    draw
        The draw.
    population
        Who is simulated.
    past
        Frequency, recency and age in days of the existing customers.
    reached
        From `reached_in`.
    """
    programmes = [[strategy.programme() for strategy in strategies] for strategies in arms_of(draw.scenario)]
    return Inputs(
        draw=draw.number,
        latents=_latents(draw.purchases, draw.spend),
        prob_alive=formulas.prob_alive(draw.purchases, *past),
        plans=tuple(compile_plan(arm, population.calendar) for arm in programmes),
        reached=reached,
        worths=tuple(worth.sum(axis=0) for worth in draw.tariffs()),
    )


def arms_of(scenario: Scenario) -> list[tuple[Strategy, ...]]:
    """Return the strategies that run in each arm: none in the baseline, then one in each."""
    return [(), *((strategy,) for strategy in scenario.strategies)]


def schedule(strategy: Strategy) -> Schedule:
    """Return a strategy's costs with the months in which it runs."""
    return Schedule(costs=strategy.costs, from_month=strategy.reach.from_month, until_month=strategy.reach.until_month)


def _draw(
    scenario: Scenario,
    purchases: Posterior[PurchaseParams],
    spend: Posterior[GammaGammaParams],
    known: Sequence[tuple[str, str, Quantity]],
    number: int,
) -> Draw:
    luck = partial(rng.stream, scenario.seed, number)
    values = {
        identifier: rounded(quantity.quantile(float(luck(f"assumption {identifier}").standard_normal())))
        for identifier, _, quantity in known
    }
    return Draw(
        number=number,
        scenario=with_assumptions(scenario, values),
        purchases=purchases.params(number),
        spend=spend.params(number),
    )


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
