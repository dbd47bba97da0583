"""Parameters of BG/NBD and a customer's past in, the log-likelihood of that past and P(alive) out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, gammaln

from cxsim.models.admission import history, require_positive

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class BgNbdParams:
    """Parameters of the BG/NBD model.

    Attributes
    ----------
    r, alpha
        Shape and rate of the Gamma distribution of purchase rates; `alpha` carries the unit of time.
    a, b
        Shapes of the Beta distribution of the chance of leaving after a repeat order.

    Raises
    ------
    ParamError
        For a parameter that is not a positive finite number.
    """

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        require_positive("BG/NBD", {"r": self.r, "alpha": self.alpha, "a": self.a, "b": self.b})


def log_likelihood(params: BgNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the log-likelihood of each customer's past.

    Parameters
    ----------
    params
        Parameters, alpha in the unit of `last_order` and `age`.
    frequency, last_order, age
        Repeat orders; age at the last order; age now. Any unit of time, the same as alpha's; broadcast together.

    Returns
    -------
    numpy.ndarray
        Natural logarithms, broadcast shape. They stay finite for hundreds of orders.

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24, 275-284, equation (6).

    Examples
    --------
    >>> round(float(log_likelihood(BgNbdParams(r=0.25, alpha=4.0, a=0.8, b=2.5), 0, 0, 40)), 8)
    -0.59947382
    """
    x, last, end = history(frequency, last_order, age)
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    shape = r + x
    common = gammaln(shape) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    alive = -shape * np.log(alpha + end)
    return np.asarray(common + alive + np.logaddexp(0.0, _log_odds_left(params, x, last, end)))


def prob_alive(params: BgNbdParams, frequency: ArrayLike, last_order: ArrayLike, age: ArrayLike) -> FloatArray:
    """Return the probability that a customer has not left by `age`.

    Parameters
    ----------
    params
        Parameters, alpha in the unit of `last_order` and `age`.
    frequency, last_order, age
        Repeat orders; age at the last order; age now. Any unit of time, the same as alpha's; broadcast together.

    Returns
    -------
    numpy.ndarray
        Broadcast shape, in [0, 1]; 1 where `frequency` is 0, because nobody leaves before a repeat order here.

    References
    ----------
    Fader & Hardie (2008), "Computing P(alive) using the BG/NBD model", note 021.

    Examples
    --------
    >>> cdnow = BgNbdParams(r=0.2425945, alpha=4.4136020, a=0.7929220, b=2.4259068)  # weeks
    >>> prob_alive(cdnow, [0, 2], [0.0, 30.43], 38.86).round(4)
    array([1.    , 0.7266])
    """
    return np.asarray(expit(-_log_odds_left(params, *history(frequency, last_order, age))))


def _log_odds_left(params: BgNbdParams, x: FloatArray, last: FloatArray, end: FloatArray) -> FloatArray:
    """Return log(P(left) / P(alive)), minus infinity without a repeat order."""
    idle = np.log1p((end - last) / (params.alpha + last))
    odds = np.log(params.a) - np.log(params.b + np.maximum(x, 1.0) - 1.0) + (params.r + x) * idle
    return np.where(x > 0, odds, -np.inf)
