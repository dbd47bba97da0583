"""A covariance in, its lower triangular root out, the same on all processors."""

from __future__ import annotations

import math

from cxsim.errors import EstimationError
from cxsim.estimation.estimates import COVARIANCE_DIGITS, Matrix, significant


def root(covariance: Matrix) -> list[list[float]]:
    """Return the Cholesky factor L of a covariance, L L' = covariance."""
    size = len(covariance)
    rows = [[significant(x, COVARIANCE_DIGITS) for x in row] for row in covariance]
    factor = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = rows[i][j] - sum(factor[i][k] * factor[j][k] for k in range(j))
            if i != j:
                factor[i][j] = rest / factor[j][j]
            elif rest > 0.0:
                factor[i][i] = math.sqrt(rest)
            else:
                raise EstimationError(f"the covariance is not positive definite; found {rows}. Fit the model again.")
    return factor
