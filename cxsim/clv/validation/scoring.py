"""Holdouts with forecasts in; how far each forecast was off, and which model did better, out; null without meaning."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from cxsim.clv.models.special import FloatArray
from cxsim.clv.validation.forecasts import Forecast, Holdout
from cxsim.params import Z95

TOP = 0.1
LAST_CLASS = 7
# With no order among n customers, a mean of -ln(0.05) / n would have left so empty a class in 5 % of cases.
_NONE_SEEN = -math.log(0.05)
_ENDS = ("_low", "_high")
# Log probabilities are computed to about 1e-12; models closer than this say the same.
_SAME = 1e-9


class Verdict(NamedTuple):
    """What the same customers say of one model against another.

    `z` is the difference of the log probabilities in standard errors, above 0 if it speaks for the model; `prob_better`
    the probability that the model is nearer the truth than the other one, 0.5 where customers cannot tell.
    """

    z: float
    prob_better: float


def verdict(first: FloatArray, second: FloatArray, *, more_params: float = 0.0) -> Verdict:
    """Weigh one model against another by the log probabilities they gave to what the same customers did.

    Vuong (1989), "Likelihood Ratio Tests for Model Selection and Non-Nested Hypotheses", Econometrica 57, 307-333.
    """
    difference = first - second
    difference = np.where(np.abs(difference) < _SAME, 0.0, difference)
    total = difference.sum() - more_params
    spread = difference.std(ddof=1) * math.sqrt(difference.size)
    if not difference.any():
        return Verdict(z=0.0, prob_better=0.5)
    if spread == 0.0:
        return Verdict(z=math.copysign(math.inf, total), prob_better=1.0 if total > 0.0 else 0.0)
    return Verdict(z=total / spread, prob_better=float(ndtr(total / spread)))


def against_best(log_probs: Sequence[FloatArray], n_params: Sequence[float]) -> list[Verdict | None]:
    """Weigh each model against the best of the others; None where there is no other."""
    totals = [found.sum() - size for found, size in zip(log_probs, n_params, strict=True)]
    best, *others = sorted(range(len(totals)), key=lambda place: -totals[place])
    if not others:
        return [None]
    rivals = [others[0] if place == best else best for place in range(len(totals))]
    return [
        verdict(log_probs[place], log_probs[rival], more_params=n_params[place] - n_params[rival])
        for place, rival in enumerate(rivals)
    ]


def akaike_weights(aic: Sequence[float]) -> list[float]:
    """Return the weight of evidence for each model, which sum to 1.

    Burnham & Anderson (2002), "Model Selection and Multimodel Inference", section 2.9.
    """
    best = min(aic)
    likely = [math.exp(-0.5 * (one - best)) for one in aic]
    return [one / sum(likely) for one in likely]


def scores_of(holdout: Holdout) -> pl.DataFrame:
    """Return one row of scores per forecast.

    `model` is for readers, `name` as in fit(model=...). Shares are fractions: orders_bias -0.12 is 12 % too low. *_low
    and *_high end the 90 % interval that the forecast itself gave. total_coverage_* is 1 where the total lay in its
    interval. The log score is the mean of minus the log probability of what came, smaller is better: Gneiting & Raftery
    (2007), JASA 102, 359-378.
    """
    rows = [_scores(holdout, forecast) for forecast in holdout.forecasts]
    types: dict[type, type[pl.DataType]] = {str: pl.String, int: pl.Int64}
    schema = {name: types.get(type(value), pl.Float64) for name, value in rows[0].items()}
    return _with_biases(pl.DataFrame(rows, schema=schema))


def _scores(holdout: Holdout, forecast: Forecast) -> dict[str, Any]:
    low, high = forecast.total_intervals[90]
    spend_low, spend_high = forecast.spend_range or (None, None)
    orders, amount = holdout.orders, holdout.amount
    came, error = orders.sum(), forecast.orders - orders
    constant = np.ptp(forecast.orders) == 0.0 or np.ptp(orders) == 0.0
    return {
        "model": forecast.title,
        "name": forecast.name,
        "customers": orders.size,
        "observed_orders": came,
        "expected_orders": forecast.orders.sum(),
        "expected_orders_low": low,
        "expected_orders_high": high,
        **dict.fromkeys(("orders_bias", "orders_bias_low", "orders_bias_high")),
        "observed_spend": amount.sum(),
        "expected_spend": forecast.spend.sum(),
        "expected_spend_low": spend_low,
        "expected_spend_high": spend_high,
        **dict.fromkeys(("spend_bias", "spend_bias_low", "spend_bias_high")),
        "mae": np.abs(error).mean(),
        "rmse": np.sqrt(np.square(error).mean()),
        "correlation": None if constant else np.corrcoef(forecast.orders, orders)[0, 1],
        "log_score": -forecast.log_probs.mean(),
        **{
            f"coverage_{percent}": ((low <= orders) & (orders <= high)).mean()
            for percent, (low, high) in forecast.intervals.items()
        },
        **{
            f"total_coverage_{percent}": float(low <= came <= high)
            for percent, (low, high) in forecast.total_intervals.items()
            if percent in forecast.intervals
        },
        "gini": normalised_gini(forecast.spend, amount),
        "top_decile_capture": captured(forecast.spend, amount, TOP),
    }


def _with_biases(scores: pl.DataFrame) -> pl.DataFrame:
    """Return scores with what was expected, and its interval, over what came; null where nothing came."""
    biases = (
        pl.when(pl.col(f"observed_{what}") > 0.0)
        .then(pl.col(f"expected_{what}{end}") / pl.col(f"observed_{what}") - 1.0)
        .alias(f"{what}_bias{end}")
        for what in ("orders", "spend")
        for end in ("", *_ENDS)
    )
    return scores.with_columns(biases).drop("expected_spend_low", "expected_spend_high")


def pooled(by_origin: pl.DataFrame) -> pl.DataFrame:
    """Return the scores of each model over several holdouts."""
    weight = pl.col("customers")
    sums = pl.col("^(observed|expected)_.*$")
    means = pl.col("gini", "top_decile_capture", "correlation", "^total_coverage_.*$")
    weighted = pl.col("mae", "log_score", "^coverage_.*$")
    spends = {f"expected_spend{end}": (pl.col(f"spend_bias{end}") + 1.0) * pl.col("observed_spend") for end in _ENDS}
    rows = by_origin.group_by("name", maintain_order=True).agg(
        pl.col("model").first(),
        sums.sum(),
        means.mean(),
        (weighted * weight).sum() / weight.sum(),
        # Null if any is missing.
        **{name: pl.when(spend.is_not_null().all()).then(spend.sum()) for name, spend in spends.items()},
        rmse=((pl.col("rmse").pow(2) * weight).sum() / weight.sum()).sqrt(),
        customers=weight.sum(),
    )
    return _with_biases(rows).select(by_origin.drop("origin").columns)


def calibration_of(holdouts: Sequence[Holdout]) -> pl.DataFrame:
    """Return observed and expected orders by class of past frequency."""
    rows = pl.concat(
        [
            one.rfm.select(
                "customer_id",
                "frequency",
                pl.Series("orders", one.orders),
                *(pl.Series(forecast.name, forecast.orders) for forecast in one.forecasts),
            )
            for one in holdouts
        ]
    )
    return by_frequency(rows, {forecast.name: forecast.title for forecast in holdouts[0].forecasts})


def forecast_verdicts(holdouts: Sequence[Holdout], names: Sequence[str]) -> dict[str, Verdict | None]:
    """Return how well each model forecast the orders of customers against the best of the other models."""
    customers = pl.concat([one.rfm["customer_id"] for one in holdouts])
    person = customers.rank("dense").cast(pl.Int64).to_numpy() - 1
    by_person: list[FloatArray] = []
    for name in names:
        found = [one.log_probs for holdout in holdouts for one in holdout.forecasts if one.name == name]
        by_person.append(np.asarray(np.bincount(person, weights=np.concatenate(found))))
    return dict(zip(names, against_best(by_person, [0.0] * len(names)), strict=True))


def with_verdicts(table: pl.DataFrame, verdicts: Mapping[str, Verdict | None], suffix: str = "") -> pl.DataFrame:
    """Return `table`, which has a column name, with columns z and prob_better; null where there is no verdict."""
    found = [verdicts.get(name) or (None, None) for name in table["name"]]
    schema = dict.fromkeys((f"z{suffix}", f"prob_better{suffix}"), pl.Float64)
    return table.hstack(pl.DataFrame(found, schema=schema, orient="row"))


def capture_curve(predicted: FloatArray, realised: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return the curve of captured value; None where nothing was realised."""
    total = realised.sum()
    if not total > 0.0:
        return None
    _, group, size = np.unique(-predicted, return_inverse=True, return_counts=True)
    held = np.bincount(group, weights=realised)
    customers = np.concatenate([[0.0], np.cumsum(size) / predicted.size])
    return customers, np.concatenate([[0.0], np.cumsum(held) / total])


def captured(predicted: FloatArray, realised: FloatArray, share: float) -> float | None:
    """Return the share of realised value that the top `share` of customers by predicted value holds."""
    curve = capture_curve(predicted, realised)
    return None if curve is None else np.interp(share, *curve)


def normalised_gini(predicted: FloatArray, realised: FloatArray) -> float | None:
    """Return how well the predicted value orders customers by what they realised.

    Wang, Liu & Miao (2019), "A Deep Probabilistic Model for Customer Lifetime Value Prediction", section 4.
    """
    found, best = _gini(predicted, realised), _gini(realised, realised)
    return None if not best or found is None else found / best


def _gini(predicted: FloatArray, realised: FloatArray) -> float | None:
    """Return twice the area between the curve of captured value and the diagonal."""
    curve = capture_curve(predicted, realised)
    return None if curve is None else float(2.0 * np.trapezoid(curve[1], curve[0]) - 1.0)


def by_frequency(outcomes: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """Return mean orders per customer by class of past frequency, as they came and as each model expected them."""
    classes = np.minimum(outcomes["frequency"].to_numpy(), LAST_CLASS)
    seen = np.unique(classes)
    rows = np.bincount(classes)[seen]
    ends = zip(("observed", "low", "high"), _observed(classes, outcomes), strict=True)
    labels = [f"{one}+" if one == LAST_CLASS else f"{one}" for one in seen]
    table = pl.DataFrame(
        {"frequency": labels, "customers": rows, **{name: column[seen] for name, column in ends}}
    ).fill_nan(None)
    return pl.concat(
        table.select(
            pl.lit(title).alias("model"),
            pl.lit(name).alias("name"),
            pl.all(),
            expected=np.bincount(classes, weights=outcomes[name].to_numpy())[seen] / rows,
        )
        for name, title in titles.items()
    )


def _observed(classes: NDArray[np.int64], outcomes: pl.DataFrame) -> tuple[FloatArray, ...]:
    """Return mean, low and high of each class; NaN where there is no interval.

    Customers are independent and their rows are not, so deviations are added up by customer first.
    """
    orders = outcomes["orders"].cast(pl.Float64).to_numpy()
    rows = np.maximum(np.bincount(classes), 1)
    mean = np.bincount(classes, weights=orders) / rows
    person = outcomes["customer_id"].rank("dense").cast(pl.Int64).to_numpy()
    size = person.max() + 1
    pairs, pair = np.unique(classes * size + person, return_inverse=True)
    deviation = np.bincount(pair, weights=orders - mean[classes])
    persons = np.bincount(pairs // size)
    squares = np.bincount(pairs // size, weights=np.square(deviation)) * persons / np.maximum(persons - 1, 1)
    half = np.where(persons > 1, Z95 * np.sqrt(squares) / rows, np.nan)
    high = np.where(mean > 0.0, mean + half, half + _NONE_SEEN / np.maximum(persons, 1))
    return mean, np.maximum(mean - half, 0.0), high
