"""A shop's orders in; what a customer is worth by a product of averages, by a model, and why the two differ, out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.likelihood import Model
from cxsim.clv.terms import Terms, draws_for
from cxsim.clv.values import customer_values
from cxsim.data.rfm import summarise
from cxsim.data.shop import Shop
from cxsim.errors import DataError
from cxsim.metrics.contracts import CLV_STEPS
from cxsim.params import CENTS, DAYS_PER_YEAR
from cxsim.tables import check
from cxsim.wording import figure, money, percent


@dataclass(frozen=True, kw_only=True, slots=True)
class PredictiveClv:
    """What a customer is worth, by a product of averages and by a model.

    Attributes
    ----------
    currency
        Code of the currency.
    customers
        Customers whose first order was seen; both numbers are means over them.
    unseen
        Customers left out, because they ordered before the tables begin.
    horizon_days, margin
        Days that the model looks ahead, and share of revenue that is left of it.
    purchase_value, purchases_per_year, lifespan_years
        Means: of an order; of a customer's orders in a year of the observed time; from first to last order.
    product
        The three multiplied: revenue.
    mean_of_products
        The mean over customers of their own three multiplied: revenue.
    alive
        Share of the customers who are expected to be customers still.
    model, low, high
        What the horizon is expected to bring of a customer, discounted and after costs, with its 90 % interval.
    model_name
        Name of the model of orders and leaving.
    steps
        From the one to the other, under CLV_STEPS.
    """

    currency: str
    customers: int
    unseen: int
    horizon_days: int
    margin: float
    purchase_value: float
    purchases_per_year: float
    lifespan_years: float
    product: float
    mean_of_products: float
    alive: float
    model: float
    low: float
    high: float
    model_name: str
    steps: pl.DataFrame

    @property
    def ratio(self) -> float:
        """How many times as much the product of averages says as the model."""
        return self.product / self.model


@dataclass(frozen=True, kw_only=True, slots=True)
class _Averages:
    value: float
    per_year: float
    lifespan_years: float
    mean_of_products: float

    @property
    def product(self) -> float:
        return self.value * self.per_year * self.lifespan_years


@dataclass(frozen=True, kw_only=True, slots=True)
class _Modelled:
    title: str
    alive: float
    value: float
    low: float
    high: float


def predictive_clv(
    shop: Shop,
    *,
    horizon_days: int = 365,
    annual_discount_rate: float,
    margin: float,
    model: Model = "mbgnbd",
    seed: int = 0,
) -> PredictiveClv:
    """Return what a customer is worth by a model beside the product of averages that is often used for it.

    Fader & Hardie (2012), "Reconciling and clarifying CLV formulas", on what formulas of averages leave out.
    """
    lines, unseen = _lines(shop)
    until = (shop.until - timedelta(microseconds=1)).date()
    rfm = summarise(lines, until=until)
    terms = Terms(
        horizon_days=horizon_days,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        draws=draws_for(rfm.height, 0.9),
        seed=seed,
    )
    modelled = _modelled(rfm, until, terms, model)
    averages = _averages(lines, shop, until)
    return PredictiveClv(
        currency=shop.currency,
        customers=rfm.height,
        unseen=unseen,
        horizon_days=horizon_days,
        margin=margin,
        purchase_value=averages.value,
        purchases_per_year=averages.per_year,
        lifespan_years=averages.lifespan_years,
        product=averages.product,
        mean_of_products=averages.mean_of_products,
        alive=modelled.alive,
        model=modelled.value,
        low=modelled.low,
        high=modelled.high,
        model_name=modelled.title,
        steps=_steps(averages, modelled, terms, shop.currency),
    )


def _lines(shop: Shop) -> tuple[pl.DataFrame, int]:
    """Return the orders of customers whose first order was seen, and how many others there are."""
    reason = shop.missing("orders") or shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason} A customer's worth needs orders by customer.")
    orders = shop.table("orders").filter(pl.col("customer_id").is_not_null() & (pl.col("ordered_at") < shop.until))
    wanted = ["customer_id", "ordered_at", "amount"]
    if shop.missing("orders.order_number") is not None:
        lines, unseen = orders.select(wanted).collect(engine="streaming"), 0
    else:
        old = orders.group_by("customer_id").agg(pl.col("order_number").min()).filter(pl.col("order_number") > 1)
        new = orders.join(old, on="customer_id", how="anti").select(wanted)
        lines, counted = pl.collect_all([new, old.select(pl.len())], engine="streaming")
        unseen = counted.item()
    if lines.is_empty():
        raise DataError(
            f"{shop.name}: no order of a customer whose first order was seen; {unseen:,} customers are older."
        )
    return lines, unseen


def _modelled(rfm: pl.DataFrame, until: date, terms: Terms, model: Model) -> _Modelled:
    """Return what a customer is expected to bring, on average over customers under RFM."""
    if terms.margin == 0.0:
        raise DataError("margin must be above 0; customers of whom nothing is left have no value to compare.")
    purchases, spend = fit(rfm, model=model, observed_until=until), fit_spend(rfm, observed_until=until)
    values = customer_values(rfm, purchases, spend, terms)
    totals = {name: (mean, low, high) for name, mean, low, high in values.totals.iter_rows()}
    mean, low, high = (amount / rfm.height for amount in totals["value"])
    alive = float(values.table["prob_alive"].to_numpy().mean())
    return _Modelled(title=purchases.title, alive=alive, value=mean, low=low, high=high)


def _averages(lines: pl.DataFrame, shop: Shop, until: date) -> _Averages:
    years = ((until - shop.since.date()).days + 1) / DAYS_PER_YEAR
    each = (
        lines.group_by("customer_id")
        .agg(
            orders=pl.len(),
            cents=(pl.col("amount") * CENTS).round().cast(pl.Int64).sum(),
            days=(pl.col("ordered_at").max() - pl.col("ordered_at").min()).dt.total_seconds(),
        )
        .sort("customer_id")
    )
    paid, spans = each["cents"].to_numpy() / CENTS, each["days"].to_numpy() / 86_400 / DAYS_PER_YEAR
    orders = int(each["orders"].sum())
    return _Averages(
        value=float(paid.sum()) / orders,
        per_year=orders / each.height / years,
        lifespan_years=float(spans.mean()),
        # A customer's mean order times orders a year is what they paid a year.
        mean_of_products=float(np.mean(paid / years * spans)),
    )


def _steps(averages: _Averages, modelled: _Modelled, terms: Terms, currency: str) -> pl.DataFrame:
    def said(amount: float) -> str:
        return money(amount, currency) if currency else figure(amount, ",.2f")

    three = (
        f"{said(averages.value)} an order, times {figure(averages.per_year, '.2f')} orders a year, times "
        f"{figure(averages.lifespan_years, '.2f')} years from first to last order."
    )
    together = (
        "The same three multiplied customer by customer and then averaged: who stays longer also orders more, which a "
        "product of averages does not know."
    )
    ahead = (
        f"What the next {figure(terms.horizon_days)} days are expected to bring, in money of today. Lifespans seen "
        f"so far lie in the past, and {percent(modelled.alive)} of them are expected not to be over."
    )
    rows = [
        ("product of averages", averages.product, None, None, three),
        ("mean of products", averages.mean_of_products, None, None, together),
        (
            "after costs",
            averages.mean_of_products * terms.margin,
            None,
            None,
            f"A margin of {percent(terms.margin)} is left; revenue is not value.",
        ),
        ("model", modelled.value, modelled.low, modelled.high, ahead),
    ]
    schema = {name: kinds[0] for name, kinds in CLV_STEPS.columns.items()}
    return check(pl.DataFrame(rows, schema=schema, orient="row"), CLV_STEPS)
