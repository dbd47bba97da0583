"""The rows of a support desk go in; its tickets, the ratings asked for with them, and two receipts come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from cxsim.data.contracts import SURVEYS, TICKETS
from cxsim.data.exports.format import Export, Format, Policy, Readout, Receipt, ReceiptLine, Rule, found, headed, sift
from cxsim.data.exports.moments import moments, text_of
from cxsim.errors import DataError
from cxsim.tables import check

# As any desk writes them, in small letters.
WAITING = ("new", "open", "pending", "hold", "on-hold", "on hold")
DONE = ("solved", "closed", "resolved")
_SET_ASIDE = {"deleted": "deleted", "spam": "spam", "suspended": "suspended as spam", "merged": "merged into another"}


def settled_tickets(tickets: pl.DataFrame) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return one row a ticket, by the first row of each in the file, and what became of the others."""
    rules = [
        Rule(reason="no ticket number", action="dropped", where=pl.col("ticket_id").is_null()),
        Rule(
            reason="no moment of creation, or one that cannot be read",
            action="dropped",
            where=pl.col("created_at").is_null(),
        ),
        *(
            Rule(reason=f"ticket {reason}", action="dropped", where=pl.col("status") == status)
            for status, reason in _SET_ASIDE.items()
        ),
        Rule(
            reason="answered or resolved before it was created",
            action="dropped",
            where=pl.min_horizontal("first_response_at", "resolved_at") < pl.col("created_at"),
        ),
    ]
    kept, lines = sift(tickets, rules)
    single, merged = _merged(kept)
    again = pl.col("resolved_at").is_not_null() & pl.col("status").is_in(WAITING)
    open_again, noticed = sift(
        single,
        [
            Rule(reason="solved once and open again: counted as open", action="kept", where=again),
            Rule(reason="no customer", action="kept", where=pl.col("customer_id").is_null()),
        ],
    )
    closed = pl.when(~again.fill_null(value=False)).then(pl.col("resolved_at"))
    return open_again.with_columns(resolved_at=closed), (*lines, *merged, *noticed)


def minutes(rows: pl.DataFrame, name: str, file: str) -> pl.Expr:
    """Return a column of minutes as a duration; null where it is blank."""
    text = pl.col(name)
    number = text.cast(pl.Float64, strict=False)
    wrong = rows.with_row_index("row").filter(text.is_not_null() & number.is_null()).select("row", name)
    if wrong.height:
        row, cell = wrong.row(0)
        raise DataError(
            f"{file}: row {row + 1} below the header has {cell!r} under '{name}', which must be a number; so have "
            f"{wrong.height - 1:,} further rows. The columns seem to be shifted, as by a comma without quotes: export "
            "the file again and do not save it with a spreadsheet."
        )
    return pl.duration(microseconds=(number * 60_000_000).round().cast(pl.Int64))


def counts(rows: pl.DataFrame, columns: Mapping[str, str]) -> tuple[dict[str, pl.Expr], dict[str, str]]:
    """Return what is counted in every row, and why the other counts are left out."""
    whole: dict[str, pl.Expr] = {}
    lacks = {}
    for name, column in columns.items():
        number = pl.col(column).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
        blank = rows.select(number.is_null().sum()).item()
        if blank:
            lacks[f"tickets.{name}"] = f"{blank:,} of {rows.height:,} rows have no number under '{column}'."
        else:
            whole[name] = number.alias(name)
    return whole, lacks


def _merged(tickets: pl.DataFrame) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    twice = pl.col("ticket_id").is_duplicated()
    several = tickets.filter(twice)
    if several.is_empty():
        return tickets, ()
    # Of rows that were updated at the same moment, the later one in the file; sorts are stable.
    last = several.sort("updated_at", nulls_last=False, maintain_order=True).unique(
        "ticket_id", keep="last", maintain_order=True
    )
    differing = several.unique(maintain_order=True).height - last.height
    alike = several.height - last.height - differing
    lines = (
        ReceiptLine(reason="a further row of the same ticket, alike", action="merged", rows=alike),
        ReceiptLine(
            reason="a further row of the same ticket that says otherwise: the one updated last holds",
            action="merged",
            rows=differing,
        ),
    )
    return pl.concat([tickets.filter(~twice), last]), lines


# What a desk writes where a customer was not asked.
NOT_ASKED = ("not offered", "unoffered", "-")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Desk:
    """What a support desk exported, read but not yet sifted.

    Attributes
    ----------
    file, recognised, columns
        As in a receipt.
    rows
        ticket_id, customer_id, status, created_at, first_response_at, resolved_at, updated_at, rating (in small
        letters), and what else of TICKETS the desk says.
    ratings
        What a rating stands for: instrument and score; no score where the customer was asked and did not answer.
    facts
        What the receipt of the tickets should say.
    lacks
        As in a readout.
    """

    file: str
    recognised: str
    columns: tuple[int, int]
    rows: pl.DataFrame
    ratings: Mapping[str, tuple[str, int | None]]
    facts: tuple[tuple[str, str], ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)


def desk_readout(desk: Desk) -> Readout:
    """Return the tickets of a desk under TICKETS, its ratings under SURVEYS, and a receipt for each."""
    settled, lines = settled_tickets(desk.rows)
    tickets = check(_tickets(settled), TICKETS)
    facts = (*desk.facts, *_newest(desk.rows))
    first = Receipt(
        file=desk.file,
        table="tickets",
        recognised=desk.recognised,
        columns=desk.columns,
        rows_read=desk.rows.height,
        lines=lines,
        facts=facts,
    )
    surveys, noticed = _surveys(settled, desk)
    if surveys is None:
        lacks = {"surveys": f"{desk.file} has no ratings of customers."} | dict(desk.lacks)
        return Readout(tables={"tickets": tickets.lazy()}, receipts=(first,), lacks=lacks)
    second = Receipt(
        file=desk.file,
        table="surveys",
        recognised=desk.recognised,
        columns=desk.columns,
        rows_read=desk.rows.height,
        lines=(
            ReceiptLine(reason="no ticket of its own", action="dropped", rows=desk.rows.height - settled.height),
            *noticed,
        ),
        facts=(("sent_at", "the moment of resolution, or else of creation: the file has no moment of the rating"),),
    )
    return Readout(
        tables={"tickets": tickets.lazy(), "surveys": check(surveys, SURVEYS).lazy()},
        receipts=(first, second),
        lacks=desk.lacks,
    )


def _tickets(settled: pl.DataFrame) -> pl.DataFrame:
    done = pl.col("status").is_in(DONE)
    if {"replies", "reopens"} <= set(settled.columns):
        # Only of a ticket that is done can be said whether its first answer was enough.
        at_first = (pl.col("replies") == 1) & (pl.col("reopens") == 0)
        settled = settled.with_columns(solved_at_first=pl.when(done).then(at_first))
    wanted = {**TICKETS.columns, **TICKETS.optional}
    return settled.select([name for name in wanted if name in settled.columns])


def _newest(rows: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    newest = rows.select(pl.max_horizontal("created_at", "first_response_at", "resolved_at", "updated_at").max()).item()
    return () if newest is None else (("newest moment", f"{newest:%Y-%m-%d %H:%M}"),)


def _surveys(settled: pl.DataFrame, desk: Desk) -> tuple[pl.DataFrame | None, tuple[ReceiptLine, ...]]:
    ratings = _by_the_stars(settled, desk.ratings)
    rating = pl.col("rating")
    asked = settled.filter(rating.is_in(list(ratings)))
    if asked.is_empty():
        return None, ()
    unasked = settled.filter(rating.is_null() | rating.is_in(NOT_ASKED)).height
    unknown = settled.filter(rating.is_not_null() & ~rating.is_in([*NOT_ASKED, *ratings]))["rating"]
    kinds = {text: instrument for text, (instrument, _) in ratings.items()}
    scores = {text: score for text, (_, score) in ratings.items()}
    surveys = asked.select(
        "customer_id",
        "ticket_id",
        survey_id=pl.format("{} {}", pl.lit(desk.recognised), "ticket_id"),
        sent_at=pl.coalesce("resolved_at", "created_at"),
        instrument=rating.replace_strict(kinds, return_dtype=pl.String),
        score=rating.replace_strict(scores, return_dtype=pl.Int64),
    )
    shown = ", ".join(repr(text) for text in unknown.unique().sort().head(3))
    return surveys, (
        ReceiptLine(reason="no rating was asked for", action="dropped", rows=unasked),
        ReceiptLine(reason=f"a rating that is not known: {shown}", action="dropped", rows=unknown.len()),
        ReceiptLine(reason="asked and not answered", action="kept", rows=surveys["score"].null_count()),
    )


def _by_the_stars(
    settled: pl.DataFrame, ratings: Mapping[str, tuple[str, int | None]]
) -> Mapping[str, tuple[str, int | None]]:
    """Let those who did not answer belong to the instrument by which the others did."""
    answered = {text for text, (instrument, score) in ratings.items() if score is not None and instrument == "csat"}
    by_words = {text for text, (instrument, score) in ratings.items() if score is not None} - answered
    used = set(settled["rating"].unique().drop_nulls())
    if used & answered and not used & by_words:
        return {text: ("csat", score) for text, (_, score) in ratings.items()}
    return ratings


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
_FRESHDESK_USED = (
    "Ticket ID",
    "Status",
    "Source",
    "Type",
    "Survey results",
    "Email",
    "Contact ID",
    "Agent interactions",
)
_GOOD = ("extremely happy", "very happy", "happy", "awesome")
_NOT_GOOD = ("neutral", "just okay", "unhappy", "very unhappy", "extremely unhappy", "not good")
_FRESHDESK_RATINGS: dict[str, tuple[str, int | None]] = {
    **dict.fromkeys(_GOOD, ("csat_good", 1)),
    **dict.fromkeys(_NOT_GOOD, ("csat_good", 0)),
}
_NO_CUSTOMER = "{file} says neither the e-mail nor the number of the contact; export it with the contact's fields."
_NO_REOPENS = "Freshdesk does not export how often a ticket was opened again."


def _freshdesk_read(export: Export, policy: Policy) -> Readout:
    named = headed(export, _COLUMNS)
    present = named.rows.collect_schema().names()
    dated = [name for name in _MOMENTS if name in present]
    when = moments(named.rows, dated, file=export.file, clock=policy.clock)
    texts = [
        text_of(name) if name in present else pl.lit(None, dtype=pl.String).alias(name) for name in _FRESHDESK_USED
    ]
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
            ratings=_FRESHDESK_RATINGS,
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
    read=_freshdesk_read,
)
