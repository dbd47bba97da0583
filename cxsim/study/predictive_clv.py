"""A shop's orders in; the value of a customer by a product of averages, by a model, and why the two differ, out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from cxsim.clv.customer_value import CustomerValues, ValuationTerms, customer_values, draws_for
from cxsim.clv.fit import fit, fit_spend
from cxsim.clv.likelihood import Model
from cxsim.data.rfm import summarise
from cxsim.data.shop import Shop
from cxsim.errors import DataError
from cxsim.params import CENTS, DAYS_PER_YEAR
from cxsim.tables import REAL, TEXT, Contract, table_of
from cxsim.wording import figure, money, percent

# What a customer is worth, step by step from the product of averages to the model. low, high: 90 % interval of the
# model's mean, by the uncertainty of its parameters and by chance; null where a step has none.
CLV_STEPS = Contract("CLV_STEPS", TEXT("step"), REAL("value", "low", "high"), TEXT("why"), nullable=("low", "high"))


# Years of 365 days, for a shop that plans by them.
_HORIZON_DAYS = 365
_MODEL: Model = "mbgnbd"


def predictive_clv(shop: Shop, *, annual_discount_rate: float, margin: float) -> pl.DataFrame:
    """Return the value of a customer by a model beside the product of averages often used for it, under CLV_STEPS.

    Fader & Hardie (2012), "Reconciling and clarifying CLV formulas", on what formulas of averages leave out.
    """
    lines = _lines(shop)
    until = (shop.until - timedelta(microseconds=1)).date()
    rfm = summarise(lines, until=until)
    terms = ValuationTerms(
        horizon_days=_HORIZON_DAYS,
        annual_discount_rate=annual_discount_rate,
        margin=margin,
        draws=draws_for(rfm.height, 0.9),
        seed=0,
    )
    if margin == 0.0:
        raise DataError("margin must be above 0; without a margin there is no value to compare.")
    purchases, spend = fit(rfm, model=_MODEL, observed_until=until), fit_spend(rfm, observed_until=until)
    values = customer_values(rfm, purchases, spend, terms)
    return _steps(_averages(lines, shop, until), values, terms, shop.currency)


def _lines(shop: Shop) -> pl.DataFrame:
    """Return the orders of customers whose first order was seen."""
    reason = shop.missing("orders") or shop.missing("orders.customer_id")
    if reason is not None:
        raise DataError(f"{shop.name}: {reason} Customer value needs orders by customer.")
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
            f"{shop.name}: no orders of customers whose first order is in the data; {unseen:,} customers are older."
        )
    return lines


def _averages(lines: pl.DataFrame, shop: Shop, until: date) -> tuple[float, float, float, float]:
    """Return means: of an order; of a customer's orders in a year; of years from first to last; of their product."""
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
    # A customer's mean order times orders a year is what they paid a year.
    by_customer = float(np.mean(paid / years * spans))
    return float(paid.sum()) / orders, orders / each.height / years, float(spans.mean()), by_customer


def _steps(
    averages: tuple[float, float, float, float], values: CustomerValues, terms: ValuationTerms, currency: str
) -> pl.DataFrame:
    value, per_year, lifespan_years, mean_of_products = averages
    total = values.totals.filter(quantity="value").select("mean", "low", "high") / values.table.height
    alive = float(values.table["prob_alive"].to_numpy().mean())
    order = money(value, currency) if currency else figure(value, ",.2f")
    multiplied = (
        f"{order} per order, times {figure(per_year, '.2f')} orders a year, times "
        f"{figure(lifespan_years, '.2f')} years from first to last order."
    )
    by_customer = (
        "The same three factors multiplied per customer and then averaged: customers with longer lifespans also order "
        "more, which a product of averages ignores."
    )
    after_costs = f"Revenue times a margin of {percent(terms.margin)}."
    expected = (
        f"Expected margin of the next {figure(terms.horizon_days)} days, discounted. Observed lifespans cover the past "
        f"only, and {percent(alive)} of customers are expected to be still active."
    )
    rows = [
        ("product of averages", value * per_year * lifespan_years, None, None, multiplied),
        ("mean of products", mean_of_products, None, None, by_customer),
        ("after costs", mean_of_products * terms.margin, None, None, after_costs),
        ("model", *total.row(0), expected),
    ]
    return table_of(rows, CLV_STEPS)
