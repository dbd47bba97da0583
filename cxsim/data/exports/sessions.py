"""A table of sessions, or the events of Google Analytics, goes in; SESSIONS and how they fit the orders come out."""

from __future__ import annotations

import polars as pl

from cxsim.data.contracts import SESSIONS
from cxsim.data.exports.formats import Export, Format, Readout, cells, collected, customer_of, located, receipt_of, sift
from cxsim.data.exports.moments import moments
from cxsim.data.exports.own_tables import hashes
from cxsim.data.shop import Policy, noticed
from cxsim.errors import DataError
from cxsim.tables import check

_NOT_SET = ("(not set)", "(not provided)")


def read_sessions(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a table of sessions; of several rows of one session the earliest."""
    there = located(export, form)
    raw = cells(export, form)
    when = moments(raw, ["started_at"], file=export.file, clock=policy.clock, shown=there)
    rows = collected(raw.with_columns(**when.columns).with_columns(customer_of("customer_id")), export.file)
    kept, lines = sift(
        rows,
        [
            ("no session_id", "dropped", pl.col("session_id").is_null()),
            ("no moment, or one that cannot be read", "dropped", pl.col("started_at").is_null()),
        ],
    )
    once = kept.sort("started_at", maintain_order=True).unique("session_id", keep="first", maintain_order=True)
    lines += noticed("merged", {"a further row of the same session": kept.height - once.height})
    lines += noticed("kept", {"no customer": once["customer_id"].null_count()})
    receipt = receipt_of(export, form, rows=rows.height, lines=lines, facts=when.facts)
    lacks = {
        f"sessions.{name}": f"{export.file} has no column '{name}'."
        for name in ("customer_id", "order_id")
        if name not in there
    }
    columns = [*SESSIONS.columns, *(name for name in SESSIONS.optional if name in there)]
    return Readout(tables={"sessions": check(once.select(columns), SESSIONS).lazy()}, receipts=(receipt,), lacks=lacks)


def read_events(export: Export, form: Format, _policy: Policy) -> Readout:
    """Return the sessions of Google Analytics' events, which are in universal time under any policy."""
    events = _events(export, form)
    whole = pl.col("visitor_id").is_not_null() & pl.col("session").is_not_null() & pl.col("at").is_not_null()
    usable = events.filter(whole).with_columns(session_id=pl.format("{}.{}", "visitor_id", "session"))
    purchases = usable.filter((pl.col("event_name") == "purchase") & pl.col("order_id").is_not_null())
    # An order belongs to the session in which it is named first.
    first = pl.col("session_id").sort_by("at", "session_id").first()
    orders = purchases.group_by("order_id").agg(first, ordered=pl.col("at").min())
    counts = _counts(events, usable, purchases, orders)
    dropped = {
        "no visitor: consent was not given": counts["nobody"],
        "no session or no moment": counts["no session"],
    }
    merged = {"further events of a session": counts["usable"] - counts["sessions"]}
    receipt = receipt_of(
        export,
        form,
        rows=counts["events"],
        lines=noticed("dropped", dropped) + noticed("merged", merged),
        facts=(*form.facts.items(), *_facts(counts)),
    )
    lacks = {} if counts["users"] else {"sessions.customer_id": f"{export.file} names no user_id."}
    return Readout(tables={"sessions": _sessions(usable, orders)}, receipts=(receipt,), lacks=lacks)


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


def _events(export: Export, form: Format) -> pl.LazyFrame:
    rows = cells(export, form).with_columns(customer_of("customer_id"))
    at = pl.col("at").cast(pl.Int64, strict=False)
    wrong = rows.filter(at.is_null() & pl.col("at").is_not_null()).select("at").head(1).collect(engine="streaming")
    if wrong.height:
        # A spreadsheet has rounded it, as to 1.70928E+15.
        raise DataError(
            f"{export.file}: event_timestamp has {wrong.item()!r}; it must be whole microseconds of universal time, as "
            "Google writes them: export the file again and do not save it with a spreadsheet."
        )
    order = pl.when(~pl.col("order_id").is_in(_NOT_SET)).then(pl.col("order_id"))
    return rows.with_columns(at=pl.from_epoch(at, time_unit="us"), order_id=order)


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


def _counts(
    events: pl.LazyFrame, usable: pl.LazyFrame, purchases: pl.LazyFrame, orders: pl.LazyFrame
) -> dict[str, int]:
    session = pl.col("session_id")
    queries = [
        events.select(events=pl.len(), nobody=pl.col("visitor_id").is_null().sum()),
        usable.select(
            usable=pl.len(),
            sessions=session.n_unique(),
            users=pl.col("customer_id").count(),
            purchases=(pl.col("event_name") == "purchase").sum(),
        ),
        purchases.select(named=pl.len(), orders=pl.col("order_id").n_unique()),
        orders.select(ordering=session.n_unique()),
    ]
    tables = pl.collect_all(queries, engine="streaming")
    counts = {name: int(value) for table in tables for name, value in table.row(0, named=True).items()}
    return counts | {"no session": counts["events"] - counts["nobody"] - counts["usable"]}


def _facts(counts: dict[str, int]) -> tuple[tuple[str, str], ...]:
    unnamed, again = counts["purchases"] - counts["named"], counts["named"] - counts["orders"]
    further = counts["orders"] - counts["ordering"]
    return (
        ("purchases", f"{counts['purchases']:,}: {unnamed:,} name no transaction, {again:,} tell of one again"),
        ("further orders of a session", f"{further:,}; a session shows the first of its orders"),
    )
