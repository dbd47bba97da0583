"""Parameters of the Gamma-Gamma model and mean spends in, likelihood and expected spend per order out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def population_mean(params: GammaGammaParams) -> float:
    """Return the mean spend per order over all customers, p v / (q - 1)."""
    if params.q <= 1.0:
        raise EstimationError(
            f"Gamma-Gamma: with q = {params.q:g} mean spend is infinite; it needs q > 1. A few very large orders do "
            "this: look at the largest monetary values, and leave out what is not retail."
        )
    return params.p * params.v / (params.q - 1.0)


def expected_spend(params: GammaGammaParams, frequency: ArrayLike, monetary_value: ArrayLike) -> FloatArray:
    """Return the expected spend per future order: the customer's own mean, drawn towards the population's.

    Broadcast shape; the population's mean where `frequency` is 0 or `monetary_value` is missing.

    Fader & Hardie (2013), note 025, equation (5).
    """
    x, m = np.broadcast_arrays(whole("frequency", frequency), np.asarray(monetary_value, dtype=np.float64))
    bad = (m < 0.0) | np.isinf(m)
    if bad.any():
        first = m[bad].flat[0]
        raise DataError(f"monetary_value must be finite and not negative; found {first} ({bad.sum()} of {bad.size}).")
    everyone = population_mean(params)
    own = params.p * x / (params.p * x + params.q - 1.0)
    return np.where((x > 0) & ~np.isnan(m), (1.0 - own) * everyone + own * m, everyone)
