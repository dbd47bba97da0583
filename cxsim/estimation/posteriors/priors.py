"""The names of a model's parameters and the scale of its data in; a weak, proper prior on their logarithms out.

Each logarithm is normal by itself. Times are measured in the mean age of the customers and money in the mean order
value, so that neither the unit of time nor the currency says anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import EstimationError, choices
from cxsim.estimation.estimates import PARAMETER_DIGITS, significant
from cxsim.estimation.patterns import PurchasePatterns, SpendPatterns

FloatArray = NDArray[np.float64]

# Two standard deviations are a factor of 150 up or down. Fifty customers of a typical shop tell the logarithms of r and
# alpha to about 0.5 and those of a and b to 1.6 and 2: the prior is weaker than they are.
WEAK = 2.5
# Eight standard deviations, a factor of half a billion; the prior holds 1e-15 beyond.
REACH = 8.0 * WEAK
# Where each prior has its middle, as a multiple of the scale for times and money. A shape of 1 is neutral: exponential
# rates, chances of leaving that are equally likely all over. Amounts vary less than that, within customers and between.
MIDDLES = {"r": 1.0, "alpha": 1.0, "a": 1.0, "b": 1.0, "s": 1.0, "beta": 1.0, "p": 2.0, "q": 2.0, "v": 1.0}
# The parameters that carry a unit, of time or of money.
SCALED = frozenset({"alpha", "beta", "v"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LogNormalPrior:
    """Independent normal distributions of the logarithms of parameters.

    Attributes
    ----------
    names
        The parameters in the order of the model.
    means, sds
        Mean and standard deviation of the natural logarithm of each.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.names), len(self.means), len(self.sds)}
        usable = all(math.isfinite(x) for x in self.means) and all(math.isfinite(x) and x > 0.0 for x in self.sds)
        if len(lengths) != 1 or not usable:
            raise EstimationError(
                f"a prior needs a finite mean and a positive, finite sd for each of {', '.join(self.names)}; found "
                f"means {self.means} and sds {self.sds}."
            )

    def log_density(self, log_params: FloatArray) -> FloatArray:
        """Return the log density of the log-parameters, normalised.

        Shape (...).
        """
        scores = self._scores(log_params)
        constant = sum(math.log(sd) for sd in self.sds) + 0.5 * len(self.sds) * math.log(2.0 * math.pi)
        return np.asarray(-0.5 * (scores * scores).sum(axis=-1) - constant)

    def gradient(self, log_params: FloatArray) -> FloatArray:
        """Return the gradient of the log density, shape (..., d), for log-parameters of that shape."""
        return np.asarray(-self._scores(log_params) / np.array(self.sds))

    def hessian(self, log_params: FloatArray) -> FloatArray:
        """Return the Hessian of the log density, shape (..., d, d), for log-parameters of shape (..., d)."""
        place = np.shape(log_params)[:-1]
        curvature = np.diag(-1.0 / np.array(self.sds) ** 2)
        return np.array(np.broadcast_to(curvature, (*place, *curvature.shape)))

    def _scores(self, log_params: FloatArray) -> FloatArray:
        here = np.asarray(log_params, dtype=np.float64)
        if here.ndim == 0 or here.shape[-1] != len(self.names):
            raise EstimationError(
                f"the prior is of {len(self.names)} log-parameters, {', '.join(self.names)}; found shape {here.shape}."
            )
        return np.asarray((here - np.array(self.means)) / np.array(self.sds))


def weak_prior(names: tuple[str, ...], *, scale: float) -> LogNormalPrior:
    """Return the weak prior of a model's parameters.

    It says less than fifty customers do and moves the estimates of a few thousand by a small part of their standard
    errors. It is proper: where the likelihood runs off to infinity (nobody ever leaves, all buy at the same rate),
    the posterior still has a top, a mean and a spread.
    """
    unknown = [name for name in names if name not in MIDDLES]
    if unknown:
        raise EstimationError(f"no prior for the parameter '{unknown[0]}'; {choices(unknown[0], MIDDLES)}")
    if not (math.isfinite(scale) and scale > 0.0):
        raise EstimationError(f"the scale of a prior must be positive and finite; found {scale}.")
    middles = (MIDDLES[name] * (scale if name in SCALED else 1.0) for name in names)
    means = tuple(significant(math.log(middle), PARAMETER_DIGITS) for middle in middles)
    return LogNormalPrior(names=names, means=means, sds=(WEAK,) * len(names))


def purchase_prior(names: tuple[str, ...], patterns: PurchasePatterns) -> LogNormalPrior:
    """Return the weak prior of a model of orders, with times measured in the mean age of these customers."""
    mean_age = float(patterns.weight @ patterns.age_days / patterns.weight.sum())
    return weak_prior(names, scale=max(mean_age, 1.0))


def spend_prior(patterns: SpendPatterns) -> LogNormalPrior:
    """Return the weak prior of Gamma-Gamma, with money measured in the mean value of these customers' repeat orders."""
    orders = patterns.weight * patterns.frequency
    return weak_prior(("p", "q", "v"), scale=float(orders @ patterns.monetary_value / orders.sum()))
