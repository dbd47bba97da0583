"""Fitting: customers (RFM) in, models of their orders and spend out, with errors, expected values and a file format."""

from cxsim.estimation.backtest import frequency_fit, holdout_fit, tracking
from cxsim.estimation.diagnosis import Diagnosis, Finding, diagnose
from cxsim.estimation.fit_file import from_json, load_fit, save_fit, to_json
from cxsim.estimation.fitting import fit, fit_spend
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.kinds import KINDS, Model
from cxsim.estimation.posteriors import Posterior, posterior
from cxsim.estimation.predictive import Prediction, predict
from cxsim.estimation.purchase_fit import PurchaseFit
from cxsim.estimation.value import customer_value

__all__ = [
    "KINDS",
    "Diagnosis",
    "Finding",
    "GammaGammaFit",
    "Model",
    "Posterior",
    "Prediction",
    "PurchaseFit",
    "customer_value",
    "diagnose",
    "fit",
    "fit_spend",
    "frequency_fit",
    "from_json",
    "holdout_fit",
    "load_fit",
    "posterior",
    "predict",
    "save_fit",
    "to_json",
    "tracking",
]
