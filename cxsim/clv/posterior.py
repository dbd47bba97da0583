"""Parameters drawn from a posterior in; their means, intervals and trustworthiness, and each of them by number, out."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar, cast, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.likelihood import (
    KINDS,
    Likelihood,
    derivatives,
    is_count,
    kind_of,
    log_likelihoods,
    purchase_likelihood,
    purchase_patterns,
    require_level,
    spend_likelihood,
    spend_patterns,
)
from cxsim.clv.models.gamma_gamma import GammaGammaParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.clv.optimum import (
    PARAMETER_DIGITS,
    REACH,
    WEAK,
    LogNormalPrior,
    Surface,
    climb,
    purchase_prior,
    significant,
    spend_prior,
)
from cxsim.clv.purchase_fit import MANY_PASTS, PurchaseFit, nearby
from cxsim.clv.sampling import Place, reliable_k_hat, sample
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import EstimationError
from cxsim.rng import stream

FloatArray = NDArray[np.float64]
Params = TypeVar("Params", bound=PurchaseParams | GammaGammaParams)

GAMMA_GAMMA = "gamma_gamma"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Posterior(Generic[Params]):
    """Equally likely parameters of one model, given its data and weak priors.

    Attributes
    ----------
    model
        `bgnbd`, `mbgnbd`, `paretonbd`, `bgcnbd` or `mbgcnbd`; `gamma_gamma` for spend.
    k
        Stages between orders, taken as known; 1 but for `bgcnbd` and `mbgcnbd`.
    names
        The parameters, in order.
    log_params
        Their natural logarithms, shape (draws, d), times in days; read-only.
    k_hat
        Whether the draws can be relied on: they can up to about 0.7, see `reliable`.
    effective_draws
        Independent draws that would say as much as the weighted proposals behind `log_params`.
    proposals
        Weighted proposals that the draws were taken from.
    """

    model: str
    k: int = 1
    names: tuple[str, ...]
    log_params: FloatArray = field(repr=False)
    k_hat: float
    effective_draws: float
    proposals: int

    def __post_init__(self) -> None:
        draws = np.array(self.log_params, dtype=np.float64)
        if draws.ndim != 2 or draws.shape[0] < 1 or draws.shape[1] != len(self.names) or not np.isfinite(draws).all():
            raise EstimationError(
                f"log_params must be finite, at least one row of {len(self.names)} ({', '.join(self.names)}); found "
                f"shape {draws.shape}."
            )
        draws.setflags(write=False)
        object.__setattr__(self, "log_params", draws)

    def __len__(self) -> int:
        return int(self.log_params.shape[0])

    @property
    def title(self) -> str:
        """Name of the model for readers."""
        return "Gamma-Gamma" if self.model == GAMMA_GAMMA else kind_of(self.model).titled(self.k)

    @property
    def reliable(self) -> bool:
        """Whether averages over the draws can be relied on, by k-hat and the number of proposals."""
        return self.k_hat <= reliable_k_hat(self.proposals)

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each parameter on the natural scale, times in days."""
        return self._by_name(np.exp(self.log_params).mean(axis=0))

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation of each parameter on the natural scale, times in days; 0 for a single draw."""
        return self._by_name(np.exp(self.log_params).std(axis=0))

    def params(self, number: int) -> Params:
        """Return the parameters of one draw, numbered from 0, to ten significant digits.

        Raises
        ------
        EstimationError
            If there is no such draw.
        """
        if not (is_count(number, least=0) and number < len(self)):
            raise EstimationError(f"no draw {number}; possible: 0 to {len(self) - 1}.")
        values = [significant(math.exp(x), PARAMETER_DIGITS) for x in self.log_params[number]]
        if self.model == GAMMA_GAMMA:
            p, q, v = values
            return cast("Params", GammaGammaParams(p=p, q=q, v=v))
        return cast("Params", kind_of(self.model).params(values, self.k))

    def interval(self, level: float = 0.95) -> pl.DataFrame:
        """Return one row per parameter: parameter, low, median, high; as much of the posterior below low as above high.

        Raises
        ------
        EstimationError
            If `level` is not between 0 and 1.
        """
        require_level(level)
        edge = 0.5 * (1.0 - level)
        low, median, high = np.exp(np.quantile(self.log_params, [edge, 0.5, 1.0 - edge], axis=0))
        return pl.DataFrame({"parameter": list(self.names), "low": low, "median": median, "high": high})

    @property
    def verdict(self) -> str:
        """One sentence on whether the draws can be relied on."""
        found = f"k-hat {self.k_hat:.2f}, {self.effective_draws:,.0f} effective of {self.proposals:,} proposals"
        if self.reliable:
            return f"The draws can be relied on ({found})."
        return (
            f"The draws cannot be relied on ({found}): the posterior is far from normal. Use more draws, more "
            "customers, or a model with fewer parameters."
        )

    def _by_name(self, values: FloatArray) -> dict[str, float]:
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}

    def __repr__(self) -> str:
        means = ", ".join(f"{name}={value:.4g}" for name, value in self.mean.items())
        return f"Posterior({self.title}: {means}; {len(self)} draws, k-hat {self.k_hat:.2f})"

    def _repr_html_(self) -> str:
        mean, sd = self.mean, self.sd
        rows = "".join(
            f'<tr><th scope="row">{html.escape(name)}</th>'
            f"<td>{mean[name]:.4g}</td><td>{sd[name]:.2g}</td><td>{low:.4g}</td><td>{high:.4g}</td></tr>"
            for name, low, _, high in self.interval().iter_rows()
        )
        words = ("parameter", "mean", "std. dev.", "2.5 %", "97.5 %")
        head = "".join(f'<th scope="col">{word}</th>' for word in words)
        caption = f"<caption>{html.escape(self.title)}: {len(self):,} draws from the posterior</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{self.verdict}</p>"


# Known to a tenth in every direction, the logarithms are normal, and there is no other top worth looking for.
_NARROW = 0.1
# A top where some customers leave at once and the others never may have another beside it where all leave now and then.
# One comes to that from where few leave: a and b, or s and beta, a standard deviation of the prior up.
_FEW_LEAVE = (0.0, 0.0, WEAK, WEAK)
_SAME_TOP = 0.01

# In standard deviations at the top: the first step, and by how much each is longer than the one before.
_STRIDE, _GROWTH = 1.5, 1.5
# e^-9 of the height at the top: all that is lower holds less than a thousandth of the mass.
_DEPTH = 9.0
_STEPS = 12
# Steps back onto the ridge after each stride; they converge quadratically, and a proposal needs two digits.
_CORRECTIONS = 6
_LONGEST = 1.0


def places_of(surface: Surface, start: FloatArray, middle: FloatArray) -> list[Place]:
    """Return places that between them hold nearly all of a posterior's mass."""
    first = climb(surface, start, middle, far=REACH)
    if not first.settled:
        return []
    if float(np.linalg.eigvalsh(first.covariance)[-1]) < _NARROW**2:
        return [Place(centre=first.log_params, spread=first.covariance)]
    places = along_ridge(surface, first.log_params, first.covariance)
    second = climb(surface, middle + np.array(_FEW_LEAVE[-middle.size :]), middle, far=REACH)
    if second.settled and float(np.abs(second.log_params - first.log_params).max()) > _SAME_TOP:
        places += along_ridge(surface, second.log_params, second.covariance)
    return places


def along_ridge(surface: Surface, top: FloatArray, covariance: FloatArray) -> list[Place]:
    """Return the top and places on both sides of it, in the direction in which least is known."""
    variances, axes = np.linalg.eigh(covariance)
    # The sign of an axis is left to chance by the algebra.
    along = axes[:, -1] * np.sign(axes[np.abs(axes[:, -1]).argmax(), -1])
    height = surface(top)[0]
    places = [_place(top, covariance, height)]
    first = _STRIDE * float(np.sqrt(variances[-1]))
    shortest = 0.25 * first
    for way in (1.0, -1.0):
        here, tangent, stride = top, along, first
        for _ in range(_STEPS):
            found = _back_on_ridge(surface, here + way * stride * tangent, axes[:, :-1])
            if found is None and stride > shortest:
                stride *= 0.5
                continue
            if found is None or found[1] < height - _DEPTH:
                break
            there, value, across = found
            tangent = way * (there - here) / stride
            places.append(_place(there, across + stride**2 * np.outer(tangent, tangent), value))
            here, stride = there, _GROWTH * stride
    return places


def _back_on_ridge(
    surface: Surface, start: FloatArray, across: FloatArray
) -> tuple[FloatArray, float, FloatArray] | None:
    """Return the highest point across the ridge, its height, and the spread across; None where there is no top."""
    here = start
    for _ in range(_CORRECTIONS):
        value, gradient, hessian = surface(here)
        curvature = -across.T @ hessian @ across
        if not np.isfinite(curvature).all() or np.linalg.eigvalsh(curvature)[0] <= 0.0:
            return None
        spread = np.linalg.inv(curvature)
        step = across @ (spread @ (across.T @ gradient))
        if np.abs(step).max() < 0.01 * _LONGEST:
            return here, value, across @ spread @ across.T
        here = here + step * min(1.0, _LONGEST / float(np.abs(step).max()))
    return None


def _place(centre: FloatArray, spread: FloatArray, height: float) -> Place:
    return Place(centre=centre, spread=spread, log_mass=height + 0.5 * float(np.linalg.slogdet(spread)[1]))


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
