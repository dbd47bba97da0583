"""The BG/NBD model of repeat orders (Fader, Hardie & Lee 2005): Poisson orders, a chance of leaving after each."""

from cxsim.models.bgnbd.counts import purchase_probability_between, purchase_probability_new
from cxsim.models.bgnbd.derivatives import log_likelihood_derivatives
from cxsim.models.bgnbd.likelihood import BgNbdParams, log_likelihood, prob_alive
from cxsim.models.bgnbd.purchases import (
    discounted_expected_purchases,
    expected_purchases,
    expected_purchases_new,
)

__all__ = [
    "BgNbdParams",
    "discounted_expected_purchases",
    "expected_purchases",
    "expected_purchases_new",
    "log_likelihood",
    "log_likelihood_derivatives",
    "prob_alive",
    "purchase_probability_between",
    "purchase_probability_new",
]
