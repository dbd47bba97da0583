"""Log-parameters of Pareto/NBD and distinct pasts in, the log-likelihood with its derivatives out; compiled.

A past has many explanations: the customer is alive, or left at some time since the last order. The likelihood is the
sum of their weights, so its logarithm's gradient is the mean of the explanations' gradients, and its Hessian the mean
of their Hessians plus the covariance of their gradients. All are written in the logarithms of the parameters, in terms
of times over scales, so that no digits are lost where a scale is a million times the age.

References
----------
Schmittlein, Morrison & Colombo (1987), Management Science 33, 1-24; Fader & Hardie (2005), "A note on deriving the
Pareto/NBD model and related expressions", for the likelihood as an integral over the time of leaving.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import inlined, lean
from cxsim.models.pareto_nbd.leaving import Moments, log_odds, log_scale, moments
from cxsim.models.special import digamma_rise, lgamma_rise, trigamma_rise

FloatArray = NDArray[np.float64]
Four = tuple[float, float, float, float]


@lean
def value(
    log_params: FloatArray, frequency: FloatArray, last_order: FloatArray, age: FloatArray, weight: FloatArray
) -> float:
    """Return the weighted log-likelihood."""
    r, alpha, s, beta = _natural(log_params)
    known, rise, total = -1.0, 0.0, 0.0
    for i in range(frequency.size):
        x, last = frequency[i], last_order[i]
        if x != known:
            known, rise = x, lgamma_rise(r, x) - x * log_params[1]
        left = log_odds(r + x, s, alpha + last, beta + last, age[i] - last)
        over_alpha, over_beta = math.log1p(age[i] / alpha), math.log1p(age[i] / beta)
        total += weight[i] * (rise - (r + x) * over_alpha - s * over_beta + _log1p_exp(left))
    return total


@lean
def sums(
    log_params: FloatArray,
    frequency: FloatArray,
    last_order: FloatArray,
    age: FloatArray,
    weight: FloatArray,
    out: FloatArray,
) -> None:
    """Write the weighted log-likelihood, its gradient and the upper triangle of its Hessian into `out`."""
    r, alpha, s, beta = _natural(log_params)
    out[:] = 0.0
    known, rise, slope, bend = -1.0, 0.0, 0.0, 0.0
    for i in range(frequency.size):
        x, w, end, last = frequency[i], weight[i], age[i], last_order[i]
        if x != known:
            known, rise = x, lgamma_rise(r, x) - x * log_params[1]
            slope = r * digamma_rise(r, x)
            bend = slope + r * r * trigamma_rise(r, x)
        shape, start_a, start_b, idle = r + x, alpha + last, beta + last, end - last
        end_a, end_b = alpha + end, beta + end
        m = moments(shape, s, start_a, start_b, idle)
        left = log_scale(shape, s, start_a, start_b, idle) + math.log(m[0])
        share = 1.0 / (1.0 + math.exp(-left))
        near_a, near_b, move_a, move_b = alpha / start_a, beta / start_b, m[2] - idle / end_a, m[4] - idle / end_b
        alive = (-r * math.log1p(end / alpha), shape * end / end_a, -s * math.log1p(end / beta), s * end / end_b)
        # The mean gradient of having left, less that of being alive.
        gap = (
            r * (math.log1p(idle / start_a) - m[1]),
            shape * near_a * move_a,
            1.0 + s * (math.log1p(idle / start_b) - m[3]),
            near_b * (m[4] - 1.0 + s * move_b),
        )
        out[0] += w * (rise + shape / r * alive[0] + alive[2] + _log1p_exp(left))
        _add_gradient(out, w, share, (slope, -x), alive, gap)
        out[5] += w * bend
        _add_curvature(out, w, share, (r, alpha, s, beta), x, last, end, alive, gap, m)
        scale = (-r, shape * near_a, -s, (s + 1.0) * near_b)
        _add_spread(out, w * share, 1.0 - share, scale, gap, m)


@inlined
def _natural(log_params: FloatArray) -> Four:
    return math.exp(log_params[0]), math.exp(log_params[1]), math.exp(log_params[2]), math.exp(log_params[3])


@inlined
def _log1p_exp(x: float) -> float:
    """Return log(1 + exp(x)) without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@inlined
def _add_gradient(out: FloatArray, w: float, share: float, shared: tuple[float, float], alive: Four, gap: Four) -> None:
    out[1] += w * (shared[0] + alive[0] + share * gap[0])
    out[2] += w * (shared[1] + alive[1] + share * gap[1])
    out[3] += w * (alive[2] + share * gap[2])
    out[4] += w * (alive[3] + share * gap[3])


@inlined
def _add_curvature(
    out: FloatArray,
    w: float,
    share: float,
    theta: Four,
    x: float,
    last: float,
    end: float,
    alive: Four,
    gap: Four,
    m: Moments,
) -> None:
    """Add the mean Hessian of the explanations, without what they share."""
    r, alpha, s, beta = theta
    shape, near_a, near_b = r + x, alpha / (alpha + last), beta / (beta + last)
    # Of q (1 - q), with q the time over the scale plus the time: alive, and on average over the time of leaving.
    alive_a, alive_b = alpha * end / ((alpha + end) * (alpha + end)), beta * end / ((beta + end) * (beta + end))
    left_a = near_a * (last / (alpha + last) * (1.0 - m[2]) + near_a * (m[2] - m[9]))
    left_b = near_b * (last / (beta + last) * (1.0 - m[4]) + near_b * (m[4] - m[14]))
    out[5] += w * (alive[0] + share * gap[0])
    out[6] += w * (r / shape) * (alive[1] + share * gap[1])
    out[9] -= w * shape * ((1.0 - share) * alive_a + share * left_a)
    out[12] += w * (alive[2] + share * (gap[2] - 1.0))
    out[13] += w * (alive[3] + share * s * near_b * (m[4] - (end - last) / (beta + end)))
    out[14] -= w * ((1.0 - share) * s * alive_b + share * (s + 1.0) * left_b)


@inlined
def _add_spread(out: FloatArray, left: float, alive: float, scale: Four, gap: Four, m: Moments) -> None:
    """Add the covariance of the gradients: within those who left, and between them and those alive."""
    out[5] += left * (scale[0] * scale[0] * (m[5] - m[1] * m[1]) + alive * gap[0] * gap[0])
    out[6] += left * (scale[0] * scale[1] * (m[6] - m[1] * m[2]) + alive * gap[0] * gap[1])
    out[7] += left * (scale[0] * scale[2] * (m[7] - m[1] * m[3]) + alive * gap[0] * gap[2])
    out[8] += left * (scale[0] * scale[3] * (m[8] - m[1] * m[4]) + alive * gap[0] * gap[3])
    out[9] += left * (scale[1] * scale[1] * (m[9] - m[2] * m[2]) + alive * gap[1] * gap[1])
    out[10] += left * (scale[1] * scale[2] * (m[10] - m[2] * m[3]) + alive * gap[1] * gap[2])
    out[11] += left * (scale[1] * scale[3] * (m[11] - m[2] * m[4]) + alive * gap[1] * gap[3])
    out[12] += left * (scale[2] * scale[2] * (m[12] - m[3] * m[3]) + alive * gap[2] * gap[2])
    out[13] += left * (scale[2] * scale[3] * (m[13] - m[3] * m[4]) + alive * gap[2] * gap[3])
    out[14] += left * (scale[3] * scale[3] * (m[14] - m[4] * m[4]) + alive * gap[3] * gap[3])
