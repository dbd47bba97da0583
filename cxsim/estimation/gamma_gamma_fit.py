"""A fitted Gamma-Gamma model: customers (RFM) in, a table of expected spend per order out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.estimation.estimates import Estimates, Matrix
from cxsim.estimation.patterns import pasts
from cxsim.models import GammaGammaParams, gamma_gamma


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class GammaGammaFit:
    """A Gamma-Gamma model fitted to the repeat customers of a shop.

    Attributes
    ----------
    params
        Maximum-likelihood estimates, v in the currency of the orders.
    log_covariance
        Covariance of (log p, log q, log v); rows and columns in this order.
    log_likelihood
        Log-likelihood of all customers that were used.
    n_customers, n_left_out
        Customers used, and those left out because they have no repeat order or no positive monetary value.
    n_patterns
        Distinct (frequency, monetary_value) among the customers used.
    max_abs_gradient
        Largest derivative of the log-likelihood in a log-parameter that was left.
    observed_until
        Last day of the observation, where it is known.
    """

    params: GammaGammaParams
    log_covariance: Matrix
    log_likelihood: float
    n_customers: int
    n_left_out: int
    n_patterns: int
    max_abs_gradient: float
    observed_until: date | None = None

    def __post_init__(self) -> None:
        self._estimates()

    @property
    def std_errors(self) -> dict[str, float]:
        """Standard error of each parameter on the natural scale."""
        return self._estimates().std_errors()

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance of (p, q, v) on the natural scale; shape (3, 3)."""
        return self._estimates().covariance()

    def summary(self) -> pl.DataFrame:
        """Return one row per parameter: parameter, estimate, std_error."""
        return self._estimates().table()

    def expected_spend(self, rfm: pl.DataFrame) -> pl.DataFrame:
        """Return customer_id and expected_spend, the mean amount of the customer's future orders; rows as in `rfm`.

        Raises
        ------
        TableError, EstimationError, DataError
            If `rfm` does not keep the RFM contract, or holds an impossible past or a negative monetary value, or if
            the fitted q is at most 1, so that spend has no mean.
        """
        amounts = pasts(rfm)["monetary_value"].fill_null(float("nan")).to_numpy()
        spend = gamma_gamma.expected_spend(self.params, rfm["frequency"].to_numpy(), amounts)
        return rfm.select("customer_id", pl.Series("expected_spend", spend, dtype=pl.Float64))

    def _estimates(self) -> Estimates:
        found = self.params
        return Estimates(names=("p", "q", "v"), values=(found.p, found.q, found.v), log_covariance=self.log_covariance)

    def __repr__(self) -> str:
        return f"GammaGammaFit({self._estimates().line()}; {self.n_customers} customers)"

    def _repr_html_(self) -> str:
        notes = [f"{self.n_customers:,} repeat customers; {self.n_left_out:,} without repeat spend left out."]
        if self.observed_until is not None:
            notes.append(f"Observed until {self.observed_until.isoformat()}.")
        return self._estimates().page("Gamma-Gamma: what customers spend per order", notes)
