"""Effects of writing to customers: a cadence with fatigue, and the return of those who had left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Contacts:
    """Write to members so many times a month, until they unsubscribe.

    The order rate is multiplied by ``exp(response * n - fatigue * n ** 2)`` with n contacts a month: an inverted U,
    whose top lies at response / (2 * fatigue). Each contact makes a member unsubscribe with a small chance; the reach
    then ends for good. Form: Zhang, Kumar & Cosguner (2017).

    Attributes
    ----------
    per_month
        Contacts a month, n.
    response, fatigue
        Coefficients of the inverted U.
    unsubscribe
        Chance of unsubscribing at one contact.
    """

    per_month: Quantity
    response: Quantity
    fatigue: Quantity
    unsubscribe: Quantity
    kind: Literal["contacts"] = "contacts"

    def __post_init__(self) -> None:
        units = {
            "per_month": Unit.PER_MONTH,
            "response": Unit.EXPONENT,
            "fatigue": Unit.EXPONENT,
            "unsubscribe": Unit.SHARE,
        }
        require_units(self, units, self.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reactivation:
    """Bring back some of those who had left, at the moment a reach with `after_idle_days` switches on for them.

    Attributes
    ----------
    share
        Share of them that comes back; nobody observes who had left, so this is not a share of the idle.
    second_life
        Ratio on the chance of leaving in the second life: those who are won back by price stay shortest (Kumar,
        Bhagwat & Zhang 2015).
    """

    share: Quantity
    second_life: Quantity
    kind: Literal["reactivation"] = "reactivation"

    def __post_init__(self) -> None:
        require_units(self, {"share": Unit.SHARE, "second_life": Unit.RATIO}, self.kind)
