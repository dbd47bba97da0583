"""A table of customers (RFM), and what they did later if it is known, in; models side by side out, and which to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from cxsim.appraisal import baselines, findings, outcomes
from cxsim.appraisal.contestants import MODELS, require_models, with_verdicts
from cxsim.appraisal.evidence import Candidate, advice, choice, fit_sentence, forecast_sentence
from cxsim.appraisal.model_forecast import SpendOutlook, model_forecast, spend_outlook
from cxsim.appraisal.outcomes import Judged
from cxsim.appraisal.page import page
from cxsim.appraisal.pairing import Verdict, against_best, akaike_weights
from cxsim.appraisal.trial import FloatArray, Trial, trial_of
from cxsim.errors import DataError
from cxsim.estimation import GammaGammaFit, Model, PurchaseFit, fit
from cxsim.estimation.patterns import PAST
from cxsim.models import purchases
from cxsim.tables import RFM, check

DRAWS = 200


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Comparison:
    """Models side by side: how well they describe customers and, if asked, how well they foretold them.

    Attributes
    ----------
    table
        One row per model, the best fit first: model (for readers), name; log_likelihood, aic, bic; aic_gap above the
        best and Akaike weight; z and prob_better, the probability that the model is nearer the truth than the best of
        the others. With a later time also the columns of FORECAST_SCORES, z_forecast and prob_better_forecast by the
        log score, and rows of naive rules, which have no likelihood.
    calibration, deciles
        As in `Backtest`; None without a later time.
    fits
        The fitted models by name.
    choice
        Name of the model to use, as in `fit(model=...)`.
    sentence
        Which model to use, how sure that is, and how far its forecasts were off.
    findings
        What the comparison has to be read with, a sentence each.
    """

    table: pl.DataFrame
    calibration: pl.DataFrame | None
    deciles: pl.DataFrame | None
    fits: Mapping[str, PurchaseFit]
    choice: str
    sentence: str
    findings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Comparison({self.sentence})"

    def _repr_html_(self) -> str:
        return page(self.table, "Models of orders and leaving", [self.sentence, *self.findings])


def compare(
    rfm: pl.DataFrame,
    later: pl.DataFrame | None = None,
    *,
    days: float | None = None,
    models: Sequence[Model] = MODELS,
    spend: GammaGammaFit | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Fit several models to the same customers and say which one to use, and how sure that is.

    Parameters
    ----------
    rfm
        Customers under the RFM contract.
    later
        What the same customers did in the `days` after: customer_id, holdout_orders and holdout_amount, as from
        `cxsim.data.holdout`; None to compare the fits alone.
    days
        Length of that time, > 0; needed with `later`, and only with it.
    models
        Models of orders, as in `fit(model=...)`.
    spend
        Fitted model of spend; None to fit one. Of use with `later` only.
    draws
        Draws of the parameters and of luck for the intervals of forecasts, >= 39.
    seed
        Seed of all luck, 0 or larger; the same seed gives the same numbers.

    Returns
    -------
    Comparison
        Table, sentence and findings.

    Raises
    ------
    DataError
        If one of `later` and `days` is given without the other, `later` is of other customers, or nothing came.
    EstimationError
        For an unknown model, and for customers to whom models cannot be fitted.
    TableError
        If `rfm` does not keep its contract.

    Notes
    -----
    Fits are told apart by the log-likelihoods of the same customers, pair by pair (Vuong 1989): customers that say the
    same under two models cannot tell them apart, whatever the sum says. With k stages, of bgcnbd and mbgcnbd, one more
    parameter is taken off. Forecasts are told apart in the same way by the log probability of the orders that came.

    References
    ----------
    Vuong (1989), "Likelihood Ratio Tests for Model Selection and Non-Nested Hypotheses", Econometrica 57, 307-333.

    Examples
    --------
    >>> from datetime import date
    >>> from cxsim.data import load_cdnow, summarise
    >>> found = compare(summarise(load_cdnow(sample=True), until=date(1997, 9, 30)))
    >>> found.table.select("model", pl.col("aic_gap", "prob_better").round(2)).rows()
    [('MBG/NBD', 0.0, 0.53), ('BG/NBD', 0.59, 0.47), ('Pareto/NBD', 25.68, 0.03)]
    >>> found.choice
    'mbgnbd'
    """
    require_models(models)
    _require_both(later, days)
    customers = check(rfm, RFM).sort("customer_id")
    fits: dict[str, PurchaseFit] = {model: fit(customers, model=model) for model in models}
    table, verdicts = _fitted(fits, customers)
    candidates = [Candidate(name=name, title=fits[name].title, fit=verdicts[name]) for name in table["name"]]
    if later is None or days is None:
        return Comparison(
            table=table,
            calibration=None,
            deciles=None,
            fits=fits,
            choice=choice(candidates).name,
            sentence=f"{fit_sentence(candidates, rfm.height)} {advice(candidates, _one_time(rfm))}",
            findings=tuple(findings.on_fits(fits, customers)),
        )
    outlook = spend_outlook(customers, spend, draws=draws, seed=seed)
    judged = _judged(fits, trial_of(customers, later, days=days), outlook, draws=draws, seed=seed)
    found = _with_forecasts(fits, table, candidates, judged)
    return found if outlook.finding is None else replace(found, findings=(*found.findings, outlook.finding))


def _with_forecasts(
    fits: Mapping[str, PurchaseFit], table: pl.DataFrame, fitted: Sequence[Candidate], judged: Judged
) -> Comparison:
    names = list(fits)
    scores, foretold = outcomes.scores_of(judged), outcomes.forecast_verdicts([judged], names)
    candidates = [replace(one, forecast=foretold[one.name]) for one in fitted]
    rfm = judged.trial.rfm
    sentences = (
        fit_sentence(candidates, rfm.height),
        findings.bias_of_models(scores, names, when=f"in the {judged.trial.days:g} days after"),
        forecast_sentence(candidates),
        advice(candidates, _one_time(rfm)),
    )
    limits = (
        findings.spend_of_models(scores, names),
        findings.intervals_of_totals(scores, names),
        findings.naive_rules(scores, names),
    )
    return Comparison(
        table=_side_by_side(table, with_verdicts(scores, foretold, "_forecast")),
        calibration=outcomes.calibration_of([judged]),
        deciles=outcomes.deciles_of([judged]),
        fits=fits,
        choice=choice(candidates).name,
        sentence=" ".join(filter(None, sentences)),
        findings=(*findings.on_fits(fits, rfm), *filter(None, limits)),
    )


def _one_time(rfm: pl.DataFrame) -> int:
    return rfm.filter(pl.col("frequency") == 0).height


def _require_both(later: pl.DataFrame | None, days: float | None) -> None:
    if (later is None) != (days is None):
        missing = "days, the length of the time that later covers" if days is None else "later, from holdout(...)"
        raise DataError(
            f"later and days belong together; found only {'later' if days is None else 'days'}, give {missing}."
        )


def _fitted(fits: Mapping[str, PurchaseFit], rfm: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Verdict | None]]:
    """Return the table of fits, the best first, and how each stands against the best of the others."""
    found = list(fits.values())
    n_params = [0.5 * one.aic + one.log_likelihood for one in found]
    verdicts = dict(zip(fits, against_best([log_likelihoods(one, rfm) for one in found], n_params), strict=True))
    aic = [one.aic for one in found]
    table = pl.DataFrame(
        {
            "model": [one.title for one in found],
            "name": list(fits),
            "log_likelihood": [one.log_likelihood for one in found],
            "aic": aic,
            "bic": [one.bic for one in found],
            "aic_gap": [one - min(aic) for one in aic],
            "weight": akaike_weights(aic),
        }
    )
    return with_verdicts(table, verdicts).sort("aic", maintain_order=True), verdicts


def log_likelihoods(fitted: PurchaseFit, rfm: pl.DataFrame) -> FloatArray:
    """Return what each customer adds to the log-likelihood of a fit."""
    distinct = rfm.select(PAST).unique().sort(PAST)
    past = (distinct[name].cast(pl.Float64).to_numpy() for name in PAST)
    found = distinct.with_columns(pl.Series("found", purchases.log_likelihood(fitted.params, *past)))
    gaps = (fitted.params.k - 1) * pl.col("log_gaps") if fitted.params.k > 1 else pl.lit(0.0)
    return (
        rfm.join(found, on=PAST, how="left", maintain_order="left")
        .select(pl.col("found") + gaps)
        .to_series()
        .to_numpy()
    )


def _judged(fits: Mapping[str, PurchaseFit], trial: Trial, outlook: SpendOutlook, *, draws: int, seed: int) -> Judged:
    """Return the forecasts of the fits and of naive rules."""
    if not trial.orders.any():
        raise DataError(
            f"later: nobody ordered in the {trial.days:g} days; there is nothing to hold forecasts against."
        )
    forecasts = [model_forecast(one, trial, outlook, draws=draws, seed=seed) for one in fits.values()]
    return Judged(trial=trial, forecasts=(*forecasts, baselines.own_rate(trial), baselines.shop_rate(trial)))


def _side_by_side(table: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Return fits and forecasts in one table; naive rules, which have no fit, come last."""
    both = scores.join(table.drop("model"), on="name", how="left", maintain_order="left")
    columns = [*table.columns, *(name for name in scores.columns if name not in table.columns)]
    return both.sort("aic", nulls_last=True, maintain_order=True).select(columns)
