"""A scenario in; what its orders say, the models fitted to them, and who is simulated, out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cxsim.data import Transactions, named_orders, summarise
from cxsim.effects import Points
from cxsim.errors import ParamError
from cxsim.estimation import GammaGammaFit, Posterior, PurchaseFit, fit, fit_spend, posterior
from cxsim.models import GammaGammaParams, PurchaseParams
from cxsim.params import root
from cxsim.scenario import Model, Scenario
from cxsim.simulation import Population, empty_base, existing_customers
from cxsim.study.draws import usual_arrivals

# Parameters drawn from each posterior; a scenario uses the first of them, so that more draws keep those it had.
POSTERIOR_DRAWS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """What a scenario's orders say.

    Attributes
    ----------
    rfm
        Customers under RFM.
    purchases
        The fitted model of orders and leaving of each structure.
    spend
        The fitted model of spend.
    """

    rfm: pl.DataFrame
    purchases: Mapping[Model, PurchaseFit]
    spend: GammaGammaFit


def fitted(scenario: Scenario) -> Shop:
    """Return the customers of a scenario's orders and the models fitted to them."""
    rfm = summarise(orders(scenario), until=scenario.observed_until)
    shop = Shop(
        rfm=rfm,
        purchases={structure: fit(rfm, model=structure) for structure in scenario.structures},
        spend=fit_spend(rfm),
    )
    _refuse_full_cards(scenario, shop.spend)
    return shop


def believed(
    scenario: Scenario, rfm: pl.DataFrame, purchases: PurchaseFit, spend: GammaGammaFit
) -> tuple[Posterior[PurchaseParams], Posterior[GammaGammaParams]]:
    """Return what is believed of the parameters of orders and of spend, given the customers in `rfm`, under RFM."""
    pool = max(scenario.draws, POSTERIOR_DRAWS)
    return (
        posterior(purchases, rfm, draws=pool, seed=scenario.seed),
        posterior(spend, rfm, draws=pool, seed=scenario.seed),
    )


def orders(scenario: Scenario) -> Transactions:
    """Return the orders that a scenario names: the CDNOW log, its sample, or a file."""
    columns = dataclasses.asdict(scenario.columns)
    return named_orders(scenario.orders, columns=columns, until=scenario.observed_until, folder=root())


def population_of(scenario: Scenario, rfm: pl.DataFrame) -> Population:
    """Return who is simulated: the customers of `rfm`, under RFM, if wanted, and the new ones."""
    return Population(
        base=existing_customers(rfm) if scenario.existing_customers == "all" else empty_base(),
        arrivals=usual_arrivals(scenario),
        calendar=scenario.calendar,
    )


def past_of(population: Population) -> list[npt.NDArray[np.float64]]:
    """Return frequency, recency and age in days of the existing customers."""
    return [population.base[name].cast(pl.Float64).to_numpy() for name in ("frequency", "recency_days", "age_days")]


def _refuse_full_cards(scenario: Scenario, spend: GammaGammaFit) -> None:
    params = spend.params
    mean = params.p * params.v / (params.q - 1.0) if params.q > 1.0 else math.inf
    for strategy in scenario.strategies:
        for effect in strategy.effects:
            if isinstance(effect, Points) and effect.threshold.value <= effect.earn.value * mean:
                raise ParamError(
                    f"strategy '{strategy.name}': {effect.threshold.value:g} points fill a card, and an order of this "
                    f"shop, {mean:.2f} on average, already gives {effect.earn.value * mean:.0f}: every order would "
                    "earn a reward, which is a price cut and no programme. Raise points.threshold or lower points.earn."
                )
