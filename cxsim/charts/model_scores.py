"""How models compare: their error in the forecast, and whom they take for alive, go in; one figure each comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import Figure, framed, rounded
from cxsim.charts.palette import INK, QUIET, model_colours
from cxsim.tables import Contract, check
from cxsim.wording import INTERVAL, MINUS, NBSP, joined, percent

BIASES = Contract(
    name="BIASES",
    columns={"model": (pl.String,), "bias": (pl.Float64,), "low": (pl.Float64,), "high": (pl.Float64,)},
    nullable=frozenset({"low", "high"}),
)
ALIVE = Contract(
    name="ALIVE",
    columns={
        "model": (pl.String,),
        "group": (pl.String,),
        "alive": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
    },
)
_BAND = 44
_ALIVE = "Still customers"
_PERCENT = "(datum.value == 0 ? '0' : format(100 * datum.value, '+~g')) + ' %'"
_SHARE = "format(100 * datum.value, '~g') + ' %'"


def forecast_bias(biases: pl.DataFrame) -> Figure:
    """Draw by how much each model, and each rule of thumb, missed the orders that came after its fit.

    Parameters
    ----------
    biases
        One row per model, in the order in which they are shown: `model` as readers know it, `bias` of the total as a
        share of what came (-0.1: ten per cent too few), and its 90 % interval `low` to `high`; null for a rule of
        thumb, which gives none.

    Returns
    -------
    alt.LayerChart
        One point and one line for the interval per model, and a rule at zero.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(biases, BIASES))
    told = "; ".join(
        f"{model} {_signed(bias)}" + ("" if low is None else f" ({_signed(low)} to {_signed(high)})")
        for model, bias, low, high in table.select("model", "bias", "low", "high").iter_rows()
    )
    shown = (
        f"Orders expected after the fit over orders that came, less one. Line: {INTERVAL} of what the model held "
        "possible; a rule of thumb has none. Zero: just right."
    )
    names = table["model"].to_list()
    rows = alt.Y("model:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, labelColor=INK, labelFontSize=13))
    drawn = alt.Chart(table).encode(y=rows, tooltip=_bias_tooltip())
    axis = alt.Axis(title="Orders expected too many or too few", labelExpr=_PERCENT, tickCount=6)
    line = drawn.mark_rule(color=INK, strokeWidth=3, opacity=0.45).encode(x=alt.X("low:Q", axis=axis), x2="high:Q")
    point = drawn.mark_point(color=INK, filled=True, size=90, opacity=1).encode(x=alt.X("bias:Q", axis=axis))
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=QUIET, strokeDash=[2, 3]).encode(x="zero:Q")
    layers = alt.layer(zero, line.transform_filter("isValid(datum.low)"), point)
    best = table.sort(pl.col("bias").abs(), maintain_order=True).row(0, named=True)
    finding = f"{best['model']} misses the orders that came by least: {_signed(best['bias'])}"
    return framed(layers, finding=finding, shown=shown, told=f"{told}.", height=_BAND * table.height)


def alive_by_model(alive: pl.DataFrame) -> Figure:
    """Draw which share of one-time buyers and of repeat buyers each model takes for still being customers.

    Parameters
    ----------
    alive
        One row per group and model: `model` as readers know it, `group` of customers in words, the share `alive` that
        the model expects of it, and the 90 % interval `low` to `high` of that share by its parameters.

    Returns
    -------
    alt.LayerChart
        One point with its interval per group and model.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(alive, ALIVE))
    models, groups = (table[name].unique(maintain_order=True).to_list() for name in ("model", "group"))
    shown = (
        "Share of the customers of a group that has not left, as each model expects it. "
        f"Line: {INTERVAL} by the model's parameters. Nobody can observe who has left."
    )
    told = "; ".join(
        f"{group}, {model}: {percent(share)}"
        for group, model, share in table.select("group", "model", "alive").iter_rows()
    )
    shares = alt.X("alive:Q", title=_ALIVE, axis=alt.Axis(labelExpr=_SHARE), scale=alt.Scale(domain=[0.0, 1.0]))
    drawn = alt.Chart(table).encode(
        y=alt.Y("group:N", sort=groups, title=None, axis=alt.Axis(labelLimit=260, labelColor=INK, labelFontSize=13)),
        yOffset=alt.YOffset("model:N", sort=models),
        color=alt.Color(
            "model:N",
            scale=alt.Scale(domain=models, range=model_colours(models)),
            legend=alt.Legend(title=None, orient="top", symbolSize=120),
        ),
        tooltip=[
            alt.Tooltip("group:N", title="Customers"),
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("alive:Q", title="Still customers", format=".1%"),
            alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format=".1%"),
            alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format=".1%"),
        ],
    )
    line = drawn.mark_rule(strokeWidth=3, opacity=0.5).encode(x=alt.X("low:Q", title=_ALIVE), x2="high:Q")
    point = drawn.mark_point(filled=True, size=90, opacity=1).encode(x=shares)
    height = len(groups) * max(60, 26 * len(models))
    return framed(alt.layer(line, point), finding=_disagreement(table), shown=shown, told=f"{told}.", height=height)


def _disagreement(table: pl.DataFrame) -> str:
    spans = table.group_by("group", maintain_order=True).agg(
        least=pl.col("alive").min(), most=pl.col("alive").max(), models=pl.len()
    )
    if spans["models"][0] == 1:
        return joined([f"{percent(least)} of {group} are still customers" for group, least, *_ in spans.iter_rows()])
    told = [
        f"{percent(least)} to {percent(most)} of {group}"
        if round(100 * least) != round(100 * most)
        else f"{percent(least)} of {group}"
        for group, least, most, _ in spans.iter_rows()
    ]
    return f"Depending on the model, {joined(told)} are still customers"


def _bias_tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("bias:Q", title="Too many or too few", format="+.1%"),
        alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format="+.1%"),
        alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format="+.1%"),
    ]


def _signed(share: float) -> str:
    return f"{100 * share:+.0f}{NBSP}%".replace("-", MINUS)
