"""Rows of customers who are alive in; the discounted worth of all their orders to come, by stage, out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import counted, lean
from cxsim.models.beta_geometric.dropout import (
    DROP,
    STEP_PER_WIDTH,
    WIDEST_STEP,
    dropout_rule,
    end_weight,
    log_node,
)
from cxsim.models.beta_geometric.log_gamma import log_beta_height, log_gamma_height

FloatArray = NDArray[np.float64]

_NEWTON_STEPS = 12


@counted
def lifelong_rows(
    first: int, last: int, shape: FloatArray, total: FloatArray, b: FloatArray, a: float, rate: float, worth: FloatArray
) -> None:
    """Write the worth of all orders to come, at `rate`, to rows `first` to `last` of `worth`."""
    for i in range(first, last):
        k = worth.shape[1]
        worth[i] = 0.0
        low, step, nodes = _rate_rule(shape[i], k, rate * total[i])
        # At the last node the next k stages leave most of an order's worth.
        far = _lost(math.exp(low + (nodes - 1) * step) / (rate * total[i]), k)
        p, weights = _dropout_nodes(a, b[i], 1.0 / far)
        mode, height = math.log(shape[i]), log_gamma_height(shape[i]) + math.log(step)
        for node in range(nodes):
            u = low + node * step
            events = math.exp(u)
            odds = events / (rate * total[i])
            lost = _lost(odds, k)
            density = math.exp(height + shape[i] * (u - mode - math.expm1(u - mode)))
            _add(worth[i], density * _mean_inverse(p, weights, lost), events, shape[i], odds / (1.0 + odds))


@lean
def _add(worth: FloatArray, weight: float, events: float, shape: float, kept: float) -> None:
    """Add one node's worth to each stage; a stage that has passed raises the shape of the rate by 1."""
    k = worth.size
    for j in range(k):
        worth[j] += weight * kept ** (k - j)
        weight *= events / (shape + j)


@lean
def _lost(odds: float, k: int) -> float:
    """Return the share of its worth that an order loses over k stages."""
    return -math.expm1(-k * math.log1p(1.0 / odds))


@lean
def _mean_inverse(p: FloatArray, weights: FloatArray, lost: float) -> float:
    """Return E[1 / (1 - (1 - p) (1 - lost))], the orders ever, each worth less than the one before."""
    total, kept = 0.0, 1.0 - lost
    for i in range(p.size):
        total += weights[i] / (lost + kept * p[i])
    return total


@counted
def _dropout_nodes(a: float, b: float, steepness: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes p and weights for means over p ~ Beta(a, b)."""
    low, step, nodes = dropout_rule(a, b, steepness, 1.0)
    mode = a / (a + b)
    constant = log_beta_height(a, b) - a * math.log(mode) - b * math.log1p(-mode) + math.log(step)
    p, weights = np.empty(nodes), np.empty(nodes)
    for i in range(nodes):
        log_p, log_q = log_node(low + i * step)
        p[i] = math.exp(log_p)
        weights[i] = math.exp(constant + a * log_p + b * log_q) * end_weight(i, nodes, step, a, b)
    return p, weights


@lean
def _rate_rule(shape: float, k: int, bend: float) -> tuple[float, float, int]:
    """Return first node, step and number of nodes in log(x) for E[g(x)], x ~ Gamma(shape, 1) and a few stages more.

    g rises, at least like x below `bend`, and nowhere faster than x^k.
    """
    most = shape + k
    left, right = math.log(shape), math.log(most)
    # Newton's method from above on convex functions, so that every iterate is far enough.
    below, above = DROP / shape + 1.0, math.sqrt(2.0 * DROP / most)
    for _ in range(_NEWTON_STEPS):
        below -= (shape * (math.expm1(-below) + below) - DROP) / (shape * -math.expm1(-below))
        above -= (most * (math.expm1(above) - above) - DROP) / (most * math.expm1(above))
    low = max(left - below, min(left, math.log(bend)) - DROP)
    step = min(WIDEST_STEP, STEP_PER_WIDTH / math.sqrt(most))
    return low, step, math.ceil((right + above - low) / step) + 1
