"""Who brings the value: tenths of the customers by expected value go in; their value and what they capture come out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import HEIGHT, Figure, framed, money_axis, rounded
from cxsim.charts.palette import INK, QUIET, STRATEGIES, model_colours
from cxsim.tables import Contract, check
from cxsim.wording import INTERVAL, NBSP, number, percent

DECILES = Contract(
    name="DECILES",
    columns={
        "decile": (pl.Int64,),
        "customers": (pl.Int64,),
        "expected": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
        "realised": (pl.Float64,),
    },
    nullable=frozenset({"realised"}),
)
CAPTURE = Contract(
    name="CAPTURE",
    columns={"model": (pl.String,), "customers": (pl.Float64,), "value": (pl.Float64,)},
)
_PALE = "#9DC6E0"
_PERCENT = "format(100 * datum.value, '~g') + ' %'"
_CAPTURE_SIDE = 380
_TOP = 0.2


def value_by_decile(deciles: pl.DataFrame, currency: str) -> Figure:
    """Draw what each tenth of the customers is expected to bring, and what it did bring where that is known.

    Parameters
    ----------
    deciles
        One row per tenth, the most valuable first: `decile` (1 to 10), `customers`, the value `expected` of all of
        them together with the 90 % interval `low` to `high`, and the value `realised` (null where it is not known).
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One bar per tenth with its interval, and a point for what was realised.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(deciles, DECILES))
    known = table["realised"].null_count() == 0
    shown = (
        f"Value of all customers of a tenth together, {currency}; tenths by expected value, the best first. Bar: "
        f"expected; line: {INTERVAL}, by parameters and by luck{'; point: what they brought' if known else ''}."
    )
    largest = float(table.select(pl.max_horizontal(pl.col("high", "realised").max())).item())
    tenth = alt.X("decile:O", title="Tenth of the customers, the most valuable first", axis=alt.Axis(labelAngle=0))
    drawn = alt.Chart(table).encode(x=tenth, tooltip=_tooltip(currency))
    axis = money_axis(f"Value of the tenth, {currency}", largest=largest)
    bars = drawn.mark_bar(color=_PALE, width={"band": 0.7}).encode(y=alt.Y("expected:Q", axis=axis))
    interval = drawn.mark_rule(color=STRATEGIES[0], strokeWidth=3).encode(y="low:Q", y2="high:Q")
    came = drawn.transform_filter("isValid(datum.realised)").mark_point(color=INK, filled=True, size=80, opacity=1)
    layers = alt.layer(bars, interval, came.encode(y="realised:Q")) if known else alt.layer(bars, interval)
    return framed(layers, finding=_finding(table), shown=shown, told=_told(table, currency))


def value_captured(capture: pl.DataFrame) -> Figure:
    """Draw which share of the later value came from which share of the customers, taken in the order of a model.

    Parameters
    ----------
    capture
        One row per model and point of its curve, ascending: `model` as readers know it, the share of the `customers`
        that it puts first and their share of the realised `value`; from 0, 0 to 1, 1.

    Returns
    -------
    alt.LayerChart
        One curve per model and the diagonal of an order by chance.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    table = rounded(check(capture, CAPTURE))
    models = table["model"].unique(maintain_order=True).to_list()
    top = (
        table.filter(pl.col("customers") <= _TOP + 1e-9)
        .group_by("model", maintain_order=True)
        .agg(pl.col("value").max())
    )
    finding = f"The fifth that {top['model'][0]} put first brought {percent(top['value'][0])} of the later value"
    shown = (
        "Share of the value after the fit that came from the customers that a model put first. Dotted: an order by "
        "chance. There is one observed history, hence no interval."
    )
    told = "From the first fifth: " + "; ".join(f"{model} {percent(value)}" for model, value in top.iter_rows()) + "."
    shares = alt.Axis(labelExpr=_PERCENT, values=[0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    legend = alt.Legend(title=None, orient="bottom-right", symbolSize=400, labelLimit=240, rowPadding=4)
    curves = (
        alt.Chart(table)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("customers:Q", title="Customers, the most valuable first", axis=shares),
            y=alt.Y("value:Q", title="Share of the value that came", axis=shares),
            color=alt.Color("model:N", scale=alt.Scale(domain=models, range=model_colours(models)), legend=legend),
            tooltip=[
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("customers:Q", title="Customers", format=".0%"),
                alt.Tooltip("value:Q", title="Value", format=".0%"),
            ],
        )
    )
    chance = (
        alt.Chart(pl.DataFrame({"customers": [0.0, 1.0], "value": [0.0, 1.0]}))
        .mark_line(color=QUIET, strokeDash=[2, 3], strokeWidth=1.5)
        .encode(x="customers:Q", y="value:Q")
    )
    drawn = alt.layer(chance, curves)
    return framed(drawn, finding=finding, shown=shown, told=told, width=_CAPTURE_SIDE, height=HEIGHT)


def _finding(table: pl.DataFrame) -> str:
    share = table["expected"][0] / table["expected"].sum() if table["expected"].sum() > 0.0 else 0.0
    told = f"The most valuable tenth of the customers is expected to bring {percent(share)} of all value"
    if table["realised"].null_count() or table["realised"].sum() <= 0.0:
        return told
    came = table["realised"][0] / table["realised"].sum()
    inside = table.filter(pl.col("realised").is_between("low", "high")).height
    return (
        f"The tenth expected to bring most, {percent(share)} of all value, brought {percent(came)}; "
        f"{inside} of {table.height} tenths lie inside their interval"
    )


def _tooltip(currency: str) -> list[alt.Tooltip]:
    names = {
        "expected": "Expected",
        "low": f"{INTERVAL}, low",
        "high": f"{INTERVAL}, high",
        "realised": "Realised",
    }
    amounts = [alt.Tooltip(f"{name}:Q", title=f"{title}, {currency}", format=",.3~r") for name, title in names.items()]
    return [
        alt.Tooltip("decile:O", title="Tenth"),
        alt.Tooltip("customers:Q", title="Customers", format=",d"),
        *amounts,
    ]


def _told(table: pl.DataFrame, currency: str) -> str:
    rows = table.select("decile", "expected", "low", "high").iter_rows()
    told = "; ".join(f"{tenth}: {number(mean)} ({number(low)} to {number(high)})" for tenth, mean, low, high in rows)
    return f"By tenth, in {currency}: {told}.".replace(f"{currency}:", f"{currency}{NBSP}:")
