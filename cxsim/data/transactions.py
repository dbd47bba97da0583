"""A file or a frame of order lines goes in; clean lines under TRANSACTIONS and a report on the rest come out."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from cxsim.data import parsing
from cxsim.data.hygiene import FATE, KEPT, HygienePolicy, HygieneReport, counted, judged, report_of
from cxsim.data.repeats import keyed, repeated, without_copies
from cxsim.data.sources import Source, opened, schema_of, unreadable
from cxsim.errors import DataError, choices
from cxsim.tables import TRANSACTIONS


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Transactions:
    """The order lines of a shop, clean.

    Attributes
    ----------
    table
        customer_id, ordered_at (by the shop's clock) and amount (in units of the currency), under TRANSACTIONS; lazy,
        so a file is read again whenever the table is collected.
    hygiene
        What became of every row that was read.
    until
        Last day of observation: a customer without an order up to it is known not to have ordered.
    """

    table: pl.LazyFrame
    hygiene: HygieneReport
    until: date

    def __repr__(self) -> str:
        return (
            f"Transactions({self.hygiene.rows_kept:,} of {self.hygiene.rows_read:,} rows kept, "
            f"until {self.until.isoformat()})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>{self.hygiene._repr_html_()}"


def read_transactions(
    source: Source,
    *,
    columns: Mapping[str, str] | None = None,
    until: date | None = None,
    policy: HygienePolicy | None = None,
) -> Transactions:
    """Read order lines and account for every one of them.

    Text is read strictly. Customers stay as they are written. Amounts are plain numbers with a decimal point,
    up to ten thousand million in size.
    Moments are `2024-03-01`, `20240301`, `2024-03-01 09:30[:15[.250]]`, with a `T` for the space and an offset or `Z`
    behind if there is one: the wall clock is kept as written and the offset set aside, so the day of an order is the
    day on the shop's calendar.

    Parameters
    ----------
    source
        Path of a CSV file (UTF-8, commas, one header line) or a Parquet file; or a polars frame.
    columns
        For each of customer_id, ordered_at, amount the source's name for it, where that differs.
    until
        Last day of observation; rows after it are dropped. By default the last day with an order that is kept.
    policy
        What happens to zero amounts and exact duplicates; by default both go.

    Returns
    -------
    Transactions
        Clean lines, the hygiene report (counted in one streaming pass), and the end of observation.

    Raises
    ------
    DataError
        For a file that cannot be read, a column that is missing or of the wrong type, or no usable row.

    Examples
    --------
    >>> lines = pl.DataFrame({"customer_id": ["007", None], "ordered_at": ["2024-03-01"] * 2, "amount": ["9.90"] * 2})
    >>> read_transactions(lines)
    Transactions(1 of 2 rows kept, until 2024-03-01)
    """
    rules = HygienePolicy() if policy is None else policy
    end = None if until is None else as_date("until", until)
    raw, label = opened(source)
    rows = keyed(judged(_read(raw, schema_of(raw, label), _names(columns), label), rules, end))
    try:
        counts = counted(rows, rules, repeated(rows)).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise unreadable(label, error) from error
    if counts.is_empty():
        raise DataError(f"{label}: there are no rows.")
    report = report_of(counts, rules)
    if report.rows_kept == 0:
        raise DataError(f"{label}: no usable row.\n{report}")
    usable = counts.filter(pl.col("fate") == KEPT)
    clean = rows.filter(pl.col("fate") == pl.lit(KEPT, dtype=FATE))
    if rules.exact_duplicate == "drop":
        clean = without_copies(clean, usable["copied"].explode().drop_nulls())
    until_then: date = usable["last_day"].item() if end is None else end
    return Transactions(table=clean.select(list(TRANSACTIONS.columns)), hygiene=report, until=until_then)


def as_date(name: str, found: object) -> date:
    """Return `found` if it is a day of the calendar and not a moment, a text or a number."""
    if not isinstance(found, date) or isinstance(found, datetime):
        raise DataError(f"{name} must be a day such as date(1998, 6, 30); found {found!r}.")
    return found


def _names(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Return the source's name for each of ours."""
    ours = list(TRANSACTIONS.columns)
    given = {} if columns is None else columns
    for name in given:
        if name not in ours:
            raise DataError(f"columns maps our names to the source's; we have no '{name}'; {choices(name, ours)}")
    names = {name: given.get(name, name) for name in ours}
    if len(set(names.values())) < len(names):
        raise DataError(f"columns must name three different columns of the source; found {names}.")
    return names


def _read(raw: pl.LazyFrame, schema: pl.Schema, names: Mapping[str, str], label: str) -> pl.LazyFrame:
    """Return our three columns, and behind them the source's others, by which duplicates are told apart."""
    for ours, name in names.items():
        if name not in schema:
            asked = "" if ours == name else f" (for {ours})"
            raise DataError(f"{label}: no column '{name}'{asked}; {choices(name, schema)}{_separator_hint(schema)}")
    others = [name for name in schema if name not in names.values()]
    for name in others:
        if schema[name] == pl.Object:
            raise DataError(f"{label}: column '{name}' holds Python objects, which cannot be compared; leave it out.")
    return raw.select(
        parsing.customer_id(names["customer_id"], schema[names["customer_id"]], label).alias("customer_id"),
        parsing.ordered_at(names["ordered_at"], schema[names["ordered_at"]], label).alias("ordered_at"),
        parsing.amount(names["amount"], schema[names["amount"]], label).alias("amount"),
        *(pl.col(name).alias(f"other_{place}") for place, name in enumerate(others)),
    )


def _separator_hint(schema: pl.Schema) -> str:
    """Say so when a header was not split, the usual sign of a file separated by something else."""
    only = next(iter(schema)) if len(schema) == 1 else ""
    return " Columns must be separated by commas." if any(mark in only for mark in ";\t|") else ""
