"""Customers (RFM) in; each distinct past once, and what was computed for it handed to its customers, out.

What comes depends on frequency and age alone, so it is computed once for each pair of these, of which there are far
fewer than pasts, and fewer still than customers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.estimation.past_keys import past_keys
from cxsim.estimation.patterns import pasts
from cxsim.models import PurchaseParams, purchases

FloatArray = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pasts:
    """The distinct pasts of customers.

    Attributes
    ----------
    frequency, last_order, age
        Each past once, sorted; shape (n,).
    past_of
        Which past each customer has; shape (customers,).
    pair_frequency, pair_age
        Distinct pairs of frequency and age; shape (pairs,).
    pair_of
        Which pair each past has; shape (n,).
    """

    frequency: FloatArray
    last_order: FloatArray
    age: FloatArray
    past_of: Places
    pair_frequency: FloatArray
    pair_age: FloatArray
    pair_of: Places

    def now(self, params: PurchaseParams) -> FloatArray:
        """Return the probability of being alive in each phase; shape (n, k)."""
        return purchases.model_of(params).phase_probs(params, self.frequency, self.last_order, self.age)

    def ahead(self, by_pair: Callable[[FloatArray, FloatArray], FloatArray]) -> FloatArray:
        """Return what comes, given that the customer is alive in each phase; shape (n, k)."""
        return np.asarray(by_pair(self.pair_frequency, self.pair_age)[self.pair_of])


def pasts_of(rfm: pl.DataFrame) -> Pasts:
    """Return the distinct pasts in `rfm`."""
    known = past_keys(pasts(rfm))
    distinct, past_of = _ranked(known.keys)
    frequency, last_order, age = known.columns(distinct)
    days = int(age.max(initial=0.0)) + 1
    pairs, pair_of = _ranked(pl.Series(frequency.astype(np.int64) * days + age.astype(np.int64)))
    return Pasts(
        frequency=frequency,
        last_order=last_order,
        age=age,
        past_of=past_of,
        pair_frequency=(pairs // days).cast(pl.Float64).to_numpy(),
        pair_age=(pairs % days).cast(pl.Float64).to_numpy(),
        pair_of=pair_of,
    )


def joined(rfm: pl.DataFrame, known: Pasts, columns: Mapping[str, FloatArray]) -> pl.DataFrame:
    """Return customer_id and `columns`, which hold a number for each of the distinct pasts; rows as in `rfm`."""
    return rfm.select("customer_id").with_columns(
        pl.Series(name, values[known.past_of], dtype=pl.Float64) for name, values in columns.items()
    )


def together(now: FloatArray, ahead: FloatArray) -> FloatArray:
    """Return the mean over phases: shape (n,) from two arrays of shape (n, k)."""
    return np.asarray(np.einsum("ij,ij->i", now, ahead))


def _ranked(keys: pl.Series) -> tuple[pl.Series, Places]:
    """Return the distinct keys, sorted, and the place of each key among them."""
    places = keys.rank("dense").cast(pl.Int64) - 1
    return keys.unique().sort(), places.to_numpy()
