"""A table of sessions goes in, and comes out under SESSIONS; with orders beside it, how the two fit together."""

from __future__ import annotations

import polars as pl

from cxsim.data.contracts import SESSIONS
from cxsim.data.exports.format import (
    Export,
    Format,
    Policy,
    Readout,
    Receipt,
    ReceiptLine,
    Rule,
    found,
    hashes,
    headed,
    sift,
)
from cxsim.data.exports.moments import Moments, moments, text_of
from cxsim.data.exports.surveys import customer_of
from cxsim.errors import DataError
from cxsim.tables import check

_COLUMNS = ("session_id", "visitor_id", "customer_id", "started_at", "source", "order_id")
_ALSO = {"user_pseudo_id": "visitor_id", "transaction_id": "order_id", "user_id": "customer_id", "email": "customer_id"}
_RULES = (
    Rule(reason="no session_id", action="dropped", where=pl.col("session_id").is_null()),
    Rule(reason="no moment, or one that cannot be read", action="dropped", where=pl.col("started_at").is_null()),
)


def _read(export: Export, policy: Policy) -> Readout:
    named = headed(export, _COLUMNS, _ALSO)
    present = named.rows.collect_schema().names()
    when = moments(named.rows, ["started_at"], file=export.file, clock=policy.clock)
    rows = _rows(named, when).collect(engine="streaming")
    kept, lines = sift(rows, _RULES)
    once = kept.sort("started_at", maintain_order=True).unique("session_id", keep="first", maintain_order=True)
    receipt = Receipt(
        file=export.file,
        table="sessions",
        recognised=SESSION_TABLE.name,
        columns=found(named, _COLUMNS),
        rows_read=rows.height,
        lines=(
            *lines,
            ReceiptLine(reason="a further row of the same session", action="merged", rows=kept.height - once.height),
            ReceiptLine(reason="no customer", action="kept", rows=once["customer_id"].null_count()),
        ),
        facts=when.facts,
    )
    lacks = {
        f"sessions.{name}": f"{export.file} has no column '{name}'."
        for name in ("customer_id", "order_id")
        if name not in present
    }
    columns = [*SESSIONS.columns, *(name for name in SESSIONS.optional if name in present)]
    return Readout(tables={"sessions": check(once.select(columns), SESSIONS).lazy()}, receipts=(receipt,), lacks=lacks)


def _rows(named: Export, when: Moments) -> pl.LazyFrame:
    present = named.rows.collect_schema().names()
    text = [name for name in _COLUMNS if name in present and name != "started_at"]
    absent = [name for name in ("customer_id", "order_id") if name not in present]
    return (
        named.rows.select(when.columns["started_at"].alias("started_at"), *(pl.col(n).cast(pl.String) for n in text))
        .with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
        .with_columns(customer_of("customer_id"), *(text_of(name) for name in text if name != "customer_id"))
    )


SESSION_TABLE = Format(
    name="sessions",
    # As analytics tools name them; under the names of SESSIONS it is a table of cxsim's own.
    columns=("session_id", "user_pseudo_id", "user_id", "started_at", "source", "transaction_id"),
    required=("session_id", "started_at"),
    read=_read,
)


def sessions_against_orders(sessions: pl.LazyFrame, orders: pl.LazyFrame) -> tuple[tuple[str, str], ...]:
    """Return what a receipt should say of sessions beside orders.

    Orders from before the first session are no error: visits were often counted later than orders. Nor are orders
    without a session, whose customers did not agree to be counted.
    """
    began = sessions.select(pl.col("started_at").min()).collect(engine="streaming").item()
    after = (pl.col("ordered_at") >= began).fill_null(value=False)
    total, later = orders.select(pl.len(), after.sum().alias("later")).collect(engine="streaming").row(0)
    before = ("orders before the first session", f"{total - later:,} of {total:,}")
    visited = hashes(sessions.filter(pl.col("order_id").is_not_null()), "order_id").unique()
    if visited.is_empty():
        return (before,)
    # Eight bytes an order instead of a join of texts: two of 33 million would meet by chance once in 30,000 shops.
    in_session = hashes(orders.filter(after), "order_id").is_in(visited.implode()).sum()
    unknown = visited.len() - visited.is_in(hashes(orders, "order_id").implode()).sum()
    return (
        before,
        ("later orders that belong to a session", f"{in_session:,} of {later:,}"),
        ("orders of sessions that are not among the orders", f"{unknown:,}"),
    )


_GA4_COLUMNS = (
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


def _ga4_read(export: Export, policy: Policy) -> Readout:  # noqa: ARG001 (Google writes the same under any policy)
    named = headed(export, _GA4_COLUMNS)
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
        columns=found(named, _GA4_COLUMNS),
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


GA4_EVENTS = Format(name="Google Analytics 4 events", columns=_GA4_COLUMNS, required=_REQUIRED, read=_ga4_read)


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
