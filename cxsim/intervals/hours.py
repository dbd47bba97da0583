"""Moments and a weekly schedule in; how long a desk was open between them out.

Moments are instants, counted in UTC, so that a day on which the clocks change is as long as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from cxsim.errors import DataError
from cxsim.intervals.arrays import FloatArray

Instants = NDArray[np.datetime64]
_Micros = NDArray[np.int64]

MINUTES_PER_DAY = 24 * 60
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
_MICROS_PER_MINUTE = 60_000_000
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """When a desk is open, the same every week.

    Attributes
    ----------
    zone
        Name of the time zone whose clocks it keeps, such as "America/New_York".
    spans
        Opening and closing time of each stretch, in minutes on the clock since Sunday 00:00; ascending and apart.
        The last may run past the end of the week.
    """

    zone: str
    spans: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise DataError(f"no time zone '{self.zone}'; possible are names such as Europe/Berlin or UTC.") from error
        edges = [edge for span in self.spans for edge in span]
        for before, after in pairwise([0, *edges]):
            if before > after:
                raise DataError(f"spans must ascend from 0; found {after} after {before}.")
        if edges and edges[-1] - edges[0] > MINUTES_PER_WEEK:
            raise DataError(
                "the last span runs into the next week's first one; "
                f"found {edges[-1]}, past {MINUTES_PER_WEEK} by more than {edges[0]}."
            )


def weekday_hours(zone: str, opens: int, closes: int) -> Schedule:
    """Return the schedule of a desk that is open from Monday to Friday.

    Parameters
    ----------
    zone
        Name of the time zone.
    opens, closes
        Hour of the day, 0 to 24.

    Raises
    ------
    DataError
        When the zone is unknown, or the hours do not ascend within a day.
    """
    if not 0 <= opens < closes <= 24:
        raise DataError(f"a desk opens before it closes, from 0 to 24 o'clock; found {opens} and {closes}.")
    days = [day * MINUTES_PER_DAY for day in range(1, 6)]
    return Schedule(zone=zone, spans=tuple((day + 60 * opens, day + 60 * closes) for day in days))


def open_minutes(start: datetime, end: datetime, schedule: Schedule) -> float:
    """Count the minutes between two moments in which the desk was open.

    Parameters
    ----------
    start, end
        Moments with a time zone, `end` not before `start`.
    schedule
        When it is open.

    Returns
    -------
    float
        At least 0, exact to the microsecond.

    Raises
    ------
    DataError
        When a moment has no time zone, or the end comes before the start.

    Examples
    --------
    >>> desk = weekday_hours("America/New_York", 9, 17)
    >>> friday = datetime(2024, 3, 8, 16, 30, tzinfo=ZoneInfo("America/New_York"))
    >>> monday = datetime(2024, 3, 11, 10, 15, tzinfo=ZoneInfo("America/New_York"))
    >>> open_minutes(friday, monday, desk)
    105.0
    """
    moments = np.array([_instant(start), _instant(end)])
    return float(open_minutes_of(moments[:1], moments[1:], schedule)[0])


def open_minutes_through(start: datetime, end: datetime, schedules: Sequence[tuple[datetime, Schedule]]) -> float:
    """Count the minutes between two moments in which the desk was open, where its schedule changed in between.

    Parameters
    ----------
    start, end
        Moments with a time zone, `end` not before `start`.
    schedules
        From when each schedule holds, ascending; the first from `start` or before.

    Returns
    -------
    float
        At least 0, exact to the microsecond.

    Raises
    ------
    DataError
        When a moment has no time zone, the end comes before the start, or the schedules do not ascend from the start.
    """
    if not schedules or _instant(schedules[0][0]) > _instant(start):
        raise DataError("the first schedule must hold when the wait begins; found none that does.")
    since = [_instant(moment) for moment, _ in schedules]
    if any(before > after for before, after in pairwise(since)):
        raise DataError("schedules must ascend by the moment from which they hold.")
    _check_order(np.array([_instant(start)]), np.array([_instant(end)]))
    first, last = _instant(start), _instant(end)
    total = 0.0
    for (_, schedule), held, until in zip(schedules, since, [*since[1:], last], strict=True):
        one, other = max(held, first), min(until, last)
        if one < other:
            total += float(open_minutes_of(np.array([one]), np.array([other]), schedule)[0])
    return total


def open_minutes_of(starts: Instants, ends: Instants, schedule: Schedule) -> FloatArray:
    """Return the minutes between many pairs of moments in which the desk was open.

    Parameters
    ----------
    starts, ends
        Moments in UTC as numpy.datetime64, shape (n,), each end not before its start.
    schedule
        When the desk is open.

    Returns
    -------
    ndarray
        Shape (n,), at least 0; not a number where a moment is missing (NaT).

    Raises
    ------
    DataError
        When the two differ in length, or an end comes before its start.
    """
    one, other = starts.astype("datetime64[us]"), ends.astype("datetime64[us]")
    if one.shape != other.shape:
        raise DataError(f"starts and ends must be as long as each other; found {one.size} and {other.size}.")
    known = ~(np.isnat(one) | np.isnat(other))
    minutes = np.full(one.size, np.nan)
    if not known.any():
        return minutes
    one, other = one[known], other[known]
    _check_order(one, other)
    opened, lengths = _openings(one.min(), other.max(), schedule)
    waited = _open_before(other.astype(np.int64), opened, lengths) - _open_before(one.astype(np.int64), opened, lengths)
    minutes[known] = waited / _MICROS_PER_MINUTE
    return minutes


def _instant(moment: datetime) -> np.datetime64:
    if moment.tzinfo is None:
        raise DataError(f"a moment needs a time zone; found {moment.isoformat()} without one.")
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def _check_order(starts: Instants, ends: Instants) -> None:
    wrong = np.flatnonzero(ends < starts)
    if wrong.size:
        place = int(wrong[0])
        raise DataError(f"a wait ends after it starts; found {starts[place]} to {ends[place]} (UTC).")


def _openings(first: np.datetime64, last: np.datetime64, schedule: Schedule) -> tuple[_Micros, _Micros]:
    """Return start and length of each stretch that touches a range of time, in microseconds since 1970, UTC."""
    zone = ZoneInfo(schedule.zone)
    begin: datetime = first.astype("datetime64[us]").item()
    # Sunday of the week before, since on the clocks of the zone it may still be that week.
    week = datetime(begin.year, begin.month, begin.day) - timedelta(days=begin.isoweekday() % 7) - _WEEK  # noqa: DTZ001
    until: datetime = last.astype("datetime64[us]").item() + _WEEK
    stretches = []
    while week <= until:
        for opens, closes in schedule.spans:
            edges = [(week + timedelta(minutes=minute)).replace(tzinfo=zone) for minute in (opens, closes)]
            stretches.append([_instant(edge).astype(np.int64) for edge in edges])
        week += _WEEK
    table = np.array(stretches, dtype=np.int64).reshape(-1, 2)
    # A stretch that lies in the hour which the clocks skip has no length.
    return table[:, 0], np.maximum(table[:, 1] - table[:, 0], 0)


def _open_before(moments: _Micros, opened: _Micros, lengths: _Micros) -> _Micros:
    """Return how long the desk was open from the first stretch to each moment."""
    if opened.size == 0:
        return np.zeros_like(moments)
    place = np.searchsorted(opened, moments, side="right") - 1
    within = np.clip(moments - opened[place], 0, lengths[place])
    earlier = np.concatenate([[0], np.cumsum(lengths)])
    return np.asarray(np.where(place < 0, 0, earlier[place] + within), dtype=np.int64)
