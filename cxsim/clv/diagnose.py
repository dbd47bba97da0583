"""Customers and the models fitted to them in; what the data cannot say, in sentences, out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from cxsim.clv.fit import fit
from cxsim.clv.inputs import purchase_patterns, spenders_of
from cxsim.clv.likelihood import Derivatives
from cxsim.clv.models.gamma_gamma import population_mean
from cxsim.clv.models.special import FloatArray
from cxsim.clv.optimum import maximise, purchase_problem
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit, OnePriceFit, SpendFit
from cxsim.data.shop import Finding, findings_table, gravity
from cxsim.wording import figure, in_html, percent

# A standard error of 0.7 on the logarithm: the 95 % interval spans a factor of four up and down.
_VAGUE = 0.7
_TIED = 0.98
# An order in twenty lost because it fell on the day of another is a twentieth of the rate.
_MERGED = 0.05
# Log-likelihood points of regularity that no chance brings about.
_REGULAR = 3.0
_STEEP = 1e-3
# Twice the log-likelihood ratio beyond which a 5 % test of "no dropout", which lies at the edge, would reject it: the
# statistic is 0 in half of all cases and a chi-square of one degree of freedom in the other half.
_EDGE_TEST = 2.706
# Chances, or hazards as a share of the scale, that nobody can tell from none.
_NEVER = -25.0
_MANY = 0.3
# Standard errors from 0 at which a correlation is more than chance, and the size from which it matters.
_CERTAIN = 3.0
_MATTERS = 0.1
# With millions of customers every correlation is sure; below this size, of it and of its consequence, none is news.
_LEAST = 0.02


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Diagnosis:
    """All findings about a fit, the gravest first.

    Attributes
    ----------
    findings
        In order of severity, then as they were looked for.
    """

    findings: tuple[Finding, ...]

    @property
    def table(self) -> pl.DataFrame:
        """One row per finding: topic, severity, figure, sentence, advice."""
        return findings_table(self.findings)

    def __repr__(self) -> str:
        lines = [f"{finding.severity:>7}  {finding.sentence} {finding.advice}" for finding in self.findings]
        return "\n".join(["Diagnosis", *lines]) if lines else "Diagnosis: no issues found."

    def _repr_html_(self) -> str:
        return f"<pre>{in_html(repr(self))}</pre>"


def diagnose(rfm: pl.DataFrame, purchases: PurchaseFit, spend: SpendFit | None = None) -> Diagnosis:
    """Return what the data cannot say about customers, and what that means.

    Parameters
    ----------
    rfm
        Customers under RFM that the models were fitted to; with the column log_gaps, regularity is looked at too.
    purchases, spend
        The fitted models.

    Returns
    -------
    Diagnosis
        Findings, the gravest first; none where there is nothing to say.

    Raises
    ------
    TableError, EstimationError
        If `rfm` does not keep its contract or holds an impossible past, or too few customers.

    Examples
    --------
    >>> from cxsim.clv import fit
    >>> from cxsim.data import load_cdnow, summarise
    >>> customers = summarise(load_cdnow(sample=True))
    >>> diagnose(customers, fit(customers)).table["topic"].to_list()
    ['one-time buyers']
    """
    found = [
        _dropout(rfm, purchases),
        _runaway(purchases),
        _one_time_buyers(rfm, purchases),
        _short_observation(rfm, purchases),
        _vague_parameters(purchases),
        _tied_parameters(purchases),
        # Orders that are lost to days with another would look like regularity.
        _merged_days(purchases) or _regularity(rfm, purchases),
        _unfinished(purchases),
    ]
    if isinstance(spend, OnePriceFit):
        found.append(_one_price(spend))
    elif spend is not None:
        found += [
            _infinite_moments(spend),
            _independence(rfm, spend) if spend.params.has_mean else None,
            _held_by_prior(spend),
            _vague_parameters(spend),
            _tied_parameters(spend),
            _unfinished(spend),
        ]
    return Diagnosis(findings=tuple(sorted(filter(None, found), key=gravity)))


def _vague_parameters(fitted: PurchaseFit | GammaGammaFit) -> Finding | None:
    """Return a finding on the parameter that the data determine least, where that is little."""
    errors = [math.sqrt(row[i]) for i, row in enumerate(fitted.log_covariance)]
    worst = int(np.argmax(errors))
    if errors[worst] <= _VAGUE:
        return None
    name, factor = fitted.names[worst], math.exp(min(1.96 * errors[worst], 50.0))
    return Finding(
        f"{fitted.title}: vague",
        "caution",
        factor,
        f"{fitted.title}: {name} is uncertain by a factor of {figure(factor, '.3g')} up or down (95 % interval).",
        "Use posterior intervals, not the normal approximation, and more customers or a longer period.",
    )


def _tied_parameters(fitted: PurchaseFit | GammaGammaFit) -> Finding | None:
    """Return a finding on two parameters that the data determine together only."""
    matrix = np.array(fitted.log_covariance)
    spread = np.sqrt(np.diag(matrix))
    together = np.abs(np.triu(matrix / spread[:, None] / spread[None, :], 1))
    first, second = np.unravel_index(int(np.argmax(together)), together.shape)
    closest = float(together[first, second])
    if closest <= _TIED:
        return None
    pair = f"{fitted.names[int(first)]} and {fitted.names[int(second)]}"
    return Finding(
        f"{fitted.title}: tied",
        "note",
        closest,
        f"{fitted.title}: the data identify {pair} only jointly (correlation {figure(closest, '.3f')}).",
        "Forecasts are not affected; do not interpret either parameter alone.",
    )


def _short_observation(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding where customers were observed for less than the time between two orders."""
    mean_age = int(rfm["age_days"].sum()) / rfm.height
    gap = purchases.params.k * purchases.params.alpha / purchases.params.r
    if mean_age >= gap:
        return None
    return Finding(
        "observation",
        "caution",
        mean_age / gap,
        f"The observation period is short: {figure(mean_age)} days per customer on average, while the average customer "
        f"orders every {figure(gap)} days.",
        "Do not forecast beyond the length of the observation period; refit when more data are available.",
    )


def _merged_days(purchases: PurchaseFit) -> Finding | None:
    """Return a finding where customers order so often that orders of one day are lost in the counts."""
    params = purchases.params
    # Of a Poisson process with a Gamma distributed rate: one less days with an order over orders.
    kept = -math.expm1(-params.r * math.log1p(1.0 / params.alpha)) * params.alpha / params.r
    lost = 1.0 - kept if params.k == 1 else 0.0
    if lost <= _MERGED:
        return None
    return Finding(
        "days",
        "caution",
        lost,
        f"Customers order so often that about {lost:.0%} of orders share a day with another order and are merged.",
        "Interpret rates as order days, not orders; a day is too coarse a time unit for this shop.",
    )


def _regularity(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding where orders come more regularly than the model takes for granted."""
    kind = purchases.kind
    if kind.regular or "log_gaps" not in rfm.columns:
        return None
    other = fit(rfm, model="mbgcnbd" if kind.leaves_after_first else "bgcnbd")
    gain = other.log_likelihood - purchases.log_likelihood
    if other.params.k == 1 or gain <= _REGULAR:
        return None
    return Finding(
        "regularity",
        "caution",
        gain,
        f"Customers order more regularly than the model assumes: {other.title} raises the log-likelihood by "
        f"{figure(gain, ',.1f')}.",
        f"Use model='{other.model}': it detects overdue customers sooner.",
    )


def _unfinished(fitted: PurchaseFit | GammaGammaFit) -> Finding | None:
    """Return a finding where the engine stopped short of the maximum."""
    if fitted.max_abs_gradient <= _STEEP:
        return None
    return Finding(
        f"{fitted.title}: engine",
        "caution",
        fitted.max_abs_gradient,
        f"{fitted.title}: {fitted.engine} stopped where the log-likelihood still rises by "
        f"{figure(fitted.max_abs_gradient, '.2g')} per unit of a log-parameter.",
        "Use engine='native'.",
    )


def _dropout(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding where a model in which nobody ever leaves fits as well.

    Self & Liang (1987), on likelihood ratios at the edge of the parameters' range.
    """
    patterns = purchase_patterns(rfm)
    problem = purchase_problem(purchases.kind, purchases.params.k, patterns)
    # The parameter of dropout is held at nothing.
    oldest = math.log(max(patterns["age_days"].to_numpy().max(), 1.0))
    held = np.array([_NEVER, oldest if purchases.kind.calendar else 0.0])

    def surface(rates: FloatArray) -> Derivatives:
        value, gradient, hessian = problem.log_likelihood(np.concatenate([rates, held]))
        return value, gradient[:2], hessian[:2, :2]

    without = maximise(surface, [start[:2] for start in problem.starts[::3]], problem.centre[:2]).value
    gain = problem.log_likelihood(np.log(purchases.values))[0] - without
    if 2.0 * gain >= _EDGE_TEST:
        return None
    less = "no lower" if gain <= 0.0 else f"only {figure(gain, '.2f')} lower"
    return Finding(
        "dropout",
        "stop",
        gain,
        f"Dropout is not identified: NBD, a model without dropout, fits as well (log-likelihood {less}).",
        f"Do not read P(alive) or {' and '.join(purchases.names[2:])}; use a longer observation period "
        "and a finite horizon for values.",
    )


def _one_time_buyers(rfm: pl.DataFrame, purchases: PurchaseFit) -> Finding | None:
    """Return a finding on customers who ordered once, where the model takes all of them for alive."""
    kind = purchases.kind
    once = rfm.filter(frequency=0)
    share = once.height / rfm.height
    if kind.calendar or kind.leaves_after_first or share == 0.0:
        return None
    other = fit(rfm, model="mbgcnbd" if kind.regular else "mbgnbd", k=purchases.params.k)
    chance = float(other.prob_alive(once)["prob_alive"].sum()) / once.height
    gap = other.log_likelihood - purchases.log_likelihood
    fits = f"log-likelihood {figure(abs(gap), '.2f')} {'higher' if gap > 0.0 else 'lower'}"
    return Finding(
        "one-time buyers",
        "caution" if share > _MANY else "note",
        share,
        f"{figure(once.height)} of {figure(rfm.height)} customers ({percent(share)}) ordered once. "
        f"{purchases.title} treats all of them as still active; {other.title} ({fits}) puts their mean probability "
        f"of being active at {percent(chance)}.",
        "For the probability of being active, P(alive), use MBG/NBD or Pareto/NBD.",
    )


def _runaway(purchases: PurchaseFit) -> Finding | None:
    """Return a finding where the likelihood has no maximum and a prior holds the estimates."""
    if purchases.basis == "likelihood":
        return None
    values = ", ".join(f"{name} = {figure(getattr(purchases.params, name), '.3g')}" for name in purchases.loose)
    rates, dropout = (len(set(pair) & set(purchases.loose)) for pair in (purchases.names[:2], purchases.names[2:]))
    meanings = [
        # A rate, chance or hazard that is the same for all takes both its parameters to infinity; none, only one.
        ("", "", "all customers appear to have the same purchase rate")[rates],
        ("", "there appears to be no dropout", "all customers appear to have the same dropout rate")[dropout],
    ]
    read = ", and ".join(meaning for meaning in meanings if meaning)
    return Finding(
        "boundary",
        "caution",
        float(len(purchases.loose)),
        f"The likelihood of {purchases.title} has no maximum: {read or 'a parameter diverges'}; weak priors "
        f"keep the estimates at {values}.",
        "Rely on the intervals, not the point estimates; use more customers or a longer period.",
    )


def _independence(rfm: pl.DataFrame, spend: GammaGammaFit) -> Finding | None:
    """Return a finding on how orders and spend go together, which Gamma-Gamma and every value built on it deny."""
    orders, amount = pl.col("frequency"), pl.col("monetary_value")
    seen_mean = (orders * amount).sum() / orders.sum()
    correlation, seen = spenders_of(rfm).select(correlation=pl.corr(orders, amount), seen=seen_mean).row(0)
    if correlation is None or not math.isfinite(correlation) or spend.n_customers <= math.ceil(_CERTAIN):
        return None
    error = 1.0 / math.sqrt(spend.n_customers - _CERTAIN)
    if abs(math.atanh(max(min(correlation, 0.999999), -0.999999))) < _CERTAIN * error:
        return None
    # Orders times spend, had they been independent, against what they were together.
    gap = seen / population_mean(spend.params) - 1.0
    if max(abs(correlation), abs(gap)) < _LEAST:
        return None
    words = "more" if correlation > 0.0 else "less"
    return Finding(
        "independence",
        "caution" if abs(correlation) > _MATTERS else "note",
        correlation,
        f"Orders and spend are not independent, as Gamma-Gamma assumes: customers who order more often "
        f"spend {words} per order (correlation {figure(correlation, '.2f')}); the mean repeat order to date "
        f"was {figure(100 * abs(gap), '.1f')}% "
        f"{'above' if gap > 0.0 else 'below'} what the model expects of a new customer.",
        f"The value of new customers may be too {'low' if gap > 0.0 else 'high'} by up to that percentage; values of "
        "frequent customers rest on their own orders and hardly change.",
    )


def _one_price(spend: OnePriceFit) -> Finding:
    """Return a finding that every order costs the same, which is no model but what was seen."""
    price = figure(spend.params.price, ",.2f")
    return Finding(
        "one price",
        "note",
        spend.params.price,
        f"Every repeat order cost {price} ({figure(spend.n_customers)} customers), so this price is used as "
        "the spend of every customer: no spend model is fitted, and spend adds no uncertainty to values.",
        "If the price changes, values change in proportion; the effect of a new price on orders is not included.",
    )


def _infinite_moments(spend: GammaGammaFit) -> Finding | None:
    """Return a finding where fitted spend has no mean, or no variance."""
    q = spend.params.q
    if q > 2.0:
        return None
    what = "mean" if q <= 1.0 else "spread"
    return Finding(
        "spend",
        "stop" if q <= 1.0 else "caution",
        q,
        f"Fitted spend has an infinite {what}: q = {figure(q, '.3g')}, and it needs q > {1 if q <= 1.0 else 2}.",
        "Check the largest monetary values; exclude non-retail orders such as resellers and invoices.",
    )


def _held_by_prior(spend: GammaGammaFit) -> Finding | None:
    """Return a finding where the likelihood of spend has no maximum and a prior holds the estimates."""
    if spend.basis == "likelihood":
        return None
    return Finding(
        "spend boundary",
        "caution",
        float(len(spend.loose)),
        "The likelihood of Gamma-Gamma has no maximum: "
        f"{' and '.join(spend.loose)} diverge (spend hardly differs between customers, or between one customer's "
        "orders), and weak priors keep the estimates finite.",
        "Rely on the intervals, not the point estimates; mean spend itself is reliable.",
    )
