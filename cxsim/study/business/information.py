"""A study in; the value of information on each uncertain number, and the variance of NPV by its sources, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.clv.models.gamma_gamma import SpendParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.finance.information import (
    Estimate,
    Surface,
    bootstrap_weights,
    evpi,
    evppi,
    evppi_of_structure,
    explained,
    nine_digits,
    surface,
)
from cxsim.params import MICROS, Z95, Quantity
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import Inputs, customer_values
from cxsim.study.assumptions import Assumption, assumed_values, drawn_assumptions
from cxsim.study.business.base_case import npv_table
from cxsim.study.result import Study
from cxsim.study.worlds import Draw
from cxsim.tables import COUNT, REAL, TEXT, Contract, table_of

Numbers = npt.NDArray[np.float64]
Kind = Literal["models", "responses", "costs", "economics", "behaviour", "stacking"]

# What it would be worth to know an assumption (or all of a group, or everything: `everything`) before deciding.
# decision: a strategy, for funding it or not, or `portfolio`, for choosing among doing nothing and all arms. rank: of
# single numbers, from 1; 0 for `everything` and groups.
INFORMATION = Contract(
    "INFORMATION",
    TEXT("decision", "title", "id", "description"),
    REAL("worth", "mc_error", "share_of_everything"),
    COUNT("rank"),
    nullable=("share_of_everything",),
)
# How much of the variance of the NPV has which source: `models` (fitted parameters), `effects`, `economics`,
# `structure`, `sampling` (which customers there happen to be), `together` (what only shows in combination). sd is the
# standard deviation that this part alone would leave.
SPLIT = Contract("SPLIT", TEXT("strategy", "title", "part"), REAL("share", "mc_error", "sd"))
PORTFOLIO, EVERYTHING, STRUCTURE = "portfolio", "everything", "structure"
# The sources of variance that are regressed on what was drawn.
_REGRESSED: Mapping[str, tuple[Kind, ...]] = {
    "models": ("models",),
    "effects": ("responses", "costs", "behaviour", "stacking"),
    "economics": ("economics",),
}
_BOOTSTRAPS = 256
# So many worlds are simulated with other random numbers, spread over the draws and models of leaving. More where there
# are few customers, who are quickly simulated, since what they bring has long tails.
_WORLDS, _CUSTOMERS = 6, 200_000
# What is drawn farther out is drawn once in ten thousand times, or lies at the edge of its unit.
_FARTHEST = 4.0
# A parameter of which so little is its own is determined by the others.
_OWN = 1e-6


class UncertainInput(NamedTuple):
    """A number that was drawn: an assumption, or a parameter of a fitted model."""

    # Identifier of the assumption; of a fitted model's parameter `models/` and a number.
    id: str
    description: str
    # What it belongs to; `responses` is how customers respond to a strategy, `stacking` how strategies work together.
    kind: Kind
    # Name of its strategy; empty for all other kinds.
    strategy: str


class DrawnInputs(NamedTuple):
    """What each draw of a study drew, and what every arm brought in it."""

    # Those of the fitted models first.
    inputs: tuple[UncertainInput, ...]
    # Shape (draws, inputs): standard normal scores on the scales of their units; parameters of the fitted models as
    # independent directions of their logarithms.
    scores: Numbers
    # Incremental, shape (structures, draws, arms).
    npvs: Numbers
    # Shape (arms, inputs): which inputs an arm depends on at all.
    relevant: npt.NDArray[np.bool_]
    # The mean NPV over structures as a function of the scores.
    fitted: Surface


def drawn_inputs(study: Study) -> DrawnInputs:
    """Return what each draw of a study drew, and a regression of every arm's NPV on it."""
    scenario, draws = study.scenario, study.worlds.draws
    npvs = npv_table(study).to_numpy().reshape(len(scenario.structures), scenario.draws, -1)
    models = _independent(_parameters(draws, scenario.draws))
    assumed = [one for one in drawn_assumptions(scenario) if one.uncertain]
    directions = (UncertainInput(f"models/{number}", "", "models", "") for number in range(1, models.shape[1] + 1))
    inputs = (*directions, *map(_input, assumed))
    values = [assumed_values(draw.scenario) for draw in draws[: scenario.draws]]
    found = [[standard_score(one.quantity, drawn[one.id]) for one in assumed] for drawn in values]
    scores = np.hstack([models, np.array(found, np.float64).reshape(scenario.draws, -1)])
    relevant = [
        [
            one.strategy in {"", *(each.name for each in some)} and (one.kind != "stacking" or len(some) > 1)
            for one in inputs
        ]
        for _, some in scenario.with_prior
    ]
    fitted = surface(npvs.mean(axis=0), scores, np.array(relevant))
    return DrawnInputs(inputs=inputs, scores=scores, npvs=npvs, relevant=np.array(relevant), fitted=fitted)


def _input(one: Assumption) -> UncertainInput:
    folder, owner, _ = one.id.split("/", 2)
    kinds: dict[str, Kind] = {"economics": "economics", "behaviour": "behaviour", "scenarios": "stacking"}
    own: Kind = "costs" if one.priced else "responses"
    return UncertainInput(one.id, one.quantity.description, kinds.get(folder, own), "" if folder in kinds else owner)


def standard_score(quantity: Quantity, value: float) -> float:
    """Return at which standard normal score of a quantity's prior a value lies, -4 to 4."""
    end = quantity.range[0 if value < quantity.value else 1]
    middle, far, at = map(quantity.unit.on_scale, (quantity.value, end, value))
    if far == middle:
        return 0.0
    distance = Z95 * abs(at - middle) / abs(far - middle)
    return math.copysign(min(distance, _FARTHEST), value - quantity.value)


def _parameters(draws: Sequence[Draw], number: int) -> Numbers:
    """Return the logarithms of all parameters of all models: shape (draws, parameters)."""
    by_structure = [draws[first : first + number] for first in range(0, len(draws), number)]
    orders = [np.array([_logarithms(draw.purchases) for draw in some]) for some in by_structure]
    spend = np.array([_logarithms(draw.spend) for draw in draws[:number]])
    return np.hstack([*orders, spend])


def _logarithms(params: PurchaseParams | SpendParams) -> list[float]:
    # Whole numbers, such as the stages of an order clock, are chosen and not drawn.
    return [math.log(value) for value in astuple(params) if isinstance(value, float)]


def _independent(parameters: Numbers) -> Numbers:
    """Return what each parameter adds to those before it, scaled to variance 1; what adds nothing is left out."""
    directions: list[Numbers] = []
    rows = len(parameters)
    for values in parameters.T:
        centred = values - values.mean()
        own = centred - sum((axis * (axis @ centred) / rows for axis in directions), np.zeros(rows))
        # As many directions as draws would separate every draw.
        if own.std() > _OWN * max(float(centred.std()), 1e-12) and len(directions) < rows - 1:
            directions.append(own / own.std())
    return np.column_stack(directions) if directions else np.empty((rows, 0))


def information(study: Study, drawn: DrawnInputs) -> pl.DataFrame:
    """Return the value of perfect information on each number, each group of them, or everything, before deciding."""
    arms, titles = study.scenario.arms[1:], study.scenario.titles
    # What the budget does not allow cannot be chosen, whatever is learnt.
    affordable = study.returns["investment"] <= study.scenario.most
    named = ", one combination of the scenario" if study.scenario.combinations else ""
    decisions = [(PORTFOLIO, f"Choice of one programme{named} or none", affordable.arg_true().to_list())]
    decisions += [(name, titles[name], [arm]) for arm, name in enumerate(arms)]
    rows = []
    for name, title, some in decisions:
        found = _of_decision(study, drawn, some)
        most = found[0][2].value
        for identifier, what, one, rank in found:
            share = one.value / most if most > 0.0 else None
            rows.append((name, title, identifier, what, one.value, one.mc_error, share, rank))
    return table_of(rows, INFORMATION)


def _of_decision(study: Study, drawn: DrawnInputs, arms: list[int]) -> list[tuple[str, str, Estimate, int]]:
    """Return everything, the groups, and the numbers by their value, for the choice of doing nothing or some arms."""
    seed, mine = study.scenario.seed, drawn.fitted.of(arms)
    npvs = np.concatenate([np.zeros_like(drawn.npvs[:, :, :1]), drawn.npvs[:, :, arms]], axis=2)
    everything = evpi(npvs.reshape(-1, npvs.shape[2]), worlds_per_draw=len(npvs))
    relevant = np.flatnonzero(drawn.relevant[arms].any(axis=0)).tolist()
    found = [(EVERYTHING, "All assumptions and sampling variation", everything, 0)]
    for group, what, places in _groups(study, drawn, relevant):
        found.append((group, what, evppi(mine, places, seed=seed), 0))
    if len(npvs) > 1:
        structure = evppi_of_structure(npvs, seed=seed)
        found.append((STRUCTURE, "Which model of orders and leaving holds", structure, 0))
    # A direction among the fitted models' parameters has no name of its own.
    numbers = [(drawn.inputs[at], evppi(mine, [at], seed=seed)) for at in relevant if drawn.inputs[at].kind != "models"]
    numbers.sort(key=lambda pair: (-pair[1].value, -pair[1].mc_error, pair[0].id))
    return found + [(one.id, one.description, known, rank) for rank, (one, known) in enumerate(numbers, start=1)]


def _groups(study: Study, drawn: DrawnInputs, relevant: Sequence[int]) -> Iterator[tuple[str, str, list[int]]]:
    """Yield name, description and places of the groups of numbers that a decision depends on."""
    groups: list[tuple[Kind, str, str, str]] = []
    for one in study.scenario.strategies:
        groups.append(("responses", one.name, responses_to(one.name), f"{one.title}: {RESPONSES}"))
        groups.append(("costs", one.name, f"costs of {one.name}", f"{one.title}: costs"))
    for kind, strategy, name, what in (*groups, *_SHARED):
        places = [at for at in relevant if (drawn.inputs[at].kind, drawn.inputs[at].strategy) == (kind, strategy)]
        if places:
            yield name, what, places


# Groups that belong to no strategy: kind, none, id and description.
_SHARED: Sequence[tuple[Kind, str, str, str]] = (
    ("economics", "", "economics", "Prices, margins and costs of the shop"),
    ("behaviour", "", "behaviour", "How customers behave with and without any strategy"),
    ("models", "", "fitted models", "Fitted models of ordering, dropout and spend"),
)
# What the group of `responses_to` a strategy describes.
RESPONSES = "participation and response"


def responses_to(strategy: str) -> str:
    """Return the id of the group of numbers on how customers respond to a strategy.

    >>> responses_to("points-programme")
    'effects of points-programme'
    """
    return f"effects of {strategy}"


def split(study: Study, drawn: DrawnInputs) -> pl.DataFrame:
    """Return how much of the variance of each strategy's NPV has which source.

    The variance is that over all worlds, the models of leaving counting equally: the mean variance within them, and
    that of their means less what the draws add to it. Fitted models, effects and economics are shares explained by
    one regression of the mean over models of leaving; sampling is simulated again; `together` is the rest: what only
    shows in combination, and what the regression did not see. Its error takes those of the others for independent.
    """
    rows = []
    seed, arms = study.scenario.seed, study.scenario.arms[1:]
    for arm, (name, variance, error) in enumerate(zip(arms, *sampling_variance(study), strict=True)):
        worlds = drawn.npvs[:, :, arm]
        total, *structure = _structure(worlds, seed)
        # Parts of the variance as shares of all of it; nothing varies where that is 0.
        within, whole = (worlds.mean(axis=0).var(ddof=1) / total, 1.0 / total) if total > 0.0 else (0.0, 0.0)
        parts: dict[str, Sequence[float]] = {}
        for part, kinds in _REGRESSED.items():
            places = [at for at, one in enumerate(drawn.inputs) if one.kind in kinds]
            share = explained(drawn.fitted, places, output=arm, seed=seed)
            parts[part] = (share.value * within, share.mc_error * within)
        parts |= {"structure": structure, "sampling": (variance * whole, error * whole)}
        parts = {part: [nine_digits(float(number)) for number in pair] for part, pair in parts.items()}
        shares, errors = zip(*parts.values(), strict=True)
        parts["together"] = (1.0 - math.fsum(shares), math.sqrt(math.fsum(one**2 for one in errors)))
        rows += [
            (name, study.scenario.titles[name], part, *pair, nine_digits(math.sqrt(max(pair[0], 0.0) * total)))
            for part, pair in parts.items()
        ]
    return table_of(rows, SPLIT)


def _structure(worlds: Numbers, seed: int) -> tuple[float, float, float]:
    """Return the variance over all worlds, and the share of the structures' means with its error over draws."""
    weights = bootstrap_weights(worlds.shape[1], _BOOTSTRAPS, seed)
    total = sum(float(part[0]) for part in _variances(worlds, weights[:1]))
    if len(worlds) == 1:
        return total, 0.0, 0.0
    within, between = _variances(worlds, weights)
    varying = within + between
    shares = np.divide(between, varying, out=np.zeros_like(varying), where=varying > 0.0)
    return total, float(shares[0]), float(shares[1:].std(ddof=1))


def _variances(worlds: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return the mean variance within the structures, and the variance of their means without what draws add to it."""
    draws = worlds.shape[1]
    means = weights @ worlds.T
    within = (weights @ np.square(worlds).T - np.square(means)).mean(axis=1) * draws / (draws - 1)
    apart = worlds - worlds.mean(axis=0)
    moved = weights @ apart.T
    noise = (weights @ np.square(apart).T - np.square(moved)).mean(axis=1) / (draws - 1)
    return within, np.square(moved).mean(axis=1) - noise


def sampling_variance(study: Study) -> tuple[Numbers, Numbers]:
    """Return the variance of each arm's NPV that is left when every number is known, and its error: shape (arms,).

    A few worlds are simulated once more with other random numbers and the same assumptions. Customers are independent,
    so the variance of the sum of their gains is the sum of their variances, each half the squared difference of two
    gains. Gains of customers are not dated: they are discounted by the mean weight of the months, each counted by the
    value of its orders in the baseline.
    """
    draws = study.worlds.draws
    worlds = min(max(_WORLDS, _CUSTOMERS // study.worlds.population.size), len(draws))
    chosen = sorted({int(world) for world in np.linspace(0, len(draws) - 1, worlds)})
    present = study.worlds.present_values().mean(axis=0)
    sold = study.counts[0][:, :, place(CountKind.LIST)].mean(axis=0)
    mean_weight = float((present * sold).sum() / sold.sum()) if sold.sum() > 0.0 else 1.0
    table = np.array([_sampling_variance(study, draws[world]) for world in chosen]) * mean_weight**2
    # With one world alone the error would be unknown; a study has two draws or more.
    return table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(table))


def _sampling_variance(study: Study, draw: Draw) -> Numbers:
    """Return the variance of the undiscounted gain of each arm in one world."""
    ready = study.worlds.inputs(draw)
    # Numbers of draws that no world of the study has.
    other = replace(ready, draw=study.scenario.draws + draw.number)
    variances: Numbers = np.square(_gains(study, ready) - _gains(study, other)).sum(axis=1) / 2.0
    return variances


def _gains(study: Study, ready: Inputs) -> Numbers:
    """Return by how much the value of each customer in each arm is above that in the baseline."""
    seed, population = study.scenario.seed, study.worlds.population
    arms = range(len(study.scenario.arms))
    values = np.array([customer_values(population, ready, seed=seed, arm=arm) for arm in arms])
    gains: Numbers = (values[1:] - values[0]) / MICROS
    return gains
