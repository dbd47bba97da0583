"""A table of customers (RFM) in, a fitted model of their orders or of their spend out."""

from __future__ import annotations

import math
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError, choices
from cxsim.estimation.bgnbd_fit import BgNbdFit
from cxsim.estimation.estimates import PARAMETER_DIGITS, as_matrix, significant
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.lifetimes_engine import bgnbd_start, gamma_gamma_start
from cxsim.estimation.maximum import climb
from cxsim.estimation.patterns import purchase_patterns, spend_patterns
from cxsim.models import BgNbdParams, GammaGammaParams, bgnbd, gamma_gamma

FloatArray = NDArray[np.float64]

# Seventeen significant digits name a double exactly.
_ALL_DIGITS = 17


def fit(rfm: pl.DataFrame, *, model: Literal["bgnbd"] = "bgnbd", observed_until: date | None = None) -> BgNbdFit:
    """Fit a model of repeat orders to customers by maximum likelihood.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, one row each, times in days.
    model
        `bgnbd`, the BG/NBD model.
    observed_until
        Last day of the observation, to be kept with the fit.

    Returns
    -------
    BgNbdFit
        Estimates with covariance and log-likelihood, alpha in days.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For an unknown model, impossible pasts, too few (repeat) customers, or data that do not determine the
        parameters.

    Notes
    -----
    lifetimes' BetaGeoFitter finds the place; Newton's steps with analytic derivatives find the maximum to the last
    digits, so that the result does not hang on where BFGS stopped. Likelihood and covariance are our own, because
    lifetimes reports the mean likelihood of rescaled times, and a covariance whose off-diagonals are wrong.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24, 275-284.
    """
    if model != "bgnbd":
        raise EstimationError(f"no model '{model}'; {choices(model, ['bgnbd'])}")
    patterns = purchase_patterns(rfm)

    def surface(log_params: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        return bgnbd.log_likelihood_derivatives(
            _bgnbd_params(log_params),
            patterns.frequency,
            patterns.recency_days,
            patterns.age_days,
            weights=patterns.weight,
        )

    start = bgnbd_start(patterns)
    top = climb("BG/NBD", ("r", "alpha", "a", "b"), surface, np.log([start.r, start.alpha, start.a, start.b]))
    return BgNbdFit(
        params=_bgnbd_params(top.log_params, PARAMETER_DIGITS),
        log_covariance=as_matrix(top.covariance),
        log_likelihood=top.value,
        n_customers=rfm.height,
        n_patterns=patterns.weight.size,
        max_abs_gradient=top.max_abs_gradient,
        observed_until=observed_until,
    )


def fit_spend(rfm: pl.DataFrame, *, observed_until: date | None = None) -> GammaGammaFit:
    """Fit the Gamma-Gamma model of spend per order to repeat customers by maximum likelihood.

    Parameters
    ----------
    rfm
        Customers under the RFM contract. Those without repeat order or positive monetary value are left out and
        counted.
    observed_until
        Last day of the observation, to be kept with the fit.

    Returns
    -------
    GammaGammaFit
        Estimates with covariance and log-likelihood, v in the currency of the orders.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For impossible pasts, too few repeat customers, amounts all the same, or data that do not determine the
        parameters.

    References
    ----------
    Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025.
    """
    patterns = spend_patterns(rfm)

    def surface(log_params: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        return gamma_gamma.log_likelihood_derivatives(
            _gamma_gamma_params(log_params), patterns.frequency, patterns.monetary_value, weights=patterns.weight
        )

    start = gamma_gamma_start(patterns)
    top = climb("Gamma-Gamma", ("p", "q", "v"), surface, np.log([start.p, start.q, start.v]))
    return GammaGammaFit(
        params=_gamma_gamma_params(top.log_params, PARAMETER_DIGITS),
        log_covariance=as_matrix(top.covariance),
        log_likelihood=top.value,
        n_customers=rfm.height - patterns.n_left_out,
        n_left_out=patterns.n_left_out,
        n_patterns=patterns.weight.size,
        max_abs_gradient=top.max_abs_gradient,
        observed_until=observed_until,
    )


def _bgnbd_params(log_params: FloatArray, digits: int = _ALL_DIGITS) -> BgNbdParams:
    r, alpha, a, b = (significant(math.exp(x), digits) for x in log_params)
    return BgNbdParams(r=r, alpha=alpha, a=a, b=b)


def _gamma_gamma_params(log_params: FloatArray, digits: int = _ALL_DIGITS) -> GammaGammaParams:
    p, q, v = (significant(math.exp(x), digits) for x in log_params)
    return GammaGammaParams(p=p, q=q, v=v)
