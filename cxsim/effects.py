"""What a programme does: whom it reaches and when, and how it changes their behaviour and what they pay.

An effect knows nothing of strategies and draws no number; it holds sourced quantities, and the simulator compiles them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cxsim.errors import ParamError
from cxsim.quantity import Quantity
from cxsim.units import BOUNDS, Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Who is reached, and when.

    Attributes
    ----------
    who
        Condition over the columns of CUSTOMERS in SQL words, such as ``frequency >= 2``; ``true`` for everyone.
    uptake
        Share of those who may take part that ever does.
    ramp_days
        Days over which they join, evenly, from the start; 0 when all join at once.
    from_month, until_month
        Months of the scenario, from 0, in which it runs; `until_month` is the first month without it, None for never.
    after_idle_days
        If given, the reach switches on for each customer only after so many days without an order.
    for_days
        How long it then stays on, unless an order ends the idle spell before; needed with `after_idle_days`.
    """

    who: str
    uptake: Quantity
    ramp_days: Quantity
    from_month: int = 0
    until_month: int | None = None
    after_idle_days: Quantity | None = None
    for_days: Quantity | None = None

    def __post_init__(self) -> None:
        _need(self.uptake, Unit.SHARE, "uptake")
        _need(self.ramp_days, Unit.DAYS, "ramp_days")
        if self.from_month < 0:
            raise ParamError(f"from_month must be 0 or later; found {self.from_month}.")
        if self.until_month is not None and self.until_month <= self.from_month:
            raise ParamError(f"until_month must be after from_month ({self.from_month}); found {self.until_month}.")
        if (self.after_idle_days is None) != (self.for_days is None):
            raise ParamError("after_idle_days and for_days belong together; write both or neither.")
        for name, days in (("after_idle_days", self.after_idle_days), ("for_days", self.for_days)):
            if days is not None:
                _need(days, Unit.DAYS, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class PurchaseRate:
    """Multiply the order rate of a living customer while the reach is on.

    Attributes
    ----------
    ratio
        Rate with the programme over the rate without it. Source of the form: Schweidel & Knox (2013).
    """

    ratio: Quantity
    kind: Literal["purchase_rate"] = "purchase_rate"

    def __post_init__(self) -> None:
        _need(self.ratio, Unit.RATIO, "purchase_rate.ratio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropout:
    """Multiply the chance of leaving, per order and per day, while the reach is on.

    Attributes
    ----------
    ratio
        Chance of leaving with the programme over the chance without it; a probability is capped at 1.
        Source of the form: Schweidel & Knox (2013).
    """

    ratio: Quantity
    kind: Literal["dropout"] = "dropout"

    def __post_init__(self) -> None:
        _need(self.ratio, Unit.RATIO, "dropout.ratio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Basket:
    """Multiply the list price of an order while the reach is on.

    Attributes
    ----------
    ratio
        Amount with the programme over the amount without it.
    """

    ratio: Quantity
    kind: Literal["basket"] = "basket"

    def __post_init__(self) -> None:
        _need(self.ratio, Unit.RATIO, "basket.ratio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Markdown:
    """Take a share off the price of some orders; the lower mean price raises the order rate.

    The order rate is multiplied by ``(1 - depth * redemption) ** elasticity``: constant elasticity in the mean price.

    Attributes
    ----------
    depth
        Share taken off an order's list price.
    redemption
        Share of the orders that use it, whether or not they would have come anyway.
    elasticity
        Percentage change of the order rate for one percent of price; negative, or 0 for a pure gift.
    """

    depth: Quantity
    redemption: Quantity
    elasticity: Quantity
    kind: Literal["markdown"] = "markdown"

    def __post_init__(self) -> None:
        _need(self.depth, Unit.SHARE, "markdown.depth")
        _need(self.redemption, Unit.SHARE, "markdown.redemption")
        _need(self.elasticity, Unit.ELASTICITY, "markdown.elasticity")
        if self.depth.range[1] >= 1.0:
            raise ParamError(f"markdown.depth must stay below 1 (the whole price); found {self.depth.range[1]:g}.")
        most = (1.0 - self.depth.range[1] * self.redemption.range[1]) ** self.elasticity.range[0]
        if most > BOUNDS[Unit.RATIO].high:
            raise ParamError(
                f"markdown: at the far ends of depth, redemption and elasticity customers order {most:g} times as "
                f"often; at most {BOUNDS[Unit.RATIO].high:g} times is possible."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Coupon:
    """Take an amount of money off some orders, at most the whole order.

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
        _need(self.face_value, Unit.MONEY, "coupon.face_value")
        _need(self.redemption, Unit.SHARE, "coupon.redemption")


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
    """Give points on what is paid, and a reward in money for a full card.

    Attributes
    ----------
    earn
        Points per unit of money paid; a fraction of a point is not given.
    threshold
        Points that one reward costs.
    reward
        Money off an order for one reward; at most one an order, and only on an order of at least that amount.
    redemption
        Share of the orders with a full card on which it is used.
    expiry_days
        Days without an order after which all points lapse.
    """

    earn: Quantity
    threshold: Quantity
    reward: Quantity
    redemption: Quantity
    expiry_days: Quantity
    kind: Literal["points"] = "points"

    def __post_init__(self) -> None:
        _need(self.earn, Unit.POINTS_PER_MONEY, "points.earn")
        _need(self.threshold, Unit.POINTS, "points.threshold")
        _need(self.reward, Unit.MONEY, "points.reward")
        _need(self.redemption, Unit.SHARE, "points.redemption")
        _need(self.expiry_days, Unit.DAYS, "points.expiry_days")


Effect = PurchaseRate | Dropout | Basket | Markdown | Coupon | Points


@dataclass(frozen=True, kw_only=True, slots=True)
class Programme:
    """One reach and the effects on those whom it reaches: all that the simulator is told of a strategy."""

    reach: Reach
    effects: tuple[Effect, ...]


def _need(quantity: Quantity, unit: Unit, name: str) -> None:
    if quantity.unit != unit:
        raise ParamError(f"{name}: wrong unit '{quantity.unit}'; it must be '{unit}'.")
