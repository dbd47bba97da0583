"""The base case in; each strategy on a grid of its two most influential numbers, taken apart for sliders, out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl

from cxsim.business.central import Central, Numbers, Played, Variant
from cxsim.business.numbers import Number, alone, moved, own_numbers
from cxsim.business.rates import outstanding
from cxsim.business.responses import responding
from cxsim.business_tables import GRID, GRID_CENTRE, HEAT
from cxsim.ledger import PROGRAMME_ACCOUNTS, Account
from cxsim.scenario import with_assumptions
from cxsim.simulation import rounded
from cxsim.strategies import Strategy
from cxsim.tables import check, empty
from cxsim.units import BOUNDS
from cxsim.valuation import ACCOUNTS, cash_days

# Steps over what is believed of the first and of the second number; the grid is even, and holds the central values.
_STEPS = (4, 2)
_UPTAKE = "reach.uptake"
_NUMERIC = ("rest", "per_margin", "programme", "settled", "settled_programme")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Grids:
    """What sliders and heat maps are made of.

    Attributes
    ----------
    grid, centre, heat
        Under GRID, GRID_CENTRE and HEAT.
    """

    grid: pl.DataFrame
    centre: pl.DataFrame
    heat: pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class _Axes:
    """The two numbers of a strategy that are varied; a missing one has one value, 0."""

    strategy: Strategy
    x: Number | None
    y: Number | None

    def nodes(self) -> list[tuple[float, float]]:
        across, along = _STEPS
        return list(product(_even(self.x, across), _even(self.y, along)))

    def at(self, node: tuple[float, float]) -> Variant:
        values = {number.path: value for number, value in zip((self.x, self.y), node, strict=True) if number}
        return Variant(strategies=(moved(self.strategy, values),))

    def told(self) -> dict[str, object]:
        told: dict[str, object] = {"strategy": self.strategy.name, "title": self.strategy.title}
        for axis, number in (("x", self.x), ("y", self.y)):
            told[f"{axis}_id"] = number.id if number else ""
            told[f"{axis}_description"] = number.quantity.description if number else ""
            told[f"{axis}_unit"] = str(number.quantity.unit) if number else ""
        return told


def grids(base: Central, sensitivities: pl.DataFrame) -> Grids:
    """Return every strategy at each node of a grid of its two most influential numbers."""
    axes = [_axes(strategy, sensitivities) for strategy in alone(base.scenario)]
    wanted = [(one, node) for one in axes for node in one.nodes()]
    played = base.play([one.at(node) for one, node in wanted])
    cells, heat = [], []
    for (one, node), happened in zip(wanted, played, strict=True):
        cells.append(_cells(base, one, node, _parts(base, happened)))
        heat.append({**one.told(), "x": node[0], "y": node[1], "npv": float(base.npv(happened).mean())})
    return Grids(
        grid=check(pl.concat([empty(GRID), *cells]), GRID),
        centre=check(pl.DataFrame([*_centres(base, axes, heat)], schema=empty(GRID_CENTRE).schema), GRID_CENTRE),
        heat=check(pl.DataFrame(heat, schema=empty(HEAT).schema), HEAT),
    )


def _axes(strategy: Strategy, sensitivities: pl.DataFrame) -> _Axes:
    ranked = sensitivities.filter(pl.col("strategy") == strategy.name).sort("rank")["id"].to_list()
    played = {number.id: number for number in own_numbers(strategy) if number.method == "played"}
    order = [played[name] for name in ranked if name in played]
    effects = [number for number in order if number.path.startswith("effects.")]
    responses = [number for number in effects if number.path in responding(strategy)]
    x = next(iter([*responses, *effects]), None)
    rest = [number for number in order if number is not x]
    y = next((number for number in rest if number.path == _UPTAKE), rest[0] if rest else None)
    return _Axes(strategy=strategy, x=x, y=y)


def _even(number: Number | None, steps: int) -> list[float]:
    """Return evenly spaced values that cover what is believed, the central one among them."""
    if number is None:
        return [0.0]
    (low, high), value, bounds = number.quantity.range, number.quantity.value, BOUNDS[number.quantity.unit]
    step = (high - low) / steps
    below, above = round((value - low) / step), round((high - value) / step)
    nodes = [rounded(value + place * step) for place in range(-below, above + 1)]
    return [node for node in nodes if bounds.low <= node <= bounds.high]


def _parts(base: Central, played: Played) -> dict[str, Numbers]:
    """Return the cash of each month, mean over worlds, as GRID takes it apart: a straight line in the margin."""
    margin = f"economics/{base.scenario.economics.name}/gross_margin"
    at = [with_assumptions(base.scenario, {margin: share}) for share in (0.0, 1.0)]
    none, all_ = (base.flows(played, scenario).incremental(1).mean(axis=0) for scenario in at)
    accounts = {account: place for place, account in enumerate(ACCOUNTS)}
    programme = none[:, [accounts[account] for account in PROGRAMME_ACCOUNTS]].sum(axis=1)
    rest = none.sum(axis=1) - programme - none[:, accounts[Account.POINTS_LIABILITY]]
    reaches = len(played.variant.strategies)
    return {
        "rest": rest,
        "per_margin": (all_ - none).sum(axis=1),
        "programme": programme,
        "settled": -outstanding(played.treated, reaches).mean(axis=0),
        "settled_programme": -none[:, accounts[Account.WORKING_CAPITAL]].cumsum(),
    }


def _cells(base: Central, axes: _Axes, node: tuple[float, float], parts: Mapping[str, Numbers]) -> pl.DataFrame:
    calendar = base.scenario.calendar
    days = cash_days(calendar.month_starts, base.scenario.economics.timing)
    told = {**axes.told(), "x": node[0], "y": node[1]}
    return pl.DataFrame(
        {
            **{name: [value] * calendar.months for name, value in told.items()},
            "month": np.arange(calendar.months, dtype=np.int32),
            "day": days,
            **{name: parts[name] for name in _NUMERIC},
        }
    ).select(empty(GRID).columns)


def _centres(base: Central, axes: Sequence[_Axes], heat: Sequence[Mapping[str, object]]) -> Iterator[dict[str, object]]:
    economics = base.scenario.economics
    for one in axes:
        x, y = (0.0 if number is None else number.quantity.value for number in (one.x, one.y))
        here = (one.strategy.name, rounded(x), rounded(y))
        npv = next(row["npv"] for row in heat if (row["strategy"], row["x"], row["y"]) == here)
        yield {
            "strategy": one.strategy.name,
            "x": here[1],
            "y": here[2],
            "gross_margin": economics.gross_margin.value,
            "margin_low": max(0.0, math.floor(50.0 * economics.gross_margin.value) / 100.0),
            "margin_high": min(1.0, math.ceil(150.0 * economics.gross_margin.value) / 100.0),
            "annual_discount_rate": economics.annual_discount_rate.value,
            "horizon_months": base.scenario.horizon_months,
            "npv": npv,
        }
