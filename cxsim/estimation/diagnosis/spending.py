"""Customers and a fitted model of spend in; whether what it takes for granted holds, and what it costs if not, out."""

from __future__ import annotations

import math

import polars as pl

from cxsim.estimation.diagnosis.finding import Finding
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.patterns import amounts
from cxsim.models import gamma_gamma

_ONE = 1.0
_TWO = 2.0
# Standard errors from 0 at which a correlation is more than chance, and the size from which it matters.
_SURE = 3.0
_MATTERS = 0.1
# With millions of customers every correlation is sure; below this size, of it and of its consequence, none is news.
_LEAST = 0.02


def independence(rfm: pl.DataFrame, spend: GammaGammaFit) -> Finding | None:
    """Return a finding on how orders and spend go together, which Gamma-Gamma and every value built on it deny."""
    table = (
        amounts(rfm)
        .filter((pl.col("frequency") > 0) & (pl.col("monetary_value") > 0))
        .select(
            correlation=pl.corr("frequency", "monetary_value"),
            seen=(pl.col("frequency") * pl.col("monetary_value")).sum() / pl.col("frequency").sum(),
        )
    )
    correlation, seen = table.row(0)
    if correlation is None or not math.isfinite(correlation) or spend.n_customers <= math.ceil(_SURE):
        return None
    error = 1.0 / math.sqrt(spend.n_customers - _SURE)
    if abs(math.atanh(max(min(correlation, 0.999999), -0.999999))) < _SURE * error:
        return None
    # Orders times spend, had they been independent, against what they were together.
    gap = seen / gamma_gamma.population_mean(spend.params) - 1.0
    if max(abs(correlation), abs(gap)) < _LEAST:
        return None
    words = "more" if correlation > 0.0 else "less"
    return Finding(
        topic="independence",
        severity="caution" if abs(correlation) > _MATTERS else "note",
        figure=correlation,
        sentence=f"Orders and spend are not independent, as Gamma-Gamma takes for granted: who orders more often "
        f"spends {words} per order (correlation {correlation:.2f}); the mean repeat order so far was {abs(gap):.1%} "
        f"{'above' if gap > 0.0 else 'below'} what the model expects of a new customer.",
        advice=f"Take the value of new customers for too {'low' if gap > 0.0 else 'high'} by up to that much; of those "
        "with many orders their own amounts count, and their values hardly change.",
    )


def infinite_moments(spend: GammaGammaFit) -> Finding | None:
    """Return a finding where fitted spend has no mean, or no variance."""
    q = spend.params.q
    if q > _TWO:
        return None
    what = "mean" if q <= _ONE else "spread"
    return Finding(
        topic="spend",
        severity="stop" if q <= _ONE else "caution",
        figure=q,
        sentence=f"Fitted spend has an infinite {what}: q = {q:.3g}, and it needs q > {1 if q <= _ONE else 2}.",
        advice="Look at the largest monetary values; leave out what is not retail, as resellers and invoices.",
    )


def held_by_prior(spend: GammaGammaFit) -> Finding | None:
    """Return a finding where the likelihood of spend has no top and a prior holds the estimates."""
    if spend.basis == "likelihood":
        return None
    return Finding(
        topic="spend boundary",
        severity="caution",
        figure=float(len(spend.loose)),
        sentence="The likelihood of Gamma-Gamma has no top: "
        f"{' and '.join(spend.loose)} run away (customers spend nearly alike, or orders of one customer do), and weak "
        "priors hold the estimates.",
        advice="Read the intervals, not the estimates; the mean spend itself is sure.",
    )
