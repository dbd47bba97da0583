"""A text table goes in; nothing comes out, or a refusal when a row has more cells than the header has names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from cxsim.data.sources import unreadable
from cxsim.errors import DataError


def refuse_wide_rows(rows: pl.LazyFrame, source: Path | bytes, *, separator: str, file: str) -> None:
    """Refuse a text table of which a row is wider than the header.

    Polars counts the cells of a row only where it reads all of them: whoever selects columns gets those of a shifted
    row as if nothing had happened. A row with too few cells cannot be told from one that ends with blanks.
    """
    try:
        rows.select(pl.all().count()).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        if "more fields" not in str(error):
            raise unreadable(file, error) from error
        if isinstance(source, bytes):
            place = _first_wide(io.StringIO(source.decode("utf-8-sig", errors="replace"), newline=""), separator)
        else:
            with source.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
                place = _first_wide(lines, separator)
        raise DataError(
            f"{file}: {place}, so that its columns are shifted, as by a comma without quotes; export the file again "
            "and do not save it with a spreadsheet."
        ) from error


def _first_wide(lines: Iterable[str], separator: str) -> str:
    reader = csv.reader(lines, delimiter=separator)
    names = len(next(reader, []))
    for row in reader:
        if len(row) > names:
            return f"line {reader.line_num:,} has {len(row)} cells and the header {names} names"
    return "a row has more cells than the header has names"
