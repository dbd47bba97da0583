"""How long units waited, and which still wait, in; the share that still waits at each moment out.

A ticket without an answer has waited at least as long as it is old. Leaving it out, or calling it a failure, would
answer another question.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cxsim.intervals.arrays import FloatArray, not_negative, same_length


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


def survival_from_counts(
    times: ArrayLike, events: ArrayLike, censored: ArrayLike, *, units: int | None = None
) -> Survival:
    """Share that still waits, from counts of units by time; for what is too much to hand over one by one."""
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
