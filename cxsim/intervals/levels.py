"""The level of an interval in; the quantile that reaches it out."""

from __future__ import annotations

from scipy import special

from cxsim.errors import DataError


def normal_quantile(level: float) -> float:
    """Return the z with P(-z < Z < z) = `level` for a standard normal Z."""
    return float(special.ndtri(1 - tail(level)))


def student_quantile(level: float, freedom: int) -> float:
    """Return the t with P(-t < T < t) = `level` for Student's T with `freedom` >= 1 degrees of freedom."""
    return float(special.stdtrit(freedom, 1 - tail(level)))


def tail(level: float) -> float:
    """Return the probability that an interval leaves out at each end."""
    if not 0 < level < 1:
        raise DataError(f"the level of an interval lies between 0 and 1, as 0.95; found {level}.")
    return (1 - level) / 2
