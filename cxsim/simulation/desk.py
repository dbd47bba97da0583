"""The desk on which one customer at a time is played: records that the kernel changes in place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cxsim.simulation.blocks import CUSTOMER_RECORD, Block
from cxsim.simulation.life import CARD_RECORD, LIFE_RECORD, MAX_REFERRED, REFERRED_RECORD, Records

# The forces of the customer who is played, in an array of one record: ratios in force since the last event, the day on
# which they change, and what the stock of borrowed orders needs to know.
FORCE_RECORD = np.dtype(
    [
        ("anew", np.bool_),  # every reach is to be looked at: an order may have changed anything
        ("buying", np.float64),
        ("dropping", np.float64),
        ("drop", np.float64),  # its logarithm
        ("switch", np.float64),
        ("borrows", np.float64),  # share of each order's intensity that is borrowed from later
        ("dip", np.float64),  # share by which orders are down while the stock lasts; 0 while none is used up
    ],
    align=True,
)


# Where a customer stands between two events; thresholds still to be reached, and from when they are counted.
CLOCK_RECORD = np.dtype(
    [
        ("now", np.float64),
        ("season", np.float64),  # the same in seasonal time
        ("order_left", np.float64),
        ("order_anchor", np.float64),  # in seasonal time
        ("end_left", np.float64),
        ("end_anchor", np.float64),
        ("due", np.float64),
        ("month", np.int64),
    ],
    align=True,
)


class Desk(NamedTuple):
    """Room for one customer: who it is, their place in each reach, forces and clocks; and for whom they refer.

    life (1,), card (reaches,), force (1,), clock (1,), waiting (MAX_REFERRED,), child (1,).
    """

    life: Records
    card: Records
    force: Records
    clock: Records
    waiting: Records
    child: Block


def empty_desk(reaches: int) -> Desk:
    """Return a desk for an arm with so many reaches."""
    return Desk(
        life=np.zeros(1, LIFE_RECORD),
        card=np.zeros(reaches, CARD_RECORD),
        force=np.zeros(1, FORCE_RECORD),
        clock=np.zeros(1, CLOCK_RECORD),
        waiting=np.zeros(MAX_REFERRED, REFERRED_RECORD),
        child=np.zeros(1, CUSTOMER_RECORD),
    )
