"""Trials with the forecasts that were made for them in; tables of how these held, over all trials, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.appraisal import calibration, coverage, ranking
from cxsim.appraisal.pairing import Verdict, against_best
from cxsim.appraisal.scoring import scored
from cxsim.appraisal.trial import FloatArray, Forecast, Trial
from cxsim.rng import stream


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judged:
    """A trial and all forecasts that were made for it, the same ones in the same order in each trial.

    Attributes
    ----------
    trial
        Customers at an origin and what came of them.
    forecasts
        What was expected of them.
    """

    trial: Trial
    forecasts: tuple[Forecast, ...]


def scores_of(judged: Judged) -> pl.DataFrame:
    """Return one row of scores per forecast, under FORECAST_SCORES."""
    return pl.concat([scored(judged.trial, forecast) for forecast in judged.forecasts])


def calibration_of(judged: Sequence[Judged]) -> pl.DataFrame:
    """Return observed and expected orders by class of past frequency; see `calibration.by_frequency`."""
    rows = pl.concat(
        [
            one.trial.rfm.select(
                "customer_id",
                "frequency",
                pl.Series("orders", one.trial.orders),
                *(pl.Series(forecast.name, forecast.orders) for forecast in one.forecasts),
            )
            for one in judged
        ]
    )
    return calibration.by_frequency(rows, {forecast.name: forecast.title for forecast in judged[0].forecasts})


def deciles_of(judged: Sequence[Judged]) -> pl.DataFrame:
    """Return predicted and realised spend by tenths of the customers, added up over trials."""
    rows = [
        ranking.value_by_decile(forecast.spend, one.trial.amount).with_columns(
            model=pl.lit(forecast.title), name=pl.lit(forecast.name)
        )
        for one in judged
        for forecast in one.forecasts
    ]
    realised = pl.col("realised")
    total = realised.sum().over("name")
    return (
        pl.concat(rows)
        .group_by("name", "decile", maintain_order=True)
        .agg(pl.col("model").first(), pl.col("customers", "predicted", "realised").sum())
        .with_columns(captured=pl.when(total > 0.0).then(realised.cum_sum().over("name") / total))
        .select("model", "name", "decile", "customers", "predicted", "realised", "captured")
    )


def places_of(judged: Sequence[Judged], *, seed: int) -> pl.DataFrame:
    """Return where in their foretold distributions the counts that came lie."""
    tables = []
    for place, forecast in enumerate(judged[0].forecasts):
        found = [
            _places(one.forecasts[place], stream(seed, number, "place in the foretold distribution"))
            for number, one in enumerate(judged)
        ]
        share = coverage.tenths(np.concatenate(found))
        tables.append(
            pl.DataFrame(
                {"model": forecast.title, "name": forecast.name, "tenth": range(1, coverage.TENTHS + 1), "share": share}
            )
        )
    return pl.concat(tables)


def forecast_verdicts(judged: Sequence[Judged], names: Sequence[str]) -> dict[str, Verdict | None]:
    """Return how well each model foretold the orders of customers against the best of the other models."""
    customers = pl.concat([one.trial.rfm["customer_id"] for one in judged])
    person = customers.rank("dense").cast(pl.Int64).to_numpy() - 1
    said = {
        name: np.concatenate([found.log_probs for one in judged for found in one.forecasts if found.name == name])
        for name in names
    }
    verdicts = against_best([_by_person(person, said[name]) for name in names])
    return dict(zip(names, verdicts, strict=True))


def _by_person(person: NDArray[np.int64], log_probs: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(person, weights=log_probs), dtype=np.float64)


def _places(forecast: Forecast, luck: np.random.Generator) -> FloatArray:
    at = np.exp(forecast.log_probs)
    return coverage.randomised_pit(forecast.below, at, luck.random(at.size))
