"""The rows of a model in; the ratio of the outcome for one unit more of the exposure, with its error, out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

from cxsim.drivers.design import Design, Reals, weighted_gram
from cxsim.errors import EstimationError

MODELS = {
    "next order": "complementary log-log, per period",
    "orders": "Poisson, log link",
    "spend": "quasi-Poisson, log link",
}
_TAIL = 0.975
_ROUNDS = 50
_CLOSE = 1e-9
# An outcome e**30 times the usual one, or as much less, is no estimate.
_FARTHEST = 30.0
_LONGEST = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """The coefficient of the exposure.

    Attributes
    ----------
    log_ratio
        Natural logarithm of the ratio for one unit more.
    error
        Its standard error over customers.
    customers
        How many customers the model saw.
    exposed
        How many of them met the exposure.
    """

    log_ratio: float
    error: float
    customers: int
    exposed: int

    @property
    def ratio(self) -> float:
        """The ratio for one unit more."""
        return math.exp(self.log_ratio)

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, by Student's t with one degree of freedom less than customers."""
        half = float(t.ppf(_TAIL, self.customers - 1)) * self.error
        return math.exp(self.log_ratio - half), math.exp(self.log_ratio + half)

    @property
    def p_value(self) -> float:
        """Probability of a coefficient as far from 0, or further, where there is none."""
        return float(2.0 * norm.sf(abs(self.log_ratio) / self.error)) if self.error > 0.0 else 0.0


class _Curve(NamedTuple):
    """What the model expects, how fast that rises with the linear predictor, and the variance."""

    expected: Reals
    slope: Reals
    variance: Reals


def fitted(design: Design, outcome: str) -> Fitted:
    """Return the coefficient of the exposure for one outcome.

    The model sees each pattern once, with the sum of its outcomes, which is all that the estimates depend on. The
    covariance is the sandwich over customers: what one customer does in several periods is not independent.

    Liang and Zeger (1986), "Longitudinal data analysis using generalized linear models", eq. 6, with working
    independence and the expected information; the factor G / (G - 1) * (N - 1) / (N - k) of statsmodels.
    """
    outcomes = design.outcomes[outcome]
    if outcomes.min() < 0.0:
        raise EstimationError("an outcome is negative, so a ratio of outcomes means nothing.")
    count = np.bincount(design.pattern).astype(np.float64)
    mean = np.bincount(design.pattern, weights=outcomes) / count
    coefficients, curve = _solved(design.matrix, mean, count, outcome)
    information = weighted_gram(design.matrix, count * curve.slope**2 / curve.variance)
    last = np.linalg.solve(information, np.eye(len(coefficients))[-1])
    influence = _times(design.matrix, last) * curve.slope / curve.variance
    scores = (outcomes - curve.expected[design.pattern]) * influence[design.pattern]
    over_customers = np.bincount(design.customer, weights=scores)
    groups, rows, columns = design.customers, outcomes.size, len(coefficients)
    factor = groups / (groups - 1) * (rows - 1) / (rows - columns)
    error = math.sqrt(factor * float(np.square(over_customers).sum()))
    return Fitted(log_ratio=float(coefficients[-1]), error=error, customers=design.customers, exposed=design.exposed)


def _solved(matrix: Reals, mean: Reals, count: Reals, outcome: str) -> tuple[Reals, _Curve]:
    """Return the coefficients by Fisher scoring (McCullagh and Nelder 1989, section 2.5), and the curve at them."""
    refused = EstimationError("the model has no finite estimate: what is held equal decides the outcome by itself.")
    coefficients = np.zeros(matrix.shape[1])
    coefficients[0] = _link(float(np.average(mean, weights=count)), outcome)
    for _ in range(_ROUNDS):
        line = _times(matrix, coefficients)
        if not np.abs(line).max() < _FARTHEST:
            raise refused
        curve = _curve(line, outcome)
        weight = count * curve.slope**2 / curve.variance
        score = np.einsum("ij,i->j", matrix, weight * (mean - curve.expected) / curve.slope)
        try:
            step = np.linalg.solve(weighted_gram(matrix, weight), score)
        except np.linalg.LinAlgError as cause:
            raise refused from cause
        # A step is cut where it would move a prediction far, from where the next one might not find back.
        moved = float(np.abs(_times(matrix, step)).max())
        coefficients = coefficients + step * min(1.0, _LONGEST / max(moved, _CLOSE))
        if moved < _CLOSE:
            return coefficients, _curve(_times(matrix, coefficients), outcome)
    raise refused


def _times(matrix: Reals, coefficients: Reals) -> Reals:
    # Not by @, whose last bits depend on the number of threads.
    line: Reals = np.einsum("ij,j->i", matrix, coefficients)
    return line


def _link(expected: float, outcome: str) -> float:
    return math.log(-math.log1p(-expected)) if outcome == "next order" else math.log(expected)


def _curve(line: Reals, outcome: str) -> _Curve:
    rate = np.exp(line)
    if outcome != "next order":
        return _Curve(rate, rate, rate)
    # Kept off 1, where the variance would be nothing; the rate there is 36.
    expected = np.minimum(-np.expm1(-rate), 1.0 - np.finfo(np.float64).eps)
    return _Curve(expected, rate * np.exp(-np.minimum(rate, _FARTHEST)), expected * (1.0 - expected))
