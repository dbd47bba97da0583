"""A fitted Gamma-Gamma model: customers (RFM) in, a table of expected spend per order out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.likelihood import amounts
from cxsim.clv.models.gamma_gamma import GammaGammaParams, expected_spend
from cxsim.clv.optimum import Estimates, Matrix, Summary


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
        Largest derivative, in a log-parameter, of what was maximised.
    basis
        `likelihood`: the estimates are where the likelihood is highest. `prior`: it has no top; the estimates are then
        where a posterior with weak priors is highest.
    loose
        Parameters that the data do not determine; empty where the basis is `likelihood`.
    engine
        What found the maximum: `native` or `lifetimes`.
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
    basis: Literal["likelihood", "prior"] = "likelihood"
    loose: tuple[str, ...] = ()
    engine: str = "native"
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

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return ("p", "q", "v")

    @property
    def title(self) -> str:
        """Name of the model for readers."""
        return "Gamma-Gamma"

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better."""
        return 2.0 * len(self.names) - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz' criterion; smaller is better."""
        return math.log(self.n_customers) * len(self.names) - 2.0 * self.log_likelihood

    def estimates(self) -> pl.DataFrame:
        """Return one row per parameter: parameter, estimate, std_error."""
        return self._estimates().table()

    def conf_int(self, level: float = 0.95) -> pl.DataFrame:
        """Return one row per parameter: parameter, low, high; normal on the logarithm.

        Raises
        ------
        EstimationError
            If `level` is not between 0 and 1.
        """
        return self._estimates().intervals(level)

    def summary(self) -> Summary:
        """Return a page on the fit, in the look of statsmodels."""
        facts = [
            ("Model", self.title),
            ("Method", "Maximum likelihood" if self.basis == "likelihood" else "Posterior mode, weak priors"),
            ("Engine", self.engine),
            ("Observed until", "unknown" if self.observed_until is None else self.observed_until.isoformat()),
            ("No. Customers", f"{self.n_customers:,}"),
            ("No. Left Out", f"{self.n_left_out:,}"),
            ("Log-Likelihood", f"{self.log_likelihood:,.3f}"),
            ("AIC", f"{self.aic:,.1f}"),
        ]
        notes = [
            f"Largest |gradient| in a log-parameter: {self.max_abs_gradient:.1e}.",
            "Intervals are normal on the logarithm of the parameter.",
            "Left out: customers without repeat order or positive repeat spend.",
        ]
        table = self.estimates().join(self.conf_int(), on="parameter", maintain_order="left")
        return Summary(title="Gamma-Gamma Results", facts=facts, estimates=table, notes=notes)

    def expected_spend(self, rfm: pl.DataFrame) -> pl.DataFrame:
        """Return customer_id and expected_spend, the mean amount of the customer's future orders; rows as in `rfm`.

        Raises
        ------
        TableError, EstimationError, DataError
            If `rfm` does not keep the RFM contract, or holds an impossible past or a negative monetary value, or if
            the fitted q is at most 1, so that spend has no mean.
        """
        paid = amounts(rfm)["monetary_value"].fill_null(float("nan")).to_numpy()
        spend = expected_spend(self.params, rfm["frequency"].to_numpy(), paid)
        return rfm.select("customer_id", pl.Series("expected_spend", spend, dtype=pl.Float64))

    def _estimates(self) -> Estimates:
        found = self.params
        return Estimates(names=self.names, values=(found.p, found.q, found.v), log_covariance=self.log_covariance)

    def __repr__(self) -> str:
        return f"GammaGammaFit({self._estimates().line()}; {self.n_customers} customers)"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()
