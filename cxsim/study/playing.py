"""A scenario and its shop in; draws of everything that is not known, and what happens in every arm of each, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cxsim.scenario import Scenario
from cxsim.simulation import Counts, Executor, Population, simulate
from cxsim.study.draws import Arms, Draw, arms_of, draw_all, inputs_of, reached_in
from cxsim.study.shops import Shop, believed, past_of

Progress = Callable[[int, int], None]


def drawn(scenario: Scenario, shop: Shop) -> list[Draw]:
    """Return all draws of a scenario, those of one structure after those of the other."""
    return [
        draw
        for structure in scenario.structures
        for draw in draw_all(scenario, structure, *believed(scenario, shop.rfm, shop.purchases[structure], shop.spend))
    ]


def play(
    scenario: Scenario,
    draws: Sequence[Draw],
    population: Population,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Counts]:
    """Return what happens in every arm of each draw."""
    played = [arms_of(draw.scenario) for draw in draws]
    return play_arms(scenario, draws, population, arms=played, executor=executor, progress=progress)


def play_arms(
    scenario: Scenario,
    draws: Sequence[Draw],
    population: Population,
    *,
    arms: Sequence[Arms],
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> list[Counts]:
    """Return what happens in other arms than a scenario's own: for each draw its arms, the first of them the baseline.

    The arms of all draws are the same but for their numbers: whom a programme reaches is worked out once.
    """
    reached = reached_in(population, arms[0])
    past = past_of(population)
    inputs = [
        partial(inputs_of, draw, population, past, reached, arms=played)
        for draw, played in zip(draws, arms, strict=True)
    ]
    return simulate(population, inputs, seed=scenario.seed, executor=executor, progress=progress)
