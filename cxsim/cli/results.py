"""Results of a study or a search in; tables for a terminal, or JSON, out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table

from cxsim.cli.terminal import console, plain
from cxsim.tables import BREAK_EVEN, check, empty
from cxsim.wording import MODELS, searched, sized

if TYPE_CHECKING:
    from cxsim.study import ShopTables

_COLOURS = {"fund": "green", "pilot": "yellow", "reject": "red"}


def print_structures(structures: pl.DataFrame) -> None:
    """Print the returns under each model of leaving, where there is more than one."""
    if structures["structure"].n_unique() < 2:
        return
    table = _table(["strategy", "model of leaving", "decision"], ["incremental NPV", "90 % interval", "P(NPV > 0)"])
    for part in structures.partition_by("strategy", maintain_order=True):
        for place, row in enumerate(part.iter_rows(named=True)):
            table.add_row(
                plain(row["title"] if place == 0 else ""),
                plain(MODELS.get(row["structure"], row["structure"])),
                plain(row["decision"], style=_COLOURS[row["decision"]]),
                _whole(row["incremental_npv"]),
                f"{_whole(row['npv_low'])} to {_whole(row['npv_high'])}",
                f"{row['prob_npv_positive']:.1%}",
            )
    _print("Under each model of leaving by itself", table)


def print_break_even(found: pl.DataFrame, currency: str, title: str) -> None:
    """Print how large each effect must be, where any was searched."""
    if found.is_empty():
        return
    table = _table(["strategy", "what is searched", "pays at"], ["searched", "NPV at the ends"])
    for row in found.iter_rows(named=True):
        low, high = (_size(row, row[name]) for name in ("searched_low", "searched_high"))
        table.add_row(
            plain(row["title"]),
            plain(searched(row["description"])),
            plain(_answer(row)),
            f"{low} to {high}",
            f"{_whole(row['npv_low'])}, {_whole(row['npv_high'])}",
        )
    _print(title, table)
    console().print(plain(f"Amounts in {currency}. Nobody has measured these effects; only a test can say their size."))


def read_break_even(path: Path) -> pl.DataFrame:
    """Return the table of a search from the CSV beside its report, under BREAK_EVEN."""
    return check(pl.read_csv(path, schema_overrides=empty(BREAK_EVEN).schema), BREAK_EVEN)


def print_cautions(cautions: pl.DataFrame) -> None:
    """Print what to know before believing the results, where there is anything."""
    out = console()
    for title, caution in cautions.select("title", "caution").iter_rows():
        out.print(plain(f"Caution, {title}:", style="yellow"), plain(caution))


def print_rows(table: pl.DataFrame) -> None:
    """Print a table as JSON, one object a row, with all digits."""
    print(json.dumps(table.to_dicts(), indent=1, allow_nan=False))  # noqa: T201 - the command's result


def print_files(tables: ShopTables, title: str) -> None:
    """Print how many rows each of a shop's tables has."""
    shown = _table(["table"], ["rows"])
    for field in fields(tables):
        shown.add_row(field.name, f"{getattr(tables, field.name).height:,}")
    _print(title, shown)


def _answer(row: Mapping[str, Any]) -> str:
    low, high = row["npv_low"], row["npv_high"]
    if row["break_even"] is None:
        return "both ends" if low > 0.0 else "neither end"
    return f"{_size(row, row['break_even'])} or {'more' if high > low else 'less'} ({row['unit']})"


def _size(row: Mapping[str, Any], size: float) -> str:
    span = row["searched_high"] - row["searched_low"]
    return sized(size, row["unit"], span)


def _whole(number: float) -> str:
    return f"{round(number):,}"


def _table(words: list[str], numbers: list[str]) -> Table:
    table = Table()
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _print(title: str, table: Table) -> None:
    out = console()
    out.print()
    out.print(plain(title))
    out.print(table)
