"""What the sliders of a report must show: a strategy's grid and their places in, the base case's NPV there out."""

from __future__ import annotations

import numpy as np
import polars as pl

from cxsim.params import DAYS_PER_YEAR

_PARTS = ("rest", "per_margin", "programme", "settled", "settled_programme")


def npv_at(grid: pl.DataFrame, *, x: float, y: float, margin: float, rate: float, horizon: int, cost: float) -> float:
    """At the nodes of the grid, the NPV of the simulation; between them, linear in each of the two numbers."""
    table = grid.sort("x", "y", "month")
    xs, ys, days = (table[name].unique().sort().to_numpy() for name in ("x", "y", "day"))
    corners = np.outer(_hats(xs, x), _hats(ys, y))
    rest, per_margin, programme, settled, settled_programme = (
        np.tensordot(corners, table[name].to_numpy().reshape(len(xs), len(ys), -1), axes=2) for name in _PARTS
    )
    cash = (rest + margin * per_margin + cost * programme)[:horizon]
    cash[-1] += settled[horizon - 1] + cost * settled_programme[horizon - 1]
    return float(cash @ (1.0 + rate) ** (-days[:horizon] / DAYS_PER_YEAR))


def _hats(nodes: np.ndarray, value: float) -> np.ndarray:
    """How much each node counts at a value: all at itself, nothing at the next one."""
    assert nodes[0] <= value <= nodes[-1]
    return np.array([np.interp(value, nodes, one) for one in np.eye(len(nodes))])
