"""A table of customers (RFM) in, its distinct patterns with weights out: what a likelihood needs, and no more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.tables import RFM, check

FloatArray = NDArray[np.float64]

PAST = ["frequency", "recency_days", "age_days"]

# Fewer customers than this say next to nothing of four parameters.
MIN_CUSTOMERS = 20
# Chances of leaving are seen only after repeat orders; as many customers as parameters is the least.
MIN_REPEATERS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class PurchasePatterns:
    """Distinct pasts of customers, sorted, so that the order of the customers plays no part.

    Attributes
    ----------
    frequency, recency_days, age_days
        Repeat orders; age at the last order; age now. Shape (n_patterns,).
    weight
        Number of customers with this past.
    """

    frequency: FloatArray
    recency_days: FloatArray
    age_days: FloatArray
    weight: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class SpendPatterns:
    """Distinct pairs of repeat orders and their mean amount, sorted.

    Attributes
    ----------
    frequency, monetary_value
        Repeat orders, >= 1; mean amount of them, > 0. Shape (n_patterns,).
    weight
        Number of customers with this pair.
    n_left_out
        Customers without repeat order or without a positive mean amount, of whom Gamma-Gamma says nothing.
    """

    frequency: FloatArray
    monetary_value: FloatArray
    weight: FloatArray
    n_left_out: int


def pasts(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return `rfm` if it keeps the RFM contract and every past is possible.

    Raises
    ------
    TableError
        For a missing column, a wrong type or a missing value.
    EstimationError
        For negative counts, a last order after the end, or a last order without a repeat order.
    """
    frequency, last, age = (pl.col(name) for name in PAST)
    impossible = check(rfm, RFM).filter((frequency < 0) | (last < 0) | (last > age) | ((frequency == 0) != (last == 0)))
    if impossible.height:
        first = impossible.row(0, named=True)
        raise EstimationError(
            f"RFM: {impossible.height} of {rfm.height} customers have an impossible past; the first is "
            f"{first['customer_id']!r} with frequency {first['frequency']}, recency_days {first['recency_days']}, "
            f"age_days {first['age_days']}. It must be 0 <= recency_days <= age_days, and recency_days is 0 if and "
            "only if frequency is 0."
        )
    return rfm


def purchase_patterns(rfm: pl.DataFrame) -> PurchasePatterns:
    """Return the distinct pasts in `rfm` with the number of customers of each.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For an impossible past, and for too few customers or repeat customers.
    """
    repeaters = pasts(rfm).filter(pl.col("frequency") > 0).height
    if rfm.height < MIN_CUSTOMERS or repeaters < MIN_REPEATERS:
        raise EstimationError(
            f"BG/NBD: found {rfm.height} customers, {repeaters} of them with a repeat order; it needs at least "
            f"{MIN_CUSTOMERS} and {MIN_REPEATERS}. Chances of leaving show only after repeat orders: use a longer "
            "period or more customers."
        )
    distinct = rfm.group_by(PAST).agg(weight=pl.len()).sort(PAST).cast(pl.Float64)
    return PurchasePatterns(**{name: distinct[name].to_numpy() for name in [*PAST, "weight"]})


def spend_patterns(rfm: pl.DataFrame) -> SpendPatterns:
    """Return the distinct pairs of repeat orders and mean amount in `rfm`, with the number of customers of each.

    Raises
    ------
    TableError
        If `rfm` does not keep its contract.
    EstimationError
        For an impossible past, amounts that are not finite, too few repeat customers, or amounts all the same.
    """
    odd = pasts(rfm).filter(pl.col("monetary_value").is_not_null() & ~pl.col("monetary_value").is_finite()).height
    if odd:
        raise EstimationError(f"RFM: {odd} of {rfm.height} monetary values are NaN or infinite; leave them null.")
    pair = ["frequency", "monetary_value"]
    spenders = rfm.filter((pl.col("frequency") > 0) & (pl.col("monetary_value") > 0))
    if spenders.height < MIN_CUSTOMERS:
        raise EstimationError(
            f"Gamma-Gamma: found {spenders.height} customers with a repeat order and a positive monetary value among "
            f"{rfm.height}; it needs at least {MIN_CUSTOMERS}. Use a longer period or more customers."
        )
    if spenders["monetary_value"].n_unique() == 1:
        raise EstimationError(
            f"Gamma-Gamma: all {spenders.height} repeat customers have the same monetary value, "
            f"{spenders['monetary_value'][0]:g}, so there is no spread to fit. Check the amounts, or take this value "
            "as the spend of everyone."
        )
    distinct = spenders.group_by(pair).agg(weight=pl.len()).sort(pair).cast(pl.Float64)
    return SpendPatterns(
        frequency=distinct["frequency"].to_numpy(),
        monetary_value=distinct["monetary_value"].to_numpy(),
        weight=distinct["weight"].to_numpy(),
        n_left_out=rfm.height - spenders.height,
    )
