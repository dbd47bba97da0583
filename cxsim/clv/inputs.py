"""Customers (RFM) and numbers that a caller gives in; the same, checked, and their distinct pasts with counts, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from cxsim.clv.models.special import FloatArray
from cxsim.errors import EstimationError, TableError
from cxsim.tables import RFM, check
from cxsim.wording import figure

PAST = ["frequency", "recency_days", "age_days"]

# Fewer customers than this say next to nothing of four parameters.
MIN_CUSTOMERS = 20
# Chances of dropout are seen only after repeat orders; as many customers as parameters is the least.
MIN_REPEATERS = 4
_SEEDS = 1 << 63
# As many as of every other estimate.
_DIGITS_OF_A_PRICE = 10


_Rule = tuple[Callable[[float], bool], str]
_NOT_NEGATIVE: _Rule = (lambda number: 0.0 <= number < math.inf, "finite and not negative")
_COUNT: _Rule = (lambda number: is_count(number, least=1), "a whole number of at least 1")
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("after_days", "days", "annual_discount_rate", "acquisition_cost"), _NOT_NEGATIVE),
    **dict.fromkeys(("draws", "most"), _COUNT),
    "horizon_days": (lambda number: 0.0 < number < math.inf, "finite and positive"),
    "margin": (lambda number: 0.0 <= number <= 1.0, "a share from 0 to 1"),
    "level": (lambda number: 0.0 < number < 1.0, "above 0 and below 1"),
    "seed": (lambda number: is_count(number, least=0) and number < _SEEDS, f"from 0 to {_SEEDS - 1}"),
}


def require(numbers: Mapping[str, float]) -> None:
    """Refuse numbers, by the name of their argument, that are out of its range."""
    for name, number in numbers.items():
        holds, words = _RULES[name]
        if not holds(number):
            raise EstimationError(f"{name} must be {words}; found {number}.")


def is_count(number: float, *, least: int) -> bool:
    """Return whether a number is a whole one of at least `least`, and no truth value."""
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool) and number >= least


def checked_pasts(rfm: pl.DataFrame) -> pl.DataFrame:
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


def checked_amounts(rfm: pl.DataFrame, *, least: float = -math.inf) -> pl.DataFrame:
    """Return `rfm` if every past is possible and every monetary value is missing or a number of at least `least`."""
    value = pl.col("monetary_value")
    odd = checked_pasts(rfm).filter(~(value.is_finite() & (value >= least)))
    if odd.height:
        raise EstimationError(
            f"RFM: {odd.height} of {rfm.height} monetary values are {'not' if least < 0.0 else 'negative or not'} "
            f"finite, the first {odd['monetary_value'][0]} of customer {odd['customer_id'][0]!r}; leave out what is "
            "unknown (null)."
        )
    return rfm


def by_past(
    rfm: pl.DataFrame, columns: Callable[[FloatArray, FloatArray, FloatArray], Mapping[str, FloatArray]]
) -> pl.DataFrame:
    """Return customer_id and `columns` of frequency, recency and age, worked out once for each distinct past.

    Rows as in `rfm`.
    """
    keys, pasts_of = _past_keys(checked_pasts(rfm))
    places = (keys.rank("dense") - 1).cast(pl.Int64).to_numpy()
    found = columns(*arrays(pasts_of(keys.unique().sort())))
    return rfm.select("customer_id").with_columns(
        pl.Series(name, np.asarray(values)[places], dtype=pl.Float64) for name, values in found.items()
    )


def _past_keys(rfm: pl.DataFrame) -> tuple[pl.Series, Callable[[pl.Series], pl.DataFrame]]:
    """Return a whole number per past, in the order of pasts, and how to read it: faster than three columns."""
    most, recencies, ages = rfm.select(pl.col(PAST).max().fill_null(0) + 1).row(0)
    if most * recencies * ages >= _SEEDS:
        raise EstimationError(
            f"RFM: frequency up to {most - 1:,}, recency_days up to {recencies - 1:,} and age_days up to {ages - 1:,} "
            "are implausible; check for times in units other than days."
        )
    keys = rfm.select((pl.col(PAST[0]) * recencies + pl.col(PAST[1])) * ages + pl.col(PAST[2])).to_series()
    key = pl.col("key")
    parts = dict(zip(PAST, (key // ages // recencies, key // ages % recencies, key % ages), strict=True))
    return keys, lambda some: some.to_frame("key").select(**parts)


def arrays(table: pl.DataFrame) -> tuple[FloatArray, ...]:
    """Return the columns of a table as arrays of floats."""
    return tuple(column.cast(pl.Float64).to_numpy() for column in table)


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


def purchase_patterns(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return the distinct pasts, sorted: frequency, recency_days, age_days, and weight, the customers with each."""
    repeaters = checked_pasts(rfm).filter(pl.col("frequency") > 0).height
    _refuse_without_repeats(rfm, repeaters)
    if rfm.height < MIN_CUSTOMERS or repeaters < MIN_REPEATERS:
        raise EstimationError(
            f"found {rfm.height} customers, {repeaters} of them with a repeat order; a model of orders needs "
            f"at least {MIN_CUSTOMERS} and {MIN_REPEATERS}. Dropout shows only after repeat orders: use a "
            "longer period or more customers."
        )
    keys, pasts_of = _past_keys(rfm)
    runs = keys.sort().rle().struct
    return pasts_of(runs.field("value")).with_columns(weight=runs.field("len")).cast(pl.Float64)


# At 95 % confidence, no event means fewer than this many expected: -log(0.05), rounded up.
_RULE_OF_THREE = 3.0
_DAYS_OF_A_YEAR = 365


def _refuse_without_repeats(rfm: pl.DataFrame, repeaters: int) -> None:
    """Refuse customers of whom none came back, and say what can be said of them.

    Whatever the chances of each, nobody comes back with a probability of at most exp(-sum of them). Hanley &
    Lippman-Hand (1983), "If nothing goes wrong, is everything all right?", JAMA 249, 1743-1745. No point estimate is
    given: where nobody came back, a posterior says of coming orders what its prior says.
    """
    if repeaters or rfm.height < MIN_CUSTOMERS:
        return
    days, longest = int(rfm["age_days"].sum()), int(rfm["age_days"].max())  # type: ignore[arg-type]  # whole numbers
    seen = (
        f"found {figure(rfm.height)} customers, none with a second order within the {figure(longest)} days or less "
        f"that each was observed ({figure(days)} customer-days in all)"
    )
    bound = ""
    if days >= _RULE_OF_THREE:
        # Towards more who come back, so that rounding keeps them bounds.
        apart, yearly = math.floor(days / _RULE_OF_THREE), _RULE_OF_THREE * _DAYS_OF_A_YEAR * rfm.height / days
        bound = (
            " With 95 % confidence, on average at most one customer reorders per "
            f"{figure(apart)} customer-days (rule of three), and if that does not increase, at most "
            f"{figure(min(math.ceil(yearly), rfm.height))} of them in the next {_DAYS_OF_A_YEAR} days."
        )
    raise EstimationError(
        f"{seen}: without repeat orders no model can be fitted and no forecast can be made.{bound} "
        "Check that customer_id identifies customers, not orders, and that all orders are included; otherwise use a "
        "longer period."
    )


def spenders_of(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return the customers with repeat orders and a mean amount above 0."""
    return checked_amounts(rfm).filter((pl.col("frequency") > 0) & (pl.col("monetary_value") > 0))


def spend_patterns(rfm: pl.DataFrame) -> pl.DataFrame:
    """Return the distinct repeat orders and mean amounts above 0, sorted: frequency, monetary_value, weight."""
    spenders = spenders_of(rfm)
    _refuse_without_repeats(rfm, rfm.filter(pl.col("frequency") > 0).height)
    if spenders.height < MIN_CUSTOMERS:
        raise EstimationError(
            f"Gamma-Gamma: found {spenders.height} customers with a repeat order and a positive monetary value among "
            f"{rfm.height}; it needs at least {MIN_CUSTOMERS}. Use a longer period or more customers."
        )
    return _counted(spenders, ["frequency", "monetary_value"])


def one_price(rfm: pl.DataFrame) -> float | None:
    """Return what every repeat order costs, if all cost the same."""
    amounts = spenders_of(rfm)["monetary_value"]
    # Of whole cents a mean of equal amounts is that amount; of what others summed up, but for the last of its digits.
    same = amounts.len() >= MIN_REPEATERS and amounts.round_sig_figs(_DIGITS_OF_A_PRICE).n_unique() == 1
    return float(amounts.round_sig_figs(_DIGITS_OF_A_PRICE)[0]) if same else None


def _counted(customers: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Return distinct rows, sorted, so that the order of the customers plays no part."""
    return customers.group_by(columns).agg(weight=pl.len()).sort(columns).cast(pl.Float64)
