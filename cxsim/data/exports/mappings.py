"""shop.yaml goes in; what the files that it maps give comes out, each table under its contract and with a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from cxsim.data.contracts import CONTRACTS, IDS
from cxsim.data.exports import helpdesks, order_lists
from cxsim.data.exports.files import open_exports
from cxsim.data.exports.formats import (
    Export,
    Format,
    Readout,
    TableFile,
    customer_of,
    found,
    located,
    names_of,
)
from cxsim.data.exports.moments import Clock, moments, text_of
from cxsim.data.exports.own_tables import read_table
from cxsim.data.exports.surveys import SCALES
from cxsim.data.shop import Policy
from cxsim.errors import DataError, choices
from cxsim.params import read

SHOP_FILE = "shop.yaml"
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
    return read(path, ShopFile)


def mapped_readouts(shop: ShopFile, folder: Path) -> tuple[Readout, ...]:
    """Return what the tables named in shop.yaml give, each under its contract and with a receipt."""
    if not shop.tables:
        raise DataError(f"{SHOP_FILE}: tables: there is none; name at least one file.")
    return tuple(_readout(shop, table, folder) for table in shop.tables)


def read_mapped(export: Export, form: Format, policy: Policy) -> Readout:
    """Return a file whose columns a format maps to those of a contract."""
    readout = _mapped(export, form, policy, zone="", source=form.title)
    return replace(readout, receipts=tuple(replace(one, columns=found(export, form)) for one in readout.receipts))


def refuse_columns(form: Format, place: str) -> None:
    """Refuse columns that the table has not, and the lack of those that it needs."""
    contract = CONTRACTS[form.table]
    known = [*contract.columns, *contract.optional, *_FURTHER.get(form.table, ())]
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
    form = Format(
        name=table.file,
        title=f"{table.table} by {SHOP_FILE}",
        table=table.table,
        columns=table.columns,
        moments=table.moments,
        decimal=table.decimal,
        zone=table.zone,
        instrument=table.instrument,
        rows=table.rows,
        amount=table.amount,
        statuses=table.statuses,
    )
    refuse_columns(form, place)
    there = located(export, form)
    used: dict[str, str] = {}
    for ours in table.columns:
        if ours not in there:
            name = names_of(form, ours)[0]
            raise DataError(f"{place}: columns: {ours}: the file has no column '{name}'; {choices(name, header)}")
        theirs = there[ours]
        if theirs in used:
            raise DataError(f"{place}: columns: '{theirs}' is named for both {used[theirs]} and {ours}; it can be one.")
        used[theirs] = ours
    readout = _mapped(export, form, shop.policy, zone=shop.zone, source=SHOP_FILE)
    (receipt,) = readout.receipts
    # Moments were written anew before they were read.
    facts = [fact for fact in receipt.facts if fact[0] not in ("moments", "offsets")]
    facts.append(("columns", ", ".join(f"{ours} = {theirs}" for ours, theirs in there.items())))
    receipts = (replace(receipt, columns=(len(table.columns), len(header)), facts=tuple(facts)),)
    return replace(readout, receipts=receipts, currency=shop.currency, opening=shop.opening)


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


def _mapped(export: Export, form: Format, policy: Policy, *, zone: str, source: str) -> Readout:
    """Write a file anew under our names, with moments and numbers in their plain form, and read that."""
    contract = CONTRACTS[form.table]
    there = located(export, form)
    kinds = {name: kinds[0] for name, kinds in {**contract.columns, **contract.optional}.items()}
    rows = export.rows.select(pl.col(theirs).alias(ours) for ours, theirs in there.items())
    times = [name for name in there if kinds.get(name) == pl.Datetime]
    rows = rows.with_columns(_in_shop_time(rows, times, export.file, form, zone, policy.clock))
    money = ("subtotal", "line_amount")
    numbers = [name for name in there if kinds.get(name) in (pl.Float64, pl.Int64) or name in money]
    text = rows.with_columns(pl.all().cast(pl.String)).with_columns(_plain_number(n, form.decimal) for n in numbers)
    if form.table == "orders" and ("status" in there or form.amount):
        plain = replace(form, columns={name: name for name in there})
        return order_lists.read_orders(Export(file=export.file, rows=text), plain, policy)
    completed, lacks = _completed(text, export.file, form, source)
    readout = read_table(Export(file=export.file, rows=completed), form, policy)
    return replace(readout, lacks={**lacks, **form.lacks, **readout.lacks})


def _completed(rows: pl.LazyFrame, file: str, form: Format, source: str) -> tuple[pl.LazyFrame, dict[str, str]]:
    """Return the rows with the columns that the contract needs and the file does not have, and why they are empty."""
    contract = CONTRACTS[form.table]
    named = rows.collect_schema().names()
    absent = [name for name in contract.columns if name in contract.nullable and name not in named]
    added = [pl.lit(None, dtype=pl.String).alias(name) for name in absent]
    if form.instrument is not None:
        added.append(pl.lit(form.instrument).alias("instrument"))
    number = IDS.get(form.table)
    if number is not None and number not in named:
        added.append(pl.format("{} row {}", pl.lit(file), pl.int_range(1, pl.len() + 1)).alias(number))
    if "customer_id" in named:
        added.append(customer_of("customer_id"))
    whole = rows.with_columns(added)
    if form.table == "surveys":
        # Different surveys give their answers the same numbers.
        whole = whole.with_columns(survey_id=pl.format("{} {}", "instrument", "survey_id"))
    return whole, {f"{form.table}.{name}": f"{source} names no column of {file} for it." for name in absent}


def _in_shop_time(
    rows: pl.LazyFrame, times: Sequence[str], file: str, form: Format, zone: str, clock: Clock
) -> list[pl.Expr]:
    """Return moments written as ISO 8601, by the clock of the shop in `zone` or in universal time."""
    for name in (form.zone, zone):
        try:
            ZoneInfo(name or "UTC")
        except (OSError, ValueError, KeyError) as cause:
            raise DataError(f"{file}: no time zone '{name}'; write one such as Europe/Berlin or UTC.") from cause
    if not times:
        return []
    target = "UTC" if clock == "utc" else zone
    source = form.zone or zone
    pattern = None if form.moments == "iso" else form.moments
    found = moments(rows, times, file=file, form=pattern)
    schema = rows.collect_schema()
    if found.offsets or any(getattr(schema[name], "time_zone", None) is not None for name in times):
        source = "UTC" if target else ""
        found = moments(rows, times, file=file, form=pattern, clock="utc") if target else found
    elif form.zone and not target:
        raise DataError(f"{file}: its moments are written in {form.zone}; write the zone of the shop too.")
    elif clock == "utc" and not source:
        raise DataError(f"{file}: clock: utc needs the zone in which its moments are written.")

    def written(name: str) -> pl.Expr:
        moment = found.columns[name]
        if source and target and source != target:
            # An hour that happens twice when clocks are put back is taken for its first: the file does not say which.
            there = moment.dt.replace_time_zone(source, ambiguous="earliest", non_existent="null")
            moment = there.dt.convert_time_zone(target).dt.replace_time_zone(None)
        return moment.dt.to_string("%Y-%m-%d %H:%M:%S%.6f") + ("+00:00" if clock == "utc" else "")

    return [written(name).alias(name) for name in times]


def _plain_number(name: str, decimal: str) -> pl.Expr:
    """Return a column of text whose numbers have a point before their decimals and nothing between thousands.

    Only thousands that are set apart throughout are joined: with a decimal comma, `1.234,50` is 1234.50 and `1.23,4`
    stays what it is, which is no number.

    >>> cells = pl.DataFrame({"price": ["1.234,50", "12,5", "1.23,4"]})
    >>> cells.select(_plain_number("price", ","))["price"].to_list()
    ['1234.50', '12.5', '1.23,4']
    """
    text = text_of(name)
    apart = "." if decimal == "," else ","
    grouped = text.str.contains(rf"^[+-]?\d{{1,3}}(?:\{apart}\d{{3}})+(?:\{decimal}\d+)?$")
    plain = text.str.contains(rf"^[+-]?\d*\{decimal}?\d+$")
    joined = text.str.replace_all(apart, "", literal=True).str.replace(decimal, ".", literal=True)
    # What is no number must not be read as one: with a decimal comma, a point alone is not one.
    strange = text.str.replace(".", "?", literal=True) if decimal == "," else text
    other = pl.when(text.str.contains(",", literal=True)).then(text).otherwise(strange)
    return pl.when(grouped | plain).then(joined).otherwise(other).alias(name)
