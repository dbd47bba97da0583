"""Where a block writes what happens: tallies per cohort and month, customers' values, and a log of events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cxsim.compiled import inlined, lean
from cxsim.simulation.life import Records

# Kinds of events, and what their four numbers a to d mean. Every event also has the customer's number, the order it
# belongs to (counted from 0 within the scenario) and the second of the scenario.
ORDER = 0  # cents at list price, markdown, reward; place of the incident, from 1, or 0
TICKET = 1  # seconds to the first answer, to the end; 1 if the first answer solved it; cents of compensation
SURVEY = (
    2  # instrument (0 NPS, 1 CSAT, 2 CES); score, or -1 for no answer; 1 after a ticket; satisfaction in thousandths
)
RETURN = 3  # cents refunded; cents at list price
CONTACT = 4  # place of the reach
POINTS = 5  # place of the reach; points given (negative: taken); points held afterwards
LEFT = 6  # 1 if at an order; at second 0 of an existing customer: some time before
REVIVED = 7
ARRIVED = 8  # customer who referred them, or -1; place of the reach that attracted them, or -1
MEMBER = 9  # place of the reach; second at which membership ends, of the horizon where it goes on
KINDS = ("ORDER", "TICKET", "SURVEY", "RETURN", "CONTACT", "POINTS", "LEFT", "REVIVED", "ARRIVED", "MEMBER")
LOG_COLUMNS = ("kind", "customer", "order", "second", "a", "b", "c", "d")
_SECONDS_PER_DAY = 86_400.0


class Books(NamedTuple):
    """Where a block writes what happens; `counts`, `values`, the log and its cursor are changed in place.

    month_of_day (days,); worth (tallies,), millionths of the currency unit for one of each tally;
    counts (cohorts, months, tallies); values (customers,), millionths; log (events, 8), of length 0 when not wanted;
    cursor (1,): events so far, also those beyond the log.
    """

    month_of_day: npt.NDArray[np.int64]
    worth: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]
    log: npt.NDArray[np.int64]
    cursor: npt.NDArray[np.int64]


@inlined
def count(books: Books, row: int, cohort: int, month: int, tally: int, amount: int) -> None:
    """Add `amount` to one tally and its worth to the customer's value."""
    books.counts[cohort, month, tally] += amount
    books.values[row] += amount * books.worth[tally]


@inlined
def note(books: Books, kind: int, life: Records, when: float, a: int, b: int, c: int, d: int) -> None:
    """Write one event of the customer who is played."""
    place = books.cursor[0]
    books.cursor[0] = place + 1
    if place < len(books.log):
        _write(books.log, place, kind, life[0].id, life[0].k, when, a, b, c, d)


@lean
def _write(
    log: npt.NDArray[np.int64], place: int, kind: int, who: int, k: int, when: float, a: int, b: int, c: int, d: int
) -> None:
    log[place, 0], log[place, 1], log[place, 2] = kind, who, k
    log[place, 3] = int(when * _SECONDS_PER_DAY)
    log[place, 4], log[place, 5], log[place, 6], log[place, 7] = a, b, c, d
