"""How sure the cash is: a table under FAN goes in, the fans of cumulative extra cash come out, one per strategy."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.business_tables import FAN
from cxsim.charts.frame import WIDTH, Figure, framed, money_axis, named, names_of
from cxsim.charts.palette import INK, colours
from cxsim.charts.panels import headings, panels
from cxsim.tables import check
from cxsim.wording import NBSP, in_words, joined

_HEIGHT = 150
_INDENT = 62
# A band is as high as a hand at most: a fourth digit could not be seen.
_DIGITS = 4
# So many points make a curve, and few enough rows to be read out.
_POINTS = 12
_QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
_BANDS = (("q05", "q95", 0.16), ("q10", "q90", 0.2), ("q25", "q75", 0.28))
_MONTHS = "Months since the start"
_FIRST = "datum.month === 1"
# So many strategies are told one by one in a title; of more, their number is.
_TOLD = 3


def cash_fan(fan: pl.DataFrame, currency: str) -> Figure:
    """Draw how far the cumulative cash of each strategy spreads, month by month.

    Parameters
    ----------
    fan
        Table under `FAN`, strategies in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.FacetChart
        One panel per strategy: bands for the 50, 80 and 90 % intervals, mean, median and a rule at zero; not
        discounted.

    Raises
    ------
    TableError
        For a table that is not under `FAN`.
    """
    months = _by_month(check(fan, FAN))
    back = _back(months)
    end = int(months["month"].to_numpy().max())
    shown = (
        f"Cash gained over doing nothing since the start, not discounted, {currency}. Solid line: mean; dashed line: "
        f"median; bands, from dark to pale: 50, 80 and 90{NBSP}% interval over all draws. "
        f"Ring: from here on the mean stays above zero. Ahead or behind: the whole 90{NBSP}% interval lies on one "
        f"side of zero.{' Each panel has a scale of its own.' if len(back) > 1 else ''}"
    )
    table = _noted(_thinned(months, back), back, end)
    drawn = panels(_layers(table, currency, end), table, width=WIDTH - _INDENT, height=_HEIGHT, x="shared")
    return framed(drawn, finding=_finding(months, end), shown=shown, told=_told(months, back, currency))


def _by_month(fan: pl.DataFrame) -> pl.DataFrame:
    first = pl.col("month").min()
    return named(fan).select(
        "name",
        "mean",
        *_QUANTILES,
        month=(pl.col("month") - first + 1).cast(pl.Int64),
    )


def _back(months: pl.DataFrame) -> dict[str, int | None]:
    """Return for each strategy the first month from which its mean stays at or above zero; None if none does."""
    end = int(months["month"].to_numpy().max())
    below = months.group_by("name", maintain_order=True).agg(last=pl.col("month").filter(pl.col("mean") < 0.0).max())
    starts = {name: 1 if last is None else last + 1 for name, last in below.iter_rows()}
    return {name: month if month <= end else None for name, month in starts.items()}


def _thinned(months: pl.DataFrame, back: dict[str, int | None]) -> pl.DataFrame:
    """Return no more months than a listener can follow: every few, and those of the ends, the trough and payback."""
    end = int(months["month"].to_numpy().max())
    step = -(-end // _POINTS)
    least = pl.col("mean") == pl.col("mean").min().over("name")
    paid = pl.col("month") == pl.col("name").replace_strict(back, return_dtype=pl.Int64)
    kept = (pl.col("month") % step == 0) | pl.col("month").is_in([1, end]) | least | paid.fill_null(value=False)
    return months.filter(kept)


def _noted(months: pl.DataFrame, back: dict[str, int | None], end: int) -> pl.DataFrame:
    """Return what is drawn, with the words of the heading in the first month and a mark in the month of payback."""
    notes = {
        name: "Never below zero on average" if month == 1 else f"Back in month {month} on average"
        if month else f"Not back within {end} months on average"
        for name, month in back.items()
    }  # fmt: skip
    rows = [
        ("" if month > 1 else notes[name], month == back[name])
        for name, month in months.select("name", "month").iter_rows()
    ]
    marks = pl.DataFrame(rows, schema={"_note": pl.String, "_back": pl.Boolean}, orient="row")
    rounded = months.with_columns(pl.col("mean", *_QUANTILES).round_sig_figs(_DIGITS))
    return pl.concat([rounded, marks], how="horizontal")


def _layers(drawn: pl.DataFrame, currency: str, end: int) -> list[alt.Chart]:
    largest = float(drawn.select(pl.max_horizontal(pl.col("q05").abs(), pl.col("q95").abs()).max()).item())
    every = 1 if end <= 12 else 3 if end <= 36 else 12
    x = alt.X(
        "month:Q",
        title=_MONTHS,
        scale=alt.Scale(domain=[1, max(end, 2)], nice=False),
        axis=alt.Axis(values=[month for month in range(1, end + 1) if month == 1 or month % every == 0], format="d"),
    )
    money_title = f"Extra cash, {currency}"
    amounts = money_axis(money_title, largest=largest)
    amounts.tickCount = 4
    colour = alt.Color("name:N", scale=colours(names_of(drawn)), legend=None)
    # Axes and colours are told once, by the first layer; the others share them.
    shown = alt.Color("name:N", legend=None)
    curve = alt.Chart().encode(x=alt.X("month:Q", title=_MONTHS))
    tops = [alt.Y(f"{low}:Q", axis=alt.Axis(title=money_title)) for low, *_ in _BANDS]
    bands = [
        curve.mark_area(opacity=opacity, aria=False).encode(y=top, y2=f"{high}:Q", color=shown)
        for top, (_, high, opacity) in zip(tops, _BANDS, strict=True)
    ]
    bands[0] = bands[0].encode(x=x, y=alt.Y("q05:Q", axis=amounts), color=colour)
    mean = curve.encode(y=alt.Y("mean:Q", axis=alt.Axis(title=money_title)), color=shown)
    median = curve.mark_line(color=INK, strokeWidth=1.2, strokeDash=[5, 3], aria=False)
    return [
        *bands,
        alt.Chart().transform_filter(_FIRST).mark_rule(color=INK, aria=False).encode(y=alt.datum(0)),
        median.encode(y=alt.Y("q50:Q", axis=alt.Axis(title=money_title))),
        mean.mark_line(strokeWidth=2.5, aria=False),
        mean.mark_point(filled=True, size=18, opacity=1, aria=False).encode(tooltip=_tooltip()),
        _ring(curve.encode(y=alt.Y("mean:Q", axis=alt.Axis(title=money_title)))),
        *headings(_FIRST, shown, indent=_INDENT),
    ]


def _tooltip() -> list[alt.Tooltip]:
    # The table of the figure's data takes its heads from here.
    heads = {name: "Median" if name == "q50" else f"{int(name[1:])}{NBSP}% quantile" for name in _QUANTILES}
    quantiles = [alt.Tooltip(f"{name}:Q", title=head, format=",.3~r") for name, head in heads.items()]
    return [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("month:Q", title="Month"),
        alt.Tooltip("mean:Q", title="Mean", format=",.3~r"),
        *quantiles,
    ]


def _ring(mean: alt.Chart) -> alt.Chart:
    # The first month is kept, unseen: of a layer without rows, whose scale has no extent, browsers complain.
    seen = alt.condition("datum._back", alt.value(1.0), alt.value(0.0))
    ring = mean.transform_filter(f"datum._back || {_FIRST}")
    drawn = ring.mark_point(size=90, fill="#FFFFFF", stroke=INK, strokeWidth=2, aria=False)
    encoded: alt.Chart = drawn.encode(opacity=seen)
    return encoded


def _finding(months: pl.DataFrame, end: int) -> str:
    last = months.filter(month=end)
    sure = last.filter(pl.col("q05") > 0.0)["name"].to_list()
    lost = last.filter(pl.col("q95") < 0.0)["name"].to_list()
    open_ = [name for name in last["name"] if name not in {*sure, *lost}]
    told = [
        f"{_who(names, last.height)} {state}"
        for names, state in ((sure, "ahead"), (open_, "either ahead or behind"), (lost, "behind"))
        if names
    ]
    return f"After {end} months: {'; '.join(told)}"


def _who(names: list[str], every: int) -> str:
    return joined(names) if every <= _TOLD else f"{len(names)} of {every} strategies"


def _told(months: pl.DataFrame, back: dict[str, int | None], currency: str) -> str:
    last = months.filter(month=pl.col("month").max())
    told = []
    for name, *ends in last.select("name", "mean", "q05", "q95").iter_rows():
        paid = f"back in month {back[name]}" if back[name] else "not back"
        told.append(f"{name}: {in_words(*ends, currency=currency)} at the end, {paid} on average.")
    return " ".join(told)
