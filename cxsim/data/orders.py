"""A file or a frame of order lines goes in; clean lines under TRANSACTIONS and a report on the rest come out."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import get_args

import polars as pl

from cxsim.data.shop import Action, Counted, ReceiptLine, Treatment
from cxsim.errors import DataError, choices
from cxsim.params import CENTS
from cxsim.tables import TRANSACTIONS

_SHORT_INTEGERS = (pl.Int8, pl.Int16, pl.UInt8, pl.UInt16)
_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_MOMENT = (
    r"^(?:\d{8}|\d{4}-\d{2}-\d{2}"
    r"(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?)$"
)
_MOMENT_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y%m%d")
_AMOUNT = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
# Whole cents of any sum must fit an Int64: nine million lines of this size do.
_LARGEST_AMOUNT = 1e10
# A hundred times a Float64 of that size is off by less than this, in cents.
_CENT_TOLERANCE = 1e-3
_SEED = 1
# Where more of the rows than this share their day, to look for them costs more than it saves.
_LARGEST_SHARED = 0.25
# Up to so many days with copies, their rows are held; with more of them, all rows are compared.
_HELD_DAYS = 100_000
_REASONS = (
    _MISSING_CUSTOMER,
    _UNPARSEABLE_DATE,
    _UNPARSEABLE_AMOUNT,
    _ZERO_AMOUNT,
    _NEGATIVE_LINE,
    _EXACT_DUPLICATE,
    _AFTER_THE_END,
    _FINER_THAN_A_CENT,
    _SAME_ORDER_DAY,
) = (
    "missing customer id",
    "unparseable date",
    "unparseable amount",
    "zero amount",
    "credit note or negative line",
    "exact duplicate",
    "after the end of observation",
    "amount finer than a cent",
    "further line of the same order day",
)
_KEPT = "kept"
_FATE = pl.Enum([*_REASONS, _KEPT])
Source = str | os.PathLike[str] | pl.DataFrame | pl.LazyFrame
_ENDINGS = (".csv", ".parquet")
_START = 1_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What a header in another encoding leaves behind when it is read as UTF-8.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, kw_only=True, slots=True)
class HygienePolicy:
    """What happens to lines that some shops count and others do not.

    Attributes
    ----------
    zero_amount
        Lines that cost nothing: free samples, or a shop's way to cancel.
    exact_duplicate
        Lines equal to an earlier one in every column of the source: a double export, or two equal purchases.
    """

    zero_amount: Treatment = "drop"
    exact_duplicate: Treatment = "drop"

    def __post_init__(self) -> None:
        for field, found in asdict(self).items():
            if found not in get_args(Treatment):
                raise DataError(f"{field} is {found!r}; possible: drop, keep.")


@dataclass(frozen=True, kw_only=True, slots=True)
class HygieneReport(Counted):
    """What became of every row that was read.

    Attributes
    ----------
    rows_read
        Rows of the source; equal to `rows_kept` plus all rows dropped or merged.
    lines
        Reasons in the order in which they are tried; the first that holds counts, so no row is gone twice.
    """

    @property
    def table(self) -> pl.DataFrame:
        """The lines as a table: reason, action, rows."""
        return pl.DataFrame(list(self.lines))

    def __str__(self) -> str:
        width = max(len(line.reason) for line in self.lines)
        listed = [f"  {line.reason:<{width}}  {line.action:<7}  {line.rows:>11,}" for line in self.lines]
        return "\n".join([self._headline(), *listed])

    def _repr_html_(self) -> str:
        with pl.Config(fmt_str_lengths=100):
            return f"<p>{self._headline()}</p>{self.table._repr_html_()}"

    def _headline(self) -> str:
        return f"{self.rows_read:,} rows read, {self.rows_kept:,} kept"


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
        report = self.hygiene
        return f"Transactions({report.rows_kept:,} of {report.rows_read:,} rows kept, until {self.until})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.hygiene._repr_html_()}"


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
    rules = policy or HygienePolicy()
    end = None if until is None else as_date("until", until)
    raw, label = _opened(source)
    rows = _keyed(_judged(_read(raw, schema_of(raw, label), _names(columns or {}), label), rules, end))
    counts = collected(_counted(rows, rules, _repeated(rows, label)), label)
    if counts.is_empty():
        raise DataError(f"{label}: there are no rows.")
    report = _report_of(counts, rules)
    if report.rows_kept == 0:
        raise DataError(f"{label}: no usable row.\n{report}")
    usable = counts.filter(fate=_KEPT)
    clean = rows.filter(fate=_KEPT)
    if rules.exact_duplicate == "drop":
        clean = _without_copies(clean, usable["copied"].explode().drop_nulls())
    until_then: date = end or usable["last_day"].item()
    return Transactions(table=clean.select(list(TRANSACTIONS.columns)), hygiene=report, until=until_then)


def as_date(name: str, found: object) -> date:
    """Return `found` if it is a day of the calendar and not a moment, a text or a number."""
    if not isinstance(found, date) or isinstance(found, datetime):
        raise DataError(f"{name} must be a day such as date(1998, 6, 30); found {found!r}.")
    return found


def amount(name: str, kind: pl.DataType, label: str) -> pl.Expr:
    """Return the amount of a line in units of the currency; null where it cannot be read.

    Text must be a plain number with a decimal point: `1,234.50` and `$5` cannot be read. Nor can a number that is not
    finite or larger than `_LARGEST_AMOUNT` in size.
    """
    column = pl.col(name)
    if kind == pl.String:
        text = column.str.strip_chars()
        column = pl.when(text.str.contains(_AMOUNT)).then(text.str.strip_prefix("+"))
    elif not kind.is_numeric():
        raise _wrong_kind(label, "amount", name, kind, "numbers or text")
    number = column.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite() & (number.abs() <= _LARGEST_AMOUNT)).then(number)


def _wrong_kind(label: str, ours: str, name: str, kind: pl.DataType, possible: str) -> DataError:
    return DataError(f"{label}: {ours} ('{name}') is {kind}; it must be {possible}.")


def whole_cents(amount: pl.Expr) -> pl.Expr:
    """Return an amount as whole cents, the half cent upwards; null where it is not finite.

    >>> pl.select(whole_cents(pl.lit(19.99))).item()
    1999
    """
    return (amount * CENTS + 0.5).floor().cast(pl.Int64, strict=False)


def money(cents: pl.Expr) -> pl.Expr:
    """Return whole cents as units of the currency, the Float64 nearest to them.

    >>> pl.select(money(pl.lit(1999))).item()
    19.99
    """
    # Without the rounding, polars multiplies by the reciprocal of 100, and the last bit can differ.
    return (cents / CENTS).round(2)


def schema_of(rows: pl.LazyFrame, label: str) -> pl.Schema:
    """Return names and types of the columns of `rows`."""
    try:
        schema = rows.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise unreadable(label, error) from error
    if any(_REPLACEMENT in name for name in schema):
        raise DataError(f"{label}: the header is not UTF-8; save the file as UTF-8.")
    return schema


def unreadable(label: str, error: Exception) -> DataError:
    """Return the error for rows that polars cannot read, with its reason in one line."""
    reason = first_line(error)
    if "utf8" in reason.lower().replace("-", ""):
        return DataError(f"{label}: the file is not UTF-8 ({reason}); save it as UTF-8.")
    return DataError(f"{label}: the rows cannot be read ({reason}).")


def collected(rows: pl.LazyFrame, file: str) -> pl.DataFrame:
    """Return the rows of a file in memory."""
    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise unreadable(file, error) from error


def first_line(error: Exception) -> str:
    """Return what an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _opened(source: Source) -> tuple[pl.LazyFrame, str]:
    """Return the rows of `source`, nothing guessed, and its name for messages."""
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source.lazy(), "the frame"
    if not isinstance(source, str | os.PathLike):
        raise DataError(f"orders come from a path, a polars DataFrame or a LazyFrame; found {type(source).__name__}.")
    path = Path(source)
    if not path.is_file():
        found = "not a file; possible: one CSV or Parquet file" if path.exists() else "no such file"
        raise DataError(f"{path}: {found}.")
    if path.suffix.lower() not in _ENDINGS:
        raise DataError(f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(_ENDINGS)}.")
    with path.open("rb") as file:
        refuse_start(file.read(_START), str(path))
    return scanned(path, ","), str(path)


def refuse_start(start: bytes, label: str) -> None:
    """Refuse a file that begins as no table does, before polars does, in words that say what to do."""
    if not start.strip():
        raise DataError(f"{label}: the file is empty; it must have a header line and rows.")
    if start.startswith(_UTF16):
        raise DataError(f"{label}: the file is UTF-16, not UTF-8; save it as UTF-8.")


def scanned(path: Path, separator: str) -> pl.LazyFrame:
    """Return the rows of a Parquet or text file, nothing guessed."""
    # Resolved, because a lazy table is read later, perhaps from another working directory; `glob` is off, because a
    # bracket in a file's name is part of the name.
    place = path.resolve()
    if path.suffix.lower() == ".parquet":
        return pl.scan_parquet(place, glob=False)
    return pl.scan_csv(place, infer_schema=False, separator=separator, glob=False, raise_if_empty=False)


def _names(given: Mapping[str, str]) -> dict[str, str]:
    """Return the source's name for each of ours."""
    ours = list(TRANSACTIONS.columns)
    for name in given:
        if name not in ours:
            raise DataError(f"columns maps our names to the source's; we have no '{name}'; {choices(name, ours)}")
    names = {name: given.get(name, name) for name in ours}
    if len(set(names.values())) < len(names):
        raise DataError(f"columns must name three different columns of the source; found {names}.")
    return names


def _read(raw: pl.LazyFrame, schema: pl.Schema, names: Mapping[str, str], label: str) -> pl.LazyFrame:
    """Return our three columns, and behind them the source's others, which tell duplicates apart."""
    for ours, name in names.items():
        if name not in schema:
            asked = "" if ours == name else f" (for {ours})"
            # A header that was not split is the usual sign of a file separated by something else.
            only = next(iter(schema)) if len(schema) == 1 else ""
            hint = " Columns must be separated by commas." if any(mark in only for mark in ";\t|") else ""
            raise DataError(f"{label}: no column '{name}'{asked}; {choices(name, schema)}{hint}")
    others = [name for name in schema if name not in names.values()]
    for name in others:
        if schema[name] == pl.Object:
            raise DataError(f"{label}: column '{name}' holds Python objects, which cannot be compared; leave it out.")
    readers = {"customer_id": _customer_id, "ordered_at": _ordered_at, "amount": amount}
    columns = {ours: read(names[ours], schema[names[ours]], label) for ours, read in readers.items()}
    return raw.select(pl.col(others).name.prefix("other_"), **columns)


def _customer_id(name: str, kind: pl.DataType, label: str) -> pl.Expr:
    """Return the customer of a line as it is written; null where there is none.

    Text stays text, so that leading zeros survive; whole numbers stay whole numbers.
    """
    column = pl.col(name)
    if kind.is_integer():
        return column.cast(pl.Int64) if kind in _SHORT_INTEGERS else column
    if kind not in (pl.String, pl.Categorical, pl.Enum):
        raise _wrong_kind(label, "customer_id", name, kind, "text or whole numbers")
    text = column.cast(pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


def _ordered_at(name: str, kind: pl.DataType, label: str) -> pl.Expr:
    """Return the moment of a line by the shop's clock; null where it cannot be read.

    A time zone or an offset is set aside and the wall clock kept as it is written, so that an order at
    `2024-03-01T00:30:00+02:00` belongs to 1 March wherever it is read.
    """
    column = pl.col(name)
    if kind == pl.Date:
        return column
    if kind == pl.Datetime:
        return column.dt.replace_time_zone(None)
    if kind != pl.String:
        raise _wrong_kind(label, "ordered_at", name, kind, "Date, Datetime or text")
    text = column.str.strip_chars()
    local = text.str.replace(_OFFSET, "").str.replace("T", " ", literal=True)
    read = [local.str.to_datetime(form, time_unit="us", strict=False) for form in _MOMENT_FORMATS]
    return pl.when(text.str.contains(_MOMENT)).then(pl.coalesce(read))


def _finer_than_a_cent(amount: pl.Expr) -> pl.Expr:
    """Whether an amount is more than a thousandth of a cent away from a whole number of cents.

    >>> pl.select(_finer_than_a_cent(pl.lit(0.125)), tiny=_finer_than_a_cent(pl.lit(0.1) + pl.lit(0.2))).row(0)
    (True, False)
    """
    return (amount * CENTS - whole_cents(amount)).abs() > _CENT_TOLERANCE


def first_reason(reasons: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the first reason that holds for a row, as text; null where none does."""
    return pl.coalesce(pl.when(holds).then(pl.lit(reason)) for reason, holds in reasons.items())


def repeated(keys: pl.Series) -> pl.Series:
    """Return the keys that were there before, sorted."""
    ordered = keys.sort()
    return ordered.filter(ordered == ordered.shift(1))


def _judged(rows: pl.LazyFrame, policy: HygienePolicy, until: date | None) -> pl.LazyFrame:
    """Add to each row its `fate`: the first reason to drop it, or `kept`; duplicates are judged later, together."""
    amount, day = pl.col("amount"), pl.col("ordered_at").dt.date()
    fate = first_reason(
        {
            _MISSING_CUSTOMER: pl.col("customer_id").is_null(),
            _UNPARSEABLE_DATE: pl.col("ordered_at").is_null(),
            _UNPARSEABLE_AMOUNT: amount.is_null(),
            _ZERO_AMOUNT: (amount == 0) & (policy.zero_amount == "drop"),
            _NEGATIVE_LINE: amount < 0,
            _AFTER_THE_END: day > pl.lit(until),
        }
    )
    return rows.with_columns(fate=fate.fill_null(_KEPT).cast(_FATE))


def _keyed(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add the hash of customer and day."""
    day = pl.col("ordered_at").dt.date().alias("day")
    return rows.with_columns(pl.struct("customer_id", day).hash(_SEED).alias("day_key"))


def _repeated(rows: pl.LazyFrame, label: str) -> pl.Series | None:
    """Find the days that keyed rows share, in one streaming pass that holds eight bytes for each row."""
    keys = collected(rows.select("day_key"), label).to_series()
    again = repeated(keys)
    # A day that is there twice has two rows to compare, or more.
    return None if 2 * again.len() > _LARGEST_SHARED * keys.len() else again.unique()


def _counted(rows: pl.LazyFrame, policy: HygienePolicy, days: pl.Series | None) -> pl.LazyFrame:
    """Count the judged and keyed rows by fate, in one pass; the table that `_report_of` reads.

    Rows that are alone on their day, by `days` of `_repeated`, need no comparison, which is most of the work.
    """
    # Without days all rows are compared.
    single, shared = rows.clear(), rows
    if days is not None:
        keys = days.to_frame().lazy()
        single, shared = rows.join(keys, on="day_key", how="anti"), rows.join(keys, on="day_key", how="semi")
    amount, one = pl.col("amount"), pl.lit(1, pl.Int64)
    alone = single.select(
        "fate",
        day=pl.col("ordered_at").dt.date(),
        lines=one,
        distinct=one,
        zeros=amount == 0,
        finer=_finer_than_a_cent(amount),
    )
    return (
        pl.concat([alone, _day_by_day(shared, policy)], how="diagonal_relaxed")
        .group_by("fate")
        .agg(
            pl.col("lines", "distinct", "zeros", "finer").sum(),
            pl.col("copied").drop_nulls(),
            order_days=pl.len().cast(pl.Int64),
            last_day=pl.col("day").max(),
        )
    )


def _day_by_day(rows: pl.LazyFrame, policy: HygienePolicy) -> pl.LazyFrame:
    """Count the rows of each customer, day and fate; `copied` is the key of a day that holds a row more than once."""
    amount, lines = pl.col("amount"), pl.col("lines")
    copies = lines if policy.exact_duplicate == "keep" else pl.lit(1)
    return (
        rows.group_by(pl.all())
        .agg(lines=pl.len())
        .group_by("customer_id", pl.col("ordered_at").dt.date().alias("day"), "fate")
        .agg(
            lines.sum(),
            distinct=pl.len(),
            zeros=pl.when(amount == 0).then(copies).sum(),
            finer=pl.when(_finer_than_a_cent(amount)).then(copies).sum(),
            copied=pl.when(lines.sum() > pl.len()).then(pl.col("day_key").first()),
        )
    )


def _report_of(counts: pl.DataFrame, policy: HygienePolicy) -> HygieneReport:
    """Return the report on rows counted by `_counted`."""
    listed = counts.drop("copied", "last_day").unpivot(index="fate")
    number = Counter({(fate, what): count for fate, what, count in listed.iter_rows()})
    merges = policy.exact_duplicate == "drop"
    remaining = "distinct" if merges else "lines"
    copies = [number[fate, "lines"] - number[fate, "distinct"] for fate in (_KEPT, _AFTER_THE_END)]
    rows: list[tuple[Action, str, int]] = [
        *(("dropped", reason, number[reason, "lines"]) for reason in _REASONS[:3]),
        (
            "dropped" if policy.zero_amount == "drop" else "kept",
            _ZERO_AMOUNT,
            number[_ZERO_AMOUNT, "lines"] + number[_KEPT, "zeros"],
        ),
        ("dropped", _NEGATIVE_LINE, number[_NEGATIVE_LINE, "lines"]),
        ("merged" if merges else "kept", _EXACT_DUPLICATE, sum(copies) if merges else copies[0]),
        ("dropped", _AFTER_THE_END, number[_AFTER_THE_END, remaining]),
        ("kept", _FINER_THAN_A_CENT, number[_KEPT, "finer"]),
        ("kept", _SAME_ORDER_DAY, number[_KEPT, remaining] - number[_KEPT, "order_days"]),
    ]
    lines = tuple(ReceiptLine(reason=reason, action=action, rows=count) for action, reason, count in rows)
    return HygieneReport(rows_read=int(counts["lines"].sum()), lines=lines)


def _without_copies(rows: pl.LazyFrame, copied: pl.Series) -> pl.LazyFrame:
    """Return keyed rows without those that equal an earlier one, in the order of `rows`."""
    if copied.is_empty():
        return rows
    if copied.len() > _HELD_DAYS:
        return rows.unique(maintain_order=True, keep="first")
    has_copies = pl.col("day_key").is_in(copied.implode())
    placed = rows.with_row_index("place")
    held = placed.filter(has_copies).collect(engine="streaming")
    once = held.unique(pl.exclude("place"), maintain_order=True, keep="first")
    return placed.filter(~has_copies).merge_sorted(once.lazy(), key="place")
