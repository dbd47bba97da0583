"""The rows of a help desk go in; its tickets, the ratings asked for with them, and two receipts come out."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cxsim.data.exports.columns import read_columns
from cxsim.data.exports.formats import Export, Format, Readout, counted, facts_of, located, receipt_of, sift, under
from cxsim.data.orders import collected
from cxsim.data.shop import Policy, ReceiptLine, noticed
from cxsim.errors import DataError

# What `columns` may name beside the columns of TICKETS.
FURTHER_COLUMNS = (
    "status",
    "updated_at",
    "closed_at",
    "first_response_minutes",
    "first_response_seconds",
    "resolution_minutes",
    "email",
    "contact",
    "tags",
    "rating",
)
# As any desk writes them, in small letters.
_WAITING = ("new", "open", "pending", "hold", "on-hold", "on hold")
_DONE = ("solved", "closed", "resolved")
_NO_TICKETS = {"deleted": "deleted", "spam": "spam", "suspended": "suspended as spam", "merged": "merged into another"}
_NOT_ASKED = ("not offered", "unoffered", "-")
_ROUNDED = r"^\d+(?:[.,]\d+)?[eE]\+?\d+$"
_MERGED_TAG = r"(?:^|[\s,])closed_by_merge(?:$|[\s,])"
_TIMES = ("created_at", "first_response_at", "resolved_at", "updated_at", "closed_at")
_COUNTS = ("replies", "reopens")
_SECONDS = "first_response_seconds"


def read_tickets(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the tickets of a desk under TICKETS, its ratings under SURVEYS, and a receipt for each."""
    file = export.file
    there = located(export, form)
    read = read_columns(export, form, policy, _TIMES, also=(*_COUNTS, *FURTHER_COLUMNS, "channel", "reason"))
    written, facts = collected(read.rows, file), read.facts
    customer, unknown, identified = _customers(written, file)
    counts = pl.col(*_COUNTS).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    rows = written.with_columns(*_moments(written, there, file), counts, customer_id=customer)
    tickets, lines = _settled(rows.drop(name for name in _COUNTS if name not in there))
    newest = rows.select(pl.max_horizontal(_TIMES[:4]).max()).item()
    last = f"{newest:%Y-%m-%d %H:%M}" if newest else ""
    facts += facts_of({**form.facts, "customers": identified, "newest moment": last})
    receipts = [receipt_of(export, form, rows=rows.height, lines=read.lines + lines, facts=facts)]
    judged = _judged(tickets)
    table, lacks = under("tickets", judged, judged.columns)
    tables = {"tickets": table}
    lacks |= dict.fromkeys(("tickets.customer_id", "surveys.customer_id"), unknown) if unknown else {}
    surveys, lines = _surveys(tickets, form)
    if surveys.is_empty():
        lacks["surveys"] = f"{file} has no ratings of customers."
    else:
        lines = noticed("dropped", {"no ticket of its own": rows.height - tickets.height}) + lines
        facts = (("sent_at", "time of resolution, otherwise of creation: the file has no time of the rating"),)
        receipts.append(receipt_of(export, form, rows=rows.height, lines=lines, facts=facts, table="surveys"))
        tables["surveys"] = under("surveys", surveys, surveys.columns)[0]
    return Readout(tables=tables, receipts=tuple(receipts), lacks={**lacks, **form.lacks})


def _moments(rows: pl.DataFrame, there: Mapping[str, str], file: str) -> list[pl.Expr]:
    """Return when a ticket was answered and resolved; what the file counts in minutes runs from creation on."""
    ends = {"first_response": ["first_response_at"], "resolution": ["resolved_at", "closed_at"]}
    return [
        pl.coalesce(
            pl.col("created_at") + _minutes(rows, f"{name}_minutes", there, file),
            *([pl.col("created_at") + _minutes(rows, _SECONDS, there, file) / 60] if name in _SECONDS else []),
            *moments,
        ).alias(moments[0])
        for name, moments in ends.items()
    ]


def _minutes(rows: pl.DataFrame, name: str, there: Mapping[str, str], file: str) -> pl.Expr:
    """Return a column of minutes as a duration; null where it is blank."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    wrong = rows.with_row_index("row", 1).filter(number.is_null()).drop_nulls(name).select("row", name)
    if wrong.height:
        row, cell = wrong.row(0)
        raise DataError(
            f"{file}: row {row} below the header has {cell!r} under '{there[name]}', which must be a number; "
            f"{wrong.height - 1:,} more rows have the same error. The columns seem to be shifted, for example by a "
            "comma without quotes: export the file again without saving it in a spreadsheet."
        )
    return pl.duration(microseconds=(number * 60_000_000).round().cast(pl.Int64))


def _customers(rows: pl.DataFrame, file: str) -> tuple[pl.Expr, str, str]:
    """Return who asked, why nobody is known, and by what: the e-mail, or else a number that no spreadsheet rounded."""
    if "customer_id" in rows.columns:
        return pl.col("customer_id"), "", ""
    email, contact = pl.col("email").str.to_lowercase(), pl.col("contact")
    rounded = rows.filter(contact.str.contains(_ROUNDED))["contact"]
    mailed, numbered = rows["email"].count(), rows["contact"].count()
    if rounded.is_empty() and (mailed or numbered):
        by = "" if mailed else "by the number of the requester; the file has no e-mail addresses"
        return pl.coalesce(email, contact), "", by
    why = f"{file} has neither e-mail nor number of the contact; export it with the contact's fields."
    if rounded.len():
        why = (
            f"{file}: {rounded.len():,} of {rows.height:,} requester ids were rounded by a spreadsheet, such as "
            f"{rounded[0]}, so different customers share one id; export the file again without saving it in a "
            "spreadsheet."
        )
    return (email, "", f"by e-mail only. {why}") if mailed else (pl.lit(None, pl.String), why, "")


def _settled(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return one row a ticket, and what became of the others."""
    merged = pl.col("tags").str.contains(_MERGED_TAG)
    status, resolved = pl.col("status"), pl.col("resolved_at")
    rows = rows.with_columns(
        pl.col("rating").str.to_lowercase(),
        status=pl.when(merged).then(pl.lit("merged")).otherwise(status.str.to_lowercase()),
    )
    early = pl.min_horizontal("first_response_at", "resolved_at") < pl.col("created_at")
    dropped = {
        "no ticket number": pl.col("ticket_id").is_null(),
        "no creation time, or an unreadable one": pl.col("created_at").is_null(),
        **{f"ticket {reason}": status == name for name, reason in _NO_TICKETS.items()},
        "answered or resolved before it was created": early,
    }
    kept, lines = sift(rows, dropped)
    single, merged_lines = _merged(kept)
    again = (resolved.is_not_null() & status.is_in(_WAITING)).fill_null(value=False)
    noted = {
        "solved and reopened: counted as open": again,
        "no customer": pl.col("customer_id").is_null(),
    }
    tickets = single.with_columns(resolved_at=pl.when(~again).then(resolved))
    return tickets, lines + merged_lines + counted(single, noted)


def _merged(tickets: pl.DataFrame) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    twice = pl.col("ticket_id").is_duplicated()
    several = tickets.filter(twice)
    # Of rows that were updated at the same moment, the later one in the file; sorts are stable.
    last = several.sort("updated_at", nulls_last=False, maintain_order=True).unique(
        "ticket_id", keep="last", maintain_order=True
    )
    differing = several.unique().height - last.height
    merged = {
        "duplicate row of a ticket": several.height - last.height - differing,
        "earlier version of a ticket: the last update is used": differing,
    }
    return pl.concat([tickets.filter(~twice), last]), noticed("merged", merged)


def _judged(tickets: pl.DataFrame) -> pl.DataFrame:
    """Add whether the first answer was enough, where every ticket has its counts."""
    if any(name not in tickets.columns or tickets[name].null_count() for name in _COUNTS):
        return tickets
    # Only of a ticket that is done can be said whether its first answer was enough.
    at_first = pl.when(pl.col("status").is_in(_DONE)).then((pl.col("replies") == 1) & (pl.col("reopens") == 0))
    return tickets.with_columns(solved_at_first=at_first)


def _surveys(tickets: pl.DataFrame, form: Format) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return the ratings as surveys, by what they stand for, and what became of the others."""
    scored = {text: instrument for text, (instrument, score) in form.ratings.items() if score is not None}
    # Those who did not answer belong to the instrument by which the others did.
    only_stars = {scored[text] for text in tickets["rating"].unique() if text in scored} == {"csat"}
    ratings = [(text, "csat" if only_stars else kind, score) for text, (kind, score) in form.ratings.items()]
    schema = {"rating": pl.String, "instrument": pl.String, "score": pl.Int64}
    asked = tickets.join(pl.DataFrame(ratings, schema, orient="row"), on="rating", maintain_order="left")
    surveys = asked.select(
        "customer_id",
        "ticket_id",
        "instrument",
        "score",
        survey_id=pl.concat_str(pl.lit(f"{form.title} "), "ticket_id"),
        sent_at=pl.coalesce("resolved_at", "created_at"),
    )
    unknown = tickets.filter(~pl.col("rating").is_in([*_NOT_ASKED, *form.ratings]))["rating"]
    dropped = {
        "no rating requested": tickets.height - asked.height - unknown.len(),
        f"an unknown rating: {', '.join(map(repr, unknown.unique().sort().head(3)))}": unknown.len(),
    }
    unanswered = {"requested and not answered": surveys["score"].null_count()}
    return surveys, noticed("dropped", dropped) + noticed("kept", unanswered)
