"""Each customer's counts and sums in; what they tell of the customer's own rate and own mean, out.

A customer with one order says little of themselves and is best taken for an average one; a customer with twenty says
much. How much is read from the spread between customers by the method of moments; nothing is assumed of its shape.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def credible_rate(counts: Array, exposure: Array) -> Array:
    """Return the best linear guess at each customer's rate of events.

    Where rates are Gamma distributed and events a Poisson process, it is the posterior mean (r + x) / (alpha + T).

    Parameters
    ----------
    counts
        Events of each customer, 0 or more.
    exposure
        Over how long they were counted, above 0.

    Returns
    -------
    numpy.ndarray
        Events per unit of exposure: between the customer's own rate and the mean of all.

    References
    ----------
    Bühlmann & Straub (1970), "Glaubwürdigkeit für Schadensätze": equal to the posterior mean for the Gamma-Poisson.

    Examples
    --------
    Nobody and 20 in the same time: the mean is 10, and 200 - 20 over 2 is the spread between customers, 90.

    >>> credible_rate(np.array([0.0, 20.0]), np.array([1.0, 1.0]))
    array([ 1., 19.])
    """
    mean = counts.sum() / exposure.sum()
    excess = float(((counts - mean * exposure) ** 2).sum() - mean * exposure.sum())
    between = max(excess / float((exposure**2).sum()), 0.0)
    guess: Array = (mean**2 + between * counts) / (mean + between * exposure)
    return guess


def credible_mean(counts: Array, sums: Array, squares: Array) -> Array:
    """Return the best linear guess at each customer's mean amount.

    Parameters
    ----------
    counts, sums, squares
        Number of amounts of each customer, their sum, and the sum of their squares; somebody must have one.

    Returns
    -------
    numpy.ndarray
        Between the customer's own mean and the mean of all amounts; the latter for a customer without any.

    References
    ----------
    Bühlmann & Straub (1970); the spreads within and between customers are those of a one-way analysis of variance.

    Examples
    --------
    Customers with amounts 1 and 3, and 9 and 11: a spread of 2 within, and of 31 between (64 - 2 over 4 - 8 / 4).

    >>> credible_mean(np.array([2.0, 2.0]), np.array([4.0, 20.0]), np.array([10.0, 202.0])).round(4)
    array([2.125, 9.875])
    """
    rows, holders = counts.sum(), int((counts > 0.0).sum())
    overall, own, spare = sums.sum() / rows, sums / np.maximum(counts, 1.0), rows - holders
    within = max(float((squares - counts * own**2).sum()), 0.0) / spare if spare > 0 else 0.0
    spread = float((counts * (own - overall) ** 2).sum()) - (holders - 1) * within
    between = max(spread / float(rows - (counts**2).sum() / rows), 0.0) if holders > 1 else 0.0
    if within + between == 0.0:
        return np.full(len(counts), overall)
    guess: Array = (overall * within + between * sums) / (within + between * counts)
    return guess
