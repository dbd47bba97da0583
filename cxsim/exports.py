"""The contracts of the tables that a shop has, from orders to visits, what it cannot see, and what it reads there.

Times are in the shop's own time, without a zone; money is in units of the currency.
"""

from __future__ import annotations

import polars as pl

from cxsim.tables import Contract, Kind

_TEXT: tuple[Kind, ...] = (pl.String,)
_WHEN: tuple[Kind, ...] = (pl.Datetime,)
_COUNT: tuple[Kind, ...] = (pl.Int64,)
_REAL: tuple[Kind, ...] = (pl.Float64,)
_YES: tuple[Kind, ...] = (pl.Boolean,)

# Keeps TRANSACTIONS too: `amount` is what was paid, list_amount - markdown - reward. order_number counts from 1 over
# the customer's whole life.
ORDERS = Contract(
    name="ORDERS",
    columns={
        "order_id": _TEXT,
        "customer_id": _TEXT,
        "ordered_at": _WHEN,
        "order_number": _COUNT,
        "list_amount": _REAL,
        "markdown": _REAL,
        "reward": _REAL,
        "amount": _REAL,
        "incident": _TEXT,
    },
    nullable=frozenset({"incident"}),
)
TICKETS = Contract(
    name="TICKETS",
    columns={
        "ticket_id": _TEXT,
        "order_id": _TEXT,
        "customer_id": _TEXT,
        "created_at": _WHEN,
        "first_response_at": _WHEN,
        "resolved_at": _WHEN,
        "solved_at_first": _YES,
        "compensation": _REAL,
    },
)
# instrument: nps (0 to 10), csat (1 to 5), ces (1 to 7, 7 is easiest); score is null where nobody answered.
SURVEYS = Contract(
    name="SURVEYS",
    columns={
        "survey_id": _TEXT,
        "order_id": _TEXT,
        "customer_id": _TEXT,
        "sent_at": _WHEN,
        "instrument": _TEXT,
        "score": _COUNT,
    },
    nullable=frozenset({"score"}),
)
SENT_BACK = Contract(
    name="RETURNS",
    columns={
        "return_id": _TEXT,
        "order_id": _TEXT,
        "customer_id": _TEXT,
        "returned_at": _WHEN,
        "refund": _REAL,
        "list_amount": _REAL,
    },
)
CONTACTS = Contract(
    name="CONTACTS",
    columns={"contact_id": _TEXT, "customer_id": _TEXT, "sent_at": _WHEN, "programme": _TEXT},
)
# order_id is null for a visit without an order.
SESSIONS = Contract(
    name="SESSIONS",
    columns={"session_id": _TEXT, "customer_id": _TEXT, "started_at": _WHEN, "order_id": _TEXT},
    nullable=frozenset({"order_id"}),
)
# left_at is null for who is still a member at the end.
MEMBERS = Contract(
    name="MEMBERS",
    columns={"customer_id": _TEXT, "programme": _TEXT, "joined_at": _WHEN, "left_at": _WHEN},
    nullable=frozenset({"left_at"}),
)
# What no shop can see: when customers left for good (at the start: some time before it), and who brought them.
# Customers of before the start have no arrived_at.
LIVES = Contract(
    name="LIVES",
    columns={"customer_id": _TEXT, "arrived_at": _WHEN, "left_at": _WHEN, "referred_by": _TEXT, "attracted_by": _TEXT},
    nullable=frozenset({"arrived_at", "left_at", "referred_by", "attracted_by"}),
)
# What naive methods report of one world, in the order in which they are shown, beside what is true there. method: an
# identifier; unit: one of cxsim.units.Unit; low to high: the 95 % interval by which customers were observed.
NAIVE = Contract(
    name="NAIVE",
    columns={
        "method": _TEXT,
        "title": _TEXT,
        "reading": _REAL,
        "low": _REAL,
        "high": _REAL,
        "truth": _REAL,
        "unit": _TEXT,
        "finding": _TEXT,
    },
)
# Spend per customer by what they last answered. orders: `all`, or how many orders they placed, the last class open
# (`9+`); group: promoters, passives or detractors; low to high: 95 % interval of the mean.
WORTH_BY_NPS = Contract(
    name="WORTH_BY_NPS",
    columns={"orders": _TEXT, "group": _TEXT, "customers": _COUNT, "mean": _REAL, "low": _REAL, "high": _REAL},
)
