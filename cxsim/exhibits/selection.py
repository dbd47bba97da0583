"""Promoters against detractors by several methods: a table under SELECTION in, a table to read out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.exhibits.showing import Table, laid_out
from cxsim.measured import SELECTION
from cxsim.number_style import retold, turned
from cxsim.tables import check
from cxsim.wording import NBSP, counted


def selection_table(panel: pl.DataFrame) -> Table:
    """Lay out what promoters are worth next to detractors, from the most naive method to the most careful."""
    table = check(panel, SELECTION)
    cells = pl.DataFrame(
        [_cells(row) for row in table.iter_rows(named=True)],
        schema=dict.fromkeys(("line", "ratio", "interval", "customers", "label", "finding"), pl.String),
    )
    title = _finding(table)
    layout = laid_out(
        cells,
        title=title,
        subtitle="Spend of promoters over that of detractors; 1 is no difference",
        heads={
            "ratio": "Ratio",
            "interval": f"95{NBSP}% interval",
            "customers": "Customers",
            "label": "What it is",
            "finding": "In words",
        },
        text=("label", "finding"),
        notes=(
            (
                "The interval holds the luck of who the customers are, and no bias. An association may be selection: "
                "an effect needs groups that chance has made."
            ),
            (
                "Adjusted rows and the own past see what goes with the news in an answer: what had been there all the "
                "time before cancels, an effect of it too. Nothing adjusts for a hidden bent to stay."
            ),
        ),
    )
    return Table(id="selection", title=title, layout=layout, twin=table)


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "line": row["title"],
        "ratio": turned(f"{row['ratio']:.2f}"),
        "interval": turned(f"{row['low']:.2f} to {row['high']:.2f}"),
        "customers": turned(f"{row['customers']:,}"),
        "label": row["label"],
        "finding": retold(row["finding"]),
    }


def _finding(table: pl.DataFrame) -> str:
    if table.is_empty():
        return "Too few promoters or detractors to compare"
    held = table.filter((pl.col("low") <= 1.0) & (pl.col("high") >= 1.0)).height
    told = f"{counted(held)} of {counted(table.height)} methods see no difference between promoters and detractors"
    return told.capitalize()
