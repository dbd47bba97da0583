"""The rows of a support desk go in; its tickets, the ratings asked for with them, and two receipts come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from cxsim.exports import SURVEYS, TICKETS
from cxsim.shop.format import Readout
from cxsim.shop.receipt import Receipt, ReceiptLine
from cxsim.shop.tickets import DONE, settled_tickets
from cxsim.tables import check

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
