"""Whether forecasts held: cumulative orders, observed and expected by several models, in; a figure with bands out."""

from __future__ import annotations

from datetime import date

import altair as alt
import polars as pl

from cxsim.charts.frame import Figure, day_in_words, framed, rounded
from cxsim.charts.palette import INK, QUIET, model_colours
from cxsim.errors import TableError
from cxsim.number_style import turned
from cxsim.tables import Contract, check
from cxsim.wording import INTERVAL, NBSP, joined

FORECASTS = Contract(
    name="FORECASTS",
    columns={
        "model": (pl.String,),
        "day": (pl.Date,),
        "observed": (pl.Float64, pl.Int64),
        "expected": (pl.Float64,),
        "low": (pl.Float64,),
        "high": (pl.Float64,),
    },
    nullable=frozenset({"low", "high"}),
)
_OBSERVED = "observed"
_POINTS = 30
# A model that is off by less is not told as too low or too high.
_CLOSE = 0.005


def forecasts(orders: pl.DataFrame, calibration_end: date) -> Figure:
    """Draw cumulative repeat orders, as observed and as several models expected them at the end of their fit.

    Parameters
    ----------
    orders
        One row per model and day, ascending within a model: `model` as readers know it, `day`, and the repeat orders
        since the first day, `observed` and `expected`. After the end of the fit, `expected` is what was observed by
        then and what the model expected from there, with the interval `low` to `high`; before, these two are null.
    calibration_end
        Last day that the models were fitted to; later days test them.

    Returns
    -------
    alt.LayerChart
        One line per model with a band for the 90 % interval, the observed line, and a rule at the end of the fit.

    Raises
    ------
    TableError
        If a column is missing, or no day lies before or after the end of the fit.
    """
    later = check(orders, FORECASTS).filter(pl.col("day") > calibration_end)
    if later.is_empty() or later.height == orders.height:
        raise TableError(
            f"FORECASTS: the end of the fit, {calibration_end}, must lie inside the days of the table; "
            f"found {orders['day'][0]} to {orders['day'][-1]}."
        )
    gaps = _gaps(orders, calibration_end)
    shown = (
        f"Repeat orders since {day_in_words(orders['day'][0])}, cumulative. The models were fitted to orders up to "
        f"{day_in_words(calibration_end)} only. Band: {INTERVAL} of what each model held possible from there."
    )
    models = orders["model"].unique(maintain_order=True).to_list()
    thin = rounded(_thinned(orders, calibration_end))
    drawn = alt.layer(*_end_of_fit(calibration_end), *_curves(thin, models))
    return framed(drawn, finding=_finding(gaps), shown=shown, told=_told(gaps))


def _gaps(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Return for each model the orders after the fit: that came, that were expected, and the interval."""
    before = pl.col("day") <= calibration_end
    start = pl.col("observed").filter(before).last()
    came = pl.col("observed").last() - start
    return (
        orders.group_by("model", maintain_order=True)
        .agg(
            came=came,
            expected=pl.col("expected").last() - start,
            low=pl.col("low").last() - start,
            high=pl.col("high").last() - start,
        )
        .with_columns(gap=pl.col("expected") / pl.col("came") - 1.0)
    )


def _finding(gaps: pl.DataFrame) -> str:
    came = float(gaps["came"][0])
    if came <= 0.0:
        return "After the fit, customers placed no repeat order at all"
    names, low, high = gaps["model"].to_list(), *gaps.select(low=pl.col("gap").min(), high=pl.col("gap").max()).row(0)
    subject = f"{names[0]} expected" if len(names) == 1 else f"All {len(names)} models expected"
    if low > -_CLOSE and high < _CLOSE:
        gap = "as many"
    elif high < 0.0 or low > 0.0:
        gap = f"{_span(low, high)} {'fewer' if high < 0.0 else 'more'}"
    else:
        subject, gap = subject.replace("All", "The"), f"from {_signed(low)} to {_signed(high)}"
    link = "as" if gap == "as many" else "than"
    held = gaps.filter(pl.lit(came).is_between("low", "high"))["model"].to_list()
    total = turned(f"{came:,.0f}")
    return f"{subject} {gap} repeat orders after the fit {link} the {total} that came; {_held(held, names)}"


def _span(low: float, high: float) -> str:
    """Return the sizes of the smallest and the largest gap, which lie on one side of zero."""
    least, most = sorted((round(100 * abs(low)), round(100 * abs(high))))
    return f"{most}{NBSP}%" if least == most else f"{least} to {most}{NBSP}%"


def _signed(gap: float) -> str:
    return f"{100 * abs(gap):.0f}{NBSP}% {'more' if gap > 0.0 else 'fewer'}"


def _held(held: list[str], names: list[str]) -> str:
    if len(names) == 1:
        return "its interval holds them" if held else "its interval does not hold them"
    if not held:
        return "no interval holds them"
    return f"the interval{'' if len(held) == 1 else 's'} of {joined(held)} {'holds' if len(held) == 1 else 'hold'} them"


def _told(gaps: pl.DataFrame) -> str:
    rows = gaps.select("model", "expected", "low", "high").iter_rows()
    told = [(model, turned(f"{expected:,.0f} ({low:,.0f} to {high:,.0f})")) for model, expected, low, high in rows]
    return "Expected after the fit: " + "; ".join(f"{model} {totals}" for model, totals in told)


def _thinned(orders: pl.DataFrame, calibration_end: date) -> pl.DataFrame:
    """Keep so many days on each side of the fit's end that the lines look the same, and always the last one."""
    part = ["model", (pl.col("day") <= calibration_end).alias("fitted")]
    place, size = pl.int_range(pl.len()).over(part), pl.len().over(part)
    every = (size + _POINTS - 1) // _POINTS
    return orders.filter((place % every == 0) | (place == size - 1))


def _curves(orders: pl.DataFrame, models: list[str]) -> tuple[alt.Chart, alt.Chart]:
    first = orders.filter(pl.col("model") == models[0])
    long = pl.concat(
        [
            first.select("day", series=pl.lit(_OBSERVED), orders=pl.col("observed").cast(pl.Float64)),
            orders.select("day", series="model", orders="expected"),
        ]
    )
    names = [_OBSERVED, *models]
    legend = alt.Legend(
        title=None, orient="top-left", symbolType="stroke", symbolOpacity=1.0, symbolSize=400, rowPadding=4
    )
    # Bands and lines share one scale and one legend, or the legend would lose its colours.
    colour = alt.Color("series:N", scale=alt.Scale(domain=names, range=[INK, *model_colours(models)]), legend=legend)
    dashes = alt.Scale(domain=names, range=[[1, 0], *([[7, 4]] * len(models))])
    bands = alt.Chart(orders.drop_nulls(["low", "high"]).select("day", "low", "high", series="model"))
    lines = alt.Chart(long).mark_line(strokeWidth=2.5)
    return (
        bands.mark_area(opacity=0.16).encode(x="day:T", y="low:Q", y2="high:Q", color=colour),
        lines.encode(
            x=alt.X("day:T", title=None, axis=alt.Axis(format="%b %Y", labelFlush=False, tickCount=8)),
            y=alt.Y("orders:Q", title="Repeat orders since the start", axis=alt.Axis(format=",d")),
            color=colour,
            strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=legend),
            tooltip=[
                alt.Tooltip("series:N", title="Series"),
                alt.Tooltip("day:T", title="Day", format="%-d %B %Y"),
                alt.Tooltip("orders:Q", title="Repeat orders", format=",.0f"),
            ],
        ),
    )


def _end_of_fit(calibration_end: date) -> tuple[alt.Chart, alt.Chart]:
    drawn = alt.Chart(pl.DataFrame({"day": [calibration_end], "label": ["end of the fit"]})).encode(x="day:T")
    rule = drawn.mark_rule(color=QUIET, strokeDash=[2, 3])
    label = drawn.mark_text(align="right", dx=-6, color=QUIET).encode(y=alt.value(8), text="label:N")
    return rule, label
