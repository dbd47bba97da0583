"""Customers (RFM) and two fits in; what each customer and all of them will bring, with intervals, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.forecast import draws_outside, fewest_draws, predict, totals_over_draws
from cxsim.clv.inputs import PAST, arrays, by_past, require
from cxsim.clv.models.gamma_gamma import SpendParams, population_mean
from cxsim.clv.models.purchases import Outlook, PurchaseParams
from cxsim.clv.models.special import FloatArray, in_threads
from cxsim.clv.posterior import Posterior, posterior
from cxsim.clv.purchase_fit import PurchaseFit, continuous_rate
from cxsim.clv.spend_fit import SpendFit
from cxsim.errors import EstimationError
from cxsim.params import Quantity
from cxsim.rng import stream
from cxsim.wording import NBSP, figure

BUYERS = pl.when(pl.col("frequency") > 0).then(pl.lit("repeat buyers")).otherwise(pl.lit("one-time buyers"))
# Chances that are held at once by each thread: 8 MB.
_MOST_HELD = 1_000_000
# Customers times draws that are simulated at most: a minute or so for millions of customers on two processors.
_MOST_SIMULATED = 200_000_000
_MOST_DRAWS, _FEWEST_DRAWS = 400, 40
_QUANTITIES = ("orders", "buyers", "value")
_RENAMED = {"expected_purchases": "expected_orders", "contribution": "value", "days_p50": "days_to_next"}
_COLUMNS = (
    "customer_id",
    *("prob_alive", "prob_alive_low", "prob_alive_high"),
    *("expected_orders", "orders_low", "orders_high"),
    *("value", "value_low", "value_high"),
    *("prob_none", "days_to_next"),
)
# Nine in ten of the customers who come back have done so within the usual silence.
_USUAL = 0.9
# Sums are added up in another order than the ends of their intervals.
_ROUNDING = 1e-9
_SIX = ",.6g"
# How the row of the headline begins.
VALUE = "Present value"


@dataclass(frozen=True, kw_only=True, slots=True)
class ValuationTerms:
    """On what terms customers are valued.

    Attributes
    ----------
    horizon_days
        Days from the end of observation on in which orders count, above 0.
    annual_discount_rate
        Effective per year, >= 0.
    margin
        Share of what customers pay that counts as value, 0 to 1.
    level
        Probability of each interval, above 0 and below 1.
    draws
        Draws of parameters and of random numbers; at least 2 / (1 - level) - 1.
    seed
        Seed of all random numbers, 0 or larger.
    """

    horizon_days: float = 365.0
    annual_discount_rate: float = 0.10
    margin: float = 1.0
    level: float = 0.9
    draws: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        require(asdict(self))
        if self.draws < (fewest := fewest_draws(self.level)):
            raise EstimationError(
                f"an interval of level {self.level:g} takes at least {fewest:,} draws; found {self.draws:,}."
            )


class ParameterDraws(NamedTuple):
    """Equally likely parameters, as many of each model, and what a reader must know of them, one sentence each."""

    purchases: tuple[PurchaseParams, ...]
    spends: tuple[SpendParams, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CustomerValues:
    """What customers will bring.

    Attributes
    ----------
    table
        One row per customer, as in the table that was asked about: customer_id; prob_alive with prob_alive_low and
        prob_alive_high, by what is not known of the parameters; expected_orders with orders_low and orders_high, and
        value with value_low and value_high, by that and by chance; prob_none, the chance that no order ever comes;
        days_to_next, within which half of the next orders come if one comes, null where that is more than a century.
    totals
        quantity (orders, buyers, value), mean, low and high over all customers. The means of orders and value are the
        sums of the table's.
    group_totals
        The same for each group, after a column of the group's name; without groups, as `totals`.
    totals_by_draw
        One row per draw: draw, orders, buyers, value.
    terms
        On what terms.
    remarks
        What a reader must know, one sentence each.
    """

    table: pl.DataFrame
    totals: pl.DataFrame
    group_totals: pl.DataFrame
    totals_by_draw: pl.DataFrame
    terms: ValuationTerms
    remarks: tuple[str, ...]

    @property
    def outside(self) -> tuple[str, ...]:
        """Which of the `totals` have a mean outside their interval, and why, one sentence each."""
        return means_outside(self.totals, self.terms.level)


def customer_value(
    rfm: pl.DataFrame,
    purchases: PurchaseFit,
    spend: SpendFit,
    *,
    horizon_days: float,
    annual_discount_rate: float,
) -> pl.DataFrame:
    """Return what each customer is expected to spend over a finite horizon, in money of today, best first.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, unique customer_id.
    purchases, spend
        Models fitted to such customers.
    horizon_days
        Length of the horizon from the end of observation on, > 0 and finite.
    annual_discount_rate
        Effective rate a year, >= 0; 0.1 means that 1.10 in a year is 1 today.

    Returns
    -------
    polars.DataFrame
        customer_id; prob_alive; expected_orders in the horizon, not discounted; expected_spend per order;
        expected_value, the revenue discounted to the end of observation. The greatest value first, ties by
        customer_id.

    Raises
    ------
    TableError, EstimationError, DataError
        As `PurchaseFit.clv`, which says how value is computed; and for an infinite horizon.

    Examples
    --------
    >>> from cxsim.clv import fit, fit_spend
    >>> from cxsim.data import load_cdnow, summarise
    >>> rfm = summarise(load_cdnow(sample=True))
    >>> found = customer_value(rfm, fit(rfm), fit_spend(rfm), horizon_days=365, annual_discount_rate=0.1)
    >>> found.select(pl.col("expected_orders", "expected_value").round(2)).row(0)
    (23.86, 945.35)
    """
    require({"horizon_days": horizon_days})
    value = purchases.clv(rfm, spend, annual_discount_rate=annual_discount_rate, horizon_days=horizon_days)
    orders = purchases.expected_purchases(rfm, horizon_days)["expected_purchases"]
    return (
        value.with_columns(orders.alias("expected_orders"))
        .select("customer_id", "prob_alive", "expected_orders", "expected_spend", expected_value="revenue")
        .sort(["expected_value", "customer_id"], descending=[True, False])
    )


def draws_for(customers: int, level: float) -> int:
    """Return how many draws so many customers are simulated in, where nobody says otherwise."""
    wanted = min(_MOST_DRAWS, max(_FEWEST_DRAWS, _MOST_SIMULATED // max(customers, 1)))
    return max(wanted, fewest_draws(level))


def parameter_draws(
    rfm: pl.DataFrame, purchases: PurchaseFit, spend: SpendFit, *, draws: int, seed: int
) -> ParameterDraws:
    """Return draws of the parameters of orders and of spend from their posteriors.

    Draws in which mean spend is infinite (q of 1 or less) are replaced by others, as a shop's mean order is a number.
    """
    of_orders = posterior(purchases, rfm, draws=draws, seed=seed)
    of_spend: Posterior[SpendParams] = posterior(spend, rfm, draws=draws, seed=seed)
    finite = [params for params in map(of_spend.params, range(draws)) if params.has_mean]
    endless = draws - len(finite)
    if 2 * endless > draws:
        raise EstimationError(
            f"Gamma-Gamma: mean spend is infinite in {endless:,} of {draws:,} draws of its parameters (q of 1 or less; "
            f"estimated {spend.values[1]:.3g}). The cause is usually a few very large orders: check the largest "
            "monetary values and exclude non-retail orders."
        )
    remarks = [f"{one.title}: {one.verdict}" for one in (of_orders, of_spend) if not one.reliable]
    if endless:
        remarks.append(
            f"Gamma-Gamma: {endless:,} of {draws:,} draws had an infinite mean spend and were replaced; the values of "
            "the most valuable customers are less certain than their intervals suggest."
        )
    spends = tuple(finite[number % len(finite)] for number in range(draws))
    return ParameterDraws(tuple(map(of_orders.params, range(draws))), spends, tuple(remarks))


def customer_values(
    rfm: pl.DataFrame, purchases: PurchaseFit, spend: SpendFit, terms: ValuationTerms, *, by: str | None = None
) -> CustomerValues:
    """Return what each customer and all of them will bring on certain terms.

    An order at t days from now counts (1 + annual_discount_rate) ** -(t / 365.25).
    """
    rate, days, level = terms.annual_discount_rate, terms.horizon_days, terms.level
    drawn = parameter_draws(rfm, purchases, spend, draws=terms.draws, seed=terms.seed)
    predicted = predict(
        rfm,
        drawn.purchases,
        drawn.spends,
        days=days,
        seed=terms.seed,
        level=level,
        annual_discount_rate=rate,
        margin=terms.margin,
        by=by,
    )
    parts = [
        purchases.clv(rfm, spend, annual_discount_rate=rate, horizon_days=days, margin=terms.margin),
        _alive_intervals(rfm, drawn.purchases, level),
        purchases.expected_purchases(rfm, days).drop("customer_id"),
        predicted.customers.drop("customer_id"),
        purchases.days_to_next_purchase(rfm, [0.5]).drop("customer_id"),
    ]
    table = pl.concat(parts, how="horizontal").rename(_RENAMED).select(_COLUMNS)
    # Sums over groups, whose rows follow one another, in a fixed order of addition.
    sums = [predicted.totals_by_draw[name].to_numpy().reshape(-1, terms.draws).sum(axis=0) for name in _QUANTITIES]
    by_draw = pl.DataFrame({"draw": np.arange(terms.draws), **dict(zip(_QUANTITIES, sums, strict=True))})
    together = np.zeros(rfm.height, np.int64)
    place = together if by is None else rfm[by].rank("dense").cast(pl.Int64).to_numpy() - 1
    totals = totals_over_draws(by_draw, _QUANTITIES, draws_outside(level, terms.draws))
    return CustomerValues(
        table=table,
        totals=_with_means(totals, table, together),
        group_totals=_with_means(predicted.totals, table, place),
        totals_by_draw=by_draw,
        terms=terms,
        remarks=drawn.remarks,
    )


def means_outside(totals: pl.DataFrame, level: float) -> tuple[str, ...]:
    """Return a sentence for each row (quantity, mean, low, high) whose mean lies outside its interval, and why."""
    rows = totals.filter(outside("mean", "low", "high")).select("quantity", "mean", "low", "high")
    return tuple(
        f"{name[:1].upper()}{name[1:]}: the expected value of {figure(mean, _SIX)} lies "
        f"{'above' if mean > high else 'below'} its {figure(100 * level, 'g')}{NBSP}% interval of {figure(low, _SIX)} "
        f"to {figure(high, _SIX)}: the point estimates, or a few draws, give {'more' if mean > high else 'less'} than "
        "nearly all plausible parameters."
        for name, mean, low, high in rows.iter_rows()
    )


def outside(mean: str, low: str, high: str) -> pl.Expr:
    """Return whether a mean lies outside its interval, by more than what rounding in adding up can do."""
    slack = _ROUNDING * pl.col(mean).abs()
    return (pl.col(mean) > pl.col(high) + slack) | (pl.col(mean) < pl.col(low) - slack)


def rows_outside(customers: pl.DataFrame) -> tuple[str, ...]:
    """Return sentences on the customers who have an expected number outside its interval, and why."""
    alive = outside("prob_alive", "prob_alive_low", "prob_alive_high")
    ahead = outside("expected_orders", "orders_low", "orders_high") | outside("value", "value_low", "value_high")
    certain, skewed = (customers.filter(beyond).height for beyond in (alive, ahead))
    of_all = f"of {figure(customers.height)} customers"
    sentences = {
        f"{figure(skewed)} {of_all} have expected orders or an expected value outside their interval: it is a mean, "
        "and a few large outcomes beyond the interval can account for most of it, such as any order of customers "
        "who have almost certainly lapsed.": skewed,
        f"{figure(certain)} {of_all} have a P(alive) outside its interval: it uses the point estimates, and nearly "
        "all other plausible parameters give more, or less.": certain,
    }
    return tuple(sentence for sentence, rows in sentences.items() if rows)


def _alive_intervals(rfm: pl.DataFrame, params: Sequence[PurchaseParams], level: float) -> pl.DataFrame:
    """Return between what numbers the chance of still being a customer lies, as far as the parameters are known."""
    size = max(1, _MOST_HELD // len(params))

    def edges(*past: FloatArray) -> dict[str, FloatArray]:
        def part(start: int) -> FloatArray:
            some = [column[start : start + size] for column in past]
            return _interval([Outlook(one, *some).prob_alive() for one in params], level)

        found = [np.zeros((2, 0)), *in_threads(part, range(0, past[0].size, size))]
        return dict(zip(("prob_alive_low", "prob_alive_high"), np.concatenate(found, axis=1), strict=True))

    return by_past(rfm, edges).drop("customer_id")


def _with_means(totals: pl.DataFrame, table: pl.DataFrame, place: NDArray[np.int64]) -> pl.DataFrame:
    """Put the sums over the table in the place of the means over draws, so that the two never differ."""
    mean = totals["mean"].to_numpy().reshape(-1, len(_QUANTITIES)).copy()
    # Not by polars' sum, whose order of addition hangs on how the table lies in memory.
    for column, name in ((0, "expected_orders"), (2, "value")):
        mean[:, column] = np.bincount(place, weights=table[name].to_numpy())
    return totals.with_columns(mean=mean.ravel())


def alive_by_group(
    rfm: pl.DataFrame, params: Mapping[str, Sequence[PurchaseParams]], level: float, *, group: pl.Expr = BUYERS
) -> pl.DataFrame:
    """Return which share of each group of customers each model takes for still being customers."""
    pasts = rfm.with_columns(group=group).group_by("group", *PAST).len("customers").sort("group", *PAST)
    rows = []
    for (name,), part in pasts.group_by("group", maintain_order=True):
        *past, weights = arrays(part.select(*PAST, "customers"))
        for model, draws in params.items():
            shares = [(Outlook(one, *past).prob_alive() @ weights) / weights.sum() for one in draws]
            rows.append((model, name, np.mean(shares), *_interval(shares, level)))
    return pl.DataFrame(rows, schema=["model", "group", "alive", "low", "high"], orient="row")


def at_risk(rfm: pl.DataFrame, values: pl.DataFrame, purchases: PurchaseFit) -> pl.DataFrame:
    """Return the customers who have been silent for longer than is usual for them, those with most at stake first."""
    then = rfm.with_columns(age_days="recency_days")
    return (
        rfm.select("customer_id", "frequency", silent_days=pl.col("age_days") - pl.col("recency_days"))
        .with_columns(
            purchases.days_to_next_purchase(then, [_USUAL]).select(usual_days="days_p90"),
            prob_alive_then=purchases.prob_alive(then)["prob_alive"],
        )
        .filter(pl.col("silent_days") > pl.col("usual_days"))
        .join(values, on="customer_id", how="left", maintain_order="left")
        .with_columns(at_stake=pl.col("value") * (pl.col("prob_alive_then") - pl.col("prob_alive")))
        .sort(["at_stake", "customer_id"], descending=[True, False])
        .select(
            "customer_id",
            "silent_days",
            "usual_days",
            "prob_alive",
            "prob_alive_then",
            "value",
            "value_low",
            "value_high",
            orders=pl.col("frequency") + 1,
        )
    )


def value_totals(
    rfm: pl.DataFrame,
    values: CustomerValues,
    fits: tuple[PurchaseFit, SpendFit],
    drawn: ParameterDraws,
    *,
    margin: Quantity,
    currency: str,
) -> pl.DataFrame:
    """Return totals over all customers, and the mean value of a new customer."""
    terms, level = values.terms, values.terms.level
    totals = {name: ends for name, *ends in values.totals.iter_rows()}
    alive = alive_by_group(rfm, {fits[0].title: drawn.purchases}, level, group=pl.lit("all"))
    scores = stream(terms.seed, 0, "margin").standard_normal(terms.draws)
    # A margin for each draw, spread as its range says.
    margins = np.array(list(map(margin.quantile, scores.tolist())))
    left = _interval(values.totals_by_draw["value"].to_numpy() / terms.margin * margins, level)
    days = f"{terms.horizon_days:,.0f} days"
    kept = f"{VALUE} at a margin of {100 * margin.value:.3g}{NBSP}%"
    new = f"Value of a new customer in the first {days}, including the first order"
    still = values.table["prob_alive"].sum(), *alive.select(pl.col("low", "high") * rfm.height).row(0)
    rows = [
        ("Customers still active", "customers", *still),
        (f"Customers who order in the next {days}", "customers", *totals["buyers"]),
        (f"Orders in the next {days}", "orders", *totals["orders"]),
        (f"Discounted revenue in the next {days}", currency, *(end / terms.margin for end in totals["value"])),
        (kept, currency, totals["value"][0], *left),
        (new, currency, *_new_customer(fits, drawn, margins, terms)),
    ]
    return pl.DataFrame(rows, schema=["quantity", "unit", "mean", "low", "high"], orient="row")


def _new_customer(
    fits: tuple[PurchaseFit, SpendFit], drawn: ParameterDraws, margins: FloatArray, terms: ValuationTerms
) -> tuple[float, ...]:
    """Return what a new customer brings on average, and how surely that mean is known."""
    rate = continuous_rate(terms.annual_discount_rate)

    def revenue(orders: PurchaseParams, spend: SpendParams) -> float:
        later = Outlook(orders).discounted_purchases(rate=rate, horizon=terms.horizon_days)
        return float((1.0 + later) * population_mean(spend))

    found = np.array(list(map(revenue, drawn.purchases, drawn.spends)))
    return (revenue(fits[0].params, fits[1].params) * terms.margin, *_interval(found * margins, terms.level))


def _interval(drawn: FloatArray | list[FloatArray] | list[float], level: float) -> FloatArray:
    """Return between what numbers draws lie, over the first axis."""
    return np.quantile(drawn, [0.5 * (1.0 - level), 0.5 * (1.0 + level)], axis=0)
