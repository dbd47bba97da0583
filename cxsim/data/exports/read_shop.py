"""A path goes in: a file, a folder or an archive of exports; the shop that they show comes out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from cxsim.data.exports.amazon import AMAZON_ORDERS
from cxsim.data.exports.files import ENDINGS, Opened, open_exports
from cxsim.data.exports.format import (
    SCALES,
    Export,
    Format,
    Instrument,
    Policy,
    Readout,
    Receipt,
    folded,
    refuse_wide_rows,
)
from cxsim.data.exports.helpdesks import FRESHDESK, ZENDESK_EXPLORE, ZENDESK_VIEW
from cxsim.data.exports.magento import MAGENTO_ORDERS
from cxsim.data.exports.moments import Clock, moments, text_of
from cxsim.data.exports.own_tables import (
    CONTRACTS,
    IDS,
    OWN_TABLES,
    Part,
    observed,
    of_one_currency,
    parts_of,
    tables_of,
    without_repeats,
)
from cxsim.data.exports.sessions import GA4_EVENTS, SESSION_TABLE, sessions_against_orders
from cxsim.data.exports.shopify import SHOPIFY_CUSTOMERS, SHOPIFY_ORDERS
from cxsim.data.exports.surveys import SURVEYMONKEY, TYPEFORM, customer_of, survey_format
from cxsim.data.exports.woocommerce import WOOCOMMERCE
from cxsim.data.shop import Shop
from cxsim.errors import DataError, choices
from cxsim.params import read
from cxsim.tables import Contract


def in_shop_time(
    rows: pl.LazyFrame,
    times: Sequence[str],
    *,
    file: str,
    form: str | None = None,
    written: str = "",
    zone: str = "",
    clock: Clock = "shop",
) -> pl.LazyFrame:
    """Return a file whose moments are written as ISO 8601, by the clock of the shop or in universal time."""
    for name in (written, zone):
        _refuse_unknown(name, file)
    if not times:
        return rows
    target = "UTC" if clock == "utc" else zone
    sentence = moments(rows, times, file=file, form=form)
    source = written or zone
    if sentence.offsets or any(_zoned(rows, name) for name in times):
        source = ""
        if target:
            sentence, source = moments(rows, times, file=file, form=form, clock="utc"), "UTC"
    elif written and not target:
        raise DataError(f"{file}: its moments are written in {written}; write the zone of the shop too.")
    elif clock == "utc" and not source:
        raise DataError(f"{file}: clock: utc needs the zone in which its moments are written.")
    mark = "+00:00" if clock == "utc" else ""
    return rows.with_columns(_text(sentence.columns[name], source, target, mark).alias(name) for name in times)


def plain_number(name: str, decimal: str) -> pl.Expr:
    """Return a column of text whose numbers have a point before their decimals and nothing between thousands.

    Only thousands that are set apart throughout are joined: with a decimal comma, `1.234,50` is 1234.50 and `1.23,4`
    stays what it is, which is no number.

    >>> cells = pl.DataFrame({"price": ["1.234,50", "12,5", "1.23,4"]})
    >>> cells.select(plain_number("price", ","))["price"].to_list()
    ['1234.50', '12.5', '1.23,4']
    """
    text = text_of(name)
    apart = "." if decimal == "," else ","
    grouped = text.str.contains(rf"^[+-]?\d{{1,3}}(?:\{apart}\d{{3}})+(?:\{decimal}\d+)?$")
    plain = text.str.contains(rf"^[+-]?\d*\{decimal}?\d+$")
    joined = text.str.replace_all(apart, "", literal=True).str.replace(decimal, ".", literal=True)
    return pl.when(grouped | plain).then(joined).otherwise(_strange(text, decimal)).alias(name)


def _strange(text: pl.Expr, decimal: str) -> pl.Expr:
    """Keep what is no number from being read as one: with a decimal comma, a point is not one."""
    marked = text.str.replace(".", "?", literal=True) if decimal == "," else text
    return pl.when(text.str.contains(",", literal=True)).then(text).otherwise(marked)


def _refuse_unknown(zone: str, file: str) -> None:
    if zone:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError) as cause:
            raise DataError(f"{file}: no time zone '{zone}'; write one such as Europe/Berlin or UTC.") from cause


def _zoned(rows: pl.LazyFrame, name: str) -> bool:
    kind = rows.collect_schema()[name]
    return isinstance(kind, pl.Datetime) and kind.time_zone is not None


def _text(moment: pl.Expr, source: str, target: str, mark: str) -> pl.Expr:
    if source and target and source != target:
        # An hour that happens twice when clocks are put back is taken for its first: the file does not tell them apart.
        there = moment.dt.replace_time_zone(source, ambiguous="earliest", non_existent="null")
        moment = there.dt.convert_time_zone(target).dt.replace_time_zone(None)
    return moment.dt.to_string("%Y-%m-%d %H:%M:%S%.6f") + mark


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
    return read(path, ShopFile)


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
    sentence = in_shop_time(
        mapped,
        [name for name in table.columns if kinds[name] == pl.Datetime],
        file=table.file,
        form=None if table.moments == "iso" else table.moments,
        written=table.zone,
        zone=shop.zone,
        clock=shop.policy.clock,
    )
    numbers = [name for name in table.columns if kinds[name] in (pl.Float64, pl.Int64)]
    text = sentence.with_columns(pl.all().cast(pl.String)).with_columns(plain_number(n, table.decimal) for n in numbers)
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


FORMATS: tuple[Format, ...] = (
    SHOPIFY_ORDERS,
    SHOPIFY_CUSTOMERS,
    *WOOCOMMERCE,
    MAGENTO_ORDERS,
    AMAZON_ORDERS,
    ZENDESK_VIEW,
    ZENDESK_EXPLORE,
    FRESHDESK,
    TYPEFORM,
    SURVEYMONKEY,
    GA4_EVENTS,
    SESSION_TABLE,
    *OWN_TABLES,
)


_NEAREST = 3
_SHOWN = 6


def recognised(columns: Sequence[str]) -> Format | None:
    """Return the format of a header; None if it is of none. Tables of answers say by their columns what they are."""
    header = {folded(name) for name in columns}
    fitting = [form for form in FORMATS if not _lacking(form, header)]
    # A header that holds all that one format requires, and more that another requires, is of the other.
    known = max(fitting, key=lambda form: (len(form.required), len(form.columns)), default=None)
    return known or survey_format(columns)


def unrecognised(columns: Sequence[str], file: str) -> str:
    """Return the message for a header of no format."""
    header = {folded(name) for name in columns}
    nearest = sorted(FORMATS, key=lambda form: (len(_lacking(form, header)) / len(form.required), form.name))
    listed = "; ".join(f"{form.name} (lacks {_some(_lacking(form, header))})" for form in nearest[:_NEAREST])
    return (
        f"{file}: not recognised by its {len(columns)} columns ({_some(list(columns))}). Nearest: {listed}. "
        "A file shop.yaml beside it can say which of its columns is what."
    )


def _lacking(form: Format, header: set[str]) -> list[str]:
    return [name for name in form.required if folded(name) not in header]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(name.strip() for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def read_shop(
    path: str | os.PathLike[str],
    *,
    policy: Policy | None = None,
    currency: str | None = None,
    until: datetime | None = None,
) -> Shop:
    r"""Read the exports of a shop.

    Each file is recognised by its header alone. Files of one table are put together; a row that stands in several of
    them is taken from the newest.

    Parameters
    ----------
    path
        A CSV (commas, semicolons or tabs; UTF-8), TSV, TXT or Parquet file, a folder of such files, or a zip archive of
        text files. A folder may hold shop.yaml, which says which columns of its other files are what.
    policy
        What counts as an order, as its value and as its day; by default what shop.yaml says, else `Policy()`.
    currency
        Code of the currency whose orders are kept; needed where there are several.
    until
        The end of observation, not part of it, by the clock of the policy. By default just after the newest moment in
        any of the files.

    Returns
    -------
    Shop
        Its tables, lazy, with a receipt for each file.

    Raises
    ------
    DataError
        For files that are missing, not readable, of no known format, of several currencies, or that show nothing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mine.csv"
    ...     _ = file.write_text("order_id,customer_id,ordered_at,amount\n1,ana,2024-02-03 10:00,9.90\n")
    ...     shop = read_shop(file)
    >>> shop
    Shop(mine: orders; 2024-02-03 to 2024-02-03)
    """
    place = Path(path)
    said = load_shop_file(place / SHOP_FILE) if (place / SHOP_FILE).is_file() else None
    rules = policy or (said.policy if said else Policy())
    opened = open_exports(place)
    readouts, unknown = _readouts(_unmapped(opened.exports, said), rules)
    readouts += mapped_readouts(replace(said, policy=rules), place) if said else ()
    if not readouts:
        raise DataError("\n".join(unknown.values()) or f"{place}: {_no_tables(opened)}")
    parts, idle = parts_of(readouts)
    if not parts:
        raise DataError(f"{place}: nothing in it can be measured.\n" + "\n".join(str(receipt) for receipt in idle))
    parts, code = of_one_currency(parts, currency)
    parts = without_repeats(parts)
    parts, since, end = observed(parts, until, str(place))
    tables, partial = tables_of(parts)
    parts = _with_visits(parts, tables)
    lacks = dict(_reading_lacking(readouts, tables))
    found: dict[str, Any] = dict(tables)
    return Shop(
        name=said.title if said else place.stem,
        currency=code,
        since=since,
        until=end,
        opening=any(readout.opening for readout in readouts),
        policy=rules,
        receipts=(*(part.receipt for part in parts), *idle, *_aside(opened, unknown)),
        lacks=partial | lacks,
        **found,
    )


def _reading_lacking(readouts: Sequence[Readout], tables: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield what no file of a table says; what some of them say can be measured, the others' rows left out."""
    for readout in readouts:
        for need, why in readout.lacks.items():
            table, _, column = need.partition(".")
            if not column and table in tables:
                continue
            if not any(table in other.tables and need not in other.lacks for other in readouts):
                yield need, why


def _unmapped(exports: Sequence[Export], said: ShopFile | None) -> list[Export]:
    """Return the files that shop.yaml does not name."""
    named = {table.file for table in said.tables} if said else set()
    return [export for export in exports if export.file not in named]


def _readouts(exports: Sequence[Export], policy: Policy) -> tuple[list[Readout], dict[str, str]]:
    """Read what is recognised; of the others return the message, by file."""
    readouts = []
    unknown = {}
    for export in exports:
        columns = export.rows.collect_schema().names()
        form = recognised(columns)
        if form is None:
            unknown[export.file] = unrecognised(columns, export.file)
        else:
            readouts.append(form.read(export, policy))
    return readouts, unknown


def _aside(opened: Opened, unknown: dict[str, str]) -> list[Receipt]:
    """Return a receipt for each file that was not read, so that none is passed over in silence."""
    reasons = (
        *((file, why) for file, why in opened.others if file != SHOP_FILE),
        *((file, why.removeprefix(f"{file}: ")) for file, why in unknown.items()),
    )
    return [
        Receipt(file=file, table="none", recognised="nothing", columns=(0, 0), rows_read=0, facts=(("not read", why),))
        for file, why in reasons
    ]


def _no_tables(opened: Opened) -> str:
    if opened.others:
        return "there are no tables in it: " + "; ".join(f"{file} ({why})" for file, why in opened.others) + "."
    return f"there are no tables in it: it is empty; put a shop's exports there, as {', '.join(ENDINGS)}."


def _with_visits(parts: Sequence[Part], tables: Mapping[str, pl.LazyFrame]) -> list[Part]:
    """Let the receipt of the first file of sessions say how all of them fit the orders."""
    first = next((part for part in parts if part.table == "sessions"), None)
    if first is None or "orders" not in tables:
        return list(parts)
    facts = (*first.receipt.facts, *sessions_against_orders(tables["sessions"], tables["orders"]))
    sentence = replace(first, receipt=replace(first.receipt, facts=facts))
    return [sentence if part is first else part for part in parts]
