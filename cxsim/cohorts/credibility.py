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

    Bühlmann & Straub (1970), "Glaubwürdigkeit für Schadensätze": equal to the posterior mean for the Gamma-Poisson.
    """
    mean = counts.sum() / exposure.sum()
    excess = float(((counts - mean * exposure) ** 2).sum() - mean * exposure.sum())
    between = max(excess / float((exposure**2).sum()), 0.0)
    guess: Array = (mean**2 + between * counts) / (mean + between * exposure)
    return guess


def credible_mean(counts: Array, sums: Array, squares: Array) -> Array:
    """Return the best linear guess at each customer's mean amount.

    Bühlmann & Straub (1970); the spreads within and between customers are those of a one-way analysis of variance.
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
