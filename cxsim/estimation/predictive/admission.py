"""Arguments of a prediction in; the same in the kernel's terms, or a refusal that says what is possible, out."""

from __future__ import annotations

import math

import polars as pl

from cxsim.errors import EstimationError
from cxsim.estimation.admission import is_count
from cxsim.estimation.patterns import pasts
from cxsim.estimation.predictive.kernel import Question
from cxsim.units import DAYS_PER_YEAR

_SEEDS = 1 << 63
# (draws + 1) (1 - level) / 2 is often a whole number, and must not become the one below by rounding.
_ROUNDING = 1e-9


def admitted_question(
    *, days: float, annual_discount_rate: float, margin: float, level: float, draws: int, seed: int
) -> Question:
    """Return what is asked of every customer, in the kernel's terms; see `predict` for the parameters."""
    if not (math.isfinite(days) and days > 0.0):
        raise EstimationError(f"days must be finite and positive; found {days}.")
    if not (math.isfinite(annual_discount_rate) and annual_discount_rate >= 0.0):
        raise EstimationError(f"annual_discount_rate must be finite and not negative; found {annual_discount_rate}.")
    if not 0.0 <= margin <= 1.0:
        raise EstimationError(f"margin must be from 0 to 1; found {margin}.")
    outside = _outside(level, draws)
    return Question(
        days=float(days),
        rate=math.log1p(annual_discount_rate) / DAYS_PER_YEAR,
        margin=float(margin),
        low_rank=outside,
        high_rank=draws - 1 - outside,
        seed=admitted_seed(seed),
    )


def admitted_seed(seed: int) -> int:
    """Return `seed`, or refuse one that is no 63-bit number."""
    if not (is_count(seed, least=0) and seed < _SEEDS):
        raise EstimationError(f"the seed must be from 0 to {_SEEDS - 1}; found {seed}.")
    return seed


def admitted_customers(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return `rfm`, or refuse impossible pasts, names that come twice, and amounts that are none."""
    value = pl.col("monetary_value")
    odd = pasts(rfm).filter(value.is_not_null() & ~(value.is_finite() & (value >= 0.0)))
    if odd.height:
        raise EstimationError(
            f"RFM: {odd.height} of {rfm.height} monetary values are negative or not finite, the first "
            f"{odd['monetary_value'][0]} of customer {odd['customer_id'][0]!r}; leave out what is unknown (null)."
        )
    different = rfm["customer_id"].n_unique()
    if different != rfm.height:
        raise EstimationError(
            f"RFM: {rfm.height} rows, but {different} different customer_id; each customer must have one row."
        )
    return rfm


def _outside(level: float, draws: int) -> int:
    """Return how many draws lie beyond each end of the interval."""
    if not 0.0 < level < 1.0:
        raise EstimationError(f"level must be above 0 and below 1; found {level}.")
    end = math.floor((draws + 1) * (1.0 - level) / 2.0 + _ROUNDING)
    if end < 1:
        needed = math.ceil(2.0 / (1.0 - level) - 1.0 - _ROUNDING)
        raise EstimationError(
            f"an interval of level {level:g} takes at least {needed} draws of the parameters; found {draws}."
        )
    return end - 1
