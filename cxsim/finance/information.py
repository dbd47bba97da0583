"""NPVs of decisions by draw in; the value of information, explained shares of variance, and sample sizes, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from cxsim.finance.metamodel import BOOTSTRAPS, Surface, nine_digits, predict
from cxsim.finance.returns import standard_error

Numbers = npt.NDArray[np.float64]
# A test is two-sided at this level, and finds a difference that is there with this probability.
ALPHA, POWER = 0.05, 0.8
# By how many standard errors a difference must be away from zero for that.
_DISTANCE = NormalDist().inv_cdf(1.0 - ALPHA / 2.0) + NormalDist().inv_cdf(POWER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number and its standard error over draws."""

    value: float
    mc_error: float


def evpi(npvs: Numbers, *, worlds_per_draw: int = 1) -> Estimate:
    """Return the expected value of perfect information, E[max NPV] - max E[NPV] (Raiffa & Schlaifer 1961).

    `npvs` has the shape (worlds, decisions), doing nothing being one of them. Where two decisions are about equal, it
    errs low, by up to 0.4 times the error of the mean of their difference: the decision that looks best is judged by
    the draws that made it look so.
    """
    regret = npvs.max(axis=1) - npvs[:, int(npvs.mean(axis=0).argmax())]
    return Estimate(value=float(regret.mean()), mc_error=standard_error(regret, worlds_per_draw))


def evppi_of_structure(npvs: Numbers, *, seed: int = 0) -> Estimate:
    """Return the value of learning which of a few equally likely structures holds; shape (structures, draws, arms).

    Mean over structures of the largest mean NPV, less the largest mean NPV over all. Its error is by the Bayesian
    bootstrap over draws (Rubin 1981).
    """
    weights = bootstrap_weights(npvs.shape[1], BOOTSTRAPS, seed)
    means = np.einsum("cnd,tn->tcd", npvs, weights)
    values = np.maximum(means.max(axis=2).mean(axis=1) - means.mean(axis=1).max(axis=1), 0.0)
    return _with_error(values[0], values[1:])


def bootstrap_weights(rows: int, bootstraps: int, seed: int) -> Numbers:
    """Return even weights of the rows, then those of the Bayesian bootstrap (Rubin 1981): (1 + bootstraps, rows)."""
    drawn = np.random.Generator(np.random.PCG64(seed)).standard_exponential((bootstraps, rows))
    return np.vstack([np.full((1, rows), 1.0 / rows), drawn / drawn.sum(axis=1, keepdims=True)])


def evppi(whole: Surface, inputs: Sequence[int], *, seed: int = 0) -> Estimate:
    """Return the expected value of partial perfect information on some inputs of a surface of NPVs."""
    return _estimate(whole, inputs, seed, _regret)


def sample_information(
    whole: Surface, inputs: Sequence[int], *, signal: float, noise: float, seed: int = 0
) -> Estimate:
    """Return the expected value of a test that measures, with noise, what some inputs do to the NPVs of a surface.

    What a test of finite size will have made of the expected NPVs varies less than what an exact answer would: by the
    root of signal**2 / (signal**2 + noise**2), both standard deviations of the same quantity (Heath, Manolopoulou &
    Baio 2018, "Efficient Monte Carlo estimation of the expected value of sample information using moment matching").
    """
    kept = signal / math.hypot(signal, noise) if signal > 0.0 else 0.0

    def regret(differences: Numbers, weights: Numbers) -> Numbers:
        means = np.einsum("trd,tr->td", differences, weights)[:, None]
        return _regret(means + kept * (differences - means), weights)

    return _estimate(whole, inputs, seed, regret)


def explained(whole: Surface, inputs: Sequence[int], *, output: int = 0, seed: int = 0) -> Estimate:
    """Return which share of an output's variance some inputs explain, alone and with each other.

    The covariance of the output with their part of the surface over the variance of the output: shares of inputs that
    are apart add up to that of all of them, less what these only explain together (Li et al. 2010, "Global
    sensitivity analysis for systems with independent and/or correlated inputs"). 0 where the output is constant.
    """

    def share(fitted: Numbers, weights: Numbers) -> Numbers:
        return _share(whole.outputs[:, output], fitted[:, :, output], weights)

    return _estimate(whole, inputs, seed, share)


def _estimate(
    whole: Surface, inputs: Sequence[int], seed: int, figure: Callable[[Numbers, Numbers], Numbers]
) -> Estimate:
    """Return a figure of what some inputs predict.

    Its error is the root mean square by which draws of the fitted values (Strong, Oakley & Brennan 2014), and of the
    weights of the rows, move it.
    """
    values, drawn, weights = predict(whole, inputs, seed=seed)
    value = figure(values[None], np.full((1, len(values)), 1.0 / len(values)))[0]
    return _with_error(value, figure(drawn, weights))


def _with_error(value: float, moved: Numbers) -> Estimate:
    """Return a number, and as its error the root mean square by which it moves."""
    return Estimate(value=nine_digits(value), mc_error=nine_digits(np.sqrt(np.square(moved - value).mean())))


def _regret(differences: Numbers, weights: Numbers) -> Numbers:
    """Return by how much deciding row by row beats deciding once: shape (tables,)."""
    means = np.einsum("trd,tr->td", differences, weights)
    usual = means.argmax(axis=1)
    chosen = np.take_along_axis(differences, usual[:, None, None], axis=2)[:, :, 0]
    once = np.where(means.max(axis=1)[:, None] > 0.0, chosen, 0.0)
    regret: Numbers = ((np.maximum(differences.max(axis=2), 0.0) - once) * weights).sum(axis=1)
    return regret


def _share(output: Numbers, fitted: Numbers, weights: Numbers) -> Numbers:
    """Return the share under each table of weights: shape (tables,)."""
    centred = output - (weights @ output)[:, None]
    # Shifted so that what is constant is 0 to the last digit.
    together = (weights * centred * (fitted - fitted[:, :1])).sum(axis=1)
    whole = (weights * np.square(centred)).sum(axis=1)
    # The mean of equal numbers may differ from them in its last digits.
    varies = whole > 1e-24 * np.square(output).max(initial=0.0)
    shares: Numbers = np.divide(together, whole, out=np.zeros_like(whole), where=varies)
    return shares


def sample_size(sd: float, difference: float) -> int:
    """Return how many customers each group of a test of a difference of means needs.

    n = 2 ((z(1 - alpha/2) + z(power)) sd / difference)**2, by the normal approximation.
    """
    return max(2, math.ceil(2.0 * (_DISTANCE * sd / difference) ** 2))


def smallest_difference(sd: float, per_group: int) -> float:
    """Return the smallest true difference of means that a test with so many customers in each group detects."""
    return _DISTANCE * sd * math.sqrt(1.0 / per_group + 1.0 / per_group)
