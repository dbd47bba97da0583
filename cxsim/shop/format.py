"""What an export is recognised by, and what reading one gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from cxsim.shop.policy import Policy
from cxsim.shop.receipt import Receipt


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """A file that was opened: nothing is guessed yet, every column of a CSV is text.

    Attributes
    ----------
    file
        Its name, for receipts and messages.
    rows
        Its rows, with the header as it is written.
    """

    file: str
    rows: pl.LazyFrame


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Readout:
    """What one file gives.

    Attributes
    ----------
    tables
        By name, as in `Shop`; each under its contract. One file may fill several: orders and sessions, say. Orders may
        say their `currency` besides, a column that reading takes out once all agree.
    receipts
        What became of its rows, one receipt for each table.
    currency
        Code of the currency; "" where the file does not say it.
    lacks
        What this kind of file cannot say, and why, by table or table.column; as in `Shop`.
    opening
        Whether the file shows the first order that the shop ever had.
    """

    tables: Mapping[str, pl.LazyFrame]
    receipts: tuple[Receipt, ...]
    currency: str = ""
    lacks: Mapping[str, str] = field(default_factory=dict)
    opening: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A kind of export that people have.

    Attributes
    ----------
    name
        As readers know it, such as "Shopify orders".
    columns
        Its header, as the source writes it; compared without regard to case and outer blanks.
    required
        Those of them without which it is something else; no two formats are recognised by the same header.
    read
        Reads an export of this kind under a policy. Raises DataError for what such a file cannot support.
    """

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    read: Callable[[Export, Policy], Readout]
