"""What is not known, what knowing it is worth, and the test that tells: contracts."""

from __future__ import annotations

import polars as pl

from cxsim.tables import Contract, Kind

_TEXT: tuple[Kind, ...] = (pl.String,)
_COUNT: tuple[Kind, ...] = (pl.Int64,)
_REAL: tuple[Kind, ...] = (pl.Float64,)
_FLAG: tuple[Kind, ...] = (pl.Boolean,)

# As in `cxsim.tables`: money in units of the currency, shares 0 to 1, `low` and `high` the 5 % and 95 % quantiles over
# draws. An assumption's `id` is that of ASSUMPTIONS; `npv` is always incremental.

# How much of the variance of the NPV is the work of which ignorance: `models` (fitted parameters), `effects`,
# `economics`, `structure`, `luck` (which customers there happen to be), `together` (what only shows in combination).
# sd is the standard deviation that this part alone would leave.
SPLIT = Contract(
    name="SPLIT",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "part": _TEXT,
        "share": _REAL,
        "mc_error": _REAL,
        "sd": _REAL,
    },
)
# What it would be worth to know an assumption (or all of a group, or everything: `everything`) before deciding.
# decision: a strategy, for funding it or not, or `portfolio`, for choosing among doing nothing and all arms. rank: of
# single numbers, from 1; 0 for `everything` and groups.
INFORMATION = Contract(
    name="INFORMATION",
    columns={
        "decision": _TEXT,
        "title": _TEXT,
        "id": _TEXT,
        "description": _TEXT,
        "worth": _REAL,
        "mc_error": _REAL,
        "share_of_everything": _REAL,
        "rank": _COUNT,
    },
    nullable=frozenset({"share_of_everything"}),
)
# The test that would tell whether a strategy pays: customers of both groups who must be watched for `watched_days`, so
# that a true gain per customer of `difference` is seen. available: customers whom the strategy may reach within the
# horizon's first year; weeks: from the first customer to the decision; null where too few come. worth: EVPPI of what
# the test would teach. One row for each length of watching; chosen: the shortest in which the test is feasible, else
# the one that needs the fewest customers.
TEST_PLAN = Contract(
    name="TEST_PLAN",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "id": _TEXT,
        "description": _TEXT,
        "outcome": _TEXT,
        "watched_days": _COUNT,
        "mean": _REAL,
        "sd": _REAL,
        "difference": _REAL,
        "alpha": _REAL,
        "power": _REAL,
        "per_group": _COUNT,
        "available": _COUNT,
        "weeks": _REAL,
        "worth": _REAL,
        "verdict": _TEXT,
        "chosen": _FLAG,
    },
    nullable=frozenset({"weeks"}),
)


_SENSITIVITY_TEXT: tuple[Kind, ...] = (pl.String,)
_SENSITIVITY_COUNT: tuple[Kind, ...] = (pl.Int64,)
_SENSITIVITY_REAL: tuple[Kind, ...] = (pl.Float64,)
_SHORT: tuple[Kind, ...] = (pl.Int32,)

# As in `cxsim.tables`: money in units of the currency, shares 0 to 1, `low` and `high` the 5 % and 95 % quantiles over
# draws. An assumption's `id` is that of ASSUMPTIONS; `npv` is always incremental.

# The base case: every assumption at its central value, the models at their estimates, a few worlds of luck (worlds).
# mean: the mean over all draws, which the decision rests on.
BASE_CASE = Contract(
    name="BASE_CASE",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "title": _SENSITIVITY_TEXT,
        "npv": _SENSITIVITY_REAL,
        "mc_error": _SENSITIVITY_REAL,
        "mean": _SENSITIVITY_REAL,
        "worlds": _SENSITIVITY_COUNT,
    },
)
# One assumption moved from its 10 % to its 90 % quantile, all others at their central value. npv_base: with this one
# at its central value too. method: `played` again, or `booked` again where it is a price and changes no behaviour.
TORNADO = Contract(
    name="TORNADO",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "title": _SENSITIVITY_TEXT,
        "id": _SENSITIVITY_TEXT,
        "belongs_to": _SENSITIVITY_TEXT,
        "description": _SENSITIVITY_TEXT,
        "unit": _SENSITIVITY_TEXT,
        "value": _SENSITIVITY_REAL,
        "at_low": _SENSITIVITY_REAL,
        "at_high": _SENSITIVITY_REAL,
        "npv_base": _SENSITIVITY_REAL,
        "npv_at_low": _SENSITIVITY_REAL,
        "npv_at_high": _SENSITIVITY_REAL,
        "swing": _SENSITIVITY_REAL,
        "mc_error": _SENSITIVITY_REAL,
        "method": _SENSITIVITY_TEXT,
        "rank": _SENSITIVITY_COUNT,
    },
)
# The value of one assumption at which the base case's NPV is zero; null where it is zero nowhere between low and high,
# the ends of what was searched (the 1 % and 99 % quantiles of what is believed). score: how far the break-even is from
# the central value, in standard deviations of what is believed; tries: how often the strategy was played for it.
BREAK_EVENS = Contract(
    name="BREAK_EVENS",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "title": _SENSITIVITY_TEXT,
        "id": _SENSITIVITY_TEXT,
        "belongs_to": _SENSITIVITY_TEXT,
        "description": _SENSITIVITY_TEXT,
        "unit": _SENSITIVITY_TEXT,
        "value": _SENSITIVITY_REAL,
        "low": _SENSITIVITY_REAL,
        "high": _SENSITIVITY_REAL,
        "break_even": _SENSITIVITY_REAL,
        "score": _SENSITIVITY_REAL,
        "mc_error": _SENSITIVITY_REAL,
        "tries": _SENSITIVITY_COUNT,
        "method": _SENSITIVITY_TEXT,
        # NPV of the base case, at the value.
        "npv": _SENSITIVITY_REAL,
    },
    nullable=frozenset({"break_even", "score"}),
)
# What a strategy's base case brings at each node of a grid of two of its own numbers, month by month, taken apart so
# that it can be booked again with another margin, discount rate, horizon and cost: cash of a month is
# rest + gross_margin * per_margin + cost_factor * programme; a horizon that ends with this month settles `settled` as
# well (points still outstanding, negative, and working capital, which is multiplied by cost_factor like programme:
# settled_programme). day: when the month's cash flows, in days from the start. x_id or y_id is empty where the strategy
# has no such number, and x or y is then 0.
GRID = Contract(
    name="GRID",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "title": _SENSITIVITY_TEXT,
        "x_id": _SENSITIVITY_TEXT,
        "x_description": _SENSITIVITY_TEXT,
        "x_unit": _SENSITIVITY_TEXT,
        "y_id": _SENSITIVITY_TEXT,
        "y_description": _SENSITIVITY_TEXT,
        "y_unit": _SENSITIVITY_TEXT,
        "x": _SENSITIVITY_REAL,
        "y": _SENSITIVITY_REAL,
        "month": _SHORT,
        "day": _SENSITIVITY_REAL,
        "rest": _SENSITIVITY_REAL,
        "per_margin": _SENSITIVITY_REAL,
        "programme": _SENSITIVITY_REAL,
        "settled": _SENSITIVITY_REAL,
        "settled_programme": _SENSITIVITY_REAL,
    },
)
# What the sliders start from and how far they go, and the heat map's place.
GRID_CENTRE = Contract(
    name="GRID_CENTRE",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "x": _SENSITIVITY_REAL,
        "y": _SENSITIVITY_REAL,
        "gross_margin": _SENSITIVITY_REAL,
        "margin_low": _SENSITIVITY_REAL,
        "margin_high": _SENSITIVITY_REAL,
        "annual_discount_rate": _SENSITIVITY_REAL,
        "horizon_months": _SENSITIVITY_COUNT,
        "npv": _SENSITIVITY_REAL,
    },
)
# NPV at each node of the same grid, everything else at its central value.
HEAT = Contract(
    name="HEAT",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "title": _SENSITIVITY_TEXT,
        "x_id": _SENSITIVITY_TEXT,
        "x_description": _SENSITIVITY_TEXT,
        "x_unit": _SENSITIVITY_TEXT,
        "y_id": _SENSITIVITY_TEXT,
        "y_description": _SENSITIVITY_TEXT,
        "y_unit": _SENSITIVITY_TEXT,
        "x": _SENSITIVITY_REAL,
        "y": _SENSITIVITY_REAL,
        "npv": _SENSITIVITY_REAL,
    },
)
# NPV over all draws at other discount rates and shorter horizons; points still outstanding at the end are settled.
RATES = Contract(
    name="RATES",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "title": _SENSITIVITY_TEXT,
        "annual_discount_rate": _SENSITIVITY_REAL,
        "horizon_months": _SENSITIVITY_COUNT,
        "npv": _SENSITIVITY_REAL,
        "low": _SENSITIVITY_REAL,
        "high": _SENSITIVITY_REAL,
        "prob_npv_positive": _SENSITIVITY_REAL,
    },
)
# The base case's NPV by pathway, present values that add up: kind is `gives` or `takes` (a pathway's or an account's
# part), `base` (their sum), `uncertainty` (the mean over all draws less the base case) or `mean` (the sum of both).
PATHWAYS = Contract(
    name="PATHWAYS",
    columns={
        "strategy": _SENSITIVITY_TEXT,
        "title": _SENSITIVITY_TEXT,
        "step": _SENSITIVITY_COUNT,
        "pathway": _SENSITIVITY_TEXT,
        "label": _SENSITIVITY_TEXT,
        "kind": _SENSITIVITY_TEXT,
        "amount": _SENSITIVITY_REAL,
        "mc_error": _SENSITIVITY_REAL,
    },
)


_VERDICT_TEXT: tuple[Kind, ...] = (pl.String,)
_VERDICT_COUNT: tuple[Kind, ...] = (pl.Int64,)
_VERDICT_REAL: tuple[Kind, ...] = (pl.Float64,)
_DAY: tuple[Kind, ...] = (pl.Date,)
_VERDICT_FLAG: tuple[Kind, ...] = (pl.Boolean,)

# As in `cxsim.tables`: money in units of the currency, shares 0 to 1, `low` and `high` the 5 % and 95 % quantiles over
# draws. An assumption's `id` is that of ASSUMPTIONS; `npv` is always incremental.

# The decision per strategy, and one row for the best portfolio (strategy `portfolio`). changer_*: the assumption whose
# break-even is the most plausible, its value now and the value that would change the decision; null where none is
# within reach.
DECISION = Contract(
    name="DECISION",
    columns={
        "strategy": _VERDICT_TEXT,
        "title": _VERDICT_TEXT,
        "decision": _VERDICT_TEXT,
        "rule": _VERDICT_TEXT,
        "outlay": _VERDICT_REAL,
        "npv": _VERDICT_REAL,
        "npv_mc_error": _VERDICT_REAL,
        "low_80": _VERDICT_REAL,
        "high_80": _VERDICT_REAL,
        "low": _VERDICT_REAL,
        "high": _VERDICT_REAL,
        "prob_npv_positive": _VERDICT_REAL,
        "prob_mc_error": _VERDICT_REAL,
        "roi": _VERDICT_REAL,
        "payback_months": _VERDICT_REAL,
        "payback_months_late": _VERDICT_REAL,
        "changer_id": _VERDICT_TEXT,
        "changer": _VERDICT_TEXT,
        "changer_unit": _VERDICT_TEXT,
        "changer_value": _VERDICT_REAL,
        "changer_break_even": _VERDICT_REAL,
        "changer_score": _VERDICT_REAL,
        "customers": _VERDICT_COUNT,
        "draws": _VERDICT_COUNT,
        # Ends of what is believed of the changer, its 5 % and 95 % quantiles; and the NPV of the base case in which it
        # was moved, whose sign says on which side of the break-even the strategy pays.
        "changer_low": _VERDICT_REAL,
        "changer_high": _VERDICT_REAL,
        "base_npv": _VERDICT_REAL,
    },
    nullable=frozenset(
        {
            "changer_low",
            "changer_high",
            "base_npv",
            "roi",
            "payback_months",
            "payback_months_late",
            "changer_id",
            "changer",
            "changer_unit",
            "changer_value",
            "changer_break_even",
            "changer_score",
        }
    ),
)
# One row per set of strategies that was simulated together; `nothing` is the empty set. outlay: present value, mean.
# interaction: NPV less the sum of the parts' NPVs in the same draws. gap: NPV of the best set less this one's, in the
# same draws, with its error. efficient: no other set has both a higher NPV and a higher cvar. chosen: the best within
# the budget. members are in the order of the scenario; place: of a strategy alone, its place there, from 0 on.
PORTFOLIO = Contract(
    name="PORTFOLIO",
    columns={
        "name": _VERDICT_TEXT,
        "title": _VERDICT_TEXT,
        "members": _VERDICT_TEXT,
        "outlay": _VERDICT_REAL,
        "npv": _VERDICT_REAL,
        "npv_mc_error": _VERDICT_REAL,
        "low": _VERDICT_REAL,
        "high": _VERDICT_REAL,
        "low_80": _VERDICT_REAL,
        "high_80": _VERDICT_REAL,
        "prob_npv_positive": _VERDICT_REAL,
        "prob_mc_error": _VERDICT_REAL,
        "cvar": _VERDICT_REAL,
        "roi": _VERDICT_REAL,
        "payback_months": _VERDICT_REAL,
        "payback_months_late": _VERDICT_REAL,
        "interaction": _VERDICT_REAL,
        "gap": _VERDICT_REAL,
        "gap_mc_error": _VERDICT_REAL,
        "efficient": _VERDICT_FLAG,
        "affordable": _VERDICT_FLAG,
        "chosen": _VERDICT_FLAG,
        "draws": _VERDICT_COUNT,
        "place": _VERDICT_COUNT,
    },
    nullable=frozenset({"roi", "payback_months", "payback_months_late", "place"}),
)
# What customer-experience figures do with the strategy and without it: means over draws, with the interval of the
# difference. direction: `up` or `down` is better, or `none`.
KPIS = Contract(
    name="KPIS",
    columns={
        "strategy": _VERDICT_TEXT,
        "title": _VERDICT_TEXT,
        "kpi": _VERDICT_TEXT,
        "label": _VERDICT_TEXT,
        "definition": _VERDICT_TEXT,
        "unit": _VERDICT_TEXT,
        "direction": _VERDICT_TEXT,
        "baseline": _VERDICT_REAL,
        "treated": _VERDICT_REAL,
        "difference": _VERDICT_REAL,
        "low": _VERDICT_REAL,
        "high": _VERDICT_REAL,
    },
)
# ASSUMPTIONS with who answers for each number, since when, and how much depends on it: rank 1 moves the NPV most.
REGISTER = Contract(
    name="REGISTER",
    columns={
        "id": _VERDICT_TEXT,
        "belongs_to": _VERDICT_TEXT,
        "description": _VERDICT_TEXT,
        "unit": _VERDICT_TEXT,
        "value": _VERDICT_REAL,
        "low": _VERDICT_REAL,
        "high": _VERDICT_REAL,
        "distribution": _VERDICT_TEXT,
        "owner": _VERDICT_TEXT,
        "evidence": _VERDICT_TEXT,
        "grade": _VERDICT_TEXT,
        "source": _VERDICT_TEXT,
        "reviewed_on": _DAY,
        "swing": _VERDICT_REAL,
        "rank": _VERDICT_COUNT,
        # The most that knowing it would be worth for any single decision.
        "worth": _VERDICT_REAL,
    },
    nullable=frozenset({"source", "grade", "owner", "reviewed_on", "swing", "rank", "worth"}),
)
# What a reader of an economic evaluation should find, and where it is here. state: `yes`, `partly`, `no`.
CHECKLIST = Contract(
    name="CHECKLIST",
    columns={
        "number": _VERDICT_COUNT,
        "topic": _VERDICT_TEXT,
        "item": _VERDICT_TEXT,
        "state": _VERDICT_TEXT,
        "answer": _VERDICT_TEXT,
        "where": _VERDICT_TEXT,
    },
)
