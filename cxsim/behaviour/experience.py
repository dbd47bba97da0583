"""What customers go through with an order, how it moves their satisfaction, and what satisfaction moves."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit

MAX_INCIDENTS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """Something that can happen to an order.

    Attributes
    ----------
    name
        Small letters and underscores, such as `late`.
    chance
        Share of the orders to which it happens.
    shock
        How far the order's experience lies from the customer's usual one, in standard deviations of satisfaction
        between customers; negative is worse. A negative one is multiplied by `Experience.negativity`.
    ticket
        Share of those affected who write to support.
    """

    name: str
    chance: Quantity
    shock: Quantity
    ticket: Quantity

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z][a-z_]{0,30}", self.name):
            raise ParamError(f"incident: '{self.name}' is no name; use small letters and underscores, such as late.")
        units = {"chance": Unit.SHARE, "shock": Unit.DEVIATIONS, "ticket": Unit.SHARE}
        require_units(self, units, f"incident '{self.name}'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Experience:
    """Incident, ticket, resolution, satisfaction, and what follows.

    After each order the experience is e = own trait + shifts + shocks, and satisfaction S moves by memory * (e - S).
    S changes log order rate, log chance of leaving and log basket in proportion: a customer one standard deviation more
    satisfied has them multiplied by the ratios `*_per_deviation`. Form: Ho, Park & Zhou (2006).

    Attributes
    ----------
    incidents
        What can happen, at most six; at most one to an order.
    negativity
        How many times as much a bad shock counts as a good one of the same size.
    memory
        Share of the difference by which satisfaction moves after each order.
    contact
        Share of the orders to which nothing happened, whose customers write to support all the same.
    first_contact
        Share of the tickets that the first answer solves.
    unresolved
        Further shock where it does not, in standard deviations; negative is worse.
    response_hours
        Median hours to the first answer; the end comes after as many hours again, or five times as many where the first
        answer does not solve it. Both are lognormal.
    response_spread
        Standard deviation of the log of these hours.
    purchase_rate_per_deviation, dropout_per_deviation, basket_per_deviation
        Ratios for one standard deviation of satisfaction.
    """

    incidents: tuple[Incident, ...]
    negativity: Quantity
    memory: Quantity
    contact: Quantity
    first_contact: Quantity
    unresolved: Quantity
    response_hours: Quantity
    response_spread: Quantity
    purchase_rate_per_deviation: Quantity
    dropout_per_deviation: Quantity
    basket_per_deviation: Quantity

    def __post_init__(self) -> None:
        require_units(self, _UNITS, "experience")
        if not isinstance(self.incidents, tuple):
            raise ParamError(f"experience.incidents must be a tuple; found {type(self.incidents).__name__}.")
        if len(self.incidents) > MAX_INCIDENTS:
            raise ParamError(
                f"experience.incidents: at most {MAX_INCIDENTS} are possible; found {len(self.incidents)}."
            )
        names = [incident.name for incident in self.incidents]
        if len(set(names)) < len(names):
            raise ParamError(f"experience.incidents must have different names; found {', '.join(names)}.")
        most = sum(incident.chance.range[1] for incident in self.incidents)
        if most > 1.0:
            raise ParamError(
                f"experience.incidents: at the far ends of their ranges the chances add up to {most:g}; at most one "
                "incident happens to an order, so they must stay at or below 1 together."
            )


_UNITS = {
    "negativity": Unit.RATIO,
    "memory": Unit.SHARE,
    "contact": Unit.SHARE,
    "first_contact": Unit.SHARE,
    "unresolved": Unit.DEVIATIONS,
    "response_hours": Unit.HOURS,
    "response_spread": Unit.EXPONENT,
    "purchase_rate_per_deviation": Unit.RATIO,
    "dropout_per_deviation": Unit.RATIO,
    "basket_per_deviation": Unit.RATIO,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Returning:
    """Orders that are sent back.

    Attributes
    ----------
    chance
        Share of the orders from which something is sent back.
    part
        Share of what was paid that is refunded then.
    days
        Days from the order to the refund.
    """

    chance: Quantity
    part: Quantity
    days: Quantity

    def __post_init__(self) -> None:
        require_units(self, {"chance": Unit.SHARE, "part": Unit.SHARE, "days": Unit.DAYS}, "returns")
