"""What the result hangs on: a table under TORNADO goes in, bars from low to high of each number come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.reporting.business.break_even import plausible
from cxsim.reporting.tables import Prose, Table, as_written, first_sentence, found, laid_out, remark, span
from cxsim.reporting.theme import (
    INK,
    QUIET,
    WIDTH,
    Figure,
    balanced,
    colours,
    distinguishable,
    framed,
    headings,
    in_brief,
    lines_beside,
    money_axis,
    names_of,
    panels,
    rimmed,
    rounded,
    short,
)
from cxsim.study.business.sensitivity import BREAK_EVENS, HEAT, RATES, TORNADO
from cxsim.tables import check
from cxsim.wording import INTERVAL, MISSING, NBSP, counted, joined, localise, money, number, precision, searched

PANELS = 3
_COLUMN = 232
_ROW = 38
# Two lines of the column.
_CHARACTERS = 40
# Room for the values at both ends of a bar, in pixels.
_ENDS = 68
_READ = 3
_ENDS_OF = ("npv_at_low", "npv_at_high", "npv_base")
_FIRST = "datum.rank === 1"


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
    fewer = (
        f" Of {counted(len(names))} strategies, the {counted(PANELS)} whose result moves most."
        if strategy is None and len(names) > PANELS
        else ""
    )
    scales = " Scales differ between panels." if chosen["name"].n_unique() > 1 else ""
    shown = (
        f"Net present value over doing nothing, {currency}, when one number alone is moved from the low end (pale) to "
        f"the high end (dark) of its 80{NBSP}% interval; the ends are printed, and one chance in ten lies beyond each. "
        f"Dashed line: base case, all numbers at their central value; thick line: zero.{scales}{fewer}"
    )
    drawn = panels(_layers(bars, names, currency), bars, width=WIDTH - _COLUMN, height=alt.Step(_ROW))
    return framed(drawn, finding=_finding(chosen), shown=shown, alt_text=_alt_text(bars))


def _chosen(every: pl.DataFrame, strategy: str | None) -> pl.DataFrame:
    known = every["strategy"].unique(maintain_order=True).to_list()
    if not known:
        raise TableError("TORNADO: the table is empty; there must be one row per strategy and number at least.")
    if strategy is not None:
        if strategy not in known:
            raise TableError(f"TORNADO: no strategy '{strategy}'; {choices(strategy, known)}")
        return every.filter(strategy=strategy)
    largest = every.group_by("strategy", maintain_order=True).agg(pl.col("swing").max())
    moved = largest.sort("swing", descending=True, maintain_order=True)["strategy"].head(PANELS)
    return every.filter(pl.col("strategy").is_in(moved.to_list()))


def _bars(chosen: pl.DataFrame, currency: str) -> pl.DataFrame:
    rows = []
    for row in chosen.sort("rank", maintain_order=True).rows(named=True):
        low, high = distinguishable([row["at_low"], row["at_high"]], row["unit"], currency)
        rising = row["npv_at_low"] <= row["npv_at_high"]
        rows.append(
            {
                "name": row["name"],
                "rank": row["rank"],
                "description": searched(row["description"]),
                "npv_at_low": row["npv_at_low"],
                "npv_at_high": row["npv_at_high"],
                "npv_base": row["npv_base"],
                "_from": min(row[name] for name in _ENDS_OF),
                "_to": max(row[name] for name in _ENDS_OF),
                "low": low,
                "high": high,
                "_label": "\n".join(balanced(in_brief(searched(row["description"]), 2 * _CHARACTERS), _CHARACTERS + 3)),
                "_left": low if rising else high,
                "_right": high if rising else low,
                "_note": f"Base case: {money(row['npv_base'], currency)}" if row["rank"] == 1 else "",
            }
        )
    order = chosen["name"].unique(maintain_order=True).to_list()
    return pl.DataFrame(rows).sort(pl.col("name").cast(pl.Enum(order)), "rank")


def _layers(bars: pl.DataFrame, names: list[str], currency: str) -> list[alt.Chart]:
    largest = float(bars.select(pl.max_horizontal(pl.col(*_ENDS_OF).abs()).max()).item())
    amounts = money_axis(f"Net present value, {currency}", largest=largest)
    x = alt.X("npv_base:Q", axis=amounts, scale=alt.Scale(padding=_ENDS, nice=False, zero=False))
    colour = alt.Color("name:N", scale=colours(names), legend=None)
    drawn = alt.Chart().encode(y=alt.Y("rank:O", axis=None))
    bar = drawn.mark_bar(height=17, aria=False).encode(x=x, color=colour, tooltip=_tooltip())
    first = alt.Chart().transform_filter(_FIRST)
    dashed = first.mark_rule(color=INK, strokeDash=[3, 2], aria=False)
    return [
        bar.encode(x2="npv_at_low:Q", opacity=alt.value(0.42)),
        bar.encode(x2="npv_at_high:Q"),
        first.mark_rule(color=INK, strokeWidth=2.2, aria=False).encode(x=alt.datum(0)),
        dashed.encode(x=alt.X("npv_base:Q", title=amounts["title"])),
        *_words(drawn, amounts["title"]),
        *headings(_FIRST, colour, indent=_COLUMN),
    ]


def _words(drawn: alt.Chart, title: str) -> tuple[alt.Chart, ...]:
    left = drawn.encode(x=alt.X("_from:Q", title=title), text="_left:N")
    right = drawn.encode(x=alt.X("_to:Q", title=title), text="_right:N")
    return (
        lines_beside(drawn, indent=_COLUMN),
        *rimmed(left, align="right", gap=5),
        *rimmed(right, align="left", gap=5),
    )


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("description:N", title="Number"),
        alt.Tooltip("low:N", title="Low end"),
        alt.Tooltip("npv_at_low:Q", title="NPV at the low end", format=",.3~r"),
        alt.Tooltip("high:N", title="High end"),
        alt.Tooltip("npv_at_high:Q", title="NPV at the high end", format=",.3~r"),
        alt.Tooltip("npv_base:Q", title="NPV of the base case", format=",.3~r"),
        alt.Tooltip("rank:Q", title="Rank"),
    ]


def _finding(chosen: pl.DataFrame) -> str:
    """Return how many numbers of each strategy could turn the sign of its result, each alone."""
    turns = (pl.col("npv_at_low") > 0.0) != (pl.col("npv_at_high") > 0.0)
    localise = chosen.group_by("name", maintain_order=True).agg(count=turns.sum(), of=pl.len())
    alt_text = [
        f"{counted(count)} of {counted(of)} numbers for {name}" for name, count, of in localise.iter_rows() if count
    ]
    if not alt_text:
        return f"No number alone turns the sign of {'any result' if localise.height > 1 else localise['name'][0]}"
    rest = localise.height - len(alt_text)
    others = f", on none for {localise.filter(count=0)['name'][0] if rest == 1 else 'the others'}" if rest else ""
    return f"Gain or loss hangs on {joined(alt_text)}{others}"


def _alt_text(bars: pl.DataFrame) -> str:
    alt_text = []
    for name, own in bars.group_by("name", maintain_order=True):
        moved = "; ".join(
            f"{row['description']}: {money(row['npv_at_low'], '').strip()} at {row['low']}, "
            f"{money(row['npv_at_high'], '').strip()} at {row['high']}"
            for row in own.head(_READ).rows(named=True)
        )
        alt_text.append(f"{name[0]}, {own['_note'][0].replace('Base', 'base')}. {moved}.")
    return " ".join(alt_text)


# Brown to green by way of white, after ColorBrewer's BrBG: told apart under every common colour blindness.
_LOSS, _NOTHING, _GAIN = "#8C510A", "#FFFFFF", "#01665E"
_INDENT = 84
_HEAT_ROW = 30
_NO_NUMBER = "None of its own numbers is uncertain"
_NO_SECOND = "It has no second number that is uncertain"
_HEAT_CHARACTERS = 92
_RISE = -52
_HEAT_FIRST = "datum._note !== ''"
# Cells further from zero than this share of the furthest are so dark that their words must be white.
_DARK = 0.55
# So many strategies are told one by one in a title; of more, the least and the most are.
_ALT_TEXT = 3


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

    Raises
    ------
    TableError
        For a table that is not under `HEAT`.
    """
    nodes = check(heat, HEAT).rename({"title": "name"})
    cells = rounded(pl.concat(_cells(own, currency) for _, own in nodes.group_by("name", maintain_order=True)))
    shown = (
        f"Net present value over doing nothing, {currency} (k: thousands), at each pair of values of two of the "
        "strategy's own numbers. Green: gain; brown: loss; thick line: break-even between them. "
        "All other numbers are at their central value, so there is no interval."
    )
    drawn = panels(_heat_layers(cells), cells, width=WIDTH - _INDENT, height=alt.Step(_HEAT_ROW))
    return framed(drawn, finding=_heat_finding(nodes), shown=shown, alt_text=_heat_alt_text(nodes, currency))


def _cells(nodes: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Return one strategy's nodes, highest first, with values in words and where the break-even runs beside them."""
    grid = nodes.sort(["y", "x"], descending=[True, False])
    gain = pl.col("npv") > 0.0
    across, down = (_axis(grid, axis) for axis in ("x", "y"))
    words = {axis: _at(grid, axis, currency) for axis in ("x", "y")}
    return grid.select(
        "name",
        pl.Series("x", words["x"], dtype=pl.String),
        pl.Series("y", words["y"], dtype=pl.String),
        "npv",
        pl.Series("_cell", [short(npv) for npv in grid["npv"]], dtype=pl.String),
        _right=(gain != gain.shift(-1).over("y")).fill_null(value=False),
        _below=(gain != gain.shift(-1).over("x")).fill_null(value=False),
        _note=_on_first(across or _NO_NUMBER),
        _down=_on_first(down or _NO_SECOND if across else ""),
    )


def _axis(grid: pl.DataFrame, axis: str) -> str:
    """Return what an axis shows, in words; nothing where the strategy has no such number."""
    words = in_brief(searched(grid[f"{axis}_description"][0]), _HEAT_CHARACTERS)
    way = {"x": "Across", "y": "Upwards"}[axis]
    return f"{way}: {words[:1].lower()}{words[1:]}" if grid[f"{axis}_id"][0] else ""


def _at(grid: pl.DataFrame, axis: str, currency: str) -> list[str]:
    if not grid[f"{axis}_id"][0]:
        return [""] * grid.height
    return distinguishable(grid[axis].to_list(), grid[f"{axis}_unit"][0], currency)


def _on_first(words: str) -> pl.Expr:
    return pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(words)).otherwise(pl.lit(""))


def _heat_layers(cells: pl.DataFrame) -> list[alt.Chart]:
    most = float(cells["npv"].abs().to_numpy().max()) or 1.0
    x = alt.X("x:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, ticks=False))
    y = alt.Y("y:N", sort=None, title=None, axis=alt.Axis(labelColor=QUIET))
    fill = alt.Color(
        "npv:Q",
        scale=alt.Scale(domain=[-most, 0.0, most], range=[_LOSS, _NOTHING, _GAIN], interpolate="rgb"),
        legend=None,
    )
    drawn = alt.Chart().encode(x=x, y=y)
    white = alt.condition(f"abs(datum.npv) > {_DARK * most:.6g}", alt.value("#FFFFFF"), alt.value(INK))
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("x:N", title="Across"),
        alt.Tooltip("y:N", title="Upwards"),
        alt.Tooltip("npv:Q", title="Net present value", format=",.3~r"),
    ]
    return [
        drawn.mark_rect(stroke="#E4E7EB", strokeWidth=0.5, aria=False).encode(fill=fill, tooltip=tooltip),
        drawn.mark_text(fontSize=12, aria=False).encode(text="_cell:N", color=white),
        *_break_even(),
        *_titles(cells),
    ]


def _break_even() -> tuple[alt.Chart, alt.Chart]:
    """Return the sides of cells at which a gain meets a loss."""
    side = alt.Chart().mark_rule(color=INK, strokeWidth=3, strokeCap="square", aria=False)
    x = {place: alt.X("x:N", sort=None, bandPosition=place) for place in (0, 1)}
    y = {place: alt.Y("y:N", sort=None, bandPosition=place) for place in (0, 1)}
    right = side.transform_filter("datum._right")
    below = side.transform_filter("datum._below")
    return (
        right.encode(x=x[1], y=y[0], y2=alt.Y2("y", bandPosition=1)),
        below.encode(x=x[0], x2=alt.X2("x", bandPosition=1), y=y[1]),
    )


def _titles(cells: pl.DataFrame) -> tuple[alt.Chart, ...]:
    square, name, _ = headings(
        _HEAT_FIRST, alt.Color("name:N", scale=colours(names_of(cells)), legend=None), indent=_INDENT, rise=_RISE
    )
    text = alt.Chart().transform_filter(_HEAT_FIRST).mark_text(align="left", baseline="middle", color=QUIET, aria=False)
    lines = [
        text.encode(x=alt.value(-_INDENT), y=alt.value(rise), text=f"{field}:N")
        for field, rise in (("_note", _RISE + 19), ("_down", _RISE + 35))
    ]
    return square, name, *lines


def _heat_finding(nodes: pl.DataFrame) -> str:
    gains = nodes.group_by("name", maintain_order=True).agg(gain=(pl.col("npv") > 0.0).sum(), of=pl.len())
    counts = [(str(name), f"{gain or 'none'} of {of}") for name, gain, of in gains.iter_rows()]
    if len(counts) > _ALT_TEXT:
        share = gains["gain"] / gains["of"]
        ends = [counts[place or 0] for place in (share.arg_min(), share.arg_max())]
        return f"Pays at {' to '.join(f'{count} ({name})' for name, count in ends)} pairs of values"
    (first, count), *others = counts
    rest = [f"{name} at {count}" for name, count in others]
    return joined([f"{first} pays at {count} pairs of values", *rest])


def _heat_alt_text(nodes: pl.DataFrame, currency: str) -> str:
    alt_text = []
    for name, own in nodes.group_by("name", maintain_order=True):
        worst, best = (own.sort("npv")[place] for place in (0, own.height - 1))
        ends = " to ".join(f"{money(row['npv'][0], currency)} at {_place(row, own, currency)}" for row in (worst, best))
        alt_text.append(f"{name[0]}: from {ends}.")
    return " ".join(alt_text)


def _place(row: pl.DataFrame, own: pl.DataFrame, currency: str) -> str:
    """Return one node in words."""
    at = []
    for axis in ("x", "y"):
        if own[f"{axis}_id"][0]:
            words = dict(zip(own[axis], _at(own, axis, currency), strict=True))
            at.append(f"{in_brief(searched(own[f'{axis}_description'][0]), _HEAT_CHARACTERS)} {words[row[axis][0]]}")
    return joined(at) or "its only node"


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

    Raises
    ------
    TableError
        For a table that is not under `RATES`.
    """
    table = check(rates, RATES)
    horizons = table["horizon_months"].unique().sort().to_list()
    heads = {f"months_{horizon}": f"{horizon}{NBSP}months" for horizon in horizons}
    cells = [row for part in table.partition_by("strategy", maintain_order=True) for row in _rows(part, horizons)]
    title = _rates_finding(table)
    layout = laid_out(
        pl.DataFrame(cells, schema=dict.fromkeys(["group", "line", *heads], pl.String), orient="row"),
        title=title,
        subtitle=f"Net present value in today's {currency} and its {INTERVAL}, by discount rate and horizon",
        heads=heads,
        notes=(
            (
                "Discount rate: what money a year later is worth less, per year; the same in all draws here. Horizon: "
                "after so many months the comparison ends, and points that customers still hold are paid for."
            ),
        ),
    )
    layout = layout.tab_spanner("Horizon", columns=list(heads)).tab_stubhead("Discount rate")
    return Table(id="rates", title=title, layout=layout, twin=table)


def _rows(part: pl.DataFrame, horizons: list[int]) -> list[tuple[str, ...]]:
    together = precision([value for name in ("npv", "low", "high") for value in part[name]])
    alt_text = {
        (rate, horizon): f"{together.text(npv)} ({together.bare(low)} to {together.text(high)})"
        for rate, horizon, npv, low, high in part.select(
            "annual_discount_rate", "horizon_months", "npv", "low", "high"
        ).iter_rows()
    }
    title = str(part["title"][0])
    return [
        (
            title,
            f"{localise(f'{100 * rate:.4g}')}{NBSP}% a year",
            *(alt_text.get((rate, horizon), MISSING) for horizon in horizons),
        )
        for rate in part["annual_discount_rate"].unique().sort()
    ]


def _rates_finding(table: pl.DataFrame) -> str:
    gains = table.group_by("strategy", "title", maintain_order=True).agg(
        every=(pl.col("npv") > 0.0).all(), some=(pl.col("npv") > 0.0).any()
    )
    always = gains.filter(pl.col("every"))["title"].to_list()
    never = gains.filter(~pl.col("some"))["title"].to_list()
    between = gains.filter(pl.col("some") & ~pl.col("every"))["title"].to_list()
    parts = [
        f"{joined(titles)} {'pays' if len(titles) == 1 else 'pay'} {where}"
        for titles, where in (
            (always, "at every discount rate and horizon"),
            (between, "at some discount rates and horizons only"),
            (never, "at none"),
        )
        if titles
    ]
    if len(parts) == 1 and never:
        return "On average no strategy pays at any discount rate and horizon"
    return f"On average {'; '.join(parts)}"


_METHODS: Mapping[str, str] = {"simulated": "simulated again", "booked": "booked again"}


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

    Raises
    ------
    TableError
        For a table that is not under `BREAK_EVENS`.
    """
    table = check(break_evens, BREAK_EVENS)
    if table.is_empty():
        return remark("No number of the strategies or of the shop's economics has a spread, so none was moved.")
    heads = {
        "now": "Plan",
        "range": f"98{NBSP}% range",
        "unit": "Unit",
        "limit": "Pays at",
        "plausible": "How plausible that is",
        "error": f"±, {currency}",
        "method": "How it was found",
    }
    parts = table.partition_by("strategy", maintain_order=True)
    title = _break_evens_finding(parts)
    layout = laid_out(
        pl.DataFrame(
            [row for part in parts for row in _break_evens_rows(part, currency)],
            schema=dict.fromkeys(["group", "line", *heads], pl.String),
            orient="row",
        ),
        title=title,
        subtitle="One number moved at a time, all others at their central value: the base case",
        heads=heads,
        text=("unit", "plausible", "method"),
        notes=(
            (
                "Pays at: from the value on at which net present value of the base case is zero. The search covers "
                f"the 98{NBSP}% range of what is believed, and the range in which nine chances in ten lie is called "
                "believed."
            ),
            "Chance: that the number lies there or farther out, by what is believed of it today.",
            (
                "±: simulation error of the net present value there. Played again: customers were simulated anew "
                "with each value; booked again: a price, which changes no customer, was put on the same counts."
            ),
        ),
    )
    return Table(id="break-evens", title=title, layout=layout, twin=table)


def _break_evens_rows(part: pl.DataFrame, currency: str) -> list[list[str]]:
    rows = part.rows(named=True)
    reached = [_break_evens_cells(row, currency) for row in rows if row["break_even"] is not None]
    rest = len(rows) - len(reached)
    if rest:
        numbers = "number" if rest == 1 else "numbers"
        others = "other " if reached else ""
        alt_text = f"{counted(rest)} {others}{numbers}: {plausible(None)}".capitalize()
        reached.append([rows[0]["title"], alt_text, *[""] * 7])
    return reached


def _break_evens_cells(row: Mapping[str, Any], currency: str) -> list[str]:
    return [
        row["title"],
        first_sentence(row["description"]),
        as_written(row["value"], row["unit"], currency=currency),
        span(found(row["low"]), found(row["high"]), row["unit"], currency=currency),
        row["unit"].replace("unit of money", currency).replace("money", currency),
        _pays(row, currency),
        plausible(row["score"]),
        number(row["mc_error"]),
        _METHODS.get(row["method"], row["method"]),
    ]


def _pays(row: Mapping[str, Any], currency: str) -> str:
    """Return the break-even with the side of it on which the strategy pays, as far as its base case tells."""
    below = (row["break_even"] < row["value"]) != (row["npv"] > 0.0)
    limit = as_written(found(row["break_even"]), row["unit"], currency=currency)
    return f"{limit} or {'less' if below else 'more'}"


def _break_evens_finding(parts: list[pl.DataFrame]) -> str:
    """Return for which strategies one number within its 90 % range is enough to change the sign."""
    near = [str(part["title"][0]) for part in parts if part["score"].abs().min() is not None and _with_prior(part)]
    if not near:
        return "No single number, within what is believed of it, turns a gain into a loss or a loss into a gain"
    named = joined(near) if len(near) <= _ALT_TEXT else f"{counted(len(near))} of {counted(len(parts))} strategies"
    return f"One number alone, moved within what is believed of it, could turn the result of {named}"


def _with_prior(part: pl.DataFrame) -> bool:
    return any(plausible(score).startswith("within") for score in part["score"].drop_nulls())
