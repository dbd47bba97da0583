"""What the strategies are worth: net present values go in, the figures of their size and of their chance come out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from cxsim.reporting.tables import BADGES, Prose, Table, laid_out, remark
from cxsim.reporting.theme import INK, QUIET, WIDTH, Figure, colours, framed, money_axis, named, names_of, rounded
from cxsim.tables import RETURNS, STRUCTURES, Contract, check
from cxsim.wording import (
    INTERVAL,
    MINUS,
    MISSING,
    MODELS,
    NBSP,
    counted,
    in_words,
    joined,
    localise,
    number,
    percent,
    precision,
)

NPV = Contract(name="NPV", columns={"strategy": (pl.String,), "npv": (pl.Float64,)})
_BAND = 64
_BINS = 40
_ROW = 84
_PERCENT = "format(100 * datum.value, '~g') + ' %'"
# So many strategies are told one by one in a title; of more, their number is.
_NAMED = 4


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
    alt_text = " ".join(f"{name}: {value}." for name, value in worth.select("name", "value").iter_rows())
    drawn = alt.layer(*_intervals(worth, currency), *_labels(worth))
    return framed(drawn, finding=finding, shown=shown, alt_text=alt_text, height=_BAND * worth.height)


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
    finding, count = _chances(gains), localise(f"{gains['draws'][0]:,}")
    shown = (
        f"Net present value over doing nothing, {currency}, in {count} draws of all that is uncertain. "
        "Full bars: a gain; pale bars: a loss."
    )
    drawn = _histograms(rounded(_bars(draws)), names, currency)
    return framed(drawn, finding=finding, shown=shown, height=_ROW)


def _chances(gains: pl.DataFrame) -> str:
    alt_text = [f"{name} {percent(gain)}" for name, gain in gains.select("name", "gain").iter_rows()]
    if len(alt_text) <= _NAMED:
        return f"Chance of a gain: {joined(alt_text)}"
    least, most = gains["gain"].arg_min(), gains["gain"].arg_max()
    return f"Chance of a gain: from {alt_text[least or 0]} to {alt_text[most or 0]}"


def _worth(returns: pl.DataFrame, currency: str) -> pl.DataFrame:
    rows = returns.select("title", "incremental_npv", "npv_low", "npv_high")
    values = [in_words(mean, low, high, currency=currency) for _, mean, low, high in rows.iter_rows()]
    return rows.rename({"title": "name", "incremental_npv": "mean", "npv_low": "low", "npv_high": "high"}).with_columns(
        value=pl.Series(values, dtype=pl.String)
    )


def _verdicts(worth: pl.DataFrame) -> str:
    verdict = pl.when(pl.col("low") > 0.0).then(pl.lit("A gain")).when(pl.col("high") < 0.0).then(pl.lit("A loss"))
    groups = worth.with_columns(verdict=verdict.otherwise(pl.lit("Could go either way")))
    alt_text = {
        label: groups.filter(pl.col("verdict") == label)["name"].to_list()
        for label in ("A gain", "Could go either way", "A loss")
    }
    return ". ".join(
        f"{label}: {joined(names) if worth.height <= _NAMED else f'{len(names)} of {worth.height} strategies'}"
        for label, names in alt_text.items()
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


def returns_table(returns: pl.DataFrame, currency: str) -> Table:
    """Lay out outlay, net present value, return on outlay, payback and break-even, one column per strategy."""
    rows = check(returns, RETURNS).rows(named=True)
    heads = {f"strategy_{place}": str(row["title"]) for place, row in enumerate(rows, start=1)}
    figures = [_figures(row, currency) for row in rows]
    cells = pl.DataFrame({"line": list(_figures(rows[0], currency)) if rows else []}).with_columns(
        **{name: pl.Series(list(column.values())) for name, column in zip(heads, figures, strict=True)}
    )
    title = _finding(rows)
    layout = laid_out(
        cells,
        title=title,
        subtitle=f"Against doing nothing; amounts in today's {currency}",
        heads=heads,
        notes=(
            "Return on outlay: net present value per unit of outlay.",
            f"Payback: when cumulative cash, not discounted, is back at zero; {MISSING} if not within the horizon.",
            f"Breaks even: the outlay for which the same gain would just pay; {MISSING} without outlay.",
            "±: simulation error, the standard error that comes from the limited number of draws.",
        ),
    )
    return Table(id="returns", title=title, layout=layout, twin=returns)


def _figures(row: Mapping[str, Any], currency: str) -> dict[str, str]:
    worth = precision([row["incremental_npv"], row["npv_low"], row["npv_high"]])
    return {
        "Decision": BADGES[row["decision"]],
        f"Outlay, {currency}": number(row["outlay"]),
        f"Net present value, {currency}": f"{worth.text(row['incremental_npv'])} ± {number(row['npv_mc_error'])}",
        f"Net present value, {INTERVAL}": f"{worth.bare(row['npv_low'])} to {worth.text(row['npv_high'])}",
        "Chance of a gain": f"{percent(row['prob_npv_positive'])} ± {_error(100 * row['prob_mc_error'])}",
        "Return on outlay": _with_error(_share(row["roi"]), row["roi_mc_error"], 100.0),
        f"Return on outlay, {INTERVAL}": _span(row["roi_low"], row["roi_high"]),
        "Payback in half of the draws, months": _with_error(
            _months(row["payback_months"]), row["payback_mc_error"], 1.0
        ),
        "Payback in nine draws of ten, months": _months(row["payback_months_late"]),
        "Chance of payback within the horizon": percent(row["prob_payback"]),
        "Breaks even at, of the planned outlay": _share(row["break_even_scale"]),
    }


def _finding(rows: Sequence[Mapping[str, Any]]) -> str:
    ranked = sorted((row for row in rows if row["roi"] is not None), key=lambda row: -float(row["roi"]))
    if not ranked:
        return "What each strategy returns"
    best = ranked[0]
    if best["roi"] > 0.0:
        return f"{best['title']} returns most on its outlay: {_share(best['roi'])} on average"
    return f"On average no strategy earns back its outlay; {best['title']} comes nearest"


def _with_error(text: str, error: float | None, scale: float) -> str:
    return text if error is None or text == MISSING else f"{text} ± {_error(scale * error)}"


def _error(error: float) -> str:
    return localise(f"{error:.0f}" if error >= 1.0 else f"{error:.1f}")


def _share(share: float | None) -> str:
    return MISSING if share is None else localise(f"{100 * share:,.0f}{NBSP}%".replace("-", MINUS))


def _span(low: float | None, high: float | None) -> str:
    return MISSING if low is None or high is None else f"{_share(low)} to {_share(high)}"


def _months(duration: float | None) -> str:
    return MISSING if duration is None else f"{duration:.0f}"


_BY_STRUCTURE_BAND = 26
# So many strategies are named in a title; of more, their number is told.
_BY_STRUCTURE_NAMED = 3
# A row is named after its strategy and its model, of which the axis shows the model; the strategy heads its rows.
_BREAK = "\N{SYMBOL FOR UNIT SEPARATOR}"
_LABEL = f"split(datum.label, '{_BREAK}')[1]"


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

    Raises
    ------
    TableError
        For a table that is not under `STRUCTURES`.
    """
    if check(structures, STRUCTURES)["structure"].n_unique() < 2:
        return None
    worth = rounded(_by_structure_worth(structures, currency))
    shown = (
        f"Net present value over doing nothing, {currency}, under each model of leaving by itself. Point: mean of all "
        f"draws; line: {INTERVAL}; upright stroke: zero."
    )
    alt_text = " ".join(
        f"{name}, {model}: {value}." for name, model, value in worth.select("name", "model", "value").iter_rows()
    )
    rows = _rows(worth)
    drawn = alt.layer(*_headings(worth, rows), *_by_structure_intervals(worth, rows, currency))
    return framed(
        drawn,
        finding=_by_structure_finding(worth),
        shown=shown,
        alt_text=alt_text,
        height=_BY_STRUCTURE_BAND * len(rows),
    )


def _by_structure_worth(structures: pl.DataFrame, currency: str) -> pl.DataFrame:
    names = structures["title"].unique(maintain_order=True).to_list()
    table = structures.select(
        name="title",
        model=pl.col("structure").replace(MODELS),
        mean="incremental_npv",
        low="npv_low",
        high="npv_high",
    ).with_columns(_row=pl.format(f"{{}}{_BREAK}{{}}", "name", "model"))
    values = [
        in_words(mean, low, high, currency=currency) for mean, low, high in table.select("mean", "low", "high").rows()
    ]
    place = pl.col("name").replace_strict({name: number for number, name in enumerate(names)})
    return table.with_columns(value=pl.Series(values, dtype=pl.String)).sort(place, maintain_order=True)


def _rows(worth: pl.DataFrame) -> list[str]:
    """Return the rows from top to bottom: before the models of each strategy one for its name."""
    return [
        row
        for part in worth.partition_by("name", maintain_order=True)
        for row in (f"{part['name'][0]}{_BREAK}", *part["_row"].to_list())
    ]


def _by_structure_finding(worth: pl.DataFrame) -> str:
    signs = worth.group_by("name", maintain_order=True).agg(gains=(pl.col("mean") > 0.0).sum(), models=pl.len())
    open_names = signs.filter((pl.col("gains") > 0) & (pl.col("gains") < pl.col("models")))["name"].to_list()
    if not open_names:
        return "On average a gain stays a gain and a loss a loss, whichever model of leaving is used"
    named = (
        joined(open_names)
        if len(open_names) <= _BY_STRUCTURE_NAMED
        else f"{counted(len(open_names))} of {signs.height}"
    )
    return f"On average a gain or a loss, depending on the model of leaving: {named}"


def _headings(worth: pl.DataFrame, rows: list[str]) -> tuple[alt.Chart]:
    heads = (
        worth.select(_name="name").unique(maintain_order=True).with_columns(_row=pl.format(f"{{}}{_BREAK}", "_name"))
    )
    drawn = alt.Chart(heads).mark_text(align="left", dy=4, fontWeight="bold", limit=WIDTH)
    return (drawn.encode(y=_axis(rows), x=alt.value(0), text="_name:N"),)


def _by_structure_intervals(worth: pl.DataFrame, rows: list[str], currency: str) -> tuple[alt.Chart, ...]:
    largest = float(worth.select(pl.max_horizontal(pl.col("low").abs(), pl.col("high").abs()).max()).item())
    amounts = money_axis(f"Net present value, {currency}", largest=largest, grid="none")
    names = worth["name"].unique(maintain_order=True).to_list()
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("model:N", title="Model of leaving"),
        alt.Tooltip("value:N", title=f"Mean ({INTERVAL})"),
    ]
    drawn = alt.Chart(worth).encode(
        y=_axis(rows), color=alt.Color("name:N", scale=colours(names), legend=None), tooltip=tooltip
    )
    zero = alt.Chart(worth).mark_tick(color=INK, thickness=1, size=_BY_STRUCTURE_BAND - 4, opacity=1)
    line = drawn.mark_rule(strokeWidth=4, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", axis=amounts), x2="high:Q"
    )
    point = drawn.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("mean:Q", axis=amounts))
    return zero.encode(y=_axis(rows), x=alt.datum(0)), line, point


def _axis(rows: list[str]) -> alt.Y:
    axis = alt.Axis(title=None, labelExpr=_LABEL, labelColor=QUIET)
    return alt.Y("_row:N", sort=rows, axis=axis, scale=alt.Scale(domain=rows, paddingInner=0, paddingOuter=0))


# So many strategies are named in a title; of more, their number is told.
_STRUCTURES_NAMED = 3
_NOTES = (
    (
        "What differs: in BG/NBD a customer can leave only after a repeat order, so that whoever ordered once still "
        "counts as a customer; in MBG/NBD a customer may leave after the first order too; in Pareto/NBD customers "
        "leave as time passes, whether they order or not."
    ),
    (
        "Nobody can observe who has left, so no order log says for certain which of them is right. In all other "
        "sections each counts the same."
    ),
)


def structures_table(structures: pl.DataFrame, currency: str) -> Table | Prose:
    """Lay out what each strategy is worth under each model of leaving by itself.

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

    Raises
    ------
    TableError
        For a table that is not under `STRUCTURES`.
    """
    table = check(structures, STRUCTURES)
    models = table["structure"].unique(maintain_order=True).to_list()
    if len(models) < 2:
        return _single([_known(model) for model in models])
    parts = table.partition_by("strategy", maintain_order=True)
    cells = [row for part in parts for row in _structures_rows(part)]
    heads = {
        "decision": "Decision",
        "npv": f"Net present value, {currency}",
        "interval": INTERVAL,
        "chance": "Chance of a gain",
    }
    title = _structures_finding(parts)
    layout = laid_out(
        pl.DataFrame(cells, schema=dict.fromkeys(["group", "line", *heads], pl.String), orient="row"),
        title=title,
        subtitle=f"Against doing nothing, in today's {currency}, under each model by itself",
        heads=heads,
        text=("decision",),
        notes=_NOTES,
    )
    return Table(id="structures", title=title, layout=layout, twin=table)


def _structures_rows(part: pl.DataFrame) -> list[tuple[str, ...]]:
    rows = part.rows(named=True)
    together = precision([row[name] for row in rows for name in ("incremental_npv", "npv_low", "npv_high")])
    alt_text = [
        (
            row["title"],
            _known(row["structure"]),
            BADGES.get(row["decision"], row["decision"]),
            together.text(row["incremental_npv"]),
            f"{together.bare(row['npv_low'])} to {together.text(row['npv_high'])}",
            percent(row["prob_npv_positive"]),
        )
        for row in rows
    ]
    means = part["incremental_npv"]
    spread = number(float(means.max()) - float(means.min()))  # type: ignore[arg-type]
    verdict = "depends on the model" if _depends(part) else "the same"
    return [*alt_text, (rows[0]["title"], "Largest difference", verdict, spread, "", "")]


def _depends(part: pl.DataFrame) -> bool:
    return part["decision"].n_unique() > 1


def _structures_finding(parts: Sequence[pl.DataFrame]) -> str:
    depends = [str(part["title"][0]) for part in parts if _depends(part)]
    if not depends:
        return "No decision depends on the model of leaving"
    if len(depends) <= _STRUCTURES_NAMED:
        decisions = "decision" if len(depends) == 1 else "decisions"
        verb = "depends" if len(depends) == 1 else "depend"
        return f"The {decisions} on {joined(depends)} {verb} on the model of leaving"
    return f"{counted(len(depends)).capitalize()} of {counted(len(parts))} decisions depend on the model of leaving"


def _single(models: Sequence[str]) -> Prose:
    used = f"Only one model of leaving was used here, {models[0]}. " if models else ""
    return remark(
        f"{used}Other models take other customers for gone, and a decision may depend on that. Whoever writes the "
        "scenario can ask for three of them (dropout: all), each of which is then shown beside the others."
    )


def _known(model: str) -> str:
    return MODELS.get(model, model)
