"""The case of a valuation in; everything that says what its customers are worth, and how sure that is, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import polars as pl

from cxsim.appraisal.alive import alive_by_group
from cxsim.appraisal.at_risk import at_risk
from cxsim.appraisal.drawn import drawn_params
from cxsim.appraisal.holdout_value import decile_values, with_deciles
from cxsim.appraisal.record import record
from cxsim.appraisal.terms import Terms
from cxsim.appraisal.tested import LEVEL, Tested, tested
from cxsim.appraisal.value_table import CustomerValues, customer_values
from cxsim.appraisal.worth import VALUE, worth
from cxsim.data import named_orders, summarise
from cxsim.estimation import GammaGammaFit, PurchaseFit, fit, fit_spend
from cxsim.estimation.diagnosis import diagnose
from cxsim.number_style import written_as
from cxsim.params import root
from cxsim.scenario import Valuation, register, source_table
from cxsim.wording import in_words, percent

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Appraisal:
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
        return f"Over the next {days:,} days, the {count:,} customers are worth {amount}"

    @property
    def caveat(self) -> str:
        """What the intervals do not cover: by how much the model missed the orders that it had not seen."""
        bias = self.tested.biases.filter(pl.col("model") == self.purchases.title)["bias"].to_list()
        gap = f"{percent(abs(bias[0]))} {'fewer' if bias[0] < 0.0 else 'more'}" if bias else "other"
        fitted = f"fitted to the orders up to {self.valuation.calibration_end.isoformat()}"
        foretold = f"{self.purchases.title} expected {gap} orders than came then"
        return f"They do not cover that the model may be wrong: {fitted}, {foretold}."


@written_as("en")  # a table is the same in every locale; who shows it writes its numbers anew
def appraise(valuation: Valuation, *, progress: Say | None = None) -> Appraisal:
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
    return _appraisal(valuation, orders.hygiene.table, test, rfm, fits=fits, spend=spend)


def _appraisal(
    valuation: Valuation,
    hygiene: pl.DataFrame,
    test: Tested,
    rfm: pl.DataFrame,
    *,
    fits: Mapping[str, PurchaseFit],
    spend: GammaGammaFit,
) -> Appraisal:
    terms, purchases = _terms(valuation), fits[test.comparison.choice]
    drawn = {one.title: drawn_params(rfm, one, spend, draws=terms.draws, seed=terms.seed) for one in fits.values()}
    expected = purchases.clv(
        rfm, spend, annual_discount_rate=terms.annual_discount_rate, horizon_days=terms.horizon_days
    )
    ranked = with_deciles(rfm, expected["revenue"])
    values = customer_values(ranked, purchases, spend, terms, by="decile")
    draws, margin = drawn[purchases.title], valuation.margin
    return Appraisal(
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
