"""Effects of loyalty programmes: points with their pull, status with demotion, paid membership."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_together, require_units
from cxsim.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
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
    """

    earn: Quantity
    threshold: Quantity
    reward: Quantity
    redemption: Quantity
    expiry_days: Quantity
    pull: Quantity | None = None
    steepness: Quantity | None = None
    rewarded: Quantity | None = None
    rewarded_half_life_days: Quantity | None = None
    kind: Literal["points"] = "points"

    def __post_init__(self) -> None:
        require_units(self, _POINTS_UNITS, self.kind)
        require_together(self, ("pull", "steepness"), self.kind)
        require_together(self, ("rewarded", "rewarded_half_life_days"), self.kind)
        if self.rewarded_half_life_days is not None and self.rewarded_half_life_days.range[0] < 1.0:
            raise ParamError("points.rewarded_half_life_days must be at least 1.")
        if self.earn.range[1] * self.reward.range[1] >= self.threshold.range[0]:
            raise ParamError(
                f"points: a reward of {self.reward.range[1]:g} for {self.threshold.range[0]:g} points, at "
                f"{self.earn.range[1]:g} points per unit of money, gives back all that was paid or more; raise the "
                "threshold, or lower earn or reward."
            )


_POINTS_UNITS = {
    "earn": Unit.POINTS_PER_MONEY,
    "threshold": Unit.POINTS,
    "reward": Unit.MONEY,
    "redemption": Unit.SHARE,
    "expiry_days": Unit.DAYS,
    "pull": Unit.SHARE,
    "steepness": Unit.EXPONENT,
    "rewarded": Unit.SHARE,
    "rewarded_half_life_days": Unit.DAYS,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
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

    threshold: Quantity
    purchase_rate: Quantity
    dropout: Quantity
    demotion: Quantity
    earn: Quantity | None = None
    pull: Quantity | None = None
    steepness: Quantity | None = None
    kind: Literal["status"] = "status"

    def __post_init__(self) -> None:
        require_units(self, _STATUS_UNITS, self.kind)
        require_together(self, ("pull", "steepness"), self.kind)
        if self.threshold.range[0] <= 0.0:
            raise ParamError("status.threshold must be above 0; a status that everybody has is none.")


_STATUS_UNITS = {
    "threshold": Unit.MONEY_PER_YEAR,
    "purchase_rate": Unit.RATIO,
    "dropout": Unit.RATIO,
    "demotion": Unit.RATIO,
    "earn": Unit.RATIO,
    "pull": Unit.SHARE,
    "steepness": Unit.EXPONENT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
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

    fee: Quantity
    period_days: Quantity
    renewal: Quantity
    kind: Literal["membership"] = "membership"

    def __post_init__(self) -> None:
        require_units(self, {"fee": Unit.MONEY, "period_days": Unit.DAYS, "renewal": Unit.SHARE}, self.kind)
        if self.period_days.range[0] < 28.0:
            raise ParamError(f"membership.period_days must be at least 28; found {self.period_days.range[0]:g}.")
