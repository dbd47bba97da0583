"""Log-parameters of Pareto/NBD and pasts in whole days in, the log-likelihood alone out, for many parameters; compiled.

For one frequency, the integral over the time of leaving has the same integrand for every customer: only its ends
differ, and these are whole days. It is therefore taken once, day by day from the last one back, and each past needs
the difference of two numbers of that table. Summed from the far end, where the integrand is least, it loses no digits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import counted, inlined
from cxsim.models.legendre import unit_rule
from cxsim.models.pareto_nbd.leaving import log_odds
from cxsim.models.pareto_nbd.surface import value
from cxsim.models.special import lgamma_rise

FloatArray = NDArray[np.float64]

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
