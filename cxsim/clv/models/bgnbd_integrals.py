"""Customers who are alive, in rows, in; sums and integrals over the time and the chance of dropout, by stage, out."""

from __future__ import annotations

import math

import numpy as np

from cxsim.clv.models.special import FloatArray, Floats, log_beta_height, log_count_prob, log_gamma_height
from cxsim.jit import counted, lean

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
def _in_interval(k: int, passed: int, shape: float, within: float, n: float) -> Floats:
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


# A tail is cut where the integrand has fallen by exp(-36) = 2e-16.
DROP = 36.0
# The rule errs by |Gamma(a + 2 pi i / step)| / Gamma(a) of a Beta with small a and large b: by 2e-13 at a = 2, and by
# less for all others.
WIDEST_STEP = 0.28
STEP_PER_WIDTH = 0.45
# f moves by less than exp(-38) = 3e-17 of itself beyond a knee by so much.
_STILL = 38.0
_NEWTON_STEPS = 40


@lean
def dropout_rule(a: float, b: float, steepness: float, shape: float) -> tuple[float, float, int]:
    """Return first node, step and number of nodes for E[f(p)], p ~ Beta(a, b)."""
    steep = b + steepness
    # f only pushes the mass to the left, and at most as (1 - p) ** steepness does.
    low = math.log(a / steep) - fall(a, steep)
    high = math.log(a / b) + fall(b, a)
    low = max(low, -math.log1p(a + steep) - _STILL)
    high = min(high, math.log1p(a + shape) + _STILL)
    step = min(WIDEST_STEP, STEP_PER_WIDTH * math.sqrt(1.0 / a + 1.0 / steep))
    return low, step, math.ceil((high - low) / step) + 1


@lean
def fall(falling: float, other: float) -> float:
    """Return how far from its mode, on the side of `falling`, the density of logit(p) has fallen by `DROP`."""
    total = falling + other
    share = falling / total
    # Newton's method from above on a convex function: every iterate is far enough.
    distance = (DROP - total * math.log1p(-share)) / falling
    for _ in range(_NEWTON_STEPS):
        moved = share * -math.expm1(-distance)
        excess = falling * distance + total * math.log1p(-moved) - DROP
        slope = falling - total * share * math.exp(-distance) / (1.0 - moved)
        if excess <= 1e-3 * DROP or slope <= 0.0:
            break
        distance -= excess / slope
    return distance


@lean
def log_node(u: float) -> Floats:
    """Return log(p) and log(1 - p) at logit(p) = u."""
    rest = math.log1p(math.exp(-abs(u)))
    return min(u, 0.0) - rest, min(-u, 0.0) - rest


@lean
def end_weight(node: int, nodes: int, step: float, a: float, b: float) -> float:
    """Return the weight of a node: 1, and at the ends that of all that lie beyond."""
    weight = 1.0
    if node == 0:
        weight /= -math.expm1(-a * step)
    if node == nodes - 1:
        weight /= -math.expm1(-b * step)
    return weight


# Above so large a p the filter's terms cancel, while few powers of 1 - p matter: 0.01^9 is below the last bit.
_NEARLY_ONE = 0.99
_POWERS = 9


@lean
def survival_and_orders_by_integrals(k: int, stage: int, shape: float, reach: float, a: float, b: float) -> Floats:
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
def _by_roots(k: int, stage: int, shape: float, reach: float, log_p: float, log_q: float) -> Floats:
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


_LIFELONG_NEWTON_STEPS = 12


@counted
def lifelong_rows(
    first: int, last: int, shape: FloatArray, total: FloatArray, b: FloatArray, a: float, rate: float, out: FloatArray
) -> None:
    """Write all orders to come, discounted at `rate`, to rows `first` to `last` of `out`."""
    for i in range(first, last):
        k = out.shape[1]
        out[i] = 0.0
        low, step, nodes = _rate_rule(shape[i], k, rate * total[i])
        # At the last node the next k stages leave most of an order's value.
        far = _lost(math.exp(low + (nodes - 1) * step) / (rate * total[i]), k)
        p, weights = _dropout_nodes(a, b[i], 1.0 / far)
        mode, height = math.log(shape[i]), log_gamma_height(shape[i]) + math.log(step)
        for node in range(nodes):
            u = low + node * step
            events = math.exp(u)
            odds = events / (rate * total[i])
            lost = _lost(odds, k)
            density = math.exp(height + shape[i] * (u - mode - math.expm1(u - mode)))
            _add(out[i], density * _mean_inverse(p, weights, lost), events, shape[i], odds / (1.0 + odds))


@lean
def _add(out: FloatArray, weight: float, events: float, shape: float, kept: float) -> None:
    """Add one node's orders to each stage; a stage that has passed raises the shape of the rate by 1."""
    k = out.size
    for j in range(k):
        out[j] += weight * kept ** (k - j)
        weight *= events / (shape + j)


@lean
def _lost(odds: float, k: int) -> float:
    """Return the share of its value that an order loses over k stages."""
    return -math.expm1(-k * math.log1p(1.0 / odds))


@lean
def _mean_inverse(p: FloatArray, weights: FloatArray, lost: float) -> float:
    """Return E[1 / (1 - (1 - p) (1 - lost))], the orders ever, each discounted by more than the one before."""
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
    for _ in range(_LIFELONG_NEWTON_STEPS):
        below -= (shape * (math.expm1(-below) + below) - DROP) / (shape * -math.expm1(-below))
        above -= (most * (math.expm1(above) - above) - DROP) / (most * math.expm1(above))
    low = max(left - below, min(left, math.log(bend)) - DROP)
    step = min(WIDEST_STEP, STEP_PER_WIDTH / math.sqrt(most))
    return low, step, math.ceil((right + above - low) / step) + 1


@lean
def terms_needed(shape: float, reach: float) -> float:
    """Return a bound on the terms which `survival_and_orders_by_sums` adds; infinite where the first one underflows."""
    if shape * math.log1p(reach) > 600.0:
        return math.inf
    mean = shape * reach
    return mean + 9.0 * math.sqrt(mean * (1.0 + reach)) + 37.0 * (1.0 + reach)


@lean
def survival_and_orders_by_sums(k: int, stage: int, shape: float, reach: float, a: float, b: float) -> Floats:
    """Return P(alive after the time) and the expected orders in it."""
    prob, limit = math.exp(-shape * math.log1p(reach)), reach / (1.0 + reach)
    stays, had, orders_done, passed, n = 1.0, 0.0, 0.0, stage, 0.0
    survival = orders = 0.0
    while True:
        survival += prob * stays
        orders += prob * had
        ratio = limit * (shape + n) / (n + 1.0)
        # No later ratio exceeds this one, and `had` grows by less than `stays` per term.
        worst = max(ratio, limit)
        rest, ahead = 1.0 - worst, prob * worst
        if (
            rest > 0.0
            and n >= k
            and ahead * stays <= _LEFT_OUT * survival * rest
            and ahead * (had * rest + stays) <= _LEFT_OUT * orders * rest * rest
        ):
            return survival, orders
        prob *= ratio
        n += 1.0
        passed += 1
        if passed == k:
            passed = 0
            had += stays
            stays *= (b + orders_done) / (a + b + orders_done)
            orders_done += 1.0
