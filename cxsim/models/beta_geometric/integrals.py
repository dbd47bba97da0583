"""One customer who is alive, with their stage and a time, in; P(still alive) and expected orders out, as an integral.

Given the chance p of leaving, both are short formulas for any time: with M orders of a customer who never leaves, the
customer stays with E[(1 - p)^M], and orders (1 - E[(1 - p)^M]) / p times. M is the whole part of (stages + n) / k, n
negative binomial; a filter by the roots of unity turns its mean into k powers, as n -> E[z^n] is a power.
"""

from __future__ import annotations

import math

from cxsim.compiled import lean
from cxsim.models.beta_geometric.dropout import dropout_rule, end_weight, log_node
from cxsim.models.beta_geometric.log_gamma import log_beta_height

# Above so large a p the filter's terms cancel, while few powers of 1 - p matter: 0.01^9 is below the last bit.
_NEARLY_ONE = 0.99
_POWERS = 9


@lean
def survival_and_orders(k: int, stage: int, shape: float, reach: float, a: float, b: float) -> tuple[float, float]:
    """Return P(alive after the time) and the expected orders in it."""
    bend = max((shape * reach + stage) / k, 1.0)
    low, step, nodes = dropout_rule(a, b, bend, shape)
    mode = a / (a + b)
    constant = log_beta_height(a, b) - a * math.log(mode) - b * math.log1p(-mode) + math.log(step)
    survival = orders = 0.0
    for i in range(nodes):
        log_p, log_q = log_node(low + i * step)
        weight = math.exp(constant + a * log_p + b * log_q) * end_weight(i, nodes, step, a, b)
        p = math.exp(log_p)
        if k == 1:
            fall = shape * math.log1p(p * reach)
            stays, leaves = math.exp(-fall), -math.expm1(-fall)
        elif p > _NEARLY_ONE:
            stays = _by_powers(k, stage, shape, reach, math.exp(log_q))
            leaves = 1.0 - stays
        else:
            stays, leaves = _by_roots(k, stage, shape, reach, log_p, log_q)
        survival += weight * stays
        orders += weight * leaves / p
    return survival, orders


@lean
def _by_powers(k: int, stage: int, shape: float, reach: float, q: float) -> float:
    """Return E[q^M] for small q, from the first few probabilities of M."""
    prob, limit = math.exp(-shape * math.log1p(reach)), reach / (1.0 + reach)
    power, total = 1.0, 0.0
    passed, done, n = stage, 0, 0.0
    while done < _POWERS:
        total += prob * power
        prob *= limit * (shape + n) / (n + 1.0)
        n += 1.0
        passed += 1
        if passed == k:
            passed = 0
            done += 1
            power *= q
    return total


@lean
def _by_roots(k: int, stage: int, shape: float, reach: float, log_p: float, log_q: float) -> tuple[float, float]:
    """Return E[(1 - p)^M] and 1 less that, by the filter."""
    root = log_q / k
    size = math.exp(root)
    # (1 - p)^M is sum over l of c_l (size w^l)^(stage + n), w = exp(2 pi i / k); l = 0 in logarithms, as it is near 1.
    even = -0.5 * (k - 1) * root + _log_sinhc(0.5 * log_q) - _log_sinhc(0.5 * root)
    log_even = even + stage * root - shape * math.log1p(-reach * math.expm1(root))
    others = 0.0
    for power in range(1, k // 2 + 1):
        angle = 2.0 * math.pi * power / k
        x, y = size * math.cos(angle), size * math.sin(angle)
        # c_l = -p / ((1 - p) k (1 - 1 / (size w^l))), and 1 - 1/z = -conj(z) (1 - z) / |z|^2.
        real, imag = 1.0 + reach * (1.0 - x), -reach * y
        log_power = -0.5 * shape * math.log(real * real + imag * imag) + stage * root + log_p - log_q - math.log(k)
        turn = -shape * math.atan2(imag, real) + stage * angle
        # z / (1 - z), whose negative is 1 / (1 - 1/z).
        below = (1.0 - x) * (1.0 - x) + y * y
        across, along = y / below, (x * (1.0 - x) - y * y) / below
        term = math.exp(log_power) * (along * math.cos(turn) - across * math.sin(turn))
        others += term if 2 * power == k else 2.0 * term
    return math.exp(log_even) + others, -math.expm1(log_even) - others


@lean
def _log_sinhc(x: float) -> float:
    """Return log(sinh(x) / x)."""
    if abs(x) < 0.3:
        square = x * x
        series = 1.0 / 2835.0 - square * (1.0 / 37800.0 - square * (1.0 / 467775.0 - square * 691.0 / 3831077250.0))
        return square * (1.0 / 6.0 - square * (1.0 / 180.0 - square * series))
    size = abs(x)
    return size + math.log(-math.expm1(-2.0 * size)) - math.log(2.0 * size)
