"""NPVs of decisions in every draw in; what it would be worth to know before deciding, with its error, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.errors import EstimationError
from cxsim.uncertainty.digits import steady
from cxsim.uncertainty.surface import DRAWS, Surface, part

Numbers = npt.NDArray[np.float64]


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
    _refuse(npvs)
    regret = npvs.max(axis=1) - npvs[:, int(npvs.mean(axis=0).argmax())]
    by_draw = regret.reshape(worlds_per_draw, -1).mean(axis=0)
    return Worth(worth=float(regret.mean()), mc_error=_error(by_draw))


def evppi_of_case(npvs: Numbers, *, seed: int = 0) -> Worth:
    """Return what it would be worth to know which of a few equally likely cases holds, before deciding.

    Mean over cases of the largest mean NPV, less the largest mean NPV over all. Its error is by the Bayesian
    bootstrap over draws (Rubin 1981).
    """
    for case in npvs:
        _refuse(case)
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


def _refuse(npvs: Numbers) -> None:
    if npvs.ndim != 2 or npvs.shape[0] < 2 or npvs.shape[1] < 2:
        raise EstimationError(
            f"npvs must be a table of two draws and two decisions or more, doing nothing being one; found the shape "
            f"{npvs.shape}."
        )
