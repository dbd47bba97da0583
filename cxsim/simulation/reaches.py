"""One customer's place in each reach: when it is joined, when it is on, and what it does to the intensities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxsim import rng
from cxsim.compiled import inlined
from cxsim.simulation.plan import Plan

_UPTAKE = int(rng.Purpose.UPTAKE)
Days = npt.NDArray[np.float64]


@inlined
def adopt(plan: Plan, key: np.uint64, entry: float, reached: npt.NDArray[np.bool_], i: int, adopts: Days) -> None:
    """Write into `adopts` the day on which the customer joins each reach; infinity for never.

    A customer joins if their uniform is below the uptake, and the earlier the smaller it is: raising the uptake adds
    customers and never removes one.
    """
    luck = rng.purpose_key(key, _UPTAKE)
    for s in range(len(adopts)):
        adopts[s] = np.inf
        if reached[i, s]:
            u = rng.uniform(luck, s)
            if u < plan[s].uptake:
                joins = max(plan[s].from_day + plan[s].ramp_days * u / plan[s].uptake, entry)
                if joins < plan[s].until_day:
                    adopts[s] = joins


@inlined
def spell(plan: Plan, s: int, adopts: Days, last: float) -> tuple[float, float]:
    """Return the first day on which reach `s` is on in the present idle spell, and the day from which it is off."""
    if plan[s].idle_days < 0.0:
        return adopts[s], plan[s].until_day
    begins = max(last + plan[s].idle_days, adopts[s])
    if begins >= plan[s].until_day:
        return np.inf, np.inf
    return begins, min(begins + plan[s].for_days, plan[s].until_day)


@inlined
def mark(plan: Plan, adopts: Days, last: float, now: float, on: npt.NDArray[np.bool_]) -> None:
    """Write into `on` which reaches are on at `now`."""
    for s in range(len(adopts)):
        begins, ends = spell(plan, s, adopts, last)
        on[s] = begins <= now < ends


@inlined
def intensities(plan: Plan, adopts: Days, last: float, now: float) -> tuple[float, float, float]:
    """Return the ratios on purchase rate and dropout at `now`, and the next day on which a reach switches."""
    buying, dropping, switch = 1.0, 1.0, np.inf
    for s in range(len(adopts)):
        begins, ends = spell(plan, s, adopts, last)
        if now < begins:
            switch = min(switch, begins)
        elif now < ends:
            switch = min(switch, ends)
            buying *= plan[s].rate_ratio
            dropping *= plan[s].dropout_ratio
    return buying, dropping, switch
