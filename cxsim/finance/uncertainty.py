"""An output and columns in; how much each component of the columns varies, and their coefficients, out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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


_ROUNDS = 300
# The fixed point is found when no variance moves by more than this share of the output's.
_STEADY = 3e-5
# A component falls to nothing when all its coefficients together explain less than this share of the noise of one.
_NONE = 1e-2
# What a prior that is flat in the standard deviation of a component adds to its number of effective coefficients: a
# single one then falls to nothing within 2.41 standard errors of 0, where (1 + z**2)**2 < 8 z**2. With a prior flat in
# the variance (0 here), that would be within one, and a third of all numbers without effect would seem to have one.
_FLAT_IN_DEVIATIONS = 1.0
# An output that shows nothing of a coefficient has a log-likelihood of -ln(1 + x) / 2 at a variance of x times the
# noise over the rows: within a half of its best, it still allows e - 1.
_NOT_EXCLUDED = float(np.e) - 1.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mixed:
    """A regression in which the coefficients of each component come from a normal distribution of its own variance.

    Attributes
    ----------
    variances
        Shape (components,): 0 for those of which the output shows nothing.
    noise
        Variance of what is left.
    coefficients
        Shape (columns,).
    centre, covariance
        Shapes (columns,) and (columns, columns): what the coefficients may be instead. A component of which the output
        shows nothing has the variance here that the output cannot exclude.
    """

    variances: Numbers
    noise: float
    coefficients: Numbers
    centre: Numbers
    covariance: Numbers


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Equations:
    """An output with mean 0 and its columns."""

    values: Numbers
    output: Numbers
    component: npt.NDArray[np.int64]
    squares: Numbers
    products: Numbers

    def by_component(self, each: Numbers) -> Numbers:
        return np.bincount(self.component, each, minlength=int(self.component.max()) + 1).astype(np.float64)

    def solved(self, variances: Numbers, noise: float) -> tuple[Numbers, Numbers]:
        """Return coefficients, and what share of each one's prior variance the output has taken away."""
        coefficients, taken = np.zeros_like(self.products), np.zeros_like(self.products)
        kept = np.flatnonzero(variances[self.component] > 0.0)
        # In units of each coefficient's own deviation, so that no matrix is near singular; of the two forms of the
        # inverse, by columns and by rows, the smaller one.
        root = np.sqrt(variances[self.component[kept]])
        if kept.size <= len(self.output):
            inverse = np.linalg.inv(root[:, None] * self.squares[np.ix_(kept, kept)] * root / noise + np.eye(kept.size))
            taken[kept] = 1.0 - np.diag(inverse)
            coefficients[kept] = root * (inverse @ (root * self.products[kept])) / noise
        else:
            scaled = self.values[:, kept] * root
            inverse = np.linalg.inv(scaled @ scaled.T / noise + np.eye(len(scaled)))
            taken[kept] = (scaled * (inverse @ scaled)).sum(axis=0) / noise
            coefficients[kept] = root * (scaled.T @ (inverse @ self.output)) / noise
        return coefficients, taken

    def covariance(self, variances: Numbers, noise: float) -> Numbers:
        """Return the covariance of the coefficients; no variance may be 0."""
        root = np.sqrt(variances[self.component])
        inverse = np.linalg.inv(root[:, None] * self.squares * root / noise + np.eye(len(root)))
        some: Numbers = root[:, None] * (inverse + inverse.T) / 2.0 * root
        return some

    def left(self, coefficients: Numbers) -> float:
        """Return the residual sum of squares; an output fitted to the last digit keeps its last digits as noise."""
        residuals = self.output - self.values @ coefficients
        return max(float(residuals @ residuals), 1e-12 * float(self.output @ self.output))


def mixed(output: Numbers, columns: Columns) -> Mixed:
    """Return the regression of an output on columns, with the variances that are the most plausible.

    The variances are the mode of the restricted marginal likelihood times a prior that is flat in the components'
    standard deviations (Gelman 2006, "Prior distributions for variance parameters in hierarchical models"). Found as
    the fixed point of MacKay (1992), "Bayesian interpolation", which for ridge penalties is that of Wood & Fasiolo
    (2017), "A generalized Fellner-Schall method": with g the effective number of a component's coefficients, its
    variance is their sum of squares over g + 1, and that of the noise is the residual sum of squares over rows - 1 -
    the sum of all g. A component that falls to nothing stays there. Half of the output's variance is at first shared
    out evenly.
    """
    rows, number = columns.values.shape
    total = float(output @ output)
    if number == 0 or total == 0.0:
        return Mixed(
            variances=np.zeros(int(columns.component.max(initial=-1)) + 1),
            noise=total / max(rows - 1, 1),
            coefficients=np.zeros(number),
            centre=np.zeros(number),
            covariance=np.zeros((number, number)),
        )
    equations = _Equations(
        values=columns.values,
        output=output,
        component=columns.component,
        squares=columns.values.T @ columns.values,
        products=columns.values.T @ output,
    )
    variances, noise = _likeliest(equations, total)
    coefficients, _ = equations.solved(variances, noise)
    least = _NOT_EXCLUDED * noise / equations.by_component(np.diag(equations.squares))
    possible = np.maximum(variances, least)
    return Mixed(
        variances=variances,
        noise=noise,
        coefficients=coefficients,
        centre=equations.solved(possible, noise)[0],
        covariance=equations.covariance(possible, noise),
    )


def _likeliest(equations: _Equations, total: float) -> tuple[Numbers, float]:
    """Return the variance of each component and of the noise."""
    rows = len(equations.output)
    spread = equations.by_component(np.diag(equations.squares))
    noise = 0.5 * total / rows
    variances = np.full(len(spread), 0.5 * total / len(spread)) / spread
    for _ in range(_ROUNDS):
        coefficients, taken = equations.solved(variances, noise)
        used = equations.by_component(taken)
        length = equations.by_component(np.square(coefficients))
        new = length / (used + _FLAT_IN_DEVIATIONS)
        left = equations.left(coefficients) / max(rows - 1.0 - float(used.sum()), 1.0)
        new[new * spread < _NONE * left] = 0.0
        change = max(float((np.abs(new - variances) * spread).max()), abs(left - noise) * rows)
        variances, noise = new, left
        if change < _STEADY * total:
            break
    return variances, noise


# Sums inside matrix products come in another order with another number of threads, which moves the last of 16 digits,
# and a fit of many steps some more; nine are far more than any error leaves.
_DIGITS = 9


def steady(number: float) -> float:
    """Return a number cut to nine significant digits."""
    return float(f"{number:.{_DIGITS}g}")


Set = frozenset[str]


def feasible_sets(after: Mapping[str, Collection[str]]) -> list[Set]:
    """Return all sets that hold with each player those that it must come after, the smallest first."""
    sets = {frozenset[str]()}
    waiting = [frozenset[str]()]
    while waiting:
        held = waiting.pop()
        for player in _next(held, after):
            larger = held | {player}
            if larger not in sets:
                sets.add(larger)
                waiting.append(larger)
    return sorted(sets, key=lambda one: (len(one), sorted(one)))


def shapley(worths: Mapping[Set, Numbers], after: Mapping[str, Collection[str]]) -> dict[str, Numbers]:
    """Return each player's part: the mean of what it adds over all orders in which the players can come.

    Shapley (1953); where some must come after others, only the orders that respect it count, each as much as the
    other (Faigle & Kern 1992).
    """
    everybody = frozenset(after)

    @cache
    def orders_from(held: Set) -> int:
        """Count the orders in which the others can still come."""
        return 1 if held == everybody else sum(orders_from(held | {player}) for player in _next(held, after))

    @cache
    def orders_to(held: Set) -> int:
        """Count the orders in which these can have come."""
        if not held:
            return 1
        last = [player for player in held if player in _next(held - {player}, after)]
        return sum(orders_to(held - {player}) for player in last if (held - {player}) in worths)

    total = orders_from(frozenset())
    parts: dict[str, Numbers] = {}
    for player in after:
        part = np.zeros_like(worths[everybody], dtype=np.float64)
        for held in worths:
            if player not in held and player in _next(held, after):
                larger = held | {player}
                share = orders_to(held) * orders_from(larger) / total
                part = part + share * (worths[larger] - worths[held])
        parts[player] = part
    return parts


def _next(held: Set, after: Mapping[str, Collection[str]]) -> Sequence[str]:
    return [
        player
        for player, earlier in after.items()
        if player not in held and all(one in held for one in earlier if one in after)
    ]
