"""Answers by stratum in; the share among all who were asked, with its interval, out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from cxsim.errors import DataError
from cxsim.intervals.arrays import FloatArray, not_negative, same_length
from cxsim.intervals.cautions import NOBODY, caution_for, clipped, joined
from cxsim.intervals.estimate import Estimate
from cxsim.intervals.levels import normal_quantile

# Below so many answers a stratum is put together with another.
FEW_ANSWERS = 5


def poststratified(members: ArrayLike, answers: ArrayLike, successes: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Share of successes among all members, each stratum weighing as much as it has members.

    Right where, within a stratum, those who answered are as those who did not; it mends nothing else, so print
    `worst_case` beside it.

    Parameters
    ----------
    members
        Units in each stratum, shape (n,), n >= 1.
    answers
        Those of them that answered.
    successes
        Those of the answers that count.
    level
        Probability with which such intervals hold the truth, in (0, 1).

    Returns
    -------
    Estimate
        In [0, 1], over the answers. No value where nobody answered in a stratum with members; a caution where fewer
        than 5 did.

    Raises
    ------
    DataError
        When not 0 <= successes <= answers <= members in each stratum, or there are no members.

    References
    ----------
    Cochran (1977), Sampling Techniques, eq. 5.52, without the correction for a finite population.

    Examples
    --------
    >>> estimate = poststratified([600, 400], [60, 140], [36, 126])
    >>> round(estimate.value, 6), round(estimate.low, 6), round(estimate.high, 6)
    (0.72, 0.643014, 0.796986)
    """
    asked, given, counted = _strata(members, answers, successes)
    units = round(float(given.sum()))
    z = normal_quantile(level)
    method = "post-stratified"
    empty = int(((given == 0) & (asked > 0)).sum())
    if empty:
        missing = f"nobody answered in {empty} of {asked.size} strata" if units else NOBODY
        caution = joined([caution_for(units), missing])
        return Estimate(value=None, low=None, high=None, units=units, method=method, level=level, caution=caution)
    weights = asked / asked.sum()
    divisors = np.maximum(given, 1)
    shares = counted / divisors
    value = float((weights * shares).sum())
    half = z * math.sqrt(float((weights**2 * shares * (1 - shares) / divisors).sum()))
    low, high, note = clipped(value - half, value + half, (0.0, 1.0))
    smallest = round(float(given[asked > 0].min()))
    few = f"{smallest} answers in a stratum; put strata together" if smallest < FEW_ANSWERS else ""
    caution = joined([caution_for(units, round(float(counted.sum()))), few, note])
    return Estimate(value=value, low=low, high=high, units=units, method=method, level=level, caution=caution)


def effective_answers(members: ArrayLike, answers: ArrayLike) -> float:
    """Return how many equally weighted answers say as much as these, which stand for unequal numbers of members.

    Parameters
    ----------
    members
        Units in each stratum, shape (n,).
    answers
        Those of them that answered; above 0 wherever there are members.

    Raises
    ------
    DataError
        When not 0 <= answers <= members in each stratum, there are no members, or nobody answered in a stratum.

    References
    ----------
    Kish (1965), Survey Sampling, section 11.7; the answers over it are the design effect of weighting.

    Examples
    --------
    >>> round(effective_answers([600, 400], [60, 140]), 6)
    140.0
    """
    asked, given, _ = _strata(members, answers, np.zeros_like(np.asarray(answers)))
    if ((given == 0) & (asked > 0)).any():
        raise DataError("nobody answered in a stratum, so that no weight makes up for it; put strata together.")
    return float(asked.sum() ** 2 / (asked**2 / np.maximum(given, 1)).sum())


def worst_case(successes: int, answers: int, asked: int) -> Estimate:
    """Share of successes among all who were asked, whatever those who did not answer would have said.

    Parameters
    ----------
    successes, answers, asked
        Answers that count, of all answers, of all units that were asked.

    Returns
    -------
    Estimate
        The value is the share among the answers; the ends are those with every silent unit a failure, and a success.
        Its level is 1: no assumption is made and no chance is left, but that of who was asked.

    Raises
    ------
    DataError
        When not 0 <= successes <= answers <= asked.

    References
    ----------
    Manski (1990), "Nonparametric Bounds on Treatment Effects", American Economic Review 80, 319-323.

    Examples
    --------
    >>> estimate = worst_case(162, 200, 1000)
    >>> estimate.value, estimate.low, estimate.high
    (0.81, 0.162, 0.962)
    """
    if not 0 <= successes <= answers <= asked:
        raise DataError(
            "successes are some of the answers, and answers some of those asked; "
            f"found {successes}, {answers} and {asked}."
        )
    return Estimate(
        value=successes / answers if answers else None,
        low=successes / asked if asked else None,
        high=(successes + asked - answers) / asked if asked else None,
        units=answers,
        method="worst case",
        level=1.0,
        caution=caution_for(answers, successes),
    )


def _strata(members: ArrayLike, answers: ArrayLike, successes: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    asked, given = not_negative("members", members), not_negative("answers", answers)
    counted = not_negative("successes", successes)
    same_length(("members", asked), ("answers", given))
    same_length(("members", asked), ("successes", counted))
    if not asked.sum():
        raise DataError("there must be members in a stratum; found none.")
    wrong = np.flatnonzero((given > asked) | (counted > given))
    if wrong.size:
        place = int(wrong[0])
        raise DataError(
            "successes are some of the answers, and answers some of the members; "
            f"found {counted[place]:g}, {given[place]:g} and {asked[place]:g} in stratum {place + 1}."
        )
    return asked, given, counted
