"""Shops whose customers do more than order: behaviours for the tests, without spread in any number."""

from __future__ import annotations

import dataclasses

from cxsim.params import Unit
from cxsim.strategies.behaviour import (
    Behaviour,
    Drift,
    Experience,
    Incident,
    Returning,
    Scale,
    Season,
    Sessions,
    Surveys,
    Traits,
)
from tests.simulated import assumed
from tests.simulation.mechanisms import made

PEAKED = (0.9, 0.85, 0.95, 0.95, 1.0, 0.95, 0.9, 0.9, 1.0, 1.05, 1.2, 1.35)
FLAT = (1.0,) * 12


def correlation(value: float):
    return assumed(value, Unit.CORRELATION)


def season(pattern=PEAKED, amplitude: float = 1.0) -> Season:
    return Season(pattern=pattern, amplitude=assumed(amplitude, Unit.RATIO))


def incident(name: str, chance: float, shock: float, ticket: float) -> Incident:
    return made(Incident, name=name, chance=chance, shock=shock, ticket=ticket)


LATE, DEFECT = incident("late", 0.1, -0.6, 0.3), incident("defect", 0.03, -1.0, 0.7)
EARLY = incident("early", 0.1, 0.6, 0.02)
_USUAL = {"negativity": 1.0, "memory": 0.3, "contact": 0.05, "first_contact": 0.7, "unresolved": -0.5}


def experience(*incidents: Incident, hours=8.0, spread=0.5, buying=1.0, leaving=1.0, basket=1.0, **more) -> Experience:
    """`buying`, `leaving` and `basket` are ratios for one standard deviation of satisfaction."""
    ratios = {"purchase_rate": buying, "dropout": leaving, "basket": basket}
    numbers = _USUAL | {f"{name}_per_deviation": ratio for name, ratio in ratios.items()} | more
    return made(Experience, incidents=incidents, response_hours=hours, response_spread=spread, **numbers)


def scale(centre: float, per_deviation: float, noise: float) -> Scale:
    return made(Scale, centre=centre, per_deviation=per_deviation, noise=noise)


def surveys(*, after_order=0.5, after_ticket=0.8, response=0.2, extremity=0.3, **scales) -> Surveys:
    usual = {"nps": scale(7.8, 1.5, 1.0), "csat": scale(4.0, 0.6, 0.5), "ces": scale(5.5, 0.8, 0.8)}
    asked = {"after_order": after_order, "after_ticket": after_ticket, "response": response, "extremity": extremity}
    return made(Surveys, **asked, **usual | scales)


def traits(purchase_rate=0.0, staying=0.0, spend=0.0) -> Traits:
    return made(Traits, purchase_rate=purchase_rate, staying=staying, spend=spend)


def returns(chance=0.2, part=0.6, after_days=14.0) -> Returning:
    return made(Returning, chance=chance, part=part, days=after_days)


def drift(purchase_rate=1.0, dropout=1.0) -> Drift:
    return made(Drift, purchase_rate=purchase_rate, dropout=dropout)


def shop(**parts) -> Behaviour:
    return Behaviour(name="shop", title="A shop", description="", **parts)


FULL = shop(
    order_season=season(),
    arrival_season=season(),
    drift=drift(0.9, 1.1),
    traits=traits(0.3, 0.2, 0.1),
    experience=experience(LATE, DEFECT, EARLY, negativity=2.0, buying=1.1, leaving=0.85, basket=1.03),
    surveys=surveys(),
    returns=returns(),
    sessions=made(Sessions, conversion=0.03),
)
# The same things happen, but nothing that happens moves an order: every ratio is 1 and nothing is sent back.
UNMOVED = dataclasses.replace(
    FULL,
    order_season=season(FLAT),
    drift=drift(),
    experience=experience(LATE, DEFECT, EARLY, negativity=2.0),
    returns=returns(chance=0.0),
)
