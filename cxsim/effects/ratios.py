"""Effects that multiply a rate, a chance or an amount while a reach is on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.effects.courses import Course
from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit

_UNITS = {"ratio": Unit.RATIO, "light_buyers": Unit.EXPONENT}


@dataclass(frozen=True, kw_only=True, slots=True)
class PurchaseRate:
    """Multiply the order rate of a living customer while the reach is on.

    Customer i's rate is multiplied by ``ratio ** (w(t) * (rate_i / mean rate) ** -light_buyers)``, w being the course
    and the last factor at most 4.

    Attributes
    ----------
    ratio
        Rate with the programme over the rate without it. Source of the form: Schweidel & Knox (2013).
    course
        How it comes and goes; always full when left out.
    light_buyers
        How much more those respond who buy less often: 0 not at all, 0.5 for half the rate a 1.41 times larger
        effect. Light and moderate buyers respond most: Liu (2007).
    """

    ratio: Quantity
    course: Course | None = None
    light_buyers: Quantity | None = None
    kind: Literal["purchase_rate"] = "purchase_rate"

    def __post_init__(self) -> None:
        require_units(self, _UNITS, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropout:
    """Multiply the chance of leaving, per order and per day, while the reach is on.

    Attributes
    ----------
    ratio
        Chance of leaving with the programme over the chance without it; a probability is capped at 1.
        Source of the form: Schweidel & Knox (2013).
    course
        How it comes and goes; always full when left out.
    light_buyers
        As in `PurchaseRate`.
    """

    ratio: Quantity
    course: Course | None = None
    light_buyers: Quantity | None = None
    kind: Literal["dropout"] = "dropout"

    def __post_init__(self) -> None:
        require_units(self, _UNITS, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Basket:
    """Multiply the list price of an order while the reach is on.

    Attributes
    ----------
    ratio
        Amount with the programme over the amount without it.
    course
        How it comes and goes; always full when left out.
    light_buyers
        As in `PurchaseRate`.
    """

    ratio: Quantity
    course: Course | None = None
    light_buyers: Quantity | None = None
    kind: Literal["basket"] = "basket"

    def __post_init__(self) -> None:
        require_units(self, _UNITS, self.kind)
