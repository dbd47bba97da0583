"""Grids of a strategy's two numbers for sliders, made up so that their values can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cxsim.params import DAYS_PER_YEAR
from cxsim.study.business.sensitivity import GRID, GRID_CENTRE
from cxsim.tables import check

SENTENCE = {
    "strategy": "points-programme",
    "title": "Points programme",
    "x_id": "strategies/points-programme/effects.dropout.ratio",
    "x_description": "Members' chance of leaving, against without; searched, not assumed.",
    "x_unit": "ratio",
    "y_id": "strategies/points-programme/reach.uptake",
    "y_description": "Share of customers who join. Two out of three shops have more.",
    "y_unit": "share",
}
Row = dict[str, object]


def by_hand() -> pl.DataFrame:
    """Return two nodes in each direction and two months: the second's cash flows one year after the first's."""
    nodes = {(1.0, 0.2): (0.0, 0.0), (1.0, 0.4): (100.0, 0.0), (2.0, 0.2): (0.0, 500.0), (2.0, 0.4): (300.0, 900.0)}
    months = [
        SENTENCE | {"x": x, "y": y, "month": month, "day": 365.25 * month} | parts
        for (x, y), (rest, per_margin) in nodes.items()
        for month, parts in enumerate(
            (
                {"rest": rest, "per_margin": per_margin, "programme": -1000.0, "settled": -40.0},
                {"rest": 0.0, "per_margin": 3300.0, "programme": -110.0, "settled": -22.0},
            )
        )
    ]
    return _grid([month | {"settled_programme": 11.0 if month["month"] else 0.0} for month in months])


def lively(
    xs: Sequence[float] = (0.85, 0.9, 0.95, 1.0, 1.05), ys: Sequence[float] = (0.2, 0.3, 0.4, 0.5, 0.6)
) -> pl.DataFrame:
    """Return a full grid of 36 months with an investment, seasons, points outstanding and many digits."""
    luck = np.random.Generator(np.random.PCG64(11))
    rows = []
    for x in xs:
        for y in ys:
            for month in range(36):
                season = 1.0 + 0.4 * float(np.sin(month / 2.0)) + 0.1 * luck.random()
                rows.append(
                    SENTENCE
                    | {
                        "x": x,
                        "y": y,
                        "month": month,
                        "day": 15.21875 + 30.4375 * month,
                        "rest": -2_345.678 * y * season,
                        "per_margin": 27_182.818 * (1.3 - x) * y * season,
                        "programme": -1_234.567 * y - (8_765.432 if month == 0 else 0.0),
                        "settled": -314.159 * y * month * season,
                        "settled_programme": 27.182 * month * season,
                    }
                )
    return _grid(rows)


def centre(**other: object) -> pl.DataFrame:
    """Return where the sliders over `lively` start."""
    row = {
        "strategy": "points-programme",
        "x": 0.95,
        "y": 0.4,
        "gross_margin": 0.45,
        "margin_low": 0.22,
        "margin_high": 0.68,
        "annual_discount_rate": 0.1,
        "horizon_months": 36,
        "npv": 12_345.6,
    }
    return check(pl.DataFrame([row | other], schema_overrides={"horizon_months": pl.Int64}), GRID_CENTRE)


def _grid(rows: list[Row]) -> pl.DataFrame:
    return check(pl.DataFrame(rows, schema_overrides={"month": pl.Int32}).select(list(GRID.columns)), GRID)


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


# Support and acquisition have no entry. Each subtotal is the sum of all accounts above it.
CHANGES = {
    "gross sales": 5_000.0,
    "markdown": -400.0,
    "net revenue": 4_600.0,
    "cost of goods": -2_500.0,
    "contribution margin 1": 2_100.0,
    "payment fees": -100.0,
    "pick, pack and ship": -350.0,
    "support": 0.0,
    "contribution margin 2": 1_650.0,
    "rewards": -250.0,
    "points still outstanding": -50.0,
    "acquisition": 0.0,
    "contribution margin 3": 1_350.0,
    "programme cost": -600.0,
    "cash contribution": 750.0,
}
