"""Dated cash flows in; the rate per year that they earn, or why there is none, out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize_scalar

from cxsim.errors import ParamError
from cxsim.units import DAYS_PER_YEAR
from cxsim.wording import MINUS, NBSP, joined

Numbers = npt.NDArray[np.float64]
# Rates from -99.99 % to 1,000,000 % a year are told; beyond them a rate says nothing. They are searched in
# ln(1 + rate), in steps of less than 1 % of 1 + rate.
_LOWEST, _HIGHEST = -0.9999, 10_000.0
_STEPS = 2_000
# Present values are scaled to -1..1. Where they come nearer to zero than _NEAR without crossing it between two steps,
# they are looked at again; _ZERO is what is left of sixteen digits after a sum of a hundred terms.
_NEAR, _ZERO = 1e-2, 1e-13
_TOLD = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class InternalRate:
    """The internal rate of return of some cash flows.

    Attributes
    ----------
    rate
        Effective per year: 0.10 is 10 %; None where there is no such rate or more than one.
    remark
        In plain words: whether it is the only one, or why there is none.
    """

    rate: float | None
    remark: str


def internal_rate(amounts: Numbers, days: Numbers) -> InternalRate:
    """Return the rate at which dated cash flows are worth nothing today, if there is exactly one.

    Zeros of f(r) = sum of amount * (1 + r) ** (-day / 365.25). There are at most as many as the amounts, in the order
    of their days, change sign (Descartes' rule of signs; for powers that are no whole numbers Laguerre 1883), and
    with one change of sign there is exactly one. With more, f is searched between -99.99 % and 1,000,000 % a year.
    Amounts are taken to a millionth, as in the ledger, so that the last digit of a sum is no change of sign.
    """
    flowing, years = _in_order(amounts, days)
    lacking = _lacking(flowing)
    if lacking:
        return InternalRate(rate=None, remark=lacking)
    turns = int((np.diff(np.sign(flowing)) != 0.0).sum())
    worth = _scaled(flowing, years)
    zeros, touches = _zeros(worth, searched_twice=turns > 1)
    # Early amounts decide at high rates, late ones at low rates.
    beyond = worth(math.log1p(_HIGHEST)) * flowing[0] < 0.0, worth(math.log1p(_LOWEST)) * flowing[-1] < 0.0
    if len(zeros) + sum(beyond) > 1:
        return InternalRate(rate=None, remark=_several(zeros))
    if touches:
        return InternalRate(rate=None, remark="no single rate: the present value touches zero without crossing it")
    if zeros:
        return InternalRate(rate=math.expm1(zeros[0]), remark=_single(flowing, turns))
    return InternalRate(rate=None, remark=_none(beyond, worth(0.0)))


def modified_internal_rate(
    amounts: Numbers, days: Numbers, *, finance_rate: float, reinvestment_rate: float
) -> float | None:
    """Return what cash flows earn if income is invested again at one rate, and cost is paid for at another.

    (value of all income on the last day / value of all cost on the first day) ** (365.25 / days between) - 1.
    """
    for name, rate in (("finance_rate", finance_rate), ("reinvestment_rate", reinvestment_rate)):
        if not (math.isfinite(rate) and rate > -1.0):
            raise ParamError(f"{name}: found {rate}; it must be a finite number above -1, such as 0.10.")
    flowing, years = _in_order(amounts, days)
    length = (float(np.max(days)) - float(np.min(days))) / DAYS_PER_YEAR if len(days) else 0.0
    if _lacking(flowing) or length <= 0.0:
        return None
    first, last = float(np.min(days)) / DAYS_PER_YEAR, float(np.max(days)) / DAYS_PER_YEAR
    paid = math.fsum(-np.minimum(flowing, 0.0) * (1.0 + finance_rate) ** (first - years))
    earned = math.fsum(np.maximum(flowing, 0.0) * (1.0 + reinvestment_rate) ** (last - years))
    return math.expm1(math.log(earned / paid) / length)


def _in_order(amounts: Numbers, days: Numbers) -> tuple[Numbers, Numbers]:
    """Return the amounts other than zero by day, one for each, and their days in years."""
    given, when = np.asarray(amounts, np.float64), np.asarray(days, np.float64)
    if given.ndim != 1 or given.shape != when.shape:
        raise ParamError(f"amounts and days must be two rows of the same length; found {given.shape} and {when.shape}.")
    if not (np.isfinite(given).all() and np.isfinite(when).all()):
        raise ParamError("amounts and days must be finite numbers; found one that is not.")
    distinct, place = np.unique(when, return_inverse=True)
    sums = np.bincount(place, weights=given, minlength=len(distinct)).round(6)
    return sums[sums != 0.0], distinct[sums != 0.0] / DAYS_PER_YEAR


def _lacking(flowing: Numbers) -> str:
    if not len(flowing):
        return "no cash flows"
    if (flowing > 0.0).all():
        return "no outflow: cash is never negative, so no money is put in that could earn a rate"
    if (flowing < 0.0).all():
        return "no inflow: nothing comes back, at any rate"
    return ""


def _scaled(flowing: Numbers, years: Numbers) -> Callable[[float], float]:
    """Return present value as a function of ln(1 + rate), over that of all amounts taken as positive."""

    def worth(force: float) -> float:
        powers = -force * years
        factors = np.exp(powers - powers.max())
        return float(flowing @ factors / (np.abs(flowing) @ factors))

    return worth


def _zeros(worth: Callable[[float], float], *, searched_twice: bool) -> tuple[list[float], int]:
    """Return where present value crosses zero, and how often it touches it without crossing."""
    forces = np.linspace(math.log1p(_LOWEST), math.log1p(_HIGHEST), _STEPS)
    values = np.array([worth(force) for force in forces])
    above = values >= 0.0
    brackets = [(forces[place], forces[place + 1]) for place in np.flatnonzero(above[:-1] != above[1:])]
    touches = 0
    if searched_twice:
        nearness = np.abs(values)
        lowest = (nearness[1:-1] <= nearness[:-2]) & (nearness[1:-1] <= nearness[2:]) & (nearness[1:-1] < _NEAR)
        alike = (above[:-2] == above[1:-1]) & (above[1:-1] == above[2:])
        for place in np.flatnonzero(lowest & alike) + 1:
            left, right = float(forces[place - 1]), float(forces[place + 1])
            sign = 1.0 if above[place] else -1.0
            nearest = float(_nearest(worth, sign, (left, right)))
            if sign * worth(nearest) < -_ZERO:
                brackets += [(left, nearest), (nearest, right)]
            elif sign * worth(nearest) <= _ZERO:
                touches += 1
    return sorted(float(brentq(worth, *bracket, xtol=1e-14)) for bracket in brackets), touches


def _nearest(worth: Callable[[float], float], sign: float, between: tuple[float, float]) -> float:
    found = minimize_scalar(
        lambda force: sign * worth(force), bounds=between, method="bounded", options={"xatol": 1e-9}
    )
    return float(found.x)


def _single(flowing: Numbers, turns: int) -> str:
    if flowing[0] > 0.0:
        return "one rate, of a loan: money comes in first and goes out later, so the strategy gains above this rate"
    return "one rate" if turns == 1 else f"one rate, although cash changes its sign {turns} times"


def _several(zeros: list[float]) -> str:
    told = [f"{round(100.0 * math.expm1(zero), 1) + 0.0:,.1f}{NBSP}%".replace("-", MINUS) for zero in zeros[:_TOLD]]
    return f"several rates possible: {joined([*told, 'others'] if len(zeros) != len(told) or len(told) < 2 else told)}"


def _none(beyond: tuple[bool, bool], undiscounted: float) -> str:
    if beyond[0]:
        return f"more than 1,000,000{NBSP}% a year, which says nothing"
    if beyond[1]:
        return f"below {MINUS}99.99{NBSP}% a year, which says nothing"
    return f"no rate: the present value is {'above' if undiscounted > 0.0 else 'below'} zero at every rate"
