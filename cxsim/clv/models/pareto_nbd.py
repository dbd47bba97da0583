"""Parameters of Pareto/NBD and pasts of customers in; likelihoods and what is to come out.

Given that a customer is alive, the purchase rate is Gamma(r + x, alpha + age) and the hazard of dropout
Gamma(s, beta + age), independent of each other and of when the last order came.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from cxsim.clv.models.pareto_integrals import (
    bump_integral,
    discounted_integral,
    likelihood_sum,
    log_odds,
    power_integral,
)
from cxsim.clv.models.special import FloatArray, each_row, lgamma_rise, log1p_exp, require_positive, unit_rule
from cxsim.jit import counted, inlined, lean


@dataclass(frozen=True, kw_only=True, slots=True)
class ParetoNbdParams:
    """Parameters of the Pareto/NBD model.

    Attributes
    ----------
    r, alpha
        Shape and rate of the Gamma distribution of purchase rates; `alpha` carries the unit of time.
    s, beta
        Shape and rate of the Gamma distribution of the hazard of dropout; `beta` carries the unit of time.
    k
        Orders come by pure chance: 1 stage between them.
    leaves_after_first
        Nobody leaves with an order.
    """

    r: float
    alpha: float
    s: float
    beta: float
    k: ClassVar[int] = 1
    leaves_after_first: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require_positive("Pareto/NBD", asdict(self))


def survival_ahead(params: ParetoNbdParams, x: FloatArray, age: FloatArray, *, time: FloatArray) -> FloatArray:
    """Return P(alive after `time`), given alive now; one more axis of length 1, as in all that looks ahead.

    Schmittlein, Morrison & Colombo (1987): the Pareto distribution of the second kind, whose scale grows with age.
    """
    _, age, time = np.broadcast_arrays(x, age, time)
    return np.exp(-params.s * np.log1p(time / (params.beta + age)))[..., None]


def orders_ahead(params: ParetoNbdParams, x: FloatArray, age: FloatArray, *, time: FloatArray) -> FloatArray:
    """Return the orders in the next `time` that are expected of a customer who is alive now.

    Schmittlein, Morrison & Colombo (1987), equation (22) over P(alive); written so that it holds for s = 1 too.
    """
    length = np.log1p(time / (params.beta + age))
    bend = (params.s - 1.0) * length
    lifetime = (
        (params.beta + age) * length * np.divide(-np.expm1(-bend), bend, out=np.ones_like(bend), where=bend != 0.0)
    )
    return ((params.r + x) / (params.alpha + age) * lifetime)[..., None]


def discounted_orders_ahead(
    params: ParetoNbdParams, x: FloatArray, age: FloatArray, *, rate: float, horizon: float
) -> FloatArray:
    """Return the orders expected of a customer who is alive now, each as exp(-rate * t) if it comes at t from now.

    Fader, Hardie & Lee (2005), Journal of Marketing Research 42, 415-430, equation (2), is the infinite horizon with
    Tricomi's function; here the integral over time of the discounted survival.
    """
    # Ages are few and customers are many.
    ages, place = np.unique(age, return_inverse=True)
    constants = (params.s, params.beta, float(rate), float(horizon))
    (lifetime,) = each_row(_discounted_rows, (ages,), constants, outputs=(1,))
    return np.asarray(((params.r + x) / (params.alpha + age) * lifetime[place.reshape(np.shape(age)), 0])[..., None])


def next_order_ahead(params: ParetoNbdParams, x: FloatArray, age: FloatArray, *, time: FloatArray) -> FloatArray:
    """Return P(the next order comes within `time`), given alive now.

    The density of the first order at u, times the probability of still being alive by then, over all u up to `time`.
    """
    columns = (params.r + x, params.alpha + age, params.beta + age, time)
    (chance,) = each_row(_next_rows, columns, (params.s,), outputs=(1,))
    return np.minimum(chance, 1.0)


@lean
def _discounted_rows(
    first: int,
    stop: int,
    age: FloatArray,
    s: float,
    beta: float,
    rate: float,
    horizon: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        out[i, 0] = discounted_integral(s, beta + age[i], rate, horizon)


@lean
def _next_rows(
    first: int,
    stop: int,
    shape: FloatArray,
    scale_orders: FloatArray,
    scale_dropout: FloatArray,
    time: FloatArray,
    s: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        integral = power_integral(shape[i] + 1.0, s, scale_orders[i], scale_dropout[i], time[i])
        out[i, 0] = shape[i] / scale_orders[i] * integral


# Three nodes a day. Nobody has more repeat orders than days behind them, so that integrands fall by no more than a
# factor of e a day, and the rule is right to 1e-6 of a customer's odds, for most to 1e-10.
_NODES, _WEIGHTS = unit_rule(3)
# Days: with shorter scales the integrand changes within the first day.
_SHORTEST = 3.0
_LARGEST = 1e290
# Days of the table that cost as much as one past by itself.
_DAYS_PER_PAST = 12


@counted
def likelihood_sum_by_day(
    log_params: FloatArray, frequency: FloatArray, last_order: FloatArray, age: FloatArray, weight: FloatArray
) -> float:
    """Return the weighted log-likelihood, to 1e-6 for each customer at worst."""
    r, alpha = math.exp(log_params[0]), math.exp(log_params[1])
    s, beta = math.exp(log_params[2]), math.exp(log_params[3])
    if min(alpha, beta) < _SHORTEST:
        return likelihood_sum(log_params, frequency, last_order, age, weight)
    days = int(age.max()) if age.size else 0
    logs_a, logs_b = np.empty(3 * days), np.empty(3 * days)
    ends_a, ends_b = np.empty(days + 1), np.empty(days + 1)
    _fill_logs(logs_a, logs_b, ends_a, ends_b, alpha, beta)
    table = np.zeros(days + 1)
    known, rise, total, shared = -1.0, 0.0, 0.0, False
    for i in range(frequency.size):
        x, last, end = frequency[i], int(last_order[i]), int(age[i])
        if x != known:
            known, rise = x, lgamma_rise(r, x) - x * log_params[1]
            shared = _same(frequency, i) * _DAYS_PER_PAST > days - x
            if shared:
                _fill_table(table, logs_a, logs_b, r + x, s + 1.0, min(int(x), days))
        gap = table[last] - table[end] if shared else 0.0
        if 0.0 < gap < _LARGEST:
            left = math.log(s * gap) + s * ends_b[end] + (r + x) * ends_a[end] - math.log(beta + days)
        else:
            left = log_odds(r + x, s, alpha + last, beta + last, age[i] - last_order[i])
        both = log1p_exp(left)
        # Relative to the last day, the scales at the start are `ends` of day 0.
        alive = (r + x) * (ends_a[0] - ends_a[end]) + s * (ends_b[0] - ends_b[end])
        total += weight[i] * (rise + alive + both)
    return total


@inlined
def _same(frequency: FloatArray, first: int) -> int:
    """Return how many pasts in a row, from `first` on, have the same frequency."""
    stop = first
    while stop < frequency.size and frequency[stop] == frequency[first]:
        stop += 1
    return stop - first


@inlined
def _fill_logs(
    logs_a: FloatArray, logs_b: FloatArray, ends_a: FloatArray, ends_b: FloatArray, alpha: float, beta: float
) -> None:
    """Write the logarithms of alpha and beta plus the time, over those at the last day, at nodes and ends of days."""
    days = ends_a.size - 1
    for day in range(days + 1):
        ends_a[day], ends_b[day] = math.log((alpha + day) / (alpha + days)), math.log((beta + day) / (beta + days))
    for i in range(logs_a.size):
        time = i // 3 + _NODES[i % 3]
        logs_a[i], logs_b[i] = math.log((alpha + time) / (alpha + days)), math.log((beta + time) / (beta + days))


@inlined
def _fill_table(
    table: FloatArray, logs_a: FloatArray, logs_b: FloatArray, power_a: float, power_b: float, first: int
) -> None:
    """Write the integral from each day, back to the `first` that can be a last order, to the last day."""
    for day in range(table.size - 2, first - 1, -1):
        part = 0.0
        for node in range(3):
            part += _WEIGHTS[node] * math.exp(-power_a * logs_a[3 * day + node] - power_b * logs_b[3 * day + node])
        table[day] = table[day + 1] + part


def count_probs_ahead(
    params: ParetoNbdParams, x: FloatArray, age: FloatArray, *, start: FloatArray, end: FloatArray, counts: FloatArray
) -> FloatArray:
    """Return P(exactly `counts` orders between two times from now), given alive now; 1 in sum over all counts.

    Fader & Hardie, note 005, "A note on deriving the Pareto/NBD model", for a new customer from 0 on, as 2F1.

    Someone who stays to the end orders a negative binomial number of times; so does someone who leaves on the way, in
    the time until then, over which an integral is taken. Whoever left before the start orders nothing.
    """
    columns = (params.r + x, params.alpha + age, params.beta + age, start, end, counts)
    (chance,) = each_row(_count_rows, columns, (params.s,), outputs=(1,))
    return np.minimum(chance, 1.0)


@lean
def _count_rows(
    first: int,
    stop: int,
    shape: FloatArray,
    scale_orders: FloatArray,
    scale_dropout: FloatArray,
    begin: FloatArray,
    end: FloatArray,
    counts: FloatArray,
    s: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        log_survival = -s * math.log1p(begin[i] / scale_dropout[i])
        scale = scale_dropout[i] + begin[i]
        within = _probability(counts[i], shape[i], s, scale_orders[i], scale, end[i] - begin[i])
        left_before = -math.expm1(log_survival) if counts[i] == 0.0 else 0.0
        out[i, 0] = math.exp(log_survival) * within + left_before


@lean
def _probability(n: float, shape: float, s: float, a: float, b: float, time: float) -> float:
    """Return the probability of n orders in `time` of someone alive at its start, with scales a and b by then."""
    if time <= 0.0:
        return 1.0 if n == 0.0 else 0.0
    stayed = -shape * math.log1p(time / a) - s * math.log1p(time / b)
    if n == 0.0:
        return math.exp(stayed) + s / b * power_integral(shape, s + 1.0, a, b, time)
    ways = lgamma_rise(shape, n) - math.lgamma(n + 1.0)
    size, mantissa = bump_integral(n, shape, s + 1.0, a, b, time)
    return math.exp(ways + stayed - n * math.log1p(a / time)) + s / b * mantissa * math.exp(ways + size)


def log_likelihood(params: ParetoNbdParams, x: FloatArray, last: FloatArray, age: FloatArray) -> FloatArray:
    """Return the log-likelihood of each customer's past, right to twelve digits up to a million orders.

    Schmittlein, Morrison & Colombo (1987), appendix; here with the time of dropout integrated numerically.
    """
    return _past(params, x, last, age)[0][..., 0]


def phase_probs(params: ParetoNbdParams, x: FloatArray, last: FloatArray, age: FloatArray) -> FloatArray:
    """Return P(alive); one more axis of length 1, because orders by pure chance have a single phase.

    Schmittlein, Morrison & Colombo (1987), equations (11) to (13).
    """
    return np.asarray(expit(-_past(params, x, last, age)[1]))


def phase_probs_new(params: ParetoNbdParams) -> FloatArray:
    """Return P(alive) right after the first order, 1; shape (1,)."""
    return np.ones(params.k)


def _past(params: ParetoNbdParams, x: FloatArray, last: FloatArray, age: FloatArray) -> tuple[FloatArray, ...]:
    """Return the log-likelihood and log(P(left) / P(alive)), with one more axis."""
    constants = (params.r, params.alpha, params.s, params.beta)
    return each_row(_past_rows, (x, last, age), constants, outputs=(1, 1))


@lean
def _past_rows(
    first: int,
    stop: int,
    frequency: FloatArray,
    last_order: FloatArray,
    age: FloatArray,
    r: float,
    alpha: float,
    s: float,
    beta: float,
    likelihood: FloatArray,
    odds: FloatArray,
) -> None:
    for i in range(first, stop):
        x, last, end = frequency[i], last_order[i], age[i]
        left = log_odds(r + x, s, alpha + last, beta + last, end - last)
        together = log1p_exp(left)
        known = lgamma_rise(r, x) - x * math.log(alpha)
        likelihood[i, 0] = known - (r + x) * math.log1p(end / alpha) - s * math.log1p(end / beta) + together
        odds[i, 0] = left
