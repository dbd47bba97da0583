"""Successes in many small cells in; the share of each, drawn towards what all of them show, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from cxsim.errors import DataError
from cxsim.intervals.arrays import counts, not_negative, same_length
from cxsim.intervals.cautions import caution_for, joined
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import tail


@dataclass(frozen=True, kw_only=True, slots=True)
class BetaPrior:
    """What is known of the share of a cell before looking at it.

    Attributes
    ----------
    alpha, beta
        Successes and failures that the knowledge is worth; both above 0.
    """

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        if not (self.alpha > 0 and self.beta > 0):
            raise DataError(f"alpha and beta must be above 0; found {self.alpha} and {self.beta}.")


def shrunk(successes: int, units: int, prior: BetaPrior, *, level: float = 0.95) -> Estimate:
    """Share of successes in a cell, drawn towards the prior the more, the fewer units it has.

    Parameters
    ----------
    successes, units
        Units that count, of all units of the cell.
    prior
        What is known before; see `fitted_prior`.
    level
        Posterior probability of the interval, in (0, 1).

    Returns
    -------
    Estimate
        Posterior mean and equal-tailed interval. Its caution begins with "shrunk"; show the raw share beside it.

    Raises
    ------
    DataError
        When there are more successes than units, or either is negative.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, section 2.4.

    Examples
    --------
    >>> estimate = shrunk(3, 5, BetaPrior(alpha=2, beta=8))
    >>> round(estimate.value, 4), estimate.caution
    (0.3333, 'shrunk; indicative: 5 units')
    """
    counts("successes", successes, units)
    outside = tail(level)
    alpha, beta = prior.alpha + successes, prior.beta + units - successes
    return Estimate(
        value=alpha / (alpha + beta),
        low=float(special.betaincinv(alpha, beta, outside)),
        high=float(special.betaincinv(alpha, beta, 1 - outside)),
        units=units,
        method="beta-binomial",
        level=level,
        caution=joined(["shrunk", caution_for(units, successes)]),
    )


def fitted_prior(successes: ArrayLike, units: ArrayLike) -> BetaPrior:
    """Return the prior whose mean and spread are those of the shares of many cells, less what chance adds.

    Parameters
    ----------
    successes
        Units that count, by cell, shape (n,), n >= 2.
    units
        All units, by cell; cells without any are left out.

    Returns
    -------
    BetaPrior
        Worth at most as many units as there are in all: cells that differ no more than chance would have them are
        taken to be alike, not to be known better than that.

    Raises
    ------
    DataError
        When a number is missing, infinite or negative, the two differ in length, there are more successes than units,
        fewer than 2 cells have units, or all units or none are successes.

    References
    ----------
    Kleinman (1973), "Proportions with Extraneous Variance: Single and Independent Samples", JASA 68, 46-54.
    """
    hits, sizes = not_negative("successes", successes), not_negative("units", units)
    same_length(("successes", hits), ("units", sizes))
    if (hits > sizes).any():
        place = int(np.argmax(hits > sizes))
        raise DataError(f"found {hits[place]:g} successes among {sizes[place]:g} units in cell {place + 1}.")
    hits, sizes = hits[sizes > 0], sizes[sizes > 0]
    total = float(sizes.sum())
    share = float(hits.sum()) / total if total else 0.0
    if sizes.size < 2 or not 0 < share < 1:
        raise DataError(
            "a prior needs 2 cells or more with units, successes and failures; "
            f"found {sizes.size} cells with {hits.sum():g} successes among {total:g} units."
        )
    chance = share * (1 - share)
    spread = float((sizes * (hits / sizes - share) ** 2).sum())
    # E[spread] = (cells - 1) p q + tau^2 (N - sum n^2 / N - (cells - 1)), where tau^2 is the variance between cells.
    room = total - float((sizes**2).sum()) / total - (sizes.size - 1)
    between = (spread - (sizes.size - 1) * chance) / room if room > 0 else 0.0
    worth = min(chance / between - 1, total) if between > 0 else total
    if worth <= 0:
        raise DataError("the cells are all-or-nothing, more apart than any prior allows; show their counts.")
    return BetaPrior(alpha=share * worth, beta=(1 - share) * worth)
