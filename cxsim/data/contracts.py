"""The contracts of the tables that a shop has, from orders to visits, what it cannot see, and what it reads there.

Times are in the shop's own time, without a zone; money is in units of the currency. A real shop has the columns that
its exports hold; a simulated one has all that the simulator knows.
"""

from __future__ import annotations

from collections.abc import Mapping

from cxsim.tables import COUNT, FLAG, REAL, TEXT, TIME, ColumnType, Contract

# One row an order; customer_id is null for guests whom nothing identifies. `amount` is what the shop keeps of it as
# revenue before returns: list_amount (goods at list price) - markdown (discounts) - reward (points redeemed), without
# shipping and tax. charged: all that was asked of the customer. refunded: paid back since, at no known date. cost: of
# goods and fulfilment. order_number counts from 1 over the customer's whole life. incident: what went wrong, if known.
# product, category: of the line of highest value. coupon: the code used.
ORDERS = Contract(
    "ORDERS",
    TEXT("order_id", "customer_id"),
    TIME("ordered_at"),
    REAL("amount"),
    nullable=(
        "customer_id",
        "incident",
        "refunded",
        "cost",
        "channel",
        "coupon",
        "product",
        "category",
        "promised_at",
        "shipped_at",
        "delivered_at",
    ),
    optional=COUNT("order_number")
    | REAL("list_amount", "markdown", "reward", "shipping", "tax", "charged", "refunded", "cost")
    | COUNT("units")
    | TEXT("channel", "coupon", "product", "category", "incident")
    | TIME("promised_at", "shipped_at", "delivered_at"),
)
# first_response_at and resolved_at are null for tickets that still wait at the end. reopens: how often a closed ticket
# was opened again; replies: public answers of the shop.
TICKETS = Contract(
    "TICKETS",
    TEXT("ticket_id", "customer_id"),
    TIME("created_at", "first_response_at", "resolved_at"),
    nullable=("customer_id", "order_id", "first_response_at", "resolved_at", "solved_at_first", "channel", "reason"),
    optional=TEXT("order_id")
    | FLAG("solved_at_first")
    | REAL("compensation")
    | COUNT("replies", "reopens")
    | TEXT("channel", "reason"),
)
# instrument: nps (0 to 10), csat (1 to 5), csat_good (0 bad, 1 good), ces (1 to 7, 7 is easiest), effort (1 to 5, 5 is
# hardest); score is null where nobody answered.
SURVEYS = Contract(
    "SURVEYS",
    TEXT("survey_id", "customer_id"),
    TIME("sent_at"),
    TEXT("instrument"),
    COUNT("score"),
    nullable=("customer_id", "score", "order_id", "ticket_id"),
    optional=TEXT("order_id", "ticket_id"),
)
SENT_BACK = Contract(
    "RETURNS",
    TEXT("return_id", "order_id"),
    TIME("returned_at"),
    REAL("refund"),
    nullable=("customer_id",),
    optional=TEXT("customer_id") | REAL("list_amount") | COUNT("units"),
)
CONTACTS = Contract("CONTACTS", TEXT("contact_id", "customer_id"), TIME("sent_at"), TEXT("programme"))
# order_id is null for a visit without an order; visitor_id names the device, customer_id the customer where known.
SESSIONS = Contract(
    "SESSIONS",
    TEXT("session_id", "customer_id"),
    TIME("started_at"),
    TEXT("order_id"),
    nullable=("customer_id", "order_id", "visitor_id", "source"),
    optional=TEXT("visitor_id", "source"),
)
# left_at is null for who is still a member at the end.
MEMBERS = Contract("MEMBERS", TEXT("customer_id", "programme"), TIME("joined_at", "left_at"), nullable=("left_at",))
# What was spent on winning customers, by moment of spending.
MARKETING = Contract("MARKETING", TIME("spent_at"), REAL("amount"), nullable=("channel",), optional=TEXT("channel"))
# What no shop can see: when customers left for good (at the start: some time before it), and who brought them.
# Customers of before the start have no arrived_at.
LIVES = Contract(
    "LIVES",
    TEXT("customer_id"),
    TIME("arrived_at", "left_at"),
    TEXT("referred_by", "attracted_by"),
    nullable=("arrived_at", "left_at", "referred_by", "attracted_by"),
)
# What naive methods report of one world, in the order in which they are shown, beside what is true there. method: an
# identifier; unit: one of cxsim.params.Unit; low to high: the 95 % interval by which customers were observed.
NAIVE = Contract("NAIVE", TEXT("method", "title"), REAL("reading", "low", "high", "truth"), TEXT("unit", "finding"))
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


def kinds_of(contract: Contract) -> dict[str, ColumnType]:
    """Return the columns of a contract, those that a table may lack too, with their types."""
    return {name: kinds[0] for name, kinds in {**contract.columns, **contract.optional}.items()}
