"""The case of a valuation in; everything that says what its customers are worth, and how sure that is, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import polars as pl

from cxsim.clv.customer_value import (
    VALUE,
    CustomerValues,
    ParameterDraws,
    ValuationTerms,
    alive_by_group,
    at_risk,
    customer_values,
    draws_for,
    means_outside,
    parameter_draws,
    value_totals,
)
from cxsim.clv.diagnose import Diagnosis, diagnose
from cxsim.clv.fit import LOG_LIKELIHOOD, by_engine, fit, fit_spend
from cxsim.clv.likelihood import Model
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import SpendFit
from cxsim.clv.validation.compare import Comparison, compare
from cxsim.clv.validation.holdout import DECILES, captures, decile_values, forecasts, missed, with_deciles
from cxsim.data.orders import Transactions
from cxsim.data.rfm import TO_DATE, history, holdout, segments, summarise
from cxsim.data.shop import Finding, Policy, findings_table
from cxsim.study.assumptions import register, source_table
from cxsim.study.provenance import valuation_manifest
from cxsim.study.scenario import Valuation
from cxsim.study.sources import any_orders, orders_of
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
    engines
        model, parameter, native, lifetimes, difference: the same fits by both engines, side by side.
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
    engines: pl.DataFrame
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
        engines=_engines(rfm, (purchases, spend)),
        findings=_findings(lines.findings, diagnose(rfm, purchases, spend), values.remarks, worth),
        values=values,
        worth=worth,
        deciles=decile_values(ranked, values.group_totals),
        at_risk=at_risk(rfm, values.table, purchases),
        assumptions=register(valuation),
        sources=source_table(valuation),
        manifest=valuation_manifest(valuation, rfm, values.table, lines.record),
    )


def _engines(rfm: pl.DataFrame, fits: tuple[PurchaseFit, SpendFit]) -> pl.DataFrame:
    """Return both engines side by side, of lifetimes the digits that are the same on every machine."""
    theirs = pl.col("lifetimes")
    flat = pl.col("parameter") == LOG_LIKELIHOOD
    digits = pl.when(flat).then(theirs.round_sig_figs(9)).otherwise(theirs.round_sig_figs(6))
    return by_engine(rfm, fits).with_columns(lifetimes=digits, difference=pl.col("difference").round(5))


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


class ValuedOrders(NamedTuple):
    """The customers of a shop as a CRM takes them, and what stands behind the table.

    Attributes
    ----------
    table
        What `value` returns.
    values
        What each customer and all of them will bring.
    purchases
        The model of orders.
    findings
        What the orders cannot say of the fits.
    """

    table: pl.DataFrame
    values: CustomerValues
    purchases: PurchaseFit
    findings: pl.DataFrame


def value(
    orders: object,
    *,
    columns: Mapping[str, str] | None = None,
    policy: Policy | Mapping[str, object] | None = None,
    until: date | None = None,
    model: Model = "mbgnbd",
    horizon_days: float = 365.0,
    annual_discount_rate: float = 0.10,
    margin: float = 1.0,
    level: float = 0.9,
    draws: int | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Return one row per customer for a CRM: orders so far, segment, value with intervals, and rank.

    Parameters
    ----------
    orders
        Path of a shop's exports, or the name of a bundled shop such as "cdnow-sample"; a frame of polars, pandas or
        pyarrow; or what `read_shop` or `read_transactions` returned.
    columns, policy, until
        As in `read_transactions`, for orders that are still to be read.
    model
        Purchase and dropout model, as in `fit`. MBG/NBD does not assume that one-time buyers are active.
    horizon_days
        Days from the end of observation on in which orders count, above 0.
    annual_discount_rate
        Effective per year, >= 0.
    margin
        Share of revenue that counts as value, 0 to 1.
    level
        Probability of the intervals.
    draws
        Draws behind the intervals; by default fewer for millions of customers.
    seed
        Seed of all random numbers.

    Returns
    -------
    polars.DataFrame
        By customer_id: segment (RFM), rank and decile by value (1 is the highest); first_order, last_order,
        orders_to_date (order days) and spend_to_date; prob_alive, expected_orders and value, each with an interval;
        prob_none, the chance of no further order; days_to_next, the median days to the next one. docs/value-table.md
        defines every column. The same as `cxsim value` writes.

    Raises
    ------
    DataError, ParamError, EstimationError
        For orders that cannot be read, customers to whom no model can be fitted, and numbers out of range.

    Examples
    --------
    >>> customers = value("cdnow-sample", horizon_days=365, margin=0.3, draws=20)
    >>> customers.sort("rank").select("customer_id", "segment", "last_order", "orders_to_date", "decile").row(0)
    (1981, 'Champions', datetime.date(1998, 6, 17), 42, 1)
    """
    return value_orders(
        any_orders(orders, columns=columns, policy=policy, until=until),
        model=model,
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        level=level,
        draws=draws,
        seed=seed,
    ).table


def value_orders(
    orders: Transactions,
    *,
    model: Model,
    horizon_days: float,
    annual_discount_rate: float,
    margin: float,
    level: float,
    draws: int | None,
    seed: int,
    progress: Progress | None = None,
) -> ValuedOrders:
    """Return the table of `value` for orders that have been read, and what stands behind it."""
    terms = ValuationTerms(
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        level=level,
        draws=draws or draws_for(orders.totals.customers, level),
        seed=seed,
    )
    report, until = progress or (lambda _: None), orders.until
    report("models")
    customers = history(orders)
    rfm = customers.drop(TO_DATE)
    purchases, spend = fit(rfm, model=model, observed_until=until), fit_spend(rfm, observed_until=until)
    findings = diagnose(rfm, purchases, spend).table
    report(f"{terms.draws:,} draws")
    values = customer_values(rfm, purchases, spend, terms)
    # Both tables are sorted by customer, so that of equal values the first customer has the better rank.
    rank = values.table["value"].rank("ordinal", descending=True).cast(pl.Int64)
    table = customers.select(
        "customer_id",
        segments(customers),
        rank.alias("rank"),
        ((rank - 1) * DECILES // len(rank) + 1).alias("decile"),
        *TO_DATE,
    )
    return ValuedOrders(table.hstack(values.table.drop("customer_id")), values, purchases, findings)
