"""A file under one of the contracts goes in, CSV or Parquet of any size; its table, still lazy, and a receipt come out.

Text is read strictly; whatever cannot be read is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS
from cxsim.data.exports.formats import Export, Format, Readout, folded
from cxsim.data.exports.moments import moments, text_of
from cxsim.data.exports.surveys import within_scale
from cxsim.data.orders import amount, unreadable
from cxsim.data.shop import Policy, Receipt, ReceiptLine
from cxsim.errors import DataError
from cxsim.tables import Contract

_NOT_BELOW_NOTHING: Mapping[str, str] = {"orders": "amount", "returns": "refund"}
_YES = ("true", "yes", "1")
_NO = ("false", "no", "0")
_NO_CHARGE = "policy value: charged needs a column 'charged', which these orders do not have; use value: merchandise."
_SEED = 1


def read_table(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a file whose columns have the names of a contract."""
    table, contract = form.table, CONTRACTS[form.table]
    every = (*contract.columns, *contract.optional)
    names = {folded(name): name for name in reversed(export.rows.collect_schema().names())}
    # In a CSV file all is text, with the blanks that people leave; other files are taken as they are.
    loose = all(kind == pl.String for kind in export.rows.collect_schema().values())
    rows = export.rows.select(pl.col(names[name]).alias(name) for name in every if name in names)
    present = rows.collect_schema().names()
    columns = _typed(rows, contract, policy, export.file, text=text_of if loose else pl.col)
    if table == "surveys":
        # There may be an answer that cannot be read.
        text = pl.col("score").cast(pl.String).str.strip_chars()
        columns.append((text != "").fill_null(value=False).alias("written"))
    raw = rows.select(columns)
    if table == "orders" and policy.value == "charged":
        if "charged" not in present:
            raise DataError(f"{export.file}: {_NO_CHARGE}")
        raw = raw.with_columns(amount="charged")
    rules = _rules(table, contract)
    whole = [name for name in contract.optional if name in present and name not in contract.nullable]
    try:
        counts = raw.select(
            *_first_reasons(rules),
            pl.len().alias("rows"),
            *(pl.col(name).null_count().alias(f"gaps {name}") for name in whole),
        ).collect(engine="streaming")
        dropped = {reason: int(counts[reason][0]) for reason in rules}
        clean = raw.filter(~pl.any_horizontal(*rules.values())) if any(dropped.values()) else raw
        once, copies = _without_copies(clean, IDS[table], export.file) if table in IDS else (clean, 0)
    except pl.exceptions.PolarsError as error:
        raise unreadable(export.file, error) from error
    gaps = {name: int(counts[f"gaps {name}"][0]) for name in whole}
    receipt = Receipt(
        file=export.file,
        table=table,
        recognised=form.title,
        columns=(len(present), len(every)),
        rows_read=int(counts["rows"][0]),
        lines=(
            *(ReceiptLine(reason=reason, action="dropped", rows=rows) for reason, rows in dropped.items()),
            ReceiptLine(reason="equal to an earlier row", action="merged", rows=copies),
        ),
    )
    kept = once.drop([*(name for name, n in gaps.items() if n), *(["written"] if table == "surveys" else [])])
    lacks = {f"{table}.{name}": f"{export.file} misses {n:,} of its values." for name, n in gaps.items() if n}
    return within_scale(Readout(tables={table: kept}, receipts=(receipt,), lacks=lacks))


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


def _typed(
    rows: pl.LazyFrame, contract: Contract, policy: Policy, file: str, *, text: Callable[[str], pl.Expr]
) -> list[pl.Expr]:
    """Return the contract's columns under their types; null where something cannot be read."""
    schema = rows.collect_schema()
    kinds = {name: {**contract.columns, **contract.optional}[name][0] for name in schema}
    when = moments(rows, [n for n, kind in kinds.items() if kind == pl.Datetime], file=file, clock=policy.clock).columns

    def typed(name: str) -> pl.Expr:
        kind, column = kinds[name], text(name)
        if name in when or kind == schema[name]:
            return when.get(name, column)
        if kind == pl.String:
            return column.cast(pl.String)
        if kind == pl.Boolean:
            low = column.cast(pl.String).str.to_lowercase()
            return pl.when(low.is_in(_YES)).then(pl.lit(value=True)).when(low.is_in(_NO)).then(pl.lit(value=False))
        if kind == pl.Int64:
            number = column.cast(pl.Float64, strict=False)
            return pl.when(number.floor() == number).then(number).cast(pl.Int64, strict=False)
        return amount(name, schema[name], file)

    return [typed(name).alias(name) for name in schema]


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
