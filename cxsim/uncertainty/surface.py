"""Draws of inputs and of outputs in; each output as a smooth surface over all inputs, and its parts, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.errors import EstimationError
from cxsim.uncertainty.columns import Columns, alone, with_pairs
from cxsim.uncertainty.components import Mixed, mixed

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
