"""Expected and observed numbers of each customer in; how far a forecast was off, in one number each, out.

None stands where a score has no meaning.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.terms import Forecast, Interval, Trial
from cxsim.params import Z95
from cxsim.tables import Contract
from cxsim.wording import MISSING, NBSP, figure

FloatArray = NDArray[np.float64]


def total_bias(expected: FloatArray, observed: FloatArray) -> float | None:
    """Return by what share the expected total is above the observed one; None where nothing was observed."""
    came = float(observed.sum())
    return float(expected.sum()) / came - 1.0 if came > 0.0 else None


def mean_absolute_error(expected: FloatArray, observed: FloatArray) -> float:
    """Return the mean distance between what was expected of a customer and what came."""
    return float(np.abs(expected - observed).mean())


def root_mean_squared_error(expected: FloatArray, observed: FloatArray) -> float:
    """Return the root of the mean squared distance between what was expected of a customer and what came."""
    return float(np.sqrt(np.square(expected - observed).mean()))


def correlation(expected: FloatArray, observed: FloatArray) -> float | None:
    """Return Pearson's correlation over customers; None where either is the same for everyone."""
    if np.ptp(expected) == 0.0 or np.ptp(observed) == 0.0:
        return None
    return float(np.corrcoef(expected, observed)[0, 1])


def log_score(log_probs: FloatArray) -> float:
    """Return the mean of minus the log probability that was given to what came; smaller is better.

    Gneiting & Raftery (2007), "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102, 359-378.
    """
    return float(-log_probs.mean())


DECILES = 10


def capture_curve(predicted: FloatArray, realised: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return the curve of captured value; None where nothing was realised."""
    total = float(realised.sum())
    if not total > 0.0:
        return None
    _, group, size = np.unique(-predicted, return_inverse=True, return_counts=True)
    held = np.bincount(group, weights=realised)
    customers = np.concatenate([[0.0], np.cumsum(size) / predicted.size])
    return customers, np.concatenate([[0.0], np.cumsum(held) / total])


def captured(predicted: FloatArray, realised: FloatArray, share: float) -> float | None:
    """Return the share of realised value that the top `share` of customers by predicted value holds."""
    curve = capture_curve(predicted, realised)
    return None if curve is None else float(np.interp(share, *curve))


def normalised_gini(predicted: FloatArray, realised: FloatArray) -> float | None:
    """Return how well the predicted value orders customers by what they realised.

    Wang, Liu & Miao (2019), "A Deep Probabilistic Model for Customer Lifetime Value Prediction", section 4.
    """
    found, best = _gini(predicted, realised), _gini(realised, realised)
    return None if not best or found is None else found / best


def value_by_decile(predicted: FloatArray, realised: FloatArray) -> pl.DataFrame:
    """Return what customers were predicted to bring and what they brought, by tenths of the customers."""
    edges = np.linspace(0.0, 1.0, DECILES + 1)
    cumulative = [_cumulative(predicted, amount, edges) for amount in (predicted, realised)]
    total = float(realised.sum())
    return pl.DataFrame(
        {
            "decile": range(1, DECILES + 1),
            "customers": [predicted.size / DECILES] * DECILES,
            "predicted": np.diff(cumulative[0]),
            "realised": np.diff(cumulative[1]),
            "captured": cumulative[1][1:] / total if total > 0.0 else [None] * DECILES,
        },
        schema_overrides={"captured": pl.Float64},
    )


def _cumulative(predicted: FloatArray, amount: FloatArray, edges: FloatArray) -> FloatArray:
    """Return how much of `amount` lies with the top shares of customers."""
    curve = capture_curve(predicted, amount)
    return np.zeros(edges.size) if curve is None else np.interp(edges, *curve) * amount.sum()


def _gini(predicted: FloatArray, realised: FloatArray) -> float | None:
    """Return twice the area between the curve of captured value and the diagonal."""
    curve = capture_curve(predicted, realised)
    return None if curve is None else float(2.0 * np.trapezoid(curve[1], curve[0]) - 1.0)


TENTHS = 10


def share_inside(low: FloatArray, high: FloatArray, observed: FloatArray) -> float:
    """Return the share of customers whose number lies in their interval, ends included."""
    return float(((low <= observed) & (observed <= high)).mean())


def randomised_pit(below: FloatArray, at: FloatArray, luck: FloatArray) -> FloatArray:
    """Return where in its foretold distribution each observed count lies.

    Shape (n,), in [0, 1]; uniform if the distributions are right, which intervals of counts cannot show.

    Czado, Gneiting & Held (2009), "Predictive Model Assessment for Count Data", Biometrics 65, 1254-1261.
    """
    return np.asarray(np.clip(below + luck * at, 0.0, 1.0))


def tenths(places: FloatArray) -> FloatArray:
    """Return the share of places in each tenth of the scale from 0 to 1; a tenth each if the forecast is right.

    Shape (10,), sums to 1.
    """
    which = np.minimum((places * TENTHS).astype(np.int64), TENTHS - 1)
    return np.asarray(np.bincount(which, minlength=TENTHS) / places.size)


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
    covered = {f"coverage_{_percent(one)}": share_inside(one.low, one.high, trial.orders) for one in forecast.intervals}
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
        "orders_bias": total_bias(forecast.orders, trial.orders),
        "orders_bias_low": _bias(low, came),
        "orders_bias_high": _bias(high, came),
        "observed_spend": spent,
        "expected_spend": float(forecast.spend.sum()),
        "spend_bias": total_bias(forecast.spend, trial.amount),
        "spend_bias_low": _bias(spend_low, spent),
        "spend_bias_high": _bias(spend_high, spent),
        "mae": mean_absolute_error(forecast.orders, trial.orders),
        "rmse": root_mean_squared_error(forecast.orders, trial.orders),
        "correlation": correlation(forecast.orders, trial.orders),
        "log_score": log_score(forecast.log_probs),
        "gini": normalised_gini(forecast.spend, trial.amount),
        "top_decile_capture": captured(forecast.spend, trial.amount, TOP),
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


LAST_CLASS = 7
# With no order among n customers, a mean of -ln(0.05) / n would have left so empty a class in 5 % of cases.
_NONE_SEEN = -math.log(0.05)


def by_frequency(outcomes: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """Return mean orders per customer by class of past frequency, as they came and as each model expected them."""
    classes = np.minimum(outcomes["frequency"].to_numpy(), LAST_CLASS)
    seen = np.unique(classes)
    observed = _observed(classes, outcomes)[seen]
    rows = np.bincount(classes)[seen]
    tables = [
        pl.DataFrame(
            {
                "model": title,
                "name": name,
                "frequency": [f"{one}+" if one == LAST_CLASS else f"{one}" for one in seen],
                "customers": rows,
                "observed": observed[:, 0],
                "low": observed[:, 1],
                "high": observed[:, 2],
                "expected": np.bincount(classes, weights=outcomes[name].to_numpy())[seen] / rows,
            }
        )
        for name, title in titles.items()
    ]
    return pl.concat(tables).with_columns(pl.col("low", "high").fill_nan(None))


def _observed(classes: NDArray[np.int64], outcomes: pl.DataFrame) -> NDArray[np.float64]:
    """Return mean, low and high of each class; NaN where no interval can be told.

    Customers are independent and their rows are not, so deviations are added up by customer first.
    """
    orders = outcomes["orders"].cast(pl.Float64).to_numpy()
    rows = np.maximum(np.bincount(classes), 1)
    mean = np.bincount(classes, weights=orders) / rows
    person = outcomes["customer_id"].rank("dense").cast(pl.Int64).to_numpy()
    pairs, pair = np.unique(classes * (person.max() + 1) + person, return_inverse=True)
    deviation = np.bincount(pair, weights=orders - mean[classes])
    persons = np.bincount(pairs // (person.max() + 1))
    squares = np.bincount(pairs // (person.max() + 1), weights=np.square(deviation))
    sentence = persons > 1
    half = np.full(mean.size, np.nan)
    half[sentence] = Z95 * np.sqrt(squares[sentence] * persons[sentence] / (persons[sentence] - 1)) / rows[sentence]
    high = np.where(mean > 0.0, mean + half, half + _NONE_SEEN / np.maximum(persons, 1))
    return np.column_stack([mean, np.maximum(mean - half, 0.0), high])


def _page_share(value: float) -> str:
    return f"{figure(100 * value, '.1f')}{NBSP}%"


def _signed(value: float) -> str:
    return f"{figure(100 * value, '+.1f')}{NBSP}%"


def _plain(digits: int) -> Callable[[float], str]:
    def written(value: float) -> str:
        return "∞" if math.isinf(value) else figure(value, f",.{digits}f")

    return written


# Columns that are shown where a table has them, their heads, and how their numbers are written.
_COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "log_likelihood": ("log-likelihood", _plain(2)),
    "aic": ("AIC", _plain(1)),
    "bic": ("BIC", _plain(1)),
    "aic_gap": ("AIC above best", _plain(1)),
    "weight": ("weight", _plain(2)),
    "prob_better": ("P better", _plain(2)),
    "orders_bias": ("orders, bias", _signed),
    "spend_bias": ("spend, bias", _signed),
    "mae": ("MAE", _plain(3)),
    "rmse": ("RMSE", _plain(3)),
    "log_score": ("log score", _plain(4)),
    "prob_better_forecast": ("P better forecast", _plain(2)),
    "coverage_80": ("in 80 % interval", _page_share),
    "coverage_95": ("in 95 % interval", _page_share),
    "gini": ("Gini", _plain(3)),
    "top_decile_capture": ("in top decile", _page_share),
}


def page(table: pl.DataFrame, caption: str, sentences: Sequence[str]) -> str:
    """Return a table of models with a caption and sentences below it."""
    heads: Mapping[str, tuple[str, Callable[[float], str]]] = {
        name: shown for name, shown in _COLUMNS.items() if name in table.columns
    }
    top = "".join(
        f'<th scope="col">{html.escape(head)}</th>' for head in ("model", *(head for head, _ in heads.values()))
    )
    rows = "".join(
        f'<tr><th scope="row">{html.escape(str(row["model"]))}</th>'
        + "".join(f"<td>{_cell(row[name], written)}</td>" for name, (_, written) in heads.items())
        + "</tr>"
        for row in table.iter_rows(named=True)
    )
    below = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    head = f"<caption>{html.escape(caption)}</caption><thead><tr>{top}</tr></thead>"
    return f"<table>{head}<tbody>{rows}</tbody></table>{below}"


def _cell(value: float | None, written: Callable[[float], str]) -> str:
    return MISSING if value is None else html.escape(written(value))
