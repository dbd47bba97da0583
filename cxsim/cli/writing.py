"""A table and the name of a file in; the file, written as a whole or not at all, out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import polars.selectors as cs

from cxsim.errors import ReportError

ENDINGS = (".csv", ".parquet")
# A spreadsheet runs a cell that begins like this as a formula (OWASP, "CSV Injection").
_FORMULA = r"^[=+\-@\t\r]"
# All that an expected number can mean; a file for ten million customers is then a third smaller.
_DIGITS = 6


def require_table_file(path: Path) -> None:
    """Refuse, before anything is reckoned, a file that a table cannot be written to."""
    if path.suffix.lower() not in ENDINGS:
        raise ReportError(f"{path}: file ending '{path.suffix}' is not known; possible: {', '.join(ENDINGS)}.")
    if path.is_dir():
        raise ReportError(f"{path}: this is a folder; the table is a file.")
    if not path.absolute().parent.is_dir():
        raise ReportError(f"{path}: there is no folder {path.parent}; make it, or choose another.")


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write a table under another name first, so that nobody ever reads half of it."""
    require_table_file(path)
    half = path.with_name(f".{path.name}.half-written")
    try:
        if path.suffix.lower() == ".csv":
            _for_spreadsheets(table).write_csv(half)
        else:
            table.write_parquet(half)
        half.replace(path)
    except OSError as error:
        raise ReportError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        half.unlink(missing_ok=True)


def _for_spreadsheets(table: pl.DataFrame) -> pl.DataFrame:
    # One by one: a text and its apostrophe are put together of one column, not of all texts.
    texts = [pl.col(name) for name in table.select(cs.string()).columns]
    escaped = [
        pl.when(text.str.contains(_FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text).name.keep()
        for text in texts
    ]
    return table.with_columns(*escaped, cs.float().round_sig_figs(_DIGITS))
