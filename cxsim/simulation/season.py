"""Days in, seasonal days out, and back: time in which a seasonal rate of orders is a constant one."""

from __future__ import annotations

import numpy as np

from cxsim.compiled import inlined
from cxsim.simulation.world import World


@inlined
def month_of(world: World, now: float, month: int) -> int:
    """Return the month of a day, the last one for the horizon itself; found at once if it is not far after `month`."""
    if world.month_starts[month] > now:
        month = 0
    while month < len(world.season_levels) - 1 and world.month_starts[month + 1] <= now:
        month += 1
    return month


@inlined
def seasonal(world: World, now: float, month: int) -> float:
    """Return the seasonal time of a day of the scenario, and of a month."""
    if not world.facts[0].seasonal:
        return now
    return world.season_starts[month] + (now - world.month_starts[month]) * world.season_levels[month]


@inlined
def day_of(world: World, time: float, month: int, latest: float) -> float:
    """Return the day of a seasonal time that is not before `month`; infinity if it is after the day `latest`."""
    if not world.facts[0].seasonal:
        return time
    if time >= world.season_starts[len(world.season_levels)]:
        return np.inf
    while world.season_starts[month + 1] <= time:
        month += 1
        if world.month_starts[month] > latest:
            return np.inf
    return world.month_starts[month] + (time - world.season_starts[month]) / world.season_levels[month]
