"""A list of tickets of Freshdesk goes in; tickets, ratings and their receipts come out.

Times come from the moments of creation, first answer and resolution. The two columns `(in hrs)` count business hours,
as HH:MM:SS, are blank at times, and are not used.
"""

from __future__ import annotations

import polars as pl

from cxsim.shop.desks import Desk, desk_readout
from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.header import found, headed
from cxsim.shop.moments import moments, text_of
from cxsim.shop.policy import Policy
from cxsim.shop.tickets import counts

_COLUMNS = (
    "Ticket ID",
    "Subject",
    "Description",
    "Status",
    "Priority",
    "Source",
    "Type",
    "Agent",
    "Group",
    "Created time",
    "Due by Time",
    "Resolved time",
    "Closed time",
    "Last update time",
    "Initial response time",
    "Time tracked",
    "First response time (in hrs)",
    "Resolution time (in hrs)",
    "Agent interactions",
    "Customer interactions",
    "Resolution status",
    "First response status",
    "Tags",
    "Survey results",
    "Association type",
    "Product",
    "Every response status",
    "Full name",
    "Email",
    "Contact ID",
)
_MOMENTS = ("Created time", "Initial response time", "Resolved time", "Closed time", "Last update time")
_USED = ("Ticket ID", "Status", "Source", "Type", "Survey results", "Email", "Contact ID", "Agent interactions")
_GOOD = ("extremely happy", "very happy", "happy", "awesome")
_NOT_GOOD = ("neutral", "just okay", "unhappy", "very unhappy", "extremely unhappy", "not good")
_RATINGS: dict[str, tuple[str, int | None]] = {
    **dict.fromkeys(_GOOD, ("csat_good", 1)),
    **dict.fromkeys(_NOT_GOOD, ("csat_good", 0)),
}
_NO_CUSTOMER = "{file} says neither the e-mail nor the number of the contact; export it with the contact's fields."
_NO_REOPENS = "Freshdesk does not export how often a ticket was opened again."


def _read(export: Export, policy: Policy) -> Readout:
    named = headed(export, _COLUMNS)
    present = named.rows.collect_schema().names()
    dated = [name for name in _MOMENTS if name in present]
    when = moments(named.rows, dated, file=export.file, clock=policy.clock)
    texts = [text_of(name) if name in present else pl.lit(None, dtype=pl.String).alias(name) for name in _USED]
    never = pl.lit(None, dtype=pl.Datetime("us"))
    raw = named.rows.select(*texts, *(when.columns.get(name, never).alias(name) for name in _MOMENTS)).collect(
        engine="streaming"
    )
    counted, missing = counts(raw, {"replies": "Agent interactions"} if "Agent interactions" in present else {})
    rows = raw.select(
        ticket_id=pl.col("Ticket ID"),
        customer_id=pl.coalesce(pl.col("Email").str.to_lowercase(), "Contact ID"),
        status=pl.col("Status").str.to_lowercase(),
        created_at=pl.col("Created time"),
        updated_at=pl.col("Last update time"),
        first_response_at=pl.col("Initial response time"),
        resolved_at=pl.coalesce("Resolved time", "Closed time"),
        channel=pl.col("Source"),
        reason=pl.col("Type"),
        rating=pl.col("Survey results").str.to_lowercase(),
        **counted,
    )
    return desk_readout(
        Desk(
            file=export.file,
            recognised=FRESHDESK.name,
            columns=found(named, _COLUMNS),
            rows=rows,
            ratings=_RATINGS,
            facts=(
                *when.facts,
                ("times", "from the moments; the columns (in hrs) count business hours and are not used"),
                ("ratings", "neutral counts as not good"),
            ),
            lacks=missing | _lacks(rows, export.file),
        )
    )


def _lacks(rows: pl.DataFrame, file: str) -> dict[str, str]:
    lacks = {"tickets.reopens": _NO_REOPENS, "tickets.solved_at_first": _NO_REOPENS}
    if rows["customer_id"].count() == 0:
        reason = _NO_CUSTOMER.format(file=file)
        lacks |= {"tickets.customer_id": reason, "surveys.customer_id": reason}
    return lacks


FRESHDESK = Format(
    name="Freshdesk tickets",
    columns=_COLUMNS,
    required=("Ticket ID", "Status", "Created time", "Initial response time", "Resolved time"),
    read=_read,
)
