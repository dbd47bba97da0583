"""A surface over inputs in; which share of an output's variance some of the inputs explain, with its error, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.uncertainty.digits import steady
from cxsim.uncertainty.surface import Surface, part

Numbers = npt.NDArray[np.float64]


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
