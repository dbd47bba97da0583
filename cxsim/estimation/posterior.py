"""A fit and standard normal scores in, parameters as uncertain as the data leave them out; draws no luck itself."""

from __future__ import annotations

import math
from typing import overload

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.bgnbd_fit import BgNbdFit
from cxsim.estimation.estimates import COVARIANCE_DIGITS, PARAMETER_DIGITS, Matrix, significant
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.models import BgNbdParams, GammaGammaParams


@overload
def draw_params(fit: BgNbdFit, scores: NDArray[np.float64]) -> BgNbdParams: ...
@overload
def draw_params(fit: GammaGammaFit, scores: NDArray[np.float64]) -> GammaGammaParams: ...
def draw_params(fit: BgNbdFit | GammaGammaFit, scores: NDArray[np.float64]) -> BgNbdParams | GammaGammaParams:
    """Return one draw of the parameters from the normal approximation on the log scale.

    Parameters
    ----------
    fit
        A fitted model.
    scores
        Standard normal scores, shape (n_params,): 4 for BG/NBD, 3 for Gamma-Gamma. Zeros give the estimates.

    Returns
    -------
    BgNbdParams or GammaGammaParams
        exp(log estimate + L scores), L the Cholesky factor of the covariance; ten significant digits. The
        covariance is rounded to eight and factored by plain arithmetic, so that all processors agree.

    Raises
    ------
    EstimationError
        For scores of another shape or that are not finite.

    References
    ----------
    The Laplace approximation of a posterior with flat priors on the logarithms.
    """
    if isinstance(fit, BgNbdFit):
        found = fit.params
        r, alpha, a, b = _drawn((found.r, found.alpha, found.a, found.b), fit.log_covariance, scores)
        return BgNbdParams(r=r, alpha=alpha, a=a, b=b)
    p, q, v = _drawn((fit.params.p, fit.params.q, fit.params.v), fit.log_covariance, scores)
    return GammaGammaParams(p=p, q=q, v=v)


def _drawn(values: tuple[float, ...], log_covariance: Matrix, scores: NDArray[np.float64]) -> list[float]:
    z = np.asarray(scores, dtype=np.float64)
    if z.shape != (len(values),) or not np.isfinite(z).all():
        raise EstimationError(f"scores must be {len(values)} finite numbers; found shape {z.shape}: {z.tolist()}.")
    factor = _cholesky([[significant(x, COVARIANCE_DIGITS) for x in row] for row in log_covariance])
    moves = [sum(weight * float(score) for weight, score in zip(row, z, strict=True)) for row in factor]
    # Not exp(log(value) + move): two roundings less, and zeros give the estimates themselves.
    return [significant(value * math.exp(move), PARAMETER_DIGITS) for value, move in zip(values, moves, strict=True)]


def _cholesky(matrix: list[list[float]]) -> list[list[float]]:
    """Return the lower triangular root of a positive definite matrix, in plain arithmetic."""
    size = len(matrix)
    root = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(root[i][k] * root[j][k] for k in range(j))
            if i != j:
                root[i][j] = rest / root[j][j]
            elif rest > 0.0:
                root[i][i] = math.sqrt(rest)
            else:
                raise EstimationError(f"the covariance is not positive definite; found {matrix}. Fit the model again.")
    return root
