"""A strategy in; by which pathways customers respond to it, and the strategy without some of these responses, out."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cxsim.effects import Effect
from cxsim.strategies import Strategy

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
