"""A fit and its customers in; equally likely parameters, their means and intervals, and how far to trust them, out."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, cast

import numpy as np
import polars as pl

from cxsim.clv.estimates import PARAMETER_DIGITS, FittedModel, Params, Params_co, significant
from cxsim.clv.inputs import is_count, one_price, purchase_patterns, require, spend_patterns
from cxsim.clv.likelihood import (
    ALL_KINDS,
    ONE_PRICE,
    SPEND,
    Derivatives,
    Likelihood,
    derivatives,
    log_likelihoods,
    thinned,
)
from cxsim.clv.models.special import FloatArray
from cxsim.clv.optimum import REACH, WEAK, Problem, Surface, log_prior, newton, purchase_problem, spend_problem
from cxsim.clv.sampling import Place, reliable_k_hat, sample
from cxsim.errors import EstimationError
from cxsim.rng import stream
from cxsim.wording import in_html

# Most of them amount to an independent draw where the posterior is close to normal.
_PROPOSALS_PER_DRAW = 3
# Distinct pasts times proposals: some seconds of BG/NBD. Where this binds, customers are so many that the posterior is
# all but normal, and far narrower than the differences between customers.
_EVALUATIONS = 200_000_000
_FEWEST_PROPOSALS = 250
# Four standard deviations of the prior.
_FARTHEST = 10.0
# More distinct pasts than this are too many to be asked thousands of times.
MANY_PASTS = 50_000
# Customers who stand for all in what is not quadratic.
_REPRESENTATIVES = 10_000
# Known to a tenth in every direction, the logarithms are normal, and there is no other maximum to look for.
_NARROW = 0.1
# A maximum where some customers leave at once and the others never may have another beside it where all leave now and
# then. One comes to that from where few leave: a and b, or s and beta, a standard deviation of the prior up.
_FEW_LEAVE = (0.0, 0.0, WEAK, WEAK)
_SAME_PLACE = 0.01

# In standard deviations at the mode: the first step, and by how much each is longer than the one before.
_STRIDE, _GROWTH = 1.5, 1.5
# e^-9 of the height at the mode: all that is lower holds less than a thousandth of the mass.
_DEPTH = 9.0
_STEPS = 12
# Steps back onto the ridge after each stride; they converge quadratically, and a proposal needs two digits.
_CORRECTIONS = 6
_LONGEST = 1.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Posterior(Generic[Params_co]):
    """Equally likely parameters of one model, given its data and weak priors.

    Attributes
    ----------
    model
        `bgnbd`, `mbgnbd`, `paretonbd`, `bgcnbd` or `mbgcnbd`; `gamma_gamma` or `one_price` for spend.
    k
        Stages between orders, taken as known; 1 but for `bgcnbd` and `mbgcnbd`.
    log_params
        Natural logarithms of the parameters, shape (draws, d), times in days; read-only.
    k_hat
        Whether the draws can be relied on: they can up to about 0.7, see `reliable`.
    effective_draws
        Independent draws that would say as much as the weighted proposals behind `log_params`.
    proposals
        Weighted proposals that the draws were taken from.
    """

    model: str
    k: int = 1
    log_params: FloatArray = field(repr=False)
    k_hat: float
    effective_draws: float
    proposals: int

    def __post_init__(self) -> None:
        draws = np.array(self.log_params, dtype=np.float64)
        if draws.shape[1:] != (len(self.names),) or not draws.size or not np.isfinite(draws).all():
            raise EstimationError(
                f"log_params must be finite, at least one row of {len(self.names)} ({', '.join(self.names)}); found "
                f"shape {draws.shape}."
            )
        draws.setflags(write=False)
        object.__setattr__(self, "log_params", draws)

    def __len__(self) -> int:
        return int(self.log_params.shape[0])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return ALL_KINDS[self.model].names

    @property
    def title(self) -> str:
        """Name of the model for readers."""
        return ALL_KINDS[self.model].titled(self.k)

    @property
    def reliable(self) -> bool:
        """Whether averages over the draws can be relied on, by k-hat and the number of proposals."""
        return self.k_hat <= reliable_k_hat(self.proposals)

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each parameter on the natural scale, times in days."""
        return dict(zip(self.names, np.exp(self.log_params).mean(axis=0).tolist(), strict=True))

    @property
    def verdict(self) -> str:
        """One sentence on whether the draws can be relied on."""
        found = f"k-hat {self.k_hat:.2f}, {self.effective_draws:,.0f} effective of {self.proposals:,} proposals"
        if self.model == ONE_PRICE.name:
            return "The draws are all equal: the price is known."
        if self.reliable:
            return f"The draws are reliable ({found})."
        return (
            f"The draws are not reliable ({found}): the posterior is far from normal. Use more draws, more "
            "customers, or a model with fewer parameters."
        )

    def params(self, number: int) -> Params_co:
        """Return the parameters of one draw, numbered from 0, to ten significant digits.

        Raises
        ------
        EstimationError
            If there is no such draw.
        """
        if not (is_count(number, least=0) and number < len(self)):
            raise EstimationError(f"no draw {number}; possible: 0 to {len(self) - 1}.")
        values = [significant(math.exp(x), PARAMETER_DIGITS) for x in self.log_params[number]]
        return cast("Params_co", ALL_KINDS[self.model].params(values, self.k))

    def interval(self, level: float = 0.95) -> pl.DataFrame:
        """Return one row per parameter: parameter, low, median, high; as much of the posterior below low as above high.

        Raises
        ------
        EstimationError
            If `level` is not between 0 and 1.
        """
        require({"level": level})
        edge = 0.5 * (1.0 - level)
        low, median, high = np.exp(np.quantile(self.log_params, [edge, 0.5, 1.0 - edge], axis=0))
        return pl.DataFrame({"parameter": self.names, "low": low, "median": median, "high": high})

    def __repr__(self) -> str:
        means = ", ".join(f"{name}={value:.4g}" for name, value in self.mean.items())
        return f"Posterior({self.title}: {means}; {len(self)} draws, k-hat {self.k_hat:.2f})"

    def _repr_html_(self) -> str:
        return f"<p>{in_html(repr(self))}</p>{self.interval()._repr_html_()}<p>{in_html(self.verdict)}</p>"


def posterior(fit: FittedModel[Params], rfm: pl.DataFrame, *, draws: int = 1000, seed: int = 0) -> Posterior[Params]:
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
        Seed of the random numbers, 0 or larger; the same seed gives the same draws.

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
        no maximum.

    Notes
    -----
    The prior is weak: every logarithm normal with standard deviation 2.5, cut off at eight of these.
    Proposals come from Student distributions about the maximum of the posterior and along the ridge through it, three
    for each draw, and are weighted by the likelihood of all customers. With more than 50,000 distinct pasts, where the
    posterior is narrow, value, slope and curvature are those of all customers, and what goes beyond is that of ten
    thousand of them; where it is wide, proposals are at most 2e8 over the number of pasts, but never fewer than 250.
    `effective_draws` says how many independent draws they amount to. k is held fixed.

    References
    ----------
    Vehtari, Simpson, Gelman, Yao & Gabry (2024), "Pareto Smoothed Importance Sampling", JMLR 25(72).

    Examples
    --------
    >>> from cxsim.clv import fit
    >>> from cxsim.data import load_cdnow, summarise
    >>> customers = summarise(load_cdnow(sample=True))
    >>> posterior(fit(customers, model="mbgnbd"), customers, draws=200)
    Posterior(MBG/NBD: r=0.6163, alpha=60.56, a=0.5709, b=1.104; 200 draws, k-hat -0.15)
    """
    require({"draws": draws, "seed": seed})
    if fit.kind == ONE_PRICE:
        return _of_one_price(fit, rfm, draws)
    problem = _problem(fit, rfm)
    middle = problem.prior
    # An estimate that has all but run away is no place to start from: the prior holds the maximum well inside.
    start = np.clip(np.log(fit.values), middle - _FARTHEST, middle + _FARTHEST)
    places = _places(problem.log_posterior, start, middle)
    if not places:
        raise EstimationError(f"{fit.title}: the posterior has no maximum near the fit. Fit the model again.")
    # A second place is a sign that the posterior is wide, and must be asked exactly.
    many = fit.n_patterns > MANY_PASTS and len(places) == 1
    # Spend and orders have random numbers of their own: their parameters are independent, given the data.
    purpose = "posterior of spend" if fit.kind == SPEND else "posterior of orders"
    proposals = max(
        _FEWEST_PROPOSALS, min(_PROPOSALS_PER_DRAW * draws, _EVALUATIONS // (1 if many else fit.n_patterns))
    )
    likelihood = problem.likelihood
    asked = nearby(likelihood, places[0].centre) if many else functools.partial(log_likelihoods, likelihood)
    drawn = sample(
        functools.partial(_log_density, asked, middle),
        places,
        draws=draws,
        generator=stream(seed, 0, purpose),
        proposals=proposals,
    )
    return Posterior(
        model=fit.model,
        k=fit.params.k,
        log_params=drawn.points,
        k_hat=drawn.k_hat,
        effective_draws=drawn.effective_draws,
        proposals=proposals,
    )


def _of_one_price(fit: FittedModel[Params], rfm: pl.DataFrame, draws: int) -> Posterior[Params]:
    """Return the price again and again: nothing is drawn, so nothing is weighted, and no draw can be off."""
    found = one_price(rfm)
    if found is None or found != fit.values[0]:
        raise EstimationError(
            f"the posterior needs the customers whose price was found, {fit.values[0]:g}; these customers pay "
            f"{'several' if found is None else f'{found:g}'}."
        )
    log_params = np.full((draws, 1), math.log(found))
    return Posterior(
        model=fit.model, log_params=log_params, k_hat=-math.inf, effective_draws=float(draws), proposals=draws
    )


def _problem(fit: FittedModel[Params], rfm: pl.DataFrame) -> Problem:
    """Return likelihood and prior, if these are the customers of the fit."""
    spend = fit.kind == SPEND
    patterns = spend_patterns(rfm) if spend else purchase_patterns(rfm)
    found = (int(patterns["weight"].sum()), patterns.height)
    if found != (fit.n_customers, fit.n_patterns):
        raise EstimationError(
            f"the posterior needs the customers that the model was fitted to, {fit.n_customers} in {fit.n_patterns} "
            f"patterns; found {found[0]} in {found[1]}."
        )
    return spend_problem(patterns) if spend else purchase_problem(fit.kind, fit.params.k, patterns)


def _log_density(likelihood: Callable[[FloatArray], FloatArray], prior: FloatArray, points: FloatArray) -> FloatArray:
    """Return the log posterior density, none where the prior is cut off: no formula need hold so far out."""
    values = np.full(len(points), -np.inf)
    inside = (np.abs(points - prior) <= REACH).all(axis=1)
    values[inside] = likelihood(points[inside]) + log_prior(points[inside], prior)
    return values


def _places(surface: Surface, start: FloatArray, middle: FloatArray) -> list[Place]:
    """Return places that between them hold nearly all of a posterior's mass."""
    first = newton(surface, start, middle, far=REACH)
    if not first.converged:
        return []
    if np.linalg.eigvalsh(first.covariance)[-1] < _NARROW**2:
        return [Place(first.log_params, first.covariance)]
    places = _along_ridge(surface, first.log_params, first.covariance)
    second = newton(surface, middle + np.array(_FEW_LEAVE[-middle.size :]), middle, far=REACH)
    if second.converged and np.abs(second.log_params - first.log_params).max() > _SAME_PLACE:
        places += _along_ridge(surface, second.log_params, second.covariance)
    return places


def _along_ridge(surface: Surface, mode: FloatArray, covariance: FloatArray) -> list[Place]:
    """Return the mode and places on both sides of it, in the direction in which least is known."""
    variances, axes = np.linalg.eigh(covariance)
    # The algebra leaves the sign of an axis open.
    along = axes[:, -1] * np.sign(axes[np.abs(axes[:, -1]).argmax(), -1])
    height = surface(mode)[0]
    places = [_place(mode, covariance, height)]
    first = _STRIDE * np.sqrt(variances[-1])
    shortest = 0.25 * first
    for way in (1.0, -1.0):
        here, tangent, stride = mode, along, first
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
    """Return the highest point across the ridge, its height, and the spread across; None where there is no mode."""
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
        here = here + step * min(1.0, _LONGEST / np.abs(step).max())
    return None


def _place(centre: FloatArray, spread: FloatArray, height: float) -> Place:
    return Place(centre, spread, height + 0.5 * np.linalg.slogdet(spread)[1])


def nearby(likelihood: Likelihood, mode: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return a function of log-parameters, shape (m, d), that gives the log-likelihood near `mode`, shape (m,).

    Value, slope and curvature at the mode are those of all customers. What goes beyond them is small where so many
    customers leave little room, and is that of ten thousand customers, evenly spaced in the order of their pasts, each
    for several others: the noise of a sum over all, on the third order alone.
    """
    few = thinned(likelihood, _REPRESENTATIVES)
    whole, part = derivatives(likelihood, mode), derivatives(few, mode)

    def near(points: FloatArray) -> FloatArray:
        step = points - mode
        return _quadratic(whole, step) + (log_likelihoods(few, points) - _quadratic(part, step))

    return near


def _quadratic(at_top: Derivatives, step: FloatArray) -> FloatArray:
    value, gradient, hessian = at_top
    return np.asarray(value + step @ gradient + 0.5 * np.einsum("mi,ij,mj->m", step, hessian, step))
