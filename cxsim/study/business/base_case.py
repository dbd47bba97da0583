"""A study in; its base case, in which every assumption has its central value, ready to be played in other variants."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from cxsim.finance.returns import net_present_value
from cxsim.finance.statement import Flows, weights
from cxsim.params import MICROS, Quantity, quantities, with_values
from cxsim.simulation.engine import Executor
from cxsim.simulation.world import rounded
from cxsim.strategies.effects import Effect
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import with_assumptions
from cxsim.study.result import Study
from cxsim.study.scenario import Scenario
from cxsim.study.worlds import Arms, Draw, Worlds

CountKinds = npt.NDArray[np.int64]


def booked(draws: Sequence[Draw], arms: Sequence[Arms], counts: Sequence[CountKinds]) -> Flows:
    """Return the money of every arm in every world."""
    by_world = []
    for world, (draw, played) in enumerate(zip(draws, arms, strict=True)):
        tariffs, fixed = draw.tariffs(played), draw.fixed(played)
        amounts = [
            counted[world] @ worth.T + costs.T for counted, worth, costs in zip(counts, tariffs, fixed, strict=True)
        ]
        by_world.append(np.stack(amounts))
    return Flows(arms=tuple(str(arm) for arm in range(len(counts))), amounts=np.stack(by_world) / MICROS)


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
    baseline: CountKinds
    treated: CountKinds


# Each arm as played in the base case, by its name.
Centre = Mapping[str, Played]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Central:
    """The base case of a study.

    Attributes
    ----------
    worlds
        The study's own scenario and customers, with assumptions and models at their central values.
    executor
        As in `cxsim.run`.
    """

    worlds: Worlds
    executor: Executor | None

    @property
    def scenario(self) -> Scenario:
        """The study's own; its assumptions stand at their central values."""
        return self.worlds.scenario

    @property
    def draws(self) -> tuple[Draw, ...]:
        """One for each world, those of one model of leaving after those of the other; each model at its estimate."""
        return self.worlds.draws

    @property
    def structures(self) -> int:
        """Number of models of leaving."""
        return len(self.scenario.structures)

    def centre(self) -> Centre:
        """Return each arm as it is played in the base case, by name."""
        names, variants = zip(
            *((name, Variant(strategies=some)) for name, some in self.scenario.with_prior), strict=True
        )
        return dict(zip(names, self.play(variants), strict=True))

    def play(self, variants: Sequence[Variant], scenario: Scenario | None = None) -> list[Played]:
        """Return what happens in each variant, and without it, in every world."""
        draws = self.draws
        if scenario is not None:
            draws = tuple(dataclasses.replace(one, scenario=scenario) for one in draws)
        worlds = dataclasses.replace(self.worlds, draws=draws)
        played: list[Played] = []
        for some in _cut(variants):
            arms: Arms = [(), *(variant.strategies for variant in some)]
            counts = worlds.simulate([arms] * len(draws), executor=self.executor)
            by_arm = [np.stack([world.by_arm[arm].sum(axis=0) for world in counts]) for arm in range(len(arms))]
            played += [
                Played(variant=variant, baseline=by_arm[0], treated=treated)
                for variant, treated in zip(some, by_arm[1:], strict=True)
            ]
        return played

    def flows(self, played: Played, scenario: Scenario | None = None, strategies: Sequence[Strategy] = ()) -> Flows:
        """Return the money of a variant beside the baseline, in every world."""
        sentence = scenario or self.scenario
        arms: Arms = [(), tuple(strategies) or played.variant.strategies]
        draws = [dataclasses.replace(draw, scenario=sentence) for draw in self.draws]
        return booked(draws, [arms] * len(draws), (played.baseline, played.treated))

    def present(self, scenario: Scenario | None = None) -> Numbers:
        """Return the present value of one unit of money in each month of each world: shape (worlds, months)."""
        sentence = scenario or self.scenario
        rates = np.full(len(self.draws), sentence.economics.annual_discount_rate.value)
        return weights(sentence.calendar.month_starts, sentence.economics.timing, rates)

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
    return Central(worlds=dataclasses.replace(study.worlds, draws=tuple(draws)), executor=executor)


def _cut(variants: Sequence[Variant]) -> Iterator[Sequence[Variant]]:
    for first in range(0, len(variants), _ARMS_AT_ONCE):
        yield variants[first : first + _ARMS_AT_ONCE]


Pathway = str
_NO_GAIN, _SAME = 0.0, 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """Numbers of one kind of effect by which customers respond, and what they are without any response.

    Attributes
    ----------
    pathway
        Where the response shows.
    without
        For each field its value without the response; None takes the field away.
    after
        Pathways without which this one cannot be: what is borrowed from the future must first have been gained.
    """

    pathway: Pathway
    without: Mapping[str, float | None]
    after: tuple[Pathway, ...] = ()


LABELS: Mapping[Pathway, str] = MappingProxyType(
    {
        "frequency": "More frequent orders",
        "retention": "Customers stay longer",
        "basket": "Larger baskets",
        "price": "Orders for a lower price",
        "reference_price": "Getting used to low prices",
        "forward_buying": "Orders borrowed from later",
        "conversion": "More new customers",
        "referral": "Recommended customers",
        "reactivation": "Customers who come back",
        "failures": "Fewer failures",
        "service": "Less work for support",
        "recovery": "Making up for failures",
        "satisfaction": "More satisfied customers",
        "returns": "Goods sent back",
    }
)
# What an effect changes without anybody responding, such as rewards on orders that come anyway, is not listed.
RESPONSES: Mapping[str, tuple[Response, ...]] = MappingProxyType(
    {
        "purchase_rate": (Response(pathway="frequency", without={"ratio": _SAME}),),
        "dropout": (Response(pathway="retention", without={"ratio": _SAME}),),
        "basket": (Response(pathway="basket", without={"ratio": _SAME}),),
        "markdown": (
            Response(pathway="price", without={"elasticity": _NO_GAIN}),
            Response(
                pathway="reference_price",
                without={"reference_half_life_days": None, "loss_aversion": None},
                after=("price",),
            ),
            Response(pathway="forward_buying", without={"forward_buying": None, "dip_depth": None}, after=("price",)),
        ),
        "coupon": (),
        "points": (
            Response(
                pathway="frequency",
                without=dict.fromkeys(("pull", "steepness", "rewarded", "rewarded_half_life_days")),
            ),
        ),
        "status": (
            Response(pathway="frequency", without={"purchase_rate": _SAME, "pull": None, "steepness": None}),
            Response(pathway="retention", without={"dropout": _SAME, "demotion": _SAME}),
        ),
        "membership": (),
        "incidents": (Response(pathway="failures", without={"ratio": _SAME}),),
        "tickets": (Response(pathway="service", without={"ratio": _SAME}),),
        "resolution": (Response(pathway="service", without={"unresolved": _SAME, "hours": _SAME}),),
        "recovery": (Response(pathway="recovery", without={"repair": _NO_GAIN, "delight": _NO_GAIN}),),
        "satisfaction": (Response(pathway="satisfaction", without={"shift": _NO_GAIN}),),
        "returns": (Response(pathway="returns", without={"ratio": _SAME}),),
        "contacts": (Response(pathway="frequency", without={"response": _NO_GAIN, "fatigue": _NO_GAIN}),),
        "reactivation": (Response(pathway="reactivation", without={"share": _NO_GAIN}),),
        "acquisition": (Response(pathway="conversion", without={"ratio": _SAME}),),
        "referral": (Response(pathway="referral", without={"per_year": _NO_GAIN}),),
    }
)


def pathways_of(strategies: Collection[Strategy]) -> dict[Pathway, tuple[Pathway, ...]]:
    """Return the pathways by which customers respond to some strategies, each with those it must come after."""
    found = {
        response.pathway: response.after
        for strategy in strategies
        for effect in strategy.effects
        for response in RESPONSES[effect.kind]
        if _responds(effect, response)
    }
    return {pathway: found[pathway] for pathway in LABELS if pathway in found}


def responding(strategy: Strategy) -> frozenset[str]:
    """Return the paths of a strategy's numbers by which customers respond, such as `effects.dropout_1.ratio`."""
    return frozenset(
        f"effects.{effect.kind}_{place}.{field}"
        for place, effect in enumerate(strategy.effects, start=1)
        for response in RESPONSES[effect.kind]
        for field in response.without
    )


def without(strategy: Strategy, pathways: Collection[Pathway]) -> Strategy:
    """Return a strategy to which customers do not respond by some pathways; all that is given away stays."""
    effects = tuple(_without(effect, pathways) for effect in strategy.effects)
    return dataclasses.replace(strategy, effects=effects)


def _without(effect: Effect, pathways: Collection[Pathway]) -> Effect:
    fields = {
        field: None if neutral is None else getattr(effect, field).at(neutral)
        for response in RESPONSES[effect.kind]
        if response.pathway in pathways
        for field, neutral in response.without.items()
        if getattr(effect, field) is not None
    }
    return dataclasses.replace(effect, **fields)  # type: ignore[arg-type]  # the fields are this effect's own


def _responds(effect: Effect, response: Response) -> bool:
    return any(
        (given := getattr(effect, field)) is not None and (neutral is None or given.value != neutral)
        for field, neutral in response.without.items()
    )


# Standard normal scores of the 10 % and the 90 % quantile, and of the 1 % and the 99 %.
Z90 = 1.2815515655446004
Z99 = 2.3263478740408408


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """An uncertain number.

    Attributes
    ----------
    id
        Identifier of the assumption, such as `strategies/points-programme/effects.dropout_1.ratio`.
    belongs_to
        Title of the strategy or the economics.
    path
        Its path in what it belongs to.
    quantity
        What is believed of it.
    method
        `played` where it changes what customers do, `booked` where it is a price.
    """

    id: str
    belongs_to: str
    path: str
    quantity: Quantity
    method: str

    def at(self, score: float) -> float:
        """Return its value at a standard normal score of what is believed."""
        return rounded(self.quantity.quantile(score))

    def sentence(self) -> dict[str, object]:
        """Return what tables say of it."""
        return {
            "id": self.id,
            "belongs_to": self.belongs_to,
            "description": self.quantity.description,
            "unit": str(self.quantity.unit),
            "value": self.quantity.value,
        }


def own_numbers(strategy: Strategy) -> tuple[Number, ...]:
    """Return the numbers of a strategy that have a spread."""
    return _uncertain(strategy, f"strategies/{strategy.name}", strategy.title)


def prices(scenario: Scenario) -> tuple[Number, ...]:
    """Return the numbers of a scenario's economics that have a spread."""
    economics = scenario.economics
    return _uncertain(economics, f"economics/{economics.name}", economics.title)


def habits(scenario: Scenario) -> tuple[Number, ...]:
    """Return the numbers of a scenario's behaviour of customers that have a spread."""
    behaviour = scenario.behaviour
    return _uncertain(behaviour, f"behaviour/{behaviour.name}", behaviour.title)


def moved(strategy: Strategy, values: Mapping[str, float]) -> Strategy:
    """Return a strategy with some of its numbers, by their paths, at other values."""
    return with_values(strategy, values)


def elsewhere(base: Central, number: Number, value: float) -> Scenario:
    """Return the base case's scenario with a number of its economics or behaviour at another value."""
    return with_assumptions(base.scenario, {number.id: value})


def alone(scenario: Scenario) -> Iterator[Strategy]:
    """Yield the strategies that are believed, one by one."""
    return (strategy for strategy in scenario.strategies if strategy.mode == "prior")


def _uncertain(holder: object, place: str, title: str) -> tuple[Number, ...]:
    return tuple(
        Number(
            id=f"{place}/{path}",
            belongs_to=title,
            path=path,
            quantity=quantity,
            method="booked" if place.startswith("economics/") or path.startswith("costs.") else "played",
        )
        for path, quantity in quantities(holder)
        if quantity.range[0] < quantity.range[1]
    )
