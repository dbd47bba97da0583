"""A first day and a number of months in; the scenario's days and calendar months out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from cxsim.errors import SimulationError


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """Days and months of a scenario, counted from its first day.

    Attributes
    ----------
    starts_on
        First day of the scenario.
    months
        Number of months; a month runs from that day of the month to the day before it in the next.
    """

    starts_on: date
    months: int

    def __post_init__(self) -> None:
        if self.months < 1:
            raise SimulationError(f"a scenario needs a horizon of at least one month; found {self.months}.")

    @property
    def month_starts(self) -> npt.NDArray[np.int64]:
        """First day of each month and of the one after the last, as days from the start: shape (months + 1,)."""
        starts = [(self.starts_of(month) - self.starts_on).days for month in range(self.months + 1)]
        return np.array(starts, dtype=np.int64)

    @property
    def days(self) -> int:
        """Length of the scenario in days."""
        return (self.starts_of(self.months) - self.starts_on).days

    @property
    def month_of_day(self) -> npt.NDArray[np.int64]:
        """Month of each day: shape (days,)."""
        lengths = np.diff(self.month_starts)
        return np.repeat(np.arange(self.months, dtype=np.int64), lengths)

    def starts_of(self, month: int) -> date:
        """Return the first day of a month, counted from 0; the last day of a shorter month where there is no such day.

        >>> Calendar(starts_on=date(1998, 7, 1), months=12).starts_of(7)
        datetime.date(1999, 2, 1)
        """
        year, index = divmod(self.starts_on.month - 1 + month, 12)
        first = date(self.starts_on.year + year, index + 1, 1)
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        last = following - timedelta(days=1)
        return first.replace(day=min(self.starts_on.day, last.day))
