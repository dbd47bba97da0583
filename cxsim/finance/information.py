"""NPVs of decisions in every draw in; what it would be worth to know before deciding, with its error, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from cxsim.errors import EstimationError, ParamError
from cxsim.finance.uncertainty import Columns, Mixed, alone, mixed, steady, with_pairs

Numbers = npt.NDArray[np.float64]
_FEWEST_ROWS = 2
# Draws of the fitted values, for errors of what is computed from them; an error is then known to about 4 %.
DRAWS = 256


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Surface:
    """Outputs as smooth functions of inputs that are independent of each other.

    Attributes
    ----------
    outputs
        Shape (rows, outputs): what was handed in.
    columns, fits
        For each output the columns that it is fitted on, and the fit to the output less its mean.
    """

    outputs: Numbers
    columns: tuple[Columns, ...]
    fits: tuple[Mixed, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """What some inputs alone say of each output: its conditional expectation.

    Attributes
    ----------
    values
        Shape (rows, outputs).
    drawn
        Shape (draws, rows, outputs): draws of what the values may be instead.
    weights
        Shape (draws, rows): draws of what share of all possible rows each row stands for.
    """

    values: Numbers
    drawn: Numbers
    weights: Numbers


def surface(outputs: Numbers, inputs: Numbers, relevant: npt.NDArray[np.bool_] | None = None) -> Surface:
    """Return each output as a smooth surface over all inputs.

    Since all inputs share one fit, what the others do to an output is no noise for any one of them; fitted alone, as
    in Strong, Oakley & Brennan (2014), it would be.
    """
    _refuse(outputs, inputs, relevant)
    main = alone(inputs)
    columns, fits = [], []
    matters = np.ones((outputs.shape[1], inputs.shape[1]), np.bool_) if relevant is None else relevant
    for output, some in zip(outputs.T, matters, strict=True):
        centred, mine = output - output.mean(), main.only(np.flatnonzero(some))
        first = mixed(centred, mine)
        bent = with_pairs(mine, inputs, _weights(mine, first, inputs.shape[1]))
        columns.append(bent)
        fits.append(first if bent is mine else mixed(centred, bent))
    return Surface(outputs=outputs, columns=tuple(columns), fits=tuple(fits))


def part(whole: Surface, inputs: Sequence[int], *, seed: int) -> Part:
    """Return what some inputs alone say of each output.

    Draws of coefficients are normal; the errors of two outputs are as much correlated as their residuals are. Draws
    of the weights are those of the Bayesian bootstrap (Rubin 1981), and the level of the values follows them, since
    the mean of an output is known no better than its draws tell it.
    """
    rows, outputs = whole.outputs.shape
    wanted = np.array(inputs, np.int64)
    about = [columns.about(wanted) for columns in whole.columns]
    luck = np.random.Generator(np.random.PCG64(seed))
    weights = luck.standard_exponential((DRAWS, rows))
    weights /= weights.sum(axis=1, keepdims=True)
    scores = luck.standard_normal((DRAWS, max(int(some.sum()) for some in about), outputs))
    scores = scores @ _root(_correlations(whole))
    values, drawn = np.empty((rows, outputs)), np.empty((DRAWS, rows, outputs))
    for place, (columns, fit, some) in enumerate(zip(whole.columns, whole.fits, about, strict=True)):
        shape, output = columns.values[:, some], whole.outputs[:, place]
        values[:, place] = output.mean() + shape @ fit.coefficients[some]
        moved = scores[:, : shape.shape[1], place] @ _root(fit.covariance[np.ix_(some, some)]) + fit.centre[some]
        raw = output.mean() + moved @ shape.T
        drawn[:, :, place] = raw + (weights * (output - raw)).sum(axis=1, keepdims=True)
    return Part(values=values, drawn=drawn, weights=weights)


def _refuse(outputs: Numbers, inputs: Numbers, relevant: npt.NDArray[np.bool_] | None) -> None:
    if outputs.ndim != 2 or inputs.ndim != 2 or len(outputs) != len(inputs):
        raise EstimationError(
            f"outputs and inputs must be tables with a row for each draw; found the shapes {outputs.shape} and "
            f"{inputs.shape}."
        )
    if relevant is not None and relevant.shape != (outputs.shape[1], inputs.shape[1]):
        raise EstimationError(
            f"relevant must say for each of {outputs.shape[1]} outputs which of {inputs.shape[1]} inputs can matter; "
            f"found the shape {relevant.shape}."
        )
    if len(outputs) < _FEWEST_ROWS:
        raise EstimationError(f"a surface needs {_FEWEST_ROWS} draws or more; found {len(outputs)}.")
    if not (np.isfinite(outputs).all() and np.isfinite(inputs).all()):
        raise EstimationError("outputs and inputs must be finite numbers; found some that are not.")


def _weights(columns: Columns, fit: Mixed, inputs: int) -> Numbers:
    """Return how much of the output's variance each input explains alone."""
    lengths = np.square(columns.values).mean(axis=0) * np.square(fit.coefficients)
    return np.bincount(columns.first, lengths, minlength=inputs).astype(np.float64)


def _correlations(whole: Surface) -> Numbers:
    left = np.column_stack(
        [
            output - output.mean() - columns.values @ fit.coefficients
            for output, columns, fit in zip(whole.outputs.T, whole.columns, whole.fits, strict=True)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Worth:
    """What knowing something before deciding is worth.

    Attributes
    ----------
    worth
        In the unit of the NPVs, 0 or more.
    mc_error
        Its standard error.
    """

    worth: float
    mc_error: float


def evpi(npvs: Numbers, *, worlds_per_draw: int = 1) -> Worth:
    """Return what it would be worth to know everything before deciding.

    E[max NPV] - max E[NPV], the expected value of perfect information (Raiffa & Schlaifer 1961). Where two decisions
    are about equal, it errs low, by up to 0.4 times the error of the mean of their difference: the decision that
    looks best is judged by the draws that made it look so.
    """
    _everything_refuse(npvs)
    regret = npvs.max(axis=1) - npvs[:, int(npvs.mean(axis=0).argmax())]
    by_draw = regret.reshape(worlds_per_draw, -1).mean(axis=0)
    return Worth(worth=float(regret.mean()), mc_error=_error(by_draw))


def evppi_of_case(npvs: Numbers, *, seed: int = 0) -> Worth:
    """Return what it would be worth to know which of a few equally likely cases holds, before deciding.

    Mean over cases of the largest mean NPV, less the largest mean NPV over all. Its error is by the Bayesian
    bootstrap over draws (Rubin 1981).
    """
    for case in npvs:
        _everything_refuse(case)
    rows = npvs.shape[1]
    luck = np.random.Generator(np.random.PCG64(seed)).standard_exponential((DRAWS, rows))
    weights = np.vstack([np.full((1, rows), 1.0 / rows), luck / luck.sum(axis=1, keepdims=True)])
    means = np.einsum("cnd,tn->tcd", npvs, weights)
    worth = np.maximum(means.max(axis=2).mean(axis=1) - means.mean(axis=1).max(axis=1), 0.0)
    error = float(np.sqrt(np.square(worth[1:] - worth[0]).mean()))
    return Worth(worth=steady(float(worth[0])), mc_error=steady(error))


def known(whole: Surface, inputs: Sequence[int], *, seed: int = 0) -> Worth:
    """Return what it would be worth to know some of a surface's inputs before deciding.

    Its error is the root mean square by which draws of the fitted values (Strong, Oakley & Brennan 2014), and of the
    weights of the rows, move the worth.
    """
    found = part(whole, inputs, seed=seed)
    rows = len(found.values)
    worth = _worth(found.values[None], np.full((1, rows), 1.0 / rows))[0]
    moved = _worth(found.drawn, found.weights) - worth
    return Worth(worth=steady(float(worth)), mc_error=steady(float(np.sqrt(np.square(moved).mean()))))


def _worth(differences: Numbers, weights: Numbers) -> Numbers:
    """Return by how much deciding row by row beats deciding once: shape (tables,)."""
    means = np.einsum("trd,tr->td", differences, weights)
    usual = means.argmax(axis=1)
    chosen = np.take_along_axis(differences, usual[:, None, None], axis=2)[:, :, 0]
    once = np.where(means.max(axis=1)[:, None] > 0.0, chosen, 0.0)
    worth: Numbers = ((np.maximum(differences.max(axis=2), 0.0) - once) * weights).sum(axis=1)
    return worth


def _error(by_draw: Numbers) -> float:
    return float(by_draw.std(ddof=1) / np.sqrt(len(by_draw)))


def _everything_refuse(npvs: Numbers) -> None:
    if npvs.ndim != 2 or npvs.shape[0] < 2 or npvs.shape[1] < 2:
        raise EstimationError(
            f"npvs must be a table of two draws and two decisions or more, doing nothing being one; found the shape "
            f"{npvs.shape}."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is asked of a test.

    Attributes
    ----------
    alpha
        Chance, between 0 and 1, of seeing a difference to either side where there is none.
    power
        Chance of seeing the difference where there is one: above alpha, below 1.
    ratio
        Customers in the second group for each in the first, above 0.
    """

    alpha: float = 0.05
    power: float = 0.8
    ratio: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.alpha < self.power < 1.0:
            raise ParamError(
                f"alpha and power must satisfy 0 < alpha < power < 1; found alpha {self.alpha:g}, power {self.power:g}."
            )
        if not (math.isfinite(self.ratio) and self.ratio > 0.0):
            raise ParamError(f"ratio must be a finite number above 0; found {self.ratio:g}.")

    @property
    def distance(self) -> float:
        """By how many standard errors a difference must be away from zero to be seen with that power."""
        normal = NormalDist()
        return normal.inv_cdf(1.0 - self.alpha / 2.0) + normal.inv_cdf(self.power)


STANDARD = Asked()


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """Customers in both groups of a test.

    Attributes
    ----------
    first, second
        How many.
    """

    first: int
    second: int


def groups(sd: float, difference: float, asked: Asked = STANDARD) -> Groups:
    """Return how many customers a test of a difference of means needs.

    n = (1 + 1/ratio) ((z(1 - alpha/2) + z(power)) sd / difference)**2 in the first group, by the normal
    approximation.
    """
    _sample_size_refuse(sd)
    if not math.isfinite(difference) or difference == 0.0:
        raise ParamError(f"difference must be a finite number other than 0; found {difference:g}.")
    needed = (1.0 + 1.0 / asked.ratio) * (asked.distance * sd / difference) ** 2
    first = max(2, math.ceil(needed))
    return Groups(first=first, second=max(2, math.ceil(needed * asked.ratio)))


def smallest_difference(sd: float, customers: Groups, asked: Asked = STANDARD) -> float:
    """Return the smallest true difference of means that a test with so many customers sees."""
    _sample_size_refuse(sd)
    if min(customers.first, customers.second) < 1:
        raise ParamError(f"both groups need a customer or more; found {customers.first:,} and {customers.second:,}.")
    return asked.distance * sd * math.sqrt(1.0 / customers.first + 1.0 / customers.second)


def _sample_size_refuse(sd: float) -> None:
    if not (math.isfinite(sd) and sd >= 0.0):
        raise ParamError(f"sd must be a finite number of 0 or more; found {sd:g}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A share of a variance.

    Attributes
    ----------
    share
        At most 1. It may be a little below 0 where there is nothing to explain.
    mc_error
        Its standard error.
    """

    share: float
    mc_error: float


def explained(whole: Surface, inputs: Sequence[int], *, output: int = 0, seed: int = 0) -> Share:
    """Return which share of an output's variance some inputs explain, alone and with each other.

    The covariance of the output with their part of the surface over the variance of the output: shares of inputs that
    are apart add up to that of all of them, less what these only explain together (Li et al. 2010, "Global
    sensitivity analysis for systems with independent and/or correlated inputs"). 0 where the output is constant.
    """
    found = part(whole, inputs, seed=seed)
    values, drawn = found.values[:, output], found.drawn[:, :, output]
    rows = len(values)
    share = _share(whole.outputs[:, output], values[None], np.full((1, rows), 1.0 / rows))[0]
    moved = _share(whole.outputs[:, output], drawn, found.weights) - share
    return Share(share=steady(float(share)), mc_error=steady(float(np.sqrt(np.square(moved).mean()))))


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
