"""The base case with other numbers: GRID and GRID_CENTRE go in, one chart with sliders per strategy comes out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from cxsim.errors import TableError, choices
from cxsim.params import DAYS_PER_YEAR
from cxsim.reporting.theme import INK, STRATEGIES, Figure, framed, money_axis, tooltips
from cxsim.study.business.sensitivity import GRID, GRID_CENTRE
from cxsim.tables import check
from cxsim.wording import NBSP, money, style

_FIRST_CLAUSE = re.compile(r"[;:] |\. |\.$")
# A share is moved by half a percentage point.
SHARE_STEP = 0.005
# So many steps lie between two nodes of a grid.
_BETWEEN = 10
# Significant digits that keep the ends and steps of a slider free of the noise of binary fractions.
_DIGITS = 12
MONTHLY = ("rest", "per_margin", "programme")
AT_THE_END = ("settled", "settled_programme")
# What is settled once, at the end, is counted in so many steps of what flows monthly.
COARSER = 2
# So many digits of an amount are printed at most, and monthly amounts are counted in twentieths of the last of them.
_PRINTED_DIGITS = 6
_PARTS = 20.0
_EVEN = 1e-6
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Slider:
    """A number that a reader moves, from `low` to `high`; `name` is that of the chart's parameter.

    Its start is reached from `low` in whole steps, and one press of an arrow key is a step; the unit "%" is a share.
    """

    name: str
    label: str
    value: float
    low: float
    high: float
    step: float
    unit: str

    @property
    def parameter(self) -> alt.Parameter:
        """The chart's parameter, bound to a plain range input."""
        bind = alt.binding_range(min=self.low, max=self.high, step=self.step, name=self.label)
        return alt.param(name=self.name, value=self.value, bind=bind)

    @property
    def writing(self) -> dict[str, object]:
        """How a page writes its value: times `scale`, to `decimals`, with `unit`."""
        scale = 100 if self.unit.startswith("%") else 1
        # The noise of binary fractions must not cost a decimal.
        decimals = max(0, math.ceil(-math.log10(scale * self.step) - 1e-9))
        return {"scale": scale, "decimals": decimals, "unit": self.unit}


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredGrid:
    """The grid of one strategy, as its chart carries it."""

    # One row per node: x, y, and under each letter a list over months, in steps.
    nodes: pl.DataFrame
    # Of each stored column of GRID; one whose amounts are all zero is not stored.
    letters: Mapping[str, str]
    # When the cash of each month flows, from the start.
    days: list[float]
    # The values of both numbers, rising and evenly spaced.
    xs: list[float]
    ys: list[float]
    # To what amounts are rounded when they are printed: whole units of the currency, or less where they are huge.
    printed: float
    largest: float

    @property
    def months(self) -> int:
        """Number of months."""
        return len(self.days)

    @property
    def step(self) -> float:
        """What monthly amounts are counted in, in units of the currency."""
        return self.printed / _PARTS


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


def within(name: str, label: str, unit: str, *, value: float, ends: tuple[float, float], step: float) -> Slider:
    """Return a slider whose ends are as many whole steps from its start as fit."""
    low, high = (value + step * math.trunc((end - value) / step + math.copysign(1e-9, end - value)) for end in ends)
    return Slider(
        name=name, label=label, value=_clean(value), low=_clean(low), high=_clean(high), step=_clean(step), unit=unit
    )


def over_nodes(name: str, label: str, unit: str, *, value: float, nodes: Sequence[float]) -> Slider:
    """Return a slider that goes from the first to the last of evenly spaced values and stops at each of them."""
    step = (nodes[-1] - nodes[0]) / (len(nodes) - 1) / _BETWEEN
    return within(name, label, unit, value=value, ends=(nodes[0], nodes[-1]), step=step)


def first_clause(description: str) -> str:
    """Return what a number means, without what is said of it.

    >>> first_clause("Chance of leaving, against before; searched, not assumed. The interval says where to look.")
    'Chance of leaving, against before'
    """
    return _FIRST_CLAUSE.split(description, maxsplit=1)[0]


def unit_as_written(unit: str, currency: str) -> str:
    """Return what a value is written with.

    >>> unit_as_written("share per year", "USD"), unit_as_written("money per order", "USD")
    ('% per year', 'USD per order')
    """
    if unit.startswith("share"):
        return unit.replace("share", "%", 1)
    if unit.startswith("money"):
        return unit.replace("money", currency, 1)
    return "times" if unit == "ratio" else unit


def _clean(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def stored_grid(cells: pl.DataFrame) -> StoredGrid:
    """Return a grid as its chart carries it.

    Cumulative sums are rounded and then taken apart into months, so the rounding of one month is made good in the
    next. A sum of months times weights that fall from 1 towards 0, as present values do, is then wrong by at most
    half a step (summation by parts). A chart adds three such sums, one of them times a margin of at most 1, one times
    a cost factor of at most 2, and two balances of twice the step, one times the cost factor: (1 + 1 + 2) / 40 + (1 +
    2) / 20 = 0.25 of what is printed.
    """
    name = cells["strategy"][0]
    xs, ys, days = (cells[column].unique().sort().to_list() for column in ("x", "y", "day"))
    _require_full(cells, len(xs) * len(ys) * len(days))
    for axis, values in (("x", xs), ("y", ys)):
        gaps = [after - before for before, after in pairwise(values)]
        if gaps and max(gaps) - min(gaps) > _EVEN * max(gaps):
            raise TableError(f"GRID: '{name}' has {axis} at {values}; its nodes must be evenly spaced.")
    sums = cells.select(pl.col(MONTHLY).cum_sum().over("x", "y").abs(), pl.col(AT_THE_END).abs())
    highest = sums.max().row(0, named=True)
    largest = float(max(highest.values()))
    printed = 10.0 ** max(0, math.ceil(math.log10(max(largest, 1.0))) - _PRINTED_DIGITS)
    letters = {column: letter for column, letter in zip(highest, "abcde", strict=True) if highest[column] > 0.0}
    whole = [_whole(column, printed / _PARTS).alias(letter) for column, letter in letters.items()]
    nodes = cells.group_by("x", "y", maintain_order=True).agg(whole)
    return StoredGrid(nodes=nodes, letters=letters, days=days, xs=xs, ys=ys, printed=printed, largest=largest)


def _require_full(cells: pl.DataFrame, rows: int) -> None:
    if cells.height != rows or cells.select("x", "y", "month").is_duplicated().any():
        raise TableError(
            f"GRID: '{cells['strategy'][0]}' has {cells.height} rows; it must have each month once at each node."
        )


def _whole(column: str, step: float) -> pl.Expr:
    if column in AT_THE_END:
        return (pl.col(column) / (COARSER * step)).round().cast(pl.Int64)
    sums = (pl.col(column).cum_sum() / step).round().cast(pl.Int64)
    return sums - sums.shift(1, fill_value=0)


def _figure(cells: pl.DataFrame, start: dict[str, Any], currency: str, colour: str) -> Figure:
    stored = stored_grid(cells)
    node = cells.row(0, named=True)
    tips = tooltips({"month:I": "Months", "npv:Q": f"Discounted cash so far, {currency}"})
    area = alt.Chart().mark_area(opacity=0.18, color=colour, line={"color": colour, "strokeWidth": 2.5})
    zero = alt.Chart(pl.DataFrame({"zero": [0]})).mark_rule(color=INK, strokeWidth=1)
    # Its name becomes a class of the drawing, by which a page finds the result.
    words = alt.Chart(name="result").mark_text(align="left", baseline="bottom", fontSize=20, fontWeight="bold")
    drawn = alt.layer(
        area.encode(
            x=_axis(stored),
            y=alt.Y("npv:Q", axis=money_axis(f"Cumulative discounted cash, {currency}", largest=stored.largest)),
            tooltip=tips,
        ),
        zero.encode(y="zero:Q"),
        words.transform_filter("datum.month==horizon")
        .transform_calculate(words=_result(stored, currency))
        .encode(x=alt.value(0), y=alt.value(_ABOVE), text="words:N"),
        data=alt.InlineData(values=stored.nodes.to_dicts()),
    )
    sliders = _sliders(stored, node, start, currency)
    live = _discounted(drawn, stored).add_params(*(one.parameter for one in sliders))
    finding = _finding(node["title"], start["npv"], currency)
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
    words = f"'NPV {currency} '+{figure}" if style().currency == "before" else f"'NPV '+{figure}+'{NBSP}{currency}'"
    return f"{words}+{verdict}+' within '+horizon+(horizon==1?' month':' months')"


def _axis(stored: StoredGrid) -> alt.X:
    every = 1 if stored.months <= 12 else 3 if stored.months <= 36 else 12
    labels = [month for month in range(1, stored.months + 1) if month == 1 or month % every == 0]
    scale = alt.Scale(domain=[1, max(stored.months, 2)], nice=False)
    return alt.X("month:Q", title="Months since the start", scale=scale, axis=alt.Axis(values=labels, format="d"))


def _finding(title: str, npv: float, currency: str) -> str:
    verdict = "pays back" if npv > 0.0 else "loses money" if npv < 0.0 else "breaks even"
    return f"What if: {title} {verdict} in the base case, {money(npv, currency)}"


def _sliders(stored: StoredGrid, node: dict[str, Any], start: dict[str, Any], currency: str) -> list[Slider]:
    own = [
        over_nodes(
            f"{axis}_value",
            first_clause(node[f"{axis}_description"]),
            unit_as_written(node[f"{axis}_unit"], currency),
            value=start[axis],
            nodes=nodes,
        )
        for axis, nodes in (("x", stored.xs), ("y", stored.ys))
        if node[f"{axis}_id"] and len(nodes) > 1
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
