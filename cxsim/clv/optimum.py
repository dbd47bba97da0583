"""A log-likelihood with derivatives, starts and a prior in; where it is highest out, or word that it has no maximum."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from cxsim.clv.estimates import PARAMETER_DIGITS, Basis, significant
from cxsim.clv.inputs import arrays
from cxsim.clv.likelihood import (
    SPEND,
    Derivatives,
    Kind,
    Likelihood,
    derivatives,
    purchase_likelihood,
    spend_likelihood,
)
from cxsim.clv.models.special import FloatArray

Surface = Callable[[FloatArray], Derivatives]

_STEPS = 80
# A step this small in log-parameters changes no printed digit; the gradient is then at its rounding noise.
_STILL = 1e-11
# Of many orders the gradient's noise is larger, and where a direction is nearly flat it moves a parameter by more than
# that: steps this small that no longer shrink are noise.
_FINE = 1e-6
# A log-likelihood of n customers is summed to about n times the last bit: no smaller rise can be seen.
_NOISE = 1e-13
_LONGEST_STEP = 1.0
# A parameter that is so many e-folds away from its scale has run away, where nothing holds it.
_FAR = 12.0
# Condition number of the Hessian from which on a direction is no longer determined by the data.
_FLAT = 1e10
# A start whose end lies so little higher than another's found the same maximum.
_HIGHER = 1e-6


# Two standard deviations are a factor of 150 up or down. Fifty customers of a typical shop tell the logarithms of r and
# alpha to about 0.5 and those of a and b to 1.6 and 2: the prior is weaker than they are.
WEAK = 2.5
# Eight standard deviations, a factor of half a billion; the prior holds 1e-15 beyond.
REACH = 8.0 * WEAK
# Each prior has its middle at 1, as a multiple of the scale for times and money: a shape of 1 is neutral, exponential
# rates, chances of dropout that are equally likely all over. Amounts vary less than that, within customers and between.
_MIDDLES = {"p": 2.0, "q": 2.0}
# The parameters that carry a unit, of time or of money.
_SCALED = frozenset({"alpha", "beta", "v"})
# Shapes of the rates, and of the chances of dropout or the calendar's hazard (as a multiple of the mean age).
_SHAPES = (0.3, 1.0, 3.0)
_CHANCES = ((0.5, 2.0), (1.0, 6.0), (1.0, 40.0))
_HAZARDS = ((0.5, 0.3), (1.0, 1.0), (1.5, 8.0))
_SPENDS = ((1.5, 3.0), (6.0, 4.0), (3.0, 10.0))


class Optimum(NamedTuple):
    """Where a search ended, in the logarithms of the parameters, with value and derivatives there.

    `converged`: no step goes higher, and every direction goes down; otherwise a parameter ran away. `basis` and `loose`
    are those of `PurchaseFit`.
    """

    log_params: FloatArray
    value: float
    gradient: FloatArray
    hessian: FloatArray
    converged: bool
    basis: Basis = "likelihood"
    loose: tuple[str, ...] = ()

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the log-parameters, the inverse of minus the Hessian."""
        inverse = np.linalg.inv(-self.hessian)
        return 0.5 * (inverse + inverse.T)


def log_prior(log_params: FloatArray, means: FloatArray) -> FloatArray:
    """Return the log density of log-parameters of shape (..., d) under weak priors.

    These are independent normal distributions about `means`, all with the standard deviation WEAK. They say less than
    fifty customers do and move the estimates of a few thousand by a small part of their standard errors. They are
    proper: where the likelihood runs off to infinity (nobody ever leaves, all buy at the same rate), the posterior
    still has a maximum, a mean and a spread.
    """
    scores = (log_params - means) / WEAK
    constant = means.size * math.log(WEAK) + 0.5 * means.size * math.log(2.0 * math.pi)
    return np.asarray(-0.5 * (scores * scores).sum(axis=-1) - constant)


class Problem(NamedTuple):
    """A likelihood to maximise: places to start from, log-parameters of ordinary size, and means of weak priors."""

    likelihood: Likelihood
    starts: list[FloatArray]
    centre: FloatArray
    prior: FloatArray

    def log_likelihood(self, log_params: FloatArray) -> Derivatives:
        """Return log-likelihood, gradient and Hessian."""
        return derivatives(self.likelihood, log_params)

    def log_posterior(self, log_params: FloatArray) -> Derivatives:
        """Return the same of the posterior density, up to a constant."""
        value, gradient, hessian = derivatives(self.likelihood, log_params)
        slope = (log_params - self.prior) / WEAK / WEAK
        prior = float(log_prior(log_params, self.prior))
        return value + prior, gradient - slope, hessian - np.eye(log_params.size) / WEAK**2


def purchase_problem(kind: Kind, k: int, patterns: pl.DataFrame, *, log_gaps: float = 0.0) -> Problem:
    """Return the fit of a model of orders; the starts bring about as many orders as were seen."""
    frequency, _, age, weight = arrays(patterns)
    mean_age = np.average(age, weights=weight)
    # Half of the time that customers were observed for, they had left.
    gap = 0.5 * (weight * age).sum() / (weight * frequency).sum()
    scale = mean_age if kind.calendar else 1.0
    days = max(mean_age, 1.0)
    sizes = {"alpha": days / k, "beta": days}
    return Problem(
        likelihood=purchase_likelihood(kind, k, patterns, log_gaps=log_gaps),
        starts=[
            np.log([shape, shape * gap / k, third, fourth * scale])
            for shape, (third, fourth) in itertools.product(_SHAPES, _HAZARDS if kind.calendar else _CHANCES)
        ],
        centre=np.log([sizes.get(name, 1.0) for name in kind.names]),
        prior=_weak_prior(kind.names, days),
    )


def spend_problem(patterns: pl.DataFrame) -> Problem:
    """Return the fit of Gamma-Gamma; the starts have the mean spend that was seen."""
    frequency, amount, weight = arrays(patterns)
    mean, orders = np.average(amount, weights=weight), weight * frequency
    return Problem(
        likelihood=spend_likelihood(patterns),
        starts=[np.log([p, q, mean * (q - 1.0) / p]) for p, q in _SPENDS],
        centre=np.array([0.0, 0.0, math.log(mean)]),
        prior=_weak_prior(SPEND.names, float(orders @ amount / orders.sum())),
    )


def _weak_prior(names: Sequence[str], scale: float) -> FloatArray:
    """Return the means of the priors of parameters whose times, or money, are of the size of `scale`."""
    middles = (_MIDDLES.get(name, 1.0) * (scale if name in _SCALED else 1.0) for name in names)
    return np.array([significant(math.log(middle), PARAMETER_DIGITS) for middle in middles])


def maximise(surface: Surface, starts: Sequence[FloatArray], centre: FloatArray, *, far: float = _FAR) -> Optimum:
    """Return the highest end of Newton's method from several starts."""
    ends = [newton(surface, start, centre, far=far) for start in starts]
    best = max(end.value for end in ends)
    high = [end for end in ends if end.value >= best - _HIGHER * max(1.0, abs(best) * _HIGHER)]
    return next((end for end in high if end.converged), high[0])


def newton(surface: Surface, start: FloatArray, centre: FloatArray, *, far: float = _FAR) -> Optimum:
    """Return where Newton's steps from `start` end; they are halved until they rise, and pointed uphill."""
    here, before, found, converged = start, np.inf, surface(start), False
    for _ in range(_STEPS):
        value, gradient, hessian = found
        step = _uphill(gradient, hessian)
        rise = gradient @ step
        while True:
            new = surface(here + step)
            if new[0] >= value + 1e-4 * rise - _NOISE * abs(value):
                here, found = here + step, new
                break
            step, rise = 0.5 * step, 0.5 * rise
            if np.abs(step).max() < _STILL:
                break
        away, length = np.abs(here - centre).max() > far, np.abs(step).max()
        if away or length < _STILL or before <= length < _FINE:
            if not away:
                # By more than rounding, the surface bends down in every direction.
                least, *_, most = np.linalg.eigvalsh(-found[2])
                converged = bool(least > most / _FLAT)
            break
        before = length
    return Optimum(here, *found, converged)


def _uphill(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Return Newton's step, pointed uphill where the surface is not concave, and not too long."""
    curvature, axes = np.linalg.eigh(-hessian)
    size = np.abs(curvature)
    step = axes @ ((axes.T @ gradient) / np.maximum(size, size.max() * 1e-12))
    return np.asarray(step * min(1.0, _LONGEST_STEP / np.abs(step).max()) if step.any() else step)
