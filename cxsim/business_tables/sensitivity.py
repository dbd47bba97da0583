"""What moves the result: contracts of the base case, its sensitivities, its grid and its pathways."""

from __future__ import annotations

import polars as pl

from cxsim.tables import Contract, Kind

_TEXT: tuple[Kind, ...] = (pl.String,)
_COUNT: tuple[Kind, ...] = (pl.Int64,)
_REAL: tuple[Kind, ...] = (pl.Float64,)
_SHORT: tuple[Kind, ...] = (pl.Int32,)

# As in `cxsim.tables`: money in units of the currency, shares 0 to 1, `low` and `high` the 5 % and 95 % quantiles over
# draws. An assumption's `id` is that of ASSUMPTIONS; `npv` is always incremental.

# The base case: every assumption at its central value, the models at their estimates, a few worlds of luck (worlds).
# mean: the mean over all draws, which the decision rests on.
BASE_CASE = Contract(
    name="BASE_CASE",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "npv": _REAL,
        "mc_error": _REAL,
        "mean": _REAL,
        "worlds": _COUNT,
    },
)
# One assumption moved from its 10 % to its 90 % quantile, all others at their central value. npv_base: with this one
# at its central value too. method: `played` again, or `booked` again where it is a price and changes no behaviour.
TORNADO = Contract(
    name="TORNADO",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "id": _TEXT,
        "belongs_to": _TEXT,
        "description": _TEXT,
        "unit": _TEXT,
        "value": _REAL,
        "at_low": _REAL,
        "at_high": _REAL,
        "npv_base": _REAL,
        "npv_at_low": _REAL,
        "npv_at_high": _REAL,
        "swing": _REAL,
        "mc_error": _REAL,
        "method": _TEXT,
        "rank": _COUNT,
    },
)
# The value of one assumption at which the base case's NPV is zero; null where it is zero nowhere between low and high,
# the ends of what was searched (the 1 % and 99 % quantiles of what is believed). score: how far the break-even is from
# the central value, in standard deviations of what is believed; tries: how often the strategy was played for it.
BREAK_EVENS = Contract(
    name="BREAK_EVENS",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "id": _TEXT,
        "belongs_to": _TEXT,
        "description": _TEXT,
        "unit": _TEXT,
        "value": _REAL,
        "low": _REAL,
        "high": _REAL,
        "break_even": _REAL,
        "score": _REAL,
        "mc_error": _REAL,
        "tries": _COUNT,
        "method": _TEXT,
        # NPV of the base case, at the value.
        "npv": _REAL,
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
        "strategy": _TEXT,
        "title": _TEXT,
        "x_id": _TEXT,
        "x_description": _TEXT,
        "x_unit": _TEXT,
        "y_id": _TEXT,
        "y_description": _TEXT,
        "y_unit": _TEXT,
        "x": _REAL,
        "y": _REAL,
        "month": _SHORT,
        "day": _REAL,
        "rest": _REAL,
        "per_margin": _REAL,
        "programme": _REAL,
        "settled": _REAL,
        "settled_programme": _REAL,
    },
)
# What the sliders start from and how far they go, and the heat map's place.
GRID_CENTRE = Contract(
    name="GRID_CENTRE",
    columns={
        "strategy": _TEXT,
        "x": _REAL,
        "y": _REAL,
        "gross_margin": _REAL,
        "margin_low": _REAL,
        "margin_high": _REAL,
        "annual_discount_rate": _REAL,
        "horizon_months": _COUNT,
        "npv": _REAL,
    },
)
# NPV at each node of the same grid, everything else at its central value.
HEAT = Contract(
    name="HEAT",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "x_id": _TEXT,
        "x_description": _TEXT,
        "x_unit": _TEXT,
        "y_id": _TEXT,
        "y_description": _TEXT,
        "y_unit": _TEXT,
        "x": _REAL,
        "y": _REAL,
        "npv": _REAL,
    },
)
# NPV over all draws at other discount rates and shorter horizons; points still outstanding at the end are settled.
RATES = Contract(
    name="RATES",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "annual_discount_rate": _REAL,
        "horizon_months": _COUNT,
        "npv": _REAL,
        "low": _REAL,
        "high": _REAL,
        "prob_npv_positive": _REAL,
    },
)
# The base case's NPV by pathway, present values that add up: kind is `gives` or `takes` (a pathway's or an account's
# part), `base` (their sum), `uncertainty` (the mean over all draws less the base case) or `mean` (the sum of both).
PATHWAYS = Contract(
    name="PATHWAYS",
    columns={
        "strategy": _TEXT,
        "title": _TEXT,
        "step": _COUNT,
        "pathway": _TEXT,
        "label": _TEXT,
        "kind": _TEXT,
        "amount": _REAL,
        "mc_error": _REAL,
    },
)
