"""The case of a valuation in; everything that says what its customers are worth, and how sure that is, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.clv.customer_value import (
    VALUE,
    CustomerValues,
    ParameterDraws,
    ValuationTerms,
    alive_by_group,
    at_risk,
    customer_values,
    means_outside,
    parameter_draws,
    value_totals,
)
from cxsim.clv.diagnose import Diagnosis, diagnose
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import SpendFit
from cxsim.clv.validation.compare import Comparison, compare
from cxsim.clv.validation.holdout import captures, decile_values, forecasts, missed, with_deciles
from cxsim.data.orders import Transactions
from cxsim.data.rfm import holdout, summarise
from cxsim.data.shop import Finding, findings_table
from cxsim.study.assumptions import register, source_table
from cxsim.study.provenance import valuation_manifest
from cxsim.study.scenario import Valuation
from cxsim.study.sources import orders_of
from cxsim.wording import figure, in_words, percent

LEVEL = 0.9
Progress = Callable[[str], None]


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


def tested(valuation: Valuation, lines: Transactions, report: Progress) -> Tested:
    """Return how the models of a valuation, fitted up to the end of calibration, predicted what came after."""
    ends = valuation.calibration_end, valuation.observed_until
    rfm = summarise(lines, until=ends[0])
    later = holdout(lines, after=ends[0], until=ends[1])
    report("calibration period: models")
    spend = fit_spend(rfm, observed_until=ends[0])
    comparison = compare(
        rfm, later, days=valuation.holdout_days, models=valuation.models, spend=spend, seed=valuation.seed
    )
    report("calibration period: forecasts")
    fits = {found.title: found for found in comparison.fits.values()}
    drawn = _drawn(valuation, rfm, fits.values(), spend)
    predicted = forecasts(lines, rfm, fits, drawn, ends=ends, level=LEVEL, seed=valuation.seed)
    chosen = comparison.fits[comparison.choice]
    deciles, captured = _by_value(valuation, rfm, later, (chosen, spend))
    return Tested(
        comparison=comparison,
        biases=_biases(comparison, missed(predicted, ends[0])),
        forecasts=predicted,
        calibration=_calibration(comparison),
        deciles=deciles,
        captures=captured,
    )


def _drawn(
    valuation: Valuation, rfm: pl.DataFrame, fits: Iterable[PurchaseFit], spend: SpendFit
) -> dict[str, ParameterDraws]:
    """Return draws of the parameters of several models, by the titles of these."""
    draws, seed = valuation.draws, valuation.seed
    return {one.title: parameter_draws(rfm, one, spend, draws=draws, seed=seed) for one in fits}


def _by_value(
    valuation: Valuation, rfm: pl.DataFrame, later: pl.DataFrame, fits: tuple[PurchaseFit, SpendFit]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return spend after the fit by tenth, and the share of it that several orders of the customers catch."""
    # As customers pay it, all of it and not discounted, so that it can be held against what they paid.
    expected, ranked, values = _valued(valuation, rfm, fits, days=valuation.holdout_days, rate=0.0, margin=1.0)
    came = rfm.select("customer_id").join(
        later.select("customer_id", realised="holdout_amount"), on="customer_id", how="left", maintain_order="left"
    )
    rankings = {
        fits[0].title: expected,
        "spend to date": rfm["frequency"] * rfm["monetary_value"].fill_null(0.0),
        "orders to date": rfm["frequency"],
    }
    return decile_values(ranked, values.group_totals, came), captures(rankings, came["realised"])


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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CustomerValuation:
    """What the customers of a shop are worth, and what that rests on.

    Attributes
    ----------
    valuation
        The case.
    hygiene
        reason, action, rows: what became of the rows of the orders.
    tested
        How models fitted to the first part of the orders predicted the rest.
    alive
        model, group, alive, low, high: who is taken for still being a customer, at the end of observation.
    purchases, spend
        The models that are used, fitted up to the end of observation.
    findings
        about, severity, sentence, advice: what the orders cannot say of these fits.
    values
        What each customer and all of them are worth.
    worth
        quantity, unit, mean, low, high: totals.
    deciles
        decile, customers, expected, low, high, realised (null): the value to come by tenth of the customers.
    at_risk
        Customers who have been silent for longer than is usual, those with most at stake first.
    assumptions, sources
        The numbers that somebody put in, and their sources.
    manifest
        What is needed to make this again.
    """

    valuation: Valuation
    hygiene: pl.DataFrame
    tested: Tested
    alive: pl.DataFrame
    purchases: PurchaseFit
    spend: SpendFit
    findings: pl.DataFrame
    values: CustomerValues
    worth: pl.DataFrame
    deciles: pl.DataFrame
    at_risk: pl.DataFrame
    assumptions: pl.DataFrame
    sources: pl.DataFrame
    manifest: Mapping[str, object]

    @property
    def customers(self) -> pl.DataFrame:
        """One row per customer, the most valuable first."""
        return self.values.table.sort(["value", "customer_id"], descending=[True, False])

    @property
    def headline(self) -> str:
        """What all customers together are worth, in one sentence without a full stop."""
        mean, low, high = (
            self.worth.filter(pl.col("quantity").str.starts_with(VALUE)).select("mean", "low", "high").row(0)
        )
        amount = in_words(mean, low, high, currency=self.valuation.currency)
        count, days = self.values.table.height, self.valuation.horizon_days
        return f"Over the next {figure(days)} days, the {figure(count)} customers are worth {amount}"

    @property
    def caveat(self) -> str:
        """What the intervals do not cover: by how much the model missed the orders that it had not seen."""
        bias = self.tested.biases.filter(pl.col("model") == self.purchases.title)["bias"].to_list()
        gap = f"{percent(abs(bias[0]))} {'fewer' if bias[0] < 0.0 else 'more'}" if bias else "other"
        fitted = f"fitted to orders up to {self.valuation.calibration_end.isoformat()}"
        predicted = f"{self.purchases.title} forecast {gap} orders than customers then placed"
        return f"They do not cover model error: {fitted}, {predicted}."


def value_customers(valuation: Valuation, *, progress: Progress | None = None) -> CustomerValuation:
    """Return what the customers of a shop are worth, how sure that is, and what it rests on.

    Parameters
    ----------
    valuation
        The case.
    progress
        Called with one short line at each step.

    Returns
    -------
    CustomerValuation
        Everything that the notebook on customer value shows. The same valuation gives the same numbers.

    Raises
    ------
    DataError, EstimationError, ParamError
        For orders that cannot be read, customers to whom models cannot be fitted, or sources that are not sound.
    """
    report, until = progress or (lambda _: None), valuation.observed_until
    report("orders")
    lines = orders_of(valuation, valuation.currency)
    test = tested(valuation, lines, report)
    report("all orders: models")
    rfm = summarise(lines, until=until)
    fits: dict[str, PurchaseFit] = {name: fit(rfm, model=name, observed_until=until) for name in valuation.models}
    spend = fit_spend(rfm, observed_until=until)
    report("all orders: value")
    purchases, drawn = fits[test.comparison.choice], _drawn(valuation, rfm, fits.values(), spend)
    _, ranked, values = _valued(
        valuation,
        rfm,
        (purchases, spend),
        days=valuation.horizon_days,
        rate=valuation.annual_discount_rate.value,
        margin=valuation.margin.value,
    )
    chosen, currency = drawn[purchases.title], valuation.currency
    worth = value_totals(rfm, values, (purchases, spend), chosen, margin=valuation.margin, currency=currency)
    return CustomerValuation(
        valuation=valuation,
        hygiene=lines.hygiene.table,
        tested=test,
        alive=alive_by_group(rfm, {title: one.purchases for title, one in drawn.items()}, LEVEL),
        purchases=purchases,
        spend=spend,
        findings=_findings(lines.findings, diagnose(rfm, purchases, spend), values.remarks, worth),
        values=values,
        worth=worth,
        deciles=decile_values(ranked, values.group_totals),
        at_risk=at_risk(rfm, values.table, purchases),
        assumptions=register(valuation),
        sources=source_table(valuation),
        manifest=valuation_manifest(valuation, rfm, values.table, lines.record),
    )


def _valued(
    valuation: Valuation,
    rfm: pl.DataFrame,
    fits: tuple[PurchaseFit, SpendFit],
    *,
    days: int,
    rate: float,
    margin: float,
) -> tuple[pl.Series, pl.DataFrame, CustomerValues]:
    """Return the expected revenue of each customer, the customers with their tenths by it, and their values."""
    expected = fits[0].clv(rfm, fits[1], annual_discount_rate=rate, horizon_days=days)["revenue"]
    ranked = with_deciles(rfm, expected)
    terms = ValuationTerms(
        horizon_days=days,
        annual_discount_rate=rate,
        margin=margin,
        level=LEVEL,
        draws=valuation.draws,
        seed=valuation.seed,
    )
    return expected, ranked, customer_values(ranked, *fits, terms, by="decile")


def _findings(orders: Iterable[Finding], fits: Diagnosis, remarks: Iterable[str], worth: pl.DataFrame) -> pl.DataFrame:
    """Return what is to be said of the orders, what they cannot say of the fits, and of which draws not to rely."""
    found = pl.concat([findings_table(orders), fits.table]).select("severity", "sentence", "advice", about="topic")
    rough = {"about": "draws", "severity": "caution", "advice": "Treat the intervals as approximate."}
    skewed = {"about": "interval", "severity": "caution", "advice": "Rely on the interval, not on the expected value."}
    rows = [{**rough, "sentence": remark} for remark in remarks]
    rows += [{**skewed, "sentence": sentence} for sentence in means_outside(worth, LEVEL)]
    table = found.select("about", "severity", "sentence", "advice")
    return pl.concat([table, pl.DataFrame(rows, schema=table.schema)])
