"""A strategy's grid and the places of the sliders in, the base case's NPV there out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.business_tables import GRID
from cxsim.errors import ParamError, TableError
from cxsim.tables import check
from cxsim.units import DAYS_PER_YEAR

Numbers = npt.NDArray[np.float64]
_PARTS = ("rest", "per_margin", "programme", "settled", "settled_programme")


def npv_at(grid: pl.DataFrame, *, x: float, y: float, margin: float, rate: float, horizon: int, cost: float) -> float:
    """Return the NPV of a strategy's base case with other numbers than its own, as the sliders of a report show it.

    Parameters
    ----------
    grid
        Under GRID; one strategy.
    x, y
        Values of the grid's two numbers, within it; 0 where the strategy has no such number.
    margin
        Gross margin, a share.
    rate
        Discount rate, effective per year.
    horizon
        Months, counted from 1; later ones drop out.
    cost
        What the programme costs, as a multiple of the plan.

    Returns
    -------
    float
        In units of the currency. At the nodes of the grid that of the simulation; between them linear in each number.

    Raises
    ------
    ParamError
        For a value outside the grid, or a horizon beyond its months.
    TableError
        For a table that is not under GRID, or holds several strategies.

    Examples
    --------
    Two months bring 10 and 110, of which half depends on the margin of one half; the second is a year away.

    >>> node = {"strategy": "a", "title": "A", "x_id": "", "x_description": "", "x_unit": ""}
    >>> node |= {"y_id": "", "y_description": "", "y_unit": "", "x": 0.0, "y": 0.0, "settled_programme": 0.0}
    >>> months = [
    ...     {"month": 0, "day": 0.0, "rest": 5.0, "per_margin": 20.0, "programme": -5.0, "settled": 0.0},
    ...     {"month": 1, "day": 365.25, "rest": 60.0, "per_margin": 100.0, "programme": 0.0, "settled": 0.0},
    ... ]
    >>> grid = pl.DataFrame([node | month for month in months], schema_overrides={"month": pl.Int32})
    >>> round(npv_at(grid, x=0.0, y=0.0, margin=0.5, rate=0.1, horizon=2, cost=1.0), 9)
    110.0
    """
    strategies = check(grid, GRID)["strategy"].n_unique()
    if strategies != 1:
        raise TableError(f"GRID: found {strategies} strategies; it must hold one.")
    table = grid.sort("x", "y", "month")
    xs, ys, days = (table[name].unique().sort().to_numpy() for name in ("x", "y", "day"))
    if not 1 <= horizon <= len(days):
        raise ParamError(f"horizon {horizon} is beyond the grid; possible: 1 to {len(days)} months.")
    corners = np.outer(_hats(xs, x, "x"), _hats(ys, y, "y"))
    rest, per_margin, programme, settled, settled_programme = (
        np.tensordot(corners, table[name].to_numpy().reshape(len(xs), len(ys), -1), axes=2) for name in _PARTS
    )
    cash: Numbers = (rest + margin * per_margin + cost * programme)[:horizon]
    cash[-1] += settled[horizon - 1] + cost * settled_programme[horizon - 1]
    return float(cash @ (1.0 + rate) ** (-days[:horizon] / DAYS_PER_YEAR))


def _hats(nodes: Numbers, value: float, name: str) -> Numbers:
    """Return how much each node counts at a value: all at itself, nothing at the next one."""
    if not nodes[0] <= value <= nodes[-1]:
        raise ParamError(f"{name} is {value:g}, outside the grid; possible: {nodes[0]:g} to {nodes[-1]:g}.")
    counts: Numbers = np.array([np.interp(value, nodes, one) for one in np.eye(len(nodes))])
    return counts
