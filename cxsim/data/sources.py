"""A path or a frame goes in; the rows, still lazy, and a name for messages come out."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import polars as pl

from cxsim.errors import DataError

Source = str | os.PathLike[str] | pl.DataFrame | pl.LazyFrame

_ENDINGS = (".csv", ".parquet")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What a header in another encoding leaves behind when it is read as UTF-8.
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def opened(source: Source) -> tuple[pl.LazyFrame, str]:
    """Return the rows of `source`, nothing guessed, and its name for messages."""
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source.lazy(), "the frame"
    if not isinstance(source, str | os.PathLike):
        raise DataError(f"orders come from a path, a polars DataFrame or a LazyFrame; found {type(source).__name__}.")
    path = Path(source)
    _refuse_unreadable(path)
    # Resolved, because a lazy table is read later, perhaps from another working directory; `glob` is off, because a
    # bracket in a file's name is part of the name.
    place = path.resolve()
    if path.suffix.lower() == ".csv":
        return pl.scan_csv(place, infer_schema=False, glob=False, raise_if_empty=False), str(path)
    return pl.scan_parquet(place, glob=False), str(path)


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
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    if "utf-8" in reason.lower() or "utf8" in reason.lower():
        return DataError(f"{label}: the file is not UTF-8 ({reason}); save it as UTF-8.")
    return DataError(f"{label}: the rows cannot be read ({reason}).")


def _refuse_unreadable(path: Path) -> None:
    """Refuse a path before polars does, in words that say what to do."""
    if not path.exists():
        raise DataError(f"{path}: no such file.")
    if not path.is_file():
        raise DataError(f"{path}: not a file; possible: one CSV or Parquet file.")
    if path.suffix.lower() not in _ENDINGS:
        raise DataError(f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(_ENDINGS)}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty; it must have a header line and rows.")
    with path.open("rb") as file:
        start = file.read(2)
    if start in _UTF16:
        raise DataError(f"{path}: the file is UTF-16, not UTF-8; save it as UTF-8.")
