"""What the simulator counts, per cohort and month; money and conclusions are drawn from these counts alone.

Every count is a whole number: of orders, of cents, of points, of customers. Sums of counts are therefore exact and do
not depend on their order.
"""

from __future__ import annotations

from enum import IntEnum


class CountKind(IntEnum):
    """Places of the counts that every arm has.

    LIST is what the orders cost at list price; MARKDOWN and REWARD are what was taken off; what a customer pays is
    LIST - MARKDOWN - REWARD. REFUNDED is what was paid back, and SENT_BACK what it cost at list price. All are counted
    as positive cents, and so are FEES and COMPENSATION. ARRIVALS are new customers, without those whom a programme
    attracted (a count of its reach) or REFERRED. PROMOTERS and DETRACTORS are among those who ANSWERED.

    LATER_ORDERS and LATER_LIST are what is to be expected of customers who are still there at the end, without any
    programme: thousandths of orders, and cents at list price. They alone are not by month: at month m stands year m
    after the horizon, for YEARS_AFTER years, or as many as there are months.
    """

    ORDERS = 0
    LIST = 1
    MARKDOWN = 2
    REWARD = 3
    ARRIVALS = 4
    POINTS_ISSUED = 5
    POINTS_REDEEMED = 6
    POINTS_EXPIRED = 7
    POINTS_OUTSTANDING = 8
    FEES = 9
    RETURNS = 10
    REFUNDED = 11
    SENT_BACK = 12
    INCIDENTS = 13
    TICKETS = 14
    COMPENSATION = 15
    SURVEYED = 16
    ANSWERED = 17
    PROMOTERS = 18
    DETRACTORS = 19
    REFERRED = 20
    REVIVED = 21
    UNSUBSCRIBED = 22
    LATER_ORDERS = 23
    LATER_LIST = 24


class ReachCountKind(IntEnum):
    """Places of the counts that each reach of an arm adds behind the common ones.

    CONTACTS are the times that it switched on for a customer, and the messages of its cadence; REFERRALS also count
    those who would have come anyway.
    """

    ORDERS = 0
    PAID = 1
    MEMBER_MONTHS = 2
    CONTACTS = 3
    POINTS_VALUE = 4
    REDEMPTIONS = 5
    TICKETS = 6
    REFERRALS = 7
    ATTRACTED = 8


# Customers are followed for so long after the horizon: a model of leaving is fitted to a few years, and a tenth of the
# customers with the longest lives would otherwise decide.
YEARS_AFTER = 10
# Expected orders are counted in so many parts of one.
LATER_PARTS = 1000
N_COUNT_KINDS = len(CountKind)
N_REACH_COUNT_KINDS = len(ReachCountKind)


def place(count_kind: CountKind | ReachCountKind, reach: int = 0) -> int:
    """Return the column of a count in an arm's counts; `reach` is the place of the reach in the arm, from 0.

    >>> place(CountKind.LIST), place(ReachCountKind.CONTACTS, reach=1) == width(1) + int(ReachCountKind.CONTACTS)
    (1, True)
    """
    if isinstance(count_kind, CountKind):
        return int(count_kind)
    return N_COUNT_KINDS + reach * N_REACH_COUNT_KINDS + int(count_kind)


def width(reaches: int) -> int:
    """Return how many counts an arm with so many reaches has."""
    return N_COUNT_KINDS + reaches * N_REACH_COUNT_KINDS
