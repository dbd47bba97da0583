"""A file under one of the contracts goes in, CSV or Parquet of any size; its table, still lazy, and a receipt come out.

Text is read strictly; whatever cannot be read is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS
from cxsim.data.exports.formats import Export, Format, Readout, collected, folded, receipt_of
from cxsim.data.exports.moments import moments, text_of
from cxsim.data.exports.surveys import within_scale
from cxsim.data.orders import amount
from cxsim.data.shop import Policy, noticed
from cxsim.errors import DataError
from cxsim.tables import Contract

_NOT_BELOW_NOTHING: Mapping[str, str] = {"orders": "amount", "returns": "refund"}
_YES = ("true", "yes", "1")
_NO = ("false", "no", "0")
_NO_CHARGE = "policy value: charged needs a column 'charged', which these orders do not have; use value: merchandise."
_SEED = 1


def read_table(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a file whose columns have the names of a contract."""
    table, contract, file = form.table, CONTRACTS[form.table], export.file
    raw = _typed(export, contract, policy)
    rules = _rules(table, contract)
    schema = raw.collect_schema()
    whole = [name for name in contract.optional if name in schema and name not in contract.nullable]
    gaps = [pl.col(name).null_count().alias(f"gaps {name}") for name in whole]
    counts = collected(raw.select(*_first_reasons(rules), *gaps, rows=pl.len()), file).row(0, named=True)
    dropped = {reason: counts[reason] for reason in rules}
    clean = raw.filter(~pl.any_horizontal(*rules.values())) if any(dropped.values()) else raw
    once, copies = _without_copies(clean, IDS[table], file) if table in IDS else (clean, 0)
    partial = {name: counts[f"gaps {name}"] for name in whole if counts[f"gaps {name}"]}
    receipt = replace(
        receipt_of(
            export,
            form,
            rows=counts["rows"],
            lines=noticed("dropped", dropped) + noticed("merged", {"equal to an earlier row": copies}),
        ),
        columns=(len(schema) - ("written" in schema), len(contract.columns) + len(contract.optional)),
    )
    readout = Readout(
        tables={table: once.drop("written", *partial, strict=False)},
        receipts=(receipt,),
        lacks={f"{table}.{name}": f"{file} misses {n:,} of its values." for name, n in partial.items()},
    )
    return within_scale(readout) if table == "surveys" else readout


def hashes(rows: pl.LazyFrame, name: str) -> pl.Series:
    """Return the hash of every row's name, sorted: eight bytes a row, in one streaming pass."""
    return rows.select(pl.col(name).hash(_SEED)).collect(engine="streaming").to_series().sort()


def named_by(name: str, keys: pl.Series) -> pl.Expr:
    """Whether a row's name has one of some hashes."""
    return pl.col(name).hash(_SEED).is_in(keys.implode())


def _without_copies(rows: pl.LazyFrame, name: str, file: str) -> tuple[pl.LazyFrame, int]:
    """Return the rows without those that equal an earlier one, and how many these are."""
    keys = hashes(rows, name)
    again = keys.filter((keys == keys.shift(1)).fill_null(value=False)).unique()
    if again.is_empty():
        return rows, 0
    held = rows.filter(named_by(name, again)).collect(engine="streaming")
    once = held.unique(maintain_order=True, keep="first")
    differing = once[name].filter(once[name].is_duplicated()).unique().sort()
    if differing.len():
        raise DataError(
            f"{file}: {differing.len():,} values of {name} stand for rows that differ, such as {differing[0]!r}; each "
            "row must have its own."
        )
    return pl.concat([rows.filter(~named_by(name, again)), once.lazy()]), held.height - once.height


def _typed(export: Export, contract: Contract, policy: Policy) -> pl.LazyFrame:
    """Return the contract's columns under their types; null where something cannot be read."""
    every = {**contract.columns, **contract.optional}
    written = export.rows.collect_schema()
    names = {folded(name): name for name in reversed(written.names())}
    rows = export.rows.select(pl.col(names[name]).alias(name) for name in every if name in names)
    schema = rows.collect_schema()
    times = [name for name in schema if every[name][0] == pl.Datetime]
    when = moments(rows, times, file=export.file, clock=policy.clock).columns
    # In a CSV file all is text, with the blanks that people leave; other files are taken as they are.
    text = text_of if all(kind == pl.String for kind in written.values()) else pl.col
    typed = [
        (when[name] if name in when else _cell(name, text(name), every[name][0], schema[name], export.file)).alias(name)
        for name in schema
    ]
    if contract.name == "SURVEYS":
        # There may be an answer that cannot be read.
        answer = pl.col("score").cast(pl.String).str.strip_chars()
        typed.append((answer != "").fill_null(value=False).alias("written"))
    table = rows.select(typed)
    if contract.name == "ORDERS" and policy.value == "charged":
        if "charged" not in schema:
            raise DataError(f"{export.file}: {_NO_CHARGE}")
        table = table.with_columns(amount="charged")
    return table


def _cell(name: str, column: pl.Expr, kind: object, written: pl.DataType, file: str) -> pl.Expr:
    if kind == written:
        return column
    if kind == pl.String:
        return column.cast(pl.String)
    if kind == pl.Boolean:
        low = column.cast(pl.String).str.to_lowercase()
        return pl.when(low.is_in(_YES)).then(pl.lit(value=True)).when(low.is_in(_NO)).then(pl.lit(value=False))
    if kind == pl.Int64:
        number = column.cast(pl.Float64, strict=False)
        return pl.when(number.floor() == number).then(number).cast(pl.Int64, strict=False)
    return amount(name, written, file)


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


def _first_reasons(rules: Mapping[str, pl.Expr]) -> list[pl.Expr]:
    """Count each row for the first rule that holds."""
    counted = []
    before: pl.Expr = pl.lit(value=False)
    for reason, holds in rules.items():
        counted.append((holds & ~before).sum().alias(reason))
        before = before | holds
    return counted
