"""The rows of a help desk go in; its tickets, the ratings asked for with them, and two receipts come out."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cxsim.data.contracts import SURVEYS, TICKETS
from cxsim.data.exports.formats import Export, Format, Readout, cells, collected, located, names_of, receipt_of, sift
from cxsim.data.exports.moments import moments
from cxsim.data.shop import Action, Policy, ReceiptLine, noticed
from cxsim.errors import DataError
from cxsim.tables import check

# What `columns` may name beside the columns of TICKETS.
FURTHER_COLUMNS = (
    "status",
    "updated_at",
    "closed_at",
    "first_response_minutes",
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
_INGREDIENTS = ("email", "contact", "tags", "closed_at", "first_response_minutes", "resolution_minutes")
_TIMES = ("created_at", "first_response_at", "resolved_at", "closed_at", "updated_at")


def read_tickets(export: Export, form: Format, policy: Policy) -> Readout:
    """Return the tickets of a desk under TICKETS, its ratings under SURVEYS, and a receipt for each."""
    file = export.file
    there = located(export, form)
    raw = cells(export, form)
    when = moments(raw, [name for name in _TIMES if name in there], file=file, clock=policy.clock, shown=there)
    never = pl.lit(None, pl.Datetime("us"))
    written = collected(raw.with_columns(**{name: when.columns.get(name, never) for name in _TIMES}), file)
    counts, partial = _counts(written, {name: there[name] for name in ("replies", "reopens") if name in there})
    customer, unknown, named_by = _customers(written, file)
    rows = _rows(written, form, file).with_columns(customer_id=customer, **counts)
    rows = rows.drop(*_INGREDIENTS, *(name for name in ("replies", "reopens") if name not in counts), strict=False)
    tickets, lines = _settled(rows)
    newest = rows.select(pl.max_horizontal("created_at", "first_response_at", "resolved_at", "updated_at").max()).item()
    last = () if newest is None else (("newest moment", f"{newest:%Y-%m-%d %H:%M}"),)
    facts = (*when.facts, *form.facts.items(), *named_by, *last)
    receipts = [receipt_of(export, form, rows=rows.height, lines=lines, facts=facts)]
    tables = {"tickets": check(_tickets(tickets), TICKETS).lazy()}
    lacks = {**partial, **unknown, **form.lacks}
    surveys, lines = _surveys(tickets, form)
    if surveys.is_empty():
        lacks = {"surveys": f"{file} has no ratings of customers.", **lacks}
    else:
        lines = noticed("dropped", {"no ticket of its own": rows.height - tickets.height}) + lines
        facts = (("sent_at", "the moment of resolution, or else of creation: the file has no moment of the rating"),)
        receipts.append(receipt_of(export, form, rows=rows.height, lines=lines, facts=facts, table="surveys"))
        tables["surveys"] = check(surveys, SURVEYS).lazy()
    return Readout(tables=tables, receipts=tuple(receipts), lacks=lacks)


def _rows(written: pl.DataFrame, form: Format, file: str) -> pl.DataFrame:
    """Return the rows with their times; those that the file counts in minutes run from creation on."""
    nothing = [name for name in ("tags", "channel", "reason", "rating") if name not in written.columns]
    rows = written.with_columns(pl.lit(None, pl.String).alias(name) for name in nothing)
    after = {"first_response_at": "first_response_minutes", "resolved_at": "resolution_minutes"}
    merged = pl.col("tags").str.contains(_MERGED_TAG).fill_null(value=False)
    return rows.with_columns(
        status=pl.when(merged).then(pl.lit("merged")).otherwise(pl.col("status").str.to_lowercase()),
        rating=pl.col("rating").str.to_lowercase(),
        **{
            name: pl.col("created_at") + _minutes(rows, form, minutes, file)
            for name, minutes in after.items()
            if minutes in rows.columns
        },
    ).with_columns(resolved_at=pl.coalesce("resolved_at", "closed_at"))


def _minutes(rows: pl.DataFrame, form: Format, name: str, file: str) -> pl.Expr:
    """Return a column of minutes as a duration; null where it is blank."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    wrong = rows.with_row_index("row").filter(pl.col(name).is_not_null() & number.is_null()).select("row", name)
    if wrong.height:
        row, cell = wrong.row(0)
        raise DataError(
            f"{file}: row {row + 1} below the header has {cell!r} under '{names_of(form, name)[0]}', which must be a "
            f"number; so have {wrong.height - 1:,} further rows. The columns seem to be shifted, as by a comma without "
            "quotes: export the file again and do not save it with a spreadsheet."
        )
    return pl.duration(microseconds=(number * 60_000_000).round().cast(pl.Int64))


def _counts(rows: pl.DataFrame, columns: Mapping[str, str]) -> tuple[dict[str, pl.Expr], dict[str, str]]:
    """Return what is counted in every row, and why the other counts are left out."""
    whole: dict[str, pl.Expr] = {}
    lacks = {}
    for name, column in columns.items():
        number = pl.col(name).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
        blank = rows.select(number.is_null().sum()).item()
        if blank:
            lacks[f"tickets.{name}"] = f"{blank:,} of {rows.height:,} rows have no number under '{column}'."
        else:
            whole[name] = number
    return whole, lacks


def _customers(rows: pl.DataFrame, file: str) -> tuple[pl.Expr, dict[str, str], tuple[tuple[str, str], ...]]:
    """Return who asked: the e-mail in small letters, or else the number if no spreadsheet has rounded the numbers."""
    if "customer_id" in rows.columns:
        return pl.col("customer_id"), {}, ()
    email, contact = pl.col("email").str.to_lowercase(), pl.col("contact")
    rounded = rows.filter(contact.str.contains(_ROUNDED))
    mailed, numbered = rows["email"].count(), rows["contact"].count()
    facts: tuple[tuple[str, str], ...] = ()
    if rounded.is_empty():
        if numbered and not mailed:
            facts = (("customers", "by the number of the requester; the file has no e-mail addresses"),)
        if mailed or numbered:
            return pl.coalesce(email, contact), {}, facts
        why = f"{file} says neither the e-mail nor the number of the contact; export it with the contact's fields."
    else:
        why = (
            f"{file}: {rounded.height:,} of {rows.height:,} requester ids are written like {rounded['contact'][0]}, as "
            "a spreadsheet saves them, so that different customers have the same; export the file again and do not "
            "save it with one."
        )
        if mailed:
            return email, {}, (("customers", f"by e-mail alone. {why}"),)
    return pl.lit(None, pl.String), {"tickets.customer_id": why, "surveys.customer_id": why}, ()


def _settled(rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return one row a ticket, and what became of the others."""
    status, resolved = pl.col("status"), pl.col("resolved_at")
    early = pl.min_horizontal("first_response_at", "resolved_at") < pl.col("created_at")
    rules: list[tuple[str, Action, pl.Expr]] = [
        ("no ticket number", "dropped", pl.col("ticket_id").is_null()),
        ("no moment of creation, or one that cannot be read", "dropped", pl.col("created_at").is_null()),
        *((f"ticket {reason}", "dropped", status == name) for name, reason in _NO_TICKETS.items()),
        ("answered or resolved before it was created", "dropped", early),
    ]
    kept, lines = sift(rows, rules)
    single, merged = _merged(kept)
    again = resolved.is_not_null() & status.is_in(_WAITING)
    single, further = sift(
        single,
        [
            ("solved once and open again: counted as open", "kept", again),
            ("no customer", "kept", pl.col("customer_id").is_null()),
        ],
    )
    tickets = single.with_columns(resolved_at=pl.when(~again.fill_null(value=False)).then(resolved))
    return tickets, (*lines, *merged, *further)


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
    merged = {
        "a further row of the same ticket, equal to it": several.height - last.height - differing,
        "a further row of the same ticket that says otherwise: the one updated last holds": differing,
    }
    return pl.concat([tickets.filter(~twice), last]), noticed("merged", merged)


def _tickets(tickets: pl.DataFrame) -> pl.DataFrame:
    if {"replies", "reopens"} <= set(tickets.columns):
        # Only of a ticket that is done can be said whether its first answer was enough.
        at_first = (pl.col("replies") == 1) & (pl.col("reopens") == 0)
        tickets = tickets.with_columns(solved_at_first=pl.when(pl.col("status").is_in(_DONE)).then(at_first))
    return tickets.select([name for name in {**TICKETS.columns, **TICKETS.optional} if name in tickets.columns])


def _surveys(tickets: pl.DataFrame, form: Format) -> tuple[pl.DataFrame, tuple[ReceiptLine, ...]]:
    """Return the ratings as surveys, by what they stand for, and what became of the others."""
    ratings = form.ratings
    stars = {text for text, (instrument, score) in ratings.items() if score is not None and instrument == "csat"}
    words = {text for text, (_, score) in ratings.items() if score is not None} - stars
    used = set(tickets["rating"].unique().drop_nulls())
    if used & stars and not used & words:
        # Those who did not answer belong to the instrument by which the others did.
        ratings = {text: ("csat", score) for text, (_, score) in ratings.items()}
    rating = pl.col("rating")
    asked = tickets.filter(rating.is_in(list(ratings)))
    unknown = tickets.filter(~rating.is_in([*_NOT_ASKED, *ratings]))["rating"]
    surveys = asked.select(
        "customer_id",
        "ticket_id",
        survey_id=pl.format("{} {}", pl.lit(form.title), "ticket_id"),
        sent_at=pl.coalesce("resolved_at", "created_at"),
        instrument=rating.replace_strict({t: kind for t, (kind, _) in ratings.items()}, return_dtype=pl.String),
        score=rating.replace_strict({t: score for t, (_, score) in ratings.items()}, return_dtype=pl.Int64),
    )
    shown = ", ".join(repr(text) for text in unknown.unique().sort().head(3))
    unasked = tickets.height - asked.height - unknown.len()
    dropped = {"no rating was asked for": unasked, f"a rating that is not known: {shown}": unknown.len()}
    unanswered = noticed("kept", {"asked and not answered": surveys["score"].null_count()})
    return surveys, noticed("dropped", dropped) + unanswered
