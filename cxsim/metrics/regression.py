"""Customers through time, and one exposure, in; the ratio of how soon they order again, by Cox's model, out."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm, t
from statsmodels.duration.hazard_regression import PHReg

from cxsim.errors import EstimationError
from cxsim.metrics.person_periods import Exposure

Reals = NDArray[np.float64]
Places = NDArray[np.int64]
Timing = Literal["before", "later"]
Adjusting = Literal["history", "nothing"]

# Fewer customers, or periods with an order, on either side of a comparison are not compared.
FEWEST_CUSTOMERS = 30
FEWEST_EVENTS = 10
# Steps of the natural logarithm to which history is rounded, so that rows with the same history are counted together.
_STEPS = {"orders_so_far": 0.25, "idle_days": 0.5, "age_days": 0.5, "spend": 1.0}
_TOP = 4
# Of amounts and of history both: all steps are whole numbers of it.
_FINEST = 0.05
# Codes of patterns are numbered anew before their product could overflow.
_MOST_CLASSES = 2**40
_DEPENDENT = 1e-8
_BLOCK = 64


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Design:
    """Rows of a model, those that are alike counted together.

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


def design_of(table: pl.DataFrame, exposure: Exposure, *, timing: Timing, adjust: Adjusting) -> Design:
    """Return the rows and columns of the model of one exposure."""
    met = exposure.name if timing == "before" else f"{exposure.name}.later"
    rows = table.filter(pl.col(met).is_not_null())
    amount = rows[met].round(1).to_numpy()
    exposed = _refuse_few(rows, amount)
    keys = [*(_controls(rows, exposure, timing) if adjust == "history" else []), (exposure.name, amount)]
    pattern, first = _patterns([values for _, values in keys])
    distinct = {name: values[first] for name, values in keys}
    outcomes = {
        "next order": (rows["orders"] > 0).cast(pl.Float64).to_numpy(),
        "orders": rows["orders"].cast(pl.Float64).to_numpy(),
        "spend": rows["spend"].to_numpy(),
    }
    count = np.bincount(pattern).astype(np.float64)
    events: Reals = np.bincount(pattern, weights=outcomes["next order"]).astype(np.float64)
    columns: list[Reals] = _columns(distinct, count, events) if adjust == "history" else [np.ones(first.size)]
    matrix = _independent([*columns, distinct[exposure.name]], count)
    customer = rows["customer"].rle_id().cast(pl.Int64).to_numpy()
    return Design(
        matrix=matrix,
        pattern=pattern,
        customer=customer,
        outcomes=outcomes,
        customers=int(customer.max()) + 1,
        exposed=exposed,
    )


def weighted_gram(matrix: Reals, weights: Reals) -> Reals:
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


def _refuse_few(rows: pl.DataFrame, amount: Reals) -> int:
    """Return how many customers met the exposure; refuse a comparison of too few."""
    ordered = rows["orders"].to_numpy() > 0
    met = amount != 0.0
    for side, words in ((met, "met it"), (~met, "did not")):
        customers = rows["customer"].filter(pl.Series(side)).n_unique()
        if customers < FEWEST_CUSTOMERS:
            raise EstimationError(f"{customers} customers {words}; at least {FEWEST_CUSTOMERS} are needed.")
        for happened, what in ((ordered, "an order"), (~ordered, "no order")):
            periods = int((side & happened).sum())
            if periods < FEWEST_EVENTS:
                raise EstimationError(
                    f"of the customers who {words}, {periods} periods have {what}; at least {FEWEST_EVENTS} are needed."
                )
    return rows["customer"].filter(pl.Series(met)).n_unique()


def _controls(rows: pl.DataFrame, exposure: Exposure, timing: Timing) -> list[tuple[str, Reals]]:
    """Return what is held equal, rounded."""
    so_far = rows["orders_so_far"].to_numpy().astype(np.float64)
    spend = np.maximum(rows["spend_so_far"].to_numpy(), 0.0) / so_far
    found = [
        ("period", rows["period"].to_numpy().astype(np.float64)),
        ("orders", _rounded(np.log(so_far), _STEPS["orders_so_far"])),
        ("idle", _rounded(np.log1p(rows["idle_days"].to_numpy() / 7.0), _STEPS["idle_days"])),
        ("age", _rounded(np.log1p(rows["age_days"].to_numpy() / 7.0), _STEPS["age_days"])),
        ("spend", _rounded(np.log1p(spend), _STEPS["spend"])),
        ("recent", np.minimum(rows["recent"].to_numpy(), _TOP)),
    ]
    if exposure.occasions is not None:
        suffix = "" if timing == "before" else ".later"
        found.append(("occasions", np.minimum(rows[f"{exposure.name}.occasions{suffix}"].to_numpy(), _TOP)))
    if timing == "later":
        found.append(("met", rows[exposure.name].round(1).to_numpy()))
        if exposure.concerns_orders:
            found += [(name, np.minimum(rows[name].to_numpy(), _TOP)) for name in ("recent.between", "recent.later")]
    return found


def _columns(held: dict[str, Reals], count: Reals, events: Reals) -> list[Reals]:
    """Return the columns that hold history equal: the period and small counts as they are, the rest as curves."""
    columns = [np.ones(count.size)]
    for name in ("period", "recent", "occasions", "recent.between", "recent.later"):
        if name in held:
            columns += _indicators(held[name], count, events)
    curves = {name: held[name] - float(np.average(held[name], weights=count)) for name in ("orders", "idle", "age")}
    columns += [*curves.values(), *(values**2 for values in curves.values())]
    columns += [curves["orders"] * curves["idle"], curves["orders"] * curves["age"], curves["idle"] * curves["age"]]
    columns += [held["spend"] - float(np.average(held["spend"], weights=count))]
    return columns + ([held["met"]] if "met" in held else [])


def _indicators(values: Reals, count: Reals, events: Reals) -> list[Reals]:
    """Return a column for each value but the first; too rare ones stay with the first."""
    found = []
    for value in np.unique(values)[1:]:
        here = values == value
        ordered = float(events[here].sum())
        if min(ordered, float(count[here].sum()) - ordered) >= FEWEST_EVENTS:
            found.append(here.astype(np.float64))
    return found


def _independent(columns: list[Reals], weights: Reals) -> Reals:
    """Return the columns as a matrix without those that the ones before them determine; the last one must stay."""
    matrix = np.column_stack(columns)
    gram = weighted_gram(matrix, weights)
    scale = np.sqrt(np.diag(gram))
    scale[scale == 0.0] = 1.0
    rest = gram / np.outer(scale, scale)
    kept = []
    for place in range(matrix.shape[1]):
        if rest[place, place] > _DEPENDENT:
            kept.append(place)
            rest = rest - np.outer(rest[:, place], rest[place]) / rest[place, place]
    if kept[-1] != matrix.shape[1] - 1:
        raise EstimationError("it goes along with what is held equal, so that the two cannot be told apart.")
    return np.ascontiguousarray(matrix[:, kept])


def _patterns(keys: list[Reals]) -> tuple[Places, Places]:
    """Return for each row the number of its pattern, and for each pattern the first of its rows."""
    code, classes = np.zeros(keys[0].size, dtype=np.int64), 1
    for values in keys:
        # Every key is a whole number of the finest step.
        steps = np.rint(values / _FINEST).astype(np.int64)
        steps -= steps.min()
        place = np.cumsum(np.bincount(steps) > 0) - 1
        if classes > _MOST_CLASSES:
            code = np.unique(code, return_inverse=True)[1].astype(np.int64)
            classes = int(code.max()) + 1
        code = code * (int(place[-1]) + 1) + place[steps]
        classes *= int(place[-1]) + 1
    _, first, pattern = np.unique(code, return_index=True, return_inverse=True)
    return pattern.astype(np.int64), first.astype(np.int64)


def _rounded(values: Reals, step: float) -> Reals:
    return np.round(values / step) * step


MODELS = {
    "next order": "complementary log-log, per period",
    "orders": "Poisson, log link",
    "spend": "quasi-Poisson, log link",
}
_TAIL = 0.975
_ROUNDS = 50
_CLOSE = 1e-9
# An outcome e**30 times the usual one, or as much less, is no estimate.
_FARTHEST = 30.0
_LONGEST = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
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
        half = float(t.ppf(_TAIL, self.customers - 1)) * self.error
        return math.exp(self.log_ratio - half), math.exp(self.log_ratio + half)

    @property
    def p_value(self) -> float:
        """Probability of a coefficient as far from 0, or further, where there is none."""
        return float(2.0 * norm.sf(abs(self.log_ratio) / self.error)) if self.error > 0.0 else 0.0


class _Curve(NamedTuple):
    """What the model expects, how fast that rises with the linear predictor, and the variance."""

    expected: Reals
    slope: Reals
    variance: Reals


def fitted(design: Design, outcome: str) -> Fitted:
    """Return the coefficient of the exposure for one outcome.

    The model sees each pattern once, with the sum of its outcomes, which is all that the estimates depend on. The
    covariance is the sandwich over customers: what one customer does in several periods is not independent.

    Liang and Zeger (1986), "Longitudinal data analysis using generalized linear models", eq. 6, with working
    independence and the expected information; the factor G / (G - 1) * (N - 1) / (N - k) of statsmodels.
    """
    outcomes = design.outcomes[outcome]
    if outcomes.min() < 0.0:
        raise EstimationError("an outcome is negative, so a ratio of outcomes means nothing.")
    count = np.bincount(design.pattern).astype(np.float64)
    mean = np.bincount(design.pattern, weights=outcomes) / count
    coefficients, curve = _solved(design.matrix, mean, count, outcome)
    information = weighted_gram(design.matrix, count * curve.slope**2 / curve.variance)
    last = np.linalg.solve(information, np.eye(len(coefficients))[-1])
    influence = _times(design.matrix, last) * curve.slope / curve.variance
    scores = (outcomes - curve.expected[design.pattern]) * influence[design.pattern]
    over_customers = np.bincount(design.customer, weights=scores)
    groups, rows, columns = design.customers, outcomes.size, len(coefficients)
    factor = groups / (groups - 1) * (rows - 1) / (rows - columns)
    error = math.sqrt(factor * float(np.square(over_customers).sum()))
    return Fitted(log_ratio=float(coefficients[-1]), error=error, customers=design.customers, exposed=design.exposed)


def _solved(matrix: Reals, mean: Reals, count: Reals, outcome: str) -> tuple[Reals, _Curve]:
    """Return the coefficients by Fisher scoring (McCullagh and Nelder 1989, section 2.5), and the curve at them."""
    refused = EstimationError("the model has no finite estimate: what is held equal decides the outcome by itself.")
    coefficients = np.zeros(matrix.shape[1])
    coefficients[0] = _link(float(np.average(mean, weights=count)), outcome)
    for _ in range(_ROUNDS):
        line = _times(matrix, coefficients)
        if not np.abs(line).max() < _FARTHEST:
            raise refused
        curve = _curve(line, outcome)
        weight = count * curve.slope**2 / curve.variance
        score = np.einsum("ij,i->j", matrix, weight * (mean - curve.expected) / curve.slope)
        try:
            step = np.linalg.solve(weighted_gram(matrix, weight), score)
        except np.linalg.LinAlgError as cause:
            raise refused from cause
        # A step is cut where it would move a prediction far, from where the next one might not find back.
        moved = float(np.abs(_times(matrix, step)).max())
        coefficients = coefficients + step * min(1.0, _LONGEST / max(moved, _CLOSE))
        if moved < _CLOSE:
            return coefficients, _curve(_times(matrix, coefficients), outcome)
    raise refused


def _times(matrix: Reals, coefficients: Reals) -> Reals:
    # Not by @, whose last bits depend on the number of threads.
    line: Reals = np.einsum("ij,j->i", matrix, coefficients)
    return line


def _link(expected: float, outcome: str) -> float:
    return math.log(-math.log1p(-expected)) if outcome == "next order" else math.log(expected)


def _curve(line: Reals, outcome: str) -> _Curve:
    rate = np.exp(line)
    if outcome != "next order":
        return _Curve(rate, rate, rate)
    # Kept off 1, where the variance would be nothing; the rate there is 36.
    expected = np.minimum(-np.expm1(-rate), 1.0 - np.finfo(np.float64).eps)
    return _Curve(expected, rate * np.exp(-np.minimum(rate, _FARTHEST)), expected * (1.0 - expected))


MODEL = "Cox, days since the last order"
# The likelihood is summed at every day with an order over all who could have ordered, so it sees some customers only.
_MOST_ROWS = 30_000


def cox(table: pl.DataFrame, exposure: Exposure, *, every_days: int) -> Fitted:
    """Return the ratio of the rates of a next order for one unit more of the exposure.

    Customers are at risk from the start of each period to their first order in it, or to its end; the clock is the time
    since their last order, of which the rate may depend in any way. It is a check of the other models: it needs no
    curve for that time.

    Andersen and Gill (1982), "Cox's regression model for counting processes", eq. 2.2; robust covariance of Lin and
    Wei (1989), over customers.
    """
    rows = _some(table)
    met = rows.filter(pl.col(exposure.name) != 0.0)
    customers, events = met["customer"].n_unique(), met.filter(pl.col("orders") > 0).height
    if customers < FEWEST_CUSTOMERS or events < FEWEST_EVENTS:
        raise EstimationError(
            f"of the customers drawn for Cox's model, {customers} met it, with {events} orders after."
        )
    start = rows["idle_days"].round(0).to_numpy()
    length = rows["first_day"].fill_null(float(every_days)).to_numpy()
    # Whole days, at least one: the likelihood is summed day by day.
    end = start + np.maximum(1.0, np.ceil(length))
    status = (rows["orders"] > 0).cast(pl.Int64).to_numpy()
    columns = _cox_columns(rows, exposure)
    # In units of their spread, from which Newton's method finds the maximum.
    spreads = columns.std(axis=0)
    columns, spread = columns / spreads, float(spreads[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = PHReg(end, columns, status=status, entry=start, ties="breslow")
            found = model.fit(disp=0)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as cause:
            raise EstimationError("Cox's model has no finite estimate.") from cause
    coefficients, bread = np.asarray(found.params), np.asarray(found.cov_params())
    if not (np.isfinite(coefficients).all() and np.isfinite(bread).all()):
        raise EstimationError("Cox's model has no finite estimate.")
    at_risk = _AtRisk(columns=columns, entry=start.astype(np.int64), exit=end.astype(np.int64), event=status == 1)
    influence = np.einsum("ij,j->i", _scores(at_risk, coefficients), bread[-1])
    customer = np.unique(rows["customer"].to_numpy(), return_inverse=True)[1]
    error = math.sqrt(float(np.square(np.bincount(customer, weights=influence)).sum())) / spread
    log_ratio = float(coefficients[-1]) / spread
    return Fitted(log_ratio=log_ratio, error=error, customers=int(customer.max()) + 1, exposed=customers)


class _AtRisk(NamedTuple):
    """Rows at risk from the day after `entry` to `exit`, and whether an order ends them."""

    columns: Reals
    entry: Places
    exit: Places
    event: NDArray[np.bool_]


def _scores(rows: _AtRisk, coefficients: Reals) -> Reals:
    """Return what each row adds to the score (Lin and Wei 1989, eq. 2.2); statsmodels has it without entries only."""
    hazard = np.exp(np.einsum("ij,j->i", rows.columns, coefficients))
    days = int(rows.exit.max()) + 2
    sums = np.column_stack([hazard, rows.columns * hazard[:, None]])
    risk = np.column_stack([_risk(values, rows, days) for values in sums.T])
    events = np.bincount(rows.exit[rows.event], minlength=days)
    some = events > 0
    mean, increment = np.zeros((days, rows.columns.shape[1])), np.zeros(days)
    mean[some] = risk[some, 1:] / risk[some, :1]
    increment[some] = events[some] / risk[some, 0]
    so_far, moved = increment.cumsum(), (mean * increment[:, None]).cumsum(axis=0)
    passed = (so_far[rows.exit] - so_far[rows.entry])[:, None] * rows.columns
    expected = hazard[:, None] * (passed - (moved[rows.exit] - moved[rows.entry]))
    scores: Reals = np.where(rows.event[:, None], rows.columns - mean[rows.exit], 0.0) - expected
    return scores


def _risk(values: Reals, rows: _AtRisk, days: int) -> Reals:
    """Return for each day the sum of the values over those who are at risk."""
    entered = np.bincount(rows.entry + 1, weights=values, minlength=days)
    gone = np.bincount(rows.exit + 1, weights=values, minlength=days)
    risk: Reals = (entered - gone).cumsum()
    return risk


def _some(table: pl.DataFrame) -> pl.DataFrame:
    if table.height <= _MOST_ROWS:
        return table
    counts = table.group_by("lot", "customer").len().sort("lot", "customer")
    chosen = counts.filter(pl.col("len").cum_sum() <= _MOST_ROWS)
    return table.join(chosen.select("customer"), on="customer", how="semi").sort("customer", "period")


def _cox_columns(rows: pl.DataFrame, exposure: Exposure) -> Reals:
    orders, age = np.log(rows["orders_so_far"].to_numpy()), np.log1p(rows["age_days"].to_numpy() / 7.0)
    spend = np.log1p(np.maximum(rows["spend_so_far"].to_numpy(), 0.0) / rows["orders_so_far"].to_numpy())
    recent = rows["recent"].to_numpy()
    held = [orders, age, orders**2, age**2, orders * age, spend, np.minimum(recent, 1.0), np.minimum(recent, 4.0)]
    if exposure.occasions is not None:
        held.append(rows[f"{exposure.name}.occasions"].to_numpy())
    last = rows[exposure.name].to_numpy()
    kept: list[Reals] = []
    for column in [*held, last]:
        centred = column - column.mean()
        rest = centred - _projected(centred, kept)
        if rest @ rest > _DEPENDENT * max(float(centred @ centred), _DEPENDENT):
            kept.append(centred)
        elif column is last:
            raise EstimationError("it goes along with what is held equal, so that the two cannot be told apart.")
    return np.column_stack(kept)


def _projected(column: Reals, others: list[Reals]) -> Reals:
    if not others:
        return np.zeros_like(column)
    matrix = np.column_stack(others)
    found: Reals = matrix @ np.linalg.lstsq(matrix, column, rcond=None)[0]
    return found
