"""A fitted model of orders and leaving: customers (RFM) and a horizon in, tables of what is expected of them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cxsim.clv.likelihood import (
    KINDS,
    Derivatives,
    Likelihood,
    Pasts,
    count_distribution,
    derivatives,
    joined,
    log_likelihoods,
    pasts_of,
    require_days,
    require_margin,
    thinned,
    together,
)
from cxsim.clv.models.gamma_gamma import population_mean
from cxsim.clv.models.purchases import (
    PurchaseParams,
    discounted_expected_purchases_new,
    expected_purchases_new,
    model_of,
)
from cxsim.clv.optimum import COVARIANCE_DIGITS, Estimates, Matrix, Summary, significant
from cxsim.clv.spend_fit import GammaGammaFit
from cxsim.errors import EstimationError
from cxsim.params import DAYS_PER_YEAR


def alive_after(params: PurchaseParams, rfm: pl.DataFrame, days: float) -> pl.DataFrame:
    """Return customer_id and prob_alive, the chance of not having left `days` from now; rows as in `rfm`."""
    require_days("days", days)
    known, model = pasts_of(rfm), model_of(params)
    now = known.now(params)
    if days > 0.0:
        ahead = known.ahead(lambda x, age: model.survival_ahead(params, x, age, time=days))
        return joined(rfm, known, {"prob_alive": together(now, ahead)})
    return joined(rfm, known, {"prob_alive": np.minimum(now.sum(axis=-1), 1.0)})


def orders_within(params: PurchaseParams, rfm: pl.DataFrame, days: float) -> pl.DataFrame:
    """Return customer_id and expected_purchases, the orders expected in the next `days`; rows as in `rfm`."""
    require_days("days", days)
    known, model = pasts_of(rfm), model_of(params)
    ahead = known.ahead(lambda x, age: model.orders_ahead(params, x, age, time=days))
    return joined(rfm, known, {"expected_purchases": together(known.now(params), ahead)})


def orders_of_new_within(params: PurchaseParams, days: float | Sequence[float]) -> pl.DataFrame:
    """Return days and expected_purchases, the repeat orders of a new customer so long after the first order."""
    times = np.atleast_1d(np.asarray(days, dtype=np.float64))
    for time in times:
        require_days("days", float(time))
    return pl.DataFrame({"days": times, "expected_purchases": expected_purchases_new(params, times)})


def continuous_rate(annual_discount_rate: float, horizon_days: float) -> float:
    """Return the continuous rate per day of an effective rate per year."""
    if not (math.isfinite(annual_discount_rate) and annual_discount_rate >= 0.0):
        raise EstimationError(f"annual_discount_rate must be finite and not negative; found {annual_discount_rate}.")
    if not horizon_days > 0.0:
        raise EstimationError(f"horizon_days must be positive; found {horizon_days}.")
    if annual_discount_rate == 0.0 and math.isinf(horizon_days):
        raise EstimationError("an infinite horizon needs an annual_discount_rate above 0; found 0.")
    return math.log1p(annual_discount_rate) / DAYS_PER_YEAR


def lifetime_value(
    rfm: pl.DataFrame,
    params: PurchaseParams,
    spend: GammaGammaFit,
    *,
    annual_discount_rate: float,
    horizon_days: float,
    margin: float,
) -> pl.DataFrame:
    """Return what each customer is expected to bring from the end of observation on."""
    rate = continuous_rate(annual_discount_rate, horizon_days)
    require_margin(margin)
    known, model = pasts_of(rfm), model_of(params)
    now = known.now(params)
    ahead = known.ahead(lambda x, age: model.discounted_orders_ahead(params, x, age, rate=rate, horizon=horizon_days))
    columns = {"prob_alive": np.minimum(now.sum(axis=-1), 1.0), "discounted_orders": together(now, ahead)}
    return (
        joined(rfm, known, columns)
        .with_columns(spend.expected_spend(rfm)["expected_spend"])
        .with_columns(revenue=pl.col("discounted_orders") * pl.col("expected_spend"))
        .with_columns(contribution=pl.col("revenue") * margin)
    )


def new_customer_value(
    params: PurchaseParams,
    spend: GammaGammaFit,
    *,
    annual_discount_rate: float,
    horizon_days: float,
    margin: float,
    acquisition_cost: float,
) -> pl.DataFrame:
    """Return what a new customer is expected to bring, the first order included."""
    rate = continuous_rate(annual_discount_rate, horizon_days)
    require_margin(margin)
    if not (math.isfinite(acquisition_cost) and acquisition_cost >= 0.0):
        raise EstimationError(f"acquisition_cost must be finite and not negative; found {acquisition_cost}.")
    repeats = discounted_expected_purchases_new(params, rate=rate, horizon=horizon_days)
    mean = population_mean(spend.params)
    revenue = (1.0 + repeats) * mean
    return pl.DataFrame(
        {
            "first_orders": [1.0],
            "discounted_orders": [repeats],
            "expected_spend": [mean],
            "revenue": [revenue],
            "contribution": [revenue * margin],
            "acquisition_cost": [acquisition_cost],
            "net_contribution": [revenue * margin - acquisition_cost],
        }
    )


FloatArray = NDArray[np.float64]

# Days after which nobody waits any more: a century.
CENTURY = 36_525.0
# Halvings of the interval in log-time: from a second to a century, to a relative 1e-9.
_HALVINGS = 36
_SECOND = 1.0 / 86_400.0


def days_to_next_order(params: PurchaseParams, rfm: pl.DataFrame, levels: Sequence[float]) -> pl.DataFrame:
    """Return when the next order comes."""
    known = pasts_of(rfm)
    named = {f"days_p{100 * level:g}": time for level, time in zip(levels, days_at(params, known, levels), strict=True)}
    table = joined(rfm, known, {"prob_none": prob_none(params, known), **named})
    return table.with_columns(pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in named)


def prob_none(params: PurchaseParams, known: Pasts) -> FloatArray:
    """Return the probability that no order ever comes; shape (n,)."""
    return np.asarray(np.clip(1.0 - _within(params, known)(np.full(known.age.size, np.inf)), 0.0, 1.0))


def days_at(params: PurchaseParams, known: Pasts, levels: Sequence[float]) -> list[FloatArray]:
    """Return, for each level, the days within which the next order has come with that chance, if one comes.

    Shape (n,) each; infinite where it takes more than a century.
    """
    wrong = [level for level in levels if not 0.0 < level < 1.0]
    if wrong or not levels:
        raise EstimationError(f"levels must be chances above 0 and below 1; found {list(levels)}.")
    within = _within(params, known)
    ever = within(np.full(known.age.size, np.inf))
    return [_quantile(within, level * ever) for level in levels]


def _within(params: PurchaseParams, known: Pasts) -> Callable[[FloatArray], FloatArray]:
    """Return the function of times, one for each past, that gives the chance of an order within them."""
    model, now = model_of(params), known.now(params)

    def chance(time: FloatArray) -> FloatArray:
        return together(now, model.next_order_ahead(params, known.frequency, known.age, time=time))

    return chance


def _quantile(within: Callable[[FloatArray], FloatArray], wanted: FloatArray) -> FloatArray:
    low, high = np.full(wanted.size, np.log(_SECOND)), np.full(wanted.size, np.log(CENTURY))
    beyond = within(np.exp(high)) < wanted
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        early = within(np.exp(middle)) < wanted
        low, high = np.where(early, middle, low), np.where(early, high, middle)
    return np.where(beyond, np.inf, np.exp(0.5 * (low + high)))


Basis = Literal["likelihood", "prior"]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PurchaseFit:
    """A model of orders and leaving, fitted to the customers of a shop.

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

    model: str
    params: PurchaseParams
    log_covariance: Matrix
    log_likelihood: float
    n_customers: int
    n_patterns: int
    max_abs_gradient: float
    basis: Basis = "likelihood"
    loose: tuple[str, ...] = ()
    engine: str = "native"
    observed_until: date | None = None

    def __post_init__(self) -> None:
        self._estimates()

    @property
    def title(self) -> str:
        """Name of the model for readers."""
        return KINDS[self.model].titled(self.params.k)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return KINDS[self.model].names

    @property
    def std_errors(self) -> dict[str, float]:
        """Standard error of each parameter on the natural scale, times in days."""
        return self._estimates().std_errors()

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the parameters on the natural scale, times in days; shape (4, 4)."""
        return self._estimates().covariance()

    @property
    def aic(self) -> float:
        """Akaike's criterion; smaller is better. A chosen k counts as a parameter."""
        return 2.0 * self._n_params() - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz' criterion; smaller is better. A chosen k counts as a parameter."""
        return math.log(self.n_customers) * self._n_params() - 2.0 * self.log_likelihood

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
            ("Time unit", "day"),
            ("Observed until", "unknown" if self.observed_until is None else self.observed_until.isoformat()),
            ("No. Customers", f"{self.n_customers:,}"),
            ("No. Patterns", f"{self.n_patterns:,}"),
            ("Log-Likelihood", f"{self.log_likelihood:,.3f}"),
            ("AIC", f"{self.aic:,.1f}"),
            ("BIC", f"{self.bic:,.1f}"),
        ]
        estimates = self.estimates().join(self.conf_int(), on="parameter", maintain_order="left")
        notes = [
            f"Largest |gradient| in a log-parameter: {self.max_abs_gradient:.1e}.",
            "Intervals are normal on the logarithm of the parameter.",
        ]
        return Summary(title=f"{self.title} Results", facts=facts, estimates=estimates, notes=notes)

    def prob_alive(self, rfm: pl.DataFrame, after_days: float = 0.0) -> pl.DataFrame:
        """Return customer_id and prob_alive, the chance of not having left `after_days` from now; rows as in `rfm`.

        Raises TableError or EstimationError for a table or a number of days that cannot be used; so do all below.
        """
        return alive_after(self.params, rfm, after_days)

    def expected_purchases(self, rfm: pl.DataFrame, days: float) -> pl.DataFrame:
        """Return customer_id and expected_purchases, the orders expected in the next `days`; rows as in `rfm`."""
        return orders_within(self.params, rfm, days)

    def expected_purchases_new(self, days: float | Sequence[float]) -> pl.DataFrame:
        """Return days and expected_purchases, the repeat orders of a new customer so long after the first order."""
        return orders_of_new_within(self.params, days)

    def purchase_distribution(
        self, rfm: pl.DataFrame | None = None, *, days: float, from_days: float = 0.0, most: int = 10
    ) -> pl.DataFrame:
        """Return the chance of every number of orders between `from_days` and `days` from now.

        One row for each customer in `rfm` and number of orders 0, 1, ... `most`: customer_id, orders, probability; the
        last holds the chance of `most` or more. With None for `rfm`, the same for a new customer, without customer_id.

        Raises
        ------
        TableError, EstimationError
            If `rfm` does not keep the RFM contract or holds an impossible past, or times or `most` are out of range.
        """
        return count_distribution(self.params, rfm, start=from_days, end=days, most=most)

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
        return days_to_next_order(self.params, rfm, levels)

    def clv(
        self,
        rfm: pl.DataFrame,
        spend: GammaGammaFit,
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
            Effective per year: with 0.1, 1.10 in a year is worth 1 today. Above 0 for an infinite horizon.
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
        return lifetime_value(
            rfm,
            self.params,
            spend,
            annual_discount_rate=annual_discount_rate,
            horizon_days=horizon_days,
            margin=margin,
        )

    def clv_new(
        self,
        spend: GammaGammaFit,
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
        return new_customer_value(
            self.params,
            spend,
            annual_discount_rate=annual_discount_rate,
            horizon_days=horizon_days,
            margin=margin,
            acquisition_cost=acquisition_cost,
        )

    def _n_params(self) -> int:
        return len(self.names) + KINDS[self.model].regular

    def _estimates(self) -> Estimates:
        values = tuple(float(getattr(self.params, name)) for name in self.names)
        return Estimates(names=self.names, values=values, log_covariance=self.log_covariance)

    def __repr__(self) -> str:
        return f"PurchaseFit({self.title}: {self._estimates().line()}; days; {self.n_customers} customers)"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def root(covariance: Matrix) -> list[list[float]]:
    """Return the Cholesky factor L of a covariance, L L' = covariance."""
    size = len(covariance)
    rows = [[significant(x, COVARIANCE_DIGITS) for x in row] for row in covariance]
    factor = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = rows[i][j] - sum(factor[i][k] * factor[j][k] for k in range(j))
            if i != j:
                factor[i][j] = rest / factor[j][j]
            elif rest > 0.0:
                factor[i][i] = math.sqrt(rest)
            else:
                raise EstimationError(f"the covariance is not positive definite; found {rows}. Fit the model again.")
    return factor


# More distinct pasts than this are too many to be asked thousands of times.
MANY_PASTS = 50_000
# Customers who stand for all in what is not quadratic.
_WITNESSES = 10_000


def nearby(likelihood: Likelihood, top: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return a function of log-parameters, shape (m, d), that gives the log-likelihood near `top`, shape (m,).

    Value, slope and curvature at the top are those of all customers. What goes beyond them is small where so many
    customers leave little room, and is that of ten thousand customers, evenly spaced in the order of their pasts, each
    for several others: the noise of a sum over all, on the third order alone.
    """
    few = thinned(likelihood, _WITNESSES)
    whole, part = derivatives(likelihood, top), derivatives(few, top)

    def near(points: FloatArray) -> FloatArray:
        step = points - top
        return _quadratic(whole, step) + (log_likelihoods(few, points) - _quadratic(part, step))

    return near


def _quadratic(at_top: Derivatives, step: FloatArray) -> FloatArray:
    value, gradient, hessian = at_top
    return np.asarray(value + step @ gradient + 0.5 * np.einsum("mi,ij,mj->m", step, hessian, step))
