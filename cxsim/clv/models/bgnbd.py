"""Parameters of BG/NBD and its relatives, and pasts of customers, in; likelihoods and what comes, by stage, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaln, gammaln, logsumexp

from cxsim.clv.models.bgnbd_integrals import (
    count_rows,
    lifelong_rows,
    survival_and_orders_by_integrals,
    survival_and_orders_by_sums,
    terms_needed,
)
from cxsim.clv.models.special import (
    FloatArray,
    Floats,
    digamma,
    each_row,
    log1p_exp,
    require_positive,
    to_logs,
    trigamma,
)
from cxsim.errors import DataError, ParamError
from cxsim.jit import inlined, lean

Three = tuple[float, float, float]

# Beyond so many stages an order comes like clockwork, and a model of chance says nothing of it.
MOST_STAGES = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class BetaGeometricParams:
    """Parameters of BG/NBD, MBG/NBD and their relatives for regular buyers, BG/CNBD-k and MBG/CNBD-k.

    Attributes
    ----------
    r, alpha
        Shape and rate of the Gamma distribution of purchase rates; `alpha` carries the unit of time.
    a, b
        Shapes of the Beta distribution of the chance of dropout after an order.
    k
        Stages of the Erlang distribution of the time between orders, 1 to 60: with 1, orders come by pure chance; the
        more, the more regularly. The mean gap is k over the purchase rate.
    leaves_after_first
        Whether a customer may leave after the first order already, as in the MBG models.
    """

    r: float
    alpha: float
    a: float
    b: float
    k: int = 1
    leaves_after_first: bool = False

    def __post_init__(self) -> None:
        require_positive("BG/NBD", {"r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b})
        if type(self.k) is not int or not 1 <= self.k <= MOST_STAGES:
            raise ParamError(f"BG/CNBD-k: k is {self.k!r}; it must be a whole number from 1 to {MOST_STAGES}.")


# About so many terms of the sum cost as much as the integral: some 200 nodes, with k / 2 powers each.
_SUM_UP_TO = 2500.0
# Sums of more would take a second for each number.
_MOST_TERMS = 1e7


def survival_ahead(params: BetaGeometricParams, x: FloatArray, age: FloatArray, *, time: FloatArray) -> FloatArray:
    """Return P(alive after `time`), given alive now with j stages of the next order passed; one more axis, length k.

    The purchase rate is Gamma(r + k x + j, alpha + age), and the chance of dropout after an order Beta(a, b + x), or
    Beta(a, b + x + 1) for customers who also had that chance after the first order; the two are independent.
    """
    return _in_time(params, x, age, time)[0]


def orders_ahead(params: BetaGeometricParams, x: FloatArray, age: FloatArray, *, time: FloatArray) -> FloatArray:
    """Return the orders expected in the next `time`, given alive now with j stages passed; one more axis, length k.

    For k = 1, Fader, Hardie & Lee (2005), equation (10) over P(alive). The closed form, with Gauss' 2F1, is 0/0 for a
    = 1 and the logarithm of a negative number for a + b < 1; neither the sum nor the integral here is.
    """
    return _in_time(params, x, age, time)[1]


def next_order_ahead(params: BetaGeometricParams, x: FloatArray, age: FloatArray, *, time: FloatArray) -> FloatArray:
    """Return P(the next order comes within `time`), given alive now with j stages passed; one more axis, length k.

    1 where `time` is infinite, because nobody leaves here but after an order.
    """
    x, age, time = np.broadcast_arrays(x, age, time)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isinf(time), 1.0, time / (params.alpha + age + time))[..., None]
    stages = np.arange(params.k)
    return np.asarray(betainc(params.k - stages, params.r + params.k * x[..., None] + stages, share))


def _in_time(
    params: BetaGeometricParams, x: FloatArray, age: FloatArray, time: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return both survival and orders."""
    columns = params.r + params.k * x, time / (params.alpha + age), params.b + x + params.leaves_after_first
    survival, orders = each_row(_in_time_rows, columns, (params.a,), outputs=(params.k, params.k))
    return survival, orders


@lean
def _in_time_rows(
    first: int,
    last: int,
    shape: FloatArray,
    reach: FloatArray,
    b: FloatArray,
    a: float,
    survival: FloatArray,
    orders: FloatArray,
) -> None:
    k = survival.shape[1]
    for i in range(first, last):
        for j in range(k):
            alive, ordered = 1.0, 0.0
            if reach[i] > 0.0:
                alive, ordered = survival_and_orders(k, j, shape[i] + j, reach[i], a, b[i])
            survival[i, j], orders[i, j] = min(alive, 1.0), ordered


@lean
def survival_and_orders(k: int, stage: int, shape: float, reach: float, a: float, b: float) -> Floats:
    """Return P(alive after the time) and the expected orders in it, by the cheaper of the two ways."""
    if terms_needed(shape, reach) <= _SUM_UP_TO * k:
        return survival_and_orders_by_sums(k, stage, shape, reach, a, b)
    return survival_and_orders_by_integrals(k, stage, shape, reach, a, b)


def count_probs_ahead(
    params: BetaGeometricParams,
    x: FloatArray,
    age: FloatArray,
    *,
    start: FloatArray,
    end: FloatArray,
    counts: FloatArray,
) -> FloatArray:
    """Return P(exactly `counts` orders between two times from now), given alive now with j stages passed; k of them.

    Sums to 1 over all `counts`, as whoever leaves before `start` orders 0 times.

    For a new customer, k = 1 and start 0, Fader, Hardie & Lee (2005), equation (8). Stages before and in the interval
    are negative multinomial; the sum runs over those before it.
    """
    x, age, start, end, counts = np.broadcast_arrays(x, age, start, end, counts)
    total, b = params.alpha + age, params.b + x + params.leaves_after_first
    shape, before, within = params.r + params.k * x, start / total, (end - start) / (total + start)
    mean = shape * before
    sd = np.sqrt(mean * (1.0 + before))
    # Nine standard deviations below the mean 1e-18 is left; where the shape is small, that is below 0.
    lowest = np.maximum(np.floor(mean - 9.0 * sd), 0.0)
    if (mean - lowest + 9.0 * sd + 37.0 * (1.0 + before) > _MOST_TERMS).any():
        raise DataError(f"more than {_MOST_TERMS:g} stages may pass before start; let start lie nearer.")
    first = (lowest + shape)[..., None] + np.arange(params.k)
    ordered = np.maximum(params.k * counts, 1.0)[..., None]
    reached = betainc(ordered, first, (within / (1.0 + within))[..., None])
    reached = np.where(counts[..., None] > 0, reached, 1.0).reshape(-1, params.k)
    columns = (shape, before, within, b, counts, lowest)
    (probs,) = each_row(count_rows, columns, (params.a, reached), outputs=(params.k,))
    return probs


_NODES = 16
_GAUSS_X, _GAUSS_W = np.polynomial.legendre.leggauss(_NODES)
# Regular orders beat in time until chance has put them out of step, some 2 k beats from now. The first panels follow.
_OUT_OF_STEP = 35.0


@lean
def finite_rows(
    first: int,
    last: int,
    shape: FloatArray,
    total: FloatArray,
    b: FloatArray,
    a: float,
    rate: float,
    horizon: float,
    out: FloatArray,
) -> None:
    """Write the orders up to `horizon`, discounted at `rate`, to rows `first` to `last` of `out`."""
    k = out.shape[1]
    for i in range(first, last):
        for j in range(k):
            out[i, j] = 0.0
            reach = horizon / total[i]
            if reach > 0.0:
                out[i, j] = _discounted_orders(k, j, shape[i] + j, a, b[i], rate * total[i], reach)


@lean
def _discounted_orders(k: int, stage: int, shape: float, a: float, b: float, rate: float, reach: float) -> float:
    """Return the discounted orders within `reach`; times are in units of the rate of the Gamma distribution."""
    _, orders = survival_and_orders(k, stage, shape, reach, a, b)
    total = math.exp(-rate * reach) * orders
    # Orders change at times of order 1 / (1 + their number per unit of time); nodes are spread evenly in log time.
    scale = 1.0 / (1.0 + 0.1 * shape)
    beats = 0.0
    if k > 1:
        beats = min(reach, _OUT_OF_STEP / (shape * (1.0 - math.cos(2.0 * math.pi / k))))
        total += _panels(k, stage, shape, a, b, rate, 0.0, beats, scale, 1 + k // 2)
    if reach > beats:
        total += _panels(k, stage, shape, a, b, rate, beats, reach, scale, 1 + int(rate * reach / 4.0))
    return total


@lean
def _panels(
    k: int,
    stage: int,
    shape: float,
    a: float,
    b: float,
    rate: float,
    start: float,
    end: float,
    scale: float,
    panels: int,
) -> float:
    """Return rate times the integral of exp(-rate t) E(t) by Gauss and Legendre's rule in log(1 + t / scale)."""
    low, high = math.log1p(start / scale), math.log1p(end / scale)
    half = 0.5 * (high - low) / panels
    total = 0.0
    for panel in range(panels):
        for node in range(_NODES):
            y = low + half * (2.0 * panel + 1.0 + _GAUSS_X[node])
            time = scale * math.expm1(y)
            _, orders = survival_and_orders(k, stage, shape, time, a, b)
            total += half * _GAUSS_W[node] * scale * math.exp(y) * rate * math.exp(-rate * time) * orders
    return total


# An order so many times 1 / rate from now counts exp(-45) = 3e-20: the horizon has no end.
_ENDLESS = 45.0


def discounted_orders_ahead(
    params: BetaGeometricParams, x: FloatArray, age: FloatArray, *, rate: float, horizon: float
) -> FloatArray:
    """Return the orders to come, each as exp(-rate * t) if it comes at t, given alive now with j stages passed.

    Given purchase rate l and chance p of dropout, y = l / (l + rate) is what a stage to come leaves of an order's
    value, and all orders to come sum to y^(k - j) / (1 - (1 - p) y^k): DERT is its mean. A finite horizon is
    integrated by parts: rate times the integral of exp(-rate t) E(t), plus exp(-rate horizon) E(horizon), with E of
    `orders_ahead`.
    """
    if rate == 0.0:
        return orders_ahead(params, x, age, time=np.asarray(horizon))
    columns = params.r + params.k * x, params.alpha + age, params.b + x + params.leaves_after_first
    if rate * horizon > _ENDLESS:
        (orders,) = each_row(lifelong_rows, columns, (params.a, rate), outputs=(params.k,))
    else:
        (orders,) = each_row(finite_rows, columns, (params.a, rate, horizon), outputs=(params.k,))
    return orders


def log_likelihood(params: BetaGeometricParams, x: FloatArray, last: FloatArray, age: FloatArray) -> FloatArray:
    """Return the log-likelihood of each customer's past, finite up to a million orders.

    For k > 1 the term (k - 1) * sum(log gaps), which no parameter moves, is left out.

    Fader, Hardie & Lee (2005), Marketing Science 24, 275-284, equation (6); Platzer & Reutterer (2016), Marketing
    Science 35, 779-799, appendix, for k > 1 and for dropout after the first order.
    """
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    shape, chances = r + params.k * x, x + params.leaves_after_first
    shared = gammaln(shape) - gammaln(r) + betaln(a, b + chances) - betaln(a, b) - x * math.lgamma(params.k)
    # alpha^r (alpha + age)^-shape, without the difference of two large logarithms where alpha is large.
    shared = shared - r * np.log1p(age / alpha) - params.k * x * np.log(alpha + age)
    alive, left = _log_parts(params, x, last, age)
    return np.asarray(shared + np.logaddexp(logsumexp(alive, axis=-1), left))


def phase_probs(params: BetaGeometricParams, x: FloatArray, last: FloatArray, age: FloatArray) -> FloatArray:
    """Return P(alive, and j of k stages passed since the last order); one more axis, length k; sums to P(alive).

    Fader & Hardie (2008), "Computing P(alive) using the BG/NBD model", note 021; Platzer & Reutterer (2016).
    """
    alive, left = _log_parts(params, x, last, age)
    total = np.logaddexp(logsumexp(alive, axis=-1), left)
    return np.asarray(np.minimum(np.exp(alive - total[..., None]), 1.0))


def phase_probs_new(params: BetaGeometricParams) -> FloatArray:
    """Return the same right after the first order, shape (k,): no stage has passed, but some may have left."""
    probs = np.zeros(params.k)
    probs[0] = params.b / (params.a + params.b) if params.leaves_after_first else 1.0
    return probs


def _log_parts(
    params: BetaGeometricParams, x: FloatArray, last: FloatArray, end: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the logarithms of (alive, j stages) and of (left), both over that of (alive, no stage)."""
    shape, idle = params.r + params.k * x, end - last
    stages = np.zeros((*x.shape, params.k))
    with np.errstate(divide="ignore"):
        share = np.log(idle) - np.log(params.alpha + end)
    for j in range(1, params.k):
        stages[..., j] = stages[..., j - 1] + np.log((shape + j - 1.0) / j) + share
    chances = x + params.leaves_after_first
    odds = np.log(params.a) - np.log(params.b + np.maximum(chances, 1.0) - 1.0)
    left = odds + shape * np.log1p(idle / (params.alpha + last))
    return stages, np.where(chances > 0, left, -np.inf)


@lean
def likelihood_sum(
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
        total += weight[i] * (common - shape * math.log(end) + log_phases + log1p_exp(left))
    return total


@lean
def likelihood_derivatives(
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
        out[0] += w * (common - shape * math.log(end) + log_phases + log1p_exp(left))
        _add_gradient(out, w, share, slopes, alive, gap)
        _add_curvature(out, w, share, bends, alive_bends, gap)
        _add_dropout(out, w * share, -1.0 / start, shape / (start * start), 1.0 / (a * a), 1.0 / (stays * stays))
    _add_scale(out, weight.sum(), r, alpha)
    to_logs(out, (r, alpha, a, b))


@inlined
def _constants(r: float, alpha: float, a: float, b: float, x: float, k: int, first: int) -> Floats:
    """Return the logarithms of what all explanations of a frequency share, and of the odds of dropout at an order."""
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
def _alive(shape: float, end: float, ratio: float, k: int) -> tuple[float, Floats, Three]:
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
    alive: Floats,
    gap: Floats,
) -> None:
    out[1] += w * (slopes[0] + alive[0] + share * gap[0])
    out[2] += w * (alive[1] + share * gap[1])
    out[3] += w * (slopes[1] + share * gap[2])
    out[4] += w * (slopes[2] + share * gap[3])


@inlined
def _add_curvature(out: FloatArray, w: float, share: float, bends: Three, alive: Three, gap: Floats) -> None:
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
def _add_dropout(out: FloatArray, left: float, r_alpha: float, alpha_alpha: float, a_a: float, b_b: float) -> None:
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
