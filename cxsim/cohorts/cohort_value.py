"""Moments of customers in; rates, means and values so far, each with its interval, out."""

from __future__ import annotations

import math

import numpy as np

from cxsim.cohorts.moments import Moments
from cxsim.intervals import student_quantile, wilson

Reading = tuple[float | None, float | None, float | None]

NOTHING: Reading = (None, None, None)
LEVEL = 0.95


def rate(moments: Moments, cohort: int, age: int) -> Reading:
    """Return the share of customers at risk of whom the quantity is 1, with Wilson's interval."""
    found = wilson(int(moments.sums[cohort, age]), int(moments.at_risk[cohort, age]))
    return found.value, found.low, found.high


def mean_worth(moments: Moments, cohort: int, age: int, *, unit: float) -> Reading:
    """Return the mean of the quantity over customers at risk, with the t interval over them."""
    customers = int(moments.at_risk[cohort, age])
    if customers == 0:
        return NOTHING
    value = int(moments.sums[cohort, age]) / customers / unit
    spread = _residuals(moments, cohort, age)[age, age] / customers**2
    return with_error(value, _corrected(spread, customers, moments.quantum / unit), customers)


def worth_so_far(moments: Moments, cohort: int, age: int, *, unit: float) -> Reading:
    """Return the value per customer from the first order to the end of an age, where not all were watched so long.

    The value is V(a) = sum of m(b) over b = 0 ... a, where m(b) is the mean at age b over the n(b) customers at risk
    at b. Customer i adds psi(i) = sum of (x(i, b) - m(b)) / n(b) over those b <= a at which the customer is at risk,
    and the variance is the sum of psi(i)^2, times n(a) / (n(a) - 1): the ages of one customer stay together. Where all
    are at risk throughout, this is the t interval of the mean of customers' totals.

    Bang and Tsiatis (2000), "Estimating medical costs with censored data", Biometrika 87, 329-343: the partitioned
    estimator, here with censoring by the date of the first order alone, within a cohort.
    """
    at_risk = [int(count) for count in moments.at_risk[cohort, : age + 1]]
    if at_risk[-1] == 0:
        return NOTHING
    sums = [int(total) for total in moments.sums[cohort, : age + 1]]
    value = math.fsum(total / count for total, count in zip(sums, at_risk, strict=True)) / unit
    weights = 1.0 / np.array(at_risk, dtype=np.float64)
    residuals = _residuals(moments, cohort, age)
    # Element by element: a product of matrices may add in another order on another machine.
    spread = math.fsum((residuals * np.outer(weights, weights)).ravel().tolist())
    return with_error(value, _corrected(spread, at_risk[-1], moments.quantum / unit), at_risk[-1])


def with_error(value: float, error: float | None, customers: int) -> Reading:
    """Return a value with its t interval; without ends where one customer alone was watched."""
    if error is None or customers < 2:
        return value, None, None
    half = student_quantile(LEVEL, customers - 1) * error
    return value, value - half, value + half


def _residuals(moments: Moments, cohort: int, age: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return, for all b, c <= age, the sum over those at risk at both of (x(b) - m(b)) (x(c) - m(c)), in quanta^2."""
    ages = slice(0, age + 1)
    at_risk = moments.at_risk[cohort, ages].astype(np.float64)
    shared, products = moments.shared[cohort, ages, ages], moments.products[cohort, ages, ages]
    means = np.diagonal(shared) / at_risk
    # Let b <= c: of the three terms beside the product, two cancel, and the sum at b over those at risk at c remains.
    upper = np.triu(products - shared * means[None, :])
    return upper + np.triu(upper, k=1).T


def _corrected(spread: float, customers: int, quantum: float) -> float | None:
    if customers < 2:
        return None
    return math.sqrt(max(spread, 0.0) * customers / (customers - 1)) * quantum
