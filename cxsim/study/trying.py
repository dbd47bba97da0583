"""A strategy and one of its numbers in; what the strategy brings at any size of that number, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.errors import ParamError, choices
from cxsim.quantity import Quantity, quantities, with_values
from cxsim.scenario import Scenario
from cxsim.simulation import Executor, Population, rounded
from cxsim.strategies import Strategy
from cxsim.study.draws import Draw, with_room
from cxsim.study.playing import drawn, play
from cxsim.study.shops import Shop, population_of
from cxsim.study.summing import ledger_of, present_values
from cxsim.valuation import flows, net_present_value

# With the same luck at every size the NPV is a smooth curve of it, so few draws find its root; the error of the NPV at
# the root is stated.
DRAWS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Sought:
    """A number of a strategy that is searched.

    Attributes
    ----------
    strategy
        The strategy, with the range of the number as it is written.
    path
        The number, such as `effects.dropout_1.ratio`.
    quantity
        Its range is the interval of the search.
    """

    strategy: Strategy
    path: str
    quantity: Quantity


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A strategy alone against doing nothing, ready to be played at any size of the number that is searched.

    Attributes
    ----------
    scenario
        With this strategy alone, its searched number known, and few draws.
    sought
        What is searched.
    draws
        All else that is not known, the same at every size.
    population
        Who is simulated.
    executor
        As in `run`.
    """

    scenario: Scenario
    sought: Sought
    draws: tuple[Draw, ...]
    population: Population
    executor: Executor | None

    def gains(self, size: float) -> npt.NDArray[np.float64]:
        """Return the incremental NPV at a size: shape (structures, draws)."""
        draws = [self._at(draw, size) for draw in self.draws]
        population = with_room(self.population, draws)
        counts = play(self.scenario, draws, population, executor=self.executor)
        ledger = ledger_of(self.scenario, population, draws, counts)
        monthly = flows(ledger, self.scenario.arms, draws=len(draws), months=self.scenario.horizon_months)
        worth = net_present_value(monthly.cash(1), present_values(self.scenario, draws))
        return worth.reshape(len(self.scenario.structures), -1)

    def _at(self, draw: Draw, size: float) -> Draw:
        (strategy,) = draw.scenario.strategies
        tried = with_values(strategy, {self.sought.path: rounded(size)})
        return dataclasses.replace(draw, scenario=dataclasses.replace(draw.scenario, strategies=(tried,)))


def sought(strategy: Strategy, searches: str | None) -> Sought:
    """Return what is searched of a strategy: `searches`, or what its file says when None."""
    spread = {path: one for path, one in quantities(strategy) if one.range[0] < one.range[1]}
    path = searches or strategy.searches
    if path is None or path not in spread:
        raise ParamError(
            f"strategy '{strategy.name}': '{path}' is no number with a range to search; {choices(str(path), spread)}"
        )
    return Sought(strategy=strategy, path=path, quantity=spread[path])


def trial(scenario: Scenario, shop: Shop, wanted: Sought, *, executor: Executor | None = None) -> Trial:
    """Return a strategy of a scenario ready to be tried at different sizes, with the draws of all else made."""
    believed = dataclasses.replace(wanted.strategy, mode="prior", searches=None)
    alone = dataclasses.replace(
        scenario,
        strategies=(with_values(believed, {wanted.path: wanted.quantity.value}),),
        combinations=(),
        stacking=None,
        draws=draws_used(scenario),
    )
    return Trial(
        scenario=alone,
        sought=wanted,
        draws=tuple(drawn(alone, shop)),
        population=population_of(alone, shop.rfm),
        executor=executor,
    )


def draws_used(scenario: Scenario) -> int:
    """Return how many of a scenario's draws a search makes, for each structure."""
    return min(scenario.draws, DRAWS)


def sizes(wanted: Sought, number: int) -> Sequence[float]:
    """Return so many sizes, evenly from one end of the search to the other."""
    low, high = wanted.quantity.range
    return [float(size) for size in np.linspace(low, high, number)]
