"""What several files give goes in; one table of each kind, in one currency, comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from cxsim.errors import DataError, choices
from cxsim.shop.format import Readout
from cxsim.shop.known import LATER, WHEN
from cxsim.shop.own_tables import CONTRACTS
from cxsim.shop.receipt import Receipt, ReceiptLine


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """What one file adds to one table.

    Attributes
    ----------
    table
        Its name.
    rows
        The rows.
    receipt
        What became of the file's rows.
    currency
        Code of the currency, where the file names one for all its rows; else "".
    """

    table: str
    rows: pl.LazyFrame
    receipt: Receipt
    currency: str

    def without(self, rows: pl.LazyFrame, line: ReceiptLine) -> Part:
        """Return the part with fewer rows, and a line that says why."""
        return replace(self, rows=rows, receipt=replace(self.receipt, lines=(*self.receipt.lines, line)))


def parts_of(readouts: Sequence[Readout]) -> tuple[list[Part], list[Receipt]]:
    """Return the parts of all tables, and the receipts of files that add to none."""
    parts = [
        Part(table=receipt.table, rows=readout.tables[receipt.table], receipt=receipt, currency=readout.currency)
        for readout in readouts
        for receipt in readout.receipts
        if receipt.table in readout.tables
    ]
    idle = [receipt for readout in readouts for receipt in readout.receipts if receipt.table not in readout.tables]
    return parts, idle


def of_one_currency(parts: Sequence[Part], wanted: str | None) -> tuple[list[Part], str]:
    """Return the parts with orders of one currency alone, and its code; "" where no file says it."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(_currencies(part))
    code = wanted.strip().upper() if wanted is not None else next(iter(counts), "")
    listed = ", ".join(f"{one} ({rows:,} orders)" for one, rows in sorted(counts.items()))
    if wanted is None and len(counts) > 1:
        raise DataError(
            f"orders are in several currencies: {listed}. Amounts of different currencies have no sum; name the one "
            "to keep, as `currency` or with --currency."
        )
    silent = [part.receipt.file for part in parts if _names_none(part)]
    if wanted is None and counts and silent:
        raise DataError(
            f"{', '.join(silent)}: no currency is named, while other orders are in {code}. If these are too, say so, "
            f"as `currency` or with --currency {code}; else put them in a folder of their own."
        )
    if wanted is not None and counts and code not in counts:
        raise DataError(f"no orders are in {wanted!r}; {choices(code, sorted(counts))}")
    return [_only(part, code) for part in parts], code


def tables_of(parts: Sequence[Part]) -> tuple[dict[str, pl.LazyFrame], dict[str, str]]:
    """Return each table of all its files together, and what it lacks because not every file says it."""
    tables: dict[str, pl.LazyFrame] = {}
    lacks: dict[str, str] = {}
    for table in dict.fromkeys(part.table for part in parts):
        frames = [part.rows for part in parts if part.table == table]
        contract = CONTRACTS[table]
        whole = [name for name in contract.optional if name not in contract.nullable]
        schemas = [frame.collect_schema() for frame in frames]
        partial = [name for name in whole if 0 < sum(name in schema for schema in schemas) < len(schemas)]
        lacks |= {f"{table}.{name}": f"not every file of {table} says it." for name in partial}
        frames = [frame.drop(partial, strict=False) for frame in frames]
        tables[table] = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed")
    return tables, lacks


def _names_none(part: Part) -> bool:
    """Return whether a file has orders and says nothing of their currency."""
    unsaid = not part.currency and "currency" not in part.rows.collect_schema()
    return part.table == "orders" and unsaid and part.receipt.rows_kept > 0


def _currencies(part: Part) -> dict[str, int]:
    if part.table != "orders":
        return {}
    if "currency" not in part.rows.collect_schema():
        return {part.currency: part.receipt.rows_kept} if part.currency else {}
    codes = part.rows.group_by("currency").len().drop_nulls().sort("currency").collect(engine="streaming")
    return dict(codes.iter_rows())


def _only(part: Part, code: str) -> Part:
    if part.table != "orders":
        return part
    if "currency" not in part.rows.collect_schema():
        if not part.currency or part.currency == code:
            return part
        line = ReceiptLine(reason=_other(code), action="dropped", rows=part.receipt.rows_kept)
        return part.without(part.rows.clear(), line)
    other = pl.col("currency").is_not_null() & (pl.col("currency") != code)
    gone = int(part.rows.select(other.sum()).collect(engine="streaming").item())
    line = ReceiptLine(reason=_other(code), action="dropped", rows=gone)
    return part.without(part.rows.filter(~other).drop("currency"), line)


def _other(code: str) -> str:
    return f"orders in another currency than {code}"


def newest(part: Part) -> datetime | None:
    """Return the newest moment of a part; None where it has no rows."""
    names = [WHEN[part.table], *(name for name in LATER.get(part.table, ()) if name != "delivered_at")]
    schema = part.rows.collect_schema()
    found = part.rows.select(pl.max_horizontal(pl.col(name).max() for name in names if name in schema))
    latest: datetime | None = found.collect(engine="streaming").item()
    return latest


def last_of(part: Part) -> datetime | None:
    """Return the newest moment at which a row of a part began; None where it has no rows."""
    last: datetime | None = part.rows.select(pl.col(WHEN[part.table]).max()).collect(engine="streaming").item()
    return last


def oldest(part: Part) -> datetime | None:
    """Return the oldest moment at which a row of a part began; None where it has no rows."""
    first: datetime | None = part.rows.select(pl.col(WHEN[part.table]).min()).collect(engine="streaming").item()
    return first
