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
