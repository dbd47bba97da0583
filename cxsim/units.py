"""The closed vocabulary of units, what each allows, and the conversions that are made once, at a door."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
CENTS = 100
# A ledger amount is an integer number of millionths of the currency unit: an integer number of cents times a
# share held to a hundredth of a percent is then an integer too, so sums never depend on their order.
MICROS = 1_000_000
MICROS_PER_CENT = MICROS // CENTS
SHARE_STEPS = 10_000


class Unit(StrEnum):
    """What a number in params/ is measured in."""

    RATIO = "ratio"
    SHARE = "share"
    SHARE_PER_YEAR = "share per year"
    ELASTICITY = "elasticity"
    DAYS = "days"
    MONEY = "money"
    MONEY_PER_MONTH = "money per month"
    MONEY_PER_ORDER = "money per order"
    MONEY_PER_CONTACT = "money per contact"
    MONEY_PER_MEMBER_MONTH = "money per member and month"
    MONEY_PER_CUSTOMER = "money per customer"
    MONEY_PER_REDEMPTION = "money per redemption"
    MONEY_PER_TICKET = "money per ticket"
    MONEY_PER_REFERRAL = "money per referral"
    MONEY_PER_RETURN = "money per return"
    MONEY_PER_YEAR = "money per year"
    HOURS = "hours"
    PER_YEAR = "per year"
    PER_MONTH = "per month"
    DEVIATIONS = "standard deviations"
    SCORE = "score"
    CORRELATION = "correlation"
    EXPONENT = "exponent"
    POINTS = "points"
    POINTS_PER_MONEY = "points per unit of money"


Scale = Literal["log", "logit", "linear"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What a unit allows.

    Attributes
    ----------
    low, high
        Smallest and largest possible value, both included.
    scale
        Scale on which uncertainty about such a number is spread.
    """

    low: float
    high: float
    scale: Scale


BOUNDS: dict[Unit, Bounds] = {
    Unit.RATIO: Bounds(low=0.01, high=100.0, scale="log"),
    Unit.SHARE: Bounds(low=0.0, high=1.0, scale="logit"),
    Unit.SHARE_PER_YEAR: Bounds(low=0.0, high=1.0, scale="logit"),
    Unit.ELASTICITY: Bounds(low=-10.0, high=0.0, scale="linear"),
    Unit.DAYS: Bounds(low=0.0, high=36_525.0, scale="log"),
    Unit.MONEY: Bounds(low=0.0, high=1e9, scale="log"),
    Unit.MONEY_PER_MONTH: Bounds(low=0.0, high=1e9, scale="log"),
    Unit.MONEY_PER_ORDER: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_CONTACT: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_MEMBER_MONTH: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_CUSTOMER: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_REDEMPTION: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_TICKET: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_REFERRAL: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_RETURN: Bounds(low=0.0, high=1e5, scale="log"),
    Unit.MONEY_PER_YEAR: Bounds(low=0.0, high=1e9, scale="log"),
    Unit.HOURS: Bounds(low=0.0, high=8_766.0, scale="log"),
    Unit.PER_YEAR: Bounds(low=0.0, high=1_000.0, scale="log"),
    Unit.PER_MONTH: Bounds(low=0.0, high=100.0, scale="log"),
    Unit.DEVIATIONS: Bounds(low=-10.0, high=10.0, scale="linear"),
    Unit.SCORE: Bounds(low=-100.0, high=100.0, scale="linear"),
    Unit.CORRELATION: Bounds(low=-1.0, high=1.0, scale="linear"),
    Unit.EXPONENT: Bounds(low=0.0, high=10.0, scale="linear"),
    Unit.POINTS: Bounds(low=1.0, high=1e7, scale="log"),
    Unit.POINTS_PER_MONEY: Bounds(low=0.0, high=1e4, scale="log"),
}


def micros(amount: float) -> int:
    """Return an amount of money as the nearest whole number of millionths.

    >>> micros(0.35)
    350000
    """
    return round(amount * MICROS)


def share_steps(share: float) -> int:
    """Return a share as the nearest whole number of hundredths of a percent.

    >>> share_steps(0.29)
    2900
    """
    return round(share * SHARE_STEPS)
