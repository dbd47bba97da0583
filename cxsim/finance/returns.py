"""Flows in; NPV, ROI, payback and the decision of every strategy, each with its interval and Monte Carlo error, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import brentq, minimize_scalar

from cxsim.errors import ParamError
from cxsim.finance.contracts import FAN, INVESTMENT
from cxsim.finance.statement import HIGH, LOW, Flows, worst_tenth
from cxsim.params import DAYS_PER_YEAR
from cxsim.tables import RETURNS, check
from cxsim.wording import NBSP, figure, joined

Draws = npt.NDArray[np.float64]
LATE = 0.9
_KINDS = {name: kinds[0] for name, kinds in RETURNS.columns.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How a shop decides: fund at or above one chance that NPV > 0, reject below another, pilot between."""

    fund: float
    reject: float

    def decision(self, prob_npv_positive: float) -> str:
        """Return fund, pilot or reject."""
        if prob_npv_positive >= self.fund:
            return "fund"
        return "reject" if prob_npv_positive < self.reject else "pilot"


def net_present_value(monthly: Draws, weights: Draws) -> Draws:
    """Return the present value of monthly amounts, per draw.

    Shape (draws,).
    """
    total: Draws = (monthly * weights).sum(axis=1)
    return total


def payback_months(monthly: Draws) -> Draws:
    """Return after how many months cumulative cash is back at zero to stay there until the horizon.

    A month counts as below zero when its end is. In the first month after the last such one, cash is taken to flow
    evenly, and the crossing is interpolated. A programme that never ends a month below zero has paid back after 0.

    Shape (draws,): infinity where cash is below zero at the end of the horizon.
    """
    # To a millionth, as in the ledger; otherwise a last digit could put an exact zero below zero.
    cumulative = monthly.cumsum(axis=1).round(6)
    below = cumulative < 0.0
    months = monthly.shape[1]
    ever = below.any(axis=1)
    final = months - 1 - np.argmax(below[:, ::-1], axis=1)
    rows = np.arange(len(monthly))
    following = np.minimum(final + 1, months - 1)
    gain = monthly[rows, following]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossed = final + 1 - cumulative[rows, final] / gain
    paid = np.where(below[:, -1], np.inf, crossed)
    return np.where(ever, paid, 0.0)


def returns(
    flows: Flows,
    weights: Draws,
    rule: Rule,
    *,
    titles: Mapping[str, str],
    customers: int,
    structures: int = 1,
) -> pl.DataFrame:
    """Return what every strategy brings back, one row each.

    Outlay is the present value of markdowns, rewards, points still outstanding and programme cost. ROI is mean
    incremental NPV over mean outlay, null where nothing is spent in some draw; break_even_scale is 1 + ROI, the
    factor by which the outlay could be multiplied before the NPV is 0 (0 or less: it does not pay even for nothing).
    Monte Carlo errors are standard errors over draws; that of a ratio by the delta method, that of a median by its
    order statistics, that of a chance with one gain and one loss added, so that it is not 0 when all draws agree.
    """
    rows = [
        _row(flows.cash(arm), flows.outlay(arm), weights, rule, structures)
        | {"strategy": flows.arms[arm], "title": titles[flows.arms[arm]], "customers": customers, "draws": len(weights)}
        for arm in range(1, len(flows.arms))
    ]
    return check(pl.DataFrame(rows, schema_overrides=_KINDS).select(list(_KINDS)), RETURNS)


def read_returns(path: Path) -> pl.DataFrame:
    """Return a table of returns from its CSV."""
    return check(pl.read_csv(path, schema_overrides=_KINDS).select(list(_KINDS)), RETURNS)


def npv_by_draw(flows: Flows, weights: Draws) -> pl.DataFrame:
    """Return what every strategy brings back in each draw."""
    parts = []
    for arm in range(1, len(flows.arms)):
        months = payback_months(flows.cash(arm))
        parts.append(
            pl.DataFrame(
                {
                    "strategy": [flows.arms[arm]] * len(weights),
                    "draw": np.arange(len(weights), dtype=np.int32),
                    "npv": net_present_value(flows.cash(arm), weights),
                    "outlay": net_present_value(flows.outlay(arm), weights),
                    "payback_months": [float(month) if np.isfinite(month) else None for month in months],
                },
                schema_overrides={"payback_months": pl.Float64},
            )
        )
    return pl.concat(parts)


def _row(monthly: Draws, spent: Draws, weights: Draws, rule: Rule, structures: int) -> dict[str, object]:
    npv, outlay = net_present_value(monthly, weights), net_present_value(spent, weights)
    payback = payback_months(monthly)
    prob = float((npv > 0.0).mean())
    return {
        "decision": rule.decision(prob),
        "outlay": float(outlay.mean()),
        "incremental_npv": float(npv.mean()),
        "npv_low": float(np.quantile(npv, LOW)),
        "npv_high": float(np.quantile(npv, HIGH)),
        "npv_mc_error": _standard_error(npv, structures),
        "prob_npv_positive": prob,
        "prob_mc_error": share_error(npv > 0.0, structures),
        "prob_payback": float(np.isfinite(payback).mean()),
        "payback_months": _known(draw_at(payback, 0.5)),
        "payback_months_late": _known(draw_at(payback, LATE)),
        "payback_mc_error": _known(_median_error(payback, structures)),
        **_ratios(npv, outlay, structures),
    }


def _ratios(npv: Draws, outlay: Draws, structures: int) -> dict[str, float | None]:
    if (outlay <= 0.0).any():
        return dict.fromkeys(("roi", "roi_low", "roi_high", "roi_mc_error", "break_even_scale"))
    roi = npv.mean() / outlay.mean()
    return {
        "roi": float(roi),
        "roi_low": float(np.quantile(npv / outlay, LOW)),
        "roi_high": float(np.quantile(npv / outlay, HIGH)),
        "roi_mc_error": _standard_error(npv - roi * outlay, structures) / float(outlay.mean()),
        "break_even_scale": float(1.0 + roi),
    }


def share_error(gains: npt.NDArray[np.bool_], structures: int = 1) -> float:
    """Return the standard error of a share of draws, with one gain and one loss added."""
    # As few trials as there are draws: the same draw under another structure is no new evidence.
    trials = len(gains) // structures + 2
    share = (float(gains.mean()) * (trials - 2) + 1.0) / trials
    return float(np.sqrt(share * (1.0 - share) / trials))


def _standard_error(draws: Draws, structures: int) -> float:
    means = draws.reshape(structures, -1).mean(axis=0)
    return float(means.std(ddof=1) / np.sqrt(len(means)))


def draw_at(draws: Draws, level: float) -> float:
    """Return the smallest draw that a share of the draws does not exceed; infinity is possible."""
    return float(np.sort(draws)[max(int(np.ceil(level * len(draws))), 1) - 1])


def _median_error(draws: Draws, structures: int) -> float:
    """Return half the distance between the order statistics half a root of n below and above the median."""
    half = 0.5 / np.sqrt(len(draws) // structures)
    low, high = draw_at(draws, 0.5 - half), draw_at(draws, 0.5 + half)
    return (high - low) / 2.0 if np.isfinite(low) else np.inf


def _known(number: float) -> float | None:
    return number if np.isfinite(number) else None


_LEVELS = {"q05": 0.05, "q10": 0.10, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q90": 0.90, "q95": 0.95}


def fan(flows: Flows, ends_on: Sequence[date], titles: Mapping[str, str]) -> pl.DataFrame:
    """Return quantiles over draws of the cumulative incremental cash of every strategy, undiscounted.

    A quantile of one month and that of the next need not be the same draw.
    """
    parts = []
    for arm, strategy in enumerate(flows.arms[1:], start=1):
        cumulative = flows.cash(arm).cumsum(axis=1)
        levels = np.quantile(cumulative, list(_LEVELS.values()), axis=0)
        parts.append(
            pl.DataFrame(
                {
                    "strategy": [strategy] * len(ends_on),
                    "title": [titles[strategy]] * len(ends_on),
                    "month": np.arange(len(ends_on), dtype=np.int32),
                    "ends_on": list(ends_on),
                    "mean": cumulative.mean(axis=0),
                    **dict(zip(_LEVELS, levels, strict=True)),
                }
            )
        )
    return check(pl.concat(parts), FAN)


Numbers = npt.NDArray[np.float64]
# Rates from -99.99 % to 1,000,000 % a year are told; beyond them a rate says nothing. They are searched in
# ln(1 + rate), in steps of less than 1 % of 1 + rate.
_LOWEST, _HIGHEST = -0.9999, 10_000.0
_STEPS = 2_000
# Present values are scaled to -1..1. Where they come nearer to zero than _NEAR without crossing it between two steps,
# they are looked at again; _ZERO is what is left of sixteen digits after a sum of a hundred terms.
_NEAR, _ZERO = 1e-2, 1e-13
_SENTENCE = 3


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
    rates = [f"{figure(100.0 * math.expm1(zero), ',.1f')}{NBSP}%" for zero in zeros[:_SENTENCE]]
    more = len(zeros) != len(rates) or len(rates) < 2
    return f"several rates possible: {joined([*rates, 'others'] if more else rates)}"


def _none(beyond: tuple[bool, bool], undiscounted: float) -> str:
    if beyond[0]:
        return f"more than {figure(1e6)}{NBSP}% a year, which says nothing"
    if beyond[1]:
        return f"below {figure(-99.99, '.2f')}{NBSP}% a year, which says nothing"
    return f"no rate: the present value is {'above' if undiscounted > 0.0 else 'below'} zero at every rate"


# The central 80 % of the draws.
_LOW, _HIGH = 0.10, 0.90
_INVESTMENT_KINDS = {name: kinds[0] for name, kinds in INVESTMENT.columns.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What the shop asks of an investment; attributes as the arguments of `investment`."""

    customers: int
    days: Draws
    hurdle: float
    benefit_haircut: float
    cost_uplift: float
    structures: int
    annual_discount_rate: float


def investment(
    flows: Flows,
    weights: Draws,
    *,
    titles: Mapping[str, str],
    customers: int,
    days: Draws,
    hurdle: float,
    benefit_haircut: float,
    cost_uplift: float,
    structures: int,
    annual_discount_rate: float,
) -> pl.DataFrame:
    """Return how every strategy does as an investment, one row each.

    Costs are the mean present value of the outlay, and benefits are mean NPV plus costs. The risk-adjusted NPV is
    benefits * (1 - haircut) - costs * (1 + uplift). What is bad already must not become better by caution: benefits
    below zero are multiplied by 1 + haircut instead, and costs below zero, which are savings, by 1 - uplift, never
    less than nothing. Internal rates and the most that is ever out, `peak_funding`, are those of mean undiscounted
    cash, the discounted payback, counted as in `payback_months`, that of mean discounted cash. For the profitability
    index the money put in is the depth of the lowest point of cumulative mean discounted cash, so that the index is
    above 1 just where the mean NPV is above 0; null where cash is never below zero. Shares of draws above the hurdle,
    and the risk-adjusted return, are null where nothing is spent in some draw, as ROI is.
    """
    asked = _Asked(
        customers=customers,
        days=np.asarray(days, np.float64),
        hurdle=hurdle,
        benefit_haircut=benefit_haircut,
        cost_uplift=cost_uplift,
        structures=structures,
        annual_discount_rate=annual_discount_rate,
    )
    _require(asked, months=weights.shape[1])
    rows = [
        {"strategy": name, "title": titles[name], **_investment_row(flows.cash(arm), flows.outlay(arm), weights, asked)}
        for arm, name in enumerate(flows.arms[1:], start=1)
    ]
    return check(pl.DataFrame(rows, schema_overrides=_INVESTMENT_KINDS, schema=list(_INVESTMENT_KINDS)), INVESTMENT)


def _require(asked: _Asked, months: int) -> None:
    if not 0.0 <= asked.benefit_haircut <= 1.0:
        raise ParamError(f"benefit_haircut: found {asked.benefit_haircut:g}; it is a share from 0 to 1.")
    if not (math.isfinite(asked.cost_uplift) and asked.cost_uplift >= 0.0):
        raise ParamError(f"cost_uplift: found {asked.cost_uplift:g}; it is a share of 0 or more.")
    if not math.isfinite(asked.hurdle):
        raise ParamError(f"hurdle: found {asked.hurdle:g}; it is a finite number, such as 0.2 for 20 %.")
    if asked.customers < 1:
        raise ParamError(f"customers: found {asked.customers}; at least 1 is simulated.")
    if asked.days.shape != (months,):
        raise ParamError(f"days: found shape {asked.days.shape}; there must be one for each of {months} months.")


def _investment_row(monthly: Draws, spent: Draws, weights: Draws, asked: _Asked) -> dict[str, object]:
    npv, outlay = net_present_value(monthly, weights), net_present_value(spent, weights)
    worst = worst_tenth(npv, structures=asked.structures)
    spends = bool((outlay > 0.0).all())
    return {
        "npv_low_80": float(np.quantile(npv, _LOW)),
        "npv_high_80": float(np.quantile(npv, _HIGH)),
        "cvar": worst.mean,
        "cvar_mc_error": worst.mc_error,
        "hurdle": asked.hurdle,
        "prob_above_hurdle": float((npv > asked.hurdle * outlay).mean()) if spends else None,
        **_of_mean_cash(monthly.mean(axis=0), (monthly * weights).mean(axis=0), asked),
        "npv_per_customer": float(npv.mean()) / asked.customers,
        **_adjusted(float(npv.mean()), float(outlay.mean()), asked, spends="always" if spends else "not always"),
    }


def _of_mean_cash(mean: Draws, discounted: Draws, asked: _Asked) -> dict[str, object]:
    rate = internal_rate(mean, asked.days)
    payback = float(payback_months(discounted[None, :])[0])
    depth = -float(discounted.cumsum().min())
    # To a millionth, as in the ledger, so that the last digit of a sum is no money.
    puts_in = round(depth, 6) > 0.0
    return {
        "discounted_payback_months": payback if math.isfinite(payback) else None,
        "irr": rate.rate,
        "irr_remark": rate.remark,
        "mirr": modified_internal_rate(
            mean, asked.days, finance_rate=asked.annual_discount_rate, reinvestment_rate=asked.annual_discount_rate
        ),
        "profitability_index": 1.0 + float(discounted.sum()) / depth if puts_in else None,
        "peak_funding": max(-float(mean.cumsum().round(6).min()), 0.0),
    }


def _adjusted(npv: float, costs: float, asked: _Asked, *, spends: str) -> dict[str, float | None]:
    benefits = npv + costs
    haircut = asked.benefit_haircut if benefits >= 0.0 else -asked.benefit_haircut
    raised = 1.0 + asked.cost_uplift if costs >= 0.0 else max(1.0 - asked.cost_uplift, 0.0)
    adjusted = benefits * (1.0 - haircut) - costs * raised
    return {
        "benefits_pv": benefits,
        "costs_pv": costs,
        "benefit_haircut": asked.benefit_haircut,
        "cost_uplift": asked.cost_uplift,
        "risk_adjusted_npv": adjusted,
        "risk_adjusted_roi": adjusted / (costs * raised) if spends == "always" else None,
    }
