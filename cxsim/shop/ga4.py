"""Events of Google Analytics 4, one row each, go in; the sessions they make up, and a receipt, come out.

A session is a `user_pseudo_id` with a `ga_session_id`; the latter alone is the second at which it began, which many
visitors share. `event_timestamp` counts microseconds of universal time.
"""

from __future__ import annotations

import polars as pl

from cxsim.errors import DataError
from cxsim.shop.answers import customer_of
from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.header import found, headed
from cxsim.shop.moments import text_of
from cxsim.shop.policy import Policy
from cxsim.shop.receipt import Receipt, ReceiptLine

_COLUMNS = (
    "event_date",
    "event_timestamp",
    "event_name",
    "user_pseudo_id",
    "user_id",
    "ga_session_id",
    "transaction_id",
    "source",
)
_REQUIRED = ("event_timestamp", "event_name", "user_pseudo_id", "ga_session_id")
_NOT_SET = ("(not set)", "(not provided)")
_UNIVERSAL = "moments are in universal time: days begin and end by it, not by the clock of the shop"


def _read(export: Export, policy: Policy) -> Readout:  # noqa: ARG001 (Google writes the same under any policy)
    named = headed(export, _COLUMNS)
    _refuse_damaged(named)
    events = _events(named)
    whole = pl.col("visitor_id").is_not_null() & pl.col("session").is_not_null() & pl.col("at").is_not_null()
    usable = events.filter(whole).with_columns(session_id=pl.format("{}.{}", "visitor_id", "session"))
    bought = pl.col("event_name") == "purchase"
    purchases = usable.filter(bought & pl.col("order_id").is_not_null())
    orders = _orders(purchases)
    counts = _counts(events, usable, purchases)
    receipt = Receipt(
        file=export.file,
        table="sessions",
        recognised=GA4_EVENTS.name,
        columns=found(named, _COLUMNS),
        rows_read=counts["events"],
        lines=(
            ReceiptLine(reason="no visitor: consent was not given", action="dropped", rows=counts["nobody"]),
            ReceiptLine(reason="no session or no moment", action="dropped", rows=counts["no session"]),
            ReceiptLine(
                reason="further events of a session", action="merged", rows=counts["usable"] - counts["sessions"]
            ),
        ),
        facts=_facts(counts, orders),
    )
    lacks = {} if counts["users"] else {"sessions.customer_id": f"{export.file} names no user_id."}
    return Readout(tables={"sessions": _sessions(usable, orders)}, receipts=(receipt,), lacks=lacks)


GA4_EVENTS = Format(name="Google Analytics 4 events", columns=_COLUMNS, required=_REQUIRED, read=_read)


def _events(named: Export) -> pl.LazyFrame:
    present = named.rows.collect_schema().names()
    absent = pl.lit(None, dtype=pl.String)
    texts = {
        "visitor_id": "user_pseudo_id",
        "session": "ga_session_id",
        "event_name": "event_name",
        "customer_id": "user_id",
        "order_id": "transaction_id",
        "source": "source",
    }
    rows = named.rows.select(
        pl.col("event_timestamp").cast(pl.Int64, strict=False).alias("at"),
        *(
            (pl.col(theirs).cast(pl.String) if theirs in present else absent).alias(ours)
            for ours, theirs in texts.items()
        ),
    ).with_columns(customer_of("customer_id"), *(text_of(name) for name in texts if name != "customer_id"))
    set_by_somebody = ~pl.col("order_id").is_in(_NOT_SET)
    return rows.with_columns(
        pl.from_epoch("at", time_unit="us"), order_id=pl.when(set_by_somebody).then(pl.col("order_id"))
    )


def _refuse_damaged(named: Export) -> None:
    """Refuse moments that a spreadsheet has rounded, such as 1.70928E+15."""
    if named.rows.collect_schema()["event_timestamp"] != pl.String:
        return
    text = text_of("event_timestamp")
    wrong = named.rows.filter(text.cast(pl.Int64, strict=False).is_null() & text.is_not_null())
    cells = wrong.select(text).head(1).collect(engine="streaming")
    if cells.height:
        raise DataError(
            f"{named.file}: event_timestamp has {cells.item()!r}; it must be whole microseconds of universal time, as "
            "Google writes them: export the file again and do not save it with a spreadsheet."
        )


def _orders(purchases: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row an order: the session in which it was first told of."""
    first = pl.col("session_id").sort_by("at", "session_id").first()
    return purchases.group_by("order_id").agg(first, ordered=pl.col("at").min())


def _sessions(usable: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row a session, under SESSIONS, with the first of its orders."""
    with_orders = orders.group_by("session_id").agg(pl.col("order_id").sort_by("ordered", "order_id").first())
    by_time = pl.col("source").drop_nulls()
    moments = pl.col("at").filter(pl.col("source").is_not_null())
    return (
        usable.group_by("session_id")
        .agg(
            # A visitor who logs in under two names is rare; the choice must only not depend on the sequence.
            customer_id=pl.col("customer_id").max(),
            started_at=pl.col("at").min(),
            visitor_id=pl.col("visitor_id").first(),
            source=by_time.sort_by(moments, by_time).first(),
        )
        .join(with_orders, on="session_id", how="left")
        .select("session_id", "customer_id", "started_at", "order_id", "visitor_id", "source")
    )


def _counts(events: pl.LazyFrame, usable: pl.LazyFrame, purchases: pl.LazyFrame) -> dict[str, int]:
    nobody = pl.col("visitor_id").is_null()
    whole = usable.select(
        pl.len().alias("usable"),
        pl.col("session_id").n_unique().alias("sessions"),
        pl.col("customer_id").count().alias("users"),
        (pl.col("event_name") == "purchase").sum().alias("purchases"),
    )
    queries = [
        events.select(pl.len().alias("events"), nobody.sum().alias("nobody")),
        whole,
        purchases.select(pl.len().alias("named"), pl.col("order_id").n_unique().alias("orders")),
    ]
    tables = pl.collect_all(queries, engine="streaming")
    counts = {name: int(value) for table in tables for name, value in table.row(0, named=True).items()}
    return counts | {"no session": counts["events"] - counts["nobody"] - counts["usable"]}


def _facts(counts: dict[str, int], orders: pl.LazyFrame) -> tuple[tuple[str, str], ...]:
    sessions = orders.select(pl.col("session_id").n_unique()).collect(engine="streaming").item()
    unnamed, again = counts["purchases"] - counts["named"], counts["named"] - counts["orders"]
    return (
        ("clock", _UNIVERSAL),
        ("purchases", f"{counts['purchases']:,}: {unnamed:,} name no transaction, {again:,} tell of one again"),
        ("further orders of a session", f"{counts['orders'] - sessions:,}; a session shows the first of its orders"),
    )
