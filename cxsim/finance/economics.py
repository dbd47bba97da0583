"""A shop's unit economics and a strategy's costs in; the value of each count in each account, and the ledger, out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.errors import ParamError
from cxsim.library import locate
from cxsim.params import MICROS_PER_CENT, Quantity, Unit, micros, read, share_steps
from cxsim.simulation.counts import LATER_PARTS, YEARS_AFTER, CountKind, ReachCountKind, place, width
from cxsim.strategies.strategy import Cost, CostKind
from cxsim.strategies.units import Checked, Share
from cxsim.tables import LEDGER, check
from cxsim.wording import Locale

# Accounts, in the order in which a statement lists them; income is positive, cost negative.
Account = StrEnum(
    "Account",
    {
        "GROSS_SALES": "gross sales",
        "FEES": "membership fees",
        "DISCOUNTS": "discounts",
        "REFUNDS": "refunds",
        "COST_OF_GOODS": "cost of goods",
        "PAYMENT": "payment fees",
        "FULFILMENT": "pick, pack and ship",
        "RETURNS": "returns handling",
        "SUPPORT": "support",
        "REWARDS": "rewards",
        "POINTS_LIABILITY": "points still outstanding",
        "COMPENSATION": "compensation",
        "ACQUISITION": "acquisition",
        "SET_UP": "set-up cost",
        "PROGRAMME": "programme cost",
        "MEMBER_BENEFITS": "member benefits",
        "ORDER_EXTRAS": "added order costs",
        "REDEMPTIONS": "redemption cost",
        "TICKET_EXTRAS": "added ticket costs",
        "CONTACTS": "contact costs",
        "REFERRALS": "referral rewards",
        "REVENUE_SHARE": "share of revenue",
        "WORKING_CAPITAL": "working capital",
        "RETAINED": "customers retained, after the horizon",
    },
)

# What a programme costs beside what it gives away, all below contribution margin 3.
PROGRAMME_ACCOUNTS: tuple[Account, ...] = (
    Account.SET_UP,
    Account.PROGRAMME,
    Account.MEMBER_BENEFITS,
    Account.ORDER_EXTRAS,
    Account.REDEMPTIONS,
    Account.TICKET_EXTRAS,
    Account.CONTACTS,
    Account.REFERRALS,
    Account.REVENUE_SHARE,
    Account.WORKING_CAPITAL,
)
# A subtotal is the sum of all accounts above it.
LADDER: tuple[tuple[str, tuple[Account, ...]], ...] = (
    ("net revenue", (Account.GROSS_SALES, Account.FEES, Account.DISCOUNTS, Account.REFUNDS)),
    ("contribution margin 1", (Account.COST_OF_GOODS,)),
    ("contribution margin 2", (Account.PAYMENT, Account.FULFILMENT, Account.RETURNS, Account.SUPPORT)),
    (
        "contribution margin 3",
        (Account.REWARDS, Account.POINTS_LIABILITY, Account.COMPENSATION, Account.ACQUISITION),
    ),
    # Customers retained are no cash of the horizon: nothing is booked there unless the scenario says so.
    ("cash contribution", (*PROGRAMME_ACCOUNTS, Account.RETAINED)),
)
# What a strategy spends; the rest of its increment is what it brings. Acquisition is that of customers whom it
# attracts: the usual ones cost the same without it, and referred ones their reward.
INVESTMENT_ACCOUNTS: tuple[Account, ...] = (
    Account.DISCOUNTS,
    Account.REWARDS,
    Account.POINTS_LIABILITY,
    Account.COMPENSATION,
    Account.ACQUISITION,
    *PROGRAMME_ACCOUNTS,
)
ACCOUNTS: tuple[Account, ...] = tuple(Account)
Timing = Literal["start", "mid", "end"]
MoneyPerOrder = Annotated[Quantity, Unit.MONEY_PER_ORDER]


def refuse_no_code(currency: str) -> None:
    """Refuse a currency that is no code."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ParamError(f"currency must be a code of three capitals, such as USD; found '{currency}'.")


# The shop's own choices, which need no evidence and have no spread.
RULES = (
    *("fund_probability", "roi_hurdle", "benefit_haircut", "cost_uplift"),
    *("forecast_caution", "forecast_stop"),
)


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
    # Fund what has an expected NPV above zero and at least this probability of a positive one. A rule's range is a
    # single value, like those of the hurdle, the haircut and the uplift.
    fund_probability: Share
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
    # Shares of the repeat orders that came by which a forecast of this shop's own past may miss them: beyond the first
    # the results stand with a caution, beyond the second the model fails.
    forecast_caution: Share | None = None
    forecast_stop: Share | None = None
    # How a report writes numbers: en USD 1,234.5, de 1.234,5 USD, fr 1 234,5 USD, ch USD 1’234.5.
    locale: Locale = "en"
    # Who answers for these numbers, and when they were last reviewed.
    owner: str | None = None
    reviewed_on: date | None = None

    together = (("handling_per_return", "resaleable"), ("forecast_caution", "forecast_stop"))
    retired: ClassVar[Mapping[str, str]] = {
        "reject_probability": (
            "no longer a rule; a strategy is rejected when its expected NPV is zero or less and no planned test is "
            "worth its cost. Delete the key"
        )
    }

    def _refuse(self) -> None:
        refuse_no_code(self.currency)
        for name in RULES:
            rule: Quantity | None = getattr(self, name)
            if rule is not None and rule.range[0] < rule.range[1]:
                low, high = rule.range
                raise ParamError(
                    f"{name}: a rule has no spread; make its range a single value, not [{low:g}, {high:g}]."
                )
        needed = 100.0 * self.fund_probability.value
        if abs(needed - round(needed)) > 1e-9:
            raise ParamError(
                f"fund_probability: {needed / 100.0:g} is not a whole per cent. Reports state chances in those, "
                f"so the limit must be one: choose {math.floor(needed) / 100.0:g} or {math.ceil(needed) / 100.0:g}."
            )
        caution, stop = self.forecast_caution, self.forecast_stop
        if caution is not None and stop is not None and caution.value > stop.value:
            raise ParamError(
                f"forecast_caution ({caution.value:g}) is above forecast_stop ({stop.value:g}); it must be at or below "
                "it."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """The costs of one programme, and when it runs."""

    costs: Sequence[Cost]
    # First month with the programme and first month without it, counted from 0; None for never without it.
    from_month: int
    until_month: int | None
    # Share of the usual acquisition cost that a customer costs whom the programme attracts.
    acquisition_charge: float = 0.0
    # Share of the points still held at the end that is taken never to be redeemed.
    breakage: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """What comes with an order on average when the shop changes nothing."""

    tickets: float = 0.0
    # Chance that some of an order comes back, and the share of its price that does.
    return_chance: float = 0.0
    return_part: float = 0.0


def load_economics(name: str) -> Economics:
    """Return the economics of params/economics by name, or from a path that ends in .yaml."""
    return read(locate("economics", name), Economics)


class Posting(NamedTuple):
    """What one of what is counted adds to an account: `sign` times `size`, in millionths of the currency.

    `counted` is a kind of cost where it comes whatever customers do. `factors` are the numbers whose product the size
    is, each by its path in economics, strategy or schedule; with `1-` before it, what it leaves of 1. None for cash.
    """

    account: Account
    counted: CountKind | ReachCountKind | CostKind
    sign: Literal[-1, 1]
    size: int
    factors: tuple[str, ...] = ()


def tariff(economics: Economics, schedules: Sequence[Schedule]) -> npt.NDArray[np.int64]:
    """Return what one of each count adds to each account, in millionths of the currency: shape (accounts, counts).

    The value of a count is linear in it and both are whole numbers. Booking counts of any size and grouping therefore
    gives the same ledger as booking every order of every customer: money is conserved exactly.
    """
    prices = np.zeros((len(ACCOUNTS), width(len(schedules))), np.int64)
    own = [(reach, own_postings(economics, schedule)) for reach, schedule in enumerate(schedules)]
    for reach, postings in ((0, iter(shop_postings(economics))), *own):
        for one in postings:
            if not isinstance(one.counted, str):
                prices[ACCOUNTS.index(one.account), place(one.counted, reach)] += one.sign * one.size
    return prices


def own_postings(economics: Economics, schedule: Schedule) -> Iterator[Posting]:
    """Yield what one of each count of a programme adds to which account, and each of its costs that are not counted."""
    # Unless the strategy says otherwise, nothing is counted on never being redeemed.
    owed = MICROS_PER_CENT - share_steps(schedule.breakage)
    of_points = ("1-breakage",) if schedule.breakage > 0.0 else ()
    yield Posting(Account.POINTS_LIABILITY, ReachCountKind.POINTS_VALUE, -1, owed, of_points)
    charge = micros(economics.acquisition_per_customer.value * schedule.acquisition_charge)
    charged = ("acquisition_per_customer", "acquisition_charge")
    yield Posting(Account.ACQUISITION, ReachCountKind.ATTRACTED, -1, charge, charged)
    for number, cost in enumerate(schedule.costs, start=1):
        price, path = cost.amount.value, f"costs.{cost.kind}_{number}.amount"
        factors: tuple[str, ...] = (path,)
        if cost.kind in _COUNTED:
            account, counted, whole = _COUNTED[cost.kind]
            yield Posting(account, counted, -1, whole(price), factors)
        else:
            yield Posting(_FIXED[cost.kind], cost.kind, -1, micros(price), factors)


def shop_postings(economics: Economics) -> list[Posting]:
    """Return what one of each common count adds to which account."""
    goods = MICROS_PER_CENT - share_steps(economics.gross_margin.value)
    fee = share_steps(economics.payment_share.value)
    of_goods = "1-gross_margin"
    postings = [
        Posting(Account.PAYMENT, CountKind.LIST, -1, fee, ("payment_share",)),
        Posting(Account.PAYMENT, CountKind.MARKDOWN, 1, fee, ("payment_share",)),
        Posting(Account.PAYMENT, CountKind.REWARD, 1, fee, ("payment_share",)),
        Posting(Account.PAYMENT, CountKind.FEES, -1, fee, ("payment_share",)),
        Posting(Account.GROSS_SALES, CountKind.LIST, 1, MICROS_PER_CENT),
        Posting(Account.FEES, CountKind.FEES, 1, MICROS_PER_CENT),
        Posting(Account.DISCOUNTS, CountKind.MARKDOWN, -1, MICROS_PER_CENT),
        Posting(Account.REFUNDS, CountKind.REFUNDED, -1, MICROS_PER_CENT),
        # Goods cost the same whatever is taken off their price.
        Posting(Account.COST_OF_GOODS, CountKind.LIST, -1, goods, (of_goods,)),
        *(
            Posting(account, counted, -1, micros(getattr(economics, name).value), (name,))
            for account, counted, name in _PER_UNIT
            if getattr(economics, name) is not None
        ),
        Posting(Account.REWARDS, CountKind.REWARD, -1, MICROS_PER_CENT),
        Posting(Account.COMPENSATION, CountKind.COMPENSATION, -1, MICROS_PER_CENT),
    ]
    if economics.resaleable is not None:
        resold = round(goods * economics.resaleable.value)
        postings.append(Posting(Account.COST_OF_GOODS, CountKind.SENT_BACK, 1, resold, (of_goods, "resaleable")))
    return postings


def later_contribution(economics: Economics, usual: Usual) -> npt.NDArray[np.float64]:
    """Return what one of LATER_ORDERS and one of LATER_LIST contribute when they come, in millionths of the currency.

    An order without any programme, with the tickets and returns that usually come with one.
    """
    each = dict(zip(CountKind, tariff(economics, ()).sum(axis=0).tolist(), strict=True))
    returned = usual.return_chance * usual.return_part
    order = each[CountKind.ORDERS] + usual.tickets * each[CountKind.TICKETS]
    order += usual.return_chance * each[CountKind.RETURNS]
    cent = each[CountKind.LIST] + returned * (each[CountKind.REFUNDED] + each[CountKind.SENT_BACK])
    return np.array([order / LATER_PARTS, cent])


def later_counts(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return LATER_ORDERS and LATER_LIST of each year after the horizon: shape (..., years, 2)."""
    return counts[..., :YEARS_AFTER, place(CountKind.LATER_ORDERS) : place(CountKind.LATER_LIST) + 1]


def booked(
    counts: npt.NDArray[np.int64], prices: npt.NDArray[np.int64], later: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return what is booked for counts of shape (..., months, counts): shape (..., months, accounts), in millionths.

    `later`, shape (years, 2), is what one of LATER_ORDERS and LATER_LIST in each year after the horizon is worth in the
    last month.
    """
    amounts: npt.NDArray[np.int64] = counts @ prices.T
    few = later_counts(counts)
    amounts[..., -1, ACCOUNTS.index(Account.RETAINED)] += (few * later[: few.shape[-2]]).sum(axis=(-2, -1))
    return amounts


def fixed_costs(schedules: Sequence[Schedule], months: int) -> npt.NDArray[np.int64]:
    """Return what the programmes of an arm cost in each month whatever customers do.

    Shape (accounts, months): millionths of the currency unit. All are zero or negative, but for working capital,
    which comes back in the month after the programme's last, or in the last of the horizon.
    """
    costs = np.zeros((len(ACCOUNTS), months), np.int64)
    for schedule in schedules:
        times = occurrences(schedule, months)
        for cost in schedule.costs:
            if cost.kind in _FIXED:
                costs[ACCOUNTS.index(_FIXED[cost.kind])] -= micros(cost.amount.value) * times[cost.kind]
    return costs


def occurrences(schedule: Schedule, months: int) -> dict[CostKind, npt.NDArray[np.int64]]:
    """Return how often each cost comes in each month that comes whatever customers do; -1 where it is paid back."""
    until = months if schedule.until_month is None else min(schedule.until_month, months)
    times: dict[CostKind, npt.NDArray[np.int64]] = {kind: np.zeros(months, np.int64) for kind in _FIXED}
    times["one_off"][schedule.from_month] = 1
    times["monthly"][schedule.from_month : until] = 1
    times["working_capital"][schedule.from_month] += 1
    times["working_capital"][min(until, months - 1)] -= 1
    return times


# Costs of the shop that are paid for each of something, by the names of their fields.
_PER_UNIT = (
    (Account.PAYMENT, CountKind.ORDERS, "payment_per_order"),
    (Account.FULFILMENT, CountKind.ORDERS, "fulfilment_per_order"),
    (Account.SUPPORT, CountKind.ORDERS, "support_per_order"),
    (Account.ACQUISITION, CountKind.ARRIVALS, "acquisition_per_customer"),
    (Account.SUPPORT, CountKind.TICKETS, "support_per_ticket"),
    (Account.RETURNS, CountKind.RETURNS, "handling_per_return"),
)
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
_FIXED: dict[CostKind, Account] = {
    "one_off": Account.SET_UP,
    "monthly": Account.PROGRAMME,
    "working_capital": Account.WORKING_CAPITAL,
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
    later: npt.NDArray[np.int64],
) -> pl.DataFrame:
    """Return the ledger of one draw, from counts of shape (cohorts, months, counts) for each arm; `later` as above."""
    arm_names, cohort_names, accounts = _names(arms), _names((*cohorts, SHARED)), _names(ACCOUNTS)
    parts = []
    for arm, (count, prices, costs) in enumerate(zip(counts, tariffs, fixed, strict=True)):
        amounts = np.concatenate([booked(count, prices, later), costs.T[None]])
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
