"""A strategy as data: whom it reaches and when, what it changes, what it costs, and on what evidence."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Literal

import polars as pl
from polars.exceptions import PolarsError

from cxsim.errors import ParamError, choices
from cxsim.library import locate
from cxsim.params import BY_KIND, Quantity, Unit, quantities, read
from cxsim.strategies.effects import EXPERIENCED, Effect, Programme, Reach, refuse_contradictions
from cxsim.strategies.units import numbers_html
from cxsim.tables import CUSTOMERS

SEGMENTS: dict[str, str] = {
    "everyone": "true",
    "existing": "origin = 'existing'",
    "new": "origin = 'new'",
    "one_time_buyers": "origin = 'existing' AND frequency = 0",
    "repeat_buyers": "frequency >= 1",
}


# A strategy is made anew in every draw; its condition is judged once.
@cache
def condition(who: str) -> str:
    """Return the condition of a named segment, or `who` itself where it is a condition already."""
    if who in SEGMENTS:
        return SEGMENTS[who]
    if who.isidentifier() and who != "true":
        raise ParamError(
            f"who: no segment '{who}'; {choices(who, SEGMENTS)} A condition such as 'frequency >= 2' is possible too."
        )
    if ";" in who:
        # Some versions of polars read up to it and leave out the rest without a word.
        raise ParamError(f"who: '{who}' is no condition over customers: it has a semicolon; write one condition.")
    nobody = pl.DataFrame(schema={name: kinds[0] for name, kinds in CUSTOMERS.columns.items()})
    try:
        kind = nobody.select(met=pl.sql_expr(who)).schema["met"]
    except PolarsError as cause:
        reason = str(cause).partition("; valid columns")[0].partition("\n")[0]
        raise ParamError(
            f"who: '{who}' is no condition over customers ({reason}); possible columns: {', '.join(CUSTOMERS.columns)}."
        ) from cause
    if kind != pl.Boolean:
        raise ParamError(f"who: '{who}' gives {kind}, not true or false; write a condition such as 'frequency >= 2'.")
    return who


CostKind = Literal[
    "one_off",
    "monthly",
    "per_member_month",
    "per_order",
    "per_redemption",
    "per_ticket",
    "per_contact",
    "per_referral",
    "share_of_revenue",
    "working_capital",
]
COST_UNITS: dict[CostKind, Unit] = {
    "one_off": Unit.MONEY,
    "monthly": Unit.MONEY_PER_MONTH,
    "per_member_month": Unit.MONEY_PER_MEMBER_MONTH,
    "per_order": Unit.MONEY_PER_ORDER,
    "per_redemption": Unit.MONEY_PER_REDEMPTION,
    "per_ticket": Unit.MONEY_PER_TICKET,
    "per_contact": Unit.MONEY_PER_CONTACT,
    "per_referral": Unit.MONEY_PER_REFERRAL,
    "share_of_revenue": Unit.SHARE,
    "working_capital": Unit.MONEY,
}
# What must happen for a cost to be counted: one of these effects.
_COUNTED_BY = {
    "per_redemption": ("markdown", "coupon", "points"),
    "per_referral": ("referral",),
}


_TRIGGERS = ("after_idle_days", "every_days")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """One cost of a programme, in addition to its rewards.

    Attributes
    ----------
    kind
        `one_off` at the start; `monthly` while it runs; `per_member_month` for each member, including those who
        have dropped out; `per_order` and `share_of_revenue` on orders of customers while they are reached;
        `per_redemption` for each order with a markdown, a coupon or a reward of this programme; `per_ticket` for each
        ticket of members; `per_contact` each time it switches on for a customer, or for each message of the
        effect contacts; `per_referral` for each referred customer, including those who would have come anyway;
        `working_capital` is invested at the start and released at the end of the programme or of the horizon.
    amount
        Positive amount, in the unit of the kind.
    """

    kind: CostKind
    amount: Quantity

    def __post_init__(self) -> None:
        self.amount.require(COST_UNITS[self.kind], f"cost '{self.kind}'")


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategy:
    """A programme that a shop may run.

    Attributes
    ----------
    name
        Name of its file, without the ending; the key of its random numbers.
    title
        Name for readers.
    description
        What customers experience, and why it should work.
    reach
        Target group and timing; `who` is a named segment or a condition over CUSTOMERS.
    effects
        What it changes.
    costs
        What it costs.
    harms
        What can go wrong, for the reader of the report.
    lever
        Identifier of its lever in the catalogue, such as `L18`.
    mode
        `prior`: its effects have the priors given. `break-even`: the effects have not been measured; the report states
        the size at which the strategy breaks even, and no return.
    searches
        For `break-even`: the number to solve for, as `effects.KIND_PLACE.FIELD`, such as `effects.dropout_1.ratio`;
        its range is the range searched.
    owner, reviewed_on
        Owner of these numbers, and date of their last review.
    """

    name: str
    title: str
    description: str
    reach: Reach
    effects: tuple[Annotated[Effect, BY_KIND], ...]
    costs: tuple[Cost, ...] = ()
    harms: str = ""
    lever: str | None = None
    mode: Literal["prior", "break-even"] = "prior"
    searches: str | None = None
    owner: str | None = None
    reviewed_on: date | None = None

    def __post_init__(self) -> None:
        for name in ("effects", "costs"):
            # A list would pass, but the numbers in it would be neither drawn nor listed.
            if not isinstance(getattr(self, name), tuple):
                raise ParamError(f"{name} must be a tuple; found {type(getattr(self, name)).__name__}.")
        condition(self.reach.who)
        self._refuse_search()
        waits = next((name for name in _TRIGGERS if getattr(self.reach, name) is not None), None)
        refuse_contradictions(self.effects, waits=waits)
        kinds = {effect.kind for effect in self.effects}
        for cost in self.costs:
            counted_by = _COUNTED_BY.get(cost.kind)
            if counted_by and not kinds.intersection(counted_by):
                raise ParamError(
                    f"cost '{cost.kind}' needs an effect by which it is counted: {' or '.join(counted_by)}; found "
                    f"{', '.join(sorted(kinds)) or 'none'}."
                )
        if any(cost.kind == "per_contact" for cost in self.costs) and waits is None and "contacts" not in kinds:
            raise ParamError(
                "cost 'per_contact' needs a reach with after_idle_days or every_days, or the effect contacts: that is "
                "what is counted."
            )

    @property
    def needs_behaviour(self) -> bool:
        """Whether it changes chances that only a shop's behaviour states, or costs something for each ticket."""
        stated = {effect.kind for effect in self.effects}.intersection((*EXPERIENCED, "returns"))
        return bool(stated) or any(cost.kind == "per_ticket" for cost in self.costs)

    def _refuse_search(self) -> None:
        if self.mode == "prior":
            if self.searches is not None:
                raise ParamError("searches belongs to mode: break-even; leave it out, or write that mode.")
            return
        spread = [path for path, one in quantities(self) if path.startswith("effects.") and one.range[0] < one.range[1]]
        if self.searches not in spread:
            raise ParamError(
                f"mode break-even needs searches: the number of an effect to solve for within its range; found "
                f"'{self.searches}'; {choices(str(self.searches), spread)}"
            )

    def programme(self) -> Programme:
        """Return what the simulator sees: the reach with its condition spelt out, and the effects."""
        reach = dataclasses.replace(self.reach, who=condition(self.reach.who))
        return Programme(name=self.name, reach=reach, effects=self.effects)

    def _repr_html_(self) -> str:
        facts = {"name": self.name, "what customers experience": self.description, "who": self.reach.who}
        return numbers_html(self.title, facts | {"what can go wrong": self.harms, "lever": self.lever}, self)


def load_strategy(name: str) -> Strategy:
    """Return a strategy of params/strategies by its name, or from a path that ends in .yaml."""
    return read(locate("strategies", name), Strategy)
