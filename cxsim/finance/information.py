"""NPVs of decisions and uncertain inputs by draw in; value of information, explained variance, sample sizes, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import scipy

from cxsim.finance.returns import standard_error

Numbers = npt.NDArray[np.float64]
# A test is two-sided at this level, and finds a difference that is there with this probability.
ALPHA, POWER = 0.05, 0.8
# By how many standard errors a difference must be away from zero for that.
_DISTANCE = NormalDist().inv_cdf(1.0 - ALPHA / 2.0) + NormalDist().inv_cdf(POWER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number and its standard error over draws."""

    value: float
    mc_error: float


def evpi(npvs: Numbers, *, worlds_per_draw: int = 1) -> Estimate:
    """Return the expected value of perfect information, E[max NPV] - max E[NPV] (Raiffa & Schlaifer 1961).

    `npvs` has the shape (worlds, decisions), doing nothing being one of them. Where two decisions are about equal, it
    errs low, by up to 0.4 times the error of the mean of their difference: the decision that looks best is judged by
    the draws that made it look so.
    """
    regret = npvs.max(axis=1) - npvs[:, int(npvs.mean(axis=0).argmax())]
    return Estimate(value=float(regret.mean()), mc_error=standard_error(regret, worlds_per_draw))


def evppi_of_structure(npvs: Numbers, *, seed: int = 0) -> Estimate:
    """Return the value of learning which of a few equally likely structures holds; shape (structures, draws, arms).

    Mean over structures of the largest mean NPV, less the largest mean NPV over all. Its error is by the Bayesian
    bootstrap over draws (Rubin 1981).
    """
    weights = bootstrap_weights(npvs.shape[1], _BOOTSTRAPS, seed)
    means = np.einsum("cnd,tn->tcd", npvs, weights)
    values = np.maximum(means.max(axis=2).mean(axis=1) - means.mean(axis=1).max(axis=1), 0.0)
    return _with_error(values[0], values[1:])


def bootstrap_weights(rows: int, bootstraps: int, seed: int) -> Numbers:
    """Return even weights of the rows, then those of the Bayesian bootstrap (Rubin 1981): (1 + bootstraps, rows)."""
    drawn = np.random.Generator(np.random.PCG64(seed)).standard_exponential((bootstraps, rows))
    return np.vstack([np.full((1, rows), 1.0 / rows), drawn / drawn.sum(axis=1, keepdims=True)])


def evppi(whole: Surface, inputs: Sequence[int], *, seed: int = 0) -> Estimate:
    """Return the expected value of partial perfect information on some inputs of a surface of NPVs."""
    return _estimate(whole, inputs, seed, _regret)


def sample_information(
    whole: Surface, inputs: Sequence[int], *, signal: float, noise: float, seed: int = 0
) -> Estimate:
    """Return the expected value of a test that measures, with noise, what some inputs do to the NPVs of a surface.

    What a test of finite size will have made of the expected NPVs varies less than what an exact answer would: by the
    root of signal**2 / (signal**2 + noise**2), both standard deviations of the same quantity (Heath, Manolopoulou &
    Baio 2018, "Efficient Monte Carlo estimation of the expected value of sample information using moment matching").
    """
    kept = signal / math.hypot(signal, noise) if signal > 0.0 else 0.0

    def regret(differences: Numbers, weights: Numbers) -> Numbers:
        means = np.einsum("trd,tr->td", differences, weights)[:, None]
        return _regret(means + kept * (differences - means), weights)

    return _estimate(whole, inputs, seed, regret)


def explained(whole: Surface, inputs: Sequence[int], *, output: int = 0, seed: int = 0) -> Estimate:
    """Return which share of an output's variance some inputs explain, alone and with each other.

    The covariance of the output with their part of the surface over the variance of the output: shares of inputs that
    are apart add up to that of all of them, less what these only explain together (Li et al. 2010, "Global
    sensitivity analysis for systems with independent and/or correlated inputs"). 0 where the output is constant.
    """

    def share(fitted: Numbers, weights: Numbers) -> Numbers:
        return _share(whole.outputs[:, output], fitted[:, :, output], weights)

    return _estimate(whole, inputs, seed, share)


def _estimate(
    whole: Surface, inputs: Sequence[int], seed: int, figure: Callable[[Numbers, Numbers], Numbers]
) -> Estimate:
    """Return a figure of what some inputs predict.

    Its error is the root mean square by which draws of the fitted values (Strong, Oakley & Brennan 2014), and of the
    weights of the rows, move it.
    """
    values, drawn, weights = predict(whole, inputs, seed=seed)
    value = figure(values[None], np.full((1, len(values)), 1.0 / len(values)))[0]
    return _with_error(value, figure(drawn, weights))


def _with_error(value: float, moved: Numbers) -> Estimate:
    """Return a number, and as its error the root mean square by which it moves."""
    return Estimate(value=nine_digits(value), mc_error=nine_digits(np.sqrt(np.square(moved - value).mean())))


def _regret(differences: Numbers, weights: Numbers) -> Numbers:
    """Return by how much deciding row by row beats deciding once: shape (tables,)."""
    means = np.einsum("trd,tr->td", differences, weights)
    usual = means.argmax(axis=1)
    chosen = np.take_along_axis(differences, usual[:, None, None], axis=2)[:, :, 0]
    once = np.where(means.max(axis=1)[:, None] > 0.0, chosen, 0.0)
    regret: Numbers = ((np.maximum(differences.max(axis=2), 0.0) - once) * weights).sum(axis=1)
    return regret


def _share(output: Numbers, fitted: Numbers, weights: Numbers) -> Numbers:
    """Return the share under each table of weights: shape (tables,)."""
    centred = output - (weights @ output)[:, None]
    # Shifted so that what is constant is 0 to the last digit.
    together = (weights * centred * (fitted - fitted[:, :1])).sum(axis=1)
    whole = (weights * np.square(centred)).sum(axis=1)
    # The mean of equal numbers may differ from them in its last digits.
    varies = whole > 1e-24 * np.square(output).max(initial=0.0)
    shares: Numbers = np.divide(together, whole, out=np.zeros_like(whole), where=varies)
    return shares


def sample_size(sd: float, difference: float) -> int:
    """Return how many customers each group of a test of a difference of means needs.

    n = 2 ((z(1 - alpha/2) + z(power)) sd / difference)**2, by the normal approximation.
    """
    return max(2, math.ceil(2.0 * (_DISTANCE * sd / difference) ** 2))


def smallest_difference(sd: float, per_group: int) -> float:
    """Return the smallest true difference of means that a test with so many customers in each group detects."""
    return _DISTANCE * sd * math.sqrt(1.0 / per_group + 1.0 / per_group)


# Draws of the fitted values, for errors of what is computed from them; an error is then known to about 4 %.
_BOOTSTRAPS = 256
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
_NOBODY = -1
_ROUNDS = 300
# The fixed point is found when no variance moves by more than this share of the output's.
_TOLERANCE = 3e-5
# A component falls to nothing when all its coefficients together explain less than this share of the noise of one.
_NONE = 1e-2
# What a prior that is flat in the standard deviation of a component adds to its number of effective coefficients: a
# single one then falls to nothing within 2.41 standard errors of 0, where (1 + z**2)**2 < 8 z**2. With a prior flat in
# the variance (0 here), that would be within one, and a third of all numbers without effect would seem to have one.
_FLAT_IN_DEVIATIONS = 1.0
# An output without evidence on a coefficient has a log-likelihood of -ln(1 + x) / 2 at a variance of x times the
# noise over the rows: within a half of its best, it still allows e - 1.
_NOT_EXCLUDED = float(np.e) - 1.0
# Sums inside matrix products come in another order with another number of threads, which moves the last of 16 digits,
# and a fit of many steps some more; nine are far more than any error leaves.
_DIGITS = 9


@dataclass(frozen=True, kw_only=True, slots=True)
class _Basis:
    """Columns of a regression, each with mean 0."""

    # Shape (rows, columns).
    values: Numbers
    # Shape (columns,): the input that a column is about, and the other one where it is about a pair; NOBODY else.
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    # Shape (columns,): columns with the same number share one variance.
    component: npt.NDArray[np.int64]

    def about(self, inputs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which columns are about some inputs alone: shape (columns,)."""
        return np.isin(self.first, inputs) & np.isin(self.second, np.append(inputs, _NOBODY))

    def only(self, inputs: npt.NDArray[np.int64]) -> _Basis:
        """Return the columns that are about some inputs alone."""
        some = self.about(inputs)
        return _Basis(
            values=self.values[:, some],
            first=self.first[some],
            second=self.second[some],
            component=np.unique(self.component[some], return_inverse=True)[1],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fit:
    """A regression in which the coefficients of each component come from a normal distribution of its own variance."""

    # Shape (columns,).
    coefficients: Numbers
    # Shapes (columns,) and (columns, columns): draws of the coefficients. A component without evidence in the output
    # has the variance here that the output cannot exclude.
    centre: Numbers
    covariance: Numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """Outputs as smooth functions of inputs that are independent of each other."""

    # Shape (rows, outputs): what was handed in.
    outputs: Numbers
    # For each output the basis that it is fitted on, and the fit to the output less its mean.
    fits: tuple[tuple[_Basis, _Fit], ...]

    def of(self, outputs: Sequence[int]) -> Surface:
        """Return the surface of some outputs."""
        return Surface(outputs=self.outputs[:, outputs], fits=tuple(self.fits[place] for place in outputs))


def surface(outputs: Numbers, inputs: Numbers, relevant: npt.NDArray[np.bool_] | None = None) -> Surface:
    """Return each output as a smooth surface over all inputs, or over those that are relevant to it.

    Since all inputs share one fit, what the others do to an output is no noise for any one of them; fitted alone, as
    in Strong, Oakley & Brennan (2014), it would be.
    """
    splines = _splines(inputs)
    fits = []
    matters = np.ones((outputs.shape[1], inputs.shape[1]), np.bool_) if relevant is None else relevant
    for output, some in zip(outputs.T, matters, strict=True):
        centred, alone = output - output.mean(), splines.only(np.flatnonzero(some))
        first = _fit(centred, alone)
        paired = _with_pairs(alone, inputs, _weights(alone, first, inputs.shape[1]))
        fits.append((paired, first if paired is alone else _fit(centred, paired)))
    return Surface(outputs=outputs, fits=tuple(fits))


def predict(whole: Surface, inputs: Sequence[int], *, seed: int) -> tuple[Numbers, Numbers, Numbers]:
    """Return what some inputs alone predict of each output, draws of these values, and weights of the rows.

    Shapes (rows, outputs), (bootstraps, rows, outputs) and (bootstraps, rows).

    Draws of coefficients are normal; the errors of two outputs are as much correlated as their residuals are. Draws
    of the weights are those of the Bayesian bootstrap (Rubin 1981), and the level of the values follows them, since
    the mean of an output is known no better than its draws tell it.
    """
    rows, outputs = whole.outputs.shape
    wanted = np.array(inputs, np.int64)
    about = [basis.about(wanted) for basis, _ in whole.fits]
    generator = np.random.Generator(np.random.PCG64(seed))
    weights = generator.standard_exponential((_BOOTSTRAPS, rows))
    weights /= weights.sum(axis=1, keepdims=True)
    scores = generator.standard_normal((_BOOTSTRAPS, max(int(some.sum()) for some in about), outputs))
    scores = scores @ _root(_correlations(whole))
    values, drawn = np.empty((rows, outputs)), np.empty((_BOOTSTRAPS, rows, outputs))
    for place, ((basis, fit), some) in enumerate(zip(whole.fits, about, strict=True)):
        shape, output = basis.values[:, some], whole.outputs[:, place]
        values[:, place] = output.mean() + shape @ fit.coefficients[some]
        moved = scores[:, : shape.shape[1], place] @ _root(fit.covariance[np.ix_(some, some)]) + fit.centre[some]
        raw = output.mean() + moved @ shape.T
        drawn[:, :, place] = raw + (weights * (output - raw)).sum(axis=1, keepdims=True)
    return values, drawn, weights


def nine_digits(number: float) -> float:
    """Return a number cut to nine significant digits."""
    return float(f"{number:.{_DIGITS}g}")


def _weights(basis: _Basis, fit: _Fit, inputs: int) -> Numbers:
    """Return how much of the output's variance each input explains alone."""
    lengths = np.square(basis.values).mean(axis=0) * np.square(fit.coefficients)
    return np.bincount(basis.first, lengths, minlength=inputs).astype(np.float64)


def _correlations(whole: Surface) -> Numbers:
    left = np.column_stack(
        [
            output - output.mean() - basis.values @ fit.coefficients
            for output, (basis, fit) in zip(whole.outputs.T, whole.fits, strict=True)
        ]
    )
    spread = np.sqrt(np.square(left).sum(axis=0))
    scaled = left / np.where(spread > 0.0, spread, 1.0)
    related: Numbers = scaled.T @ scaled
    return related


def _root(covariance: Numbers) -> Numbers:
    """Return the symmetric root of a covariance."""
    sizes, directions = np.linalg.eigh(covariance)
    root: Numbers = (directions * np.sqrt(np.maximum(sizes, 0.0))) @ directions.T
    return root


def _splines(inputs: Numbers) -> _Basis:
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
    return _Basis(
        values=np.hstack([part for part, _ in parts]) if parts else np.empty((len(inputs), 0)),
        first=first,
        second=np.full(len(first), _NOBODY, np.int64),
        component=np.repeat(np.arange(len(parts)), sizes),
    )


def _with_pairs(basis: _Basis, inputs: Numbers, weights: Numbers) -> _Basis:
    """Return the columns with one for each pair of inputs, all of one variance: the product of the two lines."""
    matter = np.unique(basis.first)
    if len(matter) < 2 or weights.max() <= 0.0:
        return basis
    weights = weights + _ALLOWED * weights.max()
    every = combinations(matter.tolist(), 2)
    pairs = sorted(every, key=lambda pair: (-weights[pair[0]] * weights[pair[1]], pair))[:_PAIRS]
    scaled = (inputs[:, matter] - inputs[:, matter].mean(axis=0)) / inputs[:, matter].std(axis=0)
    at = {place: number for number, place in enumerate(matter.tolist())}
    products = np.column_stack([scaled[:, at[one]] * scaled[:, at[other]] for one, other in pairs])
    strength = np.array([np.sqrt(weights[one] * weights[other]) for one, other in pairs])
    products = (products - products.mean(axis=0)) * (strength / np.sqrt(np.square(strength).sum()))
    one, other = np.array(pairs, np.int64).T
    number = int(basis.component.max(initial=-1)) + 1
    return _Basis(
        values=np.hstack([basis.values, products]),
        first=np.concatenate([basis.first, one]),
        second=np.concatenate([basis.second, other]),
        component=np.concatenate([basis.component, np.full(len(pairs), number)]),
    )


def _bends(scaled: Numbers) -> Numbers:
    rows = len(scaled)
    wanted = min(_KNOTS, rows // _ROWS_PER_KNOT)
    knots = np.unique(np.quantile(scaled, np.linspace(0.0, 1.0, max(wanted, 2))))
    if len(knots) < _FEWEST_KNOTS:
        return np.empty((rows, 0))
    spline = scipy.interpolate.CubicSpline(knots, np.eye(len(knots)), bc_type="natural")
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


@dataclass(frozen=True, kw_only=True, slots=True)
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


def _fit(output: Numbers, basis: _Basis) -> _Fit:
    """Return the regression of an output on a basis, with the most plausible variances.

    The variances are the mode of the restricted marginal likelihood times a prior that is flat in the components'
    standard deviations (Gelman 2006, "Prior distributions for variance parameters in hierarchical models"). Found as
    the fixed point of MacKay (1992), "Bayesian interpolation", which for ridge penalties is that of Wood & Fasiolo
    (2017), "A generalized Fellner-Schall method": with g the effective number of a component's coefficients, its
    variance is their sum of squares over g + 1, and that of the noise is the residual sum of squares over rows - 1 -
    the sum of all g. A component that falls to nothing stays there. Half of the output's variance is at first shared
    out evenly.
    """
    number = basis.values.shape[1]
    total = float(output @ output)
    if number == 0 or total == 0.0:
        nothing = np.zeros(number)
        return _Fit(coefficients=nothing, centre=nothing, covariance=np.zeros((number, number)))
    equations = _Equations(
        values=basis.values,
        output=output,
        component=basis.component,
        squares=basis.values.T @ basis.values,
        products=basis.values.T @ output,
    )
    variances, noise = _likeliest(equations, total)
    least = _NOT_EXCLUDED * noise / equations.by_component(np.diag(equations.squares))
    possible = np.maximum(variances, least)
    return _Fit(
        coefficients=equations.solved(variances, noise)[0],
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
        if change < _TOLERANCE * total:
            break
    return variances, noise
