"""What the result depends on: TORNADO, HEAT, RATES and BREAK_EVENS in; its change by one assumption or two out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.reporting.business.break_even import WITHIN, plausible
from cxsim.reporting.tables import (
    CENTRAL,
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    as_written,
    found,
    headed,
    span,
    unit_in_words,
)
from cxsim.reporting.theme import (
    COLUMN,
    FIRST,
    GRID,
    INK,
    ON_DARK,
    ON_PALE,
    QUIET,
    WIDTH,
    Figure,
    distinct,
    distinguishable,
    either,
    framed,
    headings,
    in_chart,
    in_column,
    in_order,
    largest,
    least_and_most,
    lines_beside,
    money_axis,
    names_of,
    panels,
    read_out,
    rimmed,
    rounded,
    short,
    shortened,
    strategy_colour,
    strategy_panels,
    tooltips,
    with_texts,
    zero_rule,
)
from cxsim.study.business.sensitivity import BREAK_EVENS, HEAT, RATES, TORNADO
from cxsim.tables import check
from cxsim.wording import (
    INTERVAL,
    NBSP,
    between,
    counted,
    figure,
    first_sentence,
    joined,
    labelled,
    lowered,
    money,
    number,
    searched,
)

# So many strategies are drawn, and so many numbers of each.
_PANELS, _MOST = 3, 8
_ROW, _HEAT_ROW = 38, 30
# Width for the values at both ends of a bar, in pixels.
_ENDS = 68
# So many numbers of a strategy are read out, each so.
_READ, _MOVED = 3, "{description}: {npv_at_low} at {low}, {npv_at_high} at {high}"
_NPVS = ("npv_at_low", "npv_at_high", "npv_base")
# Brown to green by way of white, after ColorBrewer's BrBG: distinguished under every common colour blindness.
_SHADES = ["#8C510A", ON_DARK, "#01665E"]
_INDENT = 84
_HEAT_CHARACTERS = 92
_RISE = -52
# Cells further from zero than this share of the furthest are so dark that their words must be white.
_DARK = 0.55
# So many strategies are named one by one in a title; of more, the least and the most are.
_NAMED = 3


def tornado(tornado: pl.DataFrame, currency: str) -> Figure:
    """Draw what each uncertain number does to the net present value when it alone is moved.

    Parameters
    ----------
    tornado
        Table under `TORNADO`, with all strategies of the scenario in their order.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One panel per strategy, of three at most, those that move most: a bar from the NPV at the 10 % quantile of a
        number to that at its 90 % quantile, for the numbers with the largest swing.

    Raises
    ------
    TableError
        If the table is not under `TORNADO`, or is empty.
    """
    every = check(tornado, TORNADO).rename({"title": "name"})
    if every.is_empty():
        raise TableError("TORNADO: the table is empty; there must be one row per strategy and number at least.")
    names = names_of(every)
    by_swing = every.sort(pl.col("swing").max().over("strategy"), descending=True, maintain_order=True)
    chosen = every.filter(pl.col("name").is_in(names_of(by_swing)[:_PANELS]))
    bars = rounded(_bars(chosen.filter(pl.col("rank") <= _MOST), currency))
    fewer = f" Shown: the {counted(_PANELS)} of {counted(len(names))} programmes whose NPV moves most."
    notes = (" Scales differ between panels." if len(names) > 1 else "") + (fewer if len(names) > _PANELS else "")
    shown = (
        f"NPV against the baseline, {currency}, when one assumption moves from the low (pale) to the high end (dark) "
        f"of its 80{NBSP}% interval. Labels give both ends. Dashed line: base case, all assumptions at central values; "
        f"thick line: zero.{notes}"
    )
    words = bars.with_columns(pl.col(_NPVS).map_elements(number, return_dtype=pl.String))
    texts = [
        f"{own['name'][0]}, {lowered(own['_note'][0])}. {read_out(own.head(_READ), _MOVED, '; ')}."
        for own in words.partition_by("name", maintain_order=True)
    ]
    drawn = strategy_panels(_layers(bars, names, currency), bars, height=alt.Step(_ROW), names=names)
    measures = ("npv_with_one_assumption_moved", CENTRAL)
    return framed(drawn, finding=_finding(chosen), shown=shown, alt_text=" ".join(texts), measures=measures)


def heat_map(heat: pl.DataFrame, currency: str) -> Figure:
    """Draw the net present value of each strategy over two of its own numbers.

    Parameters
    ----------
    heat
        Table under `HEAT`, strategies in the order of the scenario; a strategy with one number is a map of one row.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One map per strategy: a coloured cell with its value per node, and a thick line between gain and loss.
    """
    nodes = check(heat, HEAT).rename({"title": "name"})
    by_name = nodes.group_by("name", maintain_order=True)
    cells = rounded(by_name.map_groups(lambda own: _cells(own, currency)))
    shown = (
        f"NPV against the baseline, {currency} (k: thousands), for pairs of values of two assumptions of each "
        "programme, all others at central values, so without an interval. Green: positive; brown: negative; thick "
        "line: break-even."
    )
    texts = []
    for own in cells["name", "npv", "_place"].partition_by("name", maintain_order=True):
        worst, best = (f"{money(npv, currency)} at {place}" for _, npv, place in least_and_most(own, "npv"))
        texts.append(f"{own['name'][0]}: from {worst} to {best}.")
    drawn = panels(_heat_layers(cells), cells.drop("_place"), width=WIDTH - _INDENT, height=alt.Step(_HEAT_ROW))
    return framed(drawn, finding=_heat_finding(nodes), shown=shown, alt_text=" ".join(texts))


def rates_table(rates: pl.DataFrame, currency: str, annual_discount_rate: float) -> Table:
    """Lay out each strategy's net present value at other discount rates and horizons.

    Parameters
    ----------
    rates
        Table under `RATES`; strategies in the order in which they are shown.
    currency
        Code of the currency, as "USD".
    annual_discount_rate
        That of the scenario, shown between the lowest and the highest.

    Returns
    -------
    Table
        Three rows per strategy, one column per horizon: mean and interval. The twin holds all discount rates, and the
        chances of a positive net present value.
    """
    horizons = check(rates, RATES)["horizon_months"].unique().sort()
    columns = headed({str(months): f"{months}{NBSP}months" for months in horizons})
    spec = replace(_RATES, columns=columns, spanners={"Horizon": list(columns)})
    return replace(spec, rows=lambda table: _by_rate(table, annual_discount_rate)).render(rates, currency)


def break_evens_table(break_evens: pl.DataFrame, currency: str) -> Table | Prose:
    """List the values at which each number alone would bring a strategy's base case to zero.

    Parameters
    ----------
    break_evens
        Table under `BREAK_EVENS`, of each strategy the nearest break-even first.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table or Prose
        One row per number that has a break-even, under its strategy, and one row that counts those without; its twin
        has all of them. One sentence where no number has a spread.
    """
    spec = replace(_BREAK_EVENS, rows=lambda table: _reached(table, currency))
    return spec.render_or_remark(break_evens, currency)


def _bars(chosen: pl.DataFrame, currency: str) -> pl.DataFrame:
    ordered = in_order(chosen, "name", ["rank"])
    ends = [
        distinguishable([low, high], unit, currency) for low, high, unit in ordered["at_low", "at_high", "unit"].rows()
    ]
    bars = with_texts(
        ordered.with_columns(pl.DataFrame(ends, schema=["low", "high"], orient="row")),
        {
            "description": lambda row: searched(row["description"]),
            "_label": lambda row: in_column(row["description"]),
            "_note": lambda row: in_chart(
                f"Base case: {labelled(money(row['npv_base'], currency), 'npv', row['strategy'], CENTRAL)}"
            ),
        },
    )
    rising = pl.when(pl.col("npv_at_low") <= pl.col("npv_at_high"))
    return bars.select(
        *("name", "rank", "description", *_NPVS, "low", "high", "_label", "_note"),
        _from=pl.min_horizontal(_NPVS),
        _to=pl.max_horizontal(_NPVS),
        _left=rising.then("low").otherwise("high"),
        _right=rising.then("high").otherwise("low"),
    )


def _layers(bars: pl.DataFrame, names: list[str], currency: str) -> list[alt.Chart]:
    title = f"NPV, {currency}"
    axis = money_axis(title, largest=largest(bars, _NPVS))
    x = alt.X("npv_base:Q", axis=axis, scale=alt.Scale(padding=_ENDS, nice=False, zero=False))
    tips = {
        "name:N": "Programme",
        "description:N": "Assumption",
        "low:N": "Low end",
        "npv_at_low:Q": "NPV at the low end",
        "high:N": "High end",
        "npv_at_high:Q": "NPV at the high end",
        "npv_base:Q": "Base-case NPV",
        "rank:I": "Rank",
    }
    drawn = alt.Chart().encode(y=alt.Y("rank:O", axis=None))
    bar = drawn.mark_bar(height=17, aria=False).encode(x=x, color=strategy_colour(names), tooltip=tooltips(tips))
    dashed = alt.Chart().transform_filter(FIRST).mark_rule(color=INK, strokeDash=[3, 2], aria=False)
    left = drawn.encode(x=alt.X("_from:Q", title=title), text="_left:N")
    right = drawn.encode(x=alt.X("_to:Q", title=title), text="_right:N")
    return [
        bar.encode(x2="npv_at_low:Q", opacity=alt.value(0.42)),
        bar.encode(x2="npv_at_high:Q"),
        zero_rule("x", 2.2),
        dashed.encode(x=alt.X("npv_base:Q", title=title)),
        lines_beside(drawn, indent=COLUMN),
        *rimmed(left, align="right", gap=5),
        *rimmed(right, align="left", gap=5),
    ]


def _counted(count: int) -> str:
    return counted(count) if count else "none"


def _finding(chosen: pl.DataFrame) -> str:
    """Return how many numbers of each strategy could change the sign of its result, each alone."""
    changes = (pl.col("npv_at_low") > 0.0) != (pl.col("npv_at_high") > 0.0)
    counts = chosen.group_by("strategy", "name", maintain_order=True).agg(count=changes.sum(), of=pl.len())
    parts = [
        f"{labelled(f'{_counted(count)} of {counted(of)}', 'sign_changes', strategy, CENTRAL)} for {name}"
        for strategy, name, count, of in counts.rows()
    ]
    if counts["count"].sum() == 0:
        return "No single assumption changes the sign of NPV"
    return f"Assumptions that alone change the sign of NPV: {joined(parts)}"


def _cells(nodes: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return one strategy's nodes, highest first, with values in words and where the break-even runs beside them."""
    grid = nodes.sort(["y", "x"], descending=[True, False])
    gain = pl.col("npv") > 0.0
    axes = (across, xs), (upwards, ys) = [_axis(grid, axis, currency) for axis in ("x", "y")]
    at = [[f"{words} {value}" for value in values] for words, values in axes if words]
    places = list(map(joined, zip(*at, strict=True))) or ["central values"]
    note = f"Horizontal axis: {lowered(across)}" if across else "None of its own assumptions is uncertain"
    second = f"Vertical axis: {lowered(upwards)}" if upwards else "It has no second uncertain assumption"
    first = pl.int_range(pl.len()) == 0
    return grid.select(
        "name",
        pl.Series("x", xs),
        pl.Series("y", ys),
        "npv",
        pl.Series("_cell", [short(npv) for npv in grid["npv"]]),
        pl.Series("_place", places),
        _right=(gain != gain.shift(-1).over("y")).fill_null(value=False),
        _below=(gain != gain.shift(-1).over("x")).fill_null(value=False),
        _first=first,
        _note=pl.when(first).then(pl.lit(note)),
        _down=pl.when(first).then(pl.lit(second if across else "")),
    )


def _axis(grid: pl.DataFrame, axis: str, currency: str) -> tuple[str, list[str]]:
    """Return what an axis shows and its values, in words; nothing where the strategy has no such number."""
    if not grid[f"{axis}_id"][0]:
        return "", [""] * grid.height
    words = shortened(searched(grid[f"{axis}_description"][0]), _HEAT_CHARACTERS)
    return words, distinguishable(grid[axis].to_list(), grid[f"{axis}_unit"][0], currency)


def _heat_layers(cells: pl.DataFrame) -> list[alt.Chart]:
    most = largest(cells, ["npv"]) or 1.0
    x = alt.X("x:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    y = alt.Y("y:N", sort=None, title=None, axis=alt.Axis(labelColor=QUIET))
    scale = alt.Scale(domain=[-most, 0.0, most], range=_SHADES, interpolate="rgb")
    tips = {"name:N": "Programme", "x:N": "Horizontal axis", "y:N": "Vertical axis", "npv:Q": "NPV"}
    white = either(f"abs(datum.npv) > {_DARK * most:.6g}", ON_DARK, ON_PALE)
    drawn = alt.Chart().encode(x=x, y=y)
    heading = headings(FIRST, strategy_colour(names_of(cells)), indent=_INDENT, rise=_RISE)
    text = alt.Chart().transform_filter(FIRST).mark_text(align="left", baseline="middle", color=QUIET, aria=False)
    return [
        drawn.mark_rect(stroke=GRID, strokeWidth=0.5, aria=False).encode(
            fill=alt.Color("npv:Q", scale=scale, legend=None), tooltip=tooltips(tips)
        ),
        drawn.mark_text(fontSize=12, aria=False).encode(text="_cell:N", color=white),
        *_sides(),
        *heading[:2],
        text.encode(x=alt.value(-_INDENT), y=alt.value(_RISE + 19), text="_note:N"),
        text.encode(x=alt.value(-_INDENT), y=alt.value(_RISE + 35), text="_down:N"),
    ]


def _sides() -> tuple[alt.Chart, alt.Chart]:
    """Return the sides of cells at which a gain meets a loss."""
    side = alt.Chart().mark_rule(color=INK, strokeWidth=3, strokeCap="square", aria=False)
    left, right = (alt.X("x:N", sort=None, bandPosition=place) for place in (0, 1))
    top, bottom = (alt.Y("y:N", sort=None, bandPosition=place) for place in (0, 1))
    return (
        side.transform_filter("datum._right").encode(x=right, y=top, y2=alt.Y2("y", bandPosition=1)),
        side.transform_filter("datum._below").encode(x=left, x2=alt.X2("x", bandPosition=1), y=bottom),
    )


def _heat_finding(nodes: pl.DataFrame) -> str:
    gain = pl.col("npv") > 0.0
    of = pl.format("{} of {}", gain.sum(), pl.len()).str.replace("^0", "none")
    counts = nodes.group_by("name", maintain_order=True).agg(gain.mean().alias("share"), of=of)
    if counts.height > _NAMED:
        ends = [f"{of} ({name})" for name, _, of in least_and_most(counts, "share")]
        return f"Pairs of values with a positive NPV: {' to '.join(ends)}"
    return f"Pairs of values with a positive NPV: {joined([f'{of} for {name}' for name, _, of in counts.rows()])}"


def _rates_finding(rates: pl.DataFrame) -> str:
    signs = rates.group_by("strategy", "title", maintain_order=True).agg(gains=(pl.col("npv") > 0.0).mean())
    places = {
        "at every discount rate and horizon": pl.col("gains") == 1.0,
        "at some discount rates and horizons": pl.col("gains").is_between(0.0, 1.0, closed="none"),
        "at no combination": pl.col("gains") == 0.0,
    }
    groups = {place: signs.filter(which)["title"].to_list() for place, which in places.items()}
    parts = [f"{place} for {joined(own)}" for place, own in groups.items() if own]
    return f"Expected NPV is positive {'; '.join(parts)}"


def _by_rate(rates: pl.DataFrame, own_rate: float) -> Sequence[Row]:
    """Return rows of the lowest, the scenario's and the highest rate."""
    rate = pl.col("annual_discount_rate")
    few = rates.filter((rate == rate.min()) | (rate == own_rate) | (rate == rate.max()))
    parts = [_pivoted(own) for own in few.partition_by("strategy", maintain_order=True)]
    return pl.concat(parts, how="diagonal").rows(named=True)


def _pivoted(own: pl.DataFrame) -> pl.DataFrame:
    texts = with_texts(
        own.sort("annual_discount_rate"),
        {"text": lambda row: f"{number(row['npv'])} ({between(row['low'], row['high'])})"},
    )
    return texts.pivot("horizon_months", index=["title", "annual_discount_rate"], values="text")


_RATES = TableSpec(
    id="rates",
    title=_rates_finding,
    subtitle=f"NPV in today's {{currency}} and {INTERVAL}, by discount rate and horizon",
    # One column per horizon.
    columns={},
    group="title",
    line=lambda row: f"{figure(100 * row['annual_discount_rate'], '.4g')}{NBSP}% a year",
    stub="Discount rate",
    notes=(
        (
            "Each horizon settles outstanding points at its end. Beyond the scenario's horizon no programme runs; "
            "the later value of its customers is included."
        ),
    ),
)


def _break_evens_finding(break_evens: pl.DataFrame) -> str:
    """Return for which strategies one number within its 90 % range is enough to change the sign."""
    near = distinct(break_evens.filter(pl.col("score").abs() <= WITHIN), "title")
    if not near:
        return "No single assumption, within its plausible range, changes the sign of NPV"
    many = f"{counted(len(near))} of {counted(break_evens['strategy'].n_unique())} programmes"
    names = joined(near) if len(near) <= _NAMED else many
    return f"Some assumptions, each alone and within its plausible range, change the sign of NPV for {names}"


def _reached(break_evens: pl.DataFrame, currency: str) -> list[Row]:
    """Return the numbers of each strategy that have a break-even, and a row that counts the others."""
    rows: list[Row] = []
    for part in break_evens.partition_by("strategy", maintain_order=True):
        reached = part.drop_nulls("break_even").rows(named=True)
        rows += [{**row, **_in_words(row, currency)} for row in reached]
        rest = part.height - len(reached)
        if rest:
            which = f"{counted(rest)} {'other ' if reached else ''}assumption{'s' if rest > 1 else ''}"
            line = f"{which}: no break-even within {'their' if rest > 1 else 'its'} 98{NBSP}% range".capitalize()
            rows.append({**dict.fromkeys(_BREAK_EVENS.columns, ""), "title": part["title"][0], "line": line})
    return rows


def _in_words(row: Row, currency: str) -> Row:
    """Return the texts of a number, with the side of its break-even on which the strategy pays by its base case."""
    unit, limit = row["unit"], row["break_even"]
    below = (limit < row["value"]) != (row["npv"] > 0.0)
    side = "below" if below else "above"
    return {
        "line": first_sentence(row["description"]).partition("; ")[0],
        "now": as_written(row["value"], unit, currency=currency),
        "range": span(found(row["low"]), found(row["high"]), unit, currency=currency),
        "unit": unit_in_words(unit, currency),
        "limit": f"{side} about {as_written(found(limit, 4), unit, currency=currency)}",
        "plausible": plausible(row["score"]),
    }


_BREAK_EVENS = TableSpec(
    id="break-evens",
    contract=BREAK_EVENS,
    title=_break_evens_finding,
    subtitle="Base case, one assumption moved at a time",
    group="title",
    line="line",
    columns={
        "now": Column("Central value"),
        "range": Column(f"98{NBSP}% range"),
        "unit": Column("Unit", align="text"),
        "limit": Column("NPV is positive at"),
        "plausible": Column("Break-even lies", align="text"),
    },
    notes=(
        (
            f"Searched: the 98{NBSP}% range; plausible: the 90{NBSP}% range. Chance: probability that the assumption "
            "is at the break-even or beyond."
        ),
    ),
    empty="No assumption of the programmes or of the shop's economics has a range, so there is no break-even.",
)
