"""A strategy in; its uncertain numbers, each of which can be moved within what is believed of it, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cxsim.business.central import Central
from cxsim.quantity import Quantity, quantities, with_values
from cxsim.scenario import Scenario, with_assumptions
from cxsim.simulation import rounded
from cxsim.strategies import Strategy

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

    def told(self) -> dict[str, object]:
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
