"""The case of a valuation in; everything that says what its customers are worth, and how sure that is, out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import polars as pl

from cxsim.clv.diagnose import diagnose
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.clv.terms import Terms, drawn_params
from cxsim.clv.validation.compare import Comparison, compare
from cxsim.clv.validation.holdout import captures, decile_values, forecasts, missed, with_deciles
from cxsim.clv.values import VALUE, CustomerValues, alive_by_group, at_risk, customer_values, worth
from cxsim.data.cdnow import named_orders
from cxsim.data.orders import Transactions
from cxsim.data.rfm import holdout, summarise
from cxsim.errors import ParamError
from cxsim.params import root
from cxsim.study.assumptions import register, source_table
from cxsim.study.provenance import commit, table_hash, versions
from cxsim.study.scenario import Valuation, load_valuation
from cxsim.wording import figure, in_words, percent

PACKAGES = ("altair", "cxsim", "great-tables", "nbconvert", "numba", "numpy", "papermill", "polars", "scipy")


def record(valuation: Valuation, rfm: pl.DataFrame, values: pl.DataFrame) -> dict[str, object]:
    """Return the manifest of an appraisal, as plain values for JSON."""
    content = json.dumps(dataclasses.asdict(valuation), sort_keys=True, default=str)
    return {
        "valuation": valuation.name,
        "title": valuation.title,
        "seed": valuation.seed,
        "draws": valuation.draws,
        "orders": valuation.orders,
        "calibration_end": valuation.calibration_end.isoformat(),
        "observed_until": valuation.observed_until.isoformat(),
        "valuation_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "customers_sha256": table_hash(rfm),
        "values_sha256": table_hash(values),
        "versions": versions((*PACKAGES, "statsmodels", "vl-convert-python")),
        "commit": commit(),
    } | _stored(valuation)


def _stored(valuation: Valuation) -> dict[str, object]:
    """Return file hashes and command where the valuation's name is enough to make it again."""
    try:
        if load_valuation(valuation.name) != valuation:
            return {}
    except ParamError:
        return {}
    folder = root() / "params"
    files = [folder / "sources.yaml", folder / "valuations" / f"{valuation.name}.yaml"]
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {"parameters_sha256": hashes, "command": f"cxsim report {valuation.name}"}


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
    predicted = forecasts(orders, rfm, fits, drawn, ends=ends, level=LEVEL, seed=valuation.seed)
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


Say = Callable[[str], None]


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
        How models fitted to the first part of the orders foretold the rest.
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
    spend: GammaGammaFit
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
        fitted = f"fitted to the orders up to {self.valuation.calibration_end.isoformat()}"
        predicted = f"{self.purchases.title} expected {gap} orders than came then"
        return f"They do not cover that the model may be wrong: {fitted}, {predicted}."


def value_customers(valuation: Valuation, *, progress: Say | None = None) -> CustomerValuation:
    """Return what the customers of a shop are worth, how sure that is, and what it rests on.

    Parameters
    ----------
    valuation
        The case.
    progress
        Called with one short line at each step.

    Returns
    -------
    Appraisal
        Everything that the notebook on customer value shows. The same valuation gives the same numbers.

    Raises
    ------
    DataError, EstimationError, ParamError
        For orders that cannot be read, customers to whom models cannot be fitted, or sources that are not sound.
    """
    say = progress if progress is not None else _silent
    say("orders")
    orders = named_orders(
        valuation.orders, columns=asdict(valuation.columns), until=valuation.observed_until, folder=root()
    )
    test = tested(valuation, orders, say)
    say("all orders: models")
    until = valuation.observed_until
    rfm = summarise(orders, until=until)
    fits: dict[str, PurchaseFit] = {name: fit(rfm, model=name, observed_until=until) for name in valuation.models}
    spend = fit_spend(rfm, observed_until=until)
    say("all orders: value")
    return _customer_valuation(valuation, orders.hygiene.table, test, rfm, fits=fits, spend=spend)


def _customer_valuation(
    valuation: Valuation,
    hygiene: pl.DataFrame,
    test: Tested,
    rfm: pl.DataFrame,
    *,
    fits: Mapping[str, PurchaseFit],
    spend: GammaGammaFit,
) -> CustomerValuation:
    terms, purchases = _terms(valuation), fits[test.comparison.choice]
    drawn = {one.title: drawn_params(rfm, one, spend, draws=terms.draws, seed=terms.seed) for one in fits.values()}
    expected = purchases.clv(
        rfm, spend, annual_discount_rate=terms.annual_discount_rate, horizon_days=terms.horizon_days
    )
    ranked = with_deciles(rfm, expected["revenue"])
    values = customer_values(ranked, purchases, spend, terms, by="decile")
    draws, margin = drawn[purchases.title], valuation.margin
    return CustomerValuation(
        valuation=valuation,
        hygiene=hygiene,
        tested=test,
        alive=alive_by_group(rfm, {title: one.purchases for title, one in drawn.items()}, LEVEL),
        purchases=purchases,
        spend=spend,
        findings=_findings(rfm, purchases, spend, values),
        values=values,
        worth=worth(rfm, values, (purchases, spend), draws, margin=margin, currency=valuation.currency),
        deciles=decile_values(ranked, values.group_totals),
        at_risk=at_risk(rfm, values.table, purchases),
        assumptions=register(valuation),
        sources=source_table(valuation),
        manifest=record(valuation, rfm, values.table),
    )


def _terms(valuation: Valuation) -> Terms:
    return Terms(
        horizon_days=valuation.horizon_days,
        annual_discount_rate=valuation.annual_discount_rate.value,
        margin=valuation.margin.value,
        level=LEVEL,
        draws=valuation.draws,
        seed=valuation.seed,
    )


def _findings(rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit, values: CustomerValues) -> pl.DataFrame:
    """Return what the orders cannot say of the fits, and what cannot be relied on in their draws."""
    found = diagnose(rfm, purchases, spend).table.select("severity", "sentence", "advice", about="topic")
    remarks = pl.DataFrame({"sentence": values.remarks}, schema={"sentence": pl.String}).select(
        "sentence", severity=pl.lit("caution"), advice=pl.lit("Read the intervals as rough."), about=pl.lit("draws")
    )
    columns = ["about", "severity", "sentence", "advice"]
    return pl.concat([found.select(columns), remarks.select(columns)])


def _silent(line: str) -> None:
    """Say nothing."""
