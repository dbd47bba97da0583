"""How the customers of a shop behave beside ordering, leaving and spending, whatever the shop decides: the whole."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date

from cxsim.errors import ParamError
from cxsim.params import Quantity, Unit
from cxsim.strategies.units import (
    Checked,
    Conversion,
    Correlation,
    Days,
    Deviations,
    Exponent,
    Hours,
    Noise,
    Ratio,
    Score,
    Share,
    require_units,
)

MAX_INCIDENTS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """Something that can happen to an order.

    Attributes
    ----------
    name
        Small letters and underscores, such as `late`.
    chance
        Share of orders affected.
    shock
        Difference of the order's experience from the customer's usual one, in standard deviations of satisfaction
        between customers; negative is worse. A negative shock is multiplied by `Experience.negativity`.
    ticket
        Share of affected customers who contact support.
    """

    name: str
    chance: Share
    shock: Deviations
    ticket: Share

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z][a-z_]{0,30}", self.name):
            raise ParamError(f"incident: '{self.name}' is no name; use small letters and underscores, such as late.")
        require_units(self, f"incident '{self.name}'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Experience(Checked):
    """Incidents, tickets, resolution, satisfaction and their consequences.

    After each order the experience is e = own trait + shifts + shocks, and satisfaction S moves by memory * (e - S).
    S changes the logs of purchase rate, dropout probability and order value in proportion: for each standard deviation
    of S they are multiplied by the ratios `*_per_deviation`. Form: Ho, Park & Zhou (2006).

    Attributes
    ----------
    incidents
        Incidents, at most six; at most one per order.
    negativity
        Weight of a negative shock relative to a positive one of the same size.
    memory
        Share of the gap to the latest experience that satisfaction closes after each order.
    contact
        Share of orders without an incident whose customers contact support.
    first_contact
        Share of tickets resolved by the first answer.
    unresolved
        Additional shock if the first answer does not resolve the ticket, in standard deviations; negative is worse.
    response_hours
        Median hours to the first answer. Resolution takes as long again, or five times as long if the first answer
        does not resolve the ticket. Both are lognormal.
    response_spread
        Standard deviation of the log of these times.
    purchase_rate_per_deviation, dropout_per_deviation, basket_per_deviation
        Ratios for one standard deviation of satisfaction.
    """

    incidents: tuple[Incident, ...]
    negativity: Ratio
    memory: Share
    contact: Share
    first_contact: Share
    unresolved: Deviations
    response_hours: Hours
    response_spread: Exponent
    purchase_rate_per_deviation: Ratio
    dropout_per_deviation: Ratio
    basket_per_deviation: Ratio

    def _refuse(self) -> None:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Returning(Checked):
    """Returned orders.

    Attributes
    ----------
    chance
        Share of orders with a return.
    part
        Share of the payment refunded on a return.
    days
        Days from the order to the refund.
    """

    chance: Share
    part: Share
    days: Days
    kind = "returns"


_MONTHS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Season:
    """A yearly pattern: the level of each calendar month, January first, relative to the year's mean of 1.

    Month m counts ``1 + amplitude * (pattern[m] - 1)``.

    Attributes
    ----------
    pattern
        Twelve levels above 0, whose mean is 1.
    amplitude
        Strength of the pattern, with evidence and range: 1 as written, near 0 almost none.
    """

    pattern: tuple[float, ...]
    amplitude: Quantity

    def __post_init__(self) -> None:
        self.amplitude.require(Unit.RATIO, "season.amplitude")
        if len(self.pattern) != _MONTHS or not all(math.isfinite(level) for level in self.pattern):
            raise ParamError(f"season.pattern must be 12 numbers, January first; found {len(self.pattern)}.")
        mean = sum(self.pattern) / _MONTHS
        if abs(mean - 1.0) > 0.005:  # levels are written with two decimals
            raise ParamError(f"season.pattern must have a mean of 1; found {mean:.4f}. Divide every level by it.")
        least = 1.0 + self.amplitude.range[1] * (min(self.pattern) - 1.0)
        if least <= 0.0:
            raise ParamError(
                f"season: with an amplitude of {self.amplitude.range[1]:g} the lowest month falls to {least:g}; it "
                "must stay above 0."
            )

    def levels(self) -> tuple[float, ...]:
        """Return the level of each calendar month, January first, with a mean of exactly 1."""
        mean = sum(self.pattern) / _MONTHS
        return tuple(1.0 + self.amplitude.value * (level / mean - 1.0) for level in self.pattern)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift(Checked):
    """How new customers change with the date of their first order: growing shops acquire less active customers.

    Attributes
    ----------
    purchase_rate, dropout
        Ratio on purchase rate and on dropout probability for each year of later arrival.
    """

    purchase_rate: Ratio
    dropout: Ratio


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale(Checked):
    """How satisfaction S becomes a score: the nearest whole number to centre + per_deviation * S + noise, within ends.

    Attributes
    ----------
    centre
        Mean score of a customer with average satisfaction.
    per_deviation
        Increase in the score per standard deviation of satisfaction.
    noise
        Standard deviation of the noise.
    """

    centre: Score
    per_deviation: Score
    noise: Noise


@dataclass(frozen=True, kw_only=True, slots=True)
class Surveys(Checked):
    """Surveys after orders (NPS, 0 to 10) and after tickets (CSAT, 1 to 5, and CES, 1 to 7 where 7 is easiest).

    The odds of an answer are multiplied by ``exp(extremity * abs(S))``: very satisfied and very dissatisfied customers
    answer more often.

    Attributes
    ----------
    after_order, after_ticket
        Share of orders and of tickets followed by a survey.
    response
        Response rate at average satisfaction.
    extremity
        Coefficient in the formula above.
    nps, csat, ces
        The three scales.
    """

    after_order: Share
    after_ticket: Share
    response: Share
    extremity: Exponent
    nps: Scale
    csat: Scale
    ces: Scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits(Checked):
    """Correlation of base satisfaction with unobserved traits: a source of confounding, not of effects.

    Correlations of normal scores: of satisfaction with purchase rate, with retention (dropout probability or hazard,
    reversed), and with mean order value. The three are independent of each other.

    Attributes
    ----------
    purchase_rate, staying, spend
        Correlations, from -1 to 1; the sum of their squares must stay below 1.
    """

    purchase_rate: Correlation
    staying: Correlation
    spend: Correlation

    def _refuse(self) -> None:
        shares = (self.purchase_rate, self.staying, self.spend)
        most = sum(max(abs(end) for end in share.range) ** 2 for share in shares)
        if most >= 1.0:
            raise ParamError(
                f"traits: the squares of the correlations add up to {most:g} at the far ends of their ranges; they "
                "must stay below 1."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sessions(Checked):
    """Visits to the shop.

    Attributes
    ----------
    conversion
        Share of customers' visits with an order.
    """

    conversion: Conversion


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """Customer behaviour other than purchases, dropout and spend; an omitted part is not simulated.

    Attributes
    ----------
    name, title, description
        Name of its file; name and explanation for readers.
    order_season, arrival_season
        Yearly patterns of orders and of new customers.
    drift
        Change of new customers over time.
    traits
        Correlations with satisfaction.
    experience
        Incidents, tickets and satisfaction.
    surveys
        Surveys and their answers; requires `experience`.
    returns
        Returned orders.
    sessions
        Visits.
    owner, reviewed_on
        Owner of these numbers, and date of their last review.
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


PLAIN = Behaviour(name="plain", title="Purchases, dropout and spend only", description="")
