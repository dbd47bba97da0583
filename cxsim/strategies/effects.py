"""Every kind of effect in one union, and the rules for kinds that may stand in one programme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

from cxsim.errors import ParamError
from cxsim.params import Unit
from cxsim.strategies.mechanisms import (
    Acquisition,
    Contacts,
    Incidents,
    Membership,
    Points,
    Reactivation,
    Recovery,
    Referral,
    Resolution,
    Returns,
    Satisfaction,
    Status,
    Tickets,
)
from cxsim.strategies.units import Checked, Days, Elasticity, Exponent, HalfLife, Money, Ratio, Share, value_of

# A ramp climbs in so many steps of equal length, a decay falls in so many steps of equal height and then a tail.
RAMP_STEPS = 8
DECAY_STEPS = 8
# The longest course: a delay, a ramp, a decay with its tail, and nothing after its end.
MAX_STEPS = 1 + RAMP_STEPS + DECAY_STEPS + 2
_TAIL_HALF_LIVES = 8.0

Steps = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Course(Checked):
    """Strength of an effect by days since the customer was reached; 1 is the full effect.

    Zero until `delay_days`, then a linear increase over `ramp_days`, then the full effect, or a decline with
    `half_life_days`, and zero after `lasts_days`. An omitted part takes no time, and without `half_life_days` nothing
    declines. An effect with ratio e and strength w multiplies by e ** w.

    Attributes
    ----------
    delay_days
        Days before the effect begins. Gross profit of loyalty programmes lags by two quarters: Chaudhuri et al. (2019).
    ramp_days
        Days until the full effect.
    half_life_days
        Days in which the effect halves: w = 2 ** (-t / half_life). Four months for welcome programmes: Samaha et al.
        (2019).
    lasts_days
        Days after which the effect ends, counted from its beginning.
    """

    delay_days: Days | None = None
    ramp_days: Days | None = None
    half_life_days: Days | None = None
    lasts_days: Days | None = None

    def _refuse(self) -> None:
        parts = tuple(field.name for field in fields(self))
        if all(getattr(self, part) is None for part in parts):
            raise ParamError(f"course: there is nothing in it; write one of {', '.join(parts)}, or leave it out.")
        if self.half_life_days is not None and self.half_life_days.range[0] <= 0.0:
            raise ParamError("course.half_life_days must be above 0; an effect that is gone at once is none.")
        if self.lasts_days is not None and self.delay_days is not None:
            late, over = self.delay_days.range[1], self.lasts_days.range[0]
            if late >= over:
                raise ParamError(
                    f"course: it may begin only after {late:g} days (delay_days) and be over after {over:g} "
                    "(lasts_days): nothing is left; lasts_days is counted from the beginning."
                )

    def steps(self) -> Steps:
        """Return the ends of the steps in days, the last one infinite, and the strength in each.

        Each step has the mean strength of the stretch that it stands for, so the effect's whole amount is kept.
        """
        delay, ramp = value_of(self.delay_days), value_of(self.ramp_days)
        found = [(delay, 0.0)] if delay > 0.0 else []
        if ramp > 0.0:
            found += [(delay + ramp * (step + 1) / RAMP_STEPS, (step + 0.5) / RAMP_STEPS) for step in range(RAMP_STEPS)]
        now = found[-1][0] if found else 0.0
        fading = ALWAYS if self.half_life_days is None else decay_steps(self.half_life_days.value)
        found += [(now + end, height) for end, height in zip(*fading, strict=True)]
        ends, strengths = zip(*self._cut(found), strict=True)
        return ends, strengths

    def _cut(self, found: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Return the steps up to the end; the one that it cuts has the mean strength of what is left of it."""
        over = value_of(self.lasts_days, math.inf)
        if math.isinf(over):
            return found
        kept = [step for step in found if step[0] < over]
        begins = kept[-1][0] if kept else 0.0
        end, running = found[len(kept)]
        if begins < over < end and running > 0.0:
            running = (self._amount(over) - self._amount(begins)) / (over - begins)
        return [*kept, (over, running), (math.inf, 0.0)]

    def _amount(self, day: float) -> float:
        """Return the strength added up to a day, in days at full strength."""
        delay, ramp, half_life = (value_of(part) for part in (self.delay_days, self.ramp_days, self.half_life_days))
        climbing = min(max(day - delay, 0.0), ramp)
        going = max(day - delay - ramp, 0.0)
        if half_life > 0.0:
            whole = half_life / math.log(2.0)
            going = -whole * math.expm1(-going / whole)
        return (0.5 * climbing**2 / ramp if ramp > 0.0 else 0.0) + going


ALWAYS: Steps = ((math.inf,), (1.0,))


def steps_of(course: Course | None) -> Steps:
    """Return the steps of a course, or of an effect that is always full."""
    return ALWAYS if course is None else course.steps()


def decay_steps(half_life_days: float) -> Steps:
    """Return a decay from 1 with a half-life in steps: ends in days and mean strengths."""
    edges = [half_life_days * math.log2(DECAY_STEPS / (DECAY_STEPS - step)) for step in range(DECAY_STEPS)]
    edges.append(half_life_days * _TAIL_HALF_LIVES)
    whole = half_life_days / math.log(2.0)
    left = [whole * 2.0 ** (-edge / half_life_days) for edge in edges]
    left[-1] = 0.0  # what lies beyond the tail is counted in it
    heights = [(left[step] - left[step + 1]) / (edges[step + 1] - edges[step]) for step in range(DECAY_STEPS)]
    return (*edges[1:], math.inf), (*heights, 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Coursed(Checked):
    """A ratio that comes and goes, and that may be larger for those who buy less often.

    Attributes
    ----------
    ratio
        Value with the programme over the value without it.
    course
        Time profile; always the full effect if omitted.
    light_buyers
        Larger effect on customers with a lower purchase rate: 0 for none; at 0.5, half the rate means a 1.41 times
        larger effect. Light and moderate buyers respond most: Liu (2007).
    """

    ratio: Ratio
    course: Course | None = None
    light_buyers: Exponent | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PurchaseRate(Coursed):
    """Multiply the purchase rate of an active customer while the reach is on.

    Customer i's rate is multiplied by ``ratio ** (w(t) * (rate_i / mean rate) ** -light_buyers)``, w being the course
    and the last factor at most 4.

    Attributes
    ----------
    ratio
        Rate with the programme over the rate without it. Source of the form: Schweidel & Knox (2013).
    """

    kind: Literal["purchase_rate"] = "purchase_rate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropout(Coursed):
    """Multiply the dropout probability, per order and per day, while the reach is on.

    Attributes
    ----------
    ratio
        Dropout probability with the programme over that without it, capped at 1.
        Source of the form: Schweidel & Knox (2013).
    """

    kind: Literal["dropout"] = "dropout"


@dataclass(frozen=True, kw_only=True, slots=True)
class Basket(Coursed):
    """Multiply the list price of an order while the reach is on.

    Attributes
    ----------
    ratio
        Order value with the programme over that without it.
    """

    kind: Literal["basket"] = "basket"


@dataclass(frozen=True, kw_only=True, slots=True)
class Markdown(Checked):
    """Take a share off the price of some orders; the lower mean price changes purchase rate and reference price.

    With p = log(1 - depth * redemption) while the reach is on and 0 while it is off, and the log of the reference price
    m, the order rate is multiplied by ``exp(elasticity * (p - m))`` where p < m, a gain, and by ``exp(loss_aversion *
    elasticity * (p - m))`` where p > m, a loss. m moves towards p with a half-life from the day the customer is
    reached; without one it stays 0, and the factor is ``(1 - depth * redemption) ** elasticity``.

    Attributes
    ----------
    depth
        Share taken off an order's list price.
    redemption
        Share of orders that use it, including orders that would have come anyway.
    elasticity
        Percentage change of the purchase rate per percent of price; negative, or 0 for no response.
    reference_half_life_days, loss_aversion
        Half-life of the reference price in days, and weight of a price above it relative to one below: Kalyanaram &
        Winer (1995). Both or neither.
    forward_buying, dip_depth
        Share of additional orders that are brought forward, and reduction in orders while customers use up what they
        bought; every order brought forward is deducted later: Macé & Neslin (2004). Both or neither.
    """

    depth: Share
    redemption: Share
    elasticity: Elasticity
    reference_half_life_days: HalfLife | None = None
    loss_aversion: Ratio | None = None
    forward_buying: Share | None = None
    dip_depth: Share | None = None
    kind: Literal["markdown"] = "markdown"
    together = (("reference_half_life_days", "loss_aversion"), ("forward_buying", "dip_depth"))

    def _refuse(self) -> None:
        if self.depth.range[1] >= 1.0:
            raise ParamError(f"markdown.depth must stay below 1 (the whole price); found {self.depth.range[1]:g}.")
        if self.dip_depth is not None and not 0.01 <= self.dip_depth.range[0] <= self.dip_depth.range[1] <= 0.99:
            low, high = self.dip_depth.range
            raise ParamError(f"markdown.dip_depth must be 0.01 to 0.99; found [{low:g}, {high:g}].")
        most = (1.0 - self.depth.range[1] * self.redemption.range[1]) ** self.elasticity.range[0]
        if most > Unit.RATIO.high:
            raise ParamError(
                f"markdown: at the far ends of depth, redemption and elasticity customers order {most:g} times as "
                f"often; at most {Unit.RATIO.high:g} times is possible."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Coupon(Checked):
    """Take an amount of money off some orders, at most the whole order; the reference price does not change.

    Attributes
    ----------
    face_value
        Amount off one order.
    redemption
        Share of orders that use it while the reach is on, including orders that would have come anyway.
    """

    face_value: Money
    redemption: Share
    kind: Literal["coupon"] = "coupon"


Effect = (
    PurchaseRate
    | Dropout
    | Basket
    | Markdown
    | Coupon
    | Points
    | Status
    | Membership
    | Incidents
    | Tickets
    | Resolution
    | Recovery
    | Satisfaction
    | Returns
    | Contacts
    | Reactivation
    | Acquisition
    | Referral
)

_PRICE = ("markdown", "coupon")
# Switching on and off again and again means nothing for these: they begin once for each member.
_LASTING = ("points", "status", "membership", "contacts", "acquisition", "referral")
# These change chances that only a shop's behaviour states.
EXPERIENCED = ("incidents", "tickets", "resolution", "recovery", "satisfaction")


def refuse_contradictions(effects: Sequence[Effect], *, waits: str | None) -> None:
    """Refuse effects that contradict each other or their reach."""
    kinds = [effect.kind for effect in effects]
    if sum(kind in _PRICE for kind in kinds) > 1:
        raise ParamError(
            f"effects: at most one price effect ({' or '.join(_PRICE)}) is possible; found {', '.join(kinds)}; "
            "write two strategies instead."
        )
    subjects = [_subject(effect) for effect in effects]
    twice = sorted({subject for subject in subjects if subjects.count(subject) > 1})
    if twice or ("incidents" in subjects and any(subject.startswith("incidents:") for subject in subjects)):
        raise ParamError(
            f"effects: {', '.join(twice) or 'incidents'} stands there twice, and which of them holds is not defined; "
            "write one, or two strategies."
        )
    lasting = [kind for kind in kinds if kind in _LASTING]
    if waits is not None and lasting:
        raise ParamError(
            f"effects: {', '.join(lasting)} cannot go with {waits}: it begins once for a member and goes on; leave "
            f"{waits} out, or write two strategies."
        )
    if waits != "after_idle_days" and "reactivation" in kinds:
        raise ParamError("effects: reactivation needs a reach with after_idle_days: it happens when that switches on.")


def _subject(effect: Effect) -> str:
    if isinstance(effect, Incidents) and effect.incident is not None:
        return f"incidents:{effect.incident}"
    return effect.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach(Checked):
    """Target group and timing.

    Attributes
    ----------
    who
        SQL condition over the columns of CUSTOMERS, such as ``frequency >= 2``; ``true`` for everyone.
    uptake
        Share of eligible customers who ever take part.
    ramp_days
        Days over which they join, evenly, from the start; 0 if all join at once.
    from_month, until_month
        Months of the scenario, from 0, in which it runs; `until_month` is the first month without it, None for no end.
    from_order, until_order
        The reach is on only for customers whose next order has such a number, the first order being number 1;
        `until_order` is the first number without it, None for no limit. 2 and 3 mean: until the second order, and on
        that order.
    after_idle_days
        If given, the reach switches on for a customer after so many days without an order.
    every_days
        If given, it switches on repeatedly for each member, so many days apart.
    for_days
        How long it then stays on, unless an order ends the inactivity earlier; required with `after_idle_days` and
        `every_days`.
    """

    who: str
    uptake: Share
    ramp_days: Days
    from_month: int = 0
    until_month: int | None = None
    from_order: int | None = None
    until_order: int | None = None
    after_idle_days: Days | None = None
    every_days: Days | None = None
    for_days: Days | None = None

    def _refuse(self) -> None:
        if self.from_month < 0:
            raise ParamError(f"from_month must be 0 or later; found {self.from_month}.")
        if self.until_month is not None and self.until_month <= self.from_month:
            raise ParamError(f"until_month must be after from_month ({self.from_month}); found {self.until_month}.")
        first, before = 1 if self.from_order is None else self.from_order, self.until_order
        if first < 1 or (before is not None and before <= first):
            raise ParamError(
                f"from_order and until_order must hold an order between them, the first being number 1; found "
                f"{self.from_order} and {self.until_order}."
            )
        self._refuse_windows()

    def _refuse_windows(self) -> None:
        if self.after_idle_days is not None and self.every_days is not None:
            raise ParamError("after_idle_days and every_days are two triggers; write one of them.")
        if (self.after_idle_days is None and self.every_days is None) != (self.for_days is None):
            raise ParamError(
                "for_days belongs to after_idle_days or every_days; write it with one of them, or none of the three."
            )
        if self.every_days is not None and self.for_days is not None:
            most, least = self.for_days.range[1], self.every_days.range[0]
            if most >= least:
                raise ParamError(
                    f"the windows overlap: each may last {most:g} days (for_days) and the next begin after {least:g} "
                    "(every_days); make for_days shorter, or leave both out for a programme that is always on."
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class Programme:
    """One reach and the effects on those whom it reaches: all that the simulator sees of a strategy.

    Attributes
    ----------
    name
        What customers know it by: chance in joining and redeeming belongs to a customer and this name, so that the
        same customer joins the same programme in every arm.
    reach
        Who and when.
    effects
        What changes for them.
    """

    name: str
    reach: Reach
    effects: tuple[Effect, ...]
