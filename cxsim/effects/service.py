"""Effects on what goes wrong with orders, on how it is put right, and on what is sent back.

They change the chances that a shop's `Behaviour` states, so a scenario that uses them must name one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Incidents:
    """Multiply the chance that something happens to an order.

    Attributes
    ----------
    ratio
        Chance with the programme over the chance without it; capped where all chances add up to 1.
    incident
        Name of the incident in the shop's behaviour, such as `late`; all of them when left out.
    """

    ratio: Quantity
    incident: str | None = None
    kind: Literal["incidents"] = "incidents"

    def __post_init__(self) -> None:
        require_units(self, {"ratio": Unit.RATIO}, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tickets:
    """Multiply the chance that a customer writes to support about an order; self-service and clear pages lower it.

    Attributes
    ----------
    ratio
        Chance with the programme over the chance without it; a probability is capped at 1.
    """

    ratio: Quantity
    kind: Literal["tickets"] = "tickets"

    def __post_init__(self) -> None:
        require_units(self, {"ratio": Unit.RATIO}, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """Change how well support answers.

    Attributes
    ----------
    unresolved
        Ratio on the share of tickets that the first answer does not solve; capped at 1.
    hours
        Ratio on the hours until the first answer and until the end.
    """

    unresolved: Quantity
    hours: Quantity
    kind: Literal["resolution"] = "resolution"

    def __post_init__(self) -> None:
        require_units(self, {"unresolved": Unit.RATIO, "hours": Unit.RATIO}, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """Make up for what went wrong, with money, for some of the customers who write about it.

    Satisfaction can rise above where it was before the failure; rates of ordering and leaving only go back to where
    they were: de Matos, Henrique & Rossi (2007) find the paradox in satisfaction and none in repurchase.

    Attributes
    ----------
    share
        Share of the tickets about an incident that are made up for.
    compensation
        Money paid for each.
    repair
        Share of the incident's harm that is undone.
    delight
        By how many standard deviations satisfaction, as felt and said, rises beyond that.
    """

    share: Quantity
    compensation: Quantity
    repair: Quantity
    delight: Quantity
    kind: Literal["recovery"] = "recovery"

    def __post_init__(self) -> None:
        units = {
            "share": Unit.SHARE,
            "compensation": Unit.MONEY,
            "repair": Unit.SHARE,
            "delight": Unit.DEVIATIONS,
        }
        require_units(self, units, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Satisfaction:
    """Shift what customers experience with every order.

    Attributes
    ----------
    shift
        Standard deviations of satisfaction between customers; positive is better.
    """

    shift: Quantity
    kind: Literal["satisfaction"] = "satisfaction"

    def __post_init__(self) -> None:
        require_units(self, {"shift": Unit.DEVIATIONS}, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Returns:
    """Multiply the chance that an order is sent back.

    Attributes
    ----------
    ratio
        Chance with the programme over the chance without it; a probability is capped at 1. Leniency by dimension:
        Janakiraman, Syrdal & Freling (2016).
    """

    ratio: Quantity
    kind: Literal["returns"] = "returns"

    def __post_init__(self) -> None:
        require_units(self, {"ratio": Unit.RATIO}, self.kind)
