"""The stretches of time over which a shop is looked at: weeks from Monday, months, and which of them are over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Every = Literal["week", "month"]


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A stretch of time from `start`, and before `end`; by the shop's clock.

    Attributes
    ----------
    start, end
        Its ends.
    """

    start: datetime
    end: datetime


def complete_periods(since: datetime, until: datetime, every: Every) -> tuple[Period, ...]:
    """Return the weeks (from Monday) or calendar months that were observed from end to end, by time."""
    start = _first_start(since, every)
    found = []
    while (end := _after(start, every)) <= until:
        if start >= since:
            found.append(Period(start, end))
        start = end
    return tuple(found)


def _first_start(moment: datetime, every: Every) -> datetime:
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) if every == "week" else day.replace(day=1)


def _after(start: datetime, every: Every) -> datetime:
    if every == "week":
        return start + timedelta(days=7)
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
