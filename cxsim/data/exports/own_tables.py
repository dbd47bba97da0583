"""A file under one of the contracts goes in, CSV or Parquet of any size; its table, still lazy, and a receipt come out.

Text is read strictly; whatever cannot be read is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS, kinds_of
from cxsim.data.exports.formats import Export, Format, Readout, located, receipt_of, text_of
from cxsim.data.exports.moments import timed
from cxsim.data.exports.surveys import off_scale, refuse_unknown_instrument
from cxsim.data.orders import amount, collected, first_reason, repeated
from cxsim.data.shop import Policy, noticed
from cxsim.errors import DataError
from cxsim.tables import ColumnType

_NOT_BELOW_NOTHING: Mapping[str, str] = {"orders": "amount", "returns": "refund"}
_TRUE = dict.fromkeys(("true", "yes", "1"), True) | dict.fromkeys(("false", "no", "0"), False)
_SEED = 1


def read_table(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a file whose columns have the names of a contract."""
    table, contract, file = form.table, CONTRACTS[form.table], export.file
    raw = _typed(export, form, policy)
    schema = raw.collect_schema()
    rules = {
        f"{name} is missing or cannot be read": pl.col(name).is_null()
        for name in contract.columns
        if name not in contract.nullable
    }
    if table in _NOT_BELOW_NOTHING:
        name = _NOT_BELOW_NOTHING[table]
        rules[f"{name} is below nothing"] = pl.col(name) < 0
    if table == "surveys":
        for name in collected(raw.select(pl.col("instrument").drop_nulls().unique().sort()), file).to_series():
            refuse_unknown_instrument(name, file)
        rules["an answer that is no whole number"] = pl.col("written") & pl.col("score").is_null()
        rules["a score outside of the scale"] = off_scale()
    unusable = pl.col("unusable")
    whole = [name for name in contract.optional if name in schema and name not in contract.nullable]
    judged = raw.with_columns(unusable=first_reason(rules))
    counts = collected(
        judged.select(
            *((unusable == one).sum().alias(one) for one in rules), pl.col(whole).null_count(), rows=pl.len()
        ),
        file,
    ).row(0, named=True)
    dropped = {one: counts[one] for one in rules}
    clean = judged.filter(unusable.is_null()).drop("unusable") if any(dropped.values()) else raw
    once, copies = _without_copies(clean, IDS[table], file) if table in IDS else (clean, 0)
    partial = {name: counts[name] for name in whole if counts[name]}
    lines = noticed("dropped", dropped) + noticed("merged", {"equal to an earlier row": copies})
    return Readout(
        tables={table: once.drop("written", *partial, strict=False)},
        receipts=(receipt_of(export, form, rows=counts["rows"], lines=lines),),
        lacks={f"{table}.{name}": f"{file} misses {n:,} of its values." for name, n in partial.items()},
    )


def hashes(rows: pl.LazyFrame, name: str) -> pl.Series:
    """Return the hash of every row's name: eight bytes a row, in one streaming pass."""
    return rows.select(pl.col(name).hash(_SEED)).collect(engine="streaming").to_series()


def _without_copies(rows: pl.LazyFrame, name: str, file: str) -> tuple[pl.LazyFrame, int]:
    """Return the rows without those that equal an earlier one, and how many these are."""
    again = repeated(hashes(rows, name)).unique()
    if again.is_empty():
        return rows, 0
    shared = pl.col(name).hash(_SEED).is_in(again.implode())
    held = rows.filter(shared).collect(engine="streaming")
    once = held.unique(maintain_order=True, keep="first")
    differing = once[name].filter(once[name].is_duplicated()).unique().sort()
    if differing.len():
        raise DataError(
            f"{file}: {differing.len():,} values of {name} stand for rows that differ, such as {differing[0]!r}; each "
            "row must have its own."
        )
    return pl.concat([rows.filter(~shared), once.lazy()]), held.height - once.height


def _typed(export: Export, form: Format, policy: Policy) -> pl.LazyFrame:
    """Return the contract's columns under their types; null where something cannot be read."""
    kinds = kinds_of(CONTRACTS[form.table])
    written = export.rows.collect_schema()
    there = located(export, form)
    if form.table == "orders" and policy.value == "charged":
        if "charged" not in there:
            raise DataError(
                f"{export.file}: policy value: charged needs a column 'charged', which these orders do not have; use "
                "value: merchandise."
            )
        there["amount"] = there["charged"]
    rows = export.rows.select(pl.col(there[name]).alias(name) for name in kinds if name in there)
    schema = rows.collect_schema()
    times = [name for name in schema if kinds[name] == pl.Datetime]
    # In a CSV file all is text, with the blanks that people leave; other files are taken as they are.
    text = text_of if all(kind == pl.String for kind in written.values()) else pl.col
    typed = [
        (pl.col(name) if name in times else _cell(name, text(name), kinds[name], schema[name], export.file)).alias(name)
        for name in schema
    ]
    if form.table == "surveys":
        # There may be an answer that cannot be read.
        answer = pl.col("score").cast(pl.String).str.strip_chars()
        typed.append((answer != "").fill_null(value=False).alias("written"))
    return timed(export, form, policy, times, rows=rows)[0].select(typed)


def _cell(name: str, column: pl.Expr, kind: ColumnType, written: pl.DataType, file: str) -> pl.Expr:
    if kind in (written, pl.String):
        return column.cast(kind)
    if kind == pl.Boolean:
        low = column.cast(pl.String).str.to_lowercase()
        return low.replace_strict(_TRUE, default=None, return_dtype=pl.Boolean)
    if kind == pl.Int64:
        number = column.cast(pl.Float64, strict=False)
        return pl.when(number.floor() == number).then(number).cast(pl.Int64, strict=False)
    return amount(name, written, file)
