"""What a strategy brings in each draw in; the mean of the worst tenth, with its Monte Carlo error, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxsim.errors import ParamError

_TENTH = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class WorstTenth:
    """The conditional value at risk, CVaR, of some draws at 10 %.

    Attributes
    ----------
    mean
        Mean of the worst tenth of the draws.
    mc_error
        Its standard error, from the limited number of draws.
    """

    mean: float
    mc_error: float


def worst_tenth(draws: npt.NDArray[np.float64], *, structures: int = 1) -> WorstTenth:
    """Return the mean of the worst tenth of the draws.

    With q the tenth-quantile, the mean of the worst tenth is the mean over draws of q - max(q - x, 0) / 0.1
    (Rockafellar & Uryasev 2000, "Optimization of conditional value-at-risk"). Its error is that of this mean: at the
    quantile its slope in q is zero, so that not knowing q adds nothing to first order.
    """
    if len(draws) % structures or len(draws) // structures < 2:
        raise ParamError(
            f"worst_tenth: found {len(draws)} draws under {structures} structures; each needs as many, at least 2."
        )
    edge = np.sort(draws)[len(draws) // 10]
    parts = edge - np.maximum(edge - draws, 0.0) / _TENTH
    # The same draw under another structure is no new evidence.
    means = parts.reshape(structures, -1).mean(axis=0)
    return WorstTenth(mean=float(parts.mean()), mc_error=float(means.std(ddof=1) / np.sqrt(len(means))))
