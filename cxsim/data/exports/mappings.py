"""shop.yaml goes in; what the files that it maps give comes out, each table under its contract and with a receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS, kinds_of
from cxsim.data.exports import helpdesks, order_lists
from cxsim.data.exports.files import open_exports
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
)
from cxsim.data.exports.moments import timed
from cxsim.data.exports.own_tables import read_table
from cxsim.data.exports.surveys import SCALES
from cxsim.data.shop import Policy
from cxsim.errors import DataError, choices

SHOP_FILE = "shop.yaml"
# Rows of these tables need no number of their own; others are named by it elsewhere.
_NUMBERED = ("surveys", "returns", "contacts")
_MONEY = ("subtotal", "line_amount")
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
    tables
        The files.
    """

    name: str
    title: str
    currency: str = ""
    zone: str = ""
    opening: bool = False
    policy: Policy = field(default_factory=Policy)
    tables: tuple[TableFile, ...]


def mapped_readouts(shop: ShopFile, folder: Path) -> tuple[Readout, ...]:
    """Return what the tables named in shop.yaml give, each under its contract and with a receipt."""
    if not shop.tables:
        raise DataError(f"{SHOP_FILE}: tables: there is none; name at least one file.")
    return tuple(_readout(shop, table, folder) for table in shop.tables)


def read_mapped(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a file whose columns are mapped to those of a contract: write it anew under our names, and read that."""
    contract = CONTRACTS[form.table]
    there = located(export, form)
    kinds = kinds_of(contract)
    times = [name for name in there if kinds.get(name) == pl.Datetime]
    numbers = [name for name in there if kinds.get(name) in (pl.Float64, pl.Int64) or name in _MONEY]
    by_status = form.table == "orders" and ("status" in there or form.amount)
    absent = [] if by_status else [one for one in contract.columns if one in contract.nullable and one not in there]
    read, _ = timed(export, form, policy, times, also=absent)
    rows = read.select(*there, *absent).with_columns(_plain_number(name, form.decimal) for name in numbers)
    lacks = {
        f"{form.table}.{name}": f"{form.title.rpartition(' by ')[2]} names no column of {export.file} for it."
        for name in absent
    }
    # Moments are read already, by the clock of the policy.
    rows = rows if by_status else _numbered(rows, export.file, form)
    plain = replace(form, columns={name: name for name in rows.collect_schema()}, zone="")
    reader = order_lists.read_orders if by_status else read_table
    readout = reader(Export(file=export.file, rows=rows), plain, replace(policy, clock="shop"))
    receipts = (replace(one, columns=found(export, form)) for one in readout.receipts)
    return replace(readout, receipts=tuple(receipts), lacks={**lacks, **form.lacks, **readout.lacks})


def refuse_columns(form: Format, place: str) -> None:
    """Refuse columns that the table has not, and the lack of those that it needs."""
    contract = CONTRACTS[form.table]
    known = [*kinds_of(contract), *_FURTHER.get(form.table, ())]
    for ours in form.columns:
        if ours not in known:
            raise DataError(f"{place}: columns: the {form.table} have no column '{ours}'; {choices(ours, known)}")
    given = {*form.columns, *contract.nullable}
    if form.amount:
        given.add("amount")
    if form.table in _NUMBERED:
        given.add(IDS[form.table])
    if form.instrument is not None:
        if form.table != "surveys" or "instrument" in form.columns:
            raise DataError(f"{place}: instrument is for surveys of which no column says it; leave it out.")
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
            raise DataError(f"{place}: columns: {ours}: the file has no column '{name}'; {choices(name, header)}")
        theirs = there[ours]
        if used.setdefault(theirs, ours) != ours:
            raise DataError(f"{place}: columns: '{theirs}' is named for both {used[theirs]} and {ours}; it can be one.")
    readout = read_mapped(replace(export, zone=shop.zone), form, shop.policy)
    (receipt,) = readout.receipts
    facts = (*receipt.facts, ("columns", ", ".join(f"{ours} = {theirs}" for ours, theirs in there.items())))
    return replace(readout, receipts=(replace(receipt, facts=facts),), currency=shop.currency, opening=shop.opening)


def _opened(table: TableFile, folder: Path, place: str) -> Export:
    if Path(table.file).name != table.file:
        raise DataError(f"{place}: a file is named without a folder; put it beside {SHOP_FILE}.")
    if not (folder / table.file).is_file():
        present = sorted(one.name for one in folder.iterdir() if one.is_file() and one.name != SHOP_FILE)
        raise DataError(f"{place}: no such file; {choices(table.file, present)}")
    if table.separator and len(table.separator.encode()) != 1:
        raise DataError(f"{place}: separator {table.separator!r} must be one sign.")
    exports = open_exports(folder / table.file, separator=table.separator).exports
    if len(exports) != 1:
        raise DataError(f"{place}: it must be one table; found {len(exports)}.")
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
        rows = rows.with_columns(pl.concat_str(pl.lit(f"{file} row "), pl.int_range(1, pl.len() + 1)).alias(number))
    # Different surveys give their answers the same numbers.
    return (
        rows.with_columns(survey_id=pl.concat_str("instrument", "survey_id", separator=" "))
        if number == "survey_id"
        else rows
    )


def _plain_number(name: str, decimal: str) -> pl.Expr:
    """Return a column of text whose numbers have a point before their decimals and nothing between thousands.

    Only thousands that are set apart throughout are joined: with a decimal comma, `1.234,50` is 1234.50 and `1.23,4`
    becomes what is no number.

    >>> cells = pl.DataFrame({"price": ["1.234,50", "12,5", "1.23,4"]})
    >>> cells.select(_plain_number("price", ","))["price"].to_list()
    ['1234.50', '12.5', '1?23,4']
    """
    text = pl.col(name)
    apart = "." if decimal == "," else ","
    grouped = rf"\d{{1,3}}(?:\{apart}\d{{3}})+(?:\{decimal}\d+)?"
    number = text.str.contains(rf"^[+-]?(?:{grouped}|\d*\{decimal}?\d+)$")
    joined = text.str.replace_all(apart, "", literal=True).str.replace(decimal, ".", literal=True)
    # What is no number must not be read as one: with a decimal comma, a point alone is not one.
    strange = text.str.replace(".", "?", literal=True) if decimal == "," else text
    return pl.when(number).then(joined).otherwise(strange).alias(name)
