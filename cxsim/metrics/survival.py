"""A survival curve in; what share still waits, how long half of them wait, how long they wait on average, out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from cxsim.errors import DataError
from cxsim.metrics.intervals import (
    NOBODY,
    Estimate,
    FloatArray,
    caution_for,
    joined,
    normal_quantile,
    not_negative,
    same_length,
    wilson,
)


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


# Shares are products of fractions; two that should be equal differ by less.
_ROUNDING = 1e-12


def still_waiting(waits: Survival, time: float, *, level: float = 0.95) -> Estimate:
    """Share that still waits at `time`, with log-log limits, which never leave [0, 1].

    Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data, eq. 1.16; variance of Greenwood
    (1926).
    """
    _check_time("time", time)
    normal_quantile(level)
    method = f"{waits.method}, log-log"
    place = int(np.searchsorted(waits.times, time, side="right")) - 1
    caution = _caution_at(waits, time)
    if caution:
        return Estimate(value=None, low=None, high=None, units=waits.units, method=method, level=level, caution=caution)
    value = 1.0 if place < 0 else float(waits.shares[place])
    ended = round(float(waits.events[: place + 1].sum()))
    if value in {0.0, 1.0}:
        known = ended if value == 0 else round(float(waits.at_risk[np.searchsorted(waits.times, time)]))
        plain = wilson(known if value else 0, known, level=level)
        low, high = plain.low, plain.high
    else:
        lows, highs = _limits(waits, level)
        low, high = float(lows[place]), float(highs[place])
    return Estimate(
        value=value, low=low, high=high, units=waits.units, method=method, level=level, caution=caution_for(waits.units)
    )


def answered_within(waits: Survival, time: float, *, level: float = 0.95) -> Estimate:
    """Share whose wait is over within `time`: 1 less `still_waiting`."""
    still = still_waiting(waits, time, level=level)
    return replace(still, value=_rest(still.value), low=_rest(still.high), high=_rest(still.low))


def quantile(waits: Survival, share: float, *, level: float = 0.95) -> Estimate:
    """Time within which a share of the waits is over, with the limits of Brookmeyer and Crowley.

    Brookmeyer and Crowley (1982), "A Confidence Interval for the Median Survival Time", Biometrics 38, 29-41, with
    log-log limits of the curve.
    """
    if not 0 < share < 1:
        raise DataError(f"the share of waits that are over lies between 0 and 1; found {share}.")
    left = 1 - share
    lows, highs = _limits(waits, level)
    value = _first(waits, waits.shares, left)
    low, high = _first(waits, lows, left), _first(waits, highs, left)
    note = "" if high is not None else "upper end not reached"
    if value is None and waits.units:
        note = "not reached"
    return Estimate(
        value=value,
        low=low,
        high=high,
        units=waits.units,
        method=f"{waits.method}, Brookmeyer-Crowley",
        level=level,
        caution=joined([caution_for(waits.units), note if waits.units else ""]),
    )


def median(waits: Survival, *, level: float = 0.95) -> Estimate:
    """Time within which half of the waits are over; see `quantile`."""
    return quantile(waits, 0.5, level=level)


def _check_time(what: str, time: float) -> None:
    if not (time >= 0 and math.isfinite(time)):
        raise DataError(f"the {what} must be a number of at least 0; found {time}.")


def _caution_at(waits: Survival, time: float) -> str:
    """Say why nothing is known at a time; empty where something is."""
    if waits.times.size == 0:
        return NOBODY
    seen_all = waits.shares[-1] == 0
    return "" if seen_all or time <= waits.times[-1] else f"nobody was seen longer than {waits.times[-1]:g}"


def _rest(share: float | None) -> float | None:
    return None if share is None else 1 - share


def _first(waits: Survival, curve: FloatArray, level: float) -> float | None:
    """Return the first time at which a curve is at a level or below; where it is not a number, it is not."""
    below = np.flatnonzero(curve <= level + _ROUNDING)
    return float(waits.times[below[0]]) if below.size else None


def _hazard_variance(waits: Survival) -> FloatArray:
    """Return Greenwood's terms, d / (n (n - d)); 0 where nobody is left, after which the curve is 0 whatever comes."""
    left = waits.at_risk - waits.events
    safe = np.where(left > 0, left, 1.0)
    return np.where(left > 0, waits.events / (waits.at_risk * safe), 0.0)


def _limits(waits: Survival, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the log-log limits at each time; the upper one is not a number where the curve is 0 or 1."""
    z = normal_quantile(level)
    shares = waits.shares
    inner = (shares > 0) & (shares < 1)
    logs = np.log(np.where(inner, shares, 0.5))
    spread = z * np.sqrt(np.cumsum(_hazard_variance(waits))) / -logs
    low = np.where(inner, np.exp(logs * np.exp(spread)), np.where(shares > 0, np.nan, 0.0))
    high = np.where(inner, np.exp(logs * np.exp(-spread)), np.nan)
    return low, high
