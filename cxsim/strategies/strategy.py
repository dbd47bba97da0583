"""A strategy as data: whom it reaches and when, what it changes, what it costs, and on what evidence."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal

from cxsim.effects import Effect, Programme, Reach
from cxsim.errors import ParamError
from cxsim.params import BY_KIND, locate, read
from cxsim.quantity import Quantity
from cxsim.strategies.segments import condition
from cxsim.units import Unit

CostKind = Literal["one_off", "monthly", "per_member_month", "per_order", "per_contact", "share_of_revenue"]
COST_UNITS: dict[CostKind, Unit] = {
    "one_off": Unit.MONEY,
    "monthly": Unit.MONEY_PER_MONTH,
    "per_member_month": Unit.MONEY_PER_MEMBER_MONTH,
    "per_order": Unit.MONEY_PER_ORDER,
    "per_contact": Unit.MONEY_PER_CONTACT,
    "share_of_revenue": Unit.SHARE,
}

_PRICE = ("markdown", "coupon")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """One line of what a programme costs, beside what it gives away.

    Attributes
    ----------
    kind
        `one_off` at the start; `monthly` while it runs; `per_member_month` for each member, also those who have left
        unseen; `per_order` and `share_of_revenue` on the orders of customers whom it reaches at that moment;
        `per_contact` each time it switches on for a customer.
    amount
        Positive amount, in the unit that belongs to the kind.
    """

    kind: CostKind
    amount: Quantity

    def __post_init__(self) -> None:
        unit = COST_UNITS[self.kind]
        if self.amount.unit != unit:
            raise ParamError(f"cost '{self.kind}': wrong unit '{self.amount.unit}'; it must be '{unit}'.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategy:
    """A programme that a shop may run.

    Attributes
    ----------
    name
        Name of its file, without the ending; luck about its numbers is drawn under this name.
    title
        Name for readers.
    description
        What customers experience, and why it should work.
    reach
        Whom it reaches and when; `who` is a named segment or a condition over CUSTOMERS.
    effects
        What it changes.
    costs
        What it costs.
    harms
        What can go wrong, for the reader of the report.
    """

    name: str
    title: str
    description: str
    reach: Reach
    effects: tuple[Annotated[Effect, BY_KIND], ...]
    costs: tuple[Cost, ...] = ()
    harms: str = ""

    def __post_init__(self) -> None:
        for name in ("effects", "costs"):
            # A list would pass, but the numbers in it would be neither drawn nor listed.
            if not isinstance(getattr(self, name), tuple):
                raise ParamError(f"{name} must be a tuple; found {type(getattr(self, name)).__name__}.")
        condition(self.reach.who)
        kinds = [effect.kind for effect in self.effects]
        if sum(kind in _PRICE for kind in kinds) > 1 or kinds.count("points") > 1:
            raise ParamError(
                f"effects: at most one price effect ({' or '.join(_PRICE)}) and one of points are possible; found "
                f"{', '.join(kinds)}; write two strategies instead."
            )
        waits = self.reach.after_idle_days is not None
        if not waits and any(cost.kind == "per_contact" for cost in self.costs):
            raise ParamError(
                "cost 'per_contact' needs a reach with after_idle_days: contacts are counted when it switches on."
            )

    def programme(self) -> Programme:
        """Return what the simulator is told: the reach with its condition spelt out, and the effects."""
        return Programme(reach=dataclasses.replace(self.reach, who=condition(self.reach.who)), effects=self.effects)


def load_strategy(name: str) -> Strategy:
    """Return a strategy of params/strategies by its name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        Such as `points-programme`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or a mistake in the file, with file and key.
    """
    return read(locate("strategies", name), Strategy)
