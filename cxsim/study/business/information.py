"""A study in; the value of information on each uncertain number, and the variance of NPV by its sources, out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.finance.information import bootstrap_weights, evpi, evppi, evppi_of_structure, explained
from cxsim.finance.metamodel import Surface, nine_digits, surface
from cxsim.params import BOUNDS, MICROS, Z95, Quantity, Scale
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import Inputs, customer_values
from cxsim.study.assumptions import assumptions
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


@dataclass(frozen=True, kw_only=True, slots=True)
class UncertainInput:
    """A number that was drawn: an assumption, or a parameter of a fitted model."""

    # Identifier of the assumption; of a fitted model's parameter `models/` and a number.
    id: str
    description: str
    # What it belongs to; `responses` is how customers respond to a strategy, `stacking` how strategies work together.
    kind: Kind
    # Name of its strategy; empty for all other kinds.
    strategy: str = ""

    def matters(self, members: Collection[str]) -> bool:
        """Return whether an arm with these strategies depends on it."""
        if self.kind == "stacking":
            return len(members) > 1
        return not self.strategy or self.strategy in members


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DrawnInputs:
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
    scenario = study.scenario
    arms, worlds = scenario.arms[1:], study.npv.pivot(on="strategy", index="draw", values="npv").sort("draw")
    npvs = worlds.select(arms).to_numpy().reshape(len(scenario.structures), scenario.draws, len(arms))
    models = _independent(_parameters(study.worlds.draws, scenario.draws))
    assumed = list(_assumed(study))
    inputs = (
        *(UncertainInput(id=f"models/{n + 1}", description="", kind="models") for n in range(models.shape[1])),
        *(uncertain for uncertain, _ in assumed),
    )
    scores = np.hstack([models, _scores(assumed, study.worlds.draws[: scenario.draws])])
    members = [[one.name for one in together] for _, together in scenario.with_prior]
    relevant = np.array([[one.matters(some) for one in inputs] for some in members], np.bool_)
    return DrawnInputs(
        inputs=inputs,
        scores=scores,
        npvs=npvs,
        relevant=relevant,
        fitted=surface(npvs.mean(axis=0), scores, relevant),
    )


def _assumed(study: Study) -> Iterator[tuple[UncertainInput, Quantity]]:
    """Yield the assumptions that are drawn, with their priors."""
    scenario = study.scenario
    searched = tuple(f"strategies/{one.name}/" for one in scenario.searched)
    kinds: dict[str, Kind] = {"economics": "economics", "behaviour": "behaviour", "scenarios": "stacking"}
    for name, _, quantity in assumptions(scenario):
        if quantity.range[0] == quantity.range[1] or name.startswith(searched):
            continue
        folder, owner, path = name.split("/", 2)
        own: Kind = "costs" if path.startswith("costs.") else "responses"
        yield (
            UncertainInput(
                id=name,
                description=quantity.description,
                kind=kinds.get(folder, own),
                strategy="" if folder in kinds else owner,
            ),
            quantity,
        )


def _scores(assumed: Sequence[tuple[UncertainInput, Quantity]], draws: Sequence[Draw]) -> Numbers:
    values = [{name: one.value for name, _, one in assumptions(draw.scenario)} for draw in draws]
    scores = [[standard_score(quantity, drawn[uncertain.id]) for uncertain, quantity in assumed] for drawn in values]
    return np.array(scores, np.float64).reshape(len(draws), len(assumed))


def standard_score(quantity: Quantity, value: float) -> float:
    """Return at which standard normal score of a quantity's prior a value lies, -4 to 4."""
    end = quantity.range[0] if value < quantity.value else quantity.range[1]
    scale = BOUNDS[quantity.unit].scale
    middle, far, at = (on_scale(number, scale) for number in (quantity.value, end, value))
    if far == middle:
        return 0.0
    distance = Z95 * abs(at - middle) / abs(far - middle)
    return math.copysign(min(distance, _FARTHEST), value - quantity.value)


def on_scale(value: float, scale: Scale) -> float:
    """Return a number on the scale of its prior; infinite at its ends."""
    if scale == "linear":
        return value
    if value <= 0.0:
        return -math.inf
    if scale == "log":
        return math.log(value)
    return math.log(value) - math.log1p(-value) if value < 1.0 else math.inf


def _parameters(draws: Sequence[Draw], number: int) -> Numbers:
    """Return the logarithms of all parameters of all models: shape (draws, parameters)."""
    by_structure = [draws[first : first + number] for first in range(0, len(draws), number)]
    orders = [np.array([_logarithms(draw.purchases) for draw in some]) for some in by_structure]
    spend = np.array([_logarithms(draw.spend) for draw in draws[:number]])
    return np.hstack([*orders, spend])


def _logarithms(params: PurchaseParams | GammaGammaParams) -> list[float]:
    # Whole numbers, such as the stages of an order clock, are chosen and not drawn.
    values = (getattr(params, field.name) for field in dataclasses.fields(params))
    return [math.log(value) for value in values if isinstance(value, float)]


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
    arms = study.scenario.arms[1:]
    rows = list(_of_decision(study, drawn, range(len(arms)), PORTFOLIO, "The choice among all"))
    for arm, name in enumerate(arms):
        rows += _of_decision(study, drawn, [arm], name, study.scenario.titles[name])
    return table_of(rows, INFORMATION)


def _of_decision(
    study: Study, drawn: DrawnInputs, arms: Sequence[int], name: str, title: str
) -> Iterator[dict[str, object]]:
    """Yield everything, the groups, and the numbers by their value, for the choice of doing nothing or some arms."""
    seed, mine = study.scenario.seed, drawn.fitted.of(arms)
    npvs = np.concatenate([np.zeros_like(drawn.npvs[:, :, :1]), drawn.npvs[:, :, list(arms)]], axis=2)
    everything = evpi(npvs.reshape(-1, npvs.shape[2]), worlds_per_draw=len(npvs))
    relevant = np.flatnonzero(np.logical_or.reduce(drawn.relevant[list(arms)], axis=0)).tolist()
    found = [(EVERYTHING, "Everything, chance included", everything, 0)]
    for group, what, places in _groups(study, drawn, relevant):
        found.append((group, what, evppi(mine, places, seed=seed), 0))
    if len(npvs) > 1:
        structure = evppi_of_structure(npvs, seed=seed)
        found.append((STRUCTURE, "Which model of orders and leaving holds", structure, 0))
    # A direction among the fitted models' parameters has no name of its own.
    numbers = [(drawn.inputs[at], evppi(mine, [at], seed=seed)) for at in relevant if drawn.inputs[at].kind != "models"]
    numbers.sort(key=lambda pair: (-pair[1].value, -pair[1].mc_error, pair[0].id))
    found += [(one.id, one.description, estimate, rank) for rank, (one, estimate) in enumerate(numbers, start=1)]
    for identifier, what, estimate, rank in found:
        yield {
            "decision": name,
            "title": title,
            "id": identifier,
            "description": what,
            "worth": estimate.value,
            "mc_error": estimate.mc_error,
            "share_of_everything": estimate.value / everything.value if everything.value > 0.0 else None,
            "rank": rank,
        }


def _groups(study: Study, drawn: DrawnInputs, relevant: Sequence[int]) -> Iterator[tuple[str, str, list[int]]]:
    """Yield name, description and places of the groups of numbers that a decision depends on."""
    groups: list[tuple[Kind, str, str, str]] = []
    for one in study.scenario.strategies:
        groups += [
            ("responses", one.name, responses_to(one.name), f"{one.title}: {RESPONSES}"),
            ("costs", one.name, f"costs of {one.name}", f"{one.title}: what it costs"),
        ]
    groups += [
        ("economics", "", "economics", "What an order earns and costs the shop"),
        ("behaviour", "", "behaviour", "How customers behave with and without any strategy"),
        ("models", "", "fitted models", "How often customers order, how long they stay and what they spend"),
    ]
    for kind, strategy, name, what in groups:
        places = [at for at in relevant if (drawn.inputs[at].kind, drawn.inputs[at].strategy) == (kind, strategy)]
        if places:
            yield name, what, places


# What the group of `responses_to` a strategy describes.
RESPONSES = "how many take part, and how they respond"


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
    sampling = zip(*sampling_variance(study), strict=True)
    for arm, (name, (variance, error)) in enumerate(zip(study.scenario.arms[1:], sampling, strict=True)):
        worlds, seed = drawn.npvs[:, :, arm], study.scenario.seed
        total, *structure = _structure(worlds, seed)
        # Parts of the variance as shares of all of it; nothing varies where that is 0.
        within = float(worlds.mean(axis=0).var(ddof=1)) / total if total > 0.0 else 0.0
        whole = 1.0 / total if total > 0.0 else 0.0
        parts: dict[str, Sequence[float]] = {}
        for part, kinds in _REGRESSED.items():
            places = [at for at, one in enumerate(drawn.inputs) if one.kind in kinds]
            share = explained(drawn.fitted, places, output=arm, seed=seed)
            parts[part] = (share.value * within, share.mc_error * within)
        parts |= {"structure": structure, "sampling": (float(variance) * whole, float(error) * whole)}
        parts = {part: [nine_digits(number) for number in pair] for part, pair in parts.items()}
        shares, errors = zip(*parts.values(), strict=True)
        parts["together"] = (1.0 - math.fsum(shares), math.sqrt(math.fsum(one**2 for one in errors)))
        rows += [
            {
                "strategy": name,
                "title": study.scenario.titles[name],
                "part": part,
                "share": share,
                "mc_error": error,
                "sd": nine_digits(math.sqrt(max(share, 0.0) * total)),
            }
            for part, (share, error) in parts.items()
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
    other = dataclasses.replace(ready, draw=study.scenario.draws + draw.number)
    one, another = _gains(study, ready), _gains(study, other)
    return np.array([float(np.square(first - second).sum()) / 2.0 for first, second in zip(one, another, strict=True)])


def _gains(study: Study, ready: Inputs) -> list[Numbers]:
    """Return by how much the value of each customer in each arm is above that in the baseline."""
    seed, population = study.scenario.seed, study.worlds.population
    usual = customer_values(population, ready, seed=seed)
    return [
        (customer_values(population, ready, seed=seed, arm=arm) - usual) / MICROS
        for arm in range(1, len(study.scenario.arms))
    ]
