"""Effects of writing to customers: a cadence with fatigue, and the return of those who had left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cxsim.errors import ParamError
from cxsim.strategies.units import (
    Checked,
    Days,
    Deviations,
    Exponent,
    HalfLife,
    Money,
    MoneyPerYear,
    Period,
    PerMonth,
    PerYear,
    PointCount,
    PointsPerMoney,
    Ratio,
    Share,
    value_of,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contacts(Checked):
    """Send members a number of messages a month, until they unsubscribe.

    The purchase rate is multiplied by ``exp(response * n - fatigue * n ** 2)`` with n contacts a month: an inverted U,
    whose top lies at response / (2 * fatigue). Each contact may make a member unsubscribe; the reach then ends
    permanently. Form: Zhang, Kumar & Cosguner (2017).

    Attributes
    ----------
    per_month
        Contacts a month, n.
    response, fatigue
        Coefficients of the inverted U.
    unsubscribe
        Probability of unsubscribing per contact.
    """

    per_month: PerMonth
    response: Exponent
    fatigue: Exponent
    unsubscribe: Share
    kind: Literal["contacts"] = "contacts"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reactivation(Checked):
    """Reactivate some of the lapsed customers when a reach with `after_idle_days` switches on for them.

    Attributes
    ----------
    share
        Share of lapsed customers who come back. Dropout is not observed, so this is not a share of inactive customers.
    second_life
        Ratio on the dropout probability after reactivation: customers won back by price stay shortest (Kumar, Bhagwat
        & Zhang 2015).
    """

    share: Share
    second_life: Ratio
    kind: Literal["reactivation"] = "reactivation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquisition(Checked):
    """Multiply the number of new customers that arrive while the programme runs.

    A share of the additional customers behaves like the others; the rest never order again. Their expected later value
    is exactly that share of the others', whatever the dropout model.

    Attributes
    ----------
    ratio
        New customers with the programme over those without it.
    charge
        Share of the usual acquisition cost paid for each additional customer: 0 if more of the same visitors order,
        1 if more visitors are acquired.
    loyal
        Share of them that behaves like the others; all if omitted.
    depth, loss_per_depth
        Instead of `loyal`, for an introductory markdown: loyal = exp(-loss_per_depth * depth). At 1.98, customers
        acquired with 35 % off have half the value: Lewis (2006).
    """

    ratio: Ratio
    charge: Share
    loyal: Share | None = None
    depth: Share | None = None
    loss_per_depth: Exponent | None = None
    kind: Literal["acquisition"] = "acquisition"
    together = (("depth", "loss_per_depth"),)

    def _refuse(self) -> None:
        if self.loyal is not None and self.depth is not None:
            raise ParamError("acquisition: loyal and depth both say how many stay; write one of them.")

    @property
    def staying(self) -> float:
        """Share of those on top that is like the others."""
        if self.depth is not None and self.loss_per_depth is not None:
            return math.exp(-self.loss_per_depth.value * self.depth.value)
        return value_of(self.loyal, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Referral(Checked):
    """Let satisfied customers refer new ones, who refer others in turn.

    An active customer with at least average satisfaction makes referrals at a rate; a share of them leads to a new
    customer, and some of these would have come anyway. Form and sizes: Schmitt, Skiera & Van den Bulte (2011).

    Attributes
    ----------
    per_year
        Referrals a year by one such customer.
    success
        Share of referrals that lead to a new customer.
    anyway
        Share of referred customers who would have come anyway: the reward is paid, but no customer is added.
    dropout
        Ratio on the dropout probability of referred customers; permanent.
    premium, premium_half_life_days
        Ratio on their order values at first, and its half-life.
    """

    per_year: PerYear
    success: Share
    anyway: Share
    dropout: Ratio
    premium: Ratio
    premium_half_life_days: HalfLife
    kind: Literal["referral"] = "referral"

    @property
    def most_per_year(self) -> float:
        """Most customers that one customer can bring in a year, at the far ends of the ranges."""
        return self.per_year.range[1] * self.success.range[1] * (1.0 - self.anyway.range[0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Points(Checked):
    """Give points on what is paid, and a reward in money for a full card.

    With a share f of the card full, at most 1, the purchase rate is multiplied by ``1 + pull * f ** steepness``; after
    a reward by ``1 + rewarded * 2 ** (-t / rewarded_half_life_days)``.

    Attributes
    ----------
    earn
        Points per unit of money paid; no fractions of a point, and none on returned goods.
    threshold
        Points required for a reward.
    reward
        Amount off an order per reward; at most one per order, and only on an order of at least that amount.
    redemption
        Share of orders with a full card on which it is redeemed.
    expiry_days
        Days without an order after which all points expire.
    pull, steepness
        Goal gradient: increase in the purchase rate with a full card, and how late on the way it sets in.
        Kivetz, Urminsky & Zheng (2006). Both or neither.
    rewarded, rewarded_half_life_days
        Rewarded behaviour: increase in the purchase rate just after a reward, and its half-life. Taylor & Neslin
        (2005); Nastasoiu et al. (2021). Both or neither.
    breakage
        Share of points held at the end of the horizon that is assumed never to be redeemed. If omitted, all points
        are charged at full value.
    """

    earn: PointsPerMoney
    threshold: PointCount
    reward: Money
    redemption: Share
    expiry_days: Days
    pull: Share | None = None
    steepness: Exponent | None = None
    rewarded: Share | None = None
    rewarded_half_life_days: HalfLife | None = None
    breakage: Share | None = None
    kind: Literal["points"] = "points"
    together = (("pull", "steepness"), ("rewarded", "rewarded_half_life_days"))

    def _refuse(self) -> None:
        if self.earn.range[1] * self.reward.range[1] >= self.threshold.range[0]:
            raise ParamError(
                f"points: a reward of {self.reward.range[1]:g} for {self.threshold.range[0]:g} points, at "
                f"{self.earn.range[1]:g} points per unit of money, gives back all that was paid or more; raise the "
                "threshold, or lower earn or reward."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Status(Checked):
    """Give a status to members who pay enough within a year of membership; take it back a year later if they do not.

    A member's years run from the day of joining. The status is held from the order that reaches the threshold until the
    end of the first whole year in which the threshold was missed.

    Attributes
    ----------
    threshold
        Spend required within one year of membership.
    purchase_rate, dropout
        Ratios on purchase rate and on dropout probability while the status is held.
    earn
        Ratio on the points that an order earns while it is held; for a strategy that has points too.
    pull, steepness
        As in `Points`, for the share of the threshold spent in the current year, until it is reached.
    demotion
        Ratio on the dropout probability in the year after losing the status.
    """

    threshold: MoneyPerYear
    purchase_rate: Ratio
    dropout: Ratio
    demotion: Ratio
    earn: Ratio | None = None
    pull: Share | None = None
    steepness: Exponent | None = None
    kind: Literal["status"] = "status"
    together = (("pull", "steepness"),)

    def _refuse(self) -> None:
        if self.threshold.range[0] <= 0.0:
            raise ParamError("status.threshold must be above 0; a status that everybody has is none.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership(Checked):
    """Charge members a fee on joining and at the end of each period; members who do not renew are no longer reached.

    Attributes
    ----------
    fee
        Paid for each period, in advance.
    period_days
        Length of a period, at least 28 days.
    renewal
        Share of active members who renew at the end of a period.
    """

    fee: Money
    period_days: Period
    renewal: Share
    kind: Literal["membership"] = "membership"


@dataclass(frozen=True, kw_only=True, slots=True)
class Incidents(Checked):
    """Multiply the probability of an incident.

    Attributes
    ----------
    ratio
        Probability with the programme over that without it; capped where all probabilities add up to 1.
    incident
        Name of the incident in the shop's behaviour, such as `late`; all incidents if omitted.
    """

    ratio: Ratio
    incident: str | None = None
    kind: Literal["incidents"] = "incidents"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tickets(Checked):
    """Multiply the probability that a customer contacts support about an order; self-service and clear pages lower it.

    Attributes
    ----------
    ratio
        Probability with the programme over that without it, capped at 1.
    """

    ratio: Ratio
    kind: Literal["tickets"] = "tickets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution(Checked):
    """Change the quality of support answers.

    Attributes
    ----------
    unresolved
        Ratio on the share of tickets not resolved by the first answer; capped at 1.
    hours
        Ratio on the hours to the first answer and to resolution.
    """

    unresolved: Ratio
    hours: Ratio
    kind: Literal["resolution"] = "resolution"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery(Checked):
    """Compensate some of the customers who complain about an incident.

    Satisfaction can rise above its level before the failure; purchase rate and dropout only return to theirs: de Matos,
    Henrique & Rossi (2007) find the recovery paradox in satisfaction but not in repurchase.

    Attributes
    ----------
    share
        Share of tickets about an incident that are compensated.
    compensation
        Amount per compensated ticket.
    repair
        Share of the incident's effect that is reversed.
    delight
        Further rise in stated satisfaction, in standard deviations; it does not affect orders.
    """

    share: Share
    compensation: Money
    repair: Share
    delight: Deviations
    kind: Literal["recovery"] = "recovery"


@dataclass(frozen=True, kw_only=True, slots=True)
class Satisfaction(Checked):
    """Shift the customer experience of every order.

    Attributes
    ----------
    shift
        Standard deviations of satisfaction between customers; positive is better.
    """

    shift: Deviations
    kind: Literal["satisfaction"] = "satisfaction"


@dataclass(frozen=True, kw_only=True, slots=True)
class Returns(Checked):
    """Multiply the probability of a return.

    Attributes
    ----------
    ratio
        Probability with the programme over that without it, capped at 1. Leniency by dimension:
        Janakiraman, Syrdal & Freling (2016).
    """

    ratio: Ratio
    kind: Literal["returns"] = "returns"
