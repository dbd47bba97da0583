"""A connection to a database and a query for each table go in; the shop that they show comes out."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cxsim.errors import DataError, choices
from cxsim.shop.answers import customer_of
from cxsim.shop.format import Export, Readout
from cxsim.shop.joining import of_one_currency, parts_of, tables_of
from cxsim.shop.observation import observed
from cxsim.shop.own_tables import CONTRACTS, OWN_TABLES
from cxsim.shop.policy import Policy
from cxsim.shop.shop import Shop

_DRIVER = "duckdb"


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
    rules = Policy() if policy is None else policy
    if not queries:
        raise DataError(f"{name}: no query; give one for at least one of {', '.join(CONTRACTS)}.")
    for table in queries:
        if table not in CONTRACTS:
            raise DataError(f"{name}: no table '{table}'; {choices(table, CONTRACTS)}")
    readouts = _readouts(connection, queries, rules)
    parts, _ = parts_of(readouts)
    parts, code = of_one_currency(parts, None)
    parts, since, end = observed(parts, until, name)
    tables, partial = tables_of(parts)
    filled: dict[str, Any] = dict(tables)
    return Shop(
        name=name,
        currency=currency or code,
        since=since,
        until=end,
        policy=rules,
        receipts=tuple(part.receipt for part in parts),
        lacks=partial | {need: why for readout in readouts for need, why in readout.lacks.items()},
        **filled,
    )


def _readouts(connection: object, queries: Mapping[str, str], policy: Policy) -> list[Readout]:
    if not isinstance(connection, str | os.PathLike):
        return [_readout(connection, table, query, policy) for table, query in queries.items()]
    opened = _opened(Path(connection))
    try:
        return [_readout(opened, table, query, policy) for table, query in queries.items()]
    finally:
        opened.close()


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
        raise DataError(f"{path}: {_DRIVER} cannot open it ({_first_line(error)}).") from error


def _readout(connection: object, table: str, query: str, policy: Policy) -> Readout:
    label = f"query of {table}"
    rows = _rows(connection, query, label)
    contract = CONTRACTS[table]
    absent = [name for name in contract.columns if name not in rows.columns]
    if absent:
        raise DataError(f"{label}: it gives no column '{absent[0]}'; {choices(absent[0], rows.columns)}")
    if rows.schema.get("customer_id") == pl.String:
        rows = rows.with_columns(customer_of("customer_id"))
    form = next(one for one in OWN_TABLES if one.name == f"cxsim {table}")
    return form.read(Export(file=label, rows=rows.lazy()), policy)


def _rows(connection: object, query: str, label: str) -> pl.DataFrame:
    """Return what a query gives. DuckDB hands it over whole, without the package that polars would ask for."""
    run = getattr(connection, "sql", None) if type(connection).__module__.split(".")[0].strip("_") == _DRIVER else None
    try:
        # Some drivers give values without types: all of a column are looked at, and an empty one may be anything.
        rows = (
            pl.DataFrame(run(query))
            if run is not None
            else pl.read_database(query, connection, infer_schema_length=None)
        )
    except Exception as error:  # each driver has an error of its own, with no ancestor in common
        raise DataError(f"{label}: the database refuses it ({_first_line(error)}).") from error
    return rows.cast({pl.Null: pl.String})


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
