"""What a shop measured in a period: a table under DASHBOARD in, the dashboard and what it cannot say out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from cxsim.exhibits.showing import Prose, Table, laid_out, remark
from cxsim.measured import DASHBOARD
from cxsim.number_style import retold
from cxsim.tables import check
from cxsim.wording import MISSING, NBSP, compared, counted, joined, measured, measured_span

_HEADS = {
    "value": "Value",
    "interval": f"95{NBSP}% interval",
    "previous": "Period before",
    "change": "Change",
    "span": f"Its 95{NBSP}% interval",
    "verdict": "In words",
    "mark": "Alert",
}
_ALERTS = {"above": "▲ above", "below": "▼ below"}


def dashboard_table(dashboard: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out every metric that is measured, under its family, with its change against the period before.

    Parameters
    ----------
    dashboard
        Table under `DASHBOARD` of `cxsim.measured`, in the order in which it is shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per metric that is measured; one sentence where none is. The title says what lies outside its usual
        range, the notes what to be careful about.

    Raises
    ------
    TableError
        For a table that is not under `DASHBOARD`.
    """
    table = check(dashboard, DASHBOARD).filter(pl.col("value").is_not_null())
    if table.is_empty():
        return remark("Nothing is measured here: the tables of this shop say nothing of this period.")
    cells = pl.DataFrame(
        [_cells(row, currency) for row in table.iter_rows(named=True)],
        schema=dict.fromkeys(("group", "line", *_HEADS), pl.String),
    )
    title = _finding(table)
    # Where nothing is marked, a column for marks would only take room.
    marks = ("mark",) if table["alert"].count() else ()
    heads = {name: words for name, words in _HEADS.items() if name != "mark" or marks}
    layout = laid_out(
        cells.select("group", "line", *heads),
        title=title,
        subtitle=f"{_periods(table)}, beside the period before",
        heads=heads,
        text=("verdict",),
        badges=marks,
        notes=(*_NOTES, *_cautions(table)),
    )
    return Table(id="dashboard", title=title, layout=layout, twin=table)


def not_measured_table(dashboard: pl.DataFrame) -> Table | Prose:
    """List the metrics that have no value, each with the reason; it opens by its title.

    Parameters
    ----------
    dashboard
        Table under `DASHBOARD` of `cxsim.measured`.

    Returns
    -------
    Table or Prose
        One row per metric that is not measured; one sentence where all are.

    Raises
    ------
    TableError
        For a table that is not under `DASHBOARD`.
    """
    table = check(dashboard, DASHBOARD)
    reason = pl.coalesce("missing", pl.when(pl.col("caution") != "").then("caution"), pl.lit("nothing to measure"))
    missing = table.filter(pl.col("value").is_null()).select("metric", "title", "family", missing=reason)
    if missing.is_empty():
        return remark("Every metric of the catalogue is measured.")
    title = f"{counted(missing.height)} of {counted(table.height)} metrics are not measured".capitalize()
    if missing.height == 1:
        title = title.replace(" are ", " is ")
    layout = laid_out(
        missing.select(group="family", line="title", missing="missing"),
        title=title,
        subtitle="Nothing is guessed: what the tables of the shop do not say, or say of too few, is left out",
        heads={"missing": "Why"},
        text=("missing",),
    )
    return Table(id="not-measured", title=title, layout=layout, twin=missing, fold="folded")


def _finding(table: pl.DataFrame) -> str:
    alerted = table.filter(pl.col("alert").is_not_null())["title"].to_list()
    if not alerted:
        return f"None of {counted(table.height)} metrics lies outside its usual range"
    lie = "lies outside its" if len(alerted) == 1 else "lie outside their"
    head = f"{counted(len(alerted))} of {counted(table.height)} metrics {lie} usual range".capitalize()
    return f"{head}: {_listed(alerted)}" if len(alerted) <= _NAMED else head


def _listed(titles: Sequence[str]) -> str:
    """Return titles as a list; many have commas of their own."""
    return "; ".join(titles)


def _periods(table: pl.DataFrame) -> str:
    found = table.select("period_start", "period_end").unique().sort("period_start", "period_end")
    return joined([_span(start, end) for start, end in found.iter_rows()])


def _span(start: datetime, end: datetime) -> str:
    # The end is no part of the period; its last day is the day before.
    return f"{start.date().isoformat()} to {(end - timedelta(microseconds=1)).date().isoformat()}"


def _cells(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    unit, beside, ends = row["unit"], (row["low"], row["high"]), (row["change_low"], row["change_high"])
    return {
        "group": row["family"],
        "line": row["title"],
        "value": measured(row["value"], unit, currency, beside=beside),
        "interval": measured_span(row["low"], row["high"], unit),
        "previous": MISSING if row["previous"] is None else measured(row["previous"], unit, currency, beside=beside),
        "change": MISSING
        if row["change"] is None
        else measured(row["change"], unit, currency, of="change", beside=ends),
        "span": measured_span(*ends, unit, of="change"),
        "verdict": compared(*ends, row["direction"]),
        "mark": _ALERTS.get(row["alert"], ""),
    }


def _cautions(table: pl.DataFrame) -> list[str]:
    """Return each caution once, after the metrics that it is about."""
    said = table.filter(pl.col("caution") != "").group_by("caution", maintain_order=True).agg("title")
    return [f"{_listed(titles)}: {retold(caution)}" for caution, titles in said.iter_rows()]


# So many titles fit beside each other in a headline.
_NAMED = 3
_NOTES = (
    "An interval holds the luck of which customers there happen to be; it holds no bias of what was recorded.",
    "A change is clear where its interval does not hold zero; pp: percentage points.",
    "An alert: the value lies outside its usual range in this shop, which comes from the periods before.",
)
