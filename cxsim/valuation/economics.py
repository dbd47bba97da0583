"""A shop's unit economics and a strategy's costs in; what each tally is worth in each account, out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from cxsim.errors import ParamError
from cxsim.ledger import Account
from cxsim.params import locate, read
from cxsim.quantity import Quantity
from cxsim.tallies import ReachTally, Tally, place, width
from cxsim.units import MICROS_PER_CENT, Unit, micros, share_steps

ACCOUNTS: tuple[Account, ...] = tuple(Account)


@dataclass(frozen=True, kw_only=True, slots=True)
class Economics:
    """What an order earns and costs, and how the shop decides.

    Attributes
    ----------
    name, title
        Name of the file, and name for readers.
    currency
        Code of the currency, three capitals.
    gross_margin
        Share of the list price left after the cost of goods, before any markdown.
    payment_share, payment_per_order
        Fees of the payment provider.
    fulfilment_per_order
        Pick, pack and ship.
    support_per_order
        Cost of support, spread over orders.
    acquisition_per_customer
        Cost of winning one new customer; the same in every arm.
    annual_discount_rate
        Time value of money, effective per year.
    timing
        When in a month its cash flows: start, mid or end.
    fund_probability, reject_probability
        Decision rule: fund at or above the first chance that NPV > 0, reject below the second, pilot between. The
        shop's own choice, so each range is a single value.
    """

    name: str
    title: str
    currency: str
    gross_margin: Quantity
    payment_share: Quantity
    payment_per_order: Quantity
    fulfilment_per_order: Quantity
    support_per_order: Quantity
    acquisition_per_customer: Quantity
    annual_discount_rate: Quantity
    fund_probability: Quantity
    reject_probability: Quantity
    timing: Literal["start", "mid", "end"] = "mid"

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ParamError(f"currency must be a code of three capitals, such as USD; found '{self.currency}'.")
        for name, unit in _UNITS.items():
            quantity: Quantity = getattr(self, name)
            if quantity.unit != unit:
                raise ParamError(f"{name}: wrong unit '{quantity.unit}'; it must be '{unit}'.")
        for name in ("fund_probability", "reject_probability"):
            rule: Quantity = getattr(self, name)
            if rule.range[0] < rule.range[1]:
                low, high = rule.range
                raise ParamError(
                    f"{name}: a rule has no spread; make its range a single value, not [{low:g}, {high:g}]."
                )
        if self.reject_probability.value > self.fund_probability.value:
            raise ParamError(
                f"reject_probability ({self.reject_probability.value:g}) is above fund_probability "
                f"({self.fund_probability.value:g}); it must be at or below it."
            )


_UNITS: dict[str, Unit] = {
    "gross_margin": Unit.SHARE,
    "payment_share": Unit.SHARE,
    "payment_per_order": Unit.MONEY_PER_ORDER,
    "fulfilment_per_order": Unit.MONEY_PER_ORDER,
    "support_per_order": Unit.MONEY_PER_ORDER,
    "acquisition_per_customer": Unit.MONEY_PER_CUSTOMER,
    "annual_discount_rate": Unit.SHARE_PER_YEAR,
    "fund_probability": Unit.SHARE,
    "reject_probability": Unit.SHARE,
}


class CostLine(Protocol):
    """A line of a programme's cost, its kind and its amount, as `cxsim.strategies.Cost` has them."""

    @property
    def kind(self) -> str:
        """One of the kinds of `cxsim.strategies.Cost`."""

    @property
    def amount(self) -> Quantity:
        """Positive amount."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """The costs of one programme, and when it runs.

    Attributes
    ----------
    costs
        Its lines.
    from_month, until_month
        First month with the programme and first month without it, counted from 0; None for never without it.
    """

    costs: Sequence[CostLine]
    from_month: int
    until_month: int | None


def load_economics(name: str) -> Economics:
    """Return the economics of params/economics by name, or from a path that ends in .yaml.

    Parameters
    ----------
    name
        Such as `cdnow`.

    Raises
    ------
    ParamError
        For an unknown name, with the choices, or a mistake in the file, with file and key.
    """
    return read(locate("economics", name), Economics)


def tariff(economics: Economics, schedules: Sequence[Schedule]) -> npt.NDArray[np.int64]:
    """Return what one of each tally adds to each account, in millionths of the currency unit.

    The worth of a count is linear in it and both are whole numbers. Booking counts of any size and grouping therefore
    gives the same ledger as booking every order of every customer: money is conserved exactly.

    Parameters
    ----------
    economics
        The shop's unit economics; shares are held to a hundredth of a percent.
    schedules
        One for each reach of the arm, in the arm's order.

    Returns
    -------
    numpy.ndarray
        Shape (accounts, tallies), in the order of `Account` and of `cxsim.tallies`.
    """
    worth = np.zeros((len(ACCOUNTS), width(len(schedules))), np.int64)
    paid = {Tally.LIST: 1, Tally.MARKDOWN: -1, Tally.REWARD: -1}
    entries: list[tuple[Account, Tally, int]] = [
        (Account.GROSS_SALES, Tally.LIST, MICROS_PER_CENT),
        (Account.MARKDOWN, Tally.MARKDOWN, -MICROS_PER_CENT),
        # Goods cost the same whatever is taken off their price.
        (Account.COST_OF_GOODS, Tally.LIST, share_steps(economics.gross_margin.value) - MICROS_PER_CENT),
        (Account.PAYMENT, Tally.ORDERS, -micros(economics.payment_per_order.value)),
        (Account.FULFILMENT, Tally.ORDERS, -micros(economics.fulfilment_per_order.value)),
        (Account.SUPPORT, Tally.ORDERS, -micros(economics.support_per_order.value)),
        (Account.REWARDS, Tally.REWARD, -MICROS_PER_CENT),
        (Account.ACQUISITION, Tally.ARRIVALS, -micros(economics.acquisition_per_customer.value)),
    ]
    fee = share_steps(economics.payment_share.value)
    entries += [(Account.PAYMENT, tally, -sign * fee) for tally, sign in paid.items()]
    for account, tally, amount in entries:
        worth[ACCOUNTS.index(account), place(tally)] += amount
    for reach, schedule in enumerate(schedules):
        # Points still held at the end are charged in full: nothing is counted on never being redeemed.
        worth[ACCOUNTS.index(Account.POINTS_LIABILITY), place(ReachTally.POINTS_VALUE, reach)] -= MICROS_PER_CENT
        for cost in schedule.costs:
            if cost.kind in _COUNTED:
                counted, whole = _COUNTED[cost.kind]
                worth[ACCOUNTS.index(Account.PROGRAMME), place(counted, reach)] -= whole(cost.amount.value)
    return worth


def fixed_costs(schedules: Sequence[Schedule], months: int) -> npt.NDArray[np.int64]:
    """Return what the programmes of an arm cost in each month whatever customers do.

    Parameters
    ----------
    schedules
        One for each reach of the arm.
    months
        Months of the horizon.

    Returns
    -------
    numpy.ndarray
        Shape (months,): millionths of the currency unit, zero or negative.
    """
    costs = np.zeros(months, np.int64)
    for schedule in schedules:
        until = months if schedule.until_month is None else min(schedule.until_month, months)
        for cost in schedule.costs:
            if cost.kind == "one_off":
                costs[schedule.from_month] -= micros(cost.amount.value)
            elif cost.kind == "monthly":
                costs[schedule.from_month : until] -= micros(cost.amount.value)
    return costs


# A share of a cent in millionths of the unit is a share in hundredths of a percent: 10**4 of each make the whole.
_COUNTED = {
    "per_order": (ReachTally.ORDERS, micros),
    "share_of_revenue": (ReachTally.PAID, share_steps),
    "per_member_month": (ReachTally.MEMBER_MONTHS, micros),
    "per_contact": (ReachTally.CONTACTS, micros),
}
