"""Frequency and age of customers who are alive, and a time, in; survival, orders and the next order in it out.

Given that a customer is alive, the purchase rate is Gamma(r + x, alpha + age) and the hazard of leaving
Gamma(s, beta + age), independent of each other and of when the last order came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from cxsim.clv.models.pareto_integrals import bump_integral, discounted_integral, log_odds, power_integral, value
from cxsim.clv.models.special import (
    each_row,
    history,
    lgamma_rise,
    non_negative,
    require_positive,
    require_rate,
    unit_rule,
    whole,
)
from cxsim.errors import DataError
from cxsim.jit import counted, inlined, lean


@dataclass(frozen=True, kw_only=True, slots=True)
class ParetoNbdParams:
    """Parameters of the Pareto/NBD model.

    Attributes
    ----------
    r, alpha
        Shape and rate of the Gamma distribution of purchase rates; `alpha` carries the unit of time.
    s, beta
        Shape and rate of the Gamma distribution of the hazard of leaving; `beta` carries the unit of time.
    k
        Orders come by pure chance: 1 stage between them.
    """

    r: float
    alpha: float
    s: float
    beta: float
    k: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_positive("Pareto/NBD", {"r": self.r, "alpha": self.alpha, "s": self.s, "beta": self.beta})


FloatArray = NDArray[np.float64]


def survival_ahead(params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the probability that a customer who is alive now is still alive after `time`.

    Broadcast shape and one more axis of length 1.

    Schmittlein, Morrison & Colombo (1987): the Pareto distribution of the second kind, whose scale grows with age.
    """
    _, end, horizon = _admitted(frequency, age, non_negative("time", time))
    return np.asarray(np.exp(-params.s * np.log1p(horizon / (params.beta + end)))[..., None])


def orders_ahead(params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the orders in the next `time` that are expected of a customer who is alive now.

    Broadcast shape and one more axis of length 1.

    Schmittlein, Morrison & Colombo (1987), equation (22) over P(alive); written so that it holds for s = 1 too.
    """
    x, end, horizon = _admitted(frequency, age, non_negative("time", time))
    length = np.log1p(horizon / (params.beta + end))
    bend = (params.s - 1.0) * length
    lifetime = (
        (params.beta + end) * length * np.divide(-np.expm1(-bend), bend, out=np.ones_like(bend), where=bend != 0.0)
    )
    return np.asarray(((params.r + x) / (params.alpha + end) * lifetime)[..., None])


def discounted_orders_ahead(
    params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, rate: float, horizon: float = math.inf
) -> FloatArray:
    """Return the expected orders of a customer who is alive now, each worth exp(-rate * t) if it comes at t from now.

    Broadcast shape and one more axis of length 1.

    Fader, Hardie & Lee (2005), Journal of Marketing Research 42, 415-430, equation (2), is the infinite horizon with
    Tricomi's function; here the integral over time of the discounted survival.
    """
    require_rate(rate, horizon)
    x, end, _ = _admitted(frequency, age, np.zeros(()))
    # Ages are few and customers are many.
    ages, place = np.unique(end, return_inverse=True)
    constants = (params.s, params.beta, float(rate), float(horizon))
    (lifetime,) = each_row(_discounted_rows, (ages,), constants, outputs=(1,))
    return np.asarray(((params.r + x) / (params.alpha + end) * lifetime[place.reshape(end.shape), 0])[..., None])


def next_order_ahead(params: ParetoNbdParams, frequency: ArrayLike, age: ArrayLike, *, time: ArrayLike) -> FloatArray:
    """Return the probability that the next order of a customer who is alive now comes within `time`.

    Broadcast shape and one more axis of length 1; in [0, 1].

    The density of the first order at u, times the probability of still being alive by then, over all u up to `time`.
    """
    until = np.asarray(time, dtype=np.float64)
    wrong = ~(until >= 0.0)
    if wrong.any():
        raise DataError(f"time must not be negative; found {until[wrong].flat[0]} ({wrong.sum()} of {wrong.size}).")
    x, end, until = _admitted(frequency, age, until)
    (chance,) = each_row(
        _next_rows, (params.r + x, params.alpha + end, params.beta + end, until), (params.s,), outputs=(1,)
    )
    return np.asarray(np.minimum(chance, 1.0).reshape(*x.shape, params.k))


def _admitted(frequency: ArrayLike, age: ArrayLike, time: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    x, end, until = np.broadcast_arrays(whole("frequency", frequency), non_negative("age", age), time)
    return x, end, until


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
    scale_leaving: FloatArray,
    time: FloatArray,
    s: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        integral = power_integral(shape[i] + 1.0, s, scale_orders[i], scale_leaving[i], time[i])
        out[i, 0] = shape[i] / scale_orders[i] * integral


# Three nodes a day. Nobody has more repeat orders than days behind them, so that integrands fall by no more than a
# factor of e a day, and the rule is right to 1e-6 of a customer's odds, for most to 1e-10.
_NODES, _WEIGHTS = unit_rule(3)
# Days: with shorter scales the integrand changes within the first day.
_SHORTEST = 3.0
_LARGEST = 1e290
# Days of the table that cost as much as one past by itself.
_WORTH = 12


@counted
def value_by_day(
    log_params: FloatArray, frequency: FloatArray, last_order: FloatArray, age: FloatArray, weight: FloatArray
) -> float:
    """Return the weighted log-likelihood, to 1e-6 for each customer at worst."""
    r, alpha = math.exp(log_params[0]), math.exp(log_params[1])
    s, beta = math.exp(log_params[2]), math.exp(log_params[3])
    if min(alpha, beta) < _SHORTEST:
        return value(log_params, frequency, last_order, age, weight)
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
            shared = _same(frequency, i) * _WORTH > days - x
            if shared:
                _fill_table(table, logs_a, logs_b, r + x, s + 1.0, min(int(x), days))
        gap = table[last] - table[end] if shared else 0.0
        if 0.0 < gap < _LARGEST:
            left = math.log(s * gap) + s * ends_b[end] + (r + x) * ends_a[end] - math.log(beta + days)
        else:
            left = log_odds(r + x, s, alpha + last, beta + last, age[i] - last_order[i])
        both = left + math.log1p(math.exp(-left)) if left > 0.0 else math.log1p(math.exp(left))
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
    params: ParetoNbdParams,
    frequency: ArrayLike,
    age: ArrayLike,
    *,
    start: ArrayLike,
    end: ArrayLike,
    counts: ArrayLike,
) -> FloatArray:
    """Return the probability of exactly `counts` orders between `start` and `end` from now, for a customer alive now.

    Broadcast shape and one more axis of length 1; in [0, 1], and 1 in sum over all counts.

    Fader & Hardie, note 005, "A note on deriving the Pareto/NBD model", for a new customer from 0 on, as 2F1.

    Someone who stays to the end orders a negative binomial number of times; so does someone who leaves on the way, in
    the time until then, over which an integral is taken. Whoever left before the start orders nothing.
    """
    x, now, begin, stop, n = np.broadcast_arrays(
        whole("frequency", frequency),
        non_negative("age", age),
        non_negative("start", start),
        non_negative("end", end),
        whole("counts", counts),
    )
    wrong = begin > stop
    if wrong.any():
        raise DataError(
            f"start must not exceed end; found start {begin[wrong].flat[0]} with end {stop[wrong].flat[0]} "
            f"({wrong.sum()} of {wrong.size})."
        )
    columns = (params.r + x, params.alpha + now, params.beta + now, begin, stop, n)
    (chance,) = each_row(_count_rows, columns, (params.s,), outputs=(1,))
    return np.asarray(np.minimum(chance, 1.0).reshape(*x.shape, params.k))


@lean
def _count_rows(
    first: int,
    stop: int,
    shape: FloatArray,
    scale_orders: FloatArray,
    scale_leaving: FloatArray,
    begin: FloatArray,
    end: FloatArray,
    counts: FloatArray,
    s: float,
    out: FloatArray,
) -> None:
    for i in range(first, stop):
        log_survival = -s * math.log1p(begin[i] / scale_leaving[i])
        scale = scale_leaving[i] + begin[i]
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


def log_likelihood(params: ParetoNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the log-likelihood of each customer's past.

    Natural logarithms, broadcast shape. They stay finite, and right to twelve digits, for a million orders.

    Schmittlein, Morrison & Colombo (1987), appendix; here with the time of leaving integrated numerically.
    """
    return _past(params, frequency, last_order, age)[0]


def phase_probs(params: ParetoNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the probability that a customer has not left by `age`.

    Broadcast shape and one more axis of length 1, because orders by pure chance have a single phase; in [0, 1].

    Schmittlein, Morrison & Colombo (1987), equations (11) to (13).
    """
    return np.asarray(expit(-_past(params, frequency, last_order, age)[1])[..., None])


def phase_probs_new(params: ParetoNbdParams) -> FloatArray:
    """Return P(alive) right after the first order, 1; shape (1,)."""
    return np.ones(params.k)


def _past(
    params: ParetoNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the log-likelihood and log(P(left) / P(alive))."""
    x, last, end = history(frequency, last_order, age)
    constants = (params.r, params.alpha, params.s, params.beta)
    likelihood, odds = each_row(_past_rows, (x, last, end), constants, outputs=(1, 1))
    return likelihood.reshape(x.shape), odds.reshape(x.shape)


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
        together = left + math.log1p(math.exp(-left)) if left > 0.0 else math.log1p(math.exp(left))
        known = lgamma_rise(r, x) - x * math.log(alpha)
        likelihood[i, 0] = known - (r + x) * math.log1p(end / alpha) - s * math.log1p(end / beta) + together
        odds[i, 0] = left
