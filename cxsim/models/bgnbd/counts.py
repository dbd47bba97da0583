"""Parameters of BG/NBD and a stretch of time in, the distribution of the number of repeat orders in it out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln, gammaln

from cxsim.errors import DataError
from cxsim.models.admission import non_negative, whole
from cxsim.models.bgnbd.likelihood import BgNbdParams
from cxsim.models.quadrature import LogitRule, logit_rule

FloatArray = NDArray[np.float64]

# Rows times nodes held at once, 8 MB an array.
_CELLS = 1 << 20


def purchase_probability_new(params: BgNbdParams, time: ArrayLike, purchases: ArrayLike) -> FloatArray:
    """Return the probability of exactly so many repeat orders in the first `time` of a new customer.

    Parameters
    ----------
    params
        Parameters, alpha in the unit of `time`.
    time
        Time since the first order, >= 0. Any unit, the same as alpha's.
    purchases
        Numbers of repeat orders, whole; broadcast with `time`.

    Returns
    -------
    numpy.ndarray
        Broadcast shape; sums to 1 over all `purchases`.

    References
    ----------
    Fader, Hardie & Lee (2005), equation (8). The chance that at least n orders fall into `time` is an incomplete
    Beta function, which neither cancels nor overflows for large n.

    Examples
    --------
    >>> rounded = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)  # weeks
    >>> purchase_probability_new(rounded, 30, [0, 1, 200]).round(6)
    array([0.60711 , 0.193712, 0.      ])
    """
    end, n = np.broadcast_arrays(non_negative("time", time), whole("purchases", purchases))
    r, alpha, a, b = params.r, params.alpha, params.a, params.b
    log_beta = betaln(a, b)
    stays = np.exp(betaln(a, b + n) - log_beta)
    leaves = np.where(n > 0, np.exp(betaln(a + 1.0, b + np.maximum(n, 1.0) - 1.0) - log_beta), 0.0)
    return np.asarray(stays * _exactly(n, r, alpha, end) + leaves * _at_least(n, r, alpha, end))


def purchase_probability_between(
    params: BgNbdParams, start: ArrayLike, end: ArrayLike, purchases: ArrayLike
) -> FloatArray:
    """Return the probability of exactly so many repeat orders between two ages of a new customer.

    Parameters
    ----------
    params
        Parameters, alpha in the unit of `start` and `end`.
    start, end
        Ages, 0 <= start <= end. Any unit, the same as alpha's.
    purchases
        Numbers of repeat orders after `start` and until `end`, whole; all three broadcast together.

    Returns
    -------
    numpy.ndarray
        Broadcast shape; sums to 1 over all `purchases`.

    Raises
    ------
    DataError
        If `start` lies behind `end`.

    Notes
    -----
    Orders after which a customer leaves are a thinned Poisson process, so a customer with purchase rate l and
    dropout probability p is alive at `start` with probability exp(-l p start), and orders as if new from there.
    Over l ~ Gamma(r, alpha) this is (alpha / (alpha + p start)) ** r times the distribution for a new customer with
    alpha + p start; p is integrated numerically.

    Examples
    --------
    >>> cdnow = BgNbdParams(r=0.2425945, alpha=4.4136020, a=0.7929220, b=2.4259068)  # weeks
    >>> purchase_probability_between(cdnow, 39, 78, [0, 1]).round(3)
    array([0.754, 0.122])
    """
    first, last, n = np.broadcast_arrays(
        non_negative("start", start), non_negative("end", end), whole("purchases", purchases)
    )
    wrong = first > last
    if wrong.any():
        raise DataError(f"start must not lie behind end; found {first[wrong].flat[0]} and {last[wrong].flat[0]}.")
    rule = logit_rule(params.a, params.b, params.b)
    density = rule.step * np.exp(params.a * rule.log_p + params.b * rule.log_q - betaln(params.a, params.b))
    counts, starts, lengths = n.ravel(), first.ravel(), (last - first).ravel()
    result = np.empty(counts.size)
    rows = max(1, _CELLS // rule.p.size)
    for begin in range(0, counts.size, rows):
        some = slice(begin, begin + rows)
        given_p = _later_counts(params, rule, counts[some, None], starts[some, None], lengths[some, None])
        result[some] = (given_p * density).sum(axis=1)
    return result.reshape(n.shape)


def _later_counts(
    params: BgNbdParams, rule: LogitRule, n: FloatArray, start: FloatArray, length: FloatArray
) -> FloatArray:
    """Return the probability of n orders in `length` after `start`, given each p of the rule."""
    alpha = params.alpha + rule.p * start
    alive = (params.alpha / alpha) ** params.r
    ordered = np.maximum(n, 1.0)
    stays = np.exp(n * rule.log_q) * _exactly(n, params.r, alpha, length)
    leaves = np.exp(rule.log_p + (ordered - 1.0) * rule.log_q) * _at_least(ordered, params.r, alpha, length)
    return np.asarray(np.where(n > 0, alive * (stays + leaves), 1.0 - alive + alive * stays))


def _exactly(n: FloatArray, r: float, alpha: FloatArray | float, time: FloatArray) -> FloatArray:
    """Return the probability of n events of a Poisson process whose rate is Gamma(r, alpha)."""
    odds = time / alpha
    with np.errstate(divide="ignore", invalid="ignore"):
        events = np.where(n > 0, n * (np.log(odds) - np.log1p(odds)), 0.0)
    return np.asarray(np.exp(gammaln(r + n) - gammaln(r) - gammaln(n + 1.0) - r * np.log1p(odds) + events))


def _at_least(n: FloatArray, r: float, alpha: FloatArray | float, time: FloatArray) -> FloatArray:
    """Return the probability of n or more such events; 1 for n = 0."""
    return np.where(n > 0, betainc(np.maximum(n, 1.0), r, time / (alpha + time)), 1.0)
