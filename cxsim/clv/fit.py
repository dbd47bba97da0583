"""A table of customers (RFM) in, a fitted model of their orders or of their spend out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.likelihood import (
    Kind,
    Likelihood,
    Model,
    PurchasePatterns,
    derivatives,
    is_count,
    kind_of,
    log_gap_sum,
    purchase_likelihood,
    purchase_patterns,
    spend_likelihood,
    spend_patterns,
    thinned,
)
from cxsim.clv.models.bgnbd import MOST_STAGES
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.optimum import (
    PARAMETER_DIGITS,
    REACH,
    LogNormalPrior,
    Top,
    as_matrix,
    climb,
    gamma_gamma,
    highest,
    purchase_centre,
    purchase_prior,
    purchase_starts,
    purchases,
    significant,
    spend_centre,
    spend_prior,
    spend_starts,
)
from cxsim.clv.purchase_fit import Basis, PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import EstimationError, choices

FloatArray = NDArray[np.float64]
Engine = Literal["native", "lifetimes"]
ENGINES = ("native", "lifetimes")

# Starts that are climbed from, the best of those that were tried.
_CLIMBS = 2
# Customers on whom the neighbourhood of the top is found where there are more.
_SCOUTS = 20_000
# The search for k ends when so many more stages in a row were no better.
_PATIENCE = 2
# A parameter so many e-folds from its ordinary size, where the likelihood has no top, has run away.
_AWAY = 6.0
# Share of a flat direction from which on a parameter belongs to it.
_PART = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Where the estimates were found.

    Attributes
    ----------
    top
        The place, with the value of the likelihood there and the derivatives of what was maximised.
    basis, loose, engine
        As in `PurchaseFit`.
    """

    top: Top
    basis: Basis = "likelihood"
    loose: tuple[str, ...] = ()
    engine: Engine = "native"


def fit(
    rfm: pl.DataFrame,
    *,
    model: Model = "bgnbd",
    k: int | None = None,
    engine: Engine = "native",
    observed_until: date | None = None,
) -> PurchaseFit:
    """Fit a model of repeat orders and leaving to customers by maximum likelihood.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, one row each, times in days.
    model
        `bgnbd` (leaving after a repeat order), `mbgnbd` (also after the first), `paretonbd` (leaving on the calendar),
        and for customers who order more regularly than by chance `bgcnbd` and `mbgcnbd`.
    k
        Stages between orders for the last two, 1 to 60; None chooses it by likelihood, for which `rfm` needs its
        column log_gaps. Without that column, the likelihood of a given k above 1 leaves out what the gaps add, and
        says nothing beside that of another k. The other models have 1.
    engine
        `native`, or `lifetimes` for the archived library's own optimum of the first three models.
    observed_until
        Last day of the observation, to be kept with the fit.

    Returns
    -------
    PurchaseFit
        Estimates with covariance and log-likelihood, times in days. Where the likelihood has no top (nobody seems to
        leave, all buy at one rate), the estimates are those of a posterior with weak priors, and `basis` says so.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For an unknown model or engine, a k that the model does not have, impossible pasts, or too few (repeat)
        customers.

    Notes
    -----
    Newton's steps with analytic gradient and Hessian in the logarithms of the parameters, from several starts, over
    distinct pasts. The covariance is the inverse of minus the Hessian at the top.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24, 275-284. Schmittlein,
    Morrison & Colombo (1987), Management Science 33, 1-24. Batislam, Denizel & Filiztekin (2007), International
    Journal of Research in Marketing 24, 201-209. Platzer & Reutterer (2016), Marketing Science 35, 779-799.
    """
    kind, patterns = kind_of(model), purchase_patterns(rfm)
    _require_engine(engine)
    stages = _stages(kind, k)
    if engine == "lifetimes":
        return _purchase_fit(kind, 1, patterns, _lifetimes_top(kind, patterns), observed_until)
    if stages is not None:
        log_gaps = log_gap_sum(rfm) if stages > 1 and "log_gaps" in rfm.columns else 0.0
        found = _purchase_top(kind, stages, patterns, log_gaps)
        return _purchase_fit(kind, stages, patterns, found, observed_until)
    best, tops = 1, dict[int, Found]()
    log_gaps = log_gap_sum(rfm)
    while (tried := len(tops) + 1) <= min(best + _PATIENCE, MOST_STAGES):
        tops[tried] = _purchase_top(kind, tried, patterns, log_gaps)
        best = max(tops, key=lambda stage: tops[stage].top.value)
    return _purchase_fit(kind, best, patterns, tops[best], observed_until)


def fit_spend(rfm: pl.DataFrame, *, engine: Engine = "native", observed_until: date | None = None) -> GammaGammaFit:
    """Fit the Gamma-Gamma model of spend per order to repeat customers by maximum likelihood.

    Parameters
    ----------
    rfm
        Customers under the RFM contract. Those without repeat order or positive monetary value are left out and
        counted.
    engine
        `native`, or `lifetimes` for the archived library's own optimum.
    observed_until
        Last day of the observation, to be kept with the fit.

    Returns
    -------
    GammaGammaFit
        Estimates with covariance and log-likelihood, v in the currency of the orders; `basis` as in `fit`.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For an unknown engine, impossible pasts, too few repeat customers, or amounts all the same.

    References
    ----------
    Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025.
    """
    patterns = spend_patterns(rfm)
    _require_engine(engine)
    likelihood = spend_likelihood(patterns)
    if engine == "lifetimes":
        found = _reported(likelihood, gamma_gamma(patterns))
    else:
        found = _top(likelihood, spend_starts(patterns), spend_centre(patterns), spend_prior(patterns))
    top = found.top
    p, q, v = (significant(math.exp(x), PARAMETER_DIGITS) for x in top.log_params)
    return GammaGammaFit(
        params=GammaGammaParams(p=p, q=q, v=v),
        log_covariance=as_matrix(top.covariance),
        log_likelihood=top.value,
        n_customers=rfm.height - patterns.n_left_out,
        n_left_out=patterns.n_left_out,
        n_patterns=patterns.weight.size,
        max_abs_gradient=float(np.abs(top.gradient).max()),
        basis=found.basis,
        loose=found.loose,
        engine=found.engine,
        observed_until=observed_until,
    )


def _stages(kind: Kind, k: int | None) -> int | None:
    """Return the number of stages that is wanted; None where it is to be chosen."""
    if kind.regular and (k is None or (is_count(k, least=1) and k <= MOST_STAGES)):
        return k
    if not kind.regular and (k is None or (is_count(k, least=1) and k == 1)):
        return 1
    possible = f"a whole number from 1 to {MOST_STAGES}, or None to choose it" if kind.regular else "1 or None"
    raise EstimationError(f"{kind.title}: k is {k!r}; it must be {possible}.")


def _require_engine(engine: str) -> None:
    if engine not in ENGINES:
        raise EstimationError(f"no engine '{engine}'; {choices(str(engine), list(ENGINES))}")


def _purchase_top(kind: Kind, k: int, patterns: PurchasePatterns, log_gaps: float) -> Found:
    likelihood = purchase_likelihood(kind, k, patterns, log_gaps=log_gaps)
    starts, centre = purchase_starts(kind, k, patterns), purchase_centre(kind, k, patterns)
    return _top(likelihood, starts, centre, purchase_prior(kind.names, patterns))


def _top(likelihood: Likelihood, starts: Sequence[FloatArray], centre: FloatArray, prior: LogNormalPrior) -> Found:
    """Return the top of the likelihood, or if it has none that of the posterior under a weak prior."""
    few = thinned(likelihood, _SCOUTS)
    tried = sorted(starts, key=lambda start: -derivatives(few, start)[0])[:_CLIMBS]
    near = highest(partial(derivatives, few), tried, centre)
    top = climb(partial(derivatives, likelihood), near.log_params, centre) if few is not likelihood else near
    if not (near.settled and top.settled) and few is not likelihood:
        top = highest(partial(derivatives, likelihood), tried, centre)
    if top.settled:
        return Found(top=top)

    def posterior(here: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, hessian = derivatives(likelihood, here)
        return value + float(prior.log_density(here)), gradient + prior.gradient(here), hessian + prior.hessian(here)

    middle = np.array(prior.means)
    held = highest(posterior, [*tried, middle], middle, far=REACH)
    if not held.settled:
        raise EstimationError(
            f"{likelihood.title}: neither the likelihood nor a posterior with weak priors has a top; it ran to "
            f"{_described(likelihood.names, held.log_params)}. Look for customers who are no persons (tills, "
            "resellers, test accounts)."
        )
    value = held.value - float(prior.log_density(held.log_params))
    return Found(top=replace(held, value=value), basis="prior", loose=_loose(likelihood.names, top, centre))


def _loose(names: tuple[str, ...], top: Top, centre: FloatArray) -> tuple[str, ...]:
    """Return the parameters that ran away, or those that can move together without the likelihood's noticing."""
    far = np.abs(top.log_params - centre) > _AWAY
    if not far.any():
        far = np.abs(np.linalg.eigh(-top.hessian)[1][:, 0]) > _PART
    return tuple(name for name, loose in zip(names, far, strict=True) if loose)


def _lifetimes_top(kind: Kind, patterns: PurchasePatterns) -> Found:
    """Return the place that lifetimes finds, with our likelihood and derivatives there."""
    return _reported(purchase_likelihood(kind, 1, patterns), purchases(kind, patterns))


def _reported(likelihood: Likelihood, params: Sequence[float]) -> Found:
    log_params = np.log(params)
    value, gradient, hessian = derivatives(likelihood, log_params)
    top = Top(log_params=log_params, value=value, gradient=gradient, hessian=hessian, settled=True)
    return Found(top=top, engine="lifetimes")


def _purchase_fit(
    kind: Kind, k: int, patterns: PurchasePatterns, found: Found, observed_until: date | None
) -> PurchaseFit:
    top = found.top
    return PurchaseFit(
        model=kind.name,
        params=kind.params([significant(math.exp(x), PARAMETER_DIGITS) for x in top.log_params], k),
        log_covariance=as_matrix(top.covariance),
        log_likelihood=top.value,
        n_customers=int(patterns.weight.sum()),
        n_patterns=patterns.weight.size,
        max_abs_gradient=float(np.abs(top.gradient).max()),
        basis=found.basis,
        loose=found.loose,
        engine=found.engine,
        observed_until=observed_until,
    )


def _described(names: tuple[str, ...], here: FloatArray) -> str:
    """Return the parameters in words."""
    return ", ".join(f"{name} = {math.exp(min(x, 700.0)):.4g}" for name, x in zip(names, here, strict=True))
