"""The base case with other numbers: GRID and GRID_CENTRE go in, one chart with sliders per strategy comes out."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from cxsim.business_tables import GRID, GRID_CENTRE
from cxsim.charts.frame import Figure, framed, money_axis
from cxsim.charts.palette import INK, STRATEGIES
from cxsim.charts.sliders import SHARE_STEP, Slider, in_short, over_nodes, unit_in_words, within
from cxsim.charts.stored_grid import AT_THE_END, COARSER, MONTHLY, StoredGrid, stored_grid
from cxsim.errors import TableError, choices
from cxsim.number_style import style
from cxsim.tables import check
from cxsim.units import DAYS_PER_YEAR
from cxsim.wording import NBSP, money

# What multiplies an amount when it is booked again; nothing multiplies the rest.
_FACTORS = {"per_margin": "margin*", "programme": "cost*", "settled_programme": "cost*"}
# The result stands so many pixels above the plotted area.
_ABOVE = -16
_SHOWN = (
    "Cumulative discounted cash against doing nothing, {currency}; the last point is the net present value{settled}."
)
_SETTLED = ", with points and working capital still outstanding settled"
_RESTS_ON = (
    "This is the base case: numbers without a slider stay at their central values. The decision above rests on the "
    "mean over all draws instead."
)


def what_if(grid: pl.DataFrame, centre: pl.DataFrame, currency: str) -> tuple[Figure, ...]:
    """Draw for each strategy the base case's cumulative discounted cash, and its NPV, with sliders.

    Parameters
    ----------
    grid
        Table under `GRID`; its nodes are evenly spaced.
    centre
        Table under `GRID_CENTRE`, one row per strategy of the grid, in the order of the scenario.
    currency
        Code of the currency, as "USD".

    Returns
    -------
    tuple of alt.LayerChart
        At the grid's nodes the NPV is that of the simulation, between them linear in each number. It is printed in
        whole units of the currency while cumulative amounts stay below a million, else to six digits of the largest.
        Before that rounding it is wrong by at most 0.25 of the last digit, since stored amounts are rounded too.

    Raises
    ------
    TableError
        For a table that is not under its contract, a grid that is not even, or a strategy without a grid.
    """
    check(grid, GRID)
    known = grid["strategy"].unique(maintain_order=True).to_list()
    figures = []
    for place, start in enumerate(check(centre, GRID_CENTRE).iter_rows(named=True)):
        if start["strategy"] not in known:
            raise TableError(f"GRID: no strategy '{start['strategy']}'; {choices(start['strategy'], known)}")
        cells = grid.filter(pl.col("strategy") == start["strategy"]).sort("x", "y", "month")
        figures.append(_figure(cells, start, currency, STRATEGIES[place % len(STRATEGIES)]))
    return tuple(figures)


def _figure(cells: pl.DataFrame, start: dict[str, Any], currency: str, colour: str) -> Figure:
    stored = stored_grid(cells)
    told = cells.row(0, named=True)
    area = alt.Chart().mark_area(opacity=0.18, color=colour, line={"color": colour, "strokeWidth": 2.5})
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=INK, strokeWidth=1)
    # Its name becomes a class of the drawing, by which a page finds the result.
    words = alt.Chart(name="result").mark_text(align="left", baseline="bottom", fontSize=20, fontWeight="bold")
    drawn = alt.layer(
        area.encode(x=_axis(stored), y=_amounts(stored, currency), tooltip=_tooltip(currency)),
        zero.encode(y="zero:Q"),
        words.transform_filter("datum.month==horizon")
        .transform_calculate(words=_result(stored, currency))
        .encode(x=alt.value(0), y=alt.value(_ABOVE), text="words:N"),
        data=alt.InlineData(values=stored.nodes.to_dicts()),
    )
    sliders = _sliders(stored, told, start, currency)
    live = _discounted(drawn, stored).add_params(*(one.parameter for one in sliders))
    finding = _finding(told["title"], start["npv"], currency)
    settled = _SETTLED if set(AT_THE_END) & set(stored.letters) else ""
    shown = f"{_SHOWN.format(currency=currency, settled=settled)} {_RESTS_ON}"
    entitled = framed(live, finding=finding, shown=shown)
    return entitled.properties(usermeta={"sliders": {one.name: one.writing for one in sliders}})


def _discounted(drawn: Figure, stored: StoredGrid) -> Figure:
    """Interpolate between the nodes, book each month again, and sum its present value up."""
    hats = [
        f"max(0,1-abs(datum.{axis}-{axis}_value)/{nodes[1] - nodes[0]!r})"
        for axis, nodes in (("x", stored.xs), ("y", stored.ys))
        if len(nodes) > 1
    ]
    flows, end = _booked(stored, MONTHLY), _booked(stored, AT_THE_END)
    present = f"pow(1+rate,-{stored.days}[datum.month-1]/{DAYS_PER_YEAR})".replace(" ", "")
    booked: Figure = (
        drawn.transform_calculate(weight="*".join(hats) or "1")
        .transform_filter("datum.weight>1e-9")
        .transform_calculate(month=f"sequence(1,{stored.months + 1})")
        .transform_flatten(["month", *stored.letters.values()])
        .transform_filter("datum.month<=horizon")
        .transform_calculate(
            present=f"datum.weight*({flows}+(datum.month==horizon?{COARSER}*({end}):0))*{stored.step!r}*{present}"
        )
        .transform_aggregate(present="sum(present)", groupby=["month"])
        .transform_window(npv="sum(present)", sort=[alt.SortField("month")], frame=[None, 0])
    )
    return booked


def _booked(stored: StoredGrid, columns: tuple[str, ...]) -> str:
    held = [(column, stored.letters[column]) for column in columns if column in stored.letters]
    return "+".join(f"{_FACTORS.get(column, '')}datum.{letter}" for column, letter in held) or "0"


def _result(stored: StoredGrid, currency: str) -> str:
    # Adding zero makes a zero of what would be printed as minus zero.
    amount = f"(round(datum.npv/{stored.printed:.0f})*{stored.printed:.0f}+0)"
    verdict = f"({amount}>0?': pays back':{amount}<0?': loses money':': breaks even')"
    figure = f"format({amount},'+,.0f')"
    told = f"'NPV {currency} '+{figure}" if style().currency == "before" else f"'NPV '+{figure}+'{NBSP}{currency}'"
    return f"{told}+{verdict}+' within '+horizon+(horizon==1?' month':' months')"


def _axis(stored: StoredGrid) -> alt.X:
    every = 1 if stored.months <= 12 else 3 if stored.months <= 36 else 12
    labels = [month for month in range(1, stored.months + 1) if month == 1 or month % every == 0]
    scale = alt.Scale(domain=[1, max(stored.months, 2)], nice=False)
    return alt.X("month:Q", title="Months since the start", scale=scale, axis=alt.Axis(values=labels, format="d"))


def _amounts(stored: StoredGrid, currency: str) -> alt.Y:
    return alt.Y("npv:Q", axis=money_axis(f"Cumulative discounted cash, {currency}", largest=stored.largest))


def _tooltip(currency: str) -> list[alt.Tooltip]:
    amount = alt.Tooltip("npv:Q", title=f"Discounted cash so far, {currency}", format=",.3~r")
    return [alt.Tooltip("month:Q", title="Months"), amount]


def _finding(title: str, npv: float, currency: str) -> str:
    verdict = "pays back" if npv > 0.0 else "loses money" if npv < 0.0 else "breaks even"
    return f"What if: {title} {verdict} in the base case, {money(npv, currency)}"


def _sliders(stored: StoredGrid, told: dict[str, Any], start: dict[str, Any], currency: str) -> list[Slider]:
    own = [
        over_nodes(
            f"{axis}_value",
            in_short(told[f"{axis}_description"]),
            unit_in_words(told[f"{axis}_unit"], currency),
            value=start[axis],
            nodes=nodes,
        )
        for axis, nodes in (("x", stored.xs), ("y", stored.ys))
        if told[f"{axis}_id"] and len(nodes) > 1
    ]
    margin, rate, horizon = start["gross_margin"], start["annual_discount_rate"], start["horizon_months"]
    margins, rates = (start["margin_low"], start["margin_high"]), (0.0, max(0.3, 2.0 * rate))
    return [
        *own,
        within("cost", "Cost of the programme, against the plan", "times", value=1.0, ends=(0.0, 2.0), step=0.05),
        within("margin", "Gross margin", "%", value=margin, ends=margins, step=SHARE_STEP),
        within("rate", "Discount rate", "% per year", value=rate, ends=rates, step=SHARE_STEP),
        within("horizon", "Horizon", "months", value=horizon, ends=(1, stored.months), step=1),
    ]
