"""A strategy to be tried in; the size from which it pays, and what it brings at some sizes, out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import brentq

from cxsim.study.playing import Progress
from cxsim.study.trying import Sought, Trial, sizes
from cxsim.tables import BREAK_EVEN, CURVE, check, empty

# Sizes of the curve, both ends included; the break-even is then looked for between two of them, to a two-hundredth of
# the range, which takes two or three tries more.
SIZES = 5
_STEPS = 200.0
_MOST_TRIES = 20
TRIES = SIZES + 4
_INTERVAL = (0.05, 0.95)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a search found.

    Attributes
    ----------
    break_even
        One row, under BREAK_EVEN.
    curve
        One row for each of a few sizes and the break-even itself, under CURVE.
    """

    break_even: pl.DataFrame
    curve: pl.DataFrame


def found(trial: Trial, *, progress: Progress | None = None) -> Found:
    """Return the break-even of a strategy, and its NPV at a few sizes."""
    tries = _Tries(trial=trial, progress=progress)
    grid = sizes(trial.sought, SIZES)
    means = [tries.mean(size) for size in grid]
    low, high = trial.sought.quantity.range
    root = None
    if (means[0] > 0.0) != (means[-1] > 0.0):
        place = next(place for place in range(1, SIZES) if (means[place] > 0.0) != (means[0] > 0.0))
        ends = grid[place - 1], grid[place]
        root = float(brentq(tries.mean, *ends, xtol=(high - low) / _STEPS, maxiter=_MOST_TRIES))
        tries.mean(root)
    if progress is not None:
        progress(TRIES, TRIES)
    told = _told(trial.sought)
    at_root = tries.done[low if root is None else root].mean(axis=0)
    row = told | {
        "searched_low": low,
        "searched_high": high,
        "npv_low": means[0],
        "npv_high": means[-1],
        "break_even": root,
        "npv_mc_error": float(at_root.std(ddof=1) / np.sqrt(at_root.size)),
        "draws": at_root.size,
    }
    shown = sorted(grid if root is None else {*grid, root})
    rows = [told | {"size": size} | _spread(tries.done[size]) for size in shown]
    return Found(
        break_even=check(pl.DataFrame([row], schema=empty(BREAK_EVEN).schema), BREAK_EVEN),
        curve=check(pl.DataFrame(rows, schema=empty(CURVE).schema), CURVE),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tries:
    """Sizes that were tried already, with the NPV of every draw."""

    trial: Trial
    progress: Progress | None
    done: dict[float, npt.NDArray[np.float64]] = field(default_factory=dict)

    def mean(self, size: float) -> float:
        if size not in self.done:
            self.done[size] = self.trial.gains(size)
            if self.progress is not None:
                self.progress(min(len(self.done), TRIES - 1), TRIES)
        return float(self.done[size].mean())


def _told(wanted: Sought) -> dict[str, object]:
    return {
        "strategy": wanted.strategy.name,
        "title": wanted.strategy.title,
        "effect": wanted.path,
        "description": wanted.quantity.description,
        "unit": str(wanted.quantity.unit),
    }


def _spread(gains: npt.NDArray[np.float64]) -> dict[str, float]:
    low, high = np.quantile(gains, _INTERVAL)
    return {"npv": float(gains.mean()), "low": float(low), "high": float(high)}
