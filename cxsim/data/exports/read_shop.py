"""A path or a database goes in; the shop that its tables show comes out."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cxsim.data.contracts import CONTRACTS
from cxsim.data.exports.files import ENDINGS, open_exports
from cxsim.data.exports.formats import OWN_FORMATS, Export, Readout, customers, recognised, unrecognised
from cxsim.data.exports.hooks import reader_of
from cxsim.data.exports.mappings import SHOP_FILE, ShopFile, mapped_readouts
from cxsim.data.exports.own_tables import read_table
from cxsim.data.exports.parts import observed, of_one_currency, parts_of, tables_of, without_repeats
from cxsim.data.exports.sessions import sessions_against_orders
from cxsim.data.exports.surveys import answers_format
from cxsim.data.orders import first_line
from cxsim.data.shop import Policy, Receipt, Shop
from cxsim.errors import DataError, choices
from cxsim.params import read

_DRIVER = "duckdb"


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
    written = read(place / SHOP_FILE, ShopFile) if (place / SHOP_FILE).is_file() else None
    rules = policy or (written.policy if written else Policy())
    opened = open_exports(place)
    mapped = {table.file for table in written.tables} if written else set()
    readouts = []
    unknown = {}
    for export in opened.exports:
        columns = export.rows.collect_schema().names()
        form = recognised(columns) or answers_format(export)
        if form and export.file not in mapped:
            readouts.append(reader_of(form)(export, form, rules))
        elif export.file not in mapped:
            unknown[export.file] = unrecognised(columns)
    if written:
        readouts += mapped_readouts(replace(written, policy=rules), place)
    if not readouts:
        others = "; ".join(f"{file} ({why})" for file, why in opened.others)
        empty = f"it is empty; put a shop's exports there, as {', '.join(ENDINGS)}"
        reasons = [f"{file}: {why}" for file, why in unknown.items()]
        raise DataError("\n".join(reasons) or f"{place}: there are no tables in it: {others or empty}.")
    shop = _shop(readouts, written.title if written else place.stem, str(place), rules, currency, until)
    # So that no file is passed over in silence.
    unread = tuple(
        Receipt(file=file, table="none", recognised="nothing", columns=(0, 0), rows_read=0, facts=(("not read", why),))
        for file, why in (*opened.others, *unknown.items())
        if file != SHOP_FILE
    )
    return replace(shop, receipts=shop.receipts + unread)


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
    parts = without_repeats(parts)
    parts, since, end = observed(parts, until, place)
    tables, partial = tables_of(parts)
    receipts = [*(part.receipt for part in parts), *idle]
    if {"sessions", "orders"} <= tables.keys():
        first = next(place for place, receipt in enumerate(receipts) if receipt.table == "sessions")
        visits = sessions_against_orders(tables["sessions"], tables["orders"])
        receipts[first] = replace(receipts[first], facts=receipts[first].facts + visits)
    filled: dict[str, Any] = dict(tables)
    return Shop(
        name=name,
        currency=code,
        since=since,
        until=end,
        opening=any(readout.opening for readout in readouts),
        policy=policy,
        receipts=tuple(receipts),
        lacks=partial | dict(_lacking(readouts, tables)),
        **filled,
    )


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
            f"{path}: a database file is read by {_DRIVER}, which is not installed; install cxsim[databases], or hand "
            "in an open connection of another driver."
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
        raise DataError(f"{label}: the database refuses it ({first_line(error)}).") from error
    rows = found.cast({pl.Null: pl.String})
    form = next(one for one in OWN_FORMATS if one.table == table)
    for name in form.required:
        if name not in rows.columns:
            raise DataError(f"{label}: it gives no column '{name}'; {choices(name, rows.columns)}")
    if rows.schema.get("customer_id") == pl.String:
        rows = rows.with_columns(customers())
    return read_table(Export(file=label, rows=rows.lazy()), form, policy)
