"""Whom a programme reaches and when; and the programme itself, all that the simulator is told of a strategy."""

from __future__ import annotations

from dataclasses import dataclass

from cxsim.effects.effect import Effect
from cxsim.errors import ParamError
from cxsim.quantity import Quantity, require_units
from cxsim.units import Unit

_UNITS = {
    "uptake": Unit.SHARE,
    "ramp_days": Unit.DAYS,
    "after_idle_days": Unit.DAYS,
    "for_days": Unit.DAYS,
    "every_days": Unit.DAYS,
}


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
    from_order, until_order
        It is on only for customers whose coming order has such a number in their life, the first order being number 1;
        `until_order` is the first number without it, None for no limit. 2 and 3 mean: while the second order is
        awaited, and on that order.
    after_idle_days
        If given, the reach switches on for each customer only after so many days without an order.
    every_days
        If given, it switches on again and again for each member, so many days apart.
    for_days
        How long it then stays on, unless an order ends the idle spell before; needed with `after_idle_days` and with
        `every_days`.
    """

    who: str
    uptake: Quantity
    ramp_days: Quantity
    from_month: int = 0
    until_month: int | None = None
    from_order: int | None = None
    until_order: int | None = None
    after_idle_days: Quantity | None = None
    every_days: Quantity | None = None
    for_days: Quantity | None = None

    def __post_init__(self) -> None:
        require_units(self, _UNITS, "reach")
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
    """One reach and the effects on those whom it reaches: all that the simulator is told of a strategy.

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
