"""What strategies bring: tables under RETURNS, STRUCTURES and draws in; figures and tables of size and chance out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import altair as alt
import polars as pl

from cxsim.reporting.tables import BADGES, Column, Prose, Row, Table, TableSpec, amount, interval, remark, share_to
from cxsim.reporting.theme import (
    INK,
    QUIET,
    WIDTH,
    Figure,
    framed,
    largest,
    money_axis,
    named,
    names_of,
    rounded,
    strategy_colour,
    tooltips,
    with_texts,
)
from cxsim.tables import REAL, RETURNS, STRUCTURES, TEXT, Contract, check
from cxsim.wording import INTERVAL, MISSING, MODELS, counted, figure, in_words, joined, number, percent, precision

NPV = Contract("NPV", TEXT("strategy"), REAL("npv"))
_BAND, _STRUCTURE_BAND = 64, 26
_BINS = 40
_ROW = 84
_PERCENT = "format(100 * datum.value, '~g') + ' %'"
# So many strategies are named one by one in a title; of more, their number is.
_NAMED = 4
_NAMED_BY_MODEL = 3
# A row is named after its strategy and its model, of which the axis shows the model; the strategy heads its rows.
_BREAK = "\N{SYMBOL FOR UNIT SEPARATOR}"
_MEAN = f"Mean ({INTERVAL})"


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
    """
    means = rounded(_means(check(returns, RETURNS), currency))
    shown = (
        f"Net present value over doing nothing, {currency}. Point: mean of all draws; line: {INTERVAL}. "
        "A gain or a loss: the whole line lies on one side of zero."
    )
    rows = alt.Y("name:N", sort=names_of(means), axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    drawn = alt.Chart(means).encode(y=alt.Y("name:N", sort=names_of(means)))
    name = drawn.mark_text(align="left", dy=-12, fontWeight="bold", limit=WIDTH // 2)
    value = drawn.mark_text(align="right", dy=-12, color=QUIET)
    tips = {"name:N": "Strategy", "value:N": _MEAN}
    layers = alt.layer(
        # A rule across the figure would run through the names.
        *_intervals(means, rows, currency, tips, tick=30, point=130, yOffset=12),
        name.encode(x=alt.value(0), text="name:N"),
        value.encode(x=alt.value(WIDTH), text="value:N"),
    )
    alt_text = " ".join(f"{name}: {value}." for name, value in means.select("name", "value").iter_rows())
    return framed(layers, finding=_verdicts(means), shown=shown, alt_text=alt_text, height=_BAND * means.height)


def npv_by_structure(structures: pl.DataFrame, currency: str) -> Figure | None:
    """Draw the net present value of each strategy under each model of leaving, with its interval.

    Parameters
    ----------
    structures
        Table under `STRUCTURES`; strategies in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart or None
        One point and one line for the 90 % interval per strategy and model, and a tick at zero. None, which a notebook
        does not show, where there is one model only: `npv_by_strategy` says the same.
    """
    if check(structures, STRUCTURES)["structure"].n_unique() < 2:
        return None
    means = _means(structures, currency).with_columns(model=pl.col("model").replace(MODELS))
    order = pl.Enum(structures["title"].unique(maintain_order=True))
    means = rounded(means.sort(pl.col("name").cast(order), maintain_order=True)).with_columns(
        _row=pl.format(f"{{}}{_BREAK}{{}}", "name", "model")
    )
    shown = (
        f"Net present value over doing nothing, {currency}, under each model of leaving by itself. Point: mean of all "
        f"draws; line: {INTERVAL}; upright stroke: zero."
    )
    heads = (
        means.select(_name="name").unique(maintain_order=True).with_columns(_row=pl.format(f"{{}}{_BREAK}", "_name"))
    )
    parts = means.partition_by("name", maintain_order=True)
    rows = [row for part in parts for row in (f"{part['name'][0]}{_BREAK}", *part["_row"])]
    axis = alt.Axis(title=None, labelExpr=f"split(datum.label, '{_BREAK}')[1]", labelColor=QUIET)
    y = alt.Y("_row:N", sort=rows, axis=axis, scale=alt.Scale(domain=rows, paddingInner=0, paddingOuter=0))
    names = alt.Chart(heads).mark_text(align="left", dy=4, fontWeight="bold", limit=WIDTH)
    tips = {"name:N": "Strategy", "model:N": "Model of leaving", "value:N": _MEAN}
    layers = alt.layer(
        names.encode(y=y, x=alt.value(0), text="_name:N"),
        *_intervals(means, y, currency, tips, tick=_STRUCTURE_BAND - 4, point=90),
    )
    alt_text = " ".join(f"{name}, {model}: {value}." for name, model, value in means["name", "model", "value"].rows())
    finding = _structures_signs(means)
    return framed(layers, finding=finding, shown=shown, alt_text=alt_text, height=_STRUCTURE_BAND * len(rows))


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
    """
    draws = named(check(npv, NPV))
    gains = draws.group_by("name", maintain_order=True).agg(gain=(pl.col("npv") > 0.0).mean(), draws=pl.len())
    shown = (
        f"Net present value over doing nothing, {currency}, in {figure(gains['draws'][0])} draws of all that is "
        "uncertain. Full bars: a gain; pale bars: a loss."
    )
    return framed(_histograms(rounded(_bars(draws)), names_of(draws), currency), finding=_chances(gains), shown=shown)


def structures_table(structures: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out the net present value of each strategy under each model of leaving by itself.

    Parameters
    ----------
    structures
        Table under `STRUCTURES`.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per strategy and model, and their difference; the title says which decisions depend on the model. One
        sentence where there is one model only.
    """
    models = check(structures, STRUCTURES)["structure"].unique(maintain_order=True).to_list()
    if len(models) > 1:
        return _STRUCTURES.render(structures, currency)
    used = f"Only one model of leaving was used here, {MODELS.get(models[0], models[0])}. " if models else ""
    return remark(
        f"{used}Other models take other customers for gone, and a decision may depend on that. Whoever writes the "
        "scenario can ask for three of them (dropout: all), each of which is then shown beside the others."
    )


def returns_table(returns: pl.DataFrame, currency: str) -> Table:
    """Lay out outlay, net present value, return on outlay, payback and break-even, one column per strategy."""
    return _RETURNS.render(returns, currency)


def with_error(name: str, error: str, write: Callable[[float], str], scale: float = 1.0) -> Callable[[Row], str | None]:
    """Return how a figure is written with its simulation error, both times `scale` in what is printed."""

    def written(row: Row) -> str | None:
        if row[name] is None or row[error] is None:
            return None if row[name] is None else write(row[name])
        size = scale * row[error]
        return f"{write(row[name])} ± {figure(size, '.0f' if size >= 1.0 else '.1f')}"

    return written


def shares(low: str, high: str) -> Callable[[Row], str | None]:
    """Return how an interval of shares is written."""
    share = share_to(0)
    return lambda row: None if row[low] is None or row[high] is None else f"{share(row[low])} to {share(row[high])}"


def whole_months(duration: float) -> str:
    """Return a duration in whole months."""
    return figure(duration, ".0f")


def _means(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    means = table.select(
        *(pl.col(name) for name in table.columns if name == "structure"),
        name="title",
        mean="incremental_npv",
        low="npv_low",
        high="npv_high",
    )
    means = with_texts(means, {"value": lambda row: in_words(row["mean"], row["low"], row["high"], currency=currency)})
    return means.rename({"structure": "model"}, strict=False)


def _verdicts(means: pl.DataFrame) -> str:
    groups = {
        "A gain": means.filter(pl.col("low") > 0.0),
        "Could go either way": means.filter(pl.col("low") <= 0.0, pl.col("high") >= 0.0),
        "A loss": means.filter(pl.col("low") <= 0.0, pl.col("high") < 0.0),
    }
    return ". ".join(
        f"{label}: {joined(names_of(own)) if means.height <= _NAMED else f'{own.height} of {means.height} strategies'}"
        for label, own in groups.items()
        if own.height
    )


def _structures_signs(means: pl.DataFrame) -> str:
    signs = means.group_by("name", maintain_order=True).agg(gains=(pl.col("mean") > 0.0).sum(), models=pl.len())
    both = signs.filter(pl.col("gains") > 0, pl.col("gains") < pl.col("models"))["name"].to_list()
    if not both:
        return "On average a gain stays a gain and a loss a loss, whichever model of leaving is used"
    names = joined(both) if len(both) <= _NAMED_BY_MODEL else f"{counted(len(both))} of {signs.height}"
    return f"On average a gain or a loss, depending on the model of leaving: {names}"


def _intervals(
    means: pl.DataFrame, y: alt.Y, currency: str, tips: dict[str, str], *, tick: int, point: int, **offset: Any
) -> tuple[alt.Chart, ...]:
    """Return a tick at zero, and a line for the interval and a point for the mean of each row."""
    axis = money_axis(f"Net present value, {currency}", largest=largest(means, ("low", "high")), grid="none")
    drawn = alt.Chart(means).encode(y=y, color=strategy_colour(names_of(means)), tooltip=tooltips(tips))
    zero = alt.Chart(means).mark_tick(color=INK, thickness=1, size=tick, opacity=1, **offset)
    line = drawn.mark_rule(strokeWidth=4, opacity=0.45, strokeCap="round", **offset)
    dot = drawn.mark_point(filled=True, size=point, opacity=1, **offset)
    return (
        zero.encode(y=y, x=alt.datum(0)),
        line.encode(x=alt.X("low:Q", axis=axis), x2="high:Q"),
        dot.encode(x=alt.X("mean:Q", axis=axis)),
    )


def _chances(gains: pl.DataFrame) -> str:
    chances = [f"{name} {percent(gain)}" for name, gain in gains.select("name", "gain").iter_rows()]
    if len(chances) <= _NAMED:
        return f"Chance of a gain: {joined(chances)}"
    least, most = gains["gain"].arg_min(), gains["gain"].arg_max()
    return f"Chance of a gain: from {chances[least or 0]} to {chances[most or 0]}"


def _histograms(bars: pl.DataFrame, names: list[str], currency: str) -> Figure:
    axis = money_axis(f"Net present value, {currency}", largest=largest(bars, ("start", "end")), grid="none")
    drawn = alt.Chart().mark_bar(binSpacing=1).properties(width=WIDTH, height=_ROW)
    drawn = drawn.encode(
        x=alt.X("start:Q", axis=axis, bin="binned"),
        x2="end:Q",
        y=alt.Y("share:Q", title="Share of draws", axis=alt.Axis(labelExpr=_PERCENT, tickCount=3)),
        color=strategy_colour(names),
        opacity=alt.condition("datum.start >= 0", alt.value(1.0), alt.value(0.4)),
        tooltip=tooltips(
            {
                "name:N": "Strategy",
                "start:Q": f"From, {currency}",
                "end:Q": f"To, {currency}",
                "share:P": "Share of draws",
            }
        ),
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


def _returns_finding(returns: pl.DataFrame) -> str:
    ranked = returns.drop_nulls("roi").sort("roi", descending=True, maintain_order=True)
    if ranked.is_empty():
        return "What each strategy returns"
    best, roi = ranked["title", "roi"].row(0)
    if roi > 0.0:
        return f"{best} returns most on its outlay: {share_to(0)(roi)} on average"
    return f"On average no strategy earns back its outlay; {best} comes nearest"


_ENDS = ("incremental_npv", "npv_low", "npv_high")
_RETURNS = TableSpec(
    id="returns",
    contract=RETURNS,
    title=_returns_finding,
    subtitle="Against doing nothing; amounts in today's {currency}",
    across="strategy",
    line="title",
    columns={
        "decision": Column("Decision", write=BADGES.__getitem__),
        "outlay": Column("Outlay, {currency}"),
        "npv": Column("Net present value, {currency}", amount(_ENDS[0], _ENDS[1:]), error="npv_mc_error"),
        "interval": Column(f"Net present value, {INTERVAL}", interval("npv_low", "npv_high", ("incremental_npv",))),
        "chance": Column("Chance of a gain", with_error("prob_npv_positive", "prob_mc_error", percent, 100.0)),
        "roi": Column("Return on outlay", with_error("roi", "roi_mc_error", share_to(0), 100.0)),
        "roi_interval": Column(f"Return on outlay, {INTERVAL}", shares("roi_low", "roi_high")),
        "payback": Column(
            "Payback in half of the draws, months", with_error("payback_months", "payback_mc_error", whole_months)
        ),
        "payback_months_late": Column("Payback in nine draws of ten, months", write=whole_months),
        "prob_payback": Column("Chance of payback within the horizon", write=percent),
        "break_even_scale": Column("Breaks even at, of the planned outlay", write=share_to(0)),
    },
    notes=(
        "Return on outlay: net present value per unit of outlay.",
        f"Payback: when cumulative cash, not discounted, is back at zero; {MISSING} if not within the horizon.",
        f"Breaks even: the outlay for which the same gain would just pay; {MISSING} without outlay.",
        "±: simulation error, the standard error that comes from the limited number of draws.",
    ),
)


def _structures_finding(structures: pl.DataFrame) -> str:
    decisions = structures.group_by("strategy", maintain_order=True).agg(
        pl.col("title").first(), depends=pl.col("decision").n_unique() > 1
    )
    depends = decisions.filter("depends")["title"].to_list()
    if not depends:
        return "No decision depends on the model of leaving"
    if len(depends) <= _NAMED_BY_MODEL:
        verb = ("decision", "depends") if len(depends) == 1 else ("decisions", "depend")
        return f"The {verb[0]} on {joined(depends)} {verb[1]} on the model of leaving"
    of = counted(decisions.height)
    return f"{counted(len(depends)).capitalize()} of {of} decisions depend on the model of leaving"


def _by_model(structures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of each strategy, rounded together, and below them the largest difference of their means."""
    rows = []
    for part in structures.partition_by("strategy", maintain_order=True):
        together = precision(part.select(pl.concat_list(_ENDS).explode()).to_series().to_list())
        for row in part.rows(named=True):
            npv, low, high = (row[name] for name in _ENDS)
            shown = {"npv": together.text(npv), "interval": together.span(low, high)}
            rows.append(row | shown | {"chance": percent(row["prob_npv_positive"])})
        means = part["incremental_npv"].to_list()
        verdict = "depends on the model" if part["decision"].n_unique() > 1 else "the same"
        last = {"title": part["title"][0], "structure": "Largest difference", "decision": verdict}
        rows.append(last | {"npv": number(max(means) - min(means)), "interval": "", "chance": ""})
    return rows


_STRUCTURES = TableSpec(
    id="structures",
    contract=STRUCTURES,
    title=_structures_finding,
    subtitle="Against doing nothing, in today's {currency}, under each model by itself",
    rows=_by_model,
    group="title",
    line=lambda row: MODELS.get(row["structure"], row["structure"]),
    columns={
        "decision": Column("Decision", write=lambda decision: BADGES.get(decision, decision), align="text"),
        "npv": Column("Net present value, {currency}"),
        "interval": Column(INTERVAL),
        "chance": Column("Chance of a gain"),
    },
    notes=(
        (
            "What differs: in BG/NBD a customer can leave only after a repeat order, so that whoever ordered once "
            "still counts as a customer; in MBG/NBD a customer may leave after the first order too; in Pareto/NBD "
            "customers leave as time passes, whether they order or not."
        ),
        (
            "Nobody can observe who has left, so no order log says for certain which of them is right. In all other "
            "sections each counts the same."
        ),
    ),
)
