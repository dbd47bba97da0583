"""Flows in; NPV, ROI, payback, rates of return and the decision of every strategy, with Monte Carlo errors, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy

from cxsim.finance.economics import Economics
from cxsim.finance.statement import HIGH, LOW, Flows
from cxsim.params import DAYS_PER_YEAR
from cxsim.strategies.units import value_of
from cxsim.tables import REAL, RETURNS, TEXT, Contract, empty, ordered, table_of
from cxsim.wording import NBSP, figure, joined

Draws = npt.NDArray[np.float64]
# The quantile of the payback over draws that is called late.
LATE = 0.9
# The central 80 % of the draws, and the share of the worst.
_LOW_80, _HIGH_80, _WORST = 0.10, 0.90, 0.1
# Rates from -99.99 % to 1,000,000 % a year are stated; beyond them a rate is not informative.
_LOWEST, _HIGHEST = -0.9999, 10_000.0
# Who loses nine tenths of the money each year asks for no rate. A zero below this one is what the last small amounts
# make of the arithmetic, and does not put the one above it in doubt.
_DOUBTED = -0.9
# Present values are scaled to -1..1; this is what is left of sixteen digits after a sum of a hundred terms.
_ZERO = 1e-13
# What lies within so many Monte Carlo errors of a limit is not beyond it: 95 % confidence.
BEYOND = 2.0
# So many rates are listed where there are several.
_LISTED = 3

# One row per strategy, beside RETURNS. npv_low_80, npv_high_80: 10 % and 90 % quantiles. cvar: mean NPV of the worst
# tenth of the draws. hurdle: the ROI that the shop asks for; prob_above_hurdle: share of draws whose ROI is above it.
# irr, mirr: effective per year, of the mean cash; irr null where there is none or more than one, and irr_remark says
# so. peak_funding: the most that cumulative mean cash is ever below zero, a positive amount. risk_adjusted_*: with
# benefits cut by benefit_haircut and costs raised by cost_uplift, both shares. after_horizon: present value of what
# customers who are still there are expected to bring after it beyond the baseline, with its 90 % interval; part of no
# other figure where after_horizon_rule is `excluded`, and of all where it is `included`.
INVESTMENT = Contract(
    "INVESTMENT",
    TEXT("strategy", "title"),
    REAL(
        "npv_low_80",
        "npv_high_80",
        "cvar",
        "cvar_mc_error",
        "hurdle",
        "prob_above_hurdle",
        "discounted_payback_months",
        "irr",
    ),
    TEXT("irr_remark"),
    REAL(
        "mirr",
        "peak_funding",
        "npv_per_customer",
        "after_horizon",
        "after_horizon_low",
        "after_horizon_high",
        "benefits_pv",
        "costs_pv",
        "benefit_haircut",
        "cost_uplift",
        "risk_adjusted_npv",
        "risk_adjusted_roi",
    ),
    TEXT("after_horizon_rule"),
    nullable=(
        "prob_above_hurdle",
        "discounted_payback_months",
        "irr",
        "mirr",
        "risk_adjusted_roi",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a decision looks at: expected NPV and P(NPV > 0) with their Monte Carlo errors, and what a test is worth."""

    npv: float
    npv_error: float
    prob: float
    prob_error: float
    # Expected net benefit of the best planned test; 0 where none is planned.
    test: float = 0.0

    @property
    def sign(self) -> int:
        """The sign of the expected NPV: 0 where it is within BEYOND errors of zero."""
        return int(np.sign(self.npv)) if abs(self.npv) > BEYOND * self.npv_error else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How a shop decides: fund what is expected to gain, and gains with at least the probability `fund`."""

    fund: float

    def likely(self, outcome: Outcome) -> bool:
        """Return whether P(NPV > 0) reaches the limit by more than its error."""
        return outcome.prob - BEYOND * outcome.prob_error >= self.fund

    def decision(self, outcome: Outcome) -> str:
        """Return fund, pilot or reject.

        An NPV of exactly 0 in every draw brings nothing that could be learnt, and is rejected.
        """
        if outcome.sign > 0 and self.likely(outcome):
            return "fund"
        loses = outcome.sign < 0 or outcome.npv == 0.0 == outcome.npv_error
        return "reject" if loses and outcome.test <= 0.0 else "pilot"

    def decided(self, returns: pl.DataFrame, tests: Mapping[str, float]) -> pl.DataFrame:
        """Return a table of returns with the decisions that follow from what a test of each strategy is worth."""
        rows = returns.rows(named=True)
        found = [self.decision(outcome_of(row, test=tests.get(row["strategy"], 0.0))) for row in rows]
        return returns.with_columns(decision=pl.Series(found, dtype=pl.String))


def outcome_of(row: Mapping[str, Any], *, npv: str = "incremental_npv", test: float = 0.0) -> Outcome:
    """Return the outcome in a row of RETURNS, or of a table in which NPV has another name."""
    return Outcome(
        npv=row[npv],
        npv_error=row["npv_mc_error"],
        prob=row["prob_npv_positive"],
        prob_error=row["prob_mc_error"],
        test=test,
    )


def net_present_value(monthly: Draws, weights: Draws) -> Draws:
    """Return the present value of monthly amounts, per draw: shape (draws,)."""
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

    Investment is the present value of discounts, rewards, points still outstanding, compensation, what attracted
    customers cost, and programme cost. ROI is mean incremental NPV over mean investment, null where nothing is spent
    in some draw. The profitability index is the present value of benefits over the investment, 1 + ROI: the factor by
    which the investment could be multiplied before the NPV is 0 (0 or less: not even if it were free).
    Monte Carlo errors are standard errors over draws; that of a ratio by the delta method, that of a median by its
    order statistics, that of a chance with one gain and one loss added, so that it is not 0 when all draws agree.
    """
    rows = []
    for strategy, cash, npv, investment in _by_strategy(flows, weights):
        payback = payback_months(cash)
        found = {
            "incremental_npv": float(npv.mean()),
            "npv_mc_error": standard_error(npv, structures),
            "prob_npv_positive": float((npv > 0.0).mean()),
            "prob_mc_error": share_error(npv > 0.0, structures),
        }
        rows.append(
            {
                "strategy": strategy,
                "title": titles[strategy],
                "decision": rule.decision(outcome_of(found)),
                "investment": investment.mean(),
                **found,
                **_quantiles(npv, npv_low=LOW, npv_high=HIGH),
                "prob_payback": np.isfinite(payback).mean(),
                "payback_months": finite(quantile_draw(payback, 0.5)),
                "payback_months_late": finite(quantile_draw(payback, LATE)),
                "payback_mc_error": finite(_median_error(payback, structures)),
                **_ratios(npv, investment, structures),
                "customers": customers,
                "draws": len(weights),
            }
        )
    return table_of(rows, RETURNS)


def read_returns(path: Path) -> pl.DataFrame:
    """Return a table of returns from its CSV."""
    return ordered(pl.read_csv(path, schema_overrides=empty(RETURNS).schema), RETURNS)


def npv_by_draw(flows: Flows, weights: Draws) -> pl.DataFrame:
    """Return what every strategy brings back in each draw."""
    parts = [
        pl.DataFrame(
            {
                "strategy": strategy,
                "draw": np.arange(len(weights), dtype=np.int32),
                "npv": npv,
                "investment": investment,
                "payback_months": payback_months(cash),
            }
        )
        for strategy, cash, npv, investment in _by_strategy(flows, weights)
    ]
    months = pl.col("payback_months")
    return pl.concat(parts).with_columns(pl.when(months.is_finite()).then(months))


def _by_strategy(flows: Flows, weights: Draws) -> Iterator[tuple[str, Draws, Draws, Draws]]:
    """Yield each strategy with its incremental cash by month, and the present values of that and its investment."""
    for arm, strategy in flows.strategies:
        cash = flows.cash(arm)
        yield strategy, cash, net_present_value(cash, weights), net_present_value(flows.investment(arm), weights)


def _quantiles(draws: Draws, **levels: float) -> dict[str, float]:
    return {name: float(np.quantile(draws, level)) for name, level in levels.items()}


def _ratios(npv: Draws, investment: Draws, structures: int) -> dict[str, float | None]:
    if (investment <= 0.0).any():
        return dict.fromkeys(("roi", "roi_low", "roi_high", "roi_mc_error", "profitability_index"))
    roi = npv.mean() / investment.mean()
    return {
        "roi": roi,
        **_quantiles(npv / investment, roi_low=LOW, roi_high=HIGH),
        "roi_mc_error": standard_error(npv - roi * investment, structures) / investment.mean(),
        "profitability_index": 1.0 + roi,
    }


def share_error(gains: npt.NDArray[np.bool_], structures: int = 1) -> float:
    """Return the standard error of a share of draws, with one gain and one loss added."""
    # As few trials as there are draws: the same draw under another structure is no new evidence.
    trials = len(gains) // structures + 2
    share = (float(gains.mean()) * (trials - 2) + 1.0) / trials
    return float(np.sqrt(share * (1.0 - share) / trials))


def standard_error(draws: Draws, structures: int = 1) -> float:
    """Return the standard error of the mean; the same draw under another structure is no new evidence."""
    means = draws.reshape(structures, -1).mean(axis=0)
    return float(means.std(ddof=1) / np.sqrt(len(means)))


def quantile_draw(draws: Draws, level: float) -> float:
    """Return the smallest draw that a share of the draws does not exceed; infinity is possible."""
    return float(np.sort(draws)[max(int(np.ceil(level * len(draws))), 1) - 1])


def _median_error(draws: Draws, structures: int) -> float:
    """Return half the distance between the order statistics half a root of n below and above the median."""
    half = 0.5 / np.sqrt(len(draws) // structures)
    low, high = quantile_draw(draws, 0.5 - half), quantile_draw(draws, 0.5 + half)
    return (high - low) / 2.0 if np.isfinite(low) else np.inf


def finite(number: float) -> float | None:
    """Return a number; None for infinity."""
    return number if math.isfinite(number) else None


def worst_tenth(draws: Draws, *, structures: int = 1) -> tuple[float, float]:
    """Return the mean of the worst tenth of the draws, the conditional value at risk, and its standard error.

    With q the tenth-quantile, the mean of the worst tenth is the mean over draws of q - max(q - x, 0) / 0.1
    (Rockafellar & Uryasev 2000, "Optimization of conditional value-at-risk"). Its error is that of this mean: at the
    quantile its slope in q is zero, so that uncertainty of q adds nothing to first order.
    """
    edge = np.sort(draws)[len(draws) // 10]
    parts = edge - np.maximum(edge - draws, 0.0) / _WORST
    return float(parts.mean()), standard_error(parts, structures)


def investment(
    flows: Flows,
    weights: Draws,
    economics: Economics,
    *,
    retained: Mapping[str, Draws],
    retained_rule: Literal["excluded", "included"],
    titles: Mapping[str, str],
    customers: int,
    days: Draws,
    structures: int,
) -> pl.DataFrame:
    """Return how every strategy does as an investment, one row each.

    Costs are the mean present value of the investment, and benefits are mean NPV plus costs. Internal rates and the
    most that is ever out, `peak_funding`, are those of mean undiscounted cash, which flows on `days`; the discounted
    payback, counted as in `payback_months`, is that of mean discounted cash. Shares of draws above the hurdle, and the
    risk-adjusted return, are null where nothing is spent in some draw, as ROI is. `retained` is, per strategy and draw,
    the present value of what customers bring after the horizon beyond the baseline.
    """
    hurdle = value_of(economics.roi_hurdle)
    rows = []
    for strategy, cash, npv, investment in _by_strategy(flows, weights):
        spends = (investment > 0.0).all()
        cvar, cvar_error = worst_tenth(npv, structures=structures)
        adjusted = _risk_adjusted(npv.mean(), investment.mean(), economics)
        rows.append(
            {
                "strategy": strategy,
                "title": titles[strategy],
                **_quantiles(npv, npv_low_80=_LOW_80, npv_high_80=_HIGH_80),
                "cvar": cvar,
                "cvar_mc_error": cvar_error,
                "hurdle": hurdle,
                "prob_above_hurdle": (npv > hurdle * investment).mean() if spends else None,
                **_of_mean_cash(cash, weights, days, economics.annual_discount_rate.value),
                "npv_per_customer": npv.mean() / customers,
                "after_horizon": retained[strategy].mean(),
                **_quantiles(retained[strategy], after_horizon_low=LOW, after_horizon_high=HIGH),
                **adjusted,
                "risk_adjusted_roi": adjusted["risk_adjusted_roi"] if spends else None,
                "after_horizon_rule": retained_rule,
            }
        )
    return table_of(rows, INVESTMENT)


def _of_mean_cash(monthly: Draws, weights: Draws, days: Draws, rate: float) -> dict[str, object]:
    mean, discounted = monthly.mean(axis=0), (monthly * weights).mean(axis=0)
    irr, remark = internal_rate(mean, days)
    return {
        "discounted_payback_months": finite(float(payback_months(discounted[None, :])[0])),
        "irr": irr,
        "irr_remark": remark,
        "mirr": modified_internal_rate(mean, days, finance_rate=rate, reinvestment_rate=rate),
        "peak_funding": max(-float(mean.cumsum().round(6).min()), 0.0),
    }


def _risk_adjusted(npv: float, costs: float, economics: Economics) -> dict[str, float | None]:
    """Return benefits * (1 - haircut) - costs * (1 + uplift), and what it is made of.

    What is bad already must not become better by caution: benefits below zero are multiplied by 1 + haircut instead,
    and costs below zero, which are savings, by 1 - uplift, never less than nothing.
    """
    haircut, uplift = value_of(economics.benefit_haircut), value_of(economics.cost_uplift)
    benefits = npv + costs
    raised = 1.0 + uplift if costs >= 0.0 else max(1.0 - uplift, 0.0)
    adjusted = benefits * (1.0 - (haircut if benefits >= 0.0 else -haircut)) - costs * raised
    return {
        "benefits_pv": benefits,
        "costs_pv": costs,
        "benefit_haircut": haircut,
        "cost_uplift": uplift,
        "risk_adjusted_npv": adjusted,
        "risk_adjusted_roi": adjusted / (costs * raised) if costs > 0.0 else None,
    }


def internal_rate(amounts: Draws, days: Draws) -> tuple[float | None, str]:
    """Return the rate at which dated cash flows have a present value of zero, if one counts, and a remark.

    Effective per year. Zeros of f(r) = sum of amount * (1 + r) ** (-day / 365.25), all of which are found. The rate is
    the only zero above -90 % a year, and the remark names those below; where none is above, it is the only one of all.
    Amounts are taken to a millionth, as in the ledger, so that the last digit of a sum is no change of sign.
    """
    flowing, years = _in_order(amounts, days)
    lacking = _lacking(flowing)
    if lacking:
        return None, lacking
    crossings, touches = _zeros(flowing, years)
    zeros = sorted([*crossings, *touches])
    above = [zero for zero in zeros if zero > math.log1p(_DOUBTED)]
    counting = above or zeros
    if not counting:
        return None, f"no rate: the present value is {'above' if flowing.sum() > 0.0 else 'below'} zero at every rate"
    if len(counting) > 1:
        return None, f"several rates possible: {_listed(counting)}"
    if counting[0] in touches:
        return None, "no single rate: the present value touches zero without crossing it"
    if not math.log1p(_LOWEST) <= counting[0] <= math.log1p(_HIGHEST):
        return None, f"{_named(counting[0])} a year, which is not informative"
    return math.expm1(counting[0]), _single(flowing, zeros[: len(zeros) - len(counting)])


def modified_internal_rate(
    amounts: Draws, days: Draws, *, finance_rate: float, reinvestment_rate: float
) -> float | None:
    """Return what cash flows earn if income is invested again at one rate, and cost is paid for at another.

    (value of all income on the last day / value of all cost on the first day) ** (365.25 / days between) - 1.
    """
    flowing, years = _in_order(amounts, days)
    if _lacking(flowing) or days.min() == days.max():
        return None
    length = float(days.max() - days.min()) / DAYS_PER_YEAR
    first, last = float(days.min()) / DAYS_PER_YEAR, float(days.max()) / DAYS_PER_YEAR
    paid = math.fsum(-np.minimum(flowing, 0.0) * (1.0 + finance_rate) ** (first - years))
    earned = math.fsum(np.maximum(flowing, 0.0) * (1.0 + reinvestment_rate) ** (last - years))
    return math.expm1(math.log(earned / paid) / length)


def _in_order(amounts: Draws, days: Draws) -> tuple[Draws, Draws]:
    """Return the amounts other than zero by day, one for each, and their days in years."""
    distinct, place = np.unique(days, return_inverse=True)
    sums = np.bincount(place, weights=amounts, minlength=len(distinct)).round(6)
    return sums[sums != 0.0], distinct[sums != 0.0] / DAYS_PER_YEAR


def _lacking(flowing: Draws) -> str:
    if not len(flowing):
        return "no cash flows"
    if (flowing > 0.0).all():
        return "no outflow: cash is never negative, so no investment can earn a rate"
    if (flowing < 0.0).all():
        return "no positive cash flow"
    return ""


def _scaled(flowing: Draws, years: Draws) -> Callable[[float], float]:
    """Return present value as a function of ln(1 + rate), over that of all amounts taken as positive."""

    def present_value(force: float) -> float:
        powers = -force * years
        factors = np.exp(powers - powers.max())
        return float(flowing @ factors / (np.abs(flowing) @ factors))

    return present_value


def _zeros(flowing: Draws, years: Draws) -> tuple[list[float], list[float]]:
    """Return all ln(1 + rate) at which present value crosses zero, and those at which it touches it.

    f times (1 + r) ** (first day) has a derivative with one term less, and between two neighbouring zeros of that it
    rises or falls, so that it crosses zero once at most (Rolle). The zeros of what has one change of sign, of which
    there is one (Descartes; for powers that are no whole numbers Laguerre 1883), lead to those of all amounts.
    """
    terms = [flowing]
    while (np.diff(np.sign(terms[-1])) != 0.0).sum() > 1:
        gaps = years[len(terms) :] - years[len(terms) - 1]
        slopes = terms[-1][1:] * gaps
        terms.append(slopes / np.abs(slopes).max())
    crossings: list[float] = []
    touches: list[float] = []
    for first in reversed(range(len(terms))):
        present_value = _scaled(terms[first], years[first:])
        crossings, touches = _between(present_value, terms[first], sorted([*crossings, *touches]))
    return crossings, touches


def _between(
    present_value: Callable[[float], float], amounts: Draws, turns: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return where present value, which turns at certain places only, crosses zero, and where it touches it."""
    signs = [_sign(present_value(turn)) for turn in turns]
    # Late amounts decide at low rates, early ones at high rates.
    places = [(-math.inf, float(np.sign(amounts[-1]))), *zip(turns, signs, strict=True)]
    places.append((math.inf, float(np.sign(amounts[0]))))
    known = [place for place in places if place[1] != 0.0]
    crossings, touches = [], []
    for (low, before), (high, after) in pairwise(known):
        flat = [turn for turn, sign in zip(turns, signs, strict=True) if sign == 0.0 and low < turn < high]
        if before != after:
            crossings.append(flat[0] if flat else _crossing(present_value, low, high, after))
        elif flat:
            touches.append(flat[0])
    return crossings, touches


def _sign(value: float) -> float:
    return 0.0 if abs(value) <= _ZERO else math.copysign(1.0, value)


def _crossing(present_value: Callable[[float], float], low: float, high: float, after: float) -> float:
    """Return the one zero between two places, of which either may be infinite; `after` is the sign beyond it."""
    step = 1.0
    if low == -math.inf:
        low = (high if high < math.inf else 0.0) - step
        while _sign(present_value(low)) != -after:
            low, step = low - step, 2.0 * step
    step = 1.0
    if high == math.inf:
        high = low + step
        while _sign(present_value(high)) != after:
            high, step = high + step, 2.0 * step
    return float(scipy.optimize.brentq(present_value, low, high, xtol=1e-14))


def _single(flowing: Draws, below: Sequence[float]) -> str:
    """Return the remark on a rate that counts, with the zeros below it that do not."""
    remark = "one rate"
    turns = int((np.diff(np.sign(flowing)) != 0.0).sum())
    if flowing[0] > 0.0:
        remark = "one rate, as for a loan: cash comes in first and goes out later, so NPV is positive above this rate"
    elif below:
        remark = f"one rate above {figure(100.0 * _DOUBTED)}{NBSP}% a year"
    elif turns > 1:
        remark = f"one rate, although cash changes sign {figure(turns)} times"
    return f"{remark}; roots below it are left aside: {_listed(below)}" if below else remark


def _listed(zeros: Sequence[float]) -> str:
    names = list(dict.fromkeys(map(_named, zeros)))
    more = len(names) > _LISTED or len(names) < 2 <= len(zeros)
    return joined([*names[:_LISTED], "others"] if more else names)


def _named(zero: float) -> str:
    if zero > math.log1p(_HIGHEST):
        return f"more than {figure(1e6)}{NBSP}%"
    if zero < math.log1p(_LOWEST):
        return f"below {figure(-99.99, '.2f')}{NBSP}%"
    return f"{figure(100.0 * math.expm1(zero), ',.1f')}{NBSP}%"
