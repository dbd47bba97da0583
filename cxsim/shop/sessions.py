"""A table of sessions goes in, and comes out under SESSIONS; with orders beside it, how the two fit together."""

from __future__ import annotations

import polars as pl

from cxsim.exports import SESSIONS
from cxsim.shop.answers import customer_of
from cxsim.shop.copies import hashes
from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.header import found, headed
from cxsim.shop.moments import Moments, moments, text_of
from cxsim.shop.policy import Policy
from cxsim.shop.receipt import Receipt, ReceiptLine
from cxsim.shop.sifting import Rule, sift
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
