"""What the result hangs on: TORNADO, HEAT, RATES and BREAK_EVENS go in, its change by one number or two comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.business.break_even import plausible
from cxsim.reporting.tables import (
    Column,
    Prose,
    Row,
    Table,
    TableSpec,
    as_written,
    first_sentence,
    found,
    span,
    unit_in_words,
)
from cxsim.reporting.theme import (
    INK,
    QUIET,
    WIDTH,
    Figure,
    balanced,
    distinguishable,
    framed,
    headings,
    largest,
    lines_beside,
    money_axis,
    names_of,
    panels,
    rimmed,
    rounded,
    short,
    shortened,
    strategy_colour,
    tooltips,
    with_texts,
)
from cxsim.study.business.sensitivity import BREAK_EVENS, HEAT, RATES, TORNADO
from cxsim.tables import check
from cxsim.wording import INTERVAL, NBSP, counted, figure, joined, money, number, precision, searched

PANELS = 3
_COLUMN = 232
_ROW, _HEAT_ROW = 38, 30
# Two lines of the column.
_CHARACTERS = 40
# Width for the values at both ends of a bar, in pixels.
_ENDS = 68
_READ = 3
_NPVS = ("npv_at_low", "npv_at_high", "npv_base")
_FIRST = "datum.rank === 1"
# Brown to green by way of white, after ColorBrewer's BrBG: distinguished under every common colour blindness.
_LOSS, _NOTHING, _GAIN = "#8C510A", "#FFFFFF", "#01665E"
_INDENT = 84
_HEAT_CHARACTERS = 92
_RISE = -52
_HEAT_FIRST = "datum._note !== ''"
# Cells further from zero than this share of the furthest are so dark that their words must be white.
_DARK = 0.55
# So many strategies are named one by one in a title; of more, the least and the most are.
_NAMED = 3


def tornado(tornado: pl.DataFrame, currency: str, *, strategy: str | None = None, most: int = 8) -> Figure:
    """Draw what each uncertain number does to the net present value when it alone is moved.

    Parameters
    ----------
    tornado
        Table under `TORNADO`, with all strategies of the scenario in their order.
    currency
        Code of the currency, as "USD".
    strategy
        Identifier of the one strategy to draw; of all, no more than three are drawn, those that move most.
    most
        How many numbers are drawn of a strategy, at least 1; those with the largest swing.

    Returns
    -------
    alt.FacetChart
        One panel per strategy: a bar from the NPV at the 10 % quantile of a number to that at its 90 % quantile.

    Raises
    ------
    TableError
        If the table is not under `TORNADO`, is empty, or does not hold the strategy.
    """
    every = check(tornado, TORNADO).rename({"title": "name"})
    names = names_of(every)
    chosen = _chosen(every, strategy)
    bars = rounded(_bars(chosen.filter(pl.col("rank") <= most), currency))
    several = strategy is None and len(names) > PANELS
    fewer = f" Of {counted(len(names))} strategies, the {counted(PANELS)} whose result moves most." if several else ""
    scales = " Scales differ between panels." if chosen["name"].n_unique() > 1 else ""
    shown = (
        f"Net present value over doing nothing, {currency}, when one number alone is moved from the low end (pale) to "
        f"the high end (dark) of its 80{NBSP}% interval; the ends are printed, and one chance in ten lies beyond each. "
        f"Dashed line: base case, all numbers at their central value; thick line: zero.{scales}{fewer}"
    )
    texts = []
    for name, own in bars.group_by("name", maintain_order=True):
        moved = "; ".join(
            f"{row['description']}: {money(row['npv_at_low'], '').strip()} at {row['low']}, "
            f"{money(row['npv_at_high'], '').strip()} at {row['high']}"
            for row in own.head(_READ).rows(named=True)
        )
        texts.append(f"{name[0]}, {own['_note'][0].replace('Base', 'base')}. {moved}.")
    drawn = panels(_layers(bars, names, currency), bars, width=WIDTH - _COLUMN, height=alt.Step(_ROW))
    return framed(drawn, finding=_finding(chosen), shown=shown, alt_text=" ".join(texts))


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
    parts = nodes.partition_by("name", maintain_order=True)
    cells = rounded(pl.concat(_cells(own, currency) for own in parts))
    shown = (
        f"Net present value over doing nothing, {currency} (k: thousands), at each pair of values of two of the "
        "strategy's own numbers. Green: gain; brown: loss; thick line: break-even between them. "
        "All other numbers are at their central value, so there is no interval."
    )
    texts = []
    for own in parts:
        ends = (own.sort("npv").row(place, named=True) for place in (0, -1))
        worst, best = (f"{money(row['npv'], currency)} at {_place(row, own, currency)}" for row in ends)
        texts.append(f"{own['name'][0]}: from {worst} to {best}.")
    drawn = panels(_heat_layers(cells), cells, width=WIDTH - _INDENT, height=alt.Step(_HEAT_ROW))
    return framed(drawn, finding=_heat_finding(nodes), shown=shown, alt_text=" ".join(texts))


def rates_table(rates: pl.DataFrame, currency: str) -> Table:
    """Lay out each strategy's net present value at other discount rates and over shorter horizons.

    Parameters
    ----------
    rates
        Table under `RATES`; strategies in the order in which they are shown.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    Table
        One row per strategy and discount rate, one column per horizon: mean and interval. The twin holds the chances of
        a gain too.
    """
    horizons = check(rates, RATES)["horizon_months"].unique().sort()
    columns = {f"months_{months}": Column(f"{months}{NBSP}months") for months in horizons}
    return replace(_RATES, columns=columns, spanners={"Horizon": list(columns)}).render(rates, currency)


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
    return _BREAK_EVENS.render_or_remark(break_evens, currency)


def _chosen(every: pl.DataFrame, strategy: str | None) -> pl.DataFrame:
    known = every["strategy"].unique(maintain_order=True).to_list()
    if not known:
        raise TableError("TORNADO: the table is empty; there must be one row per strategy and number at least.")
    if strategy is not None:
        if strategy not in known:
            raise TableError(f"TORNADO: no strategy '{strategy}'; {choices(strategy, known)}")
        return every.filter(strategy=strategy)
    swings = every.group_by("strategy", maintain_order=True).agg(pl.col("swing").max())
    moved = swings.sort("swing", descending=True, maintain_order=True)["strategy"].head(PANELS)
    return every.filter(pl.col("strategy").is_in(moved.to_list()))


def _bars(chosen: pl.DataFrame, currency: str) -> pl.DataFrame:
    def end(name: str) -> Callable[[Row], str]:
        place = ("low", "high").index(name)
        return lambda row: distinguishable([row["at_low"], row["at_high"]], row["unit"], currency)[place]

    bars = with_texts(
        chosen.sort(pl.col("name").cast(pl.Enum(names_of(chosen))), "rank", maintain_order=True),
        {
            "description": lambda row: searched(row["description"]),
            "low": end("low"),
            "high": end("high"),
            "_label": lambda row: "\n".join(
                balanced(shortened(searched(row["description"]), 2 * _CHARACTERS), _CHARACTERS + 3)
            ),
            "_note": lambda row: f"Base case: {money(row['npv_base'], currency)}" if row["rank"] == 1 else "",
        },
    )
    rising = pl.when(pl.col("npv_at_low") <= pl.col("npv_at_high"))
    return bars.select(
        "name",
        "rank",
        "description",
        *_NPVS,
        pl.min_horizontal(_NPVS).alias("_from"),
        pl.max_horizontal(_NPVS).alias("_to"),
        "low",
        "high",
        "_label",
        rising.then("low").otherwise("high").alias("_left"),
        rising.then("high").otherwise("low").alias("_right"),
        "_note",
    )


def _layers(bars: pl.DataFrame, names: list[str], currency: str) -> list[alt.Chart]:
    title = f"Net present value, {currency}"
    axis = money_axis(title, largest=largest(bars, _NPVS))
    x = alt.X("npv_base:Q", axis=axis, scale=alt.Scale(padding=_ENDS, nice=False, zero=False))
    colour = strategy_colour(names)
    tips = {
        "name:N": "Strategy",
        "description:N": "Number",
        "low:N": "Low end",
        "npv_at_low:Q": "NPV at the low end",
        "high:N": "High end",
        "npv_at_high:Q": "NPV at the high end",
        "npv_base:Q": "NPV of the base case",
        "rank:I": "Rank",
    }
    drawn = alt.Chart().encode(y=alt.Y("rank:O", axis=None))
    bar = drawn.mark_bar(height=17, aria=False).encode(x=x, color=colour, tooltip=tooltips(tips))
    first = alt.Chart().transform_filter(_FIRST)
    dashed = first.mark_rule(color=INK, strokeDash=[3, 2], aria=False)
    left = drawn.encode(x=alt.X("_from:Q", title=title), text="_left:N")
    right = drawn.encode(x=alt.X("_to:Q", title=title), text="_right:N")
    return [
        bar.encode(x2="npv_at_low:Q", opacity=alt.value(0.42)),
        bar.encode(x2="npv_at_high:Q"),
        first.mark_rule(color=INK, strokeWidth=2.2, aria=False).encode(x=alt.datum(0)),
        dashed.encode(x=alt.X("npv_base:Q", title=title)),
        lines_beside(drawn, indent=_COLUMN),
        *rimmed(left, align="right", gap=5),
        *rimmed(right, align="left", gap=5),
        *headings(_FIRST, colour, indent=_COLUMN),
    ]


def _finding(chosen: pl.DataFrame) -> str:
    """Return how many numbers of each strategy could change the sign of its result, each alone."""
    changes = (pl.col("npv_at_low") > 0.0) != (pl.col("npv_at_high") > 0.0)
    counts = chosen.group_by("name", maintain_order=True).agg(count=changes.sum(), of=pl.len())
    parts = [f"{counted(count)} of {counted(of)} numbers for {name}" for name, count, of in counts.rows() if count]
    if not parts:
        return f"No number alone turns the sign of {'any result' if counts.height > 1 else counts['name'][0]}"
    others = counts.filter(count=0)["name"].to_list()
    rest = f", on none for {others[0] if len(others) == 1 else 'the others'}" if others else ""
    return f"Gain or loss hangs on {joined(parts)}{rest}"


def _cells(nodes: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return one strategy's nodes, highest first, with values in words and where the break-even runs beside them."""
    grid = nodes.sort(["y", "x"], descending=[True, False])
    gain = pl.col("npv") > 0.0
    across, down = _axis(grid, "x", "Across"), _axis(grid, "y", "Upwards")
    second = (down or "It has no second number that is uncertain") if across else ""
    first = pl.when(pl.int_range(pl.len()) == 0)
    return grid.select(
        "name",
        *(pl.Series(axis, _at(grid, axis, currency), dtype=pl.String) for axis in ("x", "y")),
        "npv",
        pl.Series("_cell", [short(npv) for npv in grid["npv"]], dtype=pl.String),
        _right=(gain != gain.shift(-1).over("y")).fill_null(value=False),
        _below=(gain != gain.shift(-1).over("x")).fill_null(value=False),
        _note=first.then(pl.lit(across or "None of its own numbers is uncertain")).otherwise(pl.lit("")),
        _down=first.then(pl.lit(second)).otherwise(pl.lit("")),
    )


def _axis(grid: pl.DataFrame, axis: str, way: str) -> str:
    """Return what an axis shows, in words; nothing where the strategy has no such number."""
    words = shortened(searched(grid[f"{axis}_description"][0]), _HEAT_CHARACTERS)
    return f"{way}: {words[:1].lower()}{words[1:]}" if grid[f"{axis}_id"][0] else ""


def _at(grid: pl.DataFrame, axis: str, currency: str) -> list[str]:
    if not grid[f"{axis}_id"][0]:
        return [""] * grid.height
    return distinguishable(grid[axis].to_list(), grid[f"{axis}_unit"][0], currency)


def _place(row: Row, own: pl.DataFrame, currency: str) -> str:
    """Return one node in words."""
    at = []
    for axis in ("x", "y"):
        if row[f"{axis}_id"]:
            words = dict(zip(own[axis], _at(own, axis, currency), strict=True))
            at.append(f"{shortened(searched(row[f'{axis}_description']), _HEAT_CHARACTERS)} {words[row[axis]]}")
    return joined(at) or "its only node"


def _heat_layers(cells: pl.DataFrame) -> list[alt.Chart]:
    most = float(cells["npv"].abs().to_numpy().max()) or 1.0
    x = alt.X("x:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    y = alt.Y("y:N", sort=None, title=None, axis=alt.Axis(labelColor=QUIET))
    scale = alt.Scale(domain=[-most, 0.0, most], range=[_LOSS, _NOTHING, _GAIN], interpolate="rgb")
    tips = {"name:N": "Strategy", "x:N": "Across", "y:N": "Upwards", "npv:Q": "Net present value"}
    white = alt.condition(f"abs(datum.npv) > {_DARK * most:.6g}", alt.value("#FFFFFF"), alt.value(INK))
    drawn = alt.Chart().encode(x=x, y=y)
    square, name, _ = headings(_HEAT_FIRST, strategy_colour(names_of(cells)), indent=_INDENT, rise=_RISE)
    text = alt.Chart().transform_filter(_HEAT_FIRST).mark_text(align="left", baseline="middle", color=QUIET, aria=False)
    return [
        drawn.mark_rect(stroke="#E4E7EB", strokeWidth=0.5, aria=False).encode(
            fill=alt.Color("npv:Q", scale=scale, legend=None), tooltip=tooltips(tips)
        ),
        drawn.mark_text(fontSize=12, aria=False).encode(text="_cell:N", color=white),
        *_sides(),
        square,
        name,
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
    gains = nodes.group_by("name", maintain_order=True).agg(gain=(pl.col("npv") > 0.0).sum(), of=pl.len())
    counts = [(str(name), f"{gain or 'none'} of {of}") for name, gain, of in gains.iter_rows()]
    if len(counts) > _NAMED:
        share = gains["gain"] / gains["of"]
        ends = [counts[place or 0] for place in (share.arg_min(), share.arg_max())]
        return f"Pays at {' to '.join(f'{count} ({name})' for name, count in ends)} pairs of values"
    (first, count), *others = counts
    rest = [f"{name} at {count}" for name, count in others]
    return joined([f"{first} pays at {count} pairs of values", *rest])


def _rates_finding(rates: pl.DataFrame) -> str:
    signs = rates.group_by("strategy", "title", maintain_order=True).agg(gains=(pl.col("npv") > 0.0).mean())
    where = {
        "at every discount rate and horizon": pl.col("gains") == 1.0,
        "at some discount rates and horizons only": pl.col("gains").is_between(0.0, 1.0, closed="none"),
        "at none": pl.col("gains") == 0.0,
    }
    groups = {words: signs.filter(which)["title"].to_list() for words, which in where.items()}
    if len(groups["at none"]) == signs.height:
        return "On average no strategy pays at any discount rate and horizon"
    parts = [f"{joined(own)} {'pays' if len(own) == 1 else 'pay'} {words}" for words, own in groups.items() if own]
    return f"On average {'; '.join(parts)}"


def _by_rate(rates: pl.DataFrame) -> list[dict[str, Any]]:
    """Return one row per strategy and discount rate, all amounts of a strategy rounded together."""
    rows = []
    for part in rates.partition_by("strategy", maintain_order=True):
        together = precision([*part["npv"], *part["low"], *part["high"]])
        for (rate,), own in part.sort("annual_discount_rate").group_by("annual_discount_rate", maintain_order=True):
            row = {"title": part["title"][0], "rate": rate} | {f"months_{n}": None for n in rates["horizon_months"]}
            for months, npv, low, high in own["horizon_months", "npv", "low", "high"].rows():
                row[f"months_{months}"] = f"{together.text(npv)} ({together.span(low, high)})"
            rows.append(row)
    return rows


_RATES = TableSpec(
    id="rates",
    contract=RATES,
    title=_rates_finding,
    subtitle=f"Net present value in today's {{currency}} and its {INTERVAL}, by discount rate and horizon",
    # One column per horizon.
    columns={},
    rows=_by_rate,
    group="title",
    line=lambda row: f"{figure(100 * row['rate'], '.4g')}{NBSP}% a year",
    stub="Discount rate",
    notes=(
        (
            "Discount rate: what money a year later is worth less, per year; the same in all draws here. Horizon: "
            "after so many months the comparison ends, and points that customers still hold are paid for."
        ),
    ),
)


def _break_evens_finding(break_evens: pl.DataFrame) -> str:
    """Return for which strategies one number within its 90 % range is enough to change the sign."""
    parts = break_evens.partition_by("strategy", maintain_order=True)
    near = [
        str(part["title"][0])
        for part in parts
        if any(plausible(score).startswith("within") for score in part["score"].drop_nulls())
    ]
    if not near:
        return "No single number, within its plausible range, turns a gain into a loss or a loss into a gain"
    names = joined(near) if len(near) <= _NAMED else f"{counted(len(near))} of {counted(len(parts))} strategies"
    return f"One number alone, moved within its plausible range, could turn the result of {names}"


def _reached(break_evens: pl.DataFrame) -> list[Row]:
    """Return the numbers of each strategy that have a break-even, and a row that counts the others."""
    rows: list[Row] = []
    for part in break_evens.partition_by("strategy", maintain_order=True):
        reached = part.drop_nulls("break_even").rows(named=True)
        rows += [{**row, "line": first_sentence(row["description"])} for row in reached]
        rest = part.height - len(reached)
        if rest:
            what = f"{'other ' if reached else ''}{'number' if rest == 1 else 'numbers'}"
            line = f"{counted(rest)} {what}: {plausible(None)}".capitalize()
            rows.append({"title": part["title"][0], "line": line, "break_even": None})
    return rows


def _where_reached(
    head: str, write: Callable[[Row], str | None], align: Literal["number", "text"] = "number"
) -> Column:
    """Return a column that is empty in the row that counts the numbers without a break-even."""
    return Column(head, lambda row: "" if row["break_even"] is None else write(row), align=align)


def _pays(row: Row) -> str:
    """Return the break-even with the side of it on which the strategy pays, as far as its base case tells."""
    below = (row["break_even"] < row["value"]) != (row["npv"] > 0.0)
    limit = as_written(found(row["break_even"]), row["unit"], currency=row["currency"])
    return f"{limit} or {'less' if below else 'more'}"


_METHODS = {"simulated": "simulated again", "booked": "booked again"}
_BREAK_EVENS = TableSpec(
    id="break-evens",
    contract=BREAK_EVENS,
    title=_break_evens_finding,
    subtitle="One number moved at a time, all others at their central value: the base case",
    rows=_reached,
    group="title",
    line="line",
    columns={
        "now": _where_reached("Plan", lambda row: as_written(row["value"], row["unit"], currency=row["currency"])),
        "range": _where_reached(
            f"98{NBSP}% range",
            lambda row: span(found(row["low"]), found(row["high"]), row["unit"], currency=row["currency"]),
        ),
        "unit": _where_reached("Unit", lambda row: unit_in_words(row["unit"], row["currency"]), "text"),
        "limit": _where_reached("Pays at", _pays),
        "plausible": _where_reached("How plausible that is", lambda row: plausible(row["score"]), "text"),
        "error": _where_reached("±, {currency}", lambda row: number(row["mc_error"])),
        "method": _where_reached("How it was found", lambda row: _METHODS.get(row["method"], row["method"]), "text"),
    },
    notes=(
        (
            "Pays at: from the value on at which net present value of the base case is zero. The search covers "
            f"the 98{NBSP}% plausible range, and the range in which nine chances in ten lie counts as "
            "within it."
        ),
        "Chance: that the number lies there or farther out, by its range today.",
        (
            "±: simulation error of the net present value there. Simulated again: customers were simulated anew "
            "with each value; booked again: a price, which changes no customer, was put on the same counts."
        ),
    ),
    empty="No number of the strategies or of the shop's economics has a spread, so none was moved.",
)
