"""Inputs in; the columns that a smooth surface over them is built of, and what each of them is about, out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

Numbers = npt.NDArray[np.float64]
# Knots of a spline at most, and rows for each of them at least.
_KNOTS, _ROWS_PER_KNOT = 10, 8
# A bend needs so many different values; with fewer, only a line is fitted.
_FEWEST_KNOTS = 4
# Bends that make up less than this share of what a spline can do are left out.
_NEGLIGIBLE = 3e-3
# So many pairs at most, those whose inputs matter most: what else there is counts as noise.
_PAIRS = 60
# An input that does nothing alone may still do something with one that matters; it counts as this share of the latter.
_ALLOWED = 0.05
NOBODY = -1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Columns:
    """Columns of a regression.

    Attributes
    ----------
    values
        Shape (rows, columns): each has mean 0.
    first, second
        Shape (columns,): the input that a column is about, and the other one where it is about a pair; NOBODY else.
    component
        Shape (columns,): columns with the same number share one variance.
    """

    values: Numbers
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    component: npt.NDArray[np.int64]

    def about(self, inputs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which columns are about some inputs alone: shape (columns,)."""
        known = np.append(inputs, NOBODY)
        return np.isin(self.first, inputs) & np.isin(self.second, known)

    def only(self, inputs: npt.NDArray[np.int64]) -> Columns:
        """Return the columns that are about some inputs alone."""
        some = self.about(inputs)
        return Columns(
            values=self.values[:, some],
            first=self.first[some],
            second=self.second[some],
            component=np.unique(self.component[some], return_inverse=True)[1],
        )


def alone(inputs: Numbers) -> Columns:
    """Return for each input a line and the bends of a penalised cubic regression spline.

    A line has variance 1. The bends are those of a natural cubic spline with knots at quantiles, without their part
    along the line, scaled so that independent coefficients of one variance are the penalty on the integral of the
    squared second derivative (Wood 2017, "Generalized additive models", chapter 5). A constant input has no columns.
    """
    parts: list[tuple[Numbers, int]] = []
    for place, values in enumerate(inputs.T):
        spread = float(values.std())
        if spread <= 1e-12 * max(1.0, float(np.abs(values).max())):
            continue
        scaled = (values - values.mean()) / spread
        parts.append((scaled[:, None], place))
        bends = _bends(scaled)
        if bends.shape[1]:
            parts.append((bends, place))
    sizes = [part.shape[1] for part, _ in parts]
    first = np.repeat(np.array([place for _, place in parts], np.int64), sizes)
    return Columns(
        values=np.hstack([part for part, _ in parts]) if parts else np.empty((len(inputs), 0)),
        first=first,
        second=np.full(len(first), NOBODY, np.int64),
        component=np.repeat(np.arange(len(parts)), sizes),
    )


def with_pairs(columns: Columns, inputs: Numbers, weights: Numbers) -> Columns:
    """Return the columns with one for each pair of inputs, all of one variance: the product of the two lines."""
    matter = np.unique(columns.first)
    if len(matter) < 2 or weights.max() <= 0.0:
        return columns
    weights = weights + _ALLOWED * weights.max()
    every = combinations(matter.tolist(), 2)
    pairs = sorted(every, key=lambda pair: (-weights[pair[0]] * weights[pair[1]], pair))[:_PAIRS]
    scaled = (inputs[:, matter] - inputs[:, matter].mean(axis=0)) / inputs[:, matter].std(axis=0)
    at = {place: number for number, place in enumerate(matter.tolist())}
    products = np.column_stack([scaled[:, at[one]] * scaled[:, at[other]] for one, other in pairs])
    strength = np.array([np.sqrt(weights[one] * weights[other]) for one, other in pairs])
    products = (products - products.mean(axis=0)) * (strength / np.sqrt(np.square(strength).sum()))
    one, other = np.array(pairs, np.int64).T
    number = int(columns.component.max(initial=-1)) + 1
    return Columns(
        values=np.hstack([columns.values, products]),
        first=np.concatenate([columns.first, one]),
        second=np.concatenate([columns.second, other]),
        component=np.concatenate([columns.component, np.full(len(pairs), number)]),
    )


def _bends(scaled: Numbers) -> Numbers:
    rows = len(scaled)
    wanted = min(_KNOTS, rows // _ROWS_PER_KNOT)
    knots = np.unique(np.quantile(scaled, np.linspace(0.0, 1.0, max(wanted, 2))))
    if len(knots) < _FEWEST_KNOTS:
        return np.empty((rows, 0))
    spline = CubicSpline(knots, np.eye(len(knots)), bc_type="natural")
    curvature = spline(knots, 2)
    penalty = curvature.T @ _hats(knots) @ curvature
    sizes, directions = np.linalg.eigh((penalty + penalty.T) / 2.0)
    bent = sizes > 1e-9 * sizes[-1]
    raw = spline(scaled) @ (directions[:, bent] / np.sqrt(sizes[bent]))
    line = np.column_stack([np.ones(rows), scaled])
    raw -= line @ np.linalg.lstsq(line, raw, rcond=None)[0]
    left, lengths, _ = np.linalg.svd(raw, full_matrices=False)
    share = np.square(lengths) / np.square(lengths).sum()
    kept = share > _NEGLIGIBLE
    bends: Numbers = left[:, kept] * np.sqrt(rows * share[kept])
    return bends


def _hats(knots: Numbers) -> Numbers:
    """Return the integrals of products of the hat functions on the knots, which second derivatives are made of."""
    gaps = np.diff(knots)
    whole = (np.append(gaps, 0.0) + np.append(0.0, gaps)) / 3.0
    return np.diag(whole) + np.diag(gaps / 6.0, 1) + np.diag(gaps / 6.0, -1)
