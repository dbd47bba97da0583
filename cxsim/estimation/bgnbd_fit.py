"""A fitted BG/NBD model: customers (RFM) and a horizon in, tables of P(alive) and expected orders out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.errors import EstimationError
from cxsim.estimation.estimates import Estimates, Matrix
from cxsim.estimation.patterns import PAST, pasts
from cxsim.models import BgNbdParams, bgnbd

FloatArray = NDArray[np.float64]
Formula = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class BgNbdFit:
    """A BG/NBD model fitted to the customers of a shop.

    Attributes
    ----------
    params
        Maximum-likelihood estimates, alpha in days.
    log_covariance
        Covariance of (log r, log alpha, log a, log b); rows and columns in this order.
    log_likelihood
        Log-likelihood of all customers, time in days.
    n_customers, n_patterns
        Customers, and distinct (frequency, recency_days, age_days) among them.
    max_abs_gradient
        Largest derivative of the log-likelihood in a log-parameter that was left.
    observed_until
        Last day of the observation, where it is known.
    """

    params: BgNbdParams
    log_covariance: Matrix
    log_likelihood: float
    n_customers: int
    n_patterns: int
    max_abs_gradient: float
    observed_until: date | None = None

    def __post_init__(self) -> None:
        self._estimates()

    @property
    def std_errors(self) -> dict[str, float]:
        """Standard error of each parameter on the natural scale, alpha in days."""
        return self._estimates().std_errors()

    @property
    def covariance(self) -> FloatArray:
        """Covariance of (r, alpha, a, b) on the natural scale, alpha in days; shape (4, 4)."""
        return self._estimates().covariance()

    def summary(self) -> pl.DataFrame:
        """Return one row per parameter: parameter, estimate, std_error."""
        return self._estimates().table()

    def prob_alive(self, rfm: pl.DataFrame) -> pl.DataFrame:
        """Return customer_id and prob_alive, the probability that the customer has not left; rows as in `rfm`.

        Raises
        ------
        TableError, EstimationError
            If `rfm` does not keep the RFM contract, or holds an impossible past.
        """
        return by_pattern(rfm, "prob_alive", lambda x, last, age: bgnbd.prob_alive(self.params, x, last, age))

    def expected_purchases(self, rfm: pl.DataFrame, days: float) -> pl.DataFrame:
        """Return customer_id and expected_purchases, the orders expected in the next `days`; rows as in `rfm`.

        Raises
        ------
        TableError, EstimationError
            If `rfm` does not keep the RFM contract, or holds an impossible past, or `days` is negative.
        """
        if not (np.isfinite(days) and days >= 0.0):
            raise EstimationError(f"days must be finite and not negative; found {days}.")
        return by_pattern(
            rfm,
            "expected_purchases",
            lambda x, last, age: bgnbd.expected_purchases(self.params, x, last, age, time=days),
        )

    def _estimates(self) -> Estimates:
        found = self.params
        return Estimates(
            names=("r", "alpha", "a", "b"),
            values=(found.r, found.alpha, found.a, found.b),
            log_covariance=self.log_covariance,
        )

    def __repr__(self) -> str:
        return f"BgNbdFit({self._estimates().line()}; days; {self.n_customers} customers)"

    def _repr_html_(self) -> str:
        notes = [f"Time in days. {self.n_customers:,} customers in {self.n_patterns:,} patterns."]
        if self.observed_until is not None:
            notes.append(f"Observed until {self.observed_until.isoformat()}.")
        return self._estimates().page("BG/NBD: how customers order and leave", notes)


def by_pattern(rfm: pl.DataFrame, name: str, formula: Formula) -> pl.DataFrame:
    """Return customer_id and `name`, computed once for each distinct past; rows as in `rfm`."""
    distinct = pasts(rfm).select(PAST).unique(maintain_order=True)
    past = (distinct[column].cast(pl.Float64).to_numpy() for column in PAST)
    computed = distinct.with_columns(pl.Series(name, formula(*past), dtype=pl.Float64))
    return rfm.join(computed, on=PAST, how="left", maintain_order="left").select("customer_id", name)
