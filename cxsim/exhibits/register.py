"""What the case rests on: assumptions and sources go in, the registers that a reader checks come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cxsim.exhibits.in_units import as_written
from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.number_style import retold
from cxsim.tables import ASSUMPTIONS, Contract, check
from cxsim.wording import MISSING, NBSP, counted

SOURCES = Contract(
    name="SOURCES",
    columns={
        "authors": (pl.String,),
        "year": (pl.Int64,),
        "title": (pl.String,),
        "where": (pl.String,),
        "measured": (pl.String,),
        "grade": (pl.String,),
    },
)
STRATEGIES = Contract(
    name="STRATEGIES",
    columns={"title": (pl.String,), "description": (pl.String,), "harms": (pl.String,)},
)
_HEADS = {
    "value": "Value",
    "range": f"90{NBSP}% range",
    "unit": "Unit",
    "evidence": "Evidence",
    "source": "Source",
}


def assumptions_table(assumptions: pl.DataFrame, currency: str) -> Table:
    """List every number that somebody put in, with its range, its grade of evidence and its source.

    Parameters
    ----------
    assumptions
        Table under `ASSUMPTIONS`; `low` and `high` are the 5 % and the 95 % quantile of what is believed.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per assumption, under the strategy or the economics that it belongs to.

    Raises
    ------
    TableError
        For a table that is not under `ASSUMPTIONS`.
    """
    table = check(assumptions, ASSUMPTIONS)
    cells = pl.DataFrame(
        [_cells(row, currency) for row in table.rows(named=True)],
        schema=dict.fromkeys(["group", "line", *_HEADS], pl.String),
        orient="row",
    )
    bare = table.filter(pl.col("evidence") == "assumed").height
    title = f"{bare} of {table.height} numbers are assumed, without evidence from this shop or another"
    layout = laid_out(
        cells,
        title=title,
        subtitle="Value: the middle of what is believed; range: nine chances in ten",
        heads=_HEADS,
        text=("unit", "source"),
        badges=("evidence",),
        notes=("Evidence: measured in this shop, published elsewhere, or assumed, which needs a test first.",),
    )
    return Table(id="assumptions", title=title, layout=layout, twin=table)


def strategies_table(strategies: pl.DataFrame) -> Table:
    """List what customers would see of each strategy, and what can go wrong with it.

    Parameters
    ----------
    strategies
        `title`, `description` and `harms` as text; no harms are an empty text.

    Returns
    -------
    Table
        One row per strategy.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(strategies, STRATEGIES)
    title = "What each strategy is, and what can go wrong with it"
    harms = pl.when(pl.col("harms") == "").then(pl.lit(MISSING)).otherwise(pl.col("harms"))
    layout = laid_out(
        table.select(line="title", description="description", harms=harms),
        title=title,
        subtitle="Partly in the numbers already: the assumptions below say how far",
        heads={"description": "What customers see", "harms": "What can go wrong"},
        text=("description", "harms"),
    )
    return Table(id="strategies", title=title, layout=layout, twin=table)


def sources_table(sources: pl.DataFrame) -> Table | Prose:
    """List the sources that the assumptions name, with what was measured there and how good the evidence is.

    Parameters
    ----------
    sources
        `authors`, `title`, `where`, `measured` and `grade` (A to E) as text, and the `year`.

    Returns
    -------
    Table or Prose
        One row per source; one sentence where there is none.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = check(sources, SOURCES)
    if table.is_empty():
        return remark("No number here is taken from a publication, so there is no source to name.")
    stand = "source stands" if table.height == 1 else "sources stand"
    title = f"{counted(table.height).capitalize()} {stand} behind the published numbers"
    layout = laid_out(
        table.select(
            pl.format("{} ({})", "authors", "year").alias("line"),
            pl.format("{} – {}", "title", "where").alias("where"),
            pl.Series("measured", [retold(text) for text in table["measured"]], dtype=pl.String),
            "grade",
        ),
        title=title,
        subtitle="What the assumptions rest on",
        heads={"where": "Where", "measured": "What was measured", "grade": "Grade"},
        text=("where", "measured", "grade"),
        notes=(
            (
                "Grades: A, several experiments or a meta-analysis; B, one strong experiment or natural experiment; "
                "C, observations with controls; D, survey or vendor; E, none found."
            ),
        ),
    )
    return Table(id="sources", title=title, layout=layout, twin=table)


def _cells(row: Mapping[str, Any], currency: str) -> list[str]:
    low, value, high = (as_written(row[name], row["unit"], currency=currency) for name in ("low", "value", "high"))
    return [
        row["belongs_to"],
        row["description"],
        value,
        "fixed" if row["low"] == row["high"] else f"{low} to {high}",
        row["unit"].replace("unit of money", currency).replace("money", currency),
        row["evidence"],
        row["source"] or MISSING,
    ]
