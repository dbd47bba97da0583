"""The base case under other assumptions: GRID and GRID_CENTRE in; one chart with sliders per strategy out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import altair as alt
import polars as pl

from cxsim.errors import TableError
from cxsim.params import DAYS_PER_YEAR
from cxsim.reporting.tables import unit_in_words
from cxsim.reporting.theme import (
    INK,
    STRATEGIES,
    Figure,
    framed,
    money_axis,
    months_across,
    rows_of,
    tooltips,
)
from cxsim.study.business.sensitivity import GRID, GRID_CENTRE
from cxsim.tables import check
from cxsim.wording import NBSP, figure, money, style

_UNITS = {"ratio": "times"}
_FIRST_CLAUSE = re.compile(r"[;:] |\. |\.$")
# A share is moved by half a percentage point.
_SHARE_STEP = 0.005
# So many steps lie between two nodes of a grid.
_BETWEEN = 10
# Significant digits that keep the ends and steps of a slider free of the noise of binary fractions.
_DIGITS = 12
_MONTHLY = ("rest", "per_margin", "programme")
_AT_THE_END = ("settled", "settled_programme")
# What is settled once, at the end, is counted in so many steps of what flows monthly.
_COARSER = 2
# So many digits of an amount are printed at most, and monthly amounts are counted in twentieths of the last of them.
_PRINTED_DIGITS = 6
_PARTS = 20.0
_EVEN = 1e-6
# What multiplies an amount when it is booked again; nothing multiplies the rest.
_FACTORS = {"per_margin": "margin*", "programme": "cost*", "settled_programme": "cost*"}
# The result stands so many pixels above the plotted area.
_ABOVE = -16
_SHOWN = (
    "Cumulative discounted cash against the baseline, {currency}; the last point is NPV{settled}. This is the base "
    "case: assumptions without a slider stay at central values. The decision rests on the mean over all draws."
)
_SETTLED = ", after settling outstanding points and working capital"


class _Grid(NamedTuple):
    """The grid of one strategy, as its chart carries it."""

    # One row per node: x, y, and under each letter a list over months, in steps.
    nodes: pl.DataFrame
    # Of each stored column of GRID; one whose amounts are all zero is not stored.
    letters: Mapping[str, str]
    # When the cash of each month flows, from the start.
    days: list[float]
    # The values of both numbers, rising and evenly spaced.
    axes: Mapping[str, list[float]]
    # To what amounts are rounded when they are printed: whole units of the currency, or less where they are huge.
    printed: float
    largest: float


class Slider(NamedTuple):
    """A number that a reader moves; a share has the unit "%", and is a share."""

    name: str
    label: str
    unit: str
    start: float
    low: float
    high: float
    step: float

    def in_steps(self) -> Slider:
        """Return it with ends as many whole steps from its start as fit; an arrow key moves it by a step."""
        start, step = self.start, self.step
        low, high = (
            start + step * math.trunc((end - start) / step + math.copysign(1e-9, end - start))
            for end in (self.low, self.high)
        )
        return Slider(*self[:3], *(float(f"{number:.{_DIGITS}g}") for number in (start, low, high, step)))

    @property
    def decimals(self) -> int:
        """How many are written, of a share in per cent."""
        # The noise of binary fractions must not cost a decimal.
        return max(0, math.ceil(-math.log10(self.scale * self.step) - 1e-9))

    @property
    def scale(self) -> int:
        """By what a value is multiplied when it is written."""
        return 100 if self.unit.startswith("%") else 1

    @property
    def parameter(self) -> alt.Parameter:
        """The chart's parameter, bound to a plain range input."""
        bind = alt.binding_range(min=self.low, max=self.high, step=self.step, name=self.label)
        return alt.param(name=self.name, value=self.start, bind=bind)

    def writing(self, currency: str) -> dict[str, object]:
        """Return how a page writes its value."""
        return {"scale": self.scale, "decimals": self.decimals, "unit": unit_in_words(self.unit, currency)}

    def written(self, value: float, currency: str) -> str:
        """Return a value with its unit."""
        return f"{figure(self.scale * value, f',.{self.decimals}f')}{NBSP}{unit_in_words(self.unit, currency)}".strip()


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
    figures = []
    for place, start in enumerate(check(centre, GRID_CENTRE).iter_rows(named=True)):
        cells = rows_of(grid, GRID, start["strategy"]).sort("x", "y", "month")
        figures.append(_figure(cells, start, currency, STRATEGIES[place % len(STRATEGIES)]))
    return tuple(figures)


def _stored(cells: pl.DataFrame) -> _Grid:
    """Return a grid as its chart carries it.

    Cumulative sums are rounded and then taken apart into months, so the rounding of one month is made good in the
    next. A sum of months times weights that fall from 1 towards 0, as present values do, is then wrong by at most
    half a step (summation by parts). A chart adds three such sums, one of them times a margin of at most 1, one times
    a cost factor of at most 2, and two balances of twice the step, one times the cost factor: (1 + 1 + 2) / 40 + (1 +
    2) / 20 = 0.25 of what is printed.
    """
    name = cells["strategy"][0]
    xs, ys, days = (cells[column].unique().sort().to_list() for column in ("x", "y", "day"))
    if cells.height != len(xs) * len(ys) * len(days) or cells.select("x", "y", "month").is_duplicated().any():
        raise TableError(f"GRID: '{name}' has {cells.height} rows; it must have each month once at each node.")
    for axis, values in (("x", xs), ("y", ys)):
        gaps = [after - before for before, after in pairwise(values)]
        if gaps and max(gaps) - min(gaps) > _EVEN * max(gaps):
            raise TableError(f"GRID: '{name}' has {axis} at {values}; its nodes must be evenly spaced.")
    so_far, at_the_end = pl.col(_MONTHLY).cum_sum().over("x", "y"), pl.col(_AT_THE_END)
    highest = cells.select(so_far.abs(), at_the_end.abs()).max().row(0, named=True)
    largest = float(max(highest.values()))
    printed = 10.0 ** max(0, math.ceil(math.log10(max(largest, 1.0))) - _PRINTED_DIGITS)
    letters = {column: letter for column, letter in zip(highest, "abcde", strict=True) if highest[column] > 0.0}
    step = printed / _PARTS
    sums = cells.with_columns((so_far / step).round(), (at_the_end / (_COARSER * step)).round())
    monthly = pl.col(_MONTHLY) - pl.col(_MONTHLY).shift(1, fill_value=0.0).over("x", "y")
    whole = sums.with_columns(monthly).select("x", "y", pl.col(*letters).cast(pl.Int64)).rename(letters)
    nodes = whole.group_by("x", "y", maintain_order=True).agg(pl.all())
    return _Grid(nodes, letters, days, {"x": xs, "y": ys}, printed, largest)


def _figure(cells: pl.DataFrame, start: dict[str, Any], currency: str, colour: str) -> Figure:
    stored = _stored(cells)
    tips = tooltips({"month:I": "Months", "npv:Q": f"Cumulative discounted cash, {currency}"})
    area = alt.Chart().mark_area(opacity=0.18, color=colour, line={"color": colour, "strokeWidth": 2.5})
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=INK, strokeWidth=1)
    # Its name becomes a class of the drawing, by which a page finds the result.
    words = alt.Chart(name="result").mark_text(align="left", baseline="bottom", fontSize=20, fontWeight="bold")
    drawn = alt.layer(
        area.encode(
            x=months_across(len(stored.days)),
            y=alt.Y("npv:Q", axis=money_axis(f"Cumulative discounted cash, {currency}", largest=stored.largest)),
            tooltip=tips,
        ),
        zero.encode(y="zero:Q"),
        words.transform_filter("datum.month==horizon")
        .transform_calculate(words=_result(stored, currency))
        .encode(x=alt.value(0), y=alt.value(_ABOVE), text="words:N"),
        data=alt.InlineData(values=stored.nodes.to_dicts()),
    )
    sliders = sliders_of(stored.axes, cells.row(0, named=True), start)
    entitled = framed(
        _discounted(drawn, stored).add_params(*(one.parameter for one in sliders)),
        finding=f"What if: base-case NPV of {cells['title'][0]} is {money(start['npv'], currency)}",
        shown=_SHOWN.format(currency=currency, settled=_SETTLED if set(_AT_THE_END) & set(stored.letters) else ""),
    )
    return entitled.properties(usermeta={"sliders": {one.name: one.writing(currency) for one in sliders}})


def _discounted(drawn: Figure, stored: _Grid) -> Figure:
    """Interpolate between the nodes, book each month again, and sum its present value up."""
    hats = [
        f"max(0,1-abs(datum.{axis}-{axis}_value)/{nodes[1] - nodes[0]!r})"
        for axis, nodes in stored.axes.items()
        if len(nodes) > 1
    ]
    flows, end = _booked(stored, _MONTHLY), _booked(stored, _AT_THE_END)
    present = f"pow(1+rate,-{stored.days}[datum.month-1]/{DAYS_PER_YEAR})".replace(" ", "")
    amount = f"datum.weight*({flows}+(datum.month==horizon?{_COARSER}*({end}):0))*{stored.printed / _PARTS!r}*{present}"
    booked: Figure = (
        drawn.transform_calculate(weight="*".join(hats) or "1")
        .transform_filter("datum.weight>1e-9")
        .transform_calculate(month=f"sequence(1,{len(stored.days) + 1})")
        .transform_flatten(["month", *stored.letters.values()])
        .transform_filter("datum.month<=horizon")
        .transform_calculate(present=amount)
        .transform_aggregate(present="sum(present)", groupby=["month"])
        .transform_window(npv="sum(present)", sort=[alt.SortField("month")], frame=[None, 0])
    )
    return booked


def _booked(stored: _Grid, columns: tuple[str, ...]) -> str:
    held = [column for column in columns if column in stored.letters]
    return "+".join(f"{_FACTORS.get(column, '')}datum.{stored.letters[column]}" for column in held) or "0"


def _result(stored: _Grid, currency: str) -> str:
    # Adding zero makes a zero of what would be printed as minus zero.
    amount = f"(round(datum.npv/{stored.printed:.0f})*{stored.printed:.0f}+0)"
    figure = f"format({amount},{amount}?'+,.3r':'')"
    words = f"'NPV {currency} '+{figure}" if style().currency == "before" else f"'NPV '+{figure}+'{NBSP}{currency}'"
    return f"{words}+' over '+horizon+(horizon==1?' month':' months')"


def sliders_of(axes: Mapping[str, list[float]], node: Mapping[str, Any], start: Mapping[str, Any]) -> list[Slider]:
    """Return the sliders of a strategy, from a row of GRID and its row of GRID_CENTRE."""
    own = [
        Slider(
            f"{axis}_value",
            _FIRST_CLAUSE.split(node[f"{axis}_description"], maxsplit=1)[0],
            _UNITS.get(node[f"{axis}_unit"], node[f"{axis}_unit"]).replace("share", "%", 1),
            start[axis],
            nodes[0],
            nodes[-1],
            (nodes[-1] - nodes[0]) / (len(nodes) - 1) / _BETWEEN,
        )
        for axis, nodes in axes.items()
        if node[f"{axis}_id"] and len(nodes) > 1
    ]
    rate, margin, months = (start[name] for name in ("annual_discount_rate", "gross_margin", "horizon_months"))
    return [
        one.in_steps()
        for one in (
            *own,
            Slider("cost", "All costs of the programme, multiple of plan", "times", 1.0, 0.0, 2.0, 0.05),
            Slider("margin", "Gross margin", "%", margin, start["margin_low"], start["margin_high"], _SHARE_STEP),
            Slider("rate", "Discount rate", "% per year", rate, 0.0, max(0.3, 2.0 * rate), _SHARE_STEP),
            Slider("horizon", "Horizon", "months", months, 1, months, 1),
        )
    ]
