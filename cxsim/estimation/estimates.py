"""Named estimates with the covariance of their logarithms in, errors on the natural scale and tables to read out."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.admission import require_level

Matrix = tuple[tuple[float, ...], ...]

# A maximum is found to about twelve digits, an inverse Hessian to eleven, and the last of these differ between
# processors. What is kept is what they agree on, so that everything that follows from a fit is the same everywhere.
PARAMETER_DIGITS = 10
COVARIANCE_DIGITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimates:
    """Parameters as a list, with what is known of their errors.

    Attributes
    ----------
    names, values
        The parameters in the order of the model.
    log_covariance
        Covariance of their natural logarithms.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    log_covariance: Matrix

    def __post_init__(self) -> None:
        size = len(self.names)
        square = len(self.log_covariance) == size and all(len(row) == size for row in self.log_covariance)
        matrix = np.array(self.log_covariance) if square else np.zeros((0, 0))
        if not square or not np.isfinite(matrix).all() or (matrix != matrix.T).any() or (np.diag(matrix) <= 0.0).any():
            raise EstimationError(
                f"log_covariance must be a symmetric {size} by {size} matrix of finite numbers with a positive "
                f"diagonal, for {', '.join(self.names)}; found {self.log_covariance}."
            )

    def covariance(self) -> NDArray[np.float64]:
        """Return the covariance on the natural scale, by the delta method."""
        theta = np.array(self.values)
        return np.asarray(theta[:, None] * np.array(self.log_covariance) * theta[None, :])

    def std_errors(self) -> dict[str, float]:
        """Return the standard error of each parameter on the natural scale, by the delta method."""
        pairs = enumerate(zip(self.names, self.values, strict=True))
        return {name: value * math.sqrt(self.log_covariance[i][i]) for i, (name, value) in pairs}

    def table(self) -> pl.DataFrame:
        """Return one row per parameter: parameter, estimate, std_error."""
        return pl.DataFrame(
            {
                "parameter": list(self.names),
                "estimate": list(self.values),
                "std_error": list(self.std_errors().values()),
            }
        )

    def intervals(self, level: float) -> pl.DataFrame:
        """Return one row per parameter: parameter, low, high; normal on the logarithm, as no parameter is below zero."""
        require_level(level)
        reach = NormalDist().inv_cdf(0.5 + 0.5 * level)
        spread = [math.exp(min(reach * math.sqrt(row[i]), 700.0)) for i, row in enumerate(self.log_covariance)]
        return pl.DataFrame(
            {
                "parameter": list(self.names),
                "low": [value / factor for value, factor in zip(self.values, spread, strict=True)],
                "high": [value * factor for value, factor in zip(self.values, spread, strict=True)],
            }
        )

    def line(self) -> str:
        """Return the estimates on one line, four digits each."""
        return ", ".join(f"{name}={value:.4g}" for name, value in zip(self.names, self.values, strict=True))

    def page(self, title: str, notes: list[str]) -> str:
        """Return an HTML table of the estimates under `title`, with `notes` below it."""
        errors = self.std_errors()
        rows = "".join(
            f'<tr><th scope="row">{html.escape(name)}</th><td>{value:.4g}</td><td>{errors[name]:.2g}</td></tr>'
            for name, value in zip(self.names, self.values, strict=True)
        )
        head = '<tr><th scope="col">parameter</th><th scope="col">estimate</th><th scope="col">std. error</th></tr>'
        below = "<br>".join(html.escape(note) for note in notes)
        caption = f"<caption>{html.escape(title)}</caption>"
        return f"<table>{caption}<thead>{head}</thead><tbody>{rows}</tbody></table><p>{below}</p>"


def as_matrix(array: NDArray[np.float64]) -> Matrix:
    """Return a two-dimensional array as a tuple of rows, to as many digits as all processors agree on."""
    return tuple(tuple(significant(float(x), COVARIANCE_DIGITS) for x in row) for row in array)


def significant(value: float, digits: int) -> float:
    """Return `value` to so many significant digits.

    >>> significant(30.895214132345, 10)
    30.89521413
    """
    return float(f"{value:.{digits - 1}e}")
