"""The contracts of what is measured in a shop: dashboard, series, cohorts, associations and doses.

Intervals are 95 %, from `low` to `high`, over which customers there happen to be. What cannot be said is null.
"""

from __future__ import annotations

import polars as pl

from cxsim.tables import Contract, Kind

_TEXT: tuple[Kind, ...] = (pl.String,)
_WHEN: tuple[Kind, ...] = (pl.Datetime,)
_COUNT: tuple[Kind, ...] = (pl.Int64,)
_REAL: tuple[Kind, ...] = (pl.Float64,)
_YES: tuple[Kind, ...] = (pl.Boolean,)

# One row per metric of the catalogue, in its order. unit: share, money, score, hours, days, ratio, months. direction:
# higher, lower or neither is better. previous: the value of the period before; change: value less previous. units: the
# independent units behind the value. alert: above or below, where the value lies outside its usual range. missing: why
# it is not measured.
DASHBOARD = Contract(
    name="DASHBOARD",
    columns={
        "metric": _TEXT,
        "title": _TEXT,
        "family": _TEXT,
        "unit": _TEXT,
        "direction": _TEXT,
        "period_start": _WHEN,
        "period_end": _WHEN,
        "value": _REAL,
        "low": _REAL,
        "high": _REAL,
        "previous": _REAL,
        "change": _REAL,
        "change_low": _REAL,
        "change_high": _REAL,
        "units": _COUNT,
        "method": _TEXT,
        "caution": _TEXT,
        "alert": _TEXT,
        "missing": _TEXT,
    },
    nullable=frozenset(
        {"value", "low", "high", "previous", "change", "change_low", "change_high", "units", "alert", "missing"}
    ),
)
# One row per metric and complete period, by time; usual_low to usual_high: where it lies by the periods before it.
SERIES = Contract(
    name="SERIES",
    columns={
        "metric": _TEXT,
        "title": _TEXT,
        "unit": _TEXT,
        "period_start": _WHEN,
        "period_end": _WHEN,
        "value": _REAL,
        "low": _REAL,
        "high": _REAL,
        "usual_low": _REAL,
        "usual_high": _REAL,
        "alert": _TEXT,
    },
    nullable=frozenset({"value", "low", "high", "usual_low", "usual_high", "alert"}),
)
# One row per cohort, measure and age. cohort: `2024-03`, `2024-W09`, or a value of the dimension. age: number of the
# period since the first order, from 0. customers: of the cohort; at_risk: those whose age had ended at the end of
# observation, over whom the value is taken; it is null where they are too few. complete: whether all of the cohort are,
# and nobody can join it any more. caution: what to know of the cohort; empty where there is nothing.
COHORTS = Contract(
    name="COHORTS",
    columns={
        "cohort": _TEXT,
        "measure": _TEXT,
        "age": _COUNT,
        "customers": _COUNT,
        "at_risk": _COUNT,
        "value": _REAL,
        "low": _REAL,
        "high": _REAL,
        "complete": _YES,
        "caution": _TEXT,
    },
    nullable=frozenset({"value", "low", "high"}),
)
# Spend per customer by what they last answered. orders: `all`, or how many orders they placed, the last class open
# (`9+`); group: promoters, passives or detractors; low to high: 95 % interval of the mean.
WORTH_BY_NPS = Contract(
    name="WORTH_BY_NPS",
    columns={"orders": _TEXT, "group": _TEXT, "customers": _COUNT, "mean": _REAL, "low": _REAL, "high": _REAL},
)
# Promoters against detractors by several methods, each a ratio. label: association or effect.
SELECTION = Contract(
    name="SELECTION",
    columns={
        "method": _TEXT,
        "title": _TEXT,
        "ratio": _REAL,
        "low": _REAL,
        "high": _REAL,
        "customers": _COUNT,
        "label": _TEXT,
        "finding": _TEXT,
    },
)
# How an experience goes with what customers do later: `ratio` of the outcome for one unit more of the exposure.
# before: the same ratio for what they did before it, which nothing that came later can have caused. clear: whether it
# remains when all comparisons of the table are taken into account. label: association or effect.
ASSOCIATIONS = Contract(
    name="ASSOCIATIONS",
    columns={
        "exposure": _TEXT,
        "outcome": _TEXT,
        "title": _TEXT,
        "model": _TEXT,
        "ratio": _REAL,
        "low": _REAL,
        "high": _REAL,
        "before": _REAL,
        "before_low": _REAL,
        "before_high": _REAL,
        "customers": _COUNT,
        "clear": _YES,
        "label": _TEXT,
        "finding": _TEXT,
    },
    nullable=frozenset({"before", "before_low", "before_high"}),
)
# What customers do later by how much of something they met: dose_low <= dose < dose_high.
DOSES = Contract(
    name="DOSES",
    columns={
        "exposure": _TEXT,
        "unit": _TEXT,
        "dose_low": _REAL,
        "dose_high": _REAL,
        "dose": _REAL,
        "outcome": _TEXT,
        "value": _REAL,
        "low": _REAL,
        "high": _REAL,
        "customers": _COUNT,
    },
    nullable=frozenset({"value", "low", "high"}),
)
# What a customer is worth, step by step from the product of averages to the model. low, high: 90 % interval of the
# model's mean, by what is not known of its parameters and by luck; null where a step has none.
CLV_STEPS = Contract(
    name="CLV_STEPS",
    columns={"step": _TEXT, "value": _REAL, "low": _REAL, "high": _REAL, "why": _TEXT},
    nullable=frozenset({"low", "high"}),
)
