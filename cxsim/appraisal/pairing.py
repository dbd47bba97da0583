"""What two models said of the same customers in; which of them is nearer the truth, and how sure that is, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Log probabilities are computed to about 1e-12; models closer than this say the same.
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the same customers say of one model against another.

    Attributes
    ----------
    z
        Difference of the log probabilities in standard errors; above 0 if it speaks for the model.
    prob_better
        Probability that the model is nearer the truth than the other one, 0.5 where customers cannot tell.
    """

    z: float
    prob_better: float


def verdict(first: FloatArray, second: FloatArray, *, more_params: float = 0.0) -> Verdict:
    """Weigh one model against another by the log probabilities they gave to what the same customers did.

    Vuong (1989), "Likelihood Ratio Tests for Model Selection and Non-Nested Hypotheses", Econometrica 57, 307-333.
    """
    difference = first - second
    difference = np.where(np.abs(difference) < _SAME, 0.0, difference)
    total = float(difference.sum()) - more_params
    spread = float(difference.std(ddof=1)) * math.sqrt(difference.size)
    if not difference.any():
        return Verdict(z=0.0, prob_better=0.5)
    if spread == 0.0:
        return Verdict(z=math.copysign(math.inf, total), prob_better=1.0 if total > 0.0 else 0.0)
    return Verdict(z=total / spread, prob_better=NormalDist().cdf(total / spread))


def against_best(log_probs: Sequence[FloatArray], n_params: Sequence[float] | None = None) -> list[Verdict | None]:
    """Weigh each model against the best of the others."""
    sizes = [0.0] * len(log_probs) if n_params is None else list(n_params)
    totals = [float(found.sum()) - size for found, size in zip(log_probs, sizes, strict=True)]
    verdicts: list[Verdict | None] = []
    for place, found in enumerate(log_probs):
        others = [other for other in range(len(log_probs)) if other != place]
        if not others:
            return [None]
        rival = max(others, key=lambda other: totals[other])
        verdicts.append(verdict(found, log_probs[rival], more_params=sizes[place] - sizes[rival]))
    return verdicts


def akaike_weights(aic: Sequence[float]) -> list[float]:
    """Return the weight of evidence for each model, which sum to 1.

    Burnham & Anderson (2002), "Model Selection and Multimodel Inference", section 2.9.
    """
    best = min(aic)
    likely = [math.exp(-0.5 * (one - best)) for one in aic]
    return [one / sum(likely) for one in likely]
