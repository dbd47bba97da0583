"""Customer lifetime value: a table of customers in; fitted models of orders, dropout and spend, and forecasts, out."""

from cxsim.clv.customer_value import customer_value
from cxsim.clv.diagnose import diagnose
from cxsim.clv.fit import fit, fit_spend, load_fit, save_fit
from cxsim.clv.forecast import predict
from cxsim.clv.posterior import Posterior, posterior
from cxsim.clv.purchase_fit import PurchaseFit
from cxsim.clv.spend_fit import GammaGammaFit, OnePriceFit
from cxsim.clv.validation.compare import backtest, compare
from cxsim.clv.validation.holdout import frequency_fit, holdout_fit, tracking

__all__ = [
    "GammaGammaFit",
    "OnePriceFit",
    "Posterior",
    "PurchaseFit",
    "backtest",
    "compare",
    "customer_value",
    "diagnose",
    "fit",
    "fit_spend",
    "frequency_fit",
    "holdout_fit",
    "load_fit",
    "posterior",
    "predict",
    "save_fit",
    "tracking",
]
