"""Flows in; what a finance director asks of each strategy beyond NPV and ROI, out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business_tables import INVESTMENT
from cxsim.errors import ParamError
from cxsim.tables import check
from cxsim.valuation.flows import Flows
from cxsim.valuation.internal_rate import internal_rate, modified_internal_rate
from cxsim.valuation.returns import net_present_value, payback_months
from cxsim.valuation.worst_tenth import worst_tenth

Draws = npt.NDArray[np.float64]
# The central 80 % of the draws.
_LOW, _HIGH = 0.10, 0.90
_KINDS = {name: kinds[0] for name, kinds in INVESTMENT.columns.items()}


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
        {"strategy": name, "title": titles[name], **_row(flows.cash(arm), flows.outlay(arm), weights, asked)}
        for arm, name in enumerate(flows.arms[1:], start=1)
    ]
    return check(pl.DataFrame(rows, schema_overrides=_KINDS, schema=list(_KINDS)), INVESTMENT)


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


def _row(monthly: Draws, spent: Draws, weights: Draws, asked: _Asked) -> dict[str, object]:
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
