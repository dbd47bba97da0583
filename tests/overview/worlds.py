"""Worlds whose behaviour is known exactly, small enough to be played in a second."""

from __future__ import annotations

import dataclasses

from cxsim.params import quantities, read, root, with_values
from cxsim.strategies.behaviour import Behaviour
from cxsim.study.loading import load_scenario
from cxsim.study.scenario import NewCustomers

LIKE = read(root() / "params" / "behaviour" / "online-shop.yaml", Behaviour)
# Far from what is assumed, and so many surveys and tickets that their scales can be told.
OTHERWISE = {
    "experience.incidents.item_1.chance": 0.09,
    "experience.incidents.item_1.ticket": 0.35,
    "experience.contact": 0.20,
    "experience.first_contact": 0.60,
    "experience.response_hours": 30.0,
    "experience.response_spread": 1.4,
    "surveys.after_order": 0.6,
    "surveys.after_ticket": 0.9,
    "surveys.response": 0.4,
    "surveys.nps.centre": 7.5,
    "surveys.nps.per_deviation": 1.6,
    "surveys.csat.centre": 3.6,
    "surveys.ces.noise": 1.4,
    "returns.chance": 0.15,
    "returns.part": 0.6,
    "returns.days": 25.0,
    "sessions.conversion": 0.1,
}
# Satisfaction moves nothing: else those who are asked would not be as satisfied as all customers are.
UNMOVED = dict.fromkeys((f"experience.{name}_per_deviation" for name in ("purchase_rate", "dropout", "basket")), 1.0)


def exactly(**changes):
    """Return the bundled behaviour with every number certain, and some changed; no traits."""
    values = {name: quantity.value for name, quantity in quantities(LIKE)} | UNMOVED | changes
    return dataclasses.replace(with_values(LIKE, values), traits=None)


def new_customers(behaviour, *, per_month=5000, months=4, horizon_months=12, seed=11, **changes):
    """Return a scenario of new customers alone, 20,000 in four months if nothing else is said."""
    return dataclasses.replace(
        load_scenario("cdnow-service"),
        orders="cdnow-sample",
        existing_customers="none",
        dropout="bgnbd",
        draws=2,
        seed=seed,
        new_customers=NewCustomers(per_month=per_month, months=months),
        horizon_months=horizon_months,
        behaviour=behaviour,
        combinations=(),
        stacking=None,
        **changes,
    )
