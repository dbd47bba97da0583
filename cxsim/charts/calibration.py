"""Whether models know who comes back: classes of repeat buyers go in, observed against several models comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import Figure, framed, rounded
from cxsim.charts.palette import INK, model_colours
from cxsim.number_style import turned
from cxsim.tables import Contract, check
from cxsim.wording import INTERVAL, NBSP, joined

CALIBRATION = Contract(
    name="CALIBRATION",
    columns={
        "model": (pl.String,),
        "frequency": (pl.String,),
        "customers": (pl.Int64,),
        "observed": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
        "expected": (pl.Float64,),
    },
)


def calibration(classes: pl.DataFrame) -> Figure:
    """Draw orders after the fit by how often a customer had come back before, beside what several models expected.

    Parameters
    ----------
    classes
        One row per model and class, the classes ascending: `model` as readers know it, `frequency` as its label
        ("0", "1", ... "7+"), `customers`, mean orders per customer after the fit `observed` with the 90 % interval
        `low` to `high` of that mean, and `expected`.

    Returns
    -------
    alt.LayerChart
        Points with intervals for what was observed, one dashed line per model.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(classes, CALIBRATION))
    models = table["model"].unique(maintain_order=True).to_list()
    shown = (
        "Mean orders per customer after the fit, by repeat orders before it. Point and line: observed, with the "
        f"{INTERVAL} of the mean; dashes: expected by a model."
    )
    order = table["frequency"].unique(maintain_order=True).to_list()
    axis = alt.X("frequency:O", sort=order, title="Repeat orders in the fitted period", axis=alt.Axis(labelAngle=0))
    drawings = alt.layer(_expected(table, models, axis), *_observed(table.filter(pl.col("model") == models[0]), axis))
    return framed(drawings, finding=_finding(table, models), shown=shown, told=_told(table))


def _expected(table: pl.DataFrame, models: list[str], axis: alt.X) -> alt.Chart:
    legend = alt.Legend(title=None, orient="top-left", symbolSize=400, labelLimit=240, rowPadding=4)
    drawn: alt.Chart = (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5, strokeDash=[7, 4])
        .encode(
            x=axis,
            y=alt.Y("expected:Q", title="Orders per customer after the fit"),
            color=alt.Color("model:N", scale=alt.Scale(domain=models, range=model_colours(models)), legend=legend),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("frequency:O", title="Repeat orders"),
                alt.Tooltip("expected:Q", title="Expected orders per customer", format=",.3~r"),
            ],
        )
    )
    return drawn


def _observed(table: pl.DataFrame, axis: alt.X) -> tuple[alt.Chart, alt.Chart]:
    drawn = alt.Chart(table).encode(
        x=axis,
        tooltip=[
            alt.Tooltip("frequency:O", title="Repeat orders"),
            alt.Tooltip("customers:Q", title="Customers", format=",d"),
            alt.Tooltip("observed:Q", title="Observed orders per customer", format=",.3~r"),
            alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format=",.3~r"),
            alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format=",.3~r"),
        ],
    )
    interval = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45).encode(y="low:Q", y2="high:Q")
    point = drawn.mark_point(color=INK, filled=True, size=80, opacity=1).encode(y="observed:Q")
    return interval, point


def _finding(table: pl.DataFrame, models: list[str]) -> str:
    hit = pl.col("expected").is_between("low", "high")
    hits = table.group_by("model", maintain_order=True).agg(hits=hit.sum(), classes=pl.len())
    first, *others = hits.select("model", "hits").iter_rows()
    told = [f"{first[0]} in {first[1]} of {hits['classes'][0]} classes", *(f"{model} in {n}" for model, n in others)]
    inside = f"Inside the interval of what happened: {joined(told)}"
    never = table.filter(pl.col("frequency") == "0")
    if never.is_empty():
        return inside
    share = (pl.col("expected") / pl.col("observed") - 1.0).alias("gap")
    gaps = never.filter(pl.col("observed") > 0.0).select("model", share)
    if gaps.is_empty():
        return inside
    worst = gaps.sort(pl.col("gap").abs(), descending=True).row(0)
    size = f"{100 * abs(worst[1]):.0f}{NBSP}% too {'many' if worst[1] > 0.0 else 'few'}"
    return f"{inside}. Of one-time buyers {'it' if len(models) == 1 else worst[0]} expected {size}"


def _told(table: pl.DataFrame) -> str:
    written = [turned(figure) for figure in table["expected"].round_sig_figs(3).cast(pl.String)]
    expected = pl.format("{} {}", "model", pl.Series(written, dtype=pl.String))
    classes = table.with_columns(expected=expected).group_by("frequency", maintain_order=True)
    rows = classes.agg(pl.col("observed").first(), "expected")
    told = "; ".join(
        f"{label}: {turned(f'{came:,.3g}')} observed, {joined(expected)}"
        for label, came, expected in rows.select("frequency", "observed", "expected").iter_rows()
    )
    return f"By number of repeat orders, orders per customer: {told}."
