"""What is decided and on what ground: contracts of decisions, portfolios, metrics, register and checklist."""

from __future__ import annotations

import polars as pl

from cxsim.tables import Contract, Kind

_TEXT: tuple[Kind, ...] = (pl.String,)
_COUNT: tuple[Kind, ...] = (pl.Int64,)
_REAL: tuple[Kind, ...] = (pl.Float64,)
_DAY: tuple[Kind, ...] = (pl.Date,)
_FLAG: tuple[Kind, ...] = (pl.Boolean,)

# As in `cxsim.tables`: money in units of the currency, shares 0 to 1, `low` and `high` the 5 % and 95 % quantiles over
# draws. An assumption's `id` is that of ASSUMPTIONS; `npv` is always incremental.

# The decision per strategy, and one row for the best portfolio (strategy `portfolio`). changer_*: the assumption whose
# break-even is the most plausible, its value now and the value that would change the decision; null where none is
# within reach.
DECISION = Contract(
    name="DECISION",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "decision": _TEXT,
        "rule": _TEXT,
        "outlay": _REAL,
        "npv": _REAL,
        "npv_mc_error": _REAL,
        "low_80": _REAL,
        "high_80": _REAL,
        "low": _REAL,
        "high": _REAL,
        "prob_npv_positive": _REAL,
        "prob_mc_error": _REAL,
        "roi": _REAL,
        "payback_months": _REAL,
        "payback_months_late": _REAL,
        "changer_id": _TEXT,
        "changer": _TEXT,
        "changer_unit": _TEXT,
        "changer_value": _REAL,
        "changer_break_even": _REAL,
        "changer_score": _REAL,
        "customers": _COUNT,
        "draws": _COUNT,
        # Ends of what is believed of the changer, its 5 % and 95 % quantiles; and the NPV of the base case in which it
        # was moved, whose sign says on which side of the break-even the strategy pays.
        "changer_low": _REAL,
        "changer_high": _REAL,
        "base_npv": _REAL,
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
        "name": _TEXT,
        "title": _TEXT,
        "members": _TEXT,
        "outlay": _REAL,
        "npv": _REAL,
        "npv_mc_error": _REAL,
        "low": _REAL,
        "high": _REAL,
        "low_80": _REAL,
        "high_80": _REAL,
        "prob_npv_positive": _REAL,
        "prob_mc_error": _REAL,
        "cvar": _REAL,
        "roi": _REAL,
        "payback_months": _REAL,
        "payback_months_late": _REAL,
        "interaction": _REAL,
        "gap": _REAL,
        "gap_mc_error": _REAL,
        "efficient": _FLAG,
        "affordable": _FLAG,
        "chosen": _FLAG,
        "draws": _COUNT,
        "place": _COUNT,
    },
    nullable=frozenset({"roi", "payback_months", "payback_months_late", "place"}),
)
# What customer-experience figures do with the strategy and without it: means over draws, with the interval of the
# difference. direction: `up` or `down` is better, or `none`.
KPIS = Contract(
    name="KPIS",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "kpi": _TEXT,
        "label": _TEXT,
        "definition": _TEXT,
        "unit": _TEXT,
        "direction": _TEXT,
        "baseline": _REAL,
        "treated": _REAL,
        "difference": _REAL,
        "low": _REAL,
        "high": _REAL,
    },
)
# ASSUMPTIONS with who answers for each number, since when, and how much depends on it: rank 1 moves the NPV most.
REGISTER = Contract(
    name="REGISTER",
    columns={
        "id": _TEXT,
        "belongs_to": _TEXT,
        "description": _TEXT,
        "unit": _TEXT,
        "value": _REAL,
        "low": _REAL,
        "high": _REAL,
        "distribution": _TEXT,
        "owner": _TEXT,
        "evidence": _TEXT,
        "grade": _TEXT,
        "source": _TEXT,
        "reviewed_on": _DAY,
        "swing": _REAL,
        "rank": _COUNT,
        # The most that knowing it would be worth for any single decision.
        "worth": _REAL,
    },
    nullable=frozenset({"source", "grade", "owner", "reviewed_on", "swing", "rank", "worth"}),
)
# What a reader of an economic evaluation should find, and where it is here. state: `yes`, `partly`, `no`.
CHECKLIST = Contract(
    name="CHECKLIST",
    columns={
        "number": _COUNT,
        "topic": _TEXT,
        "item": _TEXT,
        "state": _TEXT,
        "answer": _TEXT,
        "where": _TEXT,
    },
)
