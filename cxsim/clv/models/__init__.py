"""Models of buying in closed form: parameters and arrays in, likelihoods and expectations out; no random numbers.

>>> from cxsim.clv.models import BetaGeometricParams, expected_purchases
>>> shop = BetaGeometricParams(r=0.24, alpha=4.41, a=0.79, b=2.43)
>>> float(expected_purchases(shop, frequency=2, last_order=30.43, age=38.86, time=39).round(3))
1.227
"""

from cxsim.clv.models.bgnbd import BetaGeometricParams
from cxsim.clv.models.gamma_gamma import GammaGammaParams, expected_spend, population_mean
from cxsim.clv.models.pareto_nbd import ParetoNbdParams
from cxsim.clv.models.purchases import (
    PurchaseParams,
    discounted_expected_purchases,
    discounted_expected_purchases_new,
    expected_purchases,
    expected_purchases_new,
    log_likelihood,
    next_purchase_probability,
    prob_alive,
    purchase_probability,
    purchase_probability_new,
)

__all__ = [
    "BetaGeometricParams",
    "GammaGammaParams",
    "ParetoNbdParams",
    "PurchaseParams",
    "discounted_expected_purchases",
    "discounted_expected_purchases_new",
    "expected_purchases",
    "expected_purchases_new",
    "expected_spend",
    "log_likelihood",
    "next_purchase_probability",
    "population_mean",
    "prob_alive",
    "purchase_probability",
    "purchase_probability_new",
]
