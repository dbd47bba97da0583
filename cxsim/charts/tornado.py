"""What the result hangs on: a table under TORNADO goes in, bars from low to high of each number come out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.business_tables import TORNADO
from cxsim.charts.amounts import in_brief, told_apart
from cxsim.charts.frame import WIDTH, Figure, balanced, framed, money_axis, names_of, rounded
from cxsim.charts.palette import INK, colours
from cxsim.charts.panels import headings, lines_beside, panels, rimmed
from cxsim.errors import TableError, choices
from cxsim.tables import check
from cxsim.wording import NBSP, counted, joined, money, searched

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
    return framed(drawn, finding=_finding(chosen), shown=shown, told=_told(bars))


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
        low, high = told_apart([row["at_low"], row["at_high"]], row["unit"], currency)
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
    turned = chosen.group_by("name", maintain_order=True).agg(count=turns.sum(), of=pl.len())
    told = [f"{counted(count)} of {counted(of)} numbers for {name}" for name, count, of in turned.iter_rows() if count]
    if not told:
        return f"No number alone turns the sign of {'any result' if turned.height > 1 else turned['name'][0]}"
    rest = turned.height - len(told)
    others = f", on none for {turned.filter(count=0)['name'][0] if rest == 1 else 'the others'}" if rest else ""
    return f"Gain or loss hangs on {joined(told)}{others}"


def _told(bars: pl.DataFrame) -> str:
    told = []
    for name, own in bars.group_by("name", maintain_order=True):
        moved = "; ".join(
            f"{row['description']}: {money(row['npv_at_low'], '').strip()} at {row['low']}, "
            f"{money(row['npv_at_high'], '').strip()} at {row['high']}"
            for row in own.head(_READ).rows(named=True)
        )
        told.append(f"{name[0]}, {own['_note'][0].replace('Base', 'base')}. {moved}.")
    return " ".join(told)
