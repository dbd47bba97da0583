"""A path goes in: a file, a folder or an archive of exports; the shop that they show comes out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cxsim.errors import DataError
from cxsim.shop.format import Export, Readout
from cxsim.shop.joining import Part, of_one_currency, parts_of, tables_of
from cxsim.shop.mapping import SHOP_FILE, ShopFile, load_shop_file, mapped_readouts
from cxsim.shop.observation import observed
from cxsim.shop.opening import ENDINGS, Opened, open_exports
from cxsim.shop.policy import Policy
from cxsim.shop.receipt import Receipt
from cxsim.shop.recognising import recognised, unrecognised
from cxsim.shop.repeats import without_repeats
from cxsim.shop.sessions import sessions_against_orders
from cxsim.shop.shop import Shop


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
    lacks = dict(_lacking(readouts, tables))
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


def _lacking(readouts: Sequence[Readout], tables: Mapping[str, object]) -> Iterator[tuple[str, str]]:
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
    told = replace(first, receipt=replace(first.receipt, facts=facts))
    return [told if part is first else part for part in parts]
