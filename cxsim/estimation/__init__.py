"""Fitting: customers (RFM) in, models of their orders and spend out, with errors, expected values and a file format."""

from cxsim.estimation.backtest import frequency_fit, holdout_fit, tracking
from cxsim.estimation.bgnbd_fit import BgNbdFit
from cxsim.estimation.fit_file import from_json, load_fit, save_fit, to_json
from cxsim.estimation.fitting import fit, fit_spend
from cxsim.estimation.gamma_gamma_fit import GammaGammaFit
from cxsim.estimation.posterior import draw_params
from cxsim.estimation.value import customer_value

__all__ = [
    "BgNbdFit",
    "GammaGammaFit",
    "customer_value",
    "draw_params",
    "fit",
    "fit_spend",
    "frequency_fit",
    "from_json",
    "holdout_fit",
    "load_fit",
    "save_fit",
    "to_json",
    "tracking",
]
