"""A fit and the customers it was made from in, draws of its parameters from their posterior out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.kinds import KINDS
from cxsim.estimation.likelihoods import (
    Likelihood,
    derivatives,
    log_likelihoods,
    purchase_likelihood,
    spend_likelihood,
)
from cxsim.estimation.patterns import purchase_patterns, spend_patterns
from cxsim.estimation.posteriors.nearby import MANY_PASTS, nearby
from cxsim.estimation.posteriors.places import places_of
from cxsim.estimation.posteriors.posterior import GAMMA_GAMMA, Posterior
from cxsim.estimation.posteriors.priors import LogNormalPrior, purchase_prior, spend_prior
from cxsim.estimation.posteriors.sampling import sample
from cxsim.estimation.purchase_fit import PurchaseFit
from cxsim.models import GammaGammaParams, PurchaseParams
from cxsim.rng import stream

FloatArray = NDArray[np.float64]

# Most of them are worth an independent draw where the posterior is close to normal.
_PROPOSALS_PER_DRAW = 3
# Distinct pasts times proposals: some seconds of BG/NBD. Where this binds, customers are so many that the posterior is
# all but normal, and far narrower than the luck of any of them.
_EVALUATIONS = 200_000_000
_FEWEST_PROPOSALS = 250
# Four standard deviations of the prior.
_FARTHEST = 10.0
# In standard deviations: the prior holds 1e-15 beyond, a factor of half a billion away from its middle.
_CUT_OFF = 8.0


@overload
def posterior(
    fit: PurchaseFit, rfm: pl.DataFrame, *, draws: int = 1000, seed: int = 0
) -> Posterior[PurchaseParams]: ...
@overload
def posterior(
    fit: GammaGammaFit, rfm: pl.DataFrame, *, draws: int = 1000, seed: int = 0
) -> Posterior[GammaGammaParams]: ...
def posterior(
    fit: PurchaseFit | GammaGammaFit, rfm: pl.DataFrame, *, draws: int = 1000, seed: int = 0
) -> Posterior[PurchaseParams] | Posterior[GammaGammaParams]:
    """Return draws of a fit's parameters from their posterior under weak priors.

    Parameters
    ----------
    fit
        A fitted model of orders or of spend.
    rfm
        The customers that it was fitted to, under the RFM contract.
    draws
        Number of draws, at least 1.
    seed
        Seed of the luck, 0 or larger; the same seed gives the same draws.

    Returns
    -------
    Posterior
        Equally likely parameters, with k-hat as diagnosis.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        If `rfm` are not the customers of the fit, for fewer than 1 draw or a negative seed, and if the posterior has
        no top.

    Notes
    -----
    The prior is that of `weak_prior`: every logarithm normal with standard deviation 2.5, cut off at eight of these.
    Proposals come from Student distributions about the top of the posterior and along the ridge through it, three for
    each draw, and are weighted by the likelihood of all customers. With more than 50,000 distinct pasts, where the
    posterior is narrow, value, slope and curvature are those of all customers, and what goes beyond is that of ten
    thousand of them; where it is wide, proposals are at most 2e8 over the number of pasts, but never fewer than 250.
    `effective_draws` says what the draws are worth. k is held fixed.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto Smoothed Importance Sampling", JMLR 25(72).
    """
    if not (is_count(draws, least=1) and is_count(seed, least=0)):
        raise EstimationError(
            f"draws must be at least 1 and seed not negative, both whole numbers; found {draws} and {seed}."
        )
    likelihood, prior = _setting(fit, rfm)
    middle = np.array(prior.means)
    estimates = np.log([float(getattr(fit.params, name)) for name in fit.names])

    def surface(here: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, hessian = derivatives(likelihood, here)
        return value + float(prior.log_density(here)), gradient + prior.gradient(here), hessian + prior.hessian(here)

    # An estimate that has all but run away is no place to start from: the prior holds the top well inside.
    places = places_of(surface, np.clip(estimates, middle - _FARTHEST, middle + _FARTHEST), middle)
    if not places:
        raise EstimationError(f"{fit.title}: the posterior has no top near the fit. Fit the model again.")
    # Spend and orders have luck of their own: their parameters are independent, given the data.
    n_pasts, whole = likelihood.columns[0].size, partial(log_likelihoods, likelihood)
    # A second place is a sign that the posterior is wide, and must be asked exactly.
    near = nearby(likelihood, places[0].centre) if n_pasts > MANY_PASTS and len(places) == 1 else None
    drawn = sample(
        lambda points: _log_density(near or whole, prior, points),
        places,
        draws=draws,
        seed_stream=stream(seed, 0, "posterior of spend" if isinstance(fit, GammaGammaFit) else "posterior of orders"),
        proposals=proposals_for(draws, 1 if near else n_pasts),
    )
    return Posterior(
        model=GAMMA_GAMMA if isinstance(fit, GammaGammaFit) else fit.model,
        k=1 if isinstance(fit, GammaGammaFit) else fit.params.k,
        names=fit.names,
        log_params=drawn.log_params,
        k_hat=drawn.k_hat,
        effective_draws=drawn.effective_draws,
        proposals=drawn.proposals,
    )


def _log_density(
    likelihood: Callable[[FloatArray], FloatArray], prior: LogNormalPrior, points: FloatArray
) -> FloatArray:
    """Return the log posterior density, none where the prior is cut off: no formula need hold so far out."""
    values = np.full(len(points), -np.inf)
    inside = (np.abs(points - np.array(prior.means)) <= _CUT_OFF * np.array(prior.sds)).all(axis=1)
    values[inside] = likelihood(points[inside]) + prior.log_density(points[inside])
    return values


def proposals_for(draws: int, n_patterns: int) -> int:
    """Return how many proposals are weighed for so many draws and distinct pasts."""
    return max(_FEWEST_PROPOSALS, min(_PROPOSALS_PER_DRAW * draws, _EVALUATIONS // max(n_patterns, 1)))


def _setting(fit: PurchaseFit | GammaGammaFit, rfm: pl.DataFrame) -> tuple[Likelihood, LogNormalPrior]:
    """Return likelihood and prior, if these are the customers of the fit."""
    if isinstance(fit, GammaGammaFit):
        spends = spend_patterns(rfm)
        found = (int(spends.weight.sum()), spends.weight.size)
        setting = spend_likelihood(spends), spend_prior(spends)
    else:
        kind, pasts = KINDS[fit.model], purchase_patterns(rfm)
        found = (int(pasts.weight.sum()), pasts.weight.size)
        setting = purchase_likelihood(kind, fit.params.k, pasts), purchase_prior(kind.names, pasts)
    if found != (fit.n_customers, fit.n_patterns):
        raise EstimationError(
            f"the posterior needs the customers that the model was fitted to, {fit.n_customers} in {fit.n_patterns} "
            f"patterns; found {found[0]} in {found[1]}."
        )
    return setting
