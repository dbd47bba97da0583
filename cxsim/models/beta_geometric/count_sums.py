"""Rows of customers who are alive, and an interval, in; P(exactly n orders in it), by stage, as sums out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import lean
from cxsim.models.beta_geometric.log_gamma import log_beta_height, log_count_prob

FloatArray = NDArray[np.float64]

_LEFT_OUT = 1e-17


@lean
def count_rows(
    first: int,
    last: int,
    shape: FloatArray,
    before: FloatArray,
    within: FloatArray,
    b: FloatArray,
    n: FloatArray,
    lowest: FloatArray,
    a: float,
    reached: FloatArray,
    probs: FloatArray,
) -> None:
    """Write the probabilities of rows `first` to `last` to `probs`."""
    k = probs.shape[1]
    for i in range(first, last):
        for j in range(k):
            found = _prob(k, j, shape[i] + j, before[i], within[i], a, b[i], n[i], lowest[i], reached[i, j])
            probs[i, j] = min(found, 1.0)


@lean
def _prob(
    k: int,
    stage: int,
    shape: float,
    before: float,
    within: float,
    a: float,
    b: float,
    n: float,
    lowest: float,
    reached: float,
) -> float:
    """Return the sum over the number m of stages that pass before the interval."""
    prob, limit = math.exp(log_count_prob(lowest, shape, before)), before / (1.0 + before)
    m, done = lowest, float(math.floor((lowest + stage) / k))
    passed = int(lowest + stage - k * done)
    earlier, kept = _stays(a, b, done), _stays(a, b, done + n - 1.0)
    total = 0.0
    while True:
        exactly, more, rise = _in_interval(k, passed, shape + m, within, n)
        if n == 0.0:
            total += prob * (1.0 - earlier + earlier * exactly)
        else:
            stays = _next_stays(a, b, done + n - 1.0)
            total += prob * kept * (exactly * stays + min(reached + more, 1.0) * (1.0 - stays))
        ratio = limit * (shape + m) / (m + 1.0)
        worst = max(ratio, limit)
        if prob * worst <= _LEFT_OUT * (1.0 - worst):
            return total
        prob, reached, m, passed = prob * ratio, reached + rise, m + 1.0, passed + 1
        if passed == k:
            passed = 0
            earlier *= _next_stays(a, b, done)
            kept *= _next_stays(a, b, done + n - 1.0)
            done += 1.0


@lean
def _next_stays(a: float, b: float, orders: float) -> float:
    """Return the probability that a customer who stayed after so many orders, if any, stays after the next too."""
    return (b + orders) / (a + b + orders) if orders >= 0.0 else 1.0


@lean
def _in_interval(k: int, passed: int, shape: float, within: float, n: float) -> tuple[float, float, float]:
    """Return P(exactly n orders' stages), P(enough stages, but fewer than k n), and the rise of P(k n or more).

    That rise comes with one more stage before the interval, which adds 1 to `shape`.
    """
    least = max(k * n - passed, 0.0)
    limit = within / (1.0 + within)
    prob = math.exp(log_count_prob(least, shape, within))
    exactly = more = rise = 0.0
    stages = least
    while stages < k * (n + 1.0) - passed:
        exactly += prob
        if stages < k * n:
            more += prob
        elif stages == k * n:
            rise = prob * stages / shape
        prob *= limit * (shape + stages) / (stages + 1.0)
        stages += 1.0
    return exactly, more, rise


@lean
def _stays(a: float, b: float, orders: float) -> float:
    """Return B(a, b + orders) / B(a, b), the probability that a customer is still there after so many orders."""
    if orders <= 0.0:
        return 1.0
    if orders <= 64.0:
        kept, i = 1.0, 0.0
        while i < orders:
            kept *= (b + i) / (a + b + i)
            i += 1.0
        return kept
    return math.exp(_log_beta(a, b + orders) - _log_beta(a, b))


@lean
def _log_beta(a: float, b: float) -> float:
    mode = a / (a + b)
    return a * math.log(mode) + b * math.log1p(-mode) - log_beta_height(a, b)
