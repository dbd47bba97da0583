"""What goes with later orders: tables under ASSOCIATIONS and DOSES in; tables to read out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from cxsim.exhibits.showing import Table, laid_out
from cxsim.measured import ASSOCIATIONS, DOSES
from cxsim.number_style import retold, turned
from cxsim.tables import check
from cxsim.wording import MISSING, NBSP, counted, measured, measured_span

_INTERVAL = f"95{NBSP}% interval"
_FEW = "too few"


def associations_table(table: pl.DataFrame) -> Table:
    """Lay out how experiences go with what customers order afterwards."""
    rows = check(table, ASSOCIATIONS)
    number = rows["exposure"].n_unique()
    noun = "experience goes" if number == 1 else "experiences go"
    title = f"How {counted(number)} {noun} with later orders"
    heads = {
        "model": "Model",
        "ratio": "Ratio after it",
        "interval": _INTERVAL,
        "before": "Ratio before it",
        "before_interval": f"Its {_INTERVAL}",
        "customers": "Customers who met it",
        "clear": "Clear",
        "label": "Read as",
        "finding": "In words",
    }
    cells = pl.DataFrame(
        [_association(row) for row in rows.iter_rows(named=True)],
        schema=dict.fromkeys(("group", "line", *heads), pl.String),
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Ratio of the outcome for one unit more of what was met, with its {_INTERVAL} over customers",
        heads=heads,
        text=("model", "clear", "label", "finding"),
        notes=(
            (
                "Before it: the same ratio for what had not happened yet. Nothing that comes later can have caused it, "
                "so far from 1 it says that other customers meet such things."
            ),
            "Clear: it remains when all comparisons of this table are taken into account.",
            "An association is an effect only where chance decided who met it.",
        ),
    )
    return Table(id="associations", title=title, layout=layout, twin=rows)


def doses_table(table: pl.DataFrame) -> Table:
    """Lay out what share of orders is followed by another, by how much of something was met."""
    rows = check(table, DOSES)
    title = "Whether customers order again, by how much they met"
    heads = {"value": "Share", "interval": _INTERVAL, "dose": "Mean in the class", "customers": "Customers"}
    cells = pl.DataFrame(
        [_dose(row) for row in rows.iter_rows(named=True)], schema=dict.fromkeys(("group", "line", *heads), pl.String)
    )
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Share with another order in the days after, with its {_INTERVAL} over customers",
        heads=heads,
        notes=(
            "Only what happened so long ago that the days are over. Fewer than 30 customers: no share.",
            "An association: who meets more of it may be another kind of customer.",
        ),
    )
    return Table(id="doses", title=title, layout=layout, twin=rows)


def _association(row: Mapping[str, float | str | None]) -> dict[str, str]:
    return {
        "group": str(row["title"]),
        "line": str(row["outcome"]).capitalize(),
        "model": str(row["model"]),
        "ratio": _ratio(row["ratio"]),
        "interval": _span(row["low"], row["high"]),
        "before": _ratio(row["before"]),
        "before_interval": _span(row["before_low"], row["before_high"]),
        "customers": turned(f"{row['customers']:,}"),
        "clear": "yes" if row["clear"] else "no",
        "label": str(row["label"]),
        "finding": retold(str(row["finding"])),
    }


def _ratio(value: float | str | None) -> str:
    return MISSING if value is None else measured(float(value), "ratio", "")


def _span(low: float | str | None, high: float | str | None) -> str:
    return MISSING if low is None or high is None else measured_span(float(low), float(high), "ratio")


def _dose(row: Mapping[str, float | str | None]) -> dict[str, str]:
    low, high, unit = float(row["dose_low"] or 0.0), float(row["dose_high"] or 0.0), str(row["unit"])
    value, ends = row["value"], (row["low"], row["high"])
    word = "" if unit == "count" else f"{NBSP}{unit}"
    known = value is not None and ends[0] is not None and ends[1] is not None
    return {
        "group": f"{str(row['exposure']).capitalize()}: {row['outcome']}",
        "line": turned(f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}") + word,
        "value": _FEW if value is None else measured(float(value), "share", ""),
        "interval": measured_span(float(ends[0] or 0.0), float(ends[1] or 0.0), "share") if known else MISSING,
        "dose": turned(f"{float(row['dose'] or 0.0):.1f}"),
        "customers": turned(f"{row['customers']:,}"),
    }
