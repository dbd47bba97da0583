"""A trial and a forecast in; one row of scores out, and rows of several trials taken together."""

from __future__ import annotations

import polars as pl

from cxsim.appraisal import coverage, ranking, scores
from cxsim.appraisal.trial import Forecast, Interval, Trial
from cxsim.tables import Contract

TOP = 0.1
_INT, _REAL, _TEXT = (pl.Int64,), (pl.Float64,), (pl.String,)
# `model` is for readers, `name` as in fit(model=...). Shares are fractions: orders_bias -0.12 is 12 % too low. *_low
# and *_high end the 90 % interval that the forecast itself gave. total_coverage_* is the share of trials whose total
# lay in its interval. Null: without meaning here.
FORECAST_SCORES = Contract(
    name="FORECAST_SCORES",
    columns={
        "model": _TEXT,
        "name": _TEXT,
        "customers": _INT,
        "observed_orders": _REAL,
        "expected_orders": _REAL,
        "expected_orders_low": _REAL,
        "expected_orders_high": _REAL,
        "orders_bias": _REAL,
        "orders_bias_low": _REAL,
        "orders_bias_high": _REAL,
        "observed_spend": _REAL,
        "expected_spend": _REAL,
        "spend_bias": _REAL,
        "spend_bias_low": _REAL,
        "spend_bias_high": _REAL,
        "mae": _REAL,
        "rmse": _REAL,
        "correlation": _REAL,
        "log_score": _REAL,
        "coverage_80": _REAL,
        "coverage_95": _REAL,
        "total_coverage_80": _REAL,
        "total_coverage_95": _REAL,
        "gini": _REAL,
        "top_decile_capture": _REAL,
    },
    nullable=frozenset(
        {
            "orders_bias",
            "orders_bias_low",
            "orders_bias_high",
            "spend_bias",
            "spend_bias_low",
            "spend_bias_high",
            "correlation",
            "gini",
            "top_decile_capture",
        }
    ),
)


def scored(trial: Trial, forecast: Forecast) -> pl.DataFrame:
    """Return one row under FORECAST_SCORES."""
    low, high = forecast.orders_range
    spend_low, spend_high = forecast.spend_range or (None, None)
    came, spent = float(trial.orders.sum()), float(trial.amount.sum())
    covered = {
        f"coverage_{_percent(one)}": coverage.share_inside(one.low, one.high, trial.orders)
        for one in forecast.intervals
    }
    total = {
        f"total_coverage_{_percent(one)}": float(one.total_low <= came <= one.total_high) for one in forecast.intervals
    }
    row: dict[str, float | str | None] = {
        "model": forecast.title,
        "name": forecast.name,
        "customers": trial.orders.size,
        "observed_orders": came,
        "expected_orders": float(forecast.orders.sum()),
        "expected_orders_low": low,
        "expected_orders_high": high,
        "orders_bias": scores.total_bias(forecast.orders, trial.orders),
        "orders_bias_low": _bias(low, came),
        "orders_bias_high": _bias(high, came),
        "observed_spend": spent,
        "expected_spend": float(forecast.spend.sum()),
        "spend_bias": scores.total_bias(forecast.spend, trial.amount),
        "spend_bias_low": _bias(spend_low, spent),
        "spend_bias_high": _bias(spend_high, spent),
        "mae": scores.mean_absolute_error(forecast.orders, trial.orders),
        "rmse": scores.root_mean_squared_error(forecast.orders, trial.orders),
        "correlation": scores.correlation(forecast.orders, trial.orders),
        "log_score": scores.log_score(forecast.log_probs),
        "gini": ranking.normalised_gini(forecast.spend, trial.amount),
        "top_decile_capture": ranking.captured(forecast.spend, trial.amount, TOP),
    }
    return _table({**row, **covered, **total})


def pooled(by_origin: pl.DataFrame) -> pl.DataFrame:
    """Return the scores of each model over several trials."""
    weight = pl.col("customers")
    sums = ["observed_orders", "expected_orders", "expected_orders_low", "expected_orders_high"]
    money = ["observed_spend", "expected_spend"]
    means = ["gini", "top_decile_capture", "correlation", "total_coverage_80", "total_coverage_95"]
    weighted = ["mae", "log_score", "coverage_80", "coverage_95"]
    rows = by_origin.group_by("name", maintain_order=True).agg(
        pl.col("model").first(),
        *(pl.col(name).sum() for name in [*sums, *money]),
        *(_whole((pl.col(name) + 1.0) * pl.col("observed_spend")).alias(name) for name in _SPEND_ENDS),
        *(pl.col(name).mean() for name in means),
        *((pl.col(name) * weight).sum() / weight.sum() for name in weighted),
        rmse=((pl.col("rmse").pow(2) * weight).sum() / weight.sum()).sqrt(),
        customers=weight.sum(),
    )
    with_bias = rows.with_columns(
        *(_share(name, "observed_spend").alias(name) for name in _SPEND_ENDS),
        orders_bias=_share("expected_orders", "observed_orders"),
        orders_bias_low=_share("expected_orders_low", "observed_orders"),
        orders_bias_high=_share("expected_orders_high", "observed_orders"),
        spend_bias=_share("expected_spend", "observed_spend"),
    )
    return with_bias.select(list(FORECAST_SCORES.columns))


def _whole(amounts: pl.Expr) -> pl.Expr:
    """Return the sum, null if any is missing."""
    return pl.when(amounts.is_not_null().all()).then(amounts.sum())


def _share(expected: str, observed: str) -> pl.Expr:
    return pl.when(pl.col(observed) > 0.0).then(pl.col(expected) / pl.col(observed) - 1.0)


def _bias(end: float | None, observed: float) -> float | None:
    return end / observed - 1.0 if end is not None and observed > 0.0 else None


def _percent(interval: Interval) -> int:
    return round(100 * interval.level)


def _table(row: dict[str, float | str | None]) -> pl.DataFrame:
    schema = {name: kinds[0] for name, kinds in FORECAST_SCORES.columns.items()}
    return pl.DataFrame([[row[name] for name in schema]], schema=schema, orient="row")


_SPEND_ENDS = ("spend_bias_low", "spend_bias_high")
