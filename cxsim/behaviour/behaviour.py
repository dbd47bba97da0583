"""How the customers of a shop behave beside ordering, leaving and spending, whatever the shop decides: the whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cxsim.behaviour.experience import Experience, Returning
from cxsim.behaviour.seasons import Drift, Season
from cxsim.behaviour.surveys import Surveys
from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """How a customer's own satisfaction goes together with what nobody sees: a source of confounding, none of effects.

    Correlations of the normal scores: satisfaction with the order rate, with staying (the chance or hazard of leaving,
    turned round), and with the mean order value. The three are independent of each other.

    Attributes
    ----------
    purchase_rate, staying, spend
        Correlations, from -1 to 1; the sum of their squares must stay below 1.
    """

    purchase_rate: Quantity
    staying: Quantity
    spend: Quantity

    def __post_init__(self) -> None:
        names = ("purchase_rate", "staying", "spend")
        require_units(self, dict.fromkeys(names, Unit.CORRELATION), "traits")
        most = sum(max(abs(end) for end in getattr(self, name).range) ** 2 for name in names)
        if most >= 1.0:
            raise ParamError(
                f"traits: the squares of the correlations add up to {most:g} at the far ends of their ranges; they "
                "must stay below 1."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sessions:
    """Visits to the shop.

    Attributes
    ----------
    conversion
        Share of the visits of customers that end in an order.
    """

    conversion: Quantity

    def __post_init__(self) -> None:
        require_units(self, {"conversion": Unit.SHARE}, "sessions")
        if self.conversion.range[0] < 0.001:
            raise ParamError(f"sessions.conversion must be at least 0.001; found {self.conversion.range[0]:g}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """A shop's customers beside orders, leaving and spend; a part that is left out does not happen.

    Attributes
    ----------
    name, title, description
        Name of its file; name and explanation for readers.
    order_season, arrival_season
        The year's pattern of orders, and of new customers.
    drift
        How cohorts change.
    traits
        What goes together with satisfaction.
    experience
        Incidents, tickets and satisfaction.
    surveys
        What customers say; needs `experience`.
    returns
        Orders sent back.
    sessions
        Visits.
    owner, reviewed_on
        Who answers for these numbers, and when they were last looked at.
    """

    name: str
    title: str
    description: str
    order_season: Season | None = None
    arrival_season: Season | None = None
    drift: Drift | None = None
    traits: Traits | None = None
    experience: Experience | None = None
    surveys: Surveys | None = None
    returns: Returning | None = None
    sessions: Sessions | None = None
    owner: str | None = None
    reviewed_on: date | None = None

    def __post_init__(self) -> None:
        for part in ("surveys", "traits"):
            if getattr(self, part) is not None and self.experience is None:
                raise ParamError(f"{part} are about satisfaction, which needs the part 'experience'; write both.")

    @property
    def incidents(self) -> tuple[str, ...]:
        """Names of what can happen to an order."""
        return () if self.experience is None else tuple(incident.name for incident in self.experience.incidents)


PLAIN = Behaviour(name="plain", title="Nothing beside orders, leaving and spend", description="")
