"""Nothing goes in; the orders of the CDNOW customers of 1997, as the literature counts them, come out."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from cxsim.data.exports.read_shop import shop_of
from cxsim.data.orders import Transactions, transactions_of
from cxsim.data.shop import Policy, Shop
from cxsim.errors import DataError

_HOLDER = "lifetimes"
_LAST_DAY = date(1998, 6, 30)
# The classical analyses count a day with a zero-dollar line as an order day, and equal lines as two purchases.
_AS_IN_THE_LITERATURE = Policy(zero="keep", duplicates="keep")
_FIELDS = r"(?<customer_id>\d+)\s+(?<day>\d{8})\s+\d+\s+(?<amount>\d+\.\d\d)\s*$"
_LINE = r"^\s*" + _FIELDS
# The sample numbers its customers anew, behind their number in the full log.
_SAMPLE_LINE = r"^\s*\d+\s+" + _FIELDS


def load_cdnow(*, sample: bool = False) -> Transactions:
    """Load the purchases of new customers of an online record shop, January 1997 to June 1998.

    Zero-dollar lines and equal lines are kept, as in the classical analyses.

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
    return transactions_of(cdnow_shop("cdnow-sample" if sample else "cdnow"))


def cdnow_shop(name: Literal["cdnow", "cdnow-sample"]) -> Shop:
    """Return the same purchases, or those of the sample, as a shop, whose customers are the numbers of the files."""
    sample = name == "cdnow-sample"
    # The package is found but not imported, for that changes global settings.
    spec = importlib.util.find_spec(_HOLDER)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"the CDNOW files are part of the package {_HOLDER}, which is not installed; install {_HOLDER}."
        )
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
    shop = shop_of(purchases, policy=_AS_IN_THE_LITERATURE, until=_LAST_DAY)
    read = (replace(receipt, file=path.name, recognised="CDNOW purchases") for receipt in shop.receipts)
    return replace(shop, name="CDNOW", currency="USD", receipts=tuple(read))
