"""Customers and a fitted model of orders in; what the data can say of leaving out."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.estimation.diagnosis.finding import Finding
from cxsim.estimation.fitting import fit
from cxsim.estimation.kinds import CALENDAR_LEAVING, KINDS
from cxsim.estimation.likelihoods import Likelihood, derivatives, purchase_likelihood
from cxsim.estimation.maximum import highest
from cxsim.estimation.patterns import PurchasePatterns, purchase_patterns
from cxsim.estimation.purchase_fit import PurchaseFit
from cxsim.estimation.starts import purchase_centre, purchase_starts

FloatArray = NDArray[np.float64]

# Twice the log-likelihood ratio beyond which a 5 % test of "no leaving", which lies at the edge, would reject it: the
# statistic is 0 in half of all cases and a chi-square of one degree of freedom in the other half.
_EDGE_TEST = 2.706
# Chances, or hazards as a share of the scale, that nobody can tell from none.
_NEVER = -25.0
_MANY = 0.3


def dropout(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding where a model in which nobody ever leaves fits as well.

    Self & Liang (1987), on likelihood ratios at the edge of the parameters' range.
    """
    patterns = purchase_patterns(rfm)
    kind = KINDS[purchases.model]
    likelihood = purchase_likelihood(kind, purchases.params.k, patterns)
    here = np.log([float(getattr(purchases.params, name)) for name in purchases.names])
    gain = derivatives(likelihood, here)[0] - _without_leaving(likelihood, purchases, patterns)
    if 2.0 * gain >= _EDGE_TEST:
        return None
    less = "no lower" if gain <= 0.0 else f"only {gain:.2f} lower"
    return Finding(
        topic="dropout",
        severity="stop",
        figure=gain,
        sentence=f"Dropout is not identified: NBD, in which nobody ever leaves, fits as well (log-likelihood {less}).",
        advice=f"Do not read P(alive) or {' and '.join(purchases.names[2:])}; observe for longer, and value over a "
        "finite horizon.",
    )


def one_time_buyers(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding on customers who ordered once, where the model takes all of them for alive."""
    kind = KINDS[purchases.model]
    share = rfm.filter(pl.col("frequency") == 0).height / rfm.height
    if kind.names == CALENDAR_LEAVING or kind.leaves_after_first or share == 0.0:
        return None
    other = fit(rfm, model="mbgcnbd" if kind.regular else "mbgnbd", k=purchases.params.k)
    once = rfm.filter(pl.col("frequency") == 0)
    chance = float(other.prob_alive(once)["prob_alive"].sum()) / once.height
    gap = other.log_likelihood - purchases.log_likelihood
    return Finding(
        topic="one-time buyers",
        severity="caution" if share > _MANY else "note",
        figure=share,
        sentence=f"{once.height:,} of {rfm.height:,} customers ({share:.0%}) ordered once, and {purchases.title} takes "
        f"all of them for alive with certainty; {other.title} (log-likelihood {gap:+.2f}) gives them {chance:.0%}.",
        advice="To ask who is still a customer, use mbgnbd or paretonbd.",
    )


def runaway(purchases: PurchaseFit) -> Finding | None:
    """Return a finding where the likelihood has no top and a prior holds the estimates."""
    if purchases.basis == "likelihood":
        return None
    values = ", ".join(f"{name} = {getattr(purchases.params, name):.3g}" for name in purchases.loose)
    rates, leaving = (len(set(pair) & set(purchases.loose)) for pair in (purchases.names[:2], purchases.names[2:]))
    meanings = [
        # A rate, chance or hazard that is the same for all takes both its parameters to infinity; none, only one.
        ("", "", "customers seem to order at one and the same rate")[rates],
        ("", "nobody seems to leave", "customers seem to leave at one and the same rate")[leaving],
    ]
    read = ", and ".join(meaning for meaning in meanings if meaning)
    return Finding(
        topic="boundary",
        severity="caution",
        figure=float(len(purchases.loose)),
        sentence=f"The likelihood of {purchases.title} has no top: {read or 'a parameter runs away'}; weak priors hold "
        f"the estimates at {values}.",
        advice="Read the intervals, not the estimates; use more customers or a longer period.",
    )


def _without_leaving(likelihood: Likelihood, purchases: PurchaseFit, patterns: PurchasePatterns) -> float:
    """Return the highest log-likelihood with the parameter of leaving held at nothing."""
    kind, k = KINDS[purchases.model], purchases.params.k
    calendar = kind.names == CALENDAR_LEAVING
    held = np.array([_NEVER, math.log(max(float(patterns.age_days.max()), 1.0)) if calendar else 0.0])

    def surface(rates: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        value, gradient, hessian = derivatives(likelihood, np.concatenate([rates, held]))
        return value, gradient[:2], hessian[:2, :2]

    starts = [start[:2] for start in purchase_starts(kind, k, patterns)[::3]]
    return highest(surface, starts, purchase_centre(kind, k, patterns)[:2]).value
