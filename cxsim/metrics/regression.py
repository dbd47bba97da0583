"""Customers through time and one exposure, or customers, in; generalised linear models over customers, out."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from cxsim.errors import EstimationError
from cxsim.metrics.intervals import student_quantile
from cxsim.metrics.person_periods import Exposure

Reals = NDArray[np.float64]
Places = NDArray[np.int64]
Timing = Literal["before", "later"]
Family = Literal["poisson", "logistic", "complementary log-log"]

# How each outcome is modelled: for readers, and by which family.
MODELS: dict[str, tuple[str, Family]] = {
    "next order": ("complementary log-log, per period", "complementary log-log"),
    "orders": ("Poisson, log link", "poisson"),
    "spend": ("quasi-Poisson, log link", "poisson"),
}
# Fewer customers, or periods with an order, on either side of a comparison are not compared.
FEWEST_CUSTOMERS = 30
FEWEST_EVENTS = 10
# Steps of the natural logarithm to which history is rounded, so that rows with the same history are counted together.
_STEPS = {"orders": 0.25, "idle": 0.5, "age": 0.5, "spend": 1.0}
_TOP = 4
# What is left of a column beyond those to its left if it is their sum: of its square where rows are counted together,
# else of its length.
_DEPENDENT, _NOTHING = 1e-8, 1e-7
_BLOCK = 64
_ROUNDS = 50
_CLOSE = 1e-9
# An outcome e**30 times the usual one, or as much less, is no estimate.
_FARTHEST = 30.0
_LONGEST = 2.0


class RobustFit(NamedTuple):
    """Coefficients of a model, the variance of the last from what each customer did, and the fitted means.

    The variance is 0 where the other columns determine the last.
    """

    coefficients: Reals
    variance: float
    fitted: Reals


def robust_glm(outcome: Reals, design: Reals, family: Family) -> RobustFit:
    """Fit a generalised linear model, of one row a customer, whose intervals do not lean on its family.

    A Poisson model with logarithmic link is right about means whatever the distribution of the outcome, zeros and
    money included; the covariance is the sandwich of the customers, so it is right too. Logistic: an outcome of 0 or 1.

    Gourieroux, Monfort & Trognon (1984), "Pseudo maximum likelihood methods: applications to Poisson models"; Santos
    Silva & Tenreyro (2006), "The log of gravity"; Liang & Zeger (1986) for the covariance.
    """
    rows, columns = design.shape
    # Over orthonormal columns, so that those that nearly determine each other cost no digits.
    basis, triangle, kept = _orthonormal(design)
    found, curve = _maximum(basis, outcome, np.ones(rows), family)
    scores = basis * ((outcome - curve.expected) * curve.slope / curve.variance)[:, None]
    bread = np.linalg.solve(triangle, np.linalg.inv(_weighted_gram(basis, curve.slope**2 / curve.variance)))
    covariance = _small_sample(rows, rows, len(kept)) * (bread @ _weighted_gram(scores, np.ones(rows)) @ bread.T)
    coefficients = np.zeros(columns)
    coefficients[kept] = np.linalg.solve(triangle, found)
    return RobustFit(coefficients, float(covariance[-1, -1]) if kept[-1] == columns - 1 else 0.0, curve.expected)


def _orthonormal(design: Reals) -> tuple[Reals, Reals, list[int]]:
    """Return an orthonormal basis, the triangle that turns it into the columns kept, and which ones those are.

    Gram and Schmidt's, each column twice, which is as exact as LAPACK's and the same bits on any number of threads.
    """
    rows, columns = design.shape
    basis, triangle = np.zeros((rows, columns)), np.zeros((columns, columns))
    kept: list[int] = []
    for place in range(columns):
        rest, size = design[:, place].copy(), len(kept)
        for _ in range(2):
            shares = np.einsum("ij,i->j", basis[:, :size], rest)
            rest -= _times(basis[:, :size], shares)
            triangle[:size, size] += shares
        length = math.sqrt(np.square(rest).sum())
        if length > _NOTHING * math.sqrt(np.square(design[:, place]).sum()):
            basis[:, size], triangle[size, size] = rest / length, length
            kept.append(place)
        else:
            triangle[:, size] = 0.0
    size = len(kept)
    return np.ascontiguousarray(basis[:, :size]), triangle[:size, :size], kept


def _small_sample(groups: int, rows: int, columns: int) -> float:
    """Return the factor G / (G - 1) * (N - 1) / (N - k) of statsmodels for a covariance over groups."""
    return groups / (groups - 1) * (rows - 1) / (rows - columns)


def _independent(matrix: Reals, weights: Reals) -> list[int]:
    """Return the columns that the ones before them do not determine."""
    gram = _weighted_gram(matrix, weights)
    scale = np.sqrt(np.diag(gram))
    scale[scale == 0.0] = 1.0
    rest = gram / np.outer(scale, scale)
    kept = []
    for place in range(matrix.shape[1]):
        if rest[place, place] > _DEPENDENT:
            kept.append(place)
            rest = rest - np.outer(rest[:, place], rest[place]) / rest[place, place]
    return kept


def _weighted_gram(matrix: Reals, weights: Reals) -> Reals:
    """Return the weighted sums of products of all pairs of columns; the same bits on any number of threads."""
    rows, columns = matrix.shape
    blocks = -(-rows // _BLOCK)
    padded = np.zeros((blocks * _BLOCK, columns))
    padded[:rows] = matrix
    left = padded.copy()
    left[:rows] *= weights[:, None]
    # Products of so few rows are never shared out to threads, which would also wait for each other.
    products = np.matmul(
        left.reshape(blocks, _BLOCK, columns).transpose(0, 2, 1), padded.reshape(blocks, _BLOCK, columns)
    )
    gram: Reals = products.sum(axis=0)
    return gram


class _Curve(NamedTuple):
    """What the model expects, how fast that rises with the linear predictor, and the variance."""

    expected: Reals
    slope: Reals
    variance: Reals


def _curve(line: Reals, family: Family) -> _Curve:
    rate = np.exp(line)
    if family == "poisson":
        return _Curve(rate, rate, rate)
    # Kept off 1, where the variance would be nothing.
    most = 1.0 - np.finfo(np.float64).eps
    if family == "logistic":
        expected = np.minimum(special.expit(line), most)
        variance = expected * (1.0 - expected)
        return _Curve(expected, variance, variance)
    expected = np.minimum(-np.expm1(-rate), most)
    return _Curve(expected, rate * np.exp(-np.minimum(rate, _FARTHEST)), expected * (1.0 - expected))


def _maximum(matrix: Reals, mean: Reals, count: Reals, family: Family) -> tuple[Reals, _Curve]:
    """Return the coefficients by Fisher scoring (McCullagh and Nelder 1989, section 2.5), and the curve at them.

    The same as statsmodels' GLM, in a tenth of the time where many columns meet many rows, and to the last bit on any
    number of threads. Groups that a logistic model tells apart perfectly have chances near 0 and 1, and no estimate.
    """
    refused = EstimationError("the model has no finite estimate: the control variables alone determine the outcome.")
    coefficients = np.zeros(matrix.shape[1])
    average = float(np.average(mean, weights=count))
    links = {"poisson": np.log, "logistic": special.logit, "complementary log-log": lambda p: np.log(-np.log1p(-p))}
    # The first column, or the first of a basis, is constant.
    coefficients[0] = float(links[family](average)) / matrix[0, 0]
    for _ in range(_ROUNDS):
        line = _times(matrix, coefficients)
        if family != "logistic" and not np.abs(line).max() < _FARTHEST:
            break
        curve = _curve(line, family)
        weight = count * curve.slope**2 / curve.variance
        score = np.einsum("ij,i->j", matrix, weight * (mean - curve.expected) / curve.slope)
        try:
            step = np.linalg.solve(_weighted_gram(matrix, weight), score)
        except np.linalg.LinAlgError:
            break
        # A step is cut where it would move a prediction far, from where the next one might not find back.
        moved = float(np.abs(_times(matrix, step)).max())
        coefficients = coefficients + step * min(1.0, _LONGEST / max(moved, _CLOSE))
        if moved < _CLOSE:
            return coefficients, _curve(_times(matrix, coefficients), family)
    if family != "logistic":
        raise refused
    return coefficients, _curve(_times(matrix, coefficients), family)


def _times(matrix: Reals, coefficients: Reals) -> Reals:
    # Not by @, whose last bits depend on the number of threads.
    line: Reals = np.einsum("ij,j->i", matrix, coefficients)
    return line


class Design(NamedTuple):
    """Rows of a model; equal ones are one pattern.

    Attributes
    ----------
    matrix
        Columns of the model, the exposure last, shape (patterns, columns).
    pattern
        For each row its place in `matrix`, shape (rows,).
    customer
        For each row its customer, shape (rows,), counted from 0.
    outcomes
        `next order` (0 or 1), `orders` and `spend` of each row.
    customers
        How many customers there are.
    exposed
        How many of them met the exposure.
    """

    matrix: Reals
    pattern: Places
    customer: Places
    outcomes: dict[str, Reals]
    customers: int
    exposed: int


def design_of(table: pl.DataFrame, exposure: Exposure, *, timing: Timing) -> Design:
    """Return the rows and columns of the model of one exposure, met just before the outcomes or long after them."""
    met = exposure.name if timing == "before" else f"{exposure.name}.later"
    rows = table.drop_nulls(met)
    amount = rows[met].round(1).to_numpy()
    exposed = _refuse_few(rows, amount)
    held = _controls(rows, exposure, timing)
    pattern, first = _patterns([*held.values(), amount])
    ordered = rows.with_columns((pl.col("orders") > 0).alias("next order"))
    outcomes = {name: ordered[name].cast(pl.Float64).to_numpy() for name in MODELS}
    count, events = _by_pattern(pattern), _by_pattern(pattern, outcomes["next order"])
    distinct = {name: values[first] for name, values in held.items()}
    matrix = np.column_stack([*_columns(distinct, count, events), amount[first]])
    kept = _independent(matrix, count)
    if kept[-1] != matrix.shape[1] - 1:
        raise EstimationError("it is collinear with the control variables, so the two cannot be separated.")
    customer = rows["customer"].rle_id().cast(pl.Int64).to_numpy()
    known = np.ascontiguousarray(matrix[:, kept])
    return Design(known, pattern, customer, outcomes, int(customer.max()) + 1, exposed)


def _by_pattern(pattern: Places, weights: Reals | None = None) -> Reals:
    return np.bincount(pattern, weights=weights).astype(np.float64)


class FittedRatio(NamedTuple):
    """The coefficient of the exposure.

    Attributes
    ----------
    log_ratio
        Natural logarithm of the ratio for one unit more.
    error
        Its standard error over customers.
    customers
        How many customers the model saw.
    exposed
        How many of them met the exposure.
    """

    log_ratio: float
    error: float
    customers: int
    exposed: int

    @property
    def ratio(self) -> float:
        """The ratio for one unit more."""
        return math.exp(self.log_ratio)

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, by Student's t with one degree of freedom less than customers."""
        half = student_quantile(self.customers - 1) * self.error
        return math.exp(self.log_ratio - half), math.exp(self.log_ratio + half)

    @property
    def p_value(self) -> float:
        """Probability of a coefficient as far from 0, or further, where there is none."""
        return float(2.0 * special.ndtr(-abs(self.log_ratio) / self.error)) if self.error > 0.0 else 0.0


def fitted_ratio(design: Design, outcome: str) -> FittedRatio:
    """Return the coefficient of the exposure for one outcome.

    The model sees each pattern once, with the mean of its outcomes, which is all that the estimates depend on. The
    covariance is the sandwich over customers: what one customer does in several periods is not independent.

    Liang and Zeger (1986), "Longitudinal data analysis using generalized linear models", eq. 6, with working
    independence and the expected information.
    """
    outcomes = design.outcomes[outcome]
    if outcomes.min() < 0.0:
        raise EstimationError("an outcome is negative, so a ratio of outcomes has no meaning.")
    count = _by_pattern(design.pattern)
    mean = _by_pattern(design.pattern, outcomes) / count
    coefficients, curve = _maximum(design.matrix, mean, count, MODELS[outcome][1])
    information = _weighted_gram(design.matrix, count * curve.slope**2 / curve.variance)
    last = np.linalg.solve(information, np.eye(len(coefficients))[-1])
    influence = _times(design.matrix, last) * curve.slope / curve.variance
    scores = (outcomes - curve.expected[design.pattern]) * influence[design.pattern]
    over_customers = np.bincount(design.customer, weights=scores)
    factor = _small_sample(design.customers, outcomes.size, len(coefficients))
    error = math.sqrt(factor * float(np.square(over_customers).sum()))
    return FittedRatio(float(coefficients[-1]), error, design.customers, design.exposed)


def _refuse_few(rows: pl.DataFrame, amount: Reals) -> int:
    """Return how many customers met the exposure; refuse a comparison of too few."""
    sides = rows.select("customer", met=pl.Series(amount != 0.0), ordered=pl.col("orders") > 0)
    for met, words in ((True, "with exposure"), (False, "without exposure")):
        side = sides.filter(met=met)
        customers = side["customer"].n_unique()
        if customers < FEWEST_CUSTOMERS:
            raise EstimationError(f"{customers} customers {words}; at least {FEWEST_CUSTOMERS} are needed.")
        for ordered, what in ((True, "an order"), (False, "no order")):
            periods = side.filter(ordered=ordered).height
            if periods < FEWEST_EVENTS:
                raise EstimationError(
                    f"of the customers {words}, {periods} periods have {what}; at least {FEWEST_EVENTS} are needed."
                )
    return sides.filter("met")["customer"].n_unique()


def _controls(rows: pl.DataFrame, exposure: Exposure, timing: Timing) -> dict[str, Reals]:
    """Return what is held equal, rounded."""
    so_far = rows["orders_so_far"].to_numpy().astype(np.float64)
    logs = {
        "orders": np.log(so_far),
        "idle": np.log1p(rows["idle_days"].to_numpy() / 7.0),
        "age": np.log1p(rows["age_days"].to_numpy() / 7.0),
        "spend": np.log1p(np.maximum(rows["spend_so_far"].to_numpy(), 0.0) / so_far),
    }

    def capped(name: str) -> Reals:
        return rows[name].clip(upper_bound=_TOP).to_numpy()

    held = {"period": rows["period"].to_numpy().astype(np.float64)}
    held |= {name: np.round(values / _STEPS[name]) * _STEPS[name] for name, values in logs.items()}
    held["recent"] = capped("recent")
    if exposure.occasions is not None:
        held["occasions"] = capped(f"{exposure.name}.occasions{'' if timing == 'before' else '.later'}")
    if timing == "later":
        held["met"] = rows[exposure.name].round(1).to_numpy()
        if exposure.concerns_orders:
            held |= {name: capped(name) for name in ("recent.between", "recent.later")}
    return held


def _columns(held: dict[str, Reals], count: Reals, events: Reals) -> list[Reals]:
    """Return the columns that hold history equal: the period and small counts as they are, the rest as curves."""
    columns = [np.ones(count.size)]
    for name in ("period", "recent", "occasions", "recent.between", "recent.later"):
        if name in held:
            columns += _indicators(held[name], count, events)
    *curves, spend = (held[name] - float(np.average(held[name], weights=count)) for name in _STEPS)
    columns += [*curves, *(values**2 for values in curves), *(one * other for one, other in combinations(curves, 2))]
    return [*columns, spend, *([held["met"]] if "met" in held else [])]


def _indicators(values: Reals, count: Reals, events: Reals) -> list[Reals]:
    """Return a column for each value but the first; too rare ones stay with the first."""
    found = []
    for value in np.unique(values)[1:]:
        here = values == value
        ordered = float(events[here].sum())
        if min(ordered, float(count[here].sum()) - ordered) >= FEWEST_EVENTS:
            found.append(here.astype(np.float64))
    return found


def _patterns(keys: list[Reals]) -> tuple[Places, Places]:
    """Return for each row the number of its pattern, and for each pattern the first of its rows."""
    order = np.lexsort(keys[::-1])
    begins = np.any([np.diff(values[order], prepend=np.nan) != 0.0 for values in keys], axis=0)
    pattern = np.empty(order.size, dtype=np.int64)
    pattern[order] = np.cumsum(begins) - 1
    return pattern, order[begins]
