"""A table of customers (RFM) in, its distinct patterns with weights out: what a likelihood needs, and no more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError, TableError
from cxsim.estimation.past_keys import past_keys
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
    """Return `rfm` if it keeps the RFM contract and every past is possible."""
    if not isinstance(rfm, pl.DataFrame):
        raise TableError(
            f"RFM: found a {type(rfm).__name__}; it must be a polars DataFrame: collect() a lazy one, and "
            "polars.from_pandas() takes one of pandas."
        )
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


def amounts(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return `rfm` if every past is possible and every monetary value is a number or missing."""
    odd = pasts(rfm).filter(pl.col("monetary_value").is_not_null() & ~pl.col("monetary_value").is_finite())
    if odd.height:
        raise EstimationError(
            f"RFM: {odd.height} of {rfm.height} monetary values are NaN or infinite, the first that of customer "
            f"{odd['customer_id'][0]!r}; leave them null."
        )
    return rfm


def log_gap_sum(rfm: pl.DataFrame) -> float:
    """Return the sum of ln(gap in days) over all gaps between order days, which tells regular buyers from others."""
    if "log_gaps" not in rfm.columns:
        raise EstimationError(
            "RFM: no column 'log_gaps', without which k cannot be chosen; summarise() adds it, or give k yourself."
        )
    # Added up in whole billionths, so that neither the order of the customers nor the number of threads matters.
    gaps = rfm.select(billionths=(pl.col("log_gaps") * 1e9).round())["billionths"]
    if gaps.null_count() or not gaps.is_finite().all() or (gaps < 0).any():
        raise EstimationError("RFM: log_gaps must be finite and not negative; gaps are whole days, at least 1.")
    return float(gaps.cast(pl.Int64).sum()) / 1e9


def purchase_patterns(rfm: pl.DataFrame) -> PurchasePatterns:
    """Return the distinct pasts in `rfm` with the number of customers of each."""
    repeaters = pasts(rfm).filter(pl.col("frequency") > 0).height
    if rfm.height < MIN_CUSTOMERS or repeaters < MIN_REPEATERS:
        raise EstimationError(
            f"found {rfm.height} customers, {repeaters} of them with a repeat order; a model of orders needs "
            f"at least {MIN_CUSTOMERS} and {MIN_REPEATERS}. Chances of leaving show only after repeat orders: use a "
            "longer period or more customers."
        )
    known = past_keys(rfm)
    runs = known.keys.sort().rle().struct
    frequency, recency_days, age_days = known.columns(runs.field("value"))
    weight = runs.field("len").cast(pl.Float64).to_numpy()
    return PurchasePatterns(frequency=frequency, recency_days=recency_days, age_days=age_days, weight=weight)


def spend_patterns(rfm: pl.DataFrame) -> SpendPatterns:
    """Return the distinct pairs of repeat orders and mean amount in `rfm`, with the number of customers of each."""
    pair = ["frequency", "monetary_value"]
    spenders = amounts(rfm).filter((pl.col("frequency") > 0) & (pl.col("monetary_value") > 0))
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
