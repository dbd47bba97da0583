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

    Parameters
    ----------
    first, second
        Log probability, per customer, under the model and under the other one; finite, shape (n,), n >= 2.
    more_params
        Fitted parameters that the model has beyond the other, if both were fitted to what they are judged by: each
        takes one off the difference, as in Akaike's criterion.

    Returns
    -------
    Verdict
        The mean difference over customers over its standard error, and where that lies under a normal curve: with a
        flat prior, the probability that the mean over all customers there could be is above zero.

    References
    ----------
    Vuong (1989), "Likelihood Ratio Tests for Model Selection and Non-Nested Hypotheses", Econometrica 57, 307-333.

    Examples
    --------
    >>> verdict(np.log([0.5, 0.5, 0.4]), np.log([0.25, 0.25, 0.4]))
    Verdict(z=2.0, prob_better=0.9772498680518208)
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
    """Weigh each model against the best of the others.

    Parameters
    ----------
    log_probs
        For each model the log probability it gave to what each customer did; shape (n,) each.
    n_params
        Fitted parameters of each model, if they were fitted to what they are judged by.

    Returns
    -------
    list
        One Verdict per model; None for a single one, which there is nothing to weigh against.
    """
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

    Parameters
    ----------
    aic
        Akaike's criterion of each model.

    Returns
    -------
    list of float
        exp(-difference / 2) of each, over their sum. They say which model fits these customers best, not that any of
        them is true.

    References
    ----------
    Burnham & Anderson (2002), "Model Selection and Multimodel Inference", section 2.9.

    Examples
    --------
    >>> [round(weight, 3) for weight in akaike_weights([100.0, 102.0])]
    [0.731, 0.269]
    """
    best = min(aic)
    likely = [math.exp(-0.5 * (one - best)) for one in aic]
    return [one / sum(likely) for one in likely]
