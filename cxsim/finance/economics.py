"""A shop's unit economics and a strategy's costs in; what each tally is worth in each account, out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import ParamError
from cxsim.finance.ledger import Account
from cxsim.params import MICROS_PER_CENT, Quantity, Unit, locate, micros, read, require_together, share_steps
from cxsim.simulation.counts import CountKind, ReachCountKind, place, width
from cxsim.tables import LEDGER, check

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
    support_per_ticket
        Cost of answering one ticket; needed where tickets are simulated, and then `support_per_order` is what support
        costs beside them.
    handling_per_return, resaleable
        Cost of taking back an order, and share of the goods' cost that is recovered by selling them again; needed where
        returns are simulated.
    acquisition_per_customer
        Cost of winning one new customer; referred customers cost their reward alone.
    annual_discount_rate
        Time value of money, effective per year.
    timing
        When in a month its cash flows: start, mid or end.
    roi_hurdle
        Return on outlay that the shop asks for; 0 when left out. Its range is a single value, like those of the two
        that follow.
    benefit_haircut, cost_uplift
        For the risk-adjusted case: the share by which benefits are cut and costs are raised; 0 when left out.
    locale
        How a report writes numbers: en USD 1,234.5, de 1.234,5 USD, fr 1 234,5 USD, ch USD 1’234.5. Its words stay
        English, and so do its CSV, JSON and XLSX files and what is printed to a terminal.
    owner, reviewed_on
        Who answers for these numbers, and when they were last looked at.
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
    support_per_ticket: Quantity | None = None
    handling_per_return: Quantity | None = None
    resaleable: Quantity | None = None
    timing: Literal["start", "mid", "end"] = "mid"
    roi_hurdle: Quantity | None = None
    benefit_haircut: Quantity | None = None
    cost_uplift: Quantity | None = None
    locale: Literal["en", "de", "fr", "ch"] = "en"
    owner: str | None = None
    reviewed_on: date | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ParamError(f"currency must be a code of three capitals, such as USD; found '{self.currency}'.")
        for name, unit in _UNITS.items():
            quantity: Quantity | None = getattr(self, name)
            if quantity is not None:
                quantity.require(unit, name)
        require_together(self, ("handling_per_return", "resaleable"), "economics")
        for name in ("fund_probability", "reject_probability", "roi_hurdle", "benefit_haircut", "cost_uplift"):
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


_UNITS: dict[str, Unit] = {
    "gross_margin": Unit.SHARE,
    "payment_share": Unit.SHARE,
    "payment_per_order": Unit.MONEY_PER_ORDER,
    "fulfilment_per_order": Unit.MONEY_PER_ORDER,
    "support_per_order": Unit.MONEY_PER_ORDER,
    "support_per_ticket": Unit.MONEY_PER_TICKET,
    "handling_per_return": Unit.MONEY_PER_RETURN,
    "resaleable": Unit.SHARE,
    "acquisition_per_customer": Unit.MONEY_PER_CUSTOMER,
    "annual_discount_rate": Unit.SHARE_PER_YEAR,
    "fund_probability": Unit.SHARE,
    "reject_probability": Unit.SHARE,
    "roi_hurdle": Unit.SHARE,
    "benefit_haircut": Unit.SHARE,
    "cost_uplift": Unit.SHARE,
}


class CostLine(Protocol):
    """A line of a programme's cost, its kind and its amount, as `cxsim.strategies.strategy.Cost` has them."""

    @property
    def kind(self) -> str:
        """One of the kinds of `cxsim.strategies.strategy.Cost`."""

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
    contacts_per_month
        How often each member is written to; None where contacts are counted one by one.
    acquisition_charge
        Share of the usual acquisition cost that a customer costs whom the programme attracts.
    """

    costs: Sequence[CostLine]
    from_month: int
    until_month: int | None
    contacts_per_month: float | None = None
    acquisition_charge: float = 0.0


def load_economics(name: str) -> Economics:
    """Return the economics of params/economics by name, or from a path that ends in .yaml."""
    return read(locate("economics", name), Economics)


def tariff(economics: Economics, schedules: Sequence[Schedule]) -> npt.NDArray[np.int64]:
    """Return what one of each tally adds to each account, in millionths of the currency unit.

    The worth of a count is linear in it and both are whole numbers. Booking counts of any size and grouping therefore
    gives the same ledger as booking every order of every customer: money is conserved exactly.

    Shape (accounts, tallies), in the order of `Account` and of `cxsim.simulation.counts`.
    """
    worth = np.zeros((len(ACCOUNTS), width(len(schedules))), np.int64)
    for account, count_kind, amount in _entries(economics):
        worth[ACCOUNTS.index(account), place(count_kind)] += amount
    for reach, schedule in enumerate(schedules):
        # Points still held at the end are charged in full: nothing is counted on never being redeemed.
        worth[ACCOUNTS.index(Account.POINTS_LIABILITY), place(ReachCountKind.POINTS_VALUE, reach)] -= MICROS_PER_CENT
        charge = micros(economics.acquisition_per_customer.value * schedule.acquisition_charge)
        worth[ACCOUNTS.index(Account.ACQUISITION), place(ReachCountKind.ATTRACTED, reach)] -= charge
        for cost in schedule.costs:
            if cost.kind in _COUNTED:
                account, counted, whole = _COUNTED[cost.kind]
                price = cost.amount.value
                if cost.kind == "per_contact" and schedule.contacts_per_month is not None:
                    counted, price = ReachCountKind.MEMBER_MONTHS, price * schedule.contacts_per_month
                worth[ACCOUNTS.index(account), place(counted, reach)] -= whole(price)
    return worth


def _entries(economics: Economics) -> list[tuple[Account, CountKind, int]]:
    """Return what one of each common tally adds to which account."""
    goods = MICROS_PER_CENT - share_steps(economics.gross_margin.value)
    paid = {CountKind.LIST: 1, CountKind.MARKDOWN: -1, CountKind.REWARD: -1, CountKind.FEES: 1}
    fee = share_steps(economics.payment_share.value)
    entries = [(Account.PAYMENT, count_kind, -sign * fee) for count_kind, sign in paid.items()]
    entries += [
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


SHARED = "shared"


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """Names of the ledger's dimensions.

    Attributes
    ----------
    arms
        Names of the arms; the first is the baseline.
    cohorts
        Names of the cohorts; costs of a programme that belong to none are booked to the cohort `shared`.
    """

    arms: tuple[str, ...]
    cohorts: tuple[str, ...]


def book(
    books: Books,
    draw: int,
    counts: Sequence[npt.NDArray[np.int64]],
    *,
    tariffs: Sequence[npt.NDArray[np.int64]],
    fixed: Sequence[npt.NDArray[np.int64]],
) -> pl.DataFrame:
    """Return the ledger of one draw."""
    arms, cohorts, accounts = _names(books.arms), _names((*books.cohorts, SHARED)), _names(ACCOUNTS)
    parts = []
    for arm, (count, worth, costs) in enumerate(zip(counts, tariffs, fixed, strict=True)):
        amounts = _amounts(count, worth, costs)
        cohort, month, account = np.nonzero(amounts)
        parts.append(
            pl.DataFrame(
                {
                    "draw": np.full(len(cohort), draw, np.int32),
                    "arm": arms.gather(np.full(len(cohort), arm)),
                    "cohort": cohorts.gather(cohort),
                    "month": month.astype(np.int32),
                    "account": accounts.gather(account),
                    "amount": amounts[cohort, month, account],
                }
            )
        )
    return check(pl.concat(parts), LEDGER)


def _amounts(
    count: npt.NDArray[np.int64], worth: npt.NDArray[np.int64], costs: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the amounts per cohort (the last one shared), month and account."""
    cohorts, months, count_kinds = count.shape
    amounts = np.zeros((cohorts + 1, months, len(ACCOUNTS)), np.int64)
    amounts[:-1] = (count.reshape(-1, count_kinds) @ worth.T).reshape(cohorts, months, len(ACCOUNTS))
    amounts[-1] = costs.T
    return amounts


def _names(names: Sequence[str]) -> pl.Series:
    texts = [str(name) for name in names]
    return pl.Series(texts, dtype=pl.Enum(texts))


Amounts = npt.NDArray[np.float64]
# Expected redemption is worked out with shares in doubles, and may come out a hair below what was redeemed.
_HAIR = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Allocation:
    """A price that was paid for goods and points together, taken apart.

    Attributes
    ----------
    goods
        Revenue at once.
    points
        Deferred until the points are redeemed: the contract liability when they are given.
    """

    goods: Amounts
    points: Amounts


def stand_alone_price(points: npt.ArrayLike, value: npt.ArrayLike, redemption: npt.ArrayLike) -> Amounts:
    """Return what points would cost by themselves.

    points * value * redemption. IFRS 15.B42 and ASC 606-10-55-44: the discount that the customer would get, adjusted
    for the likelihood that it is used.
    """
    share = _positive("redemption", redemption)
    if np.any(share > 1.0):
        raise ParamError(f"redemption must be a share from 0 to 1; found {float(share.max()):g}.")
    price: Amounts = _positive("points", points) * _positive("value", value) * share
    return price


def allocate(price: npt.ArrayLike, *, goods: npt.ArrayLike, points: npt.ArrayLike) -> Allocation:
    """Return a transaction price allocated to goods and points by their relative stand-alone prices.

    price * points / (goods + points) to the points, the rest to the goods. IFRS 15.74-76, ASC 606-10-32-31.
    """
    paid, alone, earned = (_positive(*one) for one in (("price", price), ("goods", goods), ("points", points)))
    for_points = paid * _ratio(earned, alone + earned, where_nothing=0.0)
    return Allocation(goods=paid - for_points, points=for_points)


def recognised(allocated: npt.ArrayLike, redeemed: npt.ArrayLike, expected: npt.ArrayLike) -> Amounts:
    """Return the revenue from points recognised by each date, since the first point was given.

    allocated * redeemed / expected. A new estimate holds from its date on: what it changes in the past is caught up
    in the period in which it is made (`by_period`). Breakage is thereby recognised in proportion to redemption. IFRS
    15.B44-B47 and illustrative example 52, ASC 606-10-55-46 to 55-49.
    """
    price = _positive("allocated", allocated)
    used, ultimate = _positive("redeemed", redeemed), _positive("expected", expected)
    if np.any(used > ultimate * (1.0 + _HAIR)):
        most, estimate = (float(one[used > ultimate * (1.0 + _HAIR)][0]) for one in np.broadcast_arrays(used, ultimate))
        raise ParamError(
            f"redeemed: {most:,g} points were redeemed, but {estimate:,g} were expected ever to be; estimate again, "
            "from this date on at least what was redeemed."
        )
    return price * np.minimum(_ratio(used, ultimate, where_nothing=1.0), 1.0)


def by_period(cumulative: npt.ArrayLike) -> Amounts:
    """Return what each period adds to a sum since the start."""
    return np.diff(np.asarray(cumulative, np.float64), prepend=0.0, axis=-1)


def straight_line(fee: npt.ArrayLike, *, elapsed_days: npt.ArrayLike, period_days: npt.ArrayLike) -> Amounts:
    """Return how much of a fee paid in advance is revenue by now; the rest is owed as membership.

    fee * elapsed_days / period_days: a service of standing ready is given evenly over time. IFRS 15.B18, ASC
    606-10-55-20.
    """
    period = np.asarray(period_days, np.float64)
    if not np.all(period > 0.0):
        raise ParamError(f"period_days must be above 0; found {float(period.min()):g}.")
    served: Amounts = _positive("fee", fee) * np.clip(np.asarray(elapsed_days, np.float64) / period, 0.0, 1.0)
    return served


def _positive(name: str, numbers: npt.ArrayLike) -> Amounts:
    found = np.asarray(numbers, np.float64)
    if not np.all(found >= 0.0):
        raise ParamError(f"{name} must be 0 or more; found {float(found.min()):g}.")
    return found


def _ratio(above: Amounts, below: Amounts, *, where_nothing: float) -> Amounts:
    above, below = np.broadcast_arrays(above, below)
    found: Amounts = np.divide(above, below, out=np.full(below.shape, where_nothing), where=below > 0.0)
    return found
