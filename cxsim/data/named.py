"""The name of the bundled orders or of a file goes in, clean order lines come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from cxsim.data.cdnow import load_cdnow
from cxsim.data.transactions import Transactions, read_transactions
from cxsim.errors import DataError

_BUNDLED = ("cdnow", "cdnow-sample")


def named_orders(name: str, *, columns: Mapping[str, str], until: date | None, folder: Path) -> Transactions:
    """Return the orders that a scenario or a user names."""
    if name not in _BUNDLED:
        return read_transactions(folder / name, columns=columns, until=until)
    renamed = [ours for ours, theirs in columns.items() if ours != theirs]
    if renamed:
        raise DataError(f"{name} has columns of its own; leave out the names for {', '.join(renamed)}.")
    return load_cdnow(sample=name == "cdnow-sample")
