"""Whether the model knows who comes back: classes of repeat buyers go in, observed against expected comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, framed, rounded
from cxsim.charts.palette import INK, QUIET, STRATEGIES
from cxsim.number_style import turned
from cxsim.tables import Contract, check
from cxsim.wording import INTERVAL, percent

FREQUENCIES = Contract(
    name="FREQUENCIES",
    columns={"frequency": (pl.String,), "observed": (pl.Int64, pl.Float64), "expected": (pl.Float64,)},
)
HOLDOUT = Contract(
    name="HOLDOUT",
    columns={
        "frequency": (pl.String,),
        "customers": (pl.Int64,),
        "observed": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
        "expected": (pl.Float64,),
    },
)
_PALE = "#CBD2D9"


def frequency_histogram(frequencies: pl.DataFrame) -> Figure:
    """Draw how many customers came back how often in the fitted period.

    Parameters
    ----------
    frequencies
        One row per class, ascending: `frequency` as its label ("0", "1", ... "7+"), `observed` and `expected`
        customers.

    Returns
    -------
    alt.LayerChart
        Bars for what was observed, ticks for what the model expects.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(frequencies, FREQUENCIES))
    apart = (pl.col("observed") - pl.col("expected")).abs().sum() / 2
    misplaced = float(table.select(apart / pl.col("observed").sum()).item())
    finding = f"Model and observation agree on how often {percent(1.0 - misplaced)} of customers come back"
    shown = "Customers by repeat orders in the fitted period. Bar: observed; blue tick: expected by the model."
    drawn = alt.Chart(table).encode(x=_classes(table), tooltip=_tooltip("customers", ",.0f"))
    bars = drawn.mark_bar(color=_PALE, width={"band": 0.7}).encode(y=alt.Y("observed:Q", title="Customers"))
    # In pixels: the Vega-Lite in JupyterLab does not know ticks that are a share of their band.
    size = round(0.86 * WIDTH / table.height)
    ticks = drawn.mark_tick(color=STRATEGIES[0], thickness=3, opacity=1, size=size).encode(y="expected:Q")
    label = (
        drawn.transform_calculate(top="max(datum.observed, datum.expected)")
        .mark_text(dy=-10, color=QUIET)
        .encode(y="top:Q", text=alt.Text("observed:Q", format=",.0f"))
    )
    return framed(alt.layer(bars, ticks, label), finding=finding, shown=shown, told=_told(table, "customers"))


def holdout_by_frequency(holdout: pl.DataFrame) -> Figure:
    """Draw orders after the fit by how often a customer had come back before.

    Parameters
    ----------
    holdout
        One row per class, ascending: `frequency` as its label ("0", "1", ... "7+"), `customers`, mean orders per
        customer after the fit `observed` with its 90 % interval `low` and `high`, and `expected`.

    Returns
    -------
    alt.LayerChart
        Points with intervals for what was observed, a dashed line for what the model expects.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(holdout, HOLDOUT))
    hit = table.filter(pl.col("expected").is_between("low", "high")).height
    finding = f"The model is inside the interval of what happened in {hit} of {table.height} classes of customers"
    shown = (
        f"Mean orders per customer after the fit, by repeat orders before it. Point and line: observed, with the "
        f"{INTERVAL} of the mean; blue dashes: expected by the model."
    )
    drawn = alt.Chart(table).encode(x=_classes(table), tooltip=_tooltip("orders per customer", ",.3~r"))
    expected = drawn.mark_line(color=STRATEGIES[0], strokeWidth=2.5, strokeDash=[7, 4]).encode(
        y=alt.Y("expected:Q", title="Orders per customer after the fit")
    )
    interval = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45).encode(y="low:Q", y2="high:Q")
    observed = drawn.mark_point(color=INK, filled=True, size=80, opacity=1).encode(y="observed:Q")
    drawings = alt.layer(expected, interval, observed)
    return framed(drawings, finding=finding, shown=shown, told=_told(table, "orders per customer"))


def _classes(table: pl.DataFrame) -> alt.X:
    order = table["frequency"].to_list()
    return alt.X("frequency:O", sort=order, title="Repeat orders in the fitted period", axis=alt.Axis(labelAngle=0))


def _tooltip(unit: str, pattern: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("frequency:O", title="Repeat orders"),
        alt.Tooltip("observed:Q", title=f"Observed {unit}", format=pattern),
        alt.Tooltip("expected:Q", title=f"Expected {unit}", format=pattern),
    ]


def _told(table: pl.DataFrame, unit: str) -> str:
    rows = [
        (label, turned(f"{came:,.3g}"), turned(f"{foreseen:,.3g}"))
        for label, came, foreseen in table.select("frequency", "observed", "expected").iter_rows()
    ]
    told = "; ".join(f"{label}: {came} observed, {foreseen} expected" for label, came, foreseen in rows)
    return f"By number of repeat orders, {unit}: {told}."
