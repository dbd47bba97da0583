"""A shop's orders in; forecasts made at several days of the past, held against what came, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from cxsim.appraisal import baselines, findings, outcomes
from cxsim.appraisal.contestants import MODELS, require_models, with_verdicts
from cxsim.appraisal.evidence import Candidate, advice, choice, forecast_sentence
from cxsim.appraisal.model_forecast import model_forecast, spend_outlook
from cxsim.appraisal.origins import Orders, Plan, planned
from cxsim.appraisal.outcomes import Judged
from cxsim.appraisal.page import page
from cxsim.appraisal.scoring import pooled
from cxsim.appraisal.trial import trial_of
from cxsim.data import holdout, summarise
from cxsim.errors import DataError
from cxsim.estimation import Model, fit
from cxsim.wording import counted

Progress = Callable[[int, int], None]
DRAWS = 200


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
        One row per model and naive rule, over all origins: the columns of FORECAST_SCORES, and `z` and `prob_better`,
        by the log score against the best of the other models; null for naive rules.
    by_origin
        The same scores at each `origin`.
    calibration
        Mean orders by class of past frequency: model, name, frequency, customers, observed with its 90 % interval low
        and high, expected.
    deciles
        Spend by tenths of predicted spend: model, name, decile, customers, predicted, realised, captured.
    places
        Where counts lie in their foretold distributions: model, name, tenth, share; a tenth each if all is right.
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
    deciles: pl.DataFrame
    places: pl.DataFrame
    choice: str
    sentence: str

    def __repr__(self) -> str:
        days = ", ".join(origin.isoformat() for origin in self.origins)
        return f"Backtest({self.horizon_days} days after {days}: {self.sentence})"

    def _repr_html_(self) -> str:
        days = ", ".join(origin.isoformat() for origin in self.origins)
        return page(self.table, f"Forecasts of the {self.horizon_days} days after {days}", [self.sentence])


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
        Clean lines: what `read_transactions` returns, or a frame under TRANSACTIONS.
    models
        Models of orders, as in `fit(model=...)`.
    origins
        Number of days at which forecasts are made, half a horizon apart; the last one a horizon before the end.
    horizon_days
        How far each looks ahead; by default a quarter of the days that orders span.
    observed_until
        Last day of the observation; by default that of `transactions`, for a frame the last day with an order.
    draws
        Draws of the parameters and of luck for the intervals, >= 39.
    seed
        Seed of all luck, 0 or larger; the same seed gives the same numbers.
    progress
        Called with fits done and their total.

    Returns
    -------
    Backtest
        Scores beside those of naive rules, calibration, value by decile, and a sentence.

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
    parameters, and luck. Spend is Gamma-Gamma's, or each customer's own mean where that cannot be fitted. Naive rules
    are read as Poisson.

    Examples
    --------
    >>> from cxsim.data import load_cdnow
    >>> found = backtest(load_cdnow(sample=True), models=("mbgnbd",), origins=1, draws=40)
    >>> found.table.select("model", pl.col("orders_bias", "mae", "rmse").round(2)).rows()[:2]
    [('MBG/NBD', -0.01, 0.4, 0.84), ('Own rate goes on', 0.49, 0.49, 1.01)]
    """
    require_models(models)
    plan = planned(transactions, origins=origins, horizon_days=horizon_days, observed_until=observed_until)
    total = len(plan.days) * len(models)
    judged: list[Judged] = []
    for number, origin in enumerate(plan.days):

        def done(fits: int, before: int = number * len(models)) -> None:
            if progress is not None:
                progress(before + fits, total)

        judged.append(_judged(transactions, plan, origin, models, draws=draws, seed=seed, done=done))
    by_origin = pl.concat(
        [
            outcomes.scores_of(one).with_columns(origin=pl.lit(origin)).select("origin", pl.all().exclude("origin"))
            for origin, one in zip(plan.days, judged, strict=True)
        ]
    )
    return _backtest(plan, judged, by_origin, models, seed)


def _judged(
    transactions: Orders,
    plan: Plan,
    origin: date,
    models: Sequence[Model],
    *,
    draws: int,
    seed: int,
    done: Callable[[int], None],
) -> Judged:
    """Return all forecasts of one origin."""
    rfm = summarise(transactions, until=origin)
    later = holdout(transactions, after=origin, until=plan.end(origin))
    trial = trial_of(rfm, later, days=plan.horizon_days)
    if not trial.orders.any():
        raise DataError(
            f"no customer known at {origin.isoformat()} ordered in the {plan.horizon_days} days after; there is "
            "nothing to hold forecasts against. Use a longer horizon."
        )
    outlook = spend_outlook(trial.rfm, None, draws=draws, seed=seed)
    forecasts = []
    for number, model in enumerate(models):
        fitted = fit(trial.rfm, model=model, observed_until=origin)
        forecasts.append(model_forecast(fitted, trial, outlook, draws=draws, seed=seed))
        done(number + 1)
    before = summarise(transactions, until=origin - timedelta(days=plan.horizon_days))
    naive = (baselines.own_rate(trial), baselines.shop_rate(trial), baselines.recent_past(trial, before))
    return Judged(trial=trial, forecasts=(*forecasts, *naive))


def _backtest(
    plan: Plan, judged: list[Judged], by_origin: pl.DataFrame, models: Sequence[Model], seed: int
) -> Backtest:
    verdicts = outcomes.forecast_verdicts(judged, models)
    titles = {forecast.name: forecast.title for forecast in judged[-1].forecasts}
    candidates = [Candidate(name=name, title=titles[name], forecast=verdicts[name]) for name in models]
    table = with_verdicts(pooled(by_origin), verdicts)
    one = len(plan.days) == 1
    times = plan.days[0].isoformat() if one else f"each of {counted(len(plan.days))} days of the past, which overlap"
    sentences = (
        findings.bias_of_models(table, models, when=f"in the {plan.horizon_days} days after {times}"),
        findings.naive_rules(table, models),
        forecast_sentence(candidates),
        advice(candidates, judged[-1].trial.rfm.filter(pl.col("frequency") == 0).height),
    )
    return Backtest(
        origins=plan.days,
        horizon_days=plan.horizon_days,
        table=table,
        by_origin=by_origin,
        calibration=outcomes.calibration_of(judged),
        deciles=outcomes.deciles_of(judged),
        places=outcomes.places_of(judged, seed=seed),
        choice=choice(candidates).name,
        sentence=" ".join(sentence for sentence in sentences if sentence),
    )
