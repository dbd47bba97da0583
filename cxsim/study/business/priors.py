"""A study in; what each of its draws drew, number by number, beside what every strategy brought in it, out."""

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
from cxsim.params import BOUNDS, MICROS, Z95, Quantity
from cxsim.simulation.counts import CountKind, place
from cxsim.simulation.engine import Inputs, customer_values, events
from cxsim.simulation.state import KINDS
from cxsim.study.assumptions import assumptions
from cxsim.study.result import Study
from cxsim.study.shop_tables import SECONDS_PER_DAY
from cxsim.study.worlds import Draw

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
class PriorDraws:
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


def prior_draws(study: Study) -> PriorDraws:
    """Return what each draw of a study drew, and what every arm brought in it."""
    scenario = study.scenario
    arms, worlds = scenario.arms[1:], study.npv.pivot(on="strategy", index="draw", values="npv").sort("draw")
    npvs = worlds.select(arms).to_numpy().reshape(len(scenario.structures), scenario.draws, len(arms))
    models = _independent(_parameters(study.worlds.draws, scenario.draws))
    known = list(_assumed(study))
    scores = _scores(known, study.worlds.draws[: scenario.draws])
    unknowns = (
        *(Unknown(id=f"models/{n + 1}", description="", kind="models") for n in range(models.shape[1])),
        *(unknown for unknown, _ in known),
    )
    members = dict(scenario.with_prior)
    relevant = [[_matters(one, [each.name for each in members[arm]]) for one in unknowns] for arm in arms]
    return PriorDraws(
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
    draws = study.worlds.draws
    wanted = max(_WORLDS, _CUSTOMERS // study.worlds.population.size)
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
    scenario = study.scenario
    ready = study.worlds.inputs(draw)
    # Numbers of draws that no world of the study has.
    other = dataclasses.replace(ready, draw=scenario.draws + draw.number)
    one, another = _gains(study, ready), _gains(study, other)
    return np.array([float(np.square(first - second).sum()) / 2.0 for first, second in zip(one, another, strict=True)])


def _gains(study: Study, ready: Inputs) -> list[Numbers]:
    """Return by how much each customer is worth more in each arm than in the baseline."""
    seed, population = study.scenario.seed, study.worlds.population
    usual = customer_values(population, ready, seed=seed)
    return [
        (customer_values(population, ready, seed=seed, arm=arm) - usual) / MICROS
        for arm in range(1, len(study.scenario.arms))
    ]


def _discount(study: Study) -> float:
    present = study.worlds.present_values().mean(axis=0)
    sold = study.counts[0][:, :, place(CountKind.LIST)].mean(axis=0)
    return float((present * sold).sum() / sold.sum()) if sold.sum() > 0.0 else 1.0


# What an event counts: for each tally the column of the log that holds how much of it, or one.
_COUNTED: Mapping[str, Mapping[CountKind, str | None]] = {
    "ORDER": {CountKind.ORDERS: None, CountKind.LIST: "a", CountKind.MARKDOWN: "b", CountKind.REWARD: "c"},
    "RETURN": {CountKind.RETURNS: None, CountKind.REFUNDED: "a", CountKind.SENT_BACK: "b"},
    "TICKET": {CountKind.TICKETS: None, CountKind.COMPENSATION: "d"},
}
# Customers whom others bring have numbers from here on; no test can draw lots for them beforehand.
_REFERRED = 1 << 40


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FollowUp:
    """Customers of one world without any strategy.

    Attributes
    ----------
    existing
        Shape (customers,): whether they were there at the start.
    entered
        Shape (customers,): day of the scenario on which they came; 0 for those who were there.
    within
        By number of days: what each brings within so many days of entering, in units of the currency; not a number
        where the scenario ends before.
    worth
        Shape (customers,): present value of all that each brings within the horizon.
    reached
        Shape (customers, strategies): who meets the condition of which strategy.
    """

    existing: npt.NDArray[np.bool_]
    entered: Numbers
    within: Mapping[int, Numbers]
    worth: Numbers
    reached: npt.NDArray[np.bool_]


def follow_up(study: Study, days: Sequence[int]) -> FollowUp:
    """Return what each customer brings within some days in the baseline, every number at its central value.

    Contribution is what the ledger books for orders, returns and tickets; winning the customer is not part of it.
    """
    draw = _central(study)
    population = study.worlds.population
    ready = study.worlds.inputs(draw)
    log = events(population, ready, seed=study.scenario.seed).filter(pl.col("customer") < _REFERRED)
    came = log.filter(pl.col("kind") == KINDS.index("ARRIVED")).select("customer", entered="second").sort("customer")
    there = population.base.height
    people = pl.concat(
        [
            pl.DataFrame({"customer": np.arange(there), "entered": np.zeros(there, np.int64)}),
            came,
        ]
    )
    brought = _brought(log, people, draw)
    end = study.scenario.calendar.days * SECONDS_PER_DAY
    entered = people["entered"].to_numpy()
    return FollowUp(
        existing=people["customer"].to_numpy() < there,
        entered=entered / SECONDS_PER_DAY,
        within={one: _within(brought, one, entered, end) for one in days},
        worth=_worth(brought, study, len(entered)),
        reached=_reached(ready.reached, study, people["customer"].to_numpy()),
    )


def _central(study: Study) -> Draw:
    structure = study.scenario.structures[0]
    return dataclasses.replace(
        study.worlds.draws[0],
        scenario=study.scenario,
        purchases=study.purchases[structure].params,
        spend=study.spend.params,
    )


def _brought(log: pl.DataFrame, people: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Return what each event adds: place of the customer among the people, second, seconds since entry, millionths."""
    worth = draw.tariffs()[0].sum(axis=0)
    amount = pl.lit(0, pl.Int64)
    for kind, count_kinds in _COUNTED.items():
        each = pl.sum_horizontal(
            (pl.lit(1) if column is None else pl.col(column)) * int(worth[place(count_kind)])
            for count_kind, column in count_kinds.items()
        )
        amount = pl.when(pl.col("kind") == KINDS.index(kind)).then(each).otherwise(amount)
    numbered = people.with_row_index("place")
    return (
        log.filter(pl.col("kind").is_in([KINDS.index(kind) for kind in _COUNTED]))
        .select("customer", "second", amount=amount)
        .join(numbered, on="customer", how="left", maintain_order="left")
        .select("place", "second", "amount", since=pl.col("second") - pl.col("entered"))
    )


def _within(brought: pl.DataFrame, days: int, entered: npt.NDArray[np.int64], end: int) -> Numbers:
    seconds = days * SECONDS_PER_DAY
    early = brought.filter(pl.col("since") < seconds)
    total = _by_place(early["place"].to_numpy(), early["amount"].to_numpy(), len(entered))
    return np.where(entered + seconds <= end, total / MICROS, np.nan)


def _worth(brought: pl.DataFrame, study: Study, people: int) -> Numbers:
    present = study.worlds.present_values().mean(axis=0)
    calendar = study.scenario.calendar
    month = calendar.month_of_day[brought["second"].to_numpy() // SECONDS_PER_DAY]
    discounted = brought["amount"].to_numpy() * present[month] / MICROS
    return np.bincount(brought["place"].to_numpy(), discounted, minlength=people).astype(np.float64)


def _by_place(places: npt.NDArray[np.int64], amounts: npt.NDArray[np.int64], people: int) -> Numbers:
    # Whole millionths below 2**53 are exact as floats, so that no order of the sum matters.
    return np.bincount(places, amounts.astype(np.float64), minlength=people).astype(np.float64)


def _reached(
    by_arm: Sequence[npt.NDArray[np.bool_]], study: Study, customers: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Return who is reached by each strategy that is believed: shape (customers, strategies)."""
    strategies = [one.name for one in study.scenario.strategies if one.mode == "prior"]
    newcomers = len(by_arm[0]) - 1
    rows = np.minimum(customers, newcomers)
    return np.column_stack([by_arm[study.scenario.arms.index(name)][rows, 0] for name in strategies])
