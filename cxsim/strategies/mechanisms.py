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

    per_month: PerMonth
    response: Exponent
    fatigue: Exponent
    unsubscribe: Share
    kind: Literal["contacts"] = "contacts"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reactivation(Checked):
    """Bring back some of those who had left, at the moment a reach with `after_idle_days` switches on for them.

    Attributes
    ----------
    share
        Share of them that comes back; nobody observes who had left, so this is not a share of the idle.
    second_life
        Ratio on the chance of leaving in the second life: those who are won back by price stay shortest (Kumar,
        Bhagwat & Zhang 2015).
    """

    share: Share
    second_life: Ratio
    kind: Literal["reactivation"] = "reactivation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquisition(Checked):
    """Multiply the number of new customers that arrive while the programme runs.

    Of those who come on top, a share is like the others; the rest never orders again. Their expected later value is
    then exactly that share of the others', whatever the model of leaving.

    Attributes
    ----------
    ratio
        New customers with the programme over those without it.
    charge
        Share of the usual acquisition cost that is paid for each customer on top: 0 where the same visitors are
        converted better, 1 where more visitors are bought.
    loyal
        Share of them that is like the others; all when left out.
    depth, loss_per_depth
        Instead of `loyal`, for an introductory markdown: loyal = exp(-loss_per_depth * depth). At 1.98, customers won
        with 35 % off are worth half: Lewis (2006).
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
    """Let satisfied customers bring new ones, who bring new ones in turn.

    A living customer whose satisfaction is at least the mean recommends with a rate; a share of the recommendations
    wins a customer, of whom some would have come anyway. Form and sizes: Schmitt, Skiera & Van den Bulte (2011).

    Attributes
    ----------
    per_year
        Recommendations a year of one such customer.
    success
        Share of them that wins a customer.
    anyway
        Share of those who would have come anyway: the reward is paid and nobody is added.
    dropout
        Ratio on the chance of leaving of referred customers; persists.
    premium, premium_half_life_days
        Ratio on their order values at first, and how fast that fades.
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

    With a share f of the card full, at most 1, the order rate is multiplied by ``1 + pull * f ** steepness``; after a
    reward by ``1 + rewarded * 2 ** (-t / rewarded_half_life_days)``.

    Attributes
    ----------
    earn
        Points per unit of money paid; a fraction of a point is not given, nor any on what is sent back.
    threshold
        Points that one reward costs.
    reward
        Money off an order for one reward; at most one an order, and only on an order of at least that amount.
    redemption
        Share of the orders with a full card on which it is used.
    expiry_days
        Days without an order after which all points lapse.
    pull, steepness
        Goal gradient: by how much more often customers order with a full card, and how late on the way that sets in.
        Kivetz, Urminsky & Zheng (2006). Together or not at all.
    rewarded, rewarded_half_life_days
        Rewarded behaviour: by how much more often they order just after a reward, and how fast that fades. Taylor &
        Neslin (2005); Nastasoiu et al. (2021). Together or not at all.
    breakage
        Share of the points still held at the end of the horizon that is taken never to be redeemed; none when left
        out, and all are then charged at full value.
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
        What a member must pay within one year of membership.
    purchase_rate, dropout
        Ratios on order rate and on the chance of leaving while the status is held.
    earn
        Ratio on the points that an order earns while it is held; for a strategy that has points too.
    pull, steepness
        As in `Points`, for the share of the threshold that was paid in the present year, while it is not yet reached.
    demotion
        Ratio on the chance of leaving in the year after the status was lost.
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
    """Take a fee for being a member, on joining and at the end of each period; who does not renew is no longer reached.

    Attributes
    ----------
    fee
        Paid for each period, in advance.
    period_days
        Length of a period, at least 28 days.
    renewal
        Share of the members still buying who renew at the end of a period.
    """

    fee: Money
    period_days: Period
    renewal: Share
    kind: Literal["membership"] = "membership"


@dataclass(frozen=True, kw_only=True, slots=True)
class Incidents(Checked):
    """Multiply the chance that something happens to an order.

    Attributes
    ----------
    ratio
        Chance with the programme over the chance without it; capped where all chances add up to 1.
    incident
        Name of the incident in the shop's behaviour, such as `late`; all of them when left out.
    """

    ratio: Ratio
    incident: str | None = None
    kind: Literal["incidents"] = "incidents"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tickets(Checked):
    """Multiply the chance that a customer writes to support about an order; self-service and clear pages lower it.

    Attributes
    ----------
    ratio
        Chance with the programme over the chance without it; a probability is capped at 1.
    """

    ratio: Ratio
    kind: Literal["tickets"] = "tickets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution(Checked):
    """Change how well support answers.

    Attributes
    ----------
    unresolved
        Ratio on the share of tickets that the first answer does not solve; capped at 1.
    hours
        Ratio on the hours until the first answer and until the end.
    """

    unresolved: Ratio
    hours: Ratio
    kind: Literal["resolution"] = "resolution"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery(Checked):
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
        By how many standard deviations satisfaction, as felt and answered, rises beyond that.
    """

    share: Share
    compensation: Money
    repair: Share
    delight: Deviations
    kind: Literal["recovery"] = "recovery"


@dataclass(frozen=True, kw_only=True, slots=True)
class Satisfaction(Checked):
    """Shift what customers experience with every order.

    Attributes
    ----------
    shift
        Standard deviations of satisfaction between customers; positive is better.
    """

    shift: Deviations
    kind: Literal["satisfaction"] = "satisfaction"


@dataclass(frozen=True, kw_only=True, slots=True)
class Returns(Checked):
    """Multiply the chance that an order is sent back.

    Attributes
    ----------
    ratio
        Chance with the programme over the chance without it; a probability is capped at 1. Leniency by dimension:
        Janakiraman, Syrdal & Freling (2016).
    """

    ratio: Ratio
    kind: Literal["returns"] = "returns"
