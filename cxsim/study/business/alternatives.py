"""A business case, and other values of a strategy's numbers, in; its NPV over all draws out, at once or simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from cxsim.finance.returns import share_error, standard_error
from cxsim.finance.statement import HIGH, LOW, weights
from cxsim.params import Quantity, quantities, share_steps
from cxsim.simulation.engine import Progress
from cxsim.strategies.strategy import Strategy
from cxsim.study.assumptions import assumed_in, with_quantities_in
from cxsim.study.business.base_case import Numbers
from cxsim.study.business.case import BusinessCase
from cxsim.study.business.sensitivity import PARTS, monthly_parts
from cxsim.study.loading import changed
from cxsim.study.run import run
from cxsim.study.scenario import Scenario


class Setting(NamedTuple):
    """What is set by hand; None for what stays as it is. `x` and `y` are the two numbers of the strategy's grid."""

    x: float | None = None
    y: float | None = None
    cost: float | None = None  # multiple of all costs of the programme
    margin: float | None = None
    rate: float | None = None
    horizon: int | None = None


class Answer(NamedTuple):
    """NPV over all draws, its interval and its chance of being positive, with their errors."""

    npv: float
    error: float
    low: float
    high: float
    chance: float
    chance_error: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Alternatives:
    """The money of one strategy, ready to be booked again: nothing in it is simulated once more."""

    scenario: Scenario
    start: dict[str, Any]  # its row of GRID_CENTRE
    grid: Numbers  # of the base case: shape (parts, x, y, months)
    axes: dict[str, Numbers]  # nodes of x and of y
    paths: dict[str, str]  # where both stand in the strategy; empty where it has no such number
    drawn: dict[str, Numbers]  # x and y in each world
    margins: Numbers
    rates: Numbers
    money: Numbers  # in each world: shape (parts, worlds, months)

    def answer(self, setting: Setting) -> Answer:
        """Return the NPV over all draws.

        Margin, cost, discount rate and horizon are booked again in each draw, which is exact but for points that are
        open when a horizon ends early. What a number of the grid moves in the base case is added to each draw, from
        the draw's own value of it: an approximation. A number that is set has no uncertainty left.
        """
        money = self.money
        if (setting.x, setting.y) != (None, None):
            there = [_set(value, self.drawn[axis]) for axis, value in (("x", setting.x), ("y", setting.y))]
            money = money + self._at(*there) - self._at(self.drawn["x"], self.drawn["y"])
        npv = self._npv(money, setting, _set(setting.margin, self.margins), _set(setting.rate, self.rates))
        structures, gains = len(self.scenario.structures), npv > 0.0
        low, high = np.quantile(npv, (LOW, HIGH))
        errors = standard_error(npv, structures), share_error(gains, structures)
        return Answer(float(npv.mean()), errors[0], float(low), float(high), float(gains.mean()), errors[1])

    def of_base_case(self, setting: Setting) -> float:
        """Return the NPV of the base case, as the sliders of a report show it."""
        x, y, margin, rate = (
            np.array([self.start[name] if value is None else value])
            for name, value in (
                *(("x", setting.x), ("y", setting.y)),
                *(("gross_margin", setting.margin), ("annual_discount_rate", setting.rate)),
            )
        )
        return float(self._npv(self._at(x, y), setting, margin, rate)[0])

    def _at(self, x: Numbers, y: Numbers) -> Numbers:
        hats = _hats(self.axes["x"], x), _hats(self.axes["y"], y)
        found: Numbers = np.einsum("nx,ny,pxym->pnm", *hats, self.grid)
        return found

    def _npv(self, money: Numbers, setting: Setting, margins: Numbers, rates: Numbers) -> Numbers:
        months = setting.horizon or self.scenario.horizon_months
        cost = 1.0 if setting.cost is None else setting.cost
        rest, per_margin, programme, settled, settled_programme = money[:, :, :months]
        cash = rest + margins[:, None] * per_margin + cost * programme
        cash[:, -1] += settled[:, -1] + cost * settled_programme[:, -1]
        present = weights(self.scenario.calendar.month_starts, self.scenario.economics.timing, rates)
        total: Numbers = (cash * present[:, :months]).sum(axis=1)
        return total


def alternatives(case: BusinessCase, strategy: str) -> Alternatives:
    """Return what answers for one strategy at once."""
    study, arm = case.study, case.study.scenario.arms.index(strategy)
    draws = study.worlds.draws
    cells = case.grid.filter(strategy=strategy).sort("x", "y", "month")
    axes = {axis: cells[axis].unique().sort().to_numpy() for axis in ("x", "y")}
    shape = (len(PARTS), *map(len, axes.values()), study.scenario.horizon_months)
    running = [draw.arms[arm] for draw in draws]
    economics = [draw.scenario.economics for draw in draws]
    paths = {axis: _path(cells[f"{axis}_id"][0]) for axis in axes}
    return Alternatives(
        scenario=study.scenario,
        start=case.grid_centre.filter(strategy=strategy).row(0, named=True),
        paths=paths,
        grid=cells.select(PARTS).to_numpy().T.reshape(shape),
        axes=axes,
        drawn={axis: _values(running, path) for axis, path in paths.items()},
        # As it is booked, in hundredths of a per cent.
        margins=np.array([share_steps(one.gross_margin.value) for one in economics]) / share_steps(1.0),
        rates=np.array([one.annual_discount_rate.value for one in economics]),
        money=monthly_parts(draws, running, (study.counts[0], study.counts[arm])),
    )


def simulated(found: Alternatives, setting: Setting, *, progress: Progress | None = None) -> Answer:
    """Return the same by simulating the scenario again with these numbers, for this strategy alone."""
    study = run(_altered(found, setting), progress=progress)
    names = ("incremental_npv", "npv_mc_error", "npv_low", "npv_high", "prob_npv_positive", "prob_mc_error")
    return Answer(*study.returns.select(names).row(0))


def _altered(found: Alternatives, setting: Setting) -> Scenario:
    """Return the scenario of a strategy alone, which draws the same numbers as beside others."""
    name = found.start["strategy"]
    (strategy,) = (one for one in found.scenario.strategies if one.name == name)
    scenario = replace(found.scenario, strategies=(strategy,), combinations=())
    arriving, months = scenario.new_customers, setting.horizon
    if arriving is not None and months is not None:
        scenario = replace(scenario, new_customers=replace(arriving, months=min(arriving.months, months)))
    if setting.cost is not None:
        costs = [one for one in assumed_in("strategies", strategy, strategy.title) if one.path.startswith("costs.")]
        scenario = with_quantities_in(scenario, {one.id: _times(one.quantity, setting.cost) for one in costs})
    changes = {
        f"strategies.{name}.{found.paths['x']}": setting.x,
        f"strategies.{name}.{found.paths['y']}": setting.y,
        "economics.gross_margin": setting.margin,
        "economics.annual_discount_rate": setting.rate,
        "horizon_months": months,
    }
    return changed(scenario, "; ".join(f"{key}={value}" for key, value in changes.items() if value is not None))


def _times(quantity: Quantity, factor: float) -> Quantity:
    low, high = quantity.range
    return replace(quantity, value=factor * quantity.value, range=(factor * low, factor * high))


def _path(identifier: str) -> str:
    return identifier.split("/", 2)[2] if identifier else ""


def _values(strategies: Sequence[tuple[Strategy, ...]], path: str) -> Numbers:
    """Return a number of the strategy in each draw; 0 where it has no such number, as in GRID."""
    return np.array([dict(quantities(one))[path].value if path else 0.0 for (one,) in strategies])


def _set(value: float | None, drawn: Numbers) -> Numbers:
    return drawn if value is None else np.full_like(drawn, value)


def _hats(nodes: Numbers, values: Numbers) -> Numbers:
    """Return how much each node counts at each value: linear between nodes, and on beyond the outermost two."""
    found = np.zeros((len(values), len(nodes)))
    if len(nodes) == 1:
        return found + 1.0
    left = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2)
    share, rows = (values - nodes[left]) / (nodes[left + 1] - nodes[left]), np.arange(len(values))
    found[rows, left], found[rows, left + 1] = 1.0 - share, share
    return found
