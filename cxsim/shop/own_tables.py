"""A file under one of cxsim's own contracts goes in, CSV or Parquet of any size; its table, still lazy, comes out.

The header alone says which table it is. Text is read strictly; whatever cannot be read is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import polars as pl

from cxsim.data.parsing import amount
from cxsim.data.sources import unreadable
from cxsim.errors import DataError
from cxsim.exports import CONTACTS, LIVES, MARKETING, MEMBERS, ORDERS, SENT_BACK, SESSIONS, SURVEYS, TICKETS
from cxsim.shop.copies import without_copies
from cxsim.shop.format import Export, Format, Readout
from cxsim.shop.header import found, headed
from cxsim.shop.moments import moments, text_of
from cxsim.shop.policy import Policy
from cxsim.shop.receipt import Receipt, ReceiptLine
from cxsim.shop.scaled import within_scale
from cxsim.tables import Contract

CONTRACTS: Mapping[str, Contract] = {
    "orders": ORDERS,
    "tickets": TICKETS,
    "surveys": SURVEYS,
    "returns": SENT_BACK,
    "contacts": CONTACTS,
    "sessions": SESSIONS,
    "members": MEMBERS,
    "marketing": MARKETING,
}
# What names a row; members and spending have no such column.
IDS: Mapping[str, str] = {
    "orders": "order_id",
    "tickets": "ticket_id",
    "surveys": "survey_id",
    "returns": "return_id",
    "contacts": "contact_id",
    "sessions": "session_id",
}
_NOT_BELOW_NOTHING: Mapping[str, str] = {"orders": "amount", "returns": "refund"}
_YES = ("true", "yes", "1")
_NO = ("false", "no", "0")
_NO_CHARGE = "policy value: charged needs a column 'charged', which these orders do not have; use value: merchandise."


def _read(table: str, export: Export, policy: Policy) -> Readout:
    contract = CONTRACTS[table]
    every = (*contract.columns, *contract.optional)
    named = headed(export, every)
    raw = named.rows.select(*_typed(named, contract, policy), *_written(table)).with_columns(
        _valued(table, named, policy)
    )
    rules = _rules(table, contract)
    told = [name for name in contract.optional if name in raw.collect_schema() and name not in contract.nullable]
    try:
        counts = raw.select(
            *_fates(rules),
            pl.len().alias("rows"),
            *(pl.col(name).null_count().alias(f"gaps {name}") for name in told),
        ).collect(engine="streaming")
        dropped = {reason: int(counts[reason][0]) for reason in rules}
        clean = raw.filter(~pl.any_horizontal(*rules.values())) if any(dropped.values()) else raw
        once, copies = without_copies(clean, IDS[table], export.file) if table in IDS else (clean, 0)
    except pl.exceptions.PolarsError as error:
        raise unreadable(export.file, error) from error
    gaps = {name: int(counts[f"gaps {name}"][0]) for name in told}
    lacks = {f"{table}.{name}": f"{export.file} misses {n:,} of its values." for name, n in gaps.items() if n}
    receipt = Receipt(
        file=export.file,
        table=table,
        recognised=f"cxsim {table}",
        columns=found(named, every),
        rows_read=int(counts["rows"][0]),
        lines=(
            *(ReceiptLine(reason=reason, action="dropped", rows=rows) for reason, rows in dropped.items()),
            ReceiptLine(reason="equal to an earlier row", action="merged", rows=copies),
        ),
    )
    kept = once.drop([*(name for name, n in gaps.items() if n), *(["written"] if table == "surveys" else [])])
    return within_scale(Readout(tables={table: kept}, receipts=(receipt,), lacks=lacks))


def _typed(named: Export, contract: Contract, policy: Policy) -> list[pl.Expr]:
    """Return the contract's columns under their types; null where something cannot be read."""
    schema = named.rows.collect_schema()
    kinds = {name: kinds[0] for name, kinds in {**contract.columns, **contract.optional}.items() if name in schema}
    times = [name for name, kind in kinds.items() if kind == pl.Datetime]
    when = moments(named.rows, times, file=named.file, clock=policy.clock).columns
    # In a CSV file all is text, with the blanks that people leave; other files are taken as they are.
    loose = all(kind == pl.String for kind in schema.values())
    return [
        (when[name] if name in when else _cell(name, kind, schema[name], loose=loose, file=named.file)).alias(name)
        for name, kind in kinds.items()
    ]


def _cell(name: str, kind: object, found_kind: pl.DataType, *, loose: bool, file: str) -> pl.Expr:
    column = text_of(name) if loose else pl.col(name)
    if kind == pl.String:
        return column if loose or found_kind == pl.String else column.cast(pl.String)
    if kind == pl.Boolean:
        if found_kind == pl.Boolean:
            return column
        low = column.cast(pl.String).str.to_lowercase()
        return pl.when(low.is_in(_YES)).then(True).when(low.is_in(_NO)).then(False)  # noqa: FBT003 (what it means)
    if kind == pl.Int64:
        if found_kind == pl.Int64:
            return column
        number = column.cast(pl.Float64, strict=False)
        return pl.when(number.floor() == number).then(number).cast(pl.Int64, strict=False)
    return column if found_kind == pl.Float64 else amount(name, found_kind, file)


def _written(table: str) -> list[pl.Expr]:
    """Return whether there is an answer, which may be none that can be read."""
    text = pl.col("score").cast(pl.String).str.strip_chars()
    return [((text != "").fill_null(value=False)).alias("written")] if table == "surveys" else []


def _valued(table: str, named: Export, policy: Policy) -> list[pl.Expr]:
    if table != "orders" or policy.value == "merchandise":
        return []
    if "charged" not in named.rows.collect_schema():
        raise DataError(f"{named.file}: {_NO_CHARGE}")
    return [pl.col("charged").alias("amount")]


def _rules(table: str, contract: Contract) -> dict[str, pl.Expr]:
    """Return by reason what makes a row unusable."""
    rules = {
        f"{name} is missing or cannot be read": pl.col(name).is_null()
        for name in contract.columns
        if name not in contract.nullable
    }
    if table in _NOT_BELOW_NOTHING:
        name = _NOT_BELOW_NOTHING[table]
        rules[f"{name} is below nothing"] = (pl.col(name) < 0).fill_null(value=False)
    if table == "surveys":
        rules["an answer that is no whole number"] = pl.col("written") & pl.col("score").is_null()
    return rules


def _fates(rules: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    """Count each row for the first rule that holds."""
    counted = []
    before: pl.Expr = pl.lit(value=False)
    for reason, holds in rules.items():
        counted.append((holds & ~before).sum().alias(reason))
        before = before | holds
    return counted


def _set_aside(export: Export, _policy: Policy) -> Readout:
    named = headed(export, tuple(LIVES.columns))
    rows = int(named.rows.select(pl.len()).collect(engine="streaming").item())
    reason = "when customers left, and who brought them, is what no shop can see"
    receipt = Receipt(
        file=export.file,
        table="none",
        recognised="cxsim lives",
        columns=found(named, tuple(LIVES.columns)),
        rows_read=rows,
        lines=(ReceiptLine(reason=reason, action="dropped", rows=rows),),
    )
    return Readout(tables={}, receipts=(receipt,))


def _format(table: str, contract: Contract, read: Callable[[Export, Policy], Readout]) -> Format:
    return Format(
        name=f"cxsim {table}",
        columns=(*contract.columns, *contract.optional),
        required=tuple(contract.columns),
        read=read,
    )


OWN_TABLES = (
    *(_format(table, contract, partial(_read, table)) for table, contract in CONTRACTS.items()),
    _format("lives", LIVES, _set_aside),
)
