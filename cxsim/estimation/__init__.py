"""Fitting: customers (RFM) in, models of their orders and spend out, with errors, expected values and a file format."""

from cxsim.estimation.backtest import frequency_fit, holdout_fit, tracking
from cxsim.estimation.diagnosis import Diagnosis, Finding, diagnose
from cxsim.estimation.fit_file import from_json, load_fit, save_fit, to_json
from cxsim.estimation.fitting import fit, fit_spend
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.intervals import (
    days_to_next_purchase_interval,
    expected_purchases_interval,
    expected_purchases_new_interval,
    prob_alive_interval,
)
from cxsim.estimation.kinds import KINDS, Model
from cxsim.estimation.posteriors import Posterior, posterior
from cxsim.estimation.predictive import Prediction, draw_customers, draw_new_customers, predict
from cxsim.estimation.purchase_fit import PurchaseFit
from cxsim.estimation.value import customer_value
from cxsim.estimation.value_intervals import clv_interval, clv_new_interval

__all__ = [
    "KINDS",
    "Diagnosis",
    "Finding",
    "GammaGammaFit",
    "Model",
    "Posterior",
    "Prediction",
    "PurchaseFit",
    "clv_interval",
    "clv_new_interval",
    "customer_value",
    "days_to_next_purchase_interval",
    "diagnose",
    "draw_customers",
    "draw_new_customers",
    "expected_purchases_interval",
    "expected_purchases_new_interval",
    "fit",
    "fit_spend",
    "frequency_fit",
    "from_json",
    "holdout_fit",
    "load_fit",
    "posterior",
    "predict",
    "prob_alive_interval",
    "save_fit",
    "to_json",
    "tracking",
]
