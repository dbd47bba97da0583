"""Parameters of spend, by Gamma-Gamma or one price for all, in; likelihood and expected spend per order out."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from cxsim.clv.models.special import FloatArray, digamma, require_positive, to_logs, trigamma
from cxsim.errors import DataError, EstimationError
from cxsim.jit import inlined, lean


@dataclass(frozen=True, kw_only=True, slots=True)
class GammaGammaParams:
    """Parameters of the Gamma-Gamma model of spend per order.

    Attributes
    ----------
    p
        Shape of the Gamma distribution of one customer's order amounts.
    q, v
        Shape and rate of the Gamma distribution of the customers' rates; `v` carries the unit of money.
    k
        As of models of orders that come by pure chance.

    Raises
    ------
    ParamError
        For a parameter that is not a positive finite number.
    """

    p: float
    q: float
    v: float
    k: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_positive("Gamma-Gamma", asdict(self))

    @property
    def has_mean(self) -> bool:
        """Whether mean spend is finite."""
        return self.q > 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OnePriceParams:
    """The price of every order, where all orders cost the same; a positive finite number, in units of money."""

    price: float
    k: ClassVar[int] = 1
    has_mean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive("One price", asdict(self))


SpendParams = GammaGammaParams | OnePriceParams


def population_mean(params: SpendParams) -> float:
    """Return the mean spend per order over all customers: p v / (q - 1), or the one price."""
    if isinstance(params, OnePriceParams):
        return params.price
    if not params.has_mean:
        raise EstimationError(
            f"Gamma-Gamma: with q = {params.q:g} mean spend is infinite; it needs q > 1. The cause is usually a few "
            "very large orders: check the largest monetary values and exclude non-retail orders."
        )
    return params.p * params.v / (params.q - 1.0)


def expected_spend(params: GammaGammaParams, frequency: ArrayLike, monetary_value: ArrayLike) -> FloatArray:
    """Return the expected spend per future order: the customer's own mean, drawn towards the population's.

    Broadcast shape; the population's mean where `frequency` is 0 or `monetary_value` is missing.

    Fader & Hardie (2013), note 025, equation (5).
    """
    x, m = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in (frequency, monetary_value)))
    bad = m[m < 0.0]
    if bad.size:
        raise DataError(f"monetary_value must be finite and not negative; found {bad[0]} ({bad.size} of {m.size}).")
    everyone = population_mean(params)
    own = params.p * x / (params.p * x + params.q - 1.0)
    return np.where((x > 0) & ~np.isnan(m), (1.0 - own) * everyone + own * m, everyone)


@lean
def likelihood_sum(
    log_params: FloatArray, frequency: FloatArray, monetary_value: FloatArray, weight: FloatArray
) -> float:
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
def likelihood_derivatives(
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
