"""A study in; its base case, in which every assumption has its central value, ready to be played in other variants."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.business.booked import Tallies, booked
from cxsim.scenario import Scenario
from cxsim.simulation import Executor, Population
from cxsim.strategies import Strategy
from cxsim.study import Study
from cxsim.study.draws import Arms, Draw, with_room
from cxsim.study.playing import play_arms
from cxsim.valuation import Flows, net_present_value, weights

Numbers = npt.NDArray[np.float64]
# So many worlds of luck altogether, shared out among the models of leaving, at least two for each.
WORLDS = 4
# Arms that are played in one go: enough to make the baseline cheap, few enough to bound memory.
_ARMS_AT_ONCE = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """What is played instead of a scenario's arm.

    Attributes
    ----------
    strategies
        The strategies that run, at the values to be tried.
    """

    strategies: tuple[Strategy, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Played:
    """What happened in the base case's worlds, without and with a variant.

    Attributes
    ----------
    variant
        What was played.
    baseline, treated
        Counts summed over cohorts: shape (worlds, months, tallies).
    """

    variant: Variant
    baseline: Tallies
    treated: Tallies


# Each arm as played in the base case, by its name.
Centre = Mapping[str, Played]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Central:
    """The base case of a study.

    Attributes
    ----------
    scenario
        The study's own; its assumptions stand at their central values.
    draws
        One for each world, those of one model of leaving after those of the other; each model at its estimate.
    population
        Who is simulated.
    executor
        As in `cxsim.run`.
    """

    scenario: Scenario
    draws: tuple[Draw, ...]
    population: Population
    executor: Executor | None

    @property
    def structures(self) -> int:
        """Number of models of leaving."""
        return len(self.scenario.structures)

    def centre(self) -> Centre:
        """Return each arm as it is played in the base case, by name."""
        names, variants = zip(*((name, Variant(strategies=some)) for name, some in self.scenario.believed), strict=True)
        return dict(zip(names, self.play(variants), strict=True))

    def play(self, variants: Sequence[Variant], scenario: Scenario | None = None) -> list[Played]:
        """Return what happens in each variant, and without it, in every world."""
        draws = self.draws if scenario is None else [dataclasses.replace(one, scenario=scenario) for one in self.draws]
        played: list[Played] = []
        for some in _cut(variants):
            arms: Arms = [(), *(variant.strategies for variant in some)]
            alike = [arms] * len(draws)
            people = with_room(self.population, draws, alike)
            counts = play_arms(self.scenario, draws, people, arms=alike, executor=self.executor)
            by_arm = [np.stack([world.by_arm[arm].sum(axis=0) for world in counts]) for arm in range(len(arms))]
            played += [
                Played(variant=variant, baseline=by_arm[0], treated=treated)
                for variant, treated in zip(some, by_arm[1:], strict=True)
            ]
        return played

    def flows(self, played: Played, scenario: Scenario | None = None, strategies: Sequence[Strategy] = ()) -> Flows:
        """Return the money of a variant beside the baseline, in every world."""
        told = scenario or self.scenario
        arms: Arms = [(), tuple(strategies) or played.variant.strategies]
        draws = [dataclasses.replace(draw, scenario=told) for draw in self.draws]
        return booked(draws, [arms] * len(draws), (played.baseline, played.treated))

    def present(self, scenario: Scenario | None = None) -> Numbers:
        """Return the present value of one unit of money in each month of each world: shape (worlds, months)."""
        told = scenario or self.scenario
        rates = np.full(len(self.draws), told.economics.annual_discount_rate.value)
        return weights(told.calendar.month_starts, told.economics.timing, rates)

    def npv(self, played: Played, scenario: Scenario | None = None, strategies: Sequence[Strategy] = ()) -> Numbers:
        """Return the incremental NPV of a variant in every world; the arguments are those of `flows`."""
        return net_present_value(self.flows(played, scenario, strategies).cash(1), self.present(scenario))

    def error(self, by_world: Numbers) -> float:
        """Return the standard error of a mean over worlds: luck alone, since models differ for a reason."""
        within = by_world.reshape(self.structures, -1)
        lucks = within.shape[1]
        spread = float(np.sqrt(within.var(axis=1, ddof=1).mean()))
        return spread / float(np.sqrt(self.structures * lucks))


def central_of(study: Study, *, executor: Executor | None = None) -> Central:
    """Return the base case of a study."""
    structures = study.scenario.structures
    lucks = max(2, WORLDS // len(structures))
    draws = [
        Draw(
            number=luck,
            world=place * lucks + luck,
            structure=structure,
            scenario=study.scenario,
            purchases=study.purchases[structure].params,
            spend=study.spend.params,
        )
        for place, structure in enumerate(structures)
        for luck in range(lucks)
    ]
    return Central(
        scenario=study.scenario,
        draws=tuple(draws),
        population=study.replay.population,
        executor=executor,
    )


def _cut(variants: Sequence[Variant]) -> Iterator[Sequence[Variant]]:
    for first in range(0, len(variants), _ARMS_AT_ONCE):
        yield variants[first : first + _ARMS_AT_ONCE]
