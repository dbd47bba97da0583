"""What each metric is: definitions go in, the register in which a reader looks them up comes out."""

from __future__ import annotations

from typing import Literal

import polars as pl

from cxsim.exhibits.showing import Table, laid_out
from cxsim.tables import Contract, check
from cxsim.wording import counted

_TEXT = (pl.String,)
METRICS = Contract(
    name="METRICS",
    columns=dict.fromkeys(
        (
            "name",
            "title",
            "family",
            "definition",
            "numerator",
            "denominator",
            "unit",
            "direction",
            "window",
            "scale",
            "interval",
            "pitfalls",
            "variant",
        ),
        _TEXT,
    ),
)
_HEADS = {
    "definition": "What it says",
    "formula": "Formula",
    "window": "What belongs to a period",
    "scale": "Scale",
    "interval": "Interval",
    "pitfalls": "What to be careful about",
    "variant": "Another formula in use",
}
_BETTER = {"higher": "; higher is better", "lower": "; lower is better", "neither": ""}


def metric_register(metrics: pl.DataFrame, *, fold: Literal["open", "folded"] = "folded") -> Table:
    """List the definition of every metric.

    Parameters
    ----------
    metrics
        One row per metric under `METRICS`: all text.
    fold
        Whether a reader sees it at once, or after opening it by its title.

    Returns
    -------
    Table
        One row per metric, under its family.

    Raises
    ------
    TableError
        For a table that is not under `METRICS`.
    """
    table = check(metrics, METRICS)
    title = f"How {counted(table.height)} metrics are defined"
    formula = (
        pl.when(pl.col("denominator") == "")
        .then(pl.col("numerator"))
        .otherwise(pl.format("{} ÷ {}", "numerator", "denominator"))
    )
    layout = laid_out(
        table.select(
            "definition",
            formula.alias("formula"),
            "window",
            pl.concat_str("scale", pl.col("direction").replace(_BETTER)),
            "interval",
            "pitfalls",
            "variant",
            group="family",
            line="title",
        ),
        title=title,
        subtitle="The same word often stands for different numbers; these are the ones that are shown here",
        heads=_HEADS,
        text=tuple(_HEADS),
    )
    return Table(id="metrics", title=title, layout=layout, twin=table, fold=fold)
