"""Nothing goes in; the orders of the CDNOW customers of 1997, as the literature counts them, come out."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from cxsim.data.orders import HygienePolicy, Transactions, read_transactions
from cxsim.errors import DataError

_HOLDER = "lifetimes"
_LAST_DAY = date(1998, 6, 30)
# The classical analyses count a day with a zero-dollar line as an order day, and equal lines as two purchases.
_AS_IN_THE_LITERATURE = HygienePolicy(zero_amount="keep", exact_duplicate="keep")
_FIELDS = r"(?<customer_id>\d+)\s+(?<day>\d{8})\s+\d+\s+(?<amount>\d+\.\d\d)\s*$"
_LINE = r"^\s*" + _FIELDS
# The sample numbers its customers anew, behind their number in the full log.
_SAMPLE_LINE = r"^\s*\d+\s+" + _FIELDS


def load_cdnow(*, sample: bool = False) -> Transactions:
    """Load the purchases of new customers of an online record shop, January 1997 to June 1998.

    Zero-dollar lines and equal lines are kept, as in the classical analyses; the hygiene report counts them.

    Parameters
    ----------
    sample
        False for the whole log of 23,570 customers; True for the one-in-ten sample of 2,357, whose customers are
        numbered 1 to 2357 as in the literature.

    Returns
    -------
    Transactions
        customer_id (Int64), ordered_at (Date), amount (US dollars); observed until 1998-06-30.

    Raises
    ------
    DataError
        When the package `lifetimes`, which carries the files, is not installed or lacks them.

    References
    ----------
    Fader & Hardie (2001), "Forecasting repeat sales at CDNOW: a case study", Interfaces 31(3), S94-S107.

    Examples
    --------
    >>> load_cdnow(sample=True)
    Transactions(6,919 of 6,919 rows kept, until 1998-06-30)
    """
    # The package is found but not imported, for that changes global settings.
    spec = importlib.util.find_spec(_HOLDER)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(f"the CDNOW files come with the package {_HOLDER}, which is not installed; install {_HOLDER}.")
    folder = Path(spec.submodule_search_locations[0]) / "datasets"
    path = folder / ("CDNOW_sample.txt" if sample else "CDNOW_master.txt")
    if not path.is_file():
        raise DataError(f"the installed {_HOLDER} lacks datasets/{path.name}; reinstall {_HOLDER} 0.11.3.")
    # The files separate their columns by a varying number of spaces.
    lines = path.read_text(encoding="ascii").splitlines()
    pattern = _SAMPLE_LINE if sample else _LINE
    fields = pl.DataFrame({"line": lines}).select(pl.col("line").str.extract_groups(pattern)).unnest("line")
    # The full log has a line of column names.
    strange = fields["customer_id"].null_count() - ("customer_id" in lines[0])
    if strange:
        raise DataError(f"{path.name}: {strange} of {len(lines)} lines are not a line of CDNOW; reinstall {_HOLDER}.")
    purchases = fields.drop_nulls("customer_id").select(
        pl.col("customer_id").cast(pl.Int64),
        pl.col("day").str.to_date("%Y%m%d").alias("ordered_at"),
        pl.col("amount").cast(pl.Float64),
    )
    return read_transactions(purchases, until=_LAST_DAY, policy=_AS_IN_THE_LITERATURE)


_BUNDLED = ("cdnow", "cdnow-sample")


def named_orders(name: str, *, columns: Mapping[str, str], until: date | None, folder: Path) -> Transactions:
    """Return the orders that a scenario or a user names."""
    if name not in _BUNDLED:
        return read_transactions(folder / name, columns=columns, until=until)
    renamed = [ours for ours, theirs in columns.items() if ours != theirs]
    if renamed:
        raise DataError(f"{name} has columns of its own; leave out the names for {', '.join(renamed)}.")
    return load_cdnow(sample=name == "cdnow-sample")
