"""A path, a frame or a database goes in; the shop that its tables show, or its orders alone, come out."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import polars as pl

from cxsim.data.contracts import CONTRACTS
from cxsim.data.examine import examine
from cxsim.data.exports.files import ENDINGS, FRAME, Opened, open_exports, open_frame, refuse_wide_rows
from cxsim.data.exports.formats import (
    OWN_FORMATS,
    Export,
    Format,
    Readout,
    customers,
    names_of,
    recognised,
    set_aside,
    unrecognised,
)
from cxsim.data.exports.helpdesks import read_tickets
from cxsim.data.exports.mappings import (
    SHOP_FILE,
    ShopFile,
    mapped_readouts,
    named_format,
    read_mapped,
    read_table,
    refuse_columns,
)
from cxsim.data.exports.order_items import read_amazon, read_shopify
from cxsim.data.exports.order_lists import read_orders
from cxsim.data.exports.parts import (
    known_until,
    observation,
    of_one_currency,
    parts_of,
    settled,
    tables_of,
    without_implausible,
    without_repeats,
)
from cxsim.data.exports.sessions import read_events, read_sessions, sessions_against_orders
from cxsim.data.exports.surveys import answers_format, read_answers
from cxsim.data.orders import Transactions, as_date, first_line, transactions_of
from cxsim.data.shop import Policy, Receipt, Shop
from cxsim.display import notebook_line
from cxsim.errors import DataError, ParamError, choices, refuse_unknown
from cxsim.library import shown
from cxsim.params import read

Reader = Callable[[Export, Format, Policy], Readout]

# What the language of formats cannot say. A file in params/formats names one at most; shop.yaml cannot.
HOOKS: Mapping[str, Reader] = {
    "amazon-items": read_amazon,
    "analytics-events": read_events,
    "cxsim-table": read_table,
    "session-table": read_sessions,
    "shopify-lines": read_shopify,
    "survey-answers": read_answers,
}
# They look themselves whether all rows have the width of the header, while they look for something else.
_LOOK_THEMSELVES = (read_mapped, read_orders, read_table)
# What was bought says nothing of who bought when and for how much.
_GOODS = ("product", "category")
# Tables whose rows say the status of what they are of are read by it.
_BY_STATUS: Mapping[str, Reader] = {"orders": read_orders, "tickets": read_tickets}


def reader_of(form: Format) -> Reader:
    """Return what reads exports of a format."""
    if form.table == "none":
        return set_aside
    if form.hook and form.hook not in HOOKS:
        raise ParamError(f"params/formats/{form.name}.yaml: hook: no '{form.hook}'; {choices(form.hook, HOOKS)}")
    if form.hook:
        return HOOKS[form.hook]
    return _BY_STATUS.get(form.table, read_mapped) if "status" in form.columns else read_mapped


def checked_format(path: Path) -> Format:
    """Return the format of a file under params/formats, whose columns and hook there are."""
    form = read(path, Format)
    reader_of(form)
    if form.statuses_of:
        known = [one.stem for one in path.parent.glob("*.yaml")]
        refuse_unknown(form.statuses_of, sorted(known), f"{shown(path)}: statuses_of: no '{form.statuses_of}'")
    absent = [name for name in form.required if name not in form.header]
    if form.header and absent:
        raise ParamError(
            f"{shown(path)}: required: '{absent[0]}' is not in the header; {choices(absent[0], form.header)}"
        )
    if not form.hook and form.table != "none":
        try:
            refuse_columns(form, shown(path))
        except DataError as cause:
            raise ParamError(str(cause)) from cause
    return form


_DRIVER = "duckdb"
# Exports of so many bytes take more than a second or two.
_LARGE = 5_000_000


def read_shop(
    source: object,
    *,
    columns: Mapping[str, str] | None = None,
    policy: Policy | Mapping[str, object] | None = None,
    currency: str | None = None,
    until: datetime | None = None,
) -> Shop:
    r"""Read the exports of a shop.

    Each file is recognised by its header alone, and each of its columns is read as a whole. Files of one table are put
    together; a row that stands in several of them is taken from the newest.

    Parameters
    ----------
    source
        A CSV (commas, semicolons or tabs; UTF-8), TSV, TXT, XLSX or Parquet file, a folder of such files, or a zip
        archive of text files. A folder may hold shop.yaml, which says which columns of its other files are what. Or one
        table of orders as a frame of polars, pandas or pyarrow.
    columns
        For a file or frame of orders that is not recognised: for customer_id, ordered_at, amount, and where there are
        such columns order_id, units (the quantity of a line), line_price, line_markdown, line_amount, status, currency,
        product and category, the source's name of it. With order_id, rows are the lines of orders.
    policy
        What counts as an order, as its value and as its day, and how cells are read; by default what shop.yaml says,
        else `Policy()`. Or what differs from that, such as {"unreadable": "missing"}.
    currency
        Code of the currency whose orders are kept; needed where there are several.
    until
        The end of observation, not part of it, by the clock of the policy. By default what shop.yaml says, else just
        after the newest order.

    Returns
    -------
    Shop
        Its tables, lazy, with a receipt for each file, and what was found in its orders.

    Raises
    ------
    DataError
        For files that are missing, not readable, of no known format, of several currencies, or that show nothing; for
        cells that cannot be read or can be read in two ways, moments that cannot be right, and statuses that nobody
        knows.

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
    shop = shop_of(source, columns=columns, policy=policy, currency=currency, until=until)
    return (
        shop
        if shop.orders is None
        else replace(shop, orders=shop.orders.with_columns(pl.col("customer_id").cast(pl.String)))
    )


def read_transactions(
    source: object,
    *,
    columns: Mapping[str, str] | None = None,
    policy: Policy | Mapping[str, object] | None = None,
    currency: str | None = None,
    until: date | None = None,
) -> Transactions:
    """Read the orders of a shop that models are fitted to, and account for every row.

    Parameters
    ----------
    source
        Whatever `read_shop` reads; or the shop that it returned, or one that `read_database` or a simulation returned.
        Customers that are whole numbers in a frame or a Parquet file stay so. Orders already read stay as they are.
    columns, policy, currency
        As in `read_shop`.
    until
        Last day of observation; orders after it are left out. By default the last day with an order.

    Returns
    -------
    Transactions
        The orders of known customers, what became of every row, the end of observation, and what was found.

    Raises
    ------
    DataError
        As `read_shop`; and where no order of a known customer is left.

    Examples
    --------
    >>> lines = pl.DataFrame({"customer_id": ["007", None], "ordered_at": ["2024-03-01"] * 2, "amount": ["9.90", "5"]})
    >>> read_transactions(lines)
    Transactions(1 of 2 rows kept, until 2024-03-01)
    """
    if isinstance(source, Shop | Transactions):
        if (columns, policy, currency, until) != (None,) * 4:
            raise DataError("columns, policy, currency and until apply to files; this shop has already been read.")
        return transactions_of(source) if isinstance(source, Shop) else source
    return transactions_of(
        shop_of(source, columns=columns, policy=policy, currency=currency, until=until, tables="orders")
    )


def shop_of(
    source: object,
    *,
    columns: Mapping[str, str] | None = None,
    policy: Policy | Mapping[str, object] | None = None,
    currency: str | None = None,
    until: date | datetime | None = None,
    tables: Literal["all", "orders"] = "all",
) -> Shop:
    """Return the shop of `read_shop`, its customers as the source has them, texts or numbers; a date is a last day.

    `tables`: of those that are not asked for nothing is read, so that nothing in them can stop it; nor is, for orders
    alone, what was bought.
    """
    if until is not None and not isinstance(until, datetime):
        until = _after(as_date("until", until))
    frame = open_frame(source)
    if frame is None and not isinstance(source, str | os.PathLike):
        raise DataError(
            f"orders come from a path, a frame of polars, pandas or pyarrow, or a shop; found {type(source).__name__}."
        )
    place = Path(FRAME if frame else str(source))
    opened = Opened(exports=(frame,)) if frame else open_exports(place)
    written = read(place / SHOP_FILE, ShopFile) if not frame and (place / SHOP_FILE).is_file() else None
    rules = _policy(policy, written)
    until = until or (_after(written.until) if written and written.until else None)
    with _shown_if_large(place):
        readouts, unknown, rules = _readouts(opened, columns or {}, written, rules, place, tables=tables)
        if written:
            readouts += mapped_readouts(replace(written, policy=rules), place, tables=tables)
        if not readouts:
            raise _nothing_read(place, opened, unknown)
        reasons = {**dict(opened.others), **unknown}
        title = written.title if written else place.stem or place.resolve().stem
        shop = _shop(readouts, title, str(place), rules, currency or rules.currency or None, until)
    # So that no file is passed over in silence.
    unread = tuple(_not_read(file, why) for file, why in reasons.items() if file != SHOP_FILE)
    return replace(
        shop,
        receipts=shop.receipts + unread,
        opening=shop.opening or bool(written and written.opening),
        currency=shop.currency or (written.currency if written else ""),
    )


@contextmanager
def _shown_if_large(place: Path) -> Iterator[None]:
    """Say in a notebook what is read, by its size: by the time, what is stored would depend on the machine."""
    files = place.iterdir() if place.is_dir() else [place]
    size = sum(file.stat().st_size for file in files if file.is_file())
    if size < _LARGE:
        yield
        return
    with notebook_line("Reading the exports") as say:
        say(f"{place.name}, {size / 1e6:,.0f} MB")
        yield


def _nothing_read(place: Path, opened: Opened, unknown: Mapping[str, str]) -> DataError:
    listed = "; ".join(f"{file} ({why})" for file, why in opened.others)
    empty = f"it is empty; put a shop's exports there, as {', '.join(ENDINGS)}"
    said = "\n".join(f"{file}: {why}" for file, why in unknown.items())
    return DataError(said or f"{place}: there are no tables in it: {listed or empty}.")


def _after(day: date) -> datetime:
    return datetime.combine(day, time()) + timedelta(days=1)


def _policy(policy: Policy | Mapping[str, object] | None, written: ShopFile | None) -> Policy:
    if isinstance(policy, Policy):
        return policy
    changes: dict[str, Any] = dict(policy or {})
    for key in changes:
        refuse_unknown(key, [one.name for one in fields(Policy)], f"policy: no '{key}'")
    return replace(written.policy if written else Policy(), **changes)


def _not_read(file: str, why: str) -> Receipt:
    return Receipt(
        file=file, table="none", recognised="nothing", columns=(0, 0), rows_read=0, facts=(("not read", why),)
    )


def _readouts(
    opened: Opened,
    columns: Mapping[str, str],
    written: ShopFile | None,
    policy: Policy,
    place: Path,
    *,
    tables: Literal["all", "orders"],
) -> tuple[list[Readout], dict[str, str], Policy]:
    """Return what the files that shop.yaml does not name give, why others are not read, and the policy for all."""
    if columns and len(opened.exports) != 1:
        raise DataError(
            f"{place}: columns are named for one table; found {len(opened.exports)}. Name them in shop.yaml."
        )
    mapped = {table.file for table in written.tables} if written else set()
    readouts, unknown = [], {}
    for export in opened.exports:
        if export.file in mapped:
            continue
        header = export.rows.collect_schema().names()
        form = recognised(header) or (None if columns else answers_format(export))
        if columns:
            form, policy = _as_named(export, form, columns, policy)
        if form and tables == "orders" and form.table not in ("orders", "none"):
            unknown[export.file] = f"{form.title} have no orders, and only orders are needed"
        elif form:
            zoned = replace(export, zone=written.zone) if written else export
            reader = reader_of(form)
            if reader not in _LOOK_THEMSELVES:
                refuse_wide_rows(export)
            elif tables == "orders":
                form = replace(form, columns={ours: name for ours, name in form.columns.items() if ours not in _GOODS})
            readouts.append(reader(zoned, form, policy))
        else:
            unknown[export.file] = unrecognised(header, of="frame" if export.file == FRAME else "file")
    return readouts, unknown, policy


# By what a platform's format knows the columns that somebody names.
_STANDS_FOR: Mapping[str, tuple[str, ...]] = {
    "customer_id": ("customer_id", "email", "account"),
    "amount": ("charged", "subtotal", "amount", "line_amount"),
    "order_id": ("order_id", "name", "id"),
    "units": ("units", "line_units"),
}


def _as_named(export: Export, form: Format | None, columns: Mapping[str, str], policy: Policy) -> tuple[Format, Policy]:
    """Return the format of a file whose columns somebody names, and the policy that goes with it.

    A platform's export says more than these columns, such as what was cancelled: it is read as what it is, as far as
    the names agree with it.
    """
    if form is None or form in OWN_FORMATS or form.table != "orders":
        return named_format(export, columns), policy
    for ours, theirs in columns.items():
        meant = [name for one in _STANDS_FOR.get(ours, (ours,)) for name in names_of(form, one)]
        if theirs not in meant:
            raise DataError(
                f"{export.file}: it is recognised as {form.title}, whose {ours} is not '{theirs}'"
                f"{'; possible: ' + ', '.join(meant) if meant else ''}. Leave out the column names: its statuses, "
                "totals and lines are then read correctly. Or rename a column, if it is a different table."
            )
    charged = columns.get("amount") in names_of(form, "charged")
    return form, replace(policy, value="charged") if charged else policy


def read_database(
    connection: object,
    queries: Mapping[str, str],
    *,
    name: str = "database",
    policy: Policy | None = None,
    currency: str = "",
    until: datetime | None = None,
) -> Shop:
    """Read the tables of a shop from a database.

    Parameters
    ----------
    connection
        An open connection of any driver that polars reads from, such as one of DuckDB, psycopg or sqlite3; or the path
        of a DuckDB file, which is opened for reading alone.
    queries
        For each table of the shop a query whose columns have the names of its contract: `select nr as order_id ...`.
    name
        Of the shop, for readers.
    policy
        What counts as an order, as its value and as its day; by default `Policy()`.
    currency
        Code of the currency of all amounts.
    until
        The end of observation, not part of it. By default just after the newest moment in any of the tables.

    Returns
    -------
    Shop
        Its tables, with a receipt for each query.

    Raises
    ------
    DataError
        For a table that no shop has, a query that fails or lacks a column, a path whose driver is not installed, and
        for a database that shows nothing.

    Examples
    --------
    >>> import sqlite3
    >>> mine = sqlite3.connect(":memory:")
    >>> _ = mine.execute("create table sales (nr text, buyer text, day text, euros real)")
    >>> _ = mine.execute("insert into sales values ('1', 'ana', '2024-02-03 10:00', 9.9)")
    >>> query = "select nr as order_id, buyer as customer_id, day as ordered_at, euros as amount from sales"
    >>> read_database(mine, {"orders": query}, name="mine")
    Shop(mine: orders; 2024-02-03 to 2024-02-03)
    >>> mine.close()
    """
    if not queries:
        raise DataError(f"{name}: no query; give one for at least one of {', '.join(CONTRACTS)}.")
    for table in queries:
        if table not in CONTRACTS:
            raise DataError(f"{name}: no table '{table}'; {choices(table, CONTRACTS)}")
    rules = policy or Policy()
    with ExitStack() as opened:
        if isinstance(connection, str | os.PathLike):
            connection = opened.enter_context(closing(_opened(Path(connection))))
        readouts = [_query_readout(connection, table, query, rules) for table, query in queries.items()]
    shop = _shop(readouts, name, name, rules, None, until)
    return replace(shop, currency=currency or shop.currency)


def _shop(
    readouts: Sequence[Readout], name: str, place: str, policy: Policy, currency: str | None, until: datetime | None
) -> Shop:
    """Put together what the files of a shop gave."""
    parts, idle = parts_of(readouts)
    if not parts:
        raise DataError(f"{place}: nothing in it can be measured.\n" + "\n".join(str(receipt) for receipt in idle))
    parts, code = of_one_currency(parts, currency)
    parts = without_repeats(parts, policy)
    parts, strange = without_implausible(parts, until, policy)
    if until is not None:
        observation(parts, until, place)
        parts = known_until(parts, until)
    parts, found = settled(parts, policy, place)
    since, end = observation(parts, until, place)
    parts = parts if until else known_until(parts, end)
    tables, partial = tables_of(parts)
    receipts = [*(part.receipt for part in parts), *idle]
    if {"sessions", "orders"} <= tables.keys():
        first = next(place for place, receipt in enumerate(receipts) if receipt.table == "sessions")
        visits = sessions_against_orders(tables["sessions"], tables["orders"])
        receipts[first] = replace(receipts[first], facts=receipts[first].facts + visits)
    filled: dict[str, Any] = dict(tables)
    shop = Shop(
        name=name,
        currency=code,
        since=since,
        until=end,
        opening=any(readout.opening for readout in readouts),
        policy=policy,
        receipts=tuple(receipts),
        lacks=partial | dict(_lacking(readouts, tables)),
        findings=(*strange, *found, *(one for readout in readouts for one in readout.findings)),
        **filled,
    )
    return shop if shop.orders is None else replace(shop, findings=shop.findings + examine(shop))


def _lacking(readouts: Sequence[Readout], tables: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield what no file of a table says; what some of them say can be measured, the others' rows left out."""
    for readout in readouts:
        for need, why in readout.lacks.items():
            table, _, column = need.partition(".")
            if not column and table in tables:
                continue
            if not any(table in other.tables and need not in other.lacks for other in readouts):
                yield need, why


def _opened(path: Path) -> Any:
    if importlib.util.find_spec(_DRIVER) is None:
        raise DataError(
            f"{path}: a database file is read by {_DRIVER}, which is not installed; install cxsim[databases], or pass "
            "an open connection of another driver."
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    driver = importlib.import_module(_DRIVER)
    try:
        return driver.connect(str(path), read_only=True)
    except driver.Error as error:
        raise DataError(f"{path}: {_DRIVER} cannot open it ({first_line(error)}).") from error


def _query_readout(connection: Any, table: str, query: str, policy: Policy) -> Readout:
    label = f"query of {table}"
    try:
        if _DRIVER in type(connection).__module__:
            # It hands a table over whole, without the package that polars would ask for.
            found = pl.DataFrame(connection.sql(query))
        else:
            # Some drivers give values without types: all of a column are looked at; an empty one may be anything.
            found = pl.read_database(query, connection, infer_schema_length=None)
    except Exception as error:  # each driver has an error of its own, with no ancestor in common
        raise DataError(f"{label}: the database rejects it ({first_line(error)}).") from error
    rows = found.cast({pl.Null: pl.String})
    form = next(one for one in OWN_FORMATS if one.table == table)
    for name in form.required:
        if name not in rows.columns:
            raise DataError(f"{label}: its result has no column '{name}'; {choices(name, rows.columns)}")
    if rows.schema.get("customer_id") == pl.String:
        rows = rows.with_columns(customers())
    return read_table(Export(file=label, rows=rows.lazy()), form, policy)
