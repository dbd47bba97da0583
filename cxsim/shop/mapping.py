"""A file shop.yaml that says which column is what, and the tables it names, go in; readouts come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import polars as pl

from cxsim import params
from cxsim.errors import DataError, choices
from cxsim.shop.answers import customer_of
from cxsim.shop.format import Export, Readout
from cxsim.shop.mapped_cells import in_shop_time, plain_number
from cxsim.shop.opening import open_exports
from cxsim.shop.own_tables import CONTRACTS, IDS, OWN_TABLES
from cxsim.shop.policy import Policy
from cxsim.shop.scales import SCALES, Instrument
from cxsim.shop.widths import refuse_wide_rows
from cxsim.tables import Contract

SHOP_FILE = "shop.yaml"
_KNOWN = Literal["orders", "tickets", "surveys", "returns", "contacts", "sessions", "members", "marketing"]
# Rows of these tables need no number of their own; others are named by it elsewhere.
_NUMBERED = ("surveys", "returns", "contacts")


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFile:
    """Which column of a file is what.

    Attributes
    ----------
    table
        The shop's table that it fills.
    file
        Its name, in the folder of shop.yaml.
    columns
        For each of the table's columns the one of the file.
    separator
        What stands between the cells of a text file; "" to find out.
    decimal
        The mark before the decimals of its numbers.
    moments
        How its moments are written, such as `%d.%m.%Y %H:%M`; "iso" to find out, with any form that is certain.
    zone
        Time zone of the moments that are written without an offset, such as `UTC`; "" for the shop's own.
    instrument
        Of the scores in a table of surveys, where no column says it.
    """

    table: _KNOWN
    file: str
    columns: Mapping[str, str]
    separator: str = ""
    decimal: Literal[".", ","] = "."
    moments: str = "iso"
    zone: str = ""
    instrument: Instrument | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopFile:
    """What shop.yaml says.

    Attributes
    ----------
    name
        That of the file.
    title
        Name of the shop, for readers.
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


def load_shop_file(path: Path) -> ShopFile:
    """Return what a file shop.yaml says."""
    return params.read(path, ShopFile)


def mapped_readouts(shop: ShopFile, folder: Path) -> tuple[Readout, ...]:
    """Return what the tables named in shop.yaml give, each under its contract and with a receipt."""
    if not shop.tables:
        raise DataError(f"{SHOP_FILE}: tables: there is none; name at least one file.")
    return tuple(_readout(shop, table, folder) for table in shop.tables)


def _readout(shop: ShopFile, table: TableFile, folder: Path) -> Readout:
    place = f"{SHOP_FILE}: {table.table} from {table.file}"
    contract = CONTRACTS[table.table]
    export = _opened(table, folder, place)
    header = export.rows.collect_schema().names()
    _refuse(table, contract, header, place)
    kinds = {name: kinds[0] for name, kinds in {**contract.columns, **contract.optional}.items()}
    mapped = export.rows.select(pl.col(theirs).alias(ours) for ours, theirs in table.columns.items())
    told = in_shop_time(
        mapped,
        [name for name in table.columns if kinds[name] == pl.Datetime],
        file=table.file,
        form=None if table.moments == "iso" else table.moments,
        written=table.zone,
        zone=shop.zone,
        clock=shop.policy.clock,
    )
    numbers = [name for name in table.columns if kinds[name] in (pl.Float64, pl.Int64)]
    text = told.with_columns(pl.all().cast(pl.String)).with_columns(plain_number(n, table.decimal) for n in numbers)
    rows, lacks = _completed(text, table, contract)
    form = next(one for one in OWN_TABLES if one.name == f"cxsim {table.table}")
    readout = form.read(Export(file=table.file, rows=rows), shop.policy)
    receipts = tuple(
        replace(
            receipt,
            recognised=f"{table.table} by {SHOP_FILE}",
            columns=(len(table.columns), len(header)),
            facts=(*receipt.facts, ("columns", _said(table))),
        )
        for receipt in readout.receipts
    )
    return replace(
        readout, receipts=receipts, currency=shop.currency, opening=shop.opening, lacks=lacks | dict(readout.lacks)
    )


def _opened(table: TableFile, folder: Path, place: str) -> Export:
    path = folder / table.file
    if Path(table.file).name != table.file:
        raise DataError(f"{place}: a file is named without a folder; put it beside {SHOP_FILE}.")
    if not path.is_file():
        present = sorted(one.name for one in folder.iterdir() if one.is_file() and one.name != SHOP_FILE)
        raise DataError(f"{place}: no such file; {choices(table.file, present)}")
    found = open_exports(path).exports
    if len(found) != 1:
        raise DataError(f"{place}: it must be one table; found {len(found)}.")
    if not table.separator or path.suffix.lower() == ".parquet":
        return found[0]
    if len(table.separator.encode()) != 1:
        raise DataError(f"{place}: separator {table.separator!r} must be one sign.")
    rows = pl.scan_csv(path.resolve(), infer_schema=False, separator=table.separator, glob=False)
    refuse_wide_rows(rows, path, separator=table.separator, file=table.file)
    return Export(file=table.file, rows=rows)


def _refuse(table: TableFile, contract: Contract, header: list[str], place: str) -> None:
    """Refuse columns that are not there, that are used twice, or that are needed and not named."""
    known = [*contract.columns, *contract.optional]
    used: dict[str, str] = {}
    for ours, theirs in table.columns.items():
        if ours not in known:
            raise DataError(f"{place}: columns: the {table.table} have no column '{ours}'; {choices(ours, known)}")
        if theirs not in header:
            raise DataError(f"{place}: columns: {ours}: the file has no column '{theirs}'; {choices(theirs, header)}")
        if theirs in used:
            raise DataError(f"{place}: columns: '{theirs}' is named for both {used[theirs]} and {ours}; it can be one.")
        used[theirs] = ours
    given = {*table.columns, *contract.nullable}
    if table.table in _NUMBERED:
        given.add(IDS[table.table])
    if table.instrument is not None:
        if table.table != "surveys" or "instrument" in table.columns:
            raise DataError(f"{place}: instrument is for surveys of which no column says it; leave it out.")
        given.add("instrument")
    needed = [name for name in contract.columns if name not in given]
    if needed:
        hint = f" or write the instrument, one of {', '.join(SCALES)}" if needed == ["instrument"] else ""
        raise DataError(f"{place}: columns: no column for {', '.join(needed)}; name it{hint}.")


def _completed(rows: pl.LazyFrame, table: TableFile, contract: Contract) -> tuple[pl.LazyFrame, dict[str, str]]:
    """Return the rows with the columns that the contract needs and the file does not have, and why they are empty."""
    added: list[pl.Expr] = []
    if table.instrument is not None:
        added.append(pl.lit(table.instrument).alias("instrument"))
    number = IDS.get(table.table)
    if number is not None and number not in table.columns:
        added.append(pl.format("{} row {}", pl.lit(table.file), pl.int_range(1, pl.len() + 1)).alias(number))
    absent = [name for name in contract.columns if name in contract.nullable and name not in table.columns]
    added += [pl.lit(None, dtype=pl.String).alias(name) for name in absent]
    lacks = {f"{table.table}.{name}": f"{SHOP_FILE} names no column of {table.file} for it." for name in absent}
    if "customer_id" in table.columns:
        added.append(customer_of("customer_id"))
    whole = rows.with_columns(added)
    if table.table == "surveys":
        # Different surveys number their answers alike.
        whole = whole.with_columns(survey_id=pl.format("{} {}", "instrument", "survey_id"))
    return whole, lacks


def _said(table: TableFile) -> str:
    return ", ".join(f"{ours} = {theirs}" for ours, theirs in table.columns.items())
