"""A view or an Explore table of Zendesk goes in; tickets, ratings and their receipts come out.

Times are calendar minutes from the creation of a ticket to the first public reply and to the last time it was solved
(Zendesk, "About native ticket time metrics"); those within business hours, and `Resolution time`, which is in hours,
are not used.
"""

from __future__ import annotations

import polars as pl

from cxsim.shop.desks import Desk, desk_readout
from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.header import found, headed
from cxsim.shop.moments import moments, text_of
from cxsim.shop.policy import Policy
from cxsim.shop.tickets import counts, minutes

_REPLY, _RESOLUTION = "First reply time in minutes", "Full resolution time in minutes"
# As the view writes them; custom fields follow, marked [list], [txt] or [flag].
_VIEW = (
    "Summation column",
    "Id",
    "Requester",
    "Requester id",
    "Requester external id",
    "Requester email",
    "Requester domain",
    "Submitter",
    "Assignee",
    "Group",
    "Subject",
    "Tags",
    "Status",
    "Priority",
    "Via",
    "Ticket type",
    "Created at",
    "Updated at",
    "Assigned at",
    "Organization",
    "Due date",
    "Initially assigned at",
    "Solved at",
    "Resolution time",
    "Satisfaction Score",
    "Group stations",
    "Assignee stations",
    "Reopens",
    "Replies",
    "First reply time in minutes",
    "First reply time in minutes within business hours",
    "First resolution time in minutes",
    "First resolution time in minutes within business hours",
    "Full resolution time in minutes",
    "Full resolution time in minutes within business hours",
    "Agent wait time in minutes",
    "Agent wait time in minutes within business hours",
    "Requester wait time in minutes",
    "Requester wait time in minutes within business hours",
    "On hold time in minutes",
    "On hold time in minutes within business hours",
)
# What Explore calls the same columns.
_EXPLORE = {
    "Ticket ID": "Id",
    "Requester ID": "Requester id",
    "Requester email": "Requester email",
    "Ticket status": "Status",
    "Ticket channel": "Via",
    "Ticket type": "Ticket type",
    "Ticket tags": "Tags",
    "Ticket created - Timestamp": "Created at",
    "Ticket updated - Timestamp": "Updated at",
    "Ticket satisfaction rating": "Satisfaction Score",
    "Ticket reopens": "Reopens",
    "Agent replies": "Replies",
    "First reply time (min)": _REPLY,
    "Full resolution time (min)": _RESOLUTION,
}
_DAMAGED = r"^\d+(?:[.,]\d+)?[eE]\+?\d+$"
_MERGED_TAG = r"(?:^|[\s,])closed_by_merge(?:$|[\s,])"


_USED = (
    "Id",
    "Requester id",
    "Requester email",
    "Tags",
    "Status",
    "Via",
    "Ticket type",
    "Satisfaction Score",
    "Reopens",
    "Replies",
    _REPLY,
    _RESOLUTION,
)
_RATINGS: dict[str, tuple[str, int | None]] = {
    "good": ("csat_good", 1),
    "good with comment": ("csat_good", 1),
    "bad": ("csat_good", 0),
    "bad with comment": ("csat_good", 0),
    "offered": ("csat_good", None),
    **{str(star): ("csat", star) for star in range(1, 6)},
}


def _read(export: Export, policy: Policy) -> Readout:
    named = headed(export, _VIEW, _EXPLORE)
    present = named.rows.collect_schema().names()
    dated = [name for name in ("Created at", "Updated at") if name in present]
    when = moments(named.rows, dated, file=export.file, clock=policy.clock)
    texts = [_text(name) if name in present else pl.lit(None, dtype=pl.String).alias(name) for name in _USED]
    updated = when.columns.get("Updated at", pl.lit(None, dtype=pl.Datetime("us")))
    raw = named.rows.select(*texts, created_at=when.columns["Created at"], updated_at=updated).collect(
        engine="streaming"
    )
    counted, missing = counts(raw, {n.lower(): n for n in ("Replies", "Reopens") if n in present})
    customer, lacks, facts = _customer(raw, export.file)
    rows = raw.select(
        "created_at",
        "updated_at",
        ticket_id=pl.col("Id"),
        customer_id=customer,
        status=_status(),
        first_response_at=pl.col("created_at") + minutes(raw, _REPLY, export.file),
        resolved_at=pl.col("created_at") + minutes(raw, _RESOLUTION, export.file),
        channel=pl.col("Via"),
        reason=pl.col("Ticket type"),
        rating=pl.col("Satisfaction Score").str.to_lowercase(),
        **counted,
    )
    return desk_readout(
        Desk(
            file=export.file,
            recognised=ZENDESK_VIEW.name if "Id" in export.rows.collect_schema() else ZENDESK_EXPLORE.name,
            columns=found(named, _VIEW),
            rows=rows,
            ratings=_RATINGS,
            facts=(*when.facts, ("times", "calendar minutes since creation, business hours not used"), *facts),
            lacks=lacks | missing,
        )
    )


def _text(name: str) -> pl.Expr:
    # A hyphen is how Zendesk writes that there is nothing.
    return pl.when(text_of(name) != "-").then(text_of(name))


def _status() -> pl.Expr:
    merged = pl.col("Tags").str.contains(_MERGED_TAG).fill_null(value=False)
    return pl.when(merged).then(pl.lit("merged")).otherwise(pl.col("Status").str.to_lowercase())


def _customer(raw: pl.DataFrame, file: str) -> tuple[pl.Expr, dict[str, str], tuple[tuple[str, str], ...]]:
    """Return who asked: the e-mail in small letters, or else the number if no spreadsheet has spoilt the numbers."""
    email, number = pl.col("Requester email").str.to_lowercase(), pl.col("Requester id")
    spoilt = raw.filter(number.str.contains(_DAMAGED))
    mailed = raw["Requester email"].count()
    if spoilt.is_empty():
        facts = () if mailed else (("customers", "by the number of the requester; the file has no e-mail addresses"),)
        return pl.coalesce(email, number), {}, facts
    reason = (
        f"{file}: {spoilt.height:,} of {raw.height:,} requester ids are written like {spoilt['Requester id'][0]}, as a "
        "spreadsheet saves them, so that different customers have the same; export the file again and do not save it "
        "with one."
    )
    if mailed:
        return email, {}, (("customers", f"by e-mail alone. {reason}"),)
    return pl.lit(None, dtype=pl.String), {"tickets.customer_id": reason, "surveys.customer_id": reason}, ()


ZENDESK_VIEW = Format(
    name="Zendesk tickets",
    columns=_VIEW,
    required=("Id", "Status", "Created at", "Requester id", _REPLY, _RESOLUTION),
    read=_read,
)
ZENDESK_EXPLORE = Format(
    name="Zendesk Explore tickets",
    columns=tuple(_EXPLORE),
    required=("Ticket ID", "Ticket status", "Ticket created - Timestamp", "First reply time (min)"),
    read=_read,
)
