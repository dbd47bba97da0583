"""Customers (RFM) and draws of the parameters in; what each customer and all of them will order and spend, out.

Customers go to the kernel in blocks, which bound the memory and are the unit of work for threads. Customers' outcomes
depend on themselves alone and sums are of whole numbers, so neither blocks nor threads nor the order of the customers
changes a bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.estimates import Params
from cxsim.clv.forecast_kernel import (
    BUYERS,
    COUNTERS,
    CUSTOMER_RECORD,
    FIELDS,
    ORDERS,
    OUTCOMES,
    PARAMS_RECORD,
    PART_BITS,
    PARTS,
    UNITS,
    Block,
    Family,
    IntArray,
    Question,
    Scratch,
    Thetas,
    forecast_customers,
)
from cxsim.clv.inputs import PAST, checked_amounts, is_count, require
from cxsim.clv.models.gamma_gamma import GammaGammaParams, SpendParams
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import PurchaseParams
from cxsim.clv.models.special import FloatArray
from cxsim.clv.posterior import Posterior
from cxsim.clv.purchase_fit import continuous_rate
from cxsim.errors import EstimationError, choices
from cxsim.jit import lean

# The sums of one block of this size, and of no larger one, stay in the range of whole numbers.
BLOCK_SIZE = 4096
_MOST_UNITS = 1 << 62
# Columns of the tables that a group's own column must not hide.
_TAKEN = ("draw", "orders", "buyers", "value", "quantity", "mean", "low", "high")
# (draws + 1) (1 - level) / 2 is often a whole number, and must not become the one below by rounding.
_ROUNDING = 1e-9
_TYPES = {"orders_low": pl.Int64, "orders_high": pl.Int64}


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What customers will order and spend, as far as it can be known.

    Attributes
    ----------
    customers
        One row per customer, as in the table that was asked about: customer_id; orders_mean, orders_low, orders_high;
        prob_order, the share of draws with any order; with a model of spend also value_mean, value_low, value_high.
    totals
        One row for each of `orders`, `buyers` (customers with any order) and `value`: quantity, mean, low, high. With
        groups, these rows for each group, after a column of the group's name.
    totals_by_draw
        One row per draw (and group): draw, orders, buyers, value.
    days
        How far ahead.
    level
        Probability that each interval holds, for one customer or one total at a time.
    draws
        Number of draws.
    """

    customers: pl.DataFrame
    totals: pl.DataFrame
    totals_by_draw: pl.DataFrame
    days: float
    level: float
    draws: int


def predict(
    rfm: pl.DataFrame,
    purchases: Sequence[PurchaseParams] | Posterior[PurchaseParams],
    spend: Sequence[SpendParams] | Posterior[SpendParams] | None = None,
    *,
    days: float,
    draws: int | None = None,
    seed: int = 0,
    level: float = 0.9,
    annual_discount_rate: float = 0.0,
    margin: float = 1.0,
    by: str | None = None,
) -> Prediction:
    """Return what each customer and all of them will order and spend in the next `days`, with intervals.

    Every draw takes one set of parameters and simulates what is ahead of every customer: whether they are still there,
    how often they order before they leave, and what they pay. So the intervals hold both what is not known of the
    parameters and what is chance.

    Parameters
    ----------
    rfm
        Customers under the RFM contract, unique customer_id.
    purchases
        Draws of the parameters of one model of orders, time in days: a posterior, or a sequence of parameters. The same
        parameters again and again leave chance alone.
    spend
        As many draws of the parameters of spend; None for orders alone.
    days
        How far ahead, > 0.
    draws
        How many of the draws to take, evenly spaced; all when None.
    seed
        Seed of the random numbers, 0 or larger. Those of a customer depend on seed, draw and customer_id alone: neither
        the order of the rows nor other customers move them.
    level
        Probability of each interval, above 0 and below 1. It takes at least 2 / (1 - level) - 1 draws.
    annual_discount_rate
        Effective rate a year, >= 0; an order at t days from now counts (1 + annual_discount_rate) ** -(t / 365.25).
    margin
        Share of each amount that counts as value, 0 to 1.
    by
        Column of `rfm`, without missing values, for whose values totals are given one by one.

    Returns
    -------
    Prediction
        Tables of customers, totals and totals by draw. The same bits for any number of threads.

    Raises
    ------
    TableError, EstimationError
        If `rfm` does not keep its contract, holds an impossible past, a name twice or a monetary value below 0, and
        for draws, days, level, rate, margin or column out of range.

    Notes
    -----
    Of n draws in order of size, the interval runs from number floor((n + 1) (1 - level) / 2), counted from 1, to the
    one as far from the top. What comes is as likely to fall between any two neighbours, so the interval holds with
    probability `level` or more, whatever n; for whole numbers usually more.

    Spend per order is Gamma distributed with a rate of the customer's own, drawn given their monetary_value; a
    customer without one is drawn from the population. Under one price, each order costs it.

    Examples
    --------
    >>> from cxsim.clv.models.bgnbd import BetaGeometricParams
    >>> shop = BetaGeometricParams(r=0.24, alpha=30.9, a=0.79, b=2.43)
    >>> rfm = pl.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob"],
    ...         "frequency": [26, 0],
    ...         "recency_days": [216, 0],
    ...         "age_days": [217, 217],
    ...         "monetary_value": [35.0, None],
    ...     }
    ... )
    >>> predict(rfm, [shop] * 1000, days=365).customers.select("customer_id", "orders_low", "orders_high")
    shape: (2, 3)
    ┌─────────────┬────────────┬─────────────┐
    │ customer_id ┆ orders_low ┆ orders_high │
    │ ---         ┆ ---        ┆ ---         │
    │ str         ┆ i64        ┆ i64         │
    ╞═════════════╪════════════╪═════════════╡
    │ ann         ┆ 1          ┆ 51          │
    │ bob         ┆ 0          ┆ 2           │
    └─────────────┴────────────┴─────────────┘
    """
    require({"days": days, "annual_discount_rate": annual_discount_rate, "margin": margin, "seed": seed})
    thetas, family = _thetas(_chosen(purchases, draws), [] if spend is None else _chosen(spend, draws))
    outside = draws_outside(level, len(thetas))
    rate = continuous_rate(annual_discount_rate)
    question = Question(float(days), rate, float(margin), outside, len(thetas) - 1 - outside, seed)
    groups, customers = _grouped(rfm, by)
    outcomes, counts = _forecast(customers, len(groups), thetas, family, question)
    # Of orders alone, the first of each.
    quantities, shown = ["orders", "buyers", "value"][: 2 + family.spends], OUTCOMES[: 4 + 3 * family.spends]
    by_draw = _totals_by_draw(counts, groups, by, quantities)
    # Popped one by one, so that no more than one column is held twice.
    columns = [pl.Series(name, outcomes.pop(name), dtype=_TYPES.get(name)) for name in shown]
    return Prediction(
        customers=pl.DataFrame([rfm["customer_id"], *columns]),
        totals=totals_over_draws(by_draw, quantities, outside, key=[] if by is None else [by]),
        totals_by_draw=by_draw,
        days=days,
        level=level,
        draws=len(thetas),
    )


def fewest_draws(level: float) -> int:
    """Return how many draws an interval of this level takes at least."""
    require({"level": level})
    return math.ceil(2.0 / (1.0 - level) - 1.0 - _ROUNDING)


def draws_outside(level: float, draws: int) -> int:
    """Return how many draws lie beyond each end of the interval."""
    if draws < fewest_draws(level):
        raise EstimationError(
            f"an interval of level {level:g} takes at least {fewest_draws(level):,} draws of the parameters; found "
            f"{draws:,}."
        )
    return math.floor((draws + 1) * (1.0 - level) / 2.0 + _ROUNDING) - 1


def totals_over_draws(
    by_draw: pl.DataFrame, quantities: Sequence[str], outside: int, *, key: Sequence[str] = ()
) -> pl.DataFrame:
    """Return one row per group and quantity: the columns of `key`, quantity, and its mean, low and high over draws."""
    ordered = pl.col("amount").sort()
    found = (
        by_draw.unpivot(quantities, index=[*key, "draw"], variable_name="quantity", value_name="amount")
        .cast({"amount": pl.Float64})
        .group_by([*key, "quantity"], maintain_order=True)
        .agg(mean=pl.col("amount").mean(), low=ordered.get(outside), high=ordered.get(-1 - outside))
    )
    return found.sort(key, maintain_order=True) if key else found


def _forecast(
    customers: pl.DataFrame, groups: int, thetas: Thetas, family: Family, question: Question
) -> tuple[dict[str, FloatArray], IntArray]:
    """Return what is known of every customer, and the sums of each group in each draw.

    One array for each of OUTCOMES, rows as in `customers`; whole numbers of shape (groups, draws, 4).
    """
    outcomes = {name: np.empty(customers.height) for name in OUTCOMES}
    counts = np.zeros((groups, len(thetas), COUNTERS), np.int64)

    def one(start: int) -> tuple[FloatArray, IntArray, int]:
        block, counted = _records(customers.slice(start, BLOCK_SIZE)), np.zeros_like(counts)
        found = np.empty((len(block), len(OUTCOMES)))
        equal_together = np.lexsort((block["age"], block["last"], block["frequency"]))
        scratch = Scratch(*np.empty((3, len(thetas))))
        return (
            found,
            counted,
            forecast_customers(block, equal_together, thetas, family, question, scratch, found, counted),
        )

    starts = range(0, customers.height, BLOCK_SIZE)
    with ThreadPoolExecutor(max_workers=cpu_count()) as pool:
        for start, (found, counted, too_large) in zip(starts, pool.map(one, starts), strict=True):
            for name, column in zip(OUTCOMES, found.T, strict=True):
                outcomes[name][start : start + len(found)] = column
            counts += counted
            # What the parts of units make in whole units is carried.
            counts[..., UNITS] += counts[..., PARTS] >> PART_BITS
            counts[..., PARTS] &= (1 << PART_BITS) - 1
            if too_large or counts[..., UNITS].max() >= _MOST_UNITS:
                raise EstimationError(
                    "the value of a customer exceeds 5e14, or that of all of them 4e18, in some draw: check the "
                    "largest monetary values, or count money in a larger unit."
                )
    return outcomes, counts


def _records(customers: pl.DataFrame) -> Block:
    """Return customers, under RFM and with a column `group`, as records for the kernel."""
    paid = pl.when(pl.col("monetary_value").is_not_null()).then("frequency").otherwise(0)
    columns = customers.select(
        pl.Series("number", customer_numbers(customers["customer_id"])),
        *PAST,
        paid=paid,
        total=paid * pl.col("monetary_value").fill_null(0.0),
        group="group",
    )
    return columns.to_numpy(structured=True).astype(CUSTOMER_RECORD)


def _chosen(source: Sequence[Params] | Posterior[Params], draws: int | None) -> list[Params]:
    """Return some draws of the parameters, evenly spaced."""
    there = len(source)
    wanted = there if draws is None else draws
    if not (is_count(wanted, least=1) and wanted <= there):
        raise EstimationError(f"found {there} draws of the parameters; asked for {wanted}, possible: 1 to {there}.")
    numbers = [i * there // wanted for i in range(wanted)]
    return [source.params(i) if isinstance(source, Posterior) else source[i] for i in numbers]


def _thetas(purchases: Sequence[PurchaseParams], spend: Sequence[SpendParams]) -> tuple[Thetas, Family]:
    """Return the draws as records, with what they have in common."""
    kinds = {(one.k, int(one.leaves_after_first), int(isinstance(one, ParetoNbdParams))) for one in purchases}
    if len(kinds) != 1:
        raise EstimationError(
            f"the draws of the parameters must all be of one model of orders; found {len(kinds)} models."
        )
    if spend and len(spend) != len(purchases):
        raise EstimationError(
            f"found {len(purchases)} draws of the parameters of orders and {len(spend)} of those of spend; each draw "
            "needs both, so there must be as many."
        )
    endless = [params.q for params in spend if isinstance(params, GammaGammaParams) and not params.has_mean]
    if endless:
        raise EstimationError(
            f"Gamma-Gamma: in {len(endless)} of {len(spend)} draws of the parameters mean spend is infinite; it "
            f"needs q > 1, and the smallest q is {min(endless):g}. The cause is usually a few very large "
            "orders: check the largest monetary values and exclude non-retail orders."
        )
    records = np.zeros(len(purchases), PARAMS_RECORD)
    for params in filter(None, (purchases, spend)):
        for name in FIELDS:
            if hasattr(params[0], name):
                records[name] = [getattr(one, name) for one in params]
    return records, Family(*kinds.pop(), spends=int(bool(spend)))


def _grouped(rfm: pl.DataFrame, by: str | None) -> tuple[pl.Series, pl.DataFrame]:
    """Return the names of the groups, and admitted customers with the column `group` that the kernel counts by."""
    different = checked_amounts(rfm, least=0.0)["customer_id"].n_unique()
    if different != rfm.height:
        raise EstimationError(
            f"RFM: {rfm.height} rows, but {different} different customer_id; each customer must have one row."
        )
    if by is None:
        return pl.Series([0]), rfm.with_columns(group=pl.lit(0, pl.Int64))
    if by not in rfm.columns or by in _TAKEN:
        possible = [name for name in rfm.columns if name not in _TAKEN]
        raise EstimationError(f"totals by column '{by}': {choices(by, possible)}")
    if rfm[by].null_count():
        raise EstimationError(f"totals by column '{by}': {rfm[by].null_count()} of {rfm.height} values are missing.")
    return rfm[by].unique().sort(), rfm.with_columns(group=pl.col(by).rank("dense").cast(pl.Int64) - 1)


def _totals_by_draw(counts: IntArray, names: pl.Series, by: str | None, quantities: Sequence[str]) -> pl.DataFrame:
    """Return one row per group and draw: the group's name if it has one, draw, and the `quantities`."""
    groups, draws, _ = counts.shape
    value = counts[..., UNITS] + np.ldexp(counts[..., PARTS].astype(np.float64), -PART_BITS)
    columns = {"orders": counts[..., ORDERS], "buyers": counts[..., BUYERS], "value": value}
    return pl.DataFrame(
        {
            **({} if by is None else {by: names.gather(np.repeat(np.arange(groups), draws))}),
            "draw": np.tile(np.arange(draws), groups),
            **{name: columns[name].ravel() for name in quantities},
        }
    )


# As polars' own hash may differ between its releases, and Python's between two runs.
_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def customer_numbers(customer_id: pl.Series) -> NDArray[np.uint64]:
    """Return a number for each name.

    Shape of `customer_id`. Two of ten million different names share a number once in 370,000 shops; all that follows
    is that the two share their random numbers.
    """
    numbers = np.empty(len(customer_id), np.uint64)
    if len(customer_id):
        text = customer_id.cast(pl.String)
        ends = text.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()
        _fill(numbers, np.frombuffer(text.str.join("").item().encode(), np.uint8), ends)
    return numbers


@lean
def _fill(numbers: NDArray[np.uint64], letters: NDArray[np.uint8], ends: IntArray) -> None:
    start = 0
    for i in range(len(numbers)):
        number = _OFFSET
        for place in range(start, ends[i]):
            number = (number ^ np.uint64(letters[place])) * _PRIME
        numbers[i] = number
        start = ends[i]
