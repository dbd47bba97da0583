"""A fitted model of spend, Gamma-Gamma or one price: customers (RFM) in, expected spend per order out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from cxsim.clv.estimates import FittedModel, Matrix
from cxsim.clv.inputs import arrays, checked_amounts
from cxsim.clv.likelihood import ONE_PRICE, SPEND
from cxsim.clv.models.gamma_gamma import GammaGammaParams, OnePriceParams, expected_spend


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class GammaGammaFit(FittedModel[GammaGammaParams]):
    """A Gamma-Gamma model fitted to the repeat customers of a shop.

    Attributes
    ----------
    model
        `gamma_gamma`.
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
        `likelihood`: the estimates are where the likelihood is highest. `prior`: it has no maximum; the estimates are
        then where a posterior with weak priors is highest.
    loose
        Parameters that the data do not determine; empty where the basis is `likelihood`.
    engine
        What found the maximum: `native` or `lifetimes`.
    observed_until
        Last day of the observation, where it is known.
    """

    model: str = SPEND.name
    n_left_out: int

    def expected_spend(self, rfm: pl.DataFrame) -> pl.DataFrame:
        """Return customer_id and expected_spend, the mean amount of the customer's future orders; rows as in `rfm`.

        Raises
        ------
        TableError, EstimationError, DataError
            If `rfm` does not keep the RFM contract, or holds an impossible past or a negative monetary value, or if
            the fitted q is at most 1, so that spend has no mean.

        Examples
        --------
        >>> from cxsim.data import load_cdnow, summarise
        >>> from cxsim.clv import fit_spend
        >>> customers = summarise(load_cdnow(sample=True))
        >>> fit_spend(customers).expected_spend(customers)["expected_spend"].mean()
        35.937417513318785
        """
        past = arrays(checked_amounts(rfm).select("frequency", "monetary_value"))
        return rfm.select("customer_id", expected_spend=expected_spend(self.params, *past))

    def facts(self) -> Mapping[str, str]:
        """Return what is written of the fit as a whole: a text for each label."""
        return {**FittedModel.facts(self), "No. Left Out": f"{self.n_left_out:,}"}


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class OnePriceFit(FittedModel[OnePriceParams]):
    """The spend of a shop in which every repeat order costs the same, such as a subscription.

    Attributes
    ----------
    model
        `one_price`.
    params
        The price, in the currency of the orders.
    log_covariance, max_abs_gradient
        Nothing: the price is read off the orders, and no uncertainty comes from it.
    log_likelihood
        Of amounts that can be no other: 0.
    n_customers, n_left_out
        Customers who paid the price, and those left out because they have no repeat order or no positive monetary
        value.
    n_patterns
        Distinct amounts: 1.
    basis, loose, engine, observed_until
        As of `GammaGammaFit`.
    """

    model: str = ONE_PRICE.name
    log_covariance: Matrix = ((0.0,),)
    log_likelihood: float = 0.0
    n_patterns: int = 1
    max_abs_gradient: float = 0.0
    n_left_out: int

    def expected_spend(self, rfm: pl.DataFrame) -> pl.DataFrame:
        """Return customer_id and expected_spend, which is the price for everyone; rows as in `rfm`.

        Raises TableError, EstimationError or DataError for customers that Gamma-Gamma would refuse too.
        """
        price = pl.lit(self.params.price, dtype=pl.Float64)
        return checked_amounts(rfm).select("customer_id", expected_spend=price)

    def facts(self) -> Mapping[str, str]:
        """Return what is written of the fit as a whole: a text for each label."""
        read = {"Method": "Read off the orders", "No. Left Out": f"{self.n_left_out:,}"}
        return {**FittedModel.facts(self), **read}


SpendFit = GammaGammaFit | OnePriceFit
