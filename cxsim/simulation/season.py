"""Days in, seasonal days out, and back: time in which a seasonal rate of orders is a constant one."""

from __future__ import annotations

import numpy as np

from cxsim.compiled import inlined
from cxsim.simulation.world import World


@inlined
def month_of(world: World, now: float, month: int) -> int:
    """Return the month of a day, the last one for the horizon itself; found at once if it is not far after `month`."""
    if world.months[month].begins > now:
        month = 0
    while month < len(world.months) - 2 and world.months[month + 1].begins <= now:
        month += 1
    return month


@inlined
def seasonal(world: World, now: float, month: int) -> float:
    """Return the seasonal time of a day of the scenario, and of a month."""
    if not world.facts[0].seasonal:
        return now
    mine = world.months[month]
    return mine.season + (now - mine.begins) * mine.level


@inlined
def day_of(world: World, time: float, month: int, latest: float) -> float:
    """Return the day of a seasonal time that is not before `month`; infinity if it is after the day `latest`."""
    if not world.facts[0].seasonal:
        return time
    if time >= world.months[len(world.months) - 1].season:
        return np.inf
    while world.months[month + 1].season <= time:
        month += 1
        if world.months[month].begins > latest:
            return np.inf
    mine = world.months[month]
    return mine.begins + (time - mine.season) / mine.level
