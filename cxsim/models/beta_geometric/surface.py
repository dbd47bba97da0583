"""Log-parameters of a Beta-geometric model and pasts in, the log-likelihood with its derivatives out; compiled.

A past has k + 1 explanations: the customer is alive with j of the k stages of the next gap behind them (j = 0 to
k - 1), or has left at the last order. The likelihood is a factor that depends on the frequency alone times the sum of
these, so its logarithm's gradient is the mean of the explanations' gradients, and its Hessian the mean of their
Hessians plus the covariance of their gradients.

References
----------
Fader, Hardie & Lee (2005), equation (6); Batislam, Denizel & Filiztekin (2007); Platzer & Reutterer (2016), for k > 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import inlined, lean
from cxsim.models.log_scale import to_logs
from cxsim.models.special import digamma, trigamma

FloatArray = NDArray[np.float64]
Three = tuple[float, float, float]


@lean
def value(
    log_params: FloatArray,
    frequency: FloatArray,
    last_order: FloatArray,
    age: FloatArray,
    weight: FloatArray,
    k: int,
    first: int,
) -> float:
    """Return the weighted log-likelihood."""
    r, alpha, a, b = math.exp(log_params[0]), math.exp(log_params[1]), math.exp(log_params[2]), math.exp(log_params[3])
    known, common, odds, total = -1.0, 0.0, 0.0, 0.0
    for i in range(frequency.size):
        x, end, idle = frequency[i], alpha + age[i], age[i] - last_order[i]
        shape = r + k * x
        if x != known:
            known = x
            common, odds = _constants(r, alpha, a, b, x, k, first)
        log_phases = math.log(_phases(shape, idle / end, k)) if k > 1 else 0.0
        left = odds + shape * math.log1p(idle / (alpha + last_order[i])) - log_phases
        total += weight[i] * (common - shape * math.log(end) + log_phases + _log1p_exp(left))
    return total


@lean
def sums(
    log_params: FloatArray,
    frequency: FloatArray,
    last_order: FloatArray,
    age: FloatArray,
    weight: FloatArray,
    k: int,
    first: int,
    out: FloatArray,
) -> None:
    """Write the weighted log-likelihood, its gradient and the upper triangle of its Hessian into `out`."""
    r, alpha, a, b = math.exp(log_params[0]), math.exp(log_params[1]), math.exp(log_params[2]), math.exp(log_params[3])
    out[:] = 0.0
    known, common, odds, stays = -1.0, 0.0, 0.0, 1.0
    slopes, bends = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    for i in range(frequency.size):
        x, w, end, start = frequency[i], weight[i], alpha + age[i], alpha + last_order[i]
        shape, idle = r + k * x, age[i] - last_order[i]
        if x != known:
            known, stays = x, b + x + first - 1.0 if x + first > 0 else 1.0
            common, odds = _constants(r, alpha, a, b, x, k, first)
            slopes, bends = _constant_derivatives(r, alpha, a, b, x, k, first)
        log_phases, alive, alive_bends = _alive(shape, end, idle / end, k)
        left = odds + shape * math.log1p(idle / start) - log_phases
        share = 1.0 / (1.0 + math.exp(-left)) if left > -700.0 else 0.0
        # The gradient of having left, less that of being alive.
        gap = (-math.log(start) - alive[0], -shape / start - alive[1], 1.0 / a, -1.0 / stays)
        out[0] += w * (common - shape * math.log(end) + log_phases + _log1p_exp(left))
        _add_gradient(out, w, share, slopes, alive, gap)
        _add_curvature(out, w, share, bends, alive_bends, gap)
        _add_leaving(out, w * share, -1.0 / start, shape / (start * start), 1.0 / (a * a), 1.0 / (stays * stays))
    _add_scale(out, weight.sum(), r, alpha)
    to_logs(out, (r, alpha, a, b))


@inlined
def _log1p_exp(x: float) -> float:
    """Return log(1 + exp(x)) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@inlined
def _constants(r: float, alpha: float, a: float, b: float, x: float, k: int, first: int) -> tuple[float, float]:
    """Return the logarithms of what all explanations of a frequency share, and of the odds of leaving at an order."""
    shape, chances = r + k * x, x + first
    rates = math.lgamma(shape) - math.lgamma(r) + r * math.log(alpha) - x * math.lgamma(k)
    stayed = math.lgamma(b + chances) - math.lgamma(b) + math.lgamma(a + b) - math.lgamma(a + b + chances)
    odds = math.log(a) - math.log(b + chances - 1.0) if chances > 0 else -math.inf
    return rates + stayed, odds


@inlined
def _constant_derivatives(
    r: float, alpha: float, a: float, b: float, x: float, k: int, first: int
) -> tuple[Three, Three]:
    """Return first and second derivatives of the shared factor: in r; in a and in both a and b; in b."""
    shape, chances = r + k * x, x + first
    both, both_bend = digamma(a + b) - digamma(a + b + chances), trigamma(a + b) - trigamma(a + b + chances)
    slopes = (
        digamma(shape) - digamma(r) + math.log(alpha),
        both,
        both + digamma(b + chances) - digamma(b),
    )
    bends = (
        trigamma(shape) - trigamma(r),
        both_bend,
        both_bend + trigamma(b + chances) - trigamma(b),
    )
    return slopes, bends


@inlined
def _phases(shape: float, ratio: float, k: int) -> float:
    """Return the weight of being alive in any phase, relative to phase 0."""
    total, term = 1.0, 1.0
    for j in range(1, k):
        term *= (shape + j - 1.0) * ratio / j
        total += term
    return total


@inlined
def _alive(shape: float, end: float, ratio: float, k: int) -> tuple[float, tuple[float, float], Three]:
    """Return the log weight of being alive relative to phase 0, its derivatives in r, alpha; and in rr, ra, aa."""
    slope, bends = (-math.log(end), -shape / end), (0.0, -1.0 / end, shape / (end * end))
    if k == 1:
        return 0.0, slope, bends
    total, term, more, bend = 1.0, 1.0, 0.0, 0.0
    m_r, m_a, m_rr, m_ra, m_aa = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(1, k):
        stage = shape + j - 1.0
        term *= stage * ratio / j
        # Beside phase 0, the gradient of phase j is greater by `more` in r and smaller by j / end in alpha.
        more, bend = more + 1.0 / stage, bend - 1.0 / (stage * stage)
        total += term
        m_r, m_a = m_r + term * more, m_a + term * j
        m_rr, m_ra, m_aa = m_rr + term * (bend + more * more), m_ra + term * more * j, m_aa + term * j * (j + 1.0)
    m_r, m_a, m_rr, m_ra, m_aa = m_r / total, m_a / total, m_rr / total, m_ra / total, m_aa / total
    moved = (slope[0] + m_r, slope[1] - m_a / end)
    bent = (m_rr - m_r * m_r, bends[1] - (m_ra - m_r * m_a) / end, bends[2] + (m_aa - m_a * m_a) / (end * end))
    return math.log(total), moved, bent


@inlined
def _add_gradient(
    out: FloatArray,
    w: float,
    share: float,
    slopes: Three,
    alive: tuple[float, float],
    gap: tuple[float, float, float, float],
) -> None:
    out[1] += w * (slopes[0] + alive[0] + share * gap[0])
    out[2] += w * (alive[1] + share * gap[1])
    out[3] += w * (slopes[1] + share * gap[2])
    out[4] += w * (slopes[2] + share * gap[3])


@inlined
def _add_curvature(
    out: FloatArray, w: float, share: float, bends: Three, alive: Three, gap: tuple[float, float, float, float]
) -> None:
    """Add the shared bends, those of being alive, and the spread of the two gradients."""
    spread, other = w * share * (1.0 - share), 1.0 - share
    out[5] += w * (bends[0] + other * alive[0]) + spread * gap[0] * gap[0]
    out[6] += w * other * alive[1] + spread * gap[0] * gap[1]
    out[7] += spread * gap[0] * gap[2]
    out[8] += spread * gap[0] * gap[3]
    out[9] += w * other * alive[2] + spread * gap[1] * gap[1]
    out[10] += spread * gap[1] * gap[2]
    out[11] += spread * gap[1] * gap[3]
    out[12] += w * bends[1] + spread * gap[2] * gap[2]
    out[13] += w * bends[1] + spread * gap[2] * gap[3]
    out[14] += w * bends[2] + spread * gap[3] * gap[3]


@inlined
def _add_leaving(out: FloatArray, left: float, r_alpha: float, alpha_alpha: float, a_a: float, b_b: float) -> None:
    """Add the bends of having left at the last order."""
    out[6] += left * r_alpha
    out[9] += left * alpha_alpha
    out[12] -= left * a_a
    out[14] += left * b_b


@inlined
def _add_scale(out: FloatArray, customers: float, r: float, alpha: float) -> None:
    """Add the derivatives of r log(alpha) that are the same for every customer."""
    out[2] += customers * r / alpha
    out[6] += customers / alpha
    out[9] -= customers * r / (alpha * alpha)
