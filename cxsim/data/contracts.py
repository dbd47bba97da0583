"""The contracts of the tables that a shop has, from orders to visits, what it cannot see, and what it reads there.

Times are in the shop's own time, without a zone; money is in units of the currency. A real shop has the columns that
its exports hold; a simulated one has all that the simulator knows.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cxsim.tables import COUNT, FLAG, REAL, TEXT, Contract, Kind

_WHEN: tuple[Kind, ...] = (pl.Datetime,)

# One row an order; customer_id is null for guests whom nothing identifies. `amount` is what the shop keeps of it as
# revenue before returns: list_amount (goods at list price) - markdown (discounts) - reward (points redeemed), without
# shipping and tax. charged: all that was asked of the customer. refunded: paid back since, at no known date. cost: of
# goods and fulfilment. order_number counts from 1 over the customer's whole life. incident: what went wrong, if known.
# product: of the line of highest value. coupon: the code used.
ORDERS = Contract(
    name="ORDERS",
    columns={"order_id": TEXT, "customer_id": TEXT, "ordered_at": _WHEN, "amount": REAL},
    nullable=frozenset(
        {
            "customer_id",
            "incident",
            "refunded",
            "cost",
            "channel",
            "coupon",
            "product",
            "promised_at",
            "shipped_at",
            "delivered_at",
        }
    ),
    optional={
        "order_number": COUNT,
        "list_amount": REAL,
        "markdown": REAL,
        "reward": REAL,
        "shipping": REAL,
        "tax": REAL,
        "charged": REAL,
        "refunded": REAL,
        "cost": REAL,
        "units": COUNT,
        "channel": TEXT,
        "coupon": TEXT,
        "product": TEXT,
        "incident": TEXT,
        "promised_at": _WHEN,
        "shipped_at": _WHEN,
        "delivered_at": _WHEN,
    },
)
# first_response_at and resolved_at are null for tickets that still wait at the end. reopens: how often a closed ticket
# was opened again; replies: public answers of the shop.
TICKETS = Contract(
    name="TICKETS",
    columns={
        "ticket_id": TEXT,
        "customer_id": TEXT,
        "created_at": _WHEN,
        "first_response_at": _WHEN,
        "resolved_at": _WHEN,
    },
    nullable=frozenset(
        {"customer_id", "order_id", "first_response_at", "resolved_at", "solved_at_first", "channel", "reason"}
    ),
    optional={
        "order_id": TEXT,
        "solved_at_first": FLAG,
        "compensation": REAL,
        "replies": COUNT,
        "reopens": COUNT,
        "channel": TEXT,
        "reason": TEXT,
    },
)
# instrument: nps (0 to 10), csat (1 to 5), csat_good (0 bad, 1 good), ces (1 to 7, 7 is easiest), effort (1 to 5, 5 is
# hardest); score is null where nobody answered.
SURVEYS = Contract(
    name="SURVEYS",
    columns={
        "survey_id": TEXT,
        "customer_id": TEXT,
        "sent_at": _WHEN,
        "instrument": TEXT,
        "score": COUNT,
    },
    nullable=frozenset({"customer_id", "score", "order_id", "ticket_id"}),
    optional={"order_id": TEXT, "ticket_id": TEXT},
)
SENT_BACK = Contract(
    name="RETURNS",
    columns={"return_id": TEXT, "order_id": TEXT, "returned_at": _WHEN, "refund": REAL},
    nullable=frozenset({"customer_id"}),
    optional={"customer_id": TEXT, "list_amount": REAL, "units": COUNT},
)
CONTACTS = Contract(
    name="CONTACTS",
    columns={"contact_id": TEXT, "customer_id": TEXT, "sent_at": _WHEN, "programme": TEXT},
)
# order_id is null for a visit without an order; visitor_id names the device, customer_id the customer where known.
SESSIONS = Contract(
    name="SESSIONS",
    columns={"session_id": TEXT, "customer_id": TEXT, "started_at": _WHEN, "order_id": TEXT},
    nullable=frozenset({"customer_id", "order_id", "visitor_id", "source"}),
    optional={"visitor_id": TEXT, "source": TEXT},
)
# left_at is null for who is still a member at the end.
MEMBERS = Contract(
    name="MEMBERS",
    columns={"customer_id": TEXT, "programme": TEXT, "joined_at": _WHEN, "left_at": _WHEN},
    nullable=frozenset({"left_at"}),
)
# What was spent on winning customers, by moment of spending.
MARKETING = Contract(
    name="MARKETING",
    columns={"spent_at": _WHEN, "amount": REAL},
    nullable=frozenset({"channel"}),
    optional={"channel": TEXT},
)
# What no shop can see: when customers left for good (at the start: some time before it), and who brought them.
# Customers of before the start have no arrived_at.
LIVES = Contract(
    name="LIVES",
    columns={"customer_id": TEXT, "arrived_at": _WHEN, "left_at": _WHEN, "referred_by": TEXT, "attracted_by": TEXT},
    nullable=frozenset({"arrived_at", "left_at", "referred_by", "attracted_by"}),
)
# What naive methods report of one world, in the order in which they are shown, beside what is true there. method: an
# identifier; unit: one of cxsim.params.Unit; low to high: the 95 % interval by which customers were observed.
NAIVE = Contract(
    name="NAIVE",
    columns={
        "method": TEXT,
        "title": TEXT,
        "reading": REAL,
        "low": REAL,
        "high": REAL,
        "truth": REAL,
        "unit": TEXT,
        "finding": TEXT,
    },
)
CONTRACTS: Mapping[str, Contract] = {
    "orders": ORDERS,
    "tickets": TICKETS,
    "surveys": SURVEYS,
    "returns": SENT_BACK,
    "contacts": CONTACTS,
    "sessions": SESSIONS,
    "members": MEMBERS,
    "marketing": MARKETING,
}
# What names a row; members and spending have no such column.
IDS: Mapping[str, str] = {
    "orders": "order_id",
    "tickets": "ticket_id",
    "surveys": "survey_id",
    "returns": "return_id",
    "contacts": "contact_id",
    "sessions": "session_id",
}
# When a row of each table begins, and what may come to it later.
WHEN: Mapping[str, str] = {
    "orders": "ordered_at",
    "tickets": "created_at",
    "surveys": "sent_at",
    "returns": "returned_at",
    "contacts": "sent_at",
    "sessions": "started_at",
    "members": "joined_at",
    "marketing": "spent_at",
}
LATER: Mapping[str, tuple[str, ...]] = {
    "orders": ("shipped_at", "delivered_at"),
    "tickets": ("first_response_at", "resolved_at"),
    "members": ("left_at",),
}


def kinds_of(contract: Contract) -> dict[str, Kind]:
    """Return the columns of a contract, those that a table may lack too, with their types."""
    return {name: kinds[0] for name, kinds in {**contract.columns, **contract.optional}.items()}
