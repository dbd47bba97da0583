"""What customers say when they are asked, and who answers; it moves nothing in the simulated world."""

from __future__ import annotations

from dataclasses import dataclass

from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How satisfaction S becomes a score: the nearest whole number to centre + per_deviation * S + noise, within ends.

    Attributes
    ----------
    centre
        Mean score of a customer of mean satisfaction.
    per_deviation
        Score for one standard deviation of satisfaction.
    noise
        Standard deviation of the noise.
    """

    centre: Quantity
    per_deviation: Quantity
    noise: Quantity

    def __post_init__(self) -> None:
        require_units(self, dict.fromkeys(("centre", "per_deviation", "noise"), Unit.SCORE), "scale")
        if self.noise.range[0] < 0.0:
            raise ParamError(f"scale.noise must be 0 or more; found {self.noise.range[0]:g}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Surveys:
    """Surveys after orders (NPS, 0 to 10) and after tickets (CSAT, 1 to 5, and CES, 1 to 7 where 7 is easiest).

    The odds of an answer are multiplied by ``exp(extremity * abs(S))``: who is delighted or angry answers more often.

    Attributes
    ----------
    after_order, after_ticket
        Share of orders and of tickets after which the customer is asked.
    response
        Share that answers at mean satisfaction.
    extremity
        As above.
    nps, csat, ces
        The three scales.
    """

    after_order: Quantity
    after_ticket: Quantity
    response: Quantity
    extremity: Quantity
    nps: Scale
    csat: Scale
    ces: Scale

    def __post_init__(self) -> None:
        units = {
            "after_order": Unit.SHARE,
            "after_ticket": Unit.SHARE,
            "response": Unit.SHARE,
            "extremity": Unit.EXPONENT,
        }
        require_units(self, units, "surveys")
