"""Seasonal time for the bare rival: in it, a seasonal rate of orders is a constant one."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.bare_numbers import WORLD

HORIZON = float(WORLD.months["begins"][-1])
_STARTS, _SEASONS, _LEVELS = (np.ascontiguousarray(WORLD.months[name]) for name in ("begins", "season", "level"))
_MONTHS, SEASON_END = len(_LEVELS), float(_SEASONS[-1])


@njit
def month_at(now, month):
    """Return the month of a day that is not before `month`."""
    while month < _MONTHS - 1 and _STARTS[month + 1] <= now:
        month += 1
    return month


@njit
def season(now, month):
    """Return the seasonal time of a day."""
    return _SEASONS[month] + (now - _STARTS[month]) * _LEVELS[month]


@njit
def day(time, month, latest):
    """Return the day of a seasonal time; infinity if it is after `latest` or the horizon."""
    while _SEASONS[month + 1] <= time:
        month += 1
        if month == _MONTHS or _STARTS[month] > latest:
            return np.inf
    return _STARTS[month] + (time - _SEASONS[month]) / _LEVELS[month]
