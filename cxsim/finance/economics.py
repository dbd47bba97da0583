"""A shop's unit economics and a strategy's costs in; the value of each count in each account, and the ledger, out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import ParamError
from cxsim.finance.ledger import Account
from cxsim.params import MICROS_PER_CENT, Quantity, Unit, locate, micros, read, share_steps
from cxsim.simulation.counts import CountKind, ReachCountKind, place, width
from cxsim.strategies.strategy import Cost
from cxsim.strategies.units import Checked, Share
from cxsim.tables import LEDGER, check
from cxsim.wording import Locale

ACCOUNTS: tuple[Account, ...] = tuple(Account)
Timing = Literal["start", "mid", "end"]
MoneyPerOrder = Annotated[Quantity, Unit.MONEY_PER_ORDER]


def refuse_no_code(currency: str) -> None:
    """Refuse a currency that is no code."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ParamError(f"currency must be a code of three capitals, such as USD; found '{currency}'.")


# The shop's own choices, which need no evidence and have no spread.
RULES = ("fund_probability", "reject_probability", "roi_hurdle", "benefit_haircut", "cost_uplift")


@dataclass(frozen=True, kw_only=True, slots=True)
class Economics(Checked):
    """What an order earns and costs, and how the shop decides."""

    name: str
    title: str
    # A code of three capitals.
    currency: str
    # Share of the list price left after the cost of goods, before any markdown.
    gross_margin: Share
    # Fees of the payment provider.
    payment_share: Share
    payment_per_order: MoneyPerOrder
    # Pick, pack and ship.
    fulfilment_per_order: MoneyPerOrder
    # Cost of support, spread over orders; beside that of tickets where these are simulated.
    support_per_order: MoneyPerOrder
    # Cost of winning one new customer; a referred one costs the reward alone.
    acquisition_per_customer: Annotated[Quantity, Unit.MONEY_PER_CUSTOMER]
    # Effective per year.
    annual_discount_rate: Annotated[Quantity, Unit.SHARE_PER_YEAR]
    # Fund at or above the first chance that NPV > 0, reject below the second, pilot between. A rule's range is a single
    # value, like those of the hurdle, the haircut and the uplift.
    fund_probability: Share
    reject_probability: Share
    # Needed where tickets are simulated.
    support_per_ticket: Annotated[Quantity, Unit.MONEY_PER_TICKET] | None = None
    # Cost of taking back an order, and share of the goods' cost recovered by selling them again; needed where returns
    # are simulated.
    handling_per_return: Annotated[Quantity, Unit.MONEY_PER_RETURN] | None = None
    resaleable: Share | None = None
    # When in a month its cash flows.
    timing: Timing = "mid"
    # Return on investment that the shop asks for.
    roi_hurdle: Share | None = None
    # For the risk-adjusted case: shares by which benefits are cut and costs are raised.
    benefit_haircut: Share | None = None
    cost_uplift: Share | None = None
    # How a report writes numbers: en USD 1,234.5, de 1.234,5 USD, fr 1 234,5 USD, ch USD 1’234.5.
    locale: Locale = "en"
    # Who answers for these numbers, and when they were last reviewed.
    owner: str | None = None
    reviewed_on: date | None = None

    together = (("handling_per_return", "resaleable"),)

    def _refuse(self) -> None:
        refuse_no_code(self.currency)
        for name in RULES:
            rule: Quantity | None = getattr(self, name)
            if rule is not None and rule.range[0] < rule.range[1]:
                low, high = rule.range
                raise ParamError(
                    f"{name}: a rule has no spread; make its range a single value, not [{low:g}, {high:g}]."
                )
        if self.reject_probability.value > self.fund_probability.value:
            raise ParamError(
                f"reject_probability ({self.reject_probability.value:g}) is above fund_probability "
                f"({self.fund_probability.value:g}); it must be at or below it."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """The costs of one programme, and when it runs."""

    costs: Sequence[Cost]
    # First month with the programme and first month without it, counted from 0; None for never without it.
    from_month: int
    until_month: int | None
    # How often each member is written to; None where contacts are counted one by one.
    contacts_per_month: float | None = None
    # Share of the usual acquisition cost that a customer costs whom the programme attracts.
    acquisition_charge: float = 0.0


def load_economics(name: str) -> Economics:
    """Return the economics of params/economics by name, or from a path that ends in .yaml."""
    return read(locate("economics", name), Economics)


def tariff(economics: Economics, schedules: Sequence[Schedule]) -> npt.NDArray[np.int64]:
    """Return what one of each count adds to each account, in millionths of the currency: shape (accounts, counts).

    The value of a count is linear in it and both are whole numbers. Booking counts of any size and grouping therefore
    gives the same ledger as booking every order of every customer: money is conserved exactly.
    """
    prices = np.zeros((len(ACCOUNTS), width(len(schedules))), np.int64)
    for account, count_kind, amount in _entries(economics):
        prices[ACCOUNTS.index(account), place(count_kind)] += amount
    for reach, schedule in enumerate(schedules):
        for account, counted, amount in _own(economics, schedule):
            prices[ACCOUNTS.index(account), place(counted, reach)] += amount
    return prices


def _own(economics: Economics, schedule: Schedule) -> Iterator[tuple[Account, ReachCountKind, int]]:
    """Yield what one of each count of a programme adds to which account."""
    # Points still held at the end are charged in full: nothing is counted on never being redeemed.
    yield Account.POINTS_LIABILITY, ReachCountKind.POINTS_VALUE, -MICROS_PER_CENT
    charge = economics.acquisition_per_customer.value * schedule.acquisition_charge
    yield Account.ACQUISITION, ReachCountKind.ATTRACTED, -micros(charge)
    for cost in schedule.costs:
        if cost.kind in _COUNTED:
            account, counted, whole = _COUNTED[cost.kind]
            price = cost.amount.value
            if cost.kind == "per_contact" and schedule.contacts_per_month is not None:
                counted, price = ReachCountKind.MEMBER_MONTHS, price * schedule.contacts_per_month
            yield account, counted, -whole(price)


def _entries(economics: Economics) -> list[tuple[Account, CountKind, int]]:
    """Return what one of each common count adds to which account."""
    goods = MICROS_PER_CENT - share_steps(economics.gross_margin.value)
    fee = share_steps(economics.payment_share.value)
    entries = [
        (Account.PAYMENT, CountKind.LIST, -fee),
        (Account.PAYMENT, CountKind.MARKDOWN, fee),
        (Account.PAYMENT, CountKind.REWARD, fee),
        (Account.PAYMENT, CountKind.FEES, -fee),
        (Account.GROSS_SALES, CountKind.LIST, MICROS_PER_CENT),
        (Account.FEES, CountKind.FEES, MICROS_PER_CENT),
        (Account.MARKDOWN, CountKind.MARKDOWN, -MICROS_PER_CENT),
        (Account.REFUNDS, CountKind.REFUNDED, -MICROS_PER_CENT),
        # Goods cost the same whatever is taken off their price.
        (Account.COST_OF_GOODS, CountKind.LIST, -goods),
        (Account.PAYMENT, CountKind.ORDERS, -micros(economics.payment_per_order.value)),
        (Account.FULFILMENT, CountKind.ORDERS, -micros(economics.fulfilment_per_order.value)),
        (Account.SUPPORT, CountKind.ORDERS, -micros(economics.support_per_order.value)),
        (Account.REWARDS, CountKind.REWARD, -MICROS_PER_CENT),
        (Account.COMPENSATION, CountKind.COMPENSATION, -MICROS_PER_CENT),
        (Account.ACQUISITION, CountKind.ARRIVALS, -micros(economics.acquisition_per_customer.value)),
    ]
    if economics.support_per_ticket is not None:
        entries.append((Account.SUPPORT, CountKind.TICKETS, -micros(economics.support_per_ticket.value)))
    if economics.handling_per_return is not None and economics.resaleable is not None:
        entries.append((Account.RETURNS, CountKind.RETURNS, -micros(economics.handling_per_return.value)))
        entries.append((Account.COST_OF_GOODS, CountKind.SENT_BACK, round(goods * economics.resaleable.value)))
    return entries


def fixed_costs(schedules: Sequence[Schedule], months: int) -> npt.NDArray[np.int64]:
    """Return what the programmes of an arm cost in each month whatever customers do.

    Shape (accounts, months): millionths of the currency unit. All are zero or negative, but for working capital,
    which comes back in the month after the programme's last, or in the last of the horizon.
    """
    costs = np.zeros((len(ACCOUNTS), months), np.int64)
    for schedule in schedules:
        until = months if schedule.until_month is None else min(schedule.until_month, months)
        for cost in schedule.costs:
            amount = micros(cost.amount.value)
            if cost.kind == "one_off":
                costs[ACCOUNTS.index(Account.SET_UP), schedule.from_month] -= amount
            elif cost.kind == "monthly":
                costs[ACCOUNTS.index(Account.PROGRAMME), schedule.from_month : until] -= amount
            elif cost.kind == "working_capital":
                costs[ACCOUNTS.index(Account.WORKING_CAPITAL), schedule.from_month] -= amount
                costs[ACCOUNTS.index(Account.WORKING_CAPITAL), min(until, months - 1)] += amount
    return costs


# A share of a cent in millionths of the unit is a share in hundredths of a percent: 10**4 of each make the whole.
_COUNTED = {
    "per_member_month": (Account.MEMBER_BENEFITS, ReachCountKind.MEMBER_MONTHS, micros),
    "per_order": (Account.ORDER_EXTRAS, ReachCountKind.ORDERS, micros),
    "per_redemption": (Account.REDEMPTIONS, ReachCountKind.REDEMPTIONS, micros),
    "per_ticket": (Account.TICKET_EXTRAS, ReachCountKind.TICKETS, micros),
    "per_contact": (Account.CONTACTS, ReachCountKind.CONTACTS, micros),
    "per_referral": (Account.REFERRALS, ReachCountKind.REFERRALS, micros),
    "share_of_revenue": (Account.REVENUE_SHARE, ReachCountKind.PAID, share_steps),
}


# The cohort of a programme's costs that belong to none.
SHARED = "shared"


def book(
    draw: int,
    counts: Sequence[npt.NDArray[np.int64]],
    *,
    arms: Sequence[str],
    cohorts: Sequence[str],
    tariffs: Sequence[npt.NDArray[np.int64]],
    fixed: Sequence[npt.NDArray[np.int64]],
) -> pl.DataFrame:
    """Return the ledger of one draw, from counts of shape (cohorts, months, counts) for each arm."""
    arm_names, cohort_names, accounts = _names(arms), _names((*cohorts, SHARED)), _names(ACCOUNTS)
    parts = []
    for arm, (count, prices, costs) in enumerate(zip(counts, tariffs, fixed, strict=True)):
        amounts = np.concatenate([count @ prices.T, costs.T[None]])
        cohort, month, account = np.nonzero(amounts)
        parts.append(
            pl.DataFrame(
                {
                    "draw": np.full(len(cohort), draw, np.int32),
                    "arm": arm_names.gather(np.full(len(cohort), arm)),
                    "cohort": cohort_names.gather(cohort),
                    "month": month.astype(np.int32),
                    "account": accounts.gather(account),
                    "amount": amounts[cohort, month, account],
                }
            )
        )
    return check(pl.concat(parts), LEDGER)


def _names(names: Sequence[str]) -> pl.Series:
    texts = [str(name) for name in names]
    return pl.Series(texts, dtype=pl.Enum(texts))
