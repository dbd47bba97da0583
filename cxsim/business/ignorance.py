"""A study in; what each of its draws drew, number by number, beside what every strategy brought in it, out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from cxsim.models import GammaGammaParams, PurchaseParams
from cxsim.quantity import Z95, Quantity
from cxsim.scenario import assumptions
from cxsim.study import Study
from cxsim.study.draws import Draw
from cxsim.units import BOUNDS

Numbers = npt.NDArray[np.float64]
Kind = Literal["models", "responses", "costs", "economics", "behaviour", "stacking"]
# What is drawn farther out is drawn once in ten thousand times, or lies at the edge of its unit.
_FARTHEST = 4.0
# A parameter of which so little is its own is told by the others.
_OWN = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """A number that is not known.

    Attributes
    ----------
    id
        Identifier of the assumption; of a fitted model's parameter `models/` and a number.
    description
        What it means.
    kind
        What it belongs to: the fitted models, how customers respond to a strategy, what the strategy costs, the shop's
        economics, its behaviour of customers, or how strategies work together.
    strategy
        Name of its strategy; empty for all other kinds.
    """

    id: str
    description: str
    kind: Kind
    strategy: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ignorance:
    """What is not known, draw by draw.

    Attributes
    ----------
    unknowns
        The numbers, those of the fitted models first.
    drawn
        Shape (draws, numbers): standard normal scores of the numbers on the scales of their units; parameters of the
        fitted models as independent directions of their logarithms.
    arms
        Names of the strategies and combinations.
    npvs
        Shape (structures, draws, arms): incremental.
    relevant
        Shape (arms, numbers): which numbers an arm depends on at all.
    """

    unknowns: tuple[Unknown, ...]
    drawn: Numbers
    arms: tuple[str, ...]
    npvs: Numbers
    relevant: npt.NDArray[np.bool_]

    def places(self, kinds: Collection[Kind]) -> list[int]:
        """Return the places of all numbers of some kinds."""
        return [place for place, one in enumerate(self.unknowns) if one.kind in kinds]


def ignorance(study: Study) -> Ignorance:
    """Return what each draw of a study drew, and what every arm brought in it."""
    scenario = study.scenario
    arms, worlds = scenario.arms[1:], study.npv.pivot(on="strategy", index="draw", values="npv").sort("draw")
    npvs = worlds.select(arms).to_numpy().reshape(len(scenario.structures), scenario.draws, len(arms))
    models = _independent(_parameters(study.replay.draws, scenario.draws))
    known = list(_assumed(study))
    scores = _scores(known, study.replay.draws[: scenario.draws])
    unknowns = (
        *(Unknown(id=f"models/{n + 1}", description="", kind="models") for n in range(models.shape[1])),
        *(unknown for unknown, _ in known),
    )
    members = dict(scenario.believed)
    relevant = [[_matters(one, [each.name for each in members[arm]]) for one in unknowns] for arm in arms]
    return Ignorance(
        unknowns=unknowns,
        drawn=np.hstack([models, scores]),
        arms=arms,
        npvs=npvs,
        relevant=np.array(relevant, np.bool_).reshape(len(arms), len(unknowns)),
    )


def score(quantity: Quantity, value: float) -> float:
    """Return at which standard normal score of what is believed of a quantity a value lies, -4 to 4."""
    end = quantity.range[0] if value < quantity.value else quantity.range[1]
    middle, far, at = (_on_scale(number, quantity) for number in (quantity.value, end, value))
    if far == middle:
        return 0.0
    distance = Z95 * abs(at - middle) / abs(far - middle)
    return math.copysign(min(distance, _FARTHEST), value - quantity.value)


def _on_scale(value: float, quantity: Quantity) -> float:
    scale = BOUNDS[quantity.unit].scale
    if scale == "linear":
        return value
    if value <= 0.0:
        return -math.inf
    if scale == "log":
        return math.log(value)
    return math.log(value) - math.log1p(-value) if value < 1.0 else math.inf


def _assumed(study: Study) -> Iterator[tuple[Unknown, Quantity]]:
    """Yield the numbers that are drawn, as they are believed."""
    scenario = study.scenario
    searched = tuple(f"strategies/{one.name}/" for one in scenario.searched)
    for name, _, quantity in assumptions(scenario):
        if quantity.range[0] == quantity.range[1] or name.startswith(searched):
            continue
        room, owner, path = name.split("/", 2)
        kind = _kind(room, path)
        strategy = owner if kind in {"responses", "costs"} else ""
        yield Unknown(id=name, description=quantity.description, kind=kind, strategy=strategy), quantity


def _kind(room: str, path: str) -> Kind:
    match room:
        case "economics":
            return "economics"
        case "behaviour":
            return "behaviour"
        case "strategies":
            return "costs" if path.startswith("costs.") else "responses"
        case _:
            return "stacking"


def _scores(known: Sequence[tuple[Unknown, Quantity]], draws: Sequence[Draw]) -> Numbers:
    scores = np.empty((len(draws), len(known)))
    for row, draw in enumerate(draws):
        values = {name: one.value for name, _, one in assumptions(draw.scenario)}
        scores[row] = [score(quantity, values[unknown.id]) for unknown, quantity in known]
    return scores


def _matters(unknown: Unknown, members: Sequence[str]) -> bool:
    """Return whether an arm with these strategies depends on a number."""
    if unknown.kind == "stacking":
        return len(members) > 1
    return not unknown.strategy or unknown.strategy in members


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
        # As many directions as draws would tell every draw apart.
        if own.std() > _OWN * max(float(centred.std()), 1e-12) and len(directions) < rows - 1:
            directions.append(own / own.std())
    return np.column_stack(directions) if directions else np.empty((rows, 0))
