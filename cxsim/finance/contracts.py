"""What a strategy earns and owes: contracts of investment figures, statements, cohorts, cash and liabilities."""

from __future__ import annotations

import polars as pl

from cxsim.tables import Contract, Kind

_TEXT: tuple[Kind, ...] = (pl.String,)
_REAL: tuple[Kind, ...] = (pl.Float64,)
_DAY: tuple[Kind, ...] = (pl.Date,)
_SHORT: tuple[Kind, ...] = (pl.Int32,)

# As in `cxsim.tables`: money in units of the currency, shares 0 to 1, `low` and `high` the 5 % and 95 % quantiles over
# draws. An assumption's `id` is that of ASSUMPTIONS; `npv` is always incremental.

# One row per strategy, beside RETURNS. npv_low_80, npv_high_80: 10 % and 90 % quantiles. cvar: mean NPV of the worst
# tenth of the draws. hurdle: the ROI that the shop asks for; prob_above_hurdle: share of draws whose ROI is above it.
# irr, mirr: effective per year, of the mean cash; irr null where there is none or more than one, and irr_remark says
# so. peak_funding: the most that cumulative mean cash is ever below zero, a positive amount. profitability_index: PV of
# all that comes after the peak-funding money over that money. risk_adjusted_*: with benefits cut by benefit_haircut and
# costs raised by cost_uplift, both shares.
INVESTMENT = Contract(
    name="INVESTMENT",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "npv_low_80": _REAL,
        "npv_high_80": _REAL,
        "cvar": _REAL,
        "cvar_mc_error": _REAL,
        "hurdle": _REAL,
        "prob_above_hurdle": _REAL,
        "discounted_payback_months": _REAL,
        "irr": _REAL,
        "irr_remark": _TEXT,
        "mirr": _REAL,
        "profitability_index": _REAL,
        "peak_funding": _REAL,
        "npv_per_customer": _REAL,
        "benefits_pv": _REAL,
        "costs_pv": _REAL,
        "benefit_haircut": _REAL,
        "cost_uplift": _REAL,
        "risk_adjusted_npv": _REAL,
        "risk_adjusted_roi": _REAL,
    },
    nullable=frozenset(
        {
            "prob_above_hurdle",
            "discounted_payback_months",
            "irr",
            "mirr",
            "profitability_index",
            "risk_adjusted_roi",
        }
    ),
)
# The statement by month, quarter, year and in total. discounted: mean present value of the increment; cumulative and
# cumulative_discounted: sums of the increment since the start, within a strategy, grain and line. day: of a month, on
# which day from the start its cash flows; null in other grains.
PERIODS = Contract(
    name="PERIODS",
    columns={
        "strategy": _TEXT,
        "grain": _TEXT,
        "period": _SHORT,
        "label": _TEXT,
        "starts_on": _DAY,
        "line": _TEXT,
        "baseline": _REAL,
        "treated": _REAL,
        "incremental": _REAL,
        "low": _REAL,
        "high": _REAL,
        "discounted": _REAL,
        "cumulative": _REAL,
        "cumulative_discounted": _REAL,
        "day": _REAL,
        "title": _TEXT,
    },
    nullable=frozenset({"day"}),
)
GRAINS = ("month", "quarter", "year", "total")
# One row per strategy, cohort of customers and line of the ladder, over the whole horizon; customers in the baseline.
COHORT_MONEY = Contract(
    name="COHORT_MONEY",
    columns={
        "strategy": _TEXT,
        "cohort": _TEXT,
        "customers": _REAL,
        "line": _TEXT,
        "baseline": _REAL,
        "treated": _REAL,
        "incremental": _REAL,
        "low": _REAL,
        "high": _REAL,
        "title": _TEXT,
    },
)
# Cumulative incremental cash, not discounted: quantiles over draws at the end of each month.
FAN = Contract(
    name="FAN",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "month": _SHORT,
        "ends_on": _DAY,
        "mean": _REAL,
        "q05": _REAL,
        "q10": _REAL,
        "q25": _REAL,
        "q50": _REAL,
        "q75": _REAL,
        "q90": _REAL,
        "q95": _REAL,
    },
)
# What the shop owes its customers, by year: points or prepaid fees. Mean over draws; closing = opening + issued -
# redeemed - expired. In money at fair value; points are counted in points as well (null for fees). contract_*: the
# contract liability of IFRS 15, with expected breakage taken out. kind: `points` or `fees`; period as in TOTALS.
# cash_revenue: what members pay for orders, less refunds, or the fees; accrual_revenue: the same less what is deferred,
# plus what is recognised.
LIABILITIES = Contract(
    name="LIABILITIES",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "kind": _TEXT,
        "period": _TEXT,
        "opening": _REAL,
        "issued": _REAL,
        "redeemed": _REAL,
        "expired": _REAL,
        "closing": _REAL,
        "points_issued": _REAL,
        "points_redeemed": _REAL,
        "points_expired": _REAL,
        "points_outstanding": _REAL,
        "contract_opening": _REAL,
        "contract_deferred": _REAL,
        "contract_recognised": _REAL,
        "contract_closing": _REAL,
        "cash_revenue": _REAL,
        "accrual_revenue": _REAL,
    },
    nullable=frozenset({"points_issued", "points_redeemed", "points_expired", "points_outstanding"}),
)
