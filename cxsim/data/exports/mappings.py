"""A file and the names of its columns go in; its table, under its contract and still lazy, and a receipt come out.

The names stand in shop.yaml, in a format, in what somebody asked for, or are those of the contract.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS, kinds_of
from cxsim.data.exports import helpdesks, order_lists
from cxsim.data.exports.columns import Columns, read_columns
from cxsim.data.exports.files import later_copies, open_exports, refuse_wide_rows
from cxsim.data.exports.formats import (
    Export,
    Format,
    Layout,
    Readout,
    TableFile,
    customers,
    found,
    located,
    names_of,
    receipt_of,
    row_name,
    status_columns,
    text_of,
)
from cxsim.data.exports.surveys import SCALES, off_scale, refuse_unknown_instrument
from cxsim.data.orders import collected, first_reason, repeated
from cxsim.data.shop import Policy, noticed
from cxsim.errors import DataError, choices
from cxsim.tables import ColumnType

SHOP_FILE = "shop.yaml"
_SHORT_INTEGERS = (pl.Int8, pl.Int16, pl.UInt8, pl.UInt16)
_TRUE = dict.fromkeys(("true", "yes", "1"), True) | dict.fromkeys(("false", "no", "0"), False)
_SEED = 1
# Rows of a text file that are held in memory once they are read: at most a few hundred megabytes.
_MOST_HELD = 2_000_000
# Rows of these tables need no number of their own; others are named by it elsewhere.
_NUMBERED = ("surveys", "returns", "contacts")
# What stands for a column that the contract needs, where a table is read by its statuses.
_FURTHER: Mapping[str, tuple[str, ...]] = {
    "orders": order_lists.FURTHER_COLUMNS,
    "tickets": helpdesks.FURTHER_COLUMNS,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopFile:
    """What shop.yaml says.

    Attributes
    ----------
    name, title
        That of the file; name of the shop, for readers.
    currency
        Code of its currency; "" where the tables say it.
    zone
        Time zone of the shop, such as `Europe/Berlin`; needed where a table has another one.
    opening
        Whether the tables begin with the opening of the shop.
    policy
        What counts as an order, as its value and as its day.
    until
        Last day of observation; by default that of the newest order.
    tables
        The files that are not recognised by themselves.
    """

    name: str
    title: str
    currency: str = ""
    zone: str = ""
    opening: bool = False
    policy: Policy = field(default_factory=Policy)
    until: date | None = None
    tables: tuple[TableFile, ...] = ()


def mapped_readouts(shop: ShopFile, folder: Path, *, tables: Literal["all", "orders"] = "all") -> tuple[Readout, ...]:
    """Return what the tables named in shop.yaml give, each under its contract and with a receipt."""
    asked = (table for table in shop.tables if table.table == "orders" or tables == "all")
    return tuple(_readout(shop, table, folder) for table in asked)


def named_format(export: Export, columns: Mapping[str, str]) -> Format:
    """Return the format of a file of orders, or of their lines, from the names of its columns."""
    header = export.rows.collect_schema().names()
    # What the file has under our name need not be named.
    needed = ("customer_id", "ordered_at", *(() if columns.keys() & {*order_lists.OF_LINES} else ("amount",)))
    columns = {name: name for name in needed if name in header} | dict(columns)
    columns = status_columns(header, columns.values()) | columns
    form = Format(
        name="named",
        title="orders by named columns",
        table="orders",
        columns=columns,
        rows="lines" if "order_id" in columns else "orders",
    )
    known = [*kinds_of(CONTRACTS["orders"]), *order_lists.FURTHER_COLUMNS]
    twice = next((one for one in columns.values() if list(columns.values()).count(one) > 1), None)
    if twice:
        raise DataError(f"{export.file}: '{twice}' is given for two columns; each needs its own.")
    for ours, theirs in columns.items():
        if ours not in known:
            near = choices(ours, known, all_in="docs/exports.md")
            raise DataError(f"columns maps our names to the source's; we have no '{ours}'; {near}")
        if theirs not in header:
            asked = "" if ours == theirs else f" (for {ours})"
            near = choices(theirs, header, all_in="the header of the file")
            raise DataError(f"{export.file}: no column '{theirs}'{asked}; {near}")
    refuse_columns(form, export.file)
    return form


def read_mapped(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a file whose columns are mapped to those of a contract: write it anew under our names, and read that."""
    if form.table == "orders":
        further = {"status", *order_lists.FURTHER_COLUMNS} & {*form.columns}
        by_orders = further or form.header or form.amount or form.rows == "lines"
        readout = (order_lists.read_orders if by_orders else read_table)(export, form, policy)
        known = form.columns.keys() & {"customer_id", "email", "account", "phone"}
        nobody = f"no column of {export.file} is mapped to it."
        lacks = {} if known or form.header else {"orders.customer_id": nobody}
        return replace(readout, lacks={**lacks, **form.lacks, **readout.lacks})
    refuse_wide_rows(export)
    contract = CONTRACTS[form.table]
    there = located(export, form)
    kinds = kinds_of(contract)
    times = [name for name in there if kinds.get(name) == pl.Datetime]
    numbers = [name for name in there if kinds.get(name) == pl.Float64]
    absent = [one for one in contract.columns if one in contract.nullable and one not in there]
    read = read_columns(export, form, policy, times, numbers=numbers, also=absent)
    lacks = {f"{form.table}.{name}": f"no column of {export.file} is mapped to it." for name in absent}
    # Moments are read already, by the clock of the policy.
    rows = _numbered(read.rows.select(*there, *absent), export.file, form)
    plain = replace(form, columns={name: name for name in rows.collect_schema()}, zone="", moments="iso")
    readout = read_table(Export(file=export.file, rows=rows), plain, replace(policy, clock="shop"))
    receipts = (
        replace(one, columns=found(export, form), lines=read.lines + one.lines, facts=export.facts + one.facts)
        for one in readout.receipts
    )
    return replace(readout, receipts=tuple(receipts), lacks={**lacks, **form.lacks, **readout.lacks})


def refuse_columns(form: Format, place: str) -> None:
    """Refuse columns that the table has not, and the lack of those that it needs."""
    contract = CONTRACTS[form.table]
    known = [*kinds_of(contract), *_FURTHER.get(form.table, ())]
    for ours in form.columns:
        if ours not in known:
            near = choices(ours, known, all_in="docs/exports.md")
            raise DataError(f"{place}: columns: the {form.table} have no column '{ours}'; {near}")
    given = {*form.columns, *contract.nullable}
    if form.amount or form.columns.keys() & {"line_price", "line_amount"}:
        given.add("amount")
    if form.table in (*_NUMBERED, "orders"):
        given.add(IDS[form.table])
    if form.instrument is not None:
        if form.table != "surveys" or "instrument" in form.columns:
            raise DataError(f"{place}: instrument is only for surveys without a column for it; leave it out.")
        given.add("instrument")
    needed = [name for name in contract.columns if name not in given]
    if needed:
        hint = f" or write the instrument, one of {', '.join(SCALES)}" if needed == ["instrument"] else ""
        raise DataError(f"{place}: columns: no column for {', '.join(needed)}; name it{hint}.")


def _readout(shop: ShopFile, table: TableFile, folder: Path) -> Readout:
    place = f"{SHOP_FILE}: {table.table} from {table.file}"
    export = _opened(table, folder, place)
    header = export.rows.collect_schema().names()
    layout = {one.name: getattr(table, one.name) for one in fields(Layout)}
    form = Format(name=table.file, title=f"{table.table} by {SHOP_FILE}", table=table.table, **layout)
    refuse_columns(form, place)
    there = located(export, form)
    used: dict[str, str] = {}
    for ours in table.columns:
        if ours not in there:
            name = names_of(form, ours)[0]
            near = choices(name, header, all_in="its header")
            raise DataError(f"{place}: columns: {ours}: the file has no column '{name}'; {near}")
        theirs = there[ours]
        if used.setdefault(theirs, ours) != ours:
            raise DataError(
                f"{place}: columns: '{theirs}' is given for both {used[theirs]} and {ours}; map it to one of them."
            )
    if table.table == "orders":
        form = replace(form, columns=status_columns(header, there.values()) | dict(form.columns))
        there = located(export, form)
    readout = read_mapped(replace(export, zone=shop.zone), form, shop.policy)
    (receipt,) = readout.receipts
    facts = (*receipt.facts, ("columns", ", ".join(f"{ours} = {theirs}" for ours, theirs in there.items())))
    return replace(readout, receipts=(replace(receipt, facts=facts),), currency=shop.currency, opening=shop.opening)


def _opened(table: TableFile, folder: Path, place: str) -> Export:
    if Path(table.file).name != table.file:
        raise DataError(f"{place}: give the file name without a folder; put the file next to {SHOP_FILE}.")
    if not (folder / table.file).is_file():
        present = sorted(one.name for one in folder.iterdir() if one.is_file() and one.name != SHOP_FILE)
        raise DataError(f"{place}: no such file; {choices(table.file, present)}")
    if table.separator and len(table.separator.encode()) != 1:
        raise DataError(f"{place}: separator {table.separator!r} must be one character.")
    exports = open_exports(folder / table.file, separator=table.separator).exports
    if len(exports) != 1:
        raise DataError(f"{place}: it must contain one table; found {len(exports)}.")
    return exports[0]


def _numbered(rows: pl.LazyFrame, file: str, form: Format) -> pl.LazyFrame:
    """Return the rows with their instrument and with numbers of their own, where the file has none."""
    named = rows.collect_schema()
    number = IDS.get(form.table)
    if "customer_id" in named:
        rows = rows.with_columns(customers())
    if form.instrument is not None:
        rows = rows.with_columns(instrument=pl.lit(form.instrument))
    if number is not None and number not in named:
        rows = rows.with_columns(pl.concat_str(pl.lit(row_name(file)), pl.int_range(1, pl.len() + 1)).alias(number))
    # Different surveys give their answers the same numbers.
    return (
        rows.with_columns(survey_id=pl.concat_str("instrument", "survey_id", separator=" "))
        if number == "survey_id"
        else rows
    )


def read_table(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a file whose columns have the names of a contract."""
    table, contract, file = form.table, CONTRACTS[form.table], export.file
    there = located(export, form)
    if table == "orders" and (said := status_columns(export.rows.collect_schema().names(), there.values())):
        # No platform's list of statuses holds for it.
        rows: Literal["orders", "lines"] = "lines" if "order_id" in there else "orders"
        by_orders = replace(form, header=(), rows=rows, columns={**said, **there})
        return order_lists.read_orders(export, by_orders, policy)
    alike = table == "orders" and "order_id" not in there and policy.duplicates == "drop"
    copies = later_copies(export) if alike else pl.Series(dtype=pl.UInt32)
    if not alike:
        refuse_wide_rows(export)
    read = _typed(export, form, policy, copies)
    raw, schema = read.rows, read.rows.collect_schema()
    numberless = table == "orders" and "order_id" not in there
    rules = _rules(table, raw, file)
    whole = [name for name in contract.optional if name in schema and name not in contract.nullable]
    judged = raw.with_columns(unusable=first_reason(rules))
    reasons = ((pl.col("unusable") == one).sum().alias(one) for one in rules)
    counts = collected(judged.select(*reasons, pl.col(whole).null_count(), rows=pl.len()), file).row(0, named=True)
    dropped = {one: counts[one] for one in rules}
    once, equal = raw, copies.len()
    if any(dropped.values()):
        once = judged.filter(pl.col("unusable").is_null()).drop("unusable")
    if table == "orders" and "order_id" in there and repeated(hashes(once, "order_id")).len():
        # Several rows of one number are lines of an order, or a double export.
        return order_lists.read_orders(export, replace(form, rows="lines", columns=there), policy)
    if table in IDS and table != "orders":
        once, equal = _without_copies(once, IDS[table], file)
    partial = {name: counts[name] for name in whole if counts[name]}
    lines = (*read.lines, *noticed("dropped", dropped), *noticed("merged", {"identical to an earlier row": equal}))
    receipt = receipt_of(export, form, rows=counts["rows"] + copies.len(), lines=lines, facts=read.facts)
    return Readout(
        tables={table: once.drop("written", *partial, strict=False)},
        receipts=(receipt,),
        lacks={f"{table}.{name}": f"{n:,} of its values are missing in {file}." for name, n in partial.items()},
        findings=order_lists.repeated_amounts(export, raw, there, copies) if numberless else (),
    )


def _rules(table: str, rows: pl.LazyFrame, file: str) -> dict[str, pl.Expr]:
    """Return what makes a row of a table unusable, by the words for it."""
    contract = CONTRACTS[table]
    rules = {f"{name} is missing": pl.col(name).is_null() for name in contract.columns if name not in contract.nullable}
    if table == "returns":
        rules["refund is negative"] = pl.col("refund") < 0
    if table == "surveys":
        for name in collected(rows.select(pl.col("instrument").drop_nulls().unique().sort()), file).to_series():
            refuse_unknown_instrument(name, file)
        rules["an answer that is not a whole number"] = pl.col("written") & pl.col("score").is_null()
        rules["a score outside the scale"] = off_scale()
    return rules


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
            f"{file}: {differing.len():,} values of {name} are shared by rows that differ, such as {differing[0]!r}; "
            "each row needs its own."
        )
    return pl.concat([rows.filter(~shared), once.lazy()]), held.height - once.height


def _typed(export: Export, form: Format, policy: Policy, copies: pl.Series) -> Columns:
    """Return the contract's columns under their types; null where nothing stands."""
    kinds, file = kinds_of(CONTRACTS[form.table]), export.file
    written, there = export.rows.collect_schema(), located(export, form)
    if form.table == "orders" and policy.value == "charged":
        if "charged" not in there:
            raise DataError(
                f"{file}: policy value: charged needs a column 'charged', which these orders do not have; use value: "
                "merchandise."
            )
        there["amount"] = there["charged"]
    names = [name for name in kinds if name in there]
    times = [name for name in names if kinds[name] == pl.Datetime]
    numbers = [name for name in names if kinds[name] == pl.Float64]
    # In a CSV file all is text, with the blanks that people leave; other files are taken as they are.
    bare = all(kind == pl.String for kind in written.values())
    textual = {name for name in names if bare or (name in (*times, *numbers) and written[there[name]] == pl.String)}
    columns = {name: text_of(there[name]) if name in textual else pl.col(there[name]) for name in names}
    rows = export.rows.select(**columns, **_lacked(form.table, there, file))
    if copies.len():
        rows = rows.with_row_index("place").filter(~pl.col("place").is_in(copies.implode())).drop("place")
    read = read_columns(export, form, policy, times, numbers=numbers, rows=rows)
    schema = read.rows.collect_schema()
    typed = {
        name: pl.col(name) if name in (*times, *numbers) else _cell(name, kinds[name], schema[name]) for name in names
    }
    if form.table == "orders" and "customer_id" in there:
        typed["customer_id"] = _customer(read.rows, file)
    if form.table == "surveys":
        # There may be an answer that cannot be read.
        answer = pl.col("score").cast(pl.String).str.strip_chars()
        typed["written"] = (answer != "").fill_null(value=False)
    order = dict.fromkeys([*(name for name in kinds if name in schema), *typed])
    done = read.rows.with_columns(**typed).select(*order)
    # What comes next goes through the rows ten times; to read a text is slower than all else.
    if bare and collected(export.rows.select(pl.len()), file).item() <= _MOST_HELD:
        done = collected(done, file).lazy()
    return replace(read, rows=done)


def _lacked(table: str, there: Container[str], file: str) -> dict[str, pl.Expr]:
    """Return what orders need and may lack: a number each, and a customer."""
    numbered = pl.concat_str(pl.lit(row_name(file)), pl.int_range(1, pl.len() + 1))
    needs = {"order_id": numbered, "customer_id": pl.lit(None, pl.String)} if table == "orders" else {}
    return {name: lacked for name, lacked in needs.items() if name not in there}


def _customer(rows: pl.LazyFrame, file: str) -> pl.Expr:
    """Return the customers of orders: e-mail addresses in small letters, other texts and numbers as they are."""
    kind = rows.collect_schema()["customer_id"]
    if kind.is_integer():
        return pl.col("customer_id").cast(pl.Int64) if kind in _SHORT_INTEGERS else pl.col("customer_id")
    if kind.is_float():
        # A table of pandas in which a number is missing has them all so.
        number = pl.col("customer_id")
        if rows.select((number.is_finite() & (number != number.floor())).any()).collect(engine="streaming").item():
            raise DataError(f"{file}: customer_id has numbers with decimals; it must be text or whole numbers.")
        return number.cast(pl.Int64, strict=False)
    if kind not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise DataError(f"{file}: customer_id is {kind}; it must be text or whole numbers.")
    return customers()


def _cell(name: str, kind: ColumnType, written: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind in (written, pl.String):
        return column.cast(kind)
    if kind == pl.Boolean:
        low = column.cast(pl.String).str.to_lowercase()
        return low.replace_strict(_TRUE, default=None, return_dtype=pl.Boolean)
    number = column.cast(pl.Float64, strict=False)
    return pl.when(number.floor() == number).then(number).cast(pl.Int64, strict=False)
