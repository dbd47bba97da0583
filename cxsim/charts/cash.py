"""When the money comes back: a table under CASH goes in, the curve of cumulative extra cash comes out."""

from __future__ import annotations

import altair as alt
import polars as pl

from cxsim.charts.frame import WIDTH, Figure, balanced, framed, money_axis, named, names_of, rounded
from cxsim.charts.palette import INK, QUIET, colours
from cxsim.tables import CASH, check
from cxsim.wording import INTERVAL, in_words, joined

_LABEL_WIDTH = 140
_LABEL_CHARACTERS = 22
# Labels at the ends of the curves stay apart by this share of the height: two lines of text.
_LABEL_STEP = 0.1
# So many strategies are told one by one in a title; of more, their number is.
_TOLD = 3


def cumulative_cash(cash: pl.DataFrame, currency: str) -> Figure:
    """Draw the cash that each strategy has brought since the start, against doing nothing.

    Parameters
    ----------
    cash
        Table under `CASH`; a column `title`, if there is one, names the strategies.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    alt.LayerChart
        One line per strategy for the mean over draws, and a band for the 90 % interval; not discounted.

    Raises
    ------
    TableError
        For a table that is not under `CASH`.
    """
    curves = rounded(_by_month(check(cash, CASH)))
    months = int(curves["months"].max())  # type: ignore[arg-type]
    finding = _finding(_paid_back(curves), months)
    shown = (
        f"Cash gained over doing nothing since the start, not discounted, {currency}. "
        f"Line: mean of all draws; band: {INTERVAL}."
    )
    colour = alt.Color("name:N", scale=colours(names_of(curves)), legend=None)
    drawn = alt.layer(_zero(), *_curves(curves, currency, colour), *_ends(curves, colour))
    return framed(drawn, finding=finding, shown=shown, told=_told(curves, currency), width=WIDTH - _LABEL_WIDTH)


def _by_month(cash: pl.DataFrame) -> pl.DataFrame:
    columns = ["name", "months", "ends_on", "mean", "low", "high"]
    return named(cash).with_columns(months=pl.col("month") - pl.col("month").min() + 1).select(columns)


def _paid_back(curves: pl.DataFrame) -> pl.DataFrame:
    """Return for each strategy the first month from which its mean stays at or above zero; null if none does."""
    last_below = pl.col("months").filter(pl.col("mean") < 0.0).max()
    return (
        curves.group_by("name", maintain_order=True)
        .agg(month=last_below.fill_null(pl.col("months").min() - 1) + 1, end=pl.col("months").max())
        .select("name", month=pl.when(pl.col("month") <= pl.col("end")).then("month"))
    )


def _finding(paid_back: pl.DataFrame, months: int) -> str:
    back = paid_back.drop_nulls("month").sort("month", maintain_order=True)
    never = paid_back.filter(pl.col("month").is_null())["name"].to_list()
    if back.is_empty():
        subject = f"{never[0]} does not pay" if len(never) == 1 else "No strategy pays"
        return f"{subject} back within {months} months on average"
    if back.height > _TOLD:
        first, month = back.row(0)
        paying = f"{back.height} of {paid_back.height} strategies pay back within {months} months"
        return f"{paying}, {first} first (month {month})"
    told = joined([f"{name} in month {month}" for name, month in back.iter_rows()])
    if not never:
        return f"Payback on average: {told}"
    rest = joined(never) if len(never) < _TOLD else f"the other {len(never)}"
    return f"Payback on average: {told}; {rest} not within {months} months"


def _told(curves: pl.DataFrame, currency: str) -> str:
    ends = curves.group_by("name", maintain_order=True).last()
    told = "; ".join(
        f"{name} {in_words(mean, low, high, currency=currency)}"
        for name, mean, low, high in ends.select("name", "mean", "low", "high").iter_rows()
    )
    months = curves.select(pl.col("months").max()).item()
    return f"After {months} months: {told}."


def _zero() -> alt.Chart:
    rule: alt.Chart = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=INK, strokeWidth=1).encode(y="zero:Q")
    return rule


def _curves(curves: pl.DataFrame, currency: str, colour: alt.Color) -> tuple[alt.Chart, alt.Chart]:
    largest = float(curves.select(pl.max_horizontal(pl.col("low").abs(), pl.col("high").abs()).max()).item())
    steps = int(curves["months"].max())  # type: ignore[arg-type]
    every = 1 if steps <= 12 else 3 if steps <= 36 else 12
    months = alt.X(
        "months:Q",
        title="Months since the start",
        scale=alt.Scale(domain=[1, max(steps, 2)], nice=False),
        axis=alt.Axis(values=[month for month in range(1, steps + 1) if month == 1 or month % every == 0], format="d"),
    )
    amounts = money_axis(f"Cumulative extra cash, {currency}", largest=largest)
    tooltip = [
        alt.Tooltip("name:N", title="Strategy"),
        alt.Tooltip("months:Q", title="Months"),
        alt.Tooltip("ends_on:T", title="Month ends", format="%-d %B %Y"),
        alt.Tooltip("mean:Q", title=f"Mean, {currency}", format=",.3~r"),
        alt.Tooltip("low:Q", title=f"{INTERVAL}, low", format=",.3~r"),
        alt.Tooltip("high:Q", title=f"{INTERVAL}, high", format=",.3~r"),
    ]
    drawn = alt.Chart(curves).encode(x=months, color=colour)
    band = drawn.mark_area(opacity=0.14).encode(y=alt.Y("low:Q", axis=amounts), y2="high:Q")
    line = drawn.mark_line(strokeWidth=2.5).encode(y=alt.Y("mean:Q", axis=amounts), tooltip=tooltip)
    return band, line


def _ends(curves: pl.DataFrame, colour: alt.Color) -> tuple[alt.Chart, alt.Chart]:
    ends = curves.group_by("name", maintain_order=True).last()
    span = float(curves["high"].max()) - float(curves["low"].min())  # type: ignore[arg-type]
    labels = rounded(ends.sort("mean").with_columns(level=_apart(pl.col("mean"), _LABEL_STEP * span)))
    wrapped = pl.Series(["\n".join(balanced(name, _LABEL_CHARACTERS)) for name in labels["name"]])
    point = alt.Chart(ends).mark_point(filled=True, size=60, opacity=1).encode(x="months:Q", y="mean:Q", color=colour)
    text = (
        alt.Chart(labels.with_columns(label=wrapped))
        .mark_text(align="left", baseline="middle", dx=10, lineBreak="\n", color=QUIET, fontWeight="bold")
        .encode(x="months:Q", y="level:Q", text="label:N")
    )
    return point, text


def _apart(levels: pl.Expr, step: float) -> pl.Expr:
    """Lift each of the rising levels so far that it keeps `step` from the one below."""
    rank = pl.int_range(pl.len())
    return (levels - rank * step).cum_max() + rank * step
