"""A valuation and its orders in; how models fitted to the first part of the orders foretold the rest, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from cxsim.appraisal.comparing import Comparison, compare
from cxsim.appraisal.drawn import drawn_params
from cxsim.appraisal.holdout_value import captures, decile_values, forecasts, missed, with_deciles
from cxsim.appraisal.terms import Terms
from cxsim.appraisal.value_table import customer_values
from cxsim.data import Transactions, holdout, summarise
from cxsim.estimation import GammaGammaFit, PurchaseFit, fit_spend
from cxsim.scenario import Valuation

LEVEL = 0.9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tested:
    """How models held.

    Attributes
    ----------
    comparison
        The models side by side, fitted up to the end of calibration and held against what came after.
    biases
        model, bias, low, high: by how much each model, and each rule of thumb, missed the orders that came.
    forecasts
        model, day, observed, expected, low, high: cumulative repeat orders.
    calibration
        model, frequency, customers, observed, low, high, expected: orders after the fit by class, of the models.
    deciles
        decile, customers, expected, low, high, realised: spend after the fit, by the model that is chosen.
    captures
        model, customers, value: share of that spend that lies with the first customers in several orders.
    """

    comparison: Comparison
    biases: pl.DataFrame
    forecasts: pl.DataFrame
    calibration: pl.DataFrame
    deciles: pl.DataFrame
    captures: pl.DataFrame


def tested(valuation: Valuation, orders: Transactions, say: Callable[[str], None]) -> Tested:
    """Return how the models of a valuation, fitted up to the end of calibration, foretold what came after."""
    ends = valuation.calibration_end, valuation.observed_until
    rfm = summarise(orders, until=ends[0])
    later = holdout(orders, after=ends[0], until=ends[1])
    say("first part of the orders: models")
    spend = fit_spend(rfm, observed_until=ends[0])
    comparison = compare(
        rfm, later, days=valuation.holdout_days, models=valuation.models, spend=spend, seed=valuation.seed
    )
    say("first part of the orders: forecasts")
    fits = {found.title: found for found in comparison.fits.values()}
    drawn = {
        title: drawn_params(rfm, found, spend, draws=valuation.draws, seed=valuation.seed)
        for title, found in fits.items()
    }
    foretold = forecasts(orders, rfm, fits, drawn, ends=ends, level=LEVEL, seed=valuation.seed)
    chosen = comparison.fits[comparison.choice]
    deciles, captured = _by_value(valuation, rfm, later, (chosen, spend))
    return Tested(
        comparison=comparison,
        biases=_biases(comparison, missed(foretold, ends[0])),
        forecasts=foretold,
        calibration=_calibration(comparison),
        deciles=deciles,
        captures=captured,
    )


def _by_value(
    valuation: Valuation, rfm: pl.DataFrame, later: pl.DataFrame, fits: tuple[PurchaseFit, GammaGammaFit]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return spend after the fit by tenth, and the share of it that several orders of the customers catch."""
    purchases, spend = fits
    # As customers pay it, all of it and not discounted, so that it can be held against what they paid.
    terms = Terms(
        horizon_days=valuation.holdout_days,
        annual_discount_rate=0.0,
        level=LEVEL,
        draws=valuation.draws,
        seed=valuation.seed,
    )
    expected = purchases.clv(rfm, spend, annual_discount_rate=0.0, horizon_days=valuation.holdout_days)["revenue"]
    ranked = with_deciles(rfm, expected)
    totals = customer_values(ranked, purchases, spend, terms, by="decile").group_totals
    came = rfm.select("customer_id").join(
        later.select("customer_id", realised="holdout_amount"), on="customer_id", how="left", maintain_order="left"
    )
    orders = {
        purchases.title: expected,
        "spend so far": rfm["frequency"] * rfm["monetary_value"].fill_null(0.0),
        "orders so far": rfm["frequency"],
    }
    deciles = decile_values(ranked, totals, came)
    return deciles, captures(orders, came["realised"])


def _biases(comparison: Comparison, models: pl.DataFrame) -> pl.DataFrame:
    """Return the models with their intervals, then the rules of thumb, which have none of this kind."""
    rules = comparison.table.filter(~pl.col("name").is_in(list(comparison.fits))).select(
        "model", bias="orders_bias", low=pl.lit(None, dtype=pl.Float64), high=pl.lit(None, dtype=pl.Float64)
    )
    return pl.concat([models, rules.drop_nulls("bias")])


def _calibration(comparison: Comparison) -> pl.DataFrame:
    """Return the classes of the models, without rules of thumb and classes that have no interval."""
    found = pl.DataFrame() if comparison.calibration is None else comparison.calibration
    columns = ["model", "frequency", "customers", "observed", "low", "high", "expected"]
    titles = [fitted.title for fitted in comparison.fits.values()]
    return found.filter(pl.col("model").is_in(titles)).select(columns).drop_nulls(["low", "high"])
