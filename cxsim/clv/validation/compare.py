"""A table of customers (RFM), and what they did later if it is known, in; models side by side out, and which to use."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from cxsim.clv.fit import fit
from cxsim.clv.inputs import by_past
from cxsim.clv.likelihood import Model, kind_of
from cxsim.clv.models.purchases import log_likelihood
from cxsim.clv.models.special import FloatArray
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import SpendFit
from cxsim.clv.validation.findings import (
    Candidate,
    advice,
    bias_sentence,
    choice,
    fit_sentence,
    forecast_sentence,
    intervals_of_totals,
    naive_rules,
    on_fits,
    spend_of_models,
)
from cxsim.clv.validation.forecasts import (
    Holdout,
    holdout_of,
    model_forecast,
    naive_forecasts,
    spend_outlook,
)
from cxsim.clv.validation.scoring import (
    against_best,
    akaike_weights,
    calibration_of,
    forecast_verdicts,
    pooled,
    scores_of,
    with_verdicts,
)
from cxsim.data.orders import Transactions
from cxsim.data.rfm import Orders, clean_orders, holdout, summarise
from cxsim.errors import DataError, EstimationError, choices
from cxsim.tables import RFM, TRANSACTIONS, check
from cxsim.wording import counted, in_html

Progress = Callable[[int, int], None]

MODELS: tuple[Model, ...] = ("bgnbd", "mbgnbd", "paretonbd")
DRAWS = 200
# By default a forecast looks ahead over this part of the time that orders span.
_PART = 4
# Columns that are shown in a notebook where a table has them.
_SHOWN = (
    "model",
    "log_likelihood",
    "aic",
    "bic",
    "aic_gap",
    "weight",
    "prob_better",
    "orders_bias",
    "spend_bias",
    "mae",
    "rmse",
    "log_score",
    "prob_better_forecast",
    "coverage_80",
    "coverage_95",
    "gini",
    "top_decile_capture",
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Comparison:
    """Models side by side: how well they describe customers and, if asked, how well they forecast them.

    Attributes
    ----------
    table
        One row per model, the best fit first: model (for readers), name; log_likelihood, aic, bic; aic_gap above the
        best and Akaike weight; z and prob_better, the probability that the model is nearer the truth than the best of
        the others. With a later time also the scores of the forecasts, z_forecast and prob_better_forecast by the
        log score, and rows of naive rules, which have no likelihood.
    calibration
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
    fits: Mapping[str, PurchaseFit]
    choice: str
    sentence: str
    findings: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Comparison({self.sentence})"

    def _repr_html_(self) -> str:
        return _page(self.table, "Purchase and dropout models", [self.sentence, *self.findings])


def compare(
    rfm: pl.DataFrame,
    later: pl.DataFrame | None = None,
    *,
    days: float | None = None,
    models: Sequence[Model] = MODELS,
    spend: SpendFit | None = None,
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
        `cxsim.data.rfm`; None to compare the fits alone.
    days
        Length of that time, > 0; needed with `later`, and only with it.
    models
        Models of orders, as in `fit(model=...)`.
    spend
        Fitted model of spend; None to fit one. Of use with `later` only.
    draws
        Draws of the parameters and of random numbers for the intervals of forecasts, >= 39.
    seed
        Seed of all random numbers, 0 or larger; the same seed gives the same numbers.

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
    Fits are compared by the log-likelihoods of the same customers, pair by pair (Vuong 1989): customers that say the
    same under two models cannot tell one from the other, whatever the sum says. With k stages, of bgcnbd and mbgcnbd,
    one more parameter is taken off. Forecasts are compared in the same way by the log probability of what came.

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
    _require_models(models)
    _require_both(later, days)
    customers = check(rfm, RFM).sort("customer_id")
    fits: dict[str, PurchaseFit] = {model: fit(customers, model=model) for model in models}
    table, findings, calibration, biases = _fitted(fits, customers), on_fits(fits, customers), None, ""
    if later is not None and days is not None:
        known, finding = _with_forecasts(
            holdout_of(customers, later, days=days), fits.values(), spend, of="later", draws=draws, seed=seed
        )
        scores = scores_of(known)
        of_models, of_rules = _parted(scores, models)
        biases = bias_sentence(of_models, when=f"in the {days:g} days after")
        limits = spend_of_models(of_models), intervals_of_totals(of_models), naive_rules(of_models, of_rules)
        findings += [*filter(None, (*limits, finding))]
        table = _side_by_side(table, with_verdicts(scores, forecast_verdicts([known], models), "_forecast"))
        calibration = calibration_of([known])
    chances = pl.col("^prob_better.*$").fill_null(0.5)
    candidates = [Candidate(*row) for row in _parted(table, models)[0].select("name", "model", chances).rows()]
    forecast = forecast_sentence(candidates) if biases else ""
    last = advice(candidates, rfm.filter(frequency=0).height)
    return Comparison(
        table=table,
        calibration=calibration,
        fits=fits,
        choice=choice(candidates).name,
        sentence=" ".join(filter(None, (fit_sentence(candidates, rfm.height), biases, forecast, last))),
        findings=tuple(findings),
    )


class Plan(NamedTuple):
    """When forecasts are made: the last days that they know of, and how far they look."""

    days: tuple[date, ...]
    horizon_days: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False, repr=False)
class Backtest:
    """How forecasts would have held, had they been made at several days of the past.

    Attributes
    ----------
    origins
        The last days that forecasts knew of, ascending.
    horizon_days
        How far each looked ahead.
    table
        One row per model and naive rule, over all origins: scores such as orders_bias, mae and log_score, and
        `z` and `prob_better` by the log score against the best of the other models; null for naive rules.
    by_origin
        The same scores at each `origin`.
    calibration
        Mean orders by class of past frequency: model, name, frequency, customers, observed with its 90 % interval low
        and high, expected.
    choice
        Name of the model to use, as in `fit(model=...)`.
    sentence
        What was found, in words.
    """

    origins: tuple[date, ...]
    horizon_days: int
    table: pl.DataFrame
    by_origin: pl.DataFrame
    calibration: pl.DataFrame
    choice: str
    sentence: str

    def __repr__(self) -> str:
        return f"Backtest({self._time}: {self.sentence})"

    def _repr_html_(self) -> str:
        return _page(self.table, f"Forecasts of the {self._time}", [self.sentence])

    @property
    def _time(self) -> str:
        return f"{self.horizon_days} days after {', '.join(map(str, self.origins))}"


def backtest(
    transactions: Orders,
    *,
    models: Sequence[Model] = MODELS,
    origins: int = 3,
    horizon_days: int | None = None,
    observed_until: date | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Backtest:
    """Fit models at several days of the past, and hold their forecasts against what came.

    Parameters
    ----------
    transactions
        Clean orders: what `read_transactions` or `read_shop` returns, or a frame under TRANSACTIONS.
    models
        Models of orders, as in `fit(model=...)`.
    origins
        Number of days at which forecasts are made, half a horizon apart; the last one a horizon before the end.
    horizon_days
        How far each looks ahead; by default a quarter of the days that orders span.
    observed_until
        Last day of the observation; by default that of `transactions`, for a frame the last day with an order.
    draws
        Draws of the parameters and of random numbers for the intervals, >= 39.
    seed
        Seed of all random numbers, 0 or larger; the same seed gives the same numbers.
    progress
        Called with fits done and their total.

    Returns
    -------
    Backtest
        Scores beside those of naive rules, calibration, and a sentence.

    Raises
    ------
    DataError
        If orders span too few days for these origins and this horizon, or no order came after an origin.
    EstimationError
        For an unknown model, and for customers to whom models cannot be fitted.
    TableError
        If a frame does not keep TRANSACTIONS.

    Notes
    -----
    Expected orders and log scores are those at the estimates of each origin; intervals hold what is unknown of the
    parameters, and chance. Spend is Gamma-Gamma's, or each customer's own mean where that cannot be fitted. Naive rules
    are read as Poisson.

    Examples
    --------
    >>> from cxsim.data import load_cdnow
    >>> found = backtest(load_cdnow(sample=True), models=("mbgnbd",), origins=1, draws=40)
    >>> found.table.select("model", pl.col("orders_bias", "mae", "rmse").round(2)).rows()[:2]
    [('MBG/NBD', -0.01, 0.4, 0.84), ("Each customer's own rate", 0.49, 0.49, 1.01)]
    """
    _require_models(models)
    plan = planned(transactions, origins=origins, horizon_days=horizon_days, observed_until=observed_until)
    done, total = itertools.count(1), len(plan.days) * len(models)

    def fits(rfm: pl.DataFrame, origin: date) -> Iterator[PurchaseFit]:
        for model in models:
            yield fit(rfm, model=model, observed_until=origin)
            if progress is not None:
                progress(next(done), total)

    holdouts, horizon = [], timedelta(days=plan.horizon_days)
    for origin in plan.days:
        later = holdout(transactions, after=origin, until=origin + horizon)
        known = holdout_of(summarise(transactions, until=origin), later, days=plan.horizon_days)
        found, before = fits(known.rfm, origin), summarise(transactions, until=origin - horizon)
        holdouts.append(_with_forecasts(known, found, None, of=str(origin), before=before, draws=draws, seed=seed)[0])
    return _backtest(plan, holdouts, models)


def _backtest(plan: Plan, holdouts: Sequence[Holdout], models: Sequence[Model]) -> Backtest:
    """Return the scores and the verdict of all origins together."""
    by_origin = pl.concat(
        scores_of(one).select(pl.lit(origin).alias("origin"), pl.all())
        for origin, one in zip(plan.days, holdouts, strict=True)
    )
    table = with_verdicts(pooled(by_origin), forecast_verdicts(holdouts, models))
    of_models, of_rules = _parted(table, models)
    chances = of_models.select("name", "model", pl.col("prob_better").fill_null(0.5))
    candidates = [Candidate(name, title, forecast=chance) for name, title, chance in chances.rows()]
    several = f"each of {counted(len(holdouts))} origins (overlapping periods)"
    times = several if len(holdouts) > 1 else str(plan.days[0])
    sentences = (
        bias_sentence(of_models, when=f"in the {plan.horizon_days} days after {times}"),
        naive_rules(of_models, of_rules),
        forecast_sentence(candidates),
        advice(candidates, holdouts[-1].rfm.filter(frequency=0).height),
    )
    return Backtest(
        origins=plan.days,
        horizon_days=plan.horizon_days,
        table=table,
        by_origin=by_origin,
        calibration=calibration_of(holdouts),
        choice=choice(candidates).name,
        sentence=" ".join(filter(None, sentences)),
    )


def planned(
    transactions: Orders, *, origins: int, horizon_days: int | None = None, observed_until: date | None = None
) -> Plan:
    """Return evenly spaced origins, half a horizon apart, the last one a horizon before the end."""
    if origins < 1 or (horizon_days is not None and horizon_days < 1):
        raise DataError(f"origins and horizon_days must be at least 1; found {origins} and {horizon_days}.")
    first, end = _span(transactions, observed_until)
    span = (end - first).days
    horizon = max(span // _PART, 1) if horizon_days is None else horizon_days
    days = tuple(end - timedelta(days=horizon + back * horizon // 2) for back in reversed(range(origins)))
    if (days[0] - first).days < horizon:
        longest = max((2 * span) // (origins + 3), 0)
        possible = f"horizon_days up to {longest}" if longest else "more days of orders"
        fewer = ", or fewer origins" if origins > 1 else ""
        raise DataError(
            f"orders span {span} days, {first} to {end}; {origins} origins with a horizon of "
            f"{horizon} days need {2 * horizon + (origins - 1) * horizon // 2}, because the first needs as many days "
            f"to learn from as it forecasts; possible: {possible}{fewer}."
        )
    return Plan(days, horizon)


def _span(transactions: Orders, observed_until: date | None) -> tuple[date, date]:
    transactions = clean_orders(transactions)
    known = transactions.until if isinstance(transactions, Transactions) else None
    table = transactions.table if isinstance(transactions, Transactions) else transactions.lazy()
    names = table.collect_schema().names()
    if "ordered_at" not in names:
        raise DataError(f"{TRANSACTIONS.name}: no column 'ordered_at'; {choices('ordered_at', names)}")
    day = pl.col("ordered_at").cast(pl.Date)
    first, last = table.select(first=day.min(), last=day.max()).collect(engine="streaming").row(0)
    if first is None:
        raise DataError("there are no orders for a backtest.")
    return first, observed_until or known or last


def _with_forecasts(
    known: Holdout,
    fits: Iterable[PurchaseFit],
    spend: SpendFit | None,
    *,
    of: str,
    before: pl.DataFrame | None = None,
    draws: int,
    seed: int,
) -> tuple[Holdout, str | None]:
    """Return what models and naive rules expected, and why Gamma-Gamma was not used, if it was not."""
    if not known.orders.any():
        raise DataError(
            f"{of}: nobody ordered in the {known.days:g} days after, so forecasts cannot be tested. Use a "
            "longer period."
        )
    outlook = spend_outlook(known.rfm, spend, draws=draws, seed=seed)
    forecasts = [model_forecast(one, known, outlook, draws=draws, seed=seed) for one in fits]
    return known._replace(forecasts=(*forecasts, *naive_forecasts(known, before))), outlook.finding


def _parted(scores: pl.DataFrame, models: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the scores of models, and those of naive rules."""
    of_models = pl.col("name").is_in(models)
    return scores.filter(of_models), scores.filter(~of_models)


def _require_both(later: pl.DataFrame | None, days: float | None) -> None:
    if (later is None) != (days is None):
        found, missing = ("days", "later, from holdout(...)") if later is None else ("later", "days, its length")
        raise DataError(f"later and days belong together; found only {found}, give {missing}.")


def _fitted(fits: Mapping[str, PurchaseFit], rfm: pl.DataFrame) -> pl.DataFrame:
    """Return the table of fits, the best first, with how each stands against the best of the others."""
    found = list(fits.values())
    log_probs, n_params = [log_likelihoods(one, rfm) for one in found], [float(one.n_params) for one in found]
    verdicts = dict(zip(fits, against_best(log_probs, n_params), strict=True))
    rows = [(one.title, one.model, one.log_likelihood, one.aic, one.bic) for one in found]
    table = pl.DataFrame(rows, schema=["model", "name", "log_likelihood", "aic", "bic"], orient="row").with_columns(
        aic_gap=pl.col("aic") - pl.col("aic").min(), weight=pl.Series(akaike_weights([one.aic for one in found]))
    )
    return with_verdicts(table, verdicts).sort("aic", maintain_order=True)


def log_likelihoods(fitted: PurchaseFit, rfm: pl.DataFrame) -> FloatArray:
    """Return what each customer adds to the log-likelihood of a fit."""
    found = by_past(rfm, lambda *past: {"found": log_likelihood(fitted.params, *past)})["found"]
    k = fitted.params.k
    return (found + (k - 1) * rfm["log_gaps"] if k > 1 else found).to_numpy()


def _side_by_side(table: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Return fits and forecasts in one table; naive rules, which have no fit, come last."""
    both = scores.join(table.drop("model"), on="name", how="left", maintain_order="left")
    columns = [*table.columns, *(name for name in scores.columns if name not in table.columns)]
    return both.sort("aic", nulls_last=True, maintain_order=True).select(columns)


def _require_models(models: Sequence[Model]) -> None:
    """Refuse names of models that cannot all be fitted and distinguished."""
    if isinstance(models, str) or not models:
        raise EstimationError(f'models must be a tuple of at least one name, as ("bgnbd", "mbgnbd"); found {models!r}.')
    for model in models:
        kind_of(model)
    if len(set(models)) < len(models):
        raise EstimationError(f"models names a model twice; found {', '.join(models)}.")


def _page(table: pl.DataFrame, caption: str, sentences: Sequence[str]) -> str:
    """Return a table of models for a notebook, with a caption and sentences below it."""
    shown = table.select(name for name in _SHOWN if name in table.columns).with_columns(pl.col(pl.Float64).round(4))
    below = "".join(f"<p>{in_html(sentence)}</p>" for sentence in sentences)
    return f"<p>{in_html(caption)}</p>{shown._repr_html_()}{below}"
