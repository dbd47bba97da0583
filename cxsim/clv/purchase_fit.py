"""A fitted model of orders and dropout: customers (RFM) and a horizon in, tables of what is expected of them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cxsim.clv.estimates import FittedModel
from cxsim.clv.inputs import by_past, require
from cxsim.clv.models.gamma_gamma import population_mean
from cxsim.clv.models.purchases import Outlook, PurchaseParams
from cxsim.clv.models.special import FloatArray
from cxsim.clv.spend_fit import SpendFit
from cxsim.errors import EstimationError
from cxsim.params import DAYS_PER_YEAR

# Days after which nobody waits any more: a century.
CENTURY = 36_525.0
# Halvings of the interval in log-time: from a second to a century, to a relative 1e-9.
_HALVINGS = 36
_SECOND = 1.0 / 86_400.0


def continuous_rate(annual_discount_rate: float) -> float:
    """Return the continuous rate per day of an effective rate per year."""
    return math.log1p(annual_discount_rate) / DAYS_PER_YEAR


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PurchaseFit(FittedModel[PurchaseParams]):
    """A model of orders and dropout, fitted to the customers of a shop.

    Attributes
    ----------
    model
        `bgnbd`, `mbgnbd`, `paretonbd`, `bgcnbd` or `mbgcnbd`.
    params
        Estimates, times in days.
    log_covariance
        Covariance of the logarithms of the parameters; rows and columns in the order of `names`.
    log_likelihood
        Log-likelihood of all customers, time in days.
    n_customers, n_patterns
        Customers, and distinct (frequency, recency_days, age_days) among them.
    max_abs_gradient
        Largest derivative, in a log-parameter, of what was maximised.
    basis
        `likelihood`: the estimates are where the likelihood is highest. `prior`: it is highest where a parameter is
        zero or infinite, or flat; the estimates are then where a posterior with weak priors is highest.
    loose
        Parameters that the data do not determine; empty where the basis is `likelihood`.
    engine
        What found the maximum: `native` or `lifetimes`.
    observed_until
        Last day of the observation, where it is known.
    """

    def prob_alive(self, rfm: pl.DataFrame, after_days: float = 0.0) -> pl.DataFrame:
        """Return customer_id and prob_alive, the chance of not having left `after_days` from now; rows as in `rfm`.

        Raises TableError or EstimationError for a table or a number of days that cannot be used; so do all below.
        """
        require({"after_days": after_days})
        return self._ahead(rfm, lambda ahead: {"prob_alive": ahead.prob_alive(after_days)})

    def expected_purchases(self, rfm: pl.DataFrame, days: float) -> pl.DataFrame:
        """Return customer_id and expected_purchases, the orders expected in the next `days`; rows as in `rfm`."""
        require({"days": days})
        return self._ahead(rfm, lambda ahead: {"expected_purchases": ahead.expected_purchases(days)})

    def expected_purchases_new(self, days: float | Sequence[float]) -> pl.DataFrame:
        """Return what a new customer is expected to order again.

        Parameters
        ----------
        days
            Times since the first order, each finite and >= 0.

        Returns
        -------
        polars.DataFrame
            days, and expected_purchases, the repeat orders until then.

        Raises
        ------
        EstimationError
            For a number of days that is negative or not finite.

        Examples
        --------
        >>> from cxsim.clv import fit
        >>> from cxsim.data import load_cdnow, summarise
        >>> found = fit(summarise(load_cdnow(sample=True)), model="mbgnbd")
        >>> found.expected_purchases_new([30, 365])["expected_purchases"].round(2).to_list()
        [0.18, 1.49]
        """
        times = np.atleast_1d(np.asarray(days, dtype=np.float64))
        for time in times.tolist():
            require({"days": time})
        return pl.DataFrame({"days": times, "expected_purchases": Outlook(self.params).expected_purchases(times)})

    def purchase_distribution(
        self, rfm: pl.DataFrame | None = None, *, days: float, from_days: float = 0.0, most: int = 10
    ) -> pl.DataFrame:
        """Return the chance of every number of orders between `from_days` and `days` from now.

        Parameters
        ----------
        rfm
            Customers under RFM; None for a new customer, from the first order on.
        days, from_days
            End and start of the time, 0 <= from_days <= days.
        most
            Largest number of orders that gets a row of its own, at least 1.

        Returns
        -------
        polars.DataFrame
            One row for each customer and number of orders 0, 1, ... `most`: customer_id (not for a new customer),
            orders, probability; the last of each holds the chance of `most` or more.

        Raises
        ------
        TableError, EstimationError
            If `rfm` does not keep the RFM contract or holds an impossible past, or times or `most` are out of range.

        Examples
        --------
        >>> from cxsim.clv import fit
        >>> from cxsim.data import load_cdnow, summarise
        >>> found = fit(summarise(load_cdnow(sample=True)), model="mbgnbd")
        >>> found.purchase_distribution(days=365, most=2).with_columns(pl.col("probability").round(3)).rows()
        [(0, 0.547), (1, 0.178), (2, 0.275)]
        """
        if not (math.isfinite(days) and days >= from_days >= 0.0):
            raise EstimationError(
                f"it must be 0 <= from_days <= days, and finite; found from_days {from_days}, days {days}."
            )
        require({"most": most})
        counts = np.arange(most + 1)
        if rfm is None:
            exact = Outlook(self.params).purchase_probability(start=from_days, end=days, counts=counts[:-1])[None, :]
            ids = []
        else:
            known = self._ahead(
                rfm,
                lambda ahead: {
                    f"{count}": ahead.purchase_probability(start=from_days, end=days, counts=count)
                    for count in range(most)
                },
            )
            exact = np.ascontiguousarray(known.drop("customer_id").to_numpy())
            ids = [known["customer_id"].gather(np.repeat(np.arange(known.height), most + 1))]
        chances = np.column_stack([exact, np.clip(1.0 - exact.sum(axis=1), 0.0, 1.0)])
        orders = pl.Series("orders", np.tile(counts, len(chances)))
        return pl.DataFrame([*ids, orders, pl.Series("probability", chances.ravel())])

    def days_to_next_purchase(self, rfm: pl.DataFrame, levels: Sequence[float] = (0.1, 0.5, 0.9)) -> pl.DataFrame:
        """Return when the next order comes.

        Parameters
        ----------
        rfm
            Customers under RFM.
        levels
            Chances, above 0 and below 1.

        Returns
        -------
        polars.DataFrame
            customer_id; prob_none, the chance that no order ever comes; and for each level a column, days_p50 for
            0.5: the days from now within which the next order has come with that chance, if one comes at all; null
            where it takes more than a century. Rows as in `rfm`.

        Raises
        ------
        TableError, EstimationError
            If `rfm` does not keep the RFM contract or holds an impossible past, or a level is out of range.
        """
        if not levels or not all(0.0 < level < 1.0 for level in levels):
            raise EstimationError(f"levels must be chances above 0 and below 1; found {list(levels)}.")

        def columns(ahead: Outlook) -> dict[str, FloatArray]:
            within = ahead.next_purchase_within
            ever = within(math.inf)
            times = {f"days_p{100 * level:g}": _time_of(within, level * ever) for level in levels}
            return {"prob_none": np.clip(1.0 - ever, 0.0, 1.0), **times}

        return self._ahead(rfm, columns).fill_nan(None)

    def clv(
        self,
        rfm: pl.DataFrame,
        spend: SpendFit,
        *,
        annual_discount_rate: float,
        horizon_days: float = math.inf,
        margin: float = 1.0,
    ) -> pl.DataFrame:
        """Return what each customer is expected to bring from now on, in money of today.

        Parameters
        ----------
        rfm
            Customers under RFM.
        spend
            Fitted model of their spend per order.
        annual_discount_rate
            Effective per year: with 0.1, 1.10 in a year is 1 today. Above 0 for an infinite horizon.
        horizon_days
            Days from now after which orders no longer count.
        margin
            Contribution margin, a share of revenue.

        Returns
        -------
        polars.DataFrame
            customer_id; prob_alive; discounted_orders; expected_spend per order; revenue, their product; and
            contribution, revenue times margin. Rows as in `rfm`.

        Raises
        ------
        TableError, EstimationError, DataError
            If `rfm` does not keep its contract or holds an impossible past or a negative monetary value, for numbers
            out of range, and if fitted spend has no mean.
        """
        rate = _admitted_rate(annual_discount_rate, horizon_days, margin)
        return (
            self._ahead(
                rfm,
                lambda ahead: {
                    "prob_alive": ahead.prob_alive(),
                    "discounted_orders": ahead.discounted_purchases(rate=rate, horizon=horizon_days),
                },
            )
            .with_columns(spend.expected_spend(rfm)["expected_spend"])
            .with_columns(revenue=pl.col("discounted_orders") * pl.col("expected_spend"))
            .with_columns(contribution=pl.col("revenue") * margin)
        )

    def clv_new(
        self,
        spend: SpendFit,
        *,
        annual_discount_rate: float,
        horizon_days: float = math.inf,
        margin: float = 1.0,
        acquisition_cost: float = 0.0,
    ) -> pl.DataFrame:
        """Return what a new customer is expected to bring, the first order included, against what winning one costs.

        One row: first_orders, discounted_orders (repeat orders), expected_spend, revenue, contribution,
        acquisition_cost, net_contribution. Horizon, rate and margin are those of `clv`, from the first order on.

        Raises
        ------
        EstimationError
            For numbers out of range, and if fitted spend has no mean.
        """
        rate = _admitted_rate(annual_discount_rate, horizon_days, margin)
        require({"acquisition_cost": acquisition_cost})
        repeats = float(Outlook(self.params).discounted_purchases(rate=rate, horizon=horizon_days))
        mean = population_mean(spend.params)
        revenue = (1.0 + repeats) * mean
        return pl.DataFrame(
            {
                "first_orders": 1.0,
                "discounted_orders": repeats,
                "expected_spend": mean,
                "revenue": revenue,
                "contribution": revenue * margin,
                "acquisition_cost": acquisition_cost,
                "net_contribution": revenue * margin - acquisition_cost,
            }
        )

    def _ahead(self, rfm: pl.DataFrame, columns: Callable[[Outlook], Mapping[str, FloatArray]]) -> pl.DataFrame:
        """Return customer_id and `columns` of what is ahead of each past; rows as in `rfm`."""
        return by_past(rfm, lambda *past: columns(Outlook(self.params, *past)))


def _admitted_rate(annual_discount_rate: float, horizon_days: float, margin: float) -> float:
    """Return the continuous rate per day, if all three numbers are in range."""
    require({"annual_discount_rate": annual_discount_rate, "margin": margin})
    if horizon_days != math.inf:
        require({"horizon_days": horizon_days})
    elif annual_discount_rate == 0.0:
        raise EstimationError("an infinite horizon needs an annual_discount_rate above 0; found 0.")
    return continuous_rate(annual_discount_rate)


def _time_of(within: Callable[[FloatArray], FloatArray], wanted: FloatArray) -> FloatArray:
    """Return the days within which an order comes with the chance `wanted`; NaN beyond a century."""
    low, high = np.full(wanted.size, np.log(_SECOND)), np.full(wanted.size, np.log(CENTURY))
    beyond = within(np.exp(high)) < wanted
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        early = within(np.exp(middle)) < wanted
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return np.where(beyond, np.nan, np.exp(0.5 * (low + high)))
