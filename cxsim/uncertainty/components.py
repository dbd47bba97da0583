"""An output and columns in; how much each component of the columns varies, and their coefficients, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.uncertainty.columns import Columns

Numbers = npt.NDArray[np.float64]
_ROUNDS = 300
# The fixed point is found when no variance moves by more than this share of the output's.
_STEADY = 3e-5
# A component falls to nothing when all its coefficients together explain less than this share of the noise of one.
_NONE = 1e-2
# What a prior that is flat in the standard deviation of a component adds to its number of effective coefficients: a
# single one then falls to nothing within 2.41 standard errors of 0, where (1 + z**2)**2 < 8 z**2. With a prior flat in
# the variance (0 here), that would be within one, and a third of all numbers without effect would seem to have one.
_FLAT_IN_DEVIATIONS = 1.0
# An output that shows nothing of a coefficient has a log-likelihood of -ln(1 + x) / 2 at a variance of x times the
# noise over the rows: within a half of its best, it still allows e - 1.
_NOT_EXCLUDED = float(np.e) - 1.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mixed:
    """A regression in which the coefficients of each component come from a normal distribution of its own variance.

    Attributes
    ----------
    variances
        Shape (components,): 0 for those of which the output shows nothing.
    noise
        Variance of what is left.
    coefficients
        Shape (columns,).
    centre, covariance
        Shapes (columns,) and (columns, columns): what the coefficients may be instead. A component of which the output
        shows nothing has the variance here that the output cannot exclude.
    """

    variances: Numbers
    noise: float
    coefficients: Numbers
    centre: Numbers
    covariance: Numbers


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Equations:
    """An output with mean 0 and its columns."""

    values: Numbers
    output: Numbers
    component: npt.NDArray[np.int64]
    squares: Numbers
    products: Numbers

    def by_component(self, each: Numbers) -> Numbers:
        return np.bincount(self.component, each, minlength=int(self.component.max()) + 1).astype(np.float64)

    def solved(self, variances: Numbers, noise: float) -> tuple[Numbers, Numbers]:
        """Return coefficients, and what share of each one's prior variance the output has taken away."""
        coefficients, taken = np.zeros_like(self.products), np.zeros_like(self.products)
        kept = np.flatnonzero(variances[self.component] > 0.0)
        # In units of each coefficient's own deviation, so that no matrix is near singular; of the two forms of the
        # inverse, by columns and by rows, the smaller one.
        root = np.sqrt(variances[self.component[kept]])
        if kept.size <= len(self.output):
            inverse = np.linalg.inv(root[:, None] * self.squares[np.ix_(kept, kept)] * root / noise + np.eye(kept.size))
            taken[kept] = 1.0 - np.diag(inverse)
            coefficients[kept] = root * (inverse @ (root * self.products[kept])) / noise
        else:
            scaled = self.values[:, kept] * root
            inverse = np.linalg.inv(scaled @ scaled.T / noise + np.eye(len(scaled)))
            taken[kept] = (scaled * (inverse @ scaled)).sum(axis=0) / noise
            coefficients[kept] = root * (scaled.T @ (inverse @ self.output)) / noise
        return coefficients, taken

    def covariance(self, variances: Numbers, noise: float) -> Numbers:
        """Return the covariance of the coefficients; no variance may be 0."""
        root = np.sqrt(variances[self.component])
        inverse = np.linalg.inv(root[:, None] * self.squares * root / noise + np.eye(len(root)))
        some: Numbers = root[:, None] * (inverse + inverse.T) / 2.0 * root
        return some

    def left(self, coefficients: Numbers) -> float:
        """Return the residual sum of squares; an output fitted to the last digit keeps its last digits as noise."""
        residuals = self.output - self.values @ coefficients
        return max(float(residuals @ residuals), 1e-12 * float(self.output @ self.output))


def mixed(output: Numbers, columns: Columns) -> Mixed:
    """Return the regression of an output on columns, with the variances that are the most plausible.

    The variances are the mode of the restricted marginal likelihood times a prior that is flat in the components'
    standard deviations (Gelman 2006, "Prior distributions for variance parameters in hierarchical models"). Found as
    the fixed point of MacKay (1992), "Bayesian interpolation", which for ridge penalties is that of Wood & Fasiolo
    (2017), "A generalized Fellner-Schall method": with g the effective number of a component's coefficients, its
    variance is their sum of squares over g + 1, and that of the noise is the residual sum of squares over rows - 1 -
    the sum of all g. A component that falls to nothing stays there. Half of the output's variance is at first shared
    out evenly.
    """
    rows, number = columns.values.shape
    total = float(output @ output)
    if number == 0 or total == 0.0:
        return Mixed(
            variances=np.zeros(int(columns.component.max(initial=-1)) + 1),
            noise=total / max(rows - 1, 1),
            coefficients=np.zeros(number),
            centre=np.zeros(number),
            covariance=np.zeros((number, number)),
        )
    equations = _Equations(
        values=columns.values,
        output=output,
        component=columns.component,
        squares=columns.values.T @ columns.values,
        products=columns.values.T @ output,
    )
    variances, noise = _likeliest(equations, total)
    coefficients, _ = equations.solved(variances, noise)
    least = _NOT_EXCLUDED * noise / equations.by_component(np.diag(equations.squares))
    possible = np.maximum(variances, least)
    return Mixed(
        variances=variances,
        noise=noise,
        coefficients=coefficients,
        centre=equations.solved(possible, noise)[0],
        covariance=equations.covariance(possible, noise),
    )


def _likeliest(equations: _Equations, total: float) -> tuple[Numbers, float]:
    """Return the variance of each component and of the noise."""
    rows = len(equations.output)
    spread = equations.by_component(np.diag(equations.squares))
    noise = 0.5 * total / rows
    variances = np.full(len(spread), 0.5 * total / len(spread)) / spread
    for _ in range(_ROUNDS):
        coefficients, taken = equations.solved(variances, noise)
        used = equations.by_component(taken)
        length = equations.by_component(np.square(coefficients))
        new = length / (used + _FLAT_IN_DEVIATIONS)
        left = equations.left(coefficients) / max(rows - 1.0 - float(used.sum()), 1.0)
        new[new * spread < _NONE * left] = 0.0
        change = max(float((np.abs(new - variances) * spread).max()), abs(left - noise) * rows)
        variances, noise = new, left
        if change < _STEADY * total:
            break
    return variances, noise
