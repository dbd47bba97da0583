"""Predicted and realised value of each customer in; how well the prediction tells the valuable from the others, out.

All is read off one curve: the share of the realised value that lies with the customers of highest predicted value.
Customers of equal predicted value share evenly what they realised, so the order of the rows plays no part.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
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
