"""Log-parameters of Gamma-Gamma and distinct spends in, the log-likelihood with its derivatives out; compiled.

References
----------
Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025, equation (1a).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cxsim.compiled import inlined, lean
from cxsim.models.log_scale import to_logs
from cxsim.models.special import digamma, trigamma

FloatArray = NDArray[np.float64]


@lean
def value(log_params: FloatArray, frequency: FloatArray, monetary_value: FloatArray, weight: FloatArray) -> float:
    """Return the weighted log-likelihood."""
    p, q, v = math.exp(log_params[0]), math.exp(log_params[1]), math.exp(log_params[2])
    known, common, result = -1.0, 0.0, 0.0
    for i in range(frequency.size):
        x = frequency[i]
        if x != known:
            known, common = x, _constant(p, q, x) + q * log_params[2]
        spent = x * monetary_value[i]
        log_all = math.log(spent + v)
        result += weight[i] * (common - q * log_all + p * x * (math.log(spent) - log_all) - math.log(monetary_value[i]))
    return result


@lean
def sums(
    log_params: FloatArray, frequency: FloatArray, monetary_value: FloatArray, weight: FloatArray, out: FloatArray
) -> None:
    """Write the weighted log-likelihood, its gradient and the upper triangle of its Hessian into `out`."""
    p, q, v = math.exp(log_params[0]), math.exp(log_params[1]), math.exp(log_params[2])
    out[:] = 0.0
    known, common, both, curve, own, own_curve = -1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    rest, rest_curve = log_params[2] - digamma(q), trigamma(q)
    for i in range(frequency.size):
        x, w = frequency[i], weight[i]
        if x != known:
            known, common = x, _constant(p, q, x) + q * log_params[2]
            both, curve = digamma(p * x + q), trigamma(p * x + q)
            own, own_curve = digamma(p * x), trigamma(p * x)
        spent = x * monetary_value[i]
        total = spent + v
        log_all, log_spent = math.log(total), math.log(spent)
        out[0] += w * (common - q * log_all + p * x * (log_spent - log_all) - math.log(monetary_value[i]))
        out[1] += w * x * (both - log_all - own + log_spent)
        out[2] += w * (both - log_all + rest)
        out[3] += w * (q / v - (p * x + q) / total)
        out[4] += w * x * x * (curve - own_curve)
        out[5] += w * x * curve
        out[6] -= w * x / total
        out[7] += w * (curve - rest_curve)
        out[8] += w * (1.0 / v - 1.0 / total)
        out[9] += w * ((p * x + q) / (total * total) - q / (v * v))
    to_logs(out, (p, q, v))


@inlined
def _constant(p: float, q: float, x: float) -> float:
    """Return what the amounts do not change, less q log v."""
    return math.lgamma(p * x + q) - math.lgamma(p * x) - math.lgamma(q)
