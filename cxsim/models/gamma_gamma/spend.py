"""Parameters of the Gamma-Gamma model and mean spends in, likelihood and expected spend per order out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from cxsim.errors import DataError, EstimationError
from cxsim.models.admission import require_positive, whole

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class GammaGammaParams:
    """Parameters of the Gamma-Gamma model of spend per order.

    Attributes
    ----------
    p
        Shape of the Gamma distribution of one customer's order amounts.
    q, v
        Shape and rate of the Gamma distribution of the customers' rates; `v` carries the unit of money.

    Raises
    ------
    ParamError
        For a parameter that is not a positive finite number.
    """

    p: float
    q: float
    v: float

    def __post_init__(self) -> None:
        require_positive("Gamma-Gamma", {"p": self.p, "q": self.q, "v": self.v})


def log_likelihood(params: GammaGammaParams, frequency: ArrayLike, monetary_value: ArrayLike) -> FloatArray:
    """Return the log-likelihood of each customer's mean spend.

    Parameters
    ----------
    params
        Parameters, v in the currency of `monetary_value`.
    frequency, monetary_value
        Repeat orders, >= 1; mean amount of them, > 0; broadcast together.

    Returns
    -------
    numpy.ndarray
        Natural logarithms, broadcast shape.

    Raises
    ------
    DataError
        For a customer without repeat order or without spend; the model says nothing of those.

    References
    ----------
    Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025, equation (1a).

    Examples
    --------
    >>> round(float(log_likelihood(GammaGammaParams(p=6.25, q=3.74, v=15.44), 2, 22.35)), 4)
    -3.5513
    """
    x, m = _spends(frequency, monetary_value)
    p, q, v = params.p, params.q, params.v
    total = np.log(x * m + v)
    rest = gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
    return np.asarray(rest + q * (np.log(v) - total) + p * x * (np.log(x * m) - total) - np.log(m))


def population_mean(params: GammaGammaParams) -> float:
    """Return the mean spend per order over all customers, p v / (q - 1).

    Raises
    ------
    EstimationError
        If q <= 1: the mean is infinite.

    Examples
    --------
    >>> round(population_mean(GammaGammaParams(p=6.25, q=3.74, v=15.44)), 6)
    35.218978
    """
    if params.q <= 1.0:
        raise EstimationError(
            f"Gamma-Gamma: with q = {params.q:g} mean spend is infinite; it needs q > 1. A few very large orders do "
            "this: look at the largest monetary values, and leave out what is not retail."
        )
    return params.p * params.v / (params.q - 1.0)


def population_sd(params: GammaGammaParams) -> float:
    """Return the standard deviation over customers of the mean spend per order, p v / ((q - 1) sqrt(q - 2)).

    Raises
    ------
    EstimationError
        If q <= 2: the variance is infinite.
    """
    if params.q <= 2.0:
        raise EstimationError(f"Gamma-Gamma: with q = {params.q:g} the spread of spend is infinite; it needs q > 2.")
    return population_mean(params) / math.sqrt(params.q - 2.0)


def expected_spend(params: GammaGammaParams, frequency: ArrayLike, monetary_value: ArrayLike) -> FloatArray:
    """Return the expected spend per future order: the customer's own mean, drawn towards the population's.

    Parameters
    ----------
    params
        Parameters, v in the currency of `monetary_value`; q > 1.
    frequency, monetary_value
        Repeat orders; mean amount of them, NaN where it is missing; broadcast together.

    Returns
    -------
    numpy.ndarray
        Broadcast shape; the population's mean where `frequency` is 0 or `monetary_value` is missing.

    Raises
    ------
    EstimationError
        If q <= 1: there is no mean.
    DataError
        For a negative or infinite monetary value.

    References
    ----------
    Fader & Hardie (2013), note 025, equation (5).

    Examples
    --------
    >>> expected_spend(GammaGammaParams(p=6.25, q=3.74, v=15.44), [2, 1, 0], [22.35, 11.77, float("nan")]).round(4)
    array([24.6637, 18.9169, 35.219 ])
    """
    x, m = np.broadcast_arrays(whole("frequency", frequency), np.asarray(monetary_value, dtype=np.float64))
    bad = (m < 0.0) | np.isinf(m)
    if bad.any():
        first = m[bad].flat[0]
        raise DataError(f"monetary_value must be finite and not negative; found {first} ({bad.sum()} of {bad.size}).")
    everyone = population_mean(params)
    own = params.p * x / (params.p * x + params.q - 1.0)
    return np.where((x > 0) & ~np.isnan(m), (1.0 - own) * everyone + own * m, everyone)


def _spends(frequency: ArrayLike, monetary_value: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both as arrays of one shape, or refuse customers of whom the model says nothing."""
    x, m = np.broadcast_arrays(whole("frequency", frequency), np.asarray(monetary_value, dtype=np.float64))
    bad = ~((x >= 1.0) & (m > 0.0) & np.isfinite(m))
    if bad.any():
        raise DataError(
            "Gamma-Gamma needs at least one repeat order and a positive mean amount; "
            f"found frequency {x[bad].flat[0]:g} with monetary value {m[bad].flat[0]} ({bad.sum()} of {bad.size})."
        )
    return x, m
