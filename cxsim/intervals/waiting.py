"""How long units waited, and which still wait, in; the share that still waits at each moment out.

A ticket without an answer has waited at least as long as it is old. Leaving it out, or calling it a failure, would
answer another question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxsim.errors import DataError
from cxsim.intervals.arrays import FloatArray, not_negative, same_length, truths


@dataclass(frozen=True, kw_only=True, slots=True)
class Survival:
    """Share of units that still wait, by time since they began to.

    Attributes
    ----------
    times
        Distinct times at which a wait ended or a unit was last seen waiting, ascending, shape (n,).
    shares
        Share that still waits just after each time, in [0, 1].
    at_risk
        Units that were still waiting and in sight just before each time; with weights, their weights.
    events
        Those whose wait ended at each time; 0 where units were only last seen.
    units
        Independent units behind it.
    method
        Name of the estimator.
    """

    times: FloatArray
    shares: FloatArray
    at_risk: FloatArray
    events: FloatArray
    units: int
    method: str = "Kaplan-Meier"


def survival(durations: ArrayLike, ended: ArrayLike) -> Survival:
    """Share that still waits, from one wait per unit.

    Parameters
    ----------
    durations
        How long each unit waited so far, in any one unit of time, at least 0, shape (n,).
    ended
        Whether its wait was over then; False where it was last seen still waiting.

    Returns
    -------
    Survival
        The product-limit estimate; a unit last seen at the time at which another's wait ended was waiting at it.

    Raises
    ------
    DataError
        When a duration is missing, infinite or negative, `ended` is not true or false, or the two
        differ in length.

    References
    ----------
    Kaplan and Meier (1958), "Nonparametric Estimation from Incomplete Observations", JASA 53, 457-481, eq. 2b.

    Examples
    --------
    >>> tickets = survival([1, 2, 2, 4, 6, 3, 5, 8], [True] * 5 + [False] * 3)
    >>> tickets.shares[tickets.events > 0]
    array([0.875   , 0.625   , 0.46875 , 0.234375])
    """
    waits = not_negative("durations", durations)
    over = truths("ended", ended)
    same_length(("durations", waits), ("ended", over))
    return survival_from_counts(waits, over.astype(np.float64), (~over).astype(np.float64))


def survival_from_counts(
    times: ArrayLike, events: ArrayLike, censored: ArrayLike, *, units: int | None = None
) -> Survival:
    """Share that still waits, from counts of units by time; for what is too much to hand over one by one.

    Parameters
    ----------
    times
        Times since the wait began, at least 0, in any order, shape (n,); a time may stand there several times.
    events
        Units whose wait ended at each of them; weights are possible.
    censored
        Units last seen still waiting at each of them.
    units
        Independent units behind the counts; None where each count is of units, so that it is their sum.

    Returns
    -------
    Survival
        As `survival` of the same units one by one.

    Raises
    ------
    DataError
        When a number is missing, infinite or negative, or the three are not as long as each other.

    Examples
    --------
    >>> survival_from_counts([1, 2], [1, 1], [0, 2]).shares
    array([0.75, 0.5 ])
    """
    moments = not_negative("times", times)
    ends, seen = not_negative("events", events), not_negative("censored", censored)
    same_length(("times", moments), ("events", ends))
    same_length(("times", moments), ("censored", seen))
    distinct, places = np.unique(moments, return_inverse=True)
    ended: FloatArray = np.bincount(places, weights=ends, minlength=distinct.size).astype(np.float64)
    leaving = ended + np.bincount(places, weights=seen, minlength=distinct.size)
    # Added up from the last one on, so that nobody is left over at the end by rounding.
    at_risk = np.cumsum(leaving[::-1])[::-1]
    kept = leaving > 0
    distinct, ended, at_risk = distinct[kept], ended[kept], at_risk[kept]
    shares: FloatArray = np.cumprod(1 - ended / at_risk).astype(np.float64)
    return Survival(
        times=distinct,
        shares=shares,
        at_risk=at_risk,
        events=ended,
        units=round(float(leaving.sum())) if units is None else units,
    )


def gap_survival(customers: ArrayLike, durations: ArrayLike, ended: ArrayLike) -> Survival:
    """Share of gaps between orders that are longer, from all gaps of each customer.

    Each customer weighs 1, shared among the gaps that ended; the last one, still open, counts only where none ended.
    Taking all gaps as if they were independent would count those who order often more, whose gaps are short.

    Parameters
    ----------
    customers
        Whose gap it is: whole numbers or texts, shape (n,), in any order.
    durations
        How long each gap has lasted, at least 0.
    ended
        Whether an order ended it; at most one gap of a customer is open.

    Returns
    -------
    Survival
        Its intervals are those of one gap per customer drawn at random, hence rather too wide.

    Raises
    ------
    DataError
        When a duration is missing, infinite or negative, `ended` is not true or false, the three
        differ in length, or a customer has
        several open gaps.

    References
    ----------
    Wang and Chang (1999), "Nonparametric Estimation of a Recurrent Survival Function", JASA 94, 146-153, eq. 2.
    Luo and Huang (2010), "Analysis of Recurrent Gap Time Data Using the Weighted Risk-Set Method", Statistics in
    Medicine 29, 301-311.

    Examples
    --------
    >>> gap_survival([1, 1, 1, 2], [19, 14, 26, 21], [True, True, False, False]).shares
    array([0.75, 0.5 , 0.5 ])
    """
    gaps = not_negative("durations", durations)
    over = truths("ended", ended)
    names, places = np.unique(np.asarray(customers), return_inverse=True)
    same_length(("durations", gaps), ("ended", over))
    same_length(("durations", gaps), ("customers", places.astype(np.float64)))
    complete = np.bincount(places, weights=over, minlength=names.size)
    still = np.bincount(places, weights=~over, minlength=names.size)
    if names.size and still.max() > 1:
        raise DataError(
            f"a customer has at most one open gap; found {int(still.max())} of customer {names[still.argmax()]}."
        )
    share = 1 / np.maximum(complete, 1)
    counted = over | (complete[places] == 0)
    events = (share[places] * over)[counted]
    censored = (~over)[counted].astype(np.float64)
    table = survival_from_counts(gaps[counted], events, censored, units=names.size)
    return Survival(
        times=table.times,
        shares=table.shares,
        at_risk=table.at_risk,
        events=table.events,
        units=names.size,
        method="Wang-Chang",
    )


def first_gap_survival(customers: ArrayLike, durations: ArrayLike, ended: ArrayLike) -> Survival:
    """Share of customers whose second order takes longer, from the first gap of each.

    Parameters
    ----------
    customers
        Whose gap it is, shape (n,); the gaps of a customer in the order in which they happened.
    durations
        How long each gap has lasted, at least 0.
    ended
        Whether an order ended it.

    Returns
    -------
    Survival
        As `survival` of the first gaps.

    Raises
    ------
    DataError
        When a duration is missing, infinite or negative, `ended` is not true or false, or the three
        differ in length.

    Examples
    --------
    >>> first_gap_survival([1, 1, 1, 2], [19, 14, 26, 21], [True, True, False, False]).shares
    array([0.5, 0.5])
    """
    gaps = not_negative("durations", durations)
    over = truths("ended", ended)
    names, firsts = np.unique(np.asarray(customers), return_index=True)
    same_length(("durations", gaps), ("ended", over))
    same_length(("durations", gaps), ("customers", np.zeros(np.asarray(customers).size)))
    return survival(gaps[firsts], over[firsts]) if names.size else survival(gaps, over)
