"""Powers, scales and an end in, integrals of products of falling powers of time up to that end out; compiled.

All are taken in y = log(1 + t / c), c the smallest scale, where the integrands are analytic for |Im y| < pi: panel by
panel with Gauss and Legendre's rule, no panel longer than _PANEL.
"""

from __future__ import annotations

import math

import numpy as np

from cxsim.clv.models.special import FloatArray, Floats, digamma_rise, lgamma_rise, log1p_exp, trigamma_rise, unit_rule
from cxsim.jit import inlined, lean

# On a panel of this length 32 nodes hold 1e-13 of the integral, though it fall by exp(-80) (measured in the tests).
_PANEL = 4.0
_NODES, _WEIGHTS = unit_rule(32)
# Of an integral no more than exp(-40), 4e-18, lies beyond its upper end.
_DROP = 40.0
# A bump's end need not be known well: it is where nothing matters.
_BISECTIONS = 8


@lean
def power_integral(power_a: float, power_b: float, a: float, b: float, end: float) -> float:
    """Return the integral of (1 + t / a)^-power_a (1 + t / b)^-power_b over 0 < t < end."""
    if end <= 0.0:
        return 0.0
    near, far, power_near, power_far = a, b, power_a, power_b
    if b < a:
        near, far, power_near, power_far = b, a, power_b, power_a
    length, ratio, fall = math.log1p(end / near), near / far, power_a + power_b - 1.0
    # From here on far + t is t to all digits, so that the integrand is exp(-fall y).
    plain = math.log1p(far / near) + math.log1p(power_far) + _DROP
    top = min(length, plain)
    if (power_near - 1.0) * top > _DROP:
        top = _DROP / (power_near - 1.0)
    if (power_far - 1.0) * math.log1p(ratio * math.expm1(top)) > _DROP:
        top = math.log1p(math.expm1(_DROP / (power_far - 1.0)) / ratio)
    panels = max(1, math.ceil(top / _PANEL))
    step, total = top / panels, 0.0
    for panel in range(panels):
        for i in range(_NODES.size):
            y = step * (panel + _NODES[i])
            far_log = math.log1p(ratio * math.expm1(y))
            total += step * _WEIGHTS[i] * math.exp((1.0 - power_near) * y - power_far * far_log)
    if top == plain:
        last = math.exp((1.0 - power_near) * top - power_far * math.log1p(ratio * math.expm1(top)))
        total += last * -math.expm1(-fall * (length - top)) / fall
    return near * total


@lean
def discounted_integral(power: float, b: float, rate: float, end: float) -> float:
    """Return the integral of exp(-rate t) (1 + t / b)^-power over 0 < t < end."""
    if end <= 0.0:
        return 0.0
    top, steep = math.log1p(end / b), rate * b
    if rate * end > _DROP:
        top = math.log1p(_DROP / steep)
    if (power - 1.0) * top > _DROP:
        top = _DROP / (power - 1.0)
    panels = max(1, math.ceil(top / _PANEL))
    step, total = top / panels, 0.0
    for panel in range(panels):
        for i in range(_NODES.size):
            y = step * (panel + _NODES[i])
            total += step * _WEIGHTS[i] * math.exp((1.0 - power) * y - steep * math.expm1(y))
    return b * total


@lean
def log_bump(u: float, count: float, power_a: float, power_b: float, a: float, b: float) -> float:
    """Return the log of u times the integrand of `bump_integral`: concave in log(u)."""
    share = -math.log1p(a / u)
    return math.log(u) + count * share - power_a * math.log1p(u / a) - power_b * math.log1p(u / b)


@lean
def bump_integral(count: float, power_a: float, power_b: float, a: float, b: float, end: float) -> Floats:
    """Return the integral of (u / (a + u))^count (1 + u / a)^-power_a (1 + u / b)^-power_b over 0 < u < end."""
    near = min(a, b)
    mode = _mode(count, power_a, power_b, a, b, end)
    peak = log_bump(mode, count, power_a, power_b, a, b)
    outer, step = 0.5 * mode, 0.5
    while peak - log_bump(outer, count, power_a, power_b, a, b) < _DROP:
        step *= step
        outer = mode * step
    low = _where_fallen(mode, outer, count, power_a, power_b, a, b, peak)
    high = _where_fallen(mode, end, count, power_a, power_b, a, b, peak)
    total = 0.0
    # A panel on either side of the mode at least, so that none sees more of the bump than its half.
    for side in range(2):
        left, right = (low, mode) if side == 0 else (mode, high)
        length = math.log1p((right - left) / (near + left))
        panels = math.ceil(length / _PANEL)
        for panel in range(panels):
            for i in range(_NODES.size):
                y = length / panels * (panel + _NODES[i])
                u = left + (near + left) * math.expm1(y)
                weight = length / panels * _WEIGHTS[i] * (near + u) / u
                total += weight * math.exp(log_bump(u, count, power_a, power_b, a, b) - peak)
    return peak, total


@lean
def _mode(count: float, power_a: float, power_b: float, a: float, b: float, end: float) -> float:
    """Return about where `log_bump` is largest up to `end`."""
    high = end
    if 1.0 + count - (count + power_a) * high / (a + high) - power_b * high / (b + high) >= 0.0:
        return high
    low = min(high, min(a, b) * (1.0 + count) / (count + power_a + power_b))
    # The geometric mean halves the bracket in log(u).
    while high > 1.0001 * low:
        middle = math.sqrt(low) * math.sqrt(high)
        if 1.0 + count - (count + power_a) * middle / (a + middle) - power_b * middle / (b + middle) > 0.0:
            low = middle
        else:
            high = middle
    return low


@lean
def _where_fallen(
    inner: float, outer: float, count: float, power_a: float, power_b: float, a: float, b: float, peak: float
) -> float:
    """Return a place between the mode and `outer` where `log_bump` has fallen by _DROP, or `outer` if none has."""
    if peak - log_bump(outer, count, power_a, power_b, a, b) < _DROP:
        return outer
    for _ in range(_BISECTIONS):
        middle = math.sqrt(inner) * math.sqrt(outer)
        if peak - log_bump(middle, count, power_a, power_b, a, b) < _DROP:
            inner = middle
        else:
            outer = middle
    return outer


# Of the integral no more than exp(-37), 1e-16, lies beyond the upper end.
_LEAVING_DROP = 37.0
# Nodes for a logarithmic length L of the interval and a fall F of the integrand's logarithm along it, at least
# _LEAST + _PER_LENGTH * L and _LEAST + _PER_FALL * sqrt(F): 1e-13 of the integral (measured in the tests).
_SIZES = (6, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64)
_LEAST, _PER_LENGTH, _PER_FALL = 4.0, 4.0, 4.0


_RULES = [unit_rule(size) for size in _SIZES]
# One after the other.
_LEAVING_NODES = np.concatenate([nodes for nodes, _ in _RULES])
_LEAVING_WEIGHTS = np.concatenate([weights for _, weights in _RULES])


@inlined
def log_odds(shape: float, s: float, start_a: float, start_b: float, idle: float) -> float:
    """Return log(P(left) / P(alive)); minus infinity for a customer who has just ordered."""
    if idle <= 0.0:
        return -math.inf
    length, first, stop = _reach(shape, s, start_a, start_b, idle)
    a_is_near = start_a <= start_b
    near, far = (start_a, start_b) if a_is_near else (start_b, start_a)
    power_near, power_far = (1.0 - shape, s + 1.0) if a_is_near else (-s, shape)
    ratio, total = near / far, 0.0
    for i in range(first, stop):
        y = length * _LEAVING_NODES[i]
        total += _LEAVING_WEIGHTS[i] * math.exp(power_near * y - power_far * math.log1p(ratio * math.expm1(y)))
    return log_scale(shape, s, start_a, start_b, idle) + math.log(near * length * total)


@inlined
def log_scale(shape: float, s: float, start_a: float, start_b: float, idle: float) -> float:
    """Return the log of the weight of having left just after the last order, over that of being alive, per time."""
    return math.log(s / start_b) + s * math.log1p(idle / start_b) + shape * math.log1p(idle / start_a)


@inlined
def moments(shape: float, s: float, start_a: float, start_b: float, idle: float) -> Floats:
    """Return the integral, then means and products of four functions of the time u of dropout.

    The four are a = log(1 + u / start_a), f = u / (start_a + u), and b, g, the same two with start_b. In order: the
    integral; a, f, b, g; aa, af, ab, ag, ff, fb, fg, bb, bg, gg. All are 0 for a customer who has just ordered.
    """
    if idle <= 0.0:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    length, first, stop = _reach(shape, s, start_a, start_b, idle)
    near = min(start_a, start_b)
    total, m_a, m_f, m_b, m_g = 0.0, 0.0, 0.0, 0.0, 0.0
    aa, af, ab, ag, ff = 0.0, 0.0, 0.0, 0.0, 0.0
    fb, fg, bb, bg, gg = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(first, stop):
        y = length * _LEAVING_NODES[i]
        u = near * math.expm1(y)
        a = y if start_a <= start_b else math.log1p(u / start_a)
        b = y if start_b <= start_a else math.log1p(u / start_b)
        f, g = u / (start_a + u), u / (start_b + u)
        w = _LEAVING_WEIGHTS[i] * math.exp(y - (s + 1.0) * b - shape * a)
        total += w
        m_a, m_f, m_b, m_g = m_a + w * a, m_f + w * f, m_b + w * b, m_g + w * g
        aa, af, ab, ag, ff = aa + w * a * a, af + w * a * f, ab + w * a * b, ag + w * a * g, ff + w * f * f
        fb, fg, bb, bg, gg = fb + w * f * b, fg + w * f * g, bb + w * b * b, bg + w * b * g, gg + w * g * g
    t = 1.0 / total
    return (
        near * length * total,
        *(m_a * t, m_f * t, m_b * t, m_g * t),
        *(aa * t, af * t, ab * t, ag * t, ff * t, fb * t, fg * t, bb * t, bg * t, gg * t),
    )


@inlined
def _reach(shape: float, s: float, start_a: float, start_b: float, idle: float) -> tuple[float, int, int]:
    """Return the upper end in y, and the rule's first node and the end of its nodes."""
    length_a, length_b = math.log1p(idle / start_a), math.log1p(idle / start_b)
    end = idle
    if s * length_b > _LEAVING_DROP:
        end = start_b * math.expm1(_LEAVING_DROP / s)
    if (shape - 1.0) * length_a > _LEAVING_DROP:
        end = min(end, start_a * math.expm1(_LEAVING_DROP / (shape - 1.0)))
    if end < idle:
        length_a, length_b = math.log1p(end / start_a), math.log1p(end / start_b)
    length = max(length_a, length_b)
    fall = abs((s + 1.0) * length_b + shape * length_a - length)
    wanted = _LEAST + max(_PER_LENGTH * length, _PER_FALL * math.sqrt(fall))
    first, size = 0, 0
    for candidate in _SIZES:
        first += size
        size = candidate
        if size >= wanted:
            break
    return length, first, first + size


@lean
def likelihood_sum(
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
        total += weight[i] * (rise - (r + x) * over_alpha - s * over_beta + log1p_exp(left))
    return total


@lean
def likelihood_derivatives(
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
        out[0] += w * (rise + shape / r * alive[0] + alive[2] + log1p_exp(left))
        _add_gradient(out, w, share, (slope, -x), alive, gap)
        out[5] += w * bend
        _add_curvature(out, w, share, (r, alpha, s, beta), x, last, end, alive, gap, m)
        scale = (-r, shape * near_a, -s, (s + 1.0) * near_b)
        _add_spread(out, w * share, 1.0 - share, scale, gap, m)


@inlined
def _natural(log_params: FloatArray) -> Floats:
    return math.exp(log_params[0]), math.exp(log_params[1]), math.exp(log_params[2]), math.exp(log_params[3])


@inlined
def _add_gradient(out: FloatArray, w: float, share: float, shared: Floats, alive: Floats, gap: Floats) -> None:
    out[1] += w * (shared[0] + alive[0] + share * gap[0])
    out[2] += w * (shared[1] + alive[1] + share * gap[1])
    out[3] += w * (alive[2] + share * gap[2])
    out[4] += w * (alive[3] + share * gap[3])


@inlined
def _add_curvature(
    out: FloatArray,
    w: float,
    share: float,
    theta: Floats,
    x: float,
    last: float,
    end: float,
    alive: Floats,
    gap: Floats,
    m: Floats,
) -> None:
    """Add the mean Hessian of the explanations, without what they share."""
    r, alpha, s, beta = theta
    shape, near_a, near_b = r + x, alpha / (alpha + last), beta / (beta + last)
    # Of q (1 - q), with q the time over the scale plus the time: alive, and on average over the time of dropout.
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
def _add_spread(out: FloatArray, left: float, alive: float, scale: Floats, gap: Floats, m: Floats) -> None:
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
