"""Effects on what an order costs the customer: a share off the price, or an amount off it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_together, require_units
from cxsim.units import BOUNDS, Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Markdown:
    """Take a share off the price of some orders; the lower mean price raises the order rate, and is remembered.

    With p = log(1 - depth * redemption) while the reach is on and 0 while it is off, and the log of the reference price
    m, the order rate is multiplied by ``exp(elasticity * (p - m))`` where p < m, a gain, and by ``exp(loss_aversion *
    elasticity * (p - m))`` where p > m, a loss. m moves towards p with a half-life from the day the customer is
    reached; without one it stays 0, and the factor is ``(1 - depth * redemption) ** elasticity``.

    Attributes
    ----------
    depth
        Share taken off an order's list price.
    redemption
        Share of the orders that use it, whether or not they would have come anyway.
    elasticity
        Percentage change of the order rate for one percent of price; negative, or 0 for a pure gift.
    reference_half_life_days, loss_aversion
        In how many days customers half forget the price that they were used to, and how many times as much a loss
        counts as a gain: Kalyanaram & Winer (1995). Together or not at all.
    forward_buying, dip_depth
        Share of the extra orders that customers take from their own future, and by which share their orders are down
        while they use up what they have stored; what is borrowed is given back exactly: Macé & Neslin (2004).
        Together or not at all.
    """

    depth: Quantity
    redemption: Quantity
    elasticity: Quantity
    reference_half_life_days: Quantity | None = None
    loss_aversion: Quantity | None = None
    forward_buying: Quantity | None = None
    dip_depth: Quantity | None = None
    kind: Literal["markdown"] = "markdown"

    def __post_init__(self) -> None:
        require_units(self, _MARKDOWN_UNITS, self.kind)
        require_together(self, ("reference_half_life_days", "loss_aversion"), self.kind)
        require_together(self, ("forward_buying", "dip_depth"), self.kind)
        if self.depth.range[1] >= 1.0:
            raise ParamError(f"markdown.depth must stay below 1 (the whole price); found {self.depth.range[1]:g}.")
        if self.reference_half_life_days is not None and self.reference_half_life_days.range[0] < 1.0:
            raise ParamError("markdown.reference_half_life_days must be at least 1.")
        if self.dip_depth is not None and not 0.01 <= self.dip_depth.range[0] <= self.dip_depth.range[1] <= 0.99:
            low, high = self.dip_depth.range
            raise ParamError(f"markdown.dip_depth must be 0.01 to 0.99; found [{low:g}, {high:g}].")
        most = (1.0 - self.depth.range[1] * self.redemption.range[1]) ** self.elasticity.range[0]
        if most > BOUNDS[Unit.RATIO].high:
            raise ParamError(
                f"markdown: at the far ends of depth, redemption and elasticity customers order {most:g} times as "
                f"often; at most {BOUNDS[Unit.RATIO].high:g} times is possible."
            )


_MARKDOWN_UNITS = {
    "depth": Unit.SHARE,
    "redemption": Unit.SHARE,
    "elasticity": Unit.ELASTICITY,
    "reference_half_life_days": Unit.DAYS,
    "loss_aversion": Unit.RATIO,
    "forward_buying": Unit.SHARE,
    "dip_depth": Unit.SHARE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Coupon:
    """Take an amount of money off some orders, at most the whole order; a gift, which no reference price remembers.

    Attributes
    ----------
    face_value
        Money off one order.
    redemption
        Share of the orders that use it while the reach is on, whether or not they would have come anyway.
    """

    face_value: Quantity
    redemption: Quantity
    kind: Literal["coupon"] = "coupon"

    def __post_init__(self) -> None:
        require_units(self, {"face_value": Unit.MONEY, "redemption": Unit.SHARE}, self.kind)
