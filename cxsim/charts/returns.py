"""What the strategies are worth: net present values go in, the figures of their size and of their chance come out."""

from __future__ import annotations

import math

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, framed, money_axis, named, names_of, rounded
from cxsim.charts.palette import INK, QUIET, colours
from cxsim.number_style import turned
from cxsim.tables import RETURNS, Contract, check
from cxsim.wording import INTERVAL, in_words, joined, percent

NPV = Contract(name="NPV", columns={"strategy": (pl.String,), "npv": (pl.Float64,)})
_BAND = 64
_BINS = 40
_ROW = 84
_PERCENT = "format(100 * datum.value, '~g') + ' %'"
# So many strategies are told one by one in a title; of more, their number is.
_TOLD = 4


def npv_by_strategy(returns: pl.DataFrame, currency: str) -> Figure:
    """Draw the net present value of each strategy against doing nothing, with its interval.

    Parameters
    ----------
    returns
        Table under `RETURNS`, one row per strategy in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One point and one line for the 90 % interval per strategy, and a rule at zero.

    Raises
    ------
    TableError
        For a table that is not under `RETURNS`.
    """
    worth = rounded(_worth(check(returns, RETURNS), currency))
    finding = _verdicts(worth)
    shown = (
        f"Net present value over doing nothing, {currency}. Point: mean of all draws; line: {INTERVAL}. "
        "A gain or a loss: the whole line lies on one side of zero."
    )
    told = " ".join(f"{name}: {value}." for name, value in worth.select("name", "value").iter_rows())
    drawn = alt.layer(*_intervals(worth, currency), *_labels(worth))
    return framed(drawn, finding=finding, shown=shown, told=told, height=_BAND * worth.height)


def npv_distribution(npv: pl.DataFrame, currency: str) -> Figure:
    """Draw how the net present value of each strategy spreads over the draws.

    Parameters
    ----------
    npv
        One row per strategy and draw, with columns `strategy` and `npv`; strategies in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One histogram per strategy on a common axis; no bar crosses zero.

    Raises
    ------
    TableError
        If a column is missing or of another type.
    """
    draws = named(check(npv, NPV))
    names = names_of(draws)
    gains = draws.group_by("name", maintain_order=True).agg(gain=(pl.col("npv") > 0.0).mean(), draws=pl.len())
    finding, count = _chances(gains), turned(f"{gains['draws'][0]:,}")
    shown = (
        f"Net present value over doing nothing, {currency}, in {count} draws of all that is uncertain. "
        "Full bars: a gain; pale bars: a loss."
    )
    drawn = _histograms(rounded(_bars(draws)), names, currency)
    return framed(drawn, finding=finding, shown=shown, height=_ROW)


def _chances(gains: pl.DataFrame) -> str:
    told = [f"{name} {percent(gain)}" for name, gain in gains.select("name", "gain").iter_rows()]
    if len(told) <= _TOLD:
        return f"Chance of a gain: {joined(told)}"
    least, most = gains["gain"].arg_min(), gains["gain"].arg_max()
    return f"Chance of a gain: from {told[least or 0]} to {told[most or 0]}"


def _worth(returns: pl.DataFrame, currency: str) -> pl.DataFrame:
    rows = returns.select("title", "incremental_npv", "npv_low", "npv_high")
    values = [in_words(mean, low, high, currency=currency) for _, mean, low, high in rows.iter_rows()]
    return rows.rename({"title": "name", "incremental_npv": "mean", "npv_low": "low", "npv_high": "high"}).with_columns(
        value=pl.Series(values, dtype=pl.String)
    )


def _verdicts(worth: pl.DataFrame) -> str:
    verdict = pl.when(pl.col("low") > 0.0).then(pl.lit("A gain")).when(pl.col("high") < 0.0).then(pl.lit("A loss"))
    groups = worth.with_columns(verdict=verdict.otherwise(pl.lit("Could go either way")))
    told = {
        label: groups.filter(pl.col("verdict") == label)["name"].to_list()
        for label in ("A gain", "Could go either way", "A loss")
    }
    return ". ".join(
        f"{label}: {joined(names) if worth.height <= _TOLD else f'{len(names)} of {worth.height} strategies'}"
        for label, names in told.items()
        if names
    )


def _intervals(worth: pl.DataFrame, currency: str) -> tuple[alt.Chart, alt.Chart, alt.Chart]:
    names = worth["name"].to_list()
    largest = float(worth.select(pl.max_horizontal(pl.col("low").abs(), pl.col("high").abs()).max()).item())
    amounts = money_axis(f"Net present value, {currency}", largest=largest, grid="none")
    rows = alt.Y("name:N", sort=names, axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    tooltip = [alt.Tooltip("name:N", title="Strategy"), alt.Tooltip("value:N", title=f"Mean ({INTERVAL})")]
    drawn = alt.Chart(worth).encode(
        y=rows, color=alt.Color("name:N", scale=colours(names), legend=None), tooltip=tooltip
    )
    # A rule across the figure would run through the names.
    tick = alt.Chart(worth).mark_tick(color=INK, thickness=1, size=30, opacity=1, yOffset=12)
    zero = tick.encode(y=rows, x=alt.datum(0))
    line = drawn.mark_rule(strokeWidth=4, opacity=0.45, strokeCap="round", yOffset=12).encode(
        x=alt.X("low:Q", axis=amounts), x2="high:Q"
    )
    point = drawn.mark_point(filled=True, size=130, opacity=1, yOffset=12).encode(x=alt.X("mean:Q", axis=amounts))
    return zero, line, point


def _labels(worth: pl.DataFrame) -> tuple[alt.Chart, alt.Chart]:
    drawn = alt.Chart(worth).encode(y=alt.Y("name:N", sort=worth["name"].to_list()))
    name = drawn.mark_text(align="left", dy=-12, fontWeight="bold", limit=WIDTH // 2).encode(
        x=alt.value(0), text="name:N"
    )
    value = drawn.mark_text(align="right", dy=-12, color=QUIET).encode(x=alt.value(WIDTH), text="value:N")
    return name, value


def _histograms(bars: pl.DataFrame, names: list[str], currency: str) -> Figure:
    largest = float(bars.select(pl.max_horizontal(pl.col("start").abs(), pl.col("end").abs()).max()).item())
    amounts = money_axis(f"Net present value, {currency}", largest=largest, grid="none")
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("start:Q", title=f"From, {currency}", format=",.3~r"),
        alt.Tooltip("end:Q", title=f"To, {currency}", format=",.3~r"),
        alt.Tooltip("share:Q", title="Share of draws", format=".1%"),
    ]
    drawn = (
        alt.Chart()
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("start:Q", axis=amounts, bin="binned"),
            x2="end:Q",
            y=alt.Y("share:Q", title="Share of draws", axis=alt.Axis(labelExpr=_PERCENT, tickCount=3)),
            color=alt.Color("name:N", scale=colours(names), legend=None),
            opacity=alt.condition("datum.start >= 0", alt.value(1.0), alt.value(0.4)),
            tooltip=tooltip,
        )
        .properties(width=WIDTH, height=_ROW)
    )
    zero = alt.Chart().mark_rule(color=INK).encode(x=alt.datum(0))
    header = alt.Header(labelOrient="top", labelAnchor="start", labelPadding=4)
    rows = alt.Row("name:N", sort=names, title=None, header=header)
    facets: Figure = alt.layer(drawn, zero, data=bars).facet(row=rows, spacing=14).resolve_scale(y="independent")
    return facets


def _bars(draws: pl.DataFrame) -> pl.DataFrame:
    """Return the share of each strategy's draws in bins of one round width, one of which starts at zero."""
    width = _round_width(float(draws["npv"].max()) - float(draws["npv"].min()))  # type: ignore[arg-type]
    return (
        draws.with_columns(start=(pl.col("npv") / width).floor() * width)
        .group_by("name", "start", maintain_order=True)
        .agg(count=pl.len())
        .with_columns(share=pl.col("count") / pl.col("count").sum().over("name"), end=pl.col("start") + width)
        .sort("start")
        .select("name", "start", "end", "share")
    )


def _round_width(span: float) -> float:
    if span <= 0.0:
        return 1.0
    raw = span / _BINS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= raw)
