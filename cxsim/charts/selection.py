"""Promoters against detractors by several methods, in; a figure of their ratios around 1, out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, framed, rounded
from cxsim.charts.palette import BASELINE, INK, QUIET, STRATEGIES
from cxsim.measured import SELECTION
from cxsim.number_style import turned
from cxsim.tables import check
from cxsim.wording import NBSP

_ROW = 46
_INTERVAL = f"95{NBSP}% interval"
_RAW, _CONTROL, _ADJUSTED = "Not adjusted", "Before the answer", "Adjusted"
_KINDS = {"naive": _RAW, "equal_count": _RAW, "after": _RAW, "before": _CONTROL}
_COLOURS = {_RAW: STRATEGIES[1], _CONTROL: BASELINE, _ADJUSTED: STRATEGIES[0]}
_STEPS = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)


def selection(panel: pl.DataFrame) -> Figure:
    """Draw what promoters spend over what detractors spend, by each method."""
    table = check(panel, SELECTION)
    shown = (
        f"Spend of promoters over that of detractors, on a scale on which equal distances are equal ratios. Line: "
        f"{_INTERVAL}, over which customers there happen to be. Dotted: no difference."
    )
    ratios = [turned(f"{ratio:.2f}") for ratio in table["ratio"]]
    told = "; ".join(f"{title}: {ratio}" for title, ratio in zip(table["title"], ratios, strict=True))
    kinds = [_KINDS.get(method, _ADJUSTED) for method in table["method"]]
    labels = pl.Series(ratios, dtype=pl.String)
    rows = rounded(table).with_columns(kind=pl.Series(kinds, dtype=pl.String), told=labels)
    return framed(
        alt.layer(*_marks(rows)), finding=_finding(table), shown=shown, told=f"{told}.", width=WIDTH - 240,
        height=_ROW * max(table.height, 1),
    )  # fmt: skip


def _marks(rows: pl.DataFrame) -> list[alt.Chart]:
    present = [kind for kind in _COLOURS if kind in rows["kind"]]
    scale = alt.Scale(domain=present, range=[_COLOURS[kind] for kind in present])
    drawn = alt.Chart(rows).encode(
        y=alt.Y("title:N", sort=rows["title"].to_list(), title=None, axis=alt.Axis(labelLimit=360, grid=False)),
        color=alt.Color("kind:N", scale=scale, legend=alt.Legend(title=None, orient="top", symbolSize=120)),
        tooltip=[
            alt.Tooltip("title:N", title="Method"),
            alt.Tooltip("ratio:Q", title="Ratio", format=".2f"),
            alt.Tooltip("low:Q", title=f"{_INTERVAL}, low", format=".2f"),
            alt.Tooltip("high:Q", title=f"{_INTERVAL}, high", format=".2f"),
            alt.Tooltip("customers:Q", title="Customers", format=",d"),
            alt.Tooltip("label:N", title="What it is"),
        ],
    )
    values = _ticks(rows)
    axis = alt.Axis(values=values, format="~r", grid=True)
    across = alt.X("ratio:Q", title="Times as much", scale=alt.Scale(type="log", nice=False, padding=24), axis=axis)
    one = alt.Chart(rows.head(1)).mark_rule(strokeDash=[2, 3], color=INK).encode(x=alt.datum(1.0))
    line = drawn.mark_rule(strokeWidth=3, opacity=0.5).encode(x=alt.X("low:Q", axis=axis), x2="high:Q")
    return [
        one,
        line,
        drawn.mark_point(filled=True, size=100, opacity=1).encode(x=across),
        drawn.mark_text(dy=-13, fontSize=12).encode(x=across, text="told:N", color=alt.value(QUIET)),
    ]


def _ticks(rows: pl.DataFrame) -> list[float]:
    """Return round ratios, as many as have room: wider apart where the figure spans more."""
    if rows.is_empty():
        return [1.0]
    low, high = (float(ends.to_numpy().min()) for ends in (rows["low"], -rows["high"]))
    steps = _STEPS if -high / min(low, 1.0) < 2.0 else (0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
    return [step for step in steps if min(low, 1.0) <= step <= max(-high, 1.0)]


def _finding(table: pl.DataFrame) -> str:
    rows = {row["method"]: row for row in table.iter_rows(named=True)}
    if not rows:
        return "Too few promoters or detractors to compare"
    first = rows.get("naive") or next(iter(rows.values()))
    naive = turned(f"{first['ratio']:.1f}")
    told = f"Promoters spend {naive} times as much as detractors"
    last = rows.get("own_past")
    if last is None:
        return told
    span = turned(f"{last['low']:.2f} to {last['high']:.2f}")
    if last["low"] <= 1.0 <= last["high"]:
        return f"{told}; against their own past no difference is seen ({span})"
    adjusted = turned(f"{last['ratio']:.2f}")
    return f"{told}; against their own past {adjusted} times ({span})"
