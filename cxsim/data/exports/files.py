"""A path goes in: a file, a folder or a zip archive; the exports in it, opened and nothing guessed, come out."""

from __future__ import annotations

import codecs
import csv
import importlib
import importlib.util
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from cxsim.data.exports.format import Export, Policy, Readout, refuse_wide_rows
from cxsim.data.exports.own_tables import CONTRACTS, OWN_TABLES, observed, of_one_currency, parts_of, tables_of
from cxsim.data.exports.surveys import customer_of
from cxsim.data.orders import schema_of, unreadable
from cxsim.data.shop import Shop
from cxsim.errors import DataError, choices

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
ENDINGS = (*TEXT_ENDINGS, ".parquet", ".zip")
# More than this is not unpacked: a shop of that size has its files unpacked by someone who looks at them.
LARGEST_ARCHIVE = 4_000_000_000

_SEPARATORS = (",", ";", "\t")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEADER_BYTES = 1_000_000
# What other files begin with, whatever their names end with.
_NO_TEXT = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "an archive or a workbook",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"\x1f\x8b": "compressed",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What lies at a path.

    Attributes
    ----------
    exports
        Its tables, by name of the file.
    others
        Names of what is no table, each with the reason.
    """

    exports: tuple[Export, ...]
    others: tuple[tuple[str, str], ...] = ()


def open_exports(path: Path) -> Opened:
    """Open a file, all files of a folder (not of folders in it), or all of a zip archive."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder.")
    if path.is_dir():
        return _in_folder(path)
    if path.suffix.lower() not in ENDINGS:
        raise DataError(
            f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(ENDINGS)}, or a folder."
        )
    return _in_file(path)


def collected(rows: pl.LazyFrame, file: str) -> pl.DataFrame:
    """Return the rows of a file in memory."""
    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise unreadable(file, error) from error


def _in_folder(folder: Path) -> Opened:
    exports: list[Export] = []
    others: list[tuple[str, str]] = []
    for place in sorted(folder.iterdir()):
        # What begins with a dot or ~$ was put there by a system or an office program.
        if place.name.startswith((".", "~$")):
            continue
        if place.is_dir():
            others.append((place.name, "a folder, not looked into"))
        elif place.suffix.lower() not in ENDINGS:
            others.append((place.name, f"file ending '{place.suffix}' is not that of a table"))
        else:
            found = _in_file(place)
            exports += found.exports
            others += found.others
    return Opened(exports=tuple(exports), others=tuple(others))


def _in_file(path: Path) -> Opened:
    ending = path.suffix.lower()
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty; it must have a header line and rows.")
    if ending == ".zip":
        return _in_archive(path)
    # Resolved, because a lazy table is read later, perhaps from another working directory; `glob` is off, because a
    # bracket in a file's name is part of the name.
    place = path.resolve()
    if ending == ".parquet":
        rows = pl.scan_parquet(place, glob=False)
    else:
        with place.open("rb") as file:
            separator = _separator(file.read(_HEADER_BYTES), path.name)
        rows = pl.scan_csv(place, infer_schema=False, separator=separator, glob=False, raise_if_empty=False)
        refuse_wide_rows(rows, place, separator=separator, file=path.name)
    schema_of(rows, path.name)
    return Opened(exports=(Export(file=path.name, rows=rows),))


def _in_archive(path: Path) -> Opened:
    """Read the tables of an archive into memory; nothing is unpacked onto the disk."""
    exports: list[Export] = []
    others: list[tuple[str, str]] = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _refuse_unsafe(members, path.name)
            for member in members:
                name = PurePosixPath(member.filename).name
                if name.startswith((".", "~$")) or member.filename.startswith("__MACOSX/"):
                    continue
                if not name.lower().endswith(TEXT_ENDINGS):
                    others.append((f"{path.name}/{name}", "not a text table"))
                    continue
                # Not more than the archive announced, whatever is packed there.
                with archive.open(member) as file:
                    content = file.read(member.file_size + 1)[: member.file_size]
                exports.append(Export(file=name, rows=_text(content, name)))
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path.name}: the archive cannot be read ({str(error).rstrip('.')}).") from error
    return Opened(exports=tuple(exports), others=tuple(others))


def _refuse_unsafe(members: list[zipfile.ZipInfo], archive: str) -> None:
    for member in members:
        place = PurePosixPath(member.filename.replace("\\", "/"))
        if place.is_absolute() or ".." in place.parts or ":" in member.filename:
            raise DataError(f"{archive}: the archive names a place outside of itself, {member.filename!r}; unpack it.")
        if member.flag_bits & 1:
            raise DataError(f"{archive}: {member.filename} is encrypted; unpack it with its password.")
    size = sum(member.file_size for member in members)
    if size > LARGEST_ARCHIVE:
        raise DataError(
            f"{archive}: unpacked it would hold {size:,} bytes, more than the {LARGEST_ARCHIVE:,} that are read from "
            "an archive; unpack it into a folder and read that."
        )


def _text(content: bytes, name: str) -> pl.LazyFrame:
    if not content.strip():
        raise DataError(f"{name}: the file is empty; it must have a header line and rows.")
    separator = _separator(content[:_HEADER_BYTES], name)
    rows = pl.scan_csv(content, infer_schema=False, separator=separator, raise_if_empty=False)
    refuse_wide_rows(rows, content, separator=separator, file=name)
    schema_of(rows, name)
    return rows


def _separator(start: bytes, name: str) -> str:
    """Return what separates most names in the header line."""
    if start.startswith(_UTF16):
        raise DataError(f"{name}: the file is UTF-16, not UTF-8; save it as UTF-8.")
    for mark, kind in _NO_TEXT.items():
        if start.startswith(mark):
            raise DataError(
                f"{name}: by its first bytes it is {kind}, not a text table; export the table itself as CSV."
            )
    line = start.decode("utf-8-sig", errors="replace").splitlines()[:1]
    return max(_SEPARATORS, key=lambda mark: len(next(csv.reader(line, delimiter=mark), [])))


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
