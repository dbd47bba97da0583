"""A scenario and its shop in; draws of everything that is not known, and what happens in every arm of each, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from cxsim.scenario import Scenario
from cxsim.simulation import Counts, Executor, Population, simulate
from cxsim.study.draws import Draw, draw_all, inputs_of, reached_in
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
    reached = reached_in(scenario, population)
    past = past_of(population)
    inputs = [partial(inputs_of, draw, population, past, reached) for draw in draws]
    return simulate(population, inputs, seed=scenario.seed, executor=executor, progress=progress)
