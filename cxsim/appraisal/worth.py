"""What customers are worth on a valuation's terms in; totals in words with their intervals, out."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.appraisal.alive import alive_by_group
from cxsim.appraisal.drawn import Drawn
from cxsim.appraisal.terms import Terms
from cxsim.appraisal.value_table import CustomerValues
from cxsim.estimation import GammaGammaFit, PurchaseFit
from cxsim.models import gamma_gamma
from cxsim.models.purchases import discounted_expected_purchases_new
from cxsim.quantity import Quantity
from cxsim.rng import stream
from cxsim.units import DAYS_PER_YEAR
from cxsim.wording import NBSP

FloatArray = NDArray[np.float64]
# How the row of the headline begins.
VALUE = "Value, today"
Row = tuple[str, str, float, float, float]


def worth(
    rfm: pl.DataFrame,
    values: CustomerValues,
    fits: tuple[PurchaseFit, GammaGammaFit],
    drawn: Drawn,
    *,
    margin: Quantity,
    currency: str,
) -> pl.DataFrame:
    """Return totals over all customers, and what a new customer is worth on average."""
    terms, orders = values.terms, fits[0]
    totals = {name: (mean, low, high) for name, mean, low, high in values.totals.iter_rows()}
    alive = alive_by_group(rfm, {orders.title: drawn.purchases}, terms.level, group=pl.lit("all"))
    low, high = alive.select(pl.col("low", "high") * rfm.height).row(0)
    margins = _margins(margin, terms)
    left = _interval(values.totals_by_draw["value"].to_numpy() / terms.margin * margins, terms)
    mean, revenue_low, revenue_high = (amount / terms.margin for amount in totals["value"])
    span = f"next {terms.horizon_days:,.0f} days"
    share = f"{100 * margin.value:.3g}{NBSP}%"
    first = f"first {terms.horizon_days:,.0f} days"
    rows: list[Row] = [
        ("Still customers", "customers", float(values.table["prob_alive"].sum()), low, high),
        (f"Customers who order in the {span}", "customers", *totals["buyers"]),
        (f"Orders in the {span}", "orders", *totals["orders"]),
        (f"Revenue in the {span}, in today's money", currency, mean, revenue_low, revenue_high),
        (f"{VALUE}: what a margin of {share} leaves of it", currency, totals["value"][0], *left),
        (
            f"Value of a new customer in the {first}, first order included",
            currency,
            *_new_customer(fits, drawn, margins, terms),
        ),
    ]
    schema = {"quantity": pl.String, "unit": pl.String, "mean": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _margins(margin: Quantity, terms: Terms) -> FloatArray:
    """Return a margin for each draw, spread as its range says."""
    scores = stream(terms.seed, 0, "margin").standard_normal(terms.draws)
    return np.array([margin.quantile(float(score)) for score in scores])


def _new_customer(
    fits: tuple[PurchaseFit, GammaGammaFit], drawn: Drawn, margins: FloatArray, terms: Terms
) -> tuple[float, float, float]:
    """Return what a new customer brings on average, and how surely that mean is known."""
    rate = math.log1p(terms.annual_discount_rate) / DAYS_PER_YEAR
    found = [
        (1.0 + discounted_expected_purchases_new(orders, rate=rate, horizon=terms.horizon_days))
        * gamma_gamma.population_mean(spend)
        for orders, spend in zip(drawn.purchases, drawn.spends, strict=True)
    ]
    central = fits[0].clv_new(
        fits[1],
        annual_discount_rate=terms.annual_discount_rate,
        horizon_days=terms.horizon_days,
        margin=terms.margin,
    )
    return (float(central["contribution"][0]), *_interval(np.array(found) * margins, terms))


def _interval(drawn: FloatArray, terms: Terms) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.5 * (1.0 - terms.level), 0.5 * (1.0 + terms.level)])
    return float(low), float(high)
