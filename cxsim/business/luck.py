"""A study in; how much of each strategy's NPV is luck, which customers there happen to be, played again, out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.simulation import Inputs, customer_values
from cxsim.study import Study
from cxsim.study.draws import Draw, arms_of, inputs_of, reached_in
from cxsim.study.shops import past_of
from cxsim.study.summing import present_values
from cxsim.tallies import Tally, place
from cxsim.units import MICROS

Numbers = npt.NDArray[np.float64]
# So many worlds are played with two lucks each, spread over the draws and models of leaving. More where there are few
# customers, who are quickly played, since what they bring has long tails.
_WORLDS, _CUSTOMERS = 6, 200_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Luck:
    """The variance of NPVs that is left when every number is known.

    Attributes
    ----------
    arms
        Names of the strategies and combinations.
    variances
        Shape (arms,): mean over the worlds that were played.
    mc_errors
        Shape (arms,): their standard errors.
    """

    arms: tuple[str, ...]
    variances: Numbers
    mc_errors: Numbers


def luck(study: Study) -> Luck:
    """Return how much of the variance of each arm's NPV is luck.

    A few worlds are played once more with other luck and the same numbers. Customers are independent, so the variance
    of the sum of their gains is the sum of their variances, each half the squared difference of two gains. Gains of
    customers are not dated: they are discounted by the mean weight of the months, each counted by what its orders are
    worth in the baseline.
    """
    draws = study.replay.draws
    wanted = max(_WORLDS, _CUSTOMERS // study.replay.population.size)
    each = [_variances(study, draws[world]) for world in _chosen(len(draws), wanted)]
    table = np.array(each) * _discount(study) ** 2
    # With one world alone the error would be unknown; a study has two draws or more.
    return Luck(
        arms=study.scenario.arms[1:],
        variances=table.mean(axis=0),
        mc_errors=table.std(axis=0, ddof=1) / np.sqrt(len(table)),
    )


def _chosen(worlds: int, wanted: int) -> list[int]:
    return sorted({int(world) for world in np.linspace(0, worlds - 1, min(wanted, worlds))})


def _variances(study: Study, draw: Draw) -> Numbers:
    """Return the variance of the undiscounted gain of each arm in one world."""
    scenario, population = study.scenario, study.replay.population
    ready = inputs_of(draw, population, past_of(population), reached_in(population, arms_of(scenario)))
    # Numbers of draws that no world of the study has.
    other = dataclasses.replace(ready, draw=scenario.draws + draw.number)
    one, another = _gains(study, ready), _gains(study, other)
    return np.array([float(np.square(first - second).sum()) / 2.0 for first, second in zip(one, another, strict=True)])


def _gains(study: Study, ready: Inputs) -> list[Numbers]:
    """Return by how much each customer is worth more in each arm than in the baseline."""
    seed, population = study.scenario.seed, study.replay.population
    usual = customer_values(population, ready, seed=seed)
    return [
        (customer_values(population, ready, seed=seed, arm=arm) - usual) / MICROS
        for arm in range(1, len(study.scenario.arms))
    ]


def _discount(study: Study) -> float:
    present = present_values(study.scenario, study.replay.draws).mean(axis=0)
    sold = study.replay.counts[0][:, :, place(Tally.LIST)].mean(axis=0)
    return float((present * sold).sum() / sold.sum()) if sold.sum() > 0.0 else 1.0
