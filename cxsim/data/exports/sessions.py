"""A table of sessions, or the events of Google Analytics, goes in; SESSIONS and how they fit the orders come out."""

from __future__ import annotations

import polars as pl

from cxsim.data.exports.columns import read_columns
from cxsim.data.exports.formats import (
    Export,
    Facts,
    Format,
    Readout,
    cells,
    customers,
    located,
    receipt_of,
    sift,
    under,
)
from cxsim.data.exports.mappings import hashes
from cxsim.data.orders import collected
from cxsim.data.shop import Policy, noticed
from cxsim.errors import DataError

_NOT_SET = ("(not set)", "(not provided)")


def read_sessions(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a table of sessions; of several rows of one session the earliest."""
    there = located(export, form)
    read = read_columns(export, form, policy, ("started_at",))
    rows = collected(read.rows.with_columns(customers()), export.file)
    unusable = {
        "no session_id": pl.col("session_id").is_null(),
        "no timestamp, or an unreadable one": pl.col("started_at").is_null(),
    }
    kept, lines = sift(rows, unusable)
    once = kept.sort("started_at", maintain_order=True).unique("session_id", keep="first", maintain_order=True)
    lines += noticed("merged", {"duplicate row of a session": kept.height - once.height})
    lines += noticed("kept", {"no customer": once["customer_id"].null_count()})
    return Readout(
        tables={"sessions": under("sessions", once, there)[0]},
        receipts=(receipt_of(export, form, rows=rows.height, lines=read.lines + lines, facts=read.facts),),
        lacks={
            f"sessions.{name}": f"{export.file} has no column '{name}'."
            for name in ("customer_id", "order_id")
            if name not in there
        },
    )


def read_events(export: Export, form: Format, _policy: Policy) -> Readout:
    """Return the sessions of Google Analytics' events, which are in universal time under any policy."""
    events = _events(export, form)
    usable = events.drop_nulls(["visitor_id", "session", "at"])
    usable = usable.with_columns(session_id=pl.concat_str("visitor_id", "session", separator="."))
    bought = pl.col("event_name") == "purchase"
    purchases = usable.filter(bought).drop_nulls("order_id")
    # An order belongs to the session in which it is named first.
    first = pl.col("session_id").sort_by("at", "session_id").first()
    orders = purchases.group_by("order_id").agg(first, ordered=pl.col("at").min())
    session = pl.col("session_id").n_unique()
    counts = [
        events.select(pl.len(), pl.col("visitor_id").null_count()),
        usable.select(pl.len(), session, pl.col("customer_id").count(), bought.sum()),
        purchases.select(pl.len(), pl.col("order_id").n_unique()),
        orders.select(session),
    ]
    rows, nobody, held, sessions, users, every, named, ordered, ordering = (
        number for table in pl.collect_all(counts, engine="streaming") for number in table.row(0)
    )
    dropped = {"no visitor: consent was not given": nobody, "no session or no timestamp": rows - nobody - held}
    merged = {"further events of a session": held - sessions}
    facts = {
        **form.facts,
        "purchases": f"{every:,}: {every - named:,} without a transaction, {named - ordered:,} repeated",
        "further orders of a session": f"{ordered - ordering:,}; a session shows only its first order",
    }
    lines = noticed("dropped", dropped) + noticed("merged", merged)
    return Readout(
        tables={"sessions": _sessions(usable, orders)},
        receipts=(receipt_of(export, form, rows=rows, lines=lines, facts=tuple(facts.items())),),
        lacks={} if users else {"sessions.customer_id": f"{export.file} has no user_id."},
    )


def sessions_against_orders(sessions: pl.LazyFrame, orders: pl.LazyFrame) -> Facts:
    """Return what a receipt should say of sessions beside orders.

    Orders from before the first session are no error: visits were often counted later than orders. Nor are orders
    without a session, whose customers did not agree to be counted.
    """
    began = sessions.select(pl.col("started_at").min()).collect(engine="streaming").item()
    after = pl.col("ordered_at") >= pl.lit(began)
    total, later = orders.select(pl.len(), after.sum()).collect(engine="streaming").row(0)
    before = ("orders before the first session", f"{total - later:,} of {total:,}")
    visited = hashes(sessions.drop_nulls("order_id"), "order_id").unique()
    if visited.is_empty():
        return (before,)
    # Eight bytes an order instead of a join of texts: two of 33 million would meet by chance once in 30,000 shops.
    in_session = hashes(orders.filter(after), "order_id").is_in(visited.implode()).sum()
    unknown = visited.len() - visited.is_in(hashes(orders, "order_id").implode()).sum()
    return (
        before,
        ("later orders that belong to a session", f"{in_session:,} of {later:,}"),
        ("orders in sessions that are missing from the orders", f"{unknown:,}"),
    )


def _events(export: Export, form: Format) -> pl.LazyFrame:
    rows = cells(export, form).with_columns(customers())
    at = pl.col("at").cast(pl.Int64, strict=False)
    wrong = rows.filter(at.is_null() & pl.col("at").is_not_null()).select("at").head(1).collect(engine="streaming")
    if wrong.height:
        # A spreadsheet has rounded it, as to 1.70928E+15.
        raise DataError(
            f"{export.file}: event_timestamp has {wrong.item()!r}; it must be whole microseconds in UTC, as written by "
            "Google: export the file again without saving it in a spreadsheet."
        )
    order = pl.when(~pl.col("order_id").is_in(_NOT_SET)).then(pl.col("order_id"))
    return rows.with_columns(at=pl.from_epoch(at, time_unit="us"), order_id=order)


def _sessions(usable: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row a session, under SESSIONS, with the first of its orders."""
    with_orders = orders.group_by("session_id").agg(pl.col("order_id").sort_by("ordered", "order_id").first())
    return (
        usable.group_by("session_id")
        .agg(
            # A visitor who logs in under two names is rare; the choice must only not depend on the sequence.
            customer_id=pl.col("customer_id").max(),
            started_at=pl.col("at").min(),
            visitor_id=pl.col("visitor_id").first(),
            source=pl.col("source").sort_by("at", "source").first(ignore_nulls=True),
        )
        .join(with_orders, on="session_id", how="left")
        .select("session_id", "customer_id", "started_at", "order_id", "visitor_id", "source")
    )
