"""Customers and a fitted model in; how much the data hold of it, and what it takes for granted of their orders, out."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from cxsim.estimation.diagnosis.finding import Finding
from cxsim.estimation.fitting import fit
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.kinds import KINDS
from cxsim.estimation.purchase_fit import PurchaseFit

# A standard error of 0.7 on the logarithm: the 95 % interval spans a factor of four up and down.
_VAGUE = 0.7
_TIED = 0.98
# An order in twenty lost because it fell on the day of another is a twentieth of the rate.
_MERGED = 0.05
# Log-likelihood points of regularity that no chance brings about.
_REGULAR = 3.0
_STEEP = 1e-3


def vague_parameters(fitted: PurchaseFit | GammaGammaFit) -> Finding | None:
    """Return a finding on the parameter that the data determine least, where that is little."""
    errors = [math.sqrt(row[i]) for i, row in enumerate(fitted.log_covariance)]
    worst = int(np.argmax(errors))
    if errors[worst] <= _VAGUE:
        return None
    name, factor = fitted.names[worst], math.exp(min(1.96 * errors[worst], 50.0))
    return Finding(
        topic=f"{fitted.title}: vague",
        severity="caution",
        figure=factor,
        sentence=f"{fitted.title}: {name} is known only to a factor of {factor:.3g} up or down (95 %).",
        advice="Use intervals from the posterior, not the normal approximation, and more customers or a longer period.",
    )


def tied_parameters(fitted: PurchaseFit | GammaGammaFit) -> Finding | None:
    """Return a finding on two parameters that the data determine together only."""
    matrix = np.array(fitted.log_covariance)
    spread = np.sqrt(np.diag(matrix))
    together = np.abs(np.triu(matrix / spread[:, None] / spread[None, :], 1))
    first, second = np.unravel_index(int(np.argmax(together)), together.shape)
    if together[first, second] <= _TIED:
        return None
    pair = f"{fitted.names[int(first)]} and {fitted.names[int(second)]}"
    return Finding(
        topic=f"{fitted.title}: tied",
        severity="note",
        figure=float(together[first, second]),
        sentence=f"{fitted.title}: {pair} are known together, not each by itself "
        f"(correlation {together[first, second]:.3f}).",
        advice="What the model expects is sure all the same; do not read either parameter by itself.",
    )


def short_observation(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding where customers were observed for less than the time between two orders."""
    mean_age = int(rfm["age_days"].sum()) / rfm.height
    gap = purchases.params.k * purchases.params.alpha / purchases.params.r
    if mean_age >= gap:
        return None
    return Finding(
        topic="observation",
        severity="caution",
        figure=mean_age / gap,
        sentence=f"The observation is short: {mean_age:,.0f} days per customer on average, while a customer of mean "
        f"rate orders every {gap:,.0f} days.",
        advice="Forecast no further ahead than was observed, and fit again when there is more.",
    )


def merged_days(purchases: PurchaseFit) -> Finding | None:
    """Return a finding where customers order so often that orders of one day are lost in the counts."""
    params = purchases.params
    # Of a Poisson process with a Gamma distributed rate: one less days with an order over orders.
    kept = -math.expm1(-params.r * math.log1p(1.0 / params.alpha)) * params.alpha / params.r
    lost = 1.0 - kept if params.k == 1 else 0.0
    if lost <= _MERGED:
        return None
    return Finding(
        topic="days",
        severity="caution",
        figure=lost,
        sentence=f"Customers order so often that about {lost:.0%} of orders fall on a day with another and count once.",
        advice="Read rates as order days, not orders; a day is too coarse a unit for this shop.",
    )


def regularity(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding where orders come more regularly than the model takes for granted."""
    kind = KINDS[purchases.model]
    if kind.regular or "log_gaps" not in rfm.columns:
        return None
    other = fit(rfm, model="mbgcnbd" if kind.leaves_after_first else "bgcnbd")
    gain = other.log_likelihood - purchases.log_likelihood
    if other.params.k == 1 or gain <= _REGULAR:
        return None
    return Finding(
        topic="regularity",
        severity="caution",
        figure=gain,
        sentence=f"Customers order more regularly than by chance: {other.title} raises the log-likelihood by "
        f"{gain:,.1f}.",
        advice=f"Use model='{other.model}': it sees sooner who is overdue.",
    )


def unfinished(fitted: PurchaseFit | GammaGammaFit) -> Finding | None:
    """Return a finding where the engine stopped short of the top."""
    if fitted.max_abs_gradient <= _STEEP:
        return None
    return Finding(
        topic=f"{fitted.title}: engine",
        severity="caution",
        figure=fitted.max_abs_gradient,
        sentence=f"{fitted.title}: {fitted.engine} stopped where the log-likelihood still rises by "
        f"{fitted.max_abs_gradient:.2g} per unit of a log-parameter.",
        advice="Use engine='native'.",
    )
